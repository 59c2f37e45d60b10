import { expect, it } from 'vitest';
import { plainCell, textCell } from '../../../contract/cells.ts';
import { countIn, dayIn, readRecords } from './csv.ts';

async function recordsOf(text: string | Buffer, pieceBytes = 7, charsMax?: number) {
  const bytes = Buffer.from(text as string);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const found: [number, readonly string[] | undefined][] = [];
  for await (const { line, cells } of readRecords(pieces(), charsMax)) found.push([line, cells]);
  return found;
}

const tables: [string, string, [number, string[] | undefined][]][] = [
  [
    'plain lines',
    'a,b\n1,2\n',
    [
      [1, ['a', 'b']],
      [2, ['1', '2']],
    ],
  ],
  [
    'no break at the end',
    'a,b\n1,',
    [
      [1, ['a', 'b']],
      [2, ['1', '']],
    ],
  ],
  [
    'a mark of the byte order and CRLF',
    '\ufeffa,b\r\n1,2\r\n',
    [
      [1, ['a', 'b']],
      [2, ['1', '2']],
    ],
  ],
  [
    'quotes with commas, quotes and breaks',
    'a\n"x, ""y""\r\nz",2\n3',
    [
      [1, ['a']],
      [2, ['x, "y"\r\nz', '2']],
      [4, ['3']],
    ],
  ],
  ['empty lines and empty quotes', '\n"",a\n\n', [[2, ['', 'a']]]],
  ['letters of several bytes', 'ü,日本,🙂\n', [[1, ['ü', '日本', '🙂']]]],
  ['text after a closing quote', '"a"b,c\n', [[1, ['ab', 'c']]]],
];

it.each(tables)('%s', async (_what, text, records) => {
  for (const pieceBytes of [1, 2, 3, 7, 1_000]) expect(await recordsOf(text, pieceBytes)).toEqual(records);
});

it('a line that is too long is passed over, and what follows is read', async () => {
  const text = `a\n${'x'.repeat(5_000)}\nb\n`;
  expect(await recordsOf(text, 64, 100)).toEqual([
    [1, ['a']],
    [2, undefined],
    [3, ['b']],
  ]);
  expect(await recordsOf(text, 10_000, 100)).toEqual([
    [1, ['a']],
    [2, undefined],
    [3, ['b']],
  ]);
});

it('a quote that never closes costs its own lines, not the file', async () => {
  const text = `a\n"open\n${'b,c\n'.repeat(100)}`;
  const records = await recordsOf(text, 16, 60);
  expect(records.filter(([, cells]) => cells?.join() === 'b,c').length).toBeGreaterThan(80);
  expect(records.some(([, cells]) => cells === undefined)).toBe(true);
});

it('counts and days are read exactly or not at all', () => {
  expect(['12', '', '3.6', '-1', '1e3', 'x', '9'.repeat(16)].map(countIn)).toEqual([
    12,
    0,
    4,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(['2026-02-28', '20260228', '2026-02-30', '2026-13-01', '28.2.2026', ''].map(dayIn)).toEqual([
    '2026-02-28',
    '2026-02-28',
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

it('what a sheet would run comes back as it was, through the cell that it cannot run', async () => {
  const texts = ['=1+1', '+x', '-one', '@a', '\tx', '\rx', "'=1", "''@b", '=a,"b"', '=a\n=b', '-', '=', '--1', '+1-1'];
  const plain = ["'plain", "it's", "'", '', '-12.5', '+3', 'a=b', ' =1', 'say "x", y', '\u202e=x'];
  const cells = [...texts, ...plain].map(textCell);
  const [read] = await recordsOf(`${cells.join(',')}\r\n`);
  expect(read?.[1]?.map(plainCell)).toEqual([...texts, ...plain]);
  expect(read?.[1]?.filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual(['-12.5', '+3']);
});

it('the apostrophe of other exports goes, one that is part of the text stays', () => {
  expect(["'=1+1", "'-1", "'plain", "it's", "'"].map(plainCell)).toEqual(['=1+1', '-1', "'plain", "it's", "'"]);
});
