import { describe, expect, test } from 'vitest';
import { calendarDay, momentDay, momentText, readAs, readerInput, readerInstant } from '../edge/reader.ts';
import type { Against, Period } from './period.ts';
import { addMonths, isCut, localTime, resolveAgainst, resolvePeriod, stepLabels, stepsFor } from './period.ts';
import { stepText, timeText } from './words.ts';

const today = '2026-11-11';

describe('a period is days', () => {
  test.each<[Period, string, string]>([
    [{ kind: 'preset', preset: 'today' }, today, today],
    [{ kind: 'preset', preset: 'yesterday' }, '2026-11-10', '2026-11-10'],
    [{ kind: 'preset', preset: '28d' }, '2026-10-15', today],
    [{ kind: 'preset', preset: 'mtd' }, '2026-11-01', today],
    [{ kind: 'preset', preset: 'lastmonth' }, '2026-10-01', '2026-10-31'],
    [{ kind: 'preset', preset: '12mo' }, '2025-11-12', today],
    [{ kind: 'preset', preset: 'all' }, '2026-01-05', today],
  ])('%o', (period, from, to) => {
    expect(resolvePeriod(period, today, '2026-01-05')).toEqual({ from, to });
  });
});

describe('a comparison keeps the weekdays', () => {
  test.each<[string, Against, boolean, string | undefined]>([
    ['28 days are whole weeks', { kind: 'before' }, true, '2026-09-17'],
    ['last year is 52 weeks back', { kind: 'year' }, true, '2025-10-16'],
    ['unless dates are wanted', { kind: 'year' }, false, '2025-10-15'],
    ['off is off', { kind: 'off' }, true, undefined],
  ])('%s', (_rule, against, match, from) => {
    expect(resolveAgainst({ from: '2026-10-15', to: today }, against, match)?.from).toBe(from);
  });
});

test('a cut week is named after the first day of the range', () => {
  expect(stepLabels({ from: '2026-10-15', to: '2026-10-27' }, 'week')).toEqual([
    '2026-10-15',
    '2026-10-19',
    '2026-10-26',
  ]);
});
test('a week that the range cuts is told from a whole one', () => {
  const range = { from: '2026-10-15', to: '2026-10-27' };
  expect(stepLabels(range, 'week').map((label) => isCut(label, 'week', range))).toEqual([true, false, true]);
});
test('an hour that clocks repeat is told apart', () => {
  expect(stepText('2026-10-25 02:00:00', 'hour', today, 'en-GB')).toBe('25 Oct, 02:00');
  expect(stepText('2026-10-25 02:00:00+01:00', 'hour', today, 'en-GB')).toBe('25 Oct, 02:00, the second time');
});
test('the 31st of a short month is its last day', () => expect(addMonths('2026-03-31', -1)).toBe('2026-02-28'));
test('a year is not offered by the hour', () => {
  expect(stepsFor({ from: '2025-11-12', to: today })).toEqual({ offered: ['day', 'week', 'month'], preferred: 'week' });
});
test('the day is that of the site', () => {
  expect(localTime(Date.parse('2026-11-10T23:30:00Z'), 'Europe/Berlin')).toEqual({ day: today, time: '00:30:00' });
});

describe('a moment is written where the reader is, as their account says', () => {
  const midnight = '2026-11-10T23:30:00Z';
  test.each([
    [{ locale: 'de-DE', timezone: 'Europe/Berlin' }, '11.11.2026, 00:30', '11.11.2026', '11. Nov., 00:30'],
    [{ locale: 'en-US', timezone: 'America/New_York' }, 'Nov 10, 2026, 6:30 PM', 'Nov 10, 2026', 'Nov 10, 6:30 PM'],
  ])('%o', (person, moment, day, time) => {
    readAs(person);
    expect(momentText(midnight).replaceAll('\u202f', ' ')).toBe(moment);
    expect(momentDay(midnight)).toBe(day);
    expect(timeText(midnight).replaceAll('\u202f', ' ')).toBe(time);
    expect(calendarDay('2026-11-11')).toBe(person.locale === 'de-DE' ? '11.11.2026' : 'Nov 11, 2026');
    expect([momentText(null), momentDay(null), calendarDay(null), timeText(null)]).toEqual(['–', '–', '–', '–']);
  });

  test('what they type into a moment is meant there too, at the changes of the clock as well', () => {
    readAs({ locale: 'de-DE', timezone: 'Europe/Berlin' });
    for (const at of ['2026-11-10T23:30:00.000Z', '2026-03-29T00:59:00.000Z', '2026-03-29T01:00:00.000Z'])
      expect(readerInstant(readerInput(Date.parse(at)))).toBe(at);
    expect(readerInstant('2026-03-29T02:30')).toBe('2026-03-29T01:30:00.000Z');
    readAs({ locale: null, timezone: 'Pacific/Chatham' });
    expect(readerInstant('2026-11-11T00:00')).toBe('2026-11-10T10:15:00.000Z');
    expect(readerInstant('')).toBe('');
  });
});
