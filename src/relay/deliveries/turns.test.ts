import { expect, it, vi } from 'vitest';
import { openGa4Emulator } from '../../../emulators/ga4.ts';
import { openSendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';

vi.setConfig({ testTimeout: 60_000 });

it('a turn that opened the rows of a hundred people sends them, one request each', async () => {
  const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
  const ga4 = await openGa4Emulator({ now: () => clock.now(), chance: () => 0.5, streams: { 'G-1': ['token'] } });
  const house = await openSendingHouse({ clock, baseUrls: { ga4: ga4.url } });
  const to = await house.addDestination('ga4', { measurement_id: 'G-1' });
  const occurred_at = new Date(clock.now() - 60_000).toISOString();
  await house.add(
    [to],
    Array.from({ length: 100 }, (_, n) => ({
      given: { ...order, order_id: `G-${n}`, occurred_at, custom: { client_id: `1.${n}` } },
    })),
  );
  const transactions = vi.spyOn(house.store.postgres, 'tenant');
  await house.lanes.idle();
  // What is due is taken once, and what became of it written down; of four at a time it was some eighty.
  expect(transactions.mock.calls.length).toBeLessThan(20);
  expect(new Set((await house.rows(to)).map(({ state }) => state))).toEqual(new Set(['accepted']));
  const { requests } = ga4.admin('GET', '/received') as { requests: unknown[] };
  expect(requests).toHaveLength(100);
  await Promise.all([ga4.close(), house.close()]);
});
