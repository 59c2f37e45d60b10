import { z } from 'zod';

/** Retention, policy and legal holds, as the pages under Trust and the API say them. */
export const policyProfiles = ['strict', 'eu', 'uk', 'us', 'sg'] as const;
export type PolicyProfile = (typeof policyProfiles)[number];

export const holdScopes = ['everything', 'class', 'site', 'person'] as const;
export type HoldScope = (typeof holdScopes)[number];

export const windowLimits = {
  /** A hold has to be looked at again within so many days (rule R9). */
  reviewDaysMax: 90,
  /** Holds in force at once, of one organisation. */
  holdsMax: 100,
  reasonCharsMax: 500,
  ownerCharsMax: 120,
  /** Receipts on one page. */
  receiptsPage: 50,
} as const;

const moment = z.string();
const tableRows = z.object({ table: z.string(), rows: z.number(), oldest: moment.nullable() });

/** One line of the table of windows, for one organisation. */
export const windowLine = z.object({
  name: z.string(),
  class: z.string(),
  class_name: z.string(),
  holds: z.string(),
  /** In words: '25 months', or until what. */
  kept: z.string(),
  /** In the line's unit; null where it is no age. */
  size: z.number().nullable(),
  unit: z.enum(['days', 'months']).nullable(),
  from: z.enum(['ledger', 'profile', 'policy']),
  shortened_by: z.enum(['site and policy', 'policy', 'nobody']),
  ends: z.enum(['night', 'clock', 'life', 'size', 'never']),
  executor: z.string(),
  erasure: z.string(),
  of_desk: z.boolean(),
  tables: z.array(z.string()),
  /** What there is now; null where the night does not end it. */
  stored: z.object({ rows: z.number(), oldest: moment.nullable() }).nullable(),
  /** The last receipt of this line, where anything has gone yet; without its number of rows where they were the whole desk's. */
  last: z.object({ id: z.number(), at: moment, rows: z.number().nullable(), state: z.string() }).nullable(),
});
export type WindowLine = z.infer<typeof windowLine>;

export const windowsAnswer = z.object({
  lines: z.array(windowLine),
  profile: z.enum(policyProfiles),
  version: z.number(),
  profiles: z.array(z.object({ name: z.enum(policyProfiles), words: z.string() })),
  sites: z.array(z.object({ domain: z.string(), months: z.number() })),
  night: z
    .object({ day: z.string(), state: z.enum(['running', 'clean', 'red']), rows: z.number(), past_due: z.number() })
    .nullable(),
  next: moment,
});
export type WindowsAnswer = z.infer<typeof windowsAnswer>;

/** What would go tonight, by the code that would do it. */
export const previewAnswer = z.object({
  at: moment,
  lines: z.array(
    z.object({
      name: z.string(),
      class: z.string(),
      holds: z.string(),
      kept: z.string(),
      cut_off: moment,
      tables: z.array(tableRows.extend({ is_held: z.boolean() })),
      /** It could not be looked at: why, in a sentence. */
      problem: z.string().nullable(),
    }),
  ),
  holds: z.number(),
});
export type PreviewAnswer = z.infer<typeof previewAnswer>;

export const receipt = z.object({
  id: z.number(),
  night: z.string(),
  line: z.string(),
  class: z.string(),
  kept: z.string(),
  kept_from: z.string(),
  cut_off: moment,
  state: z.enum(['running', 'done', 'red', 'interrupted']),
  began_at: moment,
  ended_at: moment.nullable(),
  gone: z.array(tableRows.extend({ digest: z.string() })),
  held: z.array(z.number()),
  rows_gone: z.number(),
  rows_held: z.number(),
  rows_past_due: z.number(),
  problem: z.string().nullable(),
});
export type Receipt = z.infer<typeof receipt>;
export const receiptsAnswer = z.object({ receipts: z.array(receipt), next: z.number().nullable() });

export const policyChange = z.strictObject({
  profile: z.enum(policyProfiles),
  /** The version that the change was made from: another one's change in between is not written over. */
  from_version: z.number().int().min(0),
  /** Lines with a window shorter than the profile's, in the line's unit. */
  windows: z.record(z.string().max(40), z.number().int().min(1).max(1_200)).default({}),
});

export const hold = z.object({
  id: z.number(),
  scope: z.enum(holdScopes),
  label: z.string(),
  reason: z.string(),
  owner: z.string(),
  review_on: z.string(),
  is_review_due: z.boolean(),
  placed_at: moment,
  released_at: moment.nullable(),
  release_reason: z.string().nullable(),
});
export type Hold = z.infer<typeof hold>;
export const holdsAnswer = z.object({
  holds: z.array(hold),
  /** Those that a hold can be placed on. */
  classes: z.array(z.object({ id: z.string(), name: z.string() })),
});
export type HoldsAnswer = z.infer<typeof holdsAnswer>;

export const newHold = z.strictObject({
  scope: z.enum(holdScopes),
  /** D1 … D25, the site's domain, or the member's number; absent with `everything`. */
  of: z.string().min(1).max(255).optional(),
  reason: z.string().trim().min(1).max(windowLimits.reasonCharsMax),
  owner: z.string().trim().min(1).max(windowLimits.ownerCharsMax),
  review_on: z.iso.date(),
});
export type NewHold = z.infer<typeof newHold>;
export const holdReview = z.strictObject({ review_on: z.iso.date() });
export const holdRelease = z.strictObject({ reason: z.string().trim().min(1).max(windowLimits.reasonCharsMax) });
