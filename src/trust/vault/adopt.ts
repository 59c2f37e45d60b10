import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import { type FreshKey, type Owner, VaultError } from '../../platform/vault.ts';

/** What is sealed under a key before it is adopted: its few values, and room for those that are sealed anew. */
const adoptedMessages = 16;
/** Who destroys all keys of an organisation holds this alone, who makes one with others. */
export const destructionLock = 0x46_4c_44;
export const foreignKeyGone = '23503';

export function allDestroyed(): VaultError {
  return new VaultError(
    'destroyed',
    'This value cannot be opened or sealed any more: the keys of its organisation were destroyed.',
  );
}

/**
 * A destruction that runs meanwhile is waited for, so no key is made behind its back.
 * @throws VaultError destroyed
 */
export async function refuseDestroyed(sql: Sql, owner: Owner): Promise<void> {
  if (owner === 'desk') return;
  await sql.query('SELECT pg_advisory_xact_lock_shared($1, 0)', [destructionLock]);
  if ((await sql.maybe('SELECT 1 FROM vault.destroyed_owners')) !== undefined) throw allDestroyed();
}

/**
 * Takes keys in that were made under a held key of the owner: they open, and seal nothing further. Needs no root, so a thread
 * that holds no key may do it.
 * @throws VaultError destroyed
 */
export async function adoptKeys(
  postgres: Pick<Postgres, 'vault'>,
  owner: Owner,
  keys: readonly FreshKey[],
  now: number,
): Promise<void> {
  if (keys.length === 0) return;
  await postgres
    .vault(owner, async (sql) => {
      await refuseDestroyed(sql, owner);
      // None of them is current: a second one of the same subject would have no place.
      await sql.run(
        `INSERT INTO vault.subject_keys (id, organisation_id, subject, wrapped_by, wrapped, is_current, messages, created_at)
           SELECT k.id, current_organisation(), k.subject, k.wrapped_by, k.wrapped, false, $5, $6
           FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[]) AS k(id, subject, wrapped_by, wrapped)
           ON CONFLICT (id) DO NOTHING`,
        [
          keys.map(({ id }) => id),
          keys.map(({ subject }) => subject),
          keys.map(({ wrappedBy }) => wrappedBy),
          keys.map(({ wrapped }) => wrapped),
          adoptedMessages,
          new Date(now),
        ],
      );
    })
    .catch((error: { code?: string }) => {
      throw error.code === foreignKeyGone ? allDestroyed() : error;
    });
}

/** Destroys these keys and no others of their subjects. Needs no root either. */
export async function destroyKeys(
  postgres: Pick<Postgres, 'vault'>,
  owner: Owner,
  ids: readonly Buffer[],
): Promise<void> {
  if (ids.length === 0) return;
  await postgres.vault(owner, (sql) => sql.run('DELETE FROM vault.subject_keys WHERE id = ANY ($1)', [ids]));
}
