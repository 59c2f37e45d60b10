import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import { deliveryLimits } from './limits.ts';
import type { LaneOf } from './parts.ts';
import { lockConversions, settleConversions } from './settle.ts';

type Tenants = Pick<Postgres, 'tenant'>;

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
  pieceRows: number = deliveryLimits.changePieceRows,
): Promise<boolean> {
  const before = await sql.maybe<{ state_since: Date }>(
    `SELECT state_since FROM relay_destinations WHERE organisation_id = $1 AND id = $2 AND state <> 'active' FOR UPDATE`,
    [organisationId, destinationId],
  );
  if (before === undefined) return false;
  // One transaction, or a desk that is killed in it would give some the same hours twice; but no statement over a long queue.
  for (let last = 0, isOver = false; !isOver; ) {
    const moved = await sql.query<{ id: number }>(
      `UPDATE relay_deliveries SET tries_until = tries_until + $3 * interval '1 millisecond'
       WHERE organisation_id = $1 AND id = ANY (ARRAY(
         SELECT d.id FROM relay_deliveries d WHERE d.organisation_id = $1 AND d.destination_id = $2 AND d.state = 'waiting'
           AND d.tries_until IS NOT NULL AND d.id > $4 ORDER BY d.id LIMIT ${pieceRows}))
       RETURNING id`,
      [organisationId, destinationId, Math.max(0, now - before.state_since.getTime()), last],
    );
    last = moved.reduce((most, { id }) => Math.max(most, id), last);
    isOver = moved.length < pieceRows;
  }
  await sql.run(
    `UPDATE relay_destinations SET state = 'active', state_reason = NULL, state_since = $3
     WHERE organisation_id = $1 AND id = $2`,
    [organisationId, destinationId, new Date(now)],
  );
  return true;
}

/**
 * A connection ends: its destinations wait for another one from here on (REL-05), and nothing is sent to them. What was being
 * sent in this moment ends with the answer of the platform.
 */
async function stopOfConnection(
  sql: Sql,
  { organisationId, connectionId }: { organisationId: number; connectionId: number },
  now: number,
): Promise<void> {
  await sql.run(
    `UPDATE relay_destinations SET state = 'reconnect', state_reason = 'disconnected', state_since = $3
     WHERE organisation_id = $1 AND connection_id = $2`,
    [organisationId, connectionId, new Date(now)],
  );
}

/**
 * What waited at destinations as their connection ended is not sent any more; what came since, or was let go again since, waits for
 * another one.
 * @param which.connectionId of this one; of all without
 * @returns how many deliveries were cancelled
 */
export async function cancelDisconnected(
  postgres: Tenants,
  { organisationId, connectionId }: { organisationId: number; connectionId?: number | undefined },
  now: number,
  pieceRows?: number,
): Promise<number> {
  const stopped = await postgres.tenant(organisationId, (sql) =>
    sql.query<{ id: number; state_since: Date }>(
      `SELECT id, state_since FROM relay_destinations WHERE organisation_id = $1 AND state = 'reconnect'
         AND state_reason = 'disconnected' AND ($2::bigint IS NULL OR connection_id = $2) ORDER BY id`,
      [organisationId, connectionId ?? null],
    ),
  );
  let cancelled = 0;
  for (const { id, state_since } of stopped)
    cancelled += await cancelInPieces(
      postgres,
      organisationId,
      {
        where: `d.destination_id = $2 AND d.state IN ('held', 'waiting') AND d.created_at <= $3
          AND (d.replays = 0 OR d.next_at <= $3)`,
        ...{ params: [id, state_since], reason: 'disconnected', now },
      },
      pieceRows,
    );
  return cancelled;
}

/**
 * What a connection's end would end here, and does, and what goes on with it: for whoever ends or authorises one.
 * @param now milliseconds since 1970
 * @param pieceRows so many are cancelled in one transaction
 */
export function deliveriesOfConnections(now: () => number, pieceRows?: number) {
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
    stop: (sql: Sql, organisationId: number, connectionId: number) =>
      stopOfConnection(sql, { organisationId, connectionId }, now()),
    cancel: async (postgres: Tenants, organisationId: number, connectionId?: number) =>
      said(await cancelDisconnected(postgres, { organisationId, connectionId }, now(), pieceRows)),
    // Also what a platform had called wrong settings: a permission that was missing may have been given.
    async goOn(sql: Sql, organisationId: number, connectionId: number) {
      const stopped = await sql.query<{ id: number }>(
        `SELECT id FROM relay_destinations WHERE organisation_id = $1 AND connection_id = $2 AND state IN ('reconnect', 'misconfigured')
         ORDER BY id`,
        [organisationId, connectionId],
      );
      for (const { id } of stopped)
        await resumeDestination(sql, { organisationId, destinationId: id }, now(), pieceRows);
    },
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
  await lockConversions(sql, organisationId, conversions);
  const cancelled = await sql.run(
    `UPDATE relay_deliveries SET state = 'cancelled', reason = $4, field = NULL, settled_at = $2
     WHERE organisation_id = $1 AND id = ANY ($3::bigint[])
       AND (state IN ('held', 'waiting') OR (state = 'sending' AND next_at <= $2))`,
    [organisationId, at, rows.map(({ id }) => id), reason],
  );
  await settleConversions(sql, organisationId, conversions, now);
  return cancelled;
}

interface CancelledWhere extends Cancelled {
  /** Of deliveries `d`, with its parameters from `$2` on; words of the code, never of a request. */
  readonly where: string;
  readonly params: readonly unknown[];
}

/**
 * Cancels as many as one transaction may hold.
 * @returns how many were cancelled, and whether there are no more
 */
export async function cancelPiece(
  sql: Sql,
  organisationId: number,
  { where, params, ...how }: CancelledWhere,
  pieceRows: number = deliveryLimits.changePieceRows,
): Promise<{ cancelled: number; isLast: boolean }> {
  const rows = await sql.query<{ id: number; conversion_id: string }>(
    `SELECT d.id, d.conversion_id FROM relay_deliveries d WHERE d.organisation_id = $1 AND ${where} LIMIT ${pieceRows}`,
    [organisationId, ...params],
  );
  return { cancelled: await cancelRows(sql, organisationId, rows, how), isLast: rows.length < pieceRows };
}

/** Cancels all of them, each piece in a transaction of its own: a long queue in one takes longer than a statement may. @returns how many */
export async function cancelInPieces(
  postgres: Tenants,
  organisationId: number,
  what: CancelledWhere,
  pieceRows?: number,
): Promise<number> {
  let sum = 0;
  for (let isOver = false; !isOver; ) {
    const { cancelled, isLast } = await postgres.tenant(organisationId, (sql) =>
      cancelPiece(sql, organisationId, what, pieceRows),
    );
    sum += cancelled;
    isOver = isLast;
  }
  return sum;
}
