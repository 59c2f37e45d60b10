/**
 * Asks what the overview asks, of a warehouse with as many events as it is told, and prints medians and p95:
 *
 *     node bench/query.ts --events 10000000 [--data <directory that is kept>] [--rounds 30]
 *
 * The site has ninety closed days and half of today. The directory is filled on first use and reused after.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openHistory } from '../src/analytics/history/index.ts';
import { type QueryOutcome, runBatch } from '../src/analytics/query/index.ts';
import { type Clock, systemClock } from '../src/platform/clock.ts';
import type { Config } from '../src/platform/config.ts';
import type { Log } from '../src/platform/log.ts';
import { migrateWarehouse, openWarehouse, type Warehouse } from '../src/platform/warehouse/index.ts';
import { seedEvents } from './seed.ts';

const { values: given } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    data: { type: 'string' },
    rounds: { type: 'string', default: '30' },
  },
});
const rounds = Number(given.rounds);
const until = '2026-11-26';
const now = Date.parse('2026-11-25T12:00:00Z');
const site = { id: 1, domain: 'www.example.com', timezone: 'Europe/Berlin', currency: 'EUR' };
const goals = [
  { name: 'Signup', kind: 'event', match: 'Signup', currency: null },
  { name: 'Purchase', kind: 'event', match: 'purchase', currency: 'EUR' },
  { name: 'Blog', kind: 'page', match: '/blog**', currency: null },
] as const;
const nothing = () => {};
const log: Log = { info: nothing, warn: console.error, error: console.error };
const clock: Clock = { ...systemClock, now: () => now };

const dataDir = given.data ?? (await mkdtemp(join(tmpdir(), 'fairlead-bench-')));
const fresh = !existsSync(join(dataDir, 'warehouse'));
await mkdir(dataDir, { recursive: true });
const warehouse = await openWarehouse({ config: { dataDir } as unknown as Config, clock: systemClock, log });
try {
  await run(warehouse);
} finally {
  await warehouse.close();
  if (given.data === undefined) await rm(dataDir, { recursive: true, force: true });
}

async function run(store: Warehouse) {
  await migrateWarehouse(
    store,
    [{ subject: 'analytics', directory: new URL('../src/analytics/migrations/warehouse/', import.meta.url) }],
    { clock, log },
  );
  if (fresh) await seedEvents(store, { siteId: site.id, events: Number(given.events), days: 91, until });
  const history = await openHistory({
    warehouse: store,
    clock,
    log,
    sites: async () => [site],
    settledUntil: () => now,
  });
  await history.sweep();
  const frozenDays = await history.frozenDays(site.id);
  const [size] = await store.read<{ events: string }>('SELECT count() AS events FROM events');
  console.log(`${size?.events} events, ${frozenDays.frozen.size} frozen days, ${rounds} rounds each\n`);
  console.log('| question | median ms | p95 ms |\n|---|---|---|');
  for (const [name, queries] of Object.entries(questions())) {
    const times: number[] = [];
    for (let round = 0; round < rounds + 2; round++) {
      const began = performance.now();
      const outcomes = await runBatch({ site, goals, warehouse: store, frozenDays, now, requests: queries });
      const took = performance.now() - began;
      outcomes.forEach(refuseProblem);
      // The first two open files and compile expressions; a running server has done that.
      if (round >= 2) times.push(took);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => (times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0).toFixed(0);
    console.log(`| ${name} | ${at(0.5)} | ${at(0.95)} |`);
  }
  await history.stop();
}

function refuseProblem(outcome: QueryOutcome) {
  if ('problem' in outcome) throw new Error(outcome.problem.message);
}

function questions(): Record<string, unknown[]> {
  // Ninety days that end today, so that today is always read live.
  const range = ['2026-08-28', '2026-11-25'];
  const comparisons = { mode: 'previous_period', match_day_of_week: true };
  const metrics = ['visitors', 'visits', 'pageviews', 'views_per_visit', 'bounce_rate', 'visit_duration'];
  const list = (dimension: string, filters: unknown[], listed = ['visitors', 'percentage']) => ({
    site_id: site.domain,
    date_range: range,
    metrics: listed,
    dimensions: [dimension],
    filters,
    pagination: { limit: 9, offset: 0 },
  });
  const overview = (filters: unknown[]) => [
    { site_id: site.domain, date_range: range, metrics, filters, include: { comparisons } },
    {
      site_id: site.domain,
      date_range: range,
      metrics: ['visitors', 'pageviews'],
      dimensions: ['time:day'],
      filters,
      include: { comparisons, time_labels: true },
    },
    ...['visit:source', 'visit:channel', 'visit:utm_campaign', 'event:page', 'visit:country', 'visit:device'].map(
      (dimension) => list(dimension, filters),
    ),
  ];
  const country = [['is', 'visit:country', ['DE']]];
  const broad = [['is', 'visit:device', ['Desktop']]];
  const page = [['contains', 'event:page', ['/blog/']]];
  return {
    'overview, unfiltered': overview([]),
    'overview, country is DE': overview(country),
    'overview, device is Desktop (most visits)': overview(broad),
    'overview, page contains /blog/': overview(page),
    'a further list, browsers, unfiltered': [list('visit:browser', [])],
    'a further list, browsers, device is Desktop': [list('visit:browser', broad)],
    'a further list, pages with all numbers, unfiltered': [
      list('event:page', [], ['visitors', 'pageviews', 'bounce_rate', 'time_on_page', 'scroll_depth']),
    ],
    'a further list, pages, device is Desktop': [list('event:page', broad)],
    'goals with rate and revenue, unfiltered': [
      list('event:goal', [], ['visitors', 'events', 'conversion_rate', 'total_revenue']),
    ],
    'hours of today': [
      { site_id: site.domain, date_range: 'day', metrics: ['visitors', 'pageviews'], dimensions: ['time:hour'] },
    ],
  };
}
