import { importLimits } from './limits.ts';

/** A record of a table: its cells, or `undefined` where it was longer or had more cells than a record may. */
export interface Record {
  /** Line of the file on which it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[] | undefined;
}

/**
 * The records of a CSV file as RFC 4180 has them: quotes may hold commas, breaks and doubled quotes. A mark of the
 * byte order and the `\r` before a break are not part of any cell; empty lines are no records. A record that is too
 * long is passed over up to the next break, so that a file without breaks fills no memory.
 */
export async function* readRecords(
  bytes: AsyncIterable<Buffer>,
  charsMax: number = importLimits.lineCharsMax,
): AsyncGenerator<Record> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let line = 1;
  let skipping = false;
  for await (const piece of bytes) {
    rest += decoder.decode(piece, { stream: true });
    let from = 0;
    // The next quote, looked for once: asked anew for every record, a table without any would be read to its end each time.
    let quote = rest.indexOf('"');
    for (;;) {
      let end = rest.indexOf('\n', from);
      if (quote >= 0 && quote < from) quote = rest.indexOf('"', from);
      while (!skipping && end >= 0 && quote >= 0 && quote < end) {
        // Doubled quotes close and open again, which comes to the same.
        const close = rest.indexOf('"', quote + 1);
        if (close < 0 || close > end) end = close < 0 ? -1 : rest.indexOf('\n', close);
        if (end >= 0) quote = rest.indexOf('"', close + 1);
      }
      if (end < 0) break;
      const text = rest.slice(from, rest[end - 1] === '\r' && end > from ? end - 1 : end);
      if (!skipping && text !== '') yield recordOf(text, line, charsMax);
      skipping = false;
      line += breaksIn(text) + 1;
      from = end + 1;
    }
    rest = rest.slice(from);
    if (rest.length > charsMax) {
      if (!skipping) yield { line, cells: undefined };
      // A quote that never closes would swallow the file: what follows the next break is looked at again.
      const brk: number = skipping ? -1 : rest.indexOf('\n');
      skipping = brk < 0;
      rest = brk < 0 ? '' : rest.slice(brk + 1);
      if (brk >= 0) line++;
    }
  }
  rest += decoder.decode();
  if (rest !== '' && !skipping) yield recordOf(rest.endsWith('\r') ? rest.slice(0, -1) : rest, line, charsMax);
}

function breaksIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function recordOf(text: string, line: number, charsMax: number): Record {
  if (text.length > charsMax) return { line, cells: undefined };
  const cells = text.includes('"') ? quotedCells(text) : text.split(',');
  return { line, cells: cells.length > importLimits.columnsMax ? undefined : cells };
}

function quotedCells(text: string): string[] {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let cell = '';
      let from = at + 1;
      for (;;) {
        const close = text.indexOf('"', from);
        if (close < 0) {
          cell += text.slice(from);
          at = text.length;
          break;
        }
        cell += text.slice(from, close);
        at = close + 1;
        if (text[at] !== '"') break;
        cell += '"';
        from = at + 1;
      }
      const comma = text.indexOf(',', at);
      // What stands between a closing quote and the comma belongs to nobody; spreadsheets keep it with the cell.
      cells.push(cell + text.slice(at, comma < 0 ? undefined : comma));
      if (comma < 0) return cells;
      at = comma + 1;
    } else {
      const comma = text.indexOf(',', at);
      cells.push(text.slice(at, comma < 0 ? undefined : comma));
      if (comma < 0) return cells;
      at = comma + 1;
    }
  }
}

/** A whole number of at most 15 digits; fractions are rounded. Undefined when the cell is none; '' is 0. */
export function countIn(cell: string): number | undefined {
  const text = cell.trim();
  if (text === '') return 0;
  return /^\d{1,15}(\.\d+)?$/.test(text) ? Math.round(Number(text)) : undefined;
}

/** 'YYYY-MM-DD' or 'YYYYMMDD' as 'YYYY-MM-DD'; undefined when that is no day, or one from before there was a web. */
export function dayIn(cell: string): string | undefined {
  const [, year, month, day] = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(cell.trim()) ?? [];
  if (year === undefined) return undefined;
  const text = `${year}-${month}-${day}`;
  const ms = Date.parse(text);
  // 30 February is read as 1 March.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text || text < firstDay ? undefined : text;
}

/** Databases write 0001-01-01 and 1970-01-01 for no date at all. */
const firstDay = '1990-01-01';
