import { type Day, localTime } from '../period/period.ts';
import { now } from './browser.ts';

/**
 * How the person who reads wants numbers, days and times: as their account says, else as the browser does. Pages of a
 * site keep the site's timezone; what is about a person or an organisation of people is told in the reader's.
 */
let chosen: { locale: string | undefined; timezone: string | undefined } = { locale: undefined, timezone: undefined };

export function readAs(person: { locale: string | null; timezone: string | null } | undefined): void {
  chosen = { locale: person?.locale ?? undefined, timezone: person?.timezone ?? undefined };
}

/** Undefined is the browser's own. */
export const readerLocale = () => chosen.locale;

export const readerZone = () => chosen.timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The day of a moment (ISO 8601), where the reader is. */
export const readerDay = (iso: string): Day => localTime(Date.parse(iso), readerZone()).day;

/** Today, where the reader is. */
export const readerToday = (): Day => localTime(now(), readerZone()).day;

/** A moment (ISO 8601) in a timezone, written as the reader does; `style` says which parts of it. */
export const zonedText = (iso: string, timeZone: string, style: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(readerLocale(), { timeZone, ...style }).format(Date.parse(iso));

/** '28 Nov 2026, 09:12', where the reader is; '–' for a moment that has not come. */
export const momentText = (iso: string | null): string =>
  iso === null ? '–' : zonedText(iso, readerZone(), { dateStyle: 'medium', timeStyle: 'short' });

/** '28 Nov 2026, 09:12:41', where the reader is: as a log says it, whose lines are seconds apart. */
export const secondText = (iso: string): string =>
  zonedText(iso, readerZone(), { dateStyle: 'medium', timeStyle: 'medium' });

/** '28 Nov 2026, 09:12 (Europe/Berlin)': where others have to act on it, the timezone stands beside it. */
export const momentInZone = (iso: string): string => `${momentText(iso)} (${readerZone()})`;

/** '28 Nov 2026', where the reader is; '–' for a moment that has not come. */
export const momentDay = (iso: string | null): string =>
  iso === null ? '–' : zonedText(iso, readerZone(), { dateStyle: 'medium' });

/** A day of the calendar ('2026-11-28', or a moment of it in UTC) as the reader writes it: it is the same day everywhere. */
export const calendarDay = (day: Day | null): string =>
  day === null ? '–' : zonedText(day.slice(0, 10), 'UTC', { dateStyle: 'medium' });

const names = new Map<string, Intl.DisplayNames>();

/** What the reader's language calls regions, currencies and languages, by their codes; a code without a name is itself. */
export function readerNames(type: 'region' | 'currency' | 'language', locale = readerLocale()): Intl.DisplayNames {
  const key = `${type} ${locale ?? ''}`;
  const known = names.get(key) ?? new Intl.DisplayNames(locale === undefined ? [] : [locale], { type });
  names.set(key, known);
  return known;
}

/** What an input of a moment (`2026-11-28T09:12`) holds, where the reader is. */
export function readerInput(ms: number): string {
  const { day, time } = localTime(ms, readerZone());
  return `${day}T${time.slice(0, 5)}`;
}

/** The moment that such an input means; an hour that the clock leaves out is the one after it. '' stays ''. */
export function readerInstant(input: string): string {
  if (input === '') return '';
  const wanted = Date.parse(`${input}Z`);
  const shown = (ms: number) => Date.parse(`${readerInput(ms)}Z`);
  const near = wanted + (wanted - shown(wanted));
  return new Date(near + (wanted - shown(near))).toISOString();
}
