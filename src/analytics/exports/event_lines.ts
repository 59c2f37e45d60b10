import type { Warehouse } from '../../platform/warehouse/index.ts';
import { listedOfDay, type SiteDay } from './plausible_tables.ts';
import { rowsThrough, type Scratch } from './rows_file.ts';

/** Events that one statement puts in order, at about 1 kB of memory each; a day with more is taken in slices. */
const eventsAtOnce = 150_000;
/** A day of more than 14 million events has larger slices. */
const slicesMax = 96;

/** What an event says beside `url`, `props` and `revenue`, by our own names; an empty text is left out. */
const texts = [
  ...['name', 'referrer', 'title', 'screen', 'source', 'channel', 'utm_source', 'utm_medium', 'utm_campaign'],
  ...['utm_term', 'utm_content', 'click_id', 'entry_page', 'browser', 'browser_version', 'os', 'os_version'],
  ...['device', 'country', 'region', 'city'],
] as const;
type Text = (typeof texts)[number];

type Row = { [Name in Text]: string } & {
  at: string;
  hostname: string;
  pathname: string;
  props: { [name: string]: string };
  revenue_amount: string;
  revenue_currency: string;
  interactive: number;
  scroll_depth: number;
  engagement_ms: number;
};

/**
 * The events of a day, one line of JSON each, in the order of time and by the names that `import events` takes.
 *
 * No id is among them, of a visitor, a visit, an order or an event, and no address, contact or coordinate: a line says
 * what the dashboard can show of an event. Ids of visitors would tell which events of a day one person made, which
 * nobody can see in the dashboard.
 */
export async function* eventLines(
  warehouse: Pick<Warehouse, 'read' | 'writeFile'>,
  scratch: Scratch,
  day: SiteDay,
): AsyncGenerator<{ text: string; rows: number }> {
  for (const { from, to, events } of await slicesOf(warehouse, day)) {
    if (events === 0) continue;
    for await (const rows of rowsThrough<Row>(warehouse, scratch, {
      sql,
      params: { site: day.siteId, from, to, restricted: day.restricted },
    }))
      yield { text: rows.map(lineOf).join(''), rows: rows.length };
  }
}

/** The events of a day as Parquet, with the columns of `eventLines`: one file or several, each held in memory. */
export async function* eventParquet(
  warehouse: Pick<Warehouse, 'read' | 'parquet'>,
  day: SiteDay,
): AsyncGenerator<{ file: string; bytes: Buffer; rows: number }> {
  const slices = await slicesOf(warehouse, day);
  for (const [at, { from, to, events }] of slices.entries()) {
    if (events === 0) continue;
    const part = slices.length === 1 ? '' : `_${String(at + 1).padStart(2, '0')}`;
    const file = `events_${day.day.replaceAll('-', '')}${part}.parquet`;
    const bytes = await warehouse.parquet(parquetSql, { site: day.siteId, from, to, restricted: day.restricted });
    yield { file, bytes, rows: events };
  }
}

/** A day, or equal parts of it where it has many events: each is sorted in memory. */
async function slicesOf(
  warehouse: Pick<Warehouse, 'read'>,
  { siteId, from, to, restricted }: SiteDay,
): Promise<{ from: number; to: number; events: number }[]> {
  const count = async (from: number, to: number) => {
    const [row] = await warehouse.read<{ events: string }>(
      `SELECT count() AS events FROM events AS e WHERE ${listedOfDay}`,
      { site: siteId, from, to, restricted },
      { purpose: 'export', seconds: 120 },
    );
    return Number(row?.events ?? 0);
  };
  const events = await count(from, to);
  if (events <= eventsAtOnce) return [{ from, to, events }];
  const parts = Math.min(slicesMax, Math.ceil(events / eventsAtOnce));
  const slices: { from: number; to: number; events: number }[] = [];
  for (let part = 0; part < parts; part++) {
    const begin = from + Math.floor(((to - from) * part) / parts);
    const end = from + Math.floor(((to - from) * (part + 1)) / parts);
    slices.push({ from: begin, to: end, events: await count(begin, end) });
  }
  return slices;
}

const order = 'ORDER BY e.time, e.visitor_id, e.visit_id, e.name, e.pathname, e.title, toString(e.props)';

const sql = `SELECT ${[
  'toString(e.time) AS at',
  ...texts.map((name) => `e.${name} AS ${name}`),
  ...['hostname', 'pathname', 'props', 'interactive', 'scroll_depth', 'engagement_ms', 'revenue_currency'].map(
    (name) => `e.${name} AS ${name}`,
  ),
  'toString(e.revenue_amount) AS revenue_amount',
].join(', ')} FROM events AS e WHERE ${listedOfDay} ${order}`;

/** The members of a line as columns: what a line leaves out is null. */
const parquetSql = `SELECT ${[
  'e.time AS time',
  'toString(e.name) AS name',
  `concat('https://', e.hostname, e.pathname) AS url`,
  ...texts
    .filter((name) => name !== 'name')
    .map((name) =>
      name === 'referrer'
        ? `if(e.referrer = '', NULL, concat('https://', e.referrer)) AS referrer`
        : `nullIf(toString(e.${name}), '') AS ${name}`,
    ),
  // Readers of Parquet know texts as keys, not the engine's dictionaries.
  "CAST(e.props, 'Map(String, String)') AS props",
  `if(e.revenue_currency = '', NULL, e.revenue_amount) AS revenue_amount`,
  `nullIf(toString(e.revenue_currency), '') AS revenue_currency`,
  `if(e.name = 'engagement', e.engagement_ms, NULL) AS engagement_ms`,
  `if(e.name = 'engagement' AND e.scroll_depth <= 100, e.scroll_depth, NULL) AS scroll_depth`,
  `if(e.name != 'engagement' AND e.interactive = 0, false, NULL) AS interactive`,
].join(', ')} FROM events AS e WHERE ${listedOfDay} ${order}`;

function lineOf(row: Row): string {
  const line: { [name: string]: unknown } = {
    time: `${row.at.replace(' ', 'T')}Z`,
    name: row.name,
    url: `https://${row.hostname}${row.pathname}`,
  };
  for (const name of texts)
    if (row[name] !== '') line[name] = name === 'referrer' ? `https://${row.referrer}` : row[name];
  if (Object.keys(row.props).length > 0) line.props = row.props;
  // As text: a number would lose the last digits of large amounts.
  if (row.revenue_currency !== '') line.revenue = { amount: row.revenue_amount, currency: row.revenue_currency };
  if (row.name === 'engagement') {
    line.engagement_ms = row.engagement_ms;
    if (row.scroll_depth <= 100) line.scroll_depth = row.scroll_depth;
  } else if (row.interactive === 0) line.interactive = false;
  return `${JSON.stringify(line)}\n`;
}
