import { setImmediate as breath } from 'node:timers/promises';
import { type Block, numbersIn, type Scratch } from '../../platform/warehouse/index.ts';
import type { Atom } from '../facts.ts';
import type { Numbered } from './pass.ts';
import type { Range } from './range.ts';
import type { SumRow, Sums } from './sums.ts';
import type { RowLayout } from './visits_parts.ts';

/**
 * Counts visits by the million from their columns: what the engine hands over of them lies in the order of its key, where
 * the visits of one visitor are side by side. A visitor is then new to a row of a list when the last one that the row has
 * seen was another, and no set of ids has to be made, which is what the engine's time went into.
 */
export interface VisitCounter {
  /** Takes the rows of some days; each visit of a visitor and day has to be among them, or none. */
  add(blocks: Iterable<Block>): Promise<void>;
  /** What each list has come to. */
  sums(): Sums[];
}

export interface Counted {
  member: Numbered;
  atoms: readonly Atom[];
  range: Range;
  /** Of visits in several steps, by id: the starts of those in which they count. Absent: in each of them. */
  countsIn?: ReadonlyMap<string, ReadonlySet<number>>;
}

/** The rows are not as they have to be: somebody else has to count them. */
export class NotCountable extends Error {}

export function openVisitCounter(lists: readonly Counted[], layout: RowLayout): VisitCounter {
  const counters = lists.map((list, at) => openListCounter(list, layout.keyOfList[at] ?? -1));
  const readers = new Map<number, Scratch>();
  const last: Place = { day: -1, high: 0, low: 0 };
  let serial = 0;

  /** Columns are read one block after another into the same memory: to give it back took longer than to count. */
  function numbersOf({ columns }: Block, at: number): Uint32Array {
    const column = columns[at];
    if (column?.kind !== 'numbers') throw new TypeError('A column is not of numbers.');
    return numbersIn(column, scratchFor(at));
  }

  function scratchFor(at: number): Scratch {
    const scratch = readers.get(at) ?? { buffer: new ArrayBuffer(0) };
    readers.set(at, scratch);
    return scratch;
  }

  function firstPlace({ columns }: Block): Place {
    const numberAt = (at: number, count: number, which: number) => {
      const column = columns[at];
      if (column?.kind !== 'numbers') return 0;
      const bytes = column.bytes.subarray(0, count * column.width);
      return numbersIn({ width: column.width, count, bytes }, { buffer: new ArrayBuffer(0) })[which] ?? 0;
    };
    return {
      day: numberAt(layout.day, 1, 0),
      high: numberAt(layout.visitor, 2, 1),
      low: numberAt(layout.visitor, 2, 0),
    };
  }

  function addBlock(block: Block): void {
    const { rows } = block;
    const optional = (at: number) => (at < 0 ? undefined : numbersOf(block, at));
    const days = numbersOf(block, layout.day);
    if (numbersOf(block, layout.odd).includes(1))
      throw new NotCountable('A visit has ids of another day than its own.');
    const serials = new Uint32Array(serialScratch.buffer, 0, rows);
    if (layout.visitor >= 0) serial = putSerials(serials, days, numbersOf(block, layout.visitor), last, serial);
    const facts: Facts = {
      ...{ rows, days, serials },
      ids: optional(layout.visit),
      own: optional(layout.own),
      bounced: optional(layout.bounced),
      seconds: optional(layout.seconds),
      from: optional(layout.from),
      to: optional(layout.to),
      pageviews: optional(layout.pageviews),
      events: optional(layout.events),
    };
    counters.forEach((counter, at) => {
      const keyAt = layout.keyOfList[at] ?? -1;
      const key = block.columns[keyAt];
      if (keyAt >= 0 && key?.kind !== 'texts') throw new TypeError('A key came as no text.');
      const texts = key?.kind === 'texts' ? { texts: key.texts, at: numbersIn(key.at, scratchFor(keyAt)) } : undefined;
      counter.add(facts, texts);
    });
  }

  const serialScratch = { buffer: new ArrayBuffer(0) };

  return {
    async add(blocks) {
      // Rows lie in order within a block; the blocks come as the engine's threads had them ready.
      const ordered = [...blocks]
        .map((block) => ({ block, place: firstPlace(block) }))
        .sort((a, b) => byPlace(a.place, b.place));
      last.day = -1;
      for (const { block } of ordered) {
        if (serialScratch.buffer.byteLength < 4 * block.rows) serialScratch.buffer = new ArrayBuffer(4 * block.rows);
        addBlock(block);
        // A block takes a millisecond or two, and others are waiting for the thread.
        await breath();
      }
    },
    sums: () => counters.map((counter) => counter.sums()),
  };
}

interface Place {
  day: number;
  /** Halves of the visitor's id. */
  high: number;
  low: number;
}

function byPlace(a: Place, b: Place): number {
  return a.day - b.day || a.high - b.high || a.low - b.low;
}

/** What visits say, a number for each row of a block. */
interface Facts {
  rows: number;
  days: Uint32Array;
  /** Another number than that of the row before where the visitor or the day is another. */
  serials: Uint32Array;
  ids: Uint32Array | undefined;
  own: Uint32Array | undefined;
  bounced: Uint32Array | undefined;
  seconds: Uint32Array | undefined;
  from: Uint32Array | undefined;
  to: Uint32Array | undefined;
  pageviews: Uint32Array | undefined;
  events: Uint32Array | undefined;
}

/** @returns the last number that was given */
function putSerials(serials: Uint32Array, days: Uint32Array, ids: Uint32Array, last: Place, from: number): number {
  let { day, high, low } = last;
  let serial = from;
  for (let row = 0; row < serials.length; row++) {
    const nextDay = days[row] as number;
    const nextHigh = ids[2 * row + 1] as number;
    const nextLow = ids[2 * row] as number;
    if (nextLow !== low || nextHigh !== high || nextDay !== day) {
      if (nextDay < day || (nextDay === day && (nextHigh < high || (nextHigh === high && nextLow < low))))
        throw new NotCountable('Visits came in another order than that of their key.');
      serial += 1;
      day = nextDay;
      high = nextHigh;
      low = nextLow;
    }
    serials[row] = serial;
  }
  last.day = day;
  last.high = high;
  last.low = low;
  return serial;
}

function openListCounter({ member, atoms, range, countsIn }: Counted, keyColumn: number) {
  /** What has been found of each number, by row. */
  const found: Partial<Record<Atom, Float64Array>> = {};
  for (const atom of atoms) found[atom] = new Float64Array(64);
  let lastSerial = new Uint32Array(64);
  let keys = new Uint32Array(0);
  let ownScratch = new Uint32Array(0);
  const names: string[] = [];
  const known = new Map<string, number>();
  const steps = stepsOf(member, range);
  if (steps.kind === 'times') for (const start of steps.starts) numberOf(String(start));
  if (steps.kind === 'none' && keyColumn < 0) numberOf('');

  function numberOf(name: string): number {
    let number = known.get(name);
    if (number === undefined) {
      number = names.push(name) - 1;
      known.set(name, number);
    }
    return number;
  }

  function grow(): void {
    if (names.length <= lastSerial.length) return;
    const length = 2 * names.length;
    lastSerial = longer(lastSerial, new Uint32Array(length));
    for (const atom of atoms) found[atom] = longer(found[atom] ?? new Float64Array(0), new Float64Array(length));
  }

  /** The row of the list that each visit is in: by its beginning, where there are several. */
  function putKeys(
    { rows, days, from }: Facts,
    texts: { texts: readonly string[]; at: Uint32Array } | undefined,
  ): void {
    if (keys.length < rows) keys = new Uint32Array(rows);
    if (texts !== undefined) {
      putNumbers(keys, texts.at, Uint32Array.from(texts.texts, numberOf));
    } else if (steps.kind === 'days') {
      const numberOfDay = new Map<number, number>();
      for (let row = 0; row < rows; row++) {
        const day = days[row] as number;
        let number = numberOfDay.get(day);
        if (number === undefined) {
          number = numberOf(String(Math.floor((steps.stepOfDay.get(day) ?? 0) / 1000)));
          numberOfDay.set(day, number);
        }
        keys[row] = number;
      }
    } else if (steps.kind === 'times' && from !== undefined) putSteps(keys, from, rows, steps.starts, steps.last);
  }

  function add(facts: Facts, texts: { texts: readonly string[]; at: Uint32Array } | undefined): void {
    putKeys(facts, texts);
    grow();
    const { rows, bounced, seconds } = facts;
    const own = ownOf(facts);
    const { visitors, visits, bounces, duration } = found;
    if (visitors !== undefined)
      if (steps.kind === 'times' && facts.to !== undefined) addPresent(visitors, facts, facts.to);
      else addNew(visitors, lastSerial, keys, facts.serials, rows);
    if (own !== undefined)
      if (visits !== undefined && bounces !== undefined && duration !== undefined)
        addVisits({ visits, bounces, duration }, keys, own, bounced ?? own, seconds ?? own, rows);
      else {
        if (visits !== undefined) addAll(visits, keys, own, rows);
        if (bounces !== undefined) addBoth(bounces, keys, own, bounced ?? own, rows);
        if (duration !== undefined) addUnless(duration, keys, seconds ?? own, own, bounced ?? own, rows);
      }
    if (found.pageviews !== undefined && facts.pageviews !== undefined)
      addAll(found.pageviews, keys, facts.pageviews, rows);
    if (found.events !== undefined && facts.events !== undefined) addAll(found.events, keys, facts.events, rows);
  }

  /** Is it a visit of the step that it began in? */
  function ownOf({ rows, own, to, ids }: Facts): Uint32Array | undefined {
    if (countsIn === undefined || steps.kind !== 'times' || own === undefined || to === undefined) return own;
    if (ownScratch.length < rows) ownScratch = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) {
      const key = keys[row] as number;
      const counted = !isInSeveral(key, to[row] as number) || isCountedIn(ids, row, key);
      ownScratch[row] = counted ? (own[row] as number) : 0;
    }
    return ownScratch;
  }

  function isInSeveral(step: number, to: number): boolean {
    return steps.kind === 'times' && step < steps.last && (steps.starts[step + 1] as number) <= to;
  }

  function isCountedIn(ids: Uint32Array | undefined, row: number, step: number): boolean {
    if (countsIn === undefined || steps.kind !== 'times' || ids === undefined) return true;
    const id = (BigInt(ids[2 * row + 1] as number) << 32n) | BigInt(ids[2 * row] as number);
    return countsIn.get(String(id))?.has(steps.starts[step] as number) === true;
  }

  /** By presence: a visit that goes on into further steps makes its visitor one of theirs too. */
  function addPresent(visitors: Float64Array, { rows, serials, ids }: Facts, to: Uint32Array): void {
    if (steps.kind !== 'times') return;
    for (let row = 0; row < rows; row++) {
      const serial = serials[row] as number;
      const first = keys[row] as number;
      const several = isInSeveral(first, to[row] as number);
      for (let step = first; step <= steps.last; step++) {
        if (several && (steps.starts[step] as number) > (to[row] as number)) break;
        if (lastSerial[step] !== serial && (!several || isCountedIn(ids, row, step))) {
          lastSerial[step] = serial;
          visitors[step] = (visitors[step] as number) + 1;
        }
        if (!several) break;
      }
    }
  }

  function sums(): Sums {
    const zeros = Object.fromEntries(member.list.atoms.flatMap((atom) => (atom === 'revenue' ? [] : [[atom, 0]])));
    return new Map(
      names.map((name, at): [string, SumRow] => {
        const counts = { ...zeros };
        for (const atom of atoms) counts[atom] = found[atom]?.[at] ?? 0;
        return [name, { keys: member.list.dimensions.length === 0 ? [] : [name], counts, revenue: 0n }];
      }),
    );
  }

  return { add, sums };
}

// Loops of their own, each over arrays of one kind: the runtime then compiles them to what they look like.

function putNumbers(keys: Uint32Array, at: Uint32Array, numbers: Uint32Array): void {
  for (let row = 0; row < at.length; row++) keys[row] = numbers[at[row] as number] as number;
}

/** The step that each instant is in; the first one for instants before the range. */
function putSteps(keys: Uint32Array, seconds: Uint32Array, rows: number, starts: Float64Array, last: number): void {
  // Visits that lie side by side are of one day: their steps are near each other.
  let near = 0;
  for (let row = 0; row < rows; row++) {
    const at = seconds[row] as number;
    while (near > 0 && (starts[near] as number) > at) near--;
    while (near < last && (starts[near + 1] as number) <= at) near++;
    keys[row] = near;
  }
}

function addNew(
  found: Float64Array,
  lastSerial: Uint32Array,
  keys: Uint32Array,
  serials: Uint32Array,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    const key = keys[row] as number;
    const serial = serials[row] as number;
    if (lastSerial[key] === serial) continue;
    lastSerial[key] = serial;
    found[key] = (found[key] as number) + 1;
  }
}

function addAll(found: Float64Array, keys: Uint32Array, values: Uint32Array, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const key = keys[row] as number;
    found[key] = (found[key] as number) + (values[row] as number);
  }
}

/** The three at once: what a visit is, is looked up one time. */
function addVisits(
  { visits, bounces, duration }: Record<'visits' | 'bounces' | 'duration', Float64Array>,
  keys: Uint32Array,
  own: Uint32Array,
  bounced: Uint32Array,
  seconds: Uint32Array,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (own[row] === 0) continue;
    const key = keys[row] as number;
    visits[key] = (visits[key] as number) + 1;
    if (bounced[row] === 0) duration[key] = (duration[key] as number) + (seconds[row] as number);
    else bounces[key] = (bounces[key] as number) + 1;
  }
}

function addBoth(found: Float64Array, keys: Uint32Array, one: Uint32Array, other: Uint32Array, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const key = keys[row] as number;
    found[key] = (found[key] as number) + ((one[row] as number) & (other[row] as number));
  }
}

function addUnless(
  found: Float64Array,
  keys: Uint32Array,
  values: Uint32Array,
  own: Uint32Array,
  not: Uint32Array,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    if (own[row] === 0 || not[row] !== 0) continue;
    const key = keys[row] as number;
    found[key] = (found[key] as number) + (values[row] as number);
  }
}

function longer<T extends Uint32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

type ListSteps =
  | { kind: 'none' }
  | { kind: 'days'; stepOfDay: ReadonlyMap<number, number> }
  /** Starts in seconds; the range's own beginning and end cut the first and the last. */
  | { kind: 'times'; starts: Float64Array; last: number };

function stepsOf({ list: { dimensions, buckets }, stepOfDay }: Numbered, range: Range): ListSteps {
  if (dimensions[0]?.kind !== 'time') return { kind: 'none' };
  if (stepOfDay !== undefined) return { kind: 'days', stepOfDay };
  const starts = Float64Array.from(buckets ?? [], (bucket) => Math.floor(bucket.from / 1000));
  const end = Math.floor((range.to - 1) / 1000);
  return { kind: 'times', starts, last: starts.findLastIndex((start) => start <= end) };
}
