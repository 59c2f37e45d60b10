import { openNotices } from '../accounts/index.ts';
import { uuidOf } from '../platform/random.ts';
import type { House } from '../platform/subject.ts';
import { remindOfRelay } from './alerts/watch.ts';
import { relayChanged } from './changes.ts';
import { readSources } from './intake/directory.ts';
import { load } from './intake/loader.ts';
import { makeRecord } from './intake/record.ts';
import { sealingOf } from './intake/running.ts';
import { takeRequest } from './sources/capture.ts';
import { presetOf } from './sources/presets/index.ts';

type DemoHouse = Pick<House, 'postgres' | 'vault' | 'keys' | 'random' | 'clock' | 'log' | 'mail' | 'config'>;

/** Accounts that the doubles of a demo know, and the token that they take where nobody signed in. */
const accounts: Readonly<Record<string, { name: string; settings: object; token: string }>> = {
  'meta-capi': { name: 'Meta, shop', settings: { dataset_id: '1234567890' }, token: 'token' },
  'google-data-manager': {
    name: 'Google Ads, shop',
    settings: { customer_id: '1234567890', conversion_action_id: '555' },
    token: 'token',
  },
  tiktok: { name: 'TikTok, shop', settings: { pixel_id: 'C4A1B2C3D4E5F6G7H8I9' }, token: 'token' },
  linkedin: { name: 'LinkedIn, shop', settings: { conversion_id: '104012' }, token: 'token' },
};

/** A demo's source: the secret of its address, and the way to give it conversions of the past. */
export interface DemoRelay {
  readonly path: string;
  /** By kind the number of its destination. */
  readonly destinations: ReadonlyMap<string, number>;
  /** Takes what came at its time, as if it had come then. */
  takePast(came: readonly { readonly body: object; readonly atMs: number }[]): Promise<void>;
  /** Deliveries that still wait. */
  waiting(): Promise<number>;
  /** Lets what was sent of the past have been sent as it came, each in a request of its own. */
  datePast(untilMs: number): Promise<void>;
  /** Looks for what is worth an alert now, and tells of it, without waiting for the hour's quarter. */
  remind(): Promise<void>;
}

/** Sets up a source, a destination for each double that is there, and routes between them. */
export async function openDemoRelay(
  house: DemoHouse,
  given: {
    organisationId: number;
    siteId: number;
    kinds: readonly string[];
    /** By kind, the connection that it is sent with; a pasted token where there is none. */
    connections: ReadonlyMap<string, number>;
  },
): Promise<DemoRelay> {
  const { postgres, vault, keys, random, clock } = house;
  const { organisationId, siteId } = given;
  const now = new Date(clock.now());
  const secret = random.bytes(32).toString('base64url');
  const destinations = new Map<string, number>();
  const sourceId = await postgres.tenant(organisationId, async (sql) => {
    const source = await sql.one<{ id: number }>(
      `INSERT INTO relay_sources (organisation_id, site_id, name, kind, preset, address_digest, created_at)
       VALUES ($1, $2, 'Shop orders', 'http', 'canonical', $3, $4) RETURNING id`,
      [organisationId, siteId, keys.digest('relay-source', secret), now],
    );
    await sql.run(
      `INSERT INTO relay_mappings (organisation_id, source_id, version, mapping, created_at) VALUES ($1, $2, 1, $3, $4)`,
      [organisationId, source.id, JSON.stringify(presetOf('canonical')?.mapping), now],
    );
    await sql.run('UPDATE relay_sources SET mapping_version = 1 WHERE id = $1', [source.id]);
    for (const kind of given.kinds) {
      const account = accounts[kind];
      if (account === undefined) continue;
      const connection = given.connections.get(kind) ?? null;
      const destination = await sql.one<{ id: number }>(
        `INSERT INTO relay_destinations (organisation_id, kind, name, settings, connection_id, state, state_since, created_at)
         VALUES ($1, $2, $3, $4, $5, 'active', $6, $6) RETURNING id`,
        [organisationId, kind, account.name, JSON.stringify(account.settings), connection, now],
      );
      destinations.set(kind, destination.id);
      const place = {
        organisationId,
        table: 'relay_destinations',
        column: 'secret_sealed',
        row: destination.id,
      } as const;
      if (connection === null)
        await sql.run('UPDATE relay_destinations SET secret_sealed = $2 WHERE id = $1', [
          destination.id,
          await vault.seal({ ...place, class: 'D9' }, account.token),
        ]);
      await sql.run(
        `INSERT INTO relay_routes (organisation_id, source_id, destination_id, rules, created_at) VALUES ($1, $2, $3, '{}', $4)`,
        [organisationId, source.id, destination.id, now],
      );
    }
    return source.id;
  });
  await relayChanged();
  return {
    ...{ path: `/in/${secret}`, destinations },
    async takePast(came) {
      const sources = await readSources(postgres, vault, organisationId, clock.now());
      const source = sources.find(({ id }) => id === sourceId);
      if (source?.mapping === undefined) return;
      const freshKeys = await vault.fresh(organisationId);
      const records = [];
      for (const { body, atMs } of came) {
        const request = { method: 'POST', url: '/in/(address)', headers: json, body: JSON.stringify(body) };
        for (const conversion of takeRequest(request, { mapping: source.mapping }, atMs).conversions) {
          const at = { request: uuidOf(random), at: atMs, freshKeys };
          const record = await makeRecord(conversion, source, at, sealingOf(house));
          if (record !== undefined) records.push(record);
        }
      }
      freshKeys.close();
      await load(house, organisationId, records);
    },
    async waiting() {
      const { count } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ count: number }>(
          `SELECT count(*)::int AS count FROM relay_deliveries WHERE state IN ('waiting', 'sending') AND waits_for IS NULL`,
        ),
      );
      return count;
    },
    async datePast(untilMs) {
      await postgres.tenant(organisationId, (sql) => sql.run(datePast, [new Date(untilMs)]));
    },
    remind: () => remindOfRelay({ ...house, notices: openNotices(house) }),
  };
}

const json = { 'content-type': 'application/json' };

/**
 * A week was loaded and sent at once, in requests of hundreds: each delivery gets its last request for itself, some tenths of a
 * second after it came. The platform is asked of the request that there was what became of it.
 */
const datePast = `
  WITH past AS (
    -- Of one destination no two at the same time: the microseconds are the delivery's number.
    SELECT d.id, d.destination_id, d.attempt_ids[cardinality(d.attempt_ids)] AS attempt,
      d.created_at + (400 + (d.id * 7919) % 1900) * interval '1 millisecond' + (d.id % 1000) * interval '1 microsecond' AS sent_at
    FROM relay_deliveries d
    WHERE d.created_at < $1 AND d.first_sent_at IS NOT NULL AND d.state IN ('accepted', 'dead') AND d.replays = 0
  ), made AS (
    INSERT INTO relay_attempts (organisation_id, destination_id, sent_at, items, ms, status, class, reason, answer, platform_request, result)
    SELECT a.organisation_id, p.destination_id, p.sent_at, 1, least(a.ms, 400), a.status, a.class, a.reason, a.answer, a.platform_request, a.result
    FROM past p JOIN relay_attempts a ON a.id = p.attempt
    RETURNING id, destination_id, sent_at
  )
  UPDATE relay_deliveries d
  SET attempt_ids = ARRAY[made.id], first_sent_at = p.sent_at, settled_at = p.sent_at + interval '300 milliseconds'
  FROM past p JOIN made ON made.destination_id = p.destination_id AND made.sent_at = p.sent_at WHERE d.id = p.id`;
