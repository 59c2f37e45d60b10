import { createHash, randomUUID } from 'node:crypto';
import type { Conversion } from '../../contract/conversion.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { openLog } from '../../src/platform/log.ts';
import { openOutbound } from '../../src/platform/outbound/index.ts';
import type { Sql } from '../../src/platform/postgres/index.ts';
import { systemRandom } from '../../src/platform/random.ts';
import type { ConnectedAccounts } from '../../src/platform/subject.ts';
import type { FreshKey } from '../../src/platform/vault.ts';
import { factsOf } from '../../src/relay/conversions/facts.ts';
import { tellingPlace, withoutRaw } from '../../src/relay/conversions/people.ts';
import { isRefused, readConversion } from '../../src/relay/conversions/read.ts';
import { type Lanes, openLanes } from '../../src/relay/deliveries/lanes.ts';
import type { Senders } from '../../src/relay/deliveries/parts.ts';
import { destinationOf } from '../../src/relay/destinations/index.ts';
import { destinationSecretPlace } from '../../src/relay/settings/secrets.ts';
import { ringOf } from '../../src/trust/keys/index.ts';
import { openTestPostgres, openTestVault, type TestPostgres } from '../stores.ts';

export const root = Buffer.alloc(32, 9);

export interface AddedConversion {
  given: object;
  /** As it is sent; the order's unless said. */
  id?: string;
  value?: string;
  event?: string;
  state?: 'waiting' | 'held';
  waitsFor?: string;
  /** Who told of it, the first unless said, and of which site. */
  source?: number;
  site?: number;
  /** Raw identifiers are gone. */
  isAged?: boolean;
}

export interface SendingHouse {
  store: TestPostgres;
  senders: Senders;
  vault: ReturnType<typeof openTestVault>;
  lanes: Lanes;
  organisation: number;
  /** Lines of the log. */
  lines: string[];
  addDestination(
    kind: string,
    settings: object,
    more?: { secret?: string | null; testCode?: string; isDryRun?: boolean; connection?: number },
  ): Promise<number>;
  /** A source whose routes lead to a destination of each kind. */
  addShop(
    kinds: readonly (readonly [kind: string, settings: object])[],
  ): Promise<{ source: number; destinations: number[] }>;
  /** Each destination's by a route of its own, which has the destination's number. @returns ids of the conversions */
  add(destinations: number[], conversions: AddedConversion[]): Promise<string[]>;
  inside<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  rows(destination: number): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Deliveries over real PostgreSQL and HTTP: an organisation, and lanes that begin when they are told to or by themselves. */
export async function openSendingHouse({
  clock,
  baseUrls,
  versions,
  connections,
  isQuiet = true,
}: {
  clock: Clock;
  baseUrls: Record<string, string>;
  versions?: Record<string, string>;
  connections?: ConnectedAccounts;
  /** Only `lanes.idle()` sends. */
  isQuiet?: boolean;
}): Promise<SendingHouse> {
  const store = await openTestPostgres();
  const { postgres } = store;
  const keys = ringOf(root);
  const vault = openTestVault({ keys, postgres });
  const lines: string[] = [];
  const log = openLog(clock, (line) => lines.push(line));
  const outbound = openOutbound({
    ...{ config: { outboundAllow: ['127.0.0.1'] }, clock: systemClock, log, gate: async () => undefined },
  });
  const senders: Senders = {
    ...{ postgres, vault, clock, random: systemRandom, log, outbound, baseUrls },
    ...(versions === undefined ? {} : { versions }),
    ...(connections === undefined ? {} : { connections }),
  };
  const lanes = openLanes(
    isQuiet
      ? { ...senders, clock: { ...clock, after: (ms, work) => clock.after(ms === 500 ? 1e9 : ms, work) } }
      : senders,
  );
  const organisation = await store.asOwner(async (sql) => {
    const { id } = await sql.one<{ id: number }>(`SELECT nextval('organisations_id_seq') AS id`);
    await sql.run(`SELECT set_config('fairlead.organisation', $1, false)`, [String(id)]);
    await sql.run(`INSERT INTO organisations (id, name, slug, created_at) VALUES ($1, 'north', 'north', now())`, [id]);
    return id;
  });
  const inside: SendingHouse['inside'] = (work) => postgres.tenant(organisation, work);

  const addDestination: SendingHouse['addDestination'] = async (
    kind,
    settings,
    { secret = 'token', testCode, isDryRun = false, connection } = {},
  ) => {
    const { id } = await inside((sql) =>
      sql.one<{ id: number }>(
        `INSERT INTO relay_destinations (organisation_id, kind, name, settings, state_since, test_code, is_dry_run, connection_id, created_at)
           VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $4) RETURNING id`,
        [organisation, kind, settings, new Date(clock.now()), testCode ?? null, isDryRun, connection ?? null],
      ),
    );
    if (secret !== null) {
      const sealed = await vault.seal(destinationSecretPlace(organisation, id), secret);
      await inside((sql) => sql.run('UPDATE relay_destinations SET secret_sealed = $2 WHERE id = $1', [id, sealed]));
    }
    return id;
  };

  return {
    ...{ store, senders, vault, lanes, organisation, lines, inside, addDestination },
    async addShop(kinds) {
      const { id: source } = await inside((sql) =>
        sql.one<{ id: number }>(
          `INSERT INTO relay_sources (organisation_id, name, kind, preset, created_at)
           VALUES (current_organisation(), 'Shop', 'http', 'canonical', now()) RETURNING id`,
        ),
      );
      const destinations: number[] = [];
      for (const [kind, settings] of kinds) {
        const id = await addDestination(kind, settings);
        destinations.push(id);
        await inside((sql) =>
          sql.run(
            `INSERT INTO relay_routes (id, organisation_id, source_id, destination_id, rules, created_at)
             VALUES ($2, current_organisation(), $1, $2, '{}', now())`,
            [source, id],
          ),
        );
      }
      return { source, destinations };
    },
    async add(destinations, conversions) {
      const kinds = await inside((sql) =>
        sql.query<{ id: number; kind: string }>('SELECT id, kind FROM relay_destinations WHERE id = ANY ($1)', [
          destinations,
        ]),
      );
      await inside((sql) =>
        sql.run(
          `WITH source AS (
             INSERT INTO relay_sources (id, organisation_id, name, kind, preset, created_at)
             VALUES (1000000, current_organisation(), 'All', 'http', 'canonical', now()) ON CONFLICT (id) DO NOTHING)
           INSERT INTO relay_routes (id, organisation_id, source_id, destination_id, rules, created_at)
           SELECT id, current_organisation(), 1000000, id, '{}', now() FROM relay_destinations WHERE id = ANY ($1)
           ON CONFLICT (id) DO NOTHING`,
          [destinations],
        ),
      );
      const fresh = await vault.fresh(organisation);
      const adopted: FreshKey[] = [];
      const now = clock.now();
      const made = conversions.map(({ given, isAged, id: _sentAs, ...more }) => {
        const conversion = readConversion(given, now);
        if (isRefused(conversion)) throw new Error(`${conversion.reason} ${conversion.field}`);
        const id = randomUUID();
        const telling = randomUUID();
        const key = fresh.make(createHash('sha256').update(telling).digest());
        if (key === undefined) throw new Error('no key');
        adopted.push(key.key);
        const hashes = Object.fromEntries(
          kinds.map(({ kind }) => [kind, withoutRaw(destinationOf(kind)?.identify(conversion))]),
        );
        const seal = (column: 'hashes_sealed' | 'raw_sealed', value: unknown) =>
          key.seal(tellingPlace(organisation, column, telling), JSON.stringify(value));
        return {
          ...{ id, telling, conversion, ...more, subject: key.key.subject },
          hashes: seal('hashes_sealed', hashes),
          raw: isAged === true || conversion.user === undefined ? null : seal('raw_sealed', conversion.user),
        };
      });
      fresh.close();
      await vault.adopt(organisation, adopted);
      const at = new Date(now);
      for (let from = 0; from < made.length; from += 500) {
        const part = made.slice(from, from + 500);
        const of = <T>(value: (one: (typeof made)[number]) => T) => part.map(value);
        const facts = of(({ conversion }) => factsOf(conversion) as Conversion);
        await inside(async (sql) => {
          await sql.run(
            `INSERT INTO relay_conversions (organisation_id, id, source_id, site_id, event_name, occurred_at, received_at, order_id, value,
               currency, facts, present, consent, region, mapping_version, raw_days, original_order_id, original_event_id)
             SELECT $1, id, source, site, name, at, $2, order_id, value::numeric, currency, facts, '{email}', '{}', 'other', 1, 7,
               facts -> 'original' ->> 'order_id', facts -> 'original' ->> 'event_id'
             FROM unnest($3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::bigint[],
               $11::bigint[]) AS u (id, name, at, order_id, value, currency, facts, source, site)`,
            [
              ...[organisation, at, of(({ id }) => id), of(({ conversion }) => conversion.event_name)],
              ...[of(({ conversion }) => conversion.occurred_at), of(({ conversion }) => conversion.order_id ?? null)],
              ...[of(({ conversion }) => (conversion.value === undefined ? null : String(conversion.value)))],
              ...[of(({ conversion }) => conversion.currency ?? null), facts.map((one) => JSON.stringify(one))],
              ...[of(({ source }) => source ?? 1), of(({ site }) => site ?? null)],
            ],
          );
          await sql.run(
            `INSERT INTO relay_tellings (organisation_id, id, conversion_id, source_id, request_id, received_at, present, subject, hashes_sealed, raw_sealed)
             SELECT $1, telling, id, 1, id, $2, '{}', subject, hashes, raw
             FROM unnest($3::uuid[], $4::uuid[], $5::bytea[], $6::bytea[], $7::bytea[]) AS u (telling, id, subject, hashes, raw)`,
            [
              ...[organisation, at, of(({ telling }) => telling), of(({ id }) => id), of(({ subject }) => subject)],
              ...[of(({ hashes }) => hashes), of(({ raw }) => raw)],
            ],
          );
          for (const destination of destinations)
            await sql.run(
              `INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, platform_event, value, state, waits_for, next_at, created_at)
               SELECT $1, id, $2, $2, platform_id, event, value::numeric, state, waits_for, $3, $3
               FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[]) AS u (id, platform_id, event, value, state, waits_for)`,
              [
                ...[organisation, destination, at, of(({ id }) => id)],
                of(({ id: own, conversion, ...one }) => {
                  const said = conversions[made.findIndex((each) => each.id === own)]?.id;
                  return said ?? conversion.original?.order_id ?? conversion.order_id ?? one.telling;
                }),
                ...[of(({ event }) => event ?? null)],
                of(
                  ({ value, conversion }) =>
                    value ?? (conversion.value === undefined ? null : String(conversion.value)),
                ),
                ...[of(({ state }) => state ?? 'waiting'), of(({ waitsFor }) => waitsFor ?? null)],
              ],
            );
        });
      }
      return made.map(({ id }) => id);
    },
    rows: (destination) =>
      inside((sql) => sql.query('SELECT * FROM relay_deliveries WHERE destination_id = $1 ORDER BY id', [destination])),
    async close() {
      await lanes.stop();
      await outbound.close();
      vault.close();
      await store.close();
    },
  };
}
