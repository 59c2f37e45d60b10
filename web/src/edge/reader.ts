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

/** '28 Nov 2026, 09:12', where the reader is. */
export function momentText(iso: string): string {
  return new Date(iso).toLocaleString(readerLocale(), {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: readerZone(),
  });
}
