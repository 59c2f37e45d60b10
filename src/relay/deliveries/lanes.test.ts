import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openDataManagerEmulator } from '../../../emulators/data_manager.ts';
import { openGenericEmulator } from '../../../emulators/generic.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import type { ConnectedToken } from '../../platform/subject.ts';
import { order } from '../destinations/senders_fixture.ts';
import { destinationSecretPlace } from '../settings/secrets.ts';
import { openAccount } from './account.ts';
import { endTooOld } from './ages.ts';
import { openBreaker } from './breaker.ts';
import { openBucket } from './bucket.ts';
import { openLanes } from './lanes.ts';
import { deliveryLimits } from './limits.ts';
import type { Account } from './parts.ts';
import { askResults } from './results.ts';
import { deliveriesOfConnections, pauseDestination, resumeDestination } from './states.ts';
import { take } from './take.ts';
import { finishTurn, newLaneState } from './turn.ts';

/** Real rows, real requests, and platforms that know the reference alone; time stands still until it is told to pass. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const start = Date.parse('2026-11-30T09:00:00Z');
const clock = stillClock(start);
let seed = 7;
function chance(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}
let meta: Emulated;
let google: Emulated;
let postback: Emulated;
let house: SendingHouse;
/** What a connection says next; a token where nothing is said. */
const fresh: ConnectedToken[] = [];
const refused: ConnectedToken[] = [];
/** Of connections, whose token was not taken: number and version. */
const refusals: [connection: number, version: string][] = [];
beforeAll(async () => {
  const parts = { now: () => clock.now(), chance };
  meta = await openMetaEmulator({ ...parts, datasets: ['1234567890'], tokens: { token: 'valid', other: 'valid' } });
  google = await openDataManagerEmulator({
    ...parts,
    tokens: { token: ['https://www.googleapis.com/auth/datamanager'] },
    accounts: { '1234567890': ['555', '777'] },
    processingMs: 60_000,
  });
  postback = await openGenericEmulator({ ...parts, platform: 'taboola', accounts: [], tokens: [] });
  house = await openSendingHouse({
    clock,
    baseUrls: { 'meta-capi': meta.url, 'google-data-manager': google.url, taboola: postback.url },
    connections: {
      freshToken: async () => fresh.shift() ?? { token: 'other', version: '2' },
      async refusedToken(_, connection, version) {
        refusals.push([connection, version]);
        return refused.shift() ?? { reconnect: 'expired' };
      },
    },
  });
});
afterAll(() => Promise.all([meta.close(), google.close(), postback.close(), house.close()]));
beforeEach(() => {
  meta.admin('POST', '/reset', {});
  google.admin('POST', '/reset', {});
});

const dataset = { dataset_id: '1234567890' };
const account = { customer_id: '1234567890', conversion_action_id: '555' };
let number = 0;
const orderOf = (more: object = {}) => ({
  given: { ...order, order_id: `B-${++number}`, occurred_at: new Date(clock.now() - 60_000).toISOString(), ...more },
});
const many = (count: number, more: object = {}) => Array.from({ length: count }, () => orderOf(more));
const counted = (emulator: Emulated) =>
  (emulator.admin('GET', '/counted') as { counted: { to: string; id: string; received: number }[] }).counted;
const platform = (emulator: Emulated) =>
  // biome-ignore lint/suspicious/noExplicitAny: what emulators tell of themselves, each looked at by the test that asks.
  (emulator.admin('GET', '') as { platform: any }).platform;
const next = (emulator: Emulated, ...answers: object[]) => emulator.admin('POST', '/next', answers);
const ok = { chaos: 'latency', ms: 0 };
const wrongRow = { status: 400, body: { error: { code: 100, error_subcode: 2804016, message: 'alexz@example.com' } } };

const states = async (destination: number) =>
  (await house.rows(destination)).map(({ state, reason, field }) => [state, reason, field]);
const attempts = (destination: number) =>
  house.inside((sql) =>
    sql.query<Record<string, unknown>>('SELECT * FROM relay_attempts WHERE destination_id = $1 ORDER BY id', [
      destination,
    ]),
  );
const destinationState = (id: number) =>
  house.inside((sql) => sql.one('SELECT state, state_reason FROM relay_destinations WHERE id = $1', [id]));
const settledOf = async (ids: string[]) =>
  (
    await house.inside((sql) =>
      sql.query<{ settled_at: Date | null }>(
        'SELECT settled_at FROM relay_conversions WHERE id = ANY ($1::uuid[]) ORDER BY settled_at IS NULL',
        [ids],
      ),
    )
  ).map(({ settled_at }) => settled_at !== null);
/** Lets time pass, and sends what is due then. */
async function later(ms: number): Promise<void> {
  clock.travel(ms);
  await house.lanes.idle();
}
const lane = (destinationId: number) => ({ organisationId: house.organisation, destinationId });

it('nothing leaves a restored desk until somebody lets it go on, and then all of it does', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(2));
  let isHeld = true;
  const restored = openLanes({ ...house.senders, isHeld: async () => isHeld });
  await restored.idle();
  expect(await states(to)).toEqual(Array(2).fill(['waiting', null, null]));
  expect(await attempts(to)).toEqual([]);
  isHeld = false;
  await restored.idle();
  expect(await states(to)).toEqual(Array(2).fill(['accepted', null, null]));
  await restored.stop();
});

describe('a batch', () => {
  it('goes out once, and each row says what became of it', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    const ids = await house.add([to], many(3));
    await house.lanes.idle();
    expect(counted(meta)).toHaveLength(3);
    expect(await states(to)).toEqual(Array(3).fill(['accepted', null, null]));
    expect(await attempts(to)).toMatchObject([{ items: 3, status: 200, class: 'accepted', reason: 'events_received' }]);
    expect(await settledOf(ids)).toEqual([true, true, true]);
    await later(60_000);
    expect(await attempts(to)).toHaveLength(1);
  });
  it('is halved until the row is alone that makes the platform refuse it', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    await house.add([to], many(20));
    const first = number - 19;
    // 20; 0 to 9 go; 10 to 19; 10 to 14; 10 to 12 go; 13 and 14; 13 is it; 14 goes; 15 to 19 go.
    next(meta, wrongRow, ok, wrongRow, wrongRow, ok, wrongRow, wrongRow, ok, ok);
    await house.lanes.idle();
    const dead = (await house.rows(to)).filter(({ state }) => state === 'dead');
    expect(dead).toMatchObject([{ platform_id: `B-${first + 13}`, reason: '100/2804016' }]);
    expect(counted(meta)).toHaveLength(19);
    expect(JSON.stringify(await attempts(to))).not.toMatch(/alexz/);
  });
  it('leaves behind the row that the answer names, and sends the others at once', async () => {
    const to = await house.addDestination('google-data-manager', account);
    await house.add([to], many(5));
    const violation = { field: 'events[3].currency', reason: 'INVALID_CURRENCY_CODE', description: 'C-77 is no code' };
    const details = [{ '@type': 'x', fieldViolations: [violation] }];
    next(google, { status: 400, body: { error: { code: 400, status: 'INVALID_ARGUMENT', details } } });
    await house.lanes.idle();
    const [accepted, dead] = [
      ['accepted', null, null],
      ['dead', 'INVALID_CURRENCY_CODE', null],
    ];
    expect(await states(to)).toEqual([accepted, accepted, accepted, dead, accepted]);
    const requests = await attempts(to);
    expect(requests.map(({ items, class: of }) => [items, of])).toEqual([
      [5, 'retry'],
      [4, 'accepted'],
    ]);
    expect(requests[0]?.answer).toContain('"field":"events[3].currency"');
    expect(requests[0]?.answer).not.toContain('C-77');
    // Looking for the one that is to blame is a part of the attempt: the others' next pause is no longer for it.
    expect((await house.rows(to)).map((row) => row.attempts)).toEqual([1, 1, 1, 1, 1]);
  });
  it('goes to the conversion action that the route names, in a request of its own', async () => {
    const to = await house.addDestination('google-data-manager', account);
    const at = (event: string) => (one: object) => ({ ...one, event }) as never;
    await house.add([to], [...many(2), ...many(2).map(at('777')), ...many(1).map(at('no number'))]);
    await later(1_000);
    await later(1_000);
    expect(counted(google).map((one) => one.to.split('/').at(-1))).toEqual(['555', '555', '777', '777']);
    expect(await states(to)).toContainEqual(['dead', 'invalid', 'platform_event']);
  });
  it.each(['40P01', '40001'])('is written down although PostgreSQL ends the first try to do so (%s)', async (code) => {
    const to = await house.addDestination('meta-capi', dataset);
    const ids = await house.add([to], many(2));
    await house.store.asOwner(async (sql) => {
      await sql.run('CREATE SEQUENCE cuts');
      // A sequence is not turned back with its transaction: the first one alone is ended.
      await sql.run(`CREATE FUNCTION cut_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        IF NEW.state = 'accepted' AND nextval('cuts') = 1 THEN RAISE EXCEPTION 'cut' USING ERRCODE = '${code}'; END IF;
        RETURN NEW; END $$`);
      await sql.run(
        'CREATE TRIGGER cut_once BEFORE UPDATE ON relay_deliveries FOR EACH ROW EXECUTE FUNCTION public.cut_once()',
      );
    });
    await house.lanes.idle();
    const { cuts } = await house.store.asOwner(async (sql) => {
      const row = await sql.one<{ cuts: number }>('SELECT last_value AS cuts FROM cuts');
      await sql.run('DROP FUNCTION cut_once CASCADE');
      await sql.run('DROP SEQUENCE cuts');
      return row;
    });
    expect(cuts).toBeGreaterThan(1);
    expect(await states(to)).toEqual(Array(2).fill(['accepted', null, null]));
    expect(await settledOf(ids)).toEqual([true, true]);
    await later(deliveryLimits.leaseMs + 60_000);
    expect(counted(meta).map(({ received }) => received)).toEqual([1, 1]);
  });
  it('has the value and the event of the route', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    await house.add([to], [{ ...orderOf(), value: '64.95', event: 'Purchase' }]);
    await house.lanes.idle();
    expect(platform(meta).events).toMatchObject([
      { event_name: 'Purchase', custom_data: { value: 64.95, currency: 'EUR' } },
    ]);
  });
});

describe('what cannot go', () => {
  it('is set aside with its reason and field, and what somebody said no to is withheld', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    const ids = await house.add(
      [to],
      [
        orderOf({ consent: { ad_user_data: 'denied' } }),
        orderOf({ occurred_at: '2026-11-20T09:15:00+01:00' }),
        orderOf({ page_url: undefined, action_source: undefined }),
      ],
    );
    await house.lanes.idle();
    expect(await states(to)).toEqual([
      ['withheld', 'consent_denied', 'consent.ad_user_data'],
      ['dead', 'too_old', 'occurred_at'],
      ['dead', 'missing', 'action_source'],
    ]);
    expect(await attempts(to)).toEqual([]);
    expect(await settledOf(ids)).toEqual([true, true, true]);
  });
  it('goes from hashes once raw values are gone, and then not where they are needed', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    const there = await house.addDestination('google-data-manager', account);
    await house.add([to, there], [{ ...orderOf(), isAged: true }]);
    await house.lanes.idle();
    // The browser went with the raw values, and Meta takes no event of a website without it.
    expect(await states(to)).toEqual([['dead', 'missing', 'user.user_agent']]);
    expect(await states(there)).toEqual([['accepted', null, null]]);
    // The vector of the reference for the address of the order.
    expect(JSON.stringify(platform(google).conversions[0].event.userData)).toContain(
      '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a',
    );
  });
});

describe('a platform that fails', () => {
  it('is asked again after growing pauses, under the same id, until it takes it', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    await house.add([to], many(2));
    next(meta, { chaos: 'drop_answer' }, { chaos: 'html_502' }, { status: 400, body: { error: { code: 987_654 } } });
    await house.lanes.idle();
    expect((await states(to)).map(([state]) => state)).toEqual(['waiting', 'waiting']);
    for (let tries = 0; tries < 20; tries++) await later(10_000);
    expect(await states(to)).toEqual(Array(2).fill(['accepted', null, null]));
    expect(counted(meta).map(({ received }) => received)).toEqual([2, 2]);
    // A code that nobody knows is tried again, and stands where one can see it.
    expect((await attempts(to)).map(({ reason }) => reason)).toContain('987654');
  });
  it('waits as long as it says, and 72 hours after the first try it is over', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    await house.add([to], many(1));
    next(meta, { status: 503, headers: { 'retry-after': '900' }, body: { error: { code: 2 } } });
    await house.lanes.idle();
    const [row] = await house.rows(to);
    expect(row?.next_at).toEqual(new Date(clock.now() + 900_000));
    await later(899_000);
    expect(await attempts(to)).toHaveLength(1);
    meta.admin('POST', '/chaos', { share: 1, modes: ['html_502'] });
    for (let hours = 0; hours < 69; hours++) await later(3_600_000);
    expect(await states(to)).toEqual([['waiting', 'html', null]]);
    for (let hours = 0; hours < 6; hours++) await later(3_600_000);
    expect(await states(to)).toEqual([['dead', 'retries_ended:html', null]]);
  });
  it('gets nothing that is too old: the last try is before the limit of its platform', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    const limit = clock.now() + 30 * 60_000;
    await house.add([to], many(1, { occurred_at: new Date(limit - 7 * 86_400_000).toISOString() }));
    meta.admin('POST', '/chaos', { share: 1, modes: ['html_502'] });
    await house.lanes.idle();
    for (let minutes = 0; minutes < 40; minutes++) await later(60_000);
    expect(await states(to)).toEqual([['dead', 'too_old', 'occurred_at']]);
    const tried = (await attempts(to)).map(({ sent_at }) => (sent_at as Date).getTime());
    expect(tried.length).toBeGreaterThan(2);
    expect(Math.max(...tried)).toBeLessThan(limit);
  });
  it('that is out of its quota is left alone, and goes on when it may', async () => {
    const to = await house.addDestination('google-data-manager', account);
    await house.add([to], many(2));
    next(google, { chaos: 'quota' });
    await house.lanes.idle();
    await house.add([to], many(2));
    await later(59_000);
    expect(await attempts(to)).toHaveLength(1);
    await later(2_000);
    await later(60_000);
    expect(await states(to)).toEqual(Array(4).fill(['accepted', null, null]));
  });
});

describe('what somebody has to mend', () => {
  it('a token that was revoked stops the account and keeps its queue, which goes on with another one', async () => {
    const to = await house.addDestination('meta-capi', dataset, { secret: 'gone' });
    await house.add([to], many(3));
    await house.lanes.idle();
    expect(await destinationState(to)).toEqual({ state: 'reconnect', state_reason: '190/467' });
    expect(await states(to)).toEqual(Array(3).fill(['waiting', '190/467', null]));
    await later(80 * 3_600_000);
    expect(await attempts(to)).toHaveLength(1);
    const sealed = await house.vault.seal(destinationSecretPlace(house.organisation, to), 'token');
    await house.inside(async (sql) => {
      await sql.run('UPDATE relay_destinations SET secret_sealed = $2 WHERE id = $1', [to, sealed]);
      expect(await resumeDestination(sql, lane(to), clock.now())).toBe(true);
    });
    // The hours for tries did not run while it stood: one that fails now is tried again.
    next(meta, { chaos: 'html_502' });
    await house.lanes.idle();
    await later(20_000);
    expect((await states(to)).map(([state]) => state)).toEqual(['accepted', 'accepted', 'accepted']);
  });
  it.each([
    ['a dataset that is another one', 'meta-capi', { dataset_id: '99' }, {}, 'misconfigured', '100/33'],
    ['a setting that is missing', 'meta-capi', {}, {}, 'misconfigured', 'settings.dataset_id'],
    ['a token that is missing', 'meta-capi', dataset, { secret: null }, 'reconnect', 'no_token'],
    [
      'a test where there is none',
      'linkedin',
      { conversion_id: '1' },
      { testCode: 'T' },
      'misconfigured',
      'no_test_mode',
    ],
    ['a dry run where there is none', 'meta-capi', dataset, { isDryRun: true }, 'misconfigured', 'no_dry_run'],
  ])('%s', async (_what, kind, settings, more, state, reason) => {
    const to = await house.addDestination(kind, settings, more);
    await house.add([to], many(1));
    await house.lanes.idle();
    expect(await destinationState(to)).toEqual({ state, state_reason: reason });
    expect((await states(to)).map(([each]) => each)).toEqual(['waiting']);
    expect(counted(meta)).toEqual([]);
  });
  it('a platform that takes no token gets none, also where a connection was named', async () => {
    const to = await house.addDestination('taboola', { event_name: 'make_purchase' }, { secret: null, connection: 5 });
    const [id] = await house.add([to], many(1));
    fresh.push({ reconnect: 'invalid_grant' });
    await house.lanes.idle();
    expect(await states(to)).toEqual([['accepted', null, null]]);
    expect(fresh.splice(0)).toHaveLength(1);
    const { requests } = postback.admin('GET', '/received') as { requests: { headers?: object }[] };
    expect(requests).toHaveLength(1);
    expect(JSON.stringify(requests)).not.toMatch(/authorization|alexz|token/i);
    expect(counted(postback)).toMatchObject([{ event: 'make_purchase', received: 1 }]);
    expect(id).toBeDefined();
  });
  it('a connection gives its token each time, says when it cannot, and ends with what waits for it (REL-05)', async () => {
    const to = await house.addDestination('meta-capi', dataset, { secret: null, connection: 5 });
    await house.add([to], many(1));
    fresh.push({ later: 'no_answer', afterMs: 30_000 }, { reconnect: 'invalid_grant' });
    await house.lanes.idle();
    expect(await destinationState(to)).toMatchObject({ state: 'active' });
    await later(31_000);
    expect(await destinationState(to)).toEqual({ state: 'reconnect', state_reason: 'invalid_grant' });
    const ends = deliveriesOfConnections(() => clock.now());
    // Another one's is nothing to it; authorised again it goes on by itself.
    await house.inside((sql) => ends.goOn(sql, house.organisation, 4));
    expect(await destinationState(to)).toMatchObject({ state: 'reconnect' });
    await house.inside((sql) => ends.goOn(sql, house.organisation, 5));
    await later(1_000);
    expect(await states(to)).toEqual([['accepted', null, null]]);
    const ids = await house.add([to], [...many(1), { ...orderOf(), state: 'held' }]);
    const ended = [{ what: 'queued conversions', count: 2 }];
    expect(await house.inside((sql) => ends.preview(sql, house.organisation, 5))).toEqual(ended);
    await house.inside((sql) => ends.stop(sql, house.organisation, 5));
    expect(await ends.cancel(house.store.postgres, house.organisation, 5)).toEqual(ended);
    await house.lanes.idle();
    expect((await states(to)).slice(1)).toEqual(Array(2).fill(['cancelled', 'disconnected', null]));
    expect(await settledOf(ids)).toEqual([true, true]);
    expect(await destinationState(to)).toEqual({ state: 'reconnect', state_reason: 'disconnected' });
  });
});

it('a token that ended before its time is replaced by its connection, once, and only then somebody is asked', async () => {
  const to = await house.addDestination('meta-capi', dataset, { secret: null, connection: 6 });
  await house.add([to], many(2));
  fresh.push({ token: 'gone', version: '1' });
  refused.push({ token: 'other', version: '2' });
  await house.lanes.idle();
  expect(await destinationState(to)).toMatchObject({ state: 'active' });
  await later(1_000);
  expect(await states(to)).toEqual(Array(2).fill(['accepted', null, null]));
  await house.add([to], many(1));
  fresh.push({ token: 'gone', version: '3' });
  await house.lanes.idle();
  expect(refusals.splice(0)).toEqual([
    [6, '1'],
    [6, '3'],
  ]);
  expect(await destinationState(to)).toEqual({ state: 'reconnect', state_reason: 'expired' });
  expect((await states(to)).at(-1)).toEqual(['waiting', '190/467', null]);
});

it('a test goes apart at the platform, and a dry run is only checked', async () => {
  const test = await house.addDestination('meta-capi', dataset, { testCode: 'TEST12345' });
  const dry = await house.addDestination('google-data-manager', account, { isDryRun: true });
  await house.add([test, dry], many(2));
  await house.lanes.idle();
  expect([counted(meta), counted(google)]).toEqual([[], []]);
  expect(platform(meta)).toMatchObject({ tested: { TEST12345: [{}, {}] } });
  expect(platform(google)).toMatchObject({ validated: 1 });
  for (const [to, reason] of [
    [test, 'test'],
    [dry, 'validated'],
  ] as const)
    expect((await house.rows(to)).map((row) => [row.state, row.reason, row.is_test])).toEqual(
      Array(2).fill(['accepted', reason, true]),
    );
  expect(await attempts(dry)).toMatchObject([{ result_at: null }]);
});

describe('refunds', () => {
  const refundOf = (order_id: string, more: object = {}) =>
    orderOf({ order_id: undefined, items: undefined, original: { order_id }, refund: true, value: undefined, ...more });
  const of = (id: string) =>
    platform(google).conversions.filter((one: { transactionId: string }) => one.transactionId === id);

  it('wait for their purchase, and parts become what remains of the order, to the last digit', async () => {
    const to = await house.addDestination('google-data-manager', account);
    await house.add([to], [orderOf({ order_id: 'R-1', value: '100.10' }), refundOf('R-1', { value: '0.20' })]);
    next(google, { chaos: 'html_502' });
    await house.lanes.idle();
    expect((await states(to)).map(([state, reason]) => [state, reason])).toEqual([
      ['waiting', 'html'],
      ['waiting', 'waits_for_original'],
    ]);
    await later(20_000);
    await later(1_000);
    expect((await states(to)).map(([state]) => state)).toEqual(['accepted', 'accepted']);
    expect(of('R-1')).toMatchObject([{ restated: 1, event: { conversionValue: 99.9, currency: 'EUR' } }]);
    await house.add([to], [refundOf('R-1', { value: '49.95' }), refundOf('R-1', { value: '0.05' })]);
    await later(1_000);
    expect(of('R-1')).toMatchObject([{ event: { conversionValue: 49.9 } }]);
    await house.add([to], [refundOf('R-1', { value: '49.90' })]);
    await later(1_000);
    expect(of('R-1')).toMatchObject([{ event: { conversionValue: 0 } }]);
    expect(platform(google).conversions).toHaveLength(1);
  });
  it('wait for one that is still to go, however long its destination was paused', async () => {
    const to = await house.addDestination('google-data-manager', account);
    await house.inside((sql) => pauseDestination(sql, lane(to), clock.now()));
    await house.add([to], [orderOf({ order_id: 'P-1', value: '100' }), refundOf('P-1', { value: '30' })]);
    await later(4 * 86_400_000);
    await house.inside((sql) => resumeDestination(sql, lane(to), clock.now()));
    await later(1_000);
    await later(61_000);
    expect((await states(to)).map(([state]) => state)).toEqual(['accepted', 'accepted']);
    expect(of('P-1')).toMatchObject([{ event: { conversionValue: 70 } }]);
  });
  it('take off once of two actions of one account, each after its own purchase', async () => {
    const to = await house.addDestination('google-data-manager', account);
    const [purchase] = await house.add(
      [to],
      [orderOf({ order_id: 'T-1', value: '100' }), refundOf('T-1', { value: '30' })],
    );
    await house.inside(async (sql) => {
      await sql.run(
        `WITH route AS (INSERT INTO relay_routes (id, organisation_id, source_id, destination_id, rules, created_at)
           SELECT id + 100000, organisation_id, source_id, destination_id, rules, created_at FROM relay_routes WHERE id = $1)
         INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, platform_event, value, state,
           waits_for, next_at, created_at)
         SELECT organisation_id, conversion_id, route_id + 100000, destination_id, platform_id, '777', value, state, waits_for,
           next_at + CASE WHEN conversion_id = $2 THEN interval '10 minutes' ELSE interval '0' END, created_at
         FROM relay_deliveries WHERE destination_id = $1`,
        [to, purchase],
      );
    });
    await later(1_000);
    await later(61_000);
    const byAction = async () =>
      (await house.rows(to)).map(({ platform_event, state, reason }) => [platform_event, state, reason]);
    expect((await byAction()).filter(([event]) => event === '777')).toEqual([
      ['777', 'waiting', null],
      ['777', 'waiting', 'waits_for_original'],
    ]);
    await later(600_000);
    await later(61_000);
    expect((await byAction()).map(([, state]) => state)).toEqual(Array(4).fill('accepted'));
    expect(of('T-1')).toMatchObject([{ event: { conversionValue: 70 } }, { event: { conversionValue: 70 } }]);
  });
  it('of what was never delivered end with a reason, at once or after three days', async () => {
    const to = await house.addDestination('google-data-manager', account);
    const old = orderOf({ order_id: 'R-2', occurred_at: '2026-08-01T00:00:00Z' });
    await house.add([to], [old, refundOf('R-2'), refundOf('R-3')]);
    await house.lanes.idle();
    await later(61_000);
    expect((await states(to)).map(([state, reason]) => [state, reason])).toEqual([
      ['dead', 'too_old'],
      ['dead', 'original_not_delivered'],
      ['waiting', 'waits_for_original'],
    ]);
    await later(72 * 3_600_000);
    expect((await states(to)).at(-1)).toEqual(['dead', 'original_not_delivered', 'original']);
    expect(counted(google)).toEqual([]);
  });
  it('after a restatement take off what that says, and what a restatement comes after is in it, to the last digit', async () => {
    const to = await house.addDestination('google-data-manager', account);
    const restatedTo = (value: string, more: object = {}) => refundOf('R-5', { refund: undefined, value, ...more });
    const worth = async (given: ReturnType<typeof orderOf>) => {
      await house.add([to], [given]);
      await later(1_000);
      return of('R-5')[0].event.conversionValue;
    };
    expect(await worth(orderOf({ order_id: 'R-5', value: '100.10' }))).toBe(100.1);
    expect(await worth(refundOf('R-5', { value: '0.10' }))).toBe(100);
    expect(await worth(restatedTo('80.05'))).toBe(80.05);
    expect(await worth(refundOf('R-5', { value: '10.01' }))).toBe(70.04);
    expect(await worth(refundOf('R-5', { value: '0.0000000001' }))).toBe(70.0399999999);
    // What was withheld says nothing, nor what the platform would not have taken.
    expect(await worth(restatedTo('1', { consent: { ad_user_data: 'denied' } }))).toBe(70.0399999999);
    expect(await worth(restatedTo('2', { action_source: 'phone_call' }))).toBe(70.0399999999);
    expect(await worth(refundOf('R-5', { value: '0.04' }))).toBe(69.9999999999);
    expect(await worth(restatedTo('50'))).toBe(50);
    expect(await worth(refundOf('R-5', { value: '49' }))).toBe(1);
    expect(await worth(refundOf('R-5', { value: '1' }))).toBe(0);
    expect(platform(google).conversions).toHaveLength(1);
    expect((await states(to)).map(([state]) => state).filter((state) => state !== 'accepted')).toEqual([
      'withheld',
      'dead',
    ]);
  });
  it.each([
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ])('and a restatement come to the same in whichever order they arrive: %i %i %i', async (...places) => {
    const to = await house.addDestination('google-data-manager', account);
    const order_id = `R-6${places.join('')}`;
    const ago = (minutes: number) => ({ occurred_at: new Date(clock.now() - minutes * 60_000).toISOString() });
    const all = [
      refundOf(order_id, { value: '5', ...ago(30) }),
      refundOf(order_id, { refund: undefined, value: '80.05', ...ago(20) }),
      refundOf(order_id, { value: '10.01', ...ago(10) }),
    ];
    await house.add([to], [orderOf({ order_id, value: '100.10', ...ago(40) })]);
    for (const place of places) {
      await house.add([to], [all[place] as (typeof all)[number]]);
      await later(1_000);
    }
    expect((await states(to)).map(([state]) => state)).toEqual(Array(4).fill('accepted'));
    expect(of(order_id)).toMatchObject([{ event: { conversionValue: 70.04, currency: 'EUR' } }]);
  });
  it('in another currency than the purchase are refused, since nobody can say what remains', async () => {
    const to = await house.addDestination('google-data-manager', account);
    await house.add([to], [orderOf({ order_id: 'R-4' })]);
    await house.lanes.idle();
    await house.add([to], [refundOf('R-4', { value: '1', currency: 'USD' })]);
    await later(1_000);
    expect((await states(to)).at(-1)).toEqual(['dead', 'invalid', 'currency']);
  });
});

it('what a platform says later is asked for until it is known, and stands at the request and its deliveries', async () => {
  const to = await house.addDestination('google-data-manager', account);
  await house.add([to], many(3));
  google.admin('POST', '/platform', { rejects: { [`B-${number}`]: 'CLICK_NOT_FOUND' } });
  await house.lanes.idle();
  await house.inside((sql) => sql.run('UPDATE relay_attempts SET result_at = NULL WHERE destination_id <> $1', [to]));
  expect(await askResults(house.senders)).toBe(0);
  clock.travel(31_000);
  await askResults(house.senders);
  expect((await attempts(to)).map(({ result }) => result)).toEqual([null]);
  clock.travel(60_000);
  await askResults(house.senders);
  const said = 'PARTIAL_SUCCESS, CLICK_NOT_FOUND 1';
  expect(await attempts(to)).toMatchObject([{ result: said, result_at: null, result_of: null }]);
  expect((await house.rows(to)).map((row) => [row.state, row.platform_result])).toEqual(
    Array(3).fill(['accepted', said]),
  );
});

it.each([
  ['TOO_RECENT_CLICK', 6, 2],
  ['TOO_RECENT_CONVERSION', 24, 3],
  ['INTERNAL_ERROR', 1, 3],
  ['A_REASON_OF_NEXT_YEAR', 1, 3],
])(
  'what may yet go through by %s goes once more after its hours, under its id, and counts once',
  async (reason, hours, count) => {
    const to = await house.addDestination('google-data-manager', account);
    const click_ids = { gclid: 'Cj0KCQ' };
    const { click_ids: _none, ...plain } = order as Record<string, unknown>;
    const ids = await house.add(
      [to],
      [
        ...many(2, { click_ids, clicked_at: new Date(clock.now() - 3_600_000).toISOString() }),
        { given: { ...plain, order_id: `B-${++number}`, occurred_at: new Date(clock.now() - 60_000).toISOString() } },
      ],
    );
    google.admin('POST', '/platform', { rejects: { [`B-${number - 1}`]: reason } });
    await house.lanes.idle();
    await house.inside((sql) => sql.run('UPDATE relay_attempts SET result_at = NULL WHERE destination_id <> $1', [to]));
    clock.travel(91_000);
    await askResults(house.senders);
    const waiting = (await house.rows(to)).filter(({ state }) => state === 'waiting');
    expect(waiting.map((row) => [row.reason, row.settled_at])).toEqual(Array(count).fill([reason, null]));
    expect((await settledOf(ids)).filter(Boolean)).toHaveLength(3 - count);
    // The platform takes it by then.
    google.admin('POST', '/platform', { rejects: { [`B-${number - 1}`]: null } });
    await later(hours * 3_600_000 - 60_000);
    expect(await attempts(to)).toHaveLength(1);
    await later(61_000);
    clock.travel(91_000);
    await askResults(house.senders);
    expect(await states(to)).toEqual(Array(3).fill(['accepted', null, null]));
    expect((await attempts(to)).map(({ result, items }) => [result?.toString().split(',')[0], items])).toEqual([
      ['PARTIAL_SUCCESS', 3],
      ['SUCCESS', count],
    ]);
    expect(new Set(counted(google).map(({ id }) => id)).size).toBe(3);
    expect(counted(google)).toHaveLength(3);
    expect(new Set(await settledOf(ids))).toEqual(new Set([true]));
  },
);

it('an order that was refunded since is not made whole again, and three times more is the end of it', async () => {
  const to = await house.addDestination('google-data-manager', account);
  const order_id = `R-${++number}`;
  await house.add([to], [orderOf({ order_id })]);
  google.admin('POST', '/platform', { rejects: { [order_id]: 'INTERNAL_ERROR' } });
  await house.lanes.idle();
  await house.add(
    [to],
    [orderOf({ order_id: undefined, items: undefined, original: { order_id }, refund: true, value: undefined })],
  );
  await house.lanes.idle();
  await house.inside((sql) => sql.run('UPDATE relay_attempts SET result_at = NULL WHERE destination_id <> $1', [to]));
  for (let day = 0; day < 6; day++) {
    clock.travel(91_000);
    await askResults(house.senders);
    await later(2 * 3_600_000);
  }
  const [purchase, refund] = await house.rows(to);
  expect([purchase?.attempts, purchase?.state]).toEqual([1, 'accepted']);
  expect([refund?.attempts, refund?.state]).toEqual([4, 'accepted']);
});

it('what was being sent when a process died is sent again once its lease is over, under the same id', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(2));
  const state = newLaneState(
    openBucket(600),
    openBreaker(() => 0),
  );
  const opened = (await openAccount(house.senders, lane(to))) as Account;
  const taken = await take(house.senders, opened, { rows: 10, requests: 1 });
  await house.lanes.idle();
  expect(await attempts(to)).toMatchObject([{ items: 2, ms: null, class: null }]);
  await later(299_000);
  expect(counted(meta)).toEqual([]);
  await later(2_000);
  expect(await states(to)).toEqual(Array(2).fill(['accepted', null, null]));
  // Whoever held them before comes back to life: its word does not count any more.
  next(meta, wrongRow, wrongRow, wrongRow);
  await finishTurn(house.senders, opened, state, taken, new AbortController().signal);
  expect(await states(to)).toEqual(Array(2).fill(['accepted', null, null]));
});

it('an account that does not answer is left alone, and its queue goes once a probe came through', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  meta.admin('POST', '/chaos', { share: 1, modes: ['html_502'] });
  for (let each = 0; each < 8; each++) {
    await house.add([to], many(1));
    await later(1_000);
  }
  expect(house.lanes.openBreakers().get('meta-capi')).toBeGreaterThan(0);
  expect((await attempts(to)).length).toBeLessThan(8);
  meta.admin('POST', '/reset', {});
  for (let hours = 0; hours < 3; hours++) await later(3_600_000);
  expect((await states(to)).map(([state]) => state)).toEqual(Array(8).fill('accepted'));
});

it('after an outage what was tried in vain goes at once, and keeps no pause of its own', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  meta.admin('POST', '/chaos', { share: 1, modes: ['html_502'] });
  await house.add([to], many(40));
  // Half a day: pauses of rows are an hour by then, drawn from nothing to that, and the account is asked each quarter of an hour.
  for (let minutes = 0; minutes < 720; minutes += 2) await later(120_000);
  const waiting = (await house.rows(to)).filter(({ next_at }) => (next_at as Date).getTime() > clock.now());
  expect(waiting.length).toBeGreaterThan(10);
  meta.admin('POST', '/reset', {});
  // One more that nobody tried yet is in the probe, whose first answer refuses it whole: what ends the outage is the answer to a half.
  next(meta, wrongRow);
  await house.add([to], many(1));
  await later(900_000);
  await later(1_000);
  expect((await states(to)).map(([state]) => state)).toEqual(Array(41).fill('accepted'));
});

it('a platform that says to wait for no time at all loses nothing to dead letters', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(3));
  next(meta, { status: 429, headers: { 'retry-after': '0' }, body: { error: { code: 4 } } });
  await house.lanes.idle();
  expect(await attempts(to)).toHaveLength(1);
  await later(1_000);
  await later(1_000);
  expect((await states(to)).map(([state]) => state)).toEqual(Array(3).fill('accepted'));
});

it('what went unanswered first and then got a pause of its own keeps that after an outage', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(3));
  meta.admin('POST', '/chaos', { share: 1, modes: ['html_502'] });
  await house.lanes.idle();
  meta.admin('POST', '/reset', {});
  next(meta, { status: 503, headers: { 'retry-after': '86400' }, body: { error: { code: 2 } } });
  await later(11_000);
  meta.admin('POST', '/chaos', { share: 1, modes: ['html_502'] });
  await house.add([to], many(1));
  for (let minutes = 0; minutes < 30; minutes++) await later(60_000);
  expect(house.lanes.openBreakers().get('meta-capi')).toBeGreaterThan(0);
  meta.admin('POST', '/reset', {});
  await house.add([to], many(1));
  for (let minutes = 0; minutes < 20; minutes++) await later(60_000);
  expect((await states(to)).map(([state]) => state).sort()).toEqual([
    ...Array(2).fill('accepted'),
    ...Array(3).fill('waiting'),
  ]);
});

it.each<[what: string, end: (to: number, last: number) => Promise<unknown>, state: string]>([
  ['paused', (to) => house.inside((sql) => pauseDestination(sql, lane(to), clock.now())), 'waiting'],
  [
    'cancelled',
    (_, last) =>
      house.inside((sql) => sql.run(`UPDATE relay_deliveries SET state = 'cancelled' WHERE id = $1`, [last])),
    'cancelled',
  ],
])('what was %s while others of its turn were on their way is not sent', async (_what, end, state) => {
  const to = await house.addDestination('taboola', { event_name: 'make_purchase' }, { secret: null });
  postback.admin('POST', '/reset', {});
  await house.add([to], many(9));
  const last = Math.max(...(await house.rows(to)).map(({ id }) => Number(id)));
  next(postback, ...Array.from({ length: 8 }, () => ({ chaos: 'latency', ms: 400 })));
  const sending = house.lanes.idle();
  const total = () => (postback.admin('GET', '/received') as { total: number }).total;
  while (total() < 8) await new Promise((resolve) => setTimeout(resolve, 10));
  clock.travel(2_000);
  await end(to, last);
  await sending;
  expect(total()).toBe(8);
  expect((await states(to)).map(([each]) => each).sort()).toEqual([...Array(8).fill('accepted'), state].sort());
});

it('what a platform gave a pause of its own keeps that after an outage', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(1));
  next(meta, { status: 503, headers: { 'retry-after': '86400' }, body: { error: { code: 2 } } });
  await house.lanes.idle();
  meta.admin('POST', '/chaos', { share: 1, modes: ['html_502'] });
  await house.add([to], many(5));
  for (let minutes = 0; minutes < 30; minutes++) await later(60_000);
  expect(house.lanes.openBreakers().get('meta-capi')).toBeGreaterThan(0);
  meta.admin('POST', '/reset', {});
  for (let minutes = 0; minutes < 20; minutes++) await later(60_000);
  const ends = await states(to);
  expect(ends.filter(([state]) => state === 'accepted')).toHaveLength(5);
  expect(ends.filter(([state]) => state === 'waiting')).toHaveLength(1);
});

it('what waits where nothing is sent is set aside before it is too old', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  const old = { occurred_at: new Date(clock.now() - 6 * 86_400_000).toISOString() };
  // What others here have left is over by now.
  await endTooOld(house.senders);
  const ids = await house.add([to], [orderOf(old), { ...orderOf(old), state: 'held' }, orderOf()]);
  await house.inside((sql) => pauseDestination(sql, lane(to), clock.now()));
  expect(await endTooOld(house.senders)).toBe(0);
  clock.travel(86_400_000 - 60_000);
  expect(await endTooOld(house.senders)).toBe(2);
  expect(await states(to)).toEqual([...Array(2).fill(['dead', 'too_old', 'occurred_at']), ['waiting', null, null]]);
  expect((await settledOf(ids)).filter(Boolean)).toHaveLength(2);
});

it('neither the log nor what is kept of answers has anything of a person', async () => {
  expect(house.lines.filter((line) => /_failed/.test(line) && !/outbound_failed/.test(line))).toEqual([]);
  const kept = JSON.stringify(await house.inside((sql) => sql.query('SELECT * FROM relay_attempts')));
  for (const text of [kept, house.lines.join('')])
    expect(text).not.toMatch(/alexz|8005550100|C-77|81\.2\.69|[0-9a-f]{64}|Bearer/i);
});
