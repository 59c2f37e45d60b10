import { expect, test } from 'vitest';
import { answer, hashes, itemOf, now, order, sentBody } from './senders_fixture.ts';
import { x } from './x.ts';

const settings = x.settings({ pixel_id: 'o8z6j', event_id: 'tw-o8z6j-o87ne' });

test('an order', () => {
  expect(x.build([itemOf(x, order)], settings, now)).toEqual({
    method: 'POST',
    url: 'https://ads-api.x.com/12/measurement/conversions/o8z6j',
    headers: { 'content-type': 'application/json' },
    body: {
      conversions: [
        {
          conversion_time: '2026-11-30T08:15:00.000Z',
          event_id: 'tw-o8z6j-o87ne',
          identifiers: [
            { twclid: '23opevjt88' },
            { hashed_email: hashes.email },
            { hashed_phone_number: hashes.phoneE164 },
            { ip_address: '81.2.69.142', user_agent: 'Mozilla/5.0' },
          ],
          conversion_id: 'order-1',
          number_items: 3,
          price_currency: 'EUR',
          value: 129.9,
        },
      ],
    },
  });
});

test('a click and nothing else', () => {
  const item = itemOf(x, {
    ...{ event_name: 'lead', occurred_at: '2026-11-30T08:15:00Z', click_ids: { twclid: '23ope' } },
  });
  expect(sentBody(x.build([item], settings, now).body)).toEqual({
    conversions: [
      {
        conversion_time: '2026-11-30T08:15:00.000Z',
        event_id: 'tw-o8z6j-o87ne',
        identifiers: [{ twclid: '23ope' }],
        conversion_id: 'order-1',
      },
    ],
  });
});

test('address and agent are no identifier by themselves', () => {
  const item = itemOf(x, { ...order, click_ids: {}, user: { ip: '81.2.69.142', user_agent: 'Mozilla/5.0' } });
  expect(x.refuse(item, settings, now)).toEqual({ reason: 'no_identifier', field: 'click_ids.twclid' });
});

/** "A single request will only be successful when there are zero errors for all conversions contained within it." */
test.each([
  ['taken', 200, { data: { conversions_processed: 1 } }, { class: 'accepted', reason: 'http_200' }],
  [
    'one of three that is wrong',
    400,
    {
      errors: [{ code: 'INVALID', message: 'hashed_email alexz@example.com' }],
      operation_errors: [[], [{ code: 'INVALID', message: 'x' }], []],
    },
    { class: 'retry', reason: 'INVALID', rows: [{ index: 1, class: 'permanent', reason: 'INVALID' }] },
  ],
  [
    'rows with a fault of theirs, with a code that nobody knows and without one, beside one that is wrong',
    400,
    {
      errors: [{ code: 'INVALID_PARAMETER' }],
      operation_errors: [
        [{ code: 'INTERNAL_ERROR', message: 'x' }],
        [{ code: 'NEXT_YEAR' }],
        [{ message: 'x' }],
        [{ code: 'INVALID_PARAMETER' }],
        [{ code: 'INVALID_PARAMETER' }, { code: 'OVER_CAPACITY' }],
        [],
      ],
    },
    {
      class: 'retry',
      reason: 'INVALID_PARAMETER',
      rows: [
        { index: 0, class: 'retry', reason: 'INTERNAL_ERROR' },
        { index: 1, class: 'retry', reason: 'NEXT_YEAR' },
        { index: 2, class: 'retry', reason: 'unknown' },
        { index: 3, class: 'permanent', reason: 'INVALID_PARAMETER' },
        { index: 4, class: 'retry', reason: 'OVER_CAPACITY' },
      ],
    },
  ],
  [
    'wrong, without rows',
    400,
    { errors: [{ code: 'INVALID_PARAMETER' }] },
    { class: 'permanent', reason: 'INVALID_PARAMETER' },
  ],
  ['wrong, without a code', 400, {}, { class: 'permanent', reason: 'http_400' }],
  [
    'a code that nobody knows, without rows',
    400,
    { errors: [{ code: 'NEXT_YEAR' }] },
    { class: 'retry', reason: 'NEXT_YEAR' },
  ],
  [
    'a refused signature',
    401,
    { errors: [{ code: 'UNAUTHORIZED_ACCESS' }] },
    { class: 'auth', reason: 'UNAUTHORIZED_ACCESS' },
  ],
  [
    'no access',
    403,
    { errors: [{ code: 'UNAUTHORIZED_CLIENT_APPLICATION' }] },
    { class: 'config', reason: 'UNAUTHORIZED_CLIENT_APPLICATION' },
  ],
  ['a pixel that is not there', 404, { errors: [{ code: 'NOT_FOUND' }] }, { class: 'config', reason: 'NOT_FOUND' }],
  [
    'too many',
    429,
    { errors: [{ code: 'TOO_MANY_REQUESTS' }] },
    { class: 'rate_limited', reason: 'TOO_MANY_REQUESTS' },
  ],
  ['a server that failed', 503, { errors: [{ code: 'OVER_CAPACITY' }] }, { class: 'retry', reason: 'OVER_CAPACITY' }],
])('reads %s', (_, status, body, verdict) => {
  expect(x.read(answer(status, body))).toEqual(verdict);
});
