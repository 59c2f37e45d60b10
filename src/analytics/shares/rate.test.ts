import { expect, test } from 'vitest';
import { stillClock } from '../../platform/clock.ts';
import { openRate } from './rate.ts';

test('a share has so many views in a minute, each share its own, and as many in the next', () => {
  const clock = stillClock(0);
  const isTooMany = openRate({ clock, perMinuteMax: 2 });
  expect([isTooMany(1), isTooMany(1), isTooMany(1), isTooMany(2)]).toEqual([false, false, true, false]);
  clock.travel(60_000);
  expect([isTooMany(1), isTooMany(1), isTooMany(1)]).toEqual([false, false, true]);
});
