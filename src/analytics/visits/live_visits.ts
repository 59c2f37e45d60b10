/**
 * The visits that are running now, so that each event can be told which visit it belongs to without asking a database.
 *
 * A million of them must fit in 200 MB. As objects they would take about 900 bytes each, so numbers live in typed
 * arrays (74 bytes a visit; the pages of an array that was never written take no memory) and what the first event said
 * (source, agent, place, entry page) is kept once per distinct text: the ready JSON that every row of the visit repeats.
 */
export type LiveVisits = {
  /** The running visit of this visitor on this site, if its last event is less than 31 minutes old; else -1. */
  find(visitor: Visitor, nowMs: number): Slot;
  /** Starts a visit. When a limit is reached the visits that were silent longest are closed first. */
  begin(visitor: Visitor, visit: NewVisit): Slot;
  /** An event of the visit happened. */
  touch(slot: Slot, nowMs: number): void;
  /** The visit's first page view has come. */
  enter(slot: Slot, entry: string): void;
  /** Takes back a visit whose first event could not be stored. Harmless when the visit is no longer there. */
  forget(slot: Slot, visitId: Id64): void;
  read: {
    visitId(slot: Slot): Id64;
    startedMs(slot: Slot): number;
    endedMs(slot: Slot): number;
    idDay(slot: Slot): number;
    origin(slot: Slot): string;
    agent(slot: Slot): string;
    place(slot: Slot): string;
    entry(slot: Slot): string;
  };
  /** Closes visits that are over, at most `countMax` at a time; true when more are waiting. */
  sweep(nowMs: number, countMax: number): boolean;
  count(): number;
  /** Running visits of visitor ids that a given day's salt made: those that lose their id when that salt dies. */
  countOfDay(idDay: number, nowMs: number): number;
  /** Running visits of a site with an event since then. */
  countSince(siteId: number, sinceMs: number): number;
  /** Visits that were closed because of the limits, before they were over. */
  closedEarly(): number;
  /** What the store takes of memory: arrays as far as they were written, and texts. */
  bytes(): number;
};

/** A number of the store; good until the next `begin` or `sweep`. */
export type Slot = number;
export type Id64 = { readonly hi: number; readonly lo: number };
/** Who: the id is site-scoped already (PSE-09); the site is compared all the same. */
export type Visitor = { readonly siteId: number; readonly id: Id64 };

export type NewVisit = {
  readonly visitId: Id64;
  readonly startedMs: number;
  /** Absent: the visit has one event so far, the one that starts it. */
  readonly endedMs?: number;
  /** Days since the epoch of the salt that made the visitor id. */
  readonly idDay: number;
  /** Members of the row's JSON without braces, such as `"country":"DE","region":"Berlin"`. */
  readonly origin: string;
  readonly agent: string;
  readonly place: string;
  readonly entry: string;
};

/** The gap is counted in whole minutes: 30:59 after the last event still continues the visit. */
export const visitGapMsMax = 31 * 60_000;

export const liveVisitLimits = { visitsMax: 1_000_000, textBytesMax: 110 * 1024 * 1024 };

const none = 0xffff_ffff;

/** @param onClosed told of each visit that is over, before its slot is another's */
export function openLiveVisits(
  limits: { visitsMax: number; textBytesMax: number } = liveVisitLimits,
  onClosed?: (slot: Slot) => void,
): LiveVisits {
  const capacity = limits.visitsMax;
  const idHi = new Uint32Array(capacity);
  const idLo = new Uint32Array(capacity);
  const siteId = new Float64Array(capacity);
  const visitHi = new Uint32Array(capacity);
  const visitLo = new Uint32Array(capacity);
  const started = new Float64Array(capacity);
  const ended = new Float64Array(capacity);
  const idDay = new Uint16Array(capacity);
  const origin = new Uint32Array(capacity);
  const agent = new Uint32Array(capacity);
  const place = new Uint32Array(capacity);
  const entry = new Uint32Array(capacity);
  // A list through all visits from the one that was silent longest to the last touched; free slots hang on `older`.
  const older = new Uint32Array(capacity);
  const newer = new Uint32Array(capacity);
  let oldest = none;
  let newest = none;
  let freeSlot = none;
  let everUsed = 0;
  let count = 0;
  let closedEarly = 0;
  const index = openIndex(capacity, idLo);
  const texts = openTexts();

  function linkNewest(slot: number) {
    older[slot] = newest;
    newer[slot] = none;
    if (newest === none) oldest = slot;
    else newer[newest] = slot;
    newest = slot;
  }
  function unlink(slot: number) {
    const before = older[slot] as number;
    const after = newer[slot] as number;
    if (before === none) oldest = after;
    else newer[before] = after;
    if (after === none) newest = before;
    else older[after] = before;
  }
  function close(slot: number) {
    unlink(slot);
    index.remove(slot);
    texts.release(origin[slot] as number);
    texts.release(agent[slot] as number);
    texts.release(place[slot] as number);
    texts.release(entry[slot] as number);
    older[slot] = freeSlot;
    freeSlot = slot;
    count--;
    onClosed?.(slot);
  }
  function lookUp(visitor: Visitor): number {
    let at = index.first(visitor.id.lo);
    for (;;) {
      const slot = index.slotAt(at);
      if (slot < 0) return -1;
      if (idLo[slot] === visitor.id.lo && idHi[slot] === visitor.id.hi && siteId[slot] === visitor.siteId) return slot;
      at = index.next(at);
    }
  }
  function touch(slot: number, nowMs: number) {
    // A clock that was set back makes no visit older than it is.
    if (nowMs > (ended[slot] as number)) ended[slot] = nowMs;
    if (slot === newest) return;
    unlink(slot);
    linkNewest(slot);
  }

  return {
    find(visitor, nowMs) {
      const slot = lookUp(visitor);
      return slot >= 0 && nowMs - (ended[slot] as number) < visitGapMsMax ? slot : -1;
    },
    begin(visitor, visit) {
      const stale = lookUp(visitor);
      if (stale >= 0) close(stale);
      while (oldest !== none && (count >= capacity || texts.bytes() > limits.textBytesMax)) {
        if (visit.startedMs - (ended[oldest] as number) < visitGapMsMax) closedEarly++;
        close(oldest);
      }
      let slot = freeSlot;
      if (slot === none) slot = everUsed++;
      else freeSlot = older[slot] as number;
      idHi[slot] = visitor.id.hi;
      idLo[slot] = visitor.id.lo;
      siteId[slot] = visitor.siteId;
      visitHi[slot] = visit.visitId.hi;
      visitLo[slot] = visit.visitId.lo;
      started[slot] = visit.startedMs;
      ended[slot] = visit.endedMs ?? visit.startedMs;
      idDay[slot] = visit.idDay;
      origin[slot] = texts.keep(visit.origin);
      agent[slot] = texts.keep(visit.agent);
      place[slot] = texts.keep(visit.place);
      entry[slot] = texts.keep(visit.entry);
      index.add(slot);
      linkNewest(slot);
      count++;
      return slot;
    },
    touch,
    enter(slot, text) {
      const before = entry[slot] as number;
      entry[slot] = texts.keep(text);
      texts.release(before);
    },
    forget(slot, visitId) {
      // The slot may have been closed and given to another visit while the disk was asked.
      if (visitHi[slot] !== visitId.hi || visitLo[slot] !== visitId.lo) return;
      if (
        lookUp({ siteId: siteId[slot] as number, id: { hi: idHi[slot] as number, lo: idLo[slot] as number } }) !== slot
      )
        return;
      close(slot);
    },
    read: {
      visitId: (slot) => ({ hi: visitHi[slot] as number, lo: visitLo[slot] as number }),
      startedMs: (slot) => started[slot] as number,
      endedMs: (slot) => ended[slot] as number,
      idDay: (slot) => idDay[slot] as number,
      origin: (slot) => texts.read(origin[slot] as number),
      agent: (slot) => texts.read(agent[slot] as number),
      place: (slot) => texts.read(place[slot] as number),
      entry: (slot) => texts.read(entry[slot] as number),
    },
    sweep(nowMs, countMax) {
      for (let closed = 0; closed < countMax; closed++) {
        if (oldest === none || nowMs - (ended[oldest] as number) < visitGapMsMax) return false;
        close(oldest);
      }
      return oldest !== none && nowMs - (ended[oldest] as number) >= visitGapMsMax;
    },
    count: () => count,
    countOfDay(day, nowMs) {
      let found = 0;
      for (let slot = newest; slot !== none; slot = older[slot] as number)
        if (idDay[slot] === day && nowMs - (ended[slot] as number) < visitGapMsMax) found++;
      return found;
    },
    countSince(wanted, sinceMs) {
      let found = 0;
      for (let slot = newest; slot !== none && (ended[slot] as number) >= sinceMs; slot = older[slot] as number)
        if (siteId[slot] === wanted) found++;
      return found;
    },
    closedEarly: () => closedEarly,
    bytes: () => everUsed * 74 + Math.min(everUsed * 4_096, index.bytes) + texts.bytes(),
  };
}

/**
 * From a visitor id to its slot: open addressing over slot numbers, at most half full. The id's low bits are as
 * random as SHA-256, so they are the hash.
 */
function openIndex(capacity: number, idLo: Uint32Array) {
  const size = 2 ** Math.ceil(Math.log2(Math.max(8, capacity * 2)));
  const mask = size - 1;
  // Slot + 1, so that the zero pages of a fresh array mean "empty".
  const table = new Uint32Array(size);
  const home = (slot: number) => (idLo[slot] as number) & mask;
  return {
    bytes: size * 4,
    first: (lo: number) => lo & mask,
    next: (at: number) => (at + 1) & mask,
    slotAt: (at: number) => (table[at] as number) - 1,
    add(slot: number) {
      let at = home(slot);
      while (table[at] !== 0) at = (at + 1) & mask;
      table[at] = slot + 1;
    },
    remove(slot: number) {
      let hole = home(slot);
      while (table[hole] !== slot + 1) hole = (hole + 1) & mask;
      let next = (hole + 1) & mask;
      while (table[next] !== 0) {
        const wanted = home((table[next] as number) - 1);
        if (((next - wanted) & mask) >= ((next - hole) & mask)) {
          table[hole] = table[next] as number;
          hole = next;
        }
        next = (next + 1) & mask;
      }
      table[hole] = 0;
    },
  };
}

/**
 * What a kept text costs beside its characters: the map's entry, the string's header, its places in two arrays.
 * Measured at 100,000 texts of 120 characters: 254 bytes each.
 */
const textOverheadBytes = 140;

/** Each distinct text once, with the number of its users. */
function openTexts() {
  const numbers = new Map<string, number>();
  const texts: string[] = [];
  const users: number[] = [];
  const free: number[] = [];
  let bytes = 0;
  // A text with a character beyond Latin-1 takes two bytes for each; counting the worse case keeps the promise.
  const cost = (text: string) => text.length * (/^[\0-\xff]*$/.test(text) ? 1 : 2) + textOverheadBytes;
  return {
    keep(text: string): number {
      const known = numbers.get(text);
      if (known !== undefined) {
        users[known] = (users[known] as number) + 1;
        return known;
      }
      const number = free.pop() ?? texts.length;
      texts[number] = text;
      users[number] = 1;
      numbers.set(text, number);
      bytes += cost(text);
      return number;
    },
    release(number: number): void {
      const left = (users[number] as number) - 1;
      users[number] = left;
      if (left > 0) return;
      const text = texts[number] as string;
      numbers.delete(text);
      texts[number] = '';
      free.push(number);
      bytes -= cost(text);
    },
    read: (number: number) => texts[number] as string,
    bytes: () => bytes,
  };
}
