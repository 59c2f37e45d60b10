import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';
import { endIdentifiers } from './ageing.ts';
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
