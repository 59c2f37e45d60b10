import { profileLimits } from '../../../contract/profiles.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { type Place, VaultError } from '../../platform/vault.ts';
import { hasRefused } from '../../trust/consent/index.ts';
import { oneAtATime } from '../site_limit.ts';
import type { Traits } from './traits.ts';

/** Visitors travel as decimal text: a JSON number above 2^53 has lost its last bits. */
export const ofVisitors = 'has(arrayMap(one -> toUInt64(one), {visitors:Array(String)}), visitor_id)';

export interface SiteOfProfiles {
  id: number;
  organisationId: number;
}
/** `other`: another person has this browser's id: it needs one of its own. `full`: a limit is reached. `refused`: their newest word is a no. */
export type Identified = 'done' | 'other' | 'full' | 'refused';

interface Digest {
  kind: 'email' | 'external-id';
  digest: Buffer;
}

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

  /** Which profile it is, made where there is none; in one transaction, one call of a site at a time. */
  async function settle(sql: Sql, site: SiteOfProfiles, visitor: string, digests: readonly Digest[]) {
    await oneAtATime(sql, `profiles of site ${site.id}`);
    const now = new Date(clock.now());
    const byKind = new Map<string, string>();
    for (const { kind, digest } of digests) {
      const found = await sql.maybe<{ profile_id: string }>(
        'SELECT profile_id FROM profile_digests WHERE site_id = $1 AND kind = $2 AND digest = $3',
        [site.id, kind, digest],
      );
      if (found !== undefined) byKind.set(kind, found.profile_id);
    }
    const wantsId = digests.some(({ kind }) => kind === 'external-id');
    const kinds = digests.map(({ kind }) => kind);
    const has = async (id: string, some: readonly string[]) =>
      (await sql.maybe('SELECT 1 FROM profile_digests WHERE profile_id = $1 AND kind = ANY($2) LIMIT 1', [
        id,
        some,
      ])) !== undefined;
    const hasId = (id: string) => has(id, ['external-id']);
    const linked = (
      await sql.maybe<{ profile_id: string }>(
        'SELECT profile_id FROM profile_visitors WHERE site_id = $1 AND visitor_id = $2',
        [site.id, visitor],
      )
    )?.profile_id;
    let id = byKind.get('external-id');
    // An address alone may be of somebody whose user id nobody has said yet, never of somebody with another one.
    const byEmail = byKind.get('email');
    if (id === undefined && byEmail !== undefined && !(wantsId && (await hasId(byEmail)))) id = byEmail;
    if (linked !== undefined && id !== linked) {
      // Known by another value of the same kind than was said: somebody else at the same browser.
      const others = kinds.filter((kind) => byKind.get(kind) !== linked);
      if (await has(linked, others)) return 'other';
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
    for (const table of ['profile_visitors', 'profile_digests'])
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

  return {
    digestsOf,
    open,
    async identify(site: SiteOfProfiles, visitor: string, traits: Traits): Promise<Identified> {
      const digests = await digestsOf(site.organisationId, traits);
      const settled = await postgres.tenant(site.organisationId, async (sql) => {
        const named = digests.map(({ digest }) => digest);
        if (await hasRefused(sql, site.organisationId, named, 'identity')) return 'refused';
        return settle(sql, site, visitor, digests);
      });
      if (typeof settled === 'string') return settled;
      const { id } = settled;
      const before = await postgres.tenant(site.organisationId, (sql) =>
        sql.maybe<{ traits_sealed: Buffer | null }>('SELECT traits_sealed FROM profiles WHERE id = $1', [id]),
      );
      if (before === undefined) return 'done';
      const known = await open(site.organisationId, id, before.traits_sealed);
      const sealed = await vault.seal(
        await placeOf(site.organisationId, id),
        JSON.stringify({ ...known, ...traits } satisfies Traits),
      );
      await postgres.tenant(site.organisationId, (sql) =>
        sql.run('UPDATE profiles SET traits_sealed = $2 WHERE id = $1', [id, sealed]),
      );
      return 'done';
    },
    /** Makes what is sealed of a profile unreadable, in backups too. */
    shred: async (organisationId: number, id: string) =>
      vault.shred(organisationId, await subjectOf(organisationId, id)),
  };
}
export type Profiles = ReturnType<typeof openProfiles>;
