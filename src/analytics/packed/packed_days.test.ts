import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stillClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { findUndeclared } from '../../trust/classes/index.ts';
import { type History, historyLimits, openHistory } from '../history/index.ts';
import type { Goal } from '../query/parse.ts';
import { randomSite } from '../query/random_site.ts';
import { openTestWarehouse, storeEvents } from '../query/rig.ts';
import { type QueryOutcome, runQuery } from '../query/run.ts';
import type { OpenDay } from './day.ts';
import { openPackedDays, packedFiles } from './index.ts';
import { jobsKept, openDays } from './open_days.ts';
import { rehearsalOf } from './rehearsal.ts';

const from = Date.UTC(2026, 9, 20);
const firstDay = from / 86_400_000;
const clock = stillClock(Date.UTC(2026, 9, 28, 12));
const site = { id: 1, domain: 'example.com', timezone: 'Europe/Berlin', currency: 'EUR' };
const request = {
  site_id: 'example.com',
  metrics: ['visitors', 'visits', 'bounce_rate'],
  dimensions: ['visit:source'],
  filters: [['contains', 'event:page', ['blog']]],
  date_range: ['2026-10-18', '2026-10-27'],
  include: { explain: true },
};
const dataDir = mkdtempSync(join(tmpdir(), 'packed-'));
const folder = join(dataDir, 'packed', '1');
let warehouse: Warehouse;
let close: () => Promise<void>;
let history: History;
let goals: Goal[] = [];
let packed: ReturnType<typeof openPackedDays>;

beforeAll(async () => {
  ({ warehouse, close } = await openTestWarehouse());
  await storeEvents(warehouse, randomSite(5, { from, days: 6, visitors: 150 }));
  history = await openHistory({
    ...{ warehouse, clock, log: silentLog },
    sites: async () => [{ id: 1, timezone: site.timezone, goals }],
    onGoals: (siteId, changes) => packed.carry(siteId, changes),
    settledUntil: () => clock.now(),
  });
  await history.sweep();
  packed = open();
}, 60_000);
afterAll(async () => {
  await history.stop();
  await packed.stop();
  await close();
  rmSync(dataDir, { recursive: true });
});

function open(eventsMin = 1) {
  return openPackedDays(
    { config: { dataDir }, clock, log: silentLog, warehouse },
    { sites: () => [1], frozenDays: history.frozenDays, eventsMin },
  );
}

async function answer(withPacked: boolean): Promise<{ rows: unknown; tables: string[] }> {
  const frozenDays = await history.frozenDays(1);
  const outcome: QueryOutcome = await runQuery({
    ...{ site, goals, warehouse, now: clock.now(), request, frozenDays },
    packed: withPacked ? packed : undefined,
  });
  if ('problem' in outcome) throw new Error(outcome.problem.message);
  const { parts } = outcome.meta.explain as { parts: { table: string }[] };
  return { rows: outcome.results, tables: parts.map(({ table }) => table) };
}

async function covers(): Promise<boolean> {
  const { revisions } = await history.frozenDays(1);
  return packed.has(1, revisions.keys(), revisions);
}

test('frozen days are packed once, and a question with a filter is counted from them', async () => {
  expect(await covers()).toBe(false);
  expect(await packed.sweep()).toEqual({ packed: 6, removed: 0 });
  expect(await packed.sweep()).toEqual({ packed: 0, removed: 0 });
  const { rows, tables } = await answer(true);
  expect(tables).toContain('packed');
  const plain = await answer(false);
  expect(plain.tables).not.toContain('packed');
  expect(rows).toEqual(plain.rows);
});

test('what threads learn their work on passes through all of it', async () => {
  for (const question of rehearsalOf([firstDay])) {
    const rows = await packed.count(1, [firstDay, firstDay + 1, firstDay + 2], question);
    for (const list of question.lists.keys())
      expect(
        rows.reduce((sum, ofThread) => sum + (ofThread[list]?.counts[0]?.[0] ?? 0), 0),
        `list ${list}`,
      ).toBeGreaterThan(0);
  }
  // Threads are awake now: nothing is given to them.
  packed.expect(1);
});

test('the files are declared, nobody else may read them, and no id is in them', async () => {
  const names = readdirSync(folder);
  expect(
    findUndeclared(
      names.map((name) => `packed/1/${name}`),
      packedFiles,
    ),
  ).toEqual([]);
  expect([statSync(folder).mode & 0o777, statSync(join(folder, names[0] ?? '')).mode & 0o777]).toEqual([0o700, 0o600]);
});

test('a day that is marked is read from the warehouse at once, and packed again when it is frozen again', async () => {
  await history.markDirty(1, [firstDay + 2], 'erasure');
  await warehouse.command(
    `DELETE FROM events WHERE site_id = 1 AND id_day = toDate(${firstDay + 2}) AND pathname = '/blog'`,
  );
  const plain = await answer(false);
  expect(await answer(true)).toMatchObject({ rows: plain.rows });
  expect(await packed.sweep()).toEqual({ packed: 0, removed: 1 });
  clock.travel(historyLimits.quietMs + 1_000);
  await history.sweep();
  expect(await packed.sweep()).toEqual({ packed: 1, removed: 0 });
  const again = await answer(true);
  expect(again.tables).toContain('packed');
  expect(again.rows).toEqual((await answer(false)).rows);
});

test('a new goal leaves them as they are', async () => {
  goals = [{ name: 'Signup', kind: 'event', match: 'Signup', currency: null }];
  await history.sweep();
  expect(await covers()).toBe(true);
  expect(await packed.sweep()).toEqual({ packed: 0, removed: 0 });
});

test('a start finds them again, without what a kill left half done and files of an earlier form', async () => {
  await packed.stop();
  for (const name of ['visits.rows', `${firstDay}-1.2.part`, `${firstDay}-1`])
    writeFileSync(join(folder, name), 'half');
  packed = open();
  expect(await covers()).toBe(true);
  expect(readdirSync(folder).filter((name) => !/^\d+-\d+\.2$/.test(name))).toEqual([]);
  expect((await answer(true)).tables).toContain('packed');
});

test('a thread keeps what it unpacked within its bytes, and forgets what no job asks for any more', () => {
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const namesOf = ({ ofEvent }: OpenDay) => [...ofEvent('name').codes];
  const [wide, narrow] = [openDays(1 << 20), openDays(0)];
  for (const days of [wide, narrow]) days.begin();
  const first = paths.map((path) => namesOf(wide.open(path)));
  expect(paths.map((path) => namesOf(narrow.open(path)))).toEqual(first);
  expect(new Set(first.map(String)).size, 'days differ').toBeGreaterThan(1);
  const hidden = `${folder}-hidden`;
  renameSync(folder, hidden);
  for (let job = 0; job < jobsKept; job++) wide.begin();
  expect(
    paths.map((path) => namesOf(wide.open(path))),
    'no file is read again',
  ).toEqual(first);
  expect(() => narrow.open(paths[0] ?? '').ofEvent('name')).toThrow('ENOENT');
  for (let job = 0; job <= jobsKept; job++) wide.begin();
  expect(() => wide.open(paths[0] ?? '')).toThrow('ENOENT');
  renameSync(hidden, folder);
});

test('where a file is gone or damaged the warehouse answers', async () => {
  const plain = await answer(false);
  const [name = ''] = readdirSync(folder);
  writeFileSync(join(folder, name), 'no packed day');
  expect(await answer(true)).toMatchObject({ rows: plain.rows });
  rmSync(join(folder, name));
  expect(await answer(true)).toMatchObject({ rows: plain.rows });
});

test('a site that has become small keeps none', async () => {
  await packed.stop();
  packed = open(1_000_000);
  expect((await packed.sweep()).removed).toBeGreaterThan(0);
  expect(existsSync(folder)).toBe(false);
  expect((await answer(true)).tables).not.toContain('packed');
});
