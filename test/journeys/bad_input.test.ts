import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Whatever is sent, the row in the warehouse is right or there is a reason, and the desk goes on. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
});
afterAll(() => desk.close());

const view = { n: 'pageview', u: 'https://shop.example/a', d: 'shop.example' };
const day = 86_400_000;
const long = (length: number) => 'x'.repeat(length);

/** What comes back and what is stored of it; `row` names only what differs from an ordinary page view. */
type Case = [title: string, body: unknown, answer: string, row?: Record<string, unknown>];
const plain = {
  name: 'pageview',
  pathname: '/a',
  title: '',
  props: {},
  revenue: '0',
  currency: '',
  order_id: '',
  interactive: 1,
  scroll_depth: 255,
  engagement_ms: 0,
  screen: '',
  detached: 0,
  fresh: 1,
};

const cases: Case[] = [
  ['text around a list', '[[[]]]', '202 invalid'],
  ['an empty list', '[]', '202'],
  ['a list of what is no event', [1, null, 'x', [], true], '202 invalid'],
  ['arrays where text belongs: name', { ...view, n: ['pageview'] }, '400 invalid name'],
  ['an object where text belongs: url', { ...view, u: { href: 'https://shop.example/' } }, '400 invalid url'],
  ['an array where text belongs: domain', { ...view, d: ['shop.example'] }, '400 invalid domain'],
  ['a number where text belongs: id', { ...view, id: 5 }, '400 invalid id'],
  ['arrays where text may be left out', { ...view, r: ['x'], t: ['x'], sc: [1, 2] }, '202', {}],
  ['an array where props belong', { ...view, p: ['a', 'b'] }, '202', {}],
  ['text where props belong', { ...view, p: 'plan=pro' }, '202', {}],
  [
    'values of every kind',
    { ...view, p: { a: 1, b: true, c: null, d: [1], e: { f: 1 }, g: '', h: 'x' } },
    '202',
    { props: { a: '1', b: 'true', h: 'x' } },
  ],
  ['an array where revenue belongs', { ...view, $: [] }, '400 invalid revenue.currency'],
  ['text where revenue belongs', { ...view, $: 'free' }, '400 invalid revenue'],
  [
    'an amount as text',
    { ...view, $: { amount: ' 19.995 ', currency: 'eur', order_id: 7 } },
    '202',
    { revenue: '19.995', currency: 'EUR', order_id: '7' },
  ],
  ['an amount that is none', { ...view, $: { amount: '1e400', currency: 'EUR' } }, '400 invalid revenue.amount'],
  [
    'an amount without end',
    `{"n":"x","u":"https://shop.example/a","d":"shop.example","$":{"amount":1e999,"currency":"EUR"}}`,
    '400 invalid revenue.amount',
  ],
  ['an amount below nothing', { ...view, $: { amount: -5, currency: 'EUR' } }, '400 invalid revenue.amount'],
  ['a currency that is none', { ...view, $: { amount: 5, currency: 'ABC' } }, '400 invalid revenue.currency'],
  ['numbers as text', { ...view, sd: '60', e: '5000', h: '1', i: 'false' }, '202', { interactive: 0 }],
  [
    'numbers out of range',
    `{"n":"pageview","u":"https://shop.example/a","d":"shop.example","sd":1e999,"e":1e999}`,
    '202',
    { scroll_depth: 100, engagement_ms: day },
  ],
  ['numbers below nothing', { ...view, sd: -1, e: -1 }, '202', {}],
  [
    'duplicate keys: the last counts',
    '{"n":"x","n":"pageview","u":"https://evil.example/","u":"https://shop.example/a","d":"shop.example"}',
    '202',
    {},
  ],
  [
    '__proto__ everywhere',
    '{"__proto__":{"n":"x","u":"x"},"n":"pageview","u":"https://shop.example/a","d":"shop.example","p":{"__proto__":"a","constructor":"b","toString":"c"}}',
    '202',
    { props: ['__proto__', 'constructor', 'toString'] },
  ],
  [
    'a prototype for revenue',
    '{"n":"pageview","u":"https://shop.example/a","d":"shop.example","$":{"__proto__":{"amount":1,"currency":"EUR"}}}',
    '400 invalid revenue.currency',
  ],
  [
    'control characters and line breaks',
    { ...view, n: 'a\n"b"\\\u0001', t: 'x\r\n\t\u0085y', p: { 'k\n': 'v\u2028' } },
    '202',
    { name: 'a\n"b"\\\u0001', title: 'x\r\n\t\u0085y', props: { 'k\n': 'v\u2028' } },
  ],
  [
    'null bytes',
    { ...view, n: 'a\0b', t: '\0', u: 'https://shop.example/a%00\0', p: { 'k\0': '\0v' } },
    '202',
    { name: 'ab', pathname: '/a', props: { k: 'v' } },
  ],
  [
    'lone surrogates',
    '{"n":"a\\ud800","u":"https://shop.example/a","d":"shop.example","t":"\\udfff","p":{"k\\ud800":"\\udc00"},"$":{"amount":1,"currency":"EUR","order_id":"o\\ud800"}}',
    '202',
    {
      name: 'a\ufffd',
      title: '\ufffd',
      props: { 'k\ufffd': '\ufffd' },
      revenue: '1',
      currency: 'EUR',
      order_id: 'o\ufffd',
    },
  ],
  ['a name of 120 characters', { ...view, n: long(120) }, '202', { name: long(120) }],
  ['a name of 121 characters', { ...view, n: long(121) }, '400 too_large name'],
  ['a name of nothing', { ...view, n: ' \t ' }, '400 invalid name'],
  ['a domain of 100,000 characters', { ...view, d: long(100_000) }, '202 not_found'],
  [
    'a thousand domains',
    { ...view, d: Array.from({ length: 1_000 }, (_, n) => `d${n}.example`).join() },
    '202 not_found',
  ],
  ['a title of 100,000 characters', { ...view, t: long(100_000) }, '202', { title: long(512) }],
  ['a title cut in a pair', { ...view, t: `${long(511)}😀` }, '202', { title: long(511) }],
  ['a referrer of 100,000 characters', { ...view, r: `https://ref.example/${long(100_000)}` }, '202', {}],
  ['an id of 65 characters', { ...view, id: long(65) }, '400 too_large id'],
  [
    'an order of 129 characters',
    { ...view, $: { amount: 1, currency: 'EUR', order_id: long(129) } },
    '400 too_large revenue.order_id',
  ],
  ['a property name of 301 characters', { ...view, p: { [long(301)]: 1 } }, '400 too_large props'],
  ['a property of 2,001 characters', { ...view, p: { a: long(2_001) } }, '400 too_large props'],
  [
    'an address property that is short without its query',
    { ...view, p: { url: `https://x.example/?${long(5_000)}` } },
    '202',
    { props: { url: 'https://x.example/' } },
  ],
  [
    '1,000 properties',
    { ...view, p: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])) },
    '400 too_large props',
  ],
  [
    '1,000 properties of which 30 say something',
    { ...view, p: Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n < 2 ? n : null])) },
    '202',
    { props: { k0: '0', k1: '1' } },
  ],
  [
    'a path of 2,000 characters',
    { ...view, u: `https://shop.example/${long(1_999)}` },
    '202',
    { pathname: `/${long(1_999)}` },
  ],
  ['a path of 10,000 characters', { ...view, u: `https://shop.example/${long(10_000)}` }, '400 too_large url'],
  ['a host of 300 characters', { ...view, u: `https://${`${long(60)}.`.repeat(5)}example/` }, '400 too_large url'],
  ['an address that is none', { ...view, u: 'https://[/' }, '400 invalid url'],
  ['a data: address', { ...view, u: 'data:text/html,<script>' }, '400 invalid url'],
  ['a javascript: address', { ...view, u: 'javascript:alert(1)' }, '400 invalid url'],
  ['a screen that is none', { ...view, sc: '99999999x1' }, '202', {}],
  [
    'SQL',
    { ...view, n: "'; DROP TABLE events; --", p: { "') OR 1=1 --": "file('/etc/passwd')" } },
    '202',
    { name: "'; DROP TABLE events; --", props: { "') OR 1=1 --": "file('/etc/passwd')" } },
  ],
  ['JSON in a value', { ...view, p: { a: '"},{"site_id":2' } }, '202', { props: { a: '"},{"site_id":2' } }],
  [
    'deep nesting in a value',
    `{"n":"pageview","u":"https://shop.example/a","d":"shop.example","p":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
    '202',
    {},
  ],
  [
    "a visitor's clock, 3 days behind: ours counts",
    { ...view, time: new Date(Date.now() - 3 * day).toISOString() },
    '202',
    {},
  ],
  ["a visitor's clock, 3 days ahead: ours counts", { ...view, timestamp: Date.now() + 3 * day }, '202', {}],
  ['a time that is none', { ...view, time: 'yesterday' }, '400 invalid time'],
  ['a time as an array', { ...view, time: [2026] }, '400 invalid time'],
];

type Stored = Record<string, unknown> & { props: object; browser_version: string };
const answers: string[] = [];
let rows: Stored[] = [];

/** The release of the browser says which case a row is of: it is the one thing that no body can change. */
const releaseOf = (index: number) => String(200 + index);
const agentOf = (release: string) =>
  `Mozilla/5.0 (X11; Linux x86_64; rv:${release}.0) Gecko/20100101 Firefox/${release}.0`;

async function send(body: unknown, release: string): Promise<string> {
  const answer = await desk.raw({
    headers: { 'user-agent': agentOf(release), accept: '*/*', 'accept-language': 'en' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const { error } = answer.status === 400 ? JSON.parse(answer.text) : { error: undefined };
  const parts = [answer.status, answer.headers['x-fairlead-dropped'], error?.field];
  return parts.filter((part) => part !== undefined).join(' ');
}

beforeAll(async () => {
  for (const [index, [, body]] of cases.entries()) answers.push(await send(body, releaseOf(index)));
  rows = await desk.rows<Stored>(
    `SELECT browser_version, name, pathname, title, props, toString(revenue_amount) AS revenue,
      revenue_currency AS currency, order_id, interactive, scroll_depth, engagement_ms, screen, detached,
      time > now() - INTERVAL 5 MINUTE AND time < now() + INTERVAL 1 MINUTE AS fresh FROM events`,
  );
});

it.each(cases.map(([title, , answer, row], index) => ({ title, answer, row, index })))(
  'a row that is right, or a reason: $title',
  ({ answer, row, index }) => {
    expect(answers[index]).toBe(answer);
    const stored = rows.filter((one) => one.browser_version === releaseOf(index));
    if (row === undefined) return expect(stored).toEqual([]);
    // An object literal with `__proto__` would set a prototype, so that case names its keys.
    const seen = stored.map(({ browser_version: _, ...one }) =>
      Array.isArray(row.props) ? { ...one, props: Object.keys(one.props).sort() } : one,
    );
    expect(seen).toEqual([{ ...plain, ...row }]);
  },
);

describe('with a key the time is believed, within reason', () => {
  it.each([
    ['3 days behind', -3 * day, { detached: 1, fresh: 0 }],
    ['3 days ahead', 3 * day, { detached: 0, fresh: 1 }],
  ])('%s', async (title, offMs, row) => {
    const sent = [{ ...view, n: title, time: Date.now() + offMs }];
    const answer = await desk.collect(sent, { authorization: `Bearer ${desk.key}` });
    expect(JSON.parse(answer.text)).toMatchObject({ stored: 1 });
    const rows = await desk.rows(
      `SELECT detached, time > now() - INTERVAL 5 MINUTE AND time < now() + INTERVAL 1 MINUTE AS fresh
      FROM events WHERE name = '${title}'`,
    );
    expect(rows).toEqual([row]);
  });
});

it('the desk went on: everything that was acknowledged is stored, and nothing lies in quarantine', async () => {
  expect(await send(view, '999')).toBe('202');
  const stored = await desk.rows("SELECT name, pathname FROM events WHERE browser_version = '999'");
  expect(stored).toEqual([{ name: 'pageview', pathname: '/a' }]);
  const metrics = await desk.metrics();
  const quarantined = [...metrics.matchAll(/^fairlead_quarantine_rows\S* (\d+)$/gm)].map((line) => line[1]);
  expect(new Set(quarantined)).toEqual(new Set(['0']));
  expect(metrics).toMatch(/^fairlead_dropped_events_total\{reason="too_large"\} [1-9]/m);
  expect((await desk.raw({ method: 'GET', path: '/readyz' })).status).toBe(200);
});

it('what each store takes on the disk is told, by its name', async () => {
  await desk.metrics();
  await expect
    .poll(async () => [...(await desk.metrics()).matchAll(/^fairlead_disk_bytes\{store="(\w+)"\} (\d+)$/gm)])
    .not.toEqual([]);
  const metrics = await desk.metrics();
  const bytesOf = new Map(
    [...metrics.matchAll(/^fairlead_disk_bytes\{store="(\w+)"\} (\d+)$/gm)].map(([, store, bytes]) => [
      store,
      Number(bytes),
    ]),
  );
  expect([...bytesOf.keys()]).toEqual(expect.arrayContaining(['postgres', 'warehouse', 'spool']));
  expect(bytesOf.get('postgres')).toBeGreaterThan(1e6);
  expect(bytesOf.get('warehouse')).toBeGreaterThan(1e3);
  const { text } = await desk.raw({ method: 'GET', path: '/readyz' });
  expect(JSON.parse(text).disk_bytes).toMatchObject({ postgres: bytesOf.get('postgres') });
});
