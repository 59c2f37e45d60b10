import { expect, test } from 'vitest';
import { blocksOf, daysOf, quartersOf } from './blocks.ts';
import { repeatable } from './random_site.ts';

test('hold the days and no other, each once, and begin at a multiple of their length', () => {
  const random = repeatable(11);
  for (let round = 0; round < 200; round++) {
    const first = 20_000 + Math.floor(random() * 100);
    const gaps = new Set(Array.from({ length: Math.floor(random() * 4) }, () => first + Math.floor(random() * 130)));
    const length = Math.floor(random() * 130);
    const days = new Set(Array.from({ length }, (_, at) => first + at).filter((day) => !gaps.has(day)));
    const blocks = blocksOf(days);
    const held = blocks.flatMap(daysOf);
    expect([...held].sort()).toEqual([...days].sort());
    expect(new Set(held).size).toBe(held.length);
    for (const block of blocks) expect(block.first % block.days).toBe(0);
  }
});

test('ninety days in a row are fifteen blocks at most, wherever they begin', () => {
  for (let first = 20_000; first < 20_064; first++)
    expect(blocksOf(new Set(Array.from({ length: 90 }, (_, at) => first + at))).length).toBeLessThanOrEqual(15);
});

test('the quarters of a block hold its days', () => {
  expect(quartersOf({ first: 64, days: 64 }).flatMap(daysOf)).toEqual(daysOf({ first: 64, days: 64 }));
  expect(quartersOf({ first: 7, days: 1 })).toEqual([]);
});
