import { textCell } from '../../../contract/cells.ts';

/** A cell of a table as a sheet reads it: text, a number without separators, or nothing. */
export type CsvCell = string | number | null;

/**
 * A table as CSV (RFC 4180, UTF-8 with its mark, which is how a sheet knows that it is no other code page).
 * A text that a sheet would take for a formula gets a leading apostrophe; imports take it off again.
 */
export function csvText(rows: readonly (readonly CsvCell[])[]): string {
  return `\ufeff${rows.map((row) => `${row.map(cellText).join(',')}\r\n`).join('')}`;
}

function cellText(cell: CsvCell): string {
  if (cell === null) return '';
  return typeof cell === 'number' ? String(cell) : textCell(cell);
}
