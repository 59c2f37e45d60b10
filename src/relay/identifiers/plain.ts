import type { Conversion } from '../../../contract/conversion.ts';
import { hashedAll, isAscii, type Rule } from './given.ts';
import { e164 } from './google.ts';
import { email, type MetaIdentifiers, metaIdentifiers, metaRules, phoneRegion } from './meta.ts';

type User = Conversion['user'];

/**
 * SHA-256 of emails, trimmed and in lower case, as TikTok, LinkedIn, Pinterest, Snap and X want them; what is no address
 * is left out. Each once.
 * @param rule another way, such as `redditEmail`
 */
export function hashedEmails(user: User, rule: Rule = email): string[] {
  return hashedAll(user?.email, rule);
}

/**
 * SHA-256 of phone numbers with their country.
 * @param form `e164` with `+` (TikTok, X), `digits` without (Microsoft, Pinterest, Snap)
 */
export function hashedPhones(user: User, form: 'e164' | 'digits'): string[] {
  if (user?.phone === undefined) return [];
  return hashedAll(user.phone, form === 'e164' ? e164 : metaRules.ph, { region: phoneRegion(user) });
}

/** SHA-256 of the ids a business has for a person, without white space and in lower case. */
export function hashedExternalIds(user: User): string[] {
  return hashedAll(user?.external_id, metaRules.external_id);
}

/**
 * Microsoft wants them trimmed and in lower case, and says no more of it (reference, Other senders): what has one `@`,
 * something on both sides and no space is one, in whatever letters.
 */
export function microsoftEmail(given: string): string | null {
  return /^[^\s@\p{Cc}\p{Cf}]+@[^\s@\p{Cc}\p{Cf}]+$/u.test(given) ? given.toLowerCase() : null;
}

/**
 * Reddit canonicalises before it hashes (Reddit Ads documentation, "Manual advanced matching"): lower case, nothing
 * from the first `+` to the end of the user name, and letters and digits alone in what is left of it. All domains alike.
 */
export function redditEmail(given: string): string | null {
  const text = email(given);
  if (text === null || !isAscii(text)) return null;
  const at = text.lastIndexOf('@');
  const user = text
    .slice(0, at)
    .replace(/\+.*/, '')
    .replace(/[^a-z0-9]/g, '');
  return user === '' ? null : user + text.slice(at);
}

/**
 * Pinterest takes Meta's fields (API v5, ConversionEventsUserData), with digits alone in a postal code and `n` for a
 * gender that is neither.
 */
export const pinterestRules: Readonly<Record<keyof MetaIdentifiers, Rule>> = {
  ...metaRules,
  zp: (text) => text.normalize('NFKC').replace(/\D/g, ''),
  ge: (text) => (/^(?:n|non-?binary)$/i.test(text) ? 'n' : metaRules.ge(text)),
};

/** What of a person goes to Pinterest, normalised and hashed. @param year the year it is */
export function pinterestIdentifiers(user: User, year?: number): MetaIdentifiers {
  return metaIdentifiers(user, year, pinterestRules);
}
