import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClickHouseHttp, startClickHouseHttp } from '../../../test/fixtures/clickhouse_http.ts';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { agreementTables, keepsTheAgreement, refusesWhenClosed } from './agreement.ts';
import { WarehouseUnavailable } from './errors.ts';
import { migrateWarehouse } from './migrate.ts';
import { openWarehouse } from './open.ts';
import type { Warehouse } from './warehouse.ts';

let directory: string;
let server: ClickHouseHttp;
let warehouse: Warehouse;
const house = { clock: systemClock, log: silentLog };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fairlead-server-'));
  await writeFile(join(directory, '2026-01-01-01-things.sql'), agreementTables);
  server = await startClickHouseHttp({ user: 'fair', password: 'p@ss:word' });
  warehouse = await openWarehouse({
    config: { dataDir: directory, clickhouseUrl: server.url, clickhouseCluster: undefined },
    ...house,
  });
  await migrateWarehouse(warehouse, [{ subject: 'things', directory: pathToFileURL(`${directory}/`) }], house);
});
afterAll(async () => {
  await warehouse.close();
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const rows = (site: number) => Buffer.from(`{"site":"${site}"}\n{"site":"${site}"}\n`);
const count = async (site: number) => {
  const [row] = await warehouse.read<{ n: string; v: string }>(
    'SELECT (SELECT count() FROM things WHERE site = {site:UInt64}) AS n, (SELECT sum(things) FROM thing_counts WHERE site = {site:UInt64}) AS v',
    { site },
  );
  return [Number(row?.n), Number(row?.v)];
};

describe('a server over HTTP', () => {
  keepsTheAgreement(() => warehouse);

  test('an insert whose answer was lost is repeated under its token and counts once', async () => {
    server.cut(1, 'after');
    await expect(warehouse.insert('things', rows(9001), 'lost')).rejects.toBeInstanceOf(WarehouseUnavailable);
    await warehouse.insert('things', rows(9001), 'lost');
    expect(await count(9001)).toEqual([2, 2]);
  });

  test('a connection that broke before the work is "not now"', async () => {
    server.cut(1, 'before');
    await expect(warehouse.insert('things', rows(9002), 'cut')).rejects.toBeInstanceOf(WarehouseUnavailable);
    expect(await count(9002)).toEqual([0, 0]);
  });

  test.each([
    [252, 'TOO_MANY_PARTS', 500],
    [243, 'NOT_ENOUGH_SPACE', 500],
    [242, 'TABLE_IS_READ_ONLY', 500],
    [241, 'MEMORY_LIMIT_EXCEEDED', 500],
    [159, 'TIMEOUT_EXCEEDED', 408],
    [60, 'UNKNOWN_TABLE', 404],
  ])('a server in trouble (%i %s) is never taken for a bad row', async (code, type, status) => {
    server.fail({ code, type, status });
    const error = await warehouse.insert('things', rows(9003), `trouble:${code}`).catch((reason) => reason);
    server.fail(undefined);
    expect(error).toBeInstanceOf(WarehouseUnavailable);
    expect(error).toMatchObject({ why: type });
  });

  test('no statement carries a value: they travel beside it', async () => {
    const secret = 'needle-in-no-haystack';
    await warehouse.read('SELECT {text:String} AS text', { text: secret });
    expect(server.statements.join('\n')).not.toContain(secret);
  });

  refusesWhenClosed(() => warehouse);
});

test('a server that is not there: a sentence for the reader, "not now" for the loader', async () => {
  const away = await openWarehouse({
    config: { dataDir: directory, clickhouseUrl: 'http://127.0.0.1:9', clickhouseCluster: undefined },
    ...house,
  });
  await expect(away.read('SELECT 1')).rejects.toThrow(
    'The warehouse does not answer now (ECONNREFUSED): try again in a moment.',
  );
  await expect(away.insert('things', rows(1), 'away')).rejects.toBeInstanceOf(WarehouseUnavailable);
  expect(await away.health()).toEqual({ ok: false });
  await away.close();
});
