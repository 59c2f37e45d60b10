import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stillClock, systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { openWarehouse } from './open.ts';
import type { Warehouse } from './warehouse.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-remembered-'));
const store = join(dataDir, 'warehouse', 'store');
const open = (clock = systemClock) =>
  openWarehouse({
    config: { dataDir, clickhouseUrl: undefined, clickhouseCluster: undefined },
    clock,
    log: silentLog,
  });
const numbers = (...list: number[]) => Buffer.from(list.map((n) => `{"n":${n}}\n`).join(''));
const stored = async (warehouse: Warehouse) =>
  (await warehouse.read<{ n: number }>('SELECT n FROM numbers_kept ORDER BY n', {})).map(({ n }) => n);
/** The folder of the only table, and its log of tokens. */
function table(): { folder: string; log: string; parts: string[] } {
  const [log = ''] = readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('_1.txt'),
  );
  const folder = join(store, log, '../..');
  return { folder, log: join(store, log), parts: readdirSync(folder).filter((name) => /^all_\d+_\d+_/.test(name)) };
}

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test('a process that is killed between remembering an insert and storing it loses no row, and stores none twice', async () => {
  let warehouse = await open();
  await warehouse.command(
    'CREATE TABLE numbers_kept (n UInt32) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100',
  );
  await warehouse.insert('numbers_kept', numbers(1), 'one');
  await warehouse.insert('numbers_kept', numbers(2), 'two');
  await warehouse.command('OPTIMIZE TABLE numbers_kept FINAL');
  await warehouse.insert('numbers_kept', numbers(3), 'three');
  await warehouse.close();

  // What such a kill leaves: the line of the token, and no folder of the part.
  const { folder, log, parts } = table();
  const [newest = ''] = parts.filter((name) => name.startsWith('all_3_3_'));
  expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(3);
  rmSync(join(folder, newest), { recursive: true });

  warehouse = await open();
  expect(await stored(warehouse)).toEqual([1, 2]);
  for (const [n, token] of [
    [3, 'three'],
    [2, 'two'],
    [1, 'one'],
  ] as const)
    await warehouse.insert('numbers_kept', numbers(n), token);
  expect(await stored(warehouse)).toEqual([1, 2, 3]);
  await warehouse.insert('numbers_kept', numbers(3), 'three');
  expect(await stored(warehouse)).toEqual([1, 2, 3]);
  await warehouse.close();
  expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(5);
});

test('a line that a crash tore is cut off, so that what follows it is remembered', async () => {
  const { log } = table();
  const whole = readFileSync(log, 'utf8');
  appendFileSync(log, '1\tall_9_9_0\tall_12');
  let warehouse = await open();
  expect(readFileSync(log, 'utf8')).toBe(whole);
  await warehouse.insert('numbers_kept', numbers(4), 'four');
  await warehouse.close();
  warehouse = await open();
  await warehouse.insert('numbers_kept', numbers(4), 'four');
  expect(await stored(warehouse)).toEqual([1, 2, 3, 4]);
  await warehouse.close();
  // Nothing is wrong any more: nothing is written.
  const quiet = readFileSync(log, 'utf8');
  warehouse = await open();
  await warehouse.close();
  expect(readFileSync(log, 'utf8')).toBe(quiet);
});

test('what is kept for a time is forgotten an hour after a start, and not while the first readers come', async () => {
  let warehouse = await open();
  await warehouse.command(
    'CREATE TABLE ids_kept (at DateTime, id UInt32 TTL at + INTERVAL 1 DAY) ENGINE = MergeTree ORDER BY at SETTINGS min_bytes_for_wide_part = 0, merge_with_ttl_timeout = 86400',
  );
  await warehouse.insert('ids_kept', Buffer.from('{"at":"2026-01-01 00:00:00","id":7}\n'), 'old');
  await warehouse.close();

  const id = async () => (await warehouse.read<{ id: number }>('SELECT id FROM ids_kept'))[0]?.id;
  for (const start of ['the first', 'the next'] as const) {
    const clock = stillClock(0);
    warehouse = await open(clock);
    clock.travel(60 * 60_000 - 1);
    // The engine begins while it opens, where it may.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([start, await id()]).toEqual([start, 7]);
    if (start === 'the next') {
      clock.travel(1);
      await expect.poll(id, { timeout: 20_000, interval: 50 }).toBe(0);
    }
    await warehouse.close();
  }
});
