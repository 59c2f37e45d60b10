import { refused } from '../../platform/files/refused.ts';
import { plainAddress } from '../../platform/http/address.ts';
import type { Random } from '../../platform/random.ts';
import { inDialect, type Warehouse } from '../../platform/warehouse/index.ts';
import type { ContactSeal } from '../contact_keys.ts';
import { type Arrival, arrive, type Hit } from '../ingest/arrival.ts';
import { type Page, readPage } from '../ingest/page.ts';
import { type EventInput, readEvent } from '../ingest/payload.ts';
import type { Places } from '../ingest/place.ts';
import { dayText } from '../ingest/row.ts';
import type { AddressDigest } from '../ingest/shields.ts';
import { type Desk, takeIn } from '../ingest/steps.ts';
import { noThrottle } from '../ingest/throttle.ts';
import type { SiteRecord } from '../sites.ts';
import { type AgedKeys, openAgedKeys } from '../visits/aged_keys.ts';
import { type Id64, openLiveVisits } from '../visits/live_visits.ts';
import { dayOf, type Salts } from '../visits/salt.ts';
import { siteKey } from '../visits/visitor.ts';
import { openDaySalts } from './day_salts.ts';
import { importLimits } from './limits.ts';
import {
  countStopped,
  emptyReport,
  type ImportReport,
  type Overlap,
  overlapOf,
  type StopReason,
  spanOf,
} from './report.ts';

export type ImportParts = {
  /** NDJSON: `{time, name, url, referrer, title, screen, ip, user_agent, props, revenue, interactive, scroll_depth, engagement_ms}` */
  readonly lines: AsyncIterable<string | ReadRow>;
  /** What a line of text says. Absent: it is JSON of the above. */
  readonly read?: (line: string) => ReadRow;
  /** Days, as UTC day numbers, whose rows are not taken, and why. */
  readonly occupied?: ReadonlyMap<number, StopReason>;
  readonly site: SiteRecord;
  /** 1 to 4,294,967,295; on every row, so that the import can be undone whole. */
  readonly importId: number;
  readonly nowMs: number;
  readonly places: Pick<Places, 'lookup'>;
  /** The running salts, for rows of today; past days get salts of their own. Absent: today too. */
  readonly salts: Pick<Salts, 'current'> | undefined;
  /** The site's orders so far, so that an order that is known counts no second time. */
  readonly orderKeys: AgedKeys;
  readonly addressDigest: AddressDigest;
  readonly sealContact: ContactSeal;
  readonly random: Random;
  /** Rows with a line break between each two; resolves when they are kept (`lane.append`). Throws when they are not. */
  readonly append: (rows: string) => Promise<void>;
  /**
   * UTC days ('YYYY-MM-DD') whose frozen counts are no longer right. Told before a day's first row is kept, so that
   * nobody reads old counts meanwhile, and once more when all are, in case a day was counted again in between.
   */
  readonly markDirty: (siteId: number, days: readonly string[]) => Promise<void>;
  /** Called after each portion of rows, with the number of lines read; awaited, and what it throws ends the import. */
  readonly onProgress?: (lines: number) => void | Promise<void>;
};

/**
 * A row of another format: an event as `readEvent` takes it, one that was read already, or why it is none. `at` says
 * where it stands; absent: its number.
 */
export type ReadRow =
  | ({ known?: NonNullable<Arrival['known']>; at?: string } & ({ event: unknown } | { input: EventInput }))
  | { stopped: StopReason; at?: string };

/** What came of it, and what the stored rows add up to; visitors are distinct per day of identity, as everywhere. */
export interface EventReport extends ImportReport {
  visitors: number;
  visits: number;
  pageviews: number;
  /** How many days have rows, and which. */
  dayCount: number;
  /** Days that are left out because they have numbers already. */
  overlap: Overlap | undefined;
}

/** Rows kept by one append: about 0.5 MB of text, and no more than fits where addresses are long. */
const rowsPerAppend = 500;
const charsPerAppend = 512 * 1024;
/** Progress is said this often also where no row is stored. */
const linesPerSign = 500;
/** The warehouse's days begin with 1970-01-01, which stands for "the whole day" in the frozen counts. */
const firstMs = 2 * 86_400_000;
/** Of the visitors of one site that are on it at the same time. */
const visitsAtOnceMax = 200_000;
const textBytesMax = 64 * 1024 * 1024;

/**
 * Takes past events in by the same steps as live ones, each at its own time and in the order of the file: visits form
 * as they would have formed then. The rows go through the spool, so they are stored exactly once even if the process
 * dies meanwhile; what an interrupted import has stored carries its number and can be undone.
 *
 * Robots, spam and shields stop rows here as they do live. Rate and privacy settings do not: both are about requests.
 */
export async function importEvents(parts: ImportParts): Promise<{ report: EventReport; days: string[] }> {
  const report: EventReport = {
    ...emptyReport(),
    visitors: 0,
    visits: 0,
    pageviews: 0,
    dayCount: 0,
    overlap: undefined,
  };
  const visitors = countVisitors();
  const overlap = new Set<number>();
  const desk = deskFor(parts);
  const days = new Set<number>();
  const pendingDays = new Set<number>();
  let rows: string[] = [];
  let chars = 0;
  let orders: Id64[] = [];
  /** Rows that are at the disk while the next ones are read: reading and the disk take about as long. */
  let leaving: Promise<void> | undefined;

  /** These orders were read and not kept: when they come again they must count. */
  function forget(unkept: readonly Id64[]) {
    for (const order of unkept) parts.orderKeys.delete(order);
  }

  async function keep(text: string, theirs: readonly Id64[]) {
    try {
      await parts.append(text);
    } catch (error) {
      forget(theirs);
      throw error;
    }
  }

  async function flush() {
    const fresh = [...pendingDays].filter((day) => !days.has(day));
    pendingDays.clear();
    if (fresh.length > 0) await parts.markDirty(parts.site.id, fresh.map(dayText));
    for (const day of fresh) days.add(day);
    await leaving;
    if (rows.length > 0) {
      leaving = keep(rows.join('\n'), orders);
      // Whoever waits for it hears of a refusal; until then it is nobody's.
      leaving.catch(() => {});
    }
    rows = [];
    chars = 0;
    orders = [];
    await parts.onProgress?.(report.lines);
  }

  try {
    for await (const line of parts.lines) {
      report.lines++;
      if (report.lines > importLimits.rowsMax)
        throw refused(`The file has more than ${importLimits.rowsMax} lines: import it in parts.`);
      if (report.lines % linesPerSign === 0) await parts.onProgress?.(report.lines);
      if (typeof line === 'string' && line.trim() === '') continue;
      const taken = takeRow(line, parts, desk);
      if ('stopped' in taken) {
        const at = typeof line === 'string' ? undefined : line.at;
        countStopped(report, taken.stopped, at ?? report.lines);
        if (taken.occupiedDay !== undefined) overlap.add(taken.occupiedDay);
        continue;
      }
      visitors.add(taken.idDay, taken.visitorId);
      if (taken.begun !== undefined) report.visits++;
      if (taken.name === 'pageview') report.pageviews++;
      pendingDays.add(taken.idDay);
      report.stored++;
      for (const reason of taken.leftOut) report.leftOut[reason] = (report.leftOut[reason] ?? 0) + 1;
      rows.push(taken.line);
      chars += taken.line.length;
      if (taken.orderKey !== undefined) orders.push(taken.orderKey);
      if (rows.length >= rowsPerAppend || chars >= charsPerAppend) await flush();
    }
    await flush();
    await leaving;
  } catch (error) {
    forget(orders);
    await leaving?.catch(() => {});
    throw error;
  } finally {
    // Also when the file breaks off in the middle: what was kept until then changes its days all the same.
    report.days = spanOf(sortedDays(days));
    report.dayCount = days.size;
    report.visitors = visitors.count();
    report.overlap = overlapOf(sortedDays(overlap));
    if (days.size > 0) await parts.markDirty(parts.site.id, sortedDays(days));
  }
  return { report, days: sortedDays(days) };
}

function sortedDays(days: ReadonlySet<number>): string[] {
  return [...days].sort((a, b) => a - b).map(dayText);
}

/**
 * Distinct ids, which belong to one day each. Files are in order or nearly so: the ids of a day are let go of when a
 * month of other days is held, so that a file of years needs the memory of a month.
 */
const daysAtOnceMax = 31;
function countVisitors() {
  const byDay = new Map<number, Set<number>>();
  let before = 0;
  return {
    add(day: number, { hi, lo }: Id64) {
      let ids = byDay.get(day);
      if (ids === undefined) {
        ids = new Set();
        byDay.set(day, ids);
        if (byDay.size > daysAtOnceMax) {
          const oldest = Math.min(...byDay.keys());
          before += byDay.get(oldest)?.size ?? 0;
          byDay.delete(oldest);
        }
      }
      // 53 of the 64 bits: two of a million visitors of a day are taken for one once in 18,000 days.
      ids.add(hi * 0x20_0000 + (lo >>> 11));
    },
    count: () => [...byDay.values()].reduce((sum, ids) => sum + ids.size, before),
  };
}

/**
 * Takes an import back whole: its rows leave events and visits, and the days it touched are counted anew.
 * The rows must all be in the warehouse (`spool.drain`), or the ones still on their way would stay.
 */
export async function undoImport(parts: {
  warehouse: Pick<Warehouse, 'read' | 'command' | 'cluster'>;
  orderKeys: AgedKeys;
  siteId: number;
  importId: number;
  markDirty: ImportParts['markDirty'];
}): Promise<{ rows: number }> {
  const which = { site: parts.siteId, import: parts.importId };
  const where = 'site_id = {site:UInt64} AND import_id = {import:UInt32}';
  const days = await parts.warehouse.read<{ day: string; rows: string | number }>(
    `SELECT toString(id_day) AS day, count() AS rows FROM events WHERE ${where} GROUP BY id_day ORDER BY id_day`,
    which,
    { seconds: 60, purpose: 'undo_import' },
  );
  const orders = await parts.warehouse.read<{ order_id: string }>(
    `SELECT DISTINCT order_id FROM events WHERE ${where} AND order_id != '' AND revenue_amount > 0`,
    which,
    { seconds: 60, purpose: 'undo_import' },
  );
  const markDirty = async () => {
    if (days.length > 0)
      await parts.markDirty(
        parts.siteId,
        days.map(({ day }) => day),
      );
  };
  await markDirty();
  const rowsOf = `DELETE FROM {{table:events}} WHERE ${where}; DELETE FROM {{table:visits}} WHERE ${where}`;
  for (const statement of inDialect(rowsOf, parts.warehouse.cluster))
    await parts.warehouse.command(statement, which, { purpose: 'undo_import' });
  // Their revenue is gone, so the same orders may earn it again.
  for (const order of orders) parts.orderKeys.delete(siteKey('order', parts.siteId, order.order_id));
  await markDirty();
  return { rows: days.reduce((sum, { rows }) => sum + Number(rows), 0) };
}

type TakenRow =
  | Pick<Hit, 'line' | 'name' | 'idDay' | 'visitorId' | 'begun' | 'orderKey' | 'leftOut'>
  | { stopped: StopReason; occupiedDay?: number };

function takeRow(line: string | ReadRow, parts: ImportParts, desk: Desk): TakenRow {
  const row = typeof line === 'string' ? (parts.read ?? parseLine)(line) : line;
  if ('stopped' in row) return row;
  const input = 'input' in row ? row.input : readEvent(row.event);
  if ('refused' in input) return { stopped: input.reason };
  const page = readPage(input.url, input.hashMode);
  if ('refused' in page) return { stopped: page.reason };
  const { timeMs } = input;
  const address = input.address === undefined ? '' : plainAddress(input.address);
  // A row without a time belongs to no day, one from the future to none yet, and one from before 1970 to none there is.
  if (timeMs === undefined || timeMs > parts.nowMs || timeMs < firstMs || address === undefined)
    return { stopped: 'invalid' };
  const occupied = parts.occupied?.get(dayOf(timeMs));
  if (occupied !== undefined) return { stopped: occupied, occupiedDay: dayOf(timeMs) };
  const arrival = arrive({
    input,
    page: page as Page,
    domain: parts.site.domain,
    address,
    userAgent: input.userAgent ?? '',
    headers: undefined,
    nowMs: timeMs,
    timeMs,
    isLate: false,
    maySend: undefined,
  });
  if (row.known !== undefined) {
    arrival.known = row.known;
    arrival.place = row.known.place;
  }
  const hit = takeIn(arrival, desk);
  if (typeof hit === 'string') return { stopped: hit };
  if (hit.eventKey !== undefined) desk.eventKeys.add(hit.eventKey, timeMs);
  if (hit.orderKey !== undefined) desk.orderKeys.add(hit.orderKey, timeMs);
  return hit;
}

function parseLine(line: string): ReadRow {
  try {
    return { event: JSON.parse(line) };
  } catch {
    return { event: undefined };
  }
}

function deskFor(parts: ImportParts): Desk {
  return {
    sites: { find: () => parts.site },
    places: parts.places,
    salts: openDaySalts(parts.random, (day) =>
      day === dayOf(parts.nowMs) ? parts.salts?.current(parts.nowMs) : undefined,
    ),
    visits: openLiveVisits({ visitsMax: visitsAtOnceMax, textBytesMax }),
    // Ids are looked at within the file alone: those of live events are forgotten after a day anyway.
    eventKeys: openAgedKeys({ keysMax: 1_000_000, keepMs: 24 * 3_600_000 }),
    orderKeys: parts.orderKeys,
    throttle: noThrottle,
    random: parts.random,
    addressDigest: parts.addressDigest,
    sealContact: parts.sealContact,
    importId: parts.importId,
  };
}
