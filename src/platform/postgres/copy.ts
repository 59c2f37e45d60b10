import pg from 'pg';
import { PostgresRefused } from './refusal.ts';
import type { Connection } from './sql.ts';

/**
 * Copies of all rows, out and in, without pg_dump, which the built-in server does not bring. A row travels as PostgreSQL's
 * own text of the whole row (`t::text`), which every type reads back as it was.
 */

/** Rows of one fetch, and the text of them that is held at most before it is handed on. */
const fetchRows = 1_000;
/** Schemas with tables of ours. */
const schemas = ['public', 'audit', 'mail', 'vault'];

export interface TableCopy {
  /** 'schema.table' */
  table: string;
  /** The rows as texts, some at a time. */
  rows(): AsyncGenerator<string[]>;
}

/** Every table of ours as it stood at one moment. */
export interface Snapshot {
  /** File names of the migrations that made the schema. */
  migrations: string[];
  tables: TableCopy[];
  /** Where each sequence stands, by 'schema.sequence'; null for one that was never used. */
  sequences: Record<string, number | null>;
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}

export interface Loader {
  /** Puts rows into a table, which is empty before the first. */
  put(table: string, rows: readonly string[]): Promise<void>;
  setSequences(sequences: Record<string, number | null>): Promise<void>;
  /** Work for when references hold again, in the same transaction: deleting a row takes along what belongs to it. */
  whenWhole(work: () => Promise<void>): void;
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}

/** Gives the reading role what tables were added since; at every start, and nothing when nothing was added. */
export async function admitBackup(owner: Connection): Promise<void> {
  const { rows } = await owner.query<{ name: string; schema: string; policy: boolean }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, quote_ident(n.nspname) AS schema, c.relrowsecurity AS policy
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY ($1) AND c.relname <> 'schema_migrations'
       AND (NOT has_table_privilege('fairlead_backup', c.oid, 'SELECT')
         OR (c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'backup')))
     ORDER BY 1`,
    [schemas],
  );
  if (rows.length === 0) return;
  const used = [...new Set(rows.map(({ schema }) => `GRANT USAGE ON SCHEMA ${schema} TO fairlead_backup;`))];
  const statements = rows.map(
    ({ name, policy }) =>
      `GRANT SELECT ON ${name} TO fairlead_backup;${policy ? ` DROP POLICY IF EXISTS backup ON ${name}; CREATE POLICY backup ON ${name} FOR SELECT TO fairlead_backup USING (true);` : ''}`,
  );
  await owner.query([...used, ...statements].join('\n'));
}

/**
 * Reads all rows in one REPEATABLE READ transaction, on a connection of its own: nobody waits for it.
 * The moment that is copied is that of this call's first statement, before `work` is called.
 */
export async function withSnapshot<T>(owner: pg.ClientConfig, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const connection = await connect(owner);
  try {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const migrations = await connection.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY name');
    const found = await connection.query<{ name: string; value: string | null }>(
      "SELECT format('%I.%I', schemaname, sequencename) AS name, last_value AS value FROM pg_sequences WHERE schemaname = ANY ($1)",
      [schemas],
    );
    await connection.query('SET LOCAL ROLE fairlead_backup');
    const tables = await connection.query<{ name: string }>(tablesOfOurs, [schemas]);
    return await work({
      migrations: migrations.rows.map(({ name }) => name),
      sequences: Object.fromEntries(found.rows.map(({ name, value }) => [name, value === null ? null : Number(value)])),
      tables: tables.rows.map(({ name }) => ({ table: name, rows: () => rowsOf(connection, name) })),
      query: async (text, params) => (await connection.query(text, params)).rows as never,
    });
  } finally {
    await connection.query('ROLLBACK').catch(() => undefined);
    await connection.end();
  }
}

const tablesOfOurs = `SELECT format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY ($1) AND c.relname <> 'schema_migrations' ORDER BY 1`;

async function* rowsOf(connection: pg.Client, table: string): AsyncGenerator<string[]> {
  await connection.query(`DECLARE copied NO SCROLL CURSOR FOR SELECT t::text AS row FROM ${table} t`);
  try {
    for (;;) {
      const { rows } = await connection.query<{ row: string }>(`FETCH ${fetchRows} FROM copied`);
      if (rows.length === 0) return;
      yield rows.map(({ row }) => row);
    }
  } finally {
    await connection.query('CLOSE copied');
  }
}

/**
 * Fills a schema that was just made, in one transaction: references, triggers and row security are put aside meanwhile, and
 * each reference is checked when it is put back.
 */
export async function loadInto(owner: pg.ClientConfig, work: (loader: Loader) => Promise<void>): Promise<void> {
  const connection = await connect(owner);
  try {
    await connection.query('BEGIN');
    const { rows: tables } = await connection.query<{ name: string }>(tablesOfOurs, [schemas]);
    const { rows: secured } = await connection.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY ($1) AND c.relforcerowsecurity`,
      [schemas],
    );
    const { rows: references } = await connection.query<{ on_table: string; name: string; definition: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS on_table, quote_ident(k.conname) AS name, pg_get_constraintdef(k.oid) AS definition
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE k.contype = 'f' AND n.nspname = ANY ($1)`,
      [schemas],
    );
    for (const { on_table, name } of references)
      await connection.query(`ALTER TABLE ${on_table} DROP CONSTRAINT ${name}`);
    for (const { name } of tables) await connection.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`);
    for (const { name } of secured) await connection.query(`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`);
    // What migrations put in (settings of one row, say) is in the copy too.
    for (const { name } of tables) await connection.query(`DELETE FROM ${name}`);
    const known = new Set(tables.map(({ name }) => name));
    const last: (() => Promise<void>)[] = [];
    await work({
      whenWhole: (more) => void last.push(more),
      async put(table, rows) {
        if (!known.has(table)) throw new PostgresRefused(`The copy has a table ${table} that this schema has not.`);
        await connection.query(
          `INSERT INTO ${table} OVERRIDING SYSTEM VALUE
           SELECT (r.row).* FROM (SELECT x::${table} AS row FROM unnest($1::text[]) WITH ORDINALITY AS u(x, n) ORDER BY n OFFSET 0) r`,
          [rows],
        );
      },
      async setSequences(sequences) {
        for (const [name, value] of Object.entries(sequences))
          if (value !== null) await connection.query('SELECT setval($1::regclass, $2)', [name, value]);
      },
      query: async (text, params) => (await connection.query(text, params)).rows as never,
    });
    for (const { on_table, name, definition } of references)
      await connection.query(`ALTER TABLE ${on_table} ADD CONSTRAINT ${name} ${definition}`);
    for (const more of last) await more();
    for (const { name } of tables) await connection.query(`ALTER TABLE ${name} ENABLE TRIGGER USER`);
    for (const { name } of secured) await connection.query(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
    await connection.query('COMMIT');
    await connection.query('ANALYZE');
  } catch (error) {
    await connection.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await connection.end();
  }
}

async function connect(owner: pg.ClientConfig): Promise<pg.Client> {
  const connection = new pg.Client({ ...owner, application_name: 'fairlead backup', options: '-c TimeZone=UTC' });
  connection.on('error', () => undefined);
  await connection.connect();
  return connection;
}
