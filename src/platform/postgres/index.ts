import pg from 'pg';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { bytesIn } from '../disk.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import { openCluster } from './cluster.ts';
import { admitBackup, type Loader, loadInto, type Snapshot, withSnapshot } from './copy.ts';
import { type Door, type Login, openDoor } from './door.ts';
import { migrate, refuseNewerBackup } from './migrations.ts';
import { PostgresRefused } from './refusal.ts';
import { admitApp, refuseOldServer, refusePower } from './roles.ts';

export { type Alone, aloneIn } from './alone.ts';
export type { Loader, Snapshot } from './copy.ts';
export { asMail, asRetention, type Door, type Login, openDoor, type Scope } from './door.ts';
export { everyOperator, everyOrganisation, everywhere } from './everywhere.ts';
export { postgresFiles } from './file_classes.ts';
export { chaining, deletions, lookups, movings } from './lookups.ts';
export { erasePlace } from './place.ts';
export { PostgresAway, PostgresRefused } from './refusal.ts';
export { type Prepared, prepared, type Sql, type Statement } from './sql.ts';

/** The roles, which everything else is granted to. */
const ownMigrations = new URL('./migrations/', import.meta.url);
const healthMs = 2_000;

export interface Postgres extends Omit<Door, 'ping'> {
  mode: 'embedded' | 'external';
  /** What another thread of this process opens doors of its own with (`openDoor`). */
  login: Login;
  /** Does it answer within two seconds? */
  health(): Promise<{ ok: true; ms: number } | { ok: false; reason: string }>;
  /** Bytes on disk: of the whole server when it is ours, of our database otherwise. */
  diskBytes(): Promise<number>;
  /** Folders that hold its files; empty for an external server. */
  directories: string[];
  /** Every row as it stood at one moment, for a backup; nobody waits for it. */
  snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T>;
}

/**
 * Opens the store of accounts and configuration: the built-in server, or an external one by `DATABASE_URL`.
 * The schema is brought up to date first, and the start is refused when the app's connection has any power over it.
 * @param parts.migrations folders of the subjects' dated SQL files.
 * @param parts.onBegun called when the server comes up, or is up, without this thread's help
 * @throws PostgresRefused with a sentence for the operator.
 */
export async function openPostgres(parts: {
  config: Pick<Config, 'databaseUrl' | 'databaseMigrationUrl' | 'dataDir'>;
  migrations: readonly URL[];
  random: Random;
  clock: Clock;
  log: Log;
  onBegun?: () => void;
}): Promise<Postgres> {
  const { config, clock, log } = parts;
  if (config.databaseUrl !== undefined) parts.onBegun?.();
  const cluster =
    config.databaseUrl === undefined ? await openCluster({ ...parts, dataDir: config.dataDir }) : undefined;
  const login: Login = cluster?.app ?? { connectionString: config.databaseUrl };
  const owner = cluster?.owner ?? { connectionString: config.databaseMigrationUrl };
  let door: Door | undefined;
  try {
    door = openDoor({ login, clock, log });
    const applied = await raiseSchema(owner, [ownMigrations, ...parts.migrations], new pg.Client(login).user ?? '');
    if (applied.length > 0) log.info('postgres.migrated', { count: applied.length });
    await door.system(refusePower).catch(sayLogin(new pg.Client(login)));
  } catch (error) {
    await door?.close();
    await cluster?.close();
    throw error;
  }
  const { ping, close, ...doors } = door;
  return {
    ...doors,
    mode: cluster ? 'embedded' : 'external',
    login,
    directories: cluster?.directories ?? [],
    snapshot: (work) => withSnapshot(owner, work),
    async health() {
      const start = clock.monotonic();
      try {
        await ping(healthMs);
        return { ok: true, ms: clock.monotonic() - start };
      } catch (error) {
        return { ok: false, reason: String((error as { code?: unknown }).code ?? (error as Error).name) };
      }
    },
    diskBytes: () =>
      cluster
        ? sum(cluster.directories.map((directory) => bytesIn(directory)))
        : doors.system(
            async (sql) =>
              (await sql.one<{ bytes: number }>('SELECT pg_database_size(current_database()) AS bytes')).bytes,
          ),
    async close() {
      await close();
      await cluster?.close();
    },
  };
}

/**
 * Makes the built-in server of an empty data directory with the schema of a backup, fills it, and stops it again.
 * @param parts.only the migrations that the backup was made under; the next start runs those after them
 */
export async function fillPostgres(
  parts: {
    dataDir: string;
    migrations: readonly URL[];
    only: readonly string[];
    random: Random;
    clock: Clock;
    log: Log;
  },
  work: (loader: Loader) => Promise<void>,
): Promise<void> {
  const cluster = await openCluster(parts);
  try {
    const login = new pg.Client(cluster.app).user ?? '';
    await raiseSchema(cluster.owner, [ownMigrations, ...parts.migrations], login, parts.only);
    await loadInto(cluster.owner, work);
  } finally {
    await cluster.close();
  }
}

/**
 * @param names migrations that a backup was made under
 * @throws PostgresRefused when one of them is not known here: a newer version made the backup
 */
export function refuseNewerRows(migrations: readonly URL[], names: readonly string[]): Promise<void> {
  return refuseNewerBackup([ownMigrations, ...migrations], names);
}

async function raiseSchema(
  owner: pg.ClientConfig,
  directories: URL[],
  appLogin: string,
  only?: readonly string[],
): Promise<string[]> {
  const connection = new pg.Client({ ...owner, application_name: 'fairlead migrations', options: '-c TimeZone=UTC' });
  try {
    await connection.connect();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new PostgresRefused(
      `PostgreSQL cannot be reached as ${connection.user} (${code}: ${message}). Look whether it runs, and at DATABASE_MIGRATION_URL.`,
    );
  }
  try {
    await refuseOldServer(connection);
    const applied = await migrate(connection, directories, only);
    await admitBackup(connection);
    await admitApp(connection, appLogin);
    return applied;
  } finally {
    await connection.end();
  }
}

/** A server that keeps the app's login out (a wrong password, a database that is not there) is the operator's to mend. */
function sayLogin({ user, database }: pg.Client): (error: unknown) => never {
  return (error) => {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!/^(28|3D|42501$)/.test(code)) throw error;
    throw new PostgresRefused(
      `PostgreSQL does not let ${user} into ${database} (${code}: ${message}). Correct DATABASE_URL, or give that role LOGIN, its password and CONNECT.`,
    );
  };
}

async function sum(numbers: Promise<number>[]): Promise<number> {
  return (await Promise.all(numbers)).reduce((total, number) => total + number, 0);
}
