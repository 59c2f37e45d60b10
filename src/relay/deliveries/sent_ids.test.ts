import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type AllEmulators,
  emulatedAccounts as accounts,
  type EmulatedPlatform,
  openAllEmulators,
} from '../../../emulators/all.ts';
import { openSendingHouse, root, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import { systemRandom } from '../../platform/random.ts';
import { ringOf } from '../../trust/keys/index.ts';
import { readConversion } from '../conversions/read.ts';
import { now, order } from '../destinations/senders_fixture.ts';
import { loadSegment, platformId } from '../intake/loader.ts';
import { identityOf, makeRecord, recordLine } from '../intake/record.ts';
import { destinationSecretPlace } from '../settings/secrets.ts';
import { replay } from './replays.ts';

/**
 * Under which id an event of a page is told of that has no order (reference, decision 4): its own where the platform's pixel on that
 * page tells it, too, and at all others a keyed digest that says nothing elsewhere. To emulators that know the platforms alone.
 */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
const clock = stillClock(now);
const keys = ringOf(root);
let all: AllEmulators;
let house: SendingHouse;

const { customer, conversionAction } = accounts.google;
const google = { customer_id: customer, conversion_action_id: conversionAction };
type Body = Record<string, Record<string, unknown>[]>;
interface Place {
  readonly kind: string;
  readonly platform: EmulatedPlatform;
  readonly settings: object;
  readonly secret?: string;
  /** Where the documents of the platform have the id. */
  id(request: { body: Body; query: Record<string, string> }): unknown;
}
const pixels: readonly Place[] = [
  {
    ...{ kind: 'meta-capi', platform: 'meta', settings: { dataset_id: accounts.meta.dataset } },
    id: ({ body }) => body.data?.[0]?.event_id,
  },
  {
    ...{ kind: 'tiktok', platform: 'tiktok', settings: { pixel_id: accounts.tiktok.pixel } },
    id: ({ body }) => body.data?.[0]?.event_id,
  },
  {
    ...{ kind: 'pinterest', platform: 'pinterest', settings: { ad_account_id: accounts.pinterest } },
    id: ({ body }) => body.data?.[0]?.event_id,
  },
  {
    ...{ kind: 'snap', platform: 'snap', settings: { pixel_id: accounts.snap } },
    id: ({ body }) => body.data?.[0]?.event_id,
  },
  {
    ...{ kind: 'reddit', platform: 'reddit', settings: { account_id: accounts.reddit } },
    id: ({ body }) => (body.events?.[0]?.event_metadata as Record<string, unknown> | undefined)?.conversion_id,
  },
  {
    ...{ kind: 'x', platform: 'x', settings: { pixel_id: accounts.x, event_id: `tw-${accounts.x}-o87ne` } },
    id: ({ body }) => body.conversions?.[0]?.conversion_id,
  },
  {
    ...{ kind: 'linkedin', platform: 'linkedin', settings: { conversion_id: accounts.linkedin.rule } },
    id: ({ body }) => body.elements?.[0]?.eventId,
  },
  {
    ...{ kind: 'microsoft', platform: 'microsoft', settings: { tag_id: accounts.microsoft.tag } },
    id: ({ body }) => body.data?.[0]?.eventId,
  },
];
const others: readonly Place[] = [
  {
    ...{ kind: 'google-data-manager', platform: 'data_manager', settings: google },
    id: ({ body }) => body.events?.[0]?.transactionId,
  },
  {
    ...{ kind: 'ga4', platform: 'ga4', settings: { measurement_id: accounts.ga4.measurementId } },
    ...{
      secret: accounts.ga4.secret,
      id: ({ body }) => (body.events?.[0]?.params as Record<string, unknown> | undefined)?.transaction_id,
    },
  },
  {
    ...{ kind: 'webhook', platform: 'webhook', settings: { url: 'https://hook.example/' }, secret: accounts.webhook },
    id: ({ body }) => (body.data as unknown as { id: string }).id,
  },
];
const places = [...pixels, ...others];

beforeAll(async () => {
  all = await openAllEmulators({ now: () => clock.now(), chance: () => 0.5, redirectUris: [] });
  house = await openSendingHouse({
    clock,
    baseUrls: Object.fromEntries(places.map(({ kind, platform }) => [kind, all.platforms[platform].url])),
  });
});
afterAll(() => Promise.all([all.close(), house.close()]));
beforeEach(() => {
  for (const { platform } of places) all.platforms[platform].admin('POST', '/reset', {});
});

/** A source with a route to each, of whatever organisation. */
async function shop(
  to: readonly Place[],
  organisation = house.organisation,
): Promise<{ source: number; destinations: Map<string, number> }> {
  return house.senders.postgres.tenant(organisation, async (sql) => {
    const { id: source } = await sql.one<{ id: number }>(
      `INSERT INTO relay_sources (organisation_id, name, kind, preset, created_at)
       VALUES (current_organisation(), 'Shop', 'http', 'canonical', now()) RETURNING id`,
    );
    const destinations = new Map<string, number>();
    for (const { kind, settings, secret = 'token' } of to) {
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO relay_destinations (organisation_id, kind, name, settings, state_since, created_at)
         VALUES (current_organisation(), $1, $1, $2, now(), now()) RETURNING id`,
        [kind, settings],
      );
      const sealed = await house.vault.seal(destinationSecretPlace(organisation, id), secret);
      await sql.run('UPDATE relay_destinations SET secret_sealed = $2 WHERE id = $1', [id, sealed]);
      await sql.run(
        `INSERT INTO relay_routes (organisation_id, source_id, destination_id, rules, created_at)
         VALUES (current_organisation(), $1, $2, '{}', now())`,
        [source, id],
      );
      destinations.set(kind, id);
    }
    return { source, destinations };
  });
}

const { order_id: _order, items: _items, ...plain } = order;
/** Takes a conversion in, as a source of these destinations does. */
async function take(source: number, to: readonly Place[], given: object, organisationId = house.organisation) {
  const conversion = readConversion({ ...plain, ...given }, clock.now());
  if ('reason' in conversion) throw new Error(conversion.reason);
  const freshKeys = await house.vault.fresh(organisationId);
  const record = makeRecord(
    conversion,
    {
      ...{ id: source, organisationId, siteId: null, kind: 'http', kinds: to.map(({ kind }) => kind) },
      ...{ doublesMinutes: 10, rawDays: 7, mappingVersion: 0 },
    },
    { request: '0190a000-0000-7000-8000-000000000001', at: clock.now(), freshKeys },
    { keys, vault: house.vault, random: systemRandom, countryOf: () => 'US', regionOf: () => 'us' as const },
  );
  freshKeys.close();
  if (record === undefined) throw new Error('A key was at hand.');
  await loadSegment(
    { postgres: house.store.postgres, vault: house.vault, keys, log: { warn: () => {}, error: () => {} } },
    Buffer.from(`${recordLine(record)}\n`),
  );
}

async function later(): Promise<void> {
  clock.travel(30 * 60_000);
  await house.lanes.idle();
}

/** Ids under which a platform was told, one for each request. */
function told({ platform, id }: Place): string[] {
  const { requests } = all.platforms[platform].admin('GET', '/received') as { requests: Parameters<Place['id']>[0][] };
  return requests.map((request) => String(id(request)));
}

const digest = /^[0-9a-f]{32}$/;

it('is its own where a pixel tells it, too, and elsewhere a digest of that destination alone; the same at each attempt and replay', async () => {
  const { source } = await shop(places);
  await take(source, places, { event_id: 'page-1' });
  for (const { platform } of places)
    all.platforms[platform].admin('POST', '/next', [{ status: 503, headers: {}, body: 'not now' }]);
  await house.lanes.idle();
  await later();
  const rows = await house.inside((sql) =>
    sql.query<{ id: number; kind: string; platform_id: string; state: string; attempts: number }>(
      `SELECT d.id, o.kind, d.platform_id, d.state, d.attempts FROM relay_deliveries d
       JOIN relay_destinations o ON o.id = d.destination_id ORDER BY d.id`,
    ),
  );
  expect(rows.map(({ kind, state, attempts }) => [kind, state, attempts])).toEqual(
    places.map(({ kind }) => [kind, 'accepted', 2]),
  );
  await house.inside((sql) => replay(sql, house.organisation, { ids: rows.map(({ id }) => id) }, { now: clock.now() }));
  // Told a second time, too: by now it is known.
  await take(source, places, { event_id: 'page-1' });
  await later();
  for (const place of places) {
    const { platform_id } = rows.find(({ kind }) => kind === place.kind) ?? { platform_id: '' };
    expect([place.kind, ...told(place)]).toEqual([place.kind, ...Array(3).fill(platform_id)]);
  }
  const by = new Map(rows.map(({ kind, platform_id }) => [kind, platform_id]));
  expect(pixels.map(({ kind }) => by.get(kind))).toEqual(pixels.map(() => 'page-1'));
  const digests = others.map(({ kind }) => by.get(kind));
  for (const one of digests) expect(one).toMatch(digest);
  expect(new Set(digests).size).toBe(others.length);
});

it('an order is itself everywhere, and what did not happen on a page is a digest everywhere', async () => {
  const { source } = await shop(places);
  await take(source, places, { event_id: 'page-2', order_id: 'O-2' });
  await house.lanes.idle();
  for (const place of places) expect([place.kind, ...told(place)]).toEqual([place.kind, 'O-2']);
  for (const { platform } of places) all.platforms[platform].admin('POST', '/reset', {});
  const calls = places.filter(({ kind }) => kind === 'meta-capi' || kind === 'google-data-manager');
  const { source: phone } = await shop(calls);
  await take(phone, calls, { event_id: 'call-1', action_source: 'phone_call', page_url: undefined });
  await later();
  const ids = calls.flatMap(told);
  expect(ids).toHaveLength(2);
  for (const one of ids) expect(one).toMatch(digest);
  expect(new Set(ids).size).toBe(2);
});

it('no two organisations send the same digest of one id', async () => {
  const [hook] = others.filter(({ kind }) => kind === 'webhook') as [Place];
  const other = await house.store.asOwner(async (sql) => {
    const { id } = await sql.one<{ id: number }>("SELECT nextval('organisations_id_seq') AS id");
    await sql.run("SELECT set_config('fairlead.organisation', $1, false)", [String(id)]);
    await sql.run("INSERT INTO organisations (id, name, slug, created_at) VALUES ($1, 'south', 'south', now())", [id]);
    return id;
  });
  for (const organisation of [house.organisation, other]) {
    const { source } = await shop([hook], organisation);
    await take(source, [hook], { event_id: 'page-3' }, organisation);
  }
  await later();
  const ids = told(hook);
  expect(ids).toHaveLength(2);
  for (const one of ids) expect(one).toMatch(digest);
  expect(new Set(ids).size).toBe(2);
  // Of the same numbers, too: the organisation itself is in it.
  const of = (organisation: number, id = 1) => idAt({ id, kind: 'webhook' }, organisation);
  expect(of(1)).toBe(of(1));
  expect(new Set([of(1), of(2), of(1, 2)]).size).toBe(3);
});

it('one event that reaches two goals is two conversions there, and one where the pixel tells of it', () => {
  const at = (kind: string) =>
    new Set(['purchase', 'lead'].map((event_name) => idAt({ id: 1, kind }, 1, { event_name }, 'goals')));
  expect([at('google-data-manager').size, at('meta-capi')]).toEqual([2, new Set(['page-3'])]);
});

/** The id of one event of a page at a destination. */
function idAt(
  destination: { id: number; kind: string },
  organisationId: number,
  more: object = {},
  kind: 'http' | 'goals' = 'http',
): string {
  const facts = { ...plain, event_id: 'page-3', ...more } as never;
  const identity = identityOf(facts, { id: 1, organisationId, siteId: null, kind, doublesMinutes: 10 }, keys);
  return platformId(keys, organisationId, { id: 'c', source: 1, facts, identity }, destination);
}

describe('what corrects a purchase goes under the id that this had', () => {
  const google = others[0] as Place;
  const hook = others[2] as Place;
  const refund = {
    event_name: 'refund',
    refund: true,
    value: undefined,
    page_url: undefined,
    action_source: undefined,
  };
  const conversions = () =>
    (
      all.platforms.data_manager.admin('GET', '') as {
        platform: { conversions: { transactionId: string; event: { conversionValue: number } }[] };
      }
    ).platform.conversions.map(({ transactionId, event }) => [transactionId, event.conversionValue]);

  it('a digest, where it was taken since', async () => {
    const { source } = await shop([google, hook]);
    await take(source, [google, hook], { event_id: 'sale-1' });
    await later();
    await take(source, [google, hook], { ...refund, event_id: 'back-1', original: { event_id: 'sale-1' } });
    await later();
    const [[id] = []] = conversions();
    expect(id).toMatch(digest);
    expect(conversions()).toEqual([[id, 0]]);
    expect(told(google)).toEqual([id, id]);
    expect(new Set(told(hook)).size).toBe(1);
    expect(told(hook)).not.toContain(id);
  });

  it('its own, where that was sent before; and what waits from then goes under that, retried and replayed', async () => {
    const { source, destinations } = await shop([google, hook]);
    const to = [...destinations.values()];
    const given = { ...plain, event_id: 'sale-2', occurred_at: new Date(clock.now() - 60_000).toISOString() };
    await house.add(to, [{ given, id: 'sale-2', source }]);
    for (const { platform } of [google, hook])
      all.platforms[platform].admin('POST', '/next', [{ status: 503, headers: {}, body: 'not now' }]);
    await later();
    await later();
    const rows = (await Promise.all(to.map((one) => house.rows(one)))).flat();
    expect(rows.map(({ state, platform_id }) => [state, platform_id])).toEqual(to.map(() => ['accepted', 'sale-2']));
    await house.inside((sql) =>
      replay(sql, house.organisation, { ids: rows.map(({ id }) => Number(id)) }, { now: clock.now() }),
    );
    await later();
    const back = { ...refund, event_id: 'back-2', original: { event_id: 'sale-2' } };
    await take(source, [google, hook], { ...back, occurred_at: new Date(clock.now() - 60_000).toISOString() });
    await later();
    expect(conversions()).toEqual([['sale-2', 0]]);
    for (const place of [google, hook]) expect(told(place)).toEqual(Array(4).fill('sale-2'));
  });
});
