import { isCurrency } from '../../../contract/currency.ts';

/** What a purchase earned, as the warehouse takes it: an exact decimal text with three places, never a float. */
export type Revenue = { readonly amount: string; readonly currency: string };

/** Decimal(18,3) holds fifteen digits before the point. */
const wholeDigitsMax = 15;
const decimals = 3;

/** An upper-case ISO 4217 code, or undefined. Lower case is accepted, because shops send it. */
export function readCurrency(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length !== 3) return undefined;
  const code = value.toUpperCase();
  return isCurrency(code) ? code : undefined;
}

/**
 * Reads an amount from its text, digit by digit, so that 12.345 stays 12.345. A number is read through its shortest
 * text, which is what the sender typed. More than three decimals are rounded half up: 0.1 + 0.2 arrives as
 * 0.30000000000000004 and means 0.300. Negative amounts are refused: a refund is not an event that earns, and
 * subtracting it here would count it on the wrong visit.
 *
 * @returns digits with exactly three decimals, or undefined for what is no such amount
 */
export function readAmount(value: unknown): string | undefined {
  const text = typeof value === 'number' ? numberText(value) : typeof value === 'string' ? value.trim() : '';
  const parts = /^\+?(\d{1,30})(?:\.(\d{0,60}))?$/.exec(text);
  if (parts === null) return undefined;
  const fraction = (parts[2] ?? '').padEnd(decimals + 1, '0');
  let thousandths = BigInt((parts[1] as string) + fraction.slice(0, decimals));
  if (fraction.charCodeAt(decimals) >= 0x35) thousandths += 1n;
  const digits = thousandths.toString().padStart(decimals + 1, '0');
  if (digits.length > wholeDigitsMax + decimals) return undefined;
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Shortest text without an exponent; what is too large for the column comes out long and is refused by its length. */
function numberText(value: number): string {
  const text = String(value);
  return text.includes('e') && Number.isFinite(value) ? value.toFixed(decimals) : text;
}
