import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';
import { endIdentifiers, relayExecutors } from './ageing.ts';
import { conversionHolder } from './holder.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const dayMs = 86_400_000;
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
let house: SendingHouse;
let destination: number;

beforeAll(async () => {
  house = await openSendingHouse({ clock, baseUrls: {} });
  destination = await house.addDestination('webhook', { url: 'https://hook.example/' });
});
afterAll(() => house.close());

/** Ends what is over so many days from now. */
async function sweep(days: number): Promise<void> {
  aheadMs = days * dayMs;
  try {
    await endIdentifiers({ postgres: house.store.postgres, vault: house.vault, clock, log: house.senders.log });
  } finally {
    aheadMs = 0;
  }
}

const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1);

/** Of which of these conversions raw identifiers are there. */
async function withRaw(ids: readonly string[]): Promise<boolean[]> {
  const rows = await house.inside((sql) =>
    sql.query<{ id: string; has_raw: boolean }>(
      'SELECT conversion_id AS id, raw_sealed IS NOT NULL AS has_raw FROM relay_tellings WHERE conversion_id = ANY ($1::uuid[])',
      [ids],
    ),
  );
  return ids.map((id) => rows.find((row) => row.id === id)?.has_raw === true);
}

it('ends raw identifiers of somebody whose restriction withheld the last delivery, in their time', async () => {
  const ids = await house.add(
    [destination],
    ['r-1', 'r-2'].map((order_id) => ({ given: { ...order, order_id } })),
  );
  const digest = Buffer.alloc(32, 1);
  await house.inside((sql) =>
    sql.run(
      `INSERT INTO relay_subjects (organisation_id, digest, telling_id)
       SELECT organisation_id, $2, id FROM relay_tellings WHERE conversion_id = $1`,
      [ids[0], digest],
    ),
  );
  const who = { organisationId: house.organisation, identifiers: [{ kind: 'email' as const, digest }] };
  const holder = conversionHolder({
    ...{ postgres: house.store.postgres, vault: house.vault, settle: async () => true },
  });
  await house.inside((sql) => holder.restrict?.(sql, who, 1) ?? Promise.reject(new Error('It restricts.')));
  expect(await house.rows(destination)).toMatchObject([
    { conversion_id: ids[0], state: 'withheld', reason: 'restricted' },
    { conversion_id: ids[1], state: 'waiting' },
  ]);
  const settled = () =>
    house.inside((sql) =>
      sql.query<{ id: string; settled_at: Date | null }>(
        'SELECT id, settled_at FROM relay_conversions WHERE id = ANY ($1::uuid[])',
        [ids],
      ),
    );
  const ended = await settled();
  expect(ended.find(({ id }) => id === ids[0])?.settled_at).toBeInstanceOf(Date);
  // As it was before, until the migration.
  await house.inside((sql) => sql.run('UPDATE relay_conversions SET settled_at = NULL'));
  const file = new URL('../migrations/2026-11-30-99-v6-31-identifiers-that-end.sql', import.meta.url);
  const text = (await readFile(file, 'utf8')).replace(/^CREATE INDEX.*$/m, '');
  await house.store.asOwner((sql) => sql.run(`BEGIN; ${text}; COMMIT`));
  expect((await settled()).sort(byId)).toEqual(ended.sort(byId));
  await sweep(6);
  expect(await withRaw(ids)).toEqual([true, true]);
  await sweep(8);
  expect(await withRaw(ids)).toEqual([false, true]);
});

it('keeps raw identifiers, captured requests and calls of pixels of a site that is under a hold, and of no other', async () => {
  const nowMs = clock.now();
  const at = new Date(nowMs);
  const ids = await house.add(
    [],
    ['h-1', 'h-2', 'h-3'].map((order_id) => ({ given: { ...order, order_id } })),
  );
  await house.inside(async (sql) => {
    const organisation = house.organisation;
    const sites = await sql.query<{ id: number }>(
      `INSERT INTO sites (organisation_id, domain, timezone, currency, created_at)
       SELECT $1, domain, 'UTC', 'EUR', $2 FROM unnest($3::text[]) AS u (domain) RETURNING id`,
      [organisation, at, ['held.example', 'free.example']],
    );
    await sql.run(
      `INSERT INTO legal_holds (organisation_id, scope, site_id, called, reason, owner, review_on, placed_by, placed_at)
       VALUES ($1, 'site', $2, 'held.example', 'Claim 12', 'Legal', current_date + 30, 1, $3)`,
      [organisation, sites[0]?.id, at],
    );
    // The third belongs to no site.
    for (const [place, id] of ids.entries()) {
      const site = sites[place]?.id ?? null;
      await sql.run('UPDATE relay_conversions SET site_id = $2, settled_at = $3 WHERE id = $1', [id, site, at]);
      const { id: source } = await sql.one<{ id: number }>(
        `INSERT INTO relay_sources (organisation_id, site_id, name, kind, created_at) VALUES ($1, $2, $3, 'http', $4) RETURNING id`,
        [organisation, site, `Source ${place}`, at],
      );
      await sql.run(
        `INSERT INTO relay_captures (organisation_id, id, source_id, received_at, is_unmapped, subject, request_sealed)
         VALUES ($1, $2, $3, $4, true, $5, 'x')`,
        [organisation, id, source, at, Buffer.alloc(32, place)],
      );
      if (site !== null)
        await sql.run(
          `INSERT INTO relay_pixel_calls (organisation_id, id, site_id, platform, event_name, called_at, near)
           VALUES ($1, $2, $3, 'meta', 'Purchase', $4, '{}')`,
          [organisation, id, site, at],
        );
    }
  });
  const there = (table: 'relay_captures' | 'relay_pixel_calls') =>
    house.inside(async (sql) => {
      const rows = await sql.query<{ id: string }>(`SELECT id FROM ${table} WHERE id = ANY ($1::uuid[])`, [ids]);
      return ids.map((id) => rows.some((row) => row.id === id));
    });
  expect([await withRaw(ids), await there('relay_captures'), await there('relay_pixel_calls')]).toEqual([
    [true, true, true],
    [true, true, true],
    [true, true, false],
  ]);
  await sweep(8);
  const kept = [true, false, false];
  expect(await withRaw(ids)).toEqual(kept);
  expect(await there('relay_captures')).toEqual(kept);
  expect(await there('relay_pixel_calls')).toEqual(kept);

  // The night says of what stays that it is held, and not that it is late.
  const holds = {
    everything: false,
    siteIds: new Set(
      await house.inside(async (sql) =>
        (await sql.query<{ site_id: number }>('SELECT site_id FROM legal_holds')).map(({ site_id }) => site_id),
      ),
    ),
    personIds: new Set<number>(),
  };
  const ask = { organisationId: house.organisation, nowMs: nowMs + 9 * dayMs, cutMs: 0, siteCutMs: () => 0, holds };
  for (const { line, due } of relayExecutors(house.store.postgres))
    if (['conversion-identifiers', 'relay-captures', 'relay-pixel-calls'].includes(line))
      expect([line, await due(ask)]).toMatchObject([line, [{ rows: 1, isHeld: true }]]);

  await house.inside((sql) => sql.run('UPDATE legal_holds SET released_at = now(), released_by = 1'));
  await sweep(8);
  expect(await withRaw(ids)).toEqual([false, false, false]);
  expect(await there('relay_captures')).toEqual([false, false, false]);
});

it('ends what is over of every organisation, some thousand at a time, also where one of them cannot be swept', async () => {
  const { postgres } = house.store;
  const second = await house.store.asOwner(async (sql) => {
    const { id } = await sql.one<{ id: number }>("SELECT nextval('organisations_id_seq') AS id");
    await sql.run("SELECT set_config('fairlead.organisation', $1, false)", [String(id)]);
    await sql.run("INSERT INTO organisations (id, name, slug, created_at) VALUES ($1, 'south', 'south', now())", [id]);
    return id;
  });
  expect(second).toBeGreaterThan(house.organisation);
  const count = 20_001;
  await postgres.tenant(second, (sql) =>
    sql.run(
      `WITH made AS (
         INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent,
           region, mapping_version, raw_days, settled_at)
         SELECT $1, gen_random_uuid(), 1, 'purchase', $2, $2, '{}', '{}', '{}', 'other', 1, 7, $2 FROM generate_series(1, $3) RETURNING id)
       INSERT INTO relay_tellings (organisation_id, id, conversion_id, source_id, request_id, received_at, present, subject, raw_sealed)
       SELECT $1, id, id, 1, id, $2, '{}', decode(md5(id::text) || md5(id::text), 'hex'), 'x' FROM made`,
      [second, new Date(clock.now()), count],
    ),
  );
  const left = async () => {
    const { rows } = await postgres.tenant(second, (sql) =>
      sql.one<{ rows: number }>('SELECT count(*)::int AS rows FROM relay_tellings WHERE raw_sealed IS NOT NULL'),
    );
    return rows;
  };
  const ids = await house.add([], [{ given: { ...order, order_id: 's-1' } }]);
  await house.inside((sql) =>
    sql.run('UPDATE relay_conversions SET settled_at = $2 WHERE id = $1', [ids[0], new Date(clock.now())]),
  );
  const locked = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  // Longer than a lock is waited for (platform/postgres/door.ts).
  const holding = house.inside(async (sql) => {
    await sql.query('SELECT FROM relay_tellings WHERE conversion_id = $1 FOR UPDATE', [ids[0]]);
    locked.resolve();
    await letGo.promise;
  });
  await locked.promise;
  expect(await left()).toBe(count);
  await expect(sweep(8)).rejects.toThrow('left 1 times');
  expect(await withRaw(ids)).toEqual([true]);
  expect(await left()).toBe(0);
  const line = house.lines.find((one) => one.includes('relay.ageing_failed')) ?? '';
  expect(JSON.parse(line)).toMatchObject({ organisation: house.organisation, line: 'conversion-identifiers' });
  expect(line).not.toContain(ids[0]);
  letGo.resolve();
  await holding;
  await sweep(8);
  expect(await withRaw(ids)).toEqual([false]);
  // The receipt of the night has each of them once.
  const noted = await postgres.tenant(second, (sql) =>
    sql.one<{ rows: number }>("SELECT rows::int AS rows FROM retention_removals WHERE line = 'conversion-identifiers'"),
  );
  expect(noted.rows).toBe(count);
});
