import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { DeliveryChoice } from '../../../contract/deliveries.ts';
import type { Emulated } from '../../../emulators/admin.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock, systemClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';
import { endTooOld } from './ages.ts';
import { deadLettersOf } from './dead.ts';
import { deliveryOf, listDeliveries } from './read.ts';
import { approve, cancel, countReplay, replay } from './replays.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
let meta: Emulated;
let house: SendingHouse;
beforeAll(async () => {
  meta = await openMetaEmulator({
    ...{ now: () => clock.now(), chance: () => 0.5, datasets: ['1'], tokens: { token: 'valid' } },
  });
  house = await openSendingHouse({ clock, baseUrls: { 'meta-capi': meta.url } });
});
afterAll(() => Promise.all([meta.close(), house.close()]));

let number = 0;
const orders = (count: number, daysAgo = 0, more: object = {}) =>
  Array.from({ length: count }, () => ({
    given: {
      ...{ ...order, order_id: `P-${++number}` },
      ...{ occurred_at: new Date(clock.now() - 60_000 - daysAgo * 86_400_000).toISOString(), ...more },
    },
  }));
const counted = () => (meta.admin('GET', '/counted') as { counted: { id: string; received: number }[] }).counted;
const of = (one: SendingHouse) => one.organisation;
/** @returns how many go */
const again = async (choice: DeliveryChoice, after?: number) =>
  (await house.inside((sql) => replay(sql, of(house), choice, { now: clock.now(), after }))).deliveries;
const open = (ids: string[]) =>
  house.inside(async (sql) => {
    const row = await sql.one<{ n: number }>(
      'SELECT count(*)::int AS n FROM relay_conversions WHERE id = ANY ($1::uuid[]) AND settled_at IS NULL',
      [ids],
    );
    return row.n;
  });

it('what was set aside goes again under its id, and what is too old by now is counted and stays', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  const ids = await house.add([to], [...orders(3), ...orders(2, 6)]);
  const wrong = { status: 400, body: { error: { code: 100, error_subcode: 2804016 } } };
  meta.admin('POST', '/next', Array(12).fill(wrong));
  await house.lanes.idle();
  expect((await house.rows(to)).map(({ state }) => state)).toEqual(Array(5).fill('dead'));
  expect(await open(ids)).toBe(0);
  clock.travel(86_400_000);
  const choice = { destination: to, reason: '100/2804016' };
  const preview = await house.inside((sql) => countReplay(sql, of(house), choice, clock.now()));
  expect(preview).toEqual({
    ...{ deliveries: 3, too_old: 2, by_destination: [{ destination_id: to, deliveries: 3, too_old: 2 }] },
  });
  const dead = await house.inside((sql) => deadLettersOf(sql, of(house), choice, clock.now()));
  expect(dead).toMatchObject({ deliveries: 5, too_old: 2, left_off: 0 });
  const at = (daysAgo: number) => new Date(clock.now() - 86_400_000 * (1 + daysAgo) - 60_000).toISOString();
  expect(dead.groups).toEqual([
    {
      ...{ destination_id: to, reason: '100/2804016', field: null, deliveries: 5, too_old: 2 },
      ...{ first_at: expect.any(String), last_at: expect.any(String), oldest_occurred_at: at(6) },
    },
  ]);
  expect(dead.destinations.find(({ id }) => id === to)).toMatchObject({ age_days_max: 7 });
  const later = { ...choice, from: new Date(clock.now()).toISOString() };
  expect(await house.inside((sql) => deadLettersOf(sql, of(house), later, clock.now()))).toMatchObject({
    ...{ deliveries: 0, groups: [] },
  });
  expect(await again(choice)).toBe(3);
  expect(await open(ids)).toBe(3);
  meta.admin('POST', '/reset', {});
  await house.lanes.idle();
  const rows = await house.rows(to);
  expect(rows.map(({ state, reason, replays }) => [state, reason, replays])).toEqual([
    ...Array(3).fill(['accepted', null, 1]),
    ...Array(2).fill(['dead', '100/2804016', 0]),
  ]);
  expect(counted().map(({ id }) => id)).toEqual(rows.slice(0, 3).map(({ platform_id }) => platform_id));
  expect(await open(ids)).toBe(0);
  // What is there already goes again where somebody names it, and counts once.
  const first = { ids: [Number(rows[0]?.id)] };
  expect(await again(first)).toBe(1);
  await house.lanes.idle();
  expect(counted().map(({ received }) => received)).toEqual([2, 1, 1]);
});

it('adjustments of the Google Ads upload are too old after 54 days, and its conversions after 90', async () => {
  const to = await house.addDestination('google-ads-upload', { customer_id: '1', conversion_action_id: '2' });
  const refund = { order_id: undefined, items: undefined, original: { order_id: 'O' }, refund: true, value: undefined };
  const restated = { ...refund, refund: undefined, value: '5' };
  const all = [orders(1, 60), orders(1, 60, refund), orders(1, 60, restated), orders(1, 53, refund), orders(1, 91)];
  await house.add([to], all.flat());
  await house.inside((sql) =>
    sql.run(
      "UPDATE relay_deliveries SET state = 'dead', reason = 'x', settled_at = created_at WHERE destination_id = $1",
      [to],
    ),
  );
  const preview = await house.inside((sql) => countReplay(sql, of(house), { destination: to }, clock.now()));
  expect(preview).toMatchObject({ deliveries: 2, too_old: 3 });
  const dead = await house.inside((sql) => deadLettersOf(sql, of(house), { destination: to }, clock.now()));
  expect(dead).toMatchObject({ deliveries: 5, too_old: 3 });
  expect(await again({ destination: to })).toBe(2);
  expect((await house.rows(to)).map(({ state }) => state)).toEqual(['waiting', 'dead', 'dead', 'waiting', 'dead']);
  // What waits while nothing is sent there is set aside by the same ages.
  await house.inside(async (sql) => {
    await sql.run("UPDATE relay_deliveries SET state = 'waiting' WHERE destination_id = $1", [to]);
    await sql.run("UPDATE relay_destinations SET state = 'paused' WHERE id = $1", [to]);
  });
  expect(await endTooOld(house.senders)).toBe(3);
  expect((await house.rows(to)).map(({ state }) => state)).toEqual(['waiting', 'dead', 'dead', 'waiting', 'dead']);
});

it('what somebody said no to never goes again, whatever is asked', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  await house.add([to], orders(1, 0, { consent: { ad_user_data: 'denied' } }));
  await house.lanes.idle();
  const [row] = await house.rows(to);
  expect(row?.state).toBe('withheld');
  for (const choice of [
    { ids: [Number(row?.id)] },
    { destination: to },
    { destination: to, state: 'accepted' as const },
  ])
    expect(await again(choice)).toBe(0);
});

it('a replay in several pieces takes each delivery once, whatever became of the pieces before it meanwhile', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  await house.add([to], orders(3));
  const wrong = { status: 400, body: { error: { code: 100, error_subcode: 2804016 } } };
  const refuse = async () => {
    meta.admin('POST', '/next', Array(12).fill(wrong));
    await house.lanes.idle();
    meta.admin('POST', '/reset', {});
  };
  await refuse();
  const numbers = (await house.rows(to)).map(({ id }) => Number(id));
  const piece = (choice: object, after?: number) => again({ destination: to, state: 'dead', ...choice }, after);
  // The lowest ids are the first piece; they are sent and refused once more before the second one is looked for.
  expect(await piece({ ids: numbers.slice(0, 2) })).toBe(2);
  clock.travel(1_000);
  await refuse();
  expect((await house.rows(to)).map(({ state, replays }) => [state, replays])).toEqual([
    ...Array(2).fill(['dead', 1]),
    ['dead', 0],
  ]);
  expect(await piece({}, numbers[1])).toBe(1);
  expect(await piece({}, numbers[2])).toBe(0);
  expect((await house.rows(to)).map(({ replays }) => replays)).toEqual([1, 1, 1]);
  // Whoever asks anew gets them.
  const choice = { destination: to };
  expect(await again(choice)).toBe(2);
  await house.lanes.idle();
});

it('a clock that was set back hides nothing of what ended before', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  await house.add([to], orders(3));
  meta.admin('POST', '/next', Array(12).fill({ status: 400, body: { error: { code: 100, error_subcode: 2804016 } } }));
  await house.lanes.idle();
  meta.admin('POST', '/reset', {});
  clock.travel(-3_600_000);
  const choice = { destination: to };
  const preview = await house.inside((sql) => countReplay(sql, of(house), choice, clock.now()));
  expect(preview.deliveries).toBe(3);
  expect(await again(choice)).toBe(3);
  clock.travel(3_600_000);
  await house.lanes.idle();
  expect((await house.rows(to)).map(({ state }) => state)).toEqual(Array(3).fill('accepted'));
});

it('what is held goes once it is approved, and not at all once it is cancelled', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  const ids = await house.add(
    [to],
    orders(4).map((one) => ({ ...one, state: 'held' as const })),
  );
  await house.lanes.idle();
  const numbers = (await house.rows(to)).map(({ id, state }) => [Number(id), state] as const);
  expect(numbers.map(([, state]) => state)).toEqual(Array(4).fill('held'));
  const some = { ids: numbers.slice(0, 3).map(([id]) => id) };
  expect(await house.inside((sql) => approve(sql, of(house), some, clock.now()))).toBe(3);
  expect(
    await house.inside((sql) =>
      cancel(sql, of(house), { destination: to, ids: [numbers[2]?.[0] ?? 0, numbers[3]?.[0] ?? 0] }, clock.now()),
    ),
  ).toBe(2);
  await house.lanes.idle();
  expect((await house.rows(to)).map(({ state, reason }) => [state, reason])).toEqual([
    ...Array(2).fill(['accepted', null]),
    ...Array(2).fill(['cancelled', 'cancelled_by_hand']),
  ]);
  expect(await open(ids)).toBe(0);
});

it('a list is read page by page, and one of it with all its requests', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  await house.add([to], orders(5));
  meta.admin('POST', '/next', [{ chaos: 'html_502' }]);
  await house.lanes.idle();
  clock.travel(60_000);
  await house.lanes.idle();
  const page = (cursor?: number) =>
    house.inside((sql) =>
      listDeliveries(sql, of(house), { destination: to, state: 'accepted', limit: 2, ...(cursor && { cursor }) }),
    );
  const seen: number[] = [];
  for (let next: number | null | undefined; next !== null; ) {
    const read = await page(next);
    seen.push(...read.deliveries.map(({ id }) => id));
    next = read.next;
  }
  expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a));
  expect(seen).toHaveLength(5);
  const story = await house.inside((sql) => deliveryOf(sql, of(house), seen[0] as number));
  expect(story?.attempts.map((each) => [each.status, each.class, each.items])).toEqual([
    [502, 'retry', 5],
    [200, 'accepted', 5],
  ]);
  expect(story?.delivery).toMatchObject({
    state: 'accepted',
    attempts: 2,
    next_at: null,
    value: '129.90',
    currency: 'EUR',
  });
  expect(
    await house.store.postgres.tenant(of(house) + 1, (sql) => listDeliveries(sql, of(house) + 1, { limit: 9 })),
  ).toEqual({
    ...{ deliveries: [], next: null },
  });
});

it('accounts that are dead or slow take nothing from those that answer', async () => {
  const slow = await openMetaEmulator({
    ...{ now: () => clock.now(), chance: () => 0, datasets: ['1'], tokens: { token: 'valid' } },
  });
  const other = await openSendingHouse({ clock: systemClock, baseUrls: { 'meta-capi': meta.url, snap: slow.url } });
  try {
    // Each would hold a place for ten seconds, and there are more of them than places.
    slow.admin('POST', '/chaos', { share: 1, modes: ['latency'], ms: 60_000 });
    const dead: number[] = [];
    for (let each = 0; each < 20; each++) dead.push(await other.addDestination('snap', { pixel_id: 'a1' }));
    const now = new Date(systemClock.now() - 60_000).toISOString();
    clock.set(systemClock.now());
    const given = (id: string) => ({ given: { ...order, order_id: id, occurred_at: now } });
    await other.add(dead, [given('S-1')]);
    const round = other.lanes.idle();
    const to = await other.addDestination('meta-capi', { dataset_id: '1' });
    for (let wave = 0; wave < 5; wave++) {
      await other.add([to], [given(`F-${wave}`)]);
      const begun = performance.now();
      other.lanes.wake();
      await vi.waitFor(
        async () => expect((await other.rows(to)).map(({ state }) => state)).toEqual(Array(wave + 1).fill('accepted')),
        { timeout: 25_000, interval: 20 },
      );
      // The first round finds out who is slow; from the second on nobody waits for them.
      if (wave > 0) expect(performance.now() - begun).toBeLessThan(5_000);
    }
    await round;
    for (const one of dead) expect((await other.rows(one)).map(({ state }) => state)).toEqual(['waiting']);
  } finally {
    await other.close();
    await slow.close();
  }
});
