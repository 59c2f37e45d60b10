/** Revenue has three decimal places in the store; a bigint of thousandths keeps every one of them. */
export function thousandthsOf(decimal: string): bigint {
  const [, sign, whole, fraction] = /^(-?)(\d+)(?:\.(\d{1,3}))?$/.exec(decimal) ?? [];
  if (whole === undefined) throw new Error('A revenue sum is no decimal of at most three places.');
  const value = BigInt(whole) * 1000n + BigInt((fraction ?? '').padEnd(3, '0'));
  return sign === '-' ? -value : value;
}

/** The decimal without needless zeros: 12500n → '12.5'. */
export function decimalOf(thousandths: bigint): string {
  const size = thousandths < 0n ? -thousandths : thousandths;
  const text = `${size / 1000n}.${String(size % 1000n).padStart(3, '0')}`.replace(/\.?0+$/, '');
  return thousandths < 0n ? `-${text}` : text;
}
