import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { approve, cancel, replay } from '../deliveries/replays.ts';
import type { Outcome } from '../deliveries/rows.ts';
import { settle } from '../deliveries/settle.ts';
import { begin } from '../deliveries/take.ts';
import { order } from '../destinations/senders_fixture.ts';
import { removeConversions } from '../life/deletion.ts';
import { counted, type Figures, figuresOf, summed } from './figures.ts';
import { spanOf } from './parts.ts';
import { addUp, closeDays, hasWholeDays } from './sums.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Clocks go forward in Berlin on this night, and Kathmandu lies three quarters of an hour beside the hours. */
const start = Date.parse('2026-03-27T20:10:00Z');
const zones = ['Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns', 'UTC'];
let now = start;
let house: SendingHouse;
let destinations: number[];
let seed = 5;
function chance(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}
const one = <T>(of: readonly T[]): T => of[chance(of.length)] as T;

beforeAll(async () => {
  const clock = { ...systemClock, now: () => now };
  house = await openSendingHouse({ clock, baseUrls: {} });
  destinations = [
    await house.addDestination('meta-capi', { dataset_id: '1' }),
    await house.addDestination('tiktok', { pixel_id: 'C4A1' }),
    await house.addDestination('webhook', { url: 'https://hook.example/' }),
  ];
});
afterAll(() => house.close());

async function figures(from: Figures, sql: Sql, period: 'today' | '7d' | '30d' | '90d') {
  const span = await spanOf(sql, house.organisation, period, now);
  const ordered = (rows: readonly object[]) => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
  return {
    flows: ordered(await from.flows(sql, house.organisation, span)),
    told: await from.told(sql, house.organisation, span),
    cover: ordered(await from.cover(sql, house.organisation, span)),
    sources: await from.sources(sql, house.organisation, span, ['email', 'phone', 'gclid']),
  };
}

async function some(sql: Sql, states: readonly string[]): Promise<{ id: number; conversion_id: string; to: number }[]> {
  const rows = await sql.query<{ id: number; conversion_id: string; to: number }>(
    'SELECT id, conversion_id, destination_id AS to FROM relay_deliveries WHERE state = ANY ($1) ORDER BY id',
    [states],
  );
  const to = one(destinations);
  return rows.filter((row) => row.to === to && chance(3) === 0);
}

const ways: readonly ((sql: Sql) => Promise<unknown>)[] = [
  // Sent: marked, and then what became of it.
  async (sql) => {
    const rows = await some(sql, ['waiting']);
    const [first] = rows;
    if (first === undefined) return;
    const lane = { organisationId: house.organisation, destinationId: first.to };
    const ready = rows.map(({ id, conversion_id }) => ({ row: { id, conversion_id, platform_event: null } }));
    await begin(sql, lane, [ready as never], { now, leaseAt: new Date(now + hourMs), settings: () => ({}) });
  },
  async (sql) => {
    const rows = await some(sql, ['sending', 'waiting']);
    const [first] = rows;
    if (first === undefined) return;
    const outcome = (): Outcome =>
      one<Outcome>([
        { state: 'accepted', reason: undefined },
        { state: 'accepted', reason: 'http_409' },
        { state: 'dead', reason: one(['100/2804003', 'too_old']), field: 'occurred_at' },
        { state: 'withheld', reason: 'consent_denied' },
        { state: 'waiting', nextAt: now + 9_000, triesUntil: undefined, reason: 'http_502' },
        { state: 'unsent' },
      ]);
    await settle(
      sql,
      { organisationId: house.organisation, destinationId: first.to },
      rows.map((row) => ({ row, outcome: outcome() })),
      { now: now + chance(60_000), isTest: false },
    );
  },
  (sql) =>
    replay(
      sql,
      house.organisation,
      { destination: one(destinations), state: one(['dead', 'accepted', 'cancelled']) },
      { now },
    ),
  (sql) => approve(sql, house.organisation, { destination: one(destinations) }, now),
  async (sql) => {
    const ids = (await some(sql, ['held', 'waiting'])).slice(0, 5).map(({ id }) => id);
    if (ids.length > 0) await cancel(sql, house.organisation, { ids }, now);
  },
  // Told again, with or without more identifiers, as the loader writes it.
  (sql) =>
    sql.run(
      `UPDATE relay_conversions SET doubles = doubles + 1, present = CASE WHEN random() < 0.5 THEN present ELSE $2::text[] END
       WHERE organisation_id = $1 AND id IN (SELECT id FROM relay_conversions WHERE organisation_id = $1 ORDER BY id LIMIT 7 OFFSET $3)`,
      [house.organisation, one([['email', 'phone'], ['gclid'], []]), chance(20)],
    ),
  async (sql) => {
    const rows = await sql.query<{ id: string }>('SELECT id FROM relay_conversions ORDER BY id LIMIT 3 OFFSET $1', [
      chance(30),
    ]);
    await removeConversions(
      sql,
      house.vault,
      house.organisation,
      rows.map(({ id }) => id),
    );
  },
  // A delivery that goes by itself, its conversion staying.
  (sql) =>
    sql.run(
      'DELETE FROM relay_deliveries WHERE id IN (SELECT id FROM relay_deliveries ORDER BY id LIMIT 2 OFFSET $1)',
      [chance(30)],
    ),
  (sql) => addUp(sql, house.organisation),
  (sql) => closeDays(sql, house.organisation, now),
];

it('sums are what a count of the rows says, whatever is done to them, over days and zones, added up or not', async () => {
  await house.store.asOwner((sql) => setZone(sql, 'Europe/Berlin'));
  let changed = 0;
  for (let round = 0; round < 60; round++) {
    now += chance(3) === 0 ? chance(4 * dayMs) : chance(3 * hourMs);
    if (chance(3) > 0)
      await house.add(
        destinations.slice(0, 1 + chance(3)),
        Array.from({ length: 1 + chance(9) }, (_, at) => ({
          given: { ...order, order_id: `S-${round}-${at}`, occurred_at: new Date(now - 60_000).toISOString() },
          ...(chance(4) === 0 ? { state: 'held' as const } : {}),
        })),
      );
    if (chance(12) === 0)
      await house.add([], [{ given: { ...order, order_id: `N-${round}`, occurred_at: new Date(now).toISOString() } }]);
    if (round % 15 === 14) {
      await house.inside((sql) => addUp(sql, house.organisation));
      await house.inside((sql) => closeDays(sql, house.organisation, now));
      await house.store.asOwner((sql) => setZone(sql, zones[round % zones.length] as string));
    }
    // In another zone nothing has made the days anew yet.
    else for (let times = 0; times < 4; times++) await house.inside(one(ways));
    await house.inside(async (sql) => {
      for (const period of ['today', '7d', '30d', '90d'] as const) {
        const rows = await figures(counted, sql, period);
        const span = await spanOf(sql, house.organisation, period, now);
        expect(
          await figures(await figuresOf(sql, house.organisation, span), sql, period),
          `${round} ${period}`,
        ).toEqual(rows);
        if (await hasWholeDays(sql, house.organisation, span.timezone))
          expect(await figures(summed, sql, period), `${round} ${period}`).toEqual(rows);
        else changed++;
      }
      const open = `SELECT destination_id AS to, count(*)::int AS n FROM relay_deliveries WHERE state IN ('held', 'waiting', 'sending') GROUP BY 1 ORDER BY 1`;
      const kept = `SELECT about AS to, sum(rows)::int AS n FROM relay_summed WHERE what = 'deliveries' AND state IN ('held', 'open')
        GROUP BY 1 HAVING sum(rows) <> 0 ORDER BY 1`;
      expect(await sql.query(kept)).toEqual(await sql.query(open));
    });
  }
  // Both ways were taken, days were closed, and nothing is kept of what is nothing.
  expect(changed).toBeGreaterThan(0);
  const at = await house.inside(async (sql) => {
    while ((await addUp(sql, house.organisation)) > 0);
    await closeDays(sql, house.organisation, now);
    await addUp(sql, house.organisation);
    await closeDays(sql, house.organisation, now);
    return sql.one<{ days: number; changes: number; nothing: number }>(
      `SELECT (SELECT count(DISTINCT begins_at)::int FROM relay_sums WHERE is_day) AS days, (SELECT count(*)::int FROM relay_sum_changes) AS changes,
         (SELECT count(*)::int FROM relay_sums WHERE rows = 0 AND doubles = 0 AND routed = 0) AS nothing`,
    );
  });
  expect(at).toMatchObject({ changes: 0, nothing: 0 });
  expect(at.days).toBeGreaterThan(5);
});

function setZone(sql: Sql, zone: string): Promise<number> {
  return sql
    .query(`SELECT set_config('fairlead.organisation', $1, false)`, [String(house.organisation)])
    .then(() => sql.run('UPDATE organisations SET timezone = $2 WHERE id = $1', [house.organisation, zone]));
}

it('two who change the same at once, and one who adds up meanwhile, lose nothing', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '9' });
  await house.add(
    [to],
    Array.from({ length: 200 }, (_, at) => ({
      given: { ...order, order_id: `P-${at}`, occurred_at: new Date(now - 60_000).toISOString() },
    })),
  );
  const rows = await house.inside((sql) =>
    sql.query<{ id: number; conversion_id: string }>(
      'SELECT id, conversion_id FROM relay_deliveries WHERE destination_id = $1',
      [to],
    ),
  );
  const lane = { organisationId: house.organisation, destinationId: to };
  const half = (from: number) =>
    Array.from({ length: 10 }, (_, piece) =>
      house.inside((sql) =>
        settle(
          sql,
          lane,
          rows
            .slice(from + piece * 10, from + piece * 10 + 10)
            .map((row) => ({ row, outcome: { state: 'accepted', reason: undefined } as const })),
          { now: now + 500, isTest: false },
        ),
      ),
    );
  const adding = Array.from({ length: 10 }, () => house.inside((sql) => addUp(sql, house.organisation)));
  const anew = house.inside(async (sql) => {
    await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('relay.sums', $1))", [house.organisation]);
    await sql.query('SELECT relay_sums_anew($1)', [house.organisation]);
  });
  await Promise.all([...half(0), anew, ...adding, ...half(100)]);
  await house.inside(async (sql) =>
    expect(await figures(summed, sql, '90d')).toEqual(await figures(counted, sql, '90d')),
  );
});

/** Conversions of two deliveries each. */
const addRows = (sql: Sql, count: number) =>
  sql.run(
    `WITH c AS (
       INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent,
         region, mapping_version, raw_days)
       SELECT current_organisation(), gen_random_uuid(), 1, 'purchase', now(), now(), '{}', '{}', '{}', 'other', 1, 7
       FROM generate_series(1, $1) RETURNING id)
     INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, state, next_at, created_at)
     SELECT current_organisation(), id, route, route, 'x', 'waiting', now(), now() FROM c, generate_series(1, 2) AS route`,
    [count],
  );

it('what is told again and what goes is found by its keys, whatever a connection planned while there was next to nothing', async () => {
  const fresh = await openSendingHouse({ clock: systemClock, baseUrls: {} });
  /** Rows and entries of indexes that this transaction has read so far. */
  const read = async (sql: Sql) => {
    const { n } = await sql.one<{ n: number }>(
      `SELECT sum(pg_stat_get_xact_tuples_returned(r.oid))::int AS n FROM pg_class r LEFT JOIN pg_index i ON i.indexrelid = r.oid
       WHERE coalesce(i.indrelid, r.oid) IN ('relay_deliveries'::regclass, 'relay_conversions'::regclass)`,
    );
    return n;
  };
  const changes = [
    "UPDATE relay_conversions SET doubles = doubles + 1, present = '{email}'",
    'DELETE FROM relay_deliveries WHERE route_id = 1',
    'DELETE FROM relay_conversions',
  ];
  try {
    const reads = await fresh.inside(async (sql) => {
      for (let times = 0; times < 12; times++) {
        await addRows(sql, 1);
        for (const change of changes) await sql.run(change);
      }
      const counts: number[][] = [];
      for (const count of [500, 1_000]) {
        await addRows(sql, count);
        const each: number[] = [];
        for (const change of changes) {
          const before = await read(sql);
          await sql.run(change);
          each.push(Math.round(((await read(sql)) - before) / count));
        }
        counts.push(each);
      }
      return counts;
    });
    // A plan from then read each delivery of the organisation for each of them: 1,500 and 3,000.
    for (const each of reads.flat()) expect(each).toBeLessThan(20);
    expect(
      await fresh.inside((sql) =>
        sql.query(
          'SELECT what FROM relay_summed GROUP BY what, about, state, present HAVING sum(rows) <> 0 OR sum(doubles) <> 0 OR sum(routed) <> 0',
        ),
      ),
    ).toEqual([]);
  } finally {
    await fresh.close();
  }
});

it('what comes is found by its keys too, in tables that were emptied and then analysed', async () => {
  const fresh = await openSendingHouse({ clock: systemClock, baseUrls: {} });
  /** By index, how often this transaction has looked into it, and how many entries it read there. */
  const looked = async (sql: Sql) =>
    new Map(
      (
        await sql.query<{ name: string; looks: number; read: number }>(
          `SELECT i.indexrelid::regclass::text AS name, pg_stat_get_xact_numscans(i.indexrelid)::int AS looks,
             pg_stat_get_xact_tuples_returned(i.indexrelid)::int AS read
           FROM pg_index i WHERE i.indrelid IN ('relay_deliveries'::regclass, 'relay_conversions'::regclass)`,
        )
      ).map(({ name, looks, read }) => [name, { looks, read }]),
    );
  const change = async (sql: Sql, work: () => Promise<unknown>) => {
    const before = await looked(sql);
    await work();
    return [...(await looked(sql))]
      .map(([name, { looks, read }]) => ({
        ...{ name, looks: looks - (before.get(name)?.looks ?? 0), read: read - (before.get(name)?.read ?? 0) },
      }))
      .filter(({ looks }) => looks > 0)
      .sort((one, other) => one.name.localeCompare(other.name));
  };
  try {
    await fresh.inside((sql) => addRows(sql, 500));
    await fresh.inside((sql) => sql.run('DELETE FROM relay_conversions'));
    await fresh.store.asOwner(async (sql) => {
      for (const table of ['relay_deliveries', 'relay_conversions']) await sql.run(`ANALYZE ${table}`);
    });
    for (const count of [300, 600])
      await fresh.inside(async (sql) => {
        // Each looked into another index, and read there each delivery of the organisation: 600, and then 1,800.
        expect(await change(sql, () => addRows(sql, count))).toEqual([
          { name: 'relay_conversions_pkey', looks: count, read: count },
          { name: 'relay_deliveries_once', looks: count, read: 2 * count },
        ]);
      });
    await fresh.inside(async (sql) => {
      const looks = await change(sql, () => sql.run('DELETE FROM relay_deliveries WHERE route_id = 1'));
      // The conversions were looked for in the index by time.
      expect(looks).toContainEqual({ name: 'relay_conversions_pkey', looks: 900, read: 900 });
      expect(looks.map(({ name }) => name)).not.toContain('relay_conversions_by_time');
    });
  } finally {
    await fresh.close();
  }
});
