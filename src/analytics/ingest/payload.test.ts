import { describe, expect, it } from 'vitest';
import { readEvent } from './payload.ts';

const plain = { name: 'pageview', url: 'https://shop.example/' };

describe("Plausible's long and short names are equal", () => {
  const long = {
    name: 'Signup',
    url: 'https://shop.example/a',
    domain: 'shop.example',
    referrer: 'https://news.example/',
    props: { plan: 'pro' },
    revenue: { currency: 'EUR', amount: '9.99' },
    interactive: false,
    hashMode: 1,
    title: 'Hello',
    screen: '1440x900',
    scroll_depth: 70,
    engagement_ms: 5000,
    id: 'e1',
  };
  const short = {
    n: 'Signup',
    u: 'https://shop.example/a',
    d: 'shop.example',
    r: 'https://news.example/',
    p: { plan: 'pro' },
    $: { currency: 'EUR', amount: 9.99 },
    i: false,
    h: 1,
    t: 'Hello',
    sc: '1440x900',
    sd: 70,
    e: 5000,
    id: 'e1',
    v: 36,
  };
  it('and read the same', () => {
    expect(readEvent(short)).toEqual(readEvent(long));
    expect(readEvent(short)).toMatchObject({
      name: 'Signup',
      domains: 'shop.example',
      props: '{"plan":"pro"}',
      revenue: { currency: 'EUR', amount: '9.990' },
      interactive: 0,
      hashMode: true,
      scrollDepth: 70,
      engagementMs: 5000,
    });
  });
  it('`meta` and `m` are props too, and props may be JSON text', () => {
    expect(readEvent({ ...plain, meta: '{"a":1}' })).toMatchObject({ props: '{"a":"1"}' });
    expect(readEvent({ ...plain, m: { a: true } })).toMatchObject({ props: '{"a":"true"}' });
  });
});

describe('custom properties', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
  const rows: [title: string, props: unknown, expected: string][] = [
    ['values become text', { a: 1, b: true, c: 1.5, d: false }, '{"a":"1","b":"true","c":"1.5","d":"false"}'],
    ['lists, objects, null and empty text are left out', { a: [1], b: { c: 1 }, d: null, e: '', f: 'x' }, '{"f":"x"}'],
    ['no object is no props', 'not json', '{}'],
    ['a list is no props', [1, 2], '{}'],
    ['a number is no props', 5, '{}'],
    ['JSON text of a list is no props', '[1]', '{}'],
    [
      '__proto__ is a name like others',
      JSON.parse('{"__proto__":"x","constructor":"y"}'),
      '{"__proto__":"x","constructor":"y"}',
    ],
    ['quotes and breaks are quoted', { 'a"b': 'c\nd' }, '{"a\\"b":"c\\nd"}'],
    ['null bytes and half characters go', { 'a\0': '\ud800b\0' }, '{"a":"\ufffdb"}'],
    [
      'thirty are taken, left-out ones not counted',
      { ...many(30), empty: '' },
      JSON.stringify(Object.fromEntries(Object.entries(many(30)).map(([key, value]) => [key, String(value)]))),
    ],
  ];
  it.each(rows)('%s', (_title, props, expected) => {
    expect(readEvent({ ...plain, props })).toMatchObject({ props: expected });
  });
  it.each([
    ['31 properties', many(31)],
    ['1,000 properties', many(1_000)],
    ['a name of 301 characters', { ['x'.repeat(301)]: 'a' }],
    ['a value of 2,001 characters', { a: 'x'.repeat(2_001) }],
  ])('%s are too many', (_title, props) => {
    expect(readEvent({ ...plain, props })).toMatchObject({ refused: true, reason: 'too_large', field: 'props' });
  });
  it('nothing leaks into the prototype of objects', () => {
    readEvent(
      JSON.parse('{"name":"x","url":"/","props":{"__proto__":{"polluted":"yes"}},"__proto__":{"polluted":"yes"}}'),
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('what cannot be read names the field at fault', () => {
  const rows: [sent: unknown, reason: string, field: string][] = [
    [null, 'invalid', 'event'],
    ['text', 'invalid', 'event'],
    [[plain], 'invalid', 'event'],
    [{}, 'invalid', 'name'],
    [{ name: 'x' }, 'invalid', 'url'],
    [{ name: 'x', url: '' }, 'invalid', 'url'],
    [{ name: 'x', url: 5 }, 'invalid', 'url'],
    [{ name: ' ', url: '/' }, 'invalid', 'name'],
    [{ name: 5, url: '/' }, 'invalid', 'name'],
    [{ ...plain, name: 'x'.repeat(121) }, 'too_large', 'name'],
    [{ ...plain, url: `https://shop.example/?${'x'.repeat(8_000)}` }, 'too_large', 'url'],
    [{ ...plain, domain: 5 }, 'invalid', 'domain'],
    [{ ...plain, id: 5 }, 'invalid', 'id'],
    [{ ...plain, id: 'x'.repeat(65) }, 'too_large', 'id'],
    [{ ...plain, revenue: 'abc' }, 'invalid', 'revenue'],
    [{ ...plain, revenue: { amount: 5 } }, 'invalid', 'revenue.currency'],
    [{ ...plain, revenue: { amount: 5, currency: 'XYZ' } }, 'invalid', 'revenue.currency'],
    [{ ...plain, revenue: { amount: 'lots', currency: 'EUR' } }, 'invalid', 'revenue.amount'],
    [{ ...plain, revenue: { amount: -5, currency: 'EUR' } }, 'invalid', 'revenue.amount'],
    [{ ...plain, revenue: { amount: 5, currency: 'EUR', order_id: {} } }, 'invalid', 'revenue.order_id'],
    [{ ...plain, revenue: { amount: 5, currency: 'EUR', order_id: 'x'.repeat(129) } }, 'too_large', 'revenue.order_id'],
    [{ ...plain, time: 'yesterday' }, 'invalid', 'time'],
    [{ ...plain, time: 17 }, 'invalid', 'time'],
    [{ ...plain, time: {} }, 'invalid', 'time'],
  ];
  it.each(rows)('%j', (sent, reason, field) => {
    expect(readEvent(sent)).toMatchObject({ refused: true, reason, field });
  });
});

describe('what is only odd is left out, and the event goes on', () => {
  const rows: [title: string, sent: object, expected: object][] = [
    ['a title is cut at 512 characters', { t: 'x'.repeat(600) }, { title: 'x'.repeat(512) }],
    ['never through a character', { t: `${'x'.repeat(511)}😀` }, { title: 'x'.repeat(511) }],
    ['a screen of a browser without one', { sc: '0x0' }, { screen: '0x0' }],
    ['a screen that is none either', { sc: '<b>x' }, { screen: '' }],
    ['a referrer that is no text', { r: { a: 1 } }, { referrer: '' }],
    ['scroll beyond the end', { n: 'engagement', sd: 140, e: 10 }, { scrollDepth: 100, engagementMs: 10 }],
    ['scroll below the start', { n: 'engagement', sd: -1, e: -5 }, { scrollDepth: 255, engagementMs: 0 }],
    ['no scroll', { n: 'engagement', sd: null, e: 'x' }, { scrollDepth: 255, engagementMs: 0 }],
    ['engagement never cancels a bounce', { n: 'engagement', i: true }, { interactive: 0 }],
    ['interactive unless told otherwise', {}, { interactive: 1 }],
    ['a name is trimmed', { n: ' Signup\0 ' }, { name: 'Signup' }],
    ['unknown members', { tracker_script_version: 1, click_id_param: 'x' }, { name: 'pageview' }],
    ['revenue null is none', { revenue: null }, { revenue: undefined }],
    ['an order number', { $: { amount: 1, currency: 'EUR', order_id: 42 } }, { orderId: '42' }],
    ['time without a zone is UTC', { time: '2026-06-01 12:00:00' }, { timeMs: Date.UTC(2026, 5, 1, 12) }],
    ['time with a zone', { time: '2026-06-01T12:00:00.250+02:00' }, { timeMs: Date.UTC(2026, 5, 1, 10, 0, 0, 250) }],
    ['a day is its midnight', { time: '2026-06-01' }, { timeMs: Date.UTC(2026, 5, 1) }],
    ['milliseconds', { time: 1_780_000_000_000 }, { timeMs: 1_780_000_000_000 }],
  ];
  it.each(rows)('%s', (_title, sent, expected) => {
    expect(readEvent({ n: 'pageview', u: 'https://shop.example/', ...sent })).toMatchObject(expected);
  });
});
