import type { DeliveryChoice } from '../../../contract/deliveries.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { agesByKind, tooOld } from './ages.ts';
import { deliveryLimits } from './limits.ts';
import { lockConversions } from './settle.ts';
import { cancelRows } from './states.ts';

/** Deliveries `d` at destinations `o` of conversions `c` that a choice names, and whose route was not removed; `$1` is the organisation. */
export const chosen = `d.organisation_id = $1 AND ($2::bigint[] IS NULL OR d.id = ANY ($2)) AND ($3::bigint IS NULL OR d.destination_id = $3)
  AND ($4::text IS NULL OR d.reason = $4) AND ($5::timestamptz IS NULL OR d.created_at >= $5)
  AND ($6::timestamptz IS NULL OR d.created_at < $6)`;
const joined = `relay_deliveries d JOIN relay_destinations o ON o.id = d.destination_id JOIN relay_routes r ON r.id = d.route_id
  JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id`;

export function paramsOf(organisationId: number, { ids, destination, reason, from, to }: DeliveryChoice): unknown[] {
  return [organisationId, ids ?? null, destination ?? null, reason ?? null, from ?? null, to ?? null];
}

/**
 * What may go again: what was set aside or cancelled, and what was accepted where somebody asks for that. What was withheld
 * never does: somebody said no. The platform knows each by its id and counts it once.
 */
function statesOf({ state, ids }: DeliveryChoice): string[] {
  if (state !== undefined) return [state];
  return ids === undefined ? ['dead'] : ['dead', 'cancelled', 'accepted'];
}

/**
 * For a FROM: what a replay takes. Its first parameters are `replayedParams`.
 * @param ages the first of those that are `agesByKind`; the others follow it
 */
export function replayed(ages: number): string {
  return `${joined} WHERE ${chosen} AND d.state = ANY ($7) AND NOT ${tooOld({ now: 8, ages })}`;
}

/** The first eight: the choice, the states and the moment. @param now milliseconds since 1970 */
export function replayedParams(organisationId: number, choice: DeliveryChoice, now: number): unknown[] {
  return [...paramsOf(organisationId, choice), statesOf(choice), new Date(now)];
}

export interface ReplayCount {
  deliveries: number;
  too_old: number;
  by_destination: { destination_id: number; deliveries: number; too_old: number }[];
}

/** How many would be tried again, and how many their platform would call too old. @param now milliseconds since 1970 */
export async function countReplay(
  sql: Sql,
  organisationId: number,
  choice: DeliveryChoice,
  now: number,
): Promise<ReplayCount> {
  const rows = await sql.query<{ destination_id: number; deliveries: number; too_old: number }>(
    `SELECT destination_id, count(*) FILTER (WHERE NOT is_old)::int AS deliveries, count(*) FILTER (WHERE is_old)::int AS too_old
     FROM (SELECT d.destination_id, ${tooOld({ now: 8, ages: 9 })} AS is_old
           FROM ${joined} WHERE ${chosen} AND d.state = ANY ($7)) AS one GROUP BY destination_id ORDER BY destination_id`,
    [...replayedParams(organisationId, choice, now), ...agesByKind()],
  );
  const sum = (name: 'deliveries' | 'too_old') => rows.reduce((total, row) => total + row[name], 0);
  return { deliveries: sum('deliveries'), too_old: sum('too_old'), by_destination: rows };
}

/**
 * Sends them again, under the ids that they have; what is too old stays as it is. Their hours for tries begin anew.
 * @param now milliseconds since 1970
 * @param after the last that the piece before it took: of several pieces of one call none takes what the one before had sent and
 *   was refused meanwhile. Not by when they ended, which lies ahead of a clock that was set back
 * @returns how many of the first so many go, and the last of them
 */
export async function replay(
  sql: Sql,
  organisationId: number,
  choice: DeliveryChoice,
  { now, after = 0 }: { now: number; after?: number | undefined },
): Promise<{ deliveries: number; last: number }> {
  const again = await sql.query<{ id: number; conversion_id: string }>(
    `UPDATE relay_deliveries u SET state = 'waiting', reason = NULL, field = NULL, next_at = $8, tries_until = NULL,
       replays = least(u.replays + 1, 32000), settled_at = NULL, platform_result = NULL
     FROM (SELECT d.id FROM ${replayed(11)} AND d.id > $10 ORDER BY d.id LIMIT $9 FOR UPDATE OF d) AS one
     WHERE u.organisation_id = $1 AND u.id = one.id RETURNING u.id, u.conversion_id`,
    [...replayedParams(organisationId, choice, now), deliveryLimits.changePieceRows, after, ...agesByKind()],
  );
  await unsettle(sql, organisationId, again);
  return { deliveries: again.length, last: again.reduce((last, { id }) => Math.max(last, id), after) };
}

/** Those that waited for an approval go. */
export async function approve(sql: Sql, organisationId: number, choice: DeliveryChoice, now: number): Promise<number> {
  return sql.run(
    `UPDATE relay_deliveries u SET state = 'waiting', reason = NULL, next_at = $7
     FROM (SELECT d.id FROM relay_deliveries d WHERE ${chosen} AND d.state = 'held' ORDER BY d.id LIMIT $8 FOR UPDATE OF d) AS one
     WHERE u.organisation_id = $1 AND u.id = one.id`,
    [...paramsOf(organisationId, choice), new Date(now), deliveryLimits.changePieceRows],
  );
}

/** Those that wait, or are held, do not go any more. */
export async function cancel(sql: Sql, organisationId: number, choice: DeliveryChoice, now: number): Promise<number> {
  const rows = await sql.query<{ id: number; conversion_id: string }>(
    `SELECT d.id, d.conversion_id FROM relay_deliveries d WHERE ${chosen} AND d.state IN ('held', 'waiting') ORDER BY d.id LIMIT $7 FOR UPDATE OF d`,
    [...paramsOf(organisationId, choice), deliveryLimits.changePieceRows],
  );
  return cancelRows(sql, organisationId, rows, { reason: 'cancelled_by_hand', now });
}

/** Conversions of these have something under way again. */
export async function unsettle(
  sql: Sql,
  organisationId: number,
  rows: readonly { conversion_id: string }[],
): Promise<void> {
  const ids = [...new Set(rows.map(({ conversion_id }) => conversion_id))].sort();
  if (ids.length === 0) return;
  await lockConversions(sql, organisationId, ids);
  await sql.run('UPDATE relay_conversions SET settled_at = NULL WHERE organisation_id = $1 AND id = ANY ($2::uuid[])', [
    organisationId,
    ids,
  ]);
}
