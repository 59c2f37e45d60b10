import { type Receipt, windowLimits } from '../../../contract/windows.ts';
import type { Sql } from '../../platform/postgres/index.ts';

interface Row extends Omit<Receipt, 'cut_off' | 'began_at' | 'ended_at'> {
  cut_off: Date;
  began_at: Date;
  ended_at: Date | null;
}
const columns = `id, night, line, class, kept, kept_from, cut_off, state, began_at, ended_at, gone, held, rows_gone, rows_held,
  rows_past_due, problem`;

function shown(row: Row): Receipt {
  return {
    ...row,
    cut_off: row.cut_off.toISOString(),
    began_at: row.began_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
  };
}

/** A page of an organisation's receipts, the newest first. @param before number of the last one seen */
export async function readReceipts(
  sql: Sql,
  organisationId: number,
  asked: { before?: number | undefined; line?: string | undefined },
): Promise<{ receipts: Receipt[]; next: number | null }> {
  const rows = await sql.query<Row>(
    `SELECT ${columns} FROM retention_receipts WHERE organisation_id = $1 AND ($2::bigint IS NULL OR id < $2)
       AND ($3::text IS NULL OR line = $3) ORDER BY id DESC LIMIT ${windowLimits.receiptsPage + 1}`,
    [organisationId, asked.before ?? null, asked.line ?? null],
  );
  const page = rows.slice(0, windowLimits.receiptsPage).map(shown);
  return { receipts: page, next: rows.length > page.length ? (page.at(-1)?.id ?? null) : null };
}

/** The last receipt of each line. @param organisationId null for lines of the desk itself; in the scope of the same */
export async function lastReceipts(sql: Sql, organisationId: number | null): Promise<Map<string, Receipt>> {
  const rows = await sql.query<Row>(
    `SELECT DISTINCT ON (line) ${columns} FROM retention_receipts WHERE organisation_id IS NOT DISTINCT FROM $1
       AND state <> 'running' ORDER BY line, id DESC`,
    [organisationId],
  );
  return new Map(rows.map((row) => [row.line, shown(row)]));
}

/** How the newest nightly run ended. */
export async function lastNight(
  sql: Sql,
): Promise<{ day: string; state: 'running' | 'clean' | 'red'; rows: number; past_due: number } | null> {
  const row = await sql.maybe<{ day: string; state: 'running' | 'clean' | 'red' }>(
    'SELECT night AS day, state FROM retention_nights ORDER BY night DESC LIMIT 1',
  );
  if (row === undefined) return null;
  // Of this organisation alone: how much others had to let go is not for it to read.
  const own = await sql.one<{ rows: number; past_due: number; is_red: boolean | null }>(
    `SELECT coalesce(sum(rows_gone), 0)::bigint AS rows, coalesce(sum(rows_past_due), 0)::bigint AS past_due,
       bool_or(state = 'red') AS is_red FROM retention_receipts WHERE organisation_id IS NOT NULL AND night = $1`,
    [row.day],
  );
  const state = row.state === 'running' ? 'running' : own.is_red === true ? 'red' : 'clean';
  return { day: row.day, state, rows: own.rows, past_due: own.past_due };
}
