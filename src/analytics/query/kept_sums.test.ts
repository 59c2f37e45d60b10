import { setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { expect, test } from 'vitest';
import { openKeptSums } from './kept_sums.ts';
import { type ListSums, type Sums, sumsOf, tooLong } from './sums.ts';

const statement = (site: number, range = '', shape = '') => ({
  shape,
  sql: 'SELECT {p0:UInt64}',
  params: { p0: site, range },
  parts: [],
});
const rows = (count: number): Sums =>
  sumsOf(
    Array.from({ length: count }, (_, at) => ({ k0: `/page-${at}`, pageviews: String(at) })),
    1,
    ['pageviews'],
  );
const revisions = (...of: number[]) => new Map(of.map((revision, day) => [day, revision]));

test('is good for the statement and the days that it was read from, and for no other', () => {
  const kept = openKeptSums();
  const days = revisions(7, 8, 9);
  const lists = [rows(3)];
  kept.of(1, days).keep(statement(1), [0, 1], lists);
  expect(kept.of(1, days).find(statement(1))).toBe(lists);
  expect(kept.of(1, days).find(statement(1, 'other'))).toBeUndefined();
  expect(kept.of(1, days).find(statement(1, '', 'other'))).toBeUndefined();
  expect(kept.of(2, days).find(statement(1))).toBeUndefined();
  // A day that it did not read makes no difference, in another register either.
  expect(kept.of(1, revisions(7, 8, 10)).find(statement(1))).toBe(lists);
});

test('does not hold the rows themselves, and has them when they are collected', async () => {
  const kept = openKeptSums();
  const days = revisions(7);
  const listsOf = (): ListSums[] => [rows(3), tooLong, rows(0)];
  const held = (() => {
    const lists = listsOf();
    kept.of(1, days).keep(statement(1), [0], lists);
    return new WeakRef(lists);
  })();
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  v8.setFlagsFromString('--no-expose-gc');
  await turn();
  collect();
  expect(held.deref()).toBeUndefined();
  const again = kept.of(1, days).find(statement(1));
  expect(again).toEqual(listsOf());
  expect(kept.of(1, days).find(statement(1))).toBe(again);
});

test('is forgotten when one of its days is counted again, or no longer frozen', () => {
  for (const later of [revisions(7, 80), revisions(7)]) {
    const kept = openKeptSums();
    kept.of(1, revisions(7, 8)).keep(statement(1), [0, 1], [rows(3)]);
    const before = kept.bytes();
    const other = kept.of(2, revisions(1, 1));
    other.keep(statement(2), [0, 1], [rows(3)]);
    expect(kept.of(1, later).find(statement(1))).toBeUndefined();
    expect(kept.bytes()).toBe(before);
    expect(other.find(statement(2))).toBeDefined();
  }
});

test('what was read before a day changed is not taken for its new state, even when it comes in after', () => {
  const kept = openKeptSums();
  const asked = kept.of(1, revisions(7));
  const after = revisions(70);
  kept.of(1, after);
  asked.keep(statement(1), [0], [rows(3)]);
  expect(kept.of(1, after).find(statement(1))).toBeUndefined();
});

test('lets go of what was used least recently, and never takes more than it may', () => {
  const kept = openKeptSums(10_000);
  const days = revisions(7);
  const site = kept.of(1, days);
  for (let range = 0; range < 20; range++) {
    site.keep(statement(1, String(range)), [0], [rows(20)]);
    expect(site.find(statement(1, '0'))).toBeDefined();
    expect(kept.bytes()).toBeLessThanOrEqual(10_000);
  }
  expect(site.find(statement(1, '5'))).toBeUndefined();
  expect(site.find(statement(1, '19'))).toBeDefined();
  site.keep(statement(1, 'large'), [0], [rows(1_000)]);
  expect(site.find(statement(1, 'large'))).toBeUndefined();
});
