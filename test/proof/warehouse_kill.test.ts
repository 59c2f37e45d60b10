import { mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isDeep } from '../depth.ts';
import { startChild } from './drivers/child.ts';
import { tally } from './drivers/tally.ts';

const script = fileURLToPath(new URL('./drivers/warehouse_child.ts', import.meta.url));
const perLife = 1_000;
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairlead-kill-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

it('kill -9 between spool and warehouse: stored once in the table and once in its view', async () => {
  const deaths = [
    'warehouse.insert:1',
    'spool.delete:1',
    'spool.split:1',
    'spool.quarantine:1',
    40,
    // The moment between a token that the engine has written down and the rows that it has not: often hit, not always.
    ...Array.from({ length: isDeep ? 20 : 2 }, () => 'remembered' as const),
    ...(isDeep ? ['warehouse.insert:3', 90] : []),
  ];
  const acknowledged: string[] = [];
  let killed = 0;
  let end = '';
  for (const [life, death] of [...deaths, undefined].entries()) {
    const child = startChild(script, {
      args: [dir, String(life * perLife), String(perLife)],
      env:
        typeof death === 'string' && death !== 'remembered'
          ? { FAIRLEAD_CRASH_POINT: death, UV_THREADPOOL_SIZE: '16' }
          : { UV_THREADPOOL_SIZE: '16' },
    });
    if (typeof death === 'number') {
      await child.says(/^ack /);
      await new Promise((resolve) => setTimeout(resolve, death));
      await child.kill();
    }
    if (death === 'remembered') {
      await child.says(/^ack /);
      const logs = ['kill_rows', 'kill_sums'].map((table) => `warehouse/data/default/${table}/deduplication_logs`);
      const watchers = logs.map((path) => watch(join(dir, path), () => child.signal('SIGKILL')));
      await child.ended;
      for (const watcher of watchers) watcher.close();
    }
    if ((await child.ended) === 'SIGKILL') killed++;
    else end = await child.says(/^stored /);
    acknowledged.push(...child.lines.filter((line) => line.startsWith('ack ')).map((line) => line.slice(4)));
  }
  expect(killed).toBe(deaths.length);
  const { ids, summed, quarantined } = JSON.parse(end.slice('stored '.length)) as {
    ids: string[];
    summed: number;
    quarantined: number;
  };
  const isBad = (id: string) => Number(id) % 400 === 7;
  const stored = tally(
    acknowledged.filter((id) => !isBad(id)),
    ids,
  );
  expect(stored).toMatchObject({ lost: [], duplicated: [] });
  expect(ids.filter(isBad)).toEqual([]);
  expect(summed).toBe(ids.length);
  expect(quarantined).toBeGreaterThanOrEqual(acknowledged.filter(isBad).length);
}, 300_000);
