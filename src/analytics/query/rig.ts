import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { migrateWarehouse, openWarehouse, type Warehouse } from '../../platform/warehouse/index.ts';
import { type EventRow, warehouseDate, warehouseTime } from '../event_row.ts';

/** A real engine in a directory of its own, with the real migrations. For tests of this folder. */
export async function openTestWarehouse(): Promise<{ warehouse: Warehouse; close(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fairlead-query-'));
  const warehouse = await openWarehouse({
    config: { dataDir, clickhouseUrl: undefined, clickhouseCluster: undefined } as never,
    clock: systemClock,
    log: silentLog,
  });
  await migrateWarehouse(
    warehouse,
    [{ subject: 'analytics', directory: new URL('../migrations/warehouse/', import.meta.url) }],
    { clock: systemClock, log: silentLog },
  );
  return {
    warehouse,
    async close() {
      await warehouse.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** An event with nothing special about it, at an instant, of a visitor whose visit begins with it. */
export function eventAt(at: number, some: Partial<EventRow> = {}): EventRow {
  return {
    site_id: 1,
    time: warehouseTime(at),
    name: 'pageview',
    visitor_id: '1',
    visit_id: '1',
    id_day: warehouseDate(at),
    visit_start: warehouseTime(at),
    detached: 0,
    hostname: 'example.com',
    pathname: '/',
    title: '',
    referrer: '',
    source: '',
    utm_source: '',
    utm_medium: '',
    utm_campaign: '',
    utm_term: '',
    utm_content: '',
    click_id: '',
    channel: 'Direct',
    entry_hostname: '',
    entry_page: '',
    browser: '',
    browser_version: '',
    os: '',
    os_version: '',
    device: '',
    screen: '',
    country: '',
    region: '',
    city: '',
    latitude: 0,
    longitude: 0,
    props: {},
    revenue_amount: '0',
    revenue_currency: '',
    order_id: '',
    interactive: 1,
    scroll_depth: 255,
    engagement_ms: 0,
    import_id: 0,
    event_key: '0',
    ...some,
  };
}

let tokens = 0;
export async function storeEvents(warehouse: Warehouse, rows: readonly EventRow[]) {
  const lines = rows.map((row) => JSON.stringify(row)).join('\n');
  tokens += 1;
  await warehouse.insert('events', Buffer.from(`${lines}\n`), `test-${tokens}`);
}
