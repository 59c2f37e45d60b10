import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { eventAt, openTestWarehouse } from '../query/rig.ts';
import { openAgedKeys } from '../visits/aged_keys.ts';
import { siteKey } from '../visits/visitor.ts';
import { undoImport } from './events.ts';

let warehouse: Warehouse;
let close: () => Promise<void>;
beforeAll(async () => {
  const opened = await openTestWarehouse();
  warehouse = opened.warehouse;
  close = opened.close;
}, 60_000);
afterAll(() => close());

it('an import is undone whole: its rows leave events and visits, its days are marked, its orders may earn again', async () => {
  const may = Date.UTC(2026, 4, 1, 12);
  const rows = [
    eventAt(may, {
      import_id: 7,
      visit_id: '1',
      visitor_id: '1',
      order_id: 'A',
      revenue_amount: '5',
      revenue_currency: 'EUR',
    }),
    eventAt(may + 86_400_000, { import_id: 7, visit_id: '2', visitor_id: '2' }),
    eventAt(may, { import_id: 8, visit_id: '3', visitor_id: '3' }),
    eventAt(may, { visit_id: '4', visitor_id: '4' }),
    eventAt(may, { import_id: 7, visit_id: '5', visitor_id: '5', site_id: 2 }),
  ];
  await warehouse.insert('events', Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')), 'undo-1');
  const orderKeys = openAgedKeys({ keysMax: 1_000, keepMs: 1e12 });
  orderKeys.add(siteKey('order', 1, 'A'), may);
  const marked: { days: readonly string[]; rowsLeft: number }[] = [];
  const answer = await undoImport({
    warehouse,
    orderKeys,
    siteId: 1,
    importId: 7,
    async markDirty(_siteId, days) {
      const [left] = await warehouse.read<{ n: string }>(
        'SELECT count() AS n FROM events WHERE import_id = 7 AND site_id = 1',
      );
      marked.push({ days, rowsLeft: Number(left?.n) });
    },
  });
  expect(answer).toEqual({ rows: 2 });
  for (const table of ['events', 'visits']) {
    const left = await warehouse.read<{ visit_id: string }>(`SELECT visit_id FROM ${table} ORDER BY visit_id`);
    expect(left.map((row) => row.visit_id)).toEqual(['3', '4', '5']);
  }
  // Before the rows go, so that nobody reads the old counts, and after.
  expect(marked).toEqual([
    { days: ['2026-05-01', '2026-05-02'], rowsLeft: 2 },
    { days: ['2026-05-01', '2026-05-02'], rowsLeft: 0 },
  ]);
  expect(orderKeys.has(siteKey('order', 1, 'A'), may)).toBe(false);
});
