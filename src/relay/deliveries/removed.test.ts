import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';
import { cancelWaiting } from '../settings/parts.ts';
import { openAccount } from './account.ts';
import { endTooOld } from './ages.ts';
import { openBreaker } from './breaker.ts';
import { openBucket } from './bucket.ts';
import { deliveryLimits } from './limits.ts';
import type { Account } from './parts.ts';
import { settle } from './settle.ts';
import { take } from './take.ts';
import { finishTurn, newLaneState } from './turn.ts';

/** A destination goes, and nothing of it is left under way: not what was being sent then, nor what came for it in that moment. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
let meta: Emulated;
let house: SendingHouse;
beforeAll(async () => {
  meta = await openMetaEmulator({
    now: () => clock.now(),
    chance: () => 0.5,
    datasets: ['1234567890'],
    tokens: { token: 'valid' },
  });
  house = await openSendingHouse({ clock, baseUrls: { 'meta-capi': meta.url } });
});
afterAll(() => Promise.all([meta.close(), house.close()]));

let number = 0;
const many = (count: number, more: object = {}) =>
  Array.from({ length: count }, () => ({
    given: { ...order, order_id: `G-${++number}`, occurred_at: new Date(clock.now() - 60_000).toISOString() },
    ...more,
  }));
const lane = (destinationId: number) => ({ organisationId: house.organisation, destinationId });
const destination = () => house.addDestination('meta-capi', { dataset_id: '1234567890' });
const states = async (id: number) => (await house.rows(id)).map(({ state, reason }) => [state, reason]);
const open = async (ids: string[]) =>
  (
    await house.inside((sql) =>
      sql.query('SELECT FROM relay_conversions WHERE id = ANY ($1::uuid[]) AND settled_at IS NULL', [ids]),
    )
  ).length;
const remove = (id: number) =>
  house.inside(async (sql) => {
    await cancelWaiting(sql, house.organisation, 'destination_id', id, clock.now());
    await sql.run('DELETE FROM relay_destinations WHERE id = $1', [id]);
  });
const taken = async (id: number) => {
  const account = (await openAccount(house.senders, lane(id))) as Account;
  return { account, turn: await take(house.senders, account, { rows: 10, requests: 10 }) };
};

it('what was routed to a destination as it went is cancelled, and its conversions end', async () => {
  const [gone, stays] = [await destination(), await destination()];
  await remove(gone);
  const ids = await house.add([gone], [...many(2), ...many(1, { state: 'held' })]);
  const others = await house.add([gone, stays], many(1));
  expect(await endTooOld(house.senders)).toBe(4);
  expect(await states(gone)).toEqual(Array(4).fill(['cancelled', 'removed']));
  expect(await open(ids)).toBe(0);
  // What goes elsewhere too is still under way.
  expect([await states(stays), await open(others)]).toEqual([[['waiting', null]], 1]);
  await house.lanes.idle();
  expect([await states(stays), await open(others)]).toEqual([[['accepted', null]], 0]);
});

it('what was being sent as its destination went is not sent again, whether the platform fails or nobody hears the answer', async () => {
  const gone = await destination();
  const ids = await house.add([gone], many(2));
  const { account, turn } = await taken(gone);
  await remove(gone);
  expect(await endTooOld(house.senders)).toBe(0);
  meta.admin('POST', '/next', [{ status: 503, body: { error: { code: 2 } } }]);
  const state = newLaneState(
    openBucket(600),
    openBreaker(() => 0),
  );
  await finishTurn(house.senders, account, state, turn, new AbortController().signal);
  expect((await states(gone)).map(([one]) => one)).toEqual(['waiting', 'waiting']);
  expect(await endTooOld(house.senders)).toBe(2);
  expect(await states(gone)).toEqual(Array(2).fill(['cancelled', 'removed']));
  expect(await open(ids)).toBe(0);

  const unheard = await destination();
  const left = await house.add([unheard], many(1));
  await taken(unheard);
  await remove(unheard);
  clock.travel(deliveryLimits.leaseMs - 1);
  expect(await endTooOld(house.senders)).toBe(0);
  clock.travel(1);
  expect(await endTooOld(house.senders)).toBe(1);
  expect([await states(unheard), await open(left)]).toEqual([[['cancelled', 'removed']], 0]);
});

it('a conversion ends whose last two deliveries end at once, one by its platform and one with its destination', async () => {
  const [gone, stays] = [await destination(), await destination()];
  const ids = await house.add([gone, stays], many(1));
  const { account, turn } = await taken(stays);
  const [row] = turn.batches[0]?.ready ?? [];
  if (row === undefined) throw new Error('Nothing was taken.');
  let removed: Promise<void> | undefined;
  await house.inside(async (sql) => {
    const accepted = { row: row.row, outcome: { state: 'accepted', reason: undefined } } as const;
    await settle(sql, account, [accepted], { now: clock.now(), isTest: false, leaseAt: turn.leaseAt });
    let isOver = false;
    removed = remove(gone).finally(() => (isOver = true));
    // It is over before this is, or waits for it.
    for (let isWaiting = false; !isWaiting && !isOver; )
      isWaiting = (await house.store.asOwner((one) => one.query('SELECT FROM pg_locks WHERE NOT granted'))).length > 0;
  });
  await removed;
  expect([await states(gone), await states(stays)]).toEqual([[['cancelled', 'removed']], [['accepted', null]]]);
  expect(await open(ids)).toBe(0);
});
