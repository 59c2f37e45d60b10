import { crashPoint } from '../../platform/crash_point.ts';
import { inDialect, type Warehouse } from '../../platform/warehouse/index.ts';
import { isoDay } from '../../platform/zone.ts';
import { type Binder, openBinder } from '../query/binder.ts';
import { goalCondition } from '../query/condition.ts';
import { historySeconds } from './read_limit.ts';
import {
  actionsOnly,
  eventDimensions,
  frozenDimensions,
  type GoalRule,
  goalDimension,
  goalKey,
  revenueDimensions,
  valuesPerDayMax,
  visitDimensions,
} from './recipe.ts';

export interface FrozenCounts {
  day: number;
  arrivals: number;
  pieces: number[];
  leftOut: string[];
  /** Keys of the goals that were counted. */
  goals: string[];
}

/** Some days of one site, and under which version of the register they are counted. */
interface Build {
  siteId: number;
  timezone: string;
  version: number;
  days: readonly { day: number; arrivals: number }[];
  goals: readonly GoalRule[];
}

/**
 * Counts some days of one site into `daily`, and says what was found. Whatever these days had there before is deleted
 * first, so that a build which was killed at any point leaves nothing that the next one would add to.
 *
 * The numbers are those that the query engine counts live (src/analytics/query/sql.ts), by the same definitions:
 * visitors are the distinct ids with an event in the piece; visits, bounces and seconds belong to the visits that began
 * in it; page views, events and attention to the time of the event.
 */
export async function freeze(warehouse: Warehouse, build: Build): Promise<FrozenCounts[]> {
  const scope = scopeOf(build);
  await clear(warehouse, 'site_id = {site:UInt64} AND id_day IN {days:Array(Date)}', scope);
  crashPoint('freeze.deleted');
  await count(warehouse, build, 'visits', () => visitsSql);
  crashPoint('freeze.half');
  await count(warehouse, build, 'events', () => eventsSql(eventItems, ''));
  await countGoals(warehouse, build);
  await count(warehouse, build, 'revenue', () => revenueSql(revenueItems));
  crashPoint('freeze.counted');

  const rows = await warehouse.read<{ day: number; pieces: number[]; dimensions: string[] }>(
    `SELECT toUInt16(id_day) AS day,
       arraySort(groupUniqArrayIf(toUInt16(local_day), dimension = '' AND local_day != toDate(0))) AS pieces,
       groupUniqArrayIf(toString(dimension), visitors > 0) AS dimensions
     FROM daily WHERE site_id = {site:UInt64} AND id_day IN {days:Array(Date)} GROUP BY id_day`,
    scope,
    { purpose: 'history', seconds: historySeconds },
  );
  const found = new Map(rows.map((row) => [row.day, row]));
  const goals = build.goals.map(goalKey);
  return build.days.map(({ day, arrivals }) => {
    const row = found.get(day);
    // A day whose events have all been erased has no rows, which is the right answer for every dimension.
    if (row === undefined) return { day, arrivals, pieces: [], leftOut: [], goals };
    const leftOut = frozenDimensions.filter((dimension) => !row.dimensions.includes(dimension));
    return { day, arrivals, pieces: row.pieces, leftOut, goals };
  });
}

/**
 * Counts goals into days that are frozen already, beside what they have there. No reader takes these rows before the
 * register names the goals, so what a killed build left behind can be deleted under their eyes.
 */
export async function freezeGoals(warehouse: Warehouse, build: Build): Promise<void> {
  const scope = { ...scopeOf(build), goal: goalDimension, keys: build.goals.map(goalKey) };
  await clear(
    warehouse,
    `site_id = {site:UInt64} AND id_day IN {days:Array(Date)} AND dimension = {goal:String} AND value IN {keys:Array(String)}`,
    scope,
  );
  await countGoals(warehouse, build);
}

async function countGoals(warehouse: Warehouse, build: Build): Promise<void> {
  if (build.goals.length === 0) return;
  const [sets, any] = [
    (binder: Binder) => goalItems(build.goals, binder),
    (binder: Binder) => anyGoal(build.goals, binder),
  ];
  await count(warehouse, build, 'goals', (binder) => eventsSql(sets(binder), ` AND ${any(binder)}`));
  await count(warehouse, build, 'goal-revenue', (binder) => revenueSql(sets(binder)));
}

function scopeOf({ siteId, days }: Build) {
  return { site: siteId, days: days.map(({ day }) => isoDay(day)) };
}

async function clear(warehouse: Warehouse, where: string, scope: Record<string, unknown>): Promise<void> {
  const [left] = await warehouse.read<{ rows: string }>(`SELECT count() AS rows FROM daily WHERE ${where}`, scope, {
    purpose: 'history',
    seconds: historySeconds,
  });
  if (Number(left?.rows) === 0) return;
  for (const statement of inDialect(`DELETE FROM {{table:daily}} WHERE ${where}`, warehouse.cluster))
    await warehouse.command(statement, scope, { background: true, purpose: 'freeze' });
}

async function count(warehouse: Warehouse, build: Build, kind: string, sqlOf: (binder: Binder) => string) {
  const binder = openBinder();
  const sql = sqlOf(binder);
  const numbers = build.days.map(({ day }) => day);
  await warehouse.command(
    sql,
    {
      ...scopeOf(build),
      ...binder.paramsOf(sql),
      zone: build.timezone,
      // Ids of a day are used for ten minutes after its end, so this cuts off what is certainly later.
      before: isoDay(Math.max(...numbers) + 2),
      ...(sql.includes('{values_max:') ? { values_max: valuesPerDayMax } : {}),
      token: `freeze:${kind}:${build.siteId}:${Math.min(...numbers)}:${build.version}`,
    },
    { background: true, purpose: 'freeze' },
  );
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

const itemsOf = (dimensions: Readonly<Record<string, string>>) =>
  Object.entries(dimensions).map(([name, column]) => `('${name}', toString(e.${column}))`);
const eventItems = `[${itemsOf(eventDimensions).join(', ')}]`;
const revenueItems = `[('', ''), ${itemsOf(revenueDimensions).join(', ')}]`;

/** The goals that an event is a conversion of. */
function goalItems(goals: readonly GoalRule[], binder: Binder): string {
  const hits = goals.map((goal) => `if(${goalCondition(goal, binder)}, ${binder.bind('String', goalKey(goal))}, '')`);
  return `arrayMap(key -> ('${goalDimension}', key), arrayFilter(key -> key != '', [${hits.join(', ')}]))`;
}

function anyGoal(goals: readonly GoalRule[], binder: Binder): string {
  return `(${goals.map((goal) => goalCondition(goal, binder)).join(' OR ')})`;
}

/**
 * The dimensions of events: a visit counts once for each value that its events had, in the piece where it began.
 * @param items names and values that one event counts for, as SQL of an array of pairs
 */
const eventsSql = (items: string, where: string) => `
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
                        arrayJoin(${items}) AS item
                    FROM events AS e WHERE ${eventsScope}${where}
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

/** Revenue of the same dimensions, and of the totals: few events carry any, so this reads one column and little else. */
const revenueSql = (items: string) => `
INSERT INTO daily (site_id, id_day, local_day, dimension, value, currency, revenue, revenue_events)
SELECT {site:UInt64}, id_day, local_day, item.1 AS dimension, item.2 AS value, currency, sum(amount), count()
FROM
(
    SELECT id_day, arrayJoin([toDate(0), toDate(time, {zone:String})]) AS local_day, arrayJoin(${items}) AS item, name,
        revenue_currency AS currency, revenue_amount AS amount
    FROM events AS e WHERE ${eventsScope} AND revenue_amount != 0
)
WHERE NOT (name = 'engagement' AND item.1 IN (${actionsOnly.map((name) => `'${name}'`).join(', ')}))
GROUP BY id_day, local_day, dimension, value, currency
SETTINGS insert_deduplication_token = {token:String}`;
