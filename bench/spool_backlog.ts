import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { awakeClock, systemClock } from '../src/platform/clock.ts';
import { openLog, silentLog } from '../src/platform/log.ts';
import { seededRandom, systemRandom } from '../src/platform/random.ts';
import { openSpool } from '../src/platform/spool/index.ts';
import { migrateWarehouse, openWarehouse } from '../src/platform/warehouse/index.ts';

/**
 * How fast the spool empties into the embedded warehouse after an outage, while 5,000 events a second go on arriving.
 *
 *   UV_THREADPOOL_SIZE=16 node bench/spool_backlog.ts [rows in the backlog] [directory]
 */
const rows = Number(process.argv[2] ?? 600_000);
const perSecond = 5_000;
const dir = mkdtempSync(join(process.argv[3] ?? '.', '.bench-backlog-'));
const house = { clock: awakeClock(systemClock), log: openLog(systemClock) };
const warehouse = await openWarehouse({
  config: { dataDir: dir, clickhouseUrl: undefined, clickhouseCluster: undefined },
  ...house,
});
const directory = new URL('../src/analytics/migrations/warehouse/', import.meta.url);
await migrateWarehouse(warehouse, [{ subject: 'analytics', directory }], {
  clock: awakeClock(systemClock),
  log: silentLog,
});

const random = seededRandom('backlog');
const paths = Array.from({ length: 500 }, (_, i) => `/articles/${random.bytes(6).toString('hex')}-${i}`);
let visitor = random.uint64();
let serial = 0;
/** Visits of three events, 700 bytes a row, as ingest writes them. */
function row(): string {
  if (serial++ % 3 === 0) visitor = random.uint64();
  const time = new Date(Date.now()).toISOString().replace('T', ' ').slice(0, 23);
  const path = paths[serial % paths.length];
  return JSON.stringify({
    ...{ site_id: 1, time, name: 'pageview', visitor_id: String(visitor), visit_id: String(visitor ^ 1n) },
    ...{ id_day: time.slice(0, 10), visit_start: time, detached: 0, hostname: 'example.com', pathname: path },
    ...{ title: `The page ${path}`, referrer: 'www.google.com/', source: 'Google', utm_source: '', utm_medium: '' },
    ...{ utm_campaign: '', utm_term: '', utm_content: '', click_id: '', channel: 'Organic Search' },
    ...{ entry_hostname: 'example.com', entry_page: path, browser: 'Chrome', browser_version: '141.0', os: 'Windows' },
    ...{ os_version: '11', device: 'Desktop', screen: '1440x900', country: 'DE', region: 'DE-BE', city: 'Berlin' },
    ...{ latitude: 52.5, longitude: 13.4, props: {}, revenue_amount: '0', revenue_currency: '', order_id: '' },
    ...{ interactive: 1, scroll_depth: 255, engagement_ms: 0, import_id: 0, event_key: '0' },
  });
}

const spool = await openSpool({ dir, lanes: ['events'], random: systemRandom, ...house });
const lane = spool.lane('events');
let isAway = true;
spool.startLoading([
  {
    ...{ name: 'warehouse', lane: 'events' },
    async deliver(_segment, bytes, token) {
      if (isAway) throw new Error('The outage that is measured.');
      await warehouse.insert('events', bytes, token);
    },
  },
]);

let appended = 0;
while (appended < rows) {
  const portion: Promise<void>[] = [];
  for (let i = 0; i < 1_000; i++, appended++) portion.push(lane.append(row()));
  await Promise.all(portion);
}
console.log(`backlog: ${appended} rows, ${(spool.bytes() / 1e6).toFixed(0)} MB, ${spool.segments()} segments`);

isAway = false;
const start = performance.now();
let arrived = 0;
const feed = setInterval(() => {
  for (const due = ((performance.now() - start) / 1000) * perSecond; arrived < due; arrived++) void lane.append(row());
}, 10);
while (spool.lagMs() > 3_000) await new Promise((resolve) => setTimeout(resolve, 50));
const seconds = (performance.now() - start) / 1000;
clearInterval(feed);
console.log(
  `caught up (3 s behind) in ${seconds.toFixed(1)} s with ${perSecond} /s arriving: ` +
    `${Math.round((rows + arrived) / seconds)} rows/s, ${((rows + arrived) / seconds / perSecond).toFixed(1)} times the arrivals`,
);
await spool.drain(60_000);
const [stored] = await warehouse.read<{ rows: string }>('SELECT count() AS rows FROM events');
console.log(`appended ${appended + arrived}, stored ${stored?.rows}`);
await spool.close();
await warehouse.close();
rmSync(dir, { recursive: true });
