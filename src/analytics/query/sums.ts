import type { Atom } from '../facts.ts';
import type { AtomSums } from './metric_value.ts';
import { thousandthsOf } from './money.ts';
import type { StatementRow } from './statement.ts';

/** One row of a list before it is named, ordered and cut: its keys as the engine gives them, and its atoms. */
export interface SumRow extends AtomSums {
  keys: readonly string[];
}

/** The rows of one list by their joined keys. Never changed once made: what is kept in memory is shared. */
export type Sums = ReadonlyMap<string, SumRow>;

/** A list with more rows than this is ordered and cut by the engine, and nothing of it is kept. */
export const sumRowsMax = 20_000;

/** A list with too many rows to be added up here. */
export const tooLong = 'too long';
export type ListSums = Sums | typeof tooLong;

/** Texts of one row never contain it: a control character that no step of ingest lets through. */
export const keySeparator = '\u001f';

/** Adds up the rows that parts of a statement gave for one list. */
export function sumsOf(rows: readonly StatementRow[], keyCount: number, atoms: readonly Atom[]): Sums {
  const sums = new Map<string, SumRow>();
  for (const row of rows) {
    const keys: string[] = [];
    for (let at = 0; at < keyCount; at++) keys.push(String(row[`k${at}`]));
    const counts: AtomSums['counts'] = {};
    let revenue = 0n;
    for (const atom of atoms)
      if (atom === 'revenue') revenue = thousandthsOf(String(row.revenue));
      else counts[atom] = Number(row[atom]);
    put(sums, keys.length === 1 ? (keys[0] as string) : keys.join(keySeparator), { keys, counts, revenue }, atoms);
  }
  return sums;
}

/** What disjoint sets of days say about the same list. */
export function added(all: readonly Sums[], atoms: readonly Atom[]): Sums {
  const [first, ...others] = all.filter((sums) => sums.size > 0).sort((a, b) => b.size - a.size);
  if (first === undefined) return new Map();
  if (others.length === 0) return first;
  const total = new Map<string, SumRow>();
  for (const [name, row] of first) total.set(name, copied(row));
  for (const sums of others)
    for (const [name, row] of sums) {
      const known = total.get(name);
      if (known === undefined) total.set(name, copied(row));
      else grow(known, row, atoms);
    }
  return total;
}

/** Adds a row to the one under its name, which is nobody else's; a new one becomes the map's own. */
export function put(sums: Map<string, SumRow>, name: string, row: SumRow, atoms: readonly Atom[]): void {
  const known = sums.get(name);
  if (known === undefined) sums.set(name, row);
  else grow(known, row, atoms);
}

/** Rows that are kept are shared, so that only copies may grow. */
export function copied({ keys, counts, revenue }: SumRow): SumRow {
  return { keys, counts: { ...counts }, revenue };
}

/** In place: a list of ninety days is added up from ten blocks of thousands of rows, and a new row for each took most of the time. */
function grow(row: SumRow, other: SumRow, atoms: readonly Atom[]): void {
  for (const atom of atoms)
    if (atom !== 'revenue') row.counts[atom] = (row.counts[atom] ?? 0) + (other.counts[atom] ?? 0);
  if (other.revenue !== 0n) row.revenue += other.revenue;
}
