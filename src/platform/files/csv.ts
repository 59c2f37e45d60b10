/** A record of a table: its cells, or `undefined` where it was longer or had more cells than a record may. */
export interface Record {
  /** Line of the file on which it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[] | undefined;
}

/** How a table is written, and what a record of it may cost. @property isStrict throws TypeError where bytes are none of the encoding */
export interface CsvForm {
  readonly charsMax: number;
  readonly columnsMax: number;
  readonly separator?: ',' | ';' | '\t';
  readonly encoding?: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
  readonly isStrict?: boolean;
}

/**
 * The records of a CSV file as RFC 4180 has them: quotes may hold commas, breaks and doubled quotes. A mark of the
 * byte order and the `\r` before a break are not part of any cell; empty lines are no records. A record that is too
 * long is passed over up to the next break, so that a file without breaks fills no memory.
 */
export async function* readRecords(
  bytes: AsyncIterable<Buffer>,
  { charsMax, columnsMax, separator = ',', encoding = 'utf-8', isStrict = false }: CsvForm,
): AsyncGenerator<Record> {
  const decoder = new TextDecoder(encoding, { fatal: isStrict });
  const form = { charsMax, columnsMax, separator };
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
      if (!skipping && text !== '') yield recordOf(text, line, form);
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
  if (rest !== '' && !skipping) yield recordOf(rest.endsWith('\r') ? rest.slice(0, -1) : rest, line, form);
}

function breaksIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

type Form = Pick<Required<CsvForm>, 'charsMax' | 'columnsMax' | 'separator'>;

function recordOf(text: string, line: number, { charsMax, columnsMax, separator }: Form): Record {
  if (text.length > charsMax) return { line, cells: undefined };
  const cells = text.includes('"') ? quotedCells(text, separator) : text.split(separator);
  return { line, cells: cells.length > columnsMax ? undefined : cells };
}

function quotedCells(text: string, separator: string): string[] {
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
      const comma = text.indexOf(separator, at);
      // What stands between a closing quote and the comma belongs to nobody; spreadsheets keep it with the cell.
      cells.push(cell + text.slice(at, comma < 0 ? undefined : comma));
      if (comma < 0) return cells;
      at = comma + 1;
    } else {
      const comma = text.indexOf(separator, at);
      cells.push(text.slice(at, comma < 0 ? undefined : comma));
      if (comma < 0) return cells;
      at = comma + 1;
    }
  }
}
