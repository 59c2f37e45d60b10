import { spawn, spawnSync } from 'node:child_process';
import { watchChild } from './child.ts';

/**
 * Gives a command line that runs `command` with a disk of `bytes` mounted over `directory`, in a mount namespace of
 * its own: nothing is left mounted however the process ends, and nobody else sees the disk, this process included.
 * Undefined where the system lets no one do that (some containers); then inject ENOSPC with `faultyFiles` instead.
 */
export function onSmallDisk(directory: string, bytes: number, command: readonly string[]): string[] | undefined {
  const wrap = (inner: readonly string[]) => [
    ...['unshare', '--mount', '--map-root-user', 'sh', '-c'],
    `mount -t tmpfs -o mode=0700,size=${bytes} fairlead-proof "$1" && shift && exec "$@"`,
    ...['sh', directory, ...inner],
  ];
  const [program = '', ...args] = wrap(['true']);
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0 ? wrap(command) : undefined;
}

export interface SmallDisk {
  /** Runs a command where the disk is mounted. */
  within(command: string[]): string[];
  /** How a path looks from outside. */
  seen(path: string): string;
  close(): Promise<void>;
}

/**
 * A disk of `bytes` for several processes, mounted over each of `directories`, in a mount namespace that lives as long
 * as a small process of ours: it ends when we do, and the disk with it. For root alone, since the product is another
 * one for a root that is only mapped. Undefined where that cannot be had.
 */
export async function openSmallDisk(directories: readonly string[], bytes: number): Promise<SmallDisk | undefined> {
  if (process.getuid?.() !== 0 || spawnSync('unshare', ['--mount', 'true']).status !== 0) return undefined;
  const binds = directories.map(
    (_, n) => `mkdir -p "$disk/${n}" "$${n + 2}" && chmod 755 "$disk/${n}" && mount --bind "$disk/${n}" "$${n + 2}"`,
  );
  const script = [
    'disk=$(mktemp -d)',
    'mount -t tmpfs -o mode=0755,size="$1" fairlead-proof "$disk"',
    ...binds,
    'echo ready',
    'exec cat',
  ].join(' && ');
  const keeper = watchChild(
    spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', String(bytes), ...directories], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  try {
    await keeper.says(/^ready$/);
  } catch {
    return undefined;
  }
  return {
    within: (command) => ['nsenter', `--mount=/proc/${keeper.pid}/ns/mnt`, '--wd=/', ...command],
    seen: (path) => `/proc/${keeper.pid}/root${path}`,
    async close() {
      keeper.endInput();
      await keeper.ended;
    },
  };
}
