/** How days and times are written for whoever has not said how they write them. */
const plain = 'en-GB';

/** A moment as a mail says it: in the zone of the person, which is named, or in UTC, as their account writes times. */
export function whenText(
  moment: Date,
  { timezone, locale }: { timezone: string | null; locale: string | null },
): string {
  const zone = timezone ?? 'UTC';
  const text = new Intl.DateTimeFormat(locale ?? plain, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: zone,
  }).format(moment);
  return `${text} (${zone})`;
}

/** `2026-12-28` as people write it: 28 December 2026, or 28. Dezember 2026 for `de`. What is no day stays as it is. */
export function dayText(day: string, locale?: string): string {
  const ms = Date.parse(day);
  return Number.isNaN(ms)
    ? day
    : new Intl.DateTimeFormat(locale ?? plain, { dateStyle: 'long', timeZone: 'UTC' }).format(ms);
}
