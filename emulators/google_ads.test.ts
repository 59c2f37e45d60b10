import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openGoogleAdsEmulator } from './google_ads.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A vector of the reference: alexz@example.com. */
const email = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';
const adwords = 'https://www.googleapis.com/auth/adwords';
const action = { name: 'Sale', type: 'UPLOAD_CLICKS' } as const;

let ads: Emulated;
beforeAll(async () => {
  ads = await openGoogleAdsEmulator({
    ...{ now: () => now, chance: () => 0.99, accessible: ['9', '5'] },
    tokens: { good: [adwords], other: ['https://www.googleapis.com/auth/datamanager'], revoked: [] },
    accounts: [
      { id: '9', name: 'Agency', currency: 'EUR', timeZone: 'Europe/Berlin', isManager: true },
      {
        ...{ id: '1', name: 'Shop', currency: 'EUR', timeZone: 'Europe/Berlin', parent: '9' },
        actions: [
          { ...action, id: '7' },
          { ...action, id: '8', counting: 'ONE_PER_CLICK' },
          { ...action, id: '10', status: 'HIDDEN' },
          { ...action, id: '11', type: 'UPLOAD_CALLS' },
          { ...action, id: '12', type: 'WEBPAGE' },
          { ...action, id: '13', createdAt: now - 5 * hourMs },
        ],
      },
      { id: '2', name: 'Closed', currency: 'USD', timeZone: 'America/New_York', parent: '9', status: 'CANCELED' },
      {
        ...{ id: '5', name: 'Own', currency: 'GBP', timeZone: 'Europe/London', acceptedCustomerDataTerms: false },
        actions: [{ ...action, id: '7' }],
      },
      {
        ...{ id: '6', name: 'No leads', currency: 'GBP', timeZone: 'Europe/London', parent: '9' },
        ...{ enhancedConversionsForLeads: false, actions: [{ ...action, id: '7' }] },
      },
    ],
  });
});
afterAll(() => ads.close());
beforeEach(() => {
  ads.admin('POST', '/reset', {});
  platform({ isAllowlisted: true });
});
function platform(change: object) {
  ads.admin('POST', '/platform', change);
}
function state(): Record<string, unknown> {
  return (ads.admin('GET', '') as { platform: Record<string, unknown> }).platform;
}

type Said = Record<string, unknown> & {
  error: { status: string; message: string; details: { errors?: object[]; reason?: string }[] };
  partialFailureError?: { details: { errors: object[] }[] };
  results: object[];
};
interface How {
  token?: string | undefined;
  login?: string | undefined;
  method?: string;
}
async function ask(path: string, body: unknown, { token = 'good', login = '9', method = 'POST' }: How = {}) {
  const answer = await fetch(ads.url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(login !== '' && { 'login-customer-id': login }),
    },
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text, said: (/^[{[]/.test(text) ? JSON.parse(text) : {}) as Said };
}
const click = {
  ...{ conversionAction: 'customers/1/conversionActions/7', gclid: 'Cj0KCQ', orderId: 'A-1' },
  ...{ conversionDateTime: '2026-11-30 09:15:00+01:00', conversionValue: 129.9, currencyCode: 'EUR' },
};
const person = { gclid: undefined, userIdentifiers: [{ hashedEmail: email, userIdentifierSource: 'FIRST_PARTY' }] };
function upload(rows: object[], more: object = {}, how: How & { account?: string } = {}) {
  const path = `/v25/customers/${how.account ?? '1'}:uploadClickConversions`;
  return ask(path, { conversions: rows, partialFailure: true, ...more }, how);
}
const adjustment = {
  ...{ conversionAction: 'customers/1/conversionActions/7', adjustmentType: 'RESTATEMENT', orderId: 'A-1' },
  ...{ adjustmentDateTime: '2026-12-02 12:00:00+00:00', restatementValue: { adjustedValue: 20, currencyCode: 'EUR' } },
};
function adjust(...rows: object[]) {
  const body = { conversionAdjustments: rows, partialFailure: true };
  return ask('/v25/customers/1:uploadConversionAdjustments', body);
}
/** What is said of rows, as `1: conversionUploadError.CODE`. */
function faults({ said }: { said: Said }): string[] {
  const errors = (said.partialFailureError?.details ?? said.error?.details ?? []).flatMap((each) => each.errors ?? []);
  return errors.map((error) => {
    const { errorCode, location } = error as {
      errorCode: Record<string, string>;
      location?: { fieldPathElements: { index?: number }[] };
    };
    const index = location?.fieldPathElements[0]?.index;
    return `${index === undefined ? '' : `${index}: `}${Object.entries(errorCode)[0]?.join('.')}`;
  });
}

describe('who may ask', () => {
  it('is told which accounts are open', async () => {
    const { said } = await ask('/v25/customers:listAccessibleCustomers', undefined, { method: 'GET', login: '' });
    expect(said).toEqual({ resourceNames: ['customers/9', 'customers/5'] });
  });
  it.each<[string, string, How, number, string]>([
    ['without the manager', '1', { login: '' }, 403, 'authorizationError.USER_PERMISSION_DENIED'],
    ['by a manager that is none of ours', '1', { login: '8' }, 403, 'authorizationError.USER_PERMISSION_DENIED'],
    ['by an account that is no manager of it', '1', { login: '5' }, 403, 'authorizationError.USER_PERMISSION_DENIED'],
    ['by a manager with dashes', '1', { login: '1-2' }, 400, 'headerError.INVALID_LOGIN_CUSTOMER_ID'],
    ['an account that was closed', '2', {}, 403, 'authorizationError.CUSTOMER_NOT_ENABLED'],
    ['an account with dashes', '1-1', {}, 400, 'requestError.INVALID_CUSTOMER_ID'],
    ['without a token', '1', { token: '' }, 401, 'authenticationError.AUTHENTICATION_ERROR'],
    ['with a token that was revoked', '1', { token: 'revoked' }, 401, 'authenticationError.OAUTH_TOKEN_INVALID'],
  ])('is not let in: %s', async (_what, account, how, status, code) => {
    const answer = await upload([click], {}, { account, ...how });
    expect([answer.status, faults(answer)]).toEqual([status, [code]]);
  });
  it('is not let in with a token for something else', async () => {
    const { status, said } = await upload([click], {}, { token: 'other' });
    expect([status, said.error.details[0]?.reason]).toEqual([403, 'ACCESS_TOKEN_SCOPE_INSUFFICIENT']);
  });
  it('needs a version that is there', async () => {
    const answer = await ask('/v19/customers/1:uploadClickConversions', {});
    expect([answer.status, faults(answer)]).toEqual([400, ['requestError.UNSUPPORTED_VERSION']]);
    for (const path of ['/v12/customers/1:uploadClickConversions', '/v25/customers/1:upload', '/customers']) {
      const { status, text } = await ask(path, {});
      expect([status, text]).toEqual([404, expect.stringMatching(/^<!DOCTYPE html>/)]);
    }
  });
  it('may upload only from a list on which nobody is', async () => {
    ads.admin('POST', '/reset', {});
    const answer = await upload([click]);
    expect([answer.status, faults(answer)]).toEqual([
      403,
      ['notAllowlistedError.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE'],
    ]);
  });
  it('has so many requests a day, by the level of its project', async () => {
    platform({ level: 'explorer' });
    await upload([click]);
    platform({ spentToday: 2_880 });
    const answer = await upload([click]);
    expect([answer.status, faults(answer)]).toEqual([429, ['quotaError.RESOURCE_EXHAUSTED']]);
    ads.admin('POST', '/clock', { advance: dayMs });
    expect((await upload([{ ...click, orderId: 'A-2' }])).status).toBe(200);
  });
});

describe('questions', () => {
  const stream = (query: string, { account = '9', ...how }: How & { account?: string } = {}) =>
    ask(`/v25/customers/${account}/googleAds:searchStream`, { query }, how);
  const rows = ({ said }: { said: Said }) =>
    (said as unknown as { results: object[] }[]).flatMap((each) => each.results);

  it('list the accounts of a manager, numbers as text', async () => {
    const answer = await stream(
      "SELECT customer_client.client_customer, customer_client.level, customer_client.manager, customer_client.descriptive_name, customer_client.currency_code, customer_client.time_zone, customer_client.status FROM customer_client WHERE customer_client.level <= 1 AND customer_client.status = 'ENABLED' ORDER BY customer_client.level DESC LIMIT 9",
    );
    expect(rows(answer)).toEqual(
      [
        ['6', '1', false, 'No leads', 'GBP', 'Europe/London'],
        ['1', '1', false, 'Shop', 'EUR', 'Europe/Berlin'],
        ['9', '0', true, 'Agency', 'EUR', 'Europe/Berlin'],
      ].map(([id, level, manager, descriptiveName, currencyCode, timeZone]) => ({
        customerClient: {
          resourceName: `customers/9/customerClients/${id}`,
          ...{ clientCustomer: `customers/${id}`, level, manager, descriptiveName, currencyCode, timeZone },
          status: 'ENABLED',
        },
      })),
    );
    expect(answer.said).toMatchObject([{ fieldMask: expect.stringMatching(/^customerClient.clientCustomer,/) }]);
  });
  it('tell whose conversions count, and on what terms', async () => {
    const fields = ['google_ads_conversion_customer', 'accepted_customer_data_terms'];
    const query = `SELECT ${fields.map((field) => `customer.conversion_tracking_setting.${field}`)} FROM customer`;
    expect(rows(await stream(query, { account: '5', login: '' }))).toEqual([
      {
        customer: {
          resourceName: 'customers/5',
          conversionTrackingSetting: { googleAdsConversionCustomer: 'customers/5', acceptedCustomerDataTerms: false },
        },
      },
    ]);
  });
  it('list conversion actions, by page as well', async () => {
    const query =
      "SELECT conversion_action.id, conversion_action.counting_type FROM conversion_action WHERE conversion_action.type IN ('UPLOAD_CLICKS') AND conversion_action.status != 'HIDDEN'";
    const ids = ['7', '8', '13'];
    const found = rows(await stream(query, { account: '1' }));
    expect(found.map((row) => Object(row).conversionAction.id)).toEqual(ids);
    const page = await ask('/v25/customers/1/googleAds:search', { query });
    expect(page.said).toMatchObject({ totalResultsCount: '3', results: [{ conversionAction: { id: '7' } }, {}, {}] });
    const sized = await ask('/v25/customers/1/googleAds:search', { query, pageSize: 10 });
    expect(faults(sized)).toEqual(['requestError.PAGE_SIZE_NOT_SUPPORTED']);
  });
  it.each([
    ['SELECT customer.budget FROM customer', 'UNRECOGNIZED_FIELD'],
    ['SELECT campaign.id FROM campaigns', 'BAD_RESOURCE_TYPE_IN_FROM_CLAUSE'],
    ['DELETE FROM customer', 'UNEXPECTED_INPUT'],
    ['', 'QUERY_NOT_FOUND'],
  ])('that are wrong are refused, in an array as their rows are: %s', async (query, code) => {
    const { status, said } = await stream(query);
    const [only] = said as unknown as Said[];
    expect([status, faults({ said: only as Said })]).toEqual([400, [`queryError.${code}`]]);
  });
});

describe('uploads', () => {
  it('are taken, and each order counts once', async () => {
    const first = await upload([click, { ...click, ...person, orderId: 'A-2' }], { jobId: 12 });
    expect(first.said).toEqual({
      results: [
        {
          ...{ gclid: 'Cj0KCQ', conversionAction: click.conversionAction },
          conversionDateTime: click.conversionDateTime,
        },
        { conversionAction: click.conversionAction, conversionDateTime: click.conversionDateTime },
      ],
      jobId: '12',
    });
    const second = await upload([{ ...click, orderId: 'A-3' }, click]);
    expect(second.status).toBe(200);
    expect(second.said.results[1]).toEqual({});
    expect(faults(second)).toEqual(['1: conversionUploadError.ORDER_ID_ALREADY_IN_USE']);
    expect(ads.admin('GET', '/counted')).toEqual({
      counted: [
        { to: '1/7', event: null, id: 'A-1', received: 2 },
        { to: '1/7', event: null, id: 'A-2', received: 1 },
        { to: '1/7', event: null, id: 'A-3', received: 1 },
      ],
    });
  });
  it('without an order are one by click, time and action', async () => {
    const bare = { ...click, orderId: undefined };
    await upload([bare]);
    expect(faults(await upload([bare]))).toEqual(['0: conversionUploadError.CLICK_CONVERSION_ALREADY_EXISTS']);
    expect(faults(await upload([{ ...bare, conversionDateTime: '2026-11-30 09:16:00+01:00' }]))).toEqual([]);
  });
  it('have no effect where they are validated alone', async () => {
    expect((await upload([click], { validateOnly: true })).said).toEqual({ jobId: '1' });
    expect(state().conversions).toEqual([]);
  });
  it.each<[string, object, string]>([
    ['both braids', { gclid: undefined, gbraid: 'a', wbraid: 'b' }, 'conversionUploadError.GBRAID_WBRAID_BOTH_SET'],
    ['a click and a braid', { gbraid: 'a' }, 'fieldError.VALUE_MUST_BE_UNSET'],
    ['a click and a person', { ...person, gclid: 'Cj0KCQ' }, 'fieldError.VALUE_MUST_BE_UNSET'],
    ['neither', { gclid: undefined }, 'fieldError.REQUIRED'],
    ['a click that is none', { gclid: 'a b' }, 'conversionUploadError.UNPARSEABLE_GCLID'],
    [
      'a raw email',
      { ...person, userIdentifiers: [{ hashedEmail: 'a@b.de' }] },
      'conversionUploadError.INVALID_USER_IDENTIFIER',
    ],
    [
      'a raw phone',
      { ...person, userIdentifiers: [{ hashedPhoneNumber: '+18005550100' }] },
      'conversionUploadError.INVALID_USER_IDENTIFIER',
    ],
    [
      'an address',
      { ...person, userIdentifiers: [{ addressInfo: {} }] },
      'conversionUploadError.UNSUPPORTED_USER_IDENTIFIER',
    ],
    [
      'six persons',
      { ...person, userIdentifiers: Array(6).fill({ hashedEmail: email }) },
      'collectionSizeError.TOO_MANY',
    ],
    [
      'a time with a Z',
      { conversionDateTime: '2026-11-30 08:15:00Z' },
      'dateError.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET',
    ],
    [
      'a time without offset',
      { conversionDateTime: '2026-11-30 08:15:00' },
      'dateError.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET',
    ],
    [
      'milliseconds',
      { conversionDateTime: '2026-11-30 08:15:00.123+00:00' },
      'dateError.INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET',
    ],
    ['tomorrow', { conversionDateTime: '2026-12-01 08:15:00+00:00' }, 'dateError.LATER_THAN_MAXIMUM_DATE'],
    ['ninety-one days', { conversionDateTime: '2026-08-31 08:15:00+00:00' }, 'conversionUploadError.EXPIRED_EVENT'],
    ['a currency by its name', { currencyCode: 'EURO' }, 'currencyCodeError.UNSUPPORTED'],
    [
      'consent in words of Data Manager',
      { consent: { adUserData: 'CONSENT_GRANTED' } },
      'enumError.ENUM_VALUE_NOT_PERMITTED',
    ],
    [
      'an action of nobody',
      { conversionAction: 'customers/1/conversionActions/99' },
      'conversionUploadError.NO_CONVERSION_ACTION_FOUND',
    ],
    [
      'an action of another account',
      { conversionAction: 'customers/5/conversionActions/7' },
      'conversionUploadError.NO_CONVERSION_ACTION_FOUND',
    ],
    [
      'an action that is hidden',
      { conversionAction: 'customers/1/conversionActions/10' },
      'conversionUploadError.INVALID_CONVERSION_ACTION',
    ],
    [
      'an action of calls',
      { conversionAction: 'customers/1/conversionActions/11' },
      'conversionUploadError.INVALID_CONVERSION_ACTION_TYPE',
    ],
    [
      'an action of five hours',
      { conversionAction: 'customers/1/conversionActions/13' },
      'conversionUploadError.TOO_RECENT_CONVERSION_ACTION',
    ],
    [
      'a braid once per click',
      { gclid: undefined, gbraid: 'a', conversionAction: 'customers/1/conversionActions/8' },
      'conversionUploadError.ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID',
    ],
    [
      'a cart with a braid',
      { gclid: undefined, wbraid: 'a', cartData: { items: [] } },
      'fieldError.VALUE_MUST_BE_UNSET',
    ],
    [
      'an address of the net',
      { userIpAddress: '81.2.69.142' },
      'notAllowlistedError.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE',
    ],
    ['an order that is a mail address', { orderId: 'a@b.de' }, 'conversionUploadError.ORDER_ID_CONTAINS_PII'],
    [
      'a variable that is one',
      { customVariables: [{ conversionCustomVariable: 'customers/1/conversionCustomVariables/3', value: 'a@b.de' }] },
      'conversionUploadError.CUSTOM_VARIABLE_VALUE_CONTAINS_PII',
    ],
  ])('lose a row with %s, and that row alone', async (_what, change, code) => {
    const answer = await upload([
      { ...click, orderId: 'A-9' },
      { ...click, ...change },
    ]);
    expect([answer.status, faults(answer)]).toEqual([200, [`1: ${code}`]]);
    expect(answer.said.results).toEqual([expect.objectContaining({ gclid: 'Cj0KCQ' }), {}]);
    expect(state().conversions).toMatchObject([{ orderId: 'A-9' }]);
  });
  it('of persons need the terms of the account, and its setting', async () => {
    const row = { ...click, ...person, conversionAction: 'customers/5/conversionActions/7' };
    expect(faults(await upload([row], {}, { account: '5', login: '' }))).toEqual([
      '0: conversionUploadError.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS',
    ]);
    expect(
      faults(await upload([{ ...row, conversionAction: 'customers/6/conversionActions/7' }], {}, { account: '6' })),
    ).toEqual(['0: conversionUploadError.CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS']);
  });
  it('wait until a click is six hours old, by the emulator’s clock', async () => {
    platform({ clicks: { Cj0KCQ: '2026-11-30T08:00:00Z' } });
    expect(faults(await upload([{ ...click, conversionDateTime: '2026-11-30 07:59:59+00:00' }]))).toEqual([
      '0: conversionUploadError.CONVERSION_PRECEDES_EVENT',
    ]);
    expect(faults(await upload([click]))).toEqual(['0: conversionUploadError.TOO_RECENT_EVENT']);
    ads.admin('POST', '/clock', { set: '2026-11-30T14:00:00Z' });
    expect(faults(await upload([click]))).toEqual([]);
  });
  it('take neither of two rows that are the same', async () => {
    const answer = await upload([click, { ...click, orderId: 'A-2' }, click]);
    expect(faults(answer)).toEqual([
      '0: conversionUploadError.DUPLICATE_ORDER_ID',
      '2: conversionUploadError.DUPLICATE_ORDER_ID',
    ]);
  });
  it.each<[string, object[], object, string[]]>([
    ['partial failure off', [click], { partialFailure: false }, ['partialFailureError.PARTIAL_FAILURE_MODE_REQUIRED']],
    ['two thousand and one', Array(2_001).fill(click), {}, ['conversionUploadError.TOO_MANY_CONVERSIONS_IN_REQUEST']],
    ['job 0', [click], { jobId: 0 }, ['conversionUploadError.INVALID_JOB_ID']],
    ['job 2^31', [click], { jobId: 2 ** 31 }, ['conversionUploadError.INVALID_JOB_ID']],
    ['nothing', [], {}, ['fieldError.REQUIRED']],
    ['a member that nobody knows', [{ ...click, email: 'a@b.de' }], {}, []],
    ['a value with a comma', [{ ...click, conversionValue: '12,50' }], {}, []],
  ])('are refused as a whole with %s', async (_what, rows, more, codes) => {
    const answer = await upload(rows, more);
    expect([answer.status, faults(answer), answer.said.error.status]).toEqual([400, codes, 'INVALID_ARGUMENT']);
    expect(state().conversions).toEqual([]);
  });
  it('get what a test orders for one of them', async () => {
    platform({ rejects: { 'A-1': 'internalError.INTERNAL_ERROR' } });
    expect(faults(await upload([click]))).toEqual(['0: internalError.INTERNAL_ERROR']);
  });
  it('of calls wait six hours as well, and count once', async () => {
    const call = {
      ...{ callerId: '+18005550100', callStartDateTime: '2026-11-30 02:00:00+00:00' },
      ...{ conversionAction: 'customers/1/conversionActions/11', conversionDateTime: '2026-11-30 02:05:00+00:00' },
    };
    const send = async (change: object = {}) => {
      const body = { callConversions: [{ ...call, ...change }], partialFailure: true };
      return faults(await ask('/v25/customers/1:uploadCallConversions', body))[0];
    };
    expect(await send()).toBeUndefined();
    expect(await send()).toBe('0: conversionUploadError.CALL_CONVERSION_ALREADY_EXISTS');
    const recent = { callStartDateTime: '2026-11-30 08:00:00+00:00', conversionDateTime: '2026-11-30 08:05:00+00:00' };
    expect(await send(recent)).toBe('0: conversionUploadError.TOO_RECENT_CALL');
    expect(await send({ conversionDateTime: '2026-11-30 01:05:00+00:00' })).toBe(
      '0: conversionUploadError.CONVERSION_PRECEDES_CALL',
    );
    expect(await send({ callerId: '0800' })).toBe('0: conversionUploadError.UNPARSEABLE_CALLERS_PHONE_NUMBER');
    expect(await send({ callStartDateTime: '2026-08-01 08:00:00+00:00' })).toBe(
      '0: conversionUploadError.EXPIRED_CALL',
    );
  });
});

describe('adjustments', () => {
  const later = () => ads.admin('POST', '/clock', { set: '2026-12-02T12:00:00Z' });
  const retraction = { ...adjustment, adjustmentType: 'RETRACTION', restatementValue: undefined };

  it('wait for 24 hours, restate, and take back', async () => {
    await upload([click]);
    const early = { ...adjustment, adjustmentDateTime: '2026-11-30 08:30:00+00:00' };
    expect(faults(await adjust(early))).toEqual(['0: conversionAdjustmentUploadError.TOO_RECENT_CONVERSION']);
    later();
    expect((await adjust(adjustment)).said.results).toEqual([
      expect.objectContaining({ orderId: 'A-1', adjustmentType: 'RESTATEMENT' }),
    ]);
    expect(state().conversions).toMatchObject([{ value: 20, isRetracted: false }]);
    expect(faults(await adjust(adjustment))).toEqual(['0: conversionAdjustmentUploadError.RESTATEMENT_ALREADY_EXISTS']);
    const before = { ...adjustment, adjustmentDateTime: '2026-12-02 11:00:00+00:00' };
    expect(faults(await adjust(before))).toEqual(['0: conversionAdjustmentUploadError.MORE_RECENT_RESTATEMENT_FOUND']);
    expect(faults(await adjust(retraction))).toEqual([]);
    expect(state().conversions).toMatchObject([{ isRetracted: true }]);
    expect(faults(await adjust(retraction))).toEqual([
      '0: conversionAdjustmentUploadError.CONVERSION_ALREADY_RETRACTED',
    ]);
  });
  it('are known by click and time where there is no order', async () => {
    await upload([{ ...click, orderId: undefined }]);
    later();
    const pair = { gclid: 'Cj0KCQ', conversionDateTime: '2026-11-30 08:15:00+00:00' };
    expect(faults(await adjust({ ...retraction, orderId: undefined, gclidDateTimePair: pair }))).toEqual([]);
  });
  it.each<[string, object, string]>([
    ['of an order that is not there', { orderId: 'A-2' }, 'CONVERSION_NOT_FOUND'],
    ['of both', { gclidDateTimePair: {} }, 'GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET'],
    ['before the conversion', { adjustmentDateTime: '2026-11-30 07:00:00+00:00' }, 'ADJUSTMENT_PRECEDES_CONVERSION'],
    [
      'that enhance an upload',
      { adjustmentType: 'ENHANCEMENT', restatementValue: undefined },
      'CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT',
    ],
  ])('%s are refused', async (_what, change, code) => {
    await upload([click]);
    later();
    expect(faults(await adjust({ ...adjustment, ...change }))).toEqual([`0: conversionAdjustmentUploadError.${code}`]);
  });
  it('have a value where they restate, and none where they take back', async () => {
    await upload([click]);
    later();
    expect(faults(await adjust({ ...adjustment, restatementValue: undefined }))).toEqual(['0: fieldError.REQUIRED']);
    expect(faults(await adjust({ ...adjustment, adjustmentType: 'RETRACTION' }))).toEqual([
      '0: fieldError.VALUE_MUST_BE_UNSET',
    ]);
  });
  it('come too late after 54 days, and find nothing by a wbraid', async () => {
    await upload([click, { ...click, orderId: 'A-2', gclid: undefined, wbraid: 'b' }]);
    later();
    expect(faults(await adjust({ ...adjustment, orderId: 'A-2' }))).toEqual([
      '0: conversionAdjustmentUploadError.CONVERSION_NOT_FOUND',
    ]);
    ads.admin('POST', '/clock', { set: '2027-01-23T09:00:00Z' });
    expect(faults(await adjust(adjustment))).toEqual(['0: conversionAdjustmentUploadError.CONVERSION_EXPIRED']);
  });
  it('enhance once what a tag counted', async () => {
    platform({ tagged: [{ account: '1', action: '12', orderId: 'W-1', at: '2026-11-30T08:00:00Z' }] });
    const enhancement = {
      ...{ conversionAction: 'customers/1/conversionActions/12', adjustmentType: 'ENHANCEMENT', orderId: 'W-1' },
      userIdentifiers: [{ addressInfo: { hashedFirstName: email, hashedLastName: email, countryCode: 'DE' } }],
    };
    expect(faults(await adjust({ ...enhancement, userIdentifiers: [{ hashedEmail: 'a@b.de' }] }))).toEqual([
      '0: conversionAdjustmentUploadError.INVALID_USER_IDENTIFIER',
    ]);
    expect(faults(await adjust(enhancement))).toEqual([]);
    expect(faults(await adjust(enhancement))).toEqual([
      '0: conversionAdjustmentUploadError.CONVERSION_ALREADY_ENHANCED',
    ]);
    expect(faults(await adjust({ ...enhancement, orderId: undefined }))).toEqual([
      '0: conversionAdjustmentUploadError.MISSING_ORDER_ID_FOR_WEBPAGE',
    ]);
  });
});
