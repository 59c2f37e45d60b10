/**
 * Reads what the engine writes as `Native`: blocks of whole columns, as they lie in its memory. Of a column of repeated
 * texts that is each text once and a number for each row, so that millions of rows can be counted without making a
 * text, or an object, of any of them.
 */
export interface Block {
  rows: number;
  columns: readonly Column[];
}

/**
 * Numbers are left as bytes, lowest first, where the answer has them: `numbersIn` makes an array of them, in memory that
 * may be used again for the next block. One of 64 bits is two of 32 (the lower half first).
 */
export type Column =
  | { kind: 'numbers'; width: 1 | 2 | 4; count: number; bytes: Uint8Array }
  | { kind: 'texts'; texts: readonly string[]; at: { width: 1 | 2 | 4; count: number; bytes: Uint8Array } };

/** Memory for one column after another. */
export interface Scratch {
  buffer: ArrayBuffer;
}

/** The numbers as 32 bits each, good until the scratch is used for others. */
export function numbersIn(
  { width, count, bytes }: Omit<Extract<Column, { kind: 'numbers' }>, 'kind'>,
  scratch: Scratch,
): Uint32Array {
  if (scratch.buffer.byteLength < 4 * count) scratch.buffer = new ArrayBuffer(4 * count + 4096);
  const numbers = new Uint32Array(scratch.buffer, 0, count);
  if (width === 4) new Uint8Array(scratch.buffer).set(bytes);
  else if (width === 2)
    for (let at = 0; at < count; at++) numbers[at] = (bytes[2 * at] as number) | ((bytes[2 * at + 1] as number) << 8);
  else for (let at = 0; at < count; at++) numbers[at] = bytes[at] as number;
  return numbers;
}

/** @throws TypeError for a type of column that nobody has needed yet, and for bytes that end early */
export function* readBlocks(bytes: Uint8Array): Generator<Block> {
  const reader = openReader(bytes);
  while (!reader.isAtEnd()) {
    const columnCount = reader.length();
    const rows = reader.length();
    const columns: Column[] = [];
    for (let number = 0; number < columnCount; number++) {
      reader.text();
      const type = plainType(reader.text());
      if (rows > 0) columns.push(columnOf(reader, type, rows));
    }
    if (rows > 0) yield { rows, columns };
  }
}

/** What a column that merges is stored as. */
function plainType(type: string): string {
  return /^SimpleAggregateFunction\([a-z]+, (.+)\)$/.exec(type)?.[1] ?? type;
}

type Reader = ReturnType<typeof openReader>;

function columnOf(reader: Reader, type: string, rows: number): Column {
  switch (type) {
    case 'UInt8':
    case 'Bool':
      return { kind: 'numbers', ...reader.numbers(1, rows) };
    case 'UInt16':
    case 'Date':
      return { kind: 'numbers', ...reader.numbers(2, rows) };
    case 'UInt32':
      return { kind: 'numbers', ...reader.numbers(4, rows) };
    case 'UInt64':
      return { kind: 'numbers', ...reader.numbers(4, 2 * rows) };
    case 'LowCardinality(String)':
      return repeatedTexts(reader, rows);
    default:
      throw new TypeError(`A column of ${type} cannot be read as a whole.`);
  }
}

/** Width of the numbers in the first byte; then, above it, whether the texts come with the block. */
const widths = [1, 2, 4] as const;
const comesWithTexts = 0x200;
const needsOtherTexts = 0x100;

function repeatedTexts(reader: Reader, rows: number): Column {
  reader.number64();
  const flags = reader.number64();
  const width = widths[flags & 0xff];
  if (width === undefined || (flags & comesWithTexts) === 0 || (flags & needsOtherTexts) !== 0)
    throw new TypeError('A column of repeated texts came in a form that is not known here.');
  const count = reader.number64();
  const texts = Array.from({ length: count }, () => reader.text());
  if (reader.number64() !== rows) throw new TypeError('A column has another length than its block.');
  return { kind: 'texts', texts, at: reader.numbers(width, rows) };
}

function openReader(bytes: Uint8Array) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let place = 0;

  function take(count: number): number {
    const from = place;
    place += count;
    if (place > buffer.length) throw new TypeError('An answer of the engine ends early.');
    return from;
  }

  /** Seven bits a byte, lowest first. */
  function length(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = buffer[take(1)] as number;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  return {
    isAtEnd: () => place >= buffer.length,
    length,
    text(): string {
      const count = length();
      const from = take(count);
      return buffer.toString('utf8', from, from + count);
    },
    /** A count or flags: far below what a number holds exactly. */
    number64(): number {
      const from = take(8);
      return buffer.readUInt32LE(from) + buffer.readUInt32LE(from + 4) * 2 ** 32;
    },
    numbers(width: 1 | 2 | 4, count: number) {
      const from = take(width * count);
      return { width, count, bytes: buffer.subarray(from, from + width * count) };
    },
  };
}
