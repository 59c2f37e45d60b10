import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openGoogleAdsEmulator } from '../../../emulators/google_ads.ts';
import { openLinkedInEmulator } from '../../../emulators/linkedin.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';
import { goOnWithVersions } from './versions.ts';

/** Real lanes and platforms that take some versions and refuse others, as the reference has it. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
/** The operator's settings, as a start reads them. */
const versions: Record<string, string> = {};
let house: SendingHouse;
let platforms: Record<string, Emulated>;
beforeAll(async () => {
  const parts = { now: () => clock.now(), chance: () => 0.5 };
  platforms = {
    'meta-capi': await openMetaEmulator({ ...parts, datasets: ['1234567890'], tokens: { token: 'valid' } }),
    'google-ads-upload': await openGoogleAdsEmulator({
      ...{ ...parts, tokens: { token: ['https://www.googleapis.com/auth/adwords'] } },
      ...{ accessible: ['1'], isAllowlisted: true },
      accounts: [
        {
          ...{ id: '1', name: 'Shop', currency: 'EUR', timeZone: 'Europe/Berlin' },
          actions: [{ id: '7', name: 'Sale', type: 'UPLOAD_CLICKS' }],
        },
      ],
    }),
    linkedin: await openLinkedInEmulator({
      ...{ ...parts, tokens: ['token'], apps: [] },
      accounts: [{ id: '501', name: 'Shop', currency: 'EUR', rules: [{ id: '104', name: 'Sale' }] }],
    }),
  };
  house = await openSendingHouse({
    ...{ clock, versions },
    baseUrls: Object.fromEntries(Object.entries(platforms).map(([kind, { url }]) => [kind, url])),
  });
});
afterAll(() => Promise.all([house, ...Object.values(platforms)].map((one) => one.close())));

const settings: Record<string, object> = {
  'meta-capi': { dataset_id: '1234567890' },
  'google-ads-upload': { customer_id: '1', conversion_action_id: '7' },
  linkedin: { conversion_id: '104' },
};
let number = 0;
const add = (to: number) =>
  house.add(
    [to],
    [{ given: { ...order, order_id: `V-${++number}`, occurred_at: new Date(clock.now() - 60_000).toISOString() } }],
  );
const states = async (to: number) => (await house.rows(to)).map(({ state, reason }) => [state, reason]);
const account = (id: number) =>
  house.inside((sql) => sql.one('SELECT state, state_reason FROM relay_destinations WHERE id = $1', [id]));
const platformOf = (kind: string) => platforms[kind] as Emulated;
const counted = (kind: string) =>
  (platformOf(kind).admin('GET', '/counted') as { counted: { received: number }[] }).counted;
/** Where the last request went, with its version, wherever that stands. */
function lastAsked(kind: string): string {
  const { requests } = platformOf(kind).admin('GET', '/received') as {
    requests: { path: string; headers: Record<string, string> }[];
  };
  const { path = '', headers = {} } = requests.at(-1) ?? {};
  return `${path} ${headers['linkedin-version'] ?? ''}`.trim();
}

it.each([
  ['meta-capi', 'v24.0', '/v24.0/1234567890/events', 'v12.0', '2635/v12.0'],
  ['google-ads-upload', 'v26', '/v26/customers/1:uploadClickConversions', 'v19', 'UNSUPPORTED_VERSION/v19'],
  // Of one that never was there is a page alone.
  ['google-ads-upload', 'v24', '/v24/customers/1:uploadClickConversions', 'v99', 'http_404/v99'],
  ['linkedin', '202610', '/rest/conversionEvents 202610', '202501', 'http_426/202501'],
])(
  '%s is sent to by the version that is set, %s; one that it refuses stops the account and says which, until another is set',
  async (kind, set, path, gone, reason) => {
    for (const one of Object.values(platforms)) one.admin('POST', '/reset', {});
    const to = await house.addDestination(kind, settings[kind] as object);
    versions[kind] = set;
    await add(to);
    await house.lanes.idle();
    expect([await states(to), lastAsked(kind)]).toEqual([[['accepted', null]], path]);

    versions[kind] = gone;
    await add(to);
    await house.lanes.idle();
    expect(await account(to)).toEqual({ state: 'misconfigured', state_reason: reason });
    expect(await states(to)).toEqual([
      ['accepted', null],
      ['waiting', reason],
    ]);
    // The same again is of no use, and nothing is asked.
    expect(await goOnWithVersions(house.senders)).toBe(0);
    clock.travel(3_600_000);
    await house.lanes.idle();
    expect(lastAsked(kind)).toContain(gone);

    versions[kind] = set;
    expect(await goOnWithVersions(house.senders)).toBe(1);
    expect(await account(to)).toEqual({ state: 'active', state_reason: null });
    await house.lanes.idle();
    expect([await states(to), lastAsked(kind)]).toEqual([Array(2).fill(['accepted', null]), path]);
    expect(counted(kind).map(({ received }) => received)).toEqual([1, 1]);
  },
);

it('an account that stands for anything else stands on, whatever version is set', async () => {
  const others = await Promise.all(
    ['100/33', 'settings.dataset_id', 'http_403', '2635/v25.0'].map(async (why) => {
      const id = await house.addDestination('meta-capi', settings['meta-capi'] as object);
      await house.inside((sql) =>
        sql.run(`UPDATE relay_destinations SET state = 'misconfigured', state_reason = $2 WHERE id = $1`, [id, why]),
      );
      return id;
    }),
  );
  versions['meta-capi'] = 'v25.0';
  expect(await goOnWithVersions(house.senders)).toBe(0);
  delete versions['meta-capi'];
  expect(await goOnWithVersions(house.senders)).toBe(0);
  for (const id of others) expect(await account(id)).toMatchObject({ state: 'misconfigured' });
});
