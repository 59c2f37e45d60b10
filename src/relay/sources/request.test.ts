import { describe, expect, it } from 'vitest';
import { type CapturedRequest, readRequest } from './request.ts';

const now = Date.UTC(2026, 10, 30, 9);
const read = (request: Partial<CapturedRequest>) =>
  readRequest({ method: 'POST', url: '/in/source', headers: {}, body: null, ...request }, now);
const post = (type: string, body: string | Uint8Array, url = '/in/source') =>
  read({ headers: type === '' ? {} : { 'Content-Type': type }, body, url });
const recordsOf = (result: ReturnType<typeof read>) =>
  'refused' in result ? result.refused : result.records.map((scope) => scope?.record);

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';

describe('a request is read by what it says it is', () => {
  it.each<[string, string, string, unknown]>([
    ['an object', json, '{"a":1}', [{ a: 1 }]],
    ['a list is a record each', json, '[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    ['what is no object in a list is none', json, '[{"a":1},2]', [{ a: 1 }, undefined]],
    ['an empty list', json, '[]', []],
    ['with a charset', 'application/json; charset=UTF-8', '{"a":1}', [{ a: 1 }]],
    ['a kind of JSON', 'application/cloudevents+json', '{"a":1}', [{ a: 1 }]],
    ['a form', form, 'a=1&b=x+y%21&c=%C3%A9&d=', [{ a: '1', b: 'x y!', c: 'é', d: '' }]],
    ['a name that stands twice has a list', form, 'a=1&a=2&a=3', [{ a: ['1', '2', '3'] }]],
    ['a name in brackets is a name', form, 'user%5Bemail%5D=a%40example.com', [{ 'user[email]': 'a@example.com' }]],
    ['without a type, JSON', '', ' {"a":1}', [{ a: 1 }]],
    ['without a type, a form', '', 'a=1&b=2', [{ a: '1', b: '2' }]],
    ['a beacon', 'text/plain;charset=UTF-8', '{"a":1}', [{ a: 1 }]],
  ])('%s', (_what, type, body, records) => {
    expect(recordsOf(post(type, body))).toEqual(records);
  });

  it('a postback is its query', () => {
    const url = '/in/source?cid=w1&payout=12.50&a=1&a=2#x';
    for (const method of ['GET', 'POST'])
      expect(recordsOf(read({ method, url }))).toEqual([{ cid: 'w1', payout: '12.50', a: ['1', '2'] }]);
  });
  it('a form takes from the query what it does not say itself', () => {
    expect(recordsOf(post(form, 'a=1', '/in?a=9&b=2'))).toEqual([{ a: '1', b: '2' }]);
  });
  it('a macro is not decoded into something else', () => {
    const url = '/in?a=%deal_id%&b=%7Bpayout%7D&c=%payout%&d=100%&e=%zz';
    expect(recordsOf(read({ method: 'GET', url }))).toEqual([
      { a: '%deal_id%', b: '{payout}', c: '%payout%', d: '100%', e: '%zz' },
    ]);
  });
  it('names of prototypes are names', () => {
    const [record] = recordsOf(post(form, '__proto__=1&constructor=2')) as Record<string, unknown>[];
    expect(Object.keys(record ?? {})).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(record)).toBe(null);
  });
  it('knows query, headers, the moment and the last word of the address', () => {
    const result = read({
      url: '/in/Zt3kP0aBcDeFgHiJkLmNoP/v1/track?x=1',
      headers: { 'Content-Type': json, 'X-Shopify-Topic': 'orders/create', 'X-Two': ['a', 'b'] },
      body: '{"a":1}',
    });
    expect(result).toMatchObject({
      records: [
        {
          query: { x: '1' },
          headers: { 'x-shopify-topic': 'orders/create', 'x-two': 'a, b' },
          received_at: '2026-11-30T09:00:00Z',
          endpoint: 'track',
        },
      ],
    });
  });
  it('a secret address is no word, and what proves somebody is no header', () => {
    const headers = Object.fromEntries(
      [
        ...['Authorization', 'Cookie', 'Proxy-Authorization', 'X-Shopify-Hmac-Sha256', 'Stripe-Signature'],
        ...['X-WC-Webhook-Signature', 'X-Api-Key', 'X-Auth-Token', 'X-Hub-Signature-256', 'X-Sign'],
      ].map((name) => [name, 'secret']),
    );
    const result = read({ url: '/in/zt3kp0abcdefghijklmnop', headers: { ...headers, Accept: '*/*' }, body: 'a=1' });
    expect(result).toMatchObject({ records: [{ endpoint: undefined }] });
    if ('records' in result) expect(result.records[0]?.headers).toEqual({ accept: '*/*' });
  });
});

describe('multipart', () => {
  const type = 'multipart/form-data; boundary=----b1';
  const part = (head: string, value: string) =>
    `------b1\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
  const end = '------b1--\r\n';
  it('has fields', () => {
    const body = `${part('name="a"', '1')}${part('name="b c"', 'x\r\ny')}${part('name="a"', 'é')}${part('name=plain', '')}${end}`;
    expect(recordsOf(post(type, body, '/in?q=1'))).toEqual([{ q: '1', a: ['1', 'é'], 'b c': 'x\r\ny', plain: '' }]);
  });
  it('may have a quoted boundary, something before it, and types of its parts', () => {
    const body = `preamble\r\n------b1\r\nContent-Type: text/plain; charset=utf-8\r\ncontent-disposition: form-data; name="a%22b"\r\n\r\n1\r\n${end}epilogue`;
    expect(recordsOf(post('multipart/form-data; boundary="----b1"', body))).toEqual([{ 'a"b': '1' }]);
  });
  it.each<[string, string, unknown]>([
    ['a file', `${part('name="f"; filename="a.csv"', 'x')}${end}`, { status: 400, reason: 'file', field: 'f' }],
    ['one cut off', part('name="a"', '1'), { status: 400, reason: 'not_multipart' }],
    ['another boundary', '--other\r\n\r\n--other--', { status: 400, reason: 'not_multipart' }],
    ['a part without a name', `${part('', '1')}${end}`, { status: 400, reason: 'not_multipart' }],
    ['JSON', '{"a":1}', { status: 400, reason: 'not_multipart' }],
    [
      'packed otherwise',
      `------b1\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n${end}`,
      { status: 400, reason: 'not_multipart' },
    ],
    [
      'a head without an end',
      `------b1\r\n${'X: y\r\n'.repeat(2_000)}\r\n1\r\n${end}`,
      { status: 400, reason: 'not_multipart' },
    ],
    ['too many', `${part('name="a"', '1').repeat(10_000)}${end}`, { status: 413, reason: 'too_many_items' }],
  ])('%s is refused', (_what, body, refused) => {
    expect(recordsOf(post(type, body))).toEqual(refused);
  });
  it('bytes that are no UTF-8 are named', () => {
    const body = Buffer.concat([
      Buffer.from(part('name="a"', '').slice(0, -2)),
      Buffer.from([0xff, 0x0d, 0x0a]),
      Buffer.from(end),
    ]);
    expect(recordsOf(post(type, body))).toEqual({ status: 400, reason: 'not_utf8', field: 'a' });
  });
});

describe('a request is refused with its reason', () => {
  const two = 2_000_000;
  it.each<[string, Partial<CapturedRequest>, unknown]>([
    ['another method', { method: 'PUT' }, { status: 405, reason: 'method' }],
    ['no body and no query', {}, { status: 400, reason: 'empty' }],
    [
      'no body where JSON was said',
      { url: '/in?a=1', headers: { 'content-type': json } },
      { status: 400, reason: 'empty' },
    ],
    ['an address too long', { url: `/in?a=${'x'.repeat(16_384)}` }, { status: 414, reason: 'too_large', field: 'url' }],
    [
      'a body too long',
      { body: `{"a":"${'x'.repeat(two - 7)}"}` },
      { status: 413, reason: 'too_large', field: 'body' },
    ],
    [
      'a body too long in bytes',
      { body: `{"a":"${'é'.repeat(two / 2)}"}` },
      { status: 413, reason: 'too_large', field: 'body' },
    ],
    ['bytes too long', { body: new Uint8Array(two + 1) }, { status: 413, reason: 'too_large', field: 'body' }],
    [
      'too many of a query',
      { method: 'GET', url: '/in', body: `${'a=1&'.repeat(10_000)}` },
      { status: 413, reason: 'too_many_items' },
    ],
  ])('%s', (_what, request, refused) => {
    expect(recordsOf(read(request))).toEqual(refused);
  });
  it.each<[string, string, string | Uint8Array, unknown]>([
    ['no JSON', json, 'a=1&b=2', { status: 400, reason: 'not_json', at: 0 }],
    ['a half of it', json, '{"a":', { status: 400, reason: 'not_json', at: 5 }],
    ['HTML', json, '<html></html>', { status: 400, reason: 'not_json', at: 0 }],
    ['no UTF-8', json, new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), { status: 400, reason: 'not_utf8' }],
    ['UTF-16', 'application/json; charset=utf-16', '{}', { status: 415, reason: 'content_type' }],
    ['a text', json, '"a"', { status: 400, reason: 'not_an_object' }],
    ['a number', json, '5', { status: 400, reason: 'not_an_object' }],
    ['deep', json, `${'['.repeat(33)}${']'.repeat(33)}`, { status: 400, reason: 'too_deep', at: 32 }],
    ['many', json, `[${'{},'.repeat(9_999)}{}]`, { status: 413, reason: 'too_many_items', at: 29_998 }],
    ['many in an order', json, `{"i":[${'0,'.repeat(9_999)}0]}`, { status: 413, reason: 'too_many_items', at: 20_004 }],
    ['JSON that says it is a form', form, '{"a":1}', { status: 400, reason: 'not_form' }],
    ['XML that says it is a form', form, '<a b="c"/>', { status: 400, reason: 'not_form' }],
    ['a word that says it is a form', form, 'hello', { status: 400, reason: 'not_form' }],
    ['no boundary', 'multipart/form-data', 'x', { status: 400, reason: 'not_multipart' }],
    ['XML', 'text/xml', '<a/>', { status: 415, reason: 'content_type' }],
    ['something', '', 'hello world', { status: 415, reason: 'content_type' }],
  ])('a body that is not what its content type says: %s', (_what, type, body, refused) => {
    expect(recordsOf(post(type, body))).toEqual(refused);
  });
  it('2 MB are read in moments, whatever they are', () => {
    const start = performance.now();
    const fill = (piece: string, around: string) =>
      around.replace('…', piece.repeat(Math.floor(1_999_900 / piece.length)));
    for (const body of [fill('x', '{"a":"…"}'), fill('\\u0041', '{"a":"…"}'), fill(' ', '{…}'), fill('9', '[…]')])
      recordsOf(post(json, body));
    for (const body of [fill('&', 'a=1…'), fill('%', 'a=…'), fill('%C3', 'a=…'), fill('{', 'a=…'), fill(' ', 'a…=')])
      recordsOf(post(form, body));
    for (const body of [fill('\r\n--', '--b\r\n…'), fill('\r\n--b', '--b…'), fill('; name="', '--b\r\n…')])
      recordsOf(post('multipart/form-data; boundary=b', body));
    expect(performance.now() - start).toBeLessThan(4_000);
  });
});
