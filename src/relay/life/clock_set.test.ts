import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openDataManagerEmulator } from '../../../emulators/data_manager.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, root, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import { systemRandom } from '../../platform/random.ts';
import { ringOf } from '../../trust/keys/index.ts';
import { askResults } from '../deliveries/results.ts';
import { order } from '../destinations/senders_fixture.ts';
import { loadSegment } from '../intake/loader.ts';
import { makeRecord, recordLine } from '../intake/record.ts';
import { followClock } from './clock_set.ts';

/** The wall clock is set while the relay runs: what it has written down by the clock before goes on as if nothing had been. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
const keys = ringOf(root);
let meta: Emulated;
let google: Emulated;
let house: SendingHouse;
let stop = () => {};
/** How often it was said that something may be due. */
let woken = 0;
beforeAll(async () => {
  const parts = { now: () => clock.now(), chance: () => 0.5 };
  meta = await openMetaEmulator({ ...parts, datasets: ['1234567890'], tokens: { token: 'valid' } });
  google = await openDataManagerEmulator({
    ...{ ...parts, accounts: { '1234567890': ['555'] }, processingMs: minuteMs },
    tokens: { token: ['https://www.googleapis.com/auth/datamanager'] },
  });
  house = await openSendingHouse({ clock, baseUrls: { 'meta-capi': meta.url, 'google-data-manager': google.url } });
});
afterAll(() => Promise.all([meta.close(), google.close(), house.close()]));
beforeEach(() => {
  for (const each of [meta, google]) each.admin('POST', '/reset', {});
  woken = 0;
  stop = followClock({ postgres: house.store.postgres, clock, log: house.senders.log }, () => void woken++);
});
afterEach(() => stop());

let number = 0;
const toMeta = () => house.addDestination('meta-capi', { dataset_id: '1234567890' });
const many = (count: number) =>
  Array.from({ length: count }, () => ({
    given: {
      ...{ ...order, order_id: `C-${++number}` },
      occurred_at: new Date(clock.now() - 3 * hourMs).toISOString(),
    },
  }));
const states = async (to: number) => (await house.rows(to)).map(({ state }) => state);
const counted = (emulator: Emulated) =>
  (emulator.admin('GET', '/counted') as { counted: { received: number }[] }).counted.map(({ received }) => received);
/** Sets the wall clock, and waits until that is seen and done. */
async function setBy(ms: number): Promise<void> {
  // The look of the last travel has ended, and the next one is due in half a second.
  await new Promise((resolve) => setImmediate(resolve));
  const before = woken;
  clock.set(clock.now() + ms);
  clock.travel(500);
  await vi.waitFor(() => expect(woken).toBe(before + 1), { timeout: 10_000, interval: 10 });
}
async function later(ms: number): Promise<void> {
  clock.travel(ms);
  await house.lanes.idle();
}

it('what waits for its next try waits no longer where the clock is set back, and is tried once where it is set forward', async () => {
  for (const ms of [-2 * hourMs, 2 * hourMs]) {
    const to = await toMeta();
    await house.add([to], many(3));
    meta.admin('POST', '/reset', {});
    meta.admin('POST', '/next', [{ chaos: 'html_502' }]);
    await house.lanes.idle();
    expect(await states(to)).toEqual(['waiting', 'waiting', 'waiting']);
    // What came in the last moment, and nothing was sent of yet.
    await house.add([to], many(1));
    await setBy(ms);
    await later(21_000);
    expect(await states(to)).toEqual(Array(4).fill('accepted'));
    expect(counted(meta)).toEqual([1, 1, 1, 1]);
  }
});

it('a pause of hours is as long as it was', async () => {
  const to = await house.addDestination('google-data-manager', {
    ...{ customer_id: '1234567890', conversion_action_id: '555' },
  });
  await house.add([to], many(1));
  google.admin('POST', '/next', [
    { status: 429, headers: { 'retry-after': String(3 * 3_600) }, body: { error: { status: 'RESOURCE_EXHAUSTED' } } },
  ]);
  await house.lanes.idle();
  await setBy(-2 * hourMs);
  await later(3 * hourMs - minuteMs);
  expect(await states(to)).toEqual(['waiting']);
  await later(2 * minuteMs);
  expect(await states(to)).toEqual(['accepted']);
});

it('what is being sent as the clock is set is not sent twice, and what a dead process had goes once its lease is over', async () => {
  const to = await toMeta();
  await house.add([to], many(1));
  meta.admin('POST', '/next', [{ chaos: 'latency', ms: 0, isHeld: true }]);
  const turn = house.lanes.idle();
  await vi.waitFor(async () => expect(await states(to)).toEqual(['sending']), { interval: 10 });
  await vi.waitFor(() => expect(meta.admin('GET', '')).toMatchObject({ received: 1 }), { interval: 10 });
  const dead = await toMeta();
  await house.add([dead], many(1));
  await house.inside((sql) =>
    sql.run(`UPDATE relay_deliveries SET state = 'sending', next_at = $2 WHERE destination_id = $1`, [
      ...[dead, new Date(clock.now() + 5 * minuteMs)],
    ]),
  );
  await setBy(-2 * hourMs);
  meta.admin('POST', '/release', {});
  await turn;
  expect(await states(to)).toEqual(['accepted']);
  await later(minuteMs);
  expect([await states(to), await states(dead)]).toEqual([['accepted'], ['sending']]);
  const before = woken;
  clock.travel(5 * minuteMs);
  await vi.waitFor(() => expect(woken).toBe(before + 1), { timeout: 10_000, interval: 10 });
  await house.lanes.idle();
  expect(await states(dead)).toEqual(['accepted']);
  expect(counted(meta)).toEqual([1, 1]);
});

it('a result is asked for as soon as it would have been', async () => {
  const to = await house.addDestination('google-data-manager', {
    ...{ customer_id: '1234567890', conversion_action_id: '555' },
  });
  await house.add([to], many(1));
  await house.lanes.idle();
  await setBy(-2 * hourMs);
  google.admin('POST', '/clock', { skew: 2 * hourMs });
  clock.travel(2 * minuteMs);
  await askResults(house.senders);
  expect((await house.rows(to)).map((row) => row.platform_result)).toEqual(['SUCCESS']);
});

it('the same words within ten minutes are one conversion, and after them another one, however the clock is set', async () => {
  const { source } = await house.addShop([['meta-capi', { dataset_id: '1234567890' }]]);
  async function tell(words: string, agoMs = 0): Promise<void> {
    const at = clock.now() - agoMs;
    const record = makeRecord(
      { event_name: words, occurred_at: '2026-11-30T01:00:00Z', value: '1', currency: 'EUR' },
      {
        ...{ id: source, organisationId: house.organisation, siteId: null, kind: 'http' },
        ...{ kinds: ['meta-capi'], doublesMinutes: 10, rawDays: 7, mappingVersion: 0 },
      },
      { request: '0190a000-0000-7000-8000-000000000001', at, freshKeys: undefined },
      { keys, vault: house.vault, random: systemRandom, countryOf: () => 'US', regionOf: () => 'us' as const },
    );
    if (record === undefined) throw new Error('It is about nobody, so it needs no key.');
    const log = { warn: () => {}, error: () => {} };
    await loadSegment(
      { postgres: house.store.postgres, vault: house.vault, keys, log },
      Buffer.from(`${recordLine(record)}\n`),
    );
  }
  const conversions = (words: string) =>
    house.inside(async (sql) => {
      const rows = await sql.query<{ doubles: number }>(
        'SELECT doubles FROM relay_conversions WHERE event_name = $1 ORDER BY doubles DESC',
        [words],
      );
      return rows.map(({ doubles }) => doubles);
    });
  for (const ms of [-2 * hourMs, 2 * hourMs]) {
    const words = `set by ${ms}`;
    await tell(words, 20 * minuteMs);
    await tell(words);
    expect(await conversions(words)).toEqual([0, 0]);
    clock.travel(3 * minuteMs);
    await setBy(ms);
    clock.travel(3 * minuteMs);
    await tell(words);
    expect(await conversions(words)).toEqual([1, 0]);
    // The first moment of the clock before comes once more: what was told then is no double.
    clock.travel(11 * minuteMs);
    await tell(words);
    clock.travel(103 * minuteMs);
    await tell(words);
    expect(await conversions(words)).toEqual([1, 0, 0, 0]);
  }
});

it('a step of some seconds moves nothing', async () => {
  clock.set(clock.now() - 20_000);
  clock.travel(1_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(woken).toBe(0);
});
