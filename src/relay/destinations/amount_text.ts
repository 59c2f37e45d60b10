import type { Amount } from '../conversions/amount.ts';

/** An amount for a platform that takes text, digit by digit: text stays as it came, and no number becomes `1e+21`. */
export function amountText(amount: Amount | undefined): string | undefined {
  if (amount === undefined || typeof amount === 'string') return amount;
  const text = String(amount);
  const [digits = '', exponent] = text.split('e');
  if (exponent === undefined) return text;
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.');
  const point = whole.length + Number(exponent);
  const all = (whole + fraction).padEnd(point, '0');
  return `${amount < 0 ? '-' : ''}${point > 0 ? all : `0.${'0'.repeat(-point)}${all}`}`;
}
