import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Goals of every kind, from their making to their numbers: what is asked for, what a preview says, what a change does. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'other.example']);
  // Each address is a visitor of its own, to the desk that trusts its key's word for it.
  let number = 0;
  const from = (host: number, more: object) => ({
    id: `event-${++number}`,
    name: 'pageview',
    url: 'https://shop.example/',
    domain: 'shop.example',
    ip: `81.2.69.${host}`,
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
    ...more,
  });
  const reads = (host: number, path: string, depth: number) =>
    from(host, { name: 'engagement', url: `https://shop.example${path}`, scroll_depth: depth, engagement_ms: 4_000 });
  const events = [
    ...[1, 2, 3, 4].map((host) => from(host, {})),
    from(1, { url: 'https://shop.example/blog/wool' }),
    from(2, { url: 'https://shop.example/blog/wool' }),
    from(2, { url: 'https://shop.example/blog/wool/comments' }),
    reads(1, '/blog/wool', 40),
    reads(1, '/blog/wool', 80),
    reads(2, '/blog/wool', 75),
    reads(3, '/', 100),
    from(1, { name: 'Signup', props: { plan: 'pro' } }),
    from(1, { name: 'Signup', props: { plan: 'pro' } }),
    from(2, { name: 'Signup', props: { plan: 'free' } }),
    from(3, { name: 'Signup' }),
    from(4, { name: 'purchase', revenue: { currency: 'JPY', amount: 1200 } }),
    from(4, { name: 'purchase', revenue: { currency: 'EUR', amount: '19.99' } }),
  ];
  // Money is kept because a goal earns it, so that goal is there first.
  await make({ kind: 'event', match: 'purchase', name: 'Order in yen', currency: 'JPY' });
  expect((await desk.call('POST', '/api/event', events)).body).toMatchObject({ stored: events.length });
  await desk.rows('SELECT 1');
});
afterAll(() => desk.close());

const goals = '/api/sites/shop.example/goals';
async function make(goal: object): Promise<{ id: number; name: string }> {
  const { status, body } = await desk.call('POST', goals, goal);
  expect(status, JSON.stringify(body)).toBe(201);
  return body as { id: number; name: string };
}
const preview = async (rule: object) => (await desk.call('POST', `/api/sites/shop.example/goal-preview`, rule)).body;

async function numbers(metrics: string[], more: object = {}): Promise<Record<string, unknown[]>> {
  const { body } = await desk.call('POST', '/api/v2/query', {
    site_id: 'shop.example',
    ...{ metrics, date_range: 'day', dimensions: ['event:goal'] },
    ...more,
  });
  const { results } = body as { results: { dimensions: string[]; metrics: unknown[] }[] };
  return Object.fromEntries(results.map((row) => [row.dimensions.join(' '), row.metrics]));
}

const rules = {
  'a page': [{ kind: 'page', match: '/blog/*' }, 2, 2],
  'pages of any depth': [{ kind: 'page', match: '/blog**' }, 2, 3],
  'an event': [{ kind: 'event', match: 'Signup' }, 3, 4],
  'an event with a property': [{ kind: 'event', match: 'Signup', property: { name: 'plan', value: 'pro' } }, 1, 2],
  'a value that nobody sent': [{ kind: 'event', match: 'Signup', property: { name: 'plan', value: 'Pro' } }, 0, 0],
  'three quarters of a page': [{ kind: 'scroll', match: '/blog/*', scroll_depth: 75 }, 2, null],
  'more of a page': [{ kind: 'scroll', match: '/blog/*', scroll_depth: 80 }, 1, null],
  'the whole of any page': [{ kind: 'scroll', match: '**', scroll_depth: 100 }, 1, null],
} as const;

it.each(Object.entries(rules))(
  'a preview counts what the goal then counts: %s',
  async (_name, [rule, visitors, times]) => {
    expect(await preview(rule)).toEqual({
      days: [expect.stringMatching(/^\d{4}-\d\d-\d\d$/), expect.stringMatching(/^\d{4}-\d\d-\d\d$/)],
      visitors,
      of: 4,
      times,
    });
    const { id, name } = await make(rule);
    const counted = await numbers(['visitors', 'events', 'conversion_rate']);
    expect(counted[name]).toEqual(visitors === 0 ? undefined : [visitors, times ?? 0, 25 * visitors]);
    // Filtered by the goal, the same visitors stand under the pages and the places that they came by.
    const filters = [['is', 'event:goal', [name]]];
    const entries = await numbers(['visitors', 'group_conversion_rate'], { dimensions: ['visit:entry_page'], filters });
    expect(entries['/']).toEqual(visitors === 0 ? undefined : [visitors, 25 * visitors]);
    expect((await desk.call('DELETE', `${goals}/${id}`)).status).toBe(200);
  },
);

it('a goal earns in its own currency, whichever that is', async () => {
  await make({ kind: 'event', match: 'purchase', name: 'Order in euro', currency: 'EUR' });
  const counted = await numbers(['visitors', 'events', 'total_revenue']);
  expect(counted).toMatchObject({
    'Order in yen': [1, 2, { currency: 'JPY', value: 1200 }],
    'Order in euro': [1, 2, { currency: 'EUR', value: 19.99 }],
  });
});

it('a goal that was removed comes back under its number, once, and on its own site alone', async () => {
  const made = await make({ kind: 'page', match: '/back' });
  const { id, ...rest } = made;
  const { undo } = (await desk.call('DELETE', `${goals}/${id}`)).body;
  // A goal that is made meanwhile has a number of its own.
  const other = await make({ kind: 'page', match: '/meanwhile' });
  expect(other.id).not.toBe(id);
  expect(
    (await desk.call('POST', goals.replace('shop.example', 'other.example'), { ...rest, undo })).body,
  ).toMatchObject({
    error: { code: 'invalid_field', field: 'undo' },
  });
  expect(await desk.call('POST', goals, { ...rest, undo })).toEqual({ status: 201, body: made });
  expect((await desk.call('POST', goals, { ...rest, name: 'Again', undo })).status).toBe(409);
  for (const one of [made, other]) await desk.call('DELETE', `${goals}/${one.id}`);
});

it('a goal without a name is called by what it counts, and a name is there once', async () => {
  const made = await make({ kind: 'event', match: 'Signup', property: { name: 'plan', value: 'free' } });
  expect(made).toEqual({
    id: expect.any(Number),
    name: 'Signup, plan free',
    kind: 'event',
    match: 'Signup',
    property: { name: 'plan', value: 'free' },
    scroll_depth: null,
    currency: null,
  });
  expect((await make({ kind: 'scroll', match: '/blog**', scroll_depth: 50 })).name).toBe('Scroll 50% of /blog**');
  const again = await desk.call('POST', goals, { kind: 'page', match: '/', name: 'Signup, plan free' });
  expect([again.status, (again.body.error as { field: string }).field]).toEqual([409, 'name']);
});

it('a changed goal keeps its number and counts the past by its new rule', async () => {
  const { id } = await make({ kind: 'page', match: '/blog/*', name: 'Read' });
  expect((await numbers(['visitors', 'events'])).Read).toEqual([2, 2]);
  const changed = await desk.call('PUT', `${goals}/${id}`, {
    ...{ name: 'Read well', kind: 'scroll', match: '/blog/*', scroll_depth: 80 },
  });
  expect([changed.status, changed.body]).toEqual([
    200,
    {
      ...{ id, name: 'Read well', kind: 'scroll', match: '/blog/*' },
      ...{ property: null, scroll_depth: 80, currency: null },
    },
  ]);
  const counted = await numbers(['visitors']);
  expect([counted.Read, counted['Read well']]).toEqual([undefined, [1]]);
  const taken = await desk.call('PUT', `${goals}/${id}`, { name: 'Order in yen', kind: 'page', match: '/' });
  expect([taken.status, (taken.body.error as { field: string }).field]).toEqual([409, 'name']);
  expect((await desk.call('PUT', `${goals}/999999`, { kind: 'page', match: '/x' })).status).toBe(404);
});

it.each([
  ['match', { kind: 'scroll', match: 'blog', scroll_depth: 50 }],
  ['match', { kind: 'event', match: 'engagement' }],
  ['scroll_depth', { kind: 'scroll', match: '/blog' }],
  ['scroll_depth', { kind: 'page', match: '/blog', scroll_depth: 50 }],
  ['property', { kind: 'page', match: '/blog', property: { name: 'plan', value: 'pro' } }],
  ['currency', { kind: 'event', match: 'purchase', currency: 'XQQ' }],
  ['currency', { kind: 'scroll', match: '/blog', scroll_depth: 50, currency: 'EUR' }],
])('what no event could reach is refused, at its field: %s %j', async (field, goal) => {
  for (const [method, path] of [
    ['POST', goals],
    ['PUT', `${goals}/1`],
  ] as const) {
    const { status, body } = await desk.call(method, path, goal);
    expect([status, (body.error as { field: string; message: string }).field]).toEqual([400, field]);
  }
});
