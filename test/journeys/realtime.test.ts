import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RealtimeAnswer } from '../../contract/realtime.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** What the page of now is told: only what just happened, only on this site, and nobody by number. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'other.example', 'late.example']);
});
afterAll(() => desk.close());

async function realtime(site: string, since = ''): Promise<RealtimeAnswer> {
  const { status, body } = await desk.call('GET', `/api/sites/${site}/realtime${since && `?since=${since}`}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as unknown as RealtimeAnswer;
}
const view = (site: string, path: string, more: object = {}) => ({
  ...{ n: 'pageview', u: `https://${site}${path}`, d: site },
  ...more,
});
const sum = (rows: { pageviews: number }[]) => rows.reduce((all, row) => all + row.pageviews, 0);

it('a site on which nothing happens has thirty minutes of nothing', async () => {
  const found = await realtime('other.example');
  expect(found).toMatchObject({ visitors: 0, pages: [], sources: [], places: [], events: [] });
  expect(found.minutes).toHaveLength(30);
  const starts = found.minutes.map(({ start }) => Date.parse(start));
  expect(starts.slice(1).map((start, at) => start - (starts[at] ?? 0))).toEqual(Array(29).fill(60_000));
  expect(Date.parse(found.at) - (starts.at(-1) ?? 0)).toBeLessThan(60_000);
});

it('an event that was acknowledged comes into the answer by itself, with nothing of who it was', async () => {
  const sent = await desk.collect(view('shop.example', '/first', { r: 'https://www.bing.com/search?q=secret' }));
  expect(sent.status).toBe(202);
  // A reading is two statements: an event that is loaded between them is in one of them only, and in both of the next.
  let found = await realtime('shop.example');
  for (let asked = 0; asked < 100 && (found.visitors === 0 || found.events.length === 0); asked++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    found = await realtime('shop.example');
  }
  expect(found.visitors).toBe(1);
  expect(found.events).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      ...{ name: 'pageview', page: '/first', source: 'Bing', country: '', device: 'Desktop' },
    },
  ]);
  expect(found).toMatchObject({
    pages: [{ name: '/first', visitors: 1 }],
    sources: [{ name: 'Bing', visitors: 1 }],
    places: [{ name: '', visitors: 1 }],
    regions: [{ name: '', visitors: 1 }],
    cities: [{ name: '', visitors: 1 }],
  });
  expect(sum(found.minutes)).toBe(1);
  const [row] = await desk.rows<{ visitor: string; visit: string }>(
    'SELECT toString(visitor_id) AS visitor, toString(visit_id) AS visit FROM events',
  );
  expect(row?.visitor).toMatch(/^\d{10,}$/);
  expect(JSON.stringify(found)).not.toMatch(new RegExp(`${row?.visitor}|${row?.visit}|127\\.0\\.0\\.1|Firefox|secret`));
});

it('a cursor tells the stream on from there: what it repeats stands from `events_from` on', async () => {
  const before = await realtime('shop.example');
  await desk.collect([view('shop.example', '/second'), view('shop.example', '/second', { n: 'Signup' })]);
  await expect
    .poll(async () => (await realtime('shop.example', before.cursor)).events.length, { timeout: 20_000 })
    .toBeGreaterThan(2);
  const after = await realtime('shop.example', before.cursor);
  const kept = before.events.filter(({ time }) => time < after.events_from);
  expect([...after.events, ...kept]).toEqual((await realtime('shop.example')).events);
  expect(Number(after.cursor)).toBeGreaterThanOrEqual(Number(before.cursor));
  // Long after the last event, the stream has no more to tell.
  expect((await realtime('shop.example', String(Number(after.cursor) + 3_600))).events).toEqual([]);
});

it('filters by what an event itself says, and says which filters that are not', async () => {
  const ask = (filters: unknown) =>
    desk.call('GET', `/api/sites/shop.example/realtime?${new URLSearchParams({ filters: JSON.stringify(filters) })}`);
  const named = async (filters: unknown) => {
    const { status, body } = await ask(filters);
    expect(status, JSON.stringify(body)).toBe(200);
    const answer = body as unknown as RealtimeAnswer;
    return { pages: answer.pages.map(({ name }) => name), events: answer.events.length, sum: sum(answer.minutes) };
  };
  // All of one visit, which began with a search.
  const both = { pages: ['/first', '/second'], events: 3, sum: 2 };
  expect(await named([['is', 'visit:source', ['Bing']]])).toEqual(both);
  expect(await named([['is_not', 'event:page', ['/first']]])).toEqual({ pages: ['/second'], events: 2, sum: 1 });
  expect(await named([['contains', 'event:page', ['SECOND']]])).toEqual({ pages: ['/second'], events: 2, sum: 1 });
  expect(await named([['is', 'visit:source', ['Direct / None']]])).toEqual({ pages: [], events: 0, sum: 0 });
  expect(await named([['is', 'visit:country', ['(not set)']]])).toEqual(both);
  for (const wrong of [[['is', 'event:goal', ['Signup']]], [['is', 'visit:entry_page', ['/']]], [['is', 'x', []]], 7]) {
    const { status, body } = await ask(wrong);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('"invalid_filter"');
  }
});

it('everyone who looks at the same moment is told by one reading', async () => {
  const looks = await Promise.all(Array.from({ length: 12 }, () => realtime('shop.example')));
  expect(new Set(looks.map(({ at }) => at)).size).toBeLessThan(looks.length);
  await expect.poll(async () => (await realtime('shop.example')).at, { timeout: 20_000 }).not.toBe(looks[0]?.at);
});

it('another site sees none of it', async () => {
  expect(await realtime('other.example')).toMatchObject({ visitors: 0, pages: [], events: [] });
});

it('now ends after 5 minutes, the course and the stream after 30', async () => {
  const { at } = await realtime('late.example');
  const minutesAgo = (minutes: number) => new Date(Date.parse(at) - minutes * 60_000).toISOString();
  for (const minutes of [32, 27, 6, 3]) {
    const sent = await desk.collect(view('late.example', `/${minutes}`, { timestamp: minutesAgo(minutes) }), {
      authorization: `Bearer ${desk.key}`,
      'x-forwarded-for': `81.7.${minutes}.9`,
    });
    expect(sent.status, sent.text).toBe(202);
  }
  const [stored] = await desk.rows<{ n: string }>(
    `SELECT toString(count()) AS n FROM events WHERE hostname = 'late.example'`,
  );
  expect(stored?.n).toBe('4');
  // What was told just before is told again for half a second.
  await expect.poll(async () => (await realtime('late.example')).visitors, { timeout: 20_000 }).toBe(1);
  const found = await realtime('late.example');
  expect(found.pages).toEqual([{ name: '/3', visitors: 1 }]);
  expect(found.visitors).toBe(1);
  expect(found.events.map(({ page }) => page)).toEqual(['/3', '/6', '/27']);
  expect(sum(found.minutes)).toBe(3);
});
