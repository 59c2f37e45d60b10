import { z } from 'zod';

/** Documents that are made from what the desk stores and whom it calls, as the pages under Trust and the API say them. */
export const paperKinds = [
  'privacy-notice',
  'cookies',
  'retention',
  'record-of-processing',
  'processing-agreement',
  'data-map',
] as const;
export type PaperKind = (typeof paperKinds)[number];

export const paperNames: Readonly<Record<PaperKind, string>> = {
  'privacy-notice': 'Privacy notice',
  cookies: 'Cookies and consent',
  retention: 'Processing and retention',
  'record-of-processing': 'Record of processing',
  'processing-agreement': 'Processing agreement',
  'data-map': 'Data map',
};

export const identityLimits = {
  legal_name: 200,
  address: 500,
  jurisdiction: 120,
  registration: 300,
  contact: 300,
  officer: 300,
  representative: 300,
  authority: 300,
  measuring_basis: 1_000,
} as const;

/** One or more lines of words; empty is not stated. */
const said = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused, but for line breaks.
    .regex(/^[^\u0000-\u0009\u000b-\u001f\u007f]*$/, 'it has control characters')
    .transform((words) => (words === '' ? null : words));

const party = {
  legal_name: said(identityLimits.legal_name),
  address: said(identityLimits.address),
  jurisdiction: said(identityLimits.jurisdiction),
  registration: said(identityLimits.registration),
  contact: said(identityLimits.contact),
  officer: said(identityLimits.officer),
  representative: said(identityLimits.representative),
  authority: said(identityLimits.authority),
};
export const operatorIdentity = z.strictObject(party);
export const organisationIdentity = z.strictObject({ ...party, measuring_basis: said(identityLimits.measuring_basis) });

const words = z.string().nullable();
const partyAnswer = {
  ...{ legal_name: words, address: words, jurisdiction: words, registration: words },
  ...{ contact: words, officer: words, representative: words, authority: words },
};
export const operatorIdentityAnswer = z.object({ ...partyAnswer, version: z.number(), changed_at: words });
export type OperatorIdentity = z.infer<typeof operatorIdentityAnswer>;
export const identityAnswer = z.object({
  organisation: z.object({ ...partyAnswer, measuring_basis: words, version: z.number(), changed_at: words }),
  operator: operatorIdentityAnswer,
});
export type IdentityAnswer = z.infer<typeof identityAnswer>;

const moment = z.string();
const day = z.string();
const version = z.object({
  version: z.number(),
  effective_on: day,
  is_material: z.boolean(),
  published_at: moment,
  published_by: z.number(),
  reviewed_at: moment,
  reviewed_by: z.number(),
  /** How many members were told of it. */
  told: z.number(),
  /** Where anybody reads it. */
  path: z.string(),
});
export type PaperVersion = z.infer<typeof version>;

/** `draft`: its words were read by nobody yet; `reviewed`: they were, and are not published; `published`: they are. */
export const paperStates = ['draft', 'reviewed', 'published'] as const;
const summary = z.object({
  kind: z.enum(paperKinds),
  name: z.string(),
  state: z.enum(paperStates),
  /** Missing facts, as ends of a sentence: "the address of the organisation". */
  gaps: z.array(z.string()),
  /** Of its words as they are now. */
  digest: z.string(),
  review: z.object({ at: moment, by: z.number() }).nullable(),
  /** The newest version. */
  newest: version.nullable(),
  /** Lines that are not in the newest version, and those that only it has. */
  changed: z.object({ added: z.number(), removed: z.number() }),
});
export type PaperSummary = z.infer<typeof summary>;
export const papersAnswer = z.object({
  papers: z.array(summary),
  /** Where the public pages of the organisation begin. */
  path: z.string(),
  acceptance: z.object({ version: z.number(), at: moment, by: z.number() }).nullable(),
});
export type PapersAnswer = z.infer<typeof papersAnswer>;

const block = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), words: z.string() }),
  z.object({ kind: z.literal('list'), items: z.array(z.string()) }),
  z.object({ kind: z.literal('table'), head: z.array(z.string()), rows: z.array(z.array(z.string())) }),
  z.object({ kind: z.literal('picture'), svg: z.string(), lines: z.array(z.string()) }),
]);
export type PaperBlock = z.infer<typeof block>;
export const paperAnswer = summary.extend({
  title: z.string(),
  sections: z.array(z.object({ title: z.string(), blocks: z.array(block) })),
  /** Against the newest version: the lines that differ, with those around them. Empty where there is none. */
  diff: z.array(z.object({ sign: z.enum(['+', '-', ' ']), line: z.string() })),
  /** Why a change of it cannot be called editorial: a fact is another one. */
  has_changed_facts: z.boolean(),
  versions: z.array(version),
});
export type PaperAnswer = z.infer<typeof paperAnswer>;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
export const paperReview = z.strictObject({ digest });
export const paperPublication = z.strictObject({
  digest,
  effective_on: z.iso.date(),
  /** False for a change of words alone, of which nobody is told. */
  is_material: z.boolean().default(true),
});
export const agreementAcceptance = z.strictObject({ version: z.number().int().positive() });

/** Days between an announcement and the day on which a further receiver takes effect. */
export const noticeDays = 14;
const listed = z.object({
  version: z.number(),
  effective_on: day,
  published_at: moment,
  added: z.array(z.string()),
  removed: z.array(z.string()),
  /** How many members of this organisation were told. */
  told: z.number(),
  path: z.string(),
});
export const receiverListsAnswer = z.object({
  lists: z.array(listed),
  /** What the register says and the newest list does not. */
  unannounced: z.object({ added: z.array(z.string()), removed: z.array(z.string()), changed: z.array(z.string()) }),
  /** The first day that a list of the register as it is now may take effect. */
  earliest: day,
  /** Rows of the register about which something is not stated yet. */
  incomplete: z.array(z.string()),
});
export type ReceiverListsAnswer = z.infer<typeof receiverListsAnswer>;
export const newReceiverList = z.strictObject({ effective_on: z.iso.date() });
