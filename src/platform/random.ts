import { createHash, randomBytes } from 'node:crypto';

/** Chance as an argument. */
export interface Random {
  /** `count` bytes from the operating system's CSPRNG. */
  bytes(count: number): Buffer;
  /** An unsigned 64-bit integer, uniformly drawn. */
  uint64(): bigint;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  uint64: () => drawUint64(),
};

/** A version 4 UUID of given chance. */
export function uuidOf(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Visit ids are drawn per visit on the hot path: one system call fills a pool of 512 of them. */
let pool = Buffer.alloc(0);
let offset = 0;
function drawUint64(): bigint {
  if (offset >= pool.length) {
    pool = randomBytes(4096);
    offset = 0;
  }
  const value = pool.readBigUInt64LE(offset);
  offset += 8;
  return value;
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
