import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createOrganisation, sitesChanged } from '../src/accounts/index.ts';
import { type Desk, openDesk } from '../src/app/desk.ts';
import { systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { openLog } from '../src/platform/log.ts';
import type { Sql } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { holdTimers } from './held_timers.ts';
import { layPreparedCluster } from './prepared_cluster.ts';
import { eraseStores, ownerLogin } from './stores.ts';
import { type Written, watchWrites } from './written.ts';

/**
 * Every job of the desk, with rows of two organisations (AUT-13): first one of them has something to do, then the other. What is
 * done is done to its own rows, every row that is written belongs to the organisation that is in force, and no row of the other
 * one is another afterwards.
 */
vi.setConfig({ hookTimeout: 240_000, testTimeout: 120_000 });

/** What a timer of a file is for: rows of organisations, rows of the desk or of people, or no rows in PostgreSQL at all. */
type Kind = 'organisations' | 'desk' | 'none';
/** Every file that has a timer, and how many places it sets one at. A job that is not here fails the test. */
const timers: Readonly<Record<string, readonly [kind: Kind, places: number]>> = {
  'accounts/closing/index.ts': ['organisations', 1],
  'accounts/alerts/index.ts': ['organisations', 1],
  'accounts/identities/steps.ts': ['desk', 1],
  'accounts/index.ts': ['desk', 1],
  'accounts/mail/index.ts': ['desk', 1],
  'accounts/organisations/index.ts': ['organisations', 1],
  'accounts/passwords.ts': ['none', 1],
  'accounts/people/seal_addresses.ts': ['desk', 1],
  'accounts/watch.ts': ['organisations', 1],
  'analytics/contact_upkeep.ts': ['organisations', 2],
  'analytics/exports/runner.ts': ['organisations', 1],
  'analytics/imports/runner.ts': ['organisations', 1],
  'analytics/index.ts': ['organisations', 1],
  'analytics/ingest/links.ts': ['desk', 1],
  'analytics/ingest/place.ts': ['none', 1],
  'analytics/ingest/running.ts': ['none', 4],
  'analytics/life/runner.ts': ['organisations', 3],
  'analytics/packed/workers.ts': ['none', 1],
  'analytics/reports/routes.ts': ['organisations', 1],
  'analytics/site_list.ts': ['none', 2],
  'analytics/visits/salt.ts': ['none', 2],
  'app/backup_desk.ts': ['desk', 1],
  'app/demo_relay.ts': ['none', 1],
  'app/demo_traffic.ts': ['none', 2],
  'app/product_events.ts': ['desk', 1],
  'app/prove.ts': ['desk', 1],
  'app/serve.ts': ['none', 1],
  'app/ship_logs.ts': ['none', 1],
  // With credits on alone; src/billing/credits/credits.test.ts looks at what it does.
  'billing/credits/upkeep.ts': ['none', 1],
  // Writes what requests have brought, which is nothing here (journeys/relay_intake.test.ts).
  'relay/intake/captures.ts': ['none', 1],
  // Writes how many requests a minute refused, which are none here (journeys/relay_intake_edges.test.ts).
  'relay/intake/rate.ts': ['none', 1],
  'relay/alerts/watch.ts': ['organisations', 1],
  'relay/intake/again.ts': ['organisations', 1],
  'relay/intake/directory.ts': ['none', 1],
  'relay/intake/loader_thread.ts': ['none', 1],
  'relay/deliveries/ages.ts': ['organisations', 1],
  // It looks twice a second and is never held; src/relay/deliveries/lanes.test.ts looks at what it does.
  'relay/deliveries/lanes.ts': ['desk', 3],
  'relay/deliveries/numbers.ts': ['none', 1],
  'relay/deliveries/results.ts': ['organisations', 1],
  'relay/deliveries/turn.ts': ['none', 1],
  'relay/life/ageing.ts': ['organisations', 1],
  'relay/uploads/runner.ts': ['organisations', 1],
  'relay/reading/deletions.ts': ['organisations', 1],
  // Adds up what triggers wrote of each organisation, and changes no other row (src/relay/reading/sums.test.ts).
  'relay/reading/sums.ts': ['organisations', 2],
  'platform/acme/conversation.ts': ['none', 1],
  'platform/acme/keeper.ts': ['none', 1],
  'platform/clock.ts': ['none', 8],
  'platform/http/access_log.ts': ['none', 2],
  'platform/http/plain_lane.ts': ['none', 1],
  'platform/http/server.ts': ['none', 1],
  'platform/mail/open.ts': ['desk', 3],
  'platform/outbound/outbound.ts': ['none', 2],
  'platform/postgres/alone.ts': ['none', 1],
  'platform/postgres/left_behind.ts': ['none', 1],
  'platform/postgres/one_by_one.ts': ['none', 1],
  'platform/spool/loader.ts': ['none', 1],
  'platform/heap.ts': ['none', 1],
  'platform/priority.ts': ['none', 2],
  // Before a second try of one request, of whoever makes the backup.
  'trust/backup/object_store.ts': ['none', 1],
  'platform/spool/quarantine.ts': ['none', 1],
  'platform/spool/spool.ts': ['none', 2],
  'platform/spool/writer.ts': ['none', 2],
  'platform/warehouse/open.ts': ['none', 2],
  'providers/upkeep.ts': ['organisations', 1],
  'trust/access/index.ts': ['organisations', 1],
  'trust/audit/keeper.ts': ['desk', 3],
  'trust/documents/index.ts': ['desk', 1],
  'trust/incidents/index.ts': ['desk', 1],
  'trust/operations/writer.ts': ['none', 1],
  'trust/proof/runs.ts': ['none', 1],
  'trust/requests/index.ts': ['desk', 1],
  'trust/transfers/index.ts': ['desk', 1],
  'trust/vault/key_store.ts': ['none', 2],
  'trust/windows/index.ts': ['organisations', 1],
};
const source = join(import.meta.dirname, '../src');

/** The newest Tuesday: the report of the week is due since yesterday, and not too late. */
const sinceTuesdayMs = ((new Date(systemClock.now()).getUTCDay() + 5) % 7) * 86_400_000;
const { clock, waiting, run: runJobs } = holdTimers(() => systemClock.now() - sinceTuesdayMs);

interface Side {
  name: string;
  organisation: number;
  person: number;
  site: number;
  doomed: number;
}
let desk: Desk;
let owner: pg.Client;
let written: () => Promise<Written[]>;
const sides: Side[] = [];
const folder = mkdtempSync(join(tmpdir(), 'fairlead-jobs-'));
const own = <T>(side: Side, work: (sql: Sql) => Promise<T>) =>
  desk.house.postgres.within({ organisationId: side.organisation, personId: side.person }, work);
const dayMs = 86_400_000;
const day = (ago: number) => new Date(clock.now() - ago * dayMs);

async function openSide(name: string): Promise<Side> {
  const { organisationId: organisation, personId: person } = await desk.house.postgres.system((sql) =>
    createOrganisation(sql, desk.house, { email: `owner@${name}.example`, organisation: name, hash: 'none' }),
  );
  const side = { name, organisation, person, site: 0, doomed: 0 };
  await own(side, async (sql) => {
    const add = async (domain: string) =>
      (
        await sql.one<{ id: number }>(
          `INSERT INTO sites (organisation_id, domain, timezone, currency, created_at) VALUES ($1, $2, 'UTC', 'EUR', $3) RETURNING id`,
          [organisation, domain, day(60)],
        )
      ).id;
    side.site = await add(`${name}.example`);
    side.doomed = await add(`doomed.${name}.example`);
  });
  return side;
}

/** Something for every job: due, or not yet. */
async function fill(side: Side, isDue: boolean): Promise<void> {
  const { organisation, person, site, doomed, name } = side;
  const at = isDue ? day(1) : day(-30);
  await own(side, async (sql) => {
    await sql.run('DELETE FROM exports');
    await sql.run("DELETE FROM imports WHERE state = 'ready'");
    await sql.run('DELETE FROM contact_keys WHERE site_id = $1', [10_000 + organisation]);
    await sql.run('DELETE FROM relay_sources');
    await sql.run(
      `WITH source AS (
         INSERT INTO relay_sources (organisation_id, name, kind, created_at) VALUES ($1, 'files', 'upload', $2) RETURNING id)
       INSERT INTO relay_uploads (organisation_id, source_id, request_id, file_name, size, created_at, expires_at)
       SELECT $1, id, gen_random_uuid(), 'sales.csv', 10, $2, $3 FROM source`,
      [organisation, day(9), at],
    );
    await sql.run(
      `INSERT INTO exports (organisation_id, site_id, format, state, timezone, first_day, last_day, created_by, created_at, finished_at, expires_at)
       VALUES ($1, $2, 'ndjson', 'done', 'UTC', '2026-01-01', '2026-01-02', $3, $4, $4, $5)`,
      [organisation, site, person, day(9), at],
    );
    await sql.run(
      `INSERT INTO imports (organisation_id, site_id, kind, file_name, state, size, created_at, expires_at, created_by)
       VALUES ($1, $2, 'events', 'past.ndjson', 'ready', 10, $3, $4, $5)`,
      [organisation, site, day(9), at, person],
    );
    if (isDue) {
      await sql.run(
        `INSERT INTO api_keys (organisation_id, name, digest, last4, scopes, created_at, last_used_day) VALUES ($1, 'canary in a file', $2, 'abcd', '{stats:read}', $3, $4)`,
        [organisation, systemRandom.bytes(32), day(9), day(0)],
      );
      await sql.run(
        'INSERT INTO report_subscriptions (organisation_id, site_id, person_id, weekly_since) VALUES ($1, $2, $3, $4)',
        [organisation, site, person, day(7)],
      );
      await sql.run(
        `INSERT INTO site_removals (organisation_id, site_id, domain, kind, state, asked_by, asked_at, due_at) VALUES ($1, $2, $3, 'deletion', 'waiting', $4, $5, $6)`,
        [organisation, doomed, `doomed.${name}.example`, person, day(9), day(1)],
      );
      await sql.run('INSERT INTO contact_keys (organisation_id, site_id, since_ms, made_at) VALUES ($1, $2, 0, $3)', [
        ...[organisation, 10_000 + organisation, day(9)],
      ]);
    }
  });
}
/** What the jobs of a side have come to. */
async function done(side: Side) {
  const rows = await own(side, async (sql) => ({
    exports: (await sql.query('SELECT 1 FROM exports')).length,
    imports: (await sql.query<{ state: string }>('SELECT state FROM imports')).map(({ state }) => state),
    contactKeys: (await sql.query('SELECT 1 FROM contact_keys')).length,
    uploads: (await sql.query('SELECT 1 FROM relay_uploads')).length,
    sites: (await sql.query<{ domain: string }>('SELECT domain FROM sites ORDER BY domain')).map(
      ({ domain }) => domain,
    ),
    reports: (await sql.query<{ outcome: string }>('SELECT DISTINCT outcome FROM report_sendings')).map(
      (row) => row.outcome,
    ),
    told: (await sql.query<{ notice: string }>('SELECT DISTINCT notice FROM notifications ORDER BY notice')).map(
      ({ notice }) => notice,
    ),
  }));
  const frozen = await desk.house.warehouse.read<{ n: string }>(
    'SELECT count() AS n FROM frozen_days WHERE site_id = {site:UInt64}',
    { site: side.site },
  );
  return { ...rows, frozen: Number(frozen[0]?.n) > 0 };
}
const finished = (side: Side) => ({
  ...{
    exports: 0,
    imports: ['failed'],
    contactKeys: 0,
    uploads: 0,
    sites: [`${side.name}.example`],
    reports: ['sent'],
  },
  told: ['import_failed', 'security_alert', 'site_deleted'],
  frozen: true,
});

/** A digest of all that an organisation has, in every table that has owners; the operations log is written a second later. */
async function everything(side: Side): Promise<Record<string, string>> {
  await owner.query("SELECT set_config('fairlead.organisation', $1, false), set_config('fairlead.person', '', false)", [
    String(side.organisation),
  ]);
  const tables = await owner.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organisation_id' AND NOT a.attisdropped
     WHERE c.relforcerowsecurity AND c.relkind = 'r' AND n.nspname <> 'vault' AND c.relname <> 'operations' ORDER BY 1`,
  );
  const all = tables.rows.map(
    ({ name }) =>
      `SELECT '${name}' AS name, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS digest FROM ${name} t WHERE organisation_id = ${side.organisation}`,
  );
  const { rows } = await owner.query<{ name: string; digest: string }>(all.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}

beforeAll(async () => {
  const config = readConfig({
    FAIRLEAD_DATA_DIR: join(folder, 'data'),
    FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k'),
    FAIRLEAD_SMTP_URL: 'smtp://127.0.0.1:9',
    FAIRLEAD_MAIL_FROM: 'desk@desk.example',
  });
  await layPreparedCluster(config.dataDir);
  desk = await openDesk({ config, clock, random: systemRandom, log: openLog(clock, () => {}) });
  await desk.begin();
  for (const name of ['north', 'south']) sides.push(await openSide(name));
  owner = new pg.Client(await ownerLogin(desk.house.postgres));
  await owner.connect();
  written = await watchWrites(async (work) => work(async (text) => (await owner.query(text)).rows as never));
  const rows = sides.flatMap(({ site, name }) =>
    [9, 8, 7].map((ago, at) => ({
      ...{ site_id: site, name: 'pageview', hostname: `${name}.example`, pathname: '/', visit_id: `${site}${at}` },
      ...{ visitor_id: `${site}${at}`, time: day(ago).toISOString().slice(0, 23).replace('T', ' ') },
      ...{
        id_day: day(ago).toISOString().slice(0, 10),
        visit_start: day(ago).toISOString().slice(0, 23).replace('T', ' '),
      },
    })),
  );
  await desk.house.warehouse.insert(
    'events',
    Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
    'jobs',
  );
  await sitesChanged();
});
afterAll(async () => {
  const { directories } = desk.house.postgres;
  await owner.end();
  await desk.close();
  await eraseStores({ directories }, folder);
});

it('every timer of the product is known here, and what it is for', () => {
  const found: Record<string, number> = {};
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.ts') || /\.test\.ts$|agreement\.ts$/.test(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    const count = readFileSync(file, 'utf8').match(
      /(?<![.\w'"])repeat\(\s*(?!auto|var|\d)|\bclock\.after\(|(?<!\.)\bset(Interval|Timeout)\(/g,
    );
    if (count !== null) found[relative(source, file)] = count.length;
  }
  expect(found).toEqual(Object.fromEntries(Object.entries(timers).map(([file, [, places]]) => [file, places])));
});

it('a job does what is due in an organisation, and leaves every row of another as it is (AUT-13)', async () => {
  const [north, south] = sides as [Side, Side];
  const theirs = Object.keys(timers).filter((file) => timers[file]?.[0] === 'organisations');
  // Some look once when the desk opens.
  await vi.waitFor(() => expect(waiting()).toEqual(expect.arrayContaining(theirs)), { timeout: 20_000 });
  const jobs = Object.keys(timers).filter((file) => timers[file]?.[0] !== 'none' && waiting().includes(file));
  for (const [side, other] of [
    [north, south],
    [south, north],
  ] as const) {
    await fill(side, true);
    if (side === north) await fill(other, false);
    const before = await everything(other);
    const beforeOwn = await everything(side);
    for (const file of jobs) await runJobs(file);
    await vi.waitFor(async () => expect(await done(side)).toEqual(finished(side)), { timeout: 30_000, interval: 100 });
    const after = await everything(other);
    expect(after).toEqual(before);
    expect(
      Object.entries(await everything(side)).filter(([name, digest]) => beforeOwn[name] !== digest).length,
    ).toBeGreaterThan(5);
  }
  const transactions = await written();
  expect(transactions.flatMap(({ strange }) => strange)).toEqual([]);
  // Each letter is of one organisation and to one of its people.
  for (const side of sides) {
    const letters = await desk.house.postgres.mail((sql) =>
      sql.query<{ organisation_id: number; person_id: number; template: string }>(
        'SELECT organisation_id, person_id, template FROM mail.messages WHERE organisation_id = $1 OR person_id = $2',
        [side.organisation, side.person],
      ),
    );
    expect(letters.length).toBeGreaterThan(1);
    for (const { organisation_id, person_id } of letters)
      expect([organisation_id, person_id]).toEqual([side.organisation, side.person]);
  }
});

it('an organisation and an account whose day has come are closed, and no other (AUT-13)', async () => {
  const [north, south] = sides as [Side, Side];
  await own(north, (sql) =>
    sql.run("UPDATE organisations SET status = 'closing', status_until = $2 WHERE id = $1", [
      north.organisation,
      day(1),
    ]),
  );
  const before = await everything(south);
  await runJobs('accounts/organisations/index.ts');
  const status = (side: Side) =>
    own(side, (sql) =>
      sql.one<{ status: string }>('SELECT status FROM organisations WHERE id = $1', [side.organisation]),
    );
  expect([await status(north), await status(south)]).toEqual([{ status: 'closed' }, { status: 'active' }]);
  expect(await everything(south)).toEqual(before);
  await own(north, (sql) =>
    sql.run("UPDATE people SET status = 'closing', status_before = 'active', status_until = $2 WHERE id = $1", [
      north.person,
      day(1),
    ]),
  );
  await runJobs('accounts/closing/index.ts');
  const person = (side: Side) =>
    own(side, (sql) => sql.maybe<{ status: string }>('SELECT status FROM people WHERE id = $1', [side.person]));
  expect((await person(north))?.status ?? 'closed').toBe('closed');
  expect(await person(south)).toEqual({ status: 'active' });
  expect(await everything(south)).toEqual(before);
});
