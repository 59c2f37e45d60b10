import {
  type ConsentState,
  consentLimits,
  type SignalledPurpose,
  signalledPurposes,
} from '../../../contract/consent.ts';

export type ConsentModeAnswers = Readonly<Record<SignalledPurpose, ConsentState>>;

/** `G1` and one sign each for the storage of advertising and of analytics: 1 yes, 0 no, - nobody asked. */
const gcsPattern = /^G1([01-])([01-])$/;
const bySign: Readonly<Record<string, ConsentState>> = { '1': 'granted', '0': 'denied', '-': 'not_asked' };

/** A digit, then a letter for each signal with a digit between them; newer texts go on behind that. */
const gcdPattern = /^1\d([a-z])\d([a-z])\d([a-z])\d([a-z])\d[0-9a-zA-Z]{0,24}$/;
/**
 * A letter says what was the default and what the person answered later, which is what counts: l nothing at all, p no by
 * default, q no twice, t yes by default, r no then yes, m no without a default, n yes without one, u yes then no, v yes twice.
 */
const byLetter: Readonly<Record<string, ConsentState>> = {
  ...{ l: 'not_asked', p: 'denied', q: 'denied', m: 'denied', u: 'denied' },
  ...{ t: 'granted', r: 'granted', n: 'granted', v: 'granted' },
};

/** Reads `gcs`; undefined for what is none. */
export function readGcs(text: string): ConsentModeAnswers | undefined {
  const [, ads, analytics] = gcsPattern.exec(text) ?? [];
  if (ads === undefined || analytics === undefined) return undefined;
  return {
    analytics_storage: bySign[analytics] as ConsentState,
    ad_storage: bySign[ads] as ConsentState,
    ad_user_data: 'not_asked',
    ad_personalization: 'not_asked',
  };
}

/** Reads `gcd`, whose order is storage of advertising, of analytics, user data, personalization; undefined for what is none. */
export function readGcd(text: string): ConsentModeAnswers | undefined {
  if (text.length > consentLimits.gcCharsMax) return undefined;
  const letters = gcdPattern.exec(text)?.slice(1);
  const [ads, analytics, userData, personalization] = letters?.map((letter) => byLetter[letter]) ?? [];
  if (ads === undefined || analytics === undefined || userData === undefined || personalization === undefined)
    return undefined;
  return {
    analytics_storage: analytics,
    ad_storage: ads,
    ad_user_data: userData,
    ad_personalization: personalization,
  };
}

/** What several texts say of one purpose: a no of any of them, else a yes of any of them. */
export function strictest(states: readonly ConsentState[]): ConsentState {
  if (states.includes('denied')) return 'denied';
  return states.includes('granted') ? 'granted' : 'not_asked';
}

export const nothingAnswered: ConsentModeAnswers = {
  analytics_storage: 'not_asked',
  ad_storage: 'not_asked',
  ad_user_data: 'not_asked',
  ad_personalization: 'not_asked',
};

export function together(all: readonly ConsentModeAnswers[]): ConsentModeAnswers {
  const answers = { ...nothingAnswered } as Record<SignalledPurpose, ConsentState>;
  for (const purpose of signalledPurposes) answers[purpose] = strictest(all.map((one) => one[purpose]));
  return answers;
}
