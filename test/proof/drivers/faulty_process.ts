import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Put before the product with `node --import`, and so before each of its threads: makes the disk and the wall clock below an unchanged server misbehave.
 * What they do stands in the file that PROOF_FAULTS names and may change while the server runs; the number that the
 * file carries is written to `<file>.seen` once it holds, and each blow is a line of `<file>.blows`.
 */
export interface Faults {
  /** Grows with each change. */
  number: number;
  /** The wall clock is this far off. */
  clockOffsetMs?: number;
  disk?: {
    operation: 'fdatasync' | 'write';
    /** A word of the path of the file concerned. */
    path: string;
    /** Errno, such as `EIO` or `ENOSPC`. */
    code: string;
    /** Calls that it strikes. */
    times: number;
    /** The call is done all the same, and its success reported as failure: what fdatasync may do. */
    done?: boolean;
  };
}

const file = process.env.PROOF_FAULTS;
if (file !== undefined) install(file);

function install(file: string): void {
  let faults: Faults = { number: -1 };
  let left = 0;
  const readFile = fs.readFileSync;
  const append = fs.appendFileSync;
  const writeWhole = fs.writeFileSync;
  const realNow = Date.now;
  function read() {
    const next = JSON.parse(readFile(file, 'utf8')) as Faults;
    if (next.number === faults.number) return;
    faults = next;
    left = next.disk?.times ?? 0;
    writeWhole(`${file}.seen`, String(next.number));
  }
  read();
  setInterval(read, 10).unref();
  Date.now = () => realNow() + (faults.clockOffsetMs ?? 0);

  /** The failure that the call meets, if it does. */
  function strike(operation: 'fdatasync' | 'write', descriptor: number): NodeJS.ErrnoException | undefined {
    const { disk } = faults;
    if (disk === undefined || disk.operation !== operation || left === 0) return undefined;
    let path: string;
    try {
      path = fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return undefined;
    }
    if (!path.includes(disk.path)) return undefined;
    // Every thread of the process has one of these; a blow falls on one of them.
    const blow = `${file}.blow-${faults.number}-${left--}`;
    try {
      fs.closeSync(fs.openSync(blow, 'wx'));
    } catch {
      return undefined;
    }
    append(`${file}.blows`, `${operation} ${path}\n`);
    return Object.assign(new Error(`${disk.code}: injected, ${operation}`), { code: disk.code });
  }

  type Done = (error: NodeJS.ErrnoException | null, ...rest: unknown[]) => void;
  type Call = (descriptor: number, ...rest: unknown[]) => void;
  const wrap = (operation: 'fdatasync' | 'write') => {
    const real = fs[operation] as unknown as Call;
    return (descriptor: number, ...rest: unknown[]) => {
      const failure = strike(operation, descriptor);
      if (failure === undefined) return real(descriptor, ...rest);
      const done = rest.at(-1) as Done;
      if (faults.disk?.done !== true) return void setImmediate(done, failure);
      real(descriptor, ...rest.slice(0, -1), () => done(failure));
    };
  };
  /** The same on a thread that does nothing else and waits for the disk itself, as the spool's does. */
  type CallAndWait = (descriptor: number, ...rest: unknown[]) => unknown;
  const wrapSync = (operation: 'fdatasync' | 'write') => {
    const real = fs[`${operation}Sync`] as unknown as CallAndWait;
    return (descriptor: number, ...rest: unknown[]) => {
      read();
      const failure = strike(operation, descriptor);
      if (failure === undefined) return real(descriptor, ...rest);
      if (faults.disk?.done === true) real(descriptor, ...rest);
      throw failure;
    };
  };
  Object.assign(fs, { fdatasync: wrap('fdatasync'), write: wrap('write') });
  Object.assign(fs, { fdatasyncSync: wrapSync('fdatasync'), writeSync: wrapSync('write') });
  syncBuiltinESMExports();
}
