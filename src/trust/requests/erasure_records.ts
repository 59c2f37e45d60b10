import type { Erasure, FileScan } from '../../../contract/requests.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Erased, FoundRows } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';

/** How the erasure of a request stands; null where none was begun. */
export async function readErasure(sql: Sql, requestId: number): Promise<Erasure | null> {
  const run = await sql.maybe<{ id: number; state: Erasure['state']; began_at: Date; ended_at: Date | null }>(
    'SELECT id, state, began_at, ended_at FROM erasure_runs WHERE request_id = $1',
    [requestId],
  );
  if (run === undefined) return null;
  const steps = await sql.query<{
    holder: string;
    what: string;
    state: Erasure['steps'][number]['state'];
    found: FoundRows[];
    gone: Erased['gone'] | null;
    kept: Erased['kept'] | null;
    done_at: Date | null;
  }>('SELECT holder, what, state, found, gone, kept, done_at FROM erasure_steps WHERE run_id = $1 ORDER BY ordinal', [
    run.id,
  ]);
  const receipts = await sql.query<{ number: number; written_at: Date }>(
    'SELECT number, written_at FROM erasure_receipts WHERE run_id = $1 ORDER BY number DESC',
    [run.id],
  );
  const last = await sql.maybe<{ receipt: string }>(
    'SELECT receipt FROM erasure_receipts WHERE run_id = $1 ORDER BY number DESC LIMIT 1',
    [run.id],
  );
  const said = JSON.parse(last?.receipt ?? '{}') as {
    looked_again?: { files?: FileScan };
    backups?: Erasure['backups'];
  };
  return {
    ...{ files: said.looked_again?.files ?? null, backups: said.backups ?? null },
    state: run.state,
    began_at: run.began_at.toISOString(),
    ended_at: run.ended_at?.toISOString() ?? null,
    steps: steps.map(({ holder, what, state, found, gone, kept, done_at }) => ({
      ...{ name: holder, what, state, found, gone: gone ?? [] },
      kept: (kept ?? []).map(({ table, class: of, rows, why }) => ({ table, class: of, rows, why })),
      done_at: done_at?.toISOString() ?? null,
    })),
    receipts: receipts.map(({ number, written_at }) => ({ number, written_at: written_at.toISOString() })),
  };
}

/** @throws RequestError not_found */
export async function readReceipt(
  sql: Sql,
  requestId: number,
  number: number,
): Promise<{ receipt: string; signature: string }> {
  const row = await sql.maybe<{ receipt: string; signature: string }>(
    `SELECT e.receipt, e.signature FROM erasure_receipts e JOIN erasure_runs r ON r.id = e.run_id
     WHERE r.request_id = $1 AND e.number = $2`,
    [requestId, number],
  );
  // A request is of one kind, so it has receipts of an erasure or of other measures, and never both.
  const own =
    row ??
    (await sql.maybe<{ receipt: string; signature: string }>(
      'SELECT receipt, signature FROM request_receipts WHERE request_id = $1 AND number = $2',
      [requestId, number],
    ));
  if (own === undefined) throw new RequestError('not_found', 'This request has no receipt of that number.');
  return own;
}
