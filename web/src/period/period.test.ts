import { describe, expect, test } from 'vitest';
import type { Against, Period } from './period.ts';
import { addMonths, isCut, localTime, resolveAgainst, resolvePeriod, stepLabels, stepsFor } from './period.ts';
import { stepText } from './words.ts';

const today = '2026-11-11';

describe('a period is days', () => {
  test.each<[Period, string, string]>([
    [{ kind: 'preset', preset: 'today' }, today, today],
    [{ kind: 'preset', preset: 'yesterday' }, '2026-11-10', '2026-11-10'],
    [{ kind: 'preset', preset: '28d' }, '2026-10-15', today],
    [{ kind: 'preset', preset: 'mtd' }, '2026-11-01', today],
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
