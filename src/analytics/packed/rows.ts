/**
 * Lists of rows (visits or events as numbers of a day, ascending) and what is counted over them. Each loop is over arrays
 * of one kind and calls nothing: that is four to ten times as fast here as a function for each row.
 */

/**
 * Memory for the lists of the day that is being counted, used again for the next one. New memory for each list, which the
 * system first has to clear page by page, was a fifth of the time of a day.
 */
let memory = new ArrayBuffer(0);
let used = 0;
/** Bytes for which there was no room in this day. */
let missed = 0;
const memoryMax = 32 << 20;

/** The lists of the day before are done with: their memory is taken for others. */
export function endDay(): void {
  if (missed > 0 && memory.byteLength < memoryMax)
    memory = new ArrayBuffer(Math.min(memoryMax, Math.ceil((used + missed) * 1.25)));
  used = 0;
  missed = 0;
}

/** So many numbers, which may be anything at first; good until the day ends. */
export function numbersOfDay(count: number): Uint32Array<ArrayBuffer> {
  const bytes = count * Uint32Array.BYTES_PER_ELEMENT;
  if (used + bytes > memory.byteLength) {
    missed += bytes;
    return new Uint32Array(count);
  }
  const taken = new Uint32Array(memory, used, count);
  used += bytes;
  return taken;
}

/** The same of small numbers. */
export function bytesOfDay(count: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = numbersOfDay(Math.ceil(count / Uint32Array.BYTES_PER_ELEMENT));
  return new Uint8Array(buffer, byteOffset, count);
}

/** Sums, 0 at first; good until the day ends. */
export function sumsOfDay(count: number): Float64Array<ArrayBuffer> {
  const bytes = count * Float64Array.BYTES_PER_ELEMENT;
  const from = Math.ceil(used / Float64Array.BYTES_PER_ELEMENT) * Float64Array.BYTES_PER_ELEMENT;
  if (from + bytes > memory.byteLength) {
    missed += bytes;
    return new Float64Array(count);
  }
  used = from + bytes;
  return new Float64Array(memory, from, count).fill(0);
}

/** The first of them; the rest is free for others when it was taken last. */
function only(taken: Uint32Array, count: number): Uint32Array {
  if (taken.buffer === memory && taken.byteOffset + taken.byteLength === used)
    used -= (taken.length - count) * Uint32Array.BYTES_PER_ELEMENT;
  return taken.subarray(0, count);
}

/** All rows from 0 on. To be read only: it is the same memory each time. */
export function ascending(count: number): Uint32Array {
  if (numbers.length < count) {
    numbers = new Uint32Array(Math.ceil(count * 1.25));
    for (let row = 0; row < numbers.length; row++) numbers[row] = row;
  }
  return numbers.subarray(0, count);
}
let numbers = new Uint32Array(0);

/** Those whose code is marked with 1. */
export function lookedUp(rows: Uint32Array, codes: Uint32Array, ofCode: Uint8Array): Uint32Array {
  const kept = numbersOfDay(rows.length);
  let found = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    // Written always and kept if it passes: nothing that a processor could guess wrong.
    kept[found] = row;
    found += ofCode[codes[row] as number] as number;
  }
  return only(kept, found);
}

/** Those that are marked with 1. */
export const marked = (rows: Uint32Array, marks: Uint8Array): Uint32Array =>
  lookedUp(rows, ascending(marks.length), marks);

/** So many marks, with a 1 for each of some rows. */
export function marksOf(count: number, ...lists: readonly Uint32Array[]): Uint8Array {
  const marks = bytesOfDay(count).fill(0);
  for (const rows of lists) for (let at = 0; at < rows.length; at++) marks[rows[at] as number] = 1;
  return marks;
}

/** @param others some of the rows */
export function without(rows: Uint32Array, others: Uint32Array): Uint32Array {
  const kept = numbersOfDay(rows.length - others.length);
  let found = 0;
  let other = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    if (other < others.length && others[other] === row) other++;
    else kept[found++] = row;
  }
  return kept;
}

/** How many rows there are of each code; of all of them at 0 without codes. Adds to `into`. */
export function countByCode(rows: Uint32Array, codes: Uint32Array | undefined, into: Float64Array): void {
  if (codes === undefined) {
    into[0] = (into[0] as number) + rows.length;
    return;
  }
  for (let at = 0; at < rows.length; at++) {
    const code = codes[rows[at] as number] as number;
    into[code] = (into[code] as number) + 1;
  }
}

export function sumByCode(
  rows: Uint32Array,
  codes: Uint32Array | undefined,
  values: Uint32Array,
  into: Float64Array,
): void {
  if (codes === undefined) {
    let sum = 0;
    for (let at = 0; at < rows.length; at++) sum += values[rows[at] as number] as number;
    into[0] = (into[0] as number) + sum;
    return;
  }
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const code = codes[row] as number;
    into[code] = (into[code] as number) + (values[row] as number);
  }
}

/**
 * How many different owners the rows of each code have. An owner's rows lie side by side, so that one who is not the
 * last that a code has seen is new to it.
 * @param owners of each row, in the order of the rows
 */
export function countOwners(
  rows: Uint32Array,
  codes: Uint32Array | undefined,
  owners: Uint32Array,
  into: Float64Array,
): void {
  if (codes === undefined) {
    into[0] = (into[0] as number) + distinct(owners).length;
    return;
  }
  const lastOf = numbersOfDay(into.length).fill(nobody);
  for (let at = 0; at < rows.length; at++) {
    const code = codes[rows[at] as number] as number;
    const owner = owners[at] as number;
    if (lastOf[code] === owner) continue;
    lastOf[code] = owner;
    into[code] = (into[code] as number) + 1;
  }
}

/** No owner's number: a day has fewer. */
export const nobody = 0xffffffff;

/** Each owner once. @param owners the same ones side by side */
export function distinct(owners: Uint32Array): Uint32Array {
  const found = numbersOfDay(owners.length);
  let count = 0;
  let last = -1;
  for (let at = 0; at < owners.length; at++) {
    const owner = owners[at] as number;
    if (owner !== last) found[count++] = owner;
    last = owner;
  }
  return only(found, count);
}

/** The values at some places: what the visit of each event has, for one. */
export function valuesAt(values: Uint32Array, places: Uint32Array): Uint32Array {
  const found = numbersOfDay(places.length);
  for (let at = 0; at < found.length; at++) found[at] = values[places[at] as number] as number;
  return found;
}

/** Whose each row is. @param first where the rows of each owner begin, and at the end how many there are */
export function ownerOfEach(rows: Uint32Array, first: Uint32Array): Uint32Array {
  const owners = numbersOfDay(rows.length);
  let owner = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    while ((first[owner + 1] as number) <= row) owner++;
    owners[at] = owner;
  }
  return owners;
}

/** The same for one row. */
export function ownerAt(row: number, first: Uint32Array): number {
  let low = 0;
  let high = first.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((first[middle] as number) <= row) low = middle;
    else high = middle;
  }
  return low;
}

export function isAmong(rows: Uint32Array, wanted: number): boolean {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return rows[low] === wanted;
}
