import { z } from 'zod';

/** Requests of data subjects, as the page under Trust and the API say them. */
export const requestKinds = ['access', 'portability', 'rectification', 'erasure', 'restriction', 'objection'] as const;
export type RequestKind = (typeof requestKinds)[number];
export const requestStates = ['received', 'checked', 'working', 'answered', 'refused'] as const;
export type RequestState = (typeof requestStates)[number];
/** How it was made sure that who asks is who they say. */
export const identityChecks = ['mailbox', 'called-back', 'signed-in', 'document-seen'] as const;

export const requestLimits = {
  /** A reminder goes out so many days after the request came. */
  warnAfterDays: 21,
  dueDays: 30,
  /** An extension ends at most so many months after the day that the request was due by (GDPR, article 12). */
  extensionMonthsMax: 2,
  /** A request may be entered so many days after it came, and not before that it came. */
  enteredAfterDaysMax: 60,
  wordsCharsMax: 1_000,
  /** Requests on one page. */
  page: 50,
} as const;

const moment = z.string();
const shownRequest = z.object({
  id: z.number(),
  kind: z.enum(requestKinds),
  state: z.enum(requestStates),
  received_on: z.string(),
  due_on: z.string(),
  /** Whole days until the end of the day that it is due by; below zero when that is over. */
  days_left: z.number(),
  is_extended: z.boolean(),
  /** It is about somebody under 18: due within 72 hours. */
  is_minor: z.boolean(),
  closed_at: moment.nullable(),
});
export type SubjectRequest = z.infer<typeof shownRequest>;
export const requestsAnswer = z.object({
  requests: z.array(shownRequest),
  /** How many are open, and how many of those are past their day. */
  open: z.number(),
  overdue: z.number(),
  next: z.number().nullable(),
});
export type RequestsAnswer = z.infer<typeof requestsAnswer>;

const rows = z.object({ table: z.string(), class: z.string(), rows: z.number() });
/** What became of an erasure: its steps in their order, and its receipts. */
export const erasure = z.object({
  /** `partial`: something was kept, and why stands beside it. `failed`: something was left after three tries. */
  state: z.enum(['running', 'done', 'partial', 'failed']),
  began_at: moment,
  ended_at: moment.nullable(),
  steps: z.array(
    z.object({
      name: z.string(),
      what: z.string(),
      state: z.enum(['waiting', 'done', 'held']),
      found: z.array(rows),
      gone: z.array(rows.extend({ how: z.string() })),
      kept: z.array(rows.extend({ why: z.string() })),
      done_at: moment.nullable(),
    }),
  ),
  receipts: z.array(z.object({ number: z.number(), written_at: moment })),
});
export type Erasure = z.infer<typeof erasure>;
/** A receipt as it was signed: whoever has the public key of the trail checks the signature over exactly this text. */
export const signedReceipt = z.object({ receipt: z.string(), signature: z.string(), public_key: z.string() });

export const requestDetail = shownRequest.extend({
  /** Of whom. All are gone once the request is closed: then the subject is a keyed digest only. */
  email: z.string().nullable(),
  phone: z.string().nullable(),
  external_id: z.string().nullable(),
  entered_at: moment,
  checked_at: moment.nullable(),
  check: z.enum(identityChecks).nullable(),
  began_at: moment.nullable(),
  extension_reason: z.string().nullable(),
  /** What was answered, or why it was refused. */
  outcome: z.string().nullable(),
  /** Other requests of this organisation by the same address, number or id. */
  others: z.array(z.number()),
  erasure: erasure.nullable(),
  /** The copy of what is stored about them, until it expires. */
  archive: z.object({ records: z.number(), bytes: z.number(), made_at: moment, expires_at: moment }).nullable(),
});
export type RequestDetail = z.infer<typeof requestDetail>;

export const newRequest = z.strictObject({
  kind: z.enum(requestKinds),
  received_on: z.iso.date(),
  /** At least one of the three. */
  email: z.email().max(254).optional(),
  phone: z
    .string()
    .trim()
    .regex(/^\+?[0-9 ()./-]{5,40}$/)
    .optional(),
  external_id: z.string().trim().min(1).max(200).optional(),
});
const words = z.string().trim().min(1).max(requestLimits.wordsCharsMax);
export const requestStep = z.discriminatedUnion('to', [
  z.strictObject({ to: z.literal('checked'), check: z.enum(identityChecks) }),
  z.strictObject({ to: z.literal('working') }),
  z.strictObject({ to: z.literal('answered'), outcome: words }),
  z.strictObject({ to: z.literal('refused'), outcome: words }),
]);
export type RequestStep = z.infer<typeof requestStep>;
export const requestExtension = z.strictObject({ until: z.iso.date(), reason: words });
