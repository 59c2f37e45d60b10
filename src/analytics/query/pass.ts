import type { Atom } from '../facts.ts';
import type { Binder } from './binder.ts';
import { addedUp, groupBy, selectOf, type Wanted } from './grouping.ts';
import type { Keys, Steps } from './keys.ts';
import type { Rows } from './rows.ts';
import type { List, Scope } from './statement.ts';

/** What the builders of parts share: one statement's site, range and filters, and its bound values. */
export interface PartTools {
  scope: Scope;
  binder: Binder;
  rows: Rows;
  keys: Keys;
}

/** A list together with its number in the statement. */
export interface Numbered {
  at: number;
  /** Without `buckets` when its steps are told by the day of identity. */
  list: List;
  stepOfDay?: ReadonlyMap<number, number>;
}

export function stepsOf({ list, stepOfDay }: Numbered): Steps {
  return stepOfDay ?? list.buckets ?? [];
}

/**
 * Statements read one pass into columns c0…cN, then group them as each list wants.
 *
 * Distinct ids are counted day by day and added up: ids of two days of identity are never the same, and the set of one
 * day stays in the processor's cache where that of ninety does not (a fifth of the time).
 */
export function pass(
  { keyOf }: Keys,
  members: readonly Numbered[],
  wanted: Wanted,
  options: {
    table: 'events' | 'visits';
    time: string;
    /** Column of the day of identity, and the days that are read where they are known. */
    day: string;
    days: readonly number[] | undefined;
    sources: readonly { from: string; columns: readonly string[] }[];
    atoms: readonly Atom[];
    sums: Partial<Record<Atom, string>>;
  },
): string {
  const expressions: string[] = [];
  const sets = members.map((member) => {
    const { at, list } = member;
    const columns: number[] = [];
    for (const dimension of list.dimensions) {
      const expression = keyOf(dimension, options.table, options.time, stepsOf(member));
      const known = expressions.indexOf(expression);
      // Within one list every dimension has a column of its own, so that its place is its number.
      columns.push(known >= 0 && !columns.includes(known) ? known : expressions.push(expression) - 1);
    }
    return { at, columns };
  });
  const counts =
    options.days?.length !== 1 && options.atoms.some((atom) => options.sums[atom]?.startsWith('uniqExact') === true);
  const keys = [
    ...(counts ? [`${options.day} AS day`] : []),
    ...expressions.map((expression, at) => `${expression} AS c${at}`),
  ];
  const source = options.sources
    .map(
      ({ from, columns }) =>
        `SELECT ${[...keys, ...columns, ...(keys.length + columns.length === 0 ? ['1'] : [])].join(', ')} FROM ${from}`,
    )
    .join('\nUNION ALL ');
  const sums = Object.fromEntries(options.atoms.map((atom) => [atom, options.sums[atom]]));
  const sql = `${selectOf(sets, expressions.length, wanted, sums)}\nFROM (${source})${groupBy(sets, expressions.length, counts ? ['day'] : [])}`;
  return counts ? addedUp(sql, wanted) : sql;
}
