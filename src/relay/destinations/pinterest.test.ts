import { expect, test } from 'vitest';
import { pinterest } from './pinterest.ts';
import { answer, hashes, itemOf, now, order, orderSeconds, sentBody } from './senders_fixture.ts';

const settings = pinterest.settings({ ad_account_id: '549755885175' });

test('an order', () => {
  expect(pinterest.build([itemOf(pinterest, order)], settings, now)).toEqual({
    method: 'POST',
    url: 'https://api.pinterest.com/v5/ad_accounts/549755885175/events',
    headers: { 'content-type': 'application/json' },
    body: {
      data: [
        {
          event_name: 'checkout',
          action_source: 'web',
          event_time: orderSeconds,
          event_id: 'order-1',
          event_source_url: 'https://shop.example/thanks',
          user_data: {
            em: [hashes.email],
            ph: [hashes.phoneDigits],
            fn: [hashes.firstName],
            external_id: [hashes.externalId],
            client_ip_address: '81.2.69.142',
            client_user_agent: 'Mozilla/5.0',
            click_id: 'dj0yJ',
          },
          custom_data: {
            currency: 'EUR',
            value: '129.90',
            content_ids: ['sku-1', 'sku-2'],
            contents: [
              { id: 'sku-1', item_price: '49.95', quantity: 2 },
              { id: 'sku-2', item_price: '30' },
            ],
            num_items: 3,
            order_id: 'A-1001',
          },
        },
      ],
    },
  });
});

test('a call of whoever wants no personalised ads and limited use', () => {
  const item = itemOf(pinterest, {
    ...{ event_name: 'callback', occurred_at: '2026-11-30T08:15:00Z', action_source: 'phone_call' },
    user: { email: 'alexz@example.com' },
    consent: { ad_personalization: 'denied', limited_data_use: true },
  });
  expect(sentBody(pinterest.build([item], settings, now).body)).toEqual({
    data: [
      {
        ...{ event_name: 'custom', action_source: 'offline', event_time: orderSeconds, event_id: 'order-1' },
        opt_out: true,
        user_data: { em: [hashes.email] },
        custom_data: { opt_out_type: 'LDP' },
      },
    ],
  });
});

test('postal codes are digits alone, a gender may be neither, and nobody is born after the order', () => {
  const user = { email: 'alexz@example.com', zip: '94107-1234', gender: 'Non-binary', date_of_birth: '2027-01-02' };
  expect(sentBody(pinterest.build([itemOf(pinterest, { ...order, user })], settings, now).body)).toMatchObject({
    data: [
      {
        user_data: {
          em: [hashes.email],
          // 941071234
          zp: ['c711389868997b7f3f747e95fbce358e2ac994a8b4e838142a4e968c2cfc8b22'],
          // n
          ge: ['1b16b1df538ba12dc3f97edbb85caa7050d46c148134290feba80f8236c83db9'],
        },
      },
    ],
  });
  const { hashed } = itemOf(pinterest, { ...order, user }).identifiers;
  expect(Object.keys(hashed)).toEqual(['em', 'zp', 'ge']);
});

/** "It is required at least one of 1) em, 2) hashed_maids or 3) pair client_ip_address + client_user_agent." */
test.each([
  ['mail', { user: { email: 'alexz@example.com' } }, true],
  ['address and agent', { user: { ip: '81.2.69.142', user_agent: 'Mozilla/5.0' } }, true],
  ['a click id alone', { click_ids: { epik: 'dj0yJ' } }, false],
  ['a phone alone', { user: { phone: '+18005550100' } }, false],
  ['an address alone', { user: { ip: '81.2.69.142' } }, false],
])('%s is enough or not', (_, known, enough) => {
  const refusal = pinterest.refuse(itemOf(pinterest, { ...order, user: {}, click_ids: {}, ...known }), settings, now);
  expect(refusal).toEqual(enough ? undefined : { reason: 'no_identifier', field: 'user.email' });
});

/** The answers of its OpenAPI document. */
test.each([
  [
    'all taken',
    200,
    { num_events_received: 1, num_events_processed: 1, events: [{ status: 'processed', warning_message: 'w' }] },
    { class: 'accepted', reason: 'http_200' },
  ],
  [
    'some taken',
    422,
    {
      code: 4200,
      message: 'Not all events were successfully processed.',
      details: {
        events: [
          { status: 'processed' },
          { status: 'failed', error_message: "'event_name' is wrong for alexz@example.com" },
          { status: 'failed', error_message: 'Internal error, please try again' },
        ],
      },
    },
    {
      class: 'accepted',
      reason: '4200',
      rows: [
        { index: 1, class: 'permanent', reason: 'failed' },
        { index: 2, class: 'retry', reason: 'failed' },
      ],
    },
  ],
  [
    'one that failed inside a 200',
    200,
    { num_events_received: 1, num_events_processed: 0, events: [{ status: 'failed', error_message: 'no em' }] },
    { class: 'accepted', reason: 'http_200', rows: [{ index: 0, class: 'permanent', reason: 'failed' }] },
  ],
  ['a 200 that says nothing of events', 200, {}, { class: 'retry', reason: 'num_events_processed' }],
  [
    'a 422 without rows, with a code that nobody knows',
    422,
    { code: 4200, details: {} },
    { class: 'retry', reason: '4200' },
  ],
  ['a request that is wrong, without a code', 400, { message: 'x' }, { class: 'permanent', reason: 'http_400' }],
  ['a request that is wrong', 400, { code: 4196, message: 'x' }, { class: 'permanent', reason: '4196' }],
  ['a refused token', 401, { code: 2, message: 'Authentication failed.' }, { class: 'auth', reason: '2' }],
  ['an account of others', 403, { code: 29, message: 'x' }, { class: 'config', reason: '29' }],
  ['too many', 429, { code: 8, message: 'x' }, { class: 'rate_limited', reason: '8' }],
  ['an endpoint ramped down', 503, { code: 4197, message: 'x' }, { class: 'retry', reason: '4197' }],
  ['a server that failed, with a code', 500, { code: 4196 }, { class: 'retry', reason: 'http_500' }],
  ['a code of a prototype', 400, { code: 'constructor' }, { class: 'retry', reason: 'constructor' }],
])('reads %s', (_, status, body, verdict) => {
  expect(pinterest.read(answer(status, body))).toEqual(verdict);
});
