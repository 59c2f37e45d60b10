import { type Atom, isRevenue } from '../facts.ts';
import { goalDimension, goalKey } from '../history/index.ts';
import { type Block, blocksOf, daysOf } from './blocks.ts';
import { type DailyPlan, isFrozenAtom } from './daily.ts';
import type { Filter } from './parse.ts';
import type { List } from './statement.ts';

/** A list whose closed days are answered by `daily` alone. */
export type ListOfDaily = List & { daily: DailyPlan };

/**
 * Is everything that the list asks of these closed days in `daily`, in rows that are the same for every list by the same
 * dimension?
 */
export function isOfDaily(list: List, closed: ReadonlySet<number>): list is ListOfDaily {
  const { daily } = list;
  return (
    daily !== undefined &&
    (daily.timeAt < 0 || daily.valuesAt.length === 0) &&
    list.atoms.every((atom) => isFrozenAtom(atom, daily)) &&
    !daily.live.some((day) => closed.has(day))
  );
}

/**
 * Rows of `daily` that are read and kept together, whatever list, currency and range they are for.
 *
 * `cells` are the rows as they are, one for each piece of a day and currency: few, and of them both totals and the
 * steps of any series are made. `values` are rows of one dimension, added up over blocks of days.
 */
export interface Source {
  kind: 'cells' | 'values';
  dimension: string;
  /** Tests of the value. */
  filters: readonly Filter[];
  /** The one value of cells of a goal. */
  value: string | undefined;
  /** Which sums beside the six of every row. */
  reading: boolean;
  revenue: boolean;
}

const everyAtom = [
  'visitors',
  'visits',
  'bounces',
  'duration',
  'pageviews',
  'events',
] as const satisfies readonly Atom[];
const readingAtoms = ['scroll', 'scroll_visits', 'engagement', 'engaged_visits'] as const satisfies readonly Atom[];
export type CountAtom = (typeof everyAtom)[number] | (typeof readingAtoms)[number];

export function countsOf({ reading }: Pick<Source, 'reading'>): readonly CountAtom[] {
  return reading ? [...everyAtom, ...readingAtoms] : everyAtom;
}

export function sourceOf({ daily, atoms }: ListOfDaily): Source {
  const { dimension, filters, goals, valuesAt } = daily;
  const own = { dimension, filters };
  if (valuesAt.length === 0) {
    const [goal] = dimension === goalDimension ? goals : [];
    return {
      ...{ kind: 'cells', ...own },
      ...{ value: goal === undefined ? undefined : goalKey(goal), reading: true, revenue: true },
    };
  }
  return {
    ...{ kind: 'values', ...own, value: undefined },
    reading: atoms.some((atom) => readingAtoms.some((each) => each === atom)),
    revenue: atoms.some(isRevenue),
  };
}

/** Names a source but for the sums that it has. */
export function nameOf({ kind, dimension, filters, value }: Source): string {
  return JSON.stringify([kind, dimension, filters, value]);
}

/** The same with at least the sums of both. */
export function joined(one: Source, other: Source): Source {
  return { ...one, reading: one.reading || other.reading, revenue: one.revenue || other.revenue };
}

/** Sources that have all that is asked of this one, itself first. */
export function withMore(source: Source): Source[] {
  const more = [source, { ...source, reading: true }, { ...source, revenue: true }];
  return [...more, { ...source, reading: true, revenue: true }];
}

/**
 * Rows that are kept together: of values those of a block of whole days, or of all the pieces that a range cuts; of cells those
 * of some days.
 */
export type Stretch = Block | { pieces: readonly Piece[] } | { cells: readonly number[] };

interface Piece {
  day: number;
  /** Local day number. */
  piece: number;
}

/** Days whose cells are kept together, beginning at a multiple of it: a range that begins elsewhere finds the same ones. */
const cellDays = 16;

/** @param frozen days of the site: of each that lies beside those of the list the cells are kept as well */
export function stretchesFor(
  { daily }: ListOfDaily,
  kind: Source['kind'],
  frozen: { has(day: number): boolean },
): Stretch[] {
  if (kind === 'cells')
    return cellsOf(
      daily.rows.map(({ day }) => day),
      frozen,
    );
  const whole = daily.rows.filter(({ piece }) => piece === 0).map(({ day }) => day);
  const pieces = daily.rows.flatMap(({ day, piece }) => (piece === 0 ? [] : [{ day, piece }]));
  return [...blocksOf(new Set(whole)), ...(pieces.length === 0 ? [] : [{ pieces }])];
}

export function cellsOf(days: readonly number[], frozen: { has(day: number): boolean }): Stretch[] {
  return [...new Set(days.map((day) => Math.floor(day / cellDays)))].map((number) => ({
    cells: daysOf({ first: number * cellDays, days: cellDays }).filter((day) => frozen.has(day)),
  }));
}

export function daysIn(stretch: Stretch): readonly number[] {
  if ('cells' in stretch) return stretch.cells;
  return 'pieces' in stretch ? stretch.pieces.map(({ day }) => day) : daysOf(stretch);
}
