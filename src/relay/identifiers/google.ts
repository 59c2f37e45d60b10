import type { Conversion } from '../../../contract/conversion.ts';
import { countryCode } from './countries.ts';
import { type Beside, hashed, hashedAll, isHash, normalized, type Rule } from './given.ts';
import { phoneRegion } from './meta.ts';
import { internationalDigits } from './phone.ts';

/** Emails, phones and names as SHA-256 in lower-case hexadecimal digits; region and postal code in clear text. */
export interface GoogleIdentifiers {
  emails: string[];
  phones: string[];
  /** Only when all four parts are there: Google matches no less. */
  address?: { given_name: string; family_name: string; region_code: string; postal_code: string };
}

/**
 * Rules of `reference/conversion-relay.md`, "Normalisation and hashing", which were measured with the formatter of
 * Google's data-manager utility.
 */
export const googleRules = {
  email,
  phone_with_country_code: e164,
  given_name: givenName,
  family_name: familyName,
  region_code: (text) => (/^[a-z]{2}$/i.test(text) ? text.toUpperCase() : null),
  postal_code: (text) => text,
} satisfies Record<string, Rule>;

/** What Google takes in clear text. */
export const googleClearFields: readonly string[] = [
  'region_code',
  'postal_code',
] satisfies (keyof typeof googleRules)[];

/**
 * What of a person goes to Google, normalised and hashed.
 * @param user of a conversion; `phone_country`, else `country`, is where a phone number without one is from, and
 * `country` may be a name
 */
export function googleIdentifiers(user: Conversion['user']): GoogleIdentifiers {
  if (user === undefined) return { emails: [], phones: [] };
  const address = addressOf(user);
  return {
    emails: hashedAll(user.email, googleRules.email),
    phones: user.phone === undefined ? [] : hashedAll(user.phone, e164, { region: phoneRegion(user) }),
    ...(address === undefined ? {} : { address }),
  };
}

function addressOf(user: NonNullable<Conversion['user']>): GoogleIdentifiers['address'] {
  const region_code = countryCode(user.country);
  const postal_code = user.zip === undefined ? null : normalized(user.zip, googleRules.postal_code);
  // It goes in clear text: a hash of one is none.
  if (region_code === null || postal_code === null || isHash(postal_code)) return undefined;
  const given_name = hashed(user.first_name, givenName);
  const family_name = given_name === null ? null : hashed(user.last_name, familyName);
  if (given_name === null || family_name === null) return undefined;
  return { given_name, family_name, region_code, postal_code };
}

/** E.164 begins with a country, and no country with 0. */
export function e164(text: string, beside?: Beside): string | null {
  const digits = internationalDigits(text, beside?.region);
  return digits === undefined || digits.startsWith('0') ? null : `+${digits}`;
}

/** Of Gmail alone what is after `+` and every dot are taken away; the domain stays as it is. */
function email(given: string): string | null {
  const [user = '', domain = '', more] = given.toLowerCase().split('@');
  if (user === '' || domain === '' || more !== undefined || /[\s\p{Cc}\p{Cf}]/u.test(given)) return null;
  if (domain !== 'gmail.com' && domain !== 'googlemail.com') return `${user}@${domain}`;
  const plain = user.replace(/\+.*/, '').replaceAll('.', '');
  return plain === '' ? null : `${plain}@${domain}`;
}

function givenName(text: string): string | null {
  return text
    .toLowerCase()
    .replace(/^(?:mr|mrs|ms|dr)\.(?:\s+|$)/, '')
    .trim();
}

function familyName(text: string): string | null {
  const suffix = /(?:,\s*|\s+)(?:jr\.?|sr\.?|2nd|3rd|ii|iii|iv|v|vi|cpa|dc|dds|vm|jd|md|phd)\s?$/;
  let rest = text.toLowerCase();
  while (suffix.test(rest)) rest = rest.replace(suffix, '');
  return rest.trim();
}
