import { describe, expect, it } from 'vitest';
import { type Conversion, conversion } from '../../../contract/conversion.ts';
import { isAmount, jsonAmount } from './amount.ts';
import { adsDateTime, type Moment, readMoment, rfc3339 } from './moment.ts';
import { readConversion } from './read.ts';

const now = Date.UTC(2026, 10, 30, 12);
const least = { event_name: 'purchase', occurred_at: '2026-11-30T09:15:00+01:00' };

/** Every field that there is. */
const whole: Conversion = {
  ...least,
  event_id: 'e-1',
  clicked_at: '2026-11-29T23:59:59.5Z',
  value: '12.50',
  currency: 'EUR',
  cost: 3.1,
  order_id: 'A-1001',
  page_url: 'https://shop.example/thanks?utm_source=news',
  action_source: 'website',
  consent: { ad_user_data: 'granted', ad_personalization: 'denied', limited_data_use: true },
  click_ids: { gclid: 'Gc', gbraid: 'Gb', wbraid: 'Wb', fbclid: 'Fb', fbc: 'fb.1.1.Fb', fbp: 'fb.1.1.2', tracker: 't' },
  user: {
    email: ['a@example.com', 'b@example.com'],
    phone: '+18005550100',
    phone_country: 'US',
    first_name: 'Ada',
    last_name: 'Byron',
    city: 'Menlo Park',
    state: 'CA',
    zip: '94025',
    country: 'US',
    external_id: 'u-1',
    ip: '198.51.100.7',
    user_agent: 'Mozilla/5.0',
    date_of_birth: '1990-01-31',
    gender: 'f',
    fingerprint: 'x',
  },
  items: [{ id: 'sku-1', quantity: 2, price: '5.25' }, { id: 'sku-2' }],
  merchant: { id: '123', feed_country: 'US', feed_language: 'en' },
  utm: { source: 'news', medium: 'email', campaign: 'may', term: 't', content: 'c' },
  campaign: { source: 'google', medium: 'cpc', id: '1', group_id: '2', ad_id: '3' },
  domain: 'shop.example',
  query: 'utm_source=news',
  refund: false,
  original: { event_name: 'purchase', order_id: 'A-1000', event_id: 'e-0' },
  custom: { plan: 'pro', seats: 3, trial: false },
};

describe('a canonical conversion', () => {
  it('is read as it was sent, with every field that there is', () => {
    expect(readConversion(whole, now)).toEqual(whole);
    expect(conversion.parse(whole)).toEqual(whole);
    expect(Object.keys(whole).sort()).toEqual(Object.keys(conversion.shape).sort());
    for (const part of ['consent', 'user', 'merchant', 'utm', 'campaign', 'original'] as const)
      expect(Object.keys(whole[part] as object).sort(), part).toEqual(
        Object.keys(conversion.shape[part].unwrap().shape).sort(),
      );
    expect(readConversion(least, now)).toEqual(least);
  });

  it('keeps nothing that the published list does not name (REL-01)', () => {
    const more = (value: object) => ({ ...value, ssn: '1', session: { token: 'x' } });
    const sent = {
      ...more(whole),
      user: more(whole.user as object),
      consent: more(whole.consent as object),
      click_ids: more(whole.click_ids as object),
      items: whole.items?.map(more),
      merchant: more(whole.merchant as object),
      utm: more(whole.utm as object),
      campaign: more(whole.campaign as object),
      original: more(whole.original as object),
    };
    expect(readConversion(sent, now)).toEqual(whole);
  });

  const wrong: [what: string, change: object, reason: string, field: string][] = [
    ['a comma in the value', { value: '12,50' }, 'invalid', 'value'],
    ['a sign of a currency', { value: '€12.50' }, 'invalid', 'value'],
    ['an exponent', { value: '1e3' }, 'invalid', 'value'],
    ['a thousands point', { value: '1.234.567' }, 'invalid', 'value'],
    ['a value that no float holds', { value: Number.POSITIVE_INFINITY }, 'invalid', 'value'],
    ['a value that is a list', { value: [12.5] }, 'invalid', 'value'],
    ['a cost that is no amount', { cost: 'free' }, 'invalid', 'cost'],
    ['a currency of four letters', { currency: 'EURO' }, 'unknown_currency', 'currency'],
    ['a currency nobody has', { currency: 'XQZ' }, 'unknown_currency', 'currency'],
    ['a currency that is a number', { currency: 978 }, 'unknown_currency', 'currency'],
    ['a time without offset', { occurred_at: '2026-11-30T09:15:00' }, 'no_offset', 'occurred_at'],
    ['a day alone', { occurred_at: '2026-11-30' }, 'no_offset', 'occurred_at'],
    ['year 1970', { occurred_at: '1970-01-01T00:00:00Z' }, 'invalid', 'occurred_at'],
    ['seconds taken for milliseconds', { occurred_at: '1970-01-21T11:01:13Z' }, 'invalid', 'occurred_at'],
    ['milliseconds taken for seconds', { occurred_at: '+058883-05-02T15:00:00Z' }, 'invalid', 'occurred_at'],
    ['seconds', { occurred_at: 1796026500 }, 'invalid', 'occurred_at'],
    ['milliseconds as text', { occurred_at: '1796026500000' }, 'invalid', 'occurred_at'],
    ['a day that is none', { occurred_at: '2026-02-29T00:00:00Z' }, 'invalid', 'occurred_at'],
    ['an hour that is none', { occurred_at: '2026-11-30T24:00:00Z' }, 'invalid', 'occurred_at'],
    ['an offset that is none', { occurred_at: '2026-11-30T09:15:00+25:00' }, 'invalid', 'occurred_at'],
    ['more than a minute ahead', { occurred_at: '2026-11-30T12:01:01Z' }, 'in_the_future', 'occurred_at'],
    ['a click ahead', { clicked_at: '2027-01-01T00:00:00Z' }, 'in_the_future', 'clicked_at'],
    ['no name', { event_name: undefined }, 'missing', 'event_name'],
    ['an empty name', { event_name: '' }, 'missing', 'event_name'],
    ['no time', { occurred_at: null }, 'missing', 'occurred_at'],
    ['a name that is none', { event_name: { $ne: '' } }, 'invalid', 'event_name'],
    ['an order that is a number', { order_id: 7 }, 'invalid', 'order_id'],
    ['a long order', { order_id: 'x'.repeat(513) }, 'invalid', 'order_id'],
    ['a source that is none', { action_source: 'web' }, 'invalid', 'action_source'],
    ['a consent that is no answer', { consent: { ad_user_data: 'yes' } }, 'invalid', 'consent.ad_user_data'],
    ['a flag that is a text', { consent: { limited_data_use: 'true' } }, 'invalid', 'consent.limited_data_use'],
    ['consent that is a text', { consent: 'granted' }, 'invalid', 'consent'],
    ['click ids in a list', { click_ids: ['Gc'] }, 'invalid', 'click_ids'],
    ['a click id that is a number', { click_ids: { gclid: 1 } }, 'invalid', 'click_ids.gclid'],
    ['an address that is an object', { user: { email: {} } }, 'invalid', 'user.email'],
    ['six addresses', { user: { email: Array.from({ length: 6 }, () => 'a@example.com') } }, 'invalid', 'user.email'],
    ['two megabytes of a city', { user: { city: 'x'.repeat(2_000_000) } }, 'invalid', 'user.city'],
    ['a number without a wrapper', { user: 7 }, 'invalid', 'user'],
    ['ten thousand items', { items: Array.from({ length: 10_000 }, () => ({ id: 'a' })) }, 'invalid', 'items'],
    ['items in an object', { items: { id: 'a' } }, 'invalid', 'items'],
    ['an item without an id', { items: [{ id: 'a' }, { price: 1 }] }, 'missing', 'items[1].id'],
    ['an item that is a text', { items: ['a'] }, 'invalid', 'items[0]'],
    ['a price that is none', { items: [{ id: 'a', price: '1,5' }] }, 'invalid', 'items[0].price'],
    ['no pieces', { items: [{ id: 'a', quantity: 0 }] }, 'invalid', 'items[0].quantity'],
    ['pieces as text', { items: [{ id: 'a', quantity: '2' }] }, 'invalid', 'items[0].quantity'],
    ['a merchant without an id', { merchant: {} }, 'missing', 'merchant.id'],
    ['a refund that is a text', { refund: 'yes' }, 'invalid', 'refund'],
    ['a variable that is a list', { custom: { plan: [] } }, 'invalid', 'custom.plan'],
    [
      'more variables than there is room for',
      { custom: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`v${at}`, 1])) },
      'invalid',
      'custom',
    ],
  ];
  it.each(wrong)('is refused for %s, with the field named', (_, change, reason, field) => {
    expect(readConversion({ ...whole, ...change }, now)).toEqual({ reason, field });
  });
  it.each([null, undefined, 'purchase', 7, [], [least]])('is no %j', (given) => {
    expect(readConversion(given, now)).toMatchObject({ field: 'conversion' });
  });

  it('says no to nothing that the published schema refuses, but for what is absent or kept out', () => {
    // Stricter than the schema, which has no clock and knows neither amounts nor currencies.
    const finer = new Set(['occurred_at', 'clicked_at', 'value', 'cost', 'currency', 'items[0].price', 'custom']);
    for (const [what, change, , field] of wrong) {
      if (finer.has(field)) continue;
      expect(conversion.safeParse({ ...whole, ...change }).success, what).toBe(false);
    }
    expect(conversion.safeParse({ ...whole, value: [12.5] }).success).toBe(false);
  });

  it('takes null and empty texts for what is not there, and a consent that is unknown', () => {
    const sent = {
      ...least,
      order_id: '',
      value: null,
      currency: null,
      consent: { ad_user_data: 'unknown', ad_personalization: null },
      click_ids: { gclid: '', fbclid: null },
      user: { email: ['', null], phone: '', last_name: null },
      items: [],
      custom: { plan: '' },
    };
    expect(readConversion(sent, now)).toEqual({ ...least, consent: {}, user: {}, items: [], custom: {} });
  });

  it('takes currencies in lower case and amounts with spaces around', () => {
    expect(readConversion({ ...least, value: ' 12.50 ', currency: 'eur' }, now)).toEqual({
      ...least,
      value: '12.50',
      currency: 'EUR',
    });
    const ahead = { ...least, occurred_at: '2026-11-30T12:00:59Z' };
    expect(readConversion(ahead, now)).toEqual(ahead);
  });

  it('is not shaken by what is hostile', () => {
    const names = '{"event_name":"a","occurred_at":"2026-11-30T09:15:00Z","__proto__":{"value":1},"constructor":{},';
    const sent = JSON.parse(`${names}"custom":{"__proto__":{"a":1},"toString":"x"},"click_ids":{"__proto__":"g"}}`);
    const read = readConversion(sent, now) as Conversion;
    expect(Object.keys(read)).toEqual(['event_name', 'occurred_at', 'custom']);
    expect(Object.keys(read.custom as object)).toEqual(['toString']);
    expect(({} as { a?: number }).a).toBeUndefined();
    expect(readConversion({ ...least, user: { city: 'M\ud800' } }, now)).toMatchObject({ user: { city: 'M\ufffd' } });
    let deep: unknown = 'x';
    for (let at = 0; at < 50_000; at++) deep = { deep };
    expect(readConversion({ ...least, order_id: deep }, now)).toEqual({ reason: 'invalid', field: 'order_id' });
    expect(readConversion({ ...least, unknown: deep }, now)).toEqual(least);
  });
});

describe('a moment', () => {
  it.each([
    ['2026-11-30T09:15:00+01:00', '2026-11-30T08:15:00.000Z', '2026-11-30T09:15:00+01:00', '2026-11-30 09:15:00+01:00'],
    ['2026-11-30T09:15:00Z', '2026-11-30T09:15:00.000Z', '2026-11-30T09:15:00Z', '2026-11-30 09:15:00+00:00'],
    ['2026-11-30 09:15-0330', '2026-11-30T12:45:00.000Z', '2026-11-30T09:15:00-03:30', '2026-11-30 09:15:00-03:30'],
    ['2024-02-29t23:59:59.9876z', '2024-02-29T23:59:59.987Z', '2024-02-29T23:59:59.987Z', '2024-02-29 23:59:59+00:00'],
    ['2026-01-01T00:30:00+05', '2025-12-31T19:30:00.000Z', '2026-01-01T00:30:00+05:00', '2026-01-01 00:30:00+05:00'],
  ])('%s is one instant, written as each platform wants it', (text, instant, rfc, ads) => {
    const moment = readMoment(text) as Moment;
    expect(new Date(moment.ms).toISOString()).toBe(instant);
    expect([rfc3339(moment), adsDateTime(moment)]).toEqual([rfc, ads]);
  });
  it.each([
    '2026-13-01T00:00:00Z',
    '2026-11-31T00:00:00Z',
    '2026-11-30T09:60:00Z',
    '26-11-30',
    'now',
    '2026-11-30T09Z',
  ])('%s is none', (text) => {
    expect(readMoment(text)).toBe('invalid');
  });
});

describe('an amount', () => {
  it.each([
    ['12.50', '12.5'],
    ['007', '7'],
    ['-0.10', '-0.1'],
    [19.99, '19.99'],
    [0, '0'],
    ['12345678901234567.89', '12345678901234567.89'],
    ['0.1000000000000000055', '0.1000000000000000055'],
    ['-00099999999999999999', '-99999999999999999'],
  ])('%s is the number %s in JSON, to the last digit', (amount, written) => {
    expect(isAmount(amount)).toBe(true);
    expect(JSON.stringify([jsonAmount(amount)])).toBe(`[${written}]`);
  });
});
