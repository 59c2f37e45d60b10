import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ConversionStory } from '../../contract/relay_reading.ts';
import type { MappingTrialAnswer, RelayDestination } from '../../contract/relay_settings.ts';
import type { Emulated } from '../../emulators/admin.ts';
import { openMetaEmulator } from '../../emulators/meta.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** A desk whose operator has set a version that its platform refuses, and sets another one: over HTTP, with a restart between. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 90_000 });

let desk: TestDesk;
let meta: Emulated;
const of = '/api/organisations/1/relay';

beforeAll(async () => {
  meta = await openMetaEmulator({
    ...{ now: () => Date.now(), chance: () => 0.5 },
    ...{ datasets: ['1234567890'], tokens: { token: 'valid' } },
  });
  desk = await openTestDesk(['shop.example'], {
    FAIRLEAD_META_VERSION: 'v12.0',
    FAIRLEAD_RELAY_META_URL: meta.url,
    FAIRLEAD_OUTBOUND_ALLOW: '127.0.0.1',
  });
});
afterAll(async () => {
  await desk?.close();
  await meta?.close();
});

const paths = () =>
  (meta.admin('GET', '/received') as { requests: { path: string }[] }).requests.map(({ path }) => path);

it('what waits since a version was refused goes by the next one, and every page shows that one', async () => {
  const made = async (path: string, body: object) => {
    const answer = await desk.call('POST', `${of}${path}`, body);
    expect(answer, path).toMatchObject({ status: 201 });
    return answer.body as Record<string, unknown>;
  };
  const { source, address } = (await made('/sources', { name: 'Shop', preset: 'canonical' })) as {
    source: { id: number };
    address: string;
  };
  const to = await made('/destinations', {
    ...{ kind: 'meta-capi', name: 'Meta', settings: { dataset_id: '1234567890' }, secret: 'token' },
  });
  await made('/routes', { source_id: source.id, destination_id: to.id });
  const order = {
    ...{ event_name: 'Purchase', order_id: 'A-1', occurred_at: new Date(Date.now() - 60_000).toISOString() },
    ...{ value: '12.00', currency: 'EUR', action_source: 'phone_call', user: { email: 'ada@shop.example' } },
    consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
  };
  await desk.raw({
    ...{ path: new URL(address).pathname, headers: { 'content-type': 'application/json' } },
    body: JSON.stringify(order),
  });
  const destination = async () =>
    (await desk.call('GET', `${of}/destinations/${to.id}`)).body as unknown as RelayDestination;
  await vi.waitFor(
    async () => expect(await destination()).toMatchObject({ state: 'misconfigured', state_reason: '2635/v12.0' }),
    { timeout: 30_000 },
  );
  expect(paths()).toEqual(['/v12.0/1234567890/events']);

  await desk.restart(undefined, { FAIRLEAD_META_VERSION: 'v24.0' });
  type Listed = { deliveries: { state: string; conversion_id: string }[] };
  const delivery = async () =>
    ((await desk.call('GET', `${of}/deliveries`)).body as unknown as Listed).deliveries[0] as Listed['deliveries'][0];
  await vi.waitFor(async () => expect(await delivery()).toMatchObject({ state: 'accepted' }), { timeout: 30_000 });
  expect(paths()).toEqual(['/v12.0/1234567890/events', '/v24.0/1234567890/events']);
  expect(await destination()).toMatchObject({ state: 'active', state_reason: null });

  const url = 'https://graph.facebook.com/v24.0/1234567890/events';
  const { conversion_id: id } = await delivery();
  const story = (await desk.call('GET', `${of}/conversions/${id}`)).body as unknown as ConversionStory;
  expect(story.deliveries).toMatchObject([{ request: { url } }]);
  const trial = await desk.call('POST', `${of}/sources/${source.id}/try`, {
    request: {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify(order),
    },
  });
  const { conversions } = trial.body as unknown as MappingTrialAnswer;
  expect(conversions[0]?.deliveries, JSON.stringify(trial.body)).toMatchObject([{ outcome: 'sent', request: { url } }]);
});
