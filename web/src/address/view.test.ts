import { describe, expect, test } from 'vitest';
import { safeReturn } from './route.ts';
import { defaultView, readView, writeView } from './view.ts';

describe('an address says the whole view and comes back the same', () => {
  test.each([
    '',
    '?period=7d&against=year&f=is:country:DE|AT&metric=visits',
    '?period=2026-10-15..2026-11-11&weekdays=off&step=week&table=on',
    '?f=contains:page:/a&f=is_not:source:Google&sources=utm_medium&all=pages',
    '?all=sources&q=site9&sort=bounce_rate:asc&from=51',
  ])('%s', (search) => {
    expect(writeView(readView(search))).toBe(search);
  });
  test('values with separators survive', () => {
    const view = {
      ...defaultView,
      filters: [{ operator: 'is' as const, dimension: 'prop.a:b', values: ['x|y', 'c\\d', 'e:f&g=h'] }],
    };
    expect(readView(writeView(view))).toEqual(view);
  });
  test('what cannot be read is left out', () => {
    expect(readView('?period=ever&f=is:nothing:x&f=broken&metric=secrets&step=year')).toEqual(defaultView);
  });
});

test.each([
  ['/s/shop.example/analytics?period=7d', '/s/shop.example/analytics?period=7d'],
  ['//elsewhere.example', '/'],
  ['/\\elsewhere.example', '/'],
  ['https://elsewhere.example', '/'],
  [null, '/'],
])('after signing in, %s leads to %s', (next, to) => {
  expect(safeReturn(next)).toBe(to);
});
