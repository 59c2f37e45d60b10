import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { policyProfiles, type Receipt } from '../contract/windows.ts';
import { createOrganisation, sitesChanged } from '../src/accounts/index.ts';
import { archiveFiles } from '../src/analytics/archive/file_classes.ts';
import { openArchiveRecords } from '../src/analytics/archive/records.ts';
import { exportFiles } from '../src/analytics/exports/file_classes.ts';
import { importFiles } from '../src/analytics/imports/file_classes.ts';
import { eachOrder, ordersOf } from '../src/analytics/life/tables.ts';
import { packedFiles } from '../src/analytics/packed/file_classes.ts';
import type { Id64 } from '../src/analytics/visits/live_visits.ts';
import { id64Text, siteKey } from '../src/analytics/visits/visitor.ts';
import { type Desk, openDesk } from '../src/app/desk.ts';
import { acmeFiles } from '../src/platform/acme/file_classes.ts';
import { type Clock, systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { accessLogFiles } from '../src/platform/http/access_log.ts';
import type { RequestError } from '../src/platform/http/route.ts';
import { silentLog } from '../src/platform/log.ts';
import { postgresFiles, type Sql } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { fileClasses } from '../src/platform/spool/index.ts';
import { relayUploadFiles } from '../src/relay/uploads/files.ts';
import { auditFiles } from '../src/trust/audit/index.ts';
import { type Column, readClass, readPostgresColumns } from '../src/trust/classes/index.ts';
import {
  type HoldRow,
  heldOf,
  holdOn,
  isPersonHeld,
  placeHold,
  refuseWhileHeld,
  releaseHold,
  reviewHold,
} from '../src/trust/windows/holds.ts';
import { earlier, type Line, lineOf, lines, sizeOf } from '../src/trust/windows/lines.ts';
import { firstPolicy, profileWindows, refuseLoosening, shortenable, windowOf } from '../src/trust/windows/policy.ts';
import { readReceipts } from '../src/trust/windows/receipts.ts';
import { findUnwindowed } from '../src/trust/windows/stored.ts';
import { layPreparedDesk } from './prepared_cluster.ts';
import { eraseStores } from './stores.ts';

/** One desk whose clock is turned; its timers do not run, so that each night is asked for. */
vi.setConfig({ hookTimeout: 240_000, testTimeout: 60_000 });

const dayMs = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-windows-'));
let nowMs = systemClock.now();
const clock: Clock = { ...systemClock, now: () => nowMs };
let desk: Desk;
const north = { organisation: 0, person: 0, site: 0 };
const south = { organisation: 0, person: 0, site: 0 };
const files = [
  ...[
    fileClasses,
    archiveFiles,
    exportFiles,
    importFiles,
    relayUploadFiles,
    packedFiles,
    acmeFiles,
    accessLogFiles,
    auditFiles,
    postgresFiles,
  ].flat(),
];

beforeAll(async () => {
  const config = readConfig({
    FAIRLEAD_DATA_DIR: join(folder, 'data'),
    FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k'),
  });
  await layPreparedDesk(config.dataDir);
  desk = await openDesk({ config, clock, random: systemRandom, log: silentLog });
  await desk.begin();
  for (const [name, side] of Object.entries({ north, south })) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: `owner@${name}.example`, organisation: name, hash: 'none' }),
    );
    side.organisation = made.organisationId;
    side.person = made.personId;
    side.site = await own(side, async (sql) => {
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO sites (organisation_id, domain, timezone, currency, retention_months, created_at)
         VALUES ($1, $2, 'UTC', 'EUR', $3, $4) RETURNING id`,
        [side.organisation, `${name}.example`, side === north ? 2 : 25, ago(1_000)],
      );
      return id;
    });
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
function ago(days: number): Date {
  return new Date(nowMs - days * dayMs);
}
function moment(at: Date): string {
  return at.toISOString().slice(0, 19).replace('T', ' ');
}
async function count(table: string, side: typeof north, where = '1'): Promise<number> {
  const [row] = await desk.house.warehouse.read<{ n: string }>(
    `SELECT count() AS n FROM ${table} WHERE site_id = {site:UInt64} AND ${where}`,
    { site: side.site },
  );
  return Number(row?.n);
}
const receipts = (side: typeof north): Promise<Receipt[]> =>
  own(side, async (sql) => (await readReceipts(sql, side.organisation, {})).receipts);

let batch = 0;
/** Visits of one page each: `visitors` of them on a day so long ago. */
async function visited(side: typeof north, days: number, visitors: number, pathname = '/'): Promise<void> {
  const at = new Date(Math.floor(ago(days).getTime() / dayMs) * dayMs + 12 * 3_600_000);
  const rows = Array.from({ length: visitors }, (_, i) => ({
    ...{
      site_id: side.site,
      name: 'pageview',
      hostname: 'x.example',
      pathname,
      time: moment(at),
      visit_start: moment(at),
    },
    ...{ id_day: moment(at).slice(0, 10), visitor_id: `${days}${i + 1}`, visit_id: `${days}${batch}${i + 1}` },
  }));
  batch += 1;
  await desk.house.warehouse.insert(
    'events',
    Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
    `windows-${batch}`,
  );
}
async function night(): Promise<boolean> {
  return desk.windows.night.run();
}
function tomorrow(): void {
  nowMs += dayMs;
}

describe('the table of windows', () => {
  const stored = async (): Promise<Column[]> => [
    ...(await desk.house.postgres.system(readPostgresColumns)),
    ...(await desk.house.warehouse.read<Column>(
      `SELECT 'warehouse' AS store, table, name AS column, comment FROM system.columns
       WHERE database = currentDatabase() AND table NOT IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView')`,
    )),
  ];

  test('has a window and an executor for every class, table and file that is stored (RET-20)', async () => {
    const columns = await stored();
    expect(columns.length).toBeGreaterThan(400);
    expect(findUnwindowed(columns, files, desk.windows.covered)).toEqual([]);
    for (const { executor } of lines)
      expect(readFileSync(join(import.meta.dirname, '../src', executor), 'utf8')).not.toBe('');
  });

  test.each<[string, (all: Column[]) => Column[], RegExp]>([
    [
      'a table',
      (all) => [...all, { store: 'postgres', table: 'letters', column: 'id', comment: 'D7 x' }],
      /^postgres letters has no window/,
    ],
    [
      'a class',
      (all) => [...all, { store: 'postgres', table: 'people', column: 'crawl', comment: 'D11 x' }],
      /^D11 crawl-artifact is stored and has no window/,
    ],
    [
      'a line that is too much',
      (all) => all.filter(({ table }) => table !== 'throttles'),
      /^The line throttles names postgres throttles, which nothing stores/,
    ],
  ])('%s without one is seen (RET-20)', async (_what, change, sentence) => {
    const found = findUnwindowed(change(await stored()), files, desk.windows.covered);
    expect(found).toContainEqual(expect.stringMatching(sentence));
  });

  test('a line without an executor is seen, and one with two (RET-20)', async () => {
    const columns = await stored();
    const { covered } = desk.windows;
    expect(
      findUnwindowed(
        columns,
        files,
        covered.filter((name) => name !== 'mail'),
      ),
    ).toEqual([expect.stringMatching(/^The line mail has no executor/)]);
    expect(findUnwindowed(columns, files, [...covered, 'mail'])).toEqual(['The line mail has two executors.']);
  });

  /** Nothing of the class is stored, and a line for it has its longest window or fails the build. */
  async function keptAtMost(id: 'D20' | 'D21', months: number): Promise<void> {
    const all = await stored();
    expect(all.filter(({ comment }) => readClass(comment)?.id === id)).toEqual([]);
    const letters = { store: 'postgres', table: 'letters', column: 'id', comment: `${id} number` } as const;
    const line = (kept: { kept?: { months: number } }): Line => ({
      ...{ name: 'letters', class: id, holds: 'x', ends: 'life', executor: 'x', until: 'x', erasure: 'x' },
      ...{ shortenedBy: 'nobody', stored: ['postgres letters'], ...kept },
    });
    const found = (more: readonly Line[]) =>
      findUnwindowed([...all, letters], files, desk.windows.covered, [...lines, ...more]);
    expect(found([line({ kept: { months } })])).toEqual([]);
    const tooLong = [expect.stringContaining(`The line letters keeps ${id} for longer than ${months} months`)];
    for (const kept of [{ kept: { months: months + 1 } }, {}]) expect(found([line(kept)])).toEqual(tooLong);
    expect(found([])).toContainEqual(expect.stringContaining(`${id} `));
  }
  test('a waiting list is not stored, and cannot be for longer than 12 months after it was resolved (RET-14)', () =>
    keptAtMost('D20', 12));
  test('correspondence is not stored, and cannot be for longer than 24 months (RET-16)', () => keptAtMost('D21', 24));

  test('months are those of the calendar', () => {
    const at = (text: string) => Date.parse(`${text}T03:00:00Z`);
    expect(earlier(at('2026-05-31'), { months: 3 })).toBe(at('2026-02-28'));
    expect(earlier(at('2026-01-15'), { months: 25 })).toBe(at('2023-12-15'));
    expect(earlier(at('2026-03-01'), { days: 90 })).toBe(at('2025-12-01'));
  });
});

describe('a policy', () => {
  test('no profile keeps anything for longer than the ledger, in no line (RET-13, R20)', () => {
    for (const profile of policyProfiles)
      for (const line of lines) {
        const window = windowOf(line, { ...firstPolicy, profile });
        if (line.kept === undefined) continue;
        expect(sizeOf(window?.kept ?? { days: Infinity }), `${profile} ${line.name}`).toBeLessThanOrEqual(
          sizeOf(line.kept),
        );
      }
    for (const [profile, windows] of Object.entries(profileWindows))
      for (const name of Object.keys(windows))
        expect(
          shortenable.map((line) => line.name),
          profile,
        ).toContain(name);
  });

  test('an edit that loosens is refused and names the line (R20)', () => {
    const now = { ...firstPolicy, version: 3, profile: 'eu' as const, windows: { robots: 30 } };
    const edit = (profile: 'eu' | 'strict', windows: Record<string, number>) => () =>
      refuseLoosening(now, { profile, windows });
    expect(edit('eu', { robots: 30, 'visitor-events': 13 })).not.toThrow();
    expect(edit('eu', { robots: 31 })).toThrow(
      /"robots" would be kept for 31 days. Version 3 of the policy promises at most 30 days/,
    );
    expect(edit('eu', {})).toThrow(/"robots" would be kept for 90 days/);
    expect(edit('strict', { robots: 30 })).toThrow(/"drops" would be kept for 12 months/);
    expect(edit('eu', { robots: 30, 'access-log': 10 })).toThrow(/"access-log" cannot be set by an organisation/);
    expect(() => refuseLoosening(firstPolicy, { profile: 'strict', windows: { 'visitor-events': 26 } })).toThrow(
      /26 months/,
    );
  });
});

describe('the night', () => {
  test('shows the evening before what it will do, does that, and leaves a receipt (RET-01, RET-12, RET-17)', async () => {
    await visited(north, 100, 12);
    await visited(north, 100, 3, '/rare');
    await visited(north, 10, 4);
    await visited(south, 100, 5);
    await own(north, (sql) =>
      sql.run(
        `INSERT INTO notifications (person_id, organisation_id, kind, notice, facts, created_at)
         SELECT $1, $2, 'security', 'new_device', '{}', $3 FROM generate_series(1, 2)`,
        [north.person, north.organisation, ago(400)],
      ),
    );
    const preview = await desk.windows.night.preview(north.organisation);
    expect(preview.flatMap(({ line, due }) => due.map(({ table, rows }) => [line.name, table, rows]))).toEqual(
      expect.arrayContaining([
        ['visitor-events', 'events', 15],
        ['visitor-events', 'visits', 15],
        ['visitor-events', 'arrivals', 1],
        ['notifications', 'notifications', 2],
      ]),
    );
    expect((await desk.windows.night.preview(south.organisation)).flatMap(({ due }) => due)).toEqual([]);

    expect(await night()).toBe(true);
    expect([await count('events', north), await count('visits FINAL', north), await count('events', south)]).toEqual([
      4, 4, 5,
    ]);
    const found = await receipts(north);
    expect(
      found.map(({ line, state, rows_gone, rows_past_due }) => [line, state, rows_gone, rows_past_due]).sort(),
    ).toEqual([
      ['notifications', 'done', 2, 0],
      ['visitor-events', 'done', 31, 0],
    ]);
    const events = found.find(({ line }) => line === 'visitor-events');
    expect(events?.gone.map(({ table, rows, digest }) => [table, rows, /^[0-9a-f]{16}$/.test(digest)])).toEqual([
      ['arrivals', 1, true],
      ['visits', 15, true],
      ['events', 15, true],
    ]);
    expect(events).toMatchObject({ class: 'D3', kept: '25 months', kept_from: 'ledger' });
    const acts = await own(north, (sql) =>
      sql.query<{ action: string }>("SELECT action FROM audit.entries WHERE action LIKE 'retention.%'"),
    );
    expect(acts.map(({ action }) => action)).toEqual(['retention.removed', 'retention.removed']);
    expect(await receipts(south)).toEqual([]);
  });

  test('counts of the day stay without its rows, but for those of fewer than ten visitors (RET-02, R14)', async () => {
    const day = moment(ago(100)).slice(0, 10);
    expect(await count('daily', north, `id_day = '${day}' AND visitors >= 10 AND dimension = ''`)).toBeGreaterThan(0);
    expect(await count('daily', north, `id_day = '${day}' AND visitors < 10`)).toBe(0);
    const history = await desk.house.warehouse.read<{ state: string; reason: string }>(
      'SELECT state, reason FROM frozen_days FINAL WHERE site_id = {site:UInt64} AND id_day = {day:Date}',
      { site: north.site, day },
    );
    expect(history).toEqual([{ state: 'frozen', reason: 'outlived' }]);
  });

  test('orders of rows that go are known by the keys that ingest knows them by, whatever their names are', async () => {
    const orders = ['1', "o'\\\n\t{x:String}", 'Bestellung – 7 €', '😀'.repeat(30)];
    const at = moment(ago(30));
    const rows = orders.map((order_id, i) => ({
      ...{ site_id: south.site, name: 'purchase', hostname: 'x.example', pathname: '/', time: at, visit_start: at },
      ...{ id_day: at.slice(0, 10), visitor_id: `9${i}`, visit_id: `9${i}`, order_id },
      ...{ revenue_amount: '5', revenue_currency: 'EUR', received: at },
    }));
    const { warehouse } = desk.house;
    await warehouse.insert('events', Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')), 'orders-1');
    const known: Id64[] = [];
    const found = await ordersOf(warehouse, { siteId: south.site, beforeMs: ago(29).getTime() });
    await eachOrder(found, (key) => known.push(key));
    const sorted = (keys: Id64[]) => keys.map((key) => id64Text(key)).sort();
    expect(sorted(known)).toEqual(sorted(orders.map((order) => siteKey('order', south.site, order))));
    await warehouse.command('DELETE FROM events WHERE site_id = {site:UInt64} AND order_id != {none:String}', {
      ...{ site: south.site, none: '' },
    });
  });

  test('runs once a day: not again, not twice at once, not for a day that is over when the clock is set back', async () => {
    expect(await night()).toBe(false);
    tomorrow();
    expect((await Promise.all([night(), night(), night()])).filter((ran) => ran)).toEqual([true]);
    const at = nowMs;
    nowMs -= 5 * dayMs;
    await visited(north, 200, 1);
    expect(await night()).toBe(false);
    nowMs = at;
    expect(await count('events', north, `pathname = '/'`)).toBe(5);
    tomorrow();
    expect([await night(), await count('events', north)]).toEqual([true, 4]);
  });

  test('what a killed night had begun is found again, and its receipt says so', async () => {
    await visited(north, 150, 2);
    tomorrow();
    await desk.house.postgres.system((sql) =>
      sql.run("INSERT INTO retention_nights (night, state, began_at) VALUES ($1, 'running', $2)", [
        new Date(nowMs).toISOString().slice(0, 10),
        new Date(nowMs),
      ]),
    );
    await own(north, (sql) =>
      sql.run(
        `INSERT INTO retention_receipts (organisation_id, night, line, class, kept, kept_from, cut_off, state, began_at)
         VALUES ($1, $2, 'visitor-events', 'D3', '25 months', 'ledger', $3, 'running', $3)`,
        [north.organisation, new Date(nowMs).toISOString().slice(0, 10), new Date(nowMs)],
      ),
    );
    expect([await night(), await count('events', north)]).toEqual([true, 4]);
    const [newest, killed] = (await receipts(north)).filter(({ line }) => line === 'visitor-events');
    expect([newest?.state, newest?.rows_gone, killed?.state]).toEqual(['done', 5, 'interrupted']);
  });

  test('rows that are left turn a receipt red and into an act that the owners are told of', async () => {
    await mkdir(join(folder, 'data', 'access'), { recursive: true });
    writeFileSync(join(folder, 'data', 'access', `${moment(ago(120)).slice(0, 10)}.ndjson`), '');
    tomorrow();
    expect(await night()).toBe(true);
    const red = await desk.house.postgres.system((sql) =>
      sql.query<{ line: string; rows_past_due: number }>(
        "SELECT line, rows_past_due FROM retention_receipts WHERE state = 'red'",
      ),
    );
    expect(red).toEqual([{ line: 'access-log', rows_past_due: 1 }]);
    // The live check says so, is well after a night that left nothing, and misses nights that did not come.
    const check = async () => (await desk.windows.checks?.find(({ id }) => id === 'windows')?.run())?.state;
    expect(await check()).toBe('wrong');
    rmSync(join(folder, 'data', 'access'), { recursive: true });
    tomorrow();
    expect([await night(), await check()]).toEqual([true, 'ok']);
    const at = nowMs;
    nowMs += 3 * dayMs;
    expect(await check()).toBe('wrong');
    nowMs = at;
  });
});

test('a clock that has moved by more than a week removes nothing before somebody had a day to see it', async () => {
  const before = nowMs;
  nowMs = Math.floor(before / dayMs + 400) * dayMs + 12 * 3_600_000;
  const kept = await count('events', south);
  await visited(south, 1_000, 3);
  expect([await desk.windows.night.runIfDue(), await desk.windows.night.runIfDue()]).toEqual([false, false]);
  expect(await count('events', south)).toBe(kept + 3);
  const [written] = await desk.house.postgres.system((sql) =>
    sql.query<{ state: string; problem: string }>(
      'SELECT state, problem FROM retention_nights ORDER BY night DESC LIMIT 1',
    ),
  );
  expect(written).toEqual({ state: 'red', problem: expect.stringMatching(/^The clock stands 4\d\d days after/) });
  // Set right again, the nights go on as if there had been none of that clock.
  nowMs = before;
  tomorrow();
  expect(await night()).toBe(true);
  expect(await count('events', south)).toBe(kept + 3);
});

describe('a legal hold', () => {
  const hold = (side: typeof north, scope: 'site' | 'person', of: string) =>
    own(side, (sql) =>
      placeHold(
        sql,
        side.organisation,
        {
          ...{ scope, of, reason: 'Claim 12 of a customer', owner: 'Legal', review_on: moment(ago(-30)).slice(0, 10) },
        },
        { personId: side.person, nowMs },
      ),
    );
  const release = (side: typeof north, id: number) =>
    own(side, (sql) => releaseHold(sql, id, { reason: 'settled', personId: side.person, nowMs }));

  test('keeps what it matches and nothing else; released, its rows go with the next night (RET-12, RET-21, R9)', async () => {
    await visited(north, 150, 2);
    await visited(south, 800, 2);
    const { id } = await hold(north, 'site', 'north.example');
    tomorrow();
    await night();
    expect([await count('events', north), await count('events', south, `time < '${moment(ago(700))}'`)]).toEqual([
      6, 0,
    ]);
    const [kept] = await receipts(north);
    expect(kept).toMatchObject({ line: 'visitor-events', state: 'done', rows_gone: 0, rows_held: 5, held: [id] });
    await release(north, id);
    tomorrow();
    await night();
    expect(await count('events', north)).toBe(4);
  });

  test.each<[what: string, hold: Partial<HoldRow>, line: string, keeps: unknown]>([
    ['everything', { scope: 'everything' }, 'robots', true],
    ['the class of the line', { scope: 'class', class: 'D3' }, 'visitor-events', true],
    ['a class that goes with it', { scope: 'class', class: 'D2' }, 'visitor-events', true],
    ['another class', { scope: 'class', class: 'D16' }, 'visitor-events', false],
    ['a site', { scope: 'site', site_id: 7 }, 'visitor-events', 'site 7'],
    ['a person', { scope: 'person', person_id: 9 }, 'mail', 'person 9'],
    // An archive has everything in it but secrets.
    ['a site', { scope: 'site', site_id: 7 }, 'organisation-archives', true],
    ['a person', { scope: 'person', person_id: 9 }, 'organisation-archives', true],
    ['any class that is in it', { scope: 'class', class: 'D3' }, 'organisation-archives', true],
    ['a class of secrets', { scope: 'class', class: 'D8' }, 'organisation-archives', false],
  ])('on %s matches so much of a line (RET-12)', (_what, hold, line, keeps) => {
    const nothing = { class: null, site_id: null, person_id: null };
    const { scope, ids } = heldOf(lineOf(line), [{ id: 1, ...nothing, ...hold } as HoldRow]);
    const all = [...[...scope.siteIds].map((id) => `site ${id}`), ...[...scope.personIds].map((id) => `person ${id}`)];
    expect(all[0] ?? scope.everything).toBe(keeps);
    expect(ids).toEqual(keeps === false ? [] : [1]);
  });

  test('keeps the archives of its organisation beyond their days, and no other ones, and evening and receipt say so (R9)', async () => {
    const records = openArchiveRecords({ ...desk.house, notices: { tell: async () => {} } });
    const folder = join(desk.house.config.dataDir, 'archives');
    await mkdir(folder, { recursive: true });
    const made = async (side: typeof north) => {
      const { id } = await own(side, (sql) =>
        sql.one<{ id: number }>(
          `INSERT INTO organisation_archives (organisation_id, state, key_sealed, created_by, created_at, finished_at, expires_at)
           VALUES ($1, 'done', '', $2, $3, $3, $4) RETURNING id`,
          [side.organisation, side.person, ago(20), ago(13)],
        ),
      );
      writeFileSync(join(folder, String(id)), 'sealed');
      await utimes(join(folder, String(id)), ago(20), ago(20));
      return id;
    };
    const [kept, other] = [await made(north), await made(south)];
    const { id } = await hold(north, 'site', 'north.example');
    const left = async () => [...(await records.sweep()).keys()];
    expect(await left()).toEqual([kept]);
    await rm(join(folder, String(other)));
    expect(await records.list(north.organisation)).toMatchObject([{ id: kept, held: true }]);
    await expect(records.remove(north.organisation, kept, async () => {})).rejects.toThrow(
      `The legal hold ${id} keeps`,
    );
    const dueOf = async (organisation: number | null) =>
      (await desk.windows.night.preview(organisation)).find(({ line }) => line.name === 'organisation-archives')?.due;
    expect(await dueOf(north.organisation)).toMatchObject([{ rows: 1, isHeld: true }]);
    expect(await dueOf(null), 'its file').toMatchObject([{ table: 'archives', rows: 1, isHeld: true }]);
    tomorrow();
    await night();
    const receipt = async () => (await receipts(north)).find(({ line }) => line === 'organisation-archives');
    expect(await receipt()).toMatchObject({ state: 'done', rows_gone: 0, rows_held: 1, held: [id] });
    await release(north, id);
    expect(await left()).toEqual([]);
    await rm(join(folder, String(kept)));
    tomorrow();
    await night();
    expect(await receipt()).toMatchObject({ state: 'done', rows_gone: 1, rows_held: 0, held: [] });
  });

  test('keeps a site from being emptied, deleted or moved, and an account or organisation from going (RET-12, RET-21)', async () => {
    const asked = (site?: number) =>
      own(north, (sql) => refuseWhileHeld(sql, north.organisation, site)).then(
        () => 'may',
        (error: RequestError) => `${error.code}: ${error.message}`,
      );
    expect(await asked(north.site)).toBe('may');
    const { id } = await hold(north, 'site', 'north.example');
    expect([await asked(north.site), await asked(north.site + 1_000), await asked()]).toEqual([
      expect.stringMatching(new RegExp(`^conflict: The legal hold ${id} keeps north\\.example`)),
      'may',
      expect.stringMatching(/^conflict: /),
    ]);
    expect(await own(south, (sql) => holdOn(sql, south.organisation))).toBeUndefined();
    await release(north, id);
    expect(await asked(north.site)).toBe('may');
    const isHeld = () => own(north, (sql) => isPersonHeld(sql, north.person));
    const { id: ofPerson } = await hold(north, 'person', String(north.person));
    expect([await isHeld(), await own(south, (sql) => isPersonHeld(sql, south.person))]).toEqual([true, false]);
    // Nobody reads or ends the hold of another organisation.
    await expect(release(south, ofPerson)).rejects.toMatchObject({ code: 'not_found' });
    await release(north, ofPerson);
    expect(await isHeld()).toBe(false);
  });

  test('owners hear once of a review that is a week away, again after it was put off, and never of one that was released (RET-21)', async () => {
    const { id } = await hold(north, 'site', 'north.example');
    const told = async () => {
      await Promise.all([desk.windows.remind(), desk.windows.remind()]);
      const rows = await own(north, (sql) =>
        sql.query<{ facts: { hold: number; review_on: string } }>(
          "SELECT facts FROM notifications WHERE notice = 'hold_review_due' AND person_id = $1 ORDER BY id",
          [north.person],
        ),
      );
      return rows.map(({ facts }) => [facts.hold, facts.review_on]);
    };
    const [first, second] = [moment(ago(-30)).slice(0, 10), moment(ago(-60)).slice(0, 10)];
    const at = nowMs;
    expect(await told()).toEqual([]);
    nowMs = at + 24 * dayMs;
    expect(await told()).toEqual([[id, first]]);
    await own(north, (sql) => reviewHold(sql, id, second, nowMs));
    expect(await told()).toEqual([[id, first]]);
    nowMs = at + 70 * dayMs;
    expect(await told()).toEqual([
      [id, first],
      [id, second],
    ]);
    nowMs = at;
    await release(north, id);
    expect(
      await own(south, (sql) => sql.query("SELECT 1 FROM notifications WHERE notice = 'hold_review_due'")),
    ).toEqual([]);
  });

  test('on a person keeps what that person was told', async () => {
    const told = () => own(north, (sql) => sql.query('SELECT 1 FROM notifications WHERE created_at < $1', [ago(366)]));
    await own(north, (sql) =>
      sql.run(
        `INSERT INTO notifications (person_id, organisation_id, kind, notice, facts, created_at) VALUES ($1, $2, 'security', 'new_device', '{}', $3)`,
        [north.person, north.organisation, ago(400)],
      ),
    );
    const { id } = await hold(north, 'person', String(north.person));
    tomorrow();
    await night();
    expect((await told()).length).toBe(1);
    await release(north, id);
    tomorrow();
    await night();
    expect(await told()).toEqual([]);
  });

  test.each([
    ['in the past', -1],
    ['today', 0],
    ['after more than ninety days', 91],
  ])('is refused with a review %s (RET-21)', async (_when, days) => {
    const wish = { scope: 'everything', reason: 'x', owner: 'x', review_on: moment(ago(-days)).slice(0, 10) } as const;
    await expect(
      own(north, (sql) => placeHold(sql, north.organisation, wish, { personId: north.person, nowMs })),
    ).rejects.toMatchObject({ code: 'invalid_field', field: 'review_on' });
  });
});
