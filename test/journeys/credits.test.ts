import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Credits, CreditTransferStory, CreditTransfersPage } from '../../contract/credits.ts';
import type { ConversionStory } from '../../contract/relay_reading.ts';
import type { Emulated } from '../../emulators/admin.ts';
import { openMetaEmulator } from '../../emulators/meta.ts';
import { createOrganisation } from '../../src/accounts/index.ts';
import { onDesk } from '../../src/app/with_desk.ts';
import { readConfig } from '../../src/platform/config.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** A desk whose operator has credits on, over HTTP and the command line: a conversion comes in, waits, is paid, and leads back. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

let desk: TestDesk;
let meta: Emulated;
const million = 1_000_000;
const of = '/api/organisations/1/relay';

const mapping = {
  fields: {
    ...{ event_name: { default: 'purchase' }, order_id: 'order', occurred_at: 'at', value: { default: '12.00' } },
    ...{ currency: { default: 'EUR' }, action_source: { default: 'phone_call' }, 'user.email': 'mail' },
    'consent.ad_user_data': { default: 'granted' },
    'consent.ad_personalization': { default: 'granted' },
  },
};

beforeAll(async () => {
  meta = await openMetaEmulator({
    ...{ now: () => Date.now(), chance: () => 0.5 },
    ...{ datasets: ['1234567890'], tokens: { token: 'valid' } },
  });
  desk = await openTestDesk(['shop.example'], {
    FAIRLEAD_CREDITS: 'on',
    FAIRLEAD_RELAY_META_URL: meta.url,
    FAIRLEAD_OUTBOUND_ALLOW: '127.0.0.1',
  });
});
afterAll(async () => {
  await desk?.close();
  await meta?.close();
});

const credits = async () => (await desk.call('GET', `${of}/credits?period=7d`)).body as unknown as Credits;
const command = (args: Record<string, string>) =>
  onDesk({ command: 'credits', args }, readConfig({ FAIRLEAD_DATA_DIR: desk.dataDir, PORT: '0' }));

it('a conversion waits while no credit is left, goes when one is added, and its line leads back to it (BIL-03)', async () => {
  expect(await credits()).toMatchObject({ is_on: true, state: 'out', balance: { available: 0, granted: 0 } });
  const made = async (path: string, body: object) => {
    const answer = await desk.call('POST', `${of}${path}`, body);
    expect(answer, path).toMatchObject({ status: 201 });
    return answer.body as Record<string, unknown>;
  };
  const { source, address } = (await made('/sources', { name: 'Shop orders' })) as {
    source: { id: number };
    address: string;
  };
  await made(`/sources/${source.id}/mappings`, { mapping, note: 'Our own words', after: 0 });
  const to = await made('/destinations', {
    ...{ kind: 'meta-capi', name: 'Meta', settings: { dataset_id: '1234567890' }, secret: 'token' },
  });
  await made('/routes', { source_id: source.id, destination_id: to.id });
  const order = {
    ...{ order: 'A-1', mail: 'ada@shop.example' },
    at: new Date(Date.now() - 60_000).toISOString(),
  };
  const sent = await desk.raw({
    ...{
      path: new URL(address).pathname,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(order),
    },
  });
  expect(JSON.parse(sent.text)).toMatchObject({ accepted: 1 });
  const delivery = async () =>
    ((await desk.call('GET', `${of}/deliveries`)).body.deliveries as { state: string; reason: string | null }[])[0];
  await vi.waitFor(async () => expect(await delivery()).toMatchObject({ state: 'waiting', reason: 'no_credits' }), {
    timeout: 20_000,
  });
  expect(await command({ organisation: '1', credits: '2', reference: 'Invoice 7', key: 'i-7' })).toMatchObject({
    ...{ organisation: '1', credits: 'on', granted: 2 },
    // What waited may have taken one already.
    available: expect.toBeOneOf([1, 2]),
  });
  expect(await command({ organisation: '1', credits: '2', key: 'i-7' })).toMatchObject({
    available: expect.any(Number),
    granted: 2,
  });
  await vi.waitFor(async () => expect(await delivery()).toMatchObject({ state: 'accepted' }), { timeout: 20_000 });
  expect(await credits()).toMatchObject({
    balance: { available: million, consumed: million, granted: 2 * million },
    destinations: [{ destination_id: to.id, consumed: million, deliveries: 1 }],
    lots: [{ remaining: million, expires_at: null }],
  });
  const page = (await desk.call('GET', `${of}/credits/transfers`)).body as unknown as CreditTransfersPage;
  expect(page.transfers.map(({ kind, change }) => [kind, change])).toEqual([
    ['charge', -million],
    ['grant', 2 * million],
  ]);
  const line = (await desk.call('GET', `${of}/credits/transfers/${page.transfers[0]?.id}`))
    .body as unknown as CreditTransferStory;
  const [charge] = line.charges;
  const story = await desk.call('GET', `${of}/conversions/${charge?.conversion_id}`);
  expect(story.body as unknown as ConversionStory).toMatchObject({ order_id: 'A-1' });
});

it('is added by whoever runs the desk alone, and seen by nobody of another organisation', async () => {
  const { postgres } = desk.server.desk.house;
  const { organisationId, slug } = await postgres.system((sql) =>
    createOrganisation(sql, desk.server.desk.house, {
      email: 'owner@other.example',
      organisation: 'Other',
      hash: 'none',
    }),
  );
  const other = `/api/organisations/${organisationId}/relay/credits`;
  for (const path of [other, `${other}/transfers`, `${other}/transfers/1`])
    expect((await desk.call('GET', path)).status).toBe(404);
  // A key adds nothing, whatever its scopes: that is for a person who runs the desk.
  expect((await desk.call('POST', '/api/desk/organisations/1/credits', { credits: 5 })).status).not.toBe(201);
  const cookie = await desk.signIn();
  const add = async (organisation: string) =>
    (
      await desk.raw({
        ...{ path: `/api/desk/organisations/${organisation}/credits`, body: JSON.stringify({ credits: 5 }) },
        headers: { cookie, 'content-type': 'application/json', origin: desk.base },
      })
    ).status;
  expect([await add(slug), await add('nowhere'), await add('99999')]).toEqual([201, 404, 404]);
  // What one has is nothing of another's.
  expect((await credits()).balance.granted).toBe(2 * million);
  expect(await command({ organisation: slug })).toMatchObject({ available: 5 });
});
