import { textCell } from '../../../contract/cells.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { rowsThrough, type Scratch } from './rows_file.ts';

/**
 * Plausible's ten tables of days (docs of the product, "CSV export"), so that what is measured here can move there, or
 * to another desk of ours. `columns` are header → our column, `numbers` header → our number; both in their order.
 */
interface Table {
  readonly name: string;
  readonly kind: string;
  readonly from: 'visits' | 'pages' | 'custom_events';
  readonly columns: readonly (readonly [header: string, column: string])[];
  readonly numbers: readonly (readonly [header: string, number: string])[];
}

const ofVisits = [
  ['visitors', 'visitors'],
  ['visits', 'visits'],
  ['visit_duration', 'duration'],
  ['bounces', 'bounces'],
  ['pageviews', 'pageviews'],
] as const;

const same = (...names: string[]) => names.map((name) => [name, name] as const);
const table = (kind: string, columns: Table['columns'], more: Partial<Table> = {}): Table => ({
  ...{ name: `imported_${kind}`, kind, from: 'visits', columns, numbers: ofVisits },
  ...more,
});
const renamed = (header: string) =>
  ofVisits.map(([name, number]) => [name === 'visits' ? header : name, number] as const);

export const plausibleTables: readonly Table[] = [
  table('visitors', []),
  table('sources', same('source', 'referrer', 'utm_source', 'utm_campaign', 'utm_medium', 'utm_content', 'utm_term')),
  table(
    'pages',
    [
      ['hostname', 'hostname'],
      ['page', 'pathname'],
    ],
    {
      from: 'pages',
      numbers: [
        ['visits', 'visits'],
        ['visitors', 'visitors'],
        ['pageviews', 'pageviews'],
        ['total_scroll_depth', 'scroll'],
        ['total_scroll_depth_visits', 'scroll_visits'],
        ['total_time_on_page', 'seconds'],
        ['total_time_on_page_visits', 'engaged_visits'],
      ],
    },
  ),
  table('entry_pages', same('entry_page'), { numbers: renamed('entrances') }),
  table('exit_pages', same('exit_page'), { numbers: renamed('exits') }),
  table(
    'custom_events',
    [
      ['name', 'name'],
      ['link_url', 'link_url'],
      ['path', 'link_path'],
    ],
    {
      from: 'custom_events',
      numbers: [
        ['visitors', 'visitors'],
        ['events', 'events'],
      ],
    },
  ),
  table('locations', same('country', 'region')),
  table('devices', same('device')),
  table('browsers', same('browser', 'browser_version')),
  table('operating_systems', [
    ['operating_system', 'os'],
    ['operating_system_version', 'os_version'],
  ]),
];

/** The first line of a table. */
export function headerOf({ columns, numbers }: Table): string {
  return `${['date', ...[...columns, ...numbers].map(([header]) => header)].join(',')}\r\n`;
}

/** A day of a site: its date in the zone of the site, and the instants (ms) where it begins and the next one does. */
export interface SiteDay {
  readonly siteId: number;
  readonly day: string;
  readonly from: number;
  readonly to: number;
  /** Imports of tables of days, whose rows are given too. */
  readonly importIds: readonly number[];
  /** Visitors whose data is restricted: their events are in no list of events. Counts have nobody in them. */
  readonly restricted: readonly string[];
}

/** The lines of one table on one day, in portions. */
export async function* dayLines(
  warehouse: Pick<Warehouse, 'writeFile'>,
  scratch: Scratch,
  table: Table,
  asked: SiteDay,
): AsyncGenerator<{ text: string; rows: number }> {
  const fields = [...table.columns, ...table.numbers];
  for (const statement of statementsOf(table, asked))
    for await (const rows of rowsThrough<Record<string, string>>(warehouse, scratch, statement)) {
      const lines = rows.map(
        (row) => `${[asked.day, ...fields.map(([, column]) => textCell(String(row[column])))].join(',')}\r\n`,
      );
      yield { text: lines.join(''), rows: rows.length };
    }
}

const start = `fromUnixTimestamp64Milli({from:Int64}, 'UTC')`;
const end = `fromUnixTimestamp64Milli({to:Int64}, 'UTC')`;
/** Partitions are days of UTC; a visit that goes into the day began at most one before. */
const visitsOfDay = `v.site_id = {site:UInt64} AND v.day >= toDate(${start}) - 1 AND v.day <= toDate(${end}) AND v.started < ${end} AND v.ended >= ${start}`;
/** Events, as `e`, between two instants in milliseconds. */
export const eventsOfDay = `e.site_id = {site:UInt64} AND e.time >= ${start} AND e.time < ${end}`;
/** Of these, those that a list of events may have. */
export const listedOfDay = `${eventsOfDay} AND NOT (e.stored_id = 1 AND has({restricted:Array(String)}, toString(e.visitor_id)))`;

function statementsOf(table: Table, { siteId, day, from, to, importIds }: SiteDay) {
  const columns = table.columns.map(([, column]) => column);
  const order = columns.length === 0 ? '' : ` ORDER BY ${columns.join(', ')}`;
  const measured = {
    sql: `SELECT * FROM (${measuredSql[table.from](columns)})${order}`,
    params: { site: siteId, from, to },
  };
  if (importIds.length === 0) return [measured];
  const sums = table.numbers.map(([, number]) =>
    number === 'seconds' ? 'intDiv(sum(engagement), 1000) AS seconds' : `sum(d.${number}) AS ${number}`,
  );
  const grouped = columns.length === 0 ? 'HAVING count() > 0' : `GROUP BY ${columns.join(', ')}`;
  const imported = {
    sql: `SELECT ${[...columns, ...sums].join(', ')} FROM imported_days AS d WHERE d.site_id = {site:UInt64} AND d.kind = {kind:String} AND d.import_id IN ({ids:Array(UInt32)}) AND d.day = {day:Date} ${grouped}${order}`,
    params: { site: siteId, kind: table.kind, ids: importIds, day },
  };
  return [measured, imported];
}

const groupBy = (columns: readonly string[]) =>
  columns.length === 0 ? 'HAVING visitors > 0' : `GROUP BY ${columns.join(', ')}`;

/** The same numbers as answers have for that day (src/analytics/query): visitors by presence, visits by their start. */
const measuredSql = {
  visits(columns: readonly string[]): string {
    const own = `v.counted = 1 AND v.started >= ${start}`;
    const seconds =
      'toUInt64(greatest(intDiv(toUnixTimestamp64Milli(v.ended) - toUnixTimestamp64Milli(v.started), 1000), 0))';
    const facts = [
      ...columns.map((column) => `v.${column} AS ${column}`),
      ...['v.visit_id AS visit_id', 'v.visitor_id AS visitor_id', `(${own}) AS own`],
      ...['v.counting <= 1 AS bounced', `${seconds} AS seconds`],
    ];
    const views = `SELECT e.visit_id AS visit_id, countIf(e.name = 'pageview') AS views FROM events AS e WHERE ${eventsOfDay} GROUP BY e.visit_id`;
    return `SELECT ${[
      ...columns.map((column) => `x.${column} AS ${column}`),
      'uniqExact(x.visitor_id) AS visitors',
      'countIf(x.own) AS visits',
      'sumIf(x.seconds, x.own AND NOT x.bounced) AS duration',
      'countIf(x.own AND x.bounced) AS bounces',
      'sum(y.views) AS pageviews',
    ].join(
      ', ',
    )} FROM (SELECT ${facts.join(', ')} FROM visits AS v FINAL WHERE ${visitsOfDay}) AS x LEFT JOIN (${views}) AS y ON x.visit_id = y.visit_id ${groupBy(columns)}`;
  },

  pages(columns: readonly string[]): string {
    const keys = columns.map((column) => `e.${column} AS ${column}`).join(', ');
    // Depth and attention come in several beacons of a visit: the deepest counts, the milliseconds add up.
    const perVisit = `SELECT ${keys}, e.visit_id AS visit_id, e.visitor_id AS visitor_id, any(e.detached) = 0 AND any(e.visit_start) >= ${start} AS own, countIf(e.name = 'pageview') AS views, countIf(e.name = 'engagement') > 0 AS engaged, maxIf(e.scroll_depth, e.name = 'engagement' AND e.scroll_depth <= 100) AS depth, countIf(e.name = 'engagement' AND e.scroll_depth <= 100) > 0 AS scrolled, sumIf(e.engagement_ms, e.name = 'engagement') AS attention FROM events AS e WHERE ${eventsOfDay} GROUP BY ${columns.map((column) => `e.${column}`).join(', ')}, e.visit_id, e.visitor_id`;
    return `SELECT ${columns.join(', ')}, uniqExactIf(visit_id, own) AS visits, uniqExact(visitor_id) AS visitors, sum(views) AS pageviews, sumIf(depth, scrolled) AS scroll, countIf(scrolled) AS scroll_visits, intDiv(sum(attention), 1000) AS seconds, countIf(engaged) AS engaged_visits FROM (${perVisit}) GROUP BY ${columns.join(', ')}`;
  },

  custom_events(columns: readonly string[]): string {
    // Plausible has an address and a path for the events that its own scripts send, and no other property.
    const links = `e.name IN ('Outbound Link: Click', 'Cloaked Link: Click', 'File Download')`;
    const paths = `e.name = '404' OR startsWith(e.name, 'WP ')`;
    return `SELECT toString(e.name) AS name, if(${links}, e.props['url'], '') AS link_url, if(${paths}, e.props['path'], '') AS link_path, uniqExact(e.visitor_id) AS visitors, count() AS events FROM events AS e WHERE ${eventsOfDay} AND e.name NOT IN ('pageview', 'engagement') GROUP BY ${columns.join(', ')}`;
  },
} as const;
