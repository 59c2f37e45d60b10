import { describe, expect, it } from 'vitest';
import { explainAnswer, explainConversion } from '../explain.ts';
import type { Destination } from './destination.ts';
import { googleAdsUpload } from './google_ads_upload.ts';
import { googleDataManager } from './google_data_manager.ts';

const now = Date.UTC(2026, 10, 30, 12);
const settings = { customer_id: '123-456-7890', login_customer_id: '987-654-3210', conversion_action_id: '555' };
const least = {
  event_id: 'e-1',
  event_name: 'purchase',
  occurred_at: '2026-11-30T09:15:00+01:00',
  user: { email: 'alexz@example.com' },
};
const alex = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';
const phoneHash = 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30';
const many = {
  email: ['a@example.com', 'b@example.com', 'c@example.com', 'd@example.com', 'e@example.com'],
  phone: [1, 2, 3, 4, 5].map((digit) => `+1800555010${digit}`),
  first_name: 'Ada',
  last_name: 'Byron',
  zip: '94025',
  country: 'US',
};
type Sent = Record<string, unknown>;

function explain(destination: Destination<never, never>, change: object = {}, set: object = settings) {
  const line = { now, settings: set, conversion: { ...least, ...change } };
  return explainConversion(line, destination as unknown as Destination, 0);
}
function sentTo(destination: Destination<never, never>, list: string, change: object = {}): Sent {
  const said = explain(destination, change);
  if (!('request' in said)) throw new Error(JSON.stringify(said));
  return (said.request.body as Record<string, Sent[]>)[list]?.[0] as Sent;
}
const managed = googleDataManager as unknown as Destination<never, never>;
const uploaded = googleAdsUpload as unknown as Destination<never, never>;
const managerEvent = (change?: object) => sentTo(managed, 'events', change);
const upload = (change?: object) => sentTo(uploaded, 'conversions', change);
const day = 86_400_000;
const agoText = (ms: number) => new Date(now - ms).toISOString();
const items = [{ id: 'a', quantity: 2, price: '5.25' }, { id: 'b' }];
const merchant = { id: '777', feed_country: 'us', feed_language: 'EN' };

describe('what goes to Google Ads by Data Manager', () => {
  it('is one POST with the destination and the event as the reference has them', () => {
    expect(explain(managed)).toEqual({
      request: {
        method: 'POST',
        url: 'https://datamanager.googleapis.com/v1/events:ingest',
        headers: { 'content-type': 'application/json' },
        body: {
          destinations: [
            {
              operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '1234567890' },
              loginAccount: { accountType: 'GOOGLE_ADS', accountId: '9876543210' },
              productDestinationId: '555',
            },
          ],
          encoding: 'HEX',
          events: [
            {
              transactionId: 'e-1',
              eventTimestamp: '2026-11-30T09:15:00+01:00',
              eventSource: 'OTHER',
              userData: { userIdentifiers: [{ emailAddress: alex }] },
            },
          ],
        },
      },
    });
    expect(managed.batchMax).toBe(2_000);
  });
  it('has the order as its transaction, value and currency, and the cart', () => {
    expect(managerEvent({ order_id: 'A-1', value: '12.50', currency: 'EUR', items, merchant })).toMatchObject({
      transactionId: 'A-1',
      conversionValue: 12.5,
      currency: 'EUR',
      cartData: {
        merchantId: '777',
        merchantFeedLabel: 'US',
        merchantFeedLanguageCode: 'en',
        items: [
          { merchantProductId: 'a', quantity: 2, unitPrice: 5.25 },
          { merchantProductId: 'b', quantity: 1 },
        ],
      },
    });
  });
  it.each([
    ['website', 'WEB'],
    ['app', 'APP'],
    ['physical_store', 'IN_STORE'],
    ['phone_call', 'PHONE'],
    ['chat', 'MESSAGE'],
    ['business_messaging', 'MESSAGE'],
    ['email', 'OTHER'],
    ['system_generated', 'OTHER'],
    ['other', 'OTHER'],
  ])('calls %s %s', (action_source, eventSource) => {
    expect(managerEvent({ action_source })).toMatchObject({ eventSource });
  });
  it('has at most ten identifiers, each exactly one of its kinds', () => {
    const { userIdentifiers } = managerEvent({ user: many }).userData as { userIdentifiers: Sent[] };
    expect(userIdentifiers).toHaveLength(10);
    for (const each of userIdentifiers) expect(Object.keys(each)).toHaveLength(1);
    expect(userIdentifiers.filter((each) => 'address' in each)).toEqual([
      {
        address: {
          givenName: expect.stringMatching(/^[0-9a-f]{64}$/),
          familyName: expect.stringMatching(/^[0-9a-f]{64}$/),
          regionCode: 'US',
          postalCode: '94025',
        },
      },
    ]);
    const user = { phone: '+1 (800) 555-0100' };
    expect(managerEvent({ user }).userData).toEqual({ userIdentifiers: [{ phoneNumber: phoneHash }] });
  });
  it('says consent that was said, and never one that was not', () => {
    expect(managerEvent({ consent: { ad_user_data: 'granted', ad_personalization: 'denied' } }).consent).toEqual({
      adUserData: 'CONSENT_GRANTED',
      adPersonalization: 'CONSENT_DENIED',
    });
    expect(managerEvent({ consent: { ad_personalization: 'denied' } }).consent).toEqual({
      adPersonalization: 'CONSENT_DENIED',
    });
    expect(managerEvent({ consent: { ad_personalization: 'granted', limited_data_use: true } }).consent).toEqual({
      adPersonalization: 'CONSENT_DENIED',
    });
    expect(managerEvent({ consent: {} })).not.toHaveProperty('consent');
    expect(managerEvent({ consent: { ad_user_data: 'unknown' } })).not.toHaveProperty('consent');
    expect(JSON.stringify(explain(managed))).not.toContain('GRANTED');
  });
  it('carries one click id: a gclid before a braid (REL-03)', () => {
    expect(managerEvent({ click_ids: { gclid: 'Gc', fbclid: 'x' } }).adIdentifiers).toEqual({ gclid: 'Gc' });
    expect(managerEvent({ click_ids: { gclid: 'Gc', gbraid: 'Gb' } }).adIdentifiers).toEqual({ gclid: 'Gc' });
    expect(managerEvent({ click_ids: { gbraid: 'Gb' } }).adIdentifiers).toEqual({ gbraid: 'Gb' });
    expect(managerEvent({ click_ids: { wbraid: 'Wb' }, user: {} })).toMatchObject({ adIdentifiers: { wbraid: 'Wb' } });
  });
  it('has neither cart nor variables with a braid', () => {
    const custom = { plan: 'pro', seats: 3 };
    expect(managerEvent({ custom }).customVariables).toEqual([
      { variable: 'plan', value: 'pro' },
      { variable: 'seats', value: '3' },
    ]);
    const event = managerEvent({ custom, items, merchant, click_ids: { gbraid: 'Gb' } });
    expect(event).not.toHaveProperty('cartData');
    expect(event).not.toHaveProperty('customVariables');
  });
  it.each(['DE', 'Germany', 'IS', 'NO', 'GB', 'United Kingdom', 'CH', undefined, 'Atlantis'])(
    'has no address of somebody in %s',
    (country) => {
      const user = { email: 'a@example.com', ip: '8.8.8.8', user_agent: 'Mozilla/5.0', country };
      expect(JSON.stringify(explain(managed, { user }))).not.toMatch(/8\.8\.8\.8|Mozilla/);
    },
  );
  it('has the public address of somebody elsewhere, and no private one', () => {
    const user = { email: 'a@example.com', ip: '8.8.8.8', user_agent: 'Mozilla/5.0', country: 'US' };
    expect(managerEvent({ user }).eventDeviceInfo).toEqual({ userAgent: 'Mozilla/5.0', ipAddress: '8.8.8.8' });
    expect(JSON.stringify(managerEvent({ user: { ...user, ip: '10.0.0.1' } }))).not.toContain('10.0.0.1');
  });
  it('restates an order under its own transaction', () => {
    const original = { order_id: 'A-1' };
    expect(managerEvent({ original, order_id: 'R-1', value: 7, currency: 'EUR' })).toMatchObject({
      transactionId: 'A-1',
      conversionValue: 7,
    });
    expect(managerEvent({ refund: true, original, currency: 'EUR' })).toMatchObject({
      transactionId: 'A-1',
      conversionValue: 0,
    });
  });
});

describe('what goes to Google Ads by its own upload', () => {
  it('is one POST with the conversion as the reference has it', () => {
    expect(explain(uploaded, { action_source: 'website' })).toEqual({
      request: {
        method: 'POST',
        url: 'https://googleads.googleapis.com/v25/customers/1234567890:uploadClickConversions',
        headers: { 'content-type': 'application/json', 'login-customer-id': '9876543210' },
        body: {
          conversions: [
            {
              conversionAction: 'customers/1234567890/conversionActions/555',
              conversionDateTime: '2026-11-30 09:15:00+01:00',
              conversionEnvironment: 'WEB',
              orderId: 'e-1',
              userIdentifiers: [{ hashedEmail: alex, userIdentifierSource: 'FIRST_PARTY' }],
            },
          ],
          partialFailure: true,
        },
      },
    });
    const alone = explain(uploaded, {}, { customer_id: 1234567890, conversion_action_id: 555 });
    expect(alone).toMatchObject({ request: { headers: { 'content-type': 'application/json' } } });
    expect(JSON.stringify(alone)).not.toContain('login-customer-id');
  });
  it.each([
    ['2026-11-30T09:15:00.999Z', '2026-11-30 09:15:00+00:00'],
    ['2026-11-29T23:15:00-05:00', '2026-11-29 23:15:00-05:00'],
    ['2026-11-30T14:45:00+05:30', '2026-11-30 14:45:00+05:30'],
  ])('says %s in its own offset', (occurred_at, conversionDateTime) => {
    expect(upload({ occurred_at })).toMatchObject({ conversionDateTime });
  });
  it('has exactly one of click ids and identifiers (REL-03)', () => {
    const kinds = ['gclid', 'gbraid', 'wbraid', 'userIdentifiers'];
    const kindsOf = (change: object) => Object.keys(upload(change)).filter((name) => kinds.includes(name));
    expect(kindsOf({ click_ids: { gclid: 'Gc', gbraid: 'Gb' } })).toEqual(['gclid']);
    expect(kindsOf({ click_ids: { gbraid: 'Gb' } })).toEqual(['gbraid']);
    expect(kindsOf({ click_ids: { wbraid: 'Wb' } })).toEqual(['wbraid']);
    expect(kindsOf({})).toEqual(['userIdentifiers']);
  });
  it('has at most five identifiers, mail addresses and phones alone', () => {
    const user = { ...many, email: ['a@example.com', 'b@example.com'] };
    const { userIdentifiers } = upload({ user }) as { userIdentifiers: Sent[] };
    expect(userIdentifiers.map((each) => Object.keys(each)[0])).toEqual([
      ...(['hashedEmail', 'hashedEmail'] as const),
      ...(['hashedPhoneNumber', 'hashedPhoneNumber', 'hashedPhoneNumber'] as const),
    ]);
  });
  it('has value, currency, consent and cart in its own words', () => {
    const consent = { ad_user_data: 'granted', ad_personalization: 'denied' };
    const custom = { 4711: 'pro', plan: 'pro' };
    expect(upload({ order_id: 'A-1', value: 12.5, currency: 'EUR', consent, items, merchant, custom })).toMatchObject({
      orderId: 'A-1',
      conversionValue: 12.5,
      currencyCode: 'EUR',
      consent: { adUserData: 'GRANTED', adPersonalization: 'DENIED' },
      cartData: {
        merchantId: '777',
        feedCountryCode: 'US',
        feedLanguageCode: 'en',
        items: [
          { productId: 'a', quantity: 2, unitPrice: 5.25 },
          { productId: 'b', quantity: 1 },
        ],
      },
      customVariables: [
        { conversionCustomVariable: 'customers/1234567890/conversionCustomVariables/4711', value: 'pro' },
      ],
    });
    const braid = upload({ items, merchant, custom, click_ids: { wbraid: 'Wb' } });
    expect(braid).not.toHaveProperty('cartData');
    expect(braid).not.toHaveProperty('customVariables');
  });
  it('never has an address or a browser', () => {
    const user = { email: 'a@example.com', ip: '8.8.8.8', user_agent: 'Mozilla/5.0', country: 'US' };
    expect(JSON.stringify(explain(uploaded, { user }))).not.toMatch(/8\.8\.8\.8|Mozilla/);
  });
  it('takes orders back and restates them at another address', () => {
    const original = { order_id: 'A-1' };
    expect(explain(uploaded, { refund: true, original, user: {} })).toMatchObject({
      request: {
        url: 'https://googleads.googleapis.com/v25/customers/1234567890:uploadConversionAdjustments',
        body: {
          conversionAdjustments: [
            {
              conversionAction: 'customers/1234567890/conversionActions/555',
              adjustmentType: 'RETRACTION',
              orderId: 'A-1',
              adjustmentDateTime: '2026-11-30 09:15:00+01:00',
            },
          ],
          partialFailure: true,
        },
      },
    });
    expect(sentTo(uploaded, 'conversionAdjustments', { original, value: '7.10', currency: 'EUR' })).toMatchObject({
      adjustmentType: 'RESTATEMENT',
      restatementValue: { adjustedValue: 7.1, currencyCode: 'EUR' },
    });
    // An adjustment is taken for 54 days after its conversion, which is no younger than the adjustment.
    const back = (ms: number) => explain(uploaded, { refund: true, original, occurred_at: agoText(ms) });
    expect(back(54 * day)).toHaveProperty('request');
    expect(back(54 * day + 1)).toEqual({ rejected: { reason: 'too_old', field: 'occurred_at' } });
    const [one, other] = [{ original, ...least }, least].map((conversion) => ({
      conversion,
      identifiers: { emails: [], phones: [] },
      id: 'x',
    }));
    if (one === undefined || other === undefined) throw new Error('two items');
    expect(googleAdsUpload.together?.(one)).not.toBe(googleAdsUpload.together?.(other));
    expect(() => googleAdsUpload.build([one, other], googleAdsUpload.settings(settings), now)).toThrow(RangeError);
  });
});

it('an adjustment by the upload goes with a gclid or a gbraid, and not with a wbraid alone', () => {
  const original = { order_id: 'A-1' };
  const wbraid = { rejected: { reason: 'not_supported', field: 'click_ids.wbraid' } };
  const restated = { original, value: '7.10', currency: 'EUR' };
  for (const change of [{ refund: true, original }, { refund: true, order_id: 'A-1' }, restated]) {
    expect(explain(uploaded, { ...change, click_ids: { wbraid: 'Wb' } })).toEqual(wbraid);
    for (const click_ids of [{}, { gbraid: 'Gb' }, { gclid: 'Gc', wbraid: 'Wb' }])
      expect(explain(uploaded, { ...change, click_ids })).toHaveProperty('request');
    // Of Data Manager the reference says no such thing.
    expect(explain(managed, { ...change, click_ids: { wbraid: 'Wb' } })).toHaveProperty('request');
  }
  expect(explain(uploaded, { click_ids: { wbraid: 'Wb' } })).toHaveProperty('request');
});

describe('a click of more than 90 days before', () => {
  /** 90 days before the conversion, and a second more. */
  const [last, older] = ['2026-09-01T10:15:00+02:00', '2026-09-01T10:14:59+02:00'];
  it.each(['gclid', 'gbraid', 'wbraid'])('is told to Google by no %s, and the person stands in for it', (name) => {
    const click_ids = { [name]: 'C1' };
    for (const clicked_at of [last, undefined]) {
      expect(managerEvent({ click_ids, clicked_at })).toMatchObject({ adIdentifiers: click_ids });
      expect(upload({ click_ids, clicked_at })).toMatchObject(click_ids);
    }
    const managerSent = managerEvent({ click_ids, clicked_at: older });
    expect(managerSent).not.toHaveProperty('adIdentifiers');
    expect(managerSent).toMatchObject({ userData: { userIdentifiers: [{ emailAddress: alex }] } });
    const uploadSent = upload({ click_ids, clicked_at: older });
    expect(uploadSent).not.toHaveProperty(name);
    expect(uploadSent).toMatchObject({ userIdentifiers: [{ hashedEmail: alex }] });
  });
  it.each([managed, uploaded])('has no person who stands in for it, or two braids that say nothing', (destination) => {
    const alone = { user: undefined, clicked_at: older };
    expect(explain(destination, { ...alone, click_ids: { gclid: 'Gc' } })).toEqual({
      rejected: { reason: 'no_identifier', field: 'user' },
    });
    const both = { clicked_at: older, click_ids: { gbraid: 'Gb', wbraid: 'Wb' } };
    expect(explain(destination, both)).toHaveProperty('request');
  });
});

describe.each([
  ['Data Manager', managed],
  ['the upload', uploaded],
])('nothing goes by %s', (_, destination) => {
  const rejected: [what: string, change: object, reason: string, field: string, set?: object][] = [
    ['two braids', { click_ids: { gbraid: 'Gb', wbraid: 'Wb' } }, 'click_ids_conflict', 'click_ids'],
    [
      'a gbraid with an action of one per click',
      { click_ids: { gbraid: 'Gb' } },
      'not_supported',
      'click_ids.gbraid',
      { ...settings, counting_type: 'ONE_PER_CLICK' },
    ],
    [
      'a wbraid with an action of one per click',
      { click_ids: { wbraid: 'Wb' } },
      'not_supported',
      'click_ids.wbraid',
      { ...settings, counting_type: 'one_per_click' },
    ],
    ['somebody who said no', { consent: { ad_user_data: 'denied' } }, 'consent_denied', 'consent.ad_user_data'],
    ['nobody', { user: {} }, 'no_identifier', 'user'],
    ['nobody but a click of Meta', { user: undefined, click_ids: { fbclid: 'x' } }, 'no_identifier', 'user'],
    ['an address that is none', { user: { email: 'a b@example.com' } }, 'no_identifier', 'user'],
    ['91 days ago', { occurred_at: agoText(91 * day) }, 'too_old', 'occurred_at'],
    ['a time without offset', { occurred_at: '2026-11-30T09:15:00' }, 'no_offset', 'occurred_at'],
    ['a value alone', { value: 5 }, 'value_without_currency', 'currency'],
    ['a value below nothing', { value: '-0.01', currency: 'EUR' }, 'invalid', 'value'],
    ['half a piece', { items: [{ id: 'a', quantity: 0.5 }] }, 'invalid', 'items[0].quantity'],
    ['a merchant that is no number', { items, merchant: { id: 'shop' } }, 'invalid', 'merchant.id'],
    [
      'a part of an order taken back',
      { refund: true, original: { order_id: 'A-1' }, value: 5, currency: 'EUR' },
      'not_supported',
      'refund',
    ],
    ['a refund of nothing that is named', { refund: true }, 'missing', 'original.order_id'],
    ['a restatement without its value', { original: { order_id: 'A-1' } }, 'missing', 'value'],
    [
      'a refund at a till',
      { refund: true, original: { order_id: 'A-1' }, action_source: 'physical_store' },
      'not_supported',
      'action_source',
    ],
    ['no account', {}, 'invalid', 'settings.customer_id', { conversion_action_id: '5' }],
    ['an account that is none', {}, 'invalid', 'settings.customer_id', { ...settings, customer_id: '12x' }],
    ['no action', {}, 'invalid', 'settings.conversion_action_id', { customer_id: '1' }],
    ['a manager that is none', {}, 'invalid', 'settings.login_customer_id', { ...settings, login_customer_id: [] }],
    ['a counting that is none', {}, 'invalid', 'settings.counting_type', { ...settings, counting_type: 'ONCE' }],
    ['settings that are none', {}, 'invalid', 'settings', []],
  ];
  it.each(rejected)('for %s', (_what, change, reason, field, set = settings) => {
    expect(explain(destination, change, set)).toEqual({ rejected: { reason, field } });
  });
  it('but for 89 days ago, a gclid with one per click, and half a piece that a braid leaves out', () => {
    const one = { ...settings, counting_type: 'ONE_PER_CLICK' };
    expect(explain(destination, { occurred_at: agoText(89 * day) })).toHaveProperty('request');
    expect(explain(destination, { click_ids: { gclid: 'Gc', gbraid: 'Gb' } }, one)).toHaveProperty('request');
    const braid = { click_ids: { gbraid: 'Gb' }, items: [{ id: 'a', quantity: 0.5 }] };
    expect(explain(destination, braid)).toHaveProperty('request');
  });
});

const explainOf = (destination: Destination<never, never>, line: unknown) =>
  explainAnswer(line, destination as unknown as Destination, now);
const status = (code: string, http: number, ...details: object[]) => ({
  error: { code: http, message: 'Invalid address a@example.com', status: code, details },
});

describe.each([
  ['Data Manager', managed],
  ['the upload', uploaded],
])('what an answer to %s means, whatever was sent', (_, destination) => {
  const answers: [http: number, body: unknown, meaning: string, reason: string, ms?: number][] = [
    [0, undefined, 'retry', 'no_answer'],
    [502, '<html>Bad Gateway</html>', 'retry', 'html'],
    [200, '<html>captive portal</html>', 'retry', 'html'],
    [404, '<html>Not Found</html>', 'retry', 'html'],
    [503, undefined, 'retry', 'http_503'],
    [503, status('UNAVAILABLE', 503), 'retry', 'UNAVAILABLE'],
    [504, status('DEADLINE_EXCEEDED', 504), 'retry', 'DEADLINE_EXCEEDED'],
    [500, status('INTERNAL', 500), 'retry', 'INTERNAL'],
    [409, status('ABORTED', 409), 'retry', 'ABORTED'],
    [400, status('FAILED_PRECONDITION', 400), 'retry', 'FAILED_PRECONDITION'],
    [418, status('TEAPOT', 418), 'retry', 'TEAPOT'],
    [401, status('UNAUTHENTICATED', 401), 'auth', 'UNAUTHENTICATED'],
    [401, undefined, 'auth', 'http_401'],
    [400, { error: 'invalid_grant', error_description: 'Token has been revoked.' }, 'auth', 'invalid_grant'],
    [
      403,
      status('PERMISSION_DENIED', 403, { reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }),
      'auth',
      'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    ],
    [403, status('PERMISSION_DENIED', 403), 'config', 'PERMISSION_DENIED'],
    [403, status('PERMISSION_DENIED', 403, { reason: 'SERVICE_DISABLED' }), 'config', 'SERVICE_DISABLED'],
    [404, status('NOT_FOUND', 404), 'config', 'NOT_FOUND'],
    [400, status('INVALID_ARGUMENT', 400), 'permanent', 'INVALID_ARGUMENT'],
    [429, undefined, 'rate_limited', 'http_429'],
    [429, status('RESOURCE_EXHAUSTED', 429), 'rate_limited', 'RESOURCE_EXHAUSTED'],
    [429, status('RESOURCE_EXHAUSTED', 429, { retryDelay: '13.5s' }), 'rate_limited', 'RESOURCE_EXHAUSTED', 13_500],
  ];
  it.each(answers)('%i %j is %s', (http, body, meaning, reason, ms) => {
    expect(explainOf(destination, { status: http, headers: {}, body })).toEqual({
      class: meaning,
      reason,
      retry_after_ms: ms ?? null,
    });
  });
  it('waits as long as a header says', () => {
    const body = status('UNAVAILABLE', 503);
    expect(explainOf(destination, { status: 503, headers: { 'Retry-After': '7' }, body })).toMatchObject({
      class: 'retry',
      retry_after_ms: 7_000,
    });
  });
});

describe('what an answer of Data Manager means', () => {
  const violation = (field: string, reason?: string) => ({
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    fieldViolations: [{ field, description: 'a@example.com is wrong', reason }],
  });
  const quota = (quota_limit: string) => ({ reason: 'RATE_LIMIT_EXCEEDED', metadata: { quota_limit } });

  it.each([{ requestId: 'abc' }, { requestId: 'abc', fieldWarnings: [{ field: 'x', reason: 'y' }] }, {}])(
    '200 %j is accepted',
    (body) => {
      expect(explainOf(managed, { status: 200, headers: {}, body })).toMatchObject({ class: 'accepted' });
    },
  );
  it('200 without an id by which its fate can be asked for is tried again', () => {
    expect(explainOf(managed, { status: 200, body: { requestId: '' } })).toMatchObject({ class: 'retry' });
    expect(explainOf(managed, { status: 200, body: undefined })).toMatchObject({ class: 'retry' });
  });
  it('waits a minute for the quota of a minute', () => {
    const body = status('RESOURCE_EXHAUSTED', 429, quota('IngestionMutateRequestsPerMinutePerProject'));
    expect(explainOf(managed, { status: 429, headers: {}, body })).toEqual({
      class: 'rate_limited',
      reason: 'IngestionMutateRequestsPerMinutePerProject',
      retry_after_ms: 60_000,
    });
  });
  it.each([
    ['Mon, 30 Nov 2026 12:00:00 GMT', 20 * 3_600_000],
    ['Tue, 01 Dec 2026 07:59:50 GMT', 60_000],
    ['Wed, 15 Jul 2026 06:30:00 GMT', 1_800_000],
    [undefined, 20 * 3_600_000],
  ])('waits at %s until midnight in California for the quota of a day', (date, ms) => {
    const body = status('RESOURCE_EXHAUSTED', 429, quota('IngestionMutateRequestsPerDayPerProject'));
    const headers = date === undefined ? {} : { Date: date };
    expect(explainOf(managed, { status: 429, headers, body })).toEqual({
      class: 'rate_limited',
      reason: 'IngestionMutateRequestsPerDayPerProject',
      retry_after_ms: ms,
    });
  });
  it('takes the row out that is named, and sends the others again', () => {
    const body = status('INVALID_ARGUMENT', 400, {
      fieldViolations: [
        {
          field: 'events[3].user_data.user_identifiers[0].email_address',
          description: 'x',
          reason: 'INVALID_SHA256_FORMAT',
        },
        { field: 'events[3].currency', description: 'x', reason: 'INVALID_CURRENCY_CODE' },
        { field: 'events[17].event_timestamp', description: 'x' },
      ],
    });
    expect(googleDataManager.read({ status: 400, headers: {}, body })).toEqual({
      class: 'retry',
      reason: 'INVALID_ARGUMENT',
      rows: [
        { index: 3, class: 'permanent', reason: 'INVALID_SHA256_FORMAT' },
        { index: 17, class: 'permanent', reason: 'INVALID_ARGUMENT' },
      ],
    });
    expect(explainOf(managed, { status: 400, body })).toMatchObject({ class: 'permanent', retry_after_ms: null });
  });
  it.each([
    ['destinations[0].product_destination_id', 'INVALID_CONVERSION_ACTION_ID', 'config'],
    ['destinations[0]', 'DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED', 'config'],
    ['destinations[0].login_account.account_id', 'INVALID_FORMAT', 'config'],
    ['destinations[0].operating_account.account_id', 'REQUIRED_FIELD_MISSING', 'config'],
    ['destinations[0].product_destination_id', 'INVALID_ARGUMENT', 'config'],
    ['destinations[0]', 'OF_NEXT_YEAR', 'config'],
    ['events', 'TOO_MANY_EVENTS', 'permanent'],
    ['encoding', 'REQUIRED_FIELD_MISSING', 'permanent'],
    ['events', 'SOMETHING_NEW', 'retry'],
  ])('400 about %s with %s is %s', (field, reason, meaning) => {
    const body = status('INVALID_ARGUMENT', 400, violation(field, reason));
    expect(explainOf(managed, { status: 400, body })).toEqual({ class: meaning, reason, retry_after_ms: null });
  });

  const processed = (requestStatus: string, ...reasons: string[]) => ({
    requestStatusPerDestination: [
      {
        requestStatus,
        eventsIngestionStatus: { recordCount: '2' },
        errorInfo: { errorCounts: reasons.map((reason) => ({ recordCount: '1', reason })) },
      },
    ],
  });
  const fates: [body: object, meaning: string, reason: string, ms?: number][] = [
    [processed('SUCCESS'), 'accepted', 'SUCCESS'],
    [processed('PROCESSING'), 'retry', 'PROCESSING'],
    [processed('FAILED'), 'retry', 'FAILED'],
    [{ requestStatusPerDestination: [] }, 'retry', 'REQUEST_STATUS_UNKNOWN'],
    [
      processed('FAILED', 'PROCESSING_ERROR_REASON_DUPLICATE_TRANSACTION_ID'),
      'treat_as_delivered',
      'DUPLICATE_TRANSACTION_ID',
    ],
    [processed('FAILED', 'PROCESSING_ERROR_REASON_DUPLICATE_GCLID'), 'treat_as_delivered', 'DUPLICATE_GCLID'],
    [processed('FAILED', 'PROCESSING_ERROR_REASON_TOO_RECENT_CLICK'), 'retry_later', 'TOO_RECENT_CLICK', 21_600_000],
    [processed('FAILED', 'TOO_RECENT_EVENT'), 'retry_later', 'TOO_RECENT_EVENT', 21_600_000],
    [processed('FAILED', 'TOO_RECENT_CONVERSION'), 'retry_later', 'TOO_RECENT_CONVERSION', 86_400_000],
    [processed('FAILED', 'PROCESSING_ERROR_REASON_INTERNAL_ERROR'), 'retry', 'INTERNAL_ERROR'],
    [processed('PARTIAL_SUCCESS', 'PROCESSING_ERROR_REASON_EVENT_TOO_OLD'), 'permanent', 'EVENT_TOO_OLD'],
    [processed('FAILED', 'PROCESSING_ERROR_REASON_DENIED_CONSENT'), 'permanent', 'DENIED_CONSENT'],
    [processed('FAILED', 'PROCESSING_ERROR_REASON_NO_CONSENT'), 'config', 'NO_CONSENT'],
    [processed('FAILED', 'PROCESSING_ERROR_REASON_CLICK_NOT_FOUND'), 'permanent', 'CLICK_NOT_FOUND'],
    [
      processed('FAILED', 'PROCESSING_ERROR_OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER'),
      'permanent',
      'OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER',
    ],
    [
      processed('FAILED', 'PROCESSING_ERROR_REASON_ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID'),
      'permanent',
      'ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID',
    ],
    [processed('FAILED', 'EVENT_TOO_OLD'), 'permanent', 'EVENT_TOO_OLD'],
    [processed('FAILED', 'PROCESSING_ERROR_REASON_OF_NEXT_YEAR'), 'retry', 'OF_NEXT_YEAR'],
    [
      processed('PARTIAL_SUCCESS', 'PROCESSING_ERROR_REASON_EVENT_TOO_OLD', 'PROCESSING_ERROR_REASON_INTERNAL_ERROR'),
      'retry',
      'INTERNAL_ERROR',
    ],
    [processed('FAILED', 'constructor'), 'retry', 'constructor'],
  ];
  it.each(fates)('the status %j is %s', (body, meaning, reason, ms) => {
    expect(explainOf(managed, { status: 200, headers: {}, body })).toEqual({
      class: meaning,
      reason,
      retry_after_ms: ms ?? null,
    });
  });
});

describe('what an answer of the upload means', () => {
  const failure = (errorCode: object, index?: number, more: object = {}) => ({
    errorCode,
    message: 'a@example.com was refused',
    ...(index === undefined ? {} : { location: { fieldPathElements: [{ fieldName: 'conversions', index }] } }),
    ...more,
  });
  const google = (...errors: object[]) => ({ '@type': 'type.googleapis.com/…errors.GoogleAdsFailure', errors });
  const partial = (results: unknown[] | undefined, ...errors: object[]) => ({
    partialFailureError: { code: 3, message: 'a@example.com', details: [google(...errors)] },
    ...(results === undefined ? {} : { results }),
    jobId: '1',
  });
  const upload = (code: string, index?: number) => failure({ conversionUploadError: code }, index);
  const done = { gclid: 'Gc', conversionAction: 'x' };

  it('200 without a failure is accepted', () => {
    const body = { results: [done], jobId: '7' };
    expect(explainOf(uploaded, { status: 200, headers: {}, body })).toEqual({
      class: 'accepted',
      reason: 'uploaded',
      retry_after_ms: null,
    });
  });

  const hour = 3_600_000;
  const rows: [family: string, code: string, meaning: string, ms?: number][] = [
    ['conversionUploadError', 'ORDER_ID_ALREADY_IN_USE', 'treat_as_delivered'],
    ['conversionUploadError', 'CLICK_CONVERSION_ALREADY_EXISTS', 'treat_as_delivered'],
    ['conversionAdjustmentUploadError', 'CONVERSION_ALREADY_RETRACTED', 'treat_as_delivered'],
    ['conversionAdjustmentUploadError', 'CONVERSION_ALREADY_ENHANCED', 'treat_as_delivered'],
    ['conversionUploadError', 'TOO_RECENT_EVENT', 'retry_later', 6 * hour],
    ['conversionUploadError', 'TOO_RECENT_CALL', 'retry_later', 6 * hour],
    ['conversionUploadError', 'TOO_RECENT_CONVERSION_ACTION', 'retry_later', 6 * hour],
    ['conversionAdjustmentUploadError', 'TOO_RECENT_CONVERSION', 'retry_later', 24 * hour],
    ['internalError', 'INTERNAL_ERROR', 'retry'],
    ['internalError', 'TRANSIENT_ERROR', 'retry'],
    ['databaseError', 'CONCURRENT_MODIFICATION', 'retry'],
    ['notAllowlistedError', 'CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE', 'config'],
    ['conversionUploadError', 'CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS', 'config'],
    ['conversionUploadError', 'NO_CONVERSION_ACTION_FOUND', 'config'],
    ['conversionAdjustmentUploadError', 'RESTATEMENT_ALREADY_EXISTS', 'treat_as_delivered'],
    ['conversionAdjustmentUploadError', 'MORE_RECENT_RESTATEMENT_FOUND', 'permanent'],
    ['conversionAdjustmentUploadError', 'DUPLICATE_ADJUSTMENT_IN_REQUEST', 'retry'],
    ['conversionAdjustmentUploadError', 'MISSING_ORDER_ID_FOR_WEBPAGE', 'permanent'],
    [
      'conversionAdjustmentUploadError',
      'CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE',
      'config',
    ],
    ['enumError', 'ENUM_VALUE_NOT_PERMITTED', 'permanent'],
    ['collectionSizeError', 'TOO_MANY', 'permanent'],
    ['quotaError', 'ACCESS_PROHIBITED', 'config'],
    ['requestError', 'INVALID_CUSTOMER_ID', 'config'],
    ['requestError', 'REQUIRED_FIELD_MISSING', 'permanent'],
    ['conversionUploadError', 'GBRAID_WBRAID_BOTH_SET', 'permanent'],
    ['conversionUploadError', 'EXPIRED_EVENT', 'permanent'],
    ['conversionUploadError', 'UNPARSEABLE_GCLID', 'permanent'],
    ['conversionUploadError', 'ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID', 'permanent'],
    ['fieldError', 'VALUE_MUST_BE_UNSET', 'permanent'],
    ['quotaError', 'RESOURCE_TEMPORARILY_EXHAUSTED', 'rate_limited'],
    ['conversionUploadError', 'UNKNOWN', 'retry'],
    ['conversionUploadError', 'OF_NEXT_YEAR', 'retry'],
    ['somethingNewError', 'NEW', 'retry'],
    ['constructor', 'toString', 'retry'],
  ];
  it.each(rows)('a row with %s %s is %s', (family, code, meaning, ms) => {
    const row = { class: meaning, reason: code, retry_after_ms: ms ?? null };
    const body = partial([done, {}], failure({ [family]: code }, 1));
    expect(explainOf(uploaded, { status: 200, headers: {}, body })).toEqual({ ...row, rows: [{ index: 1, ...row }] });
    expect(googleAdsUpload.read({ status: 200, headers: {}, body }).class).toBe('accepted');
    // The same where no place is named and one conversion was sent.
    const bare = partial(undefined, failure({ [family]: code }));
    expect(explainOf(uploaded, { status: 200, headers: {}, body: bare })).toEqual(row);
  });
  it('tells each row by its own error, and the one of several that may yet go through', () => {
    const body = partial(
      [{}, done, {}, {}],
      upload('UNPARSEABLE_GCLID', 0),
      upload('ORDER_ID_ALREADY_IN_USE', 2),
      upload('EXPIRED_EVENT', 3),
      failure({ internalError: 'INTERNAL_ERROR' }, 3),
    );
    expect(googleAdsUpload.read({ status: 200, headers: {}, body })).toEqual({
      class: 'accepted',
      reason: 'uploaded',
      rows: [
        { index: 0, class: 'permanent', reason: 'UNPARSEABLE_GCLID' },
        { index: 2, class: 'treat_as_delivered', reason: 'ORDER_ID_ALREADY_IN_USE' },
        { index: 3, class: 'retry', reason: 'INTERNAL_ERROR' },
      ],
    });
  });
  it('finds rows without a place by their empty results', () => {
    const one = partial([done, {}, {}], upload('UNPARSEABLE_GCLID', 1), upload('EXPIRED_EVENT'));
    expect(googleAdsUpload.read({ status: 200, headers: {}, body: one }).rows).toEqual([
      { index: 1, class: 'permanent', reason: 'UNPARSEABLE_GCLID' },
      { index: 2, class: 'permanent', reason: 'EXPIRED_EVENT' },
    ]);
    const two = partial([{}, done, {}], upload('EXPIRED_EVENT'), upload('ORDER_ID_ALREADY_IN_USE'));
    expect(googleAdsUpload.read({ status: 200, headers: {}, body: two }).rows).toEqual([
      { index: 0, class: 'retry', reason: 'EXPIRED_EVENT' },
      { index: 2, class: 'retry', reason: 'EXPIRED_EVENT' },
    ]);
    const none = { partialFailureError: { code: 3, message: 'x' }, results: [{}, done] };
    expect(googleAdsUpload.read({ status: 200, headers: {}, body: none }).rows).toEqual([
      { index: 0, class: 'retry', reason: 'partial_failure' },
    ]);
  });
  it('sends again what an empty result says failed and no failure is about, and takes no row by a failure of none', () => {
    const read = (body: object) => googleAdsUpload.read({ status: 200, headers: {}, body }, { sent: 3 });
    const left = { class: 'retry', reason: 'partial_failure' };
    expect(read(partial([{}, done, {}], upload('UNPARSEABLE_GCLID', 0))).rows).toEqual([
      { index: 0, class: 'permanent', reason: 'UNPARSEABLE_GCLID' },
      { index: 2, ...left },
    ]);
    // One failure for two rows is no word about both.
    const one = { class: 'retry', reason: 'CLICK_NOT_FOUND' };
    expect(read(partial([{}, done, {}], upload('CLICK_NOT_FOUND'))).rows).toEqual([
      { index: 0, ...one },
      { index: 2, ...one },
    ]);
    expect(read(partial([{}, done, done], upload('CLICK_NOT_FOUND', 99))).rows).toEqual([
      { index: 0, class: 'permanent', reason: 'CLICK_NOT_FOUND' },
    ]);
    // Results that are not one for each row.
    expect(read(partial([], upload('CLICK_NOT_FOUND')))).toEqual(one);
    expect(read(partial([done], upload('CLICK_NOT_FOUND', 99)))).toEqual(one);
  });
  it('sends all again where neither a place nor a result says which failed', () => {
    const body = partial(undefined, upload('ORDER_ID_ALREADY_IN_USE'));
    expect(googleAdsUpload.read({ status: 200, headers: {}, body }, { sent: 3 })).toEqual({
      class: 'retry',
      reason: 'ORDER_ID_ALREADY_IN_USE',
    });
    expect(googleAdsUpload.read({ status: 200, headers: {}, body }, { sent: 1 }).class).toBe('treat_as_delivered');
  });

  const whole: [http: number, name: string, error: object, meaning: string, reason: string, ms?: number][] = [
    [
      403,
      'PERMISSION_DENIED',
      failure({ notAllowlistedError: 'CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE' }),
      'config',
      'CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE',
    ],
    [
      400,
      'INVALID_ARGUMENT',
      failure({ requestError: 'PARTIAL_FAILURE_MODE_REQUIRED' }),
      'config',
      'PARTIAL_FAILURE_MODE_REQUIRED',
    ],
    [400, 'INVALID_ARGUMENT', failure({ requestError: 'UNSUPPORTED_VERSION' }), 'config', 'UNSUPPORTED_VERSION'],
    [400, 'INVALID_ARGUMENT', failure({ conversionUploadError: 'OF_NEXT_YEAR' }), 'retry', 'OF_NEXT_YEAR'],
    [
      403,
      'PERMISSION_DENIED',
      failure({ authorizationError: 'USER_PERMISSION_DENIED' }),
      'config',
      'USER_PERMISSION_DENIED',
    ],
    [401, 'UNAUTHENTICATED', failure({ authenticationError: 'OAUTH_TOKEN_EXPIRED' }), 'auth', 'OAUTH_TOKEN_EXPIRED'],
    [
      401,
      'UNAUTHENTICATED',
      failure({ authenticationError: 'CLIENT_CUSTOMER_ID_INVALID' }),
      'config',
      'CLIENT_CUSTOMER_ID_INVALID',
    ],
    [500, 'INTERNAL', failure({ internalError: 'INTERNAL_ERROR' }), 'retry', 'INTERNAL_ERROR'],
    [
      429,
      'RESOURCE_EXHAUSTED',
      failure({ quotaError: 'RESOURCE_EXHAUSTED' }, undefined, {
        details: { quotaErrorDetails: { retryDelay: '900s' } },
      }),
      'rate_limited',
      'RESOURCE_EXHAUSTED',
      900_000,
    ],
  ];
  it.each(whole)('%i %s with %j is %s', (http, name, error, meaning, reason, ms) => {
    const body = status(name, http, google(error));
    expect(explainOf(uploaded, { status: http, headers: {}, body })).toEqual({
      class: meaning,
      reason,
      retry_after_ms: ms ?? null,
    });
  });
  it('takes the row out for which all were refused', () => {
    const body = status('INVALID_ARGUMENT', 400, google(failure({ fieldError: 'REQUIRED' }, 4)));
    expect(googleAdsUpload.read({ status: 400, headers: {}, body })).toEqual({
      class: 'retry',
      reason: 'INVALID_ARGUMENT',
      rows: [{ index: 4, class: 'permanent', reason: 'REQUIRED' }],
    });
  });
  it('never quotes what an answer says in words', () => {
    const body = partial([{}], failure({ conversionUploadError: 'a@example.com' }, 0));
    expect(JSON.stringify(explainOf(uploaded, { status: 200, body }))).not.toContain('@');
  });
});
