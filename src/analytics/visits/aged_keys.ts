/**
 * A set of 64-bit keys that remembers each for a stated time and never takes more than a stated room. It answers
 * "was this event id (or order id) here before?" on the hot path, where a `Set` of strings would cost about 120 bytes
 * a key and a pause whenever it grows. Here a key costs 12 bytes a slot at a load of 30 to 60 %, and the 256 shards
 * grow one at a time, so that no growth moves more than some ten thousand keys (measured: under 1 ms).
 *
 * Keys come from a good hash, so their bits can be used as they are: the top ones choose the shard, the low ones the slot.
 */
export type AgedKeys = {
  has(key: Key, nowMs: number): boolean;
  /** Remembers a key from now on; one that is there already becomes young again. */
  add(key: Key, nowMs: number): void;
  delete(key: Key): void;
  /** Keys held, expired ones included until their shard is next tidied. */
  size(): number;
  /** Keys that were pushed out by newer ones before their time. */
  pushedOut(): number;
  bytes(): number;
};

/** The halves of a 64-bit value: numbers, because a BigInt would be an allocation per event. */
export type Key = { readonly hi: number; readonly lo: number };

const shardCount = 256;
const slotsAtFirst = 16;
const ageUnitMs = 60_000;

export function openAgedKeys(limits: { keysMax: number; keepMs: number }): AgedKeys {
  const keysPerShardMax = Math.max(slotsAtFirst / 2, Math.ceil(limits.keysMax / shardCount));
  const keepUnits = Math.ceil(limits.keepMs / ageUnitMs);
  const shards = Array.from({ length: shardCount }, () => emptyShard(slotsAtFirst));
  let pushedOut = 0;

  return {
    has(key, nowMs) {
      const shard = shardOf(shards, key);
      const slot = findSlot(shard, key.hi, key.lo);
      return isTaken(shard, slot) && isFresh(shard, slot, unitsOf(nowMs), keepUnits);
    },
    add(key, nowMs) {
      const shard = shardOf(shards, key);
      const slot = findSlot(shard, key.hi, key.lo);
      if (!isTaken(shard, slot)) {
        if ((shard.count + 1) * 5 > shard.slots * 3 || shard.count >= keysPerShardMax) {
          pushedOut += makeRoom(shard, { now: unitsOf(nowMs), keepUnits, keysMax: keysPerShardMax });
          put(shard, findSlot(shard, key.hi, key.lo), key.hi, key.lo, unitsOf(nowMs));
          return;
        }
      }
      put(shard, slot, key.hi, key.lo, unitsOf(nowMs));
    },
    delete(key) {
      const shard = shardOf(shards, key);
      const slot = findSlot(shard, key.hi, key.lo);
      if (isTaken(shard, slot)) remove(shard, slot);
    },
    size: () => shards.reduce((sum, shard) => sum + shard.count, 0),
    pushedOut: () => pushedOut,
    bytes: () => shards.reduce((sum, shard) => sum + shard.slots * 12, 0),
  };
}

/** Open addressing with linear probing. A slot whose halves are both 0 is empty; `put` never stores such a key. */
type Shard = { slots: number; count: number; hi: Uint32Array; lo: Uint32Array; age: Uint32Array };

function emptyShard(slots: number): Shard {
  return { slots, count: 0, hi: new Uint32Array(slots), lo: new Uint32Array(slots), age: new Uint32Array(slots) };
}

function shardOf(shards: readonly Shard[], key: Key): Shard {
  return shards[key.hi >>> 24] as Shard;
}

function unitsOf(nowMs: number): number {
  return Math.floor(nowMs / ageUnitMs);
}

function isTaken(shard: Shard, slot: number): boolean {
  return shard.hi[slot] !== 0 || shard.lo[slot] !== 0;
}

/** A key from the future (the clock was set back) is as fresh as one from now. */
function isFresh(shard: Shard, slot: number, now: number, keepUnits: number): boolean {
  return now - (shard.age[slot] as number) <= keepUnits;
}

/** The slot that holds the key, or the empty one where it belongs. */
function findSlot(shard: Shard, hi: number, lo: number): number {
  const mask = shard.slots - 1;
  const stored = lo === 0 && hi === 0 ? 1 : lo;
  let slot = stored & mask;
  while (isTaken(shard, slot) && (shard.lo[slot] !== stored || shard.hi[slot] !== hi)) slot = (slot + 1) & mask;
  return slot;
}

function put(shard: Shard, slot: number, hi: number, lo: number, age: number): void {
  if (!isTaken(shard, slot)) shard.count++;
  shard.hi[slot] = hi;
  shard.lo[slot] = lo === 0 && hi === 0 ? 1 : lo;
  shard.age[slot] = age;
}

/** Takes a key out and moves the ones behind it up, so that no search ever crosses a hole. */
function remove(shard: Shard, slot: number): void {
  const mask = shard.slots - 1;
  let hole = slot;
  let next = (hole + 1) & mask;
  while (isTaken(shard, next)) {
    const home = (shard.lo[next] as number) & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      shard.hi[hole] = shard.hi[next] as number;
      shard.lo[hole] = shard.lo[next] as number;
      shard.age[hole] = shard.age[next] as number;
      hole = next;
    }
    next = (next + 1) & mask;
  }
  shard.hi[hole] = 0;
  shard.lo[hole] = 0;
  shard.count--;
}

/**
 * Drops what has expired; then doubles, or, at the limit, gives up the oldest quarter. Returns how many fresh keys
 * had to go.
 */
function makeRoom(shard: Shard, rule: { now: number; keepUnits: number; keysMax: number }): number {
  const old = { ...shard };
  let fresh = 0;
  for (let slot = 0; slot < old.slots; slot++)
    if (isTaken(old, slot) && isFresh(old, slot, rule.now, rule.keepUnits)) fresh++;
  const toGo = fresh >= rule.keysMax ? Math.ceil(fresh / 4) : 0;
  const slots = toGo === 0 && fresh * 10 > old.slots * 3 ? old.slots * 2 : old.slots;
  const oldest = toGo === 0 ? -1 : ageOfRank(old, rule, toGo);
  Object.assign(shard, emptyShard(slots));
  let gone = 0;
  for (let slot = 0; slot < old.slots; slot++) {
    if (!isTaken(old, slot) || !isFresh(old, slot, rule.now, rule.keepUnits)) continue;
    const age = old.age[slot] as number;
    if (gone < toGo && age <= oldest) {
      gone++;
      continue;
    }
    const hi = old.hi[slot] as number;
    const lo = old.lo[slot] as number;
    put(shard, findSlot(shard, hi, lo), hi, lo, age);
  }
  return gone;
}

/** The age of the `rank`-th oldest fresh key. */
function ageOfRank(shard: Shard, rule: { now: number; keepUnits: number }, rank: number): number {
  const ages = shard.age
    .filter((_age, slot) => isTaken(shard, slot) && isFresh(shard, slot, rule.now, rule.keepUnits))
    .sort();
  return ages[rank - 1] ?? -1;
}
