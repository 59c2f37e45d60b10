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
  const plain = plainMoment(text);
  if (plain !== undefined) return plain;
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

/**
 * `2026-11-30T09:15:00Z` and `…+01:00`, as nearly all are written, by the places of their digits: the pattern takes four times as long, and
 * each conversion has a moment read several times. Undefined for whatever is not plainly right.
 */
function plainMoment(text: string): Moment | undefined {
  if (text.length !== 20 && text.length !== 25) return undefined;
  for (let at = 0; at < signs.length; at += 2)
    if (text.charCodeAt(signs[at] as number) !== signs[at + 1]) return undefined;
  const [month, day] = [twoDigits(text, 5), twoDigits(text, 8)];
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)];
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  // Of the last days of a month the calendar has more to say. What is no digit is NaN, which is in no range.
  if (!(year >= 1_000 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  const sign = text.charCodeAt(19);
  if (text.length === 20) return sign === 0x5a ? { ms: local, offsetMinutes: 0 } : undefined;
  if ((sign !== 0x2b && sign !== 0x2d) || text.charCodeAt(22) !== 0x3a) return undefined;
  const [hours, minutes] = [twoDigits(text, 20), twoDigits(text, 23)];
  const size = hours * 60 + minutes;
  if (!(minutes <= 59 && size <= offsetMinutesMax)) return undefined;
  const offsetMinutes = sign === 0x2d && size > 0 ? -size : size;
  return { ms: local - offsetMinutes * 60_000, offsetMinutes };
}

/** Which sign stands at which place: two hyphens, `T`, two colons. */
const signs = [4, 0x2d, 7, 0x2d, 10, 0x54, 13, 0x3a, 16, 0x3a] as const;

/** NaN where it is not two digits. */
function twoDigits(text: string, at: number): number {
  const [ten, one] = [text.charCodeAt(at) - 0x30, text.charCodeAt(at + 1) - 0x30];
  return ten >= 0 && ten <= 9 && one >= 0 && one <= 9 ? ten * 10 + one : Number.NaN;
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
