import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../platform/random.ts';
import { berlin, chrome, noon, shop } from '../ingest/rig.ts';
import { readEventLine } from '../ingest/row.ts';
import { openAgedKeys } from '../visits/aged_keys.ts';
import { importEvents } from './events.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

function row(time: string, more: object = {}) {
  return {
    time,
    name: 'pageview',
    url: 'https://shop.example/a',
    referrer: 'https://www.google.com/',
    ip: '203.0.113.7',
    user_agent: chrome,
    ...more,
  };
}

async function run(
  lines: (object | string)[],
  more: Partial<Parameters<typeof importEvents>[0]> = {},
  seed = 'import',
) {
  const stored: string[] = [];
  const told: { at: number; days: readonly string[] }[] = [];
  async function* stream() {
    for (const line of lines) yield typeof line === 'string' ? line : JSON.stringify(line);
  }
  const { report } = await importEvents({
    lines: stream(),
    site: shop,
    importId: 7,
    nowMs: noon,
    places: { lookup: () => berlin },
    salts: undefined,
    orderKeys: openAgedKeys({ keysMax: 1_000, keepMs: 800 * 86_400_000 }),
    random: seededRandom(seed),
    addressDigest: () => 'none',
    sealContact: (_site, _row, value) => Buffer.from(value).toString('base64url'),
    async append(rows) {
      stored.push(...rows.split('\n'));
    },
    async markDirty(_siteId, days) {
      told.push({ at: stored.length, days });
    },
    ...more,
  });
  return { report, told, rows: stored.map(readEventLine) };
}

describe('past events are taken in as live ones were, each at its own time', () => {
  it('visits form in the order of the file', async () => {
    const { rows, report } = await run([
      row('2026-05-01T10:00:00Z', { url: 'https://shop.example/a?utm_source=news', title: 'A', screen: '1440x900' }),
      row('2026-05-01T10:30:59Z', { url: 'https://shop.example/b' }),
      row('2026-05-01T10:40:00Z', { name: 'engagement', engagement_ms: 5_000, scroll_depth: 80 }),
      row('2026-05-01T11:11:00Z', { url: 'https://shop.example/c' }),
      row('2026-05-01T11:12:00Z', { user_agent: firefox }),
    ]);
    expect(report).toMatchObject({
      lines: 5,
      stored: 5,
      stopped: {},
      days: { first: '2026-05-01', last: '2026-05-01' },
    });
    expect(new Set(rows.map((stored) => stored.visit_id)).size).toBe(3);
    expect(rows[1]).toMatchObject({
      time: '2026-05-01 10:30:59.000',
      visit_start: '2026-05-01 10:00:00.000',
      visit_id: rows[0]?.visit_id,
      entry_page: '/a',
      source: 'news',
      id_day: '2026-05-01',
      import_id: 7,
      detached: 0,
    });
    expect(rows[2]).toMatchObject({
      name: 'engagement',
      engagement_ms: 5_000,
      scroll_depth: 80,
      visit_id: rows[0]?.visit_id,
    });
  });

  it('one visitor has one id per UTC day, others in the next import, and the grace after midnight', async () => {
    const lines = [
      row('2026-05-01T10:00:00Z'),
      row('2026-05-01T23:55:00Z'),
      row('2026-05-02T00:05:00Z'),
      row('2026-05-02T10:00:00Z'),
    ];
    const first = await run(lines);
    const again = await run(lines, {}, 'another');
    const ids = first.rows.map((stored) => stored.visitor_id);
    expect([ids[0] === ids[1], ids[1] === ids[2], ids[2] === ids[3]]).toEqual([true, true, false]);
    expect(first.rows.map((stored) => stored.id_day)).toEqual(['2026-05-01', '2026-05-01', '2026-05-01', '2026-05-02']);
    expect(again.rows.some((stored) => ids.includes(stored.visitor_id))).toBe(false);
  });

  it('a file that is not in order still has visits of half an hour', async () => {
    const { rows } = await run([row('2026-05-01T12:00:00Z'), row('2026-05-01T10:00:00Z'), row('2026-05-01T10:05:00Z')]);
    const ids = rows.map((stored) => stored.visit_id);
    expect([ids[0] === ids[1], ids[1] === ids[2]]).toEqual([false, true]);
  });

  it('revenue counts once per order, also against orders that are known', async () => {
    const sale = (order: string) => ({
      name: 'purchase',
      revenue: { amount: '9.99', currency: 'EUR', order_id: order },
    });
    const { rows } = await run([
      row('2026-05-01T10:00:00Z', sale('A')),
      row('2026-05-01T11:00:00Z', sale('A')),
      row('2026-05-01T12:00:00Z', sale('B')),
    ]);
    expect(rows.map((stored) => stored.revenue_amount)).toEqual(['9.990', '0', '9.990']);
  });
});

it('rows that are not stored are told by reason and line', async () => {
  const { report, rows } = await run([
    'no json',
    row('2026-05-01T10:00:00Z'),
    '',
    row('2026-05-01T10:00:00Z', { user_agent: 'Googlebot/2.1' }),
    row('never'),
    { ...row('2026-05-01T10:00:00Z'), time: undefined },
    row('2026-07-01T10:00:00Z'),
    row('2026-05-01T10:00:00Z', { ip: 'x' }),
    row('2026-05-01T10:00:00Z', { url: 'data:x' }),
    row('2026-05-01T10:00:00Z', { name: 'engagement', ip: '203.0.113.9' }),
  ]);
  expect(rows).toHaveLength(1);
  expect(report).toMatchObject({
    lines: 10,
    stored: 1,
    stopped: {
      invalid: { rows: 6, lines: [1, 5, 6, 7, 8, 9] },
      bot: { rows: 1, lines: [4] },
      no_session_for_engagement: { rows: 1, lines: [10] },
    },
  });
});

it('a day is marked before its first row is kept, and all days once more at the end', async () => {
  const lines = Array.from({ length: 1_200 }, (_, n) => row(n < 600 ? '2026-05-01T10:00:00Z' : '2026-05-02T10:00:00Z'));
  const { told } = await run(lines);
  expect(told).toEqual([
    { at: 0, days: ['2026-05-01'] },
    { at: 500, days: ['2026-05-02'] },
    { at: 1_200, days: ['2026-05-01', '2026-05-02'] },
  ]);
});

it('an import that breaks off has marked its days and frees the orders it did not keep', async () => {
  const orderKeys = openAgedKeys({ keysMax: 100_000, keepMs: 800 * 86_400_000 });
  const sale = (n: number) =>
    row('2026-05-01T10:00:00Z', { name: 'purchase', revenue: { amount: 1, currency: 'EUR', order_id: `o${n}` } });
  let portions = 0;
  const days: string[] = [];
  await expect(
    run(
      Array.from({ length: 1_500 }, (_, n) => sale(n)),
      {
        orderKeys,
        async append() {
          if (++portions === 2) throw new Error('the disk is full');
        },
        async markDirty(_siteId, told) {
          days.push(...told);
        },
      },
    ),
  ).rejects.toThrow('the disk is full');
  expect(days).toContain('2026-05-01');
  expect(orderKeys.size()).toBe(500);
});

it('neither address nor agent is in a stored row', async () => {
  const { rows } = await run([row('2026-05-01T10:00:00Z', { user_agent: `${chrome} Canary/9.8.7` })]);
  expect(JSON.stringify(rows)).not.toMatch(/203\.0\.113\.7|Canary/);
});
