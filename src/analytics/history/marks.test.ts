import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { seedEvents } from '../../../bench/seed.ts';
import { stillClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { openTestWarehouse } from '../query/rig.ts';
import { openHistory } from './index.ts';

/** Rows that come, go or change while days are counted that were never counted before: no sum of a moment in between stays. */

let warehouse: Warehouse;
let close: () => Promise<void>;
const clock = stillClock(Date.UTC(2026, 2, 20, 12));
/** A site for each test. */
let site = 100;
const days = [17, 18, 19].map((day) => Date.UTC(2026, 2, day) / 86_400_000);

beforeAll(async () => {
  ({ warehouse, close } = await openTestWarehouse());
}, 120_000);
afterAll(() => close());
beforeEach(() => {
  site++;
});

const open = (more: { warehouse?: Warehouse; settledUntil?: () => number } = {}) =>
  openHistory({
    ...{ warehouse, clock, log: silentLog, settledUntil: () => clock.now() },
    sites: async () => [{ id: site, timezone: 'UTC', goals: [] }],
    ...more,
  });
let seed = 0;
/** Other events of three days each time. */
const come = (events: number) =>
  seedEvents(warehouse, { siteId: site, events, days: 3, until: '2026-03-20', seed: ++seed });
const countOf = async (of: 'events' | 'daily') => {
  const where = of === 'daily' ? "dimension = '' AND local_day = toDate(0)" : '1';
  const what = of === 'daily' ? 'sum(events)' : "countIf(name != 'engagement')";
  const [row] = await warehouse.read<{ n: string }>(
    `SELECT ${what} AS n FROM ${of} WHERE site_id = {site:UInt64} AND ${where}`,
    { site },
  );
  return Number(row?.n);
};
/** Runs something right before what was counted is written down: a count has read all it reads by then. */
function before(write: () => Promise<void>): Warehouse {
  return {
    ...warehouse,
    async insert(table, rows, token) {
      if (table === 'frozen_days' && token.includes(':frozen:')) await write();
      return warehouse.insert(table, rows, token);
    },
  };
}
type Opened = Awaited<ReturnType<typeof open>>;
/** What happens in the middle of its first count, once. */
async function openMeanwhile(happens: (history: Opened) => Promise<void>): Promise<Opened> {
  let isOver = false;
  const history: Opened = await open({
    warehouse: before(async () => {
      if (isOver) return;
      isOver = true;
      await happens(history);
    }),
  });
  return history;
}
async function countedAll(history: Opened): Promise<void> {
  clock.travel(61_000);
  await history.sweep();
  expect((await history.frozenDays(site)).frozen.size).toBe(3);
  expect(await countOf('daily')).toBe(await countOf('events'));
}

test('a day that is marked while it is counted for the first time is not believed, here or after a start', async () => {
  await come(300);
  const history = await openMeanwhile(async (one) => {
    await come(300);
    await one.markDirty(site, days, 'import');
  });
  const first = await countOf('events');
  await history.sweep();
  expect([await countOf('daily'), (await countOf('events')) > first]).toEqual([first, true]);
  for (const one of [history, await open()]) {
    const view = await one.frozenDays(site);
    expect([view.frozen.size, view.rebuilding.size]).toEqual([0, 0]);
  }
  await countedAll(history);
}, 60_000);

test('rows that are taken out while their days are counted for the first time are in no sum', async () => {
  await come(300);
  const history = await openMeanwhile(async (one) => {
    await one.markDirty(site, 'all', 'erasure');
    // What arrived is not less by that: nothing but the mark says that the sums are wrong.
    for (const table of ['events', 'visits'])
      await warehouse.command(
        `DELETE FROM ${table} WHERE site_id = {site:UInt64} AND cityHash64(visit_id) % 2 = 0`,
        { site },
        { purpose: 'test' },
      );
    await one.markDirty(site, 'all', 'erasure');
  });
  const all = await countOf('events');
  await history.sweep();
  expect(await countOf('events')).toBeLessThan(all);
  expect((await history.frozenDays(site)).frozen.size).toBe(0);
  await countedAll(history);
}, 60_000);

test('a day that was marked is first counted when it has been quiet, and the mark costs no row', async () => {
  await come(300);
  const history = await open();
  await history.markDirty(site, days, 'import');
  expect(await history.sweep()).toEqual({ sites: 0, days: 0 });
  await come(300);
  expect(await warehouse.read('SELECT count() AS n FROM frozen_days WHERE site_id = {site:UInt64}', { site })).toEqual([
    { n: '0' },
  ]);
  expect((await history.frozenDays(site)).rebuilding.size).toBe(0);
  await countedAll(history);
}, 60_000);

test('nothing is counted while rows of the process before are still on their way', async () => {
  await come(300);
  let settled = clock.now() - 5_000;
  const history = await open({ settledUntil: () => settled });
  expect(await history.sweep()).toEqual({ sites: 0, days: 0 });
  settled = clock.now();
  expect(await history.sweep()).toEqual({ sites: 1, days: 3 });
  // Later a row that waits for a moment holds nothing up.
  await come(300);
  clock.travel(600_000);
  settled = clock.now() - 5_000;
  await history.sweep();
  clock.travel(66_000);
  settled = clock.now() - 5_000;
  expect(await history.sweep()).toEqual({ sites: 1, days: 3 });
  expect(await countOf('daily')).toBe(await countOf('events'));
}, 60_000);

test('days whose rows are about to go are counted although they were marked a moment before, and refuse where they cannot be', async () => {
  await come(300);
  let isMarked = false;
  const history = await open({
    warehouse: before(async () => {
      if (isMarked) await history.markDirty(site, days, 'late');
    }),
  });
  await history.markDirty(site, days, 'import');
  // Somebody marks each time that it is counted: what was counted is not known to be right, and the rows stay.
  isMarked = true;
  await expect(history.outlive(site, (days[2] ?? 0) + 1)).rejects.toThrow('3 days');
  isMarked = false;
  await history.outlive(site, (days[2] ?? 0) + 1);
  expect(await countOf('daily')).toBe(await countOf('events'));
  const rows = await warehouse.read(
    'SELECT DISTINCT state, reason FROM frozen_days FINAL WHERE site_id = {site:UInt64}',
    {
      site,
    },
  );
  expect(rows).toEqual([{ state: 'frozen', reason: 'outlived' }]);
}, 60_000);
