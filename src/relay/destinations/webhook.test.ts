import { expect, test } from 'vitest';
import { webhookSignature } from '../../platform/outbound/index.ts';
import { answer, hashes, itemOf, now, order, sentBody } from './senders_fixture.ts';
import { webhook } from './webhook.ts';

const settings = webhook.settings({ url: 'https://crm.example/hook?team=1' });

test('an order', () => {
  const given = { ...order, query: 'utm_source=x', custom: { plan: 'pro' }, utm: { source: 'x' } };
  const request = webhook.build([itemOf(webhook, given)], settings, now);
  expect({ ...request, body: sentBody(request.body) }).toEqual({
    method: 'POST',
    url: 'https://crm.example/hook?team=1',
    headers: {
      'content-type': 'application/json',
      // The first half of the SHA-256 of `order-1`.
      'webhook-id': 'msg_0bafe22156d2698c143b86040446d366',
      'webhook-timestamp': '1796029200',
    },
    body: {
      type: 'conversion.created',
      timestamp: '2026-11-30T09:15:00+01:00',
      data: {
        id: 'order-1',
        event_name: 'purchase',
        occurred_at: '2026-11-30T09:15:00+01:00',
        value: '129.90',
        currency: 'EUR',
        order_id: 'A-1001',
        page_url: 'https://shop.example/thanks',
        action_source: 'website',
        consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
        click_ids: { ...order.click_ids },
        items: [
          { id: 'sku-1', quantity: 2, price: '49.95' },
          { id: 'sku-2', price: 30 },
        ],
        utm: { source: 'x' },
        custom: { plan: 'pro' },
        user: {
          email_sha256: [hashes.email],
          phone_sha256: [hashes.phoneE164],
          external_id_sha256: [hashes.externalId],
        },
      },
    },
  });
});

test('the time of the attempt changes, the id of the message does not', () => {
  const item = itemOf(webhook, order, 'Bestellung № 1.2');
  const [first, later] = [now, now + 90_000].map((at) => webhook.build([item], settings, at));
  expect(first?.headers['webhook-id']).toMatch(/^msg_[0-9a-f]{32}$/);
  expect(later?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(later?.headers['webhook-timestamp']).toBe('1796029290');
  expect(later?.body).toEqual(first?.body);
});

test('it gets what denied the use for ads, since it is no ad platform, and takes refunds', () => {
  const denied = itemOf(webhook, { ...order, consent: { ad_user_data: 'denied', limited_data_use: true } });
  expect(webhook.refuse(denied, settings, now)).toBeUndefined();
  const refund = itemOf(webhook, { ...order, refund: true, original: { order_id: 'A-1001' } });
  expect(webhook.build([refund], settings, now).body).toMatchObject({ type: 'conversion.refunded' });
  const old = itemOf(webhook, { ...order, occurred_at: '2025-11-28T09:15:00Z' });
  expect(webhook.refuse(old, settings, now)).toEqual({ reason: 'too_old', field: 'occurred_at' });
});

/** The vector that the libraries of Standard Webhooks are tested with. */
test('the signature is over the id, the time and the body, with full stops between', () => {
  const body = '{"test": 2432232314}';
  const headers = { 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330' };
  const signed = (...secrets: string[]) => webhookSignature.sign({ headers }, body, secrets);
  const of = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  expect(webhookSignature.header).toBe('webhook-signature');
  expect(signed('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toBe(of);
  // While a secret is being replaced there are two, with a space between.
  const [first, second, ...more] = signed('C2FVsBQIhrscChlQIMV+b5sSYspob7oD', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw').split(
    ' ',
  );
  expect([second, more]).toEqual([of, []]);
  expect(first).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
});

test.each([
  'http://crm.example/',
  'https://user:pw@crm.example/',
  'ftp://x/',
  'crm.example',
  `https://a/${'b'.repeat(2_048)}`,
])('does not take %s', (url) => {
  expect(() => webhook.settings({ url })).toThrow(/^Webhook: url .+\.$/);
});

/** "A webhook delivery is considered successful if it was responded to with a 2xx status code". */
test.each([
  ['anything with 2xx', 202, '<p>thanks</p>', 'accepted', 'http_202'],
  ['another place', 302, '', 'config', 'http_302'],
  ['gone', 410, '', 'config', 'http_410'],
  ['a body that it does not take', 422, { error: 'alexz@example.com' }, 'permanent', 'http_422'],
  ['one that it has', 409, '', 'treat_as_delivered', 'http_409'],
])('reads %s', (_, status, body, verdict, reason) => {
  expect(webhook.read(answer(status, body))).toEqual({ class: verdict, reason });
});
