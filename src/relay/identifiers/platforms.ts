import type { Rule } from './given.ts';
import { e164, googleClearFields, googleRules } from './google.ts';
import { email, metaRules } from './meta.ts';
import { microsoftEmail, pinterestRules, redditEmail } from './plain.ts';

/** What a platform takes of a person, by its own names, and how each is normalised before it is hashed. */
export interface PlatformRules {
  readonly rules: Readonly<Record<string, Rule>>;
  /** Fields that go in clear text. */
  readonly clear: readonly string[];
}

const hashedOnly = (rules: Readonly<Record<string, Rule>>): PlatformRules => ({ rules, clear: [] });

/** Under each of the names that a field goes by. */
function under(names: string, rule: Rule): Readonly<Record<string, Rule>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, rule]));
}

const externalId = metaRules.external_id;

/**
 * What the reference says of each; where it is silent the platform's own documentation, named beside it. Where a
 * platform's name for a field is not Meta's, the canonical one and Meta's are understood too.
 */
export const platforms = {
  meta: hashedOnly(metaRules),
  google: { rules: googleRules, clear: googleClearFields },
  // Reference, Other senders: hashed email, phone (+E.164), external_id.
  tiktok: hashedOnly({ ...under('email em', email), ...under('phone ph', e164), external_id: externalId }),
  // Reference, Other senders: em trimmed and lower-cased, ph digits.
  microsoft: hashedOnly({
    ...under('em email', microsoftEmail),
    ...under('ph phone', metaRules.ph),
    ...under('externalId external_id', externalId),
  }),
  linkedin: hashedOnly(under('SHA256_EMAIL email em', email)),
  pinterest: hashedOnly(pinterestRules),
  // Snap, Conversions API, Parameters: the same fields, names and examples as Meta's.
  snap: hashedOnly(metaRules),
  // Reddit Ads, Manual advanced matching: emails have a canonical form of their own. Of phones nothing was found there,
  // and none is sent.
  reddit: hashedOnly({ ...under('email em', redditEmail), external_id: externalId }),
  // X Ads API, Web conversions: emails trimmed and lower-cased, phones E.164.
  x: hashedOnly({
    ...under('hashed_email email em', email),
    ...under('hashed_phone_number phone ph', e164),
  }),
} satisfies Record<string, PlatformRules>;

export type IdentifierPlatform = keyof typeof platforms;
