import { instantOf, isoInstant } from '../../platform/zone.ts';

type Order = 'ymd' | 'dmy' | 'mdy';

const clock = '(?:[T ,]+(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,](\\d{1,9}))?)?(?: ?([AaPp])[Mm])?)?';
const offset = ' ?(Z|[+-]\\d{2}:?\\d{2})?';
const yearFirst = new RegExp(`^(\\d{4})[-/.](\\d{1,2})[-/.](\\d{1,2})${clock}${offset}$`);
const yearLast = new RegExp(`^(\\d{1,2})[-/.](\\d{1,2})[-/.](\\d{4})${clock}${offset}$`);

/**
 * A date or a time as somebody wrote it → ISO 8601 with an offset. A date alone is its midnight. Where clocks were put
 * back the first of the two hours is meant, in the hour that was left out the moment of the change.
 * @param zone where the clock stood; a text that says its own offset keeps that one
 * @returns undefined where there is no such moment
 */
export function readMoment(text: string, zone: string, order: Order = 'ymd'): string | undefined {
  const given = text.trim();
  const first = yearFirst.exec(given);
  const found = first ?? (order === 'ymd' ? null : yearLast.exec(given));
  if (!found) return undefined;
  const [one, two, three] = [found[1], found[2], found[3]].map(Number) as [number, number, number];
  const [year, month, day] = first ? [one, two, three] : order === 'dmy' ? [three, two, one] : [three, one, two];
  const hour = hourOf(Number(found[4] ?? 0), found[8]);
  const [minute, second] = [Number(found[5] ?? 0), Number(found[6] ?? 0)];
  if (hour === undefined || minute > 59 || second > 59) return undefined;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(wall);
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const part = found[7] === undefined ? '' : `.${found[7].slice(0, 3).padEnd(3, '0')}`;
  if (found[9] !== undefined) return `${date.toISOString().slice(0, 19)}${part}${withColon(found[9])}`;
  const iso = isoInstant(instantOf(wall, zone), zone);
  return `${iso.slice(0, 19)}${part}${iso.slice(19)}`;
}

function hourOf(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour > 23 ? undefined : hour;
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

function withColon(given: string): string {
  return given === 'Z' || given.includes(':') ? given : `${given.slice(0, 3)}:${given.slice(3)}`;
}

/** Below it, seconds would be milliseconds of before 1973-03-03, and above it seconds of the year 5138. */
const secondsMax = 100_000_000_000;

/** Seconds since 1970, with or without decimals → ISO 8601 in UTC; undefined where they are none, or milliseconds. */
export function fromUnixSeconds(text: string): string | undefined {
  const found = /^(\d{1,11})(?:\.(\d{1,9}))?$/.exec(text.trim());
  if (!found || Number(found[1]) >= secondsMax) return undefined;
  return isoOf(Number(found[1]) * 1_000 + Number((found[2] ?? '').padEnd(3, '0').slice(0, 3)));
}

/** Milliseconds since 1970 → ISO 8601 in UTC; undefined where they are none, or seconds. */
export function fromUnixMilliseconds(text: string): string | undefined {
  const found = /^(\d{12,14})(?:\.\d{1,9})?$/.exec(text.trim());
  return found ? isoOf(Number(found[1])) : undefined;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
