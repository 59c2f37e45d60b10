import { once } from 'node:events';
import { Readable } from 'node:stream';
import { createGunzip, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { type ByteStream, byteStream } from '../../platform/byte_stream.ts';

/** A ZIP in a ZIP in a sealed file is what an archive has; deeper ones are made to tire who opens them. */
const depthMax = 4;
const pieceBytes = 64 * 1024;

/** What is searched: pieces of one text, one behind the other. */
export type Search = (piece: Buffer) => void;

export interface Looked {
  /** Does it hold what cannot be unpacked: encrypted, packed in a way that nobody here knows, too deep? */
  unopened: boolean;
}

/** Begins it like something that is unpacked here? */
export function isPacked(front: Buffer): boolean {
  return kindOf(front) !== undefined;
}

/**
 * Hands over everything that a file says: as it is, or unpacked where it is gzip, zstd or ZIP, and what is within that too.
 * Streamed: memory holds some pieces of it.
 * @param begin of each text, what searches it: a value does not stretch from one file of a ZIP into the next
 * @throws when what is packed is damaged, and whatever a search throws
 */
export async function lookInside(source: AsyncIterable<Buffer>, begin: () => Search): Promise<Looked> {
  const looked: Looked = { unopened: false };

  async function look(stream: ByteStream, depth: number): Promise<void> {
    const kind = kindOf(await stream.peek(4));
    if (kind !== undefined && depth >= depthMax) looked.unopened = true;
    if (kind === undefined || depth >= depthMax) return through(stream, begin());
    if (kind === 'zip') return zip(stream, depth);
    const unpack = kind === 'gzip' ? createGunzip() : createZstdDecompress();
    const packed = Readable.from(all(stream));
    packed.once('error', (error) => unpack.destroy(error));
    await look(byteStream(packed.pipe(unpack)), depth + 1);
  }

  async function zip(stream: ByteStream, depth: number): Promise<void> {
    // Names, the list at the end and comments.
    const names = begin();
    for (;;) {
      if (kindOf(await stream.peek(4)) !== 'zip') return through(stream, names);
      const head = await needed(stream, 30);
      const name = await needed(stream, head.readUInt16LE(26));
      const extra = await needed(stream, head.readUInt16LE(28));
      names(Buffer.concat([head, name, extra]));
      const [flags, method] = [head.readUInt16LE(6), head.readUInt16LE(8)];
      const isOpenEnded = (flags & 8) !== 0;
      const isEncrypted = (flags & 1) !== 0;
      const bytes = packedBytes(head, extra);
      if (isEncrypted || (method !== 8 && (method !== 0 || isOpenEnded))) {
        looked.unopened = true;
        if (isOpenEnded) return through(stream, names);
        await through(byteStream(exactly(stream, bytes)), names);
      } else if (method === 0) await look(byteStream(exactly(stream, bytes)), depth + 1);
      else await look(byteStream(inflated(stream)), depth + 1);
      if (isOpenEnded) await passDescriptor(stream);
    }
  }

  await look(byteStream(source), 0);
  return looked;
}

function kindOf(front: Buffer): 'gzip' | 'zstd' | 'zip' | undefined {
  if (front.length >= 2 && front.readUInt16BE() === 0x1f8b) return 'gzip';
  if (front.length < 4) return undefined;
  const mark = front.readUInt32LE();
  return mark === 0x0403_4b50 ? 'zip' : mark === 0xfd2f_b528 ? 'zstd' : undefined;
}

async function through(stream: ByteStream, search: Search): Promise<void> {
  for await (const piece of all(stream)) search(piece);
}

async function* all(stream: ByteStream): AsyncGenerator<Buffer> {
  for (let piece = await stream.some(pieceBytes); piece !== undefined; piece = await stream.some(pieceBytes))
    yield piece;
}

async function* exactly(stream: ByteStream, bytes: number): AsyncGenerator<Buffer> {
  for (let left = bytes; left > 0; ) {
    const piece = await stream.some(Math.min(left, pieceBytes));
    if (piece === undefined) throw new Error('A packed file ends early.');
    left -= piece.length;
    yield piece;
  }
}

/** To the end that the packed bytes themselves have; what was taken beyond it is given back. */
async function* inflated(stream: ByteStream): AsyncGenerator<Buffer> {
  const unpack = createInflateRaw();
  const ready: Buffer[] = [];
  let hasEnded = false;
  unpack.on('data', (piece: Buffer) => ready.push(piece));
  const ended = once(unpack, 'end').then(() => {
    hasEnded = true;
  });
  ended.catch(() => {});
  let given = 0;
  try {
    while (!hasEnded) {
      // A small piece can be a large text: 16 KB at most 16 MB.
      const piece = await stream.some(16 * 1024);
      if (piece === undefined) throw new Error('A packed file ends early.');
      given += piece.length;
      const written = new Promise<void>((done, fail) => unpack.write(piece, (error) => (error ? fail(error) : done())));
      // Behind the end it takes nothing more and does not answer.
      await Promise.race([written, ended]);
      // The end is told a turn later than the last byte.
      await new Promise((done) => setImmediate(done));
      const over = given - unpack.bytesWritten;
      if (over > 0) {
        await ended;
        stream.back(piece.subarray(piece.length - over));
      }
      yield* ready.splice(0);
    }
  } finally {
    unpack.destroy();
  }
}

/** Of a local header, with the extension for 64 bits. */
function packedBytes(head: Buffer, extra: Buffer): number {
  const bytes = head.readUInt32LE(18);
  if (bytes !== 0xffff_ffff) return bytes;
  for (let at = 0; at + 20 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === 1) return Number(extra.readBigUInt64LE(at + 12));
  return bytes;
}

/** What stands behind a content whose length its header did not say: 12 or 20 bytes, with a mark before them or without. */
async function passDescriptor(stream: ByteStream): Promise<void> {
  const isMarked = (await stream.peek(4)).equals(Buffer.from('PK\x07\x08', 'latin1'));
  const mark = isMarked ? 4 : 0;
  const next = await stream.peek(mark + 22);
  await needed(stream, mark + (next.toString('latin1', mark + 20) === 'PK' ? 20 : 12));
}

async function needed(stream: ByteStream, bytes: number): Promise<Buffer> {
  const taken = bytes === 0 ? Buffer.alloc(0) : await stream.take(bytes);
  if (taken === undefined) throw new Error('A packed file ends early.');
  return taken;
}
