import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stillClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { type AccessLog, accessDays, openAccessLog, readAccessDay, removeOldDays } from './access_log.ts';

let folder: string;
let dir: string;
let log: AccessLog;
const clock = stillClock(Date.UTC(2026, 10, 28, 23, 59, 59));
const dropped = () => (log.gauges[0]?.read() as { value: number }[] | undefined)?.[1]?.value;
const open = (where = dir, isOn = true) => openAccessLog({ dir: where, isOn, clock, log: silentLog });
const line = (requestId: string) =>
  log.write({ address: '203.0.113.7', method: 'GET', route: 'GET /api/sites', status: 200, ms: 3, requestId });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-access-'));
  dir = join(folder, 'access');
  clock.set(Date.UTC(2026, 10, 28, 23, 59, 59));
  log = open();
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true });
});

it('writes a file a day for its user alone, and reads it from the end', async () => {
  for (let n = 0; n < 5; n++) line(`id-${n}`);
  clock.set(Date.UTC(2026, 10, 29));
  line('tomorrow');
  await log.flush();
  expect(await accessDays(dir)).toEqual(['2026-11-29', '2026-11-28']);
  expect(statSync(join(dir, '2026-11-28.ndjson')).mode & 0o777).toBe(0o600);
  const first = await readAccessDay(dir, '2026-11-28', { limit: 2 });
  expect(first.entries.map((entry) => entry.request_id)).toEqual(['id-4', 'id-3']);
  const second = await readAccessDay(dir, '2026-11-28', { cursor: first.next ?? '', limit: 2 });
  const third = await readAccessDay(dir, '2026-11-28', { cursor: second.next ?? '', limit: 2 });
  expect(third).toMatchObject({ entries: [{ request_id: 'id-0', time: '2026-11-28T23:59:59.000Z' }], next: null });
  expect(await readAccessDay(dir, '2026-01-01', { limit: 2 })).toEqual({ entries: [], next: null });
});

it('passes over a line that a full disk has cut, and reads a long day in pages', async () => {
  for (let n = 0; n < 5_000; n++) line(`id-${n}`);
  await log.flush();
  const file = join(dir, '2026-11-28.ndjson');
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"time":"2026-11`);
  const seen: string[] = [];
  let next: string | null | undefined;
  do {
    const page = await readAccessDay(dir, '2026-11-28', { cursor: next ?? undefined, limit: 1_000 });
    seen.push(...page.entries.map((entry) => entry.request_id));
    next = page.next;
  } while (next !== null);
  expect(seen).toEqual(Array.from({ length: 5_000 }, (_, n) => `id-${4_999 - n}`));
});

it('finds one line among many by status, method and route, over the edge of a piece and of a page', async () => {
  const rare = { address: '203.0.113.7', method: 'POST', route: 'POST /api/sessions', status: 401, ms: 3 };
  for (let n = 0; n < 9_000; n++) {
    if (n === 10) log.write({ ...rare, requestId: 'rare' });
    line(`id-${n}`);
  }
  await log.flush();
  const file = join(dir, '2026-11-28.ndjson');
  // Longer than what is read at once, without a line's end: gone past, and nothing before it is lost.
  writeFileSync(file, `${readFileSync(file, 'utf8')}${'x'.repeat(17 * 1024 * 1024)}\n`);
  for (const asked of [{ status: '4xx' }, { status: '401' }, { method: 'POST' }, { route: 'API/SESS' }] as const) {
    const pages = [await readAccessDay(dir, '2026-11-28', { ...asked, limit: 10 })];
    while (pages.at(-1)?.next !== null)
      pages.push(await readAccessDay(dir, '2026-11-28', { ...asked, cursor: pages.at(-1)?.next ?? '', limit: 10 }));
    expect(pages.map(({ entries }) => entries.map((entry) => entry.request_id))).toEqual([[], ['rare']]);
  }
  expect(await readAccessDay(dir, '2026-11-28', { status: '402', cursor: '9000', limit: 10 })).toEqual({
    entries: [],
    next: null,
  });
});

it('is gone after 90 days, by name and by date of change (RET-09)', async () => {
  line('old');
  await log.flush();
  const stray = join(dir, '2026-11-28.ndjson.gz');
  writeFileSync(stray, 'rotated by somebody');
  utimesSync(stray, new Date(clock.now()), new Date(clock.now()));
  const day = Date.UTC(2026, 10, 28);
  expect(await removeOldDays(dir, day + 90 * 86_400_000 - 1)).toEqual([]);
  expect(await removeOldDays(dir, day + 90 * 86_400_000)).toHaveLength(1);
  expect(readdirSync(dir)).toEqual(['2026-11-28.ndjson.gz']);
  await removeOldDays(dir, clock.now() + 90 * 86_400_000);
  expect(readdirSync(dir)).toEqual([]);
});

it('a disk that refuses costs lines and nothing else: they are counted', async () => {
  writeFileSync(join(folder, 'file'), '');
  await log.close();
  log = open(join(folder, 'file', 'access'));
  for (let n = 0; n < 3; n++) line(`id-${n}`);
  await log.flush();
  expect(dropped()).toBe(3);
  for (let n = 0; n < 10_050; n++) line(`id-${n}`);
  expect(dropped()).toBe(53);
});

it('writes nothing when it is switched off', async () => {
  await log.close();
  log = open(dir, false);
  line('off');
  await log.flush();
  expect(await accessDays(dir)).toEqual([]);
});
