export type Amount = number | string;

const decimal = /^-?\d+(?:\.\d+)?$/;

/**
 * A decimal number written with a dot and nothing else: `12.50`. No comma, no sign of a currency, no exponent and nothing
 * between thousands, since each of them means another number somewhere.
 */
export function isAmount(amount: Amount): boolean {
  return typeof amount === 'number' ? Number.isFinite(amount) : decimal.test(amount);
}

/**
 * An amount for a body of JSON, whose numbers are exact: a number goes out as it came, text as the number of the same
 * digits. Text with more of them than a float holds is written into the JSON digit by digit; it is never rounded.
 */
export function jsonAmount<Given extends Amount | undefined>(amount: Given): number | Extract<Given, undefined>;
export function jsonAmount(amount: Amount | undefined): number | undefined {
  if (amount === undefined || typeof amount === 'number') return amount;
  const digits = amount.replace(/^(-?)0+(?=\d)/, '$1');
  // Fifteen digits come through a float unchanged, whatever they are.
  if (digits.length <= 16) return Number(digits);
  return rawJson(digits) as unknown as number;
}

/** What `JSON.stringify` writes as it stands. The types of TypeScript do not have it yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): object }).rawJSON;

/** Is it below nothing? Platforms take no such value; what is given back is a refund. */
export function isNegative(amount: Amount): boolean {
  return Number(amount) < 0;
}
