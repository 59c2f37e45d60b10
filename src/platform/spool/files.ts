import fs from 'node:fs';
import { promisify } from 'node:util';
import { crashPoint } from '../crash_point.ts';

/**
 * The file operations that the spool uses, so that the proof kit can make each of them fail. Plain descriptors
 * and callbacks underneath: two thread-pool calls per group commit, and nothing allocated per append.
 */
export interface SpoolFiles {
  open(path: string, flags: string, mode: number): Promise<number>;
  /** May write less than asked, as write(2) may on a disk that is filling up. */
  write(descriptor: number, bytes: Buffer, offset: number, length: number, position: number): Promise<number>;
  fdatasync(descriptor: number): Promise<void>;
  /** All of the first `length` bytes at `position`, and then a sync: what everybody waits for who has sent an event. */
  commit(descriptor: number, bytes: Buffer, length: number, position: number): Promise<void>;
  ftruncate(descriptor: number, length: number): Promise<void>;
  close(descriptor: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  readFile(path: string): Promise<Buffer>;
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<{ size: number; mtimeMs: number }>;
  mkdir(path: string, mode: number): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  freeBytes(path: string): Promise<number>;
}

const open = promisify(fs.open);
const write = promisify(
  (
    descriptor: number,
    bytes: Buffer,
    offset: number,
    length: number,
    position: number,
    done: (error: NodeJS.ErrnoException | null, written: number) => void,
  ) => fs.write(descriptor, bytes, offset, length, position, done),
);
const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const ftruncate = promisify(fs.ftruncate);
const close = promisify(fs.close);

/** `commit` by an own `write` and `fdatasync`, one after the other. */
export function commitBy({ write, fdatasync }: Pick<SpoolFiles, 'write' | 'fdatasync'>): SpoolFiles['commit'] {
  return async (descriptor, bytes, length, position) => {
    for (let written = 0; written < length; )
      written += await write(descriptor, bytes, written, length - written, position + written);
    crashPoint('spool.write');
    await fdatasync(descriptor);
  };
}

export const diskFiles: SpoolFiles = {
  open,
  write,
  fdatasync,
  commit: commitBy({ write, fdatasync }),
  ftruncate,
  close,
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
  readFile: promisify((path: string, done: (error: NodeJS.ErrnoException | null, bytes: Buffer) => void) =>
    fs.readFile(path, done),
  ),
  readdir: promisify((path: string, done: (error: NodeJS.ErrnoException | null, names: string[]) => void) =>
    fs.readdir(path, done),
  ),
  stat: promisify(fs.stat),
  async mkdir(path, mode) {
    await promisify(fs.mkdir)(path, { recursive: true, mode });
  },
  async syncDirectory(path) {
    const descriptor = await open(path, 'r', 0);
    try {
      await fsync(descriptor);
    } finally {
      await close(descriptor);
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await promisify(fs.statfs)(path);
    return bavail * bsize;
  },
};
