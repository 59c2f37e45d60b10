import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSendingHouse, root, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import { systemRandom } from '../../platform/random.ts';
import { ringOf } from '../../trust/keys/index.ts';
import { removeConversions } from '../life/deletion.ts';
import { removeWithWaiting } from '../settings/parts.ts';
import { loadSegment } from './loader.ts';
import { makeRecord, recordLine } from './record.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let house: SendingHouse;
let source: number;
let destinations: number[];
const keys = ringOf(root);

beforeAll(async () => {
  house = await openSendingHouse({ clock: systemClock, baseUrls: {} });
  ({ source, destinations } = await house.addShop([
    ['meta-capi', { dataset_id: '1' }],
    ['webhook', { url: 'https://hook.example/' }],
  ]));
});
afterAll(() => house.close());

const parts = () => ({
  postgres: house.store.postgres,
  vault: house.vault,
  keys,
  log: { warn: (event: string) => void house.lines.push(event), error: () => {} },
});

/** The real store, in which a load has done all of its work and not ended yet. */
function loadingStore() {
  const loaded = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const postgres: Pick<typeof house.store.postgres, 'tenant'> = {
    tenant: (organisation, work) =>
      house.store.postgres.tenant(organisation, async (sql) => {
        const done = await work(sql);
        loaded.resolve();
        await goOn.promise;
        return done;
      }),
  };
  return { postgres, loaded: loaded.promise, goOn: () => goOn.resolve() };
}

/** Until it is over, or waits for a lock that somebody else has. */
async function overOrWaiting(work: Promise<unknown>): Promise<void> {
  let isOver = false;
  void work.finally(() => (isOver = true));
  await vi.waitUntil(
    async () =>
      isOver || (await house.store.asOwner((sql) => sql.query('SELECT FROM pg_locks WHERE NOT granted'))).length > 0,
    { timeout: 20_000, interval: 20 },
  );
}

async function segment(orders: readonly string[]): Promise<Buffer> {
  const freshKeys = await house.vault.fresh(house.organisation);
  const sealing = {
    keys,
    vault: house.vault,
    random: systemRandom,
    countryOf: () => 'US',
    regionOf: () => 'us' as const,
  };
  const lines = orders.map((order_id) => {
    const user = { email: [`${order_id}@shop.example`, `${order_id}@home.example`], phone: '+14155550100' };
    const conversion = {
      ...{ event_name: 'purchase', occurred_at: new Date(systemClock.now()).toISOString(), order_id, user },
      consent: { ad_user_data: 'granted', ad_personalization: 'granted' } as const,
    };
    const record = makeRecord(
      conversion,
      {
        ...{ id: source, organisationId: house.organisation, siteId: null, kind: 'http' },
        ...{ kinds: ['meta-capi'], doublesMinutes: 10, rawDays: 7, mappingVersion: 0 },
      },
      { request: '0190a000-0000-7000-8000-000000000001', at: systemClock.now(), freshKeys },
      sealing,
    );
    if (record === undefined) throw new Error('A key was at hand.');
    return recordLine(record);
  });
  freshKeys.close();
  return Buffer.from(`${lines.join('\n')}\n`);
}

const tables = ['conversions', 'tellings', 'subjects', 'identities', 'deliveries'];
async function counts(): Promise<number[]> {
  return house.inside(async (sql) => {
    const all: number[] = [];
    for (const table of tables)
      all.push((await sql.one<{ n: number }>(`SELECT count(*)::int AS n FROM relay_${table}`)).n);
    return all;
  });
}

it('stores each line once, however often its segment comes', async () => {
  const bytes = await segment(['a-1', 'a-2', 'a-3']);
  await loadSegment(parts(), bytes);
  const once = await counts();
  expect(once).toEqual([3, 3, 9, 3, 6]);
  await loadSegment(parts(), bytes);
  expect(await counts()).toEqual(once);
});

it('tells a second time of an order to the first, with what is new of it', async () => {
  await loadSegment(parts(), await segment(['a-2']));
  expect(await counts()).toEqual([3, 4, 12, 3, 6]);
});

it('takes tellings, digests, identities and deliveries away with their conversion, and no other', async () => {
  await house.inside(async (sql) => {
    const { id } = await sql.one<{ id: string }>("SELECT id FROM relay_conversions WHERE order_id = 'a-2'");
    await removeConversions(sql, house.vault, house.organisation, [id]);
  });
  expect(await counts()).toEqual([2, 2, 6, 2, 4]);
  const orphans = await house.inside((sql) =>
    sql.query(
      `SELECT 1 FROM relay_deliveries d WHERE NOT EXISTS (SELECT FROM relay_conversions c WHERE c.id = d.conversion_id)
       UNION ALL SELECT 1 FROM relay_subjects s WHERE NOT EXISTS (SELECT FROM relay_tellings t WHERE t.id = s.telling_id)`,
    ),
  );
  expect(orphans).toEqual([]);
});

it('says which destinations have something to send', async () => {
  const told: number[] = [];
  await loadSegment({ ...parts(), onWaiting: (waiting) => told.push(...waiting) }, await segment(['b-1']));
  expect(told.sort()).toEqual([...destinations].sort());
});

const removals = [
  { of: 'route_id', from: 'relay_routes', left: [['webhook', 'waiting', null]], settled: false },
  { of: 'source_id', from: 'relay_sources', left: [['webhook', 'cancelled', 'removed']], settled: true },
] as const;
for (const { of, from, left, settled } of removals)
  it(`cancels what a load was just routing as its ${from === 'relay_routes' ? 'route' : 'source'} is removed, and keeps the conversion`, async () => {
    const order = `removed-${of}`;
    const held = loadingStore();
    const loading = loadSegment({ ...parts(), postgres: held.postgres }, await segment([order]));
    await held.loaded;
    const { id } = await house.inside((sql) =>
      sql.one<{ id: number }>(
        of === 'source_id'
          ? 'SELECT id FROM relay_sources'
          : `SELECT r.id FROM relay_routes r JOIN relay_destinations d ON d.id = r.destination_id WHERE d.kind = 'meta-capi'`,
      ),
    );
    const removal = removeWithWaiting({ clock: systemClock, postgres: house.store.postgres }, house.organisation, of, {
      find: async () => ({ id }),
      stop: async () => {},
      remove: async (sql) => void (await sql.run(`DELETE FROM ${from} WHERE id = $1`, [id])),
    });
    await overOrWaiting(removal);
    held.goOn();
    await Promise.all([loading, removal]);
    const rows = await house.inside((sql) =>
      sql.query<{ kind: string; state: string; reason: string | null; settled: boolean }>(
        `SELECT o.kind, d.state, d.reason, c.settled_at IS NOT NULL AS settled FROM relay_deliveries d
         JOIN relay_conversions c ON c.id = d.conversion_id JOIN relay_destinations o ON o.id = d.destination_id
         WHERE c.order_id = $1 ORDER BY o.kind`,
        [order],
      ),
    );
    const gone = of === 'route_id' ? [['meta-capi', 'cancelled', 'removed']] : [];
    expect(rows.map(({ kind, state, reason }) => [kind, state, reason])).toEqual([...gone, ...left]);
    expect(rows[0]?.settled).toBe(settled);
  });

it('keeps what was accepted before its source was removed, and it goes nowhere', async () => {
  await loadSegment(parts(), await segment(['after-removal']));
  const rows = await house.inside((sql) =>
    sql.query(
      `SELECT c.settled_at IS NOT NULL AS settled, (SELECT count(*)::int FROM relay_deliveries d WHERE d.conversion_id = c.id) AS deliveries
       FROM relay_conversions c WHERE c.order_id = 'after-removal'`,
    ),
  );
  expect(rows).toEqual([{ settled: true, deliveries: 0 }]);
});

it('leaves nothing behind the end of an organisation, and says so', async () => {
  const before = await counts();
  const bytes = await segment(['c-1', 'c-2']);
  await house.inside((sql) =>
    sql.run("UPDATE organisations SET status = 'closed', status_since = now(), emptied_at = now() WHERE id = $1", [
      house.organisation,
    ]),
  );
  await loadSegment(parts(), bytes);
  expect(await counts()).toEqual(before);
  expect(house.lines).toContain('relay.organisation_ended');
});
