import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type Home, storesOf } from './desk.ts';

/** The database of a desk that runs, looked at past everything that the product puts before its rows. */
export interface Tables {
  /** As the owner of the schema, whom row security binds as well. */
  readonly owner: pg.Client;
  /** As the product itself logs in. */
  readonly app: pg.Client;
  /** Every row of every table, whoever it belongs to. */
  dump(): Promise<Map<string, Record<string, unknown>[]>>;
  /** The same of one table. */
  rowsOf(name: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function openTables(home: Home): Promise<Tables> {
  const [data = '', place = join(data, 'postgres')] = storesOf(home);
  const { owner: ownerPassword, app: appPassword } = JSON.parse(
    readFileSync(join(data, 'postgres', 'credentials.json'), 'utf8'),
  ) as { owner: string; app: string };
  const as = async (user: string, password: string) => {
    const client = new pg.Client({ host: join(place, 'socket'), database: 'fairlead', user, password });
    // A desk that stops takes its database with it.
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const owner = await as('fairlead_owner', ownerPassword);
  const app = await as('fairlead_login', appPassword);
  /** One table a transaction: who locked several would wait in a circle with a desk that works, and one of both would fail. */
  async function rowsOf(name: string): Promise<Record<string, unknown>[]> {
    await owner.query('BEGIN');
    try {
      // Taken back with the transaction: the owner's rows are those of nobody while it is forced.
      await owner.query(`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`);
      return (await owner.query(`SELECT * FROM ${name}`)).rows;
    } finally {
      await owner.query('ROLLBACK');
    }
  }
  return {
    owner,
    app,
    rowsOf,
    async dump() {
      const { rows } = await owner.query<{ name: string }>(
        `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
      );
      const tables = new Map<string, Record<string, unknown>[]>();
      for (const { name } of rows) tables.set(name, await rowsOf(name));
      return tables;
    },
    async close() {
      await Promise.allSettled([owner.end(), app.end()]);
    },
  };
}
