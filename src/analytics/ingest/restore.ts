import type { Warehouse } from '../../platform/warehouse/index.ts';
import type { EventRow } from '../event_row.ts';
import type { AgedKeys } from '../visits/aged_keys.ts';
import { type LiveVisits, type NewVisit, type Visitor, visitGapMsMax } from '../visits/live_visits.ts';
import { dayOf } from '../visits/salt.ts';
import { id64Of, siteKey } from '../visits/visitor.ts';
import { noEntryText, readEventLine, storedText, type TextKind, textColumns, timeText } from './row.ts';

/** For how long an event id is recognised (issue: "de-duplicated per site for 24 h, across a restart too"). */
export const eventKeyMs = 24 * 3_600_000;
/** How many event ids are remembered at most: about 80 MB when full. */
export const eventKeysMax = 4_000_000;
/** Late events with ids come from servers that were away for a while: a million of them within a day are many. */
const lateKeysMax = 1_000_000;
/** An order counts once for as long as any site may keep events. */
export const orderKeyMs = 800 * 86_400_000;
/** About 40 MB when full. */
export const orderKeysMax = 2_000_000;

/** Visits that one question to the warehouse gives back at most: about 25 MB of text in memory at a time. */
const visitsPerPage = 100_000;
/** A little more than a visit can be silent, for rows that were stored in the last moment. */
const lookBackMs = visitGapMsMax + 60_000;
/** Reading back is part of the start; nobody waits for an answer, so it may take longer than a question. */
const seconds = 60;

export type RestoreParts = {
  readonly warehouse: Pick<Warehouse, 'read'>;
  /** Rows that may not be in the warehouse yet (`spool.pending('events')`). */
  readonly pending: AsyncIterable<Buffer>;
  readonly visits: LiveVisits;
  readonly eventKeys: AgedKeys;
  readonly orderKeys: AgedKeys;
  readonly nowMs: number;
};

export type Restored = {
  visits: number;
  eventKeys: number;
  orderKeys: number;
  pendingRows: number;
  /** Rows in the spool that say nothing: damaged on the disk. The loader hands them to the warehouse, which refuses them. */
  unreadableRows: number;
};

/**
 * Rebuilds what the last process knew: running visits, event ids and orders, first as the warehouse has them, then as
 * the rows do that are still in the spool. Both may hold the same row; taking it in twice changes nothing. Afterwards
 * ingest goes on as if it had never stopped. Must be over before the first event is taken and before the loader starts.
 */
export async function restore(parts: RestoreParts): Promise<Restored> {
  await restoreVisits(parts);
  await restoreEventKeys(parts);
  await restoreLateKeys(parts);
  await restoreOrders(parts);
  let pendingRows = 0;
  let unreadableRows = 0;
  for await (const line of parts.pending) {
    pendingRows++;
    try {
      restoreRow(parts, readEventLine(line.toString('utf8')));
    } catch {
      // One bad row may not keep a desk from starting.
      unreadableRows++;
    }
  }
  return {
    visits: parts.visits.count(),
    eventKeys: parts.eventKeys.size(),
    orderKeys: parts.orderKeys.size(),
    pendingRows,
    unreadableRows,
  };
}

const running =
  "time > {since:DateTime64(3, 'UTC')} AND toDate(time) >= toDate({since:DateTime64(3, 'UTC')}) AND detached = 0 AND import_id = 0";

/**
 * A million visits say the same few thousand things about where they came from, so those are asked for once, by a hash,
 * and a visit's own row is numbers only: 400,000 visits come back in 3.0 s; with all columns on each it took 8.1 s.
 */
async function restoreVisits({ warehouse, visits, nowMs }: RestoreParts): Promise<void> {
  const since = timeText(nowMs - lookBackMs);
  const ask = <Row>(sql: string, params: Record<string, unknown> = {}) =>
    warehouse.read<Row>(sql, { since, ...params }, { seconds, purpose: 'restore' });
  const [counted] = await ask<{ visits: string }>(`SELECT uniq(visit_id) AS visits FROM events WHERE ${running}`);
  const pages = Math.ceil(Number(counted?.visits ?? 0) / visitsPerPage);
  if (pages === 0) return;
  let texts = await readTexts(ask);
  const isKnown = (row: NumbersOfVisit) =>
    texts.origin.has(row.origin) &&
    texts.agent.has(row.agent) &&
    texts.place.has(row.place) &&
    texts.entry.has(row.entry);
  for (let page = 0; page < pages; page++) {
    const rows = await ask<NumbersOfVisit>(
      `SELECT site_id, visitor_id, visit_id, toUInt16(any(id_day)) AS day,
        toUnixTimestamp64Milli(any(visit_start)) AS started, toUnixTimestamp64Milli(max(time)) AS ended,
        any(${hashOf('origin')}) AS origin, any(${hashOf('agent')}) AS agent, any(${hashOf('place')}) AS place,
        argMax(${hashOf('entry')}, entry_page != '') AS entry
      FROM events
      WHERE ${running} AND visit_id % {pages:UInt32} = {page:UInt32}
      GROUP BY site_id, visitor_id, visit_id
      ORDER BY ended`,
      { pages, page },
    );
    // Another process of a split desk goes on storing meanwhile: its texts may be younger than those that were read.
    if (!rows.every(isKnown)) texts = await readTexts(ask);
    for (const row of rows.filter(isKnown))
      resumeVisit(visits, nowMs, {
        visitor: { siteId: Number(row.site_id), id: id64Of(BigInt(row.visitor_id)) },
        visitId: id64Of(BigInt(row.visit_id)),
        startedMs: Number(row.started),
        endedMs: Number(row.ended),
        idDay: row.day,
        origin: texts.origin.get(row.origin) as string,
        agent: texts.agent.get(row.agent) as string,
        place: texts.place.get(row.place) as string,
        entry: texts.entry.get(row.entry) as string,
      });
  }
}

/** 64-bit integers come as text. */
type NumbersOfVisit = {
  site_id: string;
  visitor_id: string;
  visit_id: string;
  started: string;
  ended: string;
  day: number;
} & {
  [Kind in TextKind]: string;
};

function hashOf(kind: TextKind): string {
  return `cityHash64(${textColumns[kind].join(', ')})`;
}

/** What running visits say, each thing once, by its hash. */
async function readTexts(ask: <Row>(sql: string) => Promise<Row[]>): Promise<Record<TextKind, Map<string, string>>> {
  async function read<Kind extends TextKind>(kind: Kind) {
    const rows = await ask<{ hash: string } & Parameters<(typeof storedText)[Kind]>[0]>(
      `SELECT DISTINCT ${hashOf(kind)} AS hash, ${textColumns[kind].join(', ')} FROM events WHERE ${running}`,
    );
    const textOf = storedText[kind] as (row: EventRow) => string;
    return new Map(rows.map((row) => [row.hash, textOf(row as unknown as EventRow)]));
  }
  return {
    origin: await read('origin'),
    agent: await read('agent'),
    place: await read('place'),
    entry: await read('entry'),
  };
}

/** An hour of ids comes as one text of hex: as rows of their own a million of them would take seconds. */
async function restoreEventKeys({ warehouse, eventKeys, nowMs }: RestoreParts): Promise<void> {
  const now = timeText(nowMs);
  const recent =
    "event_key != 0 AND toDate(time) >= toDate({now:DateTime64(3, 'UTC')}) - 1 AND time > {now:DateTime64(3, 'UTC')} - INTERVAL 1 DAY";
  const hoursAgo = "greatest(intDiv(dateDiff('second', time, {now:DateTime64(3, 'UTC')}), 3600), 0)";
  const hours = await warehouse.read<{ ago: string | number }>(
    `SELECT DISTINCT ${hoursAgo} AS ago FROM events WHERE ${recent} ORDER BY ago`,
    { now },
    { seconds, purpose: 'restore' },
  );
  for (const { ago } of hours) {
    if (eventKeys.size() >= eventKeysMax) return;
    const [row] = await warehouse.read<{ keys: string }>(
      `SELECT arrayStringConcat(groupArray(leftPad(hex(event_key), 16, '0'))) AS keys
      FROM events WHERE ${recent} AND ${hoursAgo} = {ago:UInt32}`,
      { now, ago: Number(ago) },
      { seconds, purpose: 'restore' },
    );
    addKeys(eventKeys, row?.keys ?? '', nowMs - Number(ago) * 3_600_000);
  }
}

/** Ids of late events, whose own time is none of the last day's; one text of hex too. */
async function restoreLateKeys({ warehouse, eventKeys, nowMs }: RestoreParts): Promise<void> {
  const [row] = await warehouse.read<{ keys: string }>(
    `SELECT arrayStringConcat(groupArray(leftPad(hex(event_key), 16, '0'))) AS keys FROM (
      SELECT event_key FROM events
      WHERE received > {now:DateTime64(3, 'UTC')} - INTERVAL 1 DAY AND event_key != 0
      ORDER BY received DESC LIMIT ${lateKeysMax})`,
    { now: timeText(nowMs) },
    { seconds, purpose: 'restore' },
  );
  addKeys(eventKeys, row?.keys ?? '', nowMs);
}

function addKeys(eventKeys: AgedKeys, keys: string, ms: number): void {
  for (let at = 0; at < keys.length; at += 16)
    eventKeys.add(
      { hi: Number.parseInt(keys.slice(at, at + 8), 16), lo: Number.parseInt(keys.slice(at + 8, at + 16), 16) },
      ms,
    );
}

/**
 * The orders of a site and day come as one list, newest days first: 158,000 of them as rows of their own took 2 s of
 * the start, this way 0.6 s. An order is then known to the day, and forgotten up to a day late.
 */
async function restoreOrders({ warehouse, orderKeys, nowMs }: RestoreParts): Promise<void> {
  const days = await warehouse.read<{ site_id: string | number; day: number; orders: string }>(
    `SELECT site_id, toUInt16(toDate(time)) AS day, toJSONString(groupArray(order_id)) AS orders
    FROM events
    WHERE order_id != '' AND time > {since:DateTime64(3, 'UTC')}
    GROUP BY site_id, day
    ORDER BY day DESC`,
    { since: timeText(nowMs - orderKeyMs) },
    { seconds, purpose: 'restore' },
  );
  for (const { site_id, day, orders } of days) {
    if (orderKeys.size() >= orderKeysMax) return;
    const lastMs = Math.min(nowMs, (day + 1) * 86_400_000);
    for (const order of JSON.parse(orders) as string[]) orderKeys.add(siteKey('order', Number(site_id), order), lastMs);
  }
}

function restoreRow({ visits, eventKeys, orderKeys, nowMs }: RestoreParts, row: EventRow): void {
  const timeMs = readTime(row.time);
  if (row.event_key !== '0') eventKeys.add(id64Of(BigInt(row.event_key)), nowMs);
  if (row.order_id !== '') orderKeys.add(siteKey('order', row.site_id, row.order_id), timeMs);
  if (row.detached !== 0 || row.import_id !== 0) return;
  resumeVisit(visits, nowMs, {
    visitor: { siteId: row.site_id, id: id64Of(BigInt(row.visitor_id)) },
    visitId: id64Of(BigInt(row.visit_id)),
    startedMs: readTime(row.visit_start),
    endedMs: timeMs,
    idDay: dayOf(readTime(`${row.id_day} 00:00:00`)),
    origin: storedText.origin(row),
    agent: storedText.agent(row),
    place: storedText.place(row),
    entry: storedText.entry(row),
  });
}

/** Goes on with a visit of which a row is stored, unless a newer one of the same visitor is known. */
function resumeVisit(
  visits: LiveVisits,
  nowMs: number,
  { visitor, ...visit }: Required<NewVisit> & { visitor: Visitor },
): void {
  if (nowMs - visit.endedMs >= visitGapMsMax) return;
  const slot = visits.find(visitor, visit.endedMs);
  if (slot < 0) {
    visits.begin(visitor, visit);
    return;
  }
  const known = visits.read.visitId(slot);
  if (known.hi === visit.visitId.hi && known.lo === visit.visitId.lo) {
    visits.touch(slot, visit.endedMs);
    if (visit.entry !== noEntryText) visits.enter(slot, visit.entry);
  } else if (visit.startedMs > visits.read.startedMs(slot)) visits.begin(visitor, visit);
}

function readTime(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}
