import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createOrganisation, sitesChanged } from '../src/accounts/index.ts';
import { type Desk, openDesk } from '../src/app/desk.ts';
import { noteFiles } from '../src/app/note_files.ts';
import { systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { type AccessLog, accessLogDir, openAccessLog } from '../src/platform/http/access_log.ts';
import { silentLog } from '../src/platform/log.ts';
import type { Sql } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openKeeper } from '../src/trust/audit/index.ts';
import { placeHold, releaseHold, reviewHold } from '../src/trust/windows/holds.ts';
import { earlier, lines, type Span } from '../src/trust/windows/lines.ts';
import { readReceipts } from '../src/trust/windows/receipts.ts';
import { holdTimers } from './held_timers.ts';
import { layPreparedDesk } from './prepared_cluster.ts';
import { eraseStores, ownerLogin } from './stores.ts';

/**
 * Two years of one desk (RET-*): three organisations have a little of everything, the clock goes on, every timer of the
 * product turns, every night runs. What is there is held against plain arithmetic at each look. `npm run soak -- windows`
 * takes each day for itself (FAIRLEAD_SOAK_DAYS: so many at once); a run of all tests, which has no time for that, four months.
 */
const isSoak = process.env.FAIRLEAD_SOAK_DAYS !== undefined;
vi.setConfig({ hookTimeout: 240_000, testTimeout: isSoak ? 7_200_000 : 240_000 });

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const stepDays = isSoak ? Number(process.env.FAIRLEAD_SOAK_DAYS || 1) : 122;
const years = 2;
const steps = Math.ceil((years * 365.25) / stepDays);
/** At half past four: the hour of the night is over. */
const endMs = Math.floor(systemClock.now() / dayMs) * dayMs - dayMs + 4.5 * hourMs;
const beginMs = endMs - steps * stepDays * dayMs;
let nowMs = beginMs;
const timers = holdTimers(() => nowMs);
/** What turns by itself and takes something away, or signs what was written. */
const turning = [
  ...[
    'accounts/index.ts',
    'accounts/identities/steps.ts',
    'analytics/exports/runner.ts',
    'analytics/imports/runner.ts',
    'analytics/ingest/links.ts',
    'trust/requests/index.ts',
    'relay/uploads/runner.ts',
    'relay/life/ageing.ts',
    'providers/upkeep.ts',
  ],
  ...['app/prove.ts', 'platform/http/access_log.ts', 'platform/spool/quarantine.ts', 'trust/audit/keeper.ts'],
];

interface Side {
  name: string;
  organisation: number;
  person: number;
  site: number;
  /** Of visitors, as the owner of the site has set it. */
  siteMonths: number;
  /** Of mail and notifications: the profile decides. */
  logMonths: number;
}
const side = (name: string, siteMonths: number, logMonths: number): Side => ({
  ...{ name, organisation: 0, person: 0, site: 0, siteMonths, logMonths },
});
/** Two months of visitors and the profile `eu`; the ledger as it is; the ledger and a member under a hold for ever. */
const north = side('north', 2, 6);
const south = side('south', 25, 12);
const west = side('west', 13, 12);
const sides = [north, south, west];

const folder = mkdtempSync(join(tmpdir(), 'fairlead-two-years-'));
const dataDir = join(folder, 'data');
let desk: Desk;
let owner: pg.Client;
let accessLog: AccessLog;
let number = 0;
const digest = () => randomBytes(32);
const text = (ms: number) => new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

function own<T>(of: Side, work: (sql: Sql) => Promise<T>): Promise<T> {
  return desk.house.postgres.within({ organisationId: of.organisation, personId: of.person }, work);
}
async function put(of: Side, statement: string, values: unknown[]): Promise<void> {
  await owner.query("SELECT set_config('fairlead.organisation', $1, false), set_config('fairlead.person', $2, false)", [
    ...[String(of.organisation), String(of.person)],
  ]);
  await owner.query(statement, values);
}
async function momentsIn(of: Side, statement: string): Promise<number[]> {
  await put(of, 'SELECT 1', []);
  return (await owner.query<{ at: Date }>(statement)).rows.map(({ at }) => new Date(at).getTime());
}
async function insert(table: 'events' | 'bot_events' | 'drops' | 'relay_intake', row: object): Promise<void> {
  number += 1;
  await desk.house.warehouse.insert(table, Buffer.from(`${JSON.stringify(row)}\n`), `two-years-${number}`);
}
async function momentsOf(of: Side, table: string, at: string): Promise<number[]> {
  const rows = await desk.house.warehouse.read<{ at: string }>(
    `SELECT toUnixTimestamp(${at}) AS at FROM ${table} WHERE site_id = {site:UInt64}`,
    { site: of.site },
  );
  return rows.map((row) => Number(row.at) * 1_000);
}
/** How often rows were taken out of tables of the warehouse, or changed. */
async function removals(): Promise<Map<string, number>> {
  const rows = await desk.house.warehouse.read<{ table: string; times: string }>(
    "SELECT table, count() AS times FROM system.mutations WHERE table IN ('events', 'visits', 'bot_events') GROUP BY table",
  );
  return new Map(rows.map(({ table, times }) => [table, Number(times)]));
}
/** A file that was last written then. */
async function leave(path: string, ms: number): Promise<void> {
  await mkdir(join(dataDir, path, '..'), { recursive: true });
  writeFileSync(join(dataDir, path), '{}\n');
  utimesSync(join(dataDir, path), new Date(ms), new Date(ms));
}

/** One kind of what is stored: how a little of it comes to be, what is there, and how long that may be. */
interface Kind {
  line: string;
  /** Of each organisation, or of the desk once. */
  of: readonly Side[];
  add(of: Side, ms: number): Promise<void>;
  there(of: Side): Promise<number[]>;
  kept(of: Side): Span;
  /** Whole days go at once; what a timer of its own takes may wait for that. */
  cut?: (ms: number) => number;
  /** Since when a hold keeps all that was there then and what came later; undefined while none does. */
  heldSince?: (of: Side) => number | undefined;
}
const wholeDays = (ms: number) => Math.floor(ms / dayMs) * dayMs;
let southHeldMs: number | undefined;
const heldInSouth = (of: Side) => (of === south ? southHeldMs : undefined);
/** Before its first night. */
const heldInWest = (of: Side) => (of === west ? 0 : undefined);
const logs = { of: sides, kept: ({ logMonths }: Side) => ({ months: logMonths }) };
const person = { of: [south] };
const kinds: readonly Kind[] = [
  {
    ...{ line: 'visitor-events', of: [north, south], cut: wholeDays, heldSince: heldInSouth },
    kept: ({ siteMonths }) => ({ months: siteMonths }),
    add: (of, ms) =>
      insert('events', {
        ...{ site_id: of.site, name: 'pageview', hostname: `${of.name}.example`, pathname: '/', time: text(ms) },
        ...{ visit_start: text(ms), id_day: dayOf(ms), visitor_id: `${++number}`, visit_id: `${number}` },
      }),
    there: (of) => momentsOf(of, 'events', 'time'),
  },
  {
    ...{ line: 'robots', of: sides, kept: () => ({ days: 90 }), heldSince: heldInSouth },
    add: (of, ms) => insert('bot_events', { site_id: of.site, time: text(ms), name: 'pageview', pathname: '/' }),
    there: (of) => momentsOf(of, 'bot_events', 'time'),
  },
  {
    ...{ line: 'drops', ...logs, heldSince: heldInSouth },
    add: (of, ms) => insert('drops', { site_id: of.site, minute: text(ms).slice(0, 19), reason: 'bot', events: 1 }),
    there: (of) => momentsOf(of, 'drops', 'minute'),
  },
  {
    ...{ line: 'mail', ...logs, heldSince: heldInWest },
    async add(of, ms) {
      const name = randomBytes(16).toString('hex');
      await own(of, (sql) =>
        sql.run(
          `INSERT INTO mail.messages (name, organisation_id, person_id, template, kind, is_required, address_digest, address, created_at, not_before)
           VALUES ($1, $2, $3, 'weekly_report', 'report', false, $4, $4, $5, $5)`,
          [name, of.organisation, of.person, digest(), new Date(ms)],
        ),
      );
      await desk.house.postgres.mail((sql) =>
        sql.run("UPDATE mail.messages SET state = 'sent', content = NULL WHERE name = $1", [name]),
      );
    },
    there: async (of) =>
      (
        await desk.house.postgres.mail((sql) =>
          sql.query<{ at: Date }>(
            "SELECT created_at AS at FROM mail.messages WHERE organisation_id = $1 AND template = 'weekly_report'",
            [of.organisation],
          ),
        )
      ).map(({ at }) => at.getTime()),
  },
  {
    ...{ line: 'notifications', ...logs, heldSince: heldInWest },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO notifications (person_id, organisation_id, kind, notice, created_at) VALUES ($1, $2, 'exports', 'export_done', $3)`,
        [of.person, of.organisation, new Date(ms)],
      ),
    there: (of) =>
      momentsIn(
        of,
        `SELECT created_at AS at FROM notifications WHERE organisation_id = ${of.organisation} AND notice = 'export_done'`,
      ),
  },
  {
    ...{ line: 'audit', of: sides, kept: () => ({ months: 24 }), heldSince: heldInWest },
    add: (of) =>
      own(of, (sql) =>
        desk.house.audit.record(sql, of.organisation, {
          ...{ action: 'member.left', actor: { type: 'system' } },
          targets: [{ type: 'person', id: of.person, label: 'somebody' }],
        }),
      ),
    there: async (of) =>
      (
        await own(of, (sql) => sql.query<{ at: Date }>("SELECT at FROM audit.entries WHERE action = 'member.left'"))
      ).map(({ at }) => at.getTime()),
  },
  {
    ...{ line: 'sessions', ...person, kept: () => ({ days: 14 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO sessions (person_id, family, generation, digest, started_at, created_at, last_used_at, expires_at)
         VALUES ($1, gen_random_uuid(), 0, $2, $3, $3, $3, $4)`,
        [of.person, digest(), new Date(ms), new Date(ms + 14 * dayMs)],
      ),
    there: (of) => momentsIn(of, 'SELECT created_at AS at FROM sessions'),
  },
  {
    ...{ line: 'links', ...person, kept: () => ({ days: 0 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO one_time_tokens (person_id, kind, digest, created_at, expires_at) VALUES ($1, 'reset-password', $2, $3, $4)`,
        [of.person, digest(), new Date(ms), new Date(ms + hourMs)],
      ),
    there: (of) => momentsIn(of, 'SELECT created_at AS at FROM one_time_tokens'),
  },
  {
    ...{ line: 'devices', ...person, kept: () => ({ months: 12 }) },
    add: (of, ms) =>
      put(of, 'INSERT INTO seen_devices (person_id, device, first_seen_at, last_seen_at) VALUES ($1, $2, $3, $3)', [
        ...[of.person, `Browser ${++number}`, new Date(ms)],
      ]),
    there: (of) => momentsIn(of, 'SELECT last_seen_at AS at FROM seen_devices'),
  },
  {
    ...{ line: 'requests', of: sides, kept: () => ({ months: 36 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO subject_requests (organisation_id, kind, received_on, due_on, warn_on, entered_at, entered_by, checked_at, state, closed_at, email_digest)
         VALUES ($1, 'access', $2::date, $2::date, $2::date, $3, $4, $3, 'answered', $3, $5)`,
        [of.organisation, dayOf(ms), new Date(ms), of.person, digest()],
      ),
    there: (of) => momentsIn(of, 'SELECT entered_at AS at FROM subject_requests'),
  },
  {
    // 90 days from the beginning of the day that a file is of.
    ...{ line: 'access-log', ...person, kept: () => ({ days: 89 }), cut: wholeDays },
    add: (_of, ms) => leave(`access/${dayOf(ms)}.ndjson`, ms),
    there: async () => filesIn('access').map((name) => Date.parse(name.slice(0, 10))),
  },
  {
    ...{ line: 'profiles', of: [north, south], cut: wholeDays, heldSince: heldInSouth },
    kept: ({ siteMonths }) => ({ months: siteMonths }),
    add: (of, ms) =>
      put(
        of,
        'INSERT INTO profiles (id, organisation_id, site_id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)',
        [randomBytes(8).toString('hex'), of.organisation, of.site, new Date(ms)],
      ),
    there: (of) => momentsIn(of, `SELECT last_seen AS at FROM profiles WHERE site_id = ${of.site}`),
  },
  {
    ...{ line: 'operations', of: sides, kept: () => ({ months: 12 }), heldSince: heldInWest },
    add: (of, ms) =>
      put(
        of,
        "INSERT INTO operations (organisation_id, at, kind, action, outcome) VALUES ($1, $2, 'job', 'two years', 'done')",
        [of.organisation, new Date(ms)],
      ),
    there: (of) => momentsIn(of, "SELECT at FROM operations WHERE action = 'two years'"),
  },
  {
    ...{ line: 'operation-networks', of: sides, kept: () => ({ days: 90 }), heldSince: heldInWest },
    add: (of, ms) =>
      put(
        of,
        `WITH one AS (
           INSERT INTO operations (organisation_id, at, kind, action, outcome) VALUES ($1, $2, 'job', 'with a network', 'done') RETURNING *
         ) INSERT INTO operation_networks (operation_id, organisation_id, at, network) SELECT id, organisation_id, at, '192.0.2.0/24' FROM one`,
        [of.organisation, new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT at FROM operation_networks'),
  },
  {
    ...{ line: 'product-usage', of: sides, kept: () => ({ months: 12 }), cut: wholeDays },
    add: (of, ms) =>
      put(of, "INSERT INTO product_usage (organisation_id, day, name, opened) VALUES ($1, $2, 'overview', 1)", [
        of.organisation,
        dayOf(ms),
      ]),
    there: (of) => momentsIn(of, "SELECT day::timestamp AT TIME ZONE 'UTC' AS at FROM product_usage"),
  },
  {
    ...{ line: 'consents', of: sides, kept: () => ({ months: 36 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO consent_records (organisation_id, subject_digest, purpose, state, region, text_version, text_digest, how, recorded_at, proof)
         VALUES ($1, $2, 'analytics', 'withdrawn', 'eea', '1', $2, 'banner', $3, $2)`,
        [of.organisation, digest(), new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT recorded_at AS at FROM consent_records WHERE organisation_id IS NOT NULL'),
  },
  {
    ...{ line: 'exports', of: sides, kept: () => ({ days: 7 }), heldSince: heldInSouth },
    async add(of, ms) {
      const [{ id } = { id: 0 }] = await own(of, (sql) =>
        sql.query<{ id: number }>(
          `INSERT INTO exports (organisation_id, site_id, format, state, timezone, first_day, last_day, created_at, finished_at, expires_at)
           VALUES ($1, $2, 'ndjson', 'done', 'UTC', '2020-01-01', '2020-01-01', $3, $3, $4) RETURNING id`,
          [of.organisation, of.site, new Date(ms), new Date(ms + 7 * dayMs)],
        ),
      );
      await leave(`exports/${id}`, ms);
    },
    async there(of) {
      const rows = await own(of, (sql) =>
        sql.query<{ id: number; at: Date }>('SELECT id, created_at AS at FROM exports'),
      );
      const files = readdirSync(join(dataDir, 'exports'));
      expect(
        rows.filter(({ id }) => !files.includes(String(id))),
        'a row without its file',
      ).toEqual([]);
      return rows.map(({ at }) => at.getTime());
    },
  },
  {
    ...{ line: 'organisation-archives', of: sides, kept: () => ({ days: 7 }) },
    // It has everything in it, so every hold keeps it.
    heldSince: (of) => heldInSouth(of) ?? heldInWest(of),
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO organisation_archives (organisation_id, state, key_sealed, created_by, created_at, finished_at, expires_at)
         VALUES ($1, 'done', '', $2, $3, $3, $4)`,
        [of.organisation, of.person, new Date(ms), new Date(ms + 7 * dayMs)],
      ),
    there: (of) => momentsIn(of, 'SELECT created_at AS at FROM organisation_archives'),
  },
  {
    ...{ line: 'uploads', of: sides, kept: () => ({ days: 7 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO imports (organisation_id, site_id, kind, file_name, state, size, created_by, created_at, expires_at)
         VALUES ($1, $2, 'events', 'old.ndjson', 'ready', 10, $3, $4, $5)`,
        [of.organisation, of.site, of.person, new Date(ms), new Date(ms + 7 * dayMs)],
      ),
    there: (of) => momentsIn(of, "SELECT created_at AS at FROM imports WHERE state = 'ready'"),
  },
  {
    ...{ line: 'relay-intake', of: sides, kept: () => ({ days: 90 }) },
    add: (of, ms) =>
      insert('relay_intake', {
        ...{ organisation_id: of.organisation, source_id: 1, at: text(ms), id: randomUUID(), status: 202 },
      }),
    async there(of) {
      const rows = await desk.house.warehouse.read<{ at: string }>(
        'SELECT toUnixTimestamp(relay_intake.at) AS at FROM relay_intake WHERE organisation_id = {organisation:UInt64}',
        { organisation: of.organisation },
      );
      return rows.map((row) => Number(row.at) * 1_000);
    },
  },
  {
    ...{ line: 'connections', of: sides, kept: () => ({ days: 30 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO connections (organisation_id, provider, kind, label, state, reason, issued_at_hosts, created_by, created_at, authorised_at,
           disconnected_at) VALUES ($1, 'meta', 'pasted', 'two years', 'disconnected', 'disconnected', 'graph.facebook.com', $2, $3, $3, $3)`,
        [of.organisation, of.person, new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT disconnected_at AS at FROM connections'),
  },
  {
    ...{ line: 'connection-steps', of: sides, kept: () => ({ days: 0 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO connection_steps (digest, organisation_id, person_id, session_digest, provider, scopes, expires_at)
         VALUES ($1, $2, $3, $1, 'meta', '{}', $4)`,
        [digest(), of.organisation, of.person, new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT expires_at AS at FROM connection_steps'),
  },
  {
    ...{ line: 'conversion-identifiers', of: sides, kept: () => ({ days: 7 }) },
    add: (of, ms) =>
      put(
        of,
        `WITH made AS (
           INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, facts, present, consent,
             region, mapping_version, raw_days, settled_at)
           VALUES ($1, gen_random_uuid(), 1, 'two years', $2, $2, '{}', '{}', '{}', 'eea', 0, 7, $2) RETURNING id)
         INSERT INTO relay_tellings (organisation_id, id, conversion_id, source_id, request_id, received_at, present, subject, raw_sealed)
         SELECT $1, gen_random_uuid(), id, 1, gen_random_uuid(), $2, '{}', $3, 'x' FROM made`,
        [of.organisation, new Date(ms), digest()],
      ),
    there: (of) => momentsIn(of, 'SELECT received_at AS at FROM relay_tellings WHERE raw_sealed IS NOT NULL'),
  },
  {
    ...{ line: 'relay-attempts', of: sides, kept: () => ({ days: 90 }) },
    add: (of, ms) =>
      put(of, 'INSERT INTO relay_attempts (organisation_id, destination_id, sent_at, items) VALUES ($1, 1, $2, 1)', [
        of.organisation,
        new Date(ms),
      ]),
    there: (of) => momentsIn(of, 'SELECT sent_at AS at FROM relay_attempts'),
  },
  {
    ...{ line: 'relay-pixel-calls', of: sides, kept: () => ({ days: 2 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO relay_pixel_calls (organisation_id, id, site_id, platform, event_name, called_at, id_digest, near)
         VALUES ($1, gen_random_uuid(), 1, 'meta', 'Purchase', $2, $3, '{}')`,
        [of.organisation, new Date(ms), digest()],
      ),
    there: (of) => momentsIn(of, 'SELECT called_at AS at FROM relay_pixel_calls'),
  },
  {
    ...{ line: 'relay-pixel-days', of: sides, kept: () => ({ days: 90 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO relay_pixel_days (organisation_id, day, platform, event_name, with_id)
         VALUES ($1, $2::timestamptz::date, 'meta', 'Purchase', 1) ON CONFLICT DO NOTHING`,
        [of.organisation, new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT day::timestamptz AS at FROM relay_pixel_days'),
  },
  {
    // Ten years are more than two: what comes is ten years old already.
    ...{ line: 'credit-ledger', of: sides, kept: () => ({ days: 0 }) },
    add: (of, ms) =>
      put(
        of,
        `WITH account AS (INSERT INTO credit_accounts (organisation_id) VALUES ($1) ON CONFLICT DO NOTHING),
           lot AS (INSERT INTO credit_lots (organisation_id, added_at, amount, remaining) VALUES ($1, $2, 5, 5)),
           made AS (INSERT INTO credit_transfers (organisation_id, kind, key, at) VALUES ($1, 'grant', $3, $2) RETURNING id)
         INSERT INTO credit_entries (organisation_id, transfer_id, account, amount)
         SELECT $1, id, u.account, u.amount FROM made, (VALUES ('granted', -5), ('available', 5)) AS u (account, amount)`,
        [of.organisation, new Date(earlier(ms, { months: 120 })), `two years ${++number}`],
      ),
    there: (of) =>
      momentsIn(of, "SELECT at + interval '120 months' AS at FROM credit_transfers WHERE kind <> 'carried'"),
  },
  {
    ...{ line: 'credit-charges', of: sides, kept: () => ({ months: 24 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO credit_charges (organisation_id, delivery_id, conversion_id, amount, charged_at)
         VALUES ($1, $2, gen_random_uuid(), 0, $3)`,
        [of.organisation, ++number, new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT charged_at AS at FROM credit_charges'),
  },
  {
    ...{ line: 'alert-posts', of: sides, kept: () => ({ days: 30 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO alert_posts (organisation_id, notice, facts, created_at, next_at) VALUES ($1, 'relay_silence', '{}', $2, $2)`,
        [of.organisation, new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT created_at AS at FROM alert_posts'),
  },
  {
    ...{ line: 'relay-captures', of: sides, kept: () => ({ days: 7 }) },
    add: (of, ms) =>
      put(
        of,
        `WITH source AS (
           INSERT INTO relay_sources (organisation_id, name, kind, created_at) VALUES ($1, 'captured', 'http', $2) RETURNING id)
         INSERT INTO relay_captures (organisation_id, id, source_id, received_at, is_unmapped, subject, request_sealed)
         SELECT $1, gen_random_uuid(), id, $2, true, $3, 'x' FROM source`,
        [of.organisation, new Date(ms), digest()],
      ),
    there: (of) => momentsIn(of, 'SELECT received_at AS at FROM relay_captures'),
  },
  {
    ...{ line: 'relay-uploads', of: sides, kept: () => ({ days: 7 }) },
    add: (of, ms) =>
      put(
        of,
        `WITH source AS (
           INSERT INTO relay_sources (organisation_id, name, kind, created_at) VALUES ($1, 'files', 'upload', $2) RETURNING id)
         INSERT INTO relay_uploads (organisation_id, source_id, request_id, file_name, size, created_at, expires_at)
         SELECT $1, id, gen_random_uuid(), 'sales.csv', 10, $2, $3 FROM source`,
        [of.organisation, new Date(ms), new Date(ms + 7 * dayMs)],
      ),
    there: (of) => momentsIn(of, 'SELECT created_at AS at FROM relay_uploads'),
  },
  {
    ...{ line: 'request-forms', of: sides, kept: () => ({ days: 1 }) },
    add: (of, ms) =>
      put(
        of,
        `INSERT INTO request_asks (organisation_id, kind, email_digest, email_sealed, token_digest, asked_at) VALUES ($1, 'access', $2, $2, $2, $3)`,
        [of.organisation, digest(), new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT asked_at AS at FROM request_asks'),
  },
  {
    ...{ line: 'throttles', ...person, kept: () => ({ days: 1 }) },
    add: (of, ms) =>
      put(of, 'INSERT INTO throttles VALUES ($1, 1, $2, $3)', [digest(), new Date(ms), new Date(ms + dayMs)]),
    there: (of) => momentsIn(of, 'SELECT last_at AS at FROM throttles'),
  },
  {
    ...{ line: 'sign-in-steps', ...person, kept: () => ({ days: 0 }) },
    add: (of, ms) =>
      put(of, "INSERT INTO sign_in_steps (digest, browser_digest, kind, expires_at) VALUES ($1, $1, 'passkey', $2)", [
        digest(),
        new Date(ms + 300_000),
      ]),
    there: (of) => momentsIn(of, 'SELECT expires_at AS at FROM sign_in_steps'),
  },
  {
    ...{ line: 'visitor-links', ...person, kept: () => ({ days: 0 }) },
    add: (of, ms) => put(of, 'INSERT INTO taken_links VALUES ($1, $2)', [digest(), new Date(ms + 300_000)]),
    there: (of) => momentsIn(of, 'SELECT expires_at AS at FROM taken_links'),
  },
  {
    // A fortnight in which it can be used, and thirty days.
    ...{ line: 'sign-up-invitations', ...person, kept: () => ({ days: 44 }) },
    add: (of, ms) =>
      put(of, 'INSERT INTO sign_up_invitations (digest, address, sent_at, expires_at) VALUES ($1, $1, $2, $3)', [
        ...[digest(), new Date(ms), new Date(ms + 14 * dayMs)],
      ]),
    there: (of) => momentsIn(of, 'SELECT sent_at AS at FROM sign_up_invitations'),
  },
  {
    ...{ line: 'self-audits', ...person, kept: () => ({ months: 12 }) },
    add: (of, ms) =>
      put(of, "INSERT INTO self_audits (made_at, worst, findings, told_at) VALUES ($1, 'ok', '[]', $1)", [
        new Date(ms),
      ]),
    there: (of) => momentsIn(of, 'SELECT made_at AS at FROM self_audits'),
  },
  {
    ...{ line: 'backups', ...person, kept: () => ({ months: 12 }) },
    add: (of, ms) =>
      put(
        of,
        "INSERT INTO backups (began_at, state, kind, file, key_name) VALUES ($1, 'done', 'whole', 'x', '12345678')",
        [new Date(ms)],
      ),
    there: (of) => momentsIn(of, 'SELECT began_at AS at FROM backups'),
  },
];
function filesIn(path: string): string[] {
  try {
    return readdirSync(join(dataDir, path)).filter((name) => /^\d{4}-\d\d-\d\d\.ndjson/.test(name));
  } catch {
    return [];
  }
}

/** What was added to each kind, and when. */
const added = new Map<string, number[]>();
const keyOf = (kind: Kind, of: Side) => `${of.name} ${kind.line}`;

async function addOfAll(ms: number, ofKinds = kinds, ofSides: readonly Side[] = sides): Promise<void> {
  for (const kind of ofKinds)
    for (const of of kind.of.filter((one) => ofSides.includes(one))) {
      await kind.add(of, ms);
      const all = added.get(keyOf(kind, of)) ?? [];
      all.push(ms);
      added.set(keyOf(kind, of), all);
    }
}

/** What has to be there by arithmetic alone, and what is. */
async function lookAtAll(): Promise<Record<string, { wrong: string[] }>> {
  const wrong: Record<string, { wrong: string[] }> = {};
  for (const kind of kinds)
    for (const of of kind.of) {
      const since = kind.heldSince?.(of);
      const cutAt = (ms: number) => (kind.cut ?? ((whole) => whole))(ms === 0 ? 0 : earlier(ms, kind.kept(of)));
      const cut = Math.min(cutAt(nowMs), since === undefined ? Infinity : cutAt(since));
      const placeOf = (ms: number) => (kind.cut === undefined ? ms : wholeDays(ms));
      const all = added.get(keyOf(kind, of)) ?? [];
      const may = new Set(all.filter((ms) => placeOf(ms) >= cut).map(dayOf));
      // What is to the millisecond as old as it may be is there or gone: for a day, one of these days is that old.
      const must = new Set(all.filter((ms) => placeOf(ms) >= cut && (kind.cut !== undefined || ms > cut)).map(dayOf));
      const is = new Set((await kind.there(of)).map(dayOf));
      const lost = [...must].filter((day) => !is.has(day)).map((day) => `${day} is gone`);
      const left = [...is].filter((day) => !may.has(day)).map((day) => `${day} is still there`);
      if (lost.length + left.length > 0) wrong[keyOf(kind, of)] = { wrong: [...lost, ...left] };
    }
  return wrong;
}

async function step(): Promise<void> {
  nowMs += stepDays * dayMs;
  for (const file of turning) if (timers.waiting().includes(file)) await timers.run(file);
  // A leap of more than a week is put off for a day; here nobody has to be asked whether the clock is right.
  if (stepDays > 7) await desk.windows.night.run();
  else await timers.run('trust/windows/index.ts');
}

beforeAll(async () => {
  const config = readConfig({ FAIRLEAD_DATA_DIR: dataDir, FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k') });
  await layPreparedDesk(dataDir);
  desk = await openDesk({ config, clock: timers.clock, random: systemRandom, log: silentLog });
  await desk.begin();
  // The server has it, not the desk.
  accessLog = openAccessLog({
    ...{ dir: accessLogDir(dataDir), isOn: true, clock: timers.clock, log: silentLog },
    onRemoved: noteFiles(desk.house, 'access-log', 'access'),
  });
  owner = new pg.Client(await ownerLogin(desk.house.postgres));
  await owner.connect();
  for (const one of sides) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: `owner@${one.name}.example`, organisation: one.name, hash: 'none' }),
    );
    Object.assign(one, { organisation: made.organisationId, person: made.personId });
    one.site = await own(one, async (sql) => {
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO sites (organisation_id, domain, timezone, currency, retention_months, created_at)
         VALUES ($1, $2, 'UTC', 'EUR', $3, $4) RETURNING id`,
        [one.organisation, `${one.name}.example`, one.siteMonths, new Date(beginMs - 800 * dayMs)],
      );
      return id;
    });
  }
  await own(north, (sql) =>
    sql.run(
      `INSERT INTO retention_policies (organisation_id, version, profile, windows, changed_at) VALUES ($1, 1, 'eu', '{}', $2)`,
      [north.organisation, new Date(nowMs)],
    ),
  );
  await sitesChanged();
});
afterAll(async () => {
  const { directories } = desk.house.postgres;
  await accessLog.close();
  await owner.end();
  await desk.close();
  await eraseStores({ directories }, folder);
});

test('after two years every class holds what its window allows, holds are respected, the trail verifies (RET-01, RET-05, RET-09, RET-10, RET-11, RET-12, RET-17, RET-21)', async () => {
  const by = (of: Side) => ({ personId: of.person, nowMs });
  const words = () => ({ reason: 'A claim', owner: 'Legal', review_on: dayOf(nowMs + 80 * dayMs) });
  // Of the migrations.
  const removedBefore = await removals();
  let ofSite = 0;
  let ofPerson = 0;
  // What the desk had when the two years began: the longest windows end within them, too. Acts are of the time they are done in.
  const past = kinds.filter(({ line }) => line !== 'audit');
  for (const days of [400, 300, 200, 100]) await addOfAll(beginMs - days * dayMs, past, [south]);
  for (let at = 0; at < steps; at++) {
    await addOfAll(nowMs);
    // An hour passes, as each does: entries go up to a signed checkpoint, and leaps have none of their own.
    await timers.run('trust/audit/keeper.ts');
    if (at === Math.floor(steps / 4)) {
      southHeldMs = nowMs;
      const wish = { scope: 'site', of: 'south.example', ...words() } as const;
      ofSite = (await own(south, (sql) => placeHold(sql, south.organisation, wish, by(south)))).id;
    }
    if (at === 0) {
      const wish = { scope: 'person', of: String(west.person), ...words() } as const;
      ofPerson = (await own(west, (sql) => placeHold(sql, west.organisation, wish, by(west)))).id;
    }
    await step();
    await own(west, (sql) => reviewHold(sql, ofPerson, dayOf(nowMs + 80 * dayMs), nowMs));
    if (at % (isSoak ? 30 : 2) === 0 || at === Math.floor(steps * 0.7))
      expect(await lookAtAll(), dayOf(nowMs)).toEqual({});
    if (at === Math.floor(steps * 0.7)) {
      southHeldMs = undefined;
      await own(south, (sql) => releaseHold(sql, ofSite, { reason: 'settled', ...by(south) }));
    }
  }
  expect(await lookAtAll()).toEqual({});

  // Each night left a receipt for what went, and found nothing past due afterwards.
  const nights = await desk.house.postgres.system((sql) =>
    sql.query<{ state: string; nights: number }>(
      'SELECT state, count(*)::int AS nights FROM retention_nights GROUP BY state',
    ),
  );
  expect(nights).toEqual([{ state: 'clean', nights: steps }]);
  for (const of of sides) {
    const { receipts } = await own(of, (sql) => readReceipts(sql, of.organisation, {}));
    expect(receipts.length).toBeGreaterThan(3);
    expect(receipts.filter(({ state, rows_past_due: left }) => state !== 'done' || left > 0)).toEqual([]);
  }
  // No line that ends by age is missing, and each left its receipt, those of a timer of their own as well: but what goes
  // from here to there within a second (spool), and files that the spool alone can lay down (platform/spool/spool.test.ts).
  const byAge = lines.filter(({ ends }) => ends === 'night' || ends === 'clock').map(({ name }) => name);
  const elsewhere = ['quarantine', 'spool'];
  const ofKinds = new Set(kinds.map(({ line }) => (line === 'profiles' ? 'visitor-events' : line)));
  expect([...ofKinds, ...elsewhere].toSorted()).toEqual(byAge.toSorted());
  const receipted = new Set<string>();
  for (const of of [...sides, { organisation: '', person: '' }]) {
    await owner.query("SELECT set_config('fairlead.organisation', $1, false)", [String(of.organisation)]);
    const found = await owner.query<{ line: string; gone: { rows: number; digest: string }[] }>(
      'SELECT line, gone FROM retention_receipts WHERE rows_gone > 0',
    );
    for (const { line, gone } of found.rows) {
      receipted.add(line);
      for (const { digest: ofKeys } of gone) expect(ofKeys, line).toMatch(/^([0-9a-f]{16}|[0-9a-f]{64})$/);
    }
  }
  expect([...receipted].toSorted()).toEqual([...ofKinds].toSorted());
  // A removal costs by the parts of a table, and not by what goes: one for all organisations, whatever their windows.
  const more = [...(await removals())].map(
    ([table, times]) => [table, times - (removedBefore.get(table) ?? 0)] as const,
  );
  expect(more.map(([table]) => table).toSorted()).toEqual(['bot_events', 'events', 'visits']);
  for (const [table, times] of more) expect(times, table).toBeLessThanOrEqual(steps);
  const keeper = openKeeper({ ...desk.house, dataDir });
  const { findings, entries, chains } = await keeper.verify();
  expect(findings).toEqual([]);
  expect([entries > 3 * steps, chains]).toEqual([true, sides.length + 1]);
});
