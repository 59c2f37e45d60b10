import { describe, expect, it } from 'vitest';
import { countryCode } from './countries.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** What Unicode names besides countries: unions, codes for no place, and islands that ISO keeps under another code. */
const noCountries = ['EU', 'EZ', 'UN', 'XA', 'XB', 'ZZ', 'QO', 'AC', 'CP', 'CQ', 'DG', 'EA', 'IC', 'TA'];

describe('the code of a country', () => {
  it('is found by the English name that Unicode has for each', () => {
    const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
    const missed: unknown[] = [];
    let countries = 0;
    for (const first of letters) {
      for (const second of letters) {
        const code = first + second;
        const name = names.of(code);
        const isOld = Intl.getCanonicalLocales(`und-${code}`)[0] !== `und-${code}`;
        if (name === undefined || isOld || noCountries.includes(code)) continue;
        countries++;
        for (const given of [name, code, code.toLowerCase(), ` ${name.toUpperCase()}. `]) {
          if (countryCode(given) !== code) missed.push([given, countryCode(given), code]);
        }
      }
    }
    expect(missed).toEqual([]);
    // 249 of ISO 3166-1, and Kosovo.
    expect(countries).toBe(250);
  });
  it('is one answer for a name, however often it is asked', () => {
    for (let n = 0; n < 3; n++) expect([countryCode('España'), countryCode('nowhere')]).toEqual(['ES', null]);
  });
  it('is none for what is longer than any name', () => {
    expect(countryCode('Germany'.repeat(100))).toBe(null);
    expect(countryCode(undefined)).toBe(null);
  });
});
