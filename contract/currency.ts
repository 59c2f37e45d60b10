/** ISO 4217 as the runtime's ICU lists it. */
const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** Is this an upper-case ISO 4217 code? */
export function isCurrency(code: string): boolean {
  return currencies.has(code);
}
