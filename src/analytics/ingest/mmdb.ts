/**
 * A reader for whole MaxMind DB files, for converting them: it visits every network once, in address order.
 * `mmdb-lib` answers single look-ups and keeps the file in memory (135 MB for DB-IP City Lite); neither fits here.
 * Format: https://maxmind.github.io/MaxMind-DB/
 */

export type MmdbValue = string | number | boolean | bigint | MmdbValue[] | { [key: string]: MmdbValue };

export type Mmdb = {
  readonly bytes: Buffer;
  readonly nodeCount: number;
  readonly recordBits: number;
  readonly ipVersion: 4 | 6;
  readonly databaseType: string;
  readonly buildEpoch: number;
  /** Where the data section starts in `bytes`. */
  readonly dataStart: number;
  /** Texts that records share, by where they stand: each is decoded once. */
  readonly texts: Map<number, string>;
};

const metadataMarker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** The metadata lies within the last 128 KiB of a file, says the format. */
const metadataBytesMax = 128 * 1024;
/** Between the tree and the data lie sixteen zero bytes. */
const separatorBytes = 16;

/** Reads the metadata of a database. Throws a sentence when the bytes are no MaxMind DB of version 2. */
export function readMmdb(bytes: Buffer): Mmdb {
  const tail = Math.max(0, bytes.length - metadataBytesMax);
  const marker = bytes.subarray(tail).lastIndexOf(metadataMarker);
  if (marker < 0) throw new Error('The place database is no MaxMind DB file: give a file that ends in .mmdb.');
  const start = tail + marker + metadataMarker.length;
  const metadata = decode({ bytes, base: start, at: start, texts: new Map() }) as Record<string, MmdbValue>;
  const version = metadata.binary_format_major_version;
  if (version !== 2) throw new Error(`The place database has format version ${version}: version 2 can be read.`);
  const nodeCount = Number(metadata.node_count);
  const recordBits = Number(metadata.record_size);
  if (recordBits !== 24 && recordBits !== 28 && recordBits !== 32) {
    throw new Error(`The place database has records of ${recordBits} bits: 24, 28 and 32 can be read.`);
  }
  const dataStart = (nodeCount * recordBits) / 4 + separatorBytes;
  if (!(dataStart <= start)) throw new Error('The place database is cut short: fetch it again.');
  return {
    bytes,
    nodeCount,
    recordBits,
    ipVersion: metadata.ip_version === 4 ? 4 : 6,
    databaseType: String(metadata.database_type ?? ''),
    buildEpoch: Number(metadata.build_epoch ?? 0),
    dataStart,
    texts: new Map(),
  };
}

/** The value that a leaf of the tree points to. */
export function valueOfLeaf(mmdb: Mmdb, leaf: number): MmdbValue {
  const { bytes, dataStart: base, texts } = mmdb;
  return decode({ bytes, base, at: base + leaf - mmdb.nodeCount - separatorBytes, texts });
}

/** The left (0) or right (1) record of a node: another node, `nodeCount` for nothing, or more for a leaf. */
export function childOf(mmdb: Mmdb, node: number, side: 0 | 1): number {
  const { bytes } = mmdb;
  if (mmdb.recordBits === 28) {
    const at = node * 7;
    const middle = byteAt(bytes, at + 3);
    return side === 0
      ? (middle >> 4) * 0x1000000 + ((byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2))
      : (middle & 15) * 0x1000000 +
          ((byteAt(bytes, at + 4) << 16) | (byteAt(bytes, at + 5) << 8) | byteAt(bytes, at + 6));
  }
  const width = mmdb.recordBits / 8;
  return bytes.readUIntBE(node * width * 2 + side * width, width);
}

/** The node below which IPv4 addresses lie: the root of an IPv4 file, 96 zero bits down in a file of both families. */
export function ipv4Root(mmdb: Mmdb): number {
  if (mmdb.ipVersion === 4) return 0;
  let node = 0;
  for (let depth = 0; depth < 96 && node < mmdb.nodeCount; depth++) node = childOf(mmdb, node, 0);
  return node;
}

/**
 * Visits the networks below `root` in address order, down to `depthMax` bits; where the tree goes deeper, the lowest
 * network below stands for all. `stopAt` is a node that is not entered and counts as empty.
 * `visit` gets the number of leading bits that the network fixes and the leaf, or undefined for nothing known.
 */
export function walkNetworks(
  mmdb: Mmdb,
  job: { root: number; depthMax: number; stopAt?: number | undefined },
  visit: (depth: number, leaf: number | undefined) => void,
): void {
  const { nodeCount } = mmdb;
  // One pending right-hand sibling per level is all that a left-first walk ever holds.
  const nodes = new Float64Array(job.depthMax + 2);
  const depths = new Uint8Array(job.depthMax + 2);
  nodes[0] = job.root;
  let pending = 1;
  while (pending > 0) {
    pending--;
    let node = nodes[pending] as number;
    let depth = depths[pending] as number;
    while (node < nodeCount && node !== job.stopAt && depth < job.depthMax) {
      depth++;
      nodes[pending] = childOf(mmdb, node, 1);
      depths[pending] = depth;
      pending++;
      node = childOf(mmdb, node, 0);
    }
    while (node < nodeCount && node !== job.stopAt) node = childOf(mmdb, node, 0);
    visit(depth, node > nodeCount ? node : undefined);
  }
}

function byteAt(bytes: Buffer, at: number): number {
  return bytes[at] as number;
}

/** A place in the data section that starts at `base`. */
type Cursor = { readonly bytes: Buffer; readonly base: number; at: number; readonly texts: Map<number, string> };

function decode(cursor: Cursor): MmdbValue {
  const { bytes } = cursor;
  const control = bytes.readUInt8(cursor.at++);
  let kind = control >> 5;
  if (kind === 1) {
    const target = cursor.base + readPointer(cursor, control);
    const known = cursor.texts.get(target);
    if (known !== undefined) return known;
    const value = decode({ bytes, base: cursor.base, at: target, texts: cursor.texts });
    if (typeof value === 'string') cursor.texts.set(target, value);
    return value;
  }
  if (kind === 0) kind = bytes.readUInt8(cursor.at++) + 7;
  const size = readSize(cursor, control);
  switch (kind) {
    case 2:
      return bytes.toString('utf8', cursor.at, advance(cursor, size));
    case 3:
      return bytes.readDoubleBE(advance(cursor, 8) - 8);
    case 4:
      return bytes.toString('base64', cursor.at, advance(cursor, size));
    case 5:
    case 6:
      return readUnsigned(cursor, size);
    case 8:
      return readUnsigned(cursor, size) | 0;
    case 9:
    case 10: {
      let value = 0n;
      for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(bytes.readUInt8(cursor.at++));
      return value;
    }
    case 7: {
      const map: { [key: string]: MmdbValue } = {};
      for (let i = 0; i < size; i++) {
        const key = decode(cursor) as string;
        map[key] = decode(cursor);
      }
      return map;
    }
    case 11: {
      const list: MmdbValue[] = [];
      for (let i = 0; i < size; i++) list.push(decode(cursor));
      return list;
    }
    case 14:
      return size !== 0;
    case 15:
      return bytes.readFloatBE(advance(cursor, 4) - 4);
    default:
      throw new Error(`The place database holds a value of unknown kind ${kind}: fetch it again.`);
  }
}

function readPointer(cursor: Cursor, control: number): number {
  const { bytes } = cursor;
  const top = control & 7;
  switch ((control >> 3) & 3) {
    case 0:
      return top * 0x100 + bytes.readUInt8(advance(cursor, 1) - 1);
    case 1:
      return 2048 + top * 0x10000 + bytes.readUInt16BE(advance(cursor, 2) - 2);
    case 2:
      return 526_336 + top * 0x1000000 + bytes.readUIntBE(advance(cursor, 3) - 3, 3);
    default:
      return bytes.readUInt32BE(advance(cursor, 4) - 4);
  }
}

function readSize(cursor: Cursor, control: number): number {
  const size = control & 31;
  if (size < 29) return size;
  if (size === 29) return 29 + readUnsigned(cursor, 1);
  if (size === 30) return 285 + readUnsigned(cursor, 2);
  return 65_821 + readUnsigned(cursor, 3);
}

function readUnsigned(cursor: Cursor, size: number): number {
  if (size === 0) return 0;
  return cursor.bytes.readUIntBE(advance(cursor, size) - size, size);
}

function advance(cursor: Cursor, size: number): number {
  cursor.at += size;
  return cursor.at;
}
