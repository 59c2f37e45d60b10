import { createHash } from 'node:crypto';
import { chmod, link, lstat, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '../random.ts';
import { PostgresRefused } from './refusal.ts';
import { exists, makePrivate, type Runtime, rootHome } from './runtime.ts';

/** Where one data directory's server keeps its things. */
export interface Place {
  /** Beside the data, 0700: the passwords, and for root a note where the rest is. */
  own: string;
  /** The server user's: `cluster/` and `server.log`. The same as `own` unless we are root. */
  server: string;
  /** Folder of the socket, 0700. */
  socket: string;
}

/** sun_path has 108 bytes on Linux and 104 on macOS, with the closing zero. */
const socketPathBytesMax = 103;
const socketFile = '.s.PGSQL.5432';

/**
 * Finds or creates the folders of a data directory's server. For root the server's folder lies below /var/lib/fairlead
 * under a random name that a note in the data directory keeps: so a data directory that was moved finds its server, one
 * that was deleted and made anew starts afresh, and a copy is noticed before two servers' worth of rows mix.
 */
export async function findPlace(dataDir: string, runtime: Runtime, random: Random): Promise<Place> {
  const own = join(dataDir, 'postgres');
  await mkdir(own, { recursive: true, mode: 0o700 });
  await chmod(own, 0o700);
  const server = runtime.user ? await serverFolder(own, runtime, random) : own;
  return { own, server, socket: await socketFolder(server, runtime) };
}

async function serverFolder(own: string, runtime: Runtime, random: Random): Promise<string> {
  const note = join(own, 'server');
  const ownPath = await realpath(own);
  const noted = (await readFile(note, 'utf8').catch(() => '')).trim();
  if (noted !== '') {
    const claim = join(noted, 'belongs-to');
    const owner = (await readFile(claim, 'utf8').catch(() => '')).trim();
    if (owner !== ownPath && owner !== '' && (await exists(owner)))
      throw new PostgresRefused(
        `This data directory is a copy: its database in ${noted} belongs to ${owner}. Delete ${note} to start with an empty database, or restore a backup.`,
      );
    if (owner !== ownPath && (await exists(noted))) await writeFile(claim, `${ownPath}\n`);
    if (!(await exists(noted)))
      throw new PostgresRefused(
        `The database of this data directory is missing: ${noted}. Bring that folder back, or delete ${note} to start with an empty one.`,
      );
    return noted;
  }
  await sweepTemporary();
  const server = join(rootHome, random.bytes(8).toString('hex'));
  await makePrivate(server, runtime);
  await writeFile(join(server, 'belongs-to'), `${ownPath}\n`);
  const chosen = (await writeOnce(note, server)).trim();
  if (chosen !== server) await rm(server, { recursive: true });
  return chosen;
}

/**
 * Databases of data directories below the system's temporary folder that are gone, or were made anew: tests and trials.
 * Any other missing data directory may be a disk that is not mounted at the moment, so its database is left alone.
 */
async function sweepTemporary(): Promise<void> {
  const temporary = `${await realpath(tmpdir())}/`;
  for (const name of await readdir(rootHome)) {
    const server = join(rootHome, name);
    const owner = (await readFile(join(server, 'belongs-to'), 'utf8').catch(() => '')).trim();
    if (!owner.startsWith(temporary)) continue;
    const noted = (await readFile(join(owner, 'server'), 'utf8').catch(() => server)).trim();
    if ((await exists(owner)) && noted === server) continue;
    await stopAndRemove(server);
  }
}

/**
 * Stops what is left of a data directory's built-in server and removes its files, wherever they lie. For data that is
 * made anew; a server that belongs to another data directory (ours is a copy) stays.
 */
export async function erasePlace(dataDir: string): Promise<void> {
  const own = join(dataDir, 'postgres');
  const ownPath = await realpath(own).catch(() => undefined);
  if (ownPath === undefined) return;
  const server = (await readFile(join(own, 'server'), 'utf8').catch(() => '')).trim() || own;
  const isOurs =
    server === own || (await readFile(join(server, 'belongs-to'), 'utf8').catch(() => '')).trim() === ownPath;
  if (isOurs) await stopAndRemove(server);
  await rm(own, { recursive: true, force: true });
}

async function stopAndRemove(server: string): Promise<void> {
  const pid = Number(
    (await readFile(join(server, 'cluster', 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0],
  );
  if (pid > 0 && (await runsIn(pid, join(server, 'cluster')))) process.kill(pid, 'SIGQUIT');
  await rm(server, { recursive: true, force: true });
}

async function socketFolder(server: string, runtime: Runtime): Promise<string> {
  const near = join(server, 'socket');
  if (Buffer.byteLength(join(near, socketFile)) <= socketPathBytesMax) {
    await makePrivate(near, runtime);
    return near;
  }
  // Only a folder that is ours alone will do: /tmp is everybody's, and another user may have been there first.
  const far = join(
    tmpdir(),
    `fairlead-${createHash('sha256')
      .update(await realpath(server))
      .digest('hex')
      .slice(0, 16)}`,
  );
  await mkdir(far, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(far);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
    throw new PostgresRefused(
      `The path of the data directory is too long for a socket, and ${far} is not a private folder of this user. Delete it, or set FAIRLEAD_DATA_DIR to a shorter path.`,
    );
  return far;
}

/** Is this process the server of this cluster? A number alone proves nothing: after a reboot it may be anybody's. */
export async function runsIn(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(cluster);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Writes a private file, whole, unless it is there already.
 * @returns what it holds now: our text, or that of whoever was first.
 */
export async function writeOnce(path: string, text: string): Promise<string> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return readFile(path, 'utf8');
}
