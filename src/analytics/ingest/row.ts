import { type BotRow, type EventRow, warehouseDate, warehouseTime } from '../event_row.ts';
import type { Agent } from './agent.ts';
import type { Channel } from './channel.ts';
import type { Place } from './place.ts';
import type { Source } from './source.ts';

/**
 * The text of a row, built by hand: `JSON.stringify` of an object with 43 members takes 3.4 µs, this 0.8 µs, because
 * what a visit's rows have in common is quoted once per visit. `row.test.ts` compares it with JSON.stringify.
 */

const quote = JSON.stringify as (text: string) => string;

/** What the first event of a visit says about where it came from: members of the row, without braces. */
export function originText(source: Source, channel: Channel): string {
  return (
    `"referrer":${quote(source.referrer)},"source":${quote(source.source)},` +
    `"utm_source":${quote(source.utm_source)},"utm_medium":${quote(source.utm_medium)},` +
    `"utm_campaign":${quote(source.utm_campaign)},"utm_term":${quote(source.utm_term)},` +
    `"utm_content":${quote(source.utm_content)},"click_id":${quote(source.click_id)},"channel":${quote(channel)}`
  );
}

export function agentText(agent: Agent, screen: string): string {
  return (
    `"browser":${quote(agent.browser)},"browser_version":${quote(agent.browser_version)},` +
    `"os":${quote(agent.os)},"os_version":${quote(agent.os_version)},"device":${quote(agent.device)},"screen":${quote(screen)}`
  );
}

export function placeText(place: Place | undefined): string {
  if (place === undefined) return '"country":"","region":"","city":"","latitude":0,"longitude":0';
  return (
    `"country":${quote(place.country)},"region":${quote(place.region)},"city":${quote(place.city)},` +
    `"latitude":${place.latitude},"longitude":${place.longitude}`
  );
}

export function entryText(hostname: string, pathname: string): string {
  return `"entry_hostname":${quote(hostname)},"entry_page":${quote(pathname)}`;
}
/** Before the visit's first page view. */
export const noEntryText = entryText('', '');

/** What varies from event to event; the members that end in `Text` are ready JSON. */
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
};

/** One line of the lane `events`: an `EventRow`, every member of it, without a line break. */
export function eventLine(row: RowParts): string {
  return (
    `{"site_id":${row.siteId},"time":"${timeText(row.timeMs)}","name":${quote(row.name)},` +
    `"visitor_id":"${row.visitorId}","visit_id":"${row.visitId}","id_day":"${dayText(row.idDay)}",` +
    `"visit_start":"${timeText(row.visitStartMs)}","detached":${row.detached},` +
    `"hostname":${quote(row.hostname)},"pathname":${quote(row.pathname)},"title":${row.title === '' ? '""' : quote(row.title)},` +
    `${row.originText},${row.entryText},${row.agentText},${row.placeText},"props":${row.propsText},` +
    `"revenue_amount":"${row.revenueAmount}","revenue_currency":"${row.revenueCurrency}",` +
    `"order_id":${row.orderId === '' ? '""' : quote(row.orderId)},"interactive":${row.interactive},` +
    `"scroll_depth":${row.scrollDepth},"engagement_ms":${row.engagementMs},` +
    `"import_id":${row.importId},"event_key":"${row.eventKey}"${row.contact === '' ? '' : `,"contact":"${row.contact}"`}` +
    `${row.receivedMs === undefined ? '' : `,"received":"${timeText(row.receivedMs).slice(0, 19)}"`}}`
  );
}

/** One line of the lane `bots`. */
export function botLine(row: Omit<BotRow, 'time'> & { timeMs: number }): string {
  const { timeMs, ...rest } = row;
  return JSON.stringify({ ...rest, time: timeText(timeMs) });
}

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
