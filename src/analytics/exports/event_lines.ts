import type { Warehouse } from '../../platform/warehouse/index.ts';
import { eventsOfDay, type SiteDay } from './plausible_tables.ts';

/** Rows that are held at once. */
const rowsAtOnce = 10_000;
/** A slice of a day that is put in order at once. */
const sliceMs = 3_600_000;

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
  warehouse: Pick<Warehouse, 'read'>,
  { siteId, from, to }: Pick<SiteDay, 'siteId' | 'from' | 'to'>,
): AsyncGenerator<{ text: string; rows: number }> {
  for (let at = from; at < to; at += sliceMs)
    for (let offset = 0; ; offset += rowsAtOnce) {
      const rows = await warehouse.read<Row>(
        sql,
        { site: siteId, from: at, to: Math.min(at + sliceMs, to), limit: rowsAtOnce, offset },
        { purpose: 'export', seconds: 120 },
      );
      if (rows.length > 0) yield { text: rows.map(lineOf).join(''), rows: rows.length };
      if (rows.length < rowsAtOnce) break;
    }
}

/** Ids put rows of one millisecond into an order that the next portion has too. */
const sql = `SELECT ${[
  'toString(e.time) AS at',
  ...texts.map((name) => `e.${name} AS ${name}`),
  ...['hostname', 'pathname', 'props', 'interactive', 'scroll_depth', 'engagement_ms', 'revenue_currency'].map(
    (name) => `e.${name} AS ${name}`,
  ),
  'toString(e.revenue_amount) AS revenue_amount',
].join(
  ', ',
)} FROM events AS e WHERE ${eventsOfDay} ORDER BY e.time, e.visitor_id, e.visit_id, e.name, e.pathname, e.title, toString(e.props) LIMIT {limit:UInt32} OFFSET {offset:UInt64}`;

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
