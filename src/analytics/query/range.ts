import {
  dayMs,
  dayOf,
  firstOfMonth,
  hourMs,
  instantOf,
  isoDay,
  isoOffset,
  localDay,
  monday,
  offsetAt,
  sameDayInYear,
  startOfDay,
  transitionBetween,
  weekday,
} from '../../platform/zone.ts';
import type { TimeStep } from '../facts.ts';

/**
 * A stretch of time in a site's zone: `from` inclusive, `to` exclusive, both instants (ms since the epoch).
 * `days` is set when it consists of whole local days: the first and the last of them, as day numbers.
 */
export interface Range {
  from: number;
  to: number;
  zone: string;
  days?: { first: number; last: number };
}

/** A step of a time series. `label` is what the answer calls it; two buckets of one series never share a label. */
export interface Bucket {
  from: number;
  to: number;
  label: string;
}

/** What `date_range` said, before it met a calendar. */
export type RangeRequest =
  | { kind: 'named'; name: 'day' | 'yesterday' | '24h' | 'month' | 'year' | 'all' | 'realtime' | '30m' }
  | { kind: 'last'; count: number; unit: 'd' | 'mo' }
  | { kind: 'dates'; from: string; to: string }
  | { kind: 'times'; from: string; to: string };

export type ComparisonRequest =
  | { mode: 'previous_period' | 'year_over_year'; matchDayOfWeek: boolean }
  | { mode: 'custom'; range: RangeRequest };

/** Instants outside of these are no web analytics: the warehouse's day type starts in 1970 and bucket keys are 32 bit. */
const earliest = 0;
const latest = Date.UTC(2100, 0, 1);
const outOfYears = 'The range leaves the years 1970 to 2099: choose dates between them.';
/** More steps than this in one series are refused: 10,000 hours are 13 months. */
export const bucketsMax = 10_000;
const realtimeMs = 5 * 60_000;
const halfHourMs = 30 * 60_000;
/** Events are stamped by the receiving clock; a reader's clock a little behind must not hide the newest. */
const aheadMs = 5_000;

/**
 * Resolves a request for a range. `now` is an instant. Named ranges follow Plausible's: `7d` is the seven days
 * before today, `6mo` the six months before this one, `month` and `year` are the running ones to their end,
 * `all` starts with `firstEvent`. Returns a sentence when there is no such range.
 */
export function resolveRange(
  request: RangeRequest,
  { zone, now, firstEvent }: { zone: string; now: number; firstEvent?: number | undefined },
): Range | string {
  const today = localDay(now, zone);
  switch (request.kind) {
    case 'last': {
      if (request.unit === 'd') return wholeDays(today - request.count, today - 1, zone);
      return wholeDays(firstOfMonth(today, -request.count), firstOfMonth(today) - 1, zone);
    }
    case 'dates': {
      const [first, last] = [dayOf(request.from), dayOf(request.to)];
      if (first === undefined) return `There is no date ${request.from}: write it as YYYY-MM-DD.`;
      if (last === undefined) return `There is no date ${request.to}: write it as YYYY-MM-DD.`;
      if (last < first) return `The range ends (${request.to}) before it starts (${request.from}): swap the two.`;
      // Calendars of years with fewer digits are not asked for their offsets.
      return first * dayMs < earliest || last * dayMs >= latest ? outOfYears : bounded(wholeDays(first, last, zone));
    }
    case 'times': {
      const [from, last] = [readTime(request.from, zone), readTime(request.to, zone)];
      if (from === undefined) return `${request.from} is no date and time: write it as 2026-01-31T13:00:00+01:00.`;
      if (last === undefined) return `${request.to} is no date and time: write it as 2026-01-31T13:00:00+01:00.`;
      // The last second, or millisecond where one is named, belongs to the range: 15:59:59 ends it at 16:00.
      const to = last + (last % 1000 === 0 ? 1000 : 1);
      if (to <= from) return `The range ends (${request.to}) before it starts (${request.from}): swap the two.`;
      return bounded({ from, to, zone });
    }
    case 'named':
      switch (request.name) {
        case 'day':
          return wholeDays(today, today, zone);
        case 'yesterday':
          return wholeDays(today - 1, today - 1, zone);
        case 'month':
          return wholeDays(firstOfMonth(today), firstOfMonth(today, 1) - 1, zone);
        case 'year': {
          const first = dayOf(`${isoDay(today).slice(0, 4)}-01-01`) ?? today;
          return wholeDays(first, firstOfMonth(first, 12) - 1, zone);
        }
        case 'all':
          return wholeDays(firstEvent === undefined ? today : Math.min(localDay(firstEvent, zone), today), today, zone);
        case '24h':
          return { from: now - dayMs, to: now + aheadMs, zone };
        case 'realtime':
          return { from: now - realtimeMs, to: now + aheadMs, zone };
        case '30m':
          return { from: now - halfHourMs, to: now + aheadMs, zone };
      }
  }
}

function wholeDays(first: number, last: number, zone: string): Range {
  return { from: startOfDay(first, zone), to: startOfDay(last + 1, zone), zone, days: { first, last } };
}

function bounded(range: Range): Range | string {
  if (range.from >= earliest && range.to <= latest) return range;
  return outOfYears;
}

/** A time with an offset is an instant; without one it is the site's wall clock. */
function readTime(text: string, zone: string): number | undefined {
  const date = text.slice(0, 10);
  if (dayOf(date) === undefined) return undefined;
  const withOffset = /(Z|[+-]\d{2}:\d{2})$/.test(text);
  const ms = Date.parse(withOffset ? text : `${text}Z`);
  if (Number.isNaN(ms)) return undefined;
  const isBounded = ms >= earliest && ms <= latest;
  return withOffset || !isBounded ? ms : instantOf(ms, zone);
}

/**
 * The range to compare with. Whole days are moved by whole days: `previous_period` to the days just before,
 * `year_over_year` to the same dates a year earlier. A range that is still running counts up to today only, as in
 * Plausible. `matchDayOfWeek` then moves it to the nearest same weekday that is not the range's own start.
 */
export function resolveComparison(
  range: Range,
  request: ComparisonRequest,
  { now, firstEvent }: { now: number; firstEvent?: number | undefined },
): Range | string {
  const { zone } = range;
  if (request.mode === 'custom') return resolveRange(request.range, { zone, now, firstEvent });
  if (range.days === undefined) return shiftedTimes(range, request);
  const first = range.days.first;
  const last = Math.max(first, Math.min(range.days.last, localDay(now, zone)));
  const moved =
    request.mode === 'previous_period'
      ? { first: 2 * first - last - 1, last: first - 1 }
      : { first: sameDayInYear(first, -1), last: sameDayInYear(last, -1) };
  const shift = request.matchDayOfWeek ? toSameWeekday(moved.first, first) : 0;
  return bounded(wholeDays(moved.first + shift, moved.last + shift, zone));
}

/** A range of hours keeps its length; the weekday is matched by going back whole weeks. */
function shiftedTimes(range: Range, request: Exclude<ComparisonRequest, { mode: 'custom' }>): Range | string {
  const length = range.to - range.from;
  let back = request.mode === 'previous_period' ? length : 365 * dayMs;
  if (request.matchDayOfWeek) back = Math.max(1, Math.round(back / (7 * dayMs))) * 7 * dayMs;
  return bounded({ from: range.from - back, to: range.to - back, zone: range.zone });
}

/** Days to the nearest day with the weekday of `pattern`; never the pattern itself. A tie goes to the later one. */
function toSameWeekday(day: number, pattern: number): number {
  const ahead = (weekday(pattern) - weekday(day) + 7) % 7;
  if (ahead === 0) return 0;
  const behind = ahead - 7;
  if (day + ahead === pattern) return behind;
  return ahead <= -behind ? ahead : behind;
}

/** The step that `time` stands for: hours up to two days, days up to 40, weeks up to a year, then months. */
export function stepFor(range: Range): TimeStep {
  const hours = (range.to - range.from) / hourMs;
  if (hours <= 49) return 'hour';
  if (hours <= 40 * 24 + 1) return 'day';
  if (hours <= 53 * 7 * 24) return 'week';
  return 'month';
}

/**
 * Cuts a range into the steps of a series, in order and without gaps; the first and the last may be cut by the
 * range. A day of 23 or 25 hours has that many hours. Returns a sentence when there would be too many.
 */
export function bucketsOf(range: Range, step: TimeStep): Bucket[] | string {
  const shortest = { minute: 60_000, hour: hourMs, day: 23 * hourMs, week: 6.9 * dayMs, month: 27.9 * dayMs }[step];
  if ((range.to - range.from) / shortest > bucketsMax)
    return `A series by ${step} over this range has more than ${bucketsMax} steps: take a longer step or a shorter range.`;
  switch (step) {
    case 'minute':
      return clockBuckets(range, 60_000);
    case 'hour':
      return clockBuckets(range, hourMs);
    case 'day':
      return dateBuckets(
        range,
        (day) => day + 1,
        (day) => day,
      );
    case 'week':
      return dateBuckets(
        range,
        (day) => monday(day) + 7,
        (day, first) => Math.max(monday(day), first),
      );
    case 'month':
      return dateBuckets(
        range,
        (day) => firstOfMonth(day, 1),
        (day) => firstOfMonth(day),
      );
  }
}

/** A week that the range cuts is named after the range's first day, as in Plausible; a month after its own first. */
function dateBuckets(
  range: Range,
  next: (day: number) => number,
  name: (day: number, first: number) => number,
): Bucket[] {
  const first = localDay(range.from, range.zone);
  const buckets: Bucket[] = [];
  let day = first;
  let from = range.from;
  while (from < range.to) {
    const following = next(day);
    const to = Math.min(startOfDay(following, range.zone), range.to);
    if (to > from) buckets.push({ from, to, label: isoDay(name(day, first)) });
    day = following;
    from = Math.max(from, to);
  }
  return buckets;
}

/**
 * Steps begin at whole minutes or hours of the wall clock and wherever the clock is changed. An hour that comes
 * twice is two steps, and the second is named with its offset ('2026-10-25 02:00:00+01:00').
 */
function clockBuckets(range: Range, stepMs: number): Bucket[] {
  const { zone } = range;
  const buckets: Bucket[] = [];
  const labels = new Set<string>();
  let from = range.from;
  while (from < range.to) {
    const offset = offsetAt(from, zone);
    const wall = Math.floor((from + offset) / stepMs) * stepMs;
    const whole = wall + stepMs - offset;
    const to = Math.min(transitionBetween(from, whole, zone) ?? whole, range.to);
    const plain = new Date(wall).toISOString().slice(0, 19).replace('T', ' ');
    const label = labels.has(plain) ? `${plain}${isoOffset(offset)}` : plain;
    labels.add(plain);
    buckets.push({ from, to, label });
    from = to;
  }
  return buckets;
}
