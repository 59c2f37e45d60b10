import { profileLimits } from '../../../contract/profiles.ts';
import type { Correction } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { type Place, VaultError } from '../../platform/vault.ts';
import { hasRefused, type Refusal } from '../../trust/consent/index.ts';
import { restrictionsOf } from '../../trust/requests/index.ts';
import { heldIn } from '../../trust/windows/index.ts';
import { oneAtATime } from '../site_limit.ts';
import { restrictionsOfProfile } from './restricted.ts';
import type { Traits } from './traits.ts';

/** Visitors travel as decimal text: a JSON number above 2^53 has lost its last bits. */
export const ofVisitors = 'has(arrayMap(one -> toUInt64(one), {visitors:Array(String)}), visitor_id)';

export interface SiteOfProfiles {
  id: number;
  organisationId: number;
}
/**
 * `other`: another person has this browser's id: it needs one of its own. `full`: a limit is reached. `refused`: their newest
 * word is a no. `restricted`: nothing was stored, and a browser is not recognised from now on that was until now.
 */
export type Identified = 'done' | 'other' | 'full' | 'refused' | 'restricted';

/** Whoever links, corrects or restricts profiles of a site is alone with them until its transaction ends. */
export const aloneWithProfiles = (sql: Sql, siteId: number) => oneAtATime(sql, `profiles of site ${siteId}`);

interface Digest {
  kind: 'email' | 'external-id';
  digest: Buffer;
}
interface SaidTrait {
  field: keyof Traits;
  digest: Buffer;
}
const traitOf = { email: 'email', name: 'name', 'external-id': 'id', picture: 'avatar' } as const;
/** So often a profile that others change at the same moment is read anew. */
const triesMax = 20;

/**
 * Profiles of a site (class D4): found by keyed digests, sealed under a key of each, and linked to the visitors of storage
 * mode that were named. What a browser did before it was named belongs to the same profile, since its visitor is the same.
 */
export function openProfiles({
  postgres,
  vault,
  clock,
  random,
}: Pick<House, 'postgres' | 'vault' | 'clock' | 'random'>) {
  const subjectOf = (organisationId: number, id: string) => vault.subject(organisationId, 'person', `profile ${id}`);
  const placeOf = async (organisationId: number, id: string): Promise<Place & { class: 'D4' }> => ({
    ...{ organisationId, table: 'profiles', column: 'traits_sealed', row: id, class: 'D4' },
    subject: await subjectOf(organisationId, id),
  });

  async function digestsOf(organisationId: number, { id, email }: Traits): Promise<Digest[]> {
    const digests: Digest[] = [];
    if (id !== undefined)
      digests.push({ kind: 'external-id', digest: await vault.subject(organisationId, 'external-id', id) });
    if (email !== undefined)
      digests.push({ kind: 'email', digest: await vault.subject(organisationId, 'email', email) });
    return digests;
  }

  async function saidOf(organisationId: number, traits: Traits): Promise<SaidTrait[]> {
    const said: SaidTrait[] = [];
    for (const field of ['id', 'email', 'name', 'avatar'] as const) {
      const value = traits[field];
      const text = field === 'email' ? value?.toLowerCase() : value;
      if (text !== undefined)
        said.push({ field, digest: await vault.subject(organisationId, 'person', `profile ${field} ${text}`) });
    }
    return said;
  }

  /** What of this is listed as restricted; a browser that is named so is not recognised from now on. */
  async function withhold(
    sql: Sql,
    site: SiteOfProfiles,
    visitor: string,
    restrictions: readonly number[],
  ): Promise<'done' | 'restricted'> {
    let added = 0;
    for (const id of restrictions)
      added += await sql.run(
        `INSERT INTO restricted_visitors (organisation_id, site_id, visitor_id, restriction_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING`,
        [site.organisationId, site.id, visitor, id],
      );
    return added > 0 ? 'restricted' : 'done';
  }

  /** Values that were put right in the profile that is meant: whoever goes on saying the wrong one changes nothing. */
  async function corrected(sql: Sql, profileIds: readonly string[], said: readonly SaidTrait[]): Promise<string[]> {
    if (profileIds.length === 0) return [];
    const rows = await sql.query<{ field: string; was_digest: Buffer }>(
      'SELECT field, was_digest FROM profile_corrections WHERE profile_id = ANY($1)',
      [profileIds],
    );
    return said.flatMap(({ field, digest }) =>
      rows.some((row) => row.field === field && row.was_digest.equals(digest)) ? [field] : [],
    );
  }

  /** Which profile it is, made where there is none; in the transaction of a caller who is alone with the site's profiles. */
  async function settle(
    sql: Sql,
    site: SiteOfProfiles,
    visitor: string,
    { said, digests: all }: { said: readonly SaidTrait[]; digests: readonly Digest[] },
  ) {
    const restrictions = await restrictionsOf(sql, all);
    if (restrictions.length > 0) return withhold(sql, site, visitor, restrictions);
    const now = new Date(clock.now());
    const byKind = new Map<string, string>();
    for (const { kind, digest } of all) {
      const found = await sql.maybe<{ profile_id: string }>(
        'SELECT profile_id FROM profile_digests WHERE site_id = $1 AND kind = $2 AND digest = $3',
        [site.id, kind, digest],
      );
      if (found !== undefined) byKind.set(kind, found.profile_id);
    }
    for (const profile of byKind.values()) {
      const more = await restrictionsOfProfile(sql, profile);
      if (more.length > 0) return withhold(sql, site, visitor, more);
    }
    const linked = (
      await sql.maybe<{ profile_id: string }>(
        'SELECT profile_id FROM profile_visitors WHERE site_id = $1 AND visitor_id = $2',
        [site.id, visitor],
      )
    )?.profile_id;
    const meant = byKind.get('external-id') ?? linked;
    const wrong = await corrected(sql, meant === undefined ? [] : [meant], said);
    const digests = all.filter(({ kind }) => !wrong.includes(kind === 'email' ? 'email' : 'id'));
    for (const { kind } of all) if (!digests.some((one) => one.kind === kind)) byKind.delete(kind);
    // All that it says was put right before: there is nothing to learn.
    if (digests.length === 0) return 'done';
    const wantsId = digests.some(({ kind }) => kind === 'external-id');
    const kinds = digests.map(({ kind }) => kind);
    const has = async (id: string, some: readonly string[]) =>
      (await sql.maybe('SELECT 1 FROM profile_digests WHERE profile_id = $1 AND kind = ANY($2) LIMIT 1', [
        id,
        some,
      ])) !== undefined;
    const hasId = (id: string) => has(id, ['external-id']);
    let id = byKind.get('external-id');
    // An address alone may be of somebody whose user id nobody has said yet, never of somebody with another one.
    const byEmail = byKind.get('email');
    if (id === undefined && byEmail !== undefined && !(wantsId && (await hasId(byEmail)))) id = byEmail;
    if (linked !== undefined && id !== linked) {
      // Known by another value of the same kind than was said: somebody else at the same browser.
      const others = kinds.filter((kind) => byKind.get(kind) !== linked);
      if (await has(linked, others)) return 'other';
      if ((await restrictionsOfProfile(sql, linked)).length > 0) return 'done';
      if (id === undefined) id = linked;
      else await merge(sql, linked, id);
    }
    if (id !== undefined && byEmail !== undefined && byEmail !== id && !(await hasId(byEmail)))
      await merge(sql, byEmail, id);
    if (id === undefined) {
      const { count } = await sql.one<{ count: number }>(
        'SELECT count(*)::int AS count FROM profiles WHERE site_id = $1',
        [site.id],
      );
      if (count >= profileLimits.profilesPerSiteMax) return 'full';
      id = random.bytes(8).toString('hex');
      await sql.run(
        'INSERT INTO profiles (id, organisation_id, site_id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)',
        [id, site.organisationId, site.id, now],
      );
    } else await sql.run('UPDATE profiles SET last_seen = $2 WHERE id = $1', [id, now]);
    for (const { kind, digest } of digests)
      await sql.run(
        `INSERT INTO profile_digests (organisation_id, site_id, kind, digest, profile_id)
         SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM profile_digests WHERE profile_id = $5) < ${profileLimits.namesMax}
         ON CONFLICT DO NOTHING`,
        [site.organisationId, site.id, kind, digest, id],
      );
    const { count } = await sql.one<{ count: number }>(
      'SELECT count(*)::int AS count FROM profile_visitors WHERE profile_id = $1 AND visitor_id <> $2',
      [id, visitor],
    );
    if (count >= profileLimits.browsersMax) return 'full';
    await sql.run(
      `INSERT INTO profile_visitors (organisation_id, site_id, visitor_id, profile_id, linked_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (site_id, visitor_id) DO NOTHING`,
      [site.organisationId, site.id, visitor, id, now],
    );
    return { id };
  }

  async function merge(sql: Sql, from: string, into: string): Promise<void> {
    await sql.run(
      `DELETE FROM profile_corrections WHERE profile_id = $1 AND (field, was_digest) IN
         (SELECT field, was_digest FROM profile_corrections WHERE profile_id = $2)`,
      [from, into],
    );
    for (const table of ['profile_visitors', 'profile_digests', 'profile_corrections'])
      await sql.run(`UPDATE ${table} SET profile_id = $2 WHERE profile_id = $1`, [from, into]);
    await sql.run('DELETE FROM profiles WHERE id = $1', [from]);
  }

  async function open(organisationId: number, id: string, sealed: Buffer | null): Promise<Traits> {
    if (sealed === null) return {};
    try {
      return JSON.parse((await vault.open(await placeOf(organisationId, id), sealed)).toString('utf8')) as Traits;
    } catch (error) {
      // Its key was destroyed, or the site has another organisation since.
      if (error instanceof VaultError && ['not-authentic', 'not-sealed', 'destroyed', 'no-key'].includes(error.code))
        return {};
      throw error;
    }
  }

  /** Names, digests and links to browsers; what is sealed is unreadable from now on, in backups too. */
  async function forget(sql: Sql, organisationId: number, where: string, values: readonly unknown[]): Promise<number> {
    const gone = await sql.query<{ id: string }>(`DELETE FROM profiles WHERE ${where} RETURNING id`, [...values]);
    for (const { id } of gone) await vault.shred(organisationId, await subjectOf(organisationId, id));
    return gone.length;
  }

  return {
    digestsOf,
    open,
    async identify(site: SiteOfProfiles, visitor: string, traits: Traits): Promise<Identified> {
      const digests = await digestsOf(site.organisationId, traits);
      const said = await saidOf(site.organisationId, traits);
      const settled = await postgres.tenant(site.organisationId, async (sql) => {
        const named = digests.map(({ digest }) => digest);
        // Alone first: a no that is being written is waited for, and what it removes is not made again behind it.
        await aloneWithProfiles(sql, site.id);
        if (await hasRefused(sql, site.organisationId, named, 'identity')) return 'refused';
        return settle(sql, site, visitor, { said, digests });
      });
      if (typeof settled === 'string') return settled;
      const { id } = settled;
      // Sealed outside of a transaction, which must not wait for a key; who changes it meanwhile is seen, and taken into account.
      for (let tries = 0; tries < triesMax; tries += 1) {
        const before = await postgres.tenant(site.organisationId, async (sql) => {
          const row = await sql.maybe<{ traits_sealed: Buffer | null }>(
            'SELECT traits_sealed FROM profiles WHERE id = $1',
            [id],
          );
          return row === undefined ? undefined : { ...row, wrong: await corrected(sql, [id], said) };
        });
        if (before === undefined) return 'done';
        const known = await open(site.organisationId, id, before.traits_sealed);
        const right = Object.fromEntries(Object.entries(traits).filter(([field]) => !before.wrong.includes(field)));
        const sealed = await vault.seal(
          await placeOf(site.organisationId, id),
          JSON.stringify({ ...known, ...right } satisfies Traits),
        );
        const written = await postgres.tenant(site.organisationId, (sql) =>
          sql.run('UPDATE profiles SET traits_sealed = $2 WHERE id = $1 AND traits_sealed IS NOT DISTINCT FROM $3', [
            ...[id, sealed, before.traits_sealed],
          ]),
        );
        if (written > 0) return 'done';
      }
      return 'done';
    },
    /**
     * Puts values of a profile right, in the caller's transaction, which no call of the site comes in between of.
     * @returns which were another or none before, and those that another profile of the site has
     */
    async correct(sql: Sql, site: SiteOfProfiles, id: string, corrections: readonly Correction[]) {
      await aloneWithProfiles(sql, site.id);
      const row = await sql.maybe<{ traits_sealed: Buffer | null }>(
        'SELECT traits_sealed FROM profiles WHERE id = $1 FOR UPDATE',
        [id],
      );
      const changed: { field: Correction['field']; before: 'another' | 'none' }[] = [];
      const taken: Correction['field'][] = [];
      if (row === undefined) return { changed, taken };
      const traits = await open(site.organisationId, id, row.traits_sealed);
      for (const { field, value } of corrections) {
        const trait = traitOf[field];
        const was = traits[trait];
        if (was === value) continue;
        const [digest] =
          trait === 'id' || trait === 'email' ? await digestsOf(site.organisationId, { [trait]: value }) : [];
        if (digest !== undefined) {
          const other = await sql.query(
            'SELECT 1 FROM profile_digests WHERE site_id = $1 AND kind = $2 AND digest = $3 AND profile_id <> $4',
            [site.id, digest.kind, digest.digest, id],
          );
          if (other.length > 0) {
            taken.push(field);
            continue;
          }
          if (was !== undefined)
            for (const old of await digestsOf(site.organisationId, { [trait]: was }))
              await sql.run('DELETE FROM profile_digests WHERE site_id = $1 AND kind = $2 AND digest = $3', [
                ...[site.id, old.kind, old.digest],
              ]);
          await sql.run(
            `INSERT INTO profile_digests (organisation_id, site_id, kind, digest, profile_id) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING`,
            [site.organisationId, site.id, digest.kind, digest.digest, id],
          );
        }
        // What is right now may have been called wrong before.
        const key = async (text: string) => (await saidOf(site.organisationId, { [trait]: text }))[0]?.digest;
        await sql.run('DELETE FROM profile_corrections WHERE profile_id = $1 AND field = $2 AND was_digest = $3', [
          ...[id, trait, await key(value)],
        ]);
        if (was !== undefined)
          await sql.run(
            `INSERT INTO profile_corrections (organisation_id, site_id, profile_id, field, was_digest) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING`,
            [site.organisationId, site.id, id, trait, await key(was)],
          );
        traits[trait] = value;
        changed.push({ field, before: was === undefined ? 'none' : 'another' });
      }
      if (changed.length > 0)
        await sql.run('UPDATE profiles SET traits_sealed = $2 WHERE id = $1', [
          id,
          await vault.seal(await placeOf(site.organisationId, id), JSON.stringify(traits)),
        ]);
      return { changed, taken };
    },
    /**
     * Who takes back that they are recognised is nobody's profile any more: names, digests and the links to browsers go, and
     * what is sealed is unreadable, in backups too. What the browsers did stays as visitors without a name, for measuring
     * has a basis of its own. What a legal hold keeps stays, and gets nothing new.
     */
    async forgetRefused(sql: Sql, { organisationId, purpose, digest }: Refusal): Promise<void> {
      if (purpose !== 'identity') return;
      for (const { id } of await sql.query<{ id: number }>('SELECT id FROM sites ORDER BY id'))
        await aloneWithProfiles(sql, id);
      const { everything, siteIds } = await heldIn(sql, organisationId, 'visitor-events');
      if (everything) return;
      await forget(
        sql,
        organisationId,
        'site_id <> ALL($2) AND id IN (SELECT profile_id FROM profile_digests WHERE digest = $1)',
        [digest, [...siteIds]],
      );
    },
    /** @returns how many profiles a site had: it goes to another organisation, whose keys and leave are not those of these names */
    async forgetSite(sql: Sql, { id, organisationId }: SiteOfProfiles): Promise<number> {
      await aloneWithProfiles(sql, id);
      return forget(sql, organisationId, 'site_id = $1', [id]);
    },
    forget: (sql: Sql, organisationId: number, ids: readonly string[]): Promise<number> =>
      forget(sql, organisationId, 'id = ANY($1)', [ids]),
  };
}
export type Profiles = ReturnType<typeof openProfiles>;
