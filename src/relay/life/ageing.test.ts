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
    await endIdentifiers({ postgres: house.store.postgres, vault: house.vault, clock });
  } finally {
    aheadMs = 0;
  }
}

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
  const holder = conversionHolder({ postgres: house.store.postgres, vault: house.vault });
  await house.inside((sql) => holder.restrict?.(sql, who, 1) ?? Promise.reject(new Error('It restricts.')));
  expect(await house.rows(destination)).toMatchObject([
    { conversion_id: ids[0], state: 'withheld', reason: 'restricted' },
    { conversion_id: ids[1], state: 'waiting' },
  ]);
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
