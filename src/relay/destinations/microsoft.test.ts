import { expect, test } from 'vitest';
import { microsoft } from './microsoft.ts';
import { answer, hashes, itemOf, now, order, orderSeconds, sentBody } from './senders_fixture.ts';

const settings = microsoft.settings({ tag_id: 187012345 });

test('an order', () => {
  expect(microsoft.build([itemOf(microsoft, order)], settings, now)).toEqual({
    method: 'POST',
    url: 'https://capi.uet.microsoft.com/v1/187012345/events',
    headers: { 'content-type': 'application/json' },
    body: {
      data: [
        {
          eventType: 'custom',
          eventId: 'order-1',
          eventName: 'purchase',
          eventTime: orderSeconds,
          eventSourceUrl: 'https://shop.example/thanks',
          adStorageConsent: 'G',
          userData: {
            em: hashes.email,
            ph: hashes.phoneDigits,
            externalId: hashes.externalId,
            msclkid: 'dd4afccc-b1c9-a4ca-d954-4dd7e5006aaa',
            clientIpAddress: '81.2.69.142',
            clientUserAgent: 'Mozilla/5.0',
          },
          customData: {
            value: 129.9,
            currency: 'EUR',
            transactionId: 'A-1001',
            itemIds: ['sku-1', 'sku-2'],
            items: [
              { id: 'sku-1', quantity: 2, price: 49.95 },
              { id: 'sku-2', price: 30 },
            ],
          },
        },
      ],
    },
  });
});

test('where nobody said whether they agree, nothing says that they do', () => {
  const item = itemOf(microsoft, {
    ...{ event_name: 'lead', occurred_at: '2026-11-30T08:15:00Z', click_ids: { msclkid: 'abc' } },
  });
  expect(sentBody(microsoft.build([item], settings, now).body)).toEqual({
    data: [
      {
        ...{ eventType: 'custom', eventId: 'order-1', eventName: 'lead', eventTime: orderSeconds },
        userData: { msclkid: 'abc' },
      },
    ],
  });
});

/** "Per-row errors in `error.details[]`". */
test('an e-mail with letters of any script', () => {
  const item = itemOf(microsoft, { ...order, click_ids: {}, user: { email: ' Müller@Example.de' } });
  expect(microsoft.refuse(item, settings, now)).toBeUndefined();
  expect(sentBody(microsoft.build([item], settings, now).body)).toMatchObject({
    // müller@example.de
    data: [{ userData: { em: 'eb2f85748266705ba113bc5c4ee633d9c2a7cc769d5f6d9f9767b854584b3c88' } }],
  });
});

test.each([
  ['taken', 200, { eventsReceived: 2 }, { class: 'accepted', reason: 'http_200' }],
  [
    'taken with a warning',
    200,
    { eventsReceived: 1, error: { code: 'Warning', details: [{ index: 0, errorCode: 'X', isWarning: true }] } },
    { class: 'accepted', reason: 'Warning' },
  ],
  [
    'one row of two that is wrong',
    400,
    {
      error: {
        code: 'ValidationError',
        message: 'quotes alexz@example.com',
        details: [
          { index: 1, propertyName: 'userData.em', errorMessage: 'no hash', errorCode: 'InvalidHash' },
          { index: 0, propertyName: 'pageTitle', errorCode: 'TooLong', isWarning: true },
          { index: 'x', errorCode: 'Y' },
          null,
        ],
      },
    },
    {
      class: 'retry',
      reason: 'ValidationError',
      rows: [{ index: 1, class: 'permanent', reason: 'InvalidHash' }],
    },
  ],
  [
    'rows with faults of theirs, with a code that nobody knows and without one, beside one that is wrong',
    400,
    {
      error: {
        code: 'InvalidRequest',
        details: [
          ...['InternalError', 'RequestTimeout', 'ServiceUnavailable', 'Throttled', 'NextYear', undefined].map(
            (errorCode, index) => ({ index, errorCode }),
          ),
          { index: 6, propertyName: 'eventTime', errorCode: 'InvalidValue' },
          { index: 7, propertyName: 'eventName', errorCode: 'MissingValue' },
        ],
      },
    },
    {
      class: 'retry',
      reason: 'InvalidRequest',
      rows: [
        ...['InternalError', 'RequestTimeout', 'ServiceUnavailable', 'Throttled', 'NextYear', 'unknown'].map(
          (reason, index) => ({ index, class: 'retry', reason }),
        ),
        { index: 6, class: 'permanent', reason: 'InvalidValue' },
        { index: 7, class: 'permanent', reason: 'MissingValue' },
      ],
    },
  ],
  ['wrong, and it does not say what', 400, { error: {} }, { class: 'permanent', reason: 'http_400' }],
  ['a bad request', 400, { error: { code: 'BadRequest' } }, { class: 'permanent', reason: 'BadRequest' }],
  ['a code that nobody knows', 400, { error: { code: 'NextYear' } }, { class: 'retry', reason: 'NextYear' }],
  ['a refused token', 401, { error: { code: 'Unauthorized' } }, { class: 'auth', reason: 'http_401' }],
  ['an account outside the pilot', 403, {}, { class: 'config', reason: 'http_403' }],
])('reads %s', (_, status, body, verdict) => {
  expect(microsoft.read(answer(status, body))).toEqual(verdict);
});
