import { describe, expect, it } from 'vitest';
import { readAmount, readCurrency } from './revenue.ts';

describe('an amount is read from its text, exactly', () => {
  const rows: [given: unknown, expected: string | undefined][] = [
    ['12.345', '12.345'],
    [12.345, '12.345'],
    ['12', '12.000'],
    [0, '0.000'],
    ['0.1', '0.100'],
    ['.5', undefined],
    ['5.', '5.000'],
    ['+5', '5.000'],
    [' 19.99 ', '19.990'],
    [0.1 + 0.2, '0.300'],
    ['1.0005', '1.001'],
    ['1.00049999', '1.000'],
    ['0.9999', '1.000'],
    ['999999999999999.999', '999999999999999.999'],
    ['999999999999999.9999', undefined],
    ['1000000000000000', undefined],
    ['90071992547409.933', '90071992547409.933'],
    [1e-7, '0.000'],
    [1e21, undefined],
    ['1e3', undefined],
    [-1, undefined],
    ['-1', undefined],
    ['1,000.00', undefined],
    ['0x10', undefined],
    ['', undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [null, undefined],
    [{}, undefined],
    ['9'.repeat(40), undefined],
  ];
  it.each(rows)('%s is %s', (given, expected) => {
    expect(readAmount(given)).toBe(expected);
  });
});

it.each([
  ['EUR', 'EUR'],
  ['usd', 'USD'],
  ['JPY', 'JPY'],
  ['XYZ', undefined],
  ['EURO', undefined],
  ['', undefined],
  [978, undefined],
])('a currency is an ISO 4217 code: %s', (given, expected) => {
  expect(readCurrency(given)).toBe(expected);
});
