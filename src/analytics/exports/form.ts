import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/** A file into which pieces are written at any place that is not behind its end. */
export interface PlacedFile {
  write(bytes: Buffer, at: number): Promise<void>;
  /** All of it is on the disk when it resolves. */
  end(): Promise<void>;
  /** After an error, too. */
  close(): Promise<void>;
}

/** How files lie on the disk while they are written: as they are, or sealed from the first byte. */
export interface Form {
  /** What is written for a text: of a growing file one behind the other, of a small one the whole of it. */
  kept(text: string): Buffer;
  /** What such bytes say, read whole. */
  opened(bytes: Buffer): Buffer;
  /** What a growing file says. */
  read(path: string): AsyncIterable<Buffer>;
  /** What a file says that was made by `place`. */
  readPlaced(path: string): AsyncIterable<Buffer>;
  place(path: string): Promise<PlacedFile>;
  /** A key for what the engine writes to be read at once; undefined where it may lie as it is. */
  scratchKey(): Buffer | undefined;
}

export const plainForm: Form = {
  kept: (text) => Buffer.from(text),
  opened: (bytes) => bytes,
  read: (path) => createReadStream(path),
  readPlaced: (path) => createReadStream(path),
  async place(path) {
    const file = await open(path, 'w', 0o600);
    return {
      write: async (bytes, at) => void (await file.write(bytes, 0, undefined, at)),
      end: () => file.sync(),
      close: () => file.close(),
    };
  },
  scratchKey: () => undefined,
};
