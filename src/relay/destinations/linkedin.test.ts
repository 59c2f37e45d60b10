import { expect, test } from 'vitest';
import { linkedin } from './linkedin.ts';
import { answer, hashes, itemOf, now, order, orderSeconds } from './senders_fixture.ts';

const settings = linkedin.settings({ conversion_id: '104012' });

test('two conversions in a batch', () => {
  const click = {
    ...{ event_name: 'lead', occurred_at: '2026-11-30T08:15:00.250Z', click_ids: { li_fat_id: 'df5gf5' } },
    ...{ value: 0.0000001, currency: 'EUR' },
  };
  expect(linkedin.build([itemOf(linkedin, order), itemOf(linkedin, click, 'lead-2')], settings, now)).toEqual({
    method: 'POST',
    url: 'https://api.linkedin.com/rest/conversionEvents',
    headers: {
      'content-type': 'application/json',
      'linkedin-version': '202603',
      'x-restli-protocol-version': '2.0.0',
      'x-restli-method': 'BATCH_CREATE',
    },
    body: {
      elements: [
        {
          conversion: 'urn:lla:llaPartnerConversion:104012',
          conversionHappenedAt: orderSeconds * 1_000,
          conversionValue: { currencyCode: 'EUR', amount: '129.90' },
          eventId: 'order-1',
          user: {
            userIds: [
              { idType: 'SHA256_EMAIL', idValue: hashes.email },
              { idType: 'LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID', idValue: 'df5gf5-gh6t7' },
            ],
          },
        },
        {
          conversion: 'urn:lla:llaPartnerConversion:104012',
          conversionHappenedAt: orderSeconds * 1_000 + 250,
          conversionValue: { currencyCode: 'EUR', amount: '0.0000001' },
          eventId: 'lead-2',
          user: { userIds: [{ idType: 'LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID', idValue: 'df5gf5' }] },
        },
      ],
    },
  });
});

test('a phone number is no identifier of it', () => {
  const item = itemOf(linkedin, { ...order, click_ids: {}, user: { phone: '+18005550100', external_id: 'C-77' } });
  expect(linkedin.refuse(item, settings, now)).toEqual({ reason: 'no_identifier', field: 'click_ids.li_fat_id' });
});

test.each([
  ['a batch that was taken', 200, { elements: [{ status: 201 }, { status: 201 }] }, 'accepted', 'http_200', undefined],
  ['one that was taken', 201, '', 'accepted', 'http_201', undefined],
  [
    'a batch with each kind of row',
    200,
    {
      elements: [
        { status: 201 },
        { status: 422, error: { serviceErrorCode: 100, message: 'quotes alexz@example.com' } },
        { status: 400 },
        { status: 409 },
        { status: 429 },
        { status: 500 },
        { status: 403 },
        { status: 299.5 },
        {},
      ],
    },
    'accepted',
    'http_200',
    [
      { index: 1, class: 'permanent', reason: '100' },
      { index: 2, class: 'permanent', reason: 'http_400' },
      { index: 3, class: 'treat_as_delivered', reason: 'http_409' },
      { index: 4, class: 'rate_limited', reason: 'http_429' },
      { index: 5, class: 'retry', reason: 'http_500' },
      { index: 6, class: 'config', reason: 'http_403' },
      { index: 7, class: 'retry', reason: 'http_299.5' },
    ],
  ],
  ['a version that is over', 426, { status: 426, code: 'NONEXISTENT_VERSION' }, 'config', 'http_426', undefined],
  ['a token that was revoked', 401, { serviceErrorCode: 65601, message: 'revoked' }, 'auth', '65601', undefined],
  ['a rule of another account', 403, { serviceErrorCode: 100, status: 403 }, 'config', '100', undefined],
  ['a request that is wrong', 422, { status: 422, message: 'userIds' }, 'permanent', 'http_422', undefined],
  ['a double', 409, {}, 'treat_as_delivered', 'http_409', undefined],
])('reads %s', (_, status, body, verdict, reason, rows) => {
  expect(linkedin.read(answer(status, body))).toEqual({
    class: verdict,
    reason,
    ...(rows === undefined ? {} : { rows }),
  });
});

test('tells a token whose time is over from one that was revoked', () => {
  expect(linkedin.read(answer(401, { serviceErrorCode: 65602 }))).toEqual({
    ...{ class: 'auth', reason: '65602', isExpired: true },
  });
});
