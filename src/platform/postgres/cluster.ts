import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { giveBack } from '../priority.ts';
import type { Random } from '../random.ts';
import { codeOf, isAway } from './door.ts';
import { findPlace, isAlive, type Place, runsIn, writeOnce } from './place.ts';
import { PostgresRefused } from './refusal.ts';
import { exists, prepareRuntime, type Runtime } from './runtime.ts';

const run = promisify(execFile);

export const database = 'fairlead';
export const ownerLogin = 'fairlead_owner';
export const appLogin = 'fairlead_login';

/** First start after a crash replays at most `max_wal_size`; that took under 2 s here. A slow disk may need much more. */
const startMs = 60_000;
const stopMs = 10_000;
const backoffMs = [50, 200, 500, 1_000, 2_000, 5_000];
/** Of these pauses, so many at the first start: a server that cannot start must be heard of soon. */
const firstAttempts = 4;
/** Processes of a dead server have had this long to end by themselves before they are ended. */
const orphanMs = 500;
const serverLogBytesMax = 1024 * 1024;
/** Held by the process that supervises the server, for as long as it lives. */
const supervisorLock = 4_071_970_002;

/**
 * Small on purpose: accounts and configuration are a few thousand rows, and everything together may use 512 MB. Buffers and log are
 * for bursts, and what a session writes is begun at once: of less an answer waits for what a checkpoint has written all in one go
 * (docs/decisions/2026-12-01-postgres-writes.md). `io_method=sync` saves three worker processes, `log_min_messages=log` keeps what
 * people sent (quoted in errors) out of the log, and `synchronous_commit` stays on, which is the default: an answered write survives
 * a power cut.
 */
const settings: Record<string, string> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '30',
  shared_buffers: '64MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  temp_buffers: '2MB',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  wal_buffers: '4MB',
  backend_flush_after: '512kB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_worker_processes: '2',
  max_logical_replication_workers: '0',
  max_parallel_workers_per_gather: '0',
  autovacuum_max_workers: '1',
  autovacuum_worker_slots: '2',
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

/** A setting of our own by which a server left running says whether this version would start it the same way. */
const made = 'fairlead.made';
function makeOf(runtime: Runtime): string {
  return createHash('sha256')
    .update(JSON.stringify([runtime, settings]))
    .digest('hex');
}

export interface Cluster {
  owner: pg.ClientConfig;
  app: pg.ClientConfig;
  /** Everything the server keeps on disk, for measuring and for looking through. */
  directories: string[];
  close(): Promise<void>;
}

/**
 * Starts the built-in server of a data directory and keeps it running: one that dies is started again, one that a
 * killed Fairlead left behind is taken over.
 * @param parts.onBegun called when the server, or the program that makes a new cluster, has become a process
 * @throws PostgresRefused when another live Fairlead supervises it, or it cannot start.
 */
export async function openCluster(parts: {
  dataDir: string;
  random: Random;
  clock: Clock;
  log: Log;
  onBegun?: () => void;
}): Promise<Cluster> {
  const { random, clock, log, onBegun } = parts;
  const runtime = await prepareRuntime(join(parts.dataDir, 'postgres', 'runtime'));
  const place = await findPlace(parts.dataDir, runtime, random);
  const passwords = await readPasswords(place, runtime, random, onBegun);
  const login = (user: string, password: string): pg.ClientConfig => ({ host: place.socket, user, password, database });
  const owner = login(ownerLogin, passwords.owner);

  let closing = false;
  const found = await takeOver(place, owner, runtime);
  if (found) log.info('postgres.adopted');
  let watch = found ?? (await startAgain(backoffMs.slice(0, firstAttempts)));
  const supervision = supervise(watch);

  async function start(): Promise<pg.Client> {
    const child = await launch(place, runtime);
    onBegun?.();
    return waitForServer(place, owner, runtime, child, clock);
  }

  async function clearAfter(ms: number): Promise<void> {
    await pause(ms);
    if (ms >= orphanMs) await endOrphans(place, log);
  }

  /** The processes of a killed server hold its memory for a moment longer, and a start meanwhile fails. */
  async function startAgain(pausesMs: readonly number[]): Promise<pg.Client> {
    for (const ms of pausesMs) {
      try {
        return await start();
      } catch (error) {
        if (!(error instanceof PostgresRefused)) throw error;
        log.warn('postgres.start_failed', { again_ms: ms });
        await clearAfter(ms);
      }
    }
    return start();
  }

  async function supervise(first: pg.Client): Promise<void> {
    for (let current = first; ; ) {
      await ended(current);
      if (closing) return;
      log.warn('postgres.died');
      const next = await raise();
      if (next === undefined) return;
      log.info('postgres.restarted');
      current = watch = next;
      if (closing) return void (await next.end().catch(() => undefined));
    }
  }

  /** Tries until the server runs or we close: without it nobody signs in, but events are still taken. */
  async function raise(): Promise<pg.Client | undefined> {
    for (let attempt = 0; !closing; attempt++) {
      try {
        // The connection alone may have been cut: then the server still runs, and is only watched again.
        return (await takeOver(place, owner, runtime)) ?? (await start());
      } catch (error) {
        log.error('postgres.restart_failed', {
          attempt,
          reason: error instanceof PostgresRefused ? 'refused' : codeOf(error),
        });
        await clearAfter(backoffMs[Math.min(attempt, backoffMs.length - 1)] as number);
      }
    }
    return undefined;
  }

  return {
    owner,
    app: login(appLogin, passwords.app),
    directories: [...new Set([place.own, place.server])],
    async close() {
      closing = true;
      await watch.end().catch(() => undefined);
      await supervision;
      await stopServer(place);
    },
  };
}

interface Passwords {
  owner: string;
  app: string;
}

/** Both are random, and no one ever types them. Whoever can read their file can read the cluster's own files. */
async function readPasswords(place: Place, runtime: Runtime, random: Random, onBegun?: () => void): Promise<Passwords> {
  const file = join(place.own, 'credentials.json');
  const cluster = join(place.server, 'cluster');
  const draw = () => random.bytes(24).toString('base64url');
  const fresh: Passwords = { owner: draw(), app: draw() };
  if (!(await exists(file)) && (await exists(cluster))) {
    // The file was lost. Whoever owns the cluster's files owns the cluster: it gets new passwords.
    await stopServer(place);
    await singleUser(cluster, runtime, database, passwordCommands('ALTER', fresh));
  }
  const passwords = JSON.parse(await writeOnce(file, JSON.stringify(fresh))) as Passwords;
  if (!(await exists(cluster))) await createCluster(place, runtime, passwords, onBegun);
  const major = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  if (major !== runtime.major)
    throw new PostgresRefused(
      `The database in ${cluster} was written by PostgreSQL ${major}, and this version brings ${runtime.major}. Go back to the version before, make a backup, and restore it here.`,
    );
  return passwords;
}

/** Aside first and renamed when it is whole, so that an interrupted first start leaves nothing half made. */
async function createCluster(
  place: Place,
  runtime: Runtime,
  passwords: Passwords,
  onBegun?: () => void,
): Promise<void> {
  const half = join(place.server, `cluster.${process.pid}`);
  await rm(half, { recursive: true, force: true });
  const made = run(
    join(runtime.programs, 'initdb'),
    [
      '-D',
      half,
      '-U',
      'fairlead_cluster',
      '-E',
      'UTF8',
      '--locale=C',
      '-A',
      'reject',
      '--wal-segsize=8',
      '--no-instructions',
    ],
    { ...runtime.user, cwd: '/', env: serverEnv },
  );
  onBegun?.();
  await made;
  await singleUser(half, runtime, 'postgres', [
    ...passwordCommands('CREATE', passwords),
    `CREATE DATABASE ${database} OWNER ${ownerLogin}`,
  ]);
  // The superuser of initdb cannot log in at all: nothing after this line needs it.
  await writeFile(join(half, 'pg_hba.conf'), `local ${database} ${ownerLogin},${appLogin} scram-sha-256\n`);
  const whole = join(place.server, 'cluster');
  await rename(half, whole).catch(async (error: unknown) => {
    // Two first starts at once: theirs stands, with the same passwords.
    if (!(await exists(whole))) throw error;
    await rm(half, { recursive: true, force: true });
  });
}

function passwordCommands(verb: 'CREATE' | 'ALTER', passwords: Passwords): string[] {
  return [
    `${verb} ROLE ${ownerLogin} LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE PASSWORD '${passwords.owner}'`,
    `${verb} ROLE ${appLogin} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE PASSWORD '${passwords.app}'`,
  ];
}

/** The server's programs as one process that reads commands, a line each: it asks nobody for a password. */
async function singleUser(cluster: string, runtime: Runtime, name: string, commands: string[]): Promise<void> {
  const child = spawn(join(runtime.programs, 'postgres'), ['--single', '-D', cluster, '-c', 'exit_on_error=on', name], {
    ...runtime.user,
    cwd: '/',
    env: serverEnv,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.end(`${commands.join('\n')}\n`);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The database could not be prepared: ${said.trim().split('\n').at(-1) ?? code}`);
}

const serverEnv = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

async function launch(place: Place, runtime: Runtime): Promise<ChildProcess> {
  const cluster = join(place.server, 'cluster');
  const logFile = join(place.server, 'server.log');
  const before = await stat(logFile).catch(() => undefined);
  if (before && before.size > serverLogBytesMax) await rename(logFile, `${logFile}.1`);
  const output = await open(logFile, 'a', 0o600);
  try {
    const args = Object.entries({
      ...settings,
      unix_socket_directories: place.socket,
      [made]: makeOf(runtime),
    }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(runtime.programs, 'postgres'), ['-D', cluster, ...args], {
      ...runtime.user,
      cwd: '/',
      env: serverEnv,
      // A session of its own: Ctrl-C in the terminal reaches us first, and we stop it when the last row is written.
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    await once(child, 'spawn');
    // One that takes the place of a lost server would otherwise go first with the event loop.
    if (child.pid !== undefined) giveBack(child.pid);
    child.unref();
    return child;
  } finally {
    await output.close();
  }
}

async function waitForServer(
  place: Place,
  owner: pg.ClientConfig,
  runtime: Runtime,
  child: ChildProcess,
  clock: Clock,
): Promise<pg.Client> {
  const deadline = clock.monotonic() + startMs;
  while (clock.monotonic() < deadline) {
    const watch = (await isReady(place)) ? await connectWatch(owner) : undefined;
    if (watch) return watch;
    if (child.exitCode !== null || child.signalCode !== null) {
      // Another start may have been quicker, or the killed server's children still hold its memory for a moment.
      const other = await takeOver(place, owner, runtime);
      if (other) return other;
      throw new PostgresRefused(
        `The built-in PostgreSQL stopped while starting. The reason is the end of ${join(place.server, 'server.log')}.`,
      );
    }
    await pause(10);
  }
  throw new PostgresRefused(
    `The built-in PostgreSQL did not answer within ${startMs / 1000} s. See ${join(place.server, 'server.log')}.`,
  );
}

/**
 * The server that a killed Fairlead left running, if there is one, and the right to supervise it. The right is an
 * advisory lock on a connection: the kernel closes the connection of a process however it ends, so it cannot go stale.
 */
async function takeOver(place: Place, owner: pg.ClientConfig, runtime: Runtime): Promise<pg.Client | undefined> {
  const pid = await serverPid(place);
  if (pid === undefined) return undefined;
  for (let waited = 0; waited < startMs; waited += 25) {
    const watch = (await isReady(place)) ? await connectWatch(owner) : undefined;
    if (watch && (await isOurMake(watch, runtime))) return watch;
    if (watch) {
      await watch.end();
      await stopServer(place);
    }
    if ((await serverPid(place)) !== pid) return undefined;
    await pause(25);
  }
  throw new PostgresRefused(`A PostgreSQL of this data directory runs (process ${pid}) and does not answer. Stop it.`);
}

async function isOurMake(watch: pg.Client, runtime: Runtime): Promise<boolean> {
  const { rows } = await watch.query<{ make: string | null }>(`SELECT current_setting('${made}', true) AS make`);
  return rows[0]?.make === makeOf(runtime);
}

/** @returns undefined while the server is not there yet, or no more. */
async function connectWatch(owner: pg.ClientConfig): Promise<pg.Client | undefined> {
  const watch = new pg.Client({ ...owner, application_name: 'fairlead supervisor' });
  watch.on('error', () => undefined);
  try {
    await watch.connect();
  } catch (error) {
    if (isAway(error)) return undefined;
    throw error;
  }
  const { rows } = await watch.query<{ mine: boolean }>(`SELECT pg_try_advisory_lock(${supervisorLock}) AS mine`);
  if (rows[0]?.mine) return watch;
  await watch.end();
  throw new PostgresRefused('Another Fairlead runs on this data directory. Stop it, or set FAIRLEAD_DATA_DIR.');
}

function ended(client: pg.Client): Promise<void> {
  return new Promise((resolve) => client.once('end', () => resolve()));
}

/** One more than any Linux or macOS hands out. */
const nobodysPid = 4_194_305;

/** The process of this cluster's server, if it lives. */
async function serverPid(place: Place): Promise<number | undefined> {
  const cluster = join(place.server, 'cluster');
  const file = join(cluster, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!(pid > 0)) return undefined;
  if (await runsIn(pid, cluster)) return pid;
  // After a reboot the number may be another program's, and PostgreSQL would wait for that to end. The rest of the file
  // must stay: by it a new server sees that processes of the old one still hold its memory.
  if (isAlive(pid)) await writeFile(file, text.replace(/^\d+/, String(nobodysPid)));
  return undefined;
}

/**
 * Whether the server says that it takes connections: the eighth line of its file. It is asked before each try, because
 * a try costs a server that is replaying its log a new process, and a busy machine then starts it later still.
 */
async function isReady(place: Place): Promise<boolean> {
  const text = await readFile(join(place.server, 'cluster', 'postmaster.pid'), 'utf8').catch(() => '');
  return text.split('\n')[7]?.trim() === 'ready';
}

/**
 * Ends what a killed server has left behind and holds its memory, so that no new one can start. Its processes end by
 * themselves when the server is gone, all but one that waits for a lock in that memory whose holder was killed too: that
 * one waits for ever (seen with SIGKILL of the whole server while connections signed in).
 */
async function endOrphans(place: Place, log: Log): Promise<void> {
  if ((await serverPid(place)) !== undefined) return;
  const cluster = await realpath(join(place.server, 'cluster'));
  // Only Linux says where a process runs; elsewhere the refusal names the server's log.
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    // A server and its processes run in the folder of their cluster, and nothing else of ours does.
    const folder = pid > 0 ? await readlink(`/proc/${pid}/cwd`).catch(() => '') : '';
    if (folder !== cluster) continue;
    try {
      process.kill(pid, 'SIGKILL');
      log.warn('postgres.orphan_ended', { pid });
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** Fast shutdown: open transactions roll back, the last checkpoint is written. Immediate when that takes too long. */
async function stopServer(place: Place): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    const pid = await serverPid(place);
    if (pid === undefined) return;
    process.kill(pid, signal);
    for (let waited = 0; waited < stopMs; waited += 10) {
      if (!(await runsIn(pid, join(place.server, 'cluster')))) return;
      await pause(10);
    }
  }
}
