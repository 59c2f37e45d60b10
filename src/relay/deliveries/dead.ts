import type { z } from 'zod';
import { type DeadLetters, deadLetterGroupsMax, type deadLettersQuestion } from '../../../contract/deliveries.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { destinationOf } from '../destinations/index.ts';
import { agesByKind, tooOld } from './ages.ts';
import { chosen, paramsOf } from './replays.ts';

interface GroupRow {
  destination_id: number;
  reason: string | null;
  field: string | null;
  deliveries: number;
  too_old: number;
  first_at: Date;
  last_at: Date;
  oldest_occurred_at: Date;
}

const dayMs = 86_400_000;
/** Ages are told by a purchase of a website, which has the shorter one where a platform knows two. */
const sample = { event_name: 'purchase', occurred_at: '' };

/** What was set aside, by reason and destination, the largest groups first. @param now milliseconds since 1970 */
export async function deadLettersOf(
  sql: Sql,
  organisationId: number,
  asked: z.infer<typeof deadLettersQuestion>,
  now: number,
): Promise<DeadLetters> {
  // A destination that was removed has no kind: what was to go there, or by a route that was removed, goes nowhere, however old it is.
  const rows = await sql.query<GroupRow>(
    `SELECT destination_id, reason, CASE WHEN count(DISTINCT coalesce(field, '')) = 1 THEN min(field) END AS field,
       count(*)::int AS deliveries, (count(*) FILTER (WHERE is_old))::int AS too_old,
       min(created_at) AS first_at, max(created_at) AS last_at, min(occurred_at) AS oldest_occurred_at
     FROM (SELECT d.destination_id, d.reason, d.field, d.created_at, c.occurred_at,
             o.id IS NULL OR r.id IS NULL OR ${tooOld({ now: 7, ages: 8 })} AS is_old
           FROM relay_deliveries d
             JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
             LEFT JOIN relay_destinations o ON o.id = d.destination_id
             LEFT JOIN relay_routes r ON r.id = d.route_id
           WHERE ${chosen} AND d.state = 'dead') AS one
     GROUP BY destination_id, reason ORDER BY deliveries DESC, destination_id, reason`,
    [...paramsOf(organisationId, asked), new Date(now), ...agesByKind()],
  );
  const destinations = await sql.query<{ id: number; name: string; kind: string }>(
    'SELECT id, name, kind FROM relay_destinations ORDER BY name, id',
  );
  const sum = (name: 'deliveries' | 'too_old') => rows.reduce((total, row) => total + row[name], 0);
  return {
    deliveries: sum('deliveries'),
    too_old: sum('too_old'),
    groups: rows.slice(0, deadLetterGroupsMax).map((row) => ({
      ...row,
      first_at: row.first_at.toISOString(),
      last_at: row.last_at.toISOString(),
      oldest_occurred_at: row.oldest_occurred_at.toISOString(),
    })),
    left_off: Math.max(0, rows.length - deadLetterGroupsMax),
    destinations: destinations.map(({ id, name, kind }) => {
      const known = destinationOf(kind);
      const ageMs = known?.ageMsMax?.(sample);
      return {
        ...{ id, name, label: known?.label ?? kind },
        age_days_max: ageMs === undefined ? null : Math.floor(ageMs / dayMs),
      };
    }),
  };
}
