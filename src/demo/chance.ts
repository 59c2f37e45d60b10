import { seededRandom } from '../platform/random.ts';

/**
 * Chance that repeats itself: the same name draws the same values. Made-up traffic takes a name of its own for each
 * hour and each person, so that any hour can be made again without those before it.
 */
export interface Chance {
  /** From 0 to below 1. */
  next(): number;
  /** True in this share of the draws. */
  is(share: number): boolean;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  /** From a bell curve around 0 with deviation 1. */
  bell(): number;
  /** A length of time or the like: half of the draws are below `median`, few are far above. */
  around(median: number, spread: number): number;
  /** How often something happens that happens `mean` times on average and each time by itself. */
  times(mean: number): number;
  one<T>(list: readonly T[]): T;
}

/** sfc32 (Chris Doty-Humphrey's PractRand), begun with 128 bits of the seed: one draw takes 5 ns, a SHA-256 each 1 µs. */
export function chanceOf(seed: string): Chance {
  const start = seededRandom(seed).bytes(16);
  let a = start.readInt32LE(0);
  let b = start.readInt32LE(4);
  let c = start.readInt32LE(8);
  let d = start.readInt32LE(12);
  function next(): number {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4_294_967_296;
  }
  const bell = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const below = (count: number) => Math.floor(next() * count);
  return {
    next,
    is: (share) => next() < share,
    below,
    bell,
    around: (median, spread) => median * Math.exp(spread * bell()),
    times(mean) {
      if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * bell()));
      let count = 0;
      for (let left = next(); left > Math.exp(-mean); left *= next()) count++;
      return count;
    },
    one: <T>(list: readonly T[]) => list[below(list.length)] as T,
  };
}

/** Draws from a list in which each entry has a weight. */
export function weighted<T>(entries: readonly (readonly [weight: number, value: T])[]): (chance: Chance) => T {
  const ends: number[] = [];
  let sum = 0;
  for (const [weight] of entries) {
    sum += weight;
    ends.push(sum);
  }
  return (chance) => {
    const at = chance.next() * sum;
    const found = ends.findIndex((end) => at < end);
    return (entries[found < 0 ? entries.length - 1 : found] as readonly [number, T])[1];
  };
}
