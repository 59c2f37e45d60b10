import { dayMs, isoDay, shortestDayMs, startOfDay } from '../../platform/zone.ts';
import { type Atom, isRevenue } from '../facts.ts';
import { type FrozenDay, frozenDimensions, goalDimension, goalKey, revenueDimensions } from '../history/index.ts';
import type { Binder } from './binder.ts';
import { conditionOf } from './condition.ts';
import type { Dimension, Filter, Goal } from './parse.ts';
import type { Bucket, Range } from './range.ts';
import { never } from './rows.ts';
import type { FrozenDays } from './run.ts';
import { daysTouched, graceMs } from './whole_days.ts';

/**
 * What `daily` (src/analytics/history) answers for one list, and what is left to be read live.
 *
 * Counts of visitors do not add up over pieces of one day of identity, but they do over such days. So each day gives
 * a step of the list one row: that of the whole day when all of its pieces are inside the step, that of the one piece
 * when exactly one is. A day that would need more than that is read live.
 */
export interface DailyPlan {
  /** Name of the dimension in `daily`, '' for totals. */
  dimension: string;
  /** Days of identity (UTC day numbers) that are read live. */
  live: readonly number[];
  rows: readonly DailyRow[];
  /** Is the step part of the row's key (-1: no), and at which places is the value? */
  timeAt: number;
  valuesAt: readonly number[];
  /** Place of the revenue's currency among the keys, -1: no. */
  currencyAt: number;
  /** Tests of the value: rows of `daily` that fail are left out. */
  filters: readonly Filter[];
  /** The goals whose rows are taken, when it is by them; their numbers in a list of goals begin at 1. */
  goals: readonly Goal[];
}

interface DailyRow {
  day: number;
  /** Local day number of the piece; 0 = the whole day. */
  piece: number;
  /** Start of the step, in seconds; 0 without a time dimension. */
  step: number;
}

/** Columns of `daily` by atom; atoms without one, but for revenue, are always read live, over all days. */
export const columns = {
  visitors: 'visitors',
  visits: 'visits',
  bounces: 'bounces',
  duration: 'duration_s',
  pageviews: 'pageviews',
  events: 'events',
  scroll: 'scroll_sum',
  scroll_visits: 'scroll_visits',
  engagement: 'engagement_ms',
  engaged_visits: 'engaged_visits',
} as const satisfies Partial<Record<Atom, string>>;

function columnOf(atom: Atom): string | undefined {
  return Object.hasOwn(columns, atom) ? columns[atom as keyof typeof columns] : undefined;
}

export function isFrozenAtom(atom: Atom, { dimension }: DailyPlan): boolean {
  if (!isRevenue(atom)) return columnOf(atom) !== undefined;
  return dimension === '' || dimension === goalDimension || revenueDimensions[dimension] !== undefined;
}

/** The sums of one row of the answer; rows of `daily` are added up, those of counts and those of revenue. */
function sumOf(atom: Atom, currency: string): string | undefined {
  switch (atom) {
    case 'revenue':
    case 'revenue_events':
      return `sumIf(t.${atom}, t.currency = ${currency})`;
    case 'revenue_elsewhere':
      return `sumIf(t.revenue_events, t.currency != ${currency})`;
    default:
      return columnOf(atom) === undefined ? undefined : `sum(t.${columnOf(atom)})`;
  }
}

/** Names in `daily` of dimensions that show the same column under another name. */
const sameColumn: Record<string, string> = {
  'visit:country_name': 'visit:country',
  'visit:region_name': 'visit:region',
  'visit:city_name': 'visit:city',
};

/**
 * Undefined when `daily` has no part in the list: it is by something that is not frozen, or filtered by something else
 * than it is by.
 */
export function planDaily(
  list: { dimensions: readonly Dimension[]; buckets?: readonly Bucket[] },
  range: Range,
  filters: readonly Filter[],
  { frozen, goals: inView }: { frozen: FrozenDays; goals: readonly Goal[] },
): DailyPlan | undefined {
  const dimension = frozenName(list.dimensions, filters);
  if (dimension === undefined) return undefined;
  const goals = dimension === goalDimension ? goalsOf(list.dimensions, filters, inView) : [];
  const keys = goals.map(goalKey);
  const has = (known: FrozenDay) =>
    dimension === goalDimension ? keys.every((key) => known.goals.has(key)) : !known.leftOut.has(dimension);
  const steps = list.buckets ?? [range];
  // Steps of hours hold no whole day, so there is nothing to be found.
  if (steps.every((step) => step.to - step.from < shortestDayMs)) return undefined;
  const live: number[] = [];
  const rows: DailyRow[] = [];
  const pieceSpan = spansIn(range.zone);
  for (const day of daysTouched(range)) {
    const known = frozen.days.get(day);
    const found =
      known === undefined || !has(known)
        ? undefined
        : rowsOfDay(day, known.pieces.map(pieceSpan).map(within(day)), steps, list.buckets !== undefined);
    if (found === undefined) live.push(day);
    else rows.push(...found);
  }
  if (rows.length === 0) return undefined;
  return {
    dimension,
    live,
    rows,
    timeAt: list.dimensions.findIndex((each) => each.kind === 'time'),
    valuesAt: list.dimensions.flatMap((each, at) => (each.kind === 'time' || isCurrency(each) ? [] : [at])),
    currencyAt: list.dimensions.findIndex(isCurrency),
    filters: dimension === goalDimension ? [] : filters,
    goals,
  };
}

/**
 * The name in `daily` of what a list is by, '' for totals. A filter of the same dimension leaves out whole rows, so it
 * may be any. Without the dimension in the list its rows would have to be added up, and visitors of two values do not
 * add up: there, only a filter that lets one value through is answered from the rows of that value.
 */
function frozenName(dimensions: readonly Dimension[], filters: readonly Filter[]): string | undefined {
  const nameOf = (name: string) => sameColumn[name] ?? name;
  const listed = dimensions.flatMap((each) => (each.kind === 'time' || isCurrency(each) ? [] : [nameOf(each.name)]));
  const tested = filters.flatMap(testedNames).map(nameOf);
  const [name = ''] = [...listed, ...tested];
  if (![...listed, ...tested].every((each) => each === name)) return undefined;
  if (name === goalDimension) {
    const [filter, ...more] = filters;
    if (filter === undefined) return name;
    const oneGoal = filter.kind === 'goal' && (listed.length > 0 || filter.goals.length === 1);
    return oneGoal && more.length === 0 ? name : undefined;
  }
  if (!frozenDimensions.includes(name)) return undefined;
  if (listed.length > 0 || tested.length === 0) return name;
  return filters.length === 1 && filters.every(hasOneValue) ? name : undefined;
}

function goalsOf(dimensions: readonly Dimension[], filters: readonly Filter[], inView: readonly Goal[]) {
  if (dimensions.some((dimension) => dimension.kind === 'goal')) return inView;
  return filters.flatMap((filter) => (filter.kind === 'goal' ? filter.goals : []));
}

/** Not a dimension that can be asked for: revenue that is not summed is listed by it (plan.ts). */
function isCurrency(dimension: Dimension): boolean {
  return dimension.kind === 'column' && dimension.fact.column === 'revenue_currency';
}

function testedNames(filter: Filter): string[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.nodes.flatMap(testedNames);
    case 'not':
      return testedNames(filter.node);
    case 'goal':
      return [goalDimension];
    case 'test':
      return [filter.subject.name];
  }
}

/** Names of countries do not count: two codes may have the same. */
function hasOneValue(filter: Filter): boolean {
  if (filter.kind !== 'test' || filter.subject.kind !== 'column') return false;
  const { operator, negated, caseSensitive, values, subject } = filter;
  return operator === 'is' && !negated && caseSensitive && values.length === 1 && subject.fact.names === undefined;
}

interface Span {
  /** Local day number. */
  piece: number;
  from: number;
  to: number;
}

/** When local days begin and end. Neighbouring days share most of their pieces, so each is looked up once. */
function spansIn(zone: string): (piece: number) => Span {
  const known = new Map<number, Span>();
  return (piece) => {
    const span = known.get(piece) ?? { piece, from: startOfDay(piece, zone), to: startOfDay(piece + 1, zone) };
    known.set(piece, span);
    return span;
  };
}

/**
 * What of a local day can hold events of this day of identity. A range that ends in the afternoon cuts the local day, and
 * has all of the piece that the night before left in it.
 */
function within(day: number): (span: Span) => Span {
  const [first, last] = [day * dayMs, (day + 1) * dayMs + graceMs];
  return (span) => {
    const [from, to] = [Math.max(span.from, first), Math.min(span.to, last)];
    return from < to ? { ...span, from, to } : span;
  };
}

/** Undefined when a step cuts one of the day's pieces, or has several of them and not all. */
function rowsOfDay(
  day: number,
  pieces: readonly Span[],
  steps: readonly { from: number; to: number }[],
  isSeries: boolean,
): DailyRow[] | undefined {
  const rows: DailyRow[] = [];
  for (const { from, to } of steps) {
    const touched = pieces.filter((piece) => piece.from < to && piece.to > from);
    if (touched.some((piece) => piece.from < from || piece.to > to)) return undefined;
    const [only] = touched;
    if (only === undefined) continue;
    const step = isSeries ? Math.floor(from / 1000) : 0;
    if (touched.length === pieces.length) rows.push({ day, piece: 0, step });
    else if (touched.length === 1) rows.push({ day, piece: only.piece, step });
    else return undefined;
  }
  return rows;
}

/**
 * One SELECT over `daily` for lists that take the same rows of it, with the columns that every part of a statement
 * has.
 */
export function dailySql(
  lists: readonly { at: number; plan: DailyPlan }[],
  options: {
    site: string;
    binder: Binder;
    keys: readonly string[];
    atoms: readonly { atom: Atom; own: boolean; zero: string }[];
    /** Currency that revenue is summed in where no goal names one. */
    currency: string;
    /** Is there a column for the visitors of a row without the conversion's filters? */
    grouped: boolean;
  },
): string {
  const { site, binder, keys, atoms } = options;
  const [{ plan, at } = { plan: undefined, at: 0 }] = lists;
  if (plan === undefined) throw new Error('A part of daily was asked for without a list.');
  // Day and piece are 16 bits each; together they name a row in one number that the engine looks up in a set.
  const codes = binder.bind(
    'Array(UInt32)',
    plan.rows.map((row) => row.day * 65_536 + row.piece),
  );
  const code = 'toUInt32(toUInt32(toUInt16(t.id_day)) * 65536 + toUInt16(t.local_day))';
  const days = plan.rows.map((row) => row.day);
  const dimensions = binder.bind(
    'Array(String)',
    lists.map((list) => list.plan.dimension),
  );
  const where = [
    `t.site_id = ${site}`,
    `t.dimension IN (${dimensions})`,
    `t.id_day >= ${binder.bind('Date', isoDay(Math.min(...days)))}`,
    `t.id_day <= ${binder.bind('Date', isoDay(Math.max(...days)))}`,
    `${code} IN (${codes})`,
    ...plan.filters.map((filter) => conditionOf(filter, { binder, table: 'daily', visitsWhere: never })),
  ];
  const numbers = binder.bind(
    'Array(UInt32)',
    lists.map((list) => list.at),
  );
  const which =
    lists.length === 1 ? String(at) : `transform(toString(t.dimension), ${dimensions}, ${numbers}, toUInt32(0))`;
  const step = () => {
    const steps = plan.rows.map((row) => row.step);
    return `transform(${code}, ${codes}, ${binder.bind('Array(UInt32)', steps)}, toUInt32(0))`;
  };
  const goals = binder.bind('Array(String)', plan.goals.map(goalKey));
  if (plan.dimension === goalDimension) where.push(`t.value IN (${goals})`);
  const listsGoals = plan.dimension === goalDimension && plan.valuesAt.length > 0;
  const currency = () => {
    if (!listsGoals) return binder.bind('String', options.currency);
    const own = binder.bind(
      'Array(String)',
      plan.goals.map((goal) => goal.currency ?? '-'),
    );
    return `${own}[goal_number]`;
  };
  const selected = keys.map((key, place) => {
    if (place === plan.currencyAt) return `toString(t.currency) AS ${key}`;
    if (listsGoals && plan.valuesAt.includes(place)) return `toString(goal_number) AS ${key}`;
    if (place === plan.timeAt) return `toString(${step()}) AS ${key}`;
    return plan.valuesAt.includes(place) ? `t.value AS ${key}` : `'' AS ${key}`;
  });
  const sums = atoms.map(({ atom, own, zero }) => {
    return `${(own ? sumOf(atom, currency()) : undefined) ?? zero} AS ${atom}`;
  });
  const shown = [`${which} AS s`, ...selected, ...sums, ...(options.grouped ? ['toUInt64(0) AS group_visitors'] : [])];
  // Two goals may count the same, under two names or in two currencies: each gets the row.
  const from = listsGoals
    ? `daily AS t ARRAY JOIN arrayFilter((number, key) -> key = t.value, range(1, ${plan.goals.length + 1}), ${goals}) AS goal_number`
    : 'daily AS t';
  const groups = [...(lists.length === 1 ? [] : ['s']), ...keys];
  return `SELECT ${shown.join(', ')}\nFROM ${from} WHERE ${where.join(' AND ')}${groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}`}`;
}
