import { expect, test } from 'vitest';
import { bytesOf, fold, unfold } from './folded.ts';
import { keySeparator, type SumRow, type Sums } from './sums.ts';

function sumsWith(...rows: SumRow[]): Sums {
  return new Map(rows.map((row) => [row.keys.join(keySeparator), row]));
}

const most = Number.MAX_SAFE_INTEGER;

test.each<[string, Sums]>([
  ['nothing', new Map()],
  ['a total, which has no key', sumsWith({ keys: [], counts: { visitors: 3 }, revenue: 0n })],
  ['rows without counts', sumsWith({ keys: ['EUR'], counts: {}, revenue: 5n })],
  [
    'texts of any length and script, and none',
    sumsWith(
      ...['', '/', '/straße', '東京', '🙂', '\ud83d', 'a'.repeat(2_000), '\u0000', '128'].map((key, at) => ({
        ...{ keys: [key], counts: { visitors: at, pageviews: 9 }, revenue: 0n },
      })),
    ),
  ],
  [
    'several keys, of which some are empty',
    sumsWith(
      { keys: ['', ''], counts: { visits: 1 }, revenue: 0n },
      { keys: ['a', ''], counts: { visits: 2 }, revenue: 0n },
      { keys: ['', 'a'], counts: { visits: 3 }, revenue: 0n },
      { keys: ['ab', 'c'], counts: { visits: 4 }, revenue: 0n },
      { keys: ['a', 'bc'], counts: { visits: 5 }, revenue: 0n },
    ),
  ],
  [
    'counts at each end of what a character holds, up to the largest',
    sumsWith(
      ...[0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 49, most - 1, most].map((count, at) => ({
        ...{ keys: [String(at)], counts: { visitors: count, duration: most - count }, revenue: 0n },
      })),
    ),
  ],
  [
    'money, more than a number holds and given back',
    sumsWith(
      ...[0n, 1n, -1n, 12_345_678n, 10n ** 30n, -(10n ** 30n)].map((revenue, at) => ({
        ...{ keys: [String(at), 'EUR'], counts: { revenue_events: 1 }, revenue },
      })),
    ),
  ],
])('%s: the same rows in the same order come out as went in', (_, sums) => {
  const folded = fold(sums);
  expect(folded).toBeDefined();
  if (folded === undefined) return;
  expect([...unfold(folded)]).toEqual([...sums]);
});

test('a count that a row of the list has not is nothing of it', () => {
  const folded = fold(
    sumsWith(
      { keys: ['a'], counts: { visitors: 1 }, revenue: 0n },
      { keys: ['b'], counts: { pageviews: 2 }, revenue: 0n },
    ),
  );
  expect(folded && [...unfold(folded).values()].map(({ counts }) => counts)).toEqual([
    { visitors: 1, pageviews: 0 },
    { visitors: 0, pageviews: 2 },
  ]);
});

test("what comes out is the asker's own", () => {
  const folded = fold(sumsWith({ keys: ['a'], counts: { visitors: 1 }, revenue: 0n }));
  if (folded === undefined) return expect.fail();
  for (const row of unfold(folded).values()) row.counts.visitors = 9;
  expect([...unfold(folded).values()][0]?.counts.visitors).toBe(1);
});

test.each([
  ['a count that is no whole number', { keys: ['a'], counts: { visitors: 0.5 }, revenue: 0n }],
  ['one that is none', { keys: ['a'], counts: { visitors: Number.NaN }, revenue: 0n }],
  ['one below nothing', { keys: ['a'], counts: { visitors: -1 }, revenue: 0n }],
  ['one that is too large to be whole', { keys: ['a'], counts: { visitors: 2 ** 53 }, revenue: 0n }],
  ['another number of keys than the row before', { keys: ['a', 'b'], counts: { visitors: 1 }, revenue: 0n }],
])('%s is not folded, so that nothing else can come out', (_, row) => {
  expect(fold(sumsWith({ keys: ['first'], counts: { visitors: 1 }, revenue: 0n }, row))).toBeUndefined();
});

test('a list takes a tenth of what its rows take, and says what', () => {
  const count = 20_000;
  const sums = (start: string) =>
    sumsWith(
      ...Array.from({ length: count }, (_, at) => ({
        keys: [`${start}/section/page-${at}`],
        counts: { visitors: at, visits: at + 1, bounces: 3, duration: 60 * at, pageviews: 2 * at, events: 2 * at },
        revenue: 0n,
      })),
    );
  const [plain, wide] = [fold(sums('')), fold(sums('東'))];
  if (plain === undefined || wide === undefined) return expect.fail();
  expect(bytesOf(plain) / count).toBeLessThan(40);
  expect(bytesOf(plain)).toBeGreaterThan(plain.texts.length + plain.numbers.length);
  expect(bytesOf(wide)).toBeGreaterThan(2 * wide.texts.length + wide.numbers.length);
});
