import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  Metadata,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/min';
import { describe, expect, it } from 'vitest';
import { internationalDigits } from './phone.ts';

describe('the international digits of a phone number', () => {
  it.each<[given: string, region: string | undefined, digits: string | undefined]>([
    ['(650)555-1212', 'US', '16505551212'],
    ['1 650 555 1212', 'US', '16505551212'],
    ['030 901820', 'DE', '4930901820'],
    ['0151 23456789', 'DE', '4915123456789'],
    ['020 7946 0958', 'GB', '442079460958'],
    ['06 12 34 56 78', 'FR', '33612345678'],
    ['02 1234 5678', 'IT', '390212345678'],
    ['8 912 345 67 89', 'RU', '79123456789'],
    ['11 91234-5678', 'BR', '5511912345678'],
    ['011 15 2345-6789', 'AR', '5491123456789'],
    ['００４９ ３０ ９０１８２０', 'US', '4930901820'],
    ['011 44 20 7946 0958', 'US', '442079460958'],
    ['+44 20 7946 0958', 'DE', '442079460958'],
    ['0044 20 7946 0958', 'US', '442079460958'],
    ['44 20 7946 0958', 'US', '442079460958'],
    ['555-0100', 'US', undefined],
    ['1-800-FLOWERS', 'US', undefined],
    ['12', 'DE', undefined],
    ['18005550100', undefined, '18005550100'],
    // No region of the library's: as without one.
    ['18005550100', 'AQ', '18005550100'],
    ['+18005550100', 'AQ', '18005550100'],
  ])('%j in %s → %s', (given, region, digits) => {
    expect(internationalDigits(given, region)).toBe(digits);
  });

  it('are those of the library in every country, whichever way is taken', () => {
    const differ: unknown[] = [];
    let seed = 3;
    const digit = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * 10);
    };
    const check = (given: string, region?: CountryCode) => {
      const read = parsePhoneNumberFromString(given, { ...(region && { defaultCountry: region }), extract: false });
      // Where the library finds none ours has more ways; the table above shows them.
      if (!read?.isPossible()) return;
      const digits = internationalDigits(given, region);
      if (digits !== read.number.slice(1)) differ.push([given, region, digits, read.number]);
    };
    for (const region of getCountries()) {
      const code = getCountryCallingCode(region);
      const trunk = trunkPrefix(region);
      for (let n = 0; n < 60; n++) {
        const national = Array.from({ length: 4 + (n % 9) }, digit)
          .join('')
          .replace(/^00/, '12');
        check(`+${code}${national}`);
        check(`+${code} ${trunk}${national}`);
        check(national, region);
        if (trunk !== '') check(`${trunk}${national.replace(/^0+/, '')}`, region);
      }
    }
    expect(differ).toEqual([]);
  });
});

/** What a number of the country is dialled with at home, such as 0. */
function trunkPrefix(region: CountryCode): string {
  const metadata = new Metadata();
  metadata.selectNumberingPlan(region);
  const plan = metadata.numberingPlan as unknown as { nationalPrefix(): string | undefined };
  return plan.nationalPrefix() ?? '';
}
