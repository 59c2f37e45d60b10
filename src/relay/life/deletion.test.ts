import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import type { TakenRow } from '../deliveries/rows.ts';
import { begin, dueRows } from '../deliveries/take.ts';
import { order } from '../destinations/senders_fixture.ts';
import { removeConversions } from './deletion.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let house: SendingHouse;
let destination: number;

beforeAll(async () => {
  house = await openSendingHouse({ clock: systemClock, baseUrls: {} });
  destination = await house.addDestination('webhook', { url: 'https://hook.example/' });
});
afterAll(() => house.close());

const orphans = () =>
  house.inside((sql) =>
    sql.query<{ state: string }>(
      `SELECT d.state FROM relay_deliveries d WHERE NOT EXISTS (SELECT FROM relay_conversions c WHERE c.id = d.conversion_id)
       UNION ALL SELECT 'digest' FROM relay_subjects s WHERE NOT EXISTS (SELECT FROM relay_tellings t WHERE t.id = s.telling_id)`,
    ),
  );
const open = () =>
  house.inside((sql) =>
    sql.one<{ rows: number }>("SELECT coalesce(sum(rows), 0)::int AS rows FROM relay_summed WHERE state = 'open'"),
  );

it('takes a delivery away with its conversion, also where its turn marks it meanwhile', async () => {
  const ids = await house.add(
    [destination],
    ['a-1', 'a-2', 'a-3'].map((order_id) => ({ given: { ...order, order_id } })),
  );
  const taken = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const { organisation } = house;
  const lane = { organisationId: organisation, destinationId: destination };
  const turn = house.inside(async (sql) => {
    const now = systemClock.now();
    const rows = await sql.query<TakenRow>(dueRows, [organisation, destination, new Date(now), 100]);
    taken.resolve();
    await goOn.promise;
    const ready = rows.map((row) => ({ row }) as never);
    return begin(sql, lane, [ready], { now, leaseAt: new Date(now + 60_000), settings: () => ({}) });
  });
  await taken.promise;
  const removal = house.inside((sql) => removeConversions(sql, house.vault, organisation, ids.slice(0, 2)));
  await vi.waitFor(
    async () => {
      const { rows } = await house.store.asOwner((sql) =>
        sql.one<{ rows: number }>(
          'SELECT count(*)::int AS rows FROM pg_locks l WHERE cardinality(pg_blocking_pids(l.pid)) > 0',
        ),
      );
      expect(rows).toBeGreaterThan(0);
    },
    { timeout: 4_000, interval: 20 },
  );
  goOn.resolve();
  expect((await turn)[0]?.ready).toHaveLength(3);
  expect(await removal).toMatchObject({ conversions: 2, deliveries: 2 });
  expect(await orphans()).toEqual([]);
  expect(await house.rows(destination)).toMatchObject([{ conversion_id: ids[2], state: 'sending' }]);
  expect((await open()).rows).toBe(1);
});

it('ends what was left without its conversion before', async () => {
  await house.inside((sql) =>
    sql.run(
      `INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, state, next_at, created_at)
       VALUES ($1, gen_random_uuid(), $2, $2, 'gone', 'waiting', now(), now())`,
      [house.organisation, destination],
    ),
  );
  expect(await orphans()).toEqual([{ state: 'waiting' }]);
  const text = await readFile(new URL('../migrations/2026-11-30-99-v6-30-go-too.sql', import.meta.url), 'utf8');
  await house.store.asOwner((sql) => sql.run(`BEGIN; ${text}; COMMIT`));
  expect(await orphans()).toEqual([]);
  expect(await house.rows(destination)).toHaveLength(1);
  expect((await open()).rows).toBe(1);
});
