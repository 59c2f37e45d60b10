import { spawnSync } from 'node:child_process';

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
