import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Warehouse } from '../platform/warehouse/index.ts';
import { inSpan } from './in_span.ts';
import { eventAt, openTestWarehouse, storeEvents } from './query/rig.ts';

let warehouse: Warehouse;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ warehouse, close } = await openTestWarehouse());
});
afterAll(() => close());

it('takes the first and the last millisecond of its seconds, and none beside them', async () => {
  const from = Date.UTC(2026, 10, 1, 12) / 1000;
  const to = from + 2;
  const inside = [from * 1000, from * 1000 + 1, to * 1000 - 999, to * 1000 - 1];
  // Each in a part of its own, as the last events of a quiet site are.
  for (const at of [from * 1000 - 1, ...inside, to * 1000]) await storeEvents(warehouse, [eventAt(at)]);
  const rows = await warehouse.read<{ at: string }>(
    `SELECT toUnixTimestamp64Milli(time) AS at FROM events WHERE ${inSpan} ORDER BY at`,
    { site: 1, from, to },
  );
  const [counted] = await warehouse.read<{ n: string }>(`SELECT count() AS n FROM events WHERE ${inSpan}`, {
    ...{ site: 1, from, to },
  });
  expect([rows.map(({ at }) => Number(at)), Number(counted?.n)]).toEqual([inside, inside.length]);
});
