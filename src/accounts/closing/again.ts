import { ownTables } from './close.ts';

interface Asking {
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}

/** Accounts that are closed: what a restore asks for before a backup, and holds the restored rows against. */
export async function closedPeople(sql: Asking): Promise<number[]> {
  const rows = await sql.query<{ id: string }>("SELECT id FROM people WHERE status = 'closed' ORDER BY id");
  return rows.map(({ id }) => Number(id));
}

/**
 * Closes an account once more in rows that are older than its closing, as `closeWhatIsDue` has done it. Its keys are gone
 * already, for the copy of the key store is newer. For a restore, in a transaction that sees every row.
 */
export async function closeAgain(sql: Asking, id: number, now: Date): Promise<void> {
  await sql.query('UPDATE api_keys SET revoked_at = $2 WHERE created_by = $1 AND revoked_at IS NULL', [id, now]);
  await sql.query('DELETE FROM mail.messages WHERE person_id = $1', [id]);
  for (const table of [...ownTables, 'report_subscriptions', 'memberships'])
    await sql.query(`DELETE FROM ${table} WHERE person_id = $1`, [id]);
  await sql.query(
    `UPDATE people SET email_digest = NULL, email_sealed = NULL, name = '', username = NULL, timezone = NULL, locale = NULL,
       email_verified_at = NULL, last_seen_day = NULL, is_operator = false, status = 'closed', status_reason = NULL,
       status_until = NULL, status_since = $2
     WHERE id = $1`,
    [id, now],
  );
}
