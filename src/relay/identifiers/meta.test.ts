import { describe, expect, it } from 'vitest';
import { explainIdentifier } from './explain.ts';
import { metaIdentifiers } from './meta.ts';

/** Hashes that the reference or Meta's own page on customer information parameters publish. */
const published: [field: string, input: string, normalized: string, sha256: string, country?: string][] = [
  ['em', 'alexz@example.com', 'alexz@example.com', '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a'],
  ['ph', '+1 800-555-0100', '18005550100', '92cfdc5fbcd4a20fbe5d3857af6c1aba31762105bba7f21a17155e920653046c'],
  [
    'em',
    ' John_Smith@gmail.com ',
    'john_smith@gmail.com',
    '62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f',
  ],
  ['ph', '(650)555-1212', '16505551212', 'e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176', 'US'],
  ['fn', 'Mary', 'mary', '6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec'],
  ['fn', '정', '정', '8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14'],
  ['fn', 'Valéry', 'valéry', '08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c'],
];

/** Read out of the reference's sentences; null is left out. */
const rules: Record<string, [input: string, normalized: string | null][]> = {
  em: [
    [' John.Doe+News@Gmail.COM\n', 'john.doe+news@gmail.com'],
    ["o'brien@mail.shop.example", "o'brien@mail.shop.example"],
    ['a@b.co', 'a@b.co'],
    ['a@b', null],
    ['a@@b.co', null],
    ['a b@c.example', null],
    ['.a@c.example', null],
    ['a..b@c.example', null],
    ['a@-c.example', null],
    ['a@c.example.', null],
    ['@c.example', null],
    ['Ann <a@c.example>', null],
    ['ａ@c.example', null],
    [`${'a'.repeat(250)}@c.example`, null],
  ],
  ph: [
    ['+18005550100', '18005550100'],
    ['1 (800) 555-0100', '18005550100'],
    ['0018005550100', '18005550100'],
    ['+44 (0)20 7946 0958', '442079460958'],
    ['tel:+1-800-555-0100', '18005550100'],
    ['+1 800 555 0100 ext. 7', '18005550100'],
    ['＋１ ８００ ５５５ ０１００', '18005550100'],
    ['+1\u00a0800\u2011555\u20110100', '18005550100'],
    ['0301234567', '301234567'],
    ['000', null],
    ['call me', null],
    ['1'.repeat(16), null],
  ],
  fn: [
    ['Jean-Luc', 'jeanluc'],
    ['Mary Ann', 'maryann'],
    ['José', 'josé'],
    ['Jose\u0301', 'josé'],
    ['Mr. John', 'mrjohn'],
    ['王', '王'],
    ['Zoë\u00a0\u3000May', 'zoëmay'],
    ['!?-', null],
    [' \t', null],
  ],
  ln: [
    ["O'Brien", 'obrien'],
    ['Smith, Jr.', 'smithjr'],
    ['Müller-Lüdenscheidt', 'müllerlüdenscheidt'],
    ['[a]\\{b}|~`^_@', 'ab'],
  ],
  ct: [
    ['New York', 'newyork'],
    ['São Paulo', 'sopaulo'],
    ['Sa\u0303o Paulo', 'sopaulo'],
    ['St. Louis', 'stlouis'],
    ['Area 51', 'area51'],
    ['29 Palms', null],
    ['東京', null],
  ],
  st: [
    ['California', 'ca'],
    ['new york', 'ny'],
    ['State of New York', 'ny'],
    ['West Virginia', 'wv'],
    ['State of West Virginia', 'wv'],
    ['Arkansas', 'ar'],
    ['District of Columbia', 'dc'],
    ['TX', 'tx'],
    ['T.X.', 'tx'],
    ['US-CA', 'ca'],
    ['Ontario', 'on'],
    ['Québec', 'qc'],
    ['Newfoundland and Labrador', 'nl'],
    ['Newfoundland & Labrador', 'nl'],
    ['Bayern', 'ba'],
    ['75 Paris', 'pa'],
    ['B', 'b'],
    ['13', null],
    ['東京都', null],
  ],
  zp: [
    ['94107-1234', '94107'],
    [' SW1A 1AA ', 'sw1a 1aa'],
    ['100-0001', '100'],
    ['１００－０００１', '100'],
    ['1 - 2', null],
    ['1', null],
    ['-94107', null],
  ],
  country: [
    ['US', 'us'],
    ['usa', 'us'],
    ['United States', 'us'],
    ['U.S.A.', 'us'],
    ['The Netherlands', 'nl'],
    ['Côte d’Ivoire', 'ci'],
    ['South Korea', 'kr'],
    ['Korea, Republic of', 'kr'],
    ['UK', 'gb'],
    ['Deutschland', 'de'],
    ['Bosnia & Herzegovina', 'ba'],
    ['AUT', 'at'],
    ['UAE', 'ae'],
    ['xx', null],
    ['Narnia', null],
    ['1', null],
  ],
  db: [
    ['1990-12-31', '19901231'],
    ['12/31/1990', '19901231'],
    ['31/12/1990', '19901231'],
    ['31.12.1990', '19901231'],
    ['1990/31/12', '19901231'],
    ['02/03/1990', '19900203'],
    ['2/3/1990', '19900203'],
    ['12 1990 31', '19901231'],
    ['1990-12-31T00:00:00Z', '19901231'],
    ['19901231', '19901231'],
    ['12311990', '19901231'],
    ['31121990', '19901231'],
    ['2000-02-29', '20000229'],
    ['１９９０－１２－３１', '19901231'],
    ['1900-02-29', null],
    ['1990-02-30', null],
    ['31/04/1990', null],
    ['13/13/1990', null],
    ['1990-00-10', null],
    ['1990-10-00', null],
    ['31/12/90', null],
    ['1799-01-01', null],
    ['19900230', null],
    ['1990', null],
    ['yesterday', null],
  ],
  ge: [
    ['Male', 'm'],
    ['m', 'm'],
    ['Mr.', 'm'],
    ['FEMALE', 'f'],
    ['f', 'f'],
    ['woman', 'f'],
    ['diverse', null],
    ['constructor', null],
  ],
  external_id: [
    [' User 42\t', 'user42'],
    ['0f8fad5bd9cb469fa16570867728950e', '0f8fad5bd9cb469fa16570867728950e'],
    ['\u3000', null],
  ],
};

describe('what Meta gets', () => {
  it.each(published)('%s %j is the published hash', (field, input, normalized, sha256, phone_country) => {
    expect(explainIdentifier({ field, input, phone_country }, 'meta')).toEqual({ normalized, sha256 });
  });
  for (const [field, rows] of Object.entries(rules)) {
    it.each(rows)(`${field} %j → %j`, (input, normalized) => {
      expect(explainIdentifier({ field, input }, 'meta')).toMatchObject({ normalized });
    });
  }
});

describe('a date of birth', () => {
  it('is not after the year it is', () => {
    const ask = (input: string) => explainIdentifier({ field: 'db', input }, 'meta', 2026);
    expect(ask('2026-12-31')).toMatchObject({ normalized: '20261231' });
    expect(ask('2027-01-01')).toMatchObject({ normalized: null });
    expect(ask('01012027')).toMatchObject({ normalized: null });
    expect(metaIdentifiers({ date_of_birth: '2027-01-01' }, 2026)).toEqual({});
  });
});

describe('the identifiers of a conversion', () => {
  it('have the default country of phones from phone_country, else from the country', () => {
    const [ph] = metaIdentifiers({ phone: '+4915123456789' }).ph ?? [];
    expect(metaIdentifiers({ phone: '0151 23456789', country: 'Germany' }).ph).toEqual([ph]);
    expect(metaIdentifiers({ phone: '0151 23456789', phone_country: 'de', country: 'US' }).ph).toEqual([ph]);
  });
  it('are each there once, in order, and have no key where nothing is left', () => {
    const made = metaIdentifiers({
      email: ['b@shop.example', 'no address', 'B@shop.example ', 'a@shop.example'],
      first_name: '...',
      city: '東京',
      country: 'Narnia',
    });
    expect(Object.keys(made)).toEqual(['em']);
    expect(made.em).toEqual([
      metaIdentifiers({ email: 'b@shop.example' }).em?.[0],
      metaIdentifiers({ email: 'a@shop.example' }).em?.[0],
    ]);
  });
  it('are none without a person', () => {
    expect([metaIdentifiers(undefined), metaIdentifiers({})]).toEqual([{}, {}]);
  });
  it('never hold what was given', () => {
    const user = {
      email: 'person@shop.example',
      phone: '+18005550100',
      ...{ first_name: 'Josephine', last_name: 'Quimby', city: 'Springfield', state: 'Oregon', zip: '97477' },
      ...{ country: 'United States', external_id: 'customer-42', date_of_birth: '1990-12-31', gender: 'female' },
      ...{ ip: '203.0.113.7', user_agent: 'agent', fingerprint: 'finger' },
    };
    const made = metaIdentifiers(user);
    expect(Object.keys(made).sort()).toEqual(
      ['country', 'ct', 'db', 'em', 'external_id', 'fn', 'ge', 'ln', 'ph', 'st', 'zp'].sort(),
    );
    for (const hash of Object.values(made).flat()) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });
});
