import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openDataManagerEmulator } from '../../../emulators/data_manager.ts';
import { type AddedConversion, openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';
import { namedPurchases, readOrders } from './corrections.ts';
import { askResults } from './results.ts';
import type { TakenRow } from './rows.ts';
import { dueRows } from './take.ts';

/** Corrections that name their purchase by its event, over real rows and a platform that knows the reference alone. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
let google: Emulated;
let house: SendingHouse;
beforeAll(async () => {
  google = await openDataManagerEmulator({
    ...{ now: () => clock.now(), chance: () => 0.5, processingMs: 60_000 },
    tokens: { token: ['https://www.googleapis.com/auth/datamanager'] },
    accounts: { '1234567890': ['555'] },
  });
  house = await openSendingHouse({ clock, baseUrls: { 'google-data-manager': google.url } });
});
afterAll(() => Promise.all([google.close(), house.close()]));
beforeEach(() => {
  google.admin('POST', '/reset', {});
});

const addDestination = () =>
  house.addDestination('google-data-manager', { customer_id: '1234567890', conversion_action_id: '555' });
const { items: _items, order_id: _order, ...plain } = order;
const given = (more: object) => ({ ...plain, occurred_at: new Date(clock.now() - 60_000).toISOString(), ...more });
const saleOf = (event_id: string, more: object = {}, of: Partial<AddedConversion> = {}): AddedConversion => ({
  given: given({ event_id, value: '100.10', ...more }),
  id: `sent-as-${event_id}`,
  ...of,
});
const refundOf = (original: object, more: object = {}, of: Partial<AddedConversion> = {}): AddedConversion => ({
  given: given({ refund: true, original, value: undefined, ...more }),
  ...of,
});
async function later(ms: number): Promise<void> {
  clock.travel(ms);
  await house.lanes.idle();
}
const counted = () =>
  (
    google.admin('GET', '') as { platform: { conversions: { transactionId: string; event: Counted }[] } }
  ).platform.conversions.map(({ transactionId, event }) => [transactionId, event.conversionValue]);
interface Counted {
  conversionValue: number;
}
const ends = async (destination: number) =>
  (await house.rows(destination)).map(({ state, reason, platform_id }) => [state, reason, platform_id]);

describe('a correction that names its purchase by its event', () => {
  it('goes under the id under which that was sent, with what remains of it', async () => {
    const to = await addDestination();
    await house.add([to], [saleOf('c1-sale')]);
    await later(1_000);
    await house.add([to], [refundOf({ event_id: 'c1-sale' }, { event_id: 'c1-back', value: '0.20' })]);
    await later(1_000);
    expect(counted()).toEqual([['sent-as-c1-sale', 99.9]]);
    await house.add([to], [refundOf({ event_id: 'c1-sale' }, { refund: undefined, value: '80.05' })]);
    await later(1_000);
    await house.add([to], [refundOf({ event_id: 'c1-sale' }, { value: '10.01' })]);
    await later(1_000);
    expect(counted()).toEqual([['sent-as-c1-sale', 70.04]]);
    // A click that is rejected without a number of its transaction, as the preset of Keitaro makes it.
    await house.add([to], [refundOf({ event_id: 'c1-sale' })]);
    await later(1_000);
    expect(counted()).toEqual([['sent-as-c1-sale', 0]]);
    expect(await ends(to)).toEqual(Array(5).fill(['accepted', null, 'sent-as-c1-sale']));
  });
  it('waits for it where it comes first', async () => {
    const to = await addDestination();
    await house.add([to], [refundOf({ event_id: 'c2-sale' }, { value: '0.20' })]);
    await house.lanes.idle();
    expect((await ends(to)).map(([state, reason]) => [state, reason])).toEqual([['waiting', 'waits_for_original']]);
    const [sale] = await house.add([to], [saleOf('c2-sale')]);
    google.admin('POST', '/next', [{ chaos: 'html_502' }]);
    await later(61_000);
    const [refund] = await house.rows(to);
    expect([refund?.state, refund?.waits_for]).toEqual(['waiting', sale]);
    await later(20_000);
    await later(1_000);
    expect(counted()).toEqual([['sent-as-c2-sale', 99.9]]);
    expect(await ends(to)).toEqual(Array(2).fill(['accepted', null, 'sent-as-c2-sale']));
  });
  it('goes under the order where its purchase has one, and both kinds of names are one account', async () => {
    const to = await addDestination();
    await house.add([to], [saleOf('c3-sale', { order_id: 'O-3' }, { id: 'O-3' })]);
    await later(1_000);
    await house.add([to], [refundOf({ event_id: 'c3-sale' }, { value: '0.20' })]);
    await later(1_000);
    await house.add([to], [refundOf({ order_id: 'O-3' }, { value: '9.90' })]);
    await later(1_000);
    expect(counted()).toEqual([['O-3', 90]]);
  });
  it('means that of its own source, else the one of its site; another site has none', async () => {
    const to = await addDestination();
    const sale = (source: number, site: number, id: string) => saleOf('1', {}, { source, site, id });
    await house.add([to], [sale(1, 1, 'a'), sale(2, 1, 'b'), sale(3, 2, 'c')]);
    await later(1_000);
    const back = (source: number, site: number, value: string) =>
      refundOf({ event_id: '1' }, { value }, { source, site });
    await house.add([to], [back(2, 1, '0.20'), back(4, 2, '1.10'), back(4, 1, '50'), back(4, 3, '60')]);
    await later(1_000);
    expect(counted()).toEqual([
      ['a', 100.1],
      ['b', 99.9],
      ['c', 99],
    ]);
    // Of the third nobody can say which of two is meant, and the fourth has none.
    await later(72 * 3_600_000);
    expect((await ends(to)).slice(5).map(([state, reason]) => [state, reason])).toEqual(
      Array(2).fill(['dead', 'original_not_delivered']),
    );
  });
  it('is not undone by a purchase that goes once more', async () => {
    const to = await addDestination();
    await house.add([to], [saleOf('c5-sale')]);
    google.admin('POST', '/platform', { rejects: { 'sent-as-c5-sale': 'INTERNAL_ERROR' } });
    await house.lanes.idle();
    await house.add([to], [refundOf({ event_id: 'c5-sale' })]);
    await house.lanes.idle();
    clock.travel(91_000);
    await askResults(house.senders);
    await later(2 * 3_600_000);
    const [purchase, refund] = await house.rows(to);
    expect([purchase?.attempts, purchase?.state]).toEqual([1, 'accepted']);
    expect(refund?.attempts).toBe(2);
  });
});

describe('of an order that was refunded whole', () => {
  const ago = (minutes: number) => ({ occurred_at: new Date(clock.now() - minutes * 60_000).toISOString() });
  const part = (minutes: number, value = '10') => ({ value, ...ago(minutes) });
  const whole = (minutes: number) => ago(minutes);
  const worth = (minutes: number, value: string) => ({ refund: undefined, value, ...ago(minutes) });
  it.each<[rule: string, told: object[], counts: number[]]>([
    ['a part that happened later takes nothing more off', [whole(9), part(8)], [0, 0]],
    ['a part that happened before takes nothing more off', [whole(8), part(9)], [0, 0]],
    ['parts beside it leave nothing', [part(9), whole(8), part(7)], [90.1, 0, 0]],
    ['more than all of it leaves nothing', [part(9, '150'), part(8)], [0, 0]],
    [
      'a restatement that happened later counts, and parts after that',
      [whole(9), worth(8, '50'), part(7)],
      [0, 50, 40],
    ],
    ['a restatement that happened before does not', [whole(8), worth(9, '50'), part(7)], [0, 0, 0]],
    ['a restatement that happened later stays where the refund arrives after it', [worth(8, '50'), whole(9)], [50, 50]],
    ['a part below nothing is refused and adds nothing', [part(9, '-10'), part(8, '0.10')], [100.1, 100]],
  ])('%s', async (rule, told, counts) => {
    const to = await addDestination();
    await house.add([to], [saleOf(rule, ago(10))]);
    await later(1_000);
    const seen: unknown[] = [];
    for (const more of told) {
      await house.add([to], [refundOf({ event_id: rule }, more)]);
      await later(1_000);
      seen.push(counted().at(-1)?.[1]);
    }
    expect(seen).toEqual(counts);
    expect(counted()).toHaveLength(1);
    const isBelow = ({ value }: Record<string, unknown>) => String(value).startsWith('-');
    for (const row of await house.rows(to))
      expect([row.state, row.reason, row.field]).toEqual(
        isBelow(row) ? ['dead', 'invalid', 'value'] : ['accepted', null, null],
      );
  });
});

it('finds purchases by indexes alone, within row security', async () => {
  await house.inside((sql) =>
    sql.run(
      `INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, order_id, facts, present,
         consent, region, mapping_version, raw_days)
       SELECT $1, gen_random_uuid(), 1, 'purchase', now(), now(), 'o' || n, jsonb_build_object('event_id', 'e' || n), '{}', '{}',
         'other', 1, 7 FROM generate_series(1, 20000) n`,
      [house.organisation],
    ),
  );
  await house.store.asOwner((sql) => sql.run('ANALYZE relay_conversions'));
  const plan = await house.inside((sql) =>
    sql.query<Record<string, string>>(`EXPLAIN ${namedPurchases}`, [house.organisation, 1, ['o7'], ['e8', 'e9'], []]),
  );
  const text = plan.map((line) => Object.values(line)[0]).join('\n');
  expect(text).toContain('relay_conversions_of_an_event_id');
  expect(text).toContain('relay_conversions_of_an_order');
  expect(text).not.toContain('Seq Scan on relay_conversions');
});

it('reads no corrections but those of its order, however many the organisation has', async () => {
  const to = await addDestination();
  await house.add([to], [saleOf('own', { order_id: 'own' })]);
  await later(1_000);
  await house.add([to], [refundOf({ order_id: 'own' }, { value: '1' }), refundOf({ event_id: 'own' }, { value: '2' })]);
  const rows = await house.inside((sql) =>
    sql.query<TakenRow>(dueRows, [house.organisation, to, new Date(clock.now()), 9]),
  );
  expect(rows).toHaveLength(2);
  const lane = { organisationId: house.organisation, destinationId: to };
  const readSoFar = `SELECT sum(pg_stat_get_xact_tuples_returned(r.oid))::int AS n FROM pg_class r
    LEFT JOIN pg_index i ON i.indexrelid = r.oid
    WHERE coalesce(i.indrelid, r.oid) IN ('relay_deliveries'::regclass, 'relay_conversions'::regclass)`;
  /** Rows and entries of indexes that looking for the order reads, of conversions and deliveries. */
  const read = () =>
    house.inside(async (sql) => {
      const before = await sql.one<{ n: number }>(readSoFar);
      const orders = await readOrders(sql, lane, rows);
      const after = await sql.one<{ n: number }>(readSoFar);
      expect([...orders.values()].map(({ worth }) => worth)).toEqual(['97.1', '97.1']);
      return after.n - before.n;
    });
  const before = await read();
  await house.add(
    [to],
    Array.from({ length: 3_000 }, (_, at) =>
      refundOf(at % 2 === 0 ? { order_id: `other-${at}` } : { event_id: `other-${at}` }),
    ),
  );
  expect((await read()) - before).toBeLessThan(20);
  await house.store.asOwner((sql) => sql.run('ANALYZE relay_conversions, relay_deliveries'));
  expect((await read()) - before).toBeLessThan(20);
});

it('what was there before the columns is found by them as well', async () => {
  const to = await addDestination();
  await house.add([to], [refundOf({ order_id: 'old', event_id: 'old-1' }), saleOf('old-2')]);
  const named = () =>
    house.inside((sql) =>
      sql.query(
        `SELECT original_order_id, original_event_id FROM relay_conversions c JOIN relay_deliveries d ON d.conversion_id = c.id
         WHERE d.destination_id = $1 ORDER BY d.id`,
        [to],
      ),
    );
  const filled = [
    { original_order_id: 'old', original_event_id: 'old-1' },
    { original_order_id: null, original_event_id: null },
  ];
  expect(await named()).toEqual(filled);
  await house.inside((sql) =>
    sql.run('UPDATE relay_conversions SET original_order_id = NULL, original_event_id = NULL'),
  );
  const file = new URL('../migrations/2026-11-30-99-v6-e6-originals.sql', import.meta.url);
  const text = await readFile(file, 'utf8');
  const fill = text.slice(text.indexOf('ALTER TABLE relay_conversions NO FORCE'), text.indexOf('DROP INDEX'));
  await house.store.asOwner((sql) => sql.run(fill));
  expect(await named()).toEqual(filled);
});
