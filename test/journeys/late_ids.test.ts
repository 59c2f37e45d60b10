import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDesk, type TestDesk } from './desk.ts';

let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
});
afterAll(() => desk.close());

const day = 86_400_000;

it('an id counts once for a day after it came, also a late event’s, also across a restart', async () => {
  const event = (id: string, ageMs: number) => ({
    n: 'Signup',
    u: 'https://shop.example/a',
    d: 'shop.example',
    id,
    time: Date.now() - ageMs,
  });
  const events = [event('now', 0), event('hour', 3_600_000), event('days', 3 * day), event('months', 90 * day)];
  const send = async () => JSON.parse((await desk.collect(events, { authorization: `Bearer ${desk.key}` })).text);
  expect(await send()).toMatchObject({ stored: 4, duplicates: 0 });
  const late = () =>
    desk.rows<{ late: number; known: number }>(
      'SELECT toUInt8(received > 0) AS late, toUInt8(event_key != 0) AS known FROM events ORDER BY time',
    );
  const known = { late: 1, known: 1 };
  expect(await late()).toEqual([known, known, known, { late: 0, known: 1 }]);
  // A merge lets go of every id that has had its day.
  await desk.server.desk.house.warehouse.command('OPTIMIZE TABLE events FINAL');
  expect(await late()).toEqual([known, known, known, { late: 0, known: 1 }]);
  await desk.restart();
  expect(await send()).toMatchObject({ stored: 0, duplicates: 4 });
});
