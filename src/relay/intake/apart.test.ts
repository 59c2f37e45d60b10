import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSendingHouse, root, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import { systemRandom } from '../../platform/random.ts';
import { ringOf } from '../../trust/keys/index.ts';
import { firstTellings, namedIdentities, nearestIdentities } from './apart.ts';
import { loadSegment } from './loader.ts';
import { makeRecord, recordLine } from './record.ts';

/** Issue 6, part 3: the same words within a sliding ten minutes are one conversion, in whatever order they are loaded. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
let house: SendingHouse;
let source: number;
const keys = ringOf(root);
const began = systemClock.now() - 5 * 3_600_000;

beforeAll(async () => {
  house = await openSendingHouse({ clock: systemClock, baseUrls: {} });
  ({ source } = await house.addShop([['webhook', { url: 'https://hook.example/' }]]));
});
afterAll(() => house.close());

/** @param minute when it came; the words say nothing of that */
function line(words: string, minute: number, order_id?: string): string {
  const at = began + minute * 60_000;
  const order = order_id === undefined ? {} : { order_id };
  const record = makeRecord(
    { event_name: words, occurred_at: new Date(at).toISOString(), ...order },
    {
      ...{ id: source, organisationId: house.organisation, siteId: null, kind: 'http' },
      ...{ kinds: ['webhook'], doublesMinutes: 10, rawDays: 7, mappingVersion: 0 },
    },
    { request: '0190a000-0000-7000-8000-000000000001', at, freshKeys: undefined },
    { keys, vault: house.vault, random: systemRandom, countryOf: () => 'US', regionOf: () => 'us' as const },
  );
  if (record === undefined) throw new Error('Nobody is in it, and no key is asked for.');
  return recordLine(record);
}

async function load(...lines: string[]): Promise<void> {
  await loadSegment(
    { postgres: house.store.postgres, vault: house.vault, keys, log: { warn: () => {}, error: () => {} } },
    Buffer.from(`${lines.join('\n')}\n`),
  );
}

type Way = 'in one segment' | 'in several';
async function tell(words: string, minutes: readonly number[], way: Way): Promise<void> {
  const lines = minutes.map((minute) => line(words, minute));
  if (way === 'in one segment') await load(...lines);
  else for (const one of lines) await load(one);
}

/** Conversions, deliveries, and how many tellings were counted as a double. */
async function counted(words: string): Promise<[conversions: number, deliveries: number, doubles: number]> {
  const row = await house.inside((sql) =>
    sql.one<{ conversions: number; deliveries: number; doubles: number }>(
      `SELECT count(*)::int AS conversions, sum(c.doubles)::int AS doubles,
         (SELECT count(*) FROM relay_deliveries d JOIN relay_conversions o ON o.id = d.conversion_id WHERE o.event_name = $1)::int AS deliveries
       FROM relay_conversions c WHERE c.event_name = $1`,
      [words],
    ),
  );
  return [row.conversions, row.deliveries, row.doubles];
}

function permutations(of: readonly number[]): number[][] {
  if (of.length <= 1) return [[...of]];
  return of.flatMap((one, place) => permutations(of.toSpliced(place, 1)).map((rest) => [one, ...rest]));
}

async function inEveryOrder(
  minutes: readonly number[],
  way: Way,
  expected: (order: readonly number[]) => number,
): Promise<void> {
  for (const order of permutations(minutes)) {
    const words = `${way} ${order.join(' ')}`;
    await tell(words, order, way);
    const conversions = expected(order);
    expect([words, ...(await counted(words))]).toEqual([words, conversions, conversions, minutes.length - conversions]);
  }
}

describe.each(['in one segment', 'in several'] as const)('%s', (way) => {
  it('four repeats within ten minutes are one, whichever came first', () => inEveryOrder([0, 3, 6, 9], way, () => 1));

  it('two bodies eleven minutes apart are two, and their repeats are theirs', () =>
    inEveryOrder([0, 3, 14, 17], way, () => 2));

  it('ten minutes are near and a second more is not', async () => {
    await tell(`edge ${way}`, [10, 0], way);
    expect(await counted(`edge ${way}`)).toEqual([1, 1, 1]);
    await tell(`beyond ${way}`, [10 + 1 / 60, 0], way);
    expect(await counted(`beyond ${way}`)).toEqual([2, 2, 0]);
  });

  it('a chain of which each is near to its neighbour is one; two that were made before what lies between stay two', () =>
    inEveryOrder([0, 9, 18], way, ([first, second]) =>
      way === 'in several' && Math.abs((first ?? 0) - (second ?? 0)) > 10 ? 2 : 1,
    ));

  it('what is taken again hours later belongs to its own hour', async () => {
    const words = `captured ${way}`;
    await load(line(words, 200));
    await tell(words, [0, 1, 2, 3], way);
    await tell(words, [205, -5, 199], way);
    expect(await counted(words)).toEqual([2, 2, 6]);
  });

  it('an order is one conversion however far apart it is told of', async () => {
    const lines = [240, 0, 120].map((minute) => line(`order ${way}`, minute, `far ${way}`));
    if (way === 'in one segment') await load(...lines);
    else for (const one of lines) await load(one);
    expect(await counted(`order ${way}`)).toEqual([1, 1, 2]);
  });
});

it('keeps the last moment of each of several conversions of the same words', async () => {
  const words = 'moments';
  for (const minutes of [[60], [0, 5], [65]]) await tell(words, minutes, 'in several');
  const rows = await house.inside((sql) =>
    sql.query<{ minute: number }>(
      `SELECT extract(epoch FROM i.last_at - $2)::int / 60 AS minute FROM relay_identities i
       JOIN relay_conversions c ON c.organisation_id = i.organisation_id AND c.id = i.conversion_id
       WHERE c.event_name = $1 ORDER BY 1`,
      [words, new Date(began)],
    ),
  );
  expect(rows.map(({ minute }) => minute)).toEqual([5, 65]);
});

describe('asks by index, under row security', () => {
  const digests = Array.from({ length: 500 }, (_, n) => Buffer.alloc(32, n));
  const plan = (text: string, values: unknown[]) =>
    house.inside(async (sql) => {
      const { is_bound } = await sql.one<{ is_bound: boolean }>(
        'SELECT NOT (rolsuper OR rolbypassrls) AS is_bound FROM pg_roles WHERE rolname = current_user',
      );
      expect(is_bound).toBe(true);
      const rows = await sql.query<Record<string, string>>(`EXPLAIN ${text}`, values);
      return rows.map((row) => Object.values(row)[0]).join('\n');
    });
  beforeAll(() =>
    house.inside((sql) =>
      sql.run(
        `WITH made AS (
           INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent,
             region, mapping_version, raw_days, settled_at)
           SELECT current_organisation(), gen_random_uuid(), $1, 'many', now(), now(), '{}', '{}', '{}', 'us', 1, 7, now()
           FROM generate_series(1, 5000) RETURNING id),
         named AS (
           INSERT INTO relay_identities (organisation_id, identity, conversion_id, last_at)
           SELECT current_organisation(), sha256(id::text::bytea), id, now() FROM made)
         INSERT INTO relay_tellings (organisation_id, id, conversion_id, source_id, request_id, received_at, present)
         SELECT current_organisation(), gen_random_uuid(), id, $1, id, now(), '{}' FROM made`,
        [source],
      ),
    ),
  );

  it.each(['of a desk without statistics', 'and with them'])('%s', async (when) => {
    if (when === 'and with them')
      await house.store.asOwner((sql) => sql.run('ANALYZE relay_identities, relay_tellings, relay_conversions'));
    for (const identities of [
      await plan(namedIdentities, [digests]),
      await plan(nearestIdentities, [digests, digests.map(() => new Date(began))]),
    ]) {
      expect(identities).toMatch(/Index (?:Only )?Scan using relay_identities_pkey/);
      expect(identities).toMatch(/Index Cond: .*identity = given\.identity/);
      expect(identities).not.toMatch(/Seq Scan/);
    }
    const tellings = await plan(firstTellings, [digests.map(() => '0190a000-0000-7000-8000-000000000001')]);
    expect(tellings).toContain('relay_tellings_of_a_conversion');
    expect(tellings).not.toMatch(/Seq Scan/);
  });
});
