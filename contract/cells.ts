/**
 * Cells of the tables that Fairlead writes and reads (CSV, RFC 4180). A sheet runs what begins with one of these as a
 * formula, so a text that does gets an apostrophe, which imports take off. One that begins with apostrophes before
 * such a sign gets a further one, so that it comes back with its own.
 */
const formula = /^'*[=+\-@\t\r]/;
const apostropheOfOurs = /^''*[=+\-@\t\r]/;
const number = /^[+-]?\d+(\.\d+)?$/;

/** A text that no sheet runs as a formula: what a cell says before it is quoted. */
export function safeText(text: string): string {
  return formula.test(text) && !number.test(text) ? `'${text}` : text;
}

/** A text as a cell, ready to stand between two commas. */
export function textCell(text: string): string {
  const safe = safeText(text);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The text of a cell whose quotes have been taken off: the way back from `textCell`. */
export function plainCell(cell: string): string {
  return apostropheOfOurs.test(cell) ? cell.slice(1) : cell;
}
