import { repeat } from '../../platform/clock.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import { destinations } from '../destinations/index.ts';
import { deliveryLimits } from './limits.ts';
import type { Senders } from './parts.ts';
import type { Ended } from './rows.ts';
import { settle } from './settle.ts';
import { cancelDisconnected, cancelInPieces } from './states.ts';

const sweepMs = 600_000;
const pieceRows = 1_000;

/** How old a conversion may be at each kind of destination, by what it is and where it happened, for queries: lists of one length. */
export function agesByKind(): (string | number | null)[][] {
  const sample = { event_name: 'purchase', occurred_at: '' };
  const store = { action_source: 'physical_store' } as const;
  // What corrects an order may have an age of its own: Google takes conversions for 90 days, and adjustments for 54.
  const of = [sample, { ...sample, ...store }, { ...sample, refund: true }, { ...sample, ...store, refund: true }];
  return [
    destinations.map(({ id }) => id),
    ...of.map((conversion) => destinations.map((one) => one.ageMsMax?.(conversion) ?? null)),
  ];
}

/**
 * For a FROM: the platform's age limit of conversions `c`, at destinations `o`.
 * @param now the number of the parameter that is the moment
 * @param ages the first of those that are `agesByKind`; the others follow it
 */
export function tooOld({ now, ages }: Record<'now' | 'ages', number>): string {
  const lists = ['text', 'bigint', 'bigint', 'bigint', 'bigint'].map((type, place) => `$${ages + place}::${type}[]`);
  const isStore = "c.facts ->> 'action_source' = 'physical_store'";
  return `EXISTS (SELECT FROM unnest(${lists.join(', ')}) AS age (kind, ms, store_ms, correction_ms, store_correction_ms)
    WHERE age.kind = o.kind AND c.occurred_at + CASE
        WHEN c.facts -> 'refund' = 'true'::jsonb OR c.facts ? 'original' THEN CASE WHEN ${isStore} THEN age.store_correction_ms ELSE age.correction_ms END
        WHEN ${isStore} THEN age.store_ms ELSE age.ms END
      * interval '1 millisecond' - interval '${deliveryLimits.ageMarginMs} milliseconds' <= $${now})`;
}

/**
 * Sets aside what waits at destinations that nothing is sent to now, or for an approval, before the platform would call it
 * too old. What is under way does that at each try. And cancels what is left of destinations that were removed,
 * or disconnected by a desk that was killed before all of it was, and of removed routes where no turn meets it.
 * @returns how many
 */
export async function endTooOld({ postgres, clock }: Pick<Senders, 'postgres' | 'clock'>): Promise<number> {
  const left = await everywhere(postgres, async (sql, organisationId) => {
    const old = await endTooOldOf(sql, organisationId, clock.now());
    return [{ organisationId, old, gone: await goneOf(sql, organisationId) }];
  });
  let ended = 0;
  for (const { organisationId, old, gone } of left) {
    const now = clock.now();
    ended += old;
    if (gone.length > 0) ended += await cancelInPieces(postgres, organisationId, leftOf(gone, now));
    ended += await cancelInPieces(postgres, organisationId, leftOfRoutes(now));
    ended += await cancelDisconnected(postgres, { organisationId }, now);
  }
  return ended;
}

async function endTooOldOf(sql: Sql, organisationId: number, now: number): Promise<number> {
  const rows = await sql.query<{ id: number; conversion_id: string; destination_id: number }>(
    `SELECT d.id, d.conversion_id, d.destination_id FROM relay_deliveries d
     JOIN relay_destinations o ON o.id = d.destination_id
     JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
     WHERE d.organisation_id = $1 AND (d.state = 'held' OR (d.state = 'waiting' AND o.state <> 'active'))
       AND ${tooOld({ now: 2, ages: 3 })}
     ORDER BY d.id LIMIT ${pieceRows} FOR UPDATE OF d SKIP LOCKED`,
    [organisationId, new Date(now), ...agesByKind()],
  );
  const all = rows.map((row): Ended & { destinationId: number } => ({
    ...{ row, destinationId: row.destination_id },
    outcome: { state: 'dead', reason: 'too_old', field: 'occurred_at' },
  }));
  if (all.length > 0) await settle(sql, { organisationId, destinationId: 0 }, all, { now, isTest: false });
  return all.length;
}

/**
 * A destination that is removed takes what waits for it along. What was being sent in that moment and is to go again, and what was
 * routed by somebody who had read the route before, is ended here, or nobody would: only what has a destination is ever taken.
 * Of the destinations of all deliveries each costs one look into the index by state.
 */
async function goneOf(sql: Sql, organisationId: number): Promise<number[]> {
  const gone = await sql.query<{ id: number }>(
    `WITH RECURSIVE theirs (id) AS (
       (SELECT d.destination_id FROM relay_deliveries d WHERE d.organisation_id = $1 ORDER BY d.destination_id LIMIT 1)
       UNION ALL
       SELECT (SELECT d.destination_id FROM relay_deliveries d WHERE d.organisation_id = $1 AND d.destination_id > theirs.id
               ORDER BY d.destination_id LIMIT 1)
       FROM theirs WHERE theirs.id IS NOT NULL
     )
     SELECT id FROM theirs WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM relay_destinations o WHERE o.id = theirs.id)`,
    [organisationId],
  );
  return gone.map(({ id }) => id);
}

const notSent = (now: string) => `(d.state IN ('held', 'waiting') OR (d.state = 'sending' AND d.next_at <= ${now}))`;

/** What of these destinations nobody is sending now. */
function leftOf(destinationIds: readonly number[], now: number) {
  return {
    where: `d.destination_id = ANY ($2::bigint[]) AND ${notSent('$3')}`,
    ...{ params: [destinationIds, new Date(now)], reason: 'removed', now },
  };
}

/** What was being sent as its route was removed, at destinations where nothing is taken now: elsewhere the next try ends it (`take`). */
function leftOfRoutes(now: number) {
  return {
    where: `d.destination_id IN (SELECT o.id FROM relay_destinations o WHERE o.state <> 'active') AND ${notSent('$2')}
      AND NOT EXISTS (SELECT FROM relay_routes r WHERE r.id = d.route_id)`,
    ...{ params: [new Date(now)], reason: 'removed', now },
  };
}

/** @returns what ends it */
export function watchAges(senders: Senders): () => void {
  return repeat(senders.clock, sweepMs, () => endTooOld(senders), {
    onError: (error) => senders.log.error('relay.ages_failed', {}, error),
  });
}
