import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, appendFile, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { openPostgres } from '../src/platform/postgres/index.ts';
import { findPlace } from '../src/platform/postgres/place.ts';
import { prepareRuntime, type Runtime } from '../src/platform/postgres/runtime.ts';
import { systemRandom } from '../src/platform/random.ts';
import { recordTests } from './proof/record.ts';

/**
 * A run of the tests opens some sixty desks and databases, and to make a database server's files from nothing and to bring the schema
 * up was two seconds of work for each. Now the product makes them once in a run, is stopped, and each desk starts on a
 * copy, as it would on the data directory of a desk that was stopped. What a first start does is shown where it is the
 * subject: those tests, and the proof kit, which runs outside of Vitest, lay no copy.
 */

const run = promisify(execFile);
/** The folders of every subject that keeps something in Postgres. */
export const postgresMigrations = [
  new URL('../src/accounts/migrations/', import.meta.url),
  new URL('../src/trust/audit/migrations/', import.meta.url),
  new URL('../src/trust/vault/migrations/', import.meta.url),
  new URL('../src/trust/windows/migrations/', import.meta.url),
  new URL('../src/trust/incidents/migrations/', import.meta.url),
  new URL('../src/trust/operations/migrations/', import.meta.url),
  new URL('../src/trust/requests/migrations/', import.meta.url),
  new URL('../src/trust/register/migrations/', import.meta.url),
  new URL('../src/trust/documents/migrations/', import.meta.url),
  new URL('../src/trust/transfers/migrations/', import.meta.url),
  new URL('../src/analytics/profiles/migrations/', import.meta.url),
  new URL('../src/trust/consent/migrations/', import.meta.url),
  new URL('../src/trust/access/migrations/', import.meta.url),
  new URL('../src/trust/usage/migrations/', import.meta.url),
  new URL('../src/platform/mail/migrations/', import.meta.url),
  new URL('../src/trust/backup/migrations/', import.meta.url),
  new URL('../src/relay/migrations/', import.meta.url),
  new URL('../src/providers/migrations/', import.meta.url),
  new URL('../src/billing/migrations/', import.meta.url),
];

const warehouseMigrations = [
  { subject: 'analytics', directory: new URL('../src/analytics/migrations/warehouse/', import.meta.url) },
  { subject: 'relay', directory: new URL('../src/relay/warehouse/', import.meta.url) },
];
/** Names the folder of this run's files. */
const variable = 'FAIRLEAD_TEST_CLUSTER';

/** Vitest calls it before the first file; the cluster itself is made when a desk first asks for it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const record = recordTests(project);
  // Each kind of files in vitest.config.ts asks for it; one is enough for all.
  if (process.env[variable] !== undefined) return async () => record();
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-prepared-'));
  process.env[variable] = folder;
  return async () => {
    record();
    await rm(folder, { recursive: true, force: true });
  };
}

/** Gives a data directory that is not there yet the files of a stopped desk: both schemas and no rows. */
export async function layPreparedDesk(dataDir: string): Promise<void> {
  await layPreparedCluster(dataDir);
  const ready = await readyOf('warehouse', prepareWarehouse);
  if (ready !== undefined) await run('cp', ['-a', ready, join(dataDir, 'warehouse')]);
}

/** The same of the database server alone. */
export async function layPreparedCluster(dataDir: string): Promise<void> {
  const ready = await readyOf('database', prepare);
  if (ready === undefined) return;
  const runtime = await prepareRuntime(join(dataDir, 'postgres', 'runtime'));
  const place = await findPlace(dataDir, runtime, systemRandom);
  // The program keeps owners and modes: for root the files are another user's.
  await run('cp', ['-a', join(ready, 'cluster'), join(place.server, 'cluster')]);
  await copyFile(join(ready, 'credentials.json'), join(place.own, 'credentials.json'));
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** What is copied, made when it is first asked for. Two files may ask at once: the first makes it, the other waits. */
async function readyOf(
  name: string,
  make: (half: string, ready: string) => Promise<void>,
): Promise<string | undefined> {
  const folder = process.env[variable];
  if (folder === undefined) return undefined;
  const [half, ready] = [join(folder, `${name}-half`), join(folder, name)];
  if (await isThere(ready)) return ready;
  const mine = await mkdir(half).then(
    () => true,
    () => false,
  );
  if (mine) await make(half, ready);
  for (let waits = 0; !(await isThere(ready)); waits++) {
    if (waits === waitsMax) throw new Error(`The file that makes the ${name} for all of them has not ended.`);
    await pause(waitMs);
  }
  return ready;
}
const waitMs = 50;
const waitsMax = 2_000;

async function prepare(half: string, ready: string): Promise<void> {
  const dataDir = join(half, 'data');
  const postgres = await openPostgres({
    config: { databaseUrl: undefined, databaseMigrationUrl: undefined, dataDir },
    migrations: postgresMigrations,
    ...{ random: systemRandom, clock: systemClock, log: silentLog },
  });
  const [own, server = own] = postgres.directories as [string, string?];
  await postgres.close();
  await dropSpareDatabases(join(server, 'cluster'), await prepareRuntime(join(dataDir, 'postgres', 'runtime')));
  await run('cp', ['-a', join(server, 'cluster'), half]);
  await copyFile(join(own, 'credentials.json'), join(half, 'credentials.json'));
  // No test pulls the plug: what a killed process wrote is kept by the system all the same.
  await appendFile(join(half, 'cluster', 'postgresql.auto.conf'), 'fsync = off\nfull_page_writes = off\n');
  for (const directory of new Set([own, server, dataDir])) await rm(directory, { recursive: true, force: true });
  await rename(half, ready);
}

async function prepareWarehouse(half: string, ready: string): Promise<void> {
  // Loaded here: what opens a database alone has no need of it.
  const { migrateWarehouse, openWarehouse } = await import('../src/platform/warehouse/index.ts');
  const house = { clock: systemClock, log: silentLog };
  const config = { dataDir: half, clickhouseUrl: undefined, clickhouseCluster: undefined };
  const warehouse = await openWarehouse({ config, ...house });
  await migrateWarehouse(warehouse, warehouseMigrations, house);
  await warehouse.close();
  await rename(join(half, 'warehouse'), ready);
}

/** Three databases of the server are for making others from; nobody does that here, and they are three files of four. */
async function dropSpareDatabases(cluster: string, runtime: Runtime): Promise<void> {
  const child = spawn(
    join(runtime.programs, 'postgres'),
    ['--single', '-D', cluster, '-c', 'exit_on_error=on', '-c', 'log_checkpoints=off', 'fairlead'],
    {
      ...runtime.user,
      cwd: '/',
      env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  );
  const names = ['postgres', 'template1', 'template0'];
  child.stdin.end(
    ['UPDATE pg_database SET datistemplate = false', ...names.map((name) => `DROP DATABASE ${name}`), ''].join('\n'),
  );
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The spare databases could not be dropped: the server ended with ${code}.`);
}
