import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PostgresRefused } from './refusal.ts';
import type { Connection } from './sql.ts';

/** 'YYYY-MM-DD-NN-what.sql': the date orders files of different subjects, the number those of one day. */
const fileName = /^\d{4}-\d{2}-\d{2}-\d{2}-[a-z0-9-]+\.sql$/;
const missingPrivilege = '42501';
/** Any fixed number: two processes that start at once wait for each other on it. */
const migrationLock = 4_071_970_001;

interface Migration {
  name: string;
  text: string;
  digest: string;
}

/**
 * Brings the schema to what this version of the code expects: forward only, each file in a transaction of its own,
 * under an advisory lock, remembered with its digest.
 * @param directories folders of dated SQL files, one per subject; files of all run in the order of their names.
 * @param only stops at the schema of a backup: these files and no others
 * @returns the names that were applied now.
 * @throws PostgresRefused when the schema is newer than the code, or an applied file was changed since.
 */
export async function migrate(
  connection: Connection,
  directories: readonly URL[],
  only?: readonly string[],
): Promise<string[]> {
  const all = await readMigrations(directories);
  const files = only === undefined ? all : all.filter((file) => only.includes(file.name));
  await connection.query(`SELECT pg_advisory_lock(${migrationLock})`);
  try {
    await connection.query(bookkeeping);
    const applied = await connection.query<{ name: string; digest: string }>(
      'SELECT name, digest FROM schema_migrations',
    );
    const done = new Map(applied.rows.map((row) => [row.name, row.digest]));
    refuseStrangers(files, done);
    const fresh = files.filter((file) => !done.has(file.name));
    for (const file of fresh) await apply(connection, file);
    return fresh.map((file) => file.name);
  } finally {
    await connection.query(`SELECT pg_advisory_unlock(${migrationLock})`).catch(() => undefined);
  }
}

/**
 * @param names migrations of a backup
 * @throws PostgresRefused when one of them is not known here
 */
export async function refuseNewerBackup(directories: readonly URL[], names: readonly string[]): Promise<void> {
  const all = await readMigrations(directories);
  const stranger = names.find((name) => !all.some((file) => file.name === name));
  if (stranger !== undefined)
    throw new PostgresRefused(
      `The backup has the migration ${stranger}, which this version of Fairlead does not know: a newer version made it. Restore with that version. Nothing was changed.`,
    );
}

const bookkeeping = `
  SET client_min_messages = warning;
  CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  );
  COMMENT ON COLUMN schema_migrations.name IS 'D22 file name of a migration';
  COMMENT ON COLUMN schema_migrations.digest IS 'D22 SHA-256 of its text when it ran';
  COMMENT ON COLUMN schema_migrations.applied_at IS 'D22 when it ran';`;

async function readMigrations(directories: readonly URL[]): Promise<Migration[]> {
  const files: Migration[] = [];
  for (const directory of directories) {
    const folder = directory.href.endsWith('/') ? directory : new URL(`${directory.href}/`);
    for (const name of await readdir(fileURLToPath(folder))) {
      if (!name.endsWith('.sql')) continue;
      if (!fileName.test(name))
        throw new Error(`The migration ${name} has no date: call it YYYY-MM-DD-NN-what-it-does.sql.`);
      const text = await readFile(new URL(name, folder), 'utf8');
      files.push({ name, text, digest: createHash('sha256').update(text).digest('hex') });
    }
  }
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  const twin = files.find((file, i) => file.name === files[i + 1]?.name);
  if (twin) throw new Error(`Two migrations are called ${twin.name}: give one of them another number.`);
  return files;
}

function refuseStrangers(files: readonly Migration[], done: ReadonlyMap<string, string>): void {
  const known = new Map(files.map((file) => [file.name, file.digest]));
  for (const [name, digest] of [...done].sort()) {
    const current = known.get(name);
    if (current === undefined)
      throw new PostgresRefused(
        `The database has the migration ${name}, which this version of Fairlead does not know: a newer version wrote it. Start that version, or restore a backup from before it.`,
      );
    if (current !== digest)
      throw new PostgresRefused(
        `The migration ${name} was changed after it ran here. Restore its text, and put the change into a new file.`,
      );
  }
}

async function apply(connection: Connection, file: Migration): Promise<void> {
  await connection.query('BEGIN');
  try {
    await connection.query(file.text);
    await connection.query('INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)', [file.name, file.digest]);
    await connection.query('COMMIT');
  } catch (error) {
    await connection.query('ROLLBACK').catch(() => undefined);
    if ((error as { code?: string }).code === missingPrivilege)
      throw new PostgresRefused(
        `The migration ${file.name} needs a right that the role of DATABASE_MIGRATION_URL has not (${(error as Error).message}). That role owns the database and may make roles; desks in other databases of the same server need the same one. Run once as an administrator: ALTER ROLE … CREATEROLE; ALTER DATABASE … OWNER TO …; then start again. Nothing of the file was kept.`,
      );
    throw new Error(`The migration ${file.name} failed and was rolled back: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
