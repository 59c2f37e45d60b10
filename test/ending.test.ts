import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createOrganisation, removeWhatIsClosed, sitesChanged } from '../src/accounts/index.ts';
import { keptOfClosed, onOrganisationEnds } from '../src/accounts/organisations/ending.ts';
import { type Desk, openDesk } from '../src/app/desk.ts';
import { forgetGone, goneOf } from '../src/app/gone.ts';
import { type Clock, systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { silentLog } from '../src/platform/log.ts';
import type { Sql } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openIncident } from '../src/trust/incidents/register.ts';
import { layPreparedDesk } from './prepared_cluster.ts';
import { startChild } from './proof/drivers/child.ts';
import { eraseStores, ownerLogin } from './stores.ts';

/** One desk with two organisations, of which one is closed; its jobs look every second. */
vi.setConfig({ hookTimeout: 240_000, testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'fairlead-ending-'));
let nowMs = Math.floor(systemClock.now() / 1_000) * 1_000;
const clock: Clock = {
  ...systemClock,
  now: () => nowMs,
  after: (ms, work) => systemClock.after(ms >= 30_000 ? 1_000 : ms, work),
};
let desk: Desk;
const north = { organisation: 0, person: 0, site: 0 };
const south = { organisation: 0, person: 0, site: 0 };
/** Killed in the middle, at each step. */
const west = { organisation: 0, person: 0, site: 0 };

const places = { FAIRLEAD_DATA_DIR: join(folder, 'data'), FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k') };
async function open(): Promise<void> {
  desk = await openDesk({ config: readConfig(places), clock, random: systemRandom, log: silentLog });
  await desk.begin();
}

beforeAll(async () => {
  await layPreparedDesk(places.FAIRLEAD_DATA_DIR);
  await open();
  for (const [name, side] of Object.entries({ north, south, west })) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: `owner@${name}.example`, organisation: name, hash: 'none' }),
    );
    side.organisation = made.organisationId;
    side.person = made.personId;
    await own(side, async (sql) => {
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO sites (organisation_id, domain, timezone, currency, retention_months, created_at)
         VALUES ($1, $2, 'UTC', 'EUR', 25, $3) RETURNING id`,
        [side.organisation, `${name}.example`, new Date(nowMs)],
      );
      side.site = id;
      await sql.run(
        "INSERT INTO annotations (organisation_id, site_id, day, note, created_at) VALUES ($1, $2, '2026-11-01', 'x', $3)",
        [...[side.organisation, id, new Date(nowMs)]],
      );
      await sql.run(
        `INSERT INTO api_keys (organisation_id, name, digest, last4, scopes, created_at) VALUES ($1, $2, $3, 'abcd', '{stats:read}', $4)`,
        [side.organisation, `till of ${name}`, Buffer.alloc(32, side.organisation), new Date(nowMs)],
      );
      // An open request with an erasure that was begun, and a basis of a purpose: nobody may remove these one by one.
      const { id: request } = await sql.one<{ id: number }>(
        `INSERT INTO subject_requests (organisation_id, kind, received_on, due_on, warn_on, email_digest, entered_at, entered_by)
         VALUES ($1, 'erasure', '2026-11-01', '2026-12-01', '2026-11-22', $2, $3, $4) RETURNING id`,
        [side.organisation, Buffer.alloc(32, 1), new Date(nowMs), side.person],
      );
      await sql.run('INSERT INTO erasure_runs (organisation_id, request_id, began_at) VALUES ($1, $2, $3)', [
        ...[side.organisation, request, new Date(nowMs)],
      ]);
      await sql.run(
        `WITH review AS (INSERT INTO access_reviews (organisation_id, quarter, opened_at, due_on) VALUES ($1, '2026-Q4', $2, '2026-12-31') RETURNING id)
         INSERT INTO access_decisions (organisation_id, review_id, kind, subject_id, gives, decision, decided_at, decided_by)
         SELECT $1, id, 'member', $3, 'owner', 'confirmed', $2, $3 FROM review`,
        [...[side.organisation, new Date(nowMs), side.person]],
      );
      const at = new Date(nowMs).toISOString();
      await openIncident(
        sql,
        side.organisation,
        {
          title: `lost at ${name}`,
          what: 'x',
          severity: 'low',
          classes: ['D3'],
          sites: [],
          began_at: at,
          known_at: at,
        },
        { personId: side.person, nowMs },
      );
      await desk.house.audit.record(sql, side.organisation, {
        ...{ action: 'member.joined', actor: { type: 'person', id: side.person } },
        targets: [{ type: 'person', id: side.person, label: name }],
      });
    });
    const time = new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ');
    const event = {
      ...{ site_id: side.site, name: 'pageview', hostname: 'x.example', pathname: '/', time, visit_start: time },
      ...{ id_day: time.slice(0, 10), visitor_id: '1', visit_id: `${side.site}` },
    };
    await desk.house.warehouse.insert('events', Buffer.from(`${JSON.stringify(event)}\n`), `ending-${name}`);
  }
  await sitesChanged();
});
afterAll(async () => {
  const { directories } = desk.house.postgres;
  await desk.close();
  await eraseStores({ directories }, folder);
});

function own<T>(side: typeof north, work: (sql: Sql) => Promise<T>): Promise<T> {
  return desk.house.postgres.within({ organisationId: side.organisation, personId: side.person }, work);
}
const eventsOf = async (side: typeof north) =>
  Number(
    (
      await desk.house.warehouse.read<{ n: string }>('SELECT count() AS n FROM events WHERE site_id = {s:UInt64}', {
        s: side.site,
      })
    )[0]?.n,
  );
/** Rows of an organisation by table, in each that it can see. */
async function rowsOf(side: typeof north): Promise<Record<string, number>> {
  return desk.house.postgres.tenant(side.organisation, async (sql) => {
    const tables = await sql.query<{ name: string }>(
      `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organisation_id'
       WHERE c.relkind = 'r' AND c.relforcerowsecurity AND has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY 1`,
    );
    const found: Record<string, number> = {};
    for (const { name } of tables) {
      const { n } = await sql.one<{ n: number }>(`SELECT count(*)::int AS n FROM ${name} WHERE organisation_id = $1`, [
        side.organisation,
      ]);
      if (n > 0) found[name] = n;
    }
    return found;
  });
}

test('what a closed organisation had is gone on its day: sites with their events, every row, every key; another keeps its own (RET-15)', async () => {
  const before = await rowsOf(south);
  await own(north, (sql) =>
    sql.run("UPDATE organisations SET status = 'closing', status_until = $2 WHERE id = $1", [
      ...[north.organisation, new Date(nowMs + 30 * 86_400_000)],
    ]),
  );
  const hold = await own(north, (sql) =>
    sql.one<{ id: number }>(
      `INSERT INTO legal_holds (organisation_id, scope, called, reason, owner, review_on, placed_at, placed_by)
       VALUES ($1, 'everything', 'all', 'Claim 12', 'Legal', '2027-01-30', $2, $3) RETURNING id`,
      [north.organisation, new Date(nowMs), north.person],
    ),
  );
  expect([await removeWhatIsClosed(desk.house), await eventsOf(north)]).toEqual([0, 1]);
  nowMs += 30 * 86_400_000 + 60_000;
  const statusOf = () =>
    own(north, (sql) =>
      sql.one('SELECT status, emptied_at IS NULL AS full FROM organisations WHERE id = $1', [north.organisation]),
    );
  await vi.waitFor(async () => expect(await statusOf()).toEqual({ status: 'closed', full: true }), 10_000);
  expect(await removeWhatIsClosed(desk.house), 'a hold keeps it').toBe(0);
  expect(await eventsOf(north)).toBe(1);
  await own(north, (sql) =>
    sql.run("UPDATE legal_holds SET released_at = $2, released_by = $3, release_reason = 'over' WHERE id = $1", [
      ...[hold.id, new Date(nowMs), north.person],
    ]),
  );
  await vi.waitFor(async () => expect((await rowsOf(north)).annotations).toBeUndefined(), 30_000);
  await vi.waitFor(async () => expect(await statusOf()).toEqual({ status: 'closed', full: false }), 30_000);
  expect(await eventsOf(north)).toBe(0);
  const left = await rowsOf(north);
  for (const table of ['audit.entries', 'audit.chains', ...keptOfClosed]) delete left[table];
  // That the jobs of the removal ran is written down a second later, and has a window of its own.
  const lines = await own(north, (sql) => sql.query<{ kind: string }>('SELECT kind FROM operations'));
  expect(lines.filter(({ kind }) => kind !== 'job')).toEqual([]);
  delete left.operations;
  // Notices and letters about the ending itself were written on the way; whatever is left stands here.
  expect(left).toEqual({});
  const { name, slug } = await own(north, (sql) =>
    sql.one<{ name: string; slug: string }>('SELECT name, slug FROM organisations WHERE id = $1', [north.organisation]),
  );
  expect([name, slug]).toEqual([`Closed organisation ${north.organisation}`, `closed-${north.organisation}`]);
  expect(await desk.house.vault.shredAll(north.organisation), 'no key was left').toBe(0);
  const acts = await own(north, (sql) =>
    sql.query("SELECT 1 FROM audit.entries WHERE organisation_id = $1 AND action = 'organisation.removed'", [
      north.organisation,
    ]),
  );
  expect(acts).toHaveLength(1);
  expect(await eventsOf(south)).toBe(1);
  for (const table of ['sites', 'annotations', 'api_keys', 'incidents', 'memberships'])
    expect((await rowsOf(south))[table]).toBe(before[table]);
});

test('each table of organisations has somebody who may empty it for a closed one', async () => {
  const { postgres } = desk.house;
  const tables = await postgres.system((sql) =>
    sql.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organisation_id' AND NOT a.attisdropped
       WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relforcerowsecurity
         AND NOT has_table_privilege('fairlead_app', c.oid, 'DELETE')`,
    ),
  );
  const { source } = await postgres.system((sql) =>
    sql.one<{ source: string }>("SELECT prosrc AS source FROM pg_proc WHERE proname = 'delete_ended_organisation'"),
  );
  const forgotten = tables.map(({ name }) => name).filter((name) => !source.includes(`'${name}'`));
  // Notifications end by a function of their own, parts of an erasure or a request with it, and those that stay are named.
  const elsewhere = ['notifications', 'erasure_steps', 'erasure_subjects', 'erasure_receipts'];
  elsewhere.push('restrictions', 'request_receipts');
  expect(forgotten.filter((name) => !keptOfClosed.includes(name) && !elsewhere.includes(name))).toEqual([]);
});

test('a restore of a backup from before closes it again, so that nothing of it comes back (RET-03)', async () => {
  const { postgres, keys } = desk.house;
  const gone = await postgres.snapshot((snapshot) => goneOf(keys)(snapshot));
  const owner = new pg.Client(await ownerLogin(postgres));
  await owner.connect();
  // The rows as a backup from before has them, taken back with the transaction: row security binds the owner while it is forced.
  await owner.query('BEGIN');
  await owner.query('ALTER TABLE organisations NO FORCE ROW LEVEL SECURITY');
  await owner.query("UPDATE organisations SET status = 'active', emptied_at = NULL");
  const query = async (text: string, params?: unknown[]) => (await owner.query(text, params)).rows;
  await forgetGone({ query } as Parameters<typeof forgetGone>[0], gone, keys.derive('vault-pepper'), new Date(nowMs));
  expect(await query('SELECT id::int, status FROM organisations ORDER BY id')).toEqual([
    { id: north.organisation, status: 'closed' },
    { id: south.organisation, status: 'active' },
    { id: west.organisation, status: 'active' },
  ]);
  await owner.query('ROLLBACK');
  await owner.end();
});

test('killed at each step of a removal, the next life of the desk goes on, and the end is the same (RET-15)', async () => {
  const wrapped = await desk.house.vault.seal(
    { organisationId: west.organisation, table: 'drill', column: 'value', row: '1', class: 'D4' },
    'of the third one',
  );
  await own(west, (sql) =>
    sql.run("UPDATE organisations SET status = 'closed', status_since = $2 WHERE id = $1", [
      ...[west.organisation, new Date(nowMs)],
    ]),
  );
  await desk.close();
  for (const point of ['ending.sites', 'ending.rows', 'ending.keys']) {
    const { ended } = startChild(join(import.meta.dirname, 'proof/drivers/ending_child.ts'), {
      args: [places.FAIRLEAD_DATA_DIR, places.FAIRLEAD_KEY_FILE, String(nowMs - systemClock.now())],
      env: { FAIRLEAD_CRASH_POINT: point },
    });
    expect(await ended, point).toBe('SIGKILL');
  }
  await open();
  const isFull = () =>
    own(west, (sql) =>
      sql.one('SELECT emptied_at IS NULL AS is FROM organisations WHERE id = $1', [west.organisation]),
    );
  await vi.waitFor(async () => expect(await isFull()).toEqual({ is: false }), 30_000);
  const left = await rowsOf(west);
  // A night of one of these lives may have been the first of its day, and left receipts, which stay.
  for (const table of ['audit.entries', 'audit.chains', 'operations', ...keptOfClosed]) delete left[table];
  expect(left).toEqual({});
  expect(await eventsOf(west)).toBe(0);
  await expect(
    desk.house.vault.open(
      { organisationId: west.organisation, table: 'drill', column: 'value', row: '1', class: 'D4' },
      wrapped,
    ),
  ).rejects.toMatchObject({ code: 'destroyed' });
  expect(await eventsOf(south)).toBe(1);
}, 120_000);

test('what somebody had begun to write while the rows were removed, and ended behind it, goes too (RET-15)', async () => {
  const { postgres } = desk.house;
  const east = { organisation: 0, person: 0, site: 0 };
  const made = await postgres.system((sql) =>
    createOrganisation(sql, desk.house, { email: 'owner@east.example', organisation: 'east', hash: 'none' }),
  );
  east.organisation = made.organisationId;
  east.person = made.personId;
  const isFull = async () =>
    (
      await own(east, (sql) =>
        sql.one<{ is: boolean }>('SELECT emptied_at IS NULL AS is FROM organisations WHERE id = $1', [
          east.organisation,
        ]),
      )
    ).is;
  const written = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let writing: Promise<void> | undefined;
  // Asked once the removal has looked at the organisation, and before its rows go.
  const back = onOrganisationEnds(async (id) => {
    if (id === east.organisation)
      writing ??= own(east, async (sql) => {
        await sql.run(
          `INSERT INTO alert_hooks (organisation_id, host, url_sealed, secret_sealed, kinds, created_at)
           VALUES ($1, 'late.example', $2, $2, '{relay}', $3)`,
          [east.organisation, Buffer.alloc(1), new Date(nowMs)],
        );
        written.resolve();
        await goOn.promise;
      });
    await written.promise;
    return { again: false, left: [] };
  });
  await own(east, (sql) =>
    sql.run("UPDATE organisations SET status = 'closed', status_since = $2 WHERE id = $1", [
      ...[east.organisation, new Date(nowMs - 86_400_000)],
    ]),
  );
  try {
    // Its rows are gone, and the last step waits for whoever still writes.
    await vi.waitFor(async () => expect((await rowsOf(east)).memberships).toBeUndefined(), 30_000);
    await vi.waitFor(
      async () =>
        expect(await postgres.system((sql) => sql.query('SELECT FROM pg_locks WHERE NOT granted'))).not.toEqual([]),
      30_000,
    );
    expect(await isFull()).toBe(true);
  } finally {
    goOn.resolve();
    await writing;
    back();
  }
  await vi.waitFor(async () => expect(await isFull()).toBe(false), 30_000);
  const left = await rowsOf(east);
  for (const table of ['audit.entries', 'audit.chains', 'operations', ...keptOfClosed]) delete left[table];
  expect(left).toEqual({});
});
