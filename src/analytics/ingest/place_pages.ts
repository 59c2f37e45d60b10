import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * A file in memory, of which a page is read when somebody asks about it: what nobody asks about takes no memory, since the
 * system gives a large buffer its pages when they are first written. Reading one takes two microseconds, once.
 */
export interface FilePages {
  /** Of the file; holds only what `need` was called for. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Makes sure that `bytes` has this stretch of the file.
   * @throws what reading it throws, and where the file has become shorter
   */
  need(from: number, to: number): void;
  /** Gives the memory back at once. */
  end(): void;
}

const pageShift = 12;
const pageBytes = 1 << pageShift;

/** A file that stays open; the file of this moment, whatever takes its name later. */
export interface OpenFile {
  readonly size: number;
  pages(): FilePages;
  close(): void;
}

export function openPagedFile(file: string): OpenFile {
  const handle = openSync(file, 'r');
  const { size } = fstatSync(handle);
  return {
    size,
    pages() {
      const bytes = new Uint8Array(size);
      const isRead = new Uint8Array(Math.ceil(size / pageBytes));
      function read(page: number): void {
        const from = page * pageBytes;
        const length = Math.min(pageBytes, size - from);
        if (readSync(handle, bytes, from, length, from) < length) throw new Error('A file became shorter.');
        isRead[page] = 1;
      }
      return {
        bytes,
        need(from, to) {
          for (let page = from >>> pageShift; page << pageShift < to; page++) if (isRead[page] === 0) read(page);
        },
        end() {
          bytes.buffer.transfer(0);
        },
      };
    },
    close: () => closeSync(handle),
  };
}
