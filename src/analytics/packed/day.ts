import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { bytesOfDay, numbersOfDay } from './rows.ts';

/** What of a visit lies in a packed day; the columns of `visits` by the same names. */
export const visitColumns = [
  'source',
  'channel',
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'country',
  'device',
  'browser',
  'os',
  'entry_page',
  'exit_page',
] as const;
export type VisitColumn = (typeof visitColumns)[number];

/** What of an event does; `props` is the JSON of all its properties, '' without any. */
export const eventColumns = ['name', 'pathname', 'props'] as const;
export type EventColumn = (typeof eventColumns)[number];

/** The name of an event that says how far and how long a page was read. */
export const engagement = 'engagement';

export type Codes = Uint8Array | Uint16Array | Uint32Array;

/** A column of texts as numbers into the list of those that it has. */
export interface Coded<C extends Codes = Codes> {
  readonly values: readonly string[];
  readonly codes: C;
}

/**
 * One closed day of identity of a site: its visits in the order of their visitors, and their events side by side. Visitors
 * and visits are numbers of the day; no id is in it.
 */
export interface PackedDay<C extends Codes = Codes> {
  readonly visits: number;
  readonly events: number;
  /** The visitor of each visit; ascending from 0. */
  readonly visitor: Uint32Array;
  /** The first event of each visit, and at the end the number of all events. */
  readonly firstEvent: Uint32Array;
  /** 0 = a detached event, which is nobody's visit. */
  readonly counted: Uint8Array;
  readonly bounced: Uint8Array;
  /** The quarter of an hour of each event, counted from the start of the UTC day; local days and hours begin at one. */
  quarter(): C;
  /** Whole seconds from the first to the last event. */
  seconds(): Uint32Array;
  ofVisit(column: VisitColumn): Coded<C>;
  ofEvent(column: EventColumn): Coded<C>;
  /** What events of engagement say. Of a visit's events they are the last, and here they lie in the same order. */
  read(): Read<C>;
  /** Events with revenue: which, how much in thousandths, in what currency. */
  earned(): Earned<C>;
}

export interface Read<C extends Codes = Codes> {
  /** The first of each visit, and at the end the number of all. */
  readonly first: Uint32Array;
  /** Per cent of the page, above 100 = not said. */
  readonly depth: C;
  /** Milliseconds. */
  readonly attention: C;
}

export interface Earned<C extends Codes = Codes> {
  readonly event: Uint32Array;
  readonly amount: BigInt64Array;
  readonly currency: Coded<C>;
}

/**
 * A day as it is counted: unpacked piece by piece, each when it is first asked for. All codes have 32 bits here,
 * whatever they take in the file: a loop over arrays of one kind takes half the time of one over three.
 */
export interface OpenDay extends PackedDay<Uint32Array> {
  /** The visit of each event. */
  visitOf(): Uint32Array;
  /** The quarter in which each visit began. */
  beganIn(): Uint32Array;
}

const mark = 'packed day 2';
const kinds = { Uint8Array, Uint16Array, Uint32Array, BigInt64Array } as const;
type Kind = keyof typeof kinds;
export type Numbers = Codes | BigInt64Array;

/** What a file begins with, behind four bytes that say how long it is. */
export interface Head {
  mark: string;
  visits: number;
  events: number;
  /** Where each lies behind the head, and how long it is unpacked. */
  sections: { [name: string]: { kind: Kind | 'texts'; from: number; bytes: number; unpacked: number } };
  /** Short lists of texts; each long one is a section, as JSON. */
  texts: { [column: string]: readonly string[] };
}

/** To unpack a section takes longer than to read so many texts along with the head. */
const textsInHead = 500;

/** Texts as lists in JSON, one a line: what is read as one text of above 128 KB costs the runtime a mapping of memory. */
function textLines(texts: readonly string[]): Buffer {
  const lines: string[] = [];
  for (let from = 0; from < texts.length; from += textsInLine)
    lines.push(JSON.stringify(texts.slice(from, from + textsInLine)));
  return Buffer.from(lines.join('\n'));
}
const textsInLine = 1_000;

function textsIn(lines: Buffer): string[] {
  const texts: string[] = [];
  for (let from = 0; from < lines.length; ) {
    const end = lines.indexOf(10, from);
    const to = end < 0 ? lines.length : end;
    for (const text of JSON.parse(lines.toString('utf8', from, to)) as string[]) texts.push(text);
    from = to + 1;
  }
  return texts;
}

/** The smallest numbers that hold all of them. */
export function codesOf(numbers: readonly number[] | Uint32Array): Codes {
  let largest = 0;
  for (const number of numbers) if (number > largest) largest = number;
  return largest < 0x100
    ? Uint8Array.from(numbers)
    : largest < 0x10000
      ? Uint16Array.from(numbers)
      : Uint32Array.from(numbers);
}

/** A file: a head, then each section packed by itself, so that a question unpacks only what it asks about. */
export function encodeDay(day: PackedDay): Buffer {
  const { visits, events } = day;
  const flags = new Uint8Array(visits);
  const eventsOf = new Uint32Array(visits);
  const readsOf = new Uint32Array(visits);
  const { first, depth, attention } = day.read();
  for (let visit = 0; visit < visits; visit++) {
    const isNew = visit === 0 || day.visitor[visit] !== day.visitor[visit - 1];
    flags[visit] = (isNew ? 1 : 0) | ((day.counted[visit] as number) << 1) | ((day.bounced[visit] as number) << 2);
    eventsOf[visit] = (day.firstEvent[visit + 1] as number) - (day.firstEvent[visit] as number);
    readsOf[visit] = (first[visit + 1] as number) - (first[visit] as number);
  }
  const { event, amount, currency } = day.earned();
  const head: Head = { mark, visits, events, sections: {}, texts: {} };
  const pieces: Buffer[] = [];
  let at = 0;
  const write = (name: string, kind: Kind | 'texts', bytes: Buffer) => {
    const packed = zstdCompressSync(bytes, {
      params: { [constants.ZSTD_c_compressionLevel]: 6, [constants.ZSTD_c_checksumFlag]: 1 },
    });
    head.sections[name] = { kind, from: at, bytes: packed.length, unpacked: bytes.length };
    at += packed.length;
    pieces.push(packed);
  };
  const numbers = (name: string, section: Numbers) =>
    write(name, section.constructor.name as Kind, Buffer.from(section.buffer, section.byteOffset, section.byteLength));
  const coded = (name: string, { values, codes }: Coded) => {
    numbers(name, codes);
    if (values.length <= textsInHead) head.texts[name] = values;
    else write(`${name} texts`, 'texts', textLines(values));
  };
  numbers('flags', flags);
  numbers('events', codesOf(eventsOf));
  numbers('quarter', day.quarter());
  numbers('seconds', codesOf(day.seconds()));
  for (const name of visitColumns) coded(name, day.ofVisit(name));
  for (const name of eventColumns) coded(name, day.ofEvent(name));
  numbers('reads', codesOf(readsOf));
  numbers('depth', depth);
  numbers('attention', attention);
  numbers('earned', event);
  numbers('amount', amount);
  coded('currency', currency);
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...pieces]);
}

/** A file whose head was read; its sections are unpacked when they are asked for. */
export interface DayFile {
  readonly head: Head;
  /** A section as the file has it. @throws when it has none of this name, or a damaged one */
  section(name: string): Numbers | readonly string[];
}

/**
 * @param file good until the next file is read
 * @throws when the bytes are not those of a packed day
 */
export function readDayFile(file: Buffer): DayFile {
  const headEnd = 4 + file.readUInt32LE(0);
  const head = JSON.parse(file.toString('utf8', 4, headEnd)) as Head;
  if (head.mark !== mark) throw new Error('This is no packed day that this version reads.');
  return {
    head,
    section(name) {
      const section = head.sections[name];
      if (section === undefined) throw new Error(`A packed day has no section "${name}".`);
      const from = headEnd + section.from;
      const packed = file.subarray(from, from + section.bytes);
      // In one piece: in several it would be put together by a copy of all, and one that is filled to its end is followed by another.
      const bytes = zstdDecompressSync(packed, { chunkSize: section.unpacked + spareBytes });
      if (section.kind === 'texts') {
        const texts = textsIn(bytes);
        giveBack(bytes);
        return texts;
      }
      const Kind = kinds[section.kind];
      // Numbers can only be laid over memory that begins at a multiple of their size.
      const own = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
      return new Kind(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength / Kind.BYTES_PER_ELEMENT);
    },
  };
}

/**
 * Ends the memory of what was unpacked, at once: left to the next collection, tens of megabytes of it wait between other
 * pieces of a heap that does not shrink again. Small pieces share theirs with others and stay.
 */
export function giveBack({ buffer, byteLength }: ArrayBufferView<ArrayBufferLike>): void {
  const isItsOwn = buffer.byteLength > Buffer.poolSize && buffer.byteLength - byteLength <= spareBytes;
  if (buffer instanceof ArrayBuffer && isItsOwn) buffer.transfer(0);
}
const spareBytes = 64;

/** @throws when the bytes are not those of a packed day; its functions do when a section is damaged */
export const decodeDay = (file: Buffer): OpenDay => openDay(readDayFile(file));

/** What it gives is good until the day ends (rows.ts). */
export function openDay({ head: { visits, events, texts }, section }: DayFile): OpenDay {
  const numbers = <N extends Numbers>(name: string) => section(name) as N;
  const codes = (name: string): Uint32Array => {
    const own = numbers<Codes>(name);
    if (own instanceof Uint32Array) return own;
    const wide = numbersOfDay(own.length);
    wide.set(own);
    return wide;
  };
  const known = new Map<string, Coded<Uint32Array>>();
  const coded = (name: string): Coded<Uint32Array> => {
    const column = known.get(name) ?? {
      values: texts[name] ?? (section(`${name} texts`) as readonly string[]),
      codes: codes(name),
    };
    known.set(name, column);
    return column;
  };
  const flags = numbers<Uint8Array>('flags');
  const eventsOf = codes('events');
  const visitor = numbersOfDay(visits);
  const firstEvent = numbersOfDay(visits + 1);
  firstEvent[0] = 0;
  const counted = bytesOfDay(visits);
  const bounced = bytesOfDay(visits);
  let number = -1;
  let first = 0;
  for (let visit = 0; visit < visits; visit++) {
    const flag = flags[visit] as number;
    number += flag & 1;
    visitor[visit] = number;
    counted[visit] = (flag >> 1) & 1;
    bounced[visit] = (flag >> 2) & 1;
    first += eventsOf[visit] as number;
    firstEvent[visit + 1] = first;
  }
  const quarter = once(() => codes('quarter'));
  const visitOf = once(() => visitsOfEvents(firstEvent));
  return {
    ...{ visits, events, visitor, firstEvent, counted, bounced, quarter, visitOf },
    beganIn: once(() => firstQuarters(visits, visitOf(), quarter())),
    seconds: once(() => codes('seconds')),
    ofVisit: coded,
    ofEvent: coded,
    read: once(() => ({ first: firstsOf(codes('reads')), depth: codes('depth'), attention: codes('attention') })),
    earned: once(() => ({
      event: numbers<Uint32Array>('earned'),
      amount: numbers<BigInt64Array>('amount'),
      currency: coded('currency'),
    })),
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** @param counts how many each owner has */
function firstsOf(counts: Uint32Array): Uint32Array {
  const firsts = numbersOfDay(counts.length + 1);
  let first = 0;
  for (let owner = 0; owner < counts.length; owner++) {
    firsts[owner] = first;
    first += counts[owner] as number;
  }
  firsts[counts.length] = first;
  return firsts;
}

/** The earliest quarter of each visit's events; they lie in any order. */
function firstQuarters(visits: number, visitOf: Uint32Array, quarter: Uint32Array): Uint32Array {
  const began = numbersOfDay(visits).fill(255);
  for (let event = 0; event < visitOf.length; event++) {
    const visit = visitOf[event] as number;
    const own = quarter[event] as number;
    if (own < (began[visit] as number)) began[visit] = own;
  }
  return began;
}

/** @param firstEvent see `PackedDay` */
function visitsOfEvents(firstEvent: Uint32Array): Uint32Array {
  const visitOf = numbersOfDay(firstEvent.at(-1) ?? 0).fill(0);
  for (let visit = 1; visit + 1 < firstEvent.length; visit++) {
    const event = firstEvent[visit] as number;
    if (event < visitOf.length) visitOf[event] = (visitOf[event] as number) + 1;
  }
  let visit = 0;
  for (let event = 0; event < visitOf.length; event++) {
    visit += visitOf[event] as number;
    visitOf[event] = visit;
  }
  return visitOf;
}
