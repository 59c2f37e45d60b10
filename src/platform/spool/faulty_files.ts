import { commitBy, diskFiles, type SpoolFiles } from './files.ts';

export interface Fault {
  operation: keyof SpoolFiles;
  /** A word of the path that the operation must concern; any path without it. */
  path?: string;
  /** How many calls pass before it strikes, and how often it strikes then. */
  after?: number;
  times?: number;
  /** Errno of the failure, such as `EIO` or `ENOSPC`. */
  code: string;
  /** A write brings this many bytes onto the disk before it fails. */
  partBytes?: number;
  /** The operation is done all the same, and its success reported as failure: what fdatasync may do. */
  done?: boolean;
}

export interface FaultyFiles extends SpoolFiles {
  /** From now on. */
  inject(fault: Fault): void;
  heal(): void;
  /** How often an operation was called. */
  calls(operation: keyof SpoolFiles): number;
}

/** The real disk with failures put in: for tests and the proof kit, never wired into the product. */
export function faultyFiles(files: SpoolFiles = diskFiles): FaultyFiles {
  let faults: (Fault & { seen: number })[] = [];
  const counts = new Map<string, number>();
  const pathOf = new Map<number, string>();

  const strike = (operation: keyof SpoolFiles, path: string): Fault | undefined => {
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
    return faults.find((fault) => {
      if (fault.operation !== operation || !path.includes(fault.path ?? '')) return false;
      const nth = fault.seen++ - (fault.after ?? 0);
      return nth >= 0 && nth < (fault.times ?? Number.POSITIVE_INFINITY);
    });
  };
  const errorOf = ({ code, operation }: Fault) => Object.assign(new Error(`${code}: injected, ${operation}`), { code });
  async function meet<T>(operation: keyof SpoolFiles, path: string, work: () => Promise<T>): Promise<T> {
    const fault = strike(operation, path);
    if (fault === undefined) return work();
    if (fault.done) await work();
    throw errorOf(fault);
  }
  const named = (descriptor: number) => pathOf.get(descriptor) ?? '';

  const write: SpoolFiles['write'] = async (descriptor, bytes, offset, length, position) => {
    const fault = strike('write', named(descriptor));
    if (fault === undefined) return files.write(descriptor, bytes, offset, length, position);
    if (fault.partBytes !== undefined)
      await files.write(descriptor, bytes, offset, Math.min(fault.partBytes, length), position);
    throw errorOf(fault);
  };
  const fdatasync: SpoolFiles['fdatasync'] = (descriptor) =>
    meet('fdatasync', named(descriptor), () => files.fdatasync(descriptor));

  return {
    inject: (fault) => faults.push({ ...fault, seen: 0 }),
    heal() {
      faults = [];
    },
    calls: (operation) => counts.get(operation) ?? 0,
    open: (path, flags, mode) =>
      meet('open', path, async () => {
        const descriptor = await files.open(path, flags, mode);
        pathOf.set(descriptor, path);
        return descriptor;
      }),
    write,
    fdatasync,
    commit: commitBy({ write, fdatasync }),
    ftruncate: (descriptor, length) => meet('ftruncate', named(descriptor), () => files.ftruncate(descriptor, length)),
    close: (descriptor) => meet('close', named(descriptor), () => files.close(descriptor)),
    rename: (from, to) => meet('rename', from, () => files.rename(from, to)),
    unlink: (path) => meet('unlink', path, () => files.unlink(path)),
    readFile: (path) => meet('readFile', path, () => files.readFile(path)),
    readdir: (path) => meet('readdir', path, () => files.readdir(path)),
    stat: (path) => meet('stat', path, () => files.stat(path)),
    mkdir: (path, mode) => meet('mkdir', path, () => files.mkdir(path, mode)),
    syncDirectory: (path) => meet('syncDirectory', path, () => files.syncDirectory(path)),
    freeBytes: (path) => meet('freeBytes', path, () => files.freeBytes(path)),
  };
}
