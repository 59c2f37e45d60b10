import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openDataManagerEmulator } from '../../../emulators/data_manager.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import type { Asked, Destination, Item, OutgoingRequest, Verdict } from './destination.ts';
import { destinationOf } from './index.ts';
import { itemOf, now, order } from './senders_fixture.ts';

/**
 * What is built here goes over HTTP to servers that know the reference alone, and what they answer is read here. How often a
 * conversion is there where answers go wrong by chance is asked of every destination in `emulated_every.test.ts`.
 */
let seed = 20_261_130;
/** The same numbers in each run (Numerical Recipes). */
function chance(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}
let meta: Emulated;
let google: Emulated;
beforeAll(async () => {
  const parts = { now: () => now, chance };
  meta = await openMetaEmulator({
    ...parts,
    datasets: ['1234567890'],
    tokens: { token: 'valid', expired: 'expired', removed: 'app_removed', changed: 'password_changed' },
  });
  const tokens = {
    token: ['https://www.googleapis.com/auth/datamanager'],
    ads: ['https://www.googleapis.com/auth/adwords'],
  };
  google = await openDataManagerEmulator({ ...parts, tokens, accounts: { '1234567890': ['555'] } });
});
afterAll(() => Promise.all([meta.close(), google.close()]));
beforeEach(() => Promise.all([steer(meta, '/reset', {}), steer(google, '/reset', {})]));

async function steer(
  emulator: Emulated,
  path: string,
  body?: object,
): Promise<{ platform: Record<string, unknown[]> }> {
  const answer = await fetch(`${emulator.url}/__admin${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await answer.json()) as { platform: Record<string, unknown[]> };
}

function known(id: string): Destination {
  const found = destinationOf(id);
  if (found === undefined) throw new Error(`no destination ${id}`);
  return found;
}
const capi = known('meta-capi');
const manager = known('google-data-manager');
const dataset = capi.settings({ dataset_id: '1234567890' });
const account = manager.settings({
  customer_id: '123-456-7890',
  login_customer_id: '987-654-3210',
  conversion_action_id: '555',
});

interface How {
  token?: string;
  asked?: Asked;
}

/** As `outbound` does it: the operator's base address in place of the platform's, and the token as a header. */
async function send(to: Emulated, by: Destination, request: OutgoingRequest, { token = 'token', asked }: How = {}) {
  const { pathname, search } = new URL(request.url);
  let verdict: Verdict;
  try {
    const answer = await fetch(to.url + pathname + search, {
      method: request.method,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await answer.text();
    const body: unknown = /^[{[]/.test(text) ? JSON.parse(text) : text;
    verdict = by.read({ status: answer.status, headers: Object.fromEntries(answer.headers), body }, asked);
    return { verdict, body };
  } catch {
    return { verdict: by.read({ status: 0, headers: {}, body: '' }, asked), body: undefined };
  }
}
const sendItems = (items: Item[], how?: How) =>
  send(meta, capi, capi.build(items, dataset, now), { asked: { sent: items.length, now }, ...how });
const ingestItems = (items: Item[], how?: How) =>
  send(google, manager, manager.build(items, account, now), { asked: { sent: items.length, now }, ...how });

const person = {
  ...{ email: ' AlexZ@Example.com', phone: '+1 (800) 555-0100', first_name: 'Ana', last_name: "O'Byron" },
  ...{ city: 'São Paulo', state: 'SP', zip: '01000-000', country: 'BR', external_id: 'C-77' },
  ...{ date_of_birth: '1990-01-31', gender: 'f', ip: '81.2.69.142', user_agent: 'Mozilla/5.0' },
};
/** From many kinds of sources, with much and with little known of a person. */
const conversions: [string, object][] = [
  ['an order', order],
  ['all of a person', { ...order, order_id: 'A-1', user: person, custom: { status: 'paid', plan: 'pro' } }],
  [
    'a postback',
    {
      event_name: 'Lead',
      occurred_at: '2026-11-30T08:00:00Z',
      event_id: 'p-1',
      action_source: 'system_generated',
      click_ids: { gclid: 'Cj0KCQ', fbclid: 'IwAR2xYz' },
    },
  ],
  [
    'a call',
    {
      event_name: 'Contact',
      occurred_at: '2026-11-29T08:00:00.250Z',
      event_id: 'c-1',
      action_source: 'phone_call',
      user: { phone: '030 901820', phone_country: 'DE' },
    },
  ],
  [
    'a sale in a shop',
    {
      event_name: 'Purchase',
      occurred_at: '2026-11-24T10:00:00Z',
      event_id: 's-1',
      action_source: 'physical_store',
      value: 19.99,
      currency: 'GBP',
      user: { email: ['a@example.com', 'b@example.com'] },
    },
  ],
  [
    'an app on an iPhone',
    {
      event_name: 'Subscribe',
      occurred_at: '2026-11-30T08:59:00Z',
      event_id: 'i-1',
      action_source: 'app',
      click_ids: { wbraid: 'CkAKB' },
      user: { external_id: 'u 1' },
      items: [{ id: 'x' }],
    },
  ],
  [
    'limited use of data',
    {
      ...order,
      order_id: 'A-2',
      consent: { ad_user_data: 'granted', ad_personalization: 'denied', limited_data_use: true },
    },
  ],
];
const itemsFor = (by: Destination) => conversions.map(([, given], at) => itemOf(by, given, `id-${at}`));

describe('realistic conversions, as they are built', () => {
  it('are accepted by Meta, one by one and together, each counted once', async () => {
    const items = itemsFor(capi);
    for (const item of items) {
      expect(capi.refuse(item, dataset, now)).toBeUndefined();
      expect((await sendItems([item])).verdict).toEqual({ class: 'accepted', reason: 'events_received' });
    }
    expect((await sendItems(items)).verdict.class).toBe('accepted');
    const { platform } = await steer(meta, '');
    expect(platform).toMatchObject({ received: 14, duplicates: 7, refused: 0 });
    expect(platform.events).toHaveLength(7);
    expect(JSON.stringify(platform)).not.toMatch(/alexz|O'Byron|Paulo|"Ana|1990|8005550100|C-77/i);
  });
  it('are accepted by Data Manager, without a warning, and succeed', async () => {
    const items = itemsFor(manager);
    for (const item of items) {
      expect(manager.refuse(item, account, now)).toBeUndefined();
      const { verdict, body } = await ingestItems([item]);
      expect(verdict).toEqual({ class: 'accepted', reason: 'ingested' });
      expect(body).toEqual({ requestId: expect.any(String) });
    }
    const { body } = await ingestItems(items);
    const { platform } = await steer(google, '');
    expect(platform).toMatchObject({ events: 14, adjustments: 7, refused: 0 });
    expect(platform.conversions).toHaveLength(7);
    expect(JSON.stringify(platform)).not.toMatch(/alexz|Byron|Paulo|"Ana|1990|8005550100|C-77/i);
    expect((await retrieve(body)).class).toBe('retry');
    await steer(google, '/clock', { advance: 60_000 });
    expect(await retrieve(body)).toEqual({ class: 'accepted', reason: 'SUCCESS' });
  });
  it('are accepted in batches as large as they may be', async () => {
    const [, shop] = conversions[4] as [string, object];
    const batch = (by: Destination) => Array.from({ length: by.batchMax }, (_, at) => itemOf(by, shop, `id-${at}`));
    expect((await sendItems(batch(capi))).verdict.class).toBe('accepted');
    expect((await ingestItems(batch(manager))).verdict.class).toBe('accepted');
  });
  it('go apart where a code of Events Manager is set', async () => {
    const settings = capi.settings({ dataset_id: '1234567890', test_event_code: 'TEST12345' });
    const { verdict } = await send(meta, capi, capi.build(itemsFor(capi).slice(0, 1), settings, now));
    expect(verdict.class).toBe('accepted');
    expect((await steer(meta, '')).platform).toMatchObject({
      events: [],
      tested: { TEST12345: [{ event_id: 'id-0' }] },
    });
  });
  it('are restated by a refund under the id of the order, and not new', async () => {
    await ingestItems([itemOf(manager, order, 'A-1001')]);
    await ingestItems([itemOf(manager, { ...order, value: undefined, items: undefined, refund: true }, 'A-1001')]);
    expect((await steer(google, '')).platform.conversions).toMatchObject([
      { transactionId: 'A-1001', restated: 1, event: { conversionValue: 0 } },
    ]);
  });
});

function retrieve(body: unknown): Promise<Verdict> {
  const { requestId } = body as { requestId: string };
  const url = `https://datamanager.googleapis.com/v1/requestStatus:retrieve?requestId=${requestId}`;
  return send(google, manager, { method: 'GET', url, headers: {}, body: undefined }).then(({ verdict }) => verdict);
}

type Change = (body: Record<string, Record<string, unknown>[]>) => void;
function changed(request: OutgoingRequest, change: Change): OutgoingRequest {
  const body = structuredClone(request.body) as Record<string, Record<string, unknown>[]>;
  change(body);
  return { ...request, body };
}

describe('what Meta refuses is read as the reference says', () => {
  const two = () => capi.build([itemOf(capi, order, 'id-1'), itemOf(capi, order, 'id-2')], dataset, now);
  it.each<[string, Change, string]>([
    [
      'too old',
      ({ data }) => Object.assign(data?.[1] ?? {}, { event_time: now / 1000 - 7 * 86_400 - 1 }),
      '100/2804003',
    ],
    [
      'a raw email',
      ({ data }) => Object.assign(data?.[1]?.user_data ?? {}, { em: ['alexz@example.com'] }),
      '100/2804001',
    ],
    [
      'no browser',
      ({ data }) => Object.assign(data?.[1]?.user_data ?? {}, { client_user_agent: undefined }),
      '100/2804001',
    ],
    ['milliseconds', ({ data }) => Object.assign(data?.[1] ?? {}, { event_time: now }), '100/2804001'],
  ])('%s is permanent, and the whole batch with it', async (_what, change, reason) => {
    expect((await send(meta, capi, changed(two(), change))).verdict).toEqual({ class: 'permanent', reason });
    expect((await steer(meta, '')).platform.events).toEqual([]);
  });
  it.each([
    ['expired', '190/463'],
    ['removed', '190/458'],
    ['changed', '190/460'],
    ['unknown', '190/467'],
  ])('a token that is %s needs somebody to connect anew', async (token, reason) => {
    expect((await send(meta, capi, two(), { token })).verdict).toEqual({
      ...{ class: 'auth', reason, ...(token === 'expired' && { isExpired: true }) },
    });
  });
  it('another dataset is one of settings, and so is a version that is gone', async () => {
    const elsewhere = (path: string) => ({ ...two(), url: `https://graph.facebook.com${path}` });
    expect((await send(meta, capi, elsewhere('/v25.0/99/events'))).verdict).toEqual({
      class: 'config',
      reason: '100/33',
    });
    const gone = { asked: { sent: 2, now, version: 'v12.0' } };
    expect((await send(meta, capi, elsewhere('/v12.0/99/events'), gone)).verdict).toEqual({
      ...{ class: 'config', reason: '2635/v12.0' },
    });
  });
  it('passing faults are tried again, and quotas waited for', async () => {
    await steer(meta, '/platform', { transient: 1, regainMinutes: 7 });
    expect((await send(meta, capi, two())).verdict).toMatchObject({ class: 'retry', reason: '2' });
    await steer(meta, '/next', [{ chaos: 'quota' }]);
    expect((await send(meta, capi, two())).verdict).toMatchObject({ class: 'rate_limited', retryAfterMs: 7 * 60_000 });
  });
});

describe('what Data Manager refuses is read as the reference says', () => {
  const three = () =>
    manager.build(
      ['id-0', 'id-1', 'id-2'].map((id) => itemOf(manager, order, id)),
      account,
      now,
    );
  const ofEvent =
    (at: number, change: object): Change =>
    ({ events }) =>
      Object.assign(events?.[at] ?? {}, change);
  it.each<[string, Change, string]>([
    [
      'a raw email',
      ofEvent(1, { userData: { userIdentifiers: [{ emailAddress: 'a@b.de' }] } }),
      'INVALID_HEX_ENCODING',
    ],
    ['both braids', ofEvent(1, { adIdentifiers: { gbraid: 'a', wbraid: 'b' } }), 'MULTIPLE_DATA_TYPES_NOT_ALLOWED'],
    ['no time', ofEvent(1, { eventTimestamp: undefined }), 'REQUIRED_FIELD_MISSING'],
    ['a currency', ofEvent(1, { currency: 'EURO' }), 'INVALID_CURRENCY_CODE'],
  ])('%s leaves its row behind, and the others go again', async (_what, change, reason) => {
    expect((await send(google, manager, changed(three(), change))).verdict).toEqual({
      class: 'retry',
      reason: 'INVALID_ARGUMENT',
      rows: [{ index: 1, class: 'permanent', reason }],
    });
    expect((await steer(google, '')).platform.conversions).toEqual([]);
  });
  it.each<[string, object, string, string]>([
    [
      'an action that is gone',
      {
        destinations: [
          { operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '1234567890' }, productDestinationId: '9' },
        ],
      },
      'config',
      'INVALID_CONVERSION_ACTION_ID',
    ],
    [
      'another account',
      {
        destinations: [{ operatingAccount: { accountType: 'GOOGLE_ADS', accountId: '9' }, productDestinationId: '9' }],
      },
      'config',
      'INVALID_DESTINATION',
    ],
    ['too many events', { events: Array(2_001).fill({}) }, 'permanent', 'TOO_MANY_EVENTS'],
    ['no encoding', { encoding: undefined }, 'permanent', 'REQUIRED_FIELD_MISSING'],
  ])('%s is about the whole request', async (_what, change, answerClass, reason) => {
    const request = changed(three(), (body) => Object.assign(body, change));
    const { verdict } = await send(google, manager, request);
    expect([verdict.class, verdict.reason, verdict.rows]).toEqual([
      answerClass,
      expect.stringMatching(reason),
      undefined,
    ]);
  });
  it.each([
    ['revoked', 'ACCESS_TOKEN_EXPIRED'],
    ['ads', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'],
  ])('a token that is no good (%s) needs somebody to connect anew', async (token, reason) => {
    expect((await send(google, manager, three(), { token })).verdict).toEqual({ class: 'auth', reason });
  });
  it('a reason that nobody knows is no end, whatever the error around it is called', async () => {
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'INVALID_ARGUMENT' },
      { fieldViolations: [{ field: 'events', reason: 'SOMETHING_NEW' }] },
    ];
    const body = { error: { code: 400, status: 'INVALID_ARGUMENT', details } };
    await steer(google, '/next', [{ status: 400, body }]);
    expect((await send(google, manager, three())).verdict).toEqual({ class: 'retry', reason: 'SOMETHING_NEW' });
  });
  it('waits a minute for the quota of a minute, and until midnight in California for that of a day', async () => {
    await steer(google, '/next', [{ chaos: 'quota' }]);
    expect((await send(google, manager, three())).verdict).toEqual({
      class: 'rate_limited',
      reason: 'IngestionMutateRequestsPerMinutePerProject',
      retryAfterMs: 60_000,
    });
    await send(google, manager, three());
    await steer(google, '/platform', { spentToday: 100_000 });
    expect((await send(google, manager, three())).verdict).toEqual({
      class: 'rate_limited',
      reason: 'IngestionMutateRequestsPerDayPerProject',
      // From 09:00 UTC to 08:00 of the next day.
      retryAfterMs: 23 * 3_600_000,
    });
  });
  it.each([
    ['TOO_RECENT_CLICK', 'retry_later'],
    ['INTERNAL_ERROR', 'retry'],
    ['DUPLICATE_TRANSACTION_ID', 'treat_as_delivered'],
    ['EVENT_TOO_OLD', 'permanent'],
    ['NO_CONSENT', 'config'],
  ])('%s, which only processing found, is %s', async (reason, answerClass) => {
    await steer(google, '/platform', { rejects: { 'id-1': reason }, processingMs: 0 });
    const { body } = await send(google, manager, three());
    expect(await retrieve(body)).toMatchObject({ class: answerClass, reason });
  });
});

describe('bad days', () => {
  it.each(['reset_mid_body', 'drop_answer', 'html_502'])('%s is tried again, and counted once', async (chaos) => {
    const [mine, theirs] = [[itemOf(capi, order, 'id-1')], [itemOf(manager, order, 'id-1')]];
    await Promise.all([meta, google].map((each) => steer(each, '/next', [{ chaos }])));
    expect((await sendItems(mine)).verdict.class).toBe('retry');
    expect((await ingestItems(theirs)).verdict.class).toBe('retry');
    expect((await sendItems(mine)).verdict.class).toBe('accepted');
    expect((await ingestItems(theirs)).verdict.class).toBe('accepted');
    expect((await steer(meta, '')).platform.events).toHaveLength(1);
    expect((await steer(google, '')).platform.conversions).toHaveLength(1);
  });
  it.each(['latency', 'slow_loris', 'duplicate_answer', 'repeated_request'])('%s is accepted', async (chaos) => {
    await Promise.all([meta, google].map((each) => steer(each, '/next', [{ chaos, ms: 1 }])));
    expect((await sendItems([itemOf(capi, order)])).verdict.class).toBe('accepted');
    expect((await ingestItems([itemOf(manager, order)])).verdict.class).toBe('accepted');
    expect((await steer(meta, '')).platform.events).toHaveLength(1);
    expect((await steer(google, '')).platform.conversions).toHaveLength(1);
  });
});
