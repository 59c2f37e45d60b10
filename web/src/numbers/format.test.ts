import { describe, expect, test } from 'vitest';
import {
  axisCount,
  cellOf,
  change,
  count,
  counted,
  decimalMoney,
  duration,
  metricText,
  money,
  percent,
  share,
} from './format.ts';

const en = 'en-GB';

describe('a number is written in one way only', () => {
  test.each<[string, string, string]>([
    ['a count stays whole up to 999,999', count(999_999, en), '999,999'],
    ['a million is shortened', count(1_240_000, en), '1.24M'],
    ['one thing is one', counted(1, 'delivery', 'deliveries'), '1 delivery'],
    ['none and several are many', `${counted(0, 'row')}, ${counted(2, 'row')}`, '0 rows, 2 rows'],
    ['an axis uses k', axisCount(1_500, en), '1.5k'],
    ['a percentage has one decimal', percent(38.2, en), '38.2%'],
    ['a tiny share is not zero', percent(0.01, en), '<0.1%'],
    ['zero is zero', percent(0, en), '0.0%'],
    ['a share of nothing does not apply', metricText('percentage', share(1, 0)), '–'],
    [
      'a rate of no visits does not apply',
      metricText('bounce_rate', cellOf(['visits', 'bounce_rate'], [0, 0], 1)),
      '–',
    ],
    [
      'a rate of some visits can be zero',
      metricText('bounce_rate', cellOf(['visits', 'bounce_rate'], [4, 0], 1)),
      '0.0%',
    ],
    ['minutes and seconds', duration(161), '2m 41s'],
    ['hours and minutes', duration(3_840), '1h 04m'],
    ['money from 1,000 has no decimals', money({ currency: 'EUR', value: 96_418.4 }, en), '€96,418'],
    ['small money keeps the decimals of its currency', money({ currency: 'JPY', value: 42 }, en), '¥42'],
    [
      'an amount in digits keeps each of them',
      decimalMoney('9007199254740993.125', 'EUR', en),
      '€9,007,199,254,740,993.125',
    ],
    ['and has at least those of its currency', decimalMoney('129.9', 'EUR', en), '€129.90'],
    ['the suffix stands behind the digits', money({ currency: 'EUR', value: 1_500_000 }, 'de-DE'), '1,50M €'],
  ])('%s', (_rule, written, expected) => {
    expect(written.replace(/\u00a0/g, ' ').replace('JP', '')).toBe(expected);
  });
});

describe('a change says what it rests on', () => {
  test.each([
    [
      'more visitors are good',
      change('visitors', 112, 100, { locale: en }),
      { kind: 'change', text: '+12.0%', direction: 'up', good: true },
    ],
    [
      'fewer bounces are good, in points',
      change('bounce_rate', 38.21, 41.48, { base: 500, locale: en }),
      { kind: 'change', text: '−3.3 pt', direction: 'down', good: true },
    ],
    ['a base of 0 is new', change('visitors', 5, 0, { locale: en }), { kind: 'new' }],
    [
      'a base under 30 shows both counts',
      change('visitors', 18, 12, { locale: en }),
      { kind: 'counts', text: '12 → 18', spoken: '18, before 12' },
    ],
    ['nothing before and now is nothing', change('visitors', 0, 0, { locale: en }), { kind: 'none' }],
  ])('%s', (_rule, found, expected) => {
    expect(found).toEqual(expected);
  });
});
