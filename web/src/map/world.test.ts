import { describe, expect, test } from 'vitest';
import topology from 'world-atlas/countries-110m.json' with { type: 'json' };
import { mapSize, outlinesOf, project, quantileSteps } from './world.ts';

describe('outlines', () => {
  const outlines = outlinesOf(topology);
  const box = (code: string) => {
    const path = outlines.find((one) => one.code === code)?.path ?? '';
    const numbers = [...path.matchAll(/-?[\d.]+/g)].map(([text]) => Number(text));
    const [xs, ys] = [0, 1].map((odd) => numbers.filter((_, at) => at % 2 === odd)) as [number[], number[]];
    return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  };

  test('carry the codes that visits carry, and no code twice', () => {
    const codes = outlines.flatMap(({ code }) => code ?? []);
    expect(codes).toEqual(expect.arrayContaining(['DE', 'US', 'BR', 'JP', 'ZA', 'TW', 'XK', 'AU']));
    expect(codes).not.toContain('AQ');
    expect(new Set(codes).size).toBe(codes.length);
    // Two territories that ISO has no code for are drawn as land.
    expect(outlines.length - codes.length).toBe(2);
  });

  test('lie where the countries are', () => {
    const [x, y] = project(10.4, 51.2);
    const { left, right, top, bottom } = box('DE');
    expect(left < x && x < right && top < y && y < bottom).toBe(true);
    expect(box('BR').right).toBeLessThan(box('ZA').left);
    expect(box('NO').bottom).toBeLessThan(box('IT').top);
  });

  test('fit into the picture, with no country stretched around the Earth', () => {
    for (const { path } of outlines) {
      const numbers = [...path.matchAll(/-?[\d.]+/g)].map(([text]) => Number(text));
      for (const [at, value] of numbers.entries()) {
        expect(value).toBeGreaterThanOrEqual(at % 2 === 0 ? 0 : -1);
        expect(value).toBeLessThanOrEqual(at % 2 === 0 ? mapSize.width : mapSize.height);
      }
      expect(path).toMatch(/^M.*Z$/);
      // No line between two points of an outline goes half around the Earth.
      for (const piece of path.split('Z')) {
        const xs = [...piece.matchAll(/[ML]([\d.]+)/g)].map(([, x]) => Number(x));
        for (const [at, x] of xs.entries()) expect(Math.abs(x - (xs[at - 1] ?? x))).toBeLessThan(mapSize.width / 4);
      }
    }
    // Russia and Fiji lie at both edges.
    for (const code of ['RU', 'FJ']) expect(box(code).right - box(code).left).toBeGreaterThan(mapSize.width / 2);
  });
});

describe('quantile steps', () => {
  test('hold about as many countries each', () => {
    expect(quantileSteps([1, 2, 3, 4, 5, 600], 3)).toEqual([
      { from: 1, to: 2, countries: 2 },
      { from: 3, to: 4, countries: 2 },
      { from: 5, to: 600, countries: 2 },
    ]);
  });

  test('never part equal values, and are as many as there are different ones', () => {
    expect(quantileSteps([1, 1, 1, 1, 1, 9], 6)).toEqual([
      { from: 1, to: 1, countries: 5 },
      { from: 9, to: 9, countries: 1 },
    ]);
    expect(quantileSteps([0, 0], 6)).toEqual([]);
    expect(quantileSteps([7], 6)).toEqual([{ from: 7, to: 7, countries: 1 }]);
  });
});
