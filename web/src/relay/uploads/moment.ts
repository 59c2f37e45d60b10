import { now } from '../../edge/browser.ts';
import { localTime } from '../../period/period.ts';
import { clockText, dayText } from '../../period/words.ts';

/** A moment as people of the site say it. */
export function momentText(iso: string, zone: string): string {
  const ms = Date.parse(iso);
  return `${dayText(localTime(ms, zone).day, localTime(now(), zone).day)}, ${clockText(ms, zone)}`;
}
