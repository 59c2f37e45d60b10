import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openDataManagerEmulator } from './data_manager.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const minuteMs = 60_000;
/** Vectors of the reference. */
const email = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';
const phone = 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30';

let google: Emulated;
beforeAll(async () => {
  google = await openDataManagerEmulator({
    now: () => now,
    chance: () => 0.99,
    tokens: {
      good: ['openid', 'https://www.googleapis.com/auth/datamanager'],
      ads: ['https://www.googleapis.com/auth/adwords'],
      revoked: [],
    },
    accounts: { '1234567890': ['555', '556'] },
    processingMs: 10 * minuteMs,
  });
});
afterAll(() => google.close());
beforeEach(() => admin('/reset', {}));

const event = {
  transactionId: 'A-1001',
  eventTimestamp: '2026-11-30T09:15:00+01:00',
  eventSource: 'WEB',
  userData: { userIdentifiers: [{ emailAddress: email }] },
  conversionValue: 129.9,
  currency: 'EUR',
};
const destination = {
  operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '1234567890' },
  productDestinationId: '555',
};
const whole = { destinations: [destination], encoding: 'HEX', events: [event] };
const address = { givenName: email, familyName: email, regionCode: 'DE', postalCode: '10115' };
interface Violation {
  field: string;
  reason: string;
}
type Said = Record<string, unknown> & {
  requestId: string;
  fieldWarnings: Violation[];
  error: { code: number; status: string; details: Record<string, unknown>[] };
  requestStatusPerDestination: Record<string, unknown>[];
};

async function admin(path: string, body?: unknown): Promise<Record<string, never>> {
  const answer = await fetch(`${google.url}/__admin${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Record<string, never>;
}
async function platform(): Promise<Record<string, unknown>> {
  return (await admin('')).platform as unknown as Record<string, unknown>;
}
async function ask(path: string, body: unknown, token: string | undefined = 'good') {
  const answer = await fetch(`${google.url}${path}`, {
    headers: { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: answer.status, said: (await answer.json()) as Said };
}
const ingest = (change: object = {}, token?: string) => ask('/v1/events:ingest', { ...whole, ...change }, token);
const statusOf = (id: string, token?: string) => ask(`/v1/requestStatus:retrieve?requestId=${id}`, undefined, token);
const many = (count: number) => Array.from({ length: count }, (_, at) => ({ ...event, transactionId: `e-${at}` }));

describe('what Data Manager takes', () => {
  it('gives the id of a request, and says later what became of it', async () => {
    const { status, said } = await ingest();
    expect([status, Object.keys(said)]).toEqual([200, ['requestId']]);
    expect((await statusOf(said.requestId)).said.requestStatusPerDestination).toEqual([
      { destination, requestStatus: 'PROCESSING' },
    ]);
    await admin('/clock', { advance: 10 * minuteMs });
    expect((await statusOf(said.requestId)).said.requestStatusPerDestination).toMatchObject([
      { destination, requestStatus: 'SUCCESS' },
    ]);
    expect((await statusOf('request-00000099')).status).toBe(400);
  });
  it('says by counts alone that some did not go through', async () => {
    await admin('/platform', { rejects: { 'e-1': 'CLICK_NOT_FOUND', 'e-2': 'CLICK_NOT_FOUND' } });
    const old = { ...event, transactionId: 'e-9', eventTimestamp: '2026-08-01T09:15:00Z' };
    const denied = { ...event, transactionId: 'e-10', consent: { adUserData: 'CONSENT_DENIED' } };
    const { said } = await ingest({ events: [...many(4), old, denied], consent: { adUserData: 'CONSENT_GRANTED' } });
    await admin('/clock', { advance: 10 * minuteMs });
    const [told] = (await statusOf(said.requestId)).said.requestStatusPerDestination;
    expect(told).toMatchObject({
      requestStatus: 'PARTIAL_SUCCESS',
      errorInfo: {
        errorCounts: [
          { recordCount: '2', reason: 'PROCESSING_ERROR_REASON_CLICK_NOT_FOUND' },
          { recordCount: '1', reason: 'PROCESSING_ERROR_REASON_EVENT_TOO_OLD' },
          { recordCount: '1', reason: 'PROCESSING_ERROR_REASON_DENIED_CONSENT' },
        ],
      },
    });
    expect(await platform()).toMatchObject({ conversions: [{ transactionId: 'e-0' }, { transactionId: 'e-3' }] });
    await admin('/platform', { rejects: { 'A-1001': 'INTERNAL_ERROR' } });
    const all = (await ingest()).said.requestId;
    await admin('/clock', { advance: 10 * minuteMs });
    expect((await statusOf(all)).said.requestStatusPerDestination).toMatchObject([{ requestStatus: 'FAILED' }]);
  });
  it('restates what it has under the same id and action, and takes anything else for new', async () => {
    await ingest();
    await ingest({ events: [{ ...event, conversionValue: 30 }] });
    await ingest({ destinations: [{ ...destination, productDestinationId: '556' }] });
    const { transactionId: _none, ...nameless } = event;
    await ingest({ events: [nameless, nameless] });
    const { adjustments, conversions } = await platform();
    expect(adjustments).toBe(1);
    expect(conversions).toMatchObject([
      { action: '555', transactionId: 'A-1001', restated: 1, event: { conversionValue: 30, currency: 'EUR' } },
      { action: '556', transactionId: 'A-1001', restated: 0 },
      { action: '555', transactionId: null },
      { action: '555', transactionId: null },
    ]);
  });
  it('checks without taking anything', async () => {
    expect((await ingest({ validateOnly: true })).said).toEqual({});
    expect(await platform()).toMatchObject({ validated: 1, events: 0, conversions: [] });
    const { status } = await ingest({ validateOnly: true, events: [{ ...event, currency: 'EURO' }] });
    expect(status).toBe(400);
  });
  it('takes what it can and warns of the rest: no cart and no variables beside a braid', async () => {
    const braid = { ...event, adIdentifiers: { gbraid: 'x' }, cartData: { items: [] }, customVariables: [] };
    const { status, said } = await ingest({ events: [event, braid] });
    expect(status).toBe(200);
    expect(said.fieldWarnings.map(({ field }) => field)).toEqual(['events[1].cart_data', 'events[1].custom_variables']);
    expect((await platform()).events).toBe(2);
  });
  it('takes 2,000 events, ten destinations, ten identifiers, clear region and postal code, and base64', async () => {
    expect((await ingest({ events: many(2_000) })).status).toBe(200);
    expect((await ingest({ destinations: Array(10).fill(destination) })).status).toBe(200);
    const userIdentifiers = [...Array(8).fill({ emailAddress: email }), { phoneNumber: phone }, { address }];
    expect((await ingest({ events: [{ ...event, userData: { userIdentifiers } }] })).status).toBe(200);
    const emailAddress = Buffer.from(email, 'hex').toString('base64');
    const events = [{ ...event, userData: { userIdentifiers: [{ emailAddress }] } }];
    expect((await ingest({ events, encoding: 'BASE64' })).status).toBe(200);
    const { userData: _people, ...clicked } = event;
    const click = { ...clicked, adIdentifiers: { gclid: 'Cj0K' } };
    expect((await ingest({ events: [click], encoding: undefined })).status).toBe(200);
  });
});

describe('what Data Manager refuses, naming the row', () => {
  const people = (...userIdentifiers: object[]) => ({ userData: { userIdentifiers } });
  it.each<[string, object, string, string]>([
    ['no time', { eventTimestamp: undefined }, '.event_timestamp', 'REQUIRED_FIELD_MISSING'],
    ['a time without offset', { eventTimestamp: '2026-11-30T09:15:00' }, '.event_timestamp', 'INVALID_FORMAT'],
    ['a day that is none', { eventTimestamp: '2026-13-30T09:15:00Z' }, '.event_timestamp', 'INVALID_FORMAT'],
    ['no source', { eventSource: undefined }, '.event_source', 'REQUIRED_FIELD_MISSING'],
    ['a source that is none', { eventSource: 'WEBSITE' }, '.event_source', 'INVALID_ENUM_VALUE'],
    ['an empty id', { transactionId: '' }, '.transaction_id', 'INVALID_FORMAT'],
    [
      'both braids',
      { adIdentifiers: { gbraid: 'a', wbraid: 'b' } },
      '.ad_identifiers',
      'MULTIPLE_DATA_TYPES_NOT_ALLOWED',
    ],
    ['nobody and no click', { userData: undefined }, '', 'NO_IDENTIFIERS_PROVIDED'],
    [
      'a raw email',
      people({ emailAddress: 'a@b.de' }),
      '.user_data.user_identifiers[0].email_address',
      'INVALID_HEX_ENCODING',
    ],
    [
      '63 digits',
      people({ emailAddress: email.slice(1) }),
      '.user_data.user_identifiers[0].email_address',
      'INVALID_SHA256_FORMAT',
    ],
    [
      'a raw phone',
      people({ phoneNumber: '+18005550100' }),
      '.user_data.user_identifiers[0].phone_number',
      'INVALID_HEX_ENCODING',
    ],
    [
      'a raw name',
      people({ address: { ...address, givenName: 'Ana' } }),
      '.user_data.user_identifiers[0].address.given_name',
      'INVALID_HEX_ENCODING',
    ],
    [
      'a region in small letters',
      people({ address: { ...address, regionCode: 'de' } }),
      '.user_data.user_identifiers[0].address.region_code',
      'INVALID_COUNTRY_CODE',
    ],
    [
      'no postal code',
      people({ address: { ...address, postalCode: undefined } }),
      '.user_data.user_identifiers[0].address.postal_code',
      'INVALID_POSTAL_CODE',
    ],
    [
      'two kinds in one',
      people({ emailAddress: email, phoneNumber: phone }),
      '.user_data.user_identifiers[0]',
      'MULTIPLE_DATA_TYPES_NOT_ALLOWED',
    ],
    [
      'eleven identifiers',
      people(...Array(11).fill({ emailAddress: email })),
      '.user_data.user_identifiers',
      'TOO_MANY_USER_IDENTIFIERS',
    ],
    ['a consent that is none', { consent: { adUserData: 'GRANTED' } }, '.consent.ad_user_data', 'INVALID_ENUM_VALUE'],
    ['a currency by its name', { currency: 'EURO' }, '.currency', 'INVALID_CURRENCY_CODE'],
    ['a value as text', { conversionValue: '12.50' }, '.conversion_value', 'INVALID_NUMBER_FORMAT'],
  ])('%s', async (_what, change, field, reason) => {
    const { status, said } = await ingest({ events: [...many(3), { ...event, ...change }, event] });
    expect([status, said.error.code, said.error.status]).toEqual([400, 400, 'INVALID_ARGUMENT']);
    const bad = said.error.details.find((each) => each['@type'] === 'type.googleapis.com/google.rpc.BadRequest');
    expect(bad?.fieldViolations).toEqual([{ field: `events[3]${field}`, reason, description: expect.any(String) }]);
    expect(await platform()).toMatchObject({ events: 0, conversions: [], refused: 1 });
  });
  const account = (accountId: string) => ({ accountType: 'GOOGLE_ADS', accountId });
  it.each<[string, object, string, string]>([
    ['no destination', { destinations: [] }, 'destinations', 'REQUIRED_FIELD_MISSING'],
    ['eleven destinations', { destinations: Array(11).fill(destination) }, 'destinations', 'TOO_MANY_DESTINATIONS'],
    [
      'no account',
      { destinations: [{ productDestinationId: '555' }] },
      'destinations[0].operating_account',
      'REQUIRED_FIELD_MISSING',
    ],
    [
      'dashes in an account',
      { destinations: [{ ...destination, operatingAccount: account('123-456-7890') }] },
      'destinations[0].operating_account.account_id',
      'INVALID_NUMBER_FORMAT',
    ],
    [
      'dashes in a manager',
      { destinations: [{ ...destination, loginAccount: account('987-654-3210') }] },
      'destinations[0].login_account.account_id',
      'INVALID_NUMBER_FORMAT',
    ],
    [
      'an account of no kind',
      { destinations: [{ ...destination, loginAccount: { accountId: '1' } }] },
      'destinations[0].login_account.account_type',
      'INVALID_ENUM_VALUE',
    ],
    [
      'an account of others',
      { destinations: [{ ...destination, operatingAccount: account('99') }] },
      'destinations[0]',
      'INVALID_DESTINATION',
    ],
    [
      'no action',
      { destinations: [{ operatingAccount: account('1234567890') }] },
      'destinations[0].product_destination_id',
      'REQUIRED_FIELD_MISSING',
    ],
    [
      'an action by its path',
      { destinations: [{ ...destination, productDestinationId: 'customers/1/conversionActions/555' }] },
      'destinations[0].product_destination_id',
      'INVALID_NUMBER_FORMAT',
    ],
    [
      'an action that is none',
      { destinations: [{ ...destination, productDestinationId: '9' }] },
      'destinations[0].product_destination_id',
      'INVALID_CONVERSION_ACTION_ID',
    ],
    ['no events', { events: [] }, 'events', 'REQUIRED_FIELD_MISSING'],
    ['2,001 events', { events: many(2_001) }, 'events', 'TOO_MANY_EVENTS'],
    ['people without an encoding', { encoding: undefined }, 'encoding', 'REQUIRED_FIELD_MISSING'],
    ['an encoding that is none', { encoding: 'hex' }, 'encoding', 'INVALID_ENUM_VALUE'],
    [
      'a consent that is none',
      { consent: { adPersonalization: 'YES' } },
      'consent.ad_personalization',
      'INVALID_ENUM_VALUE',
    ],
  ])('%s', async (_what, change, field, reason) => {
    const { status, said } = await ingest(change);
    expect(status).toBe(400);
    const violations = said.error.details.flatMap((each) => (each.fieldViolations ?? []) as Violation[]);
    expect(violations).toMatchObject([{ field, reason }]);
  });
  it.each<[string, string, number, string, string]>([
    ['no token', '', 401, 'UNAUTHENTICATED', 'CREDENTIALS_MISSING'],
    ['a revoked token', 'revoked', 401, 'UNAUTHENTICATED', 'ACCESS_TOKEN_EXPIRED'],
    ['a token of another scope', 'ads', 403, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'],
  ])('%s', async (_what, token, code, status, reason) => {
    for (const { status: http, said } of [await ingest({}, token), await statusOf('request-00000001', token)]) {
      expect([http, said.error.status]).toEqual([code, status]);
      expect(said.error.details).toMatchObject([{ reason }]);
    }
  });
  it('a token that is revoked in the middle of things', async () => {
    await admin('/platform', { tokens: { good: [] } });
    expect((await ingest()).status).toBe(401);
  });
});

describe('how often Data Manager may be asked', () => {
  const limitOf = ({ error }: Said) => Object(error.details[0]?.metadata).quota_limit as unknown;

  it('300 times in a minute, reading and writing apart', async () => {
    for (let at = 0; at < 300; at++) expect((await ingest({ validateOnly: true })).status).toBe(200);
    const { status, said } = await ingest();
    expect([status, said.error.status]).toEqual([429, 'RESOURCE_EXHAUSTED']);
    expect(limitOf(said)).toBe('IngestionMutateRequestsPerMinutePerProject');
    expect((await statusOf('request-00000001')).status).toBe(400);
    await admin('/clock', { advance: minuteMs });
    expect((await ingest()).status).toBe(200);
  });
  it('100,000 times in a day of California', async () => {
    expect((await ingest()).status).toBe(200);
    await admin('/platform', { spentToday: 99_999 });
    expect((await ingest()).status).toBe(200);
    const { status, said } = await ingest();
    expect([status, limitOf(said)]).toEqual([429, 'IngestionMutateRequestsPerDayPerProject']);
    await admin('/clock', { set: '2026-12-01T07:59:59Z' });
    expect((await ingest()).status).toBe(429);
    await admin('/clock', { set: '2026-12-01T08:00:00Z' });
    expect((await ingest()).status).toBe(200);
  });
  it('or not at all, by order', async () => {
    await admin('/next', [{ chaos: 'quota' }, { chaos: 'drop_answer' }]);
    expect(limitOf((await ingest()).said)).toBe('IngestionMutateRequestsPerMinutePerProject');
    await expect(ingest()).rejects.toThrow();
    await ingest();
    expect(await platform()).toMatchObject({ adjustments: 1, conversions: [{ transactionId: 'A-1001', restated: 1 }] });
  });
});
