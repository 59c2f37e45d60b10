import { now } from '../edge/browser.ts';
import { readerDay, readerLocale, readerToday, readerZone } from '../edge/reader.ts';
import type { Locale } from '../numbers/format.ts';
import type { Against, Day, DayRange, Period, Step } from './period.ts';
import { addDays, daysIn, presetLabels } from './period.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/** Days and local times are handed to Intl as if they were UTC: they are already in the site's timezone. */
function format(asked: Locale, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = asked ?? readerLocale();
  const key = `${locale ?? ''}${JSON.stringify(options)}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options });
  formats.set(key, made);
  return made;
}

const at = (day: Day) => Date.parse(`${day.slice(0, 10)}T00:00:00Z`);
/** Intl writes ranges with thin spaces, which look like a slip beside ordinary ones. */
const plainSpaces = (text: string) => text.replace(/[\u2009\u202f]/g, ' ');

/** `15 Oct – 11 Nov`, with the year where it is not the current one. */
export function rangeText(range: DayRange, today: Day, options: { year?: boolean; locale?: Locale } = {}): string {
  const year = options.year === true || range.from.slice(0, 4) !== today.slice(0, 4);
  const style: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', ...(year ? { year: 'numeric' } : {}) };
  if (range.from === range.to) return dayText(range.from, today, options);
  // It ends in the current year and began before it: the first day says its year.
  if (options.year !== true && year && range.to.slice(0, 4) === today.slice(0, 4))
    return `${dayText(range.from, today, options)} – ${dayText(range.to, today, options)}`;
  return plainSpaces(format(options.locale, style).formatRange(at(range.from), at(range.to)));
}

/** `3 Nov`, with the year where it is not the current one. */
export function dayText(day: Day, today: Day, options: { year?: boolean; locale?: Locale } = {}): string {
  const year = options.year === true || day.slice(0, 4) !== today.slice(0, 4);
  return format(options.locale, { day: 'numeric', month: 'short', ...(year ? { year: 'numeric' } : {}) }).format(
    at(day),
  );
}

/** A step in full, for the crosshair: `Tuesday 3 Nov`, `3 Nov, 14:00`, `Week of 2 Nov`, `November 2026`. */
export function stepText(label: string, step: Step, today: Day, locale?: Locale): string {
  switch (step) {
    case 'hour': {
      const hour = format(locale, { hour: '2-digit', minute: '2-digit' }).format(
        at(label) + Number(label.slice(11, 13)) * 3_600_000,
      );
      // The hour that clocks going back repeat carries its offset, so that the two can be told apart.
      const again = label.length > 19 ? ', the second time' : '';
      return `${dayText(label, today, { locale })}, ${hour}${again}`;
    }
    case 'day': {
      const weekday = format(locale, { weekday: 'long' }).format(at(label));
      return `${weekday} ${dayText(label, today, { locale })}`;
    }
    case 'week':
      return `Week of ${dayText(label, today, { locale })}`;
    case 'month':
      return format(locale, { month: 'long', year: 'numeric' }).format(at(label));
  }
}

/** A step on the axis, where space is short. */
export function stepTick(label: string, step: Step, oneDay: boolean, today: Day, locale?: Locale): string {
  if (step === 'hour' && oneDay)
    return format(locale, isTwelveHour(locale) ? { hour: 'numeric' } : { hour: '2-digit', minute: '2-digit' }).format(
      at(label) + Number(label.slice(11, 13)) * 3_600_000,
    );
  if (step === 'month') return format(locale, { month: 'short', year: '2-digit' }).format(at(label));
  return dayText(label, today, { locale });
}

/** What stands in the period button: the resolved dates, never the name of the preset alone. */
export function periodText(period: Period, range: DayRange, today: Day, locale?: Locale): string {
  if (period.kind === 'preset' && (period.preset === 'today' || period.preset === 'yesterday'))
    return `${presetLabels[period.preset]}, ${dayText(range.from, today, { locale })}`;
  return rangeText(range, today, { locale });
}

/** What stands in the comparison button, after "against". */
export function againstText(
  against: Against,
  range: DayRange,
  before: DayRange | undefined,
  today: Day,
  locale?: Locale,
): string {
  if (before === undefined) return 'nothing';
  if (against.kind === 'days') return rangeText(before, today, { locale });
  if (against.kind === 'year') return 'same days last year';
  const days = daysIn(range);
  if (addDays(before.to, 1) !== range.from) {
    if (days === 1) return 'same weekday before';
    return rangeText(before, today, { locale });
  }
  return days === 1 ? 'the day before' : `${days} days before`;
}

const twelve = new Map<string, boolean>();

function isTwelveHour(locale: Locale | undefined): boolean {
  const asked = locale ?? readerLocale();
  const key = String(asked);
  const known =
    twelve.get(key) ?? new Intl.DateTimeFormat(asked, { hour: 'numeric' }).resolvedOptions().hour12 === true;
  twelve.set(key, known);
  return known;
}

/** The time of day, as the reader's locale writes it. */
export function clockText(ms: number, timezone: string, locale?: Locale, seconds = false): string {
  return new Intl.DateTimeFormat(locale ?? readerLocale(), {
    timeZone: timezone,
    // As the locale has it: 09:05 where the day has 24 hours, 9:05 AM where it has twelve.
    hour: isTwelveHour(locale) ? 'numeric' : '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
  }).format(ms);
}

/** A moment where the reader is: `14:02` today, `27 Nov, 14:02` before; '–' for one that has not come. */
export function timeText(at: string | null): string {
  if (at === null) return '–';
  const [today, day] = [readerToday(), readerDay(at)];
  const clock = clockText(Date.parse(at), readerZone());
  return day === today ? clock : `${dayText(day, today)}, ${clock}`;
}

/** How long ago, under an hour; the day where the reader is, before that. The moment itself belongs in a title beside it. */
export function agoText(at: string): string {
  const minutes = Math.floor((now() - Date.parse(at)) / 60_000);
  if (minutes < 1) return 'just now';
  return minutes < 60 ? `${minutes} min ago` : dayText(readerDay(at), readerToday());
}
