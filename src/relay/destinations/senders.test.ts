import { describe, expect, test } from 'vitest';
import { explainAnswer, explainConversion } from '../explain.ts';
import type { Destination } from './destination.ts';
import { SettingsProblem } from './destination.ts';
import { ga4 } from './ga4.ts';
import { destinationOf } from './index.ts';
import { linkedin } from './linkedin.ts';
import { microsoft } from './microsoft.ts';
import { pinterest } from './pinterest.ts';
import { reddit } from './reddit.ts';
import { answer, itemOf, now, order } from './senders_fixture.ts';
import { snap } from './snap.ts';
import { tiktok } from './tiktok.ts';
import { webhook } from './webhook.ts';
import { x } from './x.ts';

const day = 86_400_000;
/** Limits by the reference's table "Other senders" and by the documents that each file names. */
const senders: readonly {
  destination: Destination;
  settings: object;
  batchMax: number;
  ageDays: number;
  perMinute?: number;
  takesRefunds?: boolean;
  takesLimitedUse?: boolean;
  measuresOnly?: boolean;
}[] = [
  {
    ...{ destination: ga4, settings: { measurement_id: 'G-ABC123' }, batchMax: 25, ageDays: 3, perMinute: 6_000 },
    ...{ takesRefunds: true, takesLimitedUse: true, measuresOnly: true },
  },
  { destination: tiktok, settings: { pixel_id: 'C4A1' }, batchMax: 50, ageDays: 28, takesLimitedUse: true },
  { destination: microsoft, settings: { tag_id: '187012345' }, batchMax: 1_000, ageDays: 7 },
  { destination: linkedin, settings: { conversion_id: '104012' }, batchMax: 5_000, ageDays: 90 },
  {
    ...{
      destination: pinterest,
      settings: { ad_account_id: '549755885175' },
      batchMax: 1_000,
      ageDays: 90,
      perMinute: 5_000,
    },
    ...{ takesLimitedUse: true, measuresOnly: true },
  },
  {
    ...{ destination: snap, settings: { pixel_id: 'a1-b2' }, batchMax: 2_000, ageDays: 37 },
    ...{ takesLimitedUse: true, measuresOnly: true },
  },
  {
    ...{ destination: reddit, settings: { account_id: 't2_abc' }, batchMax: 1_000, ageDays: 7 },
    ...{ takesLimitedUse: true, measuresOnly: true },
  },
  {
    destination: x,
    settings: { pixel_id: 'o8z6j', event_id: 'tw-o8z6j-o87ne' },
    batchMax: 500,
    ageDays: 90,
    perMinute: 6_000,
  },
];
const all = [
  ...senders.map(({ destination, settings }) => ({ destination, settings })),
  {
    destination: webhook as Destination,
    settings: { url: 'https://crm.example/hook' },
  },
];

describe.each(senders)('$destination.label', ({ destination, settings: given, batchMax, ageDays, ...rules }) => {
  const settings = destination.settings(given);
  const refused = (changes: object) => destination.refuse(itemOf(destination, { ...order, ...changes }), settings, now);
  const consent = (changes: object) => ({ consent: { ...order.consent, ...changes } });

  test('takes an order with everything in it', () => {
    expect(refused({})).toBeUndefined();
    expect(destination.batchMax).toBe(batchMax);
    expect(destination.rate.perMinute).toBe(rules.perMinute ?? 600);
  });

  test('takes nothing of whoever denied the use of their data, and anything of whom nothing is known', () => {
    expect(refused(consent({ ad_user_data: 'denied' }))).toEqual({
      reason: 'consent_denied',
      field: 'consent.ad_user_data',
    });
    expect(refused({ consent: {} })).toBeUndefined();
  });

  test('takes nothing of whoever denied personalised ads or asked for limited use, where it cannot be told so', () => {
    expect(refused(consent({ ad_personalization: 'denied' }))).toEqual(
      rules.measuresOnly ? undefined : { reason: 'consent_denied', field: 'consent.ad_personalization' },
    );
    expect(refused(consent({ limited_data_use: true }))).toEqual(
      rules.takesLimitedUse ? undefined : { reason: 'consent_denied', field: 'consent.limited_data_use' },
    );
  });

  test('takes what is as old as it may be, and nothing older', () => {
    const at = (ms: number) => ({ occurred_at: new Date(ms).toISOString() });
    expect(refused(at(now - ageDays * day))).toBeUndefined();
    expect(refused(at(now - ageDays * day - 1))).toEqual({ reason: 'too_old', field: 'occurred_at' });
  });

  test('takes no value without its currency and none below nothing', () => {
    expect(refused({ currency: undefined })).toEqual({ reason: 'value_without_currency', field: 'currency' });
    expect(refused({ value: '-1.00' })).toEqual({ reason: 'invalid', field: 'value' });
  });

  test('counts no refund as a sale', () => {
    const refund = { refund: true, original: { order_id: 'A-1001' } };
    expect(refused(refund)).toEqual(rules.takesRefunds ? undefined : { reason: 'not_supported', field: 'refund' });
  });

  test('takes nothing of nobody, and names the field', () => {
    const nobody = refused({ user: { user_agent: 'Mozilla/5.0' }, click_ids: { tracker: 'abc' } });
    expect(nobody?.reason).toBe('no_identifier');
    expect(nobody?.field).toMatch(/^(click_ids|user|custom)\./);
  });
});

/** What they count in their answers against the two that were sent. */
test.each([
  [microsoft, { eventsReceived: 1 }, 'eventsReceived'],
  [linkedin, { elements: [{ status: 201 }] }, 'elements'],
  [pinterest, { num_events_received: 2, num_events_processed: 1 }, 'num_events_processed'],
  [x, { data: { conversions_processed: 1 } }, 'conversions_processed'],
])('half of what was sent is sent again', ({ read }, body, reason) => {
  expect(read(answer(200, body), { sent: 2 })).toEqual({ class: 'retry', reason });
  expect(read(answer(200, body), { sent: 1 }).class).toBe('accepted');
});

describe.each(all)('$destination.label', ({ destination, settings: given }) => {
  const settings = destination.settings(given);

  test('describes a request without a secret, a raw identifier or a fingerprint', () => {
    const item = itemOf(destination, { ...order, user: { ...order.user, fingerprint: 'fp-secret' } });
    const request = destination.build([item], settings, now);
    const said = JSON.stringify(request).toLowerCase();
    for (const word of [
      'alexz',
      '5550100',
      'c-77',
      'fp-secret',
      'access_token',
      'api_secret',
      'authorization',
      'bearer',
    ])
      expect(said).not.toContain(word);
    expect(request.method).toBe('POST');
    expect(request.headers['content-type']).toBe('application/json');
  });

  test('is found by its id, and explained', () => {
    expect(destinationOf(destination.id)).toBe(destination);
    const explained = explainConversion({ now, settings: given, conversion: order }, destination, 0);
    expect(explained).toEqual({ request: destination.build([itemOf(destination, order, 'A-1001')], settings, now) });
    expect(explainAnswer({ status: 429, headers: { 'retry-after': 3 }, body: '' }, destination, 0)).toEqual({
      ...{ class: 'rate_limited', reason: 'http_429', retry_after_ms: 3_000 },
    });
  });

  test('says the same again when it is tried again', () => {
    const build = () => destination.build([itemOf(destination, order)], settings, now);
    expect(build()).toEqual(build());
  });

  test('sends an amount with more digits than a float keeps as it came', () => {
    const item = itemOf(destination, { ...order, value: '12345678901234567.89', items: [{ id: 'a', price: '0.10' }] });
    expect(JSON.stringify(destination.build([item], settings, now).body)).toContain('12345678901234567.89');
  });

  test('sends hostile text as text', () => {
    const text = JSON.parse('"a\\ud800b"') as string;
    const hostile = JSON.parse(
      JSON.stringify(order).replace(
        '"event_name"',
        '"__proto__":{"refund":true},"custom":{"__proto__":"x","constructor":"y","client_id":"c"},"event_name"',
      ),
    ) as object;
    const item = itemOf(destination, { ...hostile, order_id: text, items: [{ id: `</script>${text}` }] });
    expect(destination.refuse(item, settings, now)).toBeUndefined();
    const sent = JSON.stringify(destination.build([item], settings, now).body);
    expect(sent).not.toMatch(/\\ud[89ab]/i);
    expect(sent).not.toContain('__proto__');
    expect(({} as { refund?: boolean }).refund).toBeUndefined();
  });

  test('holds as many as it may', () => {
    const items = Array.from({ length: destination.batchMax }, (_, at) => itemOf(destination, order, `order-${at}`));
    const sent = JSON.stringify(destination.build(items, settings, now).body);
    expect(sent.split('"EUR"').length - 1).toBe(destination.batchMax);
  });

  test.each([
    ['no answer', answer(0), 'retry', 'no_answer', undefined],
    ['a server that failed', answer(500, {}), 'retry', 'http_500', undefined],
    ['a page in place of JSON', answer(502, '<html>Bad gateway</html>'), 'retry', 'http_502', undefined],
    ['a pause that is asked for', answer(503, '', { 'Retry-After': '30' }), 'retry', 'http_503', 30_000],
    ['a server that gave up waiting', answer(408), 'retry', 'http_408', undefined],
    ['too many', answer(429, {}, { 'retry-after': '7' }), 'rate_limited', 'http_429', 7_000],
    [
      'too many, until a time',
      answer(429, '', { Date: 'Mon, 30 Nov 2026 09:00:00 GMT', 'Retry-After': 'Mon, 30 Nov 2026 09:02:00 GMT' }),
      'rate_limited',
      'http_429',
      120_000,
    ],
    ['too many, for a year', answer(429, '', { 'retry-after': '31536000' }), 'rate_limited', 'http_429', 86_400_000],
    ['too many, until nonsense', answer(429, '', { 'retry-after': 'soon' }), 'rate_limited', 'http_429', undefined],
    ['a token that is refused', answer(401, ''), 'auth', 'http_401', undefined],
    ['an account that is refused', answer(403, ''), 'config', 'http_403', undefined],
    ['an address that is not there', answer(404, ''), 'config', 'http_404', undefined],
    ['an answer that nobody knows', answer(418, 'short and stout'), 'retry', 'http_418', undefined],
    [
      'an answer with a hostile body',
      answer(418, JSON.parse('{"__proto__":{"code":0}}')),
      'retry',
      'http_418',
      undefined,
    ],
  ])('reads %s', (_, given, verdict, reason, retryAfterMs) => {
    expect(destination.read(given)).toEqual({
      class: verdict,
      reason,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  });

  test.each([undefined, null, 1, 'text', []])('says what is wrong with settings: %j', (wrong) => {
    expect(() => destination.settings(wrong)).toThrow(SettingsProblem);
  });

  test.each(Object.keys(given))('says in a sentence that %s is missing or would lead elsewhere', (field) => {
    for (const wrong of [undefined, '../../v1/other?x=', 'https://a@b/', { a: 1 }])
      expect(() => destination.settings({ ...given, [field]: wrong })).toThrow(new RegExp(`${field}\\b.+\\.$`));
  });
});

/** An identifier of the device comes from no source; these ask for none. */
test.each(['ga4', 'linkedin', 'microsoft', 'outbrain', 'reddit', 'taboola', 'webhook', 'x'])(
  'a sale in an app goes to %s, with what it is found by',
  (kind) => {
    const destination = destinationOf(kind) as Destination;
    const { settings } = destination.examples;
    const given = { ...order, action_source: 'app', custom: { client_id: '1.2' } };
    const { page_url: _, ...conversion } = given;
    const said = explainConversion({ now, settings, conversion }, destination, 0);
    expect(said).toHaveProperty('request');
    expect(JSON.stringify(said)).toContain('A-1001');
  },
);

test.each(['pinterest', 'snap', 'tiktok'])('a sale in an app does not go to %s, which asks for the device', (kind) => {
  const destination = destinationOf(kind) as Destination;
  const conversion = { ...order, action_source: 'app' };
  expect(explainConversion({ now, settings: destination.examples.settings, conversion }, destination, 0)).toEqual({
    rejected: { reason: 'not_supported', field: 'action_source' },
  });
});

/** Taboola's documents say what its 400 is for; Outbrain's say nothing, and what nobody knows is never the end. */
test('a refusal without a word is the end of a postback only where a document says what it means', () => {
  const refused = { status: 400, headers: {}, body: '' };
  expect(explainAnswer(refused, destinationOf('taboola') as Destination, now)).toMatchObject({ class: 'permanent' });
  expect(explainAnswer(refused, destinationOf('outbrain') as Destination, now)).toMatchObject({
    ...{ class: 'retry', reason: 'http_400' },
  });
});
