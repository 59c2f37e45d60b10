import { describe, expect, it } from 'vitest';
import { canonicalFields } from '../../../contract/mapping.ts';
import { applyMapping } from './apply.ts';
import { readMapping } from './plan.ts';
import { came, fieldOf, mappingOf, scopeOf } from './rig.ts';

const always = { event_name: { default: 'purchase' }, occurred_at: '$received_at' };
const conversionsOf = (mapping: unknown, json: string, more = {}) =>
  applyMapping(scopeOf(json, more), mappingOf(mapping), came);

describe('a value comes from its path', () => {
  it.each<[string, unknown, string, unknown]>([
    ['order_id', 'order.id', '{"order":{"id":"A-1"}}', 'A-1'],
    ['order_id', 'lines[1].order', '{"lines":[{},{"order":"A-1"}]}', 'A-1'],
    ['order_id', '["order id"]', '{"order id":"A-1"}', 'A-1'],
    ['order_id', 'id', '{"id":450789469}', '450789469'],
    ['order_id', 'id', '{"id":9007199254740993}', '9007199254740993'],
    ['order_id', 'id', '{"id":"  A-1 "}', 'A-1'],
    ['order_id', 'id', '{"id":null}', undefined],
    ['order_id', 'id', '{"id":""}', undefined],
    ['order_id', 'id', '{}', undefined],
    ['order_id', 'id', '{"id":{"a":1}}', 'invalid order_id'],
    ['order_id', 'id', '{"id":"a\\u0000b"}', 'invalid order_id'],
    ['order_id', 'notes[name="order"].value', '{"notes":[{"name":"x","value":1},{"name":"order","value":"A"}]}', 'A'],
    [
      'user.email',
      'people[*].mail',
      '{"people":[{"mail":"a@example.com"},{},{"mail":"b@example.com"}]}',
      ['a@example.com', 'b@example.com'],
    ],
    ['user.email', 'mails', '{"mails":["a@example.com","b@example.com"]}', ['a@example.com', 'b@example.com']],
    ['user.email', 'mails', '{"mails":["a@example.com","a@example.com"]}', 'a@example.com'],
    ['user.email', 'mails', '{"mails":["1","2","3","4","5","6"]}', 'too_many user.email'],
    ['user.first_name', 'names[*]', '{"names":["Ann","Bea"]}', 'Ann'],
    ['custom.plan', 'plan', '{"plan":"pro"}', 'pro'],
    ['custom.seats', 'seats', '{"seats":3}', 3],
    ['custom.trial', 'trial', '{"trial":false}', false],
  ])('%s from %j of %s', (field, rules, json, value) => {
    expect(fieldOf(field, rules, json)).toEqual(value);
  });

  it.each<[string, unknown]>([
    ['{"v":12.50}', '12.50'],
    ['{"v":12.5}', 12.5],
    ['{"v":"12.50"}', '12.50'],
    ['{"v":9007199254740993}', '9007199254740993'],
    ['{"v":"12,50"}', 'invalid value'],
    ['{"v":"€12"}', 'invalid value'],
    ['{"v":1e400}', 'invalid value'],
    ['{"v":0}', 0],
  ])('an amount keeps every digit: %s', (json, value) => {
    expect(fieldOf('value', 'v', json)).toEqual(value);
  });

  it.each<[string, string, unknown]>([
    ['consent.ad_user_data', '{"c":"granted"}', 'granted'],
    ['consent.ad_user_data', '{"c":"DENIED"}', 'denied'],
    ['consent.ad_user_data', '{"c":true}', 'granted'],
    ['consent.ad_user_data', '{"c":false}', 'denied'],
    ['consent.ad_user_data', '{"c":"unknown"}', undefined],
    ['consent.ad_user_data', '{"c":"yes"}', 'invalid consent.ad_user_data'],
    ['consent.limited_data_use', '{"c":"1"}', true],
    ['consent.limited_data_use', '{"c":"maybe"}', 'invalid consent.limited_data_use'],
    ['action_source', '{"c":"website"}', 'website'],
    ['action_source', '{"c":"web"}', 'invalid action_source'],
    ['currency', '{"c":"EURO"}', 'unknown_currency currency'],
  ])('%s from %s', (field, json, value) => {
    expect(fieldOf(field, 'c', json)).toEqual(value);
  });

  it.each<[string, string]>([
    ['2026-11-29T10:00:00', 'no_offset occurred_at'],
    ['1970-01-01T00:00:00Z', 'invalid occurred_at'],
    ['2026-11-30T10:00:00Z', 'in_the_future occurred_at'],
    ['1764496800000', 'invalid occurred_at'],
    ['yesterday', 'invalid occurred_at'],
  ])('a time that is none: %s', (time, reason) => {
    expect(fieldOf('occurred_at', 't', JSON.stringify({ t: time }))).toEqual(reason);
  });
});

describe('rules in a row', () => {
  const rules = [{ path: 'a' }, { path: 'b', when: { path: 'c', exists: true } }, { default: 'fixed' }];
  it.each<[string, string]>([
    ['{"a":"1","b":"2","c":1}', '1'],
    ['{"b":"2","c":1}', '2'],
    ['{"b":"2"}', 'fixed'],
    ['{"a":"","b":null,"c":1}', 'fixed'],
  ])('the first that gives something counts: %s', (json, value) => {
    expect(fieldOf('order_id', rules, json)).toBe(value);
  });
  it('a template gives nothing where one of its parts does', () => {
    const template = [{ template: '{{first}} {{last}}' }, { path: 'first' }];
    expect(fieldOf('custom.name', template, '{"first":"Ann","last":"Lee"}')).toBe('Ann Lee');
    expect(fieldOf('custom.name', template, '{"first":"Ann"}')).toBe('Ann');
    expect(fieldOf('custom.name', { template: 'order-{{id}}' }, '{"id":12.50}')).toBe('order-12.50');
  });
});

describe('conditions', () => {
  it.each<[unknown, string, boolean]>([
    [{ path: 's', equals: 'sale' }, '{"s":"sale"}', true],
    [{ path: 's', equals: 'sale' }, '{"s":"Sale"}', false],
    [{ path: 'n', equals: 5 }, '{"n":"5"}', true],
    [{ path: 'b', equals: true }, '{"b":true}', true],
    [{ path: 's', exists: true }, '{"s":0}', true],
    [{ path: 's', exists: true }, '{"s":""}', false],
    [{ path: 's', exists: false }, '{"s":null}', true],
    [{ path: 's', in: ['sale', 'lead'] }, '{"s":"lead"}', true],
    [{ path: 's[*]', in: ['lead'] }, '{"s":["sale","lead"]}', true],
    [{ path: 'n', compare: '>', to: 0 }, '{"n":"0.001"}', true],
    [{ path: 'n', compare: '>', to: 0 }, '{"n":"abc"}', false],
    [{ path: 'n', compare: '>=', to: '9007199254740993' }, '{"n":9007199254740992}', false],
    [{ path: 'n', compare: '<=', to: '12.5' }, '{"n":12.50}', true],
    [{ path: 'n', compare: '<', to: -1 }, '{"n":-2}', true],
    [
      {
        all: [
          { path: 'a', exists: true },
          { path: 'b', exists: true },
        ],
      },
      '{"a":1}',
      false,
    ],
    [
      {
        any: [
          { path: 'a', exists: true },
          { path: 'b', exists: true },
        ],
      },
      '{"a":1}',
      true,
    ],
    [{ not: { path: 'a', exists: true } }, '{"a":1}', false],
  ])('%j on %s', (when, json, holds) => {
    expect(fieldOf('order_id', { when, default: 'x' }, json)).toBe(holds ? 'x' : undefined);
  });
});

describe('look-up tables', () => {
  const lookup = { sale: 'purchase', reg: 'lead' };
  it.each<[unknown, string, unknown]>([
    [{ path: 's', lookup }, '{"s":"reg"}', 'lead'],
    [{ path: 's', lookup }, '{"s":"trial"}', 'not_in_table event_name'],
    [{ path: 's', lookup, otherwise: 'keep' }, '{"s":"trial"}', 'trial'],
    [{ path: 's', lookup, otherwise: 'leave_out', default: 'other' }, '{"s":"trial"}', 'other'],
    [{ path: 's', lookup, default: 'other' }, '{}', 'other'],
    [{ path: 's', lookup }, '{"s":"constructor"}', 'not_in_table event_name'],
    [{ path: 's', lookup: { '1': 'lead' } }, '{"s":1}', 'lead'],
    [{ path: 's', apply: ['lower'], lookup }, '{"s":"SALE"}', 'purchase'],
  ])('%j on %s', (rule, json, value) => {
    expect(fieldOf('event_name', rule, json)).toBe(value);
  });
});

describe('functions', () => {
  const comma = { number: { decimal: ',' } };
  const dot = { number: { decimal: '.' } };
  const berlin = { date: { timezone: 'Europe/Berlin' } };
  const dmy = { date: { timezone: 'Europe/Berlin', order: 'dmy' } };
  const mdy = { date: { timezone: 'America/New_York', order: 'mdy' } };
  it.each<[string, unknown, unknown, unknown]>([
    ['custom.x', 'lower', ' ÄB ', 'äb'],
    ['custom.x', 'upper', 'eur', 'EUR'],
    ['value', comma, '12,50', '12.50'],
    ['value', comma, '1.234.567,89', '1234567.89'],
    ['value', comma, '1 234,5', '1234.5'],
    ['value', comma, '1\u202f234,5', '1234.5'],
    ['value', comma, '12.50', 'invalid value'],
    ['value', comma, '1.23,4', 'invalid value'],
    ['value', comma, '12,50 €', 'invalid value'],
    ['value', dot, '1,234.50', '1234.50'],
    ['value', dot, "1'234.50", '1234.50'],
    ['value', dot, '0012.5', '12.5'],
    ['value', dot, '-3', '-3'],
    ['value', dot, '1,2', 'invalid value'],
    ['value', 'absolute', '-10.00', '10.00'],
    ['value', 'cents', 1099, '10.99'],
    ['value', 'cents', '5', '0.05'],
    ['value', 'cents', -250, '-2.50'],
    ['value', 'cents', '10.5', 'invalid value'],
    ['value', 'cents', '123456789012345678901', '1234567890123456789.01'],
    ['occurred_at', 'unix_seconds', 1_764_496_800, '2025-11-30T10:00:00Z'],
    ['occurred_at', 'unix_seconds', '1764496800.25', '2025-11-30T10:00:00.250Z'],
    ['occurred_at', 'unix_seconds', 1_764_496_800_000, 'invalid occurred_at'],
    ['occurred_at', 'unix_seconds', 0, 'invalid occurred_at'],
    ['occurred_at', 'unix_milliseconds', 1_764_496_800_123, '2025-11-30T10:00:00.123Z'],
    ['occurred_at', 'unix_milliseconds', 1_764_496_800, 'invalid occurred_at'],
    ['occurred_at', berlin, '2026-07-01 12:00:00', '2026-07-01T12:00:00+02:00'],
    ['occurred_at', berlin, '2026-11-29T12:00', '2026-11-29T12:00:00+01:00'],
    ['occurred_at', berlin, '2026-11-29', '2026-11-29T00:00:00+01:00'],
    ['occurred_at', berlin, '2026-11-29T12:00:00.5', '2026-11-29T12:00:00.500+01:00'],
    ['occurred_at', berlin, '2026-11-29T12:00:00-0500', '2026-11-29T12:00:00-05:00'],
    ['occurred_at', berlin, '2026-11-29T12:00:00Z', '2026-11-29T12:00:00Z'],
    ['occurred_at', berlin, '2026-10-25 02:30', '2026-10-25T02:30:00+02:00'],
    ['occurred_at', berlin, '2026-03-29 02:30', '2026-03-29T03:00:00+02:00'],
    ['occurred_at', berlin, '2026-02-30', 'invalid occurred_at'],
    ['occurred_at', berlin, '29.11.2026', 'invalid occurred_at'],
    ['occurred_at', dmy, '29.11.2026 08:05', '2026-11-29T08:05:00+01:00'],
    ['occurred_at', mdy, '11/29/2026 8:05 PM', '2026-11-29T20:05:00-05:00'],
    ['occurred_at', mdy, '11/29/2026 12:00 AM', '2026-11-29T00:00:00-05:00'],
    ['occurred_at', mdy, '11/29/2026 13:00 PM', 'invalid occurred_at'],
    ['click_ids.gclid', { query_parameter: 'gclid' }, '/p?utm_source=x&gclid=Cj0%2Bk_A#a', 'Cj0+k_A'],
    ['click_ids.gclid', { query_parameter: 'gclid' }, '/p?xgclid=1', undefined],
    ['domain', 'host', 'https://shop.example/a', 'shop.example'],
    ['domain', 'host', 'no address', undefined],
  ])('%s: %j of %j', (field, apply, value, wanted) => {
    expect(fieldOf(field, { path: 'v', apply: [apply] }, JSON.stringify({ v: value }))).toEqual(wanted);
  });
  it('minor units are those of the currency', () => {
    const rule = { path: 'v', apply: [{ minor_units: { currency: 'c', digits: { JPY: 0, bhd: 3 } } }] };
    expect(fieldOf('value', rule, '{"v":1099,"c":"eur"}')).toBe('10.99');
    expect(fieldOf('value', rule, '{"v":1099,"c":"jpy"}')).toBe('1099');
    expect(fieldOf('value', rule, '{"v":1099,"c":"BHD"}')).toBe('1.099');
  });
});

describe('macros that nobody filled in never become values', () => {
  it.each([
    '{payout}',
    '{{payout}}',
    '{{ payout }}',
    `$${'{payout}'}`,
    '%payout%',
    '%%payout%%',
    '[payout]',
    '$payout$',
    '#payout#',
    '<payout>',
    '__PAYOUT__',
    ' {payout} ',
  ])('%s', (macro) => {
    const json = JSON.stringify({ p: macro });
    expect(conversionsOf({ fields: { ...always, value: { path: 'p', default: 5 } } }, json)).toEqual([
      {
        conversion: { event_name: 'purchase', occurred_at: '2026-11-30T09:00:00Z' },
        notes: [{ field: 'value', reason: 'unexpanded_macro', path: 'p', macro: expect.stringMatching(/^payout$/i) }],
      },
    ]);
  });
  it('nor in the middle of an id, or in a template', () => {
    expect(fieldOf('order_id', 'p', '{"p":"net-{click_id}"}')).toBeUndefined();
    expect(fieldOf('order_id', { template: 'a-{{p}}' }, '{"p":"{id}"}')).toBeUndefined();
  });
  it('where people write, their brackets are their own', () => {
    expect(fieldOf('utm.campaign', 'c', '{"c":"[Brand]"}')).toBe('[Brand]');
    expect(fieldOf('utm.campaign', 'c', '{"c":"{campaign}"}')).toBeUndefined();
    expect(fieldOf('click_ids.gclid', 'c', '{"c":"[gclid]"}')).toBeUndefined();
  });
  it('and where the field has to be, its macro is the reason', () => {
    expect(fieldOf('event_name', { path: 'p', default: 'sale' }, '{"p":"{event}"}')).toBe(
      'unexpanded_macro event_name',
    );
  });
  it.each(['{AF8FAD5B-D9CB-469F-A165-70867728950E}', '[a b]', '{"a":1}', '50%', '$5', '# 12', 'a{b', '%', '{}'])(
    'what is none is kept: %s',
    (text) => {
      expect(fieldOf('custom.x', 'p', JSON.stringify({ p: text }))).toBe(text);
    },
  );
});

describe('several conversions', () => {
  it('of a list path, with what lies around it', () => {
    const mapping = {
      each: 'orders[*]',
      fields: { ...always, order_id: 'id', value: 'total', currency: '$body.currency' },
    };
    const json = '{"currency":"EUR","orders":[{"id":"1","total":5},{"id":"2","total":"x"},{"id":"3","total":7.10}]}';
    expect(conversionsOf(mapping, json)).toEqual([
      { conversion: expect.objectContaining({ order_id: '1', value: 5, currency: 'EUR' }), notes: [] },
      { problems: [{ field: 'value', reason: 'invalid' }] },
      { conversion: expect.objectContaining({ order_id: '3', value: '7.10' }), notes: [] },
    ]);
  });
  it('by cases: the first that fits, and what is no conversion is said to be none', () => {
    const mapping = {
      cases: [
        { when: { path: 'type', equals: 'ping' }, ignore: true },
        { when: { path: 'type', equals: 'order' }, fields: always },
      ],
    };
    expect(conversionsOf(mapping, '{"type":"ping"}')).toEqual([{ ignored: true }]);
    expect(conversionsOf(mapping, '{"type":"order"}')).toMatchObject([{ conversion: { event_name: 'purchase' } }]);
    expect(conversionsOf(mapping, '{"type":"else"}')).toEqual([{ problems: [{ field: '', reason: 'no_case' }] }]);
  });
  it.each<[string, string]>([
    ['orders', '{"orders":[{"id":"1"},{"id":"2"}]}'],
    ['orders[*].parts', '{"orders":[{"parts":[{"id":"1"}]},{"parts":[{"id":"2"}]}]}'],
    ['orders[*].parts[*]', '{"orders":[{"parts":[{"id":"1"},{"id":"2"}]},{"parts":[]},{"parts":null}]}'],
  ])('of what lies at %s, whether or not it is said to be a list', (each, json) => {
    const made = conversionsOf({ each, fields: { ...always, order_id: 'id' } }, json);
    expect(made).toMatchObject([{ conversion: { order_id: '1' } }, { conversion: { order_id: '2' } }]);
  });
  it.each<[string, string, string]>([
    ['missing', 'orders[*]', '{"order":[{"id":"1"}]}'],
    ['missing', 'data.orders[*]', '{"data":{}}'],
    ['invalid', 'orders[*]', '{"orders":{"id":"1"}}'],
    ['invalid', 'orders[*]', '{"orders":"1"}'],
    ['missing', 'orders', '{}'],
  ])('a list that is %s is named, not passed over: %s', (reason, each, json) => {
    expect(conversionsOf({ each, fields: always }, json)).toEqual([
      { problems: [{ field: 'mapping.each', reason, path: each }] },
    ]);
  });
  it.each<[string, string]>([
    ['missing', '{"orders":[{"parts":[{"id":"1"}]},{},{"parts":[{"id":"2"}]}]}'],
    ['missing', '{"orders":[{"parts":[{"id":"1"}]},"x",{"parts":[{"id":"2"}]}]}'],
    ['invalid', '{"orders":[{"parts":[{"id":"1"}]},{"parts":{"id":"3"}},{"parts":[{"id":"2"}]}]}'],
  ])('a list that is %s in one of several is named in its place, and the others are conversions', (reason, json) => {
    const each = 'orders[*].parts[*]';
    expect(conversionsOf({ each, fields: { ...always, order_id: 'id' } }, json)).toMatchObject([
      { conversion: { order_id: '1' } },
      { problems: [{ field: 'mapping.each', reason, path: each }] },
      { conversion: { order_id: '2' } },
    ]);
  });
  it('of rows that are lists themselves', () => {
    const mapping = { each: 'rows[*]', fields: { ...always, order_id: '[0]' } };
    expect(conversionsOf(mapping, '{"rows":[["A",1],["B",2]]}')).toMatchObject([
      { conversion: { order_id: 'A' } },
      { conversion: { order_id: 'B' } },
    ]);
  });
  it.each(['{"orders":[]}', '{"orders":null}'])('an empty list is nothing: %s', (json) => {
    expect(conversionsOf({ each: 'orders[*]', fields: always }, json)).toEqual([]);
  });
  it('`only` holds for each of a list', () => {
    const mapping = { each: 'a[*]', only: { path: 'n', compare: '>', to: 1 }, fields: { ...always, order_id: 'n' } };
    expect(conversionsOf(mapping, '{"a":[{"n":1},{"n":2}]}')).toMatchObject([
      { ignored: true },
      { conversion: { order_id: '2' } },
    ]);
  });
});

describe('consent', () => {
  const said = {
    fields: { ...always, 'consent.ad_user_data': 'consent.ads', 'consent.ad_personalization': 'consent.personal' },
  };
  it.each(['"denied"', 'false', '0', '["denied"]'])(
    'said otherwise than it is read is named, not passed over: %s',
    (words) => {
      expect(conversionsOf(said, `{"consent":${words}}`)).toEqual([
        { problems: [{ field: 'consent', reason: 'invalid', path: 'consent.ads' }] },
      ]);
    },
  );
  it.each<[string, unknown, string]>([
    ['a list', 'consents[0].ads', '{"consents":"denied"}'],
    ['each of a list', 'consents[*].ads', '{"consents":{"ads":"denied"}}'],
    ['one of a list', { path: 'consents[type="ads"].status', default: 'granted' }, '{"consents":"denied"}'],
    ['a template', { template: '{{consent.ads}}' }, '{"consent":"denied"}'],
    [
      'a condition',
      [{ when: { any: [{ path: 'consent.ads', equals: 'no' }] }, default: 'denied' }, { default: 'granted' }],
      '{"consent":"denied"}',
    ],
  ])('where the mapping looks in %s', (_what, rule, json) => {
    const mapping = { fields: { ...always, 'consent.ad_user_data': rule } };
    expect(conversionsOf(mapping, json)).toMatchObject([{ problems: [{ field: 'consent', reason: 'invalid' }] }]);
  });
  it('and no default stands in for it', () => {
    const granted = { fields: { ...always, 'consent.ad_user_data': { path: 'consent.ads', default: 'granted' } } };
    expect(conversionsOf(granted, '{"consent":"denied"}')).toMatchObject([{ problems: [{ field: 'consent' }] }]);
    expect(conversionsOf(granted, '{"consent":{}}')).toMatchObject([
      { conversion: { consent: { ad_user_data: 'granted' } } },
    ]);
  });
  it.each(['{}', '{"consent":null}', '{"consent":""}', '{"consent":[]}', '{"consent":{}}'])(
    'that nobody gave is none: %s',
    (json) => {
      expect(conversionsOf(said, json)).toEqual([
        { conversion: { event_name: 'purchase', occurred_at: '2026-11-30T09:00:00Z' }, notes: [] },
      ]);
    },
  );
  it('that a condition looks at as it lies there is read', () => {
    const rules = [
      { when: { path: 'consent', equals: 'denied' }, default: 'denied' },
      { when: { path: 'consent.ads', equals: 'no' }, default: 'denied' },
      { default: 'granted' },
    ];
    const both = { fields: { ...always, 'consent.ad_user_data': rules } };
    expect(
      ['{"consent":"denied"}', '{"consent":{"ads":"no"}}', '{"consent":"yes"}', '{"consent":{"ads":"yes"}}'].map(
        (json) => conversionsOf(both, json).map((one) => 'conversion' in one && one.conversion.consent?.ad_user_data),
      ),
    ).toEqual([['denied'], ['denied'], ['granted'], ['granted']]);
  });
  it('of two shapes is read by a rule for each', () => {
    const rules = [{ path: 'consent.ads' }, { path: 'consent' }];
    const both = { fields: { ...always, 'consent.ad_user_data': rules } };
    for (const json of ['{"consent":"denied"}', '{"consent":{"ads":"denied"}}'])
      expect(conversionsOf(both, json)).toMatchObject([{ conversion: { consent: { ad_user_data: 'denied' } } }]);
  });
});

describe('items', () => {
  const items = { each: 'lines[*]', fields: { id: [{ path: 'sku' }, { path: 'id' }], quantity: 'n', price: 'p' } };
  it('are read from a list, each by its own paths', () => {
    const json = '{"lines":[{"sku":"A","n":2,"p":12.50},{"id":7,"n":"3"},{"sku":"C","n":1.50}]}';
    expect(fieldOf('items', items, json)).toEqual([
      { id: 'A', quantity: 2, price: '12.50' },
      { id: '7', quantity: 3 },
      { id: 'C', quantity: 1.5 },
    ]);
  });
  it.each<[string, string]>([
    ['{"lines":[{"sku":"A"},{"n":1}]}', 'missing items[1].id'],
    ['{"lines":[{"sku":"A","n":0}]}', 'invalid items[0].quantity'],
    ['{"lines":[{"sku":"A","p":"1,5"}]}', 'invalid items[0].price'],
    ['{"lines":[{"sku":{}}]}', 'invalid items[0].id'],
  ])('%s: %s', (json, reason) => {
    expect(fieldOf('items', items, json)).toBe(reason);
  });
  it('are two hundred at most', () => {
    const json = (count: number) => JSON.stringify({ lines: Array.from({ length: count }, (_, id) => ({ id })) });
    expect(fieldOf('items', items, json(200))).toHaveLength(200);
    expect(fieldOf('items', items, json(201))).toBe('too_many items');
  });
});

describe('a mapping is data, and checked', () => {
  it.each<[string, unknown]>([
    ['', 5],
    ['', {}],
    ['fields.nothing', { fields: { nothing: 'a' } }],
    ['fields.custom.__proto__', { fields: { 'custom.__proto__': 'a' } }],
    ['fields.custom.constructor', { fields: { 'custom.constructor': 'a' } }],
    ['fields.value', { fields: { value: 'a..b' } }],
    ['fields.value', { fields: { value: {} } }],
    ['fields.value.path', { fields: { value: { path: '__proto__.x' } } }],
    ['fields.value.template', { fields: { value: { template: '{{a' } } }],
    ['fields.value', { fields: { value: { path: 'a', template: 'b' } } }],
    ['fields.value', { fields: { value: { path: 'a', code: 'process.exit()' } } }],
    ['fields.value.apply.0', { fields: { value: { path: 'a', apply: ['eval'] } } }],
    ['fields.value.apply', { fields: { value: { path: 'a', apply: Array(9).fill('trim') } } }],
    ['fields.value', { fields: { value: Array(11).fill('a') } }],
    ['fields.items', { fields: { items: 'lines' } }],
    ['fields.value', { fields: { value: { each: 'a[*]', fields: { id: 'b' } } } }],
    ['cases', { cases: Array(21).fill({ fields: always }) }],
    ['', { fields: { occurred_at: { path: 't', apply: [{ date: { timezone: 'Mars/Base' } }] } } }],
  ])('%s is named', (at, given) => {
    const read = readMapping(given);
    expect(read).toMatchObject({ problem: { sentence: expect.any(String) } });
    if ('problem' in read) expect(read.problem.at.startsWith(at)).toBe(true);
  });
  it('a field called __proto__ is none', () => {
    expect(mappingOf(JSON.parse('{"fields":{"__proto__":"a"}}'))).toEqual({ fields: {} });
  });
  it('conditions have a depth and a number', () => {
    const nested = (depth: number): unknown => (depth === 1 ? { path: 'a', exists: true } : { not: nested(depth - 1) });
    const withCondition = (when: unknown) => readMapping({ when, fields: always });
    expect(withCondition(nested(4))).toHaveProperty('mapping');
    expect(withCondition(nested(5))).toHaveProperty('problem');
    expect(withCondition({ all: Array(49).fill({ path: 'a', exists: true }) })).toHaveProperty('mapping');
    expect(withCondition({ all: Array(50).fill({ path: 'a', exists: true }) })).toHaveProperty('problem');
  });
});

describe('hostile records', () => {
  it('names of prototypes are neither reached nor written', () => {
    const json = '{"__proto__":{"order":"x"},"constructor":{"name":"y"},"id":"A"}';
    expect(fieldOf('order_id', '["id"]', json)).toBe('A');
    expect(fieldOf('order_id', 'order', json)).toBeUndefined();
    expect(fieldOf('order_id', 'toString', json)).toBeUndefined();
    expect(fieldOf('order_id', 'id.length', json)).toBeUndefined();
    expect(({} as { order?: string }).order).toBeUndefined();
  });
  it('a mapping that asks for too many steps is ended, and says so', () => {
    const json = `{"a":[${Array.from({ length: 3_000 }, () => '{"b":[1]}').join()}]}`;
    const mapping = { each: 'a[*]', fields: { ...always, order_id: '$body.a[*].b[*].c' } };
    expect(conversionsOf(mapping, json)).toEqual([{ problems: [{ field: '', reason: 'too_much_work' }] }]);
  });
  it('a value of 2 MB is refused before anything is done to it, however often it is asked for', () => {
    const json = JSON.stringify({ a: 'ä '.repeat(900_000) });
    const long = { path: 'a', apply: Array(8).fill('upper') };
    const filled = { template: '{{a}}'.repeat(100) };
    const fields = Object.fromEntries(
      Array.from({ length: 25 }, (_, i) => [
        [`custom.a${i}`, long],
        [`custom.b${i}`, filled],
      ]).flat(),
    );
    const start = performance.now();
    const [mapped] = conversionsOf({ fields: { ...always, ...fields } }, json);
    expect(mapped).toMatchObject({ problems: Array(50).fill({ reason: 'invalid' }) });
    expect(performance.now() - start).toBeLessThan(2_000);
  });
  it('half a character does not break the rest', () => {
    expect(fieldOf('order_id', 'id', '{"id":"a\\ud800b"}')).toBe('a\ufffdb');
  });
  it('what no rule names is dropped', () => {
    const json = '{"order_id":"A","email":"ann@example.com","card":"4111","note":"x"}';
    expect(conversionsOf({ fields: { ...always, order_id: 'order_id', 'custom.note': 'note' } }, json)).toEqual([
      {
        conversion: {
          event_name: 'purchase',
          occurred_at: '2026-11-30T09:00:00Z',
          order_id: 'A',
          custom: { note: 'x' },
        },
        notes: [],
      },
    ]);
  });
});

it('a field with one path alone gives what the same path gives beside another that finds nothing', () => {
  const values = [
    ...['A-1', '  A-1 ', '', '   ', '12.50', '12,50', 'EUR', 'granted', 'yes', 'no', 'true', '2026-11-30T08:00:00Z'],
    ...['{payout}', 'click-{id}', '[Brand]', '%payout%', '$now$', '__ID__', 'a\0b', '\ufeff', 'x'.repeat(9_000)],
    ...[0, 12.5, true, false, null, [], ['a', 'a', 'b'], ['1', '2', '3', '4', '5', '6'], {}, { a: 1 }, [{ a: 1 }]],
  ];
  let compared = 0;
  for (const [field, kind] of canonicalFields) {
    if (kind === 'items') continue;
    for (const [root, name] of [
      ['', 'v'],
      ['', 'deep.er.v'],
      ['$query.', 'v'],
    ] as const)
      for (const value of [...values, undefined]) {
        const of = (rules: unknown) => conversionsOf({ fields: { ...always, [field]: rules } }, json, query);
        const json = JSON.stringify(name === 'v' ? { v: value } : { deep: { er: { v: value } } });
        const query = root === '' || typeof value !== 'string' ? {} : { query: { v: value } };
        const path = `${root}${name}`;
        expect(of(path), `${field} of ${json}`).toEqual(of([path, 'never.there']));
        compared++;
      }
  }
  expect(compared).toBeGreaterThan(4_000);
});
