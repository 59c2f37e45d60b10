import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestPostgres, type TestPostgres } from '../../../test/stores.ts';
import { accessLogFiles } from '../../platform/http/access_log.ts';
import { postgresFiles, type Sql } from '../../platform/postgres/index.ts';
import { fileClasses } from '../../platform/spool/index.ts';
import { auditFiles } from '../audit/index.ts';
import {
  classes,
  findUnclassified,
  findUndeclared,
  findUnguarded,
  ownerless,
  readClass,
  readPostgresColumns,
} from './index.ts';

let store: TestPostgres;
beforeAll(async () => {
  store = await openTestPostgres();
});
afterAll(() => store.close());

test('there are the 25 classes of the ledger, in order', () => {
  expect(classes.map((one) => one.id)).toEqual(Array.from({ length: 25 }, (_, i) => `D${i + 1}`));
});

test.each([
  ['D7 what its people call it', 'D7'],
  ['D25 keyed digest', 'D25'],
  ['D26 no such class', undefined],
  ['D0 no such class', undefined],
  ['D7', undefined],
  ['d7 small', undefined],
  ['holds D7', undefined],
  ['', undefined],
  [null, undefined],
])('the comment %o means %s', (comment, id) => {
  expect(readClass(comment)?.id).toBe(id);
});

describe('Postgres', () => {
  const seenBy = <T>(look: (sql: Sql) => Promise<T>) => store.postgres.system(look);

  test('every column has a class, read by the app itself', async () => {
    const columns = await seenBy(readPostgresColumns);
    expect(columns.length).toBeGreaterThan(100);
    expect(findUnclassified(columns)).toEqual([]);
  });

  test('every table is bound to an organisation or a person by forced row security', async () => {
    expect(await seenBy(findUnguarded)).toEqual([]);
    const tables = new Set((await seenBy(readPostgresColumns)).map((column) => column.table));
    expect(Object.keys(ownerless).filter((table) => !tables.has(table))).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ['a column without a class', 'CREATE TABLE probe (id int)', /^postgres probe\.id has no data class/],
    [
      'a class that is never stored',
      `CREATE TABLE probe (id int); COMMENT ON COLUMN probe.id IS 'D1 x'`,
      /never stored/,
    ],
    [
      'a table in a schema of its own',
      'CREATE TABLE audit.probe (id int)',
      /^postgres audit\.probe\.id has no data class/,
    ],
    ['a table without row security', 'CREATE TABLE probe (id int)', /^probe has no forced row security/],
    [
      'row security that spares the owner',
      'CREATE TABLE probe (id int); ALTER TABLE probe ENABLE ROW LEVEL SECURITY',
      /^probe has no forced/,
    ],
    [
      'a table without a policy',
      'CREATE TABLE probe (id int); ALTER TABLE probe ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
      /^probe has no policy/,
    ],
    [
      'a policy that lets everybody in',
      'CREATE POLICY open ON sites USING (true)',
      /^sites has a policy that binds its rows to nobody/,
    ],
  ])('%s is seen', async (_what, change, sentence) => {
    await store.asOwner(async (sql) => {
      await sql.run('BEGIN');
      await sql.run(change);
      const found = [...findUnclassified(await readPostgresColumns(sql)), ...(await findUnguarded(sql))];
      await sql.run('ROLLBACK');
      expect(found).toContainEqual(expect.stringMatching(sentence));
    });
  });
});

describe('files', () => {
  test('of a running server are declared, wherever they lie', async () => {
    const paths = await Promise.all(store.postgres.directories.map(filesIn));
    expect(
      findUndeclared(
        paths.flat().map((path) => `postgres/${path}`),
        postgresFiles,
      ),
    ).toEqual([]);
  });

  test.each([
    [
      'a stranger',
      ['spool/events/1.tmp'],
      'Nobody declares the file spool/events/1.tmp: say which data class it holds.',
    ],
    [
      'a deeper folder than one star reaches',
      ['quarantine/a/b/c.ndjson'],
      'Nobody declares the file quarantine/a/b/c.ndjson',
    ],
  ])('%s is seen', (_what, paths, sentence) => {
    expect(findUndeclared(paths, fileClasses)).toEqual([expect.stringContaining(sentence)]);
  });

  test('a declaration names classes that may be stored', () => {
    const declared = (ids: `D${number}`[]) => [{ path: 'x', classes: ids, window: '', purpose: '' }];
    expect(findUndeclared(['x'], declared(['D3']))).toEqual([]);
    expect(findUndeclared(['x'], declared([]))).toHaveLength(1);
    expect(findUndeclared(['x'], declared(['D1', 'D99']))).toHaveLength(2);
    expect(findUndeclared([], [...fileClasses, ...postgresFiles, ...auditFiles, ...accessLogFiles])).toEqual([]);
    expect(findUndeclared(['access/2026-11-28.ndjson'], accessLogFiles)).toEqual([]);
  });
});

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
}
