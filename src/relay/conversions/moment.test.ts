import { expect, it } from 'vitest';
import { readMoment } from './moment.ts';

/** A small `t` means the same, and is read by the pattern alone. */
const byPattern = (text: string) => readMoment(text.replace('T', 't'));

it('reads by places what the pattern reads, and nothing else', () => {
  const whole = [
    '2026-11-30T09:15:00+01:00',
    '2026-02-28T23:59:59Z',
    '2024-02-29T00:00:00-05:30',
    '0999-12-31T00:00:00Z',
  ];
  const signs = '0123456789-+:Z .,aé٣'.split('');
  for (const text of whole)
    for (let at = 0; at < text.length; at++)
      for (const sign of signs) {
        const changed = `${text.slice(0, at)}${sign}${text.slice(at + 1)}`;
        expect(readMoment(changed), changed).toEqual(byPattern(changed));
      }
});

it.each([
  ['2026-11-30T09:15:00+01:00', { ms: Date.UTC(2026, 10, 30, 8, 15), offsetMinutes: 60 }],
  ['2026-11-30T09:15:00Z', { ms: Date.UTC(2026, 10, 30, 9, 15), offsetMinutes: 0 }],
  ['2026-11-30T09:15:00-00:00', { ms: Date.UTC(2026, 10, 30, 9, 15), offsetMinutes: 0 }],
  ['2026-01-28T00:00:00+14:00', { ms: Date.UTC(2026, 0, 27, 10), offsetMinutes: 840 }],
  ['2026-02-29T00:00:00Z', 'invalid'],
  ['2026-01-28T00:00:00+14:01', 'invalid'],
  ['2026-01-28T24:00:00Z', 'invalid'],
  ['2026-11-30T09:15:00', 'no_offset'],
])('reads %s', (text, moment) => {
  expect(readMoment(text)).toEqual(moment);
});
