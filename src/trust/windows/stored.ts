import { type ClassId, type Column, classes, readClass } from '../classes/index.ts';
import { type Line, lines, type Span, sizeOf, spanWords } from './lines.ts';

/** What the ledger keeps for so long and no longer, in each line. Of two of them nothing is stored: this is what they would have. */
const longest: Readonly<Record<string, Span>> = {
  D15: { days: 90 },
  D17: { months: 24 },
  D20: { months: 12 },
  D21: { months: 24 },
};

/**
 * Holds the table of windows against what is really stored (RET-20).
 *
 * @param columns every column of both databases, with its comment
 * @param files paths of the declared files
 * @param executors lines that a part of the desk has handed over an executor for
 * @returns a sentence for every stored table and file without a line or with two, every line without an executor, and
 *   every stored class that no line is of
 */
export function findUnwindowed(
  columns: readonly Column[],
  files: readonly { path: string; classes: readonly string[] }[],
  executors: readonly string[],
  table: readonly Line[] = lines,
): string[] {
  const stored = new Map<string, Set<ClassId>>();
  const add = (what: string, ids: readonly ClassId[]) => {
    const known = stored.get(what) ?? new Set<ClassId>();
    for (const id of ids) known.add(id);
    stored.set(what, known);
  };
  for (const { store, table: name, comment } of columns) {
    const found = readClass(comment);
    add(`${store} ${name}`, found === undefined ? [] : [found.id]);
  }
  for (const { path, classes: ids } of files) add(`file ${path}`, ids as readonly ClassId[]);

  const wrong: string[] = [];
  for (const what of stored.keys()) {
    const of = table.filter((line) => line.stored.includes(what));
    if (of.length === 0) wrong.push(`${what} has no window: put it into a line of src/trust/windows/lines.ts.`);
    if (of.length > 1)
      wrong.push(`${what} has two windows, ${of.map(({ name }) => name).join(' and ')}: leave it in one line.`);
  }
  for (const line of table) {
    for (const what of line.stored)
      if (!stored.has(what)) wrong.push(`The line ${line.name} names ${what}, which nothing stores: take it out.`);
    if (line.kept === undefined && line.until === undefined)
      wrong.push(`The line ${line.name} has no window: say how long, or until what.`);
    const most = longest[line.class];
    if (most !== undefined && (line.kept === undefined || isLonger(line.kept, most)))
      wrong.push(`The line ${line.name} keeps ${line.class} for longer than ${spanWords(most)}: give it that window.`);
    if (line.executor === '' || (needsExecutor(line) && !executors.includes(line.name)))
      wrong.push(`The line ${line.name} has no executor: hand one over from the part that stores it.`);
  }
  for (const name of executors)
    if (executors.filter((one) => one === name).length > 1) wrong.push(`The line ${name} has two executors.`);
    else if (!table.some((line) => line.name === name)) wrong.push(`The executor ${name} has no line.`);
  for (const id of new Set([...stored.values()].flatMap((ids) => [...ids]))) {
    // Of the classes that go with another one the ledger says so itself.
    if (table.some((line) => line.class === id || (classesBeside[id] ?? []).includes(line.class))) continue;
    wrong.push(`${id} ${classes.find((one) => one.id === id)?.name} is stored and has no window.`);
  }
  return [...new Set(wrong)];
}

/** A span of the other unit counts as longer: each class has the unit of the ledger, or a finer one for less. */
function isLonger(kept: Span, most: Span): boolean {
  if ('days' in kept === 'days' in most) return sizeOf(kept) > sizeOf(most);
  return 'months' in kept || kept.days > sizeOf(most) * 28;
}

/** The ledger: pseudonym and contact of a visitor go with the events; nothing else borrows a window. */
export const classesBeside: Readonly<Record<string, readonly ClassId[]>> = { D2: ['D3'], D4: ['D3'] };

/** What goes by age is ended or at least looked at every night. */
export function needsExecutor({ ends }: Line): boolean {
  return ends === 'night' || ends === 'clock';
}
