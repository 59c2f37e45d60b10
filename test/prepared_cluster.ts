import { execFile } from 'node:child_process';
import { access, appendFile, copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPlace } from '../src/platform/postgres/place.ts';
import { prepareRuntime } from '../src/platform/postgres/runtime.ts';
import { systemRandom } from '../src/platform/random.ts';
import { eraseStores, openTestPostgres } from './stores.ts';

/**
 * A run of the tests opens some forty desks, and to make a database server's files from nothing and to bring the schema
 * up was two seconds of work for each. Now the product makes them once in a run, is stopped, and each desk starts on a
 * copy, as it would on the data directory of a desk that was stopped. What a first start does is shown where it is the
 * subject: those tests, and the proof kit, which runs outside of Vitest, lay no copy.
 */

const run = promisify(execFile);
/** Names the folder of this run's files. */
const variable = 'FAIRLEAD_TEST_CLUSTER';

/** Vitest calls it before the first file; the cluster itself is made when a desk first asks for it. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-prepared-'));
  process.env[variable] = folder;
  return () => rm(folder, { recursive: true, force: true });
}

/** Gives a data directory that is not there yet the files of a stopped server with the whole schema and no rows. */
export async function layPreparedCluster(dataDir: string): Promise<void> {
  const folder = process.env[variable];
  if (folder === undefined) return;
  const ready = join(folder, 'ready');
  const isReady = await access(ready).then(
    () => true,
    () => false,
  );
  if (!isReady) await prepare(folder, ready);
  const runtime = await prepareRuntime(join(dataDir, 'postgres', 'runtime'));
  const place = await findPlace(dataDir, runtime, systemRandom);
  // The program keeps owners and modes: for root the files are another user's.
  await run('cp', ['-a', join(ready, 'cluster'), join(place.server, 'cluster')]);
  await copyFile(join(ready, 'credentials.json'), join(place.own, 'credentials.json'));
}

async function prepare(folder: string, ready: string): Promise<void> {
  const half = await mkdtemp(join(folder, 'half-'));
  const store = await openTestPostgres();
  const [own, server = own] = store.postgres.directories as [string, string?];
  await store.postgres.close();
  await run('cp', ['-a', join(server, 'cluster'), half]);
  await copyFile(join(own, 'credentials.json'), join(half, 'credentials.json'));
  // No test pulls the plug: what a killed process wrote is kept by the system all the same.
  await appendFile(join(half, 'cluster', 'postgresql.auto.conf'), 'fsync = off\nfull_page_writes = off\n');
  await eraseStores(store.postgres, store.dataDir);
  // Two files may have asked at once; either is as good.
  await rename(half, ready).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(half, { recursive: true });
  });
}
