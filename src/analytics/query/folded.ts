import { keySeparator, type SumRow, type Sums } from './sums.ts';

/**
 * Sums of a list as two texts: a tenth of the memory that its rows take as objects (an entry of the map, three objects and a
 * text for each), and nothing that a collection of the heap has to walk through.
 */
export interface Folded {
  readonly size: number;
  /** How many keys each row has. */
  readonly width: number;
  /** A row's counts, all 0: copied for each row, since objects that are made alike are read and added up in half the time. */
  readonly counts: SumRow['counts'];
  /** Row after row: the length of each key, the counts, and the length of what it earned; seven bits a character. */
  readonly numbers: string;
  /** Row after row: the keys, and what it earned where that is not nothing. */
  readonly texts: string;
}

/** @returns undefined where a count is no whole number or rows differ in how many keys they have: such a list is not kept */
export function fold(sums: Sums): Folded | undefined {
  const [first] = sums.values();
  const width = first?.keys.length ?? 0;
  const counts = { ...first?.counts };
  for (const row of sums.values()) Object.assign(counts, row.counts);
  const atoms = atomsOf(counts);
  for (const atom of atoms) counts[atom] = 0;
  const texts: string[] = [];
  const numbers = openNumbers();
  const add = (text: string) => {
    numbers.add(text.length);
    if (text !== '') texts.push(text);
  };
  for (const row of sums.values()) {
    if (row.keys.length !== width) return undefined;
    for (const key of row.keys) add(key);
    for (const atom of atoms) {
      const count = row.counts[atom] ?? 0;
      if (!Number.isSafeInteger(count) || count < 0) return undefined;
      numbers.add(count);
    }
    add(row.revenue === 0n ? '' : String(row.revenue));
  }
  return { size: sums.size, width, counts, numbers: numbers.text(), texts: texts.join('') };
}

/** The rows again. */
export function unfold({ size, width, counts, numbers, texts }: Folded): Sums {
  const sums = new Map<string, SumRow>();
  const atoms = atomsOf(counts);
  let at = 0;
  let from = 0;
  function number(): number {
    let code = numbers.charCodeAt(at++);
    let value = code & 127;
    for (let scale = 128; code >= 128; scale *= 128) {
      code = numbers.charCodeAt(at++);
      value += (code & 127) * scale;
    }
    return value;
  }
  function text(): string {
    const start = from;
    from += number();
    return texts.slice(start, from);
  }
  for (let row = 0; row < size; row++) {
    const keys: string[] = [];
    for (let key = 0; key < width; key++) keys.push(text());
    const own = { ...counts };
    for (const atom of atoms) own[atom] = number();
    const earned = text();
    const name = keys.length === 1 ? (keys[0] as string) : keys.join(keySeparator);
    sums.set(name, { keys, counts: own, revenue: earned === '' ? 0n : BigInt(earned) });
  }
  return sums;
}

/** What it takes of the heap: a character is one byte where all of its text are below U+0100, else two. */
export function bytesOf({ numbers, texts }: Folded): number {
  return objectBytes + numbers.length + texts.length * (/[^\0-\u00ff]/.test(texts) ? 2 : 1);
}

/** Two objects, and the heads of two texts. */
const objectBytes = 250;

function atomsOf(counts: SumRow['counts']) {
  return Object.keys(counts) as (keyof SumRow['counts'])[];
}

/**
 * Where numbers are written, list after list: thousands of small buffers, which go when the heap is collected, would leave their
 * holes in the C library's.
 */
let bytes = Buffer.allocUnsafeSlow(64 * 1024);
/** A larger one is mapped by itself (scripts/run.cjs), and so is gone with its list. */
const keptBytesMax = 256 * 1024;

/** Whole numbers from 0 to 2^53, written one after another; one list at a time. */
function openNumbers() {
  let used = 0;
  return {
    add(number: number): void {
      if (used + numberBytesMax > bytes.length) {
        const larger = Buffer.allocUnsafeSlow(2 * bytes.length);
        bytes.copy(larger);
        bytes = larger;
      }
      let rest = number;
      for (; rest > 127; rest = Math.floor(rest / 128)) bytes[used++] = (rest % 128) | 128;
      bytes[used++] = rest;
    },
    text(): string {
      const text = bytes.toString('latin1', 0, used);
      if (bytes.length > keptBytesMax) bytes = Buffer.allocUnsafeSlow(keptBytesMax / 4);
      return text;
    },
  };
}

/** Eight times seven bits hold 2^53. */
const numberBytesMax = 8;
