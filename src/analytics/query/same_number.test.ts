import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueryAnswer } from '../../../contract/query.ts';
import { some } from '../../../test/depth.ts';
import { stillClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import type { EventRow } from '../event_row.ts';
import type { metricFacts } from '../facts.ts';
import { historyLimits, openHistory } from '../history/index.ts';
import { openPackedDays } from '../packed/index.ts';
import { openKeptSums } from './kept_sums.ts';
import { type Goal, parseQuery } from './parse.ts';
import { randomGoals as goals, randomQuestion, randomZones as zones } from './random_questions.ts';
import { pick, randomSite, repeatable } from './random_site.ts';
import { bucketsOf, resolveRange, stepFor } from './range.ts';
import { type ReferenceRow, referenceRows } from './reference.ts';
import { openTestWarehouse, storeEvents } from './rig.ts';
import { type QueryOutcome, runBatch, runQuery } from './run.ts';
import { sitesToWarm, warm } from './warm.ts';

/**
 * Whichever table answers, the number is the one that the definitions give on the raw events. Sites and questions
 * are random but repeatable; a failure prints its seed and question.
 */
const from = Date.UTC(2026, 9, 23);
const now = Date.UTC(2026, 9, 28, 12);
let warehouse: Warehouse;
let close: () => Promise<void>;
const sites: EventRow[][] = [];

beforeAll(async () => {
  ({ warehouse, close } = await openTestWarehouse());
  for (const seed of [1, 2, 3]) {
    const rows = randomSite(seed, { from, days: 5, visitors: seed === 3 ? 25 : 120, comeAgain: seed !== 2 }).map(
      (row) => ({
        ...row,
        site_id: seed,
      }),
    );
    sites.push(rows);
    // In several parts, so that a visit lies in pieces until its day is merged.
    const half = Math.floor(rows.length / 2);
    await storeEvents(warehouse, rows.slice(0, half));
    await storeEvents(warehouse, rows.slice(half));
  }
});
afterAll(() => close());

describe('every path gives the number of the definitions', () => {
  test.each(
    some(
      3,
      Array.from({ length: 12 }, (_, at) => at + 1),
    ),
  )('random questions, seed %i', async (seed) => {
    const random = repeatable(seed * 7919);
    for (let number = 0; number < 14; number++) {
      const site = pick(random, [1, 2, 3]);
      const timezone = pick(random, zones);
      const request = { ...randomQuestion(random), include: { decimals: number % 2 === 1 } };
      const label = JSON.stringify({ seed, number, site, timezone, request });
      const house = {
        site: { id: site, domain: 'example.com', timezone, currency: 'EUR' },
        ...{ goals, warehouse, now, request },
      };
      const outcome = await runQuery(house);
      if ('problem' in outcome) throw new Error(`${label}: ${outcome.problem.message}`);
      expect(rowsOf(await runQuery({ ...house, sumRowsMax: 0 })), label).toEqual(outcome.results);
      expect(answered(outcome), label).toEqual(expected(request, sites[site - 1] ?? [], timezone, outcome));
    }
  });
});

/** Filters that frozen rows can answer when the list is by the same thing or by nothing, and such as they cannot. */
const frozenFilters: unknown[][] = [
  [['is', 'visit:source', ['Google']]],
  [['is', 'visit:source', ['Direct / None']]],
  [['is', 'visit:source', ['Google', 'Bing']]],
  [['is', 'visit:source', ['google'], { case_sensitive: false }]],
  [['is_not', 'visit:utm_campaign', ['(not set)']]],
  [['is', 'visit:country_name', ['Germany']]],
  [['is', 'visit:country', ['DE']]],
  [['not', ['is', 'visit:channel', ['Direct']]]],
  [['is', 'event:page', ['/blog']]],
  [['contains', 'event:page', ['blog']]],
  [['is', 'event:name', ['Signup']]],
  [['is', 'visit:exit_page', ['/']]],
  [['is', 'event:name', ['purchase']]],
  [['is', 'event:goal', ['Blog']]],
  [['is', 'event:goal', ['Dollars', 'Post']]],
  [['is', 'event:goal', ['Pro signup']]],
  [['is', 'event:goal', ['Read half']]],
  [['is', 'event:goal', ['Read to the end', 'Signup']]],
  [
    ['is', 'visit:device', ['Mobile']],
    ['is_not', 'visit:device', ['Desktop']],
  ],
];

/** What the dashboard asks most. Ranges of whole days, and such as end within one. */
const frozenQuestion = (random: () => number) => {
  const listed = pick(random, [
    'visit:source',
    'visit:country_name',
    ['visit:region', 'visit:region_name'],
    ['visit:country_name', 'visit:country'],
    ['visit:country', 'visit:device'],
    'visit:exit_page',
    'visit:entry_page_hostname',
    'visit:device',
    'event:page',
    'event:hostname',
    'event:name',
    'visit:utm_campaign',
    'event:goal',
    'event:goal',
  ]);
  const dimensions = [
    ...(random() < 0.5 ? [pick(random, ['time:day', 'time:week', 'time:month', 'time:hour'])] : []),
    ...(random() < 0.7 ? [listed].flat() : []),
  ];
  const filters = random() < 0.5 ? [] : pick(random, frozenFilters);
  const paged = dimensions.includes('event:page');
  const metrics = [
    'visitors',
    'visits',
    'pageviews',
    'events',
    'bounce_rate',
    'visit_duration',
    'views_per_visit',
    'total_revenue',
    'average_revenue',
  ].filter(() => random() < 0.5);
  return {
    site_id: 'example.com',
    metrics: metrics.length === 0 ? ['visitors'] : [...metrics, ...(paged ? ['scroll_depth', 'time_on_page'] : [])],
    dimensions,
    filters,
    date_range: pick<string | [string, string]>(random, [
      ['2026-10-20', '2026-10-28'],
      ['2026-10-24', '2026-10-26'],
      ['2026-10-25', '2026-10-25'],
      ['2026-10-26', '2026-10-28'],
      // Ends within a day, as the comparison of a day that still runs does; cuts both ends; the hours of a changed clock.
      ['2026-10-21T00:00:00', '2026-10-27T15:29:59'],
      ['2026-10-23T20:15:00', '2026-10-26T04:44:59'],
      ['2026-10-25T00:00:00', '2026-10-25T23:59:59'],
      'all',
      'month',
      '3d',
      '24h',
    ]),
    include: { explain: true },
  };
};

/** Totals and steps of a page with what was read of it, and lists that only its events can tell. */
const overviewOf = (page: string) => {
  const asked = {
    ...{ site_id: 'example.com', date_range: ['2026-10-25', '2026-10-27'] },
    ...{ filters: [['is', 'event:page', [page]]], include: { explain: true } },
  };
  const compared = { ...asked, date_range: ['2026-10-24', '2026-10-26'] };
  const metrics = ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration', 'scroll_depth', 'time_on_page'];
  return [
    { ...asked, metrics },
    { ...asked, metrics, dimensions: ['time:day'] },
    { ...compared, metrics },
    { ...asked, metrics: ['visitors', 'pageviews'], dimensions: ['visit:source'] },
    { ...compared, filters: [...asked.filters, ['is', 'event:name', ['purchase']]], metrics: ['events'] },
  ];
};

describe('frozen days give the same numbers as reading live', () => {
  test('in every zone, with some days open and some being counted again', async () => {
    let zone = 'UTC';
    let goalsFrozen = goals;
    const clock = stillClock(now);
    const history = await openHistory({
      warehouse,
      clock,
      log: silentLog,
      sites: async () => [1, 2, 3].map((id) => ({ id, timezone: zone, goals: goalsFrozen })),
      settledUntil: () => clock.now(),
      onGoals: (siteId, changes) => packed.carry(siteId, changes),
    });
    const dataDir = mkdtempSync(join(tmpdir(), 'packed-'));
    const packed = openPackedDays(
      { config: { dataDir }, clock, log: silentLog, warehouse },
      { sites: () => [1, 2, 3], frozenDays: history.frozenDays, eventsMin: 1 },
    );
    const random = repeatable(4711);
    const kept = openKeptSums();
    let packedParts = 0;
    let frozenDays = 0;
    let keptParts = 0;
    for (const next of some(3, zones)) {
      zone = next;
      // Goals that are made later are counted into days that stay frozen, or are read live where that has not been done.
      goalsFrozen = goals.slice(0, 2);
      // A moved zone makes days dirty; they are counted again after the quiet time.
      await history.sweep();
      clock.travel(historyLimits.quietMs + 1000);
      await history.sweep();
      if (zone !== 'UTC') {
        goalsFrozen = goals;
        await history.sweep();
      }
      await history.markDirty(2, [Math.floor(from / 86_400_000) + 2], 'erasure');
      await packed.sweep();
      for (let number = 0; number < 14; number++) {
        const site = pick(random, [1, 2, 3]);
        const asked = frozenQuestion(random);
        const request = { ...asked, include: { ...asked.include, decimals: number % 2 === 1 } };
        const label = JSON.stringify({ zone, number, site, request });
        const house = {
          site: { id: site, domain: 'example.com', timezone: zone, currency: 'EUR' },
          ...{ goals, warehouse, now, request },
          ...{ kept, frozenDays: await history.frozenDays(site) },
        };
        const outcome = await runQuery(house);
        if ('problem' in outcome) throw new Error(`${label}: ${outcome.problem.message}`);
        const again = await runQuery(house);
        expect(rowsOf(again), label).toEqual(outcome.results);
        keptParts += partsWhere(again, (part) => part.kept === true);
        // Added up, ordered and cut by the engine: the dearest of the ways, so each third question takes it.
        if (number % 3 === 0)
          expect(rowsOf(await runQuery({ ...house, sumRowsMax: 0, kept: undefined })), label).toEqual(outcome.results);
        if (request.filters.length > 0) {
          const counted = await runQuery({ ...house, kept: undefined, packed });
          expect(rowsOf(counted), label).toEqual(outcome.results);
          packedParts += partsWhere(counted, (part) => part.table === 'packed');
        }
        frozenDays += (outcome.meta.explain as { days: { frozen: number } }).days.frozen;
        expect(answered(outcome), label).toEqual(expected(request, sites[site - 1] ?? [], zone, outcome));
      }
      const house = {
        site: { id: 1, domain: 'example.com', timezone: zone, currency: 'EUR' },
        ...{ goals, warehouse, now, frozenDays: await history.frozenDays(1) },
      };
      for (const page of ['/blog', '/']) {
        const requests = overviewOf(page);
        const plain = await runBatch({ ...house, requests });
        const counted = await runBatch({ ...house, requests, kept: openKeptSums(), packed });
        expect(counted.map(rowsOf), `${zone} ${page}`).toEqual(plain.map(rowsOf));
        // Beside lists that need the packed days, totals of a page are counted there as well: not read in `daily`.
        expect(counted.map((one) => partsWhere(one, ({ table }) => table === 'daily'))).toEqual([0, 0, 0, 0, 0]);
        expect(partsWhere(counted[0] as QueryOutcome, ({ table }) => table === 'packed')).toBeGreaterThan(0);
      }
    }
    // The test would prove nothing if no question had been answered from frozen days, or none from memory.
    expect(frozenDays).toBeGreaterThan(20);
    expect(keptParts).toBeGreaterThan(11);
    expect(packedParts).toBeGreaterThan(3);
    await history.stop();
    await packed.stop();
    rmSync(dataDir, { recursive: true });
  }, 240_000);
});

test('a range reads of its frozen days only what no earlier one has left, and a day that has changed', async () => {
  // Later than all that the test before has written about these days.
  const clock = stillClock(now + 7 * 86_400_000);
  const history = await openHistory({
    ...{ warehouse, clock, log: silentLog },
    sites: async () => [{ id: 1, timezone: 'UTC', goals }],
    settledUntil: () => clock.now(),
  });
  // Days of another zone are dirty now, and are counted again after the quiet time.
  await history.sweep();
  clock.travel(historyLimits.quietMs + 1000);
  await history.sweep();
  const held = openKeptSums();
  const ask = async (first: string, last: string, kept = held) => {
    const outcome = await runQuery({
      site: { id: 1, domain: 'example.com', timezone: 'UTC', currency: 'EUR' },
      ...{ goals, warehouse, now, kept, frozenDays: await history.frozenDays(1) },
      request: {
        ...{ site_id: 'example.com', metrics: ['visitors', 'pageviews'], dimensions: ['event:page'] },
        ...{ date_range: [first, last], include: { explain: true } },
      },
    });
    if ('problem' in outcome) throw new Error(outcome.problem.message);
    const { parts } = outcome.meta.explain as { parts: { table: string; days: number; kept?: boolean }[] };
    const frozen = parts.filter(({ table }) => table === 'daily');
    return frozen.map((part) => `${part.kept === true ? 'kept' : 'read'} ${part.days}`);
  };
  // Of the last day a piece: visits last over midnight.
  expect(await ask('2026-10-24', '2026-10-26')).toEqual(['read 3']);
  expect(await ask('2026-10-24', '2026-10-26')).toEqual(['kept 3']);
  expect(await ask('2026-10-23', '2026-10-26')).toEqual(['kept 3', 'read 1']);
  await history.markDirty(1, [Date.UTC(2026, 9, 25) / 86_400_000], 'erasure');
  expect(await ask('2026-10-24', '2026-10-26')).toEqual(['kept 2']);
  clock.travel(historyLimits.quietMs + 1000);
  await history.sweep();
  expect(await ask('2026-10-24', '2026-10-26')).toEqual(['kept 2', 'read 1']);
  // What is read before anybody asks is what the first reader's question would have read.
  expect(await sitesToWarm(warehouse, { eventsMin: 1, sitesMax: 2 })).toHaveLength(2);
  expect(await sitesToWarm(warehouse)).toEqual([]);
  const early = openKeptSums();
  await warm(1, { frozenDays: await history.frozenDays(1), kept: early, warehouse });
  expect(await ask('2026-10-23', '2026-10-29', early)).toEqual(['kept 5']);
  await history.stop();
});

function rowsOf(outcome: QueryOutcome): QueryAnswer['results'] {
  if ('problem' in outcome) throw new Error(outcome.problem.message);
  return outcome.results;
}

/** How many parts of an answer are such. */
function partsWhere(outcome: QueryOutcome, isSuch: (part: { table: string; kept?: boolean }) => boolean): number {
  if ('problem' in outcome) throw new Error(outcome.problem.message);
  return (outcome.meta.explain as { parts: { table: string; kept?: boolean }[] }).parts.filter(isSuch).length;
}

/** Rows by their labels; order is the subject of other tests. */
const answered = (outcome: QueryAnswer) =>
  Object.fromEntries(outcome.results.map((row) => [row.dimensions.join(' | '), row.metrics.map(plain)]));

const plain = (cell: QueryAnswer['results'][number]['metrics'][number]) =>
  typeof cell === 'object' && cell !== null ? cell.value : cell;

function expected(request: unknown, events: readonly EventRow[], zone: string, outcome: QueryAnswer) {
  const query = parseQuery(request, goals);
  if ('problem' in query) throw new Error(query.problem.message);
  const firstEvent = Math.min(...events.map((event) => Date.parse(`${event.time.replace(' ', 'T')}Z`)));
  const range = resolveRange(query.range, { zone, now, firstEvent });
  if (typeof range === 'string') throw new Error(range);
  const time = query.dimensions.find((dimension) => dimension.kind === 'time');
  const buckets = time === undefined ? [] : bucketsOf(range, time.step ?? stepFor(range));
  if (typeof buckets === 'string') throw new Error(buckets);
  const inView = goals.filter((goal) =>
    query.filters.every((filter) => filter.kind !== 'goal' || filter.goals.includes(goal)),
  );
  const single = currencyInView(query, inView);
  const rows = referenceRows(events, { query, range, buckets, goals: inView, currency: single ?? '-' });
  return Object.fromEntries(
    rows.map((row) => [
      row.dimensions.join(' | '),
      query.metrics.map((metric) => {
        if (Object.hasOwn((outcome.meta.metric_warnings as object) ?? {}, metric)) return null;
        return metricOf(
          metric,
          row,
          single !== undefined || hasOwnCurrency(query, row, inView),
          query.include.decimals,
        );
      }),
    ]),
  );
}

type Asked = Exclude<ReturnType<typeof parseQuery>, { problem: unknown }>;

function currencyInView(query: Asked, inView: readonly Goal[]): string | undefined {
  if (query.dimensions.some((dimension) => dimension.kind === 'goal')) return undefined;
  if (!JSON.stringify(query.asked.filters ?? []).includes('event:goal')) return 'EUR';
  const currencies = new Set(inView.flatMap((goal) => goal.currency ?? []));
  return currencies.size === 1 ? [...currencies][0] : undefined;
}

function hasOwnCurrency(query: Asked, row: ReferenceRow, inView: readonly Goal[]): boolean {
  const at = query.dimensions.findIndex((dimension) => dimension.kind === 'goal');
  return at >= 0 && inView.some((goal) => goal.name === row.dimensions[at] && goal.currency !== null);
}

function metricOf(
  metric: keyof typeof metricFacts,
  { atoms }: ReferenceRow,
  earns: boolean,
  decimals: boolean,
): number | null {
  const half = (over: number, under: number) => (under === 0 ? 0 : Math.floor((2 * over + under) / (2 * under)));
  const rate = (over: number, under: number) => (decimals ? half(100 * over, under) / 100 : half(over, under));
  switch (metric) {
    case 'views_per_visit':
      return half(100 * atoms.pageviews, atoms.visits) / 100;
    case 'bounce_rate':
      return rate(100 * atoms.bounces, atoms.visits);
    case 'visit_duration':
      return half(atoms.duration, atoms.visits);
    case 'scroll_depth':
      return atoms.scroll_visits === 0 ? null : rate(atoms.scroll, atoms.scroll_visits);
    case 'time_on_page':
      return atoms.engaged_visits === 0 ? null : half(atoms.engagement, 1000 * atoms.engaged_visits);
    case 'total_revenue':
      return earns ? atoms.revenue / 1000 : null;
    case 'average_revenue':
      return earns && atoms.revenue_events > 0 ? half(atoms.revenue, atoms.revenue_events) / 1000 : null;
    default:
      return atoms[metric as 'visitors'];
  }
}
