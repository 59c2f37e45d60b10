import { afterAll, beforeAll, expect, test } from 'vitest';
import { seedEvents } from '../../../bench/seed.ts';
import { openTestPostgres, type TestPostgres } from '../../../test/stores.ts';
import { stillClock, systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { openTestWarehouse } from '../query/rig.ts';
import { aloneIn, openHistory } from './index.ts';

let store: TestPostgres;
let warehouse: Warehouse;
let close: () => Promise<void>;

beforeAll(async () => {
  store = await openTestPostgres();
  ({ warehouse, close } = await openTestWarehouse());
}, 120_000);
afterAll(async () => {
  await close();
  await store.close();
});

test('two processes that find the same closed days count them once', async () => {
  await seedEvents(warehouse, { siteId: 7, events: 500, days: 2, until: '2026-03-20' });
  const clock = stillClock(Date.UTC(2026, 2, 20, 12));
  const open = () =>
    openHistory({
      warehouse,
      clock,
      log: silentLog,
      sites: async () => [{ id: 7, timezone: 'UTC', goals: [] }],
      settledUntil: () => clock.now(),
      alone: aloneIn(store.postgres, systemClock),
    });
  const [one, other] = [await open(), await open()];
  const [first, second] = await Promise.all([one.sweep(), other.sweep()]);
  expect(first.days + second.days).toBe(2);
  const [counted] = await warehouse.read<{ frozen: string; live: string }>(
    `SELECT (SELECT sum(visitors) FROM daily WHERE site_id = 7 AND dimension = '' AND local_day = toDate(0)) AS frozen,
       (SELECT uniqExact(visitor_id) FROM events WHERE site_id = 7) AS live`,
  );
  expect(counted?.frozen).toBe(counted?.live);
  expect(Number(counted?.live)).toBeGreaterThan(0);
  // The one that came too late finds the days in the register, and nothing to do.
  expect(await other.sweep()).toEqual({ sites: 0, days: 0 });
  expect((await other.frozenDays(7)).frozen.size).toBe(2);
}, 120_000);

test('the name is free again when the work has ended, also in an error', async () => {
  const alone = aloneIn(store.postgres, systemClock);
  await expect(alone('a', () => Promise.reject(new Error('the work failed')))).rejects.toThrow('the work failed');
  const inside = await alone('a', async (held) => [
    held(),
    await alone('a', async () => 1),
    await alone('b', async () => 2),
  ]);
  expect(inside).toEqual([true, undefined, 2]);
}, 60_000);
