import { dayMs } from '../../platform/zone.ts';
import type { Range } from './range.ts';

/**
 * The last use of an id is ten minutes after its UTC day (PSE-03), so an event's time lies in its day of identity or
 * shortly after; an hour is that with room. Late events from servers have ids of the day they happened on.
 */
export const graceMs = 3_600_000;

export function insideOf(range: Range): { first: number; last: number } | undefined {
  const first = Math.ceil(range.from / dayMs);
  const last = Math.floor((range.to - graceMs) / dayMs) - 1;
  return first <= last ? { first, last } : undefined;
}

/**
 * The step that everything of a day that is in the range falls into, by day; undefined when a day has several. Then a
 * series is a list by day, and no row has to be looked at for its step.
 */
export function stepOfDays(
  days: readonly number[],
  range: Range,
  steps: readonly { from: number; to: number }[],
): ReadonlyMap<number, number> | undefined {
  const found = new Map<number, number>();
  for (const day of days) {
    const from = Math.max(day * dayMs, range.from);
    const to = Math.min((day + 1) * dayMs + graceMs, range.to);
    const step = steps.find((each) => from >= each.from && from < each.to);
    if (step === undefined || to > step.to) return undefined;
    found.set(day, step.from);
  }
  return found;
}

/** Runs of neighbouring days. */
export function stretchesOf(days: readonly number[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = [];
  for (const day of [...days].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run.last + 1 >= day) run.last = day;
    else runs.push({ first: day, last: day });
  }
  return runs;
}

/** The days of identity that can have an event in the range; in the minutes of grace it may be one of the day before. */
export function firstAndLast(range: Range): { first: number; last: number } {
  return { first: Math.floor((range.from - graceMs) / dayMs), last: Math.floor((range.to - 1) / dayMs) };
}

export function daysTouched(range: Range): number[] {
  const { first, last } = firstAndLast(range);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
