import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** Decoders of single compressed pieces. Each answers undefined for bytes that are something else. */

const outputBytesMax = 256 * 1024 * 1024;

let scratch = Buffer.alloc(1024 * 1024);
/** Most candidates turn out to be something else: they share one buffer, and what was really read is copied out of it. */
function roomFor(size: number): Buffer {
  if (scratch.length < size) scratch = Buffer.alloc(size);
  return scratch;
}

/** A block of LZ4 without a frame, as ClickHouse and PostgreSQL store it; it must give exactly `size` bytes. */
export function readLz4(source: Buffer, size: number): Buffer | undefined {
  const out = roomFor(size);
  let from = 0;
  let to = 0;
  const length = (first: number): number => {
    let value = first;
    if (first !== 15) return value;
    for (let byte = 255; byte === 255; value += byte) {
      if (from >= source.length) return Number.POSITIVE_INFINITY;
      byte = source[from++] as number;
    }
    return value;
  };
  while (from < source.length) {
    const token = source[from++] as number;
    const literals = length(token >> 4);
    if (literals > source.length - from || literals > size - to) return undefined;
    source.copy(out, to, from, from + literals);
    from += literals;
    to += literals;
    if (from === source.length) break;
    if (from + 2 > source.length) return undefined;
    const back = source.readUInt16LE(from);
    from += 2;
    const copies = length(token & 15) + 4;
    if (back === 0 || back > to || copies > size - to) return undefined;
    for (const end = to + copies; to < end; to++) out[to] = out[to - back] as number;
  }
  return to === size ? Buffer.from(out.subarray(0, size)) : undefined;
}

/** PostgreSQL's own compression; it must give exactly `size` bytes. */
export function readPglz(source: Buffer, size: number): Buffer | undefined {
  const out = roomFor(size);
  let from = 0;
  let to = 0;
  while (from < source.length && to < size) {
    const control = source[from++] as number;
    for (let bit = 0; bit < 8 && from < source.length && to < size; bit++) {
      if ((control & (1 << bit)) === 0) {
        out[to++] = source[from++] as number;
        continue;
      }
      if (from + 2 > source.length) return undefined;
      const head = source[from++] as number;
      const back = ((head & 0xf0) << 4) | (source[from++] as number);
      let copies = (head & 0x0f) + 3;
      if (copies === 18) copies += source[from++] ?? 0;
      if (back === 0 || back > to) return undefined;
      for (const end = Math.min(to + copies, size); to < end; to++) out[to] = out[to - back] as number;
    }
  }
  return to === size && from === source.length ? Buffer.from(out.subarray(0, size)) : undefined;
}

/** The value of a compressed `varlena` without its length: four bytes of method and size, then the data. */
export function readVarlena(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 6) return undefined;
  const info = bytes.readUInt32LE(0);
  const size = info % 2 ** 30;
  // Neither method packs tighter.
  if (size <= bytes.length - 4 || size > 256 * bytes.length) return undefined;
  const method = info >>> 30;
  const data = bytes.subarray(4);
  return method === 0 ? readPglz(data, size) : method === 1 ? readLz4(data, size) : undefined;
}

/** The bytes of a zstd frame that begins here, so that what comes after it does not matter; undefined if it is cut. */
function zstdFrameBytes(bytes: Buffer): number | undefined {
  if (bytes.length < 6) return undefined;
  const descriptor = bytes[4] as number;
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 2 ** sizeFlag;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  let at = 5 + (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes;
  for (let isLast = false; !isLast; ) {
    if (at + 3 > bytes.length) return undefined;
    const header = bytes.readUIntLE(at, 3);
    isLast = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === 3) return undefined;
    at += 3 + (type === 1 ? 1 : header >> 3);
  }
  at += (descriptor & 4) === 0 ? 0 : 4;
  return at <= bytes.length ? at : undefined;
}

export function readZstd(bytes: Buffer): Buffer | undefined {
  const length = zstdFrameBytes(bytes);
  if (length === undefined) return undefined;
  return attempt(() => zstdDecompressSync(bytes.subarray(0, length), { maxOutputLength: outputBytesMax }));
}

/** What can be had of a stream, cut off or followed by something else. */
const lenient = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: outputBytesMax };
export const readZlib = (bytes: Buffer) => attempt(() => inflateSync(bytes, lenient));
export const readDeflate = (bytes: Buffer) => attempt(() => inflateRawSync(bytes, lenient));

/** Read as raw deflate behind the header, because Node's gunzip refuses a stream that other bytes follow. */
export function readGzip(bytes: Buffer): Buffer | undefined {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if ((flags & 4) !== 0 && bytes.length > at + 2) at += 2 + bytes.readUInt16LE(at);
  // A name and a comment end with a zero each.
  for (const flag of [8, 16]) if ((flags & flag) !== 0) at = bytes.indexOf(0, at) + 1;
  if ((flags & 2) !== 0) at += 2;
  return at >= 10 ? readDeflate(bytes.subarray(at)) : undefined;
}

function attempt(work: () => Buffer): Buffer | undefined {
  try {
    const out = work();
    return out.length === 0 ? undefined : out;
  } catch {
    return undefined;
  }
}
