import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, createInflateRaw } from 'node:zlib';
import { type Expansion, openExpansion, refuseRatio, through } from './expand.ts';
import { type ArchiveLimits, archiveLimits } from './limits.ts';
import { refused } from './refused.ts';

/** A file in an archive. Its name is a text to look at: nothing is ever written under it. */
export interface Member {
  readonly name: string;
  readonly bytes: number;
  readonly compressedBytes: number;
  /** The contents, once. @throws RequestError when they are damaged, another size than declared, or a bomb */
  read(): AsyncGenerator<Buffer>;
}

export interface Archive {
  readonly members: readonly Member[];
}

/** A file that can be read anywhere; a `FileHandle` is one. */
export interface Bytes {
  read(into: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
}

type Limits = ArchiveLimits;

/**
 * Opens a ZIP archive that comes as a stream. The list of a ZIP is at its end, so the bytes lie in a file meanwhile
 * that has no name any more: it is gone with the process, however that ends.
 */
export async function withArchive<T>(
  bytes: AsyncIterable<Buffer>,
  work: (archive: Archive) => Promise<T>,
  limits: Limits = archiveLimits,
): Promise<T> {
  const file = await namelessFile();
  try {
    let size = 0;
    for await (const piece of bytes) {
      if (size + piece.length > limits.archiveBytesMax)
        throw refused(`The archive is larger than ${limits.archiveBytesMax} bytes: import its tables in parts.`);
      await file.write(piece, 0, piece.length, size);
      size += piece.length;
    }
    return await work(await readArchive(file, size, limits));
  } finally {
    await file.close();
  }
}

async function namelessFile(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-import-'));
  try {
    return await open(join(folder, 'archive'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Looks at the first bytes of a stream and gives all of them back. */
export async function peekZip(bytes: AsyncIterable<Buffer>): Promise<{ isZip: boolean; all: AsyncIterable<Buffer> }> {
  const pieces = bytes[Symbol.asyncIterator]();
  const first = await pieces.next();
  async function* all() {
    for (let next = first; next.done !== true; next = await pieces.next()) yield next.value;
  }
  return { isZip: first.done !== true && first.value.toString('latin1', 0, 2) === 'PK', all: all() };
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const listSignature = 0x02014b50;
const memberSignature = 0x04034b50;
const endBytes = 22;
const locator64Bytes = 20;
const commentBytesMax = 0xffff;
const listEntryBytes = 46;
const memberHeadBytes = 30;
/** A list of a thousand names takes 0.1 MB; one of this size is no list of tables. */
const listBytesMax = 16 * 1024 * 1024;

const damaged = 'The file is no whole ZIP archive: download it again.';

/** The archive in a file that lies on disk anyway. @throws RequestError when it is none, or larger than one may be */
export async function readArchive(file: Bytes, size: number, limits: Limits = archiveLimits): Promise<Archive> {
  const list = await findList(file, size);
  if (list.count > limits.membersMax)
    throw refused(
      `The archive has more than ${limits.membersMax} files: it is none of the exports that are read here.`,
    );
  if (list.bytes > listBytesMax || list.at + list.bytes > size) throw refused(damaged);
  const bytes = await readAt(file, list.at, list.bytes);
  const expansion = openExpansion(limits);
  const entries: Entry[] = [];
  let at = 0;
  for (let number = 0; number < list.count; number++) {
    const entry = readEntry(bytes, at);
    entries.push(entry);
    at = entry.next;
  }
  refuseOverlaps(entries, list.at);
  refuseDeclared(entries, limits);
  return { members: entries.map((entry) => memberOf(file, entry, expansion)) };
}

interface Entry {
  name: string;
  flags: number;
  method: number;
  crc: number;
  compressedBytes: number;
  bytes: number;
  at: number;
  next: number;
}

async function findList(file: Bytes, size: number): Promise<{ at: number; bytes: number; count: number }> {
  const tailBytes = Math.min(size, endBytes + commentBytesMax);
  const tail = await readAt(file, size - tailBytes, tailBytes);
  for (let at = tail.length - endBytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endSignature || at + endBytes + tail.readUInt16LE(at + 20) !== tail.length) continue;
    const plain = {
      count: tail.readUInt16LE(at + 10),
      bytes: tail.readUInt32LE(at + 12),
      at: tail.readUInt32LE(at + 16),
    };
    const is64 = plain.count === 0xffff || plain.bytes === 0xffff_ffff || plain.at === 0xffff_ffff;
    return is64 ? findList64(file, size - tailBytes + at) : plain;
  }
  throw refused(damaged);
}

async function findList64(file: Bytes, endAt: number) {
  if (endAt < locator64Bytes) throw refused(damaged);
  const locator = await readAt(file, endAt - locator64Bytes, locator64Bytes);
  if (locator.readUInt32LE(0) !== locator64Signature) throw refused(damaged);
  const end = await readAt(file, number64(locator, 8), 56);
  if (end.readUInt32LE(0) !== end64Signature) throw refused(damaged);
  return { count: number64(end, 32), bytes: number64(end, 40), at: number64(end, 48) };
}

function readEntry(list: Buffer, at: number): Entry {
  if (at + listEntryBytes > list.length || list.readUInt32LE(at) !== listSignature) throw refused(damaged);
  const nameBytes = list.readUInt16LE(at + 28);
  const extraBytes = list.readUInt16LE(at + 30);
  const next = at + listEntryBytes + nameBytes + extraBytes + list.readUInt16LE(at + 32);
  if (next > list.length) throw refused(damaged);
  const nameAt = at + listEntryBytes;
  const entry = {
    name: list.toString('utf8', nameAt, nameAt + nameBytes),
    flags: list.readUInt16LE(at + 8),
    method: list.readUInt16LE(at + 10),
    crc: list.readUInt32LE(at + 16),
    compressedBytes: list.readUInt32LE(at + 20),
    bytes: list.readUInt32LE(at + 24),
    at: list.readUInt32LE(at + 42),
    next,
  };
  return withLongNumbers(entry, list.subarray(nameAt + nameBytes, nameAt + nameBytes + extraBytes));
}

/** Numbers that do not fit into 32 bits stand in the entry's extra field 1, in this order. */
function withLongNumbers(entry: Entry, extra: Buffer): Entry {
  for (let at = 0; at + 4 <= extra.length; ) {
    const [kind, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    if (kind === 1) {
      const field = extra.subarray(at + 4, at + 4 + length);
      const long = { ...entry };
      let from = 0;
      for (const name of ['bytes', 'compressedBytes', 'at'] as const) {
        if (entry[name] !== 0xffff_ffff) continue;
        if (from + 8 > field.length) throw refused(damaged);
        long[name] = number64(field, from);
        from += 8;
      }
      return long;
    }
    at += 4 + length;
  }
  return entry;
}

function number64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refused(damaged);
  return Number(value);
}

/** The best bombs let many members share the same compressed bytes. */
function refuseOverlaps(entries: readonly Entry[], listAt: number): void {
  const sorted = [...entries].sort((a, b) => a.at - b.at);
  sorted.forEach((entry, number) => {
    const end = sorted[number + 1]?.at ?? listAt;
    if (entry.at + memberHeadBytes + entry.compressedBytes > end) throw refused(damaged);
  });
}

/**
 * What the list itself says is too much is refused before anything is expanded. A list that says less than there is does
 * not help a bomb: a member ends at the size that it has there.
 */
function refuseDeclared(entries: readonly Entry[], limits: Limits): void {
  for (const { name, bytes, compressedBytes } of entries) refuseRatio(bytes, compressedBytes, shown(name), limits);
  if (entries.reduce((sum, { bytes }) => sum + bytes, 0) > limits.expandedBytesMax)
    throw refused(`The archive expands to more than ${limits.expandedBytesMax} bytes: import its tables in parts.`);
}

function memberOf(file: Bytes, entry: Entry, expansion: Expansion): Member {
  const { name, bytes, compressedBytes } = entry;
  const damage = () => refused(`${shown(name)} is damaged: download the archive again.`);
  return {
    name,
    bytes,
    compressedBytes,
    async *read() {
      if ((entry.flags & 1) !== 0) throw refused(`${shown(name)} is encrypted: send the archive without a password.`);
      if (entry.method !== 0 && entry.method !== 8)
        throw refused(`${shown(name)} is packed in a way that is not read here: pack it again as an ordinary ZIP.`);
      const head = await readAt(file, entry.at, memberHeadBytes);
      if (head.readUInt32LE(0) !== memberSignature) throw damage();
      const from = entry.at + memberHeadBytes + head.readUInt16LE(26) + head.readUInt16LE(28);
      const packed = stretchOf(file, from, compressedBytes);
      const inflate = createInflateRaw();
      const plain = entry.method === 0 ? packed : through(packed, inflate);
      const bytesIn = () => (entry.method === 0 ? compressedBytes : inflate.bytesWritten);
      let [size, crc] = [0, 0];
      try {
        for await (const piece of expansion.watch(plain, bytesIn, shown(name))) {
          size += piece.length;
          // More than it says it has: nothing of the surplus is looked at.
          if (size > bytes) throw damage();
          crc = crc32(piece, crc);
          yield piece;
        }
      } catch (error) {
        throw isOfZlib(error) ? damage() : error;
      }
      if (size !== bytes || crc !== entry.crc) throw damage();
    },
  };
}

/** Names come from strangers and go to a terminal. */
export function shown(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

function isOfZlib(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? '');
  return code.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

const pieceBytes = 256 * 1024;

async function* stretchOf(file: Bytes, from: number, length: number) {
  for (let at = 0; at < length; at += pieceBytes) {
    yield await readAt(file, from + at, Math.min(pieceBytes, length - at));
  }
}

/** Exactly these bytes. @throws RequestError when the file has not as many */
async function readAt(file: Bytes, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) throw refused(damaged);
    filled += bytesRead;
  }
  return bytes;
}
