const lineBreak = 10;

/** Calls `each` with the bounds of every row that is not blank, in order; `end` excludes the line break. */
export function forEachRow(bytes: Buffer, each: (start: number, end: number) => void): void {
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(lineBreak, start);
    const end = found === -1 ? bytes.length : found;
    if (end > start) each(start, end);
    start = end + 1;
  }
}

/** Where each row begins, with the end of the last one behind it: row `n` is `bytes[starts[n] … starts[n + 1])`. */
export function rowStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  forEachRow(bytes, (start) => starts.push(start));
  starts.push(bytes.length);
  return starts;
}

/**
 * How much of a file that was being written when the process or the machine died is whole rows: up to the end of
 * the last row that has its line break and parses, and never past a zero byte. What was acknowledged was synced, so
 * it is never behind that point; only the unacknowledged tail can be torn, or hold the zeros of a page that a power
 * loss kept from the disk between two that it did not.
 */
export function wholeRowsLength(file: Buffer): number {
  const zeros = file.indexOf(0);
  const bytes = zeros < 0 ? file : file.subarray(0, zeros);
  let end = bytes.lastIndexOf(lineBreak) + 1;
  while (end > 0) {
    const start = end < 2 ? 0 : bytes.lastIndexOf(lineBreak, end - 2) + 1;
    if (isRow(bytes.subarray(start, end - 1))) return end;
    end = start;
  }
  return 0;
}

/** How much of a file was ever written: everything but the zeros that it ends with, which are room that nobody used. */
export function writtenLength(file: Buffer): number {
  let end = file.length;
  while (end > 0 && file[end - 1] === 0) end--;
  return end;
}

function isRow(line: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
