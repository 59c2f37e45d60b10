import type { Rule } from './given.ts';
import { e164, googleClearFields, googleRules } from './google.ts';
import { email, metaRules } from './meta.ts';
import { redditEmail } from './plain.ts';

/** What a platform takes of a person, by its own names, and how each is normalised before it is hashed. */
export interface PlatformRules {
  readonly rules: Readonly<Record<string, Rule>>;
  /** Fields that go in clear text. */
  readonly clear: readonly string[];
}

const hashedOnly = (rules: Readonly<Record<string, Rule>>): PlatformRules => ({ rules, clear: [] });

/** What the reference says of each; where it is silent the platform's own documentation, named beside it. */
export const platforms = {
  meta: hashedOnly(metaRules),
  google: { rules: googleRules, clear: googleClearFields },
  // Reference, Other senders: hashed email, phone (+E.164), external_id.
  tiktok: hashedOnly({ email, phone: e164, external_id: metaRules.external_id }),
  // Reference, Other senders: em trimmed and lower-cased, ph digits.
  microsoft: hashedOnly({ em: email, ph: metaRules.ph }),
  linkedin: hashedOnly({ SHA256_EMAIL: email }),
  // Pinterest, API v5, ConversionEventsUserData: as Meta's, with digits alone in a postal code and a third gender.
  pinterest: hashedOnly({
    ...metaRules,
    zp: (text) => text.normalize('NFKC').replace(/\D/g, ''),
    ge: (text) => (/^(?:n|non-?binary)$/i.test(text) ? 'n' : metaRules.ge(text)),
  }),
  // Snap, Conversions API, Parameters: the same fields, names and examples as Meta's.
  snap: hashedOnly(metaRules),
  // Reddit Ads, Manual advanced matching: emails have a canonical form of their own.
  reddit: hashedOnly({ email: redditEmail, phone_number: e164, external_id: metaRules.external_id }),
  // X Ads API, Web conversions: emails trimmed and lower-cased, phones E.164.
  x: hashedOnly({ hashed_email: email, hashed_phone_number: e164 }),
} satisfies Record<string, PlatformRules>;

export type IdentifierPlatform = keyof typeof platforms;
