import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openDataManagerEmulator } from '../../../emulators/data_manager.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import type { DeliveryCredits } from '../../platform/credits.ts';
import { asRetention, type Sql } from '../../platform/postgres/index.ts';
import { systemRandom } from '../../platform/random.ts';
import { openAccount } from '../../relay/deliveries/account.ts';
import { openBreaker } from '../../relay/deliveries/breaker.ts';
import { openBucket } from '../../relay/deliveries/bucket.ts';
import { goOnWithCredits } from '../../relay/deliveries/credits.ts';
import { openLanes } from '../../relay/deliveries/lanes.ts';
import type { Account, Senders } from '../../relay/deliveries/parts.ts';
import { replay } from '../../relay/deliveries/replays.ts';
import { askResults } from '../../relay/deliveries/results.ts';
import { take } from '../../relay/deliveries/take.ts';
import { finishTurn, newLaneState } from '../../relay/deliveries/turn.ts';
import { order } from '../../relay/destinations/senders_fixture.ts';
import { creditExecutors } from './ageing.ts';
import { brokenRules } from './check.ts';
import { changeCredits } from './grants.ts';
import { listTransfers, readCredits, transferOf } from './read.ts';
import { sendingCosts } from './sending.ts';
import { keepUp, noticesDue } from './upkeep.ts';

/** Real rows, real requests, and platforms that know the reference alone; time stands still until it is told to pass. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
const million = 1_000_000;
const dayMs = 86_400_000;
let meta: Emulated;
let google: Emulated;
let house: SendingHouse;
let credits: DeliveryCredits;
let senders: Senders;
let lanes: ReturnType<typeof openLanes>;
const acts: { action: string }[] = [];

beforeAll(async () => {
  const parts = { now: () => clock.now(), chance: () => 0.5 };
  meta = await openMetaEmulator({ ...parts, datasets: ['1234567890'], tokens: { token: 'valid' } });
  google = await openDataManagerEmulator({
    ...parts,
    tokens: { token: ['https://www.googleapis.com/auth/datamanager'] },
    accounts: { '1234567890': ['555'] },
    processingMs: 60_000,
  });
  house = await openSendingHouse({
    clock,
    baseUrls: { 'meta-capi': meta.url, 'google-data-manager': google.url, linkedin: meta.url },
  });
  credits = { ...sendingCosts({ clock }), onAdded: () => () => {} };
  senders = { ...house.senders, credits };
  lanes = openLanes({ ...senders, clock: { ...clock, after: (ms, work) => clock.after(ms === 500 ? 1e9 : ms, work) } });
});
afterAll(async () => {
  await lanes.stop();
  await Promise.all([meta.close(), google.close(), house.close()]);
});
beforeEach(() => {
  meta.admin('POST', '/reset', {});
  google.admin('POST', '/reset', {});
});

const audit = {
  async record(_sql: Sql, _organisation: number | 'desk', act: { action: string }) {
    acts.push(act);
  },
  recordOfPerson: async () => {},
};
const by = { actor: { type: 'operator' as const } };
const grant = async (count: number, more: { expires_on?: string; reference?: string; key?: string } = {}) => {
  const changed = await changeCredits(
    { postgres: senders.postgres as never, audit: audit as never, clock, random: systemRandom },
    house.organisation,
    { credits: count, ...more },
    by,
  );
  if (changed.isNew && count > 0)
    await goOnWithCredits(senders.postgres, house.organisation, {
      ...{ deliveries: Math.floor(changed.available / million), now: clock.now() },
    });
  return changed;
};
const balances = () =>
  house.inside(async (sql) => {
    const row = await sql.maybe<Record<string, number>>(
      'SELECT available, reserved, consumed, expired, granted, refunded FROM credit_accounts',
    );
    return Object.fromEntries(Object.entries(row ?? {}).map(([name, micro]) => [name, micro / million]));
  });
const broken = () => house.inside((sql) => brokenRules(sql, house.organisation, clock.now()));
const read = (period: 'today' | '7d' = '7d') =>
  house.inside((sql) => readCredits(sql, house.organisation, { period, isOn: true, now: clock.now() }));
const ledger = (more: object = {}) =>
  house.inside((sql) => listTransfers(sql, house.organisation, { holds: 'no', limit: 100, ...more }));
const charges = (destination: number) =>
  house.inside((sql) =>
    sql.query<{ delivery_id: number; amount: number; refund_id: number | null }>(
      `SELECT c.delivery_id, c.amount, c.refund_id FROM credit_charges c JOIN relay_deliveries d ON d.id = c.delivery_id
       WHERE d.destination_id = $1 ORDER BY c.id`,
      [destination],
    ),
  );
const states = async (destination: number) =>
  (await house.rows(destination)).map(({ state, reason }) => [state, reason]);
const dataset = { dataset_id: '1234567890' };
const linkedin = { conversion_id: '104012' };
const action = { customer_id: '1234567890', conversion_action_id: '555' };
let number = 0;
const many = (count: number, more: object = {}) =>
  Array.from({ length: count }, () => ({
    given: {
      ...{ ...order, order_id: `C-${++number}`, occurred_at: new Date(clock.now() - 60_000).toISOString() },
      ...more,
    },
  }));
const next = (emulator: Emulated, ...answers: object[]) => emulator.admin('POST', '/next', answers);
/** What is left in the account, taken back, so that a test begins with what it adds. */
async function empty(): Promise<void> {
  const { available } = await balances();
  if ((available ?? 0) > 0) await grant(-(available as number));
}
/** By how much each balance is another after the work. */
async function moved(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await balances();
  await work();
  const after = await balances();
  expect(await broken()).toEqual([]);
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
      .filter(([, change]) => change !== 0),
  );
}

it('with nothing there deliveries wait with their reason, and go once credits are added; nothing is lost (BIL-03)', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(3));
  await lanes.idle();
  expect(await states(to)).toEqual(Array(3).fill(['waiting', 'no_credits']));
  expect(meta.admin('GET', '/counted')).toEqual({ counted: [] });
  expect(await house.inside((sql) => noticesDue(sql, house.organisation, clock.now()))).toBe('credits_out');
  expect(await house.inside((sql) => noticesDue(sql, house.organisation, clock.now()))).toBeUndefined();
  expect(await moved(() => grant(2, { reference: 'Invoice 7' }))).toEqual({ available: 2, granted: -2 });
  await lanes.idle();
  expect(await states(to)).toEqual([...Array(2).fill(['accepted', null]), ['waiting', 'no_credits']]);
  await grant(5);
  await lanes.idle();
  expect(await states(to)).toEqual(Array(3).fill(['accepted', null]));
  expect(await balances()).toEqual({ available: 4, reserved: 0, consumed: 3, expired: 0, granted: -7, refunded: 0 });
  expect(await broken()).toEqual([]);
  expect(acts.map((act) => act.action)).toEqual(['credits.added', 'credits.added']);
});

describe('one credit', () => {
  it('is what each delivery costs that its platform accepted, and none what was refused or is tried again (BIL-03)', async () => {
    await grant(50);
    const to = await house.addDestination('meta-capi', dataset);
    await house.add([to], many(6));
    const wrong = { status: 400, body: { error: { code: 100, error_subcode: 2804016, message: 'no' } } };
    const ok = { chaos: 'latency', ms: 0 };
    // 6; 0 to 2 go; 3 to 5; 3 and 4 go; 5 is it.
    next(meta, wrong, ok, wrong, ok, wrong);
    expect(await moved(() => lanes.idle())).toEqual({ available: -5, consumed: 5 });
    expect((await charges(to)).map(({ amount }) => amount)).toEqual(Array(5).fill(million));
    await house.add([to], many(1));
    next(meta, { status: 500, body: {} });
    expect(await moved(() => lanes.idle())).toEqual({});
    clock.travel(60_000);
    expect(await moved(() => lanes.idle())).toEqual({ available: -1, consumed: 1 });
  });
  it('is charged once, however often a delivery is replayed', async () => {
    const to = await house.addDestination('meta-capi', dataset);
    await house.add([to], many(2));
    expect(await moved(() => lanes.idle())).toEqual({ available: -2, consumed: 2 });
    const again = async () => {
      const choice = { destination: to, state: 'accepted' } as const;
      return (await house.inside((sql) => replay(sql, house.organisation, choice, { now: clock.now() }))).deliveries;
    };
    expect(await again()).toBe(2);
    expect(await moved(() => lanes.idle())).toEqual({});
    // With nothing left they go all the same: they were paid.
    await empty();
    expect(await again()).toBe(2);
    expect(await moved(() => lanes.idle())).toEqual({});
    expect((await states(to)).flat()).toEqual(['accepted', null, 'accepted', null]);
    expect(await charges(to)).toHaveLength(2);
    await grant(50);
  });
  it('is not what a duplicate costs, nor a trial', async () => {
    const trial = await house.addDestination('meta-capi', dataset, { testCode: 'TEST1' });
    await house.add([trial], many(2));
    expect(await moved(() => lanes.idle())).toEqual({});
    expect((await states(trial)).map(([state]) => state)).toEqual(['accepted', 'accepted']);
    const double = await house.addDestination('linkedin', linkedin);
    await house.add([double], many(1));
    // It says that it has it already.
    next(meta, { status: 409, body: {} });
    expect(await moved(() => lanes.idle())).toEqual({});
    expect(await states(double)).toEqual([['accepted', 'http_409']]);
    expect([...(await charges(trial)), ...(await charges(double))]).toEqual([]);
  });
  it('is given back for what the platform refuses later, and a delivery that goes again costs again', async () => {
    const to = await house.addDestination('google-data-manager', action);
    await house.add([to], many(4));
    expect(await moved(() => lanes.idle())).toEqual({ available: -4, consumed: 4 });
    const counts = (...all: [string, number][]) => ({
      status: 200,
      body: {
        requestStatusPerDestination: [
          {
            requestStatus: all.reduce((sum, [, count]) => sum + count, 0) === 4 ? 'FAILED' : 'PARTIAL_SUCCESS',
            errorInfo: { errorCounts: all.map(([reason, count]) => ({ recordCount: String(count), reason })) },
          },
        ],
      },
    });
    clock.travel(120_000);
    next(google, counts(['PROCESSING_ERROR_REASON_CLICK_NOT_FOUND', 3], ['PROCESSING_ERROR_REASON_EVENT_TOO_OLD', 1]));
    expect(await moved(() => askResults(senders))).toEqual({ available: 4, refunded: -4 });
    expect((await charges(to)).every(({ refund_id }) => refund_id !== null)).toBe(true);
    await house.inside((sql) =>
      replay(sql, house.organisation, { destination: to, state: 'accepted' }, { now: clock.now() }),
    );
    expect(await moved(() => lanes.idle())).toEqual({ available: -4, consumed: 4 });
    clock.travel(120_000);
    next(google, counts(['PROCESSING_ERROR_REASON_CLICK_NOT_FOUND', 1]));
    expect(await moved(() => askResults(senders))).toEqual({ available: 1, refunded: -1 });
    // Of one of four nobody says which: each counts as paid.
    expect((await charges(to)).filter(({ refund_id }) => refund_id === null)).toHaveLength(4);
  });
});

it('what is sent once more after a later result is given back, and costs again when it is taken', async () => {
  const to = await house.addDestination('google-data-manager', action);
  await house.add([to], many(3));
  google.admin('POST', '/platform', { rejects: { [`C-${number}`]: 'INTERNAL_ERROR' } });
  expect(await moved(() => lanes.idle())).toEqual({ available: -3, consumed: 3 });
  clock.travel(91_000);
  expect(await moved(() => askResults(senders))).toEqual({ available: 3, refunded: -3 });
  google.admin('POST', '/platform', { rejects: { [`C-${number}`]: null } });
  clock.travel(3_600_000);
  expect(await moved(() => lanes.idle())).toEqual({ available: -3, consumed: 3 });
  clock.travel(91_000);
  expect(await moved(() => askResults(senders))).toEqual({});
  expect((await charges(to)).filter(({ refund_id }) => refund_id === null)).toHaveLength(3);
});

it('what a process held that was killed before it wrote the answer down is let go, and charged once when it goes again (BIL-03)', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(3));
  const account = (await openAccount(senders, { organisationId: house.organisation, destinationId: to })) as Account;
  const turn = await take(senders, account, { rows: 10, requests: 10 });
  expect(turn.reservation).toBeDefined();
  // It has sent them, and died; another takes them after the lease and settles; then the first one wakes up all the same.
  clock.travel(6 * 60_000);
  expect(await moved(() => lanes.idle())).toEqual({ available: -3, consumed: 3 });
  const state = newLaneState(
    openBucket(600),
    openBreaker(() => 0.5),
  );
  expect(await moved(() => finishTurn(senders, account, state, turn, new AbortController().signal))).toEqual({
    available: 3,
    reserved: -3,
  });
  expect(await charges(to)).toHaveLength(3);
  // One that never wakes up.
  await house.add([to], many(2));
  await take(senders, account, { rows: 10, requests: 10 });
  expect((await balances()).reserved).toBe(2);
  clock.travel(10 * 60_000);
  expect(await keepUp(senders as never)).toBe(0);
  clock.travel(6 * 60_000);
  expect(await moved(() => keepUp(senders as never))).toEqual({ available: 2, reserved: -2 });
  expect(await moved(() => lanes.idle())).toEqual({ available: -2, consumed: 2 });
});

it('credits run out by lot, the first to end is used first, and what is held for deliveries does not end under them', async () => {
  await empty();
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  await grant(10);
  await grant(4, { expires_on: dayOf(clock.now()) });
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(1));
  await lanes.idle();
  const left = async () => (await read()).lots.map(({ remaining }) => remaining / million);
  expect(await left()).toEqual([3, 10]);
  await house.add([to], many(1));
  const account = (await openAccount(senders, { organisationId: house.organisation, destinationId: to })) as Account;
  await take(senders, account, { rows: 10, requests: 10 });
  // Its day is over while the turn still runs: what it holds is not let go yet.
  clock.travel(dayMs - (clock.now() % dayMs) - 60_000);
  await house.store.asOwner(async (sql) => {
    await sql.run("SELECT set_config('fairlead.organisation', $1, false)", [String(house.organisation)]);
    await sql.run('UPDATE credit_reservations SET lease_until = $1', [new Date(clock.now() + 30 * 60_000)]);
  });
  clock.travel(120_000);
  expect(await moved(() => keepUp(senders as never))).toEqual({ available: -2, expired: 2 });
  expect(await left()).toEqual([1, 10]);
  clock.travel(60 * 60_000);
  expect(await moved(() => keepUp(senders as never))).toEqual({ reserved: -1, expired: 1 });
  expect(await left()).toEqual([10]);
  await lanes.idle();
  expect(await left()).toEqual([9]);
});

it('is told once when less is left than a week uses, and again only after there was plenty', async () => {
  await empty();
  await grant(100);
  const due = () => house.inside((sql) => noticesDue(sql, house.organisation, clock.now()));
  await due();
  clock.travel(8 * dayMs);
  expect(await due()).toBeUndefined();
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(60));
  await lanes.idle();
  expect((await read()).state).toBe('low');
  expect([await due(), await due()]).toEqual(['credits_low', undefined]);
  await grant(50);
  expect([(await read()).state, await due()]).toEqual(['well', undefined]);
  await grant(-40);
  expect(await due()).toBeUndefined();
  await grant(200);
  expect(await due()).toBeUndefined();
  await grant(-200);
  expect(await due()).toBe('credits_low');
});

it('an act of the operator moves credits once by its key, and takes back no more than is there', async () => {
  expect(await moved(() => grant(7, { key: 'order-1' }))).toEqual({ available: 7, granted: -7 });
  expect(await moved(() => grant(7, { key: 'order-1' }))).toEqual({});
  const { available } = await balances();
  await expect(grant(-((available as number) + 1))).rejects.toThrow(/can be taken back/);
  await expect(grant(1, { expires_on: '2026-11-29' })).rejects.toThrow(/over/);
});

describe('the database', () => {
  const post = (sql: Sql, lines: [string, number][], key = `t${++number}`) =>
    sql.run(
      `WITH made AS (INSERT INTO credit_transfers (organisation_id, kind, key, at) VALUES ($1, 'grant', $2, now()) RETURNING id)
       INSERT INTO credit_entries SELECT $1, made.id, u.account, u.amount FROM made, unnest($3::text[], $4::bigint[]) AS u (account, amount)`,
      [house.organisation, key, lines.map(([account]) => account), lines.map(([, amount]) => amount)],
    );
  it.each<[string, (sql: Sql) => Promise<unknown>, RegExp]>([
    [
      'a transfer that does not sum to nothing',
      (sql) =>
        post(sql, [
          ['granted', -5],
          ['available', 4],
        ]),
      /sum to nothing/,
    ],
    ['a transfer of one line', (sql) => post(sql, [['granted', -5]]), /sum to nothing/],
    [
      'a balance below nothing',
      (sql) =>
        post(sql, [
          ['available', -1e15],
          ['expired', 1e15],
        ]),
      /available_check/,
    ],
    [
      'a line that comes later',
      (sql) =>
        sql.run(
          `INSERT INTO credit_entries SELECT organisation_id, id, u.account, u.amount FROM (SELECT * FROM credit_transfers WHERE kind = 'grant' LIMIT 1) t,
             unnest('{consumed,expired}'::text[], '{5,-5}'::bigint[]) AS u (account, amount)`,
        ),
      /come together/,
    ],
    [
      'a balance by hand',
      (sql) => sql.run('UPDATE credit_accounts SET available = available + 1, granted = granted - 1'),
      /without a line/,
    ],
    ['a changed line', (sql) => sql.run('UPDATE credit_entries SET amount = amount * 2'), /permission denied/],
    ['a removed line', (sql) => sql.run('DELETE FROM credit_entries'), /permission denied/],
    [
      'a charge that is given back twice',
      (sql) => sql.run('UPDATE credit_charges SET refund_id = 1 WHERE refund_id IS NOT NULL'),
      /given back once/,
    ],
    [
      'a second charge of a delivery',
      (sql) =>
        sql.run(
          `INSERT INTO credit_charges (organisation_id, delivery_id, conversion_id, amount, charged_at)
           SELECT organisation_id, delivery_id, conversion_id, 0, now() FROM credit_charges WHERE refund_id IS NULL LIMIT 1`,
        ),
      /credit_charges_once/,
    ],
  ])('refuses %s', async (_what, work, problem) => {
    await expect(house.inside(work)).rejects.toThrow(problem);
    expect(await broken()).toEqual([]);
  });
  it('refuses the owner of the tables, too', async () => {
    for (const text of ['UPDATE credit_entries SET amount = amount', 'DELETE FROM credit_transfers'])
      await expect(
        house.store.asOwner(async (sql) => {
          await sql.run("SELECT set_config('fairlead.organisation', $1, false)", [String(house.organisation)]);
          return sql.run(text);
        }),
      ).rejects.toThrow(/never changed/);
  });
});

it('each line leads to its deliveries, and what was used is told by destination and day', async () => {
  await grant(10);
  const to = await house.addDestination('meta-capi', dataset);
  const [conversion] = await house.add([to], many(2));
  await lanes.idle();
  const page = await ledger();
  expect(page.transfers[0]).toMatchObject({ kind: 'charge', destination_id: to, deliveries: 2, change: -2 * million });
  expect(page.transfers.some(({ kind }) => kind === 'reserve' || kind === 'release')).toBe(false);
  for (const { lines } of page.transfers) expect(lines.reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
  const story = await house.inside((sql) =>
    transferOf(sql, house.organisation, { id: page.transfers[0]?.id as number, limit: 1 }),
  );
  expect(story?.charges).toMatchObject([{ conversion_id: conversion, amount: million, is_refunded: false }]);
  expect(story?.next).not.toBeNull();
  const first = await ledger({ limit: 3 });
  const second = await ledger({ limit: 3, cursor: first.next });
  expect([...first.transfers, ...second.transfers]).toEqual(page.transfers.slice(0, 6));
  const { days, destinations } = await read('7d');
  expect(days).toHaveLength(7);
  expect(destinations.find(({ destination_id }) => destination_id === to)).toMatchObject({
    ...{ by_day: [0, 0, 0, 0, 0, 0, 2 * million], consumed: 2 * million, deliveries: 2, refunded: 0 },
  });
});

it('what is older than its window becomes one line that carries it over, and the balance stays (BIL-03)', async () => {
  const before = await balances();
  const old = async (ago: string, amount: number) =>
    house.inside((sql) =>
      sql.run(
        `WITH made AS (INSERT INTO credit_transfers (organisation_id, kind, key, at) VALUES ($1, 'grant', $2, now() - $3::interval) RETURNING id),
           lot AS (INSERT INTO credit_lots (organisation_id, added_at, amount, remaining) VALUES ($1, now() - $3::interval, $4, $4))
         INSERT INTO credit_entries SELECT $1, made.id, u.account, u.amount FROM made, unnest('{granted,available}'::text[], ARRAY[-$4::bigint, $4::bigint]) AS u (account, amount)`,
        [house.organisation, `old${++number}`, ago, amount],
      ),
    );
  await old('11 years', 3 * million);
  await old('10 years 2 months', 4 * million);
  const [executor] = creditExecutors(senders.postgres as never);
  if (executor?.works !== 'in the transaction') throw new Error('it works in the transaction');
  const nowMs = Date.now();
  const ask = {
    ...{ organisationId: house.organisation, nowMs, cutMs: nowMs - 3_653 * dayMs, siteCutMs: () => nowMs },
    holds: { everything: false, siteIds: new Set<number>(), personIds: new Set<number>() },
  };
  expect(await executor.due(ask)).toMatchObject([{ rows: 2, isHeld: false }]);
  expect(await executor.due({ ...ask, holds: { ...ask.holds, everything: true } })).toMatchObject([{ isHeld: true }]);
  expect(await house.inside((sql) => executor.end(ask, sql))).toMatchObject([{ table: 'credit_transfers', rows: 2 }]);
  expect(await executor.due(ask)).toEqual([]);
  const after = await balances();
  expect([after.available, after.granted]).toEqual([(before.available as number) + 7, (before.granted as number) - 7]);
  expect(await broken()).toEqual([]);
  expect((await ledger({ kind: 'carried' })).transfers).toMatchObject([{ change: 7 * million }]);
  // Nobody's clock makes it shorter than seven years.
  await old('6 years', million);
  const { rows } = await house.inside((sql) =>
    asRetention(sql, () =>
      sql.one<{ rows: number }>('SELECT rows FROM retention.delete_old_credits($1, now())', [house.organisation]),
    ),
  );
  expect(rows).toBe(0);
});

it('many turns at once with retries, doubles and kills charge each delivery once, and never more than there is (BIL-03)', async () => {
  await empty();
  const start = await balances();
  await grant(300);
  const to = await house.addDestination('meta-capi', dataset);
  const ids = (
    await Promise.all(
      [0, 1, 2, 3].map(async () => {
        const conversions = await house.add([to], many(100));
        return house.inside((sql) =>
          sql.query<{ id: number; conversion_id: string }>(
            'SELECT id, conversion_id FROM relay_deliveries WHERE conversion_id = ANY ($1::uuid[])',
            [conversions],
          ),
        );
      }),
    )
  ).flat();
  let seed = 11;
  const chance = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const organisationId = house.organisation;
  const accepted = new Set<number>();
  // Each of 80 turns takes deliveries that others take too, and is answered, refused, killed, or written down twice.
  // Drawn beforehand: they run beside each other, in another order each time.
  const turns = Array.from({ length: 80 }, () => ({
    how: chance(),
    mine: ids.filter(() => chance() < 0.08).map((one) => ({ ...one, isTaken: chance() < 0.8 })),
  }));
  await Promise.all(
    turns.map(async ({ how, mine }) => {
      const { covered, reservation } = await house.inside((sql) =>
        credits.reserve(sql, { organisationId, destinationId: to, deliveries: mine.map(({ id }) => id) }),
      );
      if (how < 0.1) return;
      const took = mine.filter(({ id, isTaken }) => covered.has(id) && isTaken);
      const over = {
        ...{ organisationId, destinationId: to, reservation },
        accepted: took.map(({ id, conversion_id }) => ({ id, conversionId: conversion_id })),
      };
      const settled = () => house.inside((sql) => credits.settle(sql, over));
      // A transaction that is undone is done once more.
      if (how < 0.2)
        await house
          .inside(async (sql) => {
            await credits.settle(sql, over);
            throw new Error('killed');
          })
          .catch(() => {});
      await settled();
      if (how > 0.8) await settled();
      for (const { id } of took) accepted.add(id);
    }),
  );
  clock.travel(20 * 60_000);
  await keepUp(senders as never);
  const rows = await charges(to);
  expect(await broken()).toEqual([]);
  expect(new Set(rows.map(({ delivery_id }) => delivery_id)).size).toBe(rows.length);
  expect(new Set(rows.map(({ delivery_id }) => delivery_id))).toEqual(accepted);
  const cost = rows.filter(({ amount }) => amount > 0).length;
  expect(accepted.size).toBeGreaterThan(150);
  const end = await balances();
  expect([end.reserved, end.consumed]).toEqual([0, (start.consumed as number) + cost]);
  expect(end.available).toBe(300 - cost);
});

it('with credits off nothing is asked or written', async () => {
  const to = await house.addDestination('meta-capi', dataset);
  await house.add([to], many(2));
  expect(await moved(() => house.lanes.idle())).toEqual({});
  expect((await states(to)).flat()).toEqual(['accepted', null, 'accepted', null]);
  expect(await charges(to)).toEqual([]);
});
