import type { Atom } from '../facts.ts';
import type { Binder } from './binder.ts';
import type { Range } from './range.ts';
import type { List, PartNote } from './sql.ts';

/** Days of identity (UTC day numbers) that a range touches, by who answers for them. */
export interface DailyDays {
  frozen: readonly number[];
  live: readonly number[];
}

export function dailyPart(_: {
  at: number;
  list: List;
  daily: DailyDays;
  range: Range;
  site: string;
  binder: Binder;
  atoms: readonly Atom[];
}): { sql: string; note: PartNote } | undefined {
  return undefined;
}

export function daysFor(
  _list: List,
  _range: Range,
  _filters: readonly import('./parse.ts').Filter[],
  _days: import('./run.ts').FrozenDays,
): DailyDays | undefined {
  return undefined;
}
