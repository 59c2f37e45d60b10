import { expect, test } from 'vitest';
import { quietUntil } from './quiet_hours.ts';

const night = { fromMinute: 22 * 60, untilMinute: 7 * 60 };
const at = (text: string) => Date.parse(text);

test.each<[string, Parameters<typeof quietUntil>[0], string, string]>([
  [
    'by day an alert leaves at once',
    { ...night, timezone: 'Europe/Berlin' },
    '2026-11-28T12:00:30Z',
    '2026-11-28T12:00:30Z',
  ],
  [
    'before midnight it waits for the next morning',
    { ...night, timezone: 'Europe/Berlin' },
    '2026-11-28T21:30:00Z',
    '2026-11-29T06:00:00Z',
  ],
  [
    'after midnight for the same one',
    { ...night, timezone: 'Europe/Berlin' },
    '2026-11-29T03:00:00Z',
    '2026-11-29T06:00:00Z',
  ],
  ['its first minute is quiet', { ...night, timezone: 'UTC' }, '2026-11-28T22:00:00Z', '2026-11-29T07:00:00Z'],
  ['its last is not', { ...night, timezone: 'UTC' }, '2026-11-29T07:00:00Z', '2026-11-29T07:00:00Z'],
  [
    'the night to summer time is an hour shorter',
    { ...night, timezone: 'Europe/Berlin' },
    '2026-03-28T22:00:00Z',
    '2026-03-29T05:00:00Z',
  ],
  [
    'the night to winter time an hour longer',
    { ...night, timezone: 'Europe/Berlin' },
    '2026-10-24T21:00:00Z',
    '2026-10-25T06:00:00Z',
  ],
  [
    'an end that does not exist is the end of the gap',
    { fromMinute: 0, untilMinute: 150, timezone: 'Europe/Berlin' },
    '2026-03-29T00:30:00Z',
    '2026-03-29T01:00:00Z',
  ],
  [
    'of an end that comes twice the first counts',
    { fromMinute: 0, untilMinute: 150, timezone: 'Europe/Berlin' },
    '2026-10-24T23:00:00Z',
    '2026-10-25T00:30:00Z',
  ],
  ['a zone of half hours', { ...night, timezone: 'Asia/Kolkata' }, '2026-11-28T17:00:00Z', '2026-11-29T01:30:00Z'],
  [
    'in the middle of a day',
    { fromMinute: 12 * 60, untilMinute: 13 * 60, timezone: 'America/New_York' },
    '2026-07-01T16:30:00Z',
    '2026-07-01T17:00:00Z',
  ],
])('%s', (_what, span, now, until) => {
  expect(new Date(quietUntil(span, at(now))).toISOString()).toBe(new Date(at(until)).toISOString());
});
