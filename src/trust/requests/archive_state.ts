import type { Sql } from '../../platform/postgres/index.ts';

/** The archive of a request as its page says it; null where there is none. */
export async function readArchiveState(sql: Sql, requestId: number, nowMs: number) {
  const row = await sql.maybe<{ records: number; bytes: number; made_at: Date; expires_at: Date }>(
    'SELECT records, bytes, made_at, expires_at FROM request_archives WHERE request_id = $1 AND expires_at > $2',
    [requestId, new Date(nowMs)],
  );
  if (row === undefined) return null;
  const { records, bytes, made_at, expires_at } = row;
  return { records, bytes, made_at: made_at.toISOString(), expires_at: expires_at.toISOString() };
}
