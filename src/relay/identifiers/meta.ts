import type { Conversion } from '../../../contract/conversion.ts';
import { birthDate } from './birth_date.ts';
import { countryCode } from './countries.ts';
import { hashed, hashedAll, type Rule } from './given.ts';
import { internationalDigits } from './phone.ts';
import { stateCode } from './states.ts';

/** SHA-256 in lower-case hexadecimal digits, by Meta's names. What is left out has no key. */
export interface MetaIdentifiers {
  em?: string[];
  ph?: string[];
  fn?: string;
  ln?: string;
  ct?: string;
  st?: string;
  zp?: string;
  country?: string;
  db?: string;
  ge?: string;
  external_id?: string[];
}

/**
 * Rules of `reference/conversion-relay.md`, "Normalisation and hashing", which were measured with Meta's
 * capi-param-builder. Where that one is silent or plainly wrong: dates that do not exist are left out, `UK` is `gb`,
 * accents do not keep a country or a Canadian province from its code, and the longest name of a state wins.
 */
export const metaRules: MetaRules = {
  em: email,
  ph: (text, beside) => internationalDigits(text, beside?.region)?.replace(/^0+/, '') ?? null,
  fn: name,
  ln: name,
  ct: city,
  st: stateCode,
  zp: zip,
  country: (text) => countryCode(text)?.toLowerCase() ?? null,
  db: (text, beside) => birthDate(text, beside?.year),
  ge: gender,
  external_id: (text) => text.replace(/\s+/g, '').toLowerCase(),
};
type MetaRules = Readonly<Record<keyof MetaIdentifiers, Rule>>;

/**
 * What of a person goes to Meta, normalised and hashed.
 * @param user of a conversion; `phone_country`, else `country`, is where a phone number without one is from
 * @param year the year it is, such as that of the conversion: dates of birth after it are left out
 * @param rules of a platform that takes the same fields in another form
 */
export function metaIdentifiers(
  user: Conversion['user'],
  year?: number,
  rules: MetaRules = metaRules,
): MetaIdentifiers {
  const made: MetaIdentifiers = {};
  if (user === undefined) return made;
  keepAll(made, 'em', hashedAll(user.email, rules.em));
  if (user.phone !== undefined) keepAll(made, 'ph', hashedAll(user.phone, rules.ph, { region: phoneRegion(user) }));
  keep(made, 'fn', hashed(user.first_name, rules.fn));
  keep(made, 'ln', hashed(user.last_name, rules.ln));
  keep(made, 'ct', hashed(user.city, rules.ct));
  keep(made, 'st', hashed(user.state, rules.st));
  keep(made, 'zp', hashed(user.zip, rules.zp));
  keep(made, 'country', hashed(user.country, rules.country));
  keep(made, 'db', hashed(user.date_of_birth, rules.db, { year }));
  keep(made, 'ge', hashed(user.gender, rules.ge));
  keepAll(made, 'external_id', hashedAll(user.external_id, rules.external_id));
  return made;
}

/** Where a phone number without a country is from: `phone_country`, else `country`; both may be names. */
export function phoneRegion(user: NonNullable<Conversion['user']>): string | undefined {
  return countryCode(user.phone_country) ?? countryCode(user.country) ?? undefined;
}

/** RFC 5321: what a path has room for. */
const emailCharsMax = 254;

/** Dots and `+tag` are kept. The check is that of RFC 5322's plain addresses, with a name of two labels or more. */
export function email(given: string): string | null {
  const text = given.toLowerCase();
  if (text.length > emailCharsMax) return null;
  return /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(
    text,
  )
    ? text
    : null;
}

/** White space and ASCII punctuation fall off; letters of any script stay. */
function name(text: string): string | null {
  return text.toLowerCase().replace(/[\s!-/:-@[-`{-~]+/g, '');
}

/** Letters a to z and digits alone, so that accented letters vanish, as in Meta's builder. */
function city(text: string): string | null {
  const letters = text.toLowerCase().replace(/[^a-z0-9]+/g, '');
  return /^[a-z]/.test(letters) ? letters : null;
}

function zip(text: string): string | null {
  const first = (text.normalize('NFKC').toLowerCase().split('-', 1)[0] ?? '').trim();
  return first.length < 2 ? null : first;
}

const male = new Set('m,male,man,boy,mr,mister,sir,gentleman,he,him,his,father,son,brother,husband,groom'.split(','));
const female = new Set(
  'f,female,woman,girl,mrs,ms,miss,madam,lady,she,her,hers,mother,daughter,sister,wife,bride'.split(','),
);

function gender(text: string): string | null {
  const word = text.toLowerCase().replace(/\.$/, '');
  if (male.has(word)) return 'm';
  return female.has(word) ? 'f' : null;
}

type Single = 'fn' | 'ln' | 'ct' | 'st' | 'zp' | 'country' | 'db' | 'ge';

function keep(made: MetaIdentifiers, field: Single, hash: string | null): void {
  if (hash !== null) made[field] = hash;
}

function keepAll(made: MetaIdentifiers, field: 'em' | 'ph' | 'external_id', hashes: string[]): void {
  if (hashes.length > 0) made[field] = hashes;
}
