import { z } from 'zod';

/** What a person's data is processed for. Each has exactly one lawful basis in each region (CON-02). */
export const processingPurposes = [
  'measurement',
  'storage_measurement',
  'identity',
  'contact_clicks',
  'ad_measurement',
  'ad_personalization',
  'account',
  'security',
  'service_mail',
  'legal_records',
  'marketing_mail',
  'optional_ai',
  'optional_analytics',
] as const;
export type ProcessingPurpose = (typeof processingPurposes)[number];

/** The regions of the table; a place that is not known counts as the first. */
export const basisRegions = ['eea', 'uk', 'ch', 'us', 'sg', 'other'] as const;
export type BasisRegion = (typeof basisRegions)[number];

/** `notice`: told before, with a way to say no. `off`: not done in this region. */
export const lawfulBases = ['contract', 'legal_obligation', 'notice', 'legitimate_interest', 'consent', 'off'] as const;
export type LawfulBasis = (typeof lawfulBases)[number];

export const basesAnswer = z.object({
  purposes: z.array(
    z.object({
      purpose: z.enum(processingPurposes),
      /** Whose data it is about: visitors of the sites, or people with an account. */
      about: z.enum(['visitors', 'accounts']),
      words: z.string(),
      bases: z.array(
        z.object({
          region: z.enum(basisRegions),
          basis: z.enum(lawfulBases),
          shipped: z.enum(lawfulBases),
          /** What it may be set to: as shipped, or stricter. */
          choices: z.array(z.enum(lawfulBases)),
          /** 0 = as shipped. */
          version: z.number().int(),
          changed_at: z.string().nullable(),
        }),
      ),
    }),
  ),
});
export type BasesAnswer = z.infer<typeof basesAnswer>;
export const basisChange = z.strictObject({
  basis: z.enum(lawfulBases),
  /** The version that was read: a change that somebody else made meanwhile is not overwritten. */
  version: z.number().int().min(0).optional(),
});

/** `withdrawn` ends what was given; `refused` was asked and not given. */
export const recordStates = ['given', 'withdrawn', 'refused'] as const;
export type RecordState = (typeof recordStates)[number];
export const recordWays = ['banner', 'form', 'page', 'mail', 'paper', 'api', 'account'] as const;

export const consentRecordLimits = { textCharsMax: 4_000, evidenceCharsMax: 8_192, page: 50, ofSubject: 200 } as const;

export const consentRecord = z.object({
  id: z.number().int(),
  /** The first 12 signs of the keyed digest by which the person is known: the same person has the same. */
  subject: z.string(),
  purpose: z.enum(processingPurposes),
  state: z.enum(recordStates),
  region: z.enum(basisRegions),
  text_version: z.string(),
  how: z.enum(recordWays),
  at: z.string(),
  /** SHA-256 over everything the record says, its text and evidence too. The audit log has the same. */
  proof: z.string(),
});
export type ConsentRecord = z.infer<typeof consentRecord>;
export const consentsAnswer = z.object({ records: z.array(consentRecord), next: z.number().int().nullable() });
export type ConsentsAnswer = z.infer<typeof consentsAnswer>;

const subject = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('email'), value: z.email().max(254) }),
  z.strictObject({ kind: z.literal('phone'), value: z.string().trim().min(5).max(40) }),
  z.strictObject({ kind: z.literal('external-id'), value: z.string().trim().min(1).max(200) }),
]);
/** Consent and its withdrawal are written by the same call, so that one is as easy as the other (DSR-10). */
export const newConsent = z.strictObject({
  subject,
  purpose: z.enum(processingPurposes),
  state: z.enum(recordStates),
  region: z.enum(basisRegions).default('eea'),
  text_version: z.string().trim().min(1).max(60),
  text: z
    .string()
    .min(1)
    .max(consentRecordLimits.textCharsMax)
    .describe('The words that were shown. Kept as a digest.'),
  how: z.enum(recordWays),
  evidence: z
    .string()
    .max(consentRecordLimits.evidenceCharsMax)
    .describe('Such as a TC string or the number of a form. Kept as a digest.')
    .optional(),
});
export const consentQuestion = z.strictObject({ subject });
export const consentsOfSubject = z.object({
  /** Newest first. */
  records: z.array(consentRecord),
  /** What holds now: the purposes whose newest record is `given`. */
  given: z.array(z.enum(processingPurposes)),
});

/** What a person with an account may agree to, and need not. */
export const ownPurposes = ['marketing_mail', 'optional_ai', 'optional_analytics'] as const;
export type OwnPurpose = (typeof ownPurposes)[number];
export const ownConsents = z.object({
  consents: z.array(
    z.object({
      purpose: z.enum(ownPurposes),
      text: z.string(),
      text_version: z.string(),
      is_given: z.boolean(),
      /** When it was last given or withdrawn; null = never asked, which is a no. */
      at: z.string().nullable(),
    }),
  ),
});
export type OwnConsents = z.infer<typeof ownConsents>;
export const ownConsentChange = z.strictObject({ is_given: z.boolean(), text_version: z.string().max(60) });
