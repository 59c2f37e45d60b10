import { crashPoint } from '../../platform/crash_point.ts';
import { inDialect, type Warehouse } from '../../platform/warehouse/index.ts';
import { historySeconds, isoDay } from './days.ts';
import { actionsOnly, eventDimensions, frozenDimensions, valuesPerDayMax, visitDimensions } from './recipe.ts';

export interface FrozenCounts {
  day: number;
  arrivals: number;
  pieces: number[];
  leftOut: string[];
}

/**
 * Counts some days of one site into `daily`, and says what was found. Whatever these days had there before is deleted
 * first, so that a build which was killed at any point leaves nothing that the next one would add to.
 *
 * The numbers are those that the query engine counts live (src/analytics/query/sql.ts), by the same definitions:
 * visitors are the distinct ids with an event in the piece; visits, bounces and seconds belong to the visits that began
 * in it; page views, events and attention to the time of the event.
 */
export async function freeze(
  warehouse: Warehouse,
  build: {
    siteId: number;
    timezone: string;
    version: number;
    days: readonly { day: number; arrivals: number }[];
  },
): Promise<FrozenCounts[]> {
  const { siteId, timezone, version } = build;
  const scope = { site: siteId, days: build.days.map(({ day }) => isoDay(day)) };
  const [left] = await warehouse.read<{ rows: string }>(
    'SELECT count() AS rows FROM daily WHERE site_id = {site:UInt64} AND id_day IN {days:Array(Date)}',
    scope,
    { purpose: 'history', seconds: historySeconds },
  );
  if (Number(left?.rows) > 0)
    for (const statement of inDialect(
      'DELETE FROM {{table:daily}} WHERE site_id = {site:UInt64} AND id_day IN {days:Array(Date)}',
      warehouse.cluster,
    ))
      await warehouse.command(statement, scope, { background: true, purpose: 'freeze' });

  crashPoint('freeze.deleted');
  const last = Math.max(...build.days.map(({ day }) => day));
  const first = Math.min(...build.days.map(({ day }) => day));
  for (const [kind, sql] of [
    ['visits', visitsSql],
    ['events', eventsSql],
  ] as const) {
    if (kind === 'events') crashPoint('freeze.half');
    await warehouse.command(
      sql,
      {
        ...scope,
        zone: timezone,
        // Ids of a day are used for ten minutes after its end, so this cuts off what is certainly later.
        before: isoDay(last + 2),
        values_max: valuesPerDayMax,
        token: `freeze:${kind}:${siteId}:${first}:${version}`,
      },
      { background: true, purpose: 'freeze' },
    );
  }
  crashPoint('freeze.counted');

  const rows = await warehouse.read<{ day: number; pieces: number[]; dimensions: string[] }>(
    `SELECT toUInt16(id_day) AS day,
       arraySort(groupArrayIf(toUInt16(local_day), dimension = '' AND local_day != toDate(0))) AS pieces,
       groupUniqArray(toString(dimension)) AS dimensions
     FROM daily WHERE site_id = {site:UInt64} AND id_day IN {days:Array(Date)} GROUP BY id_day`,
    scope,
    { purpose: 'history', seconds: historySeconds },
  );
  const found = new Map(rows.map((row) => [row.day, row]));
  return build.days.map(({ day, arrivals }) => {
    const row = found.get(day);
    // A day whose events have all been erased has no rows, which is the right answer for every dimension.
    if (row === undefined) return { day, arrivals, pieces: [], leftOut: [] };
    const leftOut = frozenDimensions.filter((dimension) => !row.dimensions.includes(dimension));
    return { day, arrivals, pieces: row.pieces, leftOut };
  });
}

const columns = `site_id, id_day, local_day, dimension, value, visitors, visits, bounces, duration_s,
    pageviews, events, engagement_ms, engaged_visits, scroll_sum, scroll_visits`;

/** A dimension with too many values in a day is left out of that day whole. */
const fewEnough = `countIf(local_day = toDate(0)) OVER (PARTITION BY id_day, dimension) <= {values_max:UInt32}`;

const eventsScope = `site_id = {site:UInt64} AND id_day IN {days:Array(Date)} AND time < toDateTime64({before:String}, 3, 'UTC')`;

/** What the visit itself has to say: did it bounce, how long was it, on which local date did it begin. */
const ownNumbers = `counted = 1 AS is_counted, counting <= 1 AS bounced,
        intDiv(toUnixTimestamp64Milli(ended) - toUnixTimestamp64Milli(started), 1000) AS seconds,
        toDate(started, {zone:String}) AS began`;
const visitsScope = `site_id = {site:UInt64} AND id_day IN {days:Array(Date)} AND day < toDate({before:String})`;

/** A visit has its first event in exactly one piece, so this counts it once in that piece and once in the whole day. */
const own = 'is_counted AND began = piece';

/** Columns c0…cN; a row of a grouping set has the others at '', so joining them all gives the one that it has. */
const visitColumns = Object.values(visitDimensions);
const numbered = visitColumns.map((_, at) => `c${at}`);

/**
 * Totals and the dimensions of visits. Events are first added up per visit and piece, which is nearly one row a visit;
 * the sets without `piece` are the whole days, where its empty value is the date 1970-01-01, the mark of `daily`.
 */
const visitsSql = `
INSERT INTO daily (${columns})
SELECT {site:UInt64}, id_day, local_day, dimension, value, visitors, visits, bounces, duration_s,
    pageviews, events, engagement_ms, 0, 0, 0
FROM
(
    SELECT *, ${fewEnough} AS few
    FROM
    (
        SELECT id_day, piece AS local_day,
            multiIf(${Object.keys(visitDimensions)
              .map((name, at) => `grouping(c${at}) = 0, '${name}'`)
              .join(', ')}, '') AS dimension,
            concat(${numbered.join(', ')}) AS value,
            uniqExact(visitor_id) AS visitors,
            countIf(${own}) AS visits,
            countIf(${own} AND bounced) AS bounces,
            sumIf(seconds, ${own} AND NOT bounced) AS duration_s,
            sum(viewed) AS pageviews, sum(did) AS events, sum(attended) AS engagement_ms
        FROM
        (
            SELECT id_day, visit_id, visitor_id, toDate(time, {zone:String}) AS piece,
                countIf(name = 'pageview') AS viewed, countIf(name != 'engagement') AS did, sum(engagement_ms) AS attended
            FROM events WHERE ${eventsScope}
            GROUP BY id_day, visit_id, visitor_id, piece
        ) AS e
        INNER JOIN
        (
            SELECT visit_id, ${ownNumbers}, ${visitColumns.map((column, at) => `toString(${column}) AS c${at}`).join(', ')}
            FROM visits FINAL WHERE ${visitsScope}
        ) AS v USING (visit_id)
        GROUP BY GROUPING SETS (${[[], ...numbered.map((column) => [column])]
          .flatMap((set) => [
            ['id_day', ...set],
            ['id_day', 'piece', ...set],
          ])
          .map((set) => `(${set.join(', ')})`)
          .join(', ')})
    )
)
WHERE few
SETTINGS insert_deduplication_token = {token:String}`;

/** The dimensions of events: a visit counts once for each value that its events had, in the piece where it began. */
const eventsSql = `
INSERT INTO daily (${columns})
SELECT {site:UInt64}, id_day, local_day, dimension, value, visitors, visits, bounces, duration_s,
    pageviews, events, engagement_ms, engaged_visits, scroll_sum, scroll_visits
FROM
(
    SELECT *, ${fewEnough} AS few
    FROM
    (
        SELECT id_day, local_day, dimension, value,
            uniqExact(visitor_id) AS visitors,
            countIf(is_own) AS visits,
            countIf(is_own AND bounced) AS bounces,
            sumIf(seconds, is_own AND NOT bounced) AS duration_s,
            sum(viewed) AS pageviews, sum(did) AS events, sum(attended) AS engagement_ms,
            countIf(beacons > 0) AS engaged_visits, sumIf(depth, scrolled) AS scroll_sum, countIf(scrolled) AS scroll_visits
        FROM
        (
            SELECT id_day, local_day, dimension, value, visitor_id, viewed, did, attended, beacons, depth, scrolled,
                is_counted AND (local_day = toDate(0) OR began = local_day) AS is_own, bounced, seconds
            FROM
            (
                SELECT id_day, piece AS local_day, item.1 AS dimension, item.2 AS value, visit_id, visitor_id,
                    countIf(name = 'pageview') AS viewed, countIf(name != 'engagement') AS did, sum(engagement_ms) AS attended,
                    countIf(name = 'engagement') AS beacons,
                    maxIf(scroll_depth, name = 'engagement' AND scroll_depth <= 100) AS depth,
                    countIf(name = 'engagement' AND scroll_depth <= 100) > 0 AS scrolled
                FROM
                (
                    SELECT id_day, visit_id, visitor_id, toDate(time, {zone:String}) AS piece, name, engagement_ms, scroll_depth,
                        arrayJoin([${Object.entries(eventDimensions)
                          .map(([name, column]) => `('${name}', toString(${column}))`)
                          .join(', ')}]) AS item
                    FROM events WHERE ${eventsScope}
                )
                WHERE NOT (name = 'engagement' AND dimension IN (${actionsOnly.map((name) => `'${name}'`).join(', ')}))
                GROUP BY GROUPING SETS ((id_day, dimension, value, visit_id, visitor_id),
                    (id_day, piece, dimension, value, visit_id, visitor_id))
            ) AS e
            INNER JOIN (SELECT visit_id, ${ownNumbers} FROM visits FINAL WHERE ${visitsScope}) AS v USING (visit_id)
        )
        GROUP BY id_day, local_day, dimension, value
    )
)
WHERE few
SETTINGS insert_deduplication_token = {token:String}`;
