import { afterAll, beforeAll, expect, it } from 'vitest';
import type { QualitySign } from '../../contract/quality.ts';
import { findSite } from '../../src/accounts/index.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** What is off with the events of a site is said by itself, and nothing where nothing is off. */
let desk: TestDesk;
/** A stored row to make earlier ones of. */
let stored: Record<string, unknown>;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'silent.example', 'fell.example', 'quiet.example', 'other.example']);
  await desk.collect({ n: 'pageview', u: 'https://other.example/', d: 'other.example' });
  const rows = await desk.rows<Record<string, unknown>>('SELECT * FROM events');
  expect(rows).toHaveLength(1);
  stored = rows[0] ?? {};
});
afterAll(() => desk.close());

const hourMs = 3_600_000;
let tokens = 0;
async function signs(site: string): Promise<QualitySign[]> {
  // The counts go to the spool once a second, and from there to the warehouse.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  await desk.rows('SELECT 1');
  const { status, body } = await desk.call('GET', `/api/sites/${site}/quality`);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.signs as QualitySign[];
}

/** Puts `events` of a site into the middle of an hour, as if they had been collected then. */
async function store(site: string, hoursAgo: number, events: number, more: object = {}) {
  const { postgres } = desk.server.desk.house;
  const id = (await findSite(postgres, site))?.id;
  const time = new Date(Date.now() - (hoursAgo + 0.5) * hourMs).toISOString().replace('T', ' ').replace('Z', '');
  const lines = Array.from({ length: events }, () => {
    return JSON.stringify({ ...stored, site_id: id, time, visit_start: time, id_day: time.slice(0, 10), ...more });
  });
  await desk.server.desk.house.warehouse.insert('events', Buffer.from(`${lines.join('\n')}\n`), `quality-${++tokens}`);
}

it('a site without events, or with one, has nothing to be compared with', async () => {
  expect(await signs('quiet.example')).toEqual([]);
  expect(await signs('other.example')).toEqual([]);
});

it('silence is measured against the same hours of the days before, and stays a fault on its second day', async () => {
  for (let day = 1; day <= 7; day++) await store('silent.example', day * 24 + 1, 30 + day);
  expect(await signs('silent.example')).toEqual([{ sign: 'silent', hours: 25, days: 6, usual_min: 32 }]);
  // An import brings what was before; it does not say that the site sends.
  await store('silent.example', 0, 5, { import_id: 7 });
  expect(await signs('silent.example')).toHaveLength(1);
  await store('silent.example', 0, 1);
  // One event is not silence, and far less than half of the usual is too little to be told from chance here.
  expect(await signs('silent.example')).toEqual([]);
});

it('a fall is measured against a usual day and the same weekday', async () => {
  for (let day = 1; day <= 7; day++) await store('fell.example', day * 24, day === 7 ? 150 : 200);
  await store('fell.example', 0, 74);
  expect(await signs('fell.example')).toEqual([{ sign: 'fell', events: 74, usual: 150 }]);
  await store('fell.example', 1, 1);
  expect(await signs('fell.example')).toEqual([]);
});

it('what is refused, shielded or a robot is counted against all that arrived', async () => {
  const page = { n: 'pageview', u: 'https://shop.example/', d: 'shop.example' };
  for (let n = 0; n < 19; n++) await desk.collect({ ...page, u: 'no address' });
  expect(await signs('shop.example')).toEqual([]);
  await desk.collect({ ...page, u: 'no address' });
  expect(await signs('shop.example')).toEqual([
    {
      sign: 'refused',
      reason: 'invalid',
      means: expect.stringContaining('cannot be read'),
      events: 20,
      share: 100,
    },
  ]);
  const robot = { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' };
  await Promise.all(Array.from({ length: 100 }, () => desk.collect(page, robot)));
  expect(await signs('shop.example')).toEqual([
    expect.objectContaining({ sign: 'refused', events: 20, share: 16.7 }),
    { sign: 'robots', events: 100, share: 83.3 },
  ]);
});
