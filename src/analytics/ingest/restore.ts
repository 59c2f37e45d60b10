import type { Warehouse } from '../../platform/warehouse/index.ts';
import type { EventRow } from '../event_row.ts';
import type { AgedKeys } from '../visits/aged_keys.ts';
import { type LiveVisits, visitGapMsMax } from '../visits/live_visits.ts';
import { id64Of, siteKey } from '../visits/visitor.ts';
import { timeText, type VisitColumns, visitTexts } from './row.ts';

/** For how long an event id is recognised (issue: "de-duplicated per site for 24 h, across a restart too"). */
export const eventKeyMs = 24 * 3_600_000;
/** How many event ids are remembered at most: about 80 MB when full. */
export const eventKeysMax = 4_000_000;
/** An order counts once for as long as any site may keep events. */
export const orderKeyMs = 800 * 86_400_000;
/** About 40 MB when full. */
export const orderKeysMax = 2_000_000;

/** Visits that one question to the warehouse gives back at most: about 30 MB of text in memory at a time. */
const visitsPerPage = 50_000;
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

export type Restored = { visits: number; eventKeys: number; orderKeys: number; pendingRows: number };

/**
 * Rebuilds what the last process knew: running visits, event ids and orders, first as the warehouse has them, then as
 * the rows do that are still in the spool. Both may hold the same row; taking it in twice changes nothing. Afterwards
 * ingest goes on as if it had never stopped. Must be over before the first request and before the loader starts.
 */
export async function restore(parts: RestoreParts): Promise<Restored> {
  await restoreVisits(parts);
  await restoreEventKeys(parts);
  await restoreOrders(parts);
  let pendingRows = 0;
  for await (const line of parts.pending) {
    pendingRows++;
    restoreRow(parts, JSON.parse(line.toString('utf8')) as EventRow);
  }
  return {
    visits: parts.visits.count(),
    eventKeys: parts.eventKeys.size(),
    orderKeys: parts.orderKeys.size(),
    pendingRows,
  };
}

type StoredVisit = { [Column in keyof VisitColumns]: VisitColumns[Column] | string } & { last: string };

async function restoreVisits({ warehouse, visits, nowMs }: RestoreParts): Promise<void> {
  const running =
    "time > {since:DateTime64(3, 'UTC')} AND toDate(time) >= toDate({since:DateTime64(3, 'UTC')}) AND detached = 0 AND import_id = 0";
  const since = timeText(nowMs - lookBackMs);
  const [counted] = await warehouse.read<{ visits: string }>(
    `SELECT uniq(visit_id) AS visits FROM events WHERE ${running}`,
    { since },
    { seconds, purpose: 'restore' },
  );
  const pages = Math.ceil(Number(counted?.visits ?? 0) / visitsPerPage);
  for (let page = 0; page < pages; page++) {
    const rows = await warehouse.read<StoredVisit>(
      `SELECT site_id, visitor_id, visit_id,
        any(id_day) AS id_day, any(visit_start) AS visit_start, max(time) AS last,
        max(entry_hostname) AS entry_hostname, max(entry_page) AS entry_page,
        any(referrer) AS referrer, any(source) AS source, any(utm_source) AS utm_source, any(utm_medium) AS utm_medium,
        any(utm_campaign) AS utm_campaign, any(utm_term) AS utm_term, any(utm_content) AS utm_content,
        any(click_id) AS click_id, any(channel) AS channel, any(browser) AS browser,
        any(browser_version) AS browser_version, any(os) AS os, any(os_version) AS os_version, any(device) AS device,
        any(screen) AS screen, any(country) AS country, any(region) AS region, any(city) AS city,
        any(latitude) AS latitude, any(longitude) AS longitude
      FROM events
      WHERE ${running} AND visit_id % {pages:UInt32} = {page:UInt32}
      GROUP BY site_id, visitor_id, visit_id
      ORDER BY last`,
      { since, pages, page },
      { seconds, purpose: 'restore' },
    );
    for (const row of rows) resumeVisit(visits, row as unknown as VisitColumns, readTime(row.last), nowMs);
  }
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
    const keys = row?.keys ?? '';
    for (let at = 0; at < keys.length; at += 16)
      eventKeys.add(
        { hi: Number.parseInt(keys.slice(at, at + 8), 16), lo: Number.parseInt(keys.slice(at + 8, at + 16), 16) },
        nowMs - Number(ago) * 3_600_000,
      );
  }
}

async function restoreOrders({ warehouse, orderKeys, nowMs }: RestoreParts): Promise<void> {
  const orders = await warehouse.read<{ site_id: string | number; order_id: string; last: string }>(
    `SELECT site_id, order_id, max(time) AS last
    FROM events
    WHERE order_id != '' AND time > {since:DateTime64(3, 'UTC')}
    GROUP BY site_id, order_id
    ORDER BY last DESC
    LIMIT ${orderKeysMax}`,
    { since: timeText(nowMs - orderKeyMs) },
    { seconds, purpose: 'restore' },
  );
  for (const order of orders)
    orderKeys.add(siteKey('order', Number(order.site_id), order.order_id), readTime(order.last));
}

function restoreRow({ visits, eventKeys, orderKeys, nowMs }: RestoreParts, row: EventRow): void {
  const timeMs = readTime(row.time);
  if (row.event_key !== '0') eventKeys.add(id64Of(BigInt(row.event_key)), nowMs);
  if (row.order_id !== '') orderKeys.add(siteKey('order', row.site_id, row.order_id), timeMs);
  if (row.detached === 0 && row.import_id === 0) resumeVisit(visits, row, timeMs, nowMs);
}

/** Goes on with the visit of a stored row, unless a newer one of the same visitor is known. */
function resumeVisit(visits: LiveVisits, row: VisitColumns, endedMs: number, nowMs: number): void {
  if (nowMs - endedMs >= visitGapMsMax) return;
  const visitor = { siteId: Number(row.site_id), id: id64Of(BigInt(row.visitor_id)) };
  const visitId = id64Of(BigInt(row.visit_id));
  const startedMs = readTime(row.visit_start);
  const slot = visits.find(visitor, endedMs);
  const texts = visitTexts(row);
  if (slot >= 0) {
    const known = visits.read.visitId(slot);
    if (known.hi === visitId.hi && known.lo === visitId.lo) {
      visits.touch(slot, endedMs);
      if (row.entry_page !== '') visits.enter(slot, texts.entry);
      return;
    }
    if (visits.read.startedMs(slot) >= startedMs) return;
  }
  const idDay = Date.parse(`${row.id_day}T00:00:00Z`) / 86_400_000;
  visits.begin(visitor, { visitId, startedMs, endedMs, idDay, ...texts });
}

function readTime(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}
