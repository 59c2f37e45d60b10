import { describe, expect, it } from 'vitest';
import { explainIdentifier } from './explain.ts';
import { hashedEmails, hashedExternalIds, hashedPhones, pinterestIdentifiers, redditEmail } from './plain.ts';
import { type IdentifierPlatform, type PlatformRules, platforms } from './platforms.ts';

const names = Object.keys(platforms) as IdentifierPlatform[];
const fields = names.flatMap((platform) => {
  const { rules }: PlatformRules = platforms[platform];
  return Object.keys(rules).map((field): [IdentifierPlatform, string] => [platform, field]);
});

/** Published by the platforms, or the reference's rule for each. */
const rows: [IdentifierPlatform, field: string, input: string, normalized: string | null, sha256?: string][] = [
  [
    'snap',
    'em',
    'Person@Example.com',
    'person@example.com',
    '542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345',
  ],
  [
    'snap',
    'ph',
    '+44 844 412 4653',
    '448444124653',
    'dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383',
  ],
  ['snap', 'fn', 'John', 'john', '96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a'],
  ['snap', 'fn', 'Raphaël', 'raphaël', 'e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7'],
  [
    'reddit',
    'email',
    'Al.ice$+Apple@Example.Com',
    'alice@example.com',
    'ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976',
  ],
  ['reddit', 'email', '+a@example.com', null],
  ['tiktok', 'email', ' A.B+c@Gmail.com', 'a.b+c@gmail.com'],
  [
    'tiktok',
    'phone',
    '(800) 555-0100',
    '+18005550100',
    'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30',
  ],
  ['tiktok', 'external_id', 'User 42', 'user42'],
  ['microsoft', 'em', ' A.B+c@Gmail.com', 'a.b+c@gmail.com'],
  [
    'microsoft',
    'em',
    ' Müller@Example.de',
    'müller@example.de',
    'eb2f85748266705ba113bc5c4ee633d9c2a7cc769d5f6d9f9767b854584b3c88',
  ],
  ['microsoft', 'em', 'a@localhost', 'a@localhost'],
  ['microsoft', 'em', 'a@b@example.com', null],
  ['microsoft', 'em', 'a b@example.com', null],
  ['microsoft', 'em', '@example.com', null],
  ['microsoft', 'em', 'a@', null],
  [
    'microsoft',
    'ph',
    '(800) 555-0100',
    '18005550100',
    '92cfdc5fbcd4a20fbe5d3857af6c1aba31762105bba7f21a17155e920653046c',
  ],
  ['microsoft', 'externalId', 'User 42', 'user42', 'fb44d98b9d56bbe49028eacc8574f5715178e6d3470d276a1697de3df68e7579'],
  ['linkedin', 'SHA256_EMAIL', ' A.B+c@Gmail.com', 'a.b+c@gmail.com'],
  ['pinterest', 'ph', '(800) 555-0100', '18005550100'],
  ['pinterest', 'zp', 'EC1A-94107', '194107'],
  ['pinterest', 'ge', 'Non-binary', 'n'],
  ['pinterest', 'ge', 'male', 'm'],
  ['x', 'hashed_email', ' A.B+c@Gmail.com', 'a.b+c@gmail.com'],
  ['x', 'hashed_phone_number', '(800) 555-0100', '+18005550100'],
];

describe('what other platforms get', () => {
  it.each(rows)('%s %s %j → %j', (platform, field, input, normalized, sha256) => {
    const made = explainIdentifier({ field, input, phone_country: 'US' }, platform);
    expect(made).toMatchObject(sha256 === undefined ? { normalized } : { normalized, sha256 });
  });
  it('says of a field that is not sent that it is none', () => {
    expect(explainIdentifier({ field: 'phone_number', input: '+18005550100' }, 'reddit')).toEqual({
      error: 'field is none that reddit takes: it takes email, em, external_id',
    });
  });
  it('is made of a conversion the same way', () => {
    const user = {
      email: 'Al.ice+x@Example.com',
      phone: '(800) 555-0100',
      phone_country: 'US',
      external_id: ['A 1', 'a1'],
    };
    expect(hashedEmails(user, redditEmail)).toEqual([
      'ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976',
    ]);
    expect(hashedEmails(user)).not.toEqual(hashedEmails(user, redditEmail));
    expect(hashedPhones(user, 'e164')).toEqual(['fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30']);
    expect(hashedPhones(user, 'digits')).toEqual(['92cfdc5fbcd4a20fbe5d3857af6c1aba31762105bba7f21a17155e920653046c']);
    expect(hashedExternalIds(user)).toHaveLength(1);
    expect(pinterestIdentifiers({ zip: '94107-1234' })).not.toEqual(pinterestIdentifiers({ zip: '94107' }));
    expect([hashedEmails(undefined), hashedPhones(undefined, 'e164'), hashedExternalIds(undefined)]).toEqual([
      [],
      [],
      [],
    ]);
  });
});

describe('every field of every platform', () => {
  const hash = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';
  it.each(fields)('%s %s passes what is a hash already, in lower case', (platform, field) => {
    const made = explainIdentifier({ field, input: ` ${hash.toUpperCase()}\n` }, platform);
    if (field === 'region_code' || field === 'postal_code') expect(made).toEqual({ normalized: null, sha256: null });
    else expect(made).toEqual({ normalized: hash, sha256: hash });
  });
  it.each(fields)('%s %s hashes what only holds a hash', (platform, field) => {
    for (const input of [`x${hash}`, `${hash}0`, `${hash} ${hash}`]) {
      const made = explainIdentifier({ field, input }, platform);
      expect(made).not.toMatchObject({ normalized: hash });
      expect(made).not.toMatchObject({ sha256: hash });
    }
  });
  it.each(fields)('%s %s leaves out what cannot be one', (platform, field) => {
    for (const input of [
      '',
      ' \u3000\t',
      'a'.repeat(10_000),
      '1'.repeat(10_000),
      'José\ud800@a.example',
      null,
      5,
      ['a'],
      {},
    ]) {
      expect(explainIdentifier({ field, input }, platform)).toEqual({ normalized: null, sha256: null });
    }
  });
  it.each(fields)('%s %s takes any text and never throws, and a hash again is itself', (platform, field) => {
    const next = chance(7);
    for (let n = 0; n < 300; n++) {
      const input = randomText(next);
      const made = explainIdentifier({ field, input, phone_country: n % 2 ? 'DE' : undefined }, platform);
      if ('error' in made) throw new Error(`${JSON.stringify(input)}: ${made.error}`);
      if (made.sha256 === null) continue;
      expect(made.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(made.normalized).not.toBe('');
      expect(explainIdentifier({ field, input: made.sha256 }, platform)).toMatchObject({ sha256: made.sha256 });
    }
  });
  it.each(fields)('%s %s takes no time for long texts made to take it', (platform, field) => {
    const started = process.cpuUsage();
    for (const part of ['a', 'a.', ' ', ', jr', '-', '+1', 'é', '0', '(1', 'a@']) {
      for (const end of ['', '!', '@', '@a']) {
        explainIdentifier({ field, input: part.repeat(512).slice(0, 510) + end, phone_country: 'BR' }, platform);
      }
    }
    const used = process.cpuUsage(started);
    expect((used.user + used.system) / 1_000).toBeLessThan(400);
  });
});

const alphabets = [
  'abcXYZ019 .-+@',
  'éÉöøßıİŁ\u0301\u0308',
  '０１２ａｂ＠　＋－',
  '王東京정Жאا',
  '\ud800\udfff😀',
  '\0\u200b\ufeff\u00a0\n\t"\\',
  '0123456789()+/',
];

function randomText(next: () => number): string {
  const alphabet = alphabets[Math.floor(next() * alphabets.length)] as string;
  const mixed = next() < 0.3 ? alphabets.join('') : alphabet;
  const length = Math.floor(next() * (next() < 0.05 ? 600 : 24));
  return Array.from({ length }, () => mixed[Math.floor(next() * mixed.length)]).join('');
}

/** Numbers from 0 to 1, the same in each run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
