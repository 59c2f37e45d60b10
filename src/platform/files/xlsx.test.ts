import { expect, it } from 'vitest';
import type { Bytes } from './archive.ts';
import { archiveLimits } from './limits.ts';
import { dateText, numberText, readWorkbook, type WorkbookLimits } from './xlsx.ts';
import { type RigCell, xlsxOf } from './xlsx_rig.ts';
import { zipOf } from './zip_rig.ts';

const limits: WorkbookLimits = { ...archiveLimits, columnsMax: 30, cellCharsMax: 1_000, textCharsMax: 10_000 };
const fileOf = (bytes: Buffer): Bytes => ({
  read: async (into, offset, length, position) => ({
    bytesRead: bytes.copy(into, offset, position, Math.min(position + length, bytes.length)),
  }),
});
async function rowsOf(bytes: Buffer, sheet?: string, more: Partial<WorkbookLimits> = {}) {
  const workbook = await readWorkbook(fileOf(bytes), bytes.length, { ...limits, ...more });
  const found: [number, readonly string[] | undefined][] = [];
  for await (const { row, cells } of workbook.rows(sheet ?? (workbook.sheets[0] as string))) found.push([row, cells]);
  return found;
}
const cell = (xml: string): RigCell => ({ xml });

it('gives texts, numbers, dates, what formulas came to, and the places of what is empty', async () => {
  const bytes = xlsxOf({
    Orders: [
      ['order', 'when', 'value', 'müßig & <b>'],
      ['A-1', cell('<c s="1"><v>46356.385416666664</v></c>'), 12.300000000000001, true],
      [],
      [
        null,
        cell('<c s="2"><v>46356</v></c>'),
        cell('<c s="3"><v>7.5</v></c>'),
        cell('<c t="str"><f>A1&amp;"x"</f><v>a&amp;x</v></c>'),
      ],
      [
        'line\none',
        null,
        cell('<c t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c>'),
        cell('<c t="e"><v>#N/A</v></c>'),
      ],
      [null, null],
    ],
  });
  expect(await rowsOf(bytes)).toEqual([
    [1, ['order', 'when', 'value', 'müßig & <b>']],
    [2, ['A-1', '2026-11-30 09:15:00', '12.3', 'true']],
    [4, ['', '2026-11-30', '7.5', 'a&x']],
    [5, ['line\none', '', 'inline', '#N/A']],
  ]);
});

it('knows the sheets that can be seen, and the epoch of 1904', async () => {
  const sheets = { Secret: [['a']], First: [['b'], [cell('<c s="1"><v>44894.5</v></c>')]], 'A & B': [['c']] };
  const bytes = xlsxOf(sheets, { hidden: ['Secret'], is1904: true });
  const workbook = await readWorkbook(fileOf(bytes), bytes.length, limits);
  expect(workbook.sheets).toEqual(['First', 'A & B']);
  expect(await rowsOf(bytes)).toEqual([
    [1, ['b']],
    [2, ['2026-11-30 12:00:00']],
  ]);
  expect(await rowsOf(bytes, 'A & B')).toEqual([[1, ['c']]]);
  await expect(rowsOf(bytes, 'Secret')).rejects.toThrow('no sheet of this name');
});

it.each([
  ['46356', '2026-11-30'],
  ['46356.999999', '2026-12-01'],
  ['0.25', '06:00:00'],
  ['61', '1900-03-01'],
  ['-1', '-1'],
  ['9999999', '9999999'],
  ['x', 'x'],
])('the date %s is %s', (value, text) => {
  expect(dateText(value, false)).toBe(text);
});

it.each([
  ['19.9', '19.9'],
  ['0.30000000000000004', '0.3'],
  ['1E-7', '0.0000001'],
  ['1234567890123456', '1234567890123460'],
  ['007', '7'],
  ['', ''],
])('the number %s is %s', (value, text) => {
  expect(numberText(value)).toBe(text);
});

it('refuses what is none, a document type, and what costs more than it may', async () => {
  await expect(rowsOf(zipOf([{ name: 'a.csv', text: 'a' }]))).rejects.toThrow('no workbook');
  const bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>';
  await expect(
    rowsOf(
      zipOf([
        { name: 'xl/workbook.xml', text: bomb },
        { name: 'xl/_rels/workbook.xml.rels', text: '<a/>' },
      ]),
    ),
  ).rejects.toThrow('is damaged');
  const texts = xlsxOf({ A: Array.from({ length: 200 }, (_, n) => [`${n} ${'x'.repeat(100)}`]) });
  await expect(rowsOf(texts)).rejects.toThrow('more than 10000 characters');
  const wide = xlsxOf({ A: [['a'], Array.from({ length: 31 }, () => 1), [1]] });
  expect(await rowsOf(wide)).toEqual([
    [1, ['a']],
    [2, undefined],
    [3, ['1']],
  ]);
  const long = xlsxOf({ A: [['a'], ['y'.repeat(1_001)], ['b']] });
  expect(await rowsOf(long)).toEqual([
    [1, ['a']],
    [2, undefined],
    [3, ['b']],
  ]);
});
