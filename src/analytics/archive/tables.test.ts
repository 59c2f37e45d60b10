import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestPostgres, type TestPostgres } from '../../../test/stores.ts';
import { readPostgresColumns } from '../../trust/classes/index.ts';
import { siteTables } from '../life/tables.ts';
import { leftOut, tablesOfArchive } from './tables.ts';
import { otherwiseWritten } from './write.ts';

let store: TestPostgres;
beforeAll(async () => {
  store = await openTestPostgres();
});
afterAll(() => store.close());

test('each table of organisations is in the archive or named with a reason, and no secret column is (DSR-14)', async () => {
  const { tables, forgotten } = await store.postgres.system(tablesOfArchive);
  expect(forgotten).toEqual([]);
  const columns = await store.postgres.system(readPostgresColumns);
  const ofOrganisations = new Set(
    columns.filter(({ column }) => column === 'organisation_id').map(({ table }) => table),
  );
  const read = new Map(tables.map((one) => [one.table, one]));
  expect([...ofOrganisations].filter((table) => !read.has(table) && !(table in leftOut))).toEqual([]);
  expect(
    Object.keys(leftOut).filter((table) => read.has(table) || !columns.some((one) => one.table === table)),
  ).toEqual([]);
  const secrets = columns.filter(({ comment }) => /^D(1|8|9|25) /.test(comment ?? ''));
  expect(secrets.length).toBeGreaterThan(30);
  expect(secrets.filter(({ table, column }) => read.get(table)?.columns.some(({ name }) => name === column))).toEqual(
    [],
  );
  // Whatever a table has is read or named.
  for (const { table, columns: some, columnsLeftOut } of tables)
    expect([table, [...some.map(({ name }) => name), ...columnsLeftOut].sort()]).toEqual([
      table,
      columns.flatMap((one) => (one.table === table ? [one.column] : [])).sort(),
    ]);
  expect(Object.keys(otherwiseWritten).filter((table) => !siteTables.some((one) => one.table === table))).toEqual([]);
});

test('a table that is added and that nobody may read is named, so that no archive is made without it', async () => {
  await store.asOwner((sql) => sql.run('CREATE TABLE probe (organisation_id bigint, said text)'));
  const { forgotten } = await store.postgres.system(tablesOfArchive);
  await store.asOwner((sql) => sql.run('DROP TABLE probe'));
  expect(forgotten).toEqual(['probe']);
});
