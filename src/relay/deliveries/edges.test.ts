import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openDataManagerEmulator } from '../../../emulators/data_manager.ts';
import { openGoogleAdsEmulator } from '../../../emulators/google_ads.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';
import { destinationSecretPlace } from '../settings/secrets.ts';
import { askResults } from './results.ts';
import { resumeDestination } from './states.ts';

/**
 * The bad days of platforms, a line each, through real lanes: what has become of every delivery says its row, nothing is lost,
 * and each is counted once. What senders do wrong is in journeys/relay_intake_edges.test.ts.
 */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
const hourMs = 3_600_000;
let meta: Emulated;
let google: Emulated;
let ads: Emulated;
let house: SendingHouse;
beforeAll(async () => {
  const parts = { now: () => clock.now(), chance: () => 0.5 };
  const adwords = 'https://www.googleapis.com/auth/adwords';
  meta = await openMetaEmulator({
    ...{ ...parts, datasets: ['1234567890'] },
    tokens: { token: 'valid', other: 'valid', old: 'expired' },
  });
  google = await openDataManagerEmulator({
    ...{ ...parts, accounts: { '1234567890': ['555'] }, processingMs: 60_000 },
    tokens: { token: ['https://www.googleapis.com/auth/datamanager'] },
  });
  ads = await openGoogleAdsEmulator({
    ...{ ...parts, tokens: { token: [adwords] }, accessible: ['1'], isAllowlisted: true },
    accounts: [
      {
        ...{ id: '1', name: 'Shop', currency: 'EUR', timeZone: 'Europe/Berlin' },
        actions: [{ id: '7', name: 'Sale', type: 'UPLOAD_CLICKS' }],
      },
    ],
  });
  house = await openSendingHouse({
    clock,
    baseUrls: { 'meta-capi': meta.url, 'google-data-manager': google.url, 'google-ads-upload': ads.url },
    connections: {
      freshToken: async () => ({ token: 'old', version: '1' }),
      refusedToken: async (_, __, ___, isExpired) => ({ reconnect: isExpired === true ? 'expired' : 'revoked' }),
    },
  });
});
afterAll(() => Promise.all([meta.close(), google.close(), ads.close(), house.close()]));
beforeEach(() => {
  for (const each of [meta, google, ads]) each.admin('POST', '/reset', {});
});

let number = 0;
const many = (count: number, more: object = {}) =>
  Array.from({ length: count }, () => ({
    given: { ...order, order_id: `L-${++number}`, occurred_at: new Date(clock.now() - 60_000).toISOString(), ...more },
  }));
const counted = (emulator: Emulated) =>
  (emulator.admin('GET', '/counted') as { counted: { id: string; received: number }[] }).counted;
const states = async (to: number) => (await house.rows(to)).map(({ state, reason, field }) => [state, reason, field]);
const attempts = (to: number) =>
  house.inside((sql) =>
    sql.query<Record<string, unknown>>('SELECT * FROM relay_attempts WHERE destination_id = $1 ORDER BY id', [to]),
  );
async function later(ms: number): Promise<void> {
  clock.travel(ms);
  await house.lanes.idle();
}
const toMeta = () => house.addDestination('meta-capi', { dataset_id: '1234567890' });
const toGoogle = () =>
  house.addDestination('google-data-manager', { customer_id: '1234567890', conversion_action_id: '555' });
const toAds = () => house.addDestination('google-ads-upload', { customer_id: '1', conversion_action_id: '7' });
const accepted = ['accepted', null, null];

it('an error code that nobody knows is tried again, stands at the row and the request, and ends after 72 hours', async () => {
  const to = await toMeta();
  const unknown = { status: 400, body: { error: { code: 987_654, message: 'new' } } };
  await house.add([to], many(2));
  meta.admin('POST', '/next', [unknown]);
  await house.lanes.idle();
  expect(await states(to)).toEqual(Array(2).fill(['waiting', '987654', null]));
  expect((await attempts(to)).map(({ class: word, reason }) => [word, reason])).toEqual([['retry', '987654']]);
  await later(20_000);
  expect(await states(to)).toEqual(Array(2).fill(accepted));
  expect(counted(meta).map(({ received }) => received)).toEqual([1, 1]);

  const other = await toMeta();
  await house.add([other], many(1));
  meta.admin('POST', '/next', Array(200).fill(unknown));
  for (let hours = 0; hours < 80; hours++) await later(hourMs);
  expect(await states(other)).toEqual([['dead', 'retries_ended:987654', null]]);
});

it.each([-45_000, 45_000])(
  'a platform whose clock is wrong by %i ms takes what is new, and its pauses are by its own clock',
  async (skew) => {
    const to = await toMeta();
    meta.admin('POST', '/clock', { skew });
    await house.add([to], many(2, { occurred_at: new Date(clock.now() - 1_000).toISOString() }));
    const theirs = clock.now() + skew;
    const at = (ms: number) => new Date(ms).toUTCString();
    meta.admin('POST', '/next', [
      { status: 429, headers: { date: at(theirs), 'retry-after': at(theirs + 120_000) }, body: { error: { code: 4 } } },
    ]);
    await house.lanes.idle();
    expect((await states(to)).map(([state]) => state)).toEqual(['waiting', 'waiting']);
    await later(118_000);
    expect(await attempts(to)).toHaveLength(1);
    await later(4_000);
    expect(await states(to)).toEqual(Array(2).fill(accepted));
    expect(counted(meta).map(({ received }) => received)).toEqual([1, 1]);
    // What is at the end of the platform's seven days is not sent where its clock may call it too old.
    await house.add([to], many(1, { occurred_at: new Date(clock.now() - 7 * 24 * hourMs + 50_000).toISOString() }));
    await house.lanes.idle();
    expect((await states(to)).at(-1)).toEqual(['dead', 'too_old', 'occurred_at']);
  },
);

it('what is in the future for a platform whose clock is an hour behind waits until it is past there; the rest goes at once', async () => {
  const to = await toMeta();
  meta.admin('POST', '/clock', { skew: -hourMs });
  const at = (ms: number) => ({ occurred_at: new Date(clock.now() - ms).toISOString() });
  await house.add([to], [...many(2, at(2_000)), ...many(1, { ...at(2 * hourMs), order_id: 'past' })]);
  await house.lanes.idle();
  expect(await states(to)).toEqual([...Array(2).fill(['waiting', '100/2804001', null]), accepted]);
  await later(hourMs - 60_000);
  expect((await states(to)).map(([state]) => state)).toEqual(['waiting', 'waiting', 'accepted']);
  await later(61_000);
  expect(await states(to)).toEqual(Array(3).fill(accepted));
  expect(counted(meta).map(({ received }) => received)).toEqual([1, 1, 1]);
});

it.each([-hourMs, hourMs])(
  'each conversion ends once at a Data Manager whose clock is wrong by %i ms, and what it says of one is told',
  async (skew) => {
    const to = await toGoogle();
    google.admin('POST', '/clock', { skew });
    const at = (ms: number) => ({ occurred_at: new Date(clock.now() - ms).toISOString() });
    await house.add(
      [to],
      [...many(2, at(2_000)), ...many(1, at(2 * hourMs)), ...many(1, at(90 * 24 * hourMs - hourMs / 2))],
    );
    const theirs = clock.now() + skew;
    const isBehind = skew < 0;
    // It refuses a request for what is in the future by its clock, and names the rows.
    const fieldViolations = [0, 1].map((row) => ({
      ...{ field: `events[${row}].event_timestamp`, description: 'in the future', reason: 'INVALID_FORMAT' },
    }));
    const details = [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations }];
    if (isBehind)
      google.admin('POST', '/next', [
        {
          ...{ status: 400, headers: { date: new Date(theirs).toUTCString() } },
          body: { error: { code: 400, message: 'There was a problem.', status: 'INVALID_ARGUMENT', details } },
        },
      ]);
    await house.lanes.idle();
    const early = isBehind ? ['waiting', 'INVALID_FORMAT', null] : accepted;
    expect(await states(to)).toEqual([early, early, accepted, accepted]);
    await later(hourMs + 5_000);
    expect(await states(to)).toEqual(Array(4).fill(accepted));
    expect(counted(google).map(({ received }) => received)).toEqual(Array(isBehind ? 4 : 3).fill(1));
    // An hour ahead it finds one too old that is not: that is no failure of the request, and stands at it and its rows.
    await house.inside((sql) => sql.run('UPDATE relay_attempts SET result_at = NULL WHERE destination_id <> $1', [to]));
    clock.travel(2 * hourMs);
    await askResults(house.senders);
    const results = (await house.rows(to)).map(({ platform_result }) => platform_result);
    expect(results).toEqual(Array(4).fill(isBehind ? 'SUCCESS' : 'PARTIAL_SUCCESS, EVENT_TOO_OLD 1'));
  },
);

it.each([
  ['of its own', { secret: 'old' }],
  ['of a connection', { secret: null, connection: 6 }],
])('an account whose token %s has expired says so, and its queue waits', async (_whose, access) => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1234567890' }, access);
  await house.add([to], many(1));
  await house.lanes.idle();
  expect(
    await house.inside((sql) => sql.query('SELECT state, state_reason FROM relay_destinations WHERE id = $1', [to])),
  ).toEqual([{ state: 'reconnect', state_reason: 'expired' }]);
  expect(await states(to)).toEqual([['waiting', '190/463', null]]);
});

it('a token that is revoked in the middle of a turn stops the account; what was taken is not sent again, and the rest goes on with another one', async () => {
  const to = await toMeta();
  await house.add([to], many(1_200));
  meta.admin('POST', '/next', [
    { chaos: 'latency', ms: 0 },
    { status: 400, body: { error: { code: 190, error_subcode: 467, type: 'OAuthException' } } },
  ]);
  // A turn is one batch of a thousand: the second one meets the refusal.
  await house.lanes.idle();
  await later(1_000);
  const word = Object.entries(Object.groupBy(await states(to), ([state]) => String(state)));
  expect(word.map(([state, rows]) => [state, rows?.length]).sort()).toEqual([
    ['accepted', 1_000],
    ['waiting', 200],
  ]);
  const [destination] = await house.inside((sql) =>
    sql.query('SELECT state, state_reason FROM relay_destinations WHERE id = $1', [to]),
  );
  expect(destination).toEqual({ state: 'reconnect', state_reason: '190/467' });
  const sealed = await house.vault.seal(destinationSecretPlace(house.organisation, to), 'other');
  await house.inside(async (sql) => {
    await sql.run('UPDATE relay_destinations SET secret_sealed = $2 WHERE id = $1', [to, sealed]);
    await resumeDestination(sql, { organisationId: house.organisation, destinationId: to }, clock.now());
  });
  await later(1_000);
  expect(new Set((await states(to)).map(([state]) => state))).toEqual(new Set(['accepted']));
  expect([counted(meta).length, new Set(counted(meta).map(({ received }) => received))]).toEqual([1_200, new Set([1])]);
});

it.each<[string, object, (string | null)[][], number]>([
  [
    'whose rows have no index is read by its empty results',
    { results: [{ gclid: 'G' }, {}, { gclid: 'G' }], errors: ['EXPIRED_EVENT'] },
    [accepted as never, ['dead', 'EXPIRED_EVENT', null], accepted as never],
    1,
  ],
  [
    'without an index and with several empty results sends those again, and no other',
    { results: [{}, { gclid: 'G' }, {}], errors: ['EXPIRED_EVENT', 'ORDER_ID_ALREADY_IN_USE'] },
    [accepted as never, accepted as never, accepted as never],
    2,
  ],
  [
    'that says neither a row nor a result sends all again',
    { errors: ['EXPIRED_EVENT', 'ORDER_ID_ALREADY_IN_USE'] },
    Array(3).fill(accepted),
    3,
  ],
])(
  'a partial failure %s',
  async (_what, { results, errors }: { results?: object[]; errors?: string[] }, end, again) => {
    const to = await toAds();
    await house.add([to], many(3, { click_ids: { gclid: 'Cj0KCQ' }, user: undefined }));
    const failure = errors?.map((code) => ({ errorCode: { conversionUploadError: code } }));
    ads.admin('POST', '/next', [
      {
        status: 200,
        body: {
          partialFailureError: {
            ...{ code: 3, message: 'Multiple errors' },
            details: [
              { '@type': 'type.googleapis.com/google.ads.googleads.v25.errors.GoogleAdsFailure', errors: failure },
            ],
          },
          ...(results !== undefined && { results }),
        },
      },
    ]);
    await house.lanes.idle();
    await later(20_000);
    expect(await states(to)).toEqual(end);
    const items = (await attempts(to)).map((one) => one.items);
    expect(items).toEqual(again === 1 ? [3] : [3, again]);
  },
);

it('both braids on one conversion set that one aside with the field named; the others of its batch go, once', async () => {
  const to = await toGoogle();
  const [both] = many(1, { click_ids: { gbraid: 'Gb', wbraid: 'Wb' } });
  await house.add(
    [to],
    [...many(1), both as never, ...many(1, { click_ids: { gbraid: 'Gb' }, items: undefined, custom: undefined })],
  );
  await house.lanes.idle();
  expect(await states(to)).toEqual([accepted, ['dead', 'click_ids_conflict', 'click_ids'], accepted]);
  expect(counted(google).map(({ received }) => received)).toEqual([1, 1]);
  expect((await attempts(to)).map((one) => one.items)).toEqual([2]);
});

type Sent = { eventDeviceInfo?: object };
it('Data Manager gets address and browser of somebody in the United States, and of nobody in the EEA', async () => {
  const to = await toGoogle();
  const reached = { email: 'alexz@example.com', ip: '8.8.8.8', user_agent: 'Mozilla/5.0' };
  await house.add(
    [to],
    [...many(1, { user: { ...reached, country: 'US' } }), ...many(1, { user: { ...reached, country: 'DE' } })],
  );
  await house.lanes.idle();
  expect(await states(to)).toEqual(Array(2).fill(accepted));
  const { requests } = google.admin('GET', '/received') as { requests: { body: { events: Sent[] } }[] };
  const events = requests.flatMap(({ body }) => body.events);
  expect(events.map(({ eventDeviceInfo }) => eventDeviceInfo)).toEqual([
    { userAgent: 'Mozilla/5.0', ipAddress: '8.8.8.8' },
    undefined,
  ]);
});
