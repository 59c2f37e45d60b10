import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { captureReasons } from '../../../contract/mapping.ts';
import { capturesAnswer, explainCapture } from './explain.ts';

const now = Date.UTC(2026, 10, 30, 9);
const explain = (line: object) => explainCapture(JSON.stringify(line), now);
const json = { 'Content-Type': 'application/json' };
const order = {
  event_name: 'purchase',
  occurred_at: '2026-11-29T10:00:00+01:00',
  order_id: 'A-1',
  value: '12.50',
  currency: 'EUR',
};
const sent = (body: unknown, more: object = {}) => ({
  request: {
    method: 'POST',
    url: '/in/x',
    headers: json,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  },
  mapping: 'canonical',
  ...more,
});

describe('a line is answered', () => {
  it('with the conversion and no reason', () => {
    expect(explain(sent(order))).toEqual({ status: 202, conversions: [order], reason: null });
  });
  it('by a mapping of its own', () => {
    const mapping = {
      fields: {
        event_name: { path: 'action', lookup: { buy: 'purchase' } },
        occurred_at: { path: 'when', apply: [{ date: { timezone: 'Europe/Berlin', order: 'dmy' } }] },
        value: { path: 'sum', apply: [{ number: { decimal: ',' } }] },
        currency: { default: 'EUR' },
        'user.email': { path: 'mail', apply: ['lower'] },
        'custom.plan': 'plan',
      },
    };
    const body = {
      action: 'buy',
      when: '29.11.2026 10:00',
      sum: '1.012,50',
      mail: 'ANN@example.com',
      plan: 'pro',
      card: '4111',
    };
    expect(explain(sent(body, { mapping }))).toEqual({
      status: 202,
      reason: null,
      conversions: [
        {
          event_name: 'purchase',
          occurred_at: '2026-11-29T10:00:00+01:00',
          value: '1012.50',
          currency: 'EUR',
          user: { email: 'ann@example.com' },
          custom: { plan: 'pro' },
        },
      ],
    });
  });
  it('with a conversion for each of a list, and the place of those that are none', () => {
    const bodies = [order, { ...order, value: '12,50' }, 5, { ...order, order_id: 'A-2' }];
    const said = explain(sent(bodies));
    expect(said).toMatchObject({ status: 202, reason: 'invalid', field: 'value' });
    expect(said.conversions.map((one) => one.order_id)).toEqual(['A-1', 'A-2']);
    expect(said.problems).toEqual([
      { field: 'value', reason: 'invalid', record: 1 },
      { field: '', reason: 'not_an_object', record: 2 },
    ]);
  });
  it('with a body that stands there as JSON, digit for digit', () => {
    const line = `{"request":{"method":"POST","url":"/","headers":{"content-type":"application/json"},"body":{"event_name":"lead","occurred_at":"2026-11-29T10:00:00Z","value":12.50,"order_id":9007199254740993}},"mapping":"canonical"}`;
    expect(explainCapture(line, now).conversions).toMatchObject([{ value: '12.50', order_id: '9007199254740993' }]);
  });
  it('at the moment that it says itself', () => {
    const request = { method: 'GET', url: '/in/x?cid=1', headers: {} };
    expect(explain({ request, mapping: 'voluum', now: '2026-01-02T03:04:05Z' }).conversions).toMatchObject([
      { occurred_at: '2026-01-02T03:04:05Z' },
    ]);
  });
});

describe('what is wrong is named', () => {
  it.each<[string, object, object]>([
    ['value "12,50"', { value: '12,50' }, { reason: 'invalid', field: 'value' }],
    ['currency "EURO"', { currency: 'EURO' }, { reason: 'unknown_currency', field: 'currency' }],
    ['a time without offset', { occurred_at: '2026-11-29T10:00:00' }, { reason: 'no_offset', field: 'occurred_at' }],
    ['year 1970', { occurred_at: '1970-01-01T00:00:01Z' }, { reason: 'invalid', field: 'occurred_at' }],
    ['future', { occurred_at: '2026-12-24T18:00:00Z' }, { reason: 'in_the_future', field: 'occurred_at' }],
    ['milliseconds', { occurred_at: 1_796_000_000_000 }, { reason: 'invalid', field: 'occurred_at' }],
    ['no name', { event_name: null }, { reason: 'missing', field: 'event_name' }],
    [
      'consent that is no word',
      { consent: { ad_user_data: 'sure' } },
      { reason: 'invalid', field: 'consent.ad_user_data' },
    ],
    ['201 items', { items: Array.from({ length: 201 }, (_, id) => ({ id })) }, { reason: 'too_many', field: 'items' }],
  ])('%s is taken, and is no conversion', (_what, change, wanted) => {
    expect(explain(sent({ ...order, ...change }))).toMatchObject({ status: 202, conversions: [], ...wanted });
  });
  it.each<[string, object, object]>([
    ['not what it says', sent('a=1'), { status: 400, reason: 'not_json', field: 'body' }],
    ['nothing', sent(''), { status: 400, reason: 'empty' }],
    ['more than 2 MB', sent({ a: 'x'.repeat(2_000_000) }), { status: 413, reason: 'too_large', field: 'body' }],
    ['10,000 conversions', sent(Array(10_000).fill(0)), { status: 413, reason: 'too_many_items', field: 'body' }],
    ['33 levels', sent(`${'['.repeat(33)}${']'.repeat(33)}`), { status: 400, reason: 'too_deep' }],
    ['an empty list', sent('[]'), { status: 202, reason: 'empty' }],
    [
      'another method',
      { request: { method: 'DELETE', url: '/', headers: {} }, mapping: 'canonical' },
      { status: 405, reason: 'method' },
    ],
    ['no mapping', sent(order, { mapping: undefined }), { status: 202, reason: 'mapping', field: 'mapping' }],
    ['an unknown preset', sent(order, { mapping: 'matomo' }), { status: 202, reason: 'mapping', field: 'mapping' }],
    [
      'a mapping of nothing',
      sent(order, { mapping: { fields: { value: { path: '__proto__' } } } }),
      { status: 202, reason: 'mapping', field: 'mapping.fields.value.path' },
    ],
    [
      'a signature that cannot be',
      sent(order, { signature: { scheme: 'rot13', secret: 'x' } }),
      { status: 400, reason: 'invalid', field: 'signature' },
    ],
    ['no request', { mapping: 'canonical' }, { status: 400, reason: 'invalid', field: 'request' }],
  ])('%s', (_what, line, wanted) => {
    expect(explain(line)).toMatchObject({ conversions: [], ...wanted });
  });
  it.each(['', 'x', '5', 'null', '[]', '{"request":5}', '{"request":{"url":5}}', '{"request":{"headers":5}}'])(
    'a line that is none: %j',
    (line) => {
      expect(explainCapture(line, now)).toEqual({ status: 400, conversions: [], reason: 'invalid', field: 'request' });
    },
  );
  it('two braids are a conversion, and said', () => {
    const click_ids = { gbraid: 'Gb', wbraid: 'Wb' };
    const said = explain(sent({ ...order, click_ids }));
    expect(said).toMatchObject({ status: 202, reason: 'click_ids_conflict', field: 'click_ids' });
    expect(said.conversions).toEqual([{ ...order, click_ids }]);
    expect(explain(sent({ ...order, click_ids: { gbraid: 'Gb', gclid: 'Gc' } })).reason).toBeNull();
  });
  it('and no answer holds what was sent', () => {
    const said = explain(sent({ ...order, user: { email: ['ann@example.com', { a: 1 }] }, value: 'ann@example.com' }));
    expect(said.reason).not.toBeNull();
    expect(JSON.stringify(said)).not.toContain('ann@');
  });
});

describe('a declared signature', () => {
  const body = JSON.stringify(order);
  const base64 = createHmac('sha256', 'hush').update(body).digest('base64');
  const hex = createHmac('sha256', 'hush').update(body).digest('hex');
  const line = (headers: object, signature: object) => ({
    request: { method: 'POST', url: '/', headers: { ...json, ...headers }, body },
    mapping: 'canonical',
    signature,
  });
  it.each<[string, object, number, string | null]>([
    ['is right', line({ 'X-Shopify-Hmac-Sha256': base64 }, { scheme: 'shopify', secret: 'hush' }), 202, null],
    [
      'is wrong',
      line({ 'X-Shopify-Hmac-Sha256': base64 }, { scheme: 'shopify', secret: 'other' }),
      401,
      'signature_wrong',
    ],
    ['is missing', line({}, { scheme: 'woocommerce', secret: 'hush' }), 401, 'signature_missing'],
    [
      'is by the second of two secrets',
      line({ 'X-Sig': hex }, { scheme: 'hmac', header: 'X-Sig', secrets: ['new', 'hush'] }),
      202,
      null,
    ],
  ])('%s', (_what, given, status, reason) => {
    expect(explain(given)).toMatchObject({ status, reason });
  });
  it('of Stripe is too old', () => {
    const t = now / 1_000 - 301;
    const v1 = createHmac('sha256', 'hush').update(`${t}.${body}`).digest('hex');
    const given = line({ 'Stripe-Signature': `t=${t},v1=${v1}` }, { scheme: 'stripe', secret: 'hush' });
    expect(explain(given)).toMatchObject({ status: 401, conversions: [], reason: 'signature_expired' });
  });
  it('is of no query, which is not read then', () => {
    const mapping = { fields: { event_name: '$query.event', occurred_at: '$received_at' } };
    const asked = (given: object) => ({
      ...given,
      mapping,
      request: { ...Reflect.get(given, 'request'), url: '/in/x?event=other' },
    });
    const signature = { scheme: 'hmac', header: 'X-Proof', secret: 'hush' };
    expect(explain(asked(line({ 'X-Proof': hex }, signature)))).toMatchObject({
      status: 202,
      conversions: [],
      reason: 'missing',
    });
    const { signature: _unsigned, ...bare } = line({}, signature) as Record<string, unknown>;
    expect(explain(asked(bare)).conversions).toMatchObject([{ event_name: 'other' }]);
  });
  it('is in a header that no mapping reaches', () => {
    const given = line({ 'X-Proof': hex }, { scheme: 'hmac', header: 'X-Proof', secret: 'hush' });
    const mapping = {
      fields: { event_name: { default: 'x' }, occurred_at: '$received_at', 'custom.proof': '$headers["x-proof"]' },
    };
    expect(explain({ ...given, mapping }).conversions).toEqual([
      { event_name: 'x', occurred_at: '2026-11-30T09:00:00Z' },
    ]);
  });
});

describe('properties', () => {
  /** Pieces of requests, put together by chance with a seed. */
  const rollOf = (seed: number) => (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const bodies = [
    '',
    '{}',
    '[]',
    '[{}]',
    'null',
    '{"a":',
    'a=1',
    '%',
    '{"__proto__":{"a":1},"event_name":"x"}',
    '\ud800',
    '\0',
    '{"event_name":"\\u0000","items":[{"id":{}}]}',
    '{"user":5,"items":{},"click_ids":[]}',
    '--b\r\n\r\n',
    '{"event_name":"x","occurred_at":"2026-11-29T10:00:00Z","custom":{"a":1}}',
  ];
  const types = [
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=b',
    'text/plain',
    '',
    'image/png',
    'application/json; charset=latin1',
  ];
  const mappings = [
    'canonical',
    'voluum',
    'keitaro',
    'segment',
    'shopify',
    'woocommerce',
    'stripe',
    'postback',
    'nothing',
    {},
    { fields: {} },
  ];
  const urls = ['/in/x', '/in/x?cid={cid}&payout=%', '/in/x?&&==&__proto__=1', '?', '', '/v1/track?%00=%ff'];
  it('whatever comes, the answer is of its form, its reason of the list, and the same each time', () => {
    for (let seed = 1; seed <= 3_000; seed++) {
      const roll = rollOf(seed);
      const of = <T>(all: readonly T[]) => all[roll(all.length)] as T;
      const line = {
        request: {
          method: of(['GET', 'POST', 'PUT', '']),
          url: of(urls),
          headers: { 'content-type': of(types) },
          body: of(bodies),
        },
        mapping: of(mappings),
      };
      const said = explain(line);
      expect([200, 202, 400, 401, 405, 413, 414, 415], `seed ${seed}`).toContain(said.status);
      if (said.reason === null) expect(said.conversions.length).toBeGreaterThan(0);
      else expect(captureReasons).toContain(said.reason);
      if (said.status !== 202) expect(said.conversions).toEqual([]);
      expect(explain(line)).toEqual(said);
    }
    expect(Object.keys({}.constructor.prototype)).toEqual([]);
  });
});

it('a line that is no JSON is answered like any other', () => {
  const answer = capturesAnswer({ now: () => now });
  expect([JSON.stringify(sent(order)), 'x'].map((line) => answer(line))).toMatchObject([
    { status: 202 },
    { status: 400 },
  ]);
});
