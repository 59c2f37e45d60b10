import { requestLimits } from '../../../contract/requests.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';

export function daysAfter(day: string, days: number): string {
  return utcDay(Date.parse(day) + days * dayMs);
}

/** The same day of a later month, or the last one that month has: 31 January and one is 28 February. */
export function monthsAfter(day: string, months: number): string {
  const date = new Date(day);
  const wanted = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(wanted, last));
  return utcDay(date.getTime());
}

/** Rule R2: 30 days or one calendar month, whichever ends first. */
export function dueOn(receivedOn: string): string {
  const ends = [daysAfter(receivedOn, requestLimits.dueDays), monthsAfter(receivedOn, 1)];
  return ends.sort()[0] as string;
}

export function warnOn(receivedOn: string): string {
  return daysAfter(receivedOn, requestLimits.warnAfterDays);
}

/** Whole days from today to that day. */
export function daysLeft(day: string, nowMs: number): number {
  return Math.round((Date.parse(day) - Date.parse(utcDay(nowMs))) / dayMs);
}
