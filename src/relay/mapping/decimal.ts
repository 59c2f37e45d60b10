/** Decimal numbers as text: amounts are never floats on their way. */

const plain = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?$/;
const spaces = /[\s\u00a0\u202f]/g;

/**
 * What somebody typed as a number, with the decimal mark that they use: `1.234,50` with a comma is `1234.50`. Groups of
 * three may be set apart by the other mark, a space or an apostrophe.
 * @returns plain decimal text with all its digits; undefined where it is no number
 */
export function readTyped(text: string, decimal: '.' | ','): string | undefined {
  const mark = decimal === ',' ? '\\.' : ',';
  const compact = text.trim().replace(spaces, "'").replaceAll('’', "'");
  const shape = new RegExp(`^([+-]?)(\\d+|\\d{1,3}(?:([${mark}'])\\d{3})(?:\\3\\d{3})*)(?:[${decimal}](\\d+))?$`);
  const found = compact.length > 64 ? null : shape.exec(compact);
  if (!found) return undefined;
  const whole = (found[2] as string).replace(/\D/g, '').replace(/^0+(?=\d)/, '');
  return `${found[1] === '-' ? '-' : ''}${whole}${found[4] === undefined ? '' : `.${found[4]}`}`;
}

/** Whole minor units as units: (1099, 2) is `10.99`. Undefined where it is no whole number. */
export function fromMinorUnits(text: string, digits: number): string | undefined {
  const found = /^(-?)(\d{1,40})$/.exec(text.trim());
  if (!found) return undefined;
  const padded = (found[2] as string).replace(/^0+(?=\d)/, '').padStart(digits + 1, '0');
  const sign = found[1];
  return digits === 0 ? `${sign}${padded}` : `${sign}${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
}

/** Below zero, zero or above, as a is to b; undefined where one is no plain decimal number. */
export function compareDecimals(a: string, b: string): number | undefined {
  const left = plain.exec(a);
  const right = plain.exec(b);
  if (!left || !right) return undefined;
  const places = Math.max(left[3]?.length ?? 0, right[3]?.length ?? 0);
  const scaled = ([, sign, whole, part = '']: RegExpExecArray) => BigInt(`${sign}${whole}${part.padEnd(places, '0')}`);
  const difference = scaled(left) - scaled(right);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
