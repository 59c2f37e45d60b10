/** Between these minutes of the day no alert is mailed; the later of both may be the smaller number. */
export interface QuietSpan {
  fromMinute: number;
  untilMinute: number;
  timezone: string;
}

const minuteMs = 60_000;
/** A day has 25 hours at most, and quiet hours never take all of it. */
const minutesMax = 26 * 60;

/**
 * The first minute that is not quiet: `atMs` itself when it is none of them. It is looked for minute by minute on the
 * reader's own clock, so it is right on the days on which that clock is changed too: an end that does not exist (02:30
 * on the night to summer time) is the first minute after the gap, and of an end that comes twice it is the first.
 * @example quietUntil({ fromMinute: 1320, untilMinute: 420, timezone: 'Europe/Berlin' }, at23) // 07:00 there, next day
 */
export function quietUntil(span: QuietSpan, atMs: number): number {
  const minuteOf = minuteReader(span.timezone);
  const isQuiet = (ms: number) => {
    const minute = minuteOf(ms);
    return span.fromMinute < span.untilMinute
      ? minute >= span.fromMinute && minute < span.untilMinute
      : minute >= span.fromMinute || minute < span.untilMinute;
  };
  if (!isQuiet(atMs)) return atMs;
  let ms = Math.floor(atMs / minuteMs) * minuteMs;
  for (let i = 0; i < minutesMax && isQuiet(ms); i++) ms += minuteMs;
  return ms;
}

function minuteReader(timezone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (ms) => {
    const [hour, minute] = format.format(ms).split(':');
    return Number(hour) * 60 + Number(minute);
  };
}

/** '22:00' as minutes of the day. */
export function minuteOfText(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}

export function textOfMinute(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}
