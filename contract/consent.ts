/**
 * The closed lists of consent. A person's answer is about a purpose, comes from a source and counts in a region; what
 * an event carries of it is one snapshot (docs/guides/consent.md).
 */

/** The purposes that a visitor's browser can speak about: the four signals of Consent Mode v2, in this order. */
export const signalledPurposes = ['analytics_storage', 'ad_storage', 'ad_user_data', 'ad_personalization'] as const;
export type SignalledPurpose = (typeof signalledPurposes)[number];

export const consentStates = ['granted', 'denied', 'not_asked'] as const;
export type ConsentState = (typeof consentStates)[number];

/** `unknown`: the place of the address is not known; it counts as a consent region. */
export const regions = ['eea', 'uk', 'ch', 'us', 'sg', 'other', 'unknown'] as const;
export type Region = (typeof regions)[number];

/** Where nothing may happen before a yes: silence and what cannot be read are a no there (CON-05). */
export const consentRegions: readonly Region[] = ['eea', 'uk', 'ch', 'unknown'];

/** What an answer was read from. */
export const consentSignals = ['tcf', 'gpp', 'consent_mode', 'gpc', 'dnt'] as const;
export type ConsentSignal = (typeof consentSignals)[number];

/** `region`: nobody answered, and the region makes that a no. `none`: nobody answered, and nothing follows from it. */
export type ConsentSource = ConsentSignal | 'region' | 'none';

export type ConsentAnswer = { readonly state: ConsentState; readonly source: ConsentSource };

export type ConsentSnapshot = {
  readonly region: Region;
  readonly isConsentRegion: boolean;
  readonly answers: Readonly<Record<SignalledPurpose, ConsentAnswer>>;
  /** The signals that were there: `read`, or `unreadable`. */
  readonly signals: Readonly<Partial<Record<ConsentSignal, 'read' | 'unreadable'>>>;
};

/** The longest signals that are read; a longer one is unreadable. A TC string with every vendor of 2026 has about 1,500. */
export const consentLimits = { tcCharsMax: 8_192, gppCharsMax: 16_384, gcCharsMax: 64 } as const;
