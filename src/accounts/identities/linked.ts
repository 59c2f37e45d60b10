import { type Identity, identitiesMax, type ProviderId } from '../../../contract/identities.ts';
import { openEmail, sealEmail } from '../../platform/email.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Profile, Provider } from './provider.ts';

/** Accounts elsewhere that open an account here: found by issuer and subject, and by nothing else. */
export interface Linked {
  find(provider: Provider, profile: Profile): Promise<{ id: number; personId: number } | undefined>;
  /** By what `digestOf` gives. */
  findByDigest(digest: Buffer): Promise<{ id: number; personId: number } | undefined>;
  /** Keyed digest of who it is at the provider. */
  digestOf(provider: Provider, profile: Profile): Buffer;
  list(sql: Sql, personId: number): Promise<Omit<Identity, 'provider_name'>[]>;
  link(
    sql: Sql,
    personId: number,
    account: { provider: ProviderId; digest: Buffer; label: string },
    now: Date,
  ): Promise<number>;
  /** Notes the day, and the address as the provider has it now. */
  used(
    sql: Sql,
    link: { id: number; personId: number },
    provider: Provider,
    profile: Profile,
    now: Date,
  ): Promise<void>;
  unlink(sql: Sql, personId: number, id: number): Promise<{ provider: ProviderId; label: string } | undefined>;
}

export function openLinked({ postgres, keys, vault }: Pick<House, 'postgres' | 'keys' | 'vault'>): Linked {
  const digestOf = (provider: Provider, profile: Profile) =>
    keys.digest('identity', `${provider.issuer}\n${profile.subject}`);
  async function findByDigest(digest: Buffer) {
    const found = await postgres.system((sql) =>
      sql.maybe<{ identity_id: number; person_id: number }>('SELECT * FROM lookup.identity_by_digest($1)', [digest]),
    );
    return found === undefined ? undefined : { id: found.identity_id, personId: found.person_id };
  }
  return {
    digestOf,
    findByDigest,
    find: (provider, profile) => findByDigest(digestOf(provider, profile)),
    async list(sql, personId) {
      const rows = await sql.query<{
        id: number;
        provider: ProviderId;
        digest: Buffer;
        label_sealed: Buffer;
        linked_at: Date;
        last_used_day: string | null;
      }>(
        'SELECT id, provider, digest, label_sealed, linked_at, last_used_day FROM identities WHERE person_id = $1 ORDER BY linked_at, id',
        [personId],
      );
      return Promise.all(
        rows.map(async ({ digest, label_sealed, ...row }) => ({
          ...row,
          label: await openEmail(vault, { identity: digest, person: personId }, label_sealed),
          linked_at: row.linked_at.toISOString(),
        })),
      );
    },
    async link(sql, personId, { provider, digest, label }, now) {
      const { count } = await sql.one<{ count: number }>(
        'SELECT count(*) AS count FROM identities WHERE person_id = $1',
        [personId],
      );
      if (count >= identitiesMax)
        throw new RequestError(
          'conflict',
          `You have linked ${identitiesMax} accounts, which is as many as can be. Unlink one first.`,
        );
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO identities (person_id, provider, digest, label_sealed, linked_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
        [personId, provider, digest, await sealEmail(vault, { identity: digest, person: personId }, label), now],
      );
      return id;
    },
    async used(sql, { id, personId }, provider, profile, now) {
      const identity = digestOf(provider, profile);
      await sql.run('UPDATE identities SET last_used_day = $2, label_sealed = $3 WHERE id = $1', [
        id,
        now.toISOString().slice(0, 10),
        await sealEmail(vault, { identity, person: personId }, profile.email),
      ]);
    },
    async unlink(sql, personId, id) {
      const gone = await sql.maybe<{ provider: ProviderId; digest: Buffer; label_sealed: Buffer }>(
        'DELETE FROM identities WHERE id = $1 AND person_id = $2 RETURNING provider, digest, label_sealed',
        [id, personId],
      );
      if (gone === undefined) return undefined;
      const label = await openEmail(vault, { identity: gone.digest, person: personId }, gone.label_sealed);
      return { provider: gone.provider, label };
    },
  };
}
