import { dayText, rangeText } from '../period/words.ts';
import type { Filter } from '../questions/filters.ts';
import type { Asked, Frame } from '../questions/overview.ts';

/** What every number of a view was asked with, in words. */
export interface AskedWith {
  days: string;
  before: string | undefined;
  filters: readonly Filter[];
  /** The clock at which the desk answered. */
  answeredAt: string | undefined;
}

export function askedWithOf(
  timezone: string,
  { frame, time }: Asked,
  {
    filters,
    partly,
    answeredAt,
  }: { filters: readonly Filter[]; partly: string | undefined; answeredAt: string | undefined },
): AskedWith {
  return {
    days: `${rangeText(frame.range, frame.today, { year: true })}, ${timezone}`,
    before:
      frame.before === undefined
        ? undefined
        : [
            rangeText(frame.before, frame.today),
            ...(frame.running ? [`up to ${time} on the last day`] : []),
            ...(partly === undefined ? [] : [partly]),
          ].join(', '),
    filters,
    answeredAt,
  };
}

/**
 * From when on the days before were measured, where that is not all of them: no change is given then.
 * @param from the first day that was
 */
export function partlyOf({ before, today }: Frame, from: string): string | undefined {
  return before !== undefined && before.from < from && from <= before.to
    ? `measured from ${dayText(from, today)}`
    : undefined;
}
