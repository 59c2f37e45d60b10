import { expect, test } from 'vitest';
import { answer, hashes, itemOf, now, order, orderSeconds, sentBody } from './senders_fixture.ts';
import { tiktok } from './tiktok.ts';

const settings = tiktok.settings({ pixel_id: 'C4A1B2C3D4', test_event_code: 'TEST123' });

test('an order', () => {
  expect(tiktok.build([itemOf(tiktok, order)], settings, now)).toEqual({
    method: 'POST',
    url: 'https://business-api.tiktok.com/open_api/v1.3/event/track/',
    headers: { 'content-type': 'application/json' },
    body: {
      event_source: 'web',
      event_source_id: 'C4A1B2C3D4',
      test_event_code: 'TEST123',
      data: [
        {
          event: 'Purchase',
          event_time: orderSeconds,
          event_id: 'order-1',
          user: {
            email: [hashes.email],
            phone: [hashes.phoneE164],
            external_id: [hashes.externalId],
            ttclid: 'E.C.P.tt',
            ttp: '2F7h',
            ip: '81.2.69.142',
            user_agent: 'Mozilla/5.0',
          },
          page: { url: 'https://shop.example/thanks' },
          properties: {
            value: 129.9,
            currency: 'EUR',
            order_id: 'A-1001',
            content_type: 'product',
            contents: [
              { content_id: 'sku-1', quantity: 2, price: 49.95 },
              { content_id: 'sku-2', price: 30 },
            ],
          },
        },
      ],
    },
  });
});

test('a click and nothing else, with limited use', () => {
  const item = itemOf(tiktok, {
    ...{ event_name: 'Newsletter', occurred_at: '2026-11-30T08:15:00.9Z', click_ids: { ttclid: 'E.C.P.tt' } },
    consent: { limited_data_use: true },
  });
  const request = tiktok.build([item], tiktok.settings({ pixel_id: 'C4A1', test_event_code: '' }), now);
  expect(sentBody(request.body)).toEqual({
    event_source: 'web',
    event_source_id: 'C4A1',
    data: [
      {
        ...{ event: 'Newsletter', event_time: orderSeconds, event_id: 'order-1' },
        limited_data_use: true,
        user: { ttclid: 'E.C.P.tt' },
      },
    ],
  });
});

test.each([
  ['purchase', 'Purchase'],
  ['CompletePayment', 'CompletePayment'],
  ['order completed', 'Purchase'],
  ['generate_lead', 'Lead'],
  ['add_to_cart', 'AddToCart'],
  ['my own event', 'my own event'],
])('%s is sent as %s', (event_name, sent) => {
  const { body } = tiktok.build([itemOf(tiktok, { ...order, event_name })], settings, now);
  expect((body as { data: { event: string }[] }).data[0]?.event).toBe(sent);
});

test('what a till and a call bring does not go in one request with the web', () => {
  const of = (action_source?: string) => tiktok.together?.(itemOf(tiktok, { ...order, action_source }));
  expect([of(), of('website'), of('email')]).toEqual(['web', 'web', 'web']);
  expect([of('physical_store'), of('phone_call')]).toEqual(['offline', 'offline']);
  expect(tiktok.refuse(itemOf(tiktok, { ...order, action_source: 'app' }), settings, now)).toEqual({
    reason: 'not_supported',
    field: 'action_source',
  });
});

test.each([
  ['a cookie', { click_ids: { ttp: '2F7h' } }, undefined],
  ['a hashed address of mail', { user: { email: 'alexz@example.com' } }, undefined],
  ['address and agent', { user: { ip: '81.2.69.142', user_agent: 'Mozilla/5.0' } }, undefined],
  ['a private address', { user: { ip: '192.168.1.4', user_agent: 'Mozilla/5.0' } }, 'click_ids.ttclid'],
  ['mail that is none', { user: { email: 'nobody' } }, 'click_ids.ttclid'],
  ["another platform's click", { click_ids: { gclid: 'x' } }, 'click_ids.ttclid'],
])('%s is enough or not', (_, known, field) => {
  const refusal = tiktok.refuse(itemOf(tiktok, { ...order, user: {}, click_ids: {}, ...known }), settings, now);
  expect(refusal).toEqual(field === undefined ? undefined : { reason: 'no_identifier', field });
});

/** "Success is `code: 0` inside a 200"; the codes of the Business API. */
test.each([
  ['taken', 200, { code: 0, message: 'OK', request_id: '1', data: {} }, 'accepted', '0'],
  ['wrong parameters', 200, { code: 40002, message: 'data.0.user: mail alexz@example.com' }, 'permanent', '40002'],
  ['no permission', 200, { code: 40001, message: 'no' }, 'config', '40001'],
  ['a pixel that is not there', 200, { code: 40007 }, 'config', '40007'],
  ['a revoked token', 200, { code: 40105, message: 'Access token is incorrect or has been revoked' }, 'auth', '40105'],
  ['the same with its status', 401, { code: 40105 }, 'auth', '40105'],
  ['an app and a secret that are no pair', 200, { code: 40101 }, 'config', '40101'],
  ['a part that was taken', 200, { code: 20001 }, 'retry', '20001'],
  ['a server of theirs that failed', 200, { code: 40700 }, 'retry', '40700'],
  ['too many', 200, { code: 40100 }, 'rate_limited', '40100'],
  ['a fault of theirs', 200, { code: 50000, message: 'Internal error' }, 'retry', '50000'],
  ['a server that failed, with a code', 500, { code: 40002 }, 'retry', 'http_500'],
  ['a code that nobody knows', 200, { code: 77777 }, 'retry', '77777'],
  ['a 200 without a code', 200, {}, 'retry', 'http_200'],
  ['a page with a 200', 200, '<!doctype html>', 'retry', 'html'],
  ['a code with words', 200, { code: '40002 for alexz@example.com' }, 'retry', 'http_200'],
])('reads %s', (_, status, body, verdict, reason) => {
  expect(tiktok.read(answer(status, body))).toEqual({ class: verdict, reason });
});
