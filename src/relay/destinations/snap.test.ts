import { expect, test } from 'vitest';
import { answer, hashes, itemOf, now, order, orderSeconds, sentBody } from './senders_fixture.ts';
import { snap } from './snap.ts';

const settings = snap.settings({ pixel_id: '1ec32188-754e-4be2-8e55-c949a984a39f' });

test('an order', () => {
  expect(snap.build([itemOf(snap, order)], settings, now)).toEqual({
    method: 'POST',
    url: 'https://tr.snapchat.com/v3/1ec32188-754e-4be2-8e55-c949a984a39f/events',
    headers: { 'content-type': 'application/json' },
    body: {
      data: [
        {
          event_name: 'PURCHASE',
          event_time: orderSeconds,
          event_id: 'order-1',
          action_source: 'WEB',
          event_source_url: 'https://shop.example/thanks',
          user_data: {
            em: [hashes.email],
            ph: [hashes.phoneDigits],
            fn: hashes.firstName,
            external_id: [hashes.externalId],
            client_ip_address: '81.2.69.142',
            client_user_agent: 'Mozilla/5.0',
            sc_click_id: 'sc-1',
          },
          custom_data: {
            currency: 'EUR',
            value: '129.90',
            order_id: 'A-1001',
            num_items: '3',
            contents: [
              { id: 'sku-1', quantity: '2', item_price: '49.95' },
              { id: 'sku-2', item_price: '30' },
            ],
          },
        },
      ],
    },
  });
});

test.each([
  ['limited use', { limited_data_use: true }],
  ['no personalised ads', { ad_personalization: 'denied' }],
])('%s is said in its own word', (_, consent) => {
  const item = itemOf(snap, {
    ...{ event_name: 'sign_up', occurred_at: '2026-11-30T08:15:00Z', action_source: 'physical_store', consent },
    user: { email: 'alexz@example.com' },
  });
  expect(sentBody(snap.build([item], settings, now).body)).toEqual({
    data: [
      {
        ...{ event_name: 'SIGN_UP', event_time: orderSeconds, event_id: 'order-1', action_source: 'OFFLINE' },
        data_processing_options: ['LMU'],
        user_data: { em: [hashes.email] },
      },
    ],
  });
});

/** What "Verify set-up" lists as INVALID, and names that are none of its own. */
test.each([
  [{ value: undefined, currency: undefined }, 'missing', 'value'],
  [{ page_url: undefined }, 'missing', 'page_url'],
  [{ event_name: 'lead' }, 'not_supported', 'event_name'],
  [{ event_name: '__proto__' }, 'not_supported', 'event_name'],
  [{ event_name: 'CUSTOM_EVENT_1', value: undefined }, undefined, undefined],
  [{ page_url: undefined, action_source: 'physical_store' }, undefined, undefined],
])('%j', (changes, reason, field) => {
  const refusal = snap.refuse(itemOf(snap, { ...order, ...changes }), settings, now);
  expect(refusal).toEqual(reason === undefined ? undefined : { reason, field });
});

test.each([
  ['taken', 200, { status: 'VALID' }, 'accepted', 'VALID'],
  ['taken, in other words', 200, { status: 'OK' }, 'accepted', 'OK'],
  ['a word that nobody knows', 200, { status: 'PARTIAL' }, 'retry', 'PARTIAL'],
  ['wrong, without a word', 400, {}, 'permanent', 'http_400'],
  ['a word that nobody knows', 400, { status: 'NEXT_YEAR' }, 'retry', 'NEXT_YEAR'],
  ['wrong', 400, { status: 'INVALID', reason: 'Unhashed PII alexz@example.com' }, 'permanent', 'INVALID'],
  ['wrong inside a 200', 200, { status: 'INVALID' }, 'permanent', 'INVALID'],
  ['a refused token', 401, { status: 'INVALID' }, 'auth', 'http_401'],
])('reads %s', (_, status, body, verdict, reason) => {
  expect(snap.read(answer(status, body))).toEqual({ class: verdict, reason });
});
