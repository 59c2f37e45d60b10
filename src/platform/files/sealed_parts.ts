import { createCipheriv, createDecipheriv } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskOf, gigabytes, keptFreeBytes } from '../disk.ts';
import { RequestError } from '../http/route.ts';
import type { Random } from '../random.ts';
import type { Bytes } from './archive.ts';
import { refused } from './refused.ts';

/** A whole file that was sent in parts, opened where it lies. */
export interface UploadedFile extends Bytes {
  stream(): AsyncGenerator<Buffer>;
  /** Bytes that were read from it, some perhaps twice. */
  readonly bytesRead: number;
  close(): Promise<void>;
}

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Files that are sent in parts, by number, in a folder of the data directory. What is in them the desk keeps nowhere in the
 * clear: each part is sealed under a key of the installation, and a copy of the directory alone says nothing.
 * @property partBytes of every part but the last
 */
export function openSealedParts({
  folder,
  key,
  random,
  partBytes,
}: {
  readonly folder: string;
  readonly key: Buffer;
  readonly random: Random;
  readonly partBytes: number;
}) {
  const sealedBytes = nonceBytes + partBytes + tagBytes;
  /** Two requests with the same part would write over each other. */
  const writing = new Map<number, Promise<void>>();
  const pathOf = (id: number) => join(folder, String(id));

  function makeFolder() {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  async function writePart(id: number, part: number, bytes: Buffer) {
    makeFolder();
    const nonce = random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(`${id}:${part}`));
    const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
    const file = await openForParts(pathOf(id));
    try {
      await file.write(Buffer.concat([nonce, body, cipher.getAuthTag()]), 0, undefined, part * sealedBytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  return {
    async write(id: number, part: number, bytes: Buffer): Promise<void> {
      const before = writing.get(id) ?? Promise.resolve();
      const mine = before.catch(() => {}).then(() => writePart(id, part, bytes));
      writing.set(id, mine);
      try {
        await mine;
      } finally {
        if (writing.get(id) === mine) writing.delete(id);
      }
    },

    /** @throws RequestError when the file is not there, or not as it was sent */
    async open(id: number, size: number): Promise<UploadedFile> {
      const file = await open(pathOf(id), 'r').catch(() => {
        throw gone();
      });
      return openSealed(file, key, id, size, partBytes);
    },

    has: (id: number): boolean => existsSync(pathOf(id)),

    remove: (id: number) => rm(pathOf(id), { force: true }),

    ids: (): number[] => (existsSync(folder) ? readdirSync(folder).map(Number) : []),

    /** Refuses, in a sentence, what would leave no room for events. */
    checkRoom(bytes: number): void {
      makeFolder();
      const { freeBytes } = diskOf(folder);
      if (freeBytes - bytes >= keptFreeBytes) return;
      // A part of a file, or none of it: what it needs is not what is in the way.
      const needs = bytes > partBytes ? `This file needs ${gigabytes(bytes)}, and ` : '';
      throw new RequestError(
        'conflict',
        `The disk of the desk has ${gigabytes(freeBytes)} free. ${needs}${gigabytes(keptFreeBytes)} stays free for events. Make room on the desk, or send less at once.`,
      );
    },
  };
}

/** All of it, and then it is closed. */
export async function* wholeFile(file: UploadedFile): AsyncGenerator<Buffer> {
  try {
    yield* file.stream();
  } finally {
    await file.close();
  }
}

async function openForParts(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch {
    return open(path, 'r+');
  }
}

function openSealed(file: FileHandle, key: Buffer, id: number, size: number, partBytes: number): UploadedFile {
  const sealedBytes = nonceBytes + partBytes + tagBytes;
  let kept: { part: number; bytes: Buffer } | undefined;
  let bytesRead = 0;

  async function readPart(part: number): Promise<Buffer> {
    if (kept?.part === part) return kept.bytes;
    const length = Math.min(partBytes, size - part * partBytes) + nonceBytes + tagBytes;
    const sealed = Buffer.alloc(length);
    const { bytesRead: got } = await file.read(sealed, 0, length, part * sealedBytes);
    if (got !== length) throw gone();
    try {
      const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(`${id}:${part}`));
      cipher.setAuthTag(sealed.subarray(length - tagBytes));
      const bytes = Buffer.concat([cipher.update(sealed.subarray(nonceBytes, length - tagBytes)), cipher.final()]);
      kept = { part, bytes };
      bytesRead += bytes.length;
      return bytes;
    } catch {
      throw gone();
    }
  }

  return {
    get bytesRead() {
      return bytesRead;
    },
    async read(into, offset, length, position) {
      if (position < 0 || position >= size) return { bytesRead: 0 };
      const part = Math.floor(position / partBytes);
      const bytes = await readPart(part);
      const from = position - part * partBytes;
      return { bytesRead: bytes.copy(into, offset, from, Math.min(from + length, bytes.length)) };
    },
    async *stream() {
      for (let part = 0; part * partBytes < size; part++) yield await readPart(part);
    },
    close: () => file.close(),
  };
}

function gone(): RequestError {
  return refused('The file on the desk is not whole any more. Remove this line, and send the file again.');
}
