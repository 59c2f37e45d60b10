import type { Sql } from '../../platform/postgres/index.ts';
import type { LaneOf } from './parts.ts';
import { settleConversions } from './settle.ts';

/**
 * Somebody pauses a destination: its queue is kept.
 * @returns whether there is such a destination that was not paused
 */
export async function pauseDestination(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  now: number,
): Promise<boolean> {
  const paused = await sql.run(
    `UPDATE relay_destinations SET state = 'paused', state_reason = NULL, state_since = $3
     WHERE organisation_id = $1 AND id = $2 AND state <> 'paused'`,
    [organisationId, destinationId, new Date(now)],
  );
  return paused > 0;
}

/**
 * It goes on, whatever it waited for: somebody paused it, a token, a setting. The hours in which deliveries are tried again
 * did not run meanwhile.
 * @returns whether there is such a destination that was not active
 */
export async function resumeDestination(
  sql: Sql,
  { organisationId, destinationId }: LaneOf,
  now: number,
): Promise<boolean> {
  const before = await sql.maybe<{ state_since: Date }>(
    `SELECT state_since FROM relay_destinations WHERE organisation_id = $1 AND id = $2 AND state <> 'active' FOR UPDATE`,
    [organisationId, destinationId],
  );
  if (before === undefined) return false;
  await sql.run(
    `UPDATE relay_deliveries SET tries_until = tries_until + $3 * interval '1 millisecond'
     WHERE organisation_id = $1 AND destination_id = $2 AND state = 'waiting' AND tries_until IS NOT NULL`,
    [organisationId, destinationId, Math.max(0, now - before.state_since.getTime())],
  );
  await sql.run(
    `UPDATE relay_destinations SET state = 'active', state_reason = NULL, state_since = $3
     WHERE organisation_id = $1 AND id = $2`,
    [organisationId, destinationId, new Date(now)],
  );
  return true;
}

/**
 * A connection ends: what waits at its destinations is not sent any more, and they wait for another one (REL-05). What was
 * being sent in this moment ends with the answer of the platform.
 * @returns how many deliveries were cancelled
 */
async function cancelOfConnection(
  sql: Sql,
  { organisationId, connectionId }: { organisationId: number; connectionId: number },
  now: number,
): Promise<number> {
  const destinations = await sql.query<{ id: number }>(
    `UPDATE relay_destinations SET state = 'reconnect', state_reason = 'disconnected', state_since = $3
     WHERE organisation_id = $1 AND connection_id = $2 RETURNING id`,
    [organisationId, connectionId, new Date(now)],
  );
  return cancelWhere(sql, organisationId, {
    where: `d.destination_id = ANY ($2::bigint[]) AND d.state IN ('held', 'waiting')`,
    params: [destinations.map(({ id }) => id)],
    ...{ reason: 'disconnected', now },
  });
}

/** What a connection's end would end here, and does: for whoever ends one. @param now milliseconds since 1970 */
export function deliveriesOfConnections(now: () => number) {
  const said = (count: number) => [{ what: 'queued conversions', count }];
  return {
    async preview(sql: Sql, organisationId: number, connectionId: number) {
      const { count } = await sql.one<{ count: number }>(
        `SELECT count(*)::int AS count FROM relay_deliveries d JOIN relay_destinations o ON o.id = d.destination_id
         WHERE d.organisation_id = $1 AND o.connection_id = $2 AND d.state IN ('held', 'waiting')`,
        [organisationId, connectionId],
      );
      return said(count);
    },
    cancel: async (sql: Sql, organisationId: number, connectionId: number) =>
      said(await cancelOfConnection(sql, { organisationId, connectionId }, now())),
  };
}

interface Cancelled {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Of these, what is not being sent ends. Conversions are locked first, as at the end of a turn (`settle`): an account that ends
 * another delivery of one at the same moment would see this one as under way, and this would see that one so.
 * @returns how many were cancelled
 */
export async function cancelRows(
  sql: Sql,
  organisationId: number,
  rows: readonly { id: number; conversion_id: string }[],
  { reason, now }: Cancelled,
): Promise<number> {
  if (rows.length === 0) return 0;
  const at = new Date(now);
  const conversions = [...new Set(rows.map(({ conversion_id }) => conversion_id))].sort();
  await sql.query(
    'SELECT FROM relay_conversions WHERE organisation_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR NO KEY UPDATE',
    [organisationId, conversions],
  );
  const cancelled = await sql.run(
    `UPDATE relay_deliveries SET state = 'cancelled', reason = $4, field = NULL, settled_at = $2
     WHERE organisation_id = $1 AND id = ANY ($3::bigint[])
       AND (state IN ('held', 'waiting') OR (state = 'sending' AND next_at <= $2))`,
    [organisationId, at, rows.map(({ id }) => id), reason],
  );
  await settleConversions(sql, organisationId, conversions, now);
  return cancelled;
}

/**
 * What `where` says of deliveries `d`, with its parameters from `$2` on; words of the code, never of a request.
 * @returns how many were cancelled
 */
export async function cancelWhere(
  sql: Sql,
  organisationId: number,
  { where, params, ...how }: Cancelled & { where: string; params: readonly unknown[] },
): Promise<number> {
  const rows = await sql.query<{ id: number; conversion_id: string }>(
    `SELECT d.id, d.conversion_id FROM relay_deliveries d WHERE d.organisation_id = $1 AND ${where}`,
    [organisationId, ...params],
  );
  return cancelRows(sql, organisationId, rows, how);
}
