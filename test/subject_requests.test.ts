import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Desk, openDesk } from '../src/app/desk.ts';
import { type Clock, systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { type Column, readPostgresColumns } from '../src/trust/classes/index.ts';
import { findUnheld } from '../src/trust/requests/unheld.ts';
import { layPreparedDesk } from './prepared_cluster.ts';
import { eraseStores } from './stores.ts';

/** One desk whose clock is turned: what it stores about somebody is found, copied and erased. */
vi.setConfig({ hookTimeout: 240_000, testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'fairlead-subjects-'));
const nowMs = systemClock.now();
const clock: Clock = { ...systemClock, now: () => nowMs };
let desk: Desk;

beforeAll(async () => {
  const config = readConfig({
    FAIRLEAD_DATA_DIR: join(folder, 'data'),
    FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k'),
  });
  await layPreparedDesk(config.dataDir);
  desk = await openDesk({ config, clock, random: systemRandom, log: silentLog });
  await desk.begin();
});
afterAll(async () => {
  const { directories } = desk.house.postgres;
  await desk.close();
  await eraseStores({ directories }, folder);
});

describe('who holds what', () => {
  const stored = async (): Promise<Column[]> => [
    ...(await desk.house.postgres.system(readPostgresColumns)),
    ...(await desk.house.warehouse.read<Column>(
      `SELECT 'warehouse' AS store, table, name AS column, comment FROM system.columns
       WHERE database = currentDatabase() AND table NOT IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView')`,
    )),
  ];
  const holders = () => desk.parts.flatMap((part) => part.holders ?? []);

  test('every table with a personal class is walked by a request, or says why not', async () => {
    expect(findUnheld(await stored(), holders())).toEqual([]);
  });

  test('a table that nobody walks is seen, and one that two walk', async () => {
    const columns: Column[] = [
      ...(await stored()),
      { store: 'postgres', table: 'letters', column: 'id', comment: 'D21 x' },
    ];
    expect(findUnheld(columns, holders())).toEqual([
      expect.stringMatching(/^postgres letters has a personal class and no holder/),
    ]);
    const twice = [...holders(), { name: 'other', tables: { 'postgres invitations': 'D7' } }] as const;
    expect(findUnheld(await stored(), twice)).toEqual([
      expect.stringMatching(/^postgres invitations has the holders invitations and other/),
    ]);
  });
});
