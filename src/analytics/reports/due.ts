import type { ReportKind } from '../../../contract/reports.ts';
import { dayMs, firstOfMonth, hourMs, instantOf, isoDay, localDay, monday, zoneOrUtc } from '../../platform/zone.ts';

/** Reports leave at seven in the morning of the site. */
const hour = 7;

/** A period that a report is about, and when the report is due. Days are `YYYY-MM-DD`, both included. */
export interface Due {
  kind: ReportKind;
  range: { from: string; to: string };
  before: { from: string; to: string };
  /** Milliseconds since the epoch: the Monday or the first of a month after the period, 07:00 in the zone of the site. */
  at: number;
}

/**
 * The last reports of a kind that were due at this instant, newest first. Weeks run from Monday to Sunday. Where clocks
 * jump over seven o'clock it is the instant of the jump, and where they repeat it the first of the two.
 */
export function duesOf(kind: ReportKind, now: number, timezone: string, count: number): Due[] {
  const zone = zoneOrUtc(timezone);
  const today = localDay(now, zone);
  // One more than asked for: this morning's may still lie ahead.
  return Array.from({ length: count + 1 }, (_, back) => dueOn(kind, startBefore(kind, today, -back), zone))
    .filter(({ at }) => at <= now)
    .slice(0, count);
}

/** When the next report of a kind is due. */
export function nextDue(kind: ReportKind, now: number, timezone: string): number {
  const zone = zoneOrUtc(timezone);
  const today = localDay(now, zone);
  const soon = dueOn(kind, startBefore(kind, today, 0), zone).at;
  return soon > now ? soon : dueOn(kind, startBefore(kind, today, 1), zone).at;
}

/** The Monday, or the first of the month, on or before a day, moved by so many of them. */
function startBefore(kind: ReportKind, day: number, by: number): number {
  return kind === 'weekly' ? monday(day) + by * 7 : firstOfMonth(day, by);
}

function dueOn(kind: ReportKind, day: number, zone: string): Due {
  const first = startBefore(kind, day, -1);
  return {
    kind,
    range: { from: isoDay(first), to: isoDay(day - 1) },
    before: { from: isoDay(startBefore(kind, day, -2)), to: isoDay(first - 1) },
    at: instantOf(day * dayMs + hour * hourMs, zone),
  };
}
