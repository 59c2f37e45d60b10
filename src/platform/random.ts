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
