import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Conversion } from '../../../contract/conversion.ts';
import { openSendingHouse, root, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import { systemRandom } from '../../platform/random.ts';
import { ringOf } from '../../trust/keys/index.ts';
import { loadSegment } from './loader.ts';
import { makeRecord, recordLine } from './record.ts';

/** What comes after the first telling of a conversion, over real PostgreSQL. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let house: SendingHouse;
let source: number;
const keys = ringOf(root);

beforeAll(async () => {
  house = await openSendingHouse({ clock: systemClock, baseUrls: {} });
  ({ source } = await house.addShop([
    ['meta-capi', { dataset_id: '1' }],
    ['webhook', { url: 'https://hook.example/' }],
  ]));
});
afterAll(() => house.close());

type Given = Partial<Pick<Conversion, 'user' | 'consent' | 'event_id'>> & { order_id?: string };
const granted = { ad_user_data: 'granted', ad_personalization: 'granted' } as const;

/** @param agoMs how long ago it came: ids are in the order of time */
async function line(given: Given, agoMs = 0): Promise<string> {
  const freshKeys = await house.vault.fresh(house.organisation);
  const at = systemClock.now() - agoMs;
  const record = makeRecord(
    { event_name: 'purchase', occurred_at: new Date(at).toISOString(), consent: granted, ...given },
    {
      ...{ id: source, organisationId: house.organisation, siteId: null, kind: 'http' },
      ...{ kinds: ['meta-capi'], doublesMinutes: 10, rawDays: 7, mappingVersion: 0 },
    },
    { request: '0190a000-0000-7000-8000-000000000001', at, freshKeys },
    { keys, vault: house.vault, random: systemRandom, countryOf: () => 'US', regionOf: () => 'us' as const },
  );
  freshKeys.close();
  if (record === undefined) throw new Error('A key was at hand.');
  return recordLine(record);
}

async function load(...lines: string[]): Promise<void> {
  await loadSegment(
    {
      ...{ postgres: house.store.postgres, vault: house.vault, keys },
      log: { warn: (event: string) => void house.lines.push(event), error: () => {} },
    },
    Buffer.from(`${lines.join('\n')}\n`),
  );
}

const conversionOf = (order: string) =>
  house.inside((sql) =>
    sql.one<{ id: string; doubles: number; consent: object; said: object; settled_at: Date | null }>(
      "SELECT id, doubles, consent, facts->'consent' AS said, settled_at FROM relay_conversions WHERE order_id = $1",
      [order],
    ),
  );

describe('doubles of conversions that a sender has locked', () => {
  // As many as make PostgreSQL look each up in turn, in whatever order they came.
  beforeAll(async () => {
    await house.inside((sql) =>
      sql.run(
        `INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent,
           region, mapping_version, raw_days, settled_at)
         SELECT current_organisation(), gen_random_uuid(), $1, 'purchase', now(), now(), '{}', '{}', '{}', 'us', 1, 7, now()
         FROM generate_series(1, 5000)`,
        [source],
      ),
    );
    await house.store.asOwner((sql) => sql.run('ANALYZE relay_conversions'));
  });
  it.each([
    ['the later first', ['l-1', 'l-2']],
    ['the earlier first', ['l-3', 'l-4']],
  ] as const)('wait for it, and it for nothing of theirs: %s', async (name, [a, b]) => {
    await load(await line({ order_id: a }, 2_000), await line({ order_id: b }, 1_000));
    const [first, second] = [await conversionOf(a), await conversionOf(b)];
    expect(first.id < second.id).toBe(true);
    const again = [await line({ order_id: b }), await line({ order_id: a })];
    if (name === 'the earlier first') again.reverse();
    const lock = 'SELECT FROM relay_conversions WHERE id = $1 FOR NO KEY UPDATE';
    let loaded: Promise<void> | undefined;
    await house.inside(async (sql) => {
      await sql.query(lock, [first.id]);
      loaded = load(...again);
      for (;;) {
        const { waiting } = await house.inside((other) =>
          other.one<{ waiting: number }>('SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted'),
        );
        if (waiting > 0) break;
      }
      await sql.query(lock, [second.id]);
    });
    await loaded;
    expect([(await conversionOf(a)).doubles, (await conversionOf(b)).doubles]).toEqual([1, 1]);
  });
});

describe('what a later telling says of consent, and of whom it is, counts for the whole conversion (REL-08)', () => {
  const deliveries = (order: string) =>
    house.inside((sql) =>
      sql.query<{ kind: string; state: string; reason: string | null; field: string | null }>(
        `SELECT o.kind, d.state, d.reason, d.field FROM relay_deliveries d
         JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
         JOIN relay_destinations o ON o.id = d.destination_id WHERE c.order_id = $1 ORDER BY o.kind`,
        [order],
      ),
    );
  const denied = { reason: 'consent_denied', field: 'consent.ad_user_data' };
  const waiting = (kind: string) => ({ kind, state: 'waiting', reason: null, field: null });
  const withheld = (kind: string, why: object) => ({ kind, state: 'withheld', ...why });
  const digestOf = (email: string) => house.vault.subject(house.organisation, 'email', email);
  const ways = ['in one segment', 'in two segments'] as const;
  /** Anonymous and allowed first, then with whom it is about. */
  async function tellTwice(way: (typeof ways)[number], order_id: string, second: Given): Promise<void> {
    const [first, then] = [await line({ order_id }), await line({ order_id, ...second })];
    if (way === 'in one segment') await load(first, then);
    else {
      await load(first);
      expect(await deliveries(order_id)).toEqual([waiting('meta-capi'), waiting('webhook')]);
      await load(then);
    }
    expect((await conversionOf(order_id)).doubles).toBe(1);
  }

  it.each(ways)('a denial of the telling itself, %s', async (way) => {
    const order = `denied ${way}`;
    await tellTwice(way, order, { user: { email: 'no@person.example' }, consent: { ad_user_data: 'denied' } });
    expect(await deliveries(order)).toEqual([withheld('meta-capi', denied), waiting('webhook')]);
    const consent = { ad_user_data: 'denied', ad_personalization: 'granted' };
    expect(await conversionOf(order)).toMatchObject({ said: consent, consent, settled_at: null });
  });
  it.each(ways)('what is on record of who it names, %s', async (way) => {
    const [order, email] = [`record ${way}`, `record-${ways.indexOf(way)}@person.example`];
    await house.inside((sql) =>
      sql.run(
        `INSERT INTO consent_records (organisation_id, subject_digest, purpose, state, region, text_version, text_digest, how, recorded_at, proof)
         VALUES (current_organisation(), $1, 'ad_measurement', 'withdrawn', 'eea', '1', $2, 'banner', now(), $2)`,
        [digestOf(email), Buffer.alloc(32)],
      ),
    );
    await tellTwice(way, order, { user: { email } });
    expect(await deliveries(order)).toEqual([withheld('meta-capi', denied), waiting('webhook')]);
    expect((await conversionOf(order)).said).toMatchObject({ ad_user_data: 'denied' });
  });
  it.each(ways)('a restriction of who it names (DSR-05), which ends the conversion, %s', async (way) => {
    const [order, email] = [`restricted ${way}`, `restricted-${ways.indexOf(way)}@person.example`];
    await house.inside((sql) =>
      sql.run(
        `WITH asked AS (
           INSERT INTO subject_requests (organisation_id, kind, received_on, due_on, warn_on, email_digest, entered_at, entered_by)
           VALUES (current_organisation(), 'restriction', '2026-11-01', '2026-12-01', '2026-11-25', $1, now(), 1) RETURNING id),
         begun AS (
           INSERT INTO restrictions (organisation_id, request_id, kind, began_at)
           SELECT current_organisation(), id, 'restriction', now() FROM asked RETURNING id)
         INSERT INTO restricted_identifiers (organisation_id, restriction_id, kind, digest)
         SELECT current_organisation(), id, 'email', $1 FROM begun`,
        [digestOf(email)],
      ),
    );
    await tellTwice(way, order, { user: { email } });
    const restricted = { reason: 'restricted', field: 'user' };
    expect(await deliveries(order)).toEqual([withheld('meta-capi', restricted), withheld('webhook', restricted)]);
    expect((await conversionOf(order)).settled_at).not.toBeNull();
  });
  it('and nothing of it is withheld where the second allows it, too', async () => {
    await tellTwice('in two segments', 'allowed', { user: { email: 'yes@person.example' } });
    expect(await deliveries('allowed')).toEqual([waiting('meta-capi'), waiting('webhook')]);
  });
});
