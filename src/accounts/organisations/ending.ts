import type { Act } from '../../platform/audit.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import { asRetention, everyOrganisation, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';

/**
 * What has to be done outside before the rows of a closed organisation are removed, such as revoking tokens at a platform.
 * @property again somebody outside was away, and is to be asked once more before
 * @property left where it could not be done, for the receipt: words of the code, no name
 */
export type EndsOutside = (
  organisationId: number,
  isLast: boolean,
) => Promise<{ readonly again: boolean; readonly left: readonly string[] }>;
const outside = new Set<EndsOutside>();
/** For so long after its day it is tried again; then what is left outside stays there, and the receipt says so. */
const outsideMs = 6 * 3_600_000;

/** Whoever has something to end outside says so once. @returns the way to take it back */
export function onOrganisationEnds(ends: EndsOutside): () => void {
  outside.add(ends);
  return () => outside.delete(ends);
}

/**
 * Removes rows of a closed organisation that are too many for one statement, some at a time and each time in a transaction of its own,
 * before all that is left goes in one. Cut short it goes on with the next look; what it had removed by then is not in the receipt.
 * @returns how many went
 */
type RemovesBefore = (organisationId: number) => Promise<number>;
const before = new Set<RemovesBefore>();

/** Whoever has rows by the million says so once. @returns the way to take it back */
export function onOrganisationRemoved(removes: RemovesBefore): () => void {
  before.add(removes);
  return () => before.delete(removes);
}

type Parts = Pick<House, 'postgres' | 'vault' | 'audit' | 'clock' | 'log'>;

/**
 * What a closed organisation leaves behind: its number, the trail of acts until it is two years old (what was sealed in it
 * is unreadable), records of consent until three years are over, the ledger of credits until its ten years are, and what shows that its rows went. Offers of sites belong
 * to the other side too.
 */
export const keptOfClosed: readonly string[] = [
  ...['retention_receipts', 'site_removals', 'site_moves', 'consent_records'],
  ...['credit_accounts', 'credit_transfers', 'credit_entries', 'credit_lots', 'credit_reservations'],
];

/**
 * Removes what closed organisations had, as soon as their day has come (RET-15). First their sites, each as a deletion of
 * its own, which the warehouse's part does and proves; then every row, and the keys. Each step may be cut short and done
 * again. What a legal hold keeps waits until it is released.
 * @returns how many are empty now
 */
export async function removeWhatIsClosed(parts: Parts): Promise<number> {
  const { postgres, log } = parts;
  let emptied = 0;
  for (const id of await everyOrganisation(postgres)) {
    const state = await postgres.tenant(id, (sql) => lookAt(sql, id, parts));
    if (state === 'waits') log.info('organisations.ending_waits', { organisation: id });
    if (state === 'waits') crashPoint('ending.sites');
    if (state !== 'ready') continue;
    const left = await endOutside(parts, id);
    if (left === 'waits') {
      log.info('organisations.ending_waits', { organisation: id, outside: true });
      continue;
    }
    let first = 0;
    for (const removes of before) first += await removes(id);
    await removeRows(parts, id, { first, notRevoked: left });
    crashPoint('ending.rows');
    await parts.vault.shredAll(id);
    crashPoint('ending.keys');
    await endLast(parts, id);
    emptied += 1;
    log.info('organisations.ended', { organisation: id });
  }
  return emptied;
}

/** Begins the deletion of every site that is left. `ready` once there is none. */
async function lookAt(sql: Sql, id: number, { clock }: Parts): Promise<'not closed' | 'waits' | 'ready'> {
  const closed = await sql.query(
    "SELECT 1 FROM organisations WHERE id = $1 AND status = 'closed' AND emptied_at IS NULL FOR UPDATE",
    [id],
  );
  if (closed.length === 0) return 'not closed';
  const held = await sql.query('SELECT 1 FROM legal_holds WHERE organisation_id = $1 AND released_at IS NULL LIMIT 1', [
    id,
  ]);
  if (held.length > 0) return 'waits';
  const now = new Date(clock.now());
  await sql.run(
    `INSERT INTO site_removals (organisation_id, site_id, domain, kind, state, asked_at, due_at)
     SELECT s.organisation_id, s.id, s.domain, 'deletion', 'waiting', $2, $2 FROM sites s
     WHERE s.organisation_id = $1 AND NOT EXISTS (
       SELECT FROM site_removals r WHERE r.organisation_id = $1 AND r.site_id = s.id AND r.state IN ('waiting', 'running'))`,
    [id, now],
  );
  // One that somebody had deleted before does not wait for its own day any more.
  await sql.run(
    "UPDATE site_removals SET due_at = $2 WHERE organisation_id = $1 AND state = 'waiting' AND due_at > $2",
    [id, now],
  );
  await sql.run("UPDATE sites SET state = 'deleting' WHERE organisation_id = $1 AND state <> 'deleting'", [id]);
  const left = await sql.query('SELECT 1 FROM sites WHERE organisation_id = $1 LIMIT 1', [id]);
  return left.length > 0 ? 'waits' : 'ready';
}

/** @returns where something could not be ended, once it is waited for nobody any more */
async function endOutside({ postgres, clock, log }: Parts, id: number): Promise<readonly string[] | 'waits'> {
  const { since } = await postgres.tenant(id, (sql) =>
    sql.one<{ since: Date | null }>('SELECT status_since AS since FROM organisations WHERE id = $1', [id]),
  );
  const isLast = clock.now() - (since?.getTime() ?? 0) >= outsideMs;
  const left: string[] = [];
  let waits = false;
  for (const ends of outside) {
    const ended = await ends(id, isLast);
    left.push(...ended.left);
    waits ||= ended.again;
  }
  if (left.length > 0) log.warn('organisations.not_revoked', { organisation: id, at: left.join(' ') });
  return waits ? 'waits' : [...new Set(left)].sort();
}

async function removeRows(
  parts: Parts,
  id: number,
  { first, notRevoked }: { first: number; notRevoked: readonly string[] },
): Promise<void> {
  const { postgres, audit } = parts;
  const rows = await postgres.tenant(id, async (sql) => {
    const gone = first + (await removeRowsIn(sql, parts, id));
    if (gone > 0) await audit.record(sql, id, actOf(id, gone, notRevoked));
    return gone;
  });
  if (rows > 0) await postgres.system((sql) => audit.record(sql, 'desk', actOf(id, rows, notRevoked)));
}

/** Every row of every table that has an organisation, found in the catalogue, so that a new one is not forgotten. @returns how many went */
async function removeRowsIn(sql: Sql, { clock, log }: Pick<Parts, 'clock' | 'log'>, id: number): Promise<number> {
  const now = new Date(clock.now());
  let gone = await asRetention(sql, async () => {
    const { count } = await sql.one<{ count: number }>('SELECT retention.delete_ended_organisation($1) AS count', [id]);
    const mail = await sql.one<{ rows: number }>('SELECT rows FROM retention.delete_old_mail($1, $2, $3)', [
      ...[id, now, []],
    ]);
    const notices = await sql.one<{ rows: number }>('SELECT rows FROM retention.delete_old_notifications($1, $2, $3)', [
      ...[id, now, []],
    ]);
    return count + mail.rows + notices.rows;
  });
  const tables = await sql.query<{ name: string; may: boolean }>(
    `SELECT c.relname AS name, has_table_privilege(c.oid, 'DELETE') AS may
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organisation_id' AND NOT a.attisdropped
       WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relforcerowsecurity AND has_column_privilege(c.oid, a.attnum, 'SELECT')
       ORDER BY 1`,
  );
  gone += await removeInAnyOrder(
    sql,
    id,
    tables.filter(({ name, may }) => may && !keptOfClosed.includes(name)).map(({ name }) => name),
  );
  let left = 0;
  for (const { name } of tables.filter((table) => !keptOfClosed.includes(table.name))) {
    const { count } = await sql.one<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${name} WHERE organisation_id = $1`,
      [id],
    );
    left += count;
  }
  if (left > 0) log.warn('organisations.rows_left', { organisation: id, rows: left });
  return gone;
}

function actOf(id: number, rows: number, notRevoked: readonly string[]): Act {
  return {
    ...{ action: 'organisation.removed', actor: { type: 'system' } },
    targets: [{ type: 'organisation', id }],
    details: { rows, ...(notRevoked.length > 0 && { not_revoked: notRevoked.join(', ') }) },
  };
}

/** Tables refer to each other: one whose rows are still referred to is tried again after the others. */
async function removeInAnyOrder(sql: Sql, id: number, tables: readonly string[]): Promise<number> {
  let gone = 0;
  let waiting = [...tables];
  while (waiting.length > 0) {
    const again: string[] = [];
    for (const table of waiting) {
      await sql.run('SAVEPOINT one_table');
      try {
        gone += await sql.run(`DELETE FROM ${table} WHERE organisation_id = $1`, [id]);
        await sql.run('RELEASE SAVEPOINT one_table');
      } catch (error) {
        await sql.run('ROLLBACK TO SAVEPOINT one_table');
        if ((error as { code?: string }).code !== '23503') throw error;
        again.push(table);
      }
    }
    if (again.length === waiting.length) throw new Error(`Rows of ${again.join(', ')} are still referred to.`);
    waiting = again;
  }
  return gone;
}

/**
 * The last step, by which it is known that nothing is left to do. Who writes a row of an organisation holds its row by the foreign
 * key until they commit. So this waits for whoever had begun while the rows were removed, and then takes out what they wrote.
 */
async function endLast(parts: Parts, id: number): Promise<void> {
  const late = await parts.postgres.tenant(id, async (sql) => {
    await sql.query('SELECT 1 FROM organisations WHERE id = $1 FOR UPDATE', [id]);
    const gone = await removeRowsIn(sql, parts, id);
    await sql.run(
      `UPDATE organisations SET name = $2, slug = $3, status_reason = NULL, emptied_at = $4 WHERE id = $1 AND status = 'closed'`,
      [id, `Closed organisation ${id}`, `closed-${id}`, new Date(parts.clock.now())],
    );
    return gone;
  });
  // In the desk's own trail: the keys of the organisation are gone, and an act of its own would make one.
  if (late > 0) await parts.postgres.system((sql) => parts.audit.record(sql, 'desk', actOf(id, late, [])));
}

interface Asking {
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}

/** Organisations that are closed: what a restore asks for before a backup, and holds the restored rows against. */
export async function closedOrganisations(sql: Asking): Promise<number[]> {
  const rows = await sql.query<{ id: string }>("SELECT id FROM organisations WHERE status = 'closed' ORDER BY id");
  return rows.map(({ id }) => Number(id));
}

/** Closes one once more in rows that are older: nothing of it is reachable, and the desk removes it when it runs. */
export async function closeOrganisationAgain(sql: Asking, id: number, now: Date): Promise<void> {
  await sql.query('UPDATE api_keys SET revoked_at = $2 WHERE organisation_id = $1 AND revoked_at IS NULL', [id, now]);
  await sql.query('DELETE FROM mail.messages WHERE organisation_id = $1', [id]);
  await sql.query(
    `UPDATE organisations SET status = 'closed', status_reason = NULL, status_until = NULL, status_since = $2, emptied_at = NULL
     WHERE id = $1`,
    [id, now],
  );
}
