import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { order } from '../destinations/senders_fixture.ts';
import { removeWithWaiting } from '../settings/parts.ts';
import { openAccount } from './account.ts';
import { endTooOld } from './ages.ts';
import { openBreaker } from './breaker.ts';
import { openBucket } from './bucket.ts';
import { deadLettersOf } from './dead.ts';
import { deliveryLimits } from './limits.ts';
import type { Account } from './parts.ts';
import { countReplay, replay } from './replays.ts';
import { settle } from './settle.ts';
import { deliveriesOfConnections, pauseDestination, resumeDestination } from './states.ts';
import { take } from './take.ts';
import { finishTurn, newLaneState } from './turn.ts';

/** A destination or a route goes, and nothing of it is left under way: not what was being sent then, nor what came for it in that moment. */
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
/** As the page does it; a piece is so many rows. @param fails the piece that a store is away for */
const remove = (id: number, pieceRows?: number, fails?: number) =>
  removeWithWaiting(
    { clock, postgres: breaking(fails) },
    house.organisation,
    'destination_id',
    {
      find: async (sql) => sql.one<{ id: number }>('SELECT id FROM relay_destinations WHERE id = $1', [id]),
      stop: async (sql) => void (await pauseDestination(sql, lane(id), clock.now())),
      remove: async (sql) => void (await sql.run('DELETE FROM relay_destinations WHERE id = $1', [id])),
    },
    pieceRows,
  );
const removeRoute = (id: number) =>
  removeWithWaiting(house.senders, house.organisation, 'route_id', {
    find: async (sql) => sql.one<{ id: number }>('SELECT id FROM relay_routes WHERE id = $1', [id]),
    stop: async () => {},
    remove: async (sql) => void (await sql.run('DELETE FROM relay_routes WHERE id = $1', [id])),
  });
/** The real store, that goes away as a transaction ends: of those that are asked for here, the one of this number. */
function breaking(fails?: number): Pick<typeof house.store.postgres, 'tenant'> {
  let asked = 0;
  return {
    tenant: (organisation, work) =>
      house.store.postgres.tenant(organisation, async (sql) => {
        const done = await work(sql);
        if (++asked === fails) throw new Error('The store is away.');
        return done;
      }),
  };
}
/** In how many transactions they were written last. */
const transactions = (id: number) =>
  house.inside(
    async (sql) =>
      (await sql.query('SELECT DISTINCT xmin::text FROM relay_deliveries WHERE destination_id = $1', [id])).length,
  );
const stateOf = (id: number) =>
  house.inside((sql) => sql.maybe('SELECT state, state_reason FROM relay_destinations WHERE id = $1', [id]));
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

/** Two are taken, their route goes, and the platform answers that it is away. */
async function failsAsItsRouteGoes(to: number, also: readonly number[] = []) {
  const ids = await house.add([to], many(2));
  for (const other of also)
    await house.inside((sql) =>
      sql.run('UPDATE relay_deliveries SET route_id = $2 WHERE conversion_id = $1', [ids[1], other]),
    );
  const { account, turn } = await taken(to);
  await removeRoute(to);
  meta.admin('POST', '/next', [{ status: 503, body: { error: { code: 2 } } }]);
  const state = newLaneState(
    openBucket(600),
    openBreaker(() => 0),
  );
  await finishTurn(house.senders, account, state, turn, new AbortController().signal);
  expect((await states(to)).map(([one]) => one)).toEqual(['waiting', 'waiting']);
  return ids;
}
const requests = async (to: number) =>
  (await house.inside((sql) => sql.query('SELECT FROM relay_attempts WHERE destination_id = $1', [to]))).length;

it('what was being sent as its route went is not sent again, whether the platform fails or nobody hears the answer', async () => {
  const [to, stays] = [await destination(), await destination()];
  await house.inside((sql) =>
    sql.run(
      `INSERT INTO relay_routes (id, organisation_id, source_id, destination_id, rules, created_at)
       SELECT $2, organisation_id, source_id, $1, rules, created_at FROM relay_routes LIMIT 1`,
      [to, stays],
    ),
  );
  const ids = await failsAsItsRouteGoes(to, [stays]);
  clock.travel(deliveryLimits.againMsMax);
  await house.lanes.idle();
  expect(await states(to)).toEqual([
    ['cancelled', 'removed'],
    ['accepted', null],
  ]);
  // The other route's went alone.
  expect([await requests(to), await open(ids)]).toEqual([2, 0]);

  const unheard = await destination();
  const left = await house.add([unheard], many(1));
  await taken(unheard);
  await removeRoute(unheard);
  clock.travel(deliveryLimits.leaseMs);
  await house.lanes.idle();
  expect([await states(unheard), await open(left)]).toEqual([[['cancelled', 'removed']], 0]);
  expect(await requests(unheard)).toBe(1);
});

it('what failed as its route went ends at a destination that nothing is sent to, too', async () => {
  const to = await destination();
  const ids = await failsAsItsRouteGoes(to);
  await house.inside((sql) => pauseDestination(sql, lane(to), clock.now()));
  const waits = await destination();
  await house.add([waits], many(1));
  await house.inside((sql) => pauseDestination(sql, lane(waits), clock.now()));
  expect(await endTooOld(house.senders)).toBe(2);
  expect([await states(to), await open(ids)]).toEqual([Array(2).fill(['cancelled', 'removed']), 0]);
  expect(await states(waits)).toEqual([['waiting', null]]);
});

it('a batch that waits for others of its turn does not go once its route has gone', async () => {
  const to = await destination();
  const ids = await house.add([to], many(2));
  const { account, turn } = await taken(to);
  await removeRoute(to);
  // The turn began a while ago.
  let looks = 0;
  const late = { ...clock, monotonic: () => (looks++ === 0 ? 0 : deliveryLimits.lookAgainMs) };
  const state = newLaneState(
    openBucket(600),
    openBreaker(() => 0),
  );
  await finishTurn({ ...house.senders, clock: late }, account, state, turn, new AbortController().signal);
  expect(await requests(to)).toBe(0);
  clock.travel(deliveryLimits.leaseMs);
  await house.lanes.idle();
  expect([await states(to), await open(ids)]).toEqual([Array(2).fill(['cancelled', 'removed']), 0]);
  expect(await requests(to)).toBe(0);
});

it('what was set aside is not replayed once its route has gone, and its dead letters say so', async () => {
  const to = await destination();
  const [gone] = await house.add([to], many(1));
  const now = clock.now();
  await house.inside((sql) =>
    sql.run(
      "UPDATE relay_deliveries SET state = 'dead', reason = 'refused', settled_at = $2 WHERE conversion_id = $1",
      [...[gone, new Date(now)]],
    ),
  );
  const choice = { destination: to };
  const asked = () =>
    house.inside(async (sql) => [
      (await countReplay(sql, house.organisation, choice, now)).deliveries,
      (await deadLettersOf(sql, house.organisation, choice, now)).too_old,
    ]);
  expect(await asked()).toEqual([1, 0]);
  await removeRoute(to);
  expect(await asked()).toEqual([0, 1]);
  const done = await house.inside((sql) => replay(sql, house.organisation, choice, { now }));
  expect([done.deliveries, await states(to)]).toEqual([0, [['dead', 'refused']]]);
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

it('a long queue is cancelled piece by piece as its destination goes, and whoever asks again goes on where that ended', async () => {
  const gone = await destination();
  const ids = await house.add([gone], [...many(4), ...many(1, { state: 'held' })]);
  await expect(remove(gone, 2, 2)).rejects.toThrow('away');
  expect((await states(gone)).filter(([state]) => state === 'cancelled')).toHaveLength(2);
  // Nothing is sent of the rest.
  expect(await stateOf(gone)).toEqual({ state: 'paused', state_reason: null });
  await house.lanes.idle();
  await remove(gone, 2);
  expect(await states(gone)).toEqual(Array(5).fill(['cancelled', 'removed']));
  expect([await transactions(gone), await open(ids), await stateOf(gone)]).toEqual([3, 0, undefined]);
});

it('a long queue is cancelled piece by piece as its connection ends, and what a killed desk left of it later (REL-05)', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1234567890' }, { secret: null, connection: 8 });
  const ends = deliveriesOfConnections(() => clock.now(), 2);
  const ids = await house.add([to], [...many(4), ...many(1, { state: 'held' })]);
  await house.inside((sql) => ends.stop(sql, house.organisation, 8));
  const reconnect = { state: 'reconnect', state_reason: 'disconnected' };
  // The first transaction reads which destinations, the third has the second piece.
  await expect(ends.cancel(breaking(3), house.organisation, 8)).rejects.toThrow('away');
  expect((await states(to)).filter(([state]) => state === 'cancelled')).toHaveLength(2);
  expect(await stateOf(to)).toEqual(reconnect);
  clock.travel(1_000);
  // What comes now waits for another connection.
  const later = await house.add([to], many(1));
  expect(await endTooOld(house.senders)).toBe(3);
  expect(await states(to)).toEqual([...Array(5).fill(['cancelled', 'disconnected']), ['waiting', null]]);
  expect([await open(ids), await open(later)]).toEqual([0, 1]);

  const other = await house.addDestination('meta-capi', { dataset_id: '1234567890' }, { secret: null, connection: 9 });
  const all = await house.add([other], many(5));
  await house.inside((sql) => ends.stop(sql, house.organisation, 9));
  const ended = await ends.cancel(house.store.postgres, house.organisation, 9);
  expect(ended).toEqual([{ what: 'queued conversions', count: 5 }]);
  expect([await transactions(other), await open(all)]).toEqual([3, 0]);
  expect((await states(to)).at(-1)).toEqual(['waiting', null]);
});

it('what was tried before a pause has the hours of the pause again, each of a long queue once', async () => {
  const to = await destination();
  await house.add([to], many(5));
  const until = clock.now() + 3_600_000;
  await house.inside(async (sql) => {
    await sql.run('UPDATE relay_deliveries SET tries_until = $2 WHERE destination_id = $1', [to, new Date(until)]);
    await pauseDestination(sql, lane(to), clock.now());
  });
  clock.travel(600_000);
  const moved: number[] = [];
  await house.inside((sql) => {
    const query = async (text: string, params?: readonly unknown[]) => {
      const rows = await sql.query<{ id: number }>(text, params);
      if (text.startsWith('UPDATE relay_deliveries')) moved.push(rows.length);
      return rows;
    };
    return resumeDestination({ ...sql, query: query as Sql['query'] }, lane(to), clock.now(), 2);
  });
  expect(moved).toEqual([2, 2, 1]);
  expect((await house.rows(to)).map(({ tries_until }) => (tries_until as Date).getTime() - until)).toEqual(
    Array(5).fill(600_000),
  );
});
