import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePrivateFolder } from './private_file.ts';

/**
 * The data directory belongs to one process at a time: two would write into the same database files.
 * The lock is a file that names its holder by process id and start time, so that a process id that was given to
 * another program after a crash is not mistaken for the holder.
 */
export interface DataDir {
  path: string;
  release(): void;
}

export class DataDirTaken extends Error {
  override readonly name = 'DataDirTaken';
  readonly pid: number;
  constructor(path: string, pid: number) {
    super(
      `Another Fairlead (process ${pid}) is using the data directory ${path}. Stop it first, or give this one its own in FAIRLEAD_DATA_DIR.`,
    );
    this.pid = pid;
  }
}

export class DataDirRefused extends Error {
  override readonly name = 'DataDirRefused';
}

/**
 * @throws DataDirTaken when a living process holds it
 * @throws DataDirRefused when it cannot be made or written to
 */
export function takeDataDir(path: string): DataDir {
  try {
    makePrivateFolder(path);
    chmodSync(path, 0o700);
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new DataDirRefused(
      `The data directory ${path} cannot be used by this user (${(error as NodeJS.ErrnoException).code}). Give it to the user that runs Fairlead (chown -R), or name another in FAIRLEAD_DATA_DIR.`,
    );
  }
  const lock = join(path, 'lock');
  // The lock appears complete or not at all: written under a name of our own, then linked, which fails if it exists.
  const mine = join(path, `lock.${process.pid}`);
  writeFileSync(mine, `${process.pid} ${startedAt(process.pid) ?? ''}\n`, { mode: 0o600 });
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        linkSync(mine, lock);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 3) throw error;
        const holder = lockHolder(path);
        if (holder !== undefined) throw new DataDirTaken(path, holder);
        unlinkSync(lock);
      }
    }
  } finally {
    unlinkSync(mine);
  }
  return {
    path,
    release() {
      if (lockHolder(path) === process.pid) unlinkSync(lock);
    },
  };
}

/** The living process that holds the directory, if any. */
export function lockHolder(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(join(path, 'lock'), 'utf8');
  } catch {
    return undefined;
  }
  const [pidText = '', started = ''] = text.trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  const now = startedAt(pid);
  return now !== undefined && started !== '' && now !== started ? undefined : pid;
}

/** Clock ticks since boot at which the process began (field 22 of its stat); unknown where there is no /proc. */
function startedAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Unix socket paths end at 107 bytes; a deeper data directory gets its socket in a private folder of the temp directory. */
export function controlSocketPath(dataDir: string): string {
  const near = join(dataDir, 'control.sock');
  if (Buffer.byteLength(near) <= 100) return near;
  const folder = join(tmpdir(), `fairlead-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`);
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  const { uid, mode } = statSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
    throw new Error(
      `The folder ${folder} for the control socket belongs to somebody else. Remove it, or move FAIRLEAD_DATA_DIR to a shorter path.`,
    );
  return join(folder, 'control.sock');
}
