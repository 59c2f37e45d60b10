import type { SiteContent } from '../../../contract/site_life.ts';
import type { House } from '../../platform/subject.ts';
import { inDialect } from '../../platform/warehouse/index.ts';
import type { Id64 } from '../visits/live_visits.ts';
import { readId64, siteKeySql } from '../visits/visitor.ts';

type Warehouse = Pick<House['warehouse'], 'read' | 'command' | 'cluster'>;

/**
 * Every table of the warehouse that has rows of a site, in the order in which they are emptied: first what says that
 * counts are there, then the counts, then what they were counted from. A test holds the list against the warehouse.
 * `before` is what lies before a cut. Whole days of `arrivals` go with the day of the cut, which is then read live for
 * ever, with the same numbers; of `drops` the whole minute.
 */
export const siteTables = [
  { table: 'frozen_days', before: 'id_day <= toDate({cut:DateTime})' },
  { table: 'daily', before: 'id_day <= toDate({cut:DateTime})' },
  { table: 'imported_days', before: '1' },
  // A late event's own time is older than the moment at which it came.
  { table: 'events', before: 'time < {cut:DateTime} AND received < {cut:DateTime}' },
  { table: 'visits', before: 'started < {cut:DateTime}' },
  { table: 'arrivals', before: 'id_day <= toDate({cut:DateTime})' },
  { table: 'bot_events', before: 'time < {cut:DateTime}' },
  { table: 'drops', before: 'minute < {cut:DateTime}' },
] as const;
type SiteTable = (typeof siteTables)[number];

/** A question about all rows of a site is a scan; it may take its time. */
const scanSeconds = 120;

/** Which rows go: all of the site, or those from before a moment, in whole seconds. */
export interface Cut {
  siteId: number;
  /** Milliseconds since the epoch; undefined = everything. */
  beforeMs: number | undefined;
}

function whereOf({ before }: SiteTable, { beforeMs }: Cut): string {
  return beforeMs === undefined ? 'site_id = {site:UInt64}' : `site_id = {site:UInt64} AND ${before}`;
}

function paramsOf(where: string, { siteId, beforeMs }: Cut): Record<string, unknown> {
  const needsCut = beforeMs !== undefined && where.includes('{cut:');
  return {
    site: siteId,
    ...(needsCut ? { cut: new Date(beforeMs).toISOString().slice(0, 19).replace('T', ' ') } : {}),
  };
}

/** Takes the rows out of one table, and off the disk: a mutation writes its parts anew. Nothing happens where there are none. */
export async function emptyTable(warehouse: Warehouse, table: SiteTable, cut: Cut): Promise<void> {
  if ((await rowsIn(warehouse, table, cut)) === 0) return;
  const where = whereOf(table, cut);
  for (const one of inDialect(`ALTER TABLE {{table:${table.table}}} DELETE WHERE ${where}`, warehouse.cluster))
    await warehouse.command(one, paramsOf(where, cut), { background: true, purpose: 'site_removal' });
}

async function rowsIn(warehouse: Warehouse, table: SiteTable, cut: Cut): Promise<number> {
  const where = whereOf(table, cut);
  const [found] = await warehouse.read<{ rows: string }>(
    `SELECT count() AS rows FROM ${table.table} WHERE ${where}`,
    paramsOf(where, cut),
    { purpose: 'site_removal', seconds: scanSeconds },
  );
  return Number(found?.rows ?? 0);
}

/** Reads every table once more: the proof that is written down at the end. */
export async function rowsLeft(warehouse: Warehouse, cut: Cut): Promise<number> {
  let left = 0;
  for (const table of siteTables) left += await rowsIn(warehouse, table, cut);
  return left;
}

/** Digits of one key, and how many keys are one portion of work. */
const keyDigits = 16;
const keysAtOnce = 2_000;

/**
 * The orders that earned in what goes: the same ones may earn again. The engine makes their keys, and they come as a few long texts: a
 * night over 60,000 orders stood still for 0.3 to 0.6 s while they were read as rows and hashed here, and nobody got an answer.
 * @returns keys as hexadecimal digits, one behind the other
 */
export async function ordersOf(warehouse: Warehouse, cut: Cut): Promise<string[]> {
  const events = siteTables.find(({ table }) => table === 'events') as SiteTable;
  const where = whereOf(events, cut);
  const rows = await warehouse.read<{ keys: string }>(
    `SELECT arrayStringConcat(groupArray(${siteKeySql('order', '{site:UInt64}', 'order_id')})) AS keys
     FROM (SELECT DISTINCT order_id FROM events WHERE ${where} AND order_id != '' AND revenue_amount > 0 LIMIT 1000000)
     GROUP BY sipHash64(order_id) % 32`,
    paramsOf(where, cut),
    { purpose: 'site_removal', seconds: scanSeconds },
  );
  return rows.map(({ keys }) => keys);
}

/** Hands such keys over, some at a time, and lets events in between. */
export async function eachOrder(orders: readonly string[], forget: (key: Id64) => void): Promise<void> {
  for (const keys of orders)
    for (let at = 0; at < keys.length; ) {
      const end = Math.min(keys.length, at + keysAtOnce * keyDigits);
      for (; at < end; at += keyDigits) forget(readId64(keys.slice(at, at + keyDigits)));
      await new Promise((done) => setImmediate(done));
    }
}

/** What the warehouse holds of a site, by kind. */
export async function warehouseContents(warehouse: Warehouse, siteId: number): Promise<SiteContent[]> {
  const rows = await warehouse.read<{ kind: SiteContent['kind']; rows: string; first: string; last: string }>(
    `SELECT 'events' AS kind, toUInt64(countIf(import_id = 0)) AS rows, toString(minIf(toDate(time), import_id = 0)) AS first, toString(maxIf(toDate(time), import_id = 0)) AS last FROM events WHERE site_id = {site:UInt64}
     UNION ALL SELECT 'imported_events', toUInt64(countIf(import_id != 0)), toString(minIf(toDate(time), import_id != 0)), toString(maxIf(toDate(time), import_id != 0)) FROM events WHERE site_id = {site:UInt64}
     UNION ALL SELECT 'visits', toUInt64(count()), toString(min(day)), toString(max(day)) FROM visits FINAL WHERE site_id = {site:UInt64}
     UNION ALL SELECT 'imported_days', toUInt64(count()), toString(min(day)), toString(max(day)) FROM imported_days WHERE site_id = {site:UInt64}
     UNION ALL SELECT 'counts', toUInt64(count()), toString(min(id_day)), toString(max(id_day)) FROM daily WHERE site_id = {site:UInt64}
     UNION ALL SELECT 'robots', toUInt64(count()), toString(min(toDate(time))), toString(max(toDate(time))) FROM bot_events WHERE site_id = {site:UInt64}
     UNION ALL SELECT 'drops', toUInt64(sum(events)), toString(min(toDate(minute))), toString(max(toDate(minute))) FROM drops WHERE site_id = {site:UInt64}`,
    { site: siteId },
    { purpose: 'site_contents', seconds: scanSeconds },
  );
  return rows.map(({ kind, rows: count, first, last }) => {
    const has = Number(count) > 0;
    return { kind, rows: Number(count), first_day: has ? first : null, last_day: has ? last : null };
  });
}
