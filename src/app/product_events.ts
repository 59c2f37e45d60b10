import { leftOutReasons } from '../../contract/drops.ts';
import { repeat } from '../platform/clock.ts';
import type { Reports } from '../platform/outbound/index.ts';
import { everyOrganisation } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { dayMs, isoDay } from '../platform/zone.ts';

const lookMs = 60_000;

/**
 * Sends the product events that follow from what is stored: set-up finished, first event received, a UTC day ended.
 * It looks once a minute, and only where the operator has named a PostHog (R15); a day that ends while no process
 * runs is not told.
 */
export function watchProduct(parts: {
  house: Pick<House, 'config' | 'clock' | 'log' | 'postgres' | 'warehouse' | 'spool'>;
  reports: Pick<Reports, 'event'>;
}): () => void {
  const { house, reports } = parts;
  const { config, clock, log, postgres, warehouse, spool } = house;
  if (config.posthog === undefined || (config.role !== 'all' && config.role !== 'work')) return () => {};
  let day = Math.floor(clock.now() / dayMs);
  // Undefined until the first look: what was there before it is nothing that happened now.
  let hadSites: boolean | undefined;
  let hadEvents: boolean | undefined;

  async function look() {
    const sites = await readSites();
    if (hadSites === false && sites.count > 0) reports.event('set_up_finished', { sites: sites.count });
    hadSites = sites.count > 0;

    if (hadEvents !== true) {
      const firstMs = await readFirstEvent();
      if (hadEvents === false && firstMs !== undefined && hadSites)
        reports.event('first_event_received', {
          seconds_after_set_up: Math.max(0, Math.round((firstMs - sites.sinceMs) / 1000)),
        });
      hadEvents = firstMs !== undefined;
    }

    const today = Math.floor(clock.now() / dayMs);
    if (today > day) reports.event('day_ended', await countDay(today - 1, sites));
    day = today;
  }

  async function readSites() {
    const organisations = await everyOrganisation(postgres);
    let count = 0;
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const id of organisations) {
      const created = await postgres.tenant(id, (sql) =>
        sql.query<{ created_at: Date }>('SELECT created_at FROM sites'),
      );
      count += created.length;
      for (const site of created) sinceMs = Math.min(sinceMs, site.created_at.getTime());
    }
    return { organisations: organisations.length, count, sinceMs };
  }

  async function readFirstEvent(): Promise<number | undefined> {
    const [row] = await warehouse.read<{ events: string; first: string }>(
      'SELECT count() AS events, toUnixTimestamp64Milli(min(time)) AS first FROM events WHERE import_id = 0',
      {},
      { purpose: 'product_events' },
    );
    return Number(row?.events ?? 0) === 0 ? undefined : Number(row?.first);
  }

  async function countDay(ended: number, sites: { organisations: number; count: number }) {
    const params = { day: isoDay(ended), left_out: Object.keys(leftOutReasons) };
    const [row] = await warehouse.read<{ stored: string; dropped: string }>(
      `SELECT (SELECT count() FROM events WHERE toDate(time) = {day:Date} AND import_id = 0) AS stored,
        (SELECT sum(events) FROM drops WHERE toDate(minute) = {day:Date} AND reason NOT IN {left_out:Array(String)}) AS dropped`,
      params,
      { purpose: 'product_events', seconds: 60 },
    );
    return {
      organisations: sites.organisations,
      sites: sites.count,
      events_stored: Number(row?.stored ?? 0),
      events_dropped: Number(row?.dropped ?? 0),
      rows_quarantined: Object.values(spool.quarantined()).reduce((sum, rows) => sum + rows, 0),
      disk_bytes: (await warehouse.diskBytes()).total + spool.bytes(),
    };
  }

  return repeat(clock, lookMs, look, {
    firstMs: 0,
    onError: (error) => log.error('product_events.not_read', {}, error),
  });
}
