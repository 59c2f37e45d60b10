import { createHash, randomBytes, randomFillSync } from 'node:crypto';

/** Chance as an argument. */
export interface Random {
  /** `count` bytes from the operating system's CSPRNG. */
  bytes(count: number): Buffer;
  /** An unsigned 64-bit integer, uniformly drawn. */
  uint64(): bigint;
}

export const systemRandom: Random = {
  bytes: (count) => (count <= shortMax ? fromPool(count) : randomBytes(count)),
  uint64: () => drawUint64(),
};

/** A version 4 UUID of given chance. */
export function uuidOf(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return uuidText(bytes);
}

/**
 * A version 7 UUID (RFC 9562): the milliseconds first, 74 bits of chance behind them. For rows that come by the thousand: they lie at the
 * end of their index, where rows of a version 4 touch another page each.
 * @param now milliseconds since 1970
 */
export function timedUuidOf(random: Random, now: number): string {
  const bytes = random.bytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return uuidText(bytes);
}

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * Nonces, ids, salts and the key of a row are drawn several times for each row that is sealed: one system call fills a pool
 * for dozens of them (4 µs in place of 10 for the five of a conversion). What is longer is drawn from the system by itself.
 */
const shortMax = 32;
const pool = Buffer.alloc(4_096);
let offset = pool.length;
function fromPool(count: number): Buffer {
  if (offset + count > pool.length) {
    randomFillSync(pool);
    offset = 0;
  }
  const end = offset + count;
  const drawn = Buffer.from(pool.subarray(offset, end));
  // What was given out is in memory once, where its taker has it.
  pool.fill(0, offset, end);
  offset = end;
  return drawn;
}

function drawUint64(): bigint {
  return fromPool(8).readBigUInt64LE(0);
}

/** The same sequence for the same seed: for tests and benchmarks only. */
export function seededRandom(seed: string): Random {
  let counter = 0;
  function bytes(count: number): Buffer {
    const parts: Buffer[] = [];
    for (let have = 0; have < count; have += 32)
      parts.push(createHash('sha256').update(`${seed}:${counter++}`).digest());
    return Buffer.concat(parts).subarray(0, count);
  }
  return { bytes, uint64: () => bytes(8).readBigUInt64LE(0) };
}
