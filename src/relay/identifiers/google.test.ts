import { describe, expect, it } from 'vitest';
import { explainIdentifier } from './explain.ts';
import { googleIdentifiers } from './google.ts';

/** Hashes that the reference or the tests of Google's own utility publish. */
const published: [field: string, input: string, sha256: string][] = [
  ['email', '  alexz@EXAMPLE.com   ', '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a'],
  ['phone_with_country_code', '+18005550100', 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30'],
  ['phone_with_country_code', '1-800-555-0100', 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30'],
  ['given_name', ' GivenName ', '128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814'],
  ['family_name', 'Familyname', '77762c287e61ce065bee5c15464012c6fbe088398b8057627d5577249430d574'],
];

const rules: Record<string, [input: string, normalized: string | null][]> = {
  email: [
    ['User.Name+NYC@Example.com', 'user.name+nyc@example.com'],
    ['Cloudy.San..Francisco+shopping@gmail.com', 'cloudysanfrancisco@gmail.com'],
    ['Jefferson.Loves.hiking@GoogleMail.com', 'jeffersonloveshiking@googlemail.com'],
    ['a.b+c@mail.gmail.com', 'a.b+c@mail.gmail.com'],
    ['a b@example.com', null],
    ['a\u00a0b@example.com', null],
    ['a@b@example.com', null],
    ['example.com', null],
    ['@example.com', null],
    ['a@', null],
    ['+tag@gmail.com', null],
    ['...@gmail.com', null],
  ],
  phone_with_country_code: [
    ['1 800 555 0100', '+18005550100'],
    ['441134960987', '+441134960987'],
    ['+44-113-496-0987', '+441134960987'],
    ['0044 113 496 0987', '+441134960987'],
    ['+abc-DEF', null],
    ['++++', null],
    ['0301234567', null],
  ],
  given_name: [
    [' Alex   ', 'alex'],
    ['Mr. Alex', 'alex'],
    ['Mrs. Mary Ann', 'mary ann'],
    ['ms. alex', 'alex'],
    ['Dr.  Alex', 'alex'],
    ['Dr Alex', 'dr alex'],
    ['Mralex', 'mralex'],
    ['Alex Dr.', 'alex dr.'],
    ['Mr.', null],
    ['Jose\u0301', 'josé'],
  ],
  family_name: [
    ['Quinn-Alex', 'quinn-alex'],
    ['Quinn, Jr.', 'quinn'],
    ['Quinn,Jr', 'quinn'],
    ['Quinn Sr.', 'quinn'],
    ['quinn, jr., dds', 'quinn'],
    ['Quinn 2nd', 'quinn'],
    ['Quinn 3rd', 'quinn'],
    ['Quinn IV', 'quinn'],
    ['Quinn VI PhD', 'quinn'],
    ['Quinn CPA', 'quinn'],
    ['Quinn VM', 'quinn'],
    ['Boardds', 'boardds'],
    ['V', 'v'],
    [', Jr.', null],
    ['van der Berg', 'van der berg'],
  ],
  region_code: [
    [' us ', 'US'],
    ['DE', 'DE'],
    ['usa', null],
    ['u2', null],
    ['Germany', null],
    ['ｄｅ', null],
  ],
  postal_code: [
    [' 94045 ', '94045'],
    ['1229-076', '1229-076'],
    ['sw1a 1aa', 'sw1a 1aa'],
    ['  ', null],
  ],
};
const clear = ['region_code', 'postal_code'];

describe('what Google gets', () => {
  it.each(published)('%s %j is the published hash', (field, input, sha256) => {
    expect(explainIdentifier({ field, input }, 'google')).toMatchObject({ sha256 });
  });
  for (const [field, rows] of Object.entries(rules)) {
    it.each(rows)(`${field} %j → %j`, (input, normalized) => {
      const isHashed = normalized !== null && !clear.includes(field);
      expect(explainIdentifier({ field, input }, 'google')).toEqual({
        normalized,
        sha256: isHashed ? expect.stringMatching(/^[0-9a-f]{64}$/) : null,
      });
    });
  }
});

describe('the identifiers of a conversion', () => {
  it('has no address with a postal code that is a hash: Google wants it in clear text', () => {
    const zip = 'AE1BD8DC82B6F2F7D6D1DA8DB4C9F3D5C9A1F9B9F3C0E1D2A3B4C5D6E7F80912';
    expect(googleIdentifiers({ ...whole, zip, email: 'a@example.com' })).toMatchObject({
      emails: [expect.any(String)],
    });
    expect(googleIdentifiers({ ...whole, zip, email: 'a@example.com' })).not.toHaveProperty('address');
    for (const field of clear)
      expect(explainIdentifier({ field, input: zip }, 'google')).toEqual({ normalized: null, sha256: null });
  });
  const whole = { first_name: 'Givenname', last_name: 'Familyname', country: 'us', zip: '94045' };
  const [, , , given, family] = published.map(([, , sha256]) => sha256);
  it('have the address when all four parts are there, and not otherwise', () => {
    expect(googleIdentifiers(whole)).toEqual({
      emails: [],
      phones: [],
      address: { given_name: given, family_name: family, region_code: 'US', postal_code: '94045' },
    });
    for (const part of Object.keys(whole)) {
      expect(googleIdentifiers({ ...whole, [part]: undefined })).not.toHaveProperty('address');
      expect(googleIdentifiers({ ...whole, [part]: ' ' })).not.toHaveProperty('address');
    }
  });
  it('take the name of a country, which has one code', () => {
    expect(googleIdentifiers({ ...whole, country: 'United States' }).address?.region_code).toBe('US');
    expect(googleIdentifiers({ ...whole, country: 'UK' }).address?.region_code).toBe('GB');
  });
  it('have each email and phone once, with the default country', () => {
    const made = googleIdentifiers({
      email: ['Alex.Z@gmail.com', 'alexz+news@gmail.com'],
      phone: ['(800) 555-0100', '+1 800 555 0100', 'none'],
      phone_country: 'US',
    });
    expect(made.emails).toHaveLength(1);
    expect(made.phones).toEqual(['fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30']);
  });
  it('are none without a person', () => {
    expect(googleIdentifiers(undefined)).toEqual({ emails: [], phones: [] });
  });
});
