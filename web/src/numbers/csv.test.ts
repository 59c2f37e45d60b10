import { expect, test } from 'vitest';
import { csvText } from './csv.ts';

test('a sheet reads what was seen, and runs nothing of it', () => {
  const rows = [
    ['Page', 'Views', 'Share, %'],
    ['/a,b', 1_204, 38.2],
    ['=HYPERLINK("x")', 3, null],
    ['-12.5', 0, 0],
    ['-one', 1, 1],
    ['@here\r\nthere', 1, 1],
  ];
  expect(csvText(rows)).toBe(
    [
      '\ufeffPage,Views,"Share, %"',
      '"/a,b",1204,38.2',
      '"\'=HYPERLINK(""x"")",3,',
      '-12.5,0,0',
      "'-one,1,1",
      '"\'@here\r\nthere",1,1',
      '',
    ].join('\r\n'),
  );
});
