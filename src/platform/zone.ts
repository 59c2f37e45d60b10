/**
 * Calendar arithmetic in an IANA time zone, on plain numbers.
 *
 * A *day number* counts days since 1970-01-01 in the proleptic Gregorian calendar and knows no zone.
 * An *instant* is milliseconds since the epoch. The only thing asked of `Intl` is a zone's offset at an instant;
 * everything else is derived from it here, so that the engine's SQL contains instants and never a zone: the
 * warehouse's own zone data may be of another year than ours.
 */

const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
/** A local day has at least this many hours wherever clocks have been changed by one. */
export const shortestDayMs = 23 * hourMs;

/** A formatter costs some 50 µs to make and 1 µs to ask, so each zone has one; there are about 600 zones. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** A zone may be written in any case, so there are more names than zones: beyond this many, one is made each time. */
const formattersMax = 2_000;

/** Does the runtime know this zone? */
export function isZone(zone: string): boolean {
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** Is it a zone by name, whose clocks may change, and no bare offset such as +01:00? */
export function isNamedZone(zone: string): boolean {
  return !/^[+-]/.test(zone) && isZone(zone);
}

/** A zone that was stored by another runtime may be unknown to this one. */
export function zoneOrUtc(zone: string): string {
  return isZone(zone) ? zone : 'UTC';
}

/** Milliseconds to add to UTC to get the zone's wall clock at this instant. */
export function offsetAt(instant: number, zone: string): number {
  if (zone === 'UTC' || zone === 'Etc/UTC') return 0;
  const second = Math.floor(instant / 1000) * 1000;
  // 'MM/DD/YYYY, hh:mm:ss', fixed by locale and options; slicing it is five times cheaper than formatToParts.
  const text = formatterOf(zone).format(second);
  const wall = Date.UTC(
    Number(text.slice(6, 10)),
    Number(text.slice(0, 2)) - 1,
    Number(text.slice(3, 5)),
    Number(text.slice(12, 14)),
    Number(text.slice(15, 17)),
    Number(text.slice(18, 20)),
  );
  return wall - second;
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  if (formatters.size < formattersMax) formatters.set(zone, made);
  return made;
}

/** 'YYYY-MM-DD' → day number; undefined when there is no such date (2023-02-29). */
export function dayOf(iso: string): number | undefined {
  const ms = Date.parse(`${iso}T00:00:00Z`);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== iso) return undefined;
  return ms / dayMs;
}

/** Day number → 'YYYY-MM-DD'. */
export function isoDay(day: number): string {
  return utcDay(day * dayMs);
}

/** Milliseconds since the epoch → the UTC date, as 'YYYY-MM-DD'. */
export function utcDay(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}

/** The local date at an instant, as a day number. */
export function localDay(instant: number, zone: string): number {
  return Math.floor((instant + offsetAt(instant, zone)) / dayMs);
}

/**
 * The first instant whose local date is `day` or later. Usually local midnight; where clocks jump over midnight
 * (Beirut, Cairo, Asuncion) it is the instant of the jump, and a date that a zone left out (Apia, 2011-12-30)
 * starts where the next one does, so that it is zero long.
 */
export function startOfDay(day: number, zone: string): number {
  const days = dayStarts.get(zone) ?? new Map<number, number>();
  dayStarts.set(zone, days);
  const known = days.get(day);
  if (known !== undefined) return known;
  // A zone has some 50,000 days between 1970 and 2100, and a site asks for a few hundred.
  if (days.size > 5_000) days.clear();
  const start = findStartOfDay(day, zone);
  days.set(day, start);
  return start;
}

/** A question over ninety days with its comparison asks for the same days some hundred times; a look costs 2 µs each. */
const dayStarts = new Map<string, Map<number, number>>();

function findStartOfDay(day: number, zone: string): number {
  const wall = day * dayMs;
  const guess = wall - offsetAt(wall - offsetAt(wall, zone), zone);
  if (guess + offsetAt(guess, zone) === wall && guess - 1 + offsetAt(guess - 1, zone) < wall) return guess;
  // Offsets lie between -12 and +14 hours; a whole second is enough, for no transition is finer.
  let before = (wall - 16 * hourMs) / 1000;
  let after = (wall + 16 * hourMs) / 1000;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle * 1000 + offsetAt(middle * 1000, zone) >= wall) after = middle;
    else before = middle;
  }
  return after * 1000;
}

/** The instant of a wall-clock time. In a gap it is the instant of the jump, in a repeated hour the first of the two. */
export function instantOf(wall: number, zone: string): number {
  const early = wall - offsetAt(wall - dayMs, zone);
  if (early + offsetAt(early, zone) === wall) return early;
  const late = wall - offsetAt(wall + dayMs, zone);
  if (late + offsetAt(late, zone) === wall) return late;
  return transitionBetween(Math.min(early, late), Math.max(early, late), zone) ?? late;
}

/** The instant, to the second, at which the offset changes within (from, to]; undefined when it is the same at both. */
export function transitionBetween(from: number, to: number, zone: string): number | undefined {
  const offset = offsetAt(from, zone);
  if (offsetAt(to, zone) === offset) return undefined;
  let before = Math.floor(from / 1000);
  let after = Math.ceil(to / 1000);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle * 1000, zone) === offset) before = middle;
    else after = middle;
  }
  return after * 1000;
}

/** ISO 8601 to the second with the zone's offset: '2024-01-01T00:00:00+02:00'. */
export function isoInstant(instant: number, zone: string): string {
  const offset = offsetAt(instant, zone);
  return `${new Date(instant + offset).toISOString().slice(0, 19)}${isoOffset(offset)}`;
}

export function isoOffset(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / minuteMs);
  const hh = String(Math.floor(minutes / 60)).padStart(2, '0');
  const mm = String(minutes % 60).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${hh}:${mm}`;
}

/** 1 = Monday … 7 = Sunday. Day 0 was a Thursday. */
export function weekday(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/** The Monday on or before a day. */
export function monday(day: number): number {
  return day - weekday(day) + 1;
}

/** The first of the month `months` away from the day's own. */
export function firstOfMonth(day: number, months = 0): number {
  const date = new Date(day * dayMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1) / dayMs;
}

/** The same date `years` away; 29 February becomes 28 February where there is none. */
export function sameDayInYear(day: number, years: number): number {
  const date = new Date(day * dayMs);
  const last = firstOfMonth(day, 12 * years + 1) - 1;
  return Math.min(Date.UTC(date.getUTCFullYear() + years, date.getUTCMonth(), date.getUTCDate()) / dayMs, last);
}
