import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { type Block, numbersIn, openWarehouse, type Warehouse } from './index.ts';

let dataDir: string;
let warehouse: Warehouse;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'fairlead-columns-'));
  warehouse = await openWarehouse({
    config: { dataDir, clickhouseUrl: undefined, clickhouseCluster: undefined },
    clock: systemClock,
    log: silentLog,
  });
});
afterAll(async () => {
  await warehouse.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function blocksOf(sql: string, params: Record<string, unknown> = {}): Promise<Block[]> {
  if (warehouse.readBlocks === undefined) throw new Error('The embedded engine hands over columns.');
  return [...(await warehouse.readBlocks(sql, params))];
}

function cellsOf(blocks: readonly Block[], at: number): (string | number)[] {
  return blocks.flatMap(({ columns }): (string | number)[] => {
    const column = columns[at];
    if (column === undefined) throw new Error('There is no such column.');
    if (column.kind === 'numbers') return [...numbersIn(column, { buffer: new ArrayBuffer(0) })];
    return [...numbersIn(column.at, { buffer: new ArrayBuffer(0) })].map((number) => column.texts[number] ?? 'lost');
  });
}

test('columns come back as the rows have them, in every width and over many blocks', async () => {
  // 300 texts need two bytes each, 70,000 rows more than one block.
  const sql = `SELECT toUInt8(number % 251) AS a, toUInt16(number % 65521) AS b, toUInt32(number * 61357) AS c,
      toLowCardinality(concat('tëxt ', toString(number % {texts:UInt32}))) AS d, number % 3 = 0 AS e, toDate(number % 30000) AS f
    FROM numbers(70000)`;
  const params = { texts: 300 };
  const blocks = await blocksOf(sql, params);
  expect(blocks.length).toBeGreaterThan(1);
  const rows = await warehouse.read<Record<string, string | number | boolean>>(
    `SELECT a, b, c, d, toUInt8(e) AS e, toUInt16(f) AS f FROM (${sql})`,
    params,
  );
  for (const [at, name] of ['a', 'b', 'c', 'd', 'e', 'f'].entries())
    expect(cellsOf(blocks, at), name).toEqual(rows.map((row) => row[name]));
});

test('a number of 64 bits is two of 32, the lower half first', async () => {
  const blocks = await blocksOf('SELECT toUInt64(18446744073709551614) AS id UNION ALL SELECT toUInt64(4294967297)');
  expect(cellsOf(blocks, 0).sort()).toEqual([4294967294, 4294967295, 1, 1].sort());
});

test('an answer without rows is no block, a type that nobody reads is refused', async () => {
  expect(await blocksOf('SELECT toUInt8(1) AS a WHERE 0')).toEqual([]);
  await expect(blocksOf("SELECT 'text' AS a")).rejects.toThrow('A column of String cannot be read as a whole.');
});

test('more rows than are handed over at once are refused as such', async () => {
  await expect(blocksOf('SELECT toUInt8(1) AS a FROM numbers(2000000)')).rejects.toMatchObject({ ceiling: 'rows' });
});
