import { readDeflate, readGzip, readLz4, readVarlena, readZlib, readZstd } from './unpack.ts';

/** Bytes as they lie in a file, or as they come out of something that is packed in it. */
export interface View {
  /** What had to be opened to get here: 'tar entry data/x', 'ClickHouse blocks', … */
  readonly inside: readonly string[];
  readonly bytes: Buffer;
}

/** Archives in archives are opened this deep. */
export const depthMax = 4;

/**
 * A file and everything that is packed in it, wherever in the file that begins: nothing goes by the file's name, so
 * backups and copies are looked into like the originals.
 * @param onUnread told of a piece that was recognised and cannot be read
 */
export function* viewsOf(
  bytes: Buffer,
  onUnread: (what: string) => void = () => {},
  inside: readonly string[] = [],
): Generator<View> {
  yield { inside, bytes };
  if (inside.length >= depthMax) return;
  for (const [name, piece] of piecesOf(bytes, onUnread)) yield* viewsOf(piece, onUnread, [...inside, name]);
}

/** What is packed in these bytes, one layer deep. */
export function* piecesOf(bytes: Buffer, onUnread: (what: string) => void): Generator<[name: string, piece: Buffer]> {
  const entries = [...tarEntries(bytes)];
  yield* entries;
  // What is in an archive is read from its entries, where no header of the archive cuts it.
  if (entries.length > 0) return;
  yield* clickHouseRuns(bytes, onUnread);
  yield* streams(bytes);
  const log = walWithoutHeaders(bytes);
  if (log !== undefined) yield ['write-ahead log without its page headers', log];
  yield* varlenas(bytes);
  yield* toasted(bytes);
}

/** The entries of a tar archive, under their names. Only one that begins at the first byte. */
function* tarEntries(bytes: Buffer): Generator<[string, Buffer]> {
  let longName: string | undefined;
  for (let at = 0; at + 512 <= bytes.length && bytes.toString('latin1', at + 257, at + 262) === 'ustar'; ) {
    const text = (from: number, length: number) =>
      bytes.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12).trim() || '0', 8);
    const type = text(156, 1);
    const body = bytes.subarray(at + 512, at + 512 + size);
    const prefix = text(345, 155);
    if (type === 'L') longName = body.toString('utf8').replace(/\0.*$/s, '');
    else {
      yield [`tar entry ${longName ?? (prefix === '' ? '' : `${prefix}/`) + text(0, 100)}`, body];
      longName = undefined;
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** gzip, zlib and zstd streams, and the entries of zip archives, at any place. */
function* streams(bytes: Buffer): Generator<[string, Buffer]> {
  for (const [name, magic, read] of [
    ['gzip', Buffer.from([0x1f, 0x8b, 0x08]), readGzip],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), readZstd],
    ['zip entry', Buffer.from('PK\x03\x04'), readZipEntry],
    ...[0x01, 0x5e, 0x9c, 0xda].map((level) => ['zlib', Buffer.from([0x78, level]), readZlib] as const),
  ] as const)
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      const piece = read(bytes.subarray(at));
      if (piece !== undefined) yield [name, piece];
    }
}

function readZipEntry(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 30 || bytes.readUInt16LE(8) !== 8) return undefined;
  return readDeflate(bytes.subarray(30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28)));
}

/**
 * Runs of ClickHouse's compressed blocks: sixteen bytes of checksum, a method, two sizes, the data. Blocks that follow
 * each other are joined, since a value may lie across their border.
 */
function* clickHouseRuns(bytes: Buffer, onUnread: (what: string) => void): Generator<[string, Buffer]> {
  for (let at = 0; at + 9 < bytes.length; ) {
    let block = clickHouseBlock(bytes, at, onUnread);
    if (block === undefined) {
      at++;
      continue;
    }
    const run: Buffer[] = [];
    while (block !== undefined) {
      run.push(block.data);
      at += block.length;
      // The checksum of the next block lies between.
      block = clickHouseBlock(bytes, at + checksumBytes, onUnread);
      if (block !== undefined) at += checksumBytes;
    }
    yield ['ClickHouse blocks', Buffer.concat(run)];
  }
}

const checksumBytes = 16;
const blockBytesMax = 64 * 1024 * 1024;
const methods = { none: 0x02, lz4: 0x82, zstd: 0x90, multiple: 0x91, delta: 0x92, t64: 0x93 };

function clickHouseBlock(
  bytes: Buffer,
  at: number,
  onUnread: (what: string) => void,
): { data: Buffer; length: number } | undefined {
  if (at + 10 > bytes.length) return undefined;
  const method = bytes[at] as number;
  if (method !== methods.lz4 && (method < methods.zstd || method > methods.t64)) return undefined;
  const length = bytes.readUInt32LE(at + 1);
  const size = bytes.readUInt32LE(at + 5);
  if (length < 10 || length > bytes.length - at || size === 0 || size > blockBytesMax) return undefined;
  const data = decode(bytes.subarray(at, at + length), onUnread);
  return data === undefined ? undefined : { data, length };
}

/** @param block method, sizes and data */
function decode(block: Buffer, onUnread: (what: string) => void): Buffer | undefined {
  if (block.length < 10) return undefined;
  const method = block[0];
  const length = block.readUInt32LE(1);
  const size = block.readUInt32LE(5);
  if (length > block.length || size > blockBytesMax) return undefined;
  const data = block.subarray(9, length);
  switch (method) {
    case methods.none:
      return data.length === size ? data : undefined;
    case methods.lz4:
      return readLz4(data, size);
    case methods.zstd: {
      const piece = data.length > 4 && data.readUInt32LE(0) === 0xfd2fb528 ? readZstd(data) : undefined;
      return piece?.length === size ? piece : undefined;
    }
    case methods.multiple: {
      // A count, the methods, and the result of the last method, which wraps that of the one before.
      const count = data[0] as number;
      if (count === 0 || count > 4) return undefined;
      let piece: Buffer | undefined = data.subarray(1 + count);
      for (let codec = 0; codec < count && piece !== undefined; codec++) {
        if (codec > 0 && piece[0] === methods.t64) {
          onUnread('T64');
          return piece;
        }
        piece = decode(piece, onUnread);
      }
      return piece?.length === size ? piece : undefined;
    }
    case methods.delta:
      return undelta(data, size);
    default:
      return undefined;
  }
}

/** Each value is stored as its difference to the one before; a rest that fills no value comes first, as it is. */
function undelta(data: Buffer, size: number): Buffer | undefined {
  const width = data[0] as number;
  const skip = data[1] as number;
  if (![1, 2, 4, 8].includes(width) || data.length - 2 !== size || skip >= width) return undefined;
  const out = Buffer.from(data.subarray(2));
  for (let at = skip + width; at + width <= out.length; at += width)
    for (let byte = 0, carry = 0; byte < width; byte++) {
      const sum = (out[at + byte] as number) + (out[at + byte - width] as number) + carry;
      out[at + byte] = sum & 255;
      carry = sum >> 8;
    }
  return out;
}

const walPageBytes = 8192;

/**
 * A segment of PostgreSQL's write-ahead log with the headers of its pages taken out, so that no value is cut by one. What
 * goes on in the next segment, which is another file, is not put together: of 8 MB that is the last value.
 */
function walWithoutHeaders(bytes: Buffer): Buffer | undefined {
  // Two bytes of version (0xd1..), two of flags; the first page of a segment has the long header.
  if (bytes.length < walPageBytes || bytes.length % walPageBytes !== 0 || bytes[1] !== 0xd1) return undefined;
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += walPageBytes) {
    if (bytes[at + 1] !== 0xd1) break;
    const isLong = (bytes.readUInt16LE(at + 2) & 2) !== 0;
    parts.push(bytes.subarray(at + (isLong ? 40 : 24), at + walPageBytes));
  }
  return Buffer.concat(parts);
}

/** Values that PostgreSQL has compressed within a row, in tables and in the log. */
function* varlenas(bytes: Buffer): Generator<[string, Buffer]> {
  for (let at = 0; at + 12 < bytes.length; at++) {
    // The lowest two bits say "compressed", the others the length, which is at most a page.
    if (((bytes[at] as number) & 3) !== 2 || bytes[at + 3] !== 0 || (bytes[at + 2] as number) > 0) continue;
    if (((bytes[at + 7] as number) & 0x3f) !== 0) continue;
    const length = bytes.readUInt32LE(at) >>> 2;
    if (length < 12 || at + length > bytes.length) continue;
    const value = readVarlena(bytes.subarray(at + 4, at + length));
    if (value !== undefined) yield ['compressed value of a PostgreSQL row', value];
  }
}

/** Every chunk of a value but its last has this size. */
const chunkBytes = 1996;

/**
 * Values that were too long for a row: chunks of a TOAST table (number of the value, number of the chunk, length, data)
 * in its pages or in the log, put together and, where they are compressed, unpacked.
 */
function* toasted(bytes: Buffer): Generator<[string, Buffer]> {
  const values = new Map<number, Buffer[]>();
  for (let at = 0; at + 13 < bytes.length; at++) {
    if (((bytes[at + 8] as number) & 3) !== 0 || bytes[at + 10] !== 0 || bytes[at + 11] !== 0) continue;
    if (bytes[at + 6] !== 0 || bytes[at + 7] !== 0) continue;
    const length = (bytes.readUInt16LE(at + 8) >>> 2) - 4;
    const value = bytes.readUInt32LE(at);
    if (length < 1 || length > chunkBytes || at + 12 + length > bytes.length || value < 16384) continue;
    const chunks = values.get(value) ?? [];
    values.set(value, chunks);
    // The log may hold a chunk again, as part of a page: the first that is seen is kept.
    chunks[bytes.readUInt16LE(at + 4)] ??= bytes.subarray(at + 12, at + 12 + length);
  }
  for (const chunks of values.values()) {
    const whole: Buffer[] = [];
    for (const chunk of chunks) {
      if (chunk === undefined) break;
      whole.push(chunk);
      if (chunk.length < chunkBytes) break;
    }
    const joined = Buffer.concat(whole);
    if (whole.length > 1) yield ['TOAST chunks', joined];
    const value = readVarlena(joined);
    if (value !== undefined) yield ['compressed TOAST value', value];
  }
}
