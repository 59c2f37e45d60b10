import type { Atom } from '../facts.ts';

/** The columns that every part of a statement has. */
export interface Wanted {
  atoms: readonly Atom[];
  keyCount: number;
  /** Is there a column for the visitors of a row without the conversion's filters? */
  grouped: boolean;
}

/** `SELECT <list number>, <keys as text>, <atoms>` over columns c0…cN; keys that a list has not are ''. */
export function selectOf(
  sets: readonly { at: number; columns: readonly number[] }[],
  columnCount: number,
  wanted: Wanted,
  sums: Partial<Record<Atom, string>>,
): string {
  const which = sets.length === 1 ? String(sets[0]?.at ?? 0) : setNumber(sets, columnCount);
  const keys = numbered(wanted.keyCount, 'k').map((key, position) => {
    const branches = sets.flatMap(({ at, columns }) => {
      const column = columns[position];
      return column === undefined ? [] : [[`s = ${at}`, `toString(c${column})`] as const];
    });
    if (sets.length === 1) return `${branches[0]?.[1] ?? `''`} AS ${key}`;
    return branches.length === 0 ? `'' AS ${key}` : `multiIf(${branches.flat().join(', ')}, '') AS ${key}`;
  });
  const numbers = wanted.atoms.map((atom) => `${sums[atom] ?? zeroOf(atom)} AS ${atom}`);
  return `SELECT ${[`${which} AS s`, ...keys, ...numbers, ...(wanted.grouped ? ['toUInt64(0) AS group_visitors'] : [])].join(', ')}`;
}

/** `grouping(…)` has a bit for each column, the first one highest, that is 1 where the column is not in the row's set. */
function setNumber(sets: readonly { at: number; columns: readonly number[] }[], columnCount: number): string {
  const masks = sets.map(({ columns }) =>
    numbered(columnCount, 'c').reduce((mask, _, at) => mask * 2 + (columns.includes(at) ? 0 : 1), 0),
  );
  const mask = `grouping(${numbered(columnCount, 'c').join(', ')})`;
  const branches = sets.slice(1).flatMap(({ at }, number) => [`${mask} = ${masks[number + 1]}`, at]);
  return `multiIf(${branches.join(', ')}, ${sets[0]?.at})`;
}

/** @param every columns that each set is grouped by beside its own */
export function groupBy(
  sets: readonly { columns: readonly number[] }[],
  columnCount: number,
  every: readonly string[] = [],
): string {
  if (sets.length === 1) {
    const columns = [...every, ...numbered(columnCount, 'c')];
    return columns.length === 0 ? '' : ` GROUP BY ${columns.join(', ')}`;
  }
  const written = sets.map(({ columns }) => `(${[...every, ...columns.map((column) => `c${column}`)].join(', ')})`);
  return ` GROUP BY GROUPING SETS (${written.join(', ')})`;
}

/** The rows of a `selectOf` that was grouped by something more, added up to those that were asked for. */
export function addedUp(sql: string, wanted: Wanted): string {
  const keys = ['s', ...numbered(wanted.keyCount, 'k')];
  const numbers = [...wanted.atoms, ...(wanted.grouped ? ['group_visitors'] : [])];
  return `SELECT ${[...keys, ...numbers.map((number) => `sum(t.${number}) AS ${number}`)].join(', ')}\nFROM (${sql}) AS t GROUP BY ${keys.join(', ')}`;
}

export function zeroOf(atom: Atom): string {
  return atom === 'revenue' ? 'toDecimal128(0, 3)' : 'toUInt64(0)';
}

export function numbered(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at}`);
}
