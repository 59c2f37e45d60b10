import { expect, test } from 'vitest';
import { reddit } from './reddit.ts';
import { answer, hashes, itemOf, now, order, sentBody } from './senders_fixture.ts';

const settings = reddit.settings({ account_id: 't2_abc123', test_mode: true });

test('an order', () => {
  expect(reddit.build([itemOf(reddit, order)], settings, now)).toEqual({
    method: 'POST',
    url: 'https://ads-api.reddit.com/api/v2.0/conversions/events/t2_abc123',
    headers: { 'content-type': 'application/json' },
    body: {
      test_mode: true,
      events: [
        {
          event_at: '2026-11-30T08:15:00.000Z',
          event_type: { tracking_type: 'Purchase' },
          click_id: 'rdt-1',
          event_metadata: {
            conversion_id: 'order-1',
            currency: 'EUR',
            value_decimal: 129.9,
            item_count: 3,
            products: [{ id: 'sku-1' }, { id: 'sku-2' }],
          },
          user: {
            email: hashes.email,
            external_id: hashes.externalId,
            ip_address: hashes.address,
            user_agent: 'Mozilla/5.0',
          },
        },
      ],
    },
  });
});

test('an event of its own name, of whoever wants no personalised ads and limited use', () => {
  const item = itemOf(reddit, {
    ...{ event_name: 'quiz done', occurred_at: '2026-11-30T09:15:00+01:00', click_ids: { rdt_cid: 'rdt-1' } },
    consent: { ad_personalization: 'denied', limited_data_use: true },
  });
  expect(sentBody(reddit.build([item], reddit.settings({ account_id: 't2_a' }), now).body)).toEqual({
    events: [
      {
        event_at: '2026-11-30T08:15:00.000Z',
        event_type: { tracking_type: 'Custom', custom_event_name: 'quiz done' },
        click_id: 'rdt-1',
        event_metadata: { conversion_id: 'order-1' },
        user: { opt_out: true, data_processing_options: { modes: ['LDU'] } },
      },
    ],
  });
});

test('a name of its own is not longer than Reddit takes it, which would refuse all of the request', () => {
  const refused = (event_name: string) => reddit.refuse(itemOf(reddit, { ...order, event_name }), settings, now);
  expect(refused('q'.repeat(64))).toBeUndefined();
  expect(refused('q'.repeat(65))).toEqual({ reason: 'invalid', field: 'event_name' });
});

test.each([
  ['taken', 200, { message: 'Successfully processed 1 conversion events.' }, 'accepted', 'http_200'],
  ['wrong', 400, { message: 'event_at alexz@example.com' }, 'permanent', 'http_400'],
  ['a refused token', 401, { message: 'Unauthorized' }, 'auth', 'http_401'],
  ['an account of others', 403, { message: 'Forbidden' }, 'config', 'http_403'],
])('reads %s', (_, status, body, verdict, reason) => {
  expect(reddit.read(answer(status, body))).toEqual({ class: verdict, reason });
});
