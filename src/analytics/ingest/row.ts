import { type BotRow, type EventRow, warehouseDate, warehouseTime } from '../event_row.ts';
import type { Agent } from './agent.ts';
import type { Channel } from './channel.ts';
import type { Place } from './place.ts';
import type { Source } from './source.ts';

/**
 * The text of a row: a JSON array in the order of `eventColumns`, built by hand. As an object a row has 900 bytes instead
 * of 460 and costs the engine a fifth more to take in (docs/decisions/2026-11-27-spool.md). `JSON.stringify` of the 44
 * members takes 3.4 µs, this 0.8 µs, because what a visit's rows have in common is quoted once per visit.
 */

const quote = JSON.stringify as (text: string) => string;

/** The stored columns that make each of the four texts. */
export const textColumns = {
  origin: [
    'referrer',
    'source',
    'utm_source',
    'utm_medium',
    'utm_campaign',
    'utm_term',
    'utm_content',
    'click_id',
    'channel',
  ],
  agent: ['browser', 'browser_version', 'os', 'os_version', 'device', 'screen'],
  place: ['country', 'region', 'city', 'latitude', 'longitude'],
  entry: ['entry_hostname', 'entry_page'],
} as const satisfies Record<string, readonly (keyof EventRow)[]>;

/**
 * What stands where in a line of the lane `events`. Segments outlive a change of version, so a new column goes to the
 * end: the warehouse gives rows that end before it the column's default.
 */
export const eventColumns = [
  ...['site_id', 'time', 'name', 'visitor_id', 'visit_id', 'id_day', 'visit_start', 'detached'],
  ...['hostname', 'pathname', 'title'],
  ...textColumns.origin,
  ...textColumns.entry,
  ...textColumns.agent,
  ...textColumns.place,
  ...['props', 'revenue_amount', 'revenue_currency', 'order_id', 'interactive', 'scroll_depth', 'engagement_ms'],
  ...['import_id', 'event_key', 'contact', 'received', 'stored_id', 'consent'],
] as readonly (keyof EventRow)[];

/** What the first event of a visit says about where it came from: values of the row, without brackets. */
export function originText(source: Source, channel: Channel): string {
  return (
    `${quote(source.referrer)},${quote(source.source)},${quote(source.utm_source)},${quote(source.utm_medium)},` +
    `${quote(source.utm_campaign)},${quote(source.utm_term)},${quote(source.utm_content)},` +
    `${quote(source.click_id)},${quote(channel)}`
  );
}

export function agentText(agent: Agent, screen: string): string {
  return (
    `${quote(agent.browser)},${quote(agent.browser_version)},${quote(agent.os)},${quote(agent.os_version)},` +
    `${quote(agent.device)},${quote(screen)}`
  );
}

export function placeText(place: Place | undefined): string {
  if (place === undefined) return '"","","",0,0';
  return `${quote(place.country)},${quote(place.region)},${quote(place.city)},${place.latitude},${place.longitude}`;
}

export function entryText(hostname: string, pathname: string): string {
  return `${quote(hostname)},${quote(pathname)}`;
}
/** Before the visit's first page view. */
export const noEntryText = entryText('', '');

/** What varies from event to event; the members that end in `Text` are ready JSON, separated by commas where they are several. */
export type RowParts = {
  siteId: number;
  timeMs: number;
  name: string;
  visitorId: string;
  visitId: string;
  idDay: number;
  visitStartMs: number;
  detached: 0 | 1;
  hostname: string;
  pathname: string;
  title: string;
  originText: string;
  entryText: string;
  agentText: string;
  placeText: string;
  propsText: string;
  revenueAmount: string;
  revenueCurrency: string;
  orderId: string;
  interactive: 0 | 1;
  scrollDepth: number;
  engagementMs: number;
  importId: number;
  eventKey: string;
  /** Sealed; '' = none. */
  contact: string;
  /** Set for a late event with an id. */
  receivedMs: number | undefined;
  storedId: 0 | 1;
  /** What the visitor allowed, in the signs of trust/consent; '' = not known. */
  consent: string;
};

/** One line of the lane `events`: an `EventRow` as an array, without a line break. */
export function eventLine(row: RowParts): string {
  return (
    `[${row.siteId},"${timeText(row.timeMs)}",${quote(row.name)},"${row.visitorId}","${row.visitId}",` +
    `"${dayText(row.idDay)}","${timeText(row.visitStartMs)}",${row.detached},` +
    `${quote(row.hostname)},${quote(row.pathname)},${row.title === '' ? '""' : quote(row.title)},` +
    `${row.originText},${row.entryText},${row.agentText},${row.placeText},${row.propsText},` +
    `"${row.revenueAmount}","${row.revenueCurrency}",${row.orderId === '' ? '""' : quote(row.orderId)},` +
    `${row.interactive},${row.scrollDepth},${row.engagementMs},${row.importId},"${row.eventKey}","${row.contact}",` +
    `${row.receivedMs === undefined ? '0' : `"${timeText(row.receivedMs).slice(0, 19)}"`},${row.storedId},"${row.consent}"]`
  );
}

/** A line of the lane `events`, read back. @throws SyntaxError for what is none */
export function readEventLine(line: string): EventRow {
  const values: unknown = JSON.parse(line);
  if (!Array.isArray(values) || values.length < columnsMin) throw new SyntaxError('This is no line of an event.');
  return Object.fromEntries(eventColumns.map((column, at) => [column, values[at]])) as unknown as EventRow;
}
/** What the first version wrote. */
const columnsMin = 44;

/** One line of the lane `bots`. */
export function botLine(row: Omit<BotRow, 'time'> & { timeMs: number }): string {
  const { timeMs, ...rest } = row;
  return JSON.stringify({ ...rest, time: timeText(timeMs) });
}

export type TextKind = keyof typeof textColumns;
type TextColumns<Kind extends TextKind> = Pick<EventRow, (typeof textColumns)[Kind][number]>;

/** The same four texts from stored columns, for a restart. */
export const storedText: { readonly [Kind in TextKind]: (row: TextColumns<Kind>) => string } = {
  origin: (row) => originText(row as unknown as Source, row.channel as Channel),
  agent: (row) => agentText(row as unknown as Agent, row.screen),
  // The warehouse gives decimals as text.
  place: (row) => placeText({ ...row, latitude: Number(row.latitude), longitude: Number(row.longitude) }),
  entry: (row) => entryText(row.entry_hostname, row.entry_page),
};

/**
 * 'YYYY-MM-DD hh:mm:ss.mmm'. The part up to the minute is made once per minute: an event's time and the start of its
 * visit lie in the last half hour nearly always, so 64 remembered minutes answer all of them (70 ns against 500).
 */
export function timeText(ms: number): string {
  const minute = Math.floor(ms / 60_000);
  const at = minute & 63;
  if (minutes[at] !== minute) {
    minutes[at] = minute;
    minuteTexts[at] = warehouseTime(minute * 60_000).slice(0, 17);
  }
  const rest = ms - minute * 60_000;
  const second = Math.floor(rest / 1000);
  return `${minuteTexts[at]}${secondTexts[second]}${milliTexts[Math.floor(rest - second * 1000)]}`;
}
const minutes = new Float64Array(64).fill(Number.NaN);
const minuteTexts: string[] = new Array(64).fill('');
const secondTexts = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const milliTexts = Array.from({ length: 1000 }, (_, n) => `.${String(n).padStart(3, '0')}`);

/** Days since the epoch → 'YYYY-MM-DD'. */
export function dayText(day: number): string {
  if (day !== lastDay) {
    lastDay = day;
    lastDayText = warehouseDate(day * 86_400_000);
  }
  return lastDayText;
}
let lastDay = Number.NaN;
let lastDayText = '';
