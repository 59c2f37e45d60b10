import type { SharePeriod } from '../../../contract/shares.ts';
import { dayMs, dayOf, firstOfMonth, isoDay, localDay, offsetAt, zoneOrUtc } from '../../platform/zone.ts';
import type { Step } from '../figures.ts';

/** Days as `YYYY-MM-DD`, both included. */
export interface DayRange {
  from: string;
  to: string;
}

/** A period that met the calendar of a site. */
export interface Frame {
  range: DayRange;
  /** The days it is compared with: as many, moved to whole weeks, so that a Monday stands against a Monday. */
  before: DayRange;
  step: Step;
  /** The time of day in the zone of the site, `HH:MM`; a day that still runs is compared up to it. */
  time: string;
  today: string;
}

export const periodLabels: Readonly<Record<SharePeriod, string>> = {
  today: 'Today',
  '7d': '7 days',
  '28d': '28 days',
  '90d': '90 days',
  mtd: 'Month to date',
  '12mo': '12 months',
};

/**
 * The days of a period, exactly those of the overview (web/src/period/period.ts; a test compares the two).
 * @param now milliseconds since the epoch
 */
export function frameOf(period: SharePeriod, now: number, timezone: string): Frame {
  const zone = zoneOrUtc(timezone);
  const today = localDay(now, zone);
  const first = firstDayOf(period, today);
  const back = Math.ceil((today - first + 1) / 7) * 7;
  const days = today - first + 1;
  return {
    range: { from: isoDay(first), to: isoDay(today) },
    before: { from: isoDay(first - back), to: isoDay(today - back) },
    step: days <= 2 ? 'hour' : days <= 92 ? 'day' : days <= 400 ? 'week' : 'month',
    time: new Date(now + offsetAt(now, zone)).toISOString().slice(11, 16),
    today: isoDay(today),
  };
}

function firstDayOf(period: SharePeriod, today: number): number {
  switch (period) {
    case 'today':
      return today;
    case '7d':
      return today - 6;
    case '28d':
      return today - 27;
    case '90d':
      return today - 89;
    case 'mtd':
      return firstOfMonth(today);
    case '12mo': {
      // The same day of the month a year ago, or the last of a shorter one; the period begins the day after.
      const month = firstOfMonth(today, -12);
      const date = today - firstOfMonth(today);
      return Math.min(month + date, firstOfMonth(month, 1) - 1) + 1;
    }
  }
}

/** Is this a day after the last one on which a share opens? */
export function isOver(expiresOn: string | null, now: number, timezone: string): boolean {
  const last = expiresOn === null ? undefined : dayOf(expiresOn);
  return last !== undefined && localDay(now, zoneOrUtc(timezone)) > last;
}

/** The day that a view is counted on. */
export function dayIn(timezone: string, now: number): string {
  return isoDay(localDay(now, zoneOrUtc(timezone)));
}

export const daysBefore = (day: string, days: number) => isoDay(Math.round(Date.parse(day) / dayMs) - days);
