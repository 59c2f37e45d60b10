import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { openPostgres, type Postgres } from '../src/platform/postgres/index.ts';
import { asked, readers, type Sql, sqlOn } from '../src/platform/postgres/sql.ts';
import { systemRandom } from '../src/platform/random.ts';
import { type OpenVault, openVault, type VaultHouse } from '../src/trust/vault/index.ts';
import { layPreparedCluster, postgresMigrations } from './prepared_cluster.ts';

export interface TestPostgres {
  postgres: Postgres;
  dataDir: string;
  /** Work as the owner of the schema, which the product itself does in migrations only; still bound by row security. */
  asOwner<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Stops the server and removes every file of it. */
  close(): Promise<void>;
}

/**
 * A real built-in server with the whole schema, in a temporary folder of its own; ready in about half a second.
 *
 * @param migrations for a schema of other folders, which is made from nothing; by default the server starts on the copy
 *   that a run of the tests keeps
 */
export async function openTestPostgres(migrations?: readonly URL[]): Promise<TestPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fairlead-test-'));
  if (migrations === undefined) await layPreparedCluster(dataDir);
  const postgres = await openPostgres({
    config: { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir },
    migrations: migrations ?? postgresMigrations,
    random: systemRandom,
    clock: systemClock,
    log: silentLog,
  });
  return {
    postgres,
    dataDir,
    asOwner: async (work) => {
      const client = new pg.Client(await ownerLogin(postgres));
      await client.connect();
      try {
        const sql = sqlOn(client);
        const result = await work(sql);
        for (const { text, params } of sql.last()) await client.query(asked(text), [...params]);
        return result;
      } finally {
        await client.end();
      }
    },
    async close() {
      await postgres.close();
      await eraseStores(postgres, dataDir);
    },
  };
}

/** A vault over a test's database; what opens connector secrets and looks for the trail gives its own audit. */
export function openTestVault(
  parts: Pick<VaultHouse, 'postgres' | 'keys'> & Partial<Pick<VaultHouse, 'clock' | 'audit'>>,
): OpenVault {
  const noAudit = async () => {};
  return openVault({
    clock: systemClock,
    random: systemRandom,
    audit: () => ({ record: noAudit, recordMany: noAudit, recordOfPerson: noAudit, writeNow: noAudit }),
    ...parts,
  });
}

/** @returns the connection of the owner of a built-in server. */
export async function ownerLogin(postgres: Pick<Postgres, 'directories'>): Promise<pg.ClientConfig> {
  const [own, server = own] = postgres.directories as [string, string?];
  const { owner } = JSON.parse(await readFile(join(own, 'credentials.json'), 'utf8')) as { owner: string };
  return {
    host: join(server, 'socket'),
    user: 'fairlead_owner',
    password: owner,
    database: 'fairlead',
    types: readers,
  };
}

/** For root the server's files lie outside the data directory. */
export async function eraseStores(postgres: Pick<Postgres, 'directories'>, dataDir: string): Promise<void> {
  for (const directory of [...postgres.directories, dataDir]) await rm(directory, { recursive: true, force: true });
}

/** Every row of every table as text, as a dump would have them; bytes are in hex. */
export async function dumpedRows(store: Pick<TestPostgres, 'asOwner'>): Promise<{ table: string; text: string }[]> {
  return store.asOwner(async (sql) => {
    const tables = await sql.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    );
    const rows: { table: string; text: string }[] = [];
    await sql.query('BEGIN');
    for (const { name } of tables) {
      // Rolled back: the owner is bound by row security as well.
      await sql.query(`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`);
      for (const { text } of await sql.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`))
        rows.push({ table: name, text });
    }
    await sql.query('ROLLBACK');
    return rows;
  });
}

/** Where a text stands in clear, in any case of letters, as it is or as bytes. */
export function standsIn(rows: readonly { table: string; text: string }[], text: string): string[] {
  const wanted = [
    text.toLowerCase(),
    Buffer.from(text).toString('hex'),
    Buffer.from(text.toLowerCase()).toString('hex'),
  ];
  return rows.filter((row) => wanted.some((one) => row.text.toLowerCase().includes(one))).map(({ table }) => table);
}

/** Of passwords in tests that are about something else: a hash takes 15 ms (enough to be missed where it is not made), and no quarter of a second. */
export const quickCost = 8;
