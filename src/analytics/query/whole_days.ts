import type { Range } from './range.ts';
import { dayMs } from './zone.ts';

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

/** Every day of identity that can have an event in the range: one in the ten minutes of grace is of the day before. */
export function daysTouched(range: Range): number[] {
  const first = Math.floor(range.from / dayMs) - 1;
  const last = Math.floor((range.to - 1) / dayMs);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
