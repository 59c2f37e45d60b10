/** A point in time with the offset it was written in, which Google Ads wants back. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly ms: number;
  readonly offsetMinutes: number;
}

const written =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?([Zz]|[+-]\d\d(?::?\d\d)?))?)?$/;
const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const offsetMinutesMax = 14 * 60;

/**
 * ISO 8601 with an offset: `2026-11-30T09:15:00+01:00`, `…Z`, a space in place of the `T`, no seconds or parts of one. A
 * time of day without an offset is a different moment in each country, so nothing is guessed.
 *
 * @example readMoment('2026-11-30T09:15:00+01:00') // { ms: 1796026500000, offsetMinutes: 60 }
 */
export function readMoment(text: string): Moment | 'invalid' | 'no_offset' {
  const parts = written.exec(text);
  if (parts === null) return 'invalid';
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const [hour, minute, second] = [Number(parts[4] ?? 0), Number(parts[5] ?? 0), Number(parts[6] ?? 0)];
  if (month < 1 || month > 12 || day < 1 || day > (monthDays[month - 1] as number)) return 'invalid';
  if (month === 2 && day === 29 && !isLeap(year)) return 'invalid';
  if (hour > 23 || minute > 59 || second > 59) return 'invalid';
  const offset = parts[8];
  if (offset === undefined) return 'no_offset';
  const offsetMinutes = minutesOf(offset);
  if (offsetMinutes === undefined) return 'invalid';
  const local = Date.UTC(
    year,
    month - 1,
    day,
    hour,
    minute,
    second,
    Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3)),
  );
  return { ms: local - offsetMinutes * 60_000, offsetMinutes };
}

/** As RFC 3339 has it, in the moment's own offset: `2026-11-30T09:15:00+01:00`, with milliseconds where there are some. */
export function rfc3339({ ms, offsetMinutes }: Moment): string {
  const local = localText(ms, offsetMinutes);
  return `${local.slice(0, ms % 1000 === 0 ? 19 : 23)}${offsetMinutes === 0 ? 'Z' : offsetText(offsetMinutes)}`;
}

/** As Google Ads has it: `2026-11-30 09:15:00+01:00`; the offset always stands there, and no parts of a second. */
export function adsDateTime({ ms, offsetMinutes }: Moment): string {
  return `${localText(ms, offsetMinutes).slice(0, 19).replace('T', ' ')}${offsetText(offsetMinutes)}`;
}

function localText(ms: number, offsetMinutes: number): string {
  return new Date(ms + offsetMinutes * 60_000).toISOString();
}

function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (number: number) => String(number).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Undefined for what no place on earth has. */
function minutesOf(offset: string): number | undefined {
  if (offset === 'Z' || offset === 'z') return 0;
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(3).replace(':', '') || 0)];
  const size = hours * 60 + minutes;
  if (minutes > 59 || size > offsetMinutesMax) return undefined;
  return offset.startsWith('-') && size > 0 ? -size : size;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
