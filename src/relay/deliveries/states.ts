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
    where: `destination_id = ANY ($3) AND state IN ('held', 'waiting')`,
    param: destinations.map(({ id }) => id),
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

/** @param what.where of deliveries, with `$3` as its parameter; words of the code, never of a request */
export async function cancelWhere(
  sql: Sql,
  organisationId: number,
  { where, param, reason, now }: { where: string; param: unknown; reason: string; now: number },
): Promise<number> {
  const cancelled = await sql.query<{ conversion_id: string }>(
    `UPDATE relay_deliveries SET state = 'cancelled', reason = $4, field = NULL, settled_at = $2
     WHERE organisation_id = $1 AND ${where} RETURNING conversion_id`,
    [organisationId, new Date(now), param, reason],
  );
  const conversions = [...new Set(cancelled.map(({ conversion_id }) => conversion_id))].sort();
  if (conversions.length > 0) {
    await sql.query(
      'SELECT FROM relay_conversions WHERE organisation_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR NO KEY UPDATE',
      [organisationId, conversions],
    );
    await settleConversions(sql, organisationId, conversions, now);
  }
  return cancelled.length;
}
