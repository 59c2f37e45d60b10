/** Credits: what an organisation may still have delivered by the relay. Amounts are integers, a million to a credit. */
export const creditMicro = 1_000_000;

/** Limits of credits; each is enforced. */
export const creditLimits = {
  /** Credits that are added or taken back at once. */
  atOnceMax: 1_000_000_000,
  /** What whoever adds credits may write beside them. */
  referenceChars: 100,
  /** Lines of a page at most, and without saying. */
  pageMax: 100,
  page: 25,
  /** Days of use that what is left is held against. */
  lowDays: 7,
  /** Lots that are shown, those that run out first. */
  lotsMax: 20,
} as const;
