import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { agreementTables, keepsTheAgreement, refusesWhenClosed } from './agreement.ts';
import { WarehouseRefused } from './errors.ts';
import { migrateWarehouse } from './migrate.ts';
import { openWarehouse } from './open.ts';
import type { Warehouse } from './warehouse.ts';

let directory: string;
let warehouse: Warehouse;
const house = { clock: systemClock, log: silentLog };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fairlead-warehouse-'));
  await writeFile(join(directory, '2026-01-01-01-things.sql'), agreementTables);
  warehouse = await openWarehouse({
    config: { dataDir: join(directory, 'data'), clickhouseUrl: undefined, clickhouseCluster: undefined },
    ...house,
  });
  await migrateWarehouse(warehouse, [{ subject: 'things', directory: pathToFileURL(`${directory}/`) }], house);
});
afterAll(async () => {
  await warehouse.close();
  await rm(directory, { recursive: true, force: true });
});

describe('the embedded engine', () => {
  keepsTheAgreement(() => warehouse);

  test('a second process is refused in a sentence that names the first', async () => {
    const script = `
      const { openWarehouse } = await import(${JSON.stringify(import.meta.resolve('./open.ts'))});
      const { systemClock } = await import(${JSON.stringify(import.meta.resolve('../clock.ts'))});
      const { silentLog } = await import(${JSON.stringify(import.meta.resolve('../log.ts'))});
      await openWarehouse({ config: { dataDir: ${JSON.stringify(join(directory, 'data'))} }, clock: systemClock, log: silentLog })
        .then(() => console.log('opened'), (error) => console.log(error.name + ': ' + error.message));
      process.exit(0);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(said).toMatch(
      new RegExp(`^WarehouseRefused: The warehouse in .* is in use by process ${process.pid}: stop that process`),
    );
    expect(await warehouse.read('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('older code refuses a newer schema, and nobody may edit an applied migration', async () => {
    const empty = await mkdtemp(join(directory, 'older-'));
    await expect(
      migrateWarehouse(warehouse, [{ subject: 'things', directory: pathToFileURL(`${empty}/`) }], house),
    ).rejects.toThrow(
      /has the migration things\/2026-01-01-01-things.sql, which this version does not know: start the newer/,
    );
    await writeFile(join(empty, '2026-01-01-01-things.sql'), `${agreementTables}-- edited\n`);
    const edited = migrateWarehouse(warehouse, [{ subject: 'things', directory: pathToFileURL(`${empty}/`) }], house);
    await expect(edited).rejects.toBeInstanceOf(WarehouseRefused);
    await expect(edited).rejects.toThrow('was applied with other contents');
  });

  test('a second start applies nothing', async () => {
    const again = await migrateWarehouse(
      warehouse,
      [{ subject: 'things', directory: pathToFileURL(`${directory}/`) }],
      house,
    );
    expect(again).toEqual([]);
  });

  test('no more than three calls are in the engine at once, whatever is asked', async () => {
    const calls = Array.from({ length: 12 }, () => warehouse.read('SELECT sleepEachRow(0.02) FROM numbers(1)'));
    const began = performance.now();
    await warehouse.insert('things', Buffer.from('{"site":"9"}\n'), 'beside');
    const insertMs = performance.now() - began;
    await Promise.all(calls);
    // Two at a time: the whole line takes six turns, and the insert waited for none of them.
    expect(performance.now() - began).toBeGreaterThan(5 * 20);
    expect(insertMs).toBeLessThan(performance.now() - began);
  });

  refusesWhenClosed(() => warehouse);
});
