import { z } from 'zod';

/** Requests of data subjects, as the page under Trust and the API say them. */
export const requestKinds = ['access', 'portability', 'rectification', 'erasure', 'restriction', 'objection'] as const;
export type RequestKind = (typeof requestKinds)[number];
export const requestStates = ['received', 'checked', 'working', 'answered', 'refused'] as const;
export type RequestState = (typeof requestStates)[number];
/** How it was made sure that who asks is who they say. */
export const identityChecks = [
  'mailbox',
  'called-back',
  'signed-in',
  'document-seen',
  'other-system',
  'permission-seen',
] as const;

/** How a request reaches an organisation outside of the desk; one of the public form and one of another program say so by themselves. */
const waysOutside = ['mail', 'phone', 'letter', 'in-person'] as const;
const requestWays = ['form', 'program', ...waysOutside] as const;
export type RequestWay = (typeof requestWays)[number];

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
  /** Who is told by a letter that a restriction ends has so many days to say something. */
  liftNoticeDays: 3,
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
  /** A restriction or an objection that is in force: it may be answered and go on. */
  is_in_force: z.boolean(),
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
/** What a search of the files of the desk found of somebody, byte for byte, after their erasure. */
export const fileScan = z.object({
  files: z.number(),
  bytes: z.number(),
  found: z.array(z.object({ what: z.string(), file: z.string() })),
  /** Packed or sealed ones that were looked into; absent in receipts of before it was done. */
  opened: z.number().optional(),
  /** Sealed ones that were not opened: of another organisation, or not whole yet. */
  sealed: z.number(),
  /** Packed ones that were not unpacked, or not all of them: values in them are seen only where they lie plain. */
  packed: z.number(),
  /** Packed or sealed ones that were not looked through to their end, because that would have taken too long. */
  cut: z.number().optional(),
  /** Files of the organisation that a legal hold keeps, with them in it; absent in receipts of before they were told apart. */
  held: z.number().optional(),
  /** Files that could not be read. */
  unread: z.number(),
  /** Identifiers of so few signs that they are in everything. */
  unsearched: z.number(),
});
export type FileScan = z.infer<typeof fileScan>;

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
  /** Of the last receipt; null before the first, and in those of before it was searched. */
  files: fileScan.nullable(),
  /** Backups that were made before it ended, and the day by which the last of them is gone. */
  backups: z.object({ backups: z.number(), gone_by: z.string().nullable() }).nullable(),
});
export type Erasure = z.infer<typeof erasure>;
export const correctionFields = ['name', 'email', 'external-id', 'picture'] as const;
/** What was done for a request other than an erasure, each with its signed receipt; the last one first. */
const measure = z.object({
  number: z.number(),
  does: z.enum(['corrected', 'restricted', 'lifted']),
  written_at: moment,
  systems: z.array(
    z.object({
      system: z.string(),
      what: z.string(),
      found: z.array(rows),
      /** Which fields were put right, and whether there was another value before. */
      changed: z.array(rows.extend({ field: z.enum(correctionFields), before: z.enum(['another', 'none']) })),
      kept: z.array(rows.extend({ why: z.string() })),
      /** What becomes of it from now on. */
      from_now_on: z.string().nullable(),
    }),
  ),
});
export type Measure = z.infer<typeof measure>;
/** A restriction or an objection: what is stored stays and is not used, until it ends. */
const restriction = z.object({
  began_at: moment,
  ended_at: moment.nullable(),
  /** Its end, once it is announced. Whoever asked is told before (GDPR, article 18(3)). */
  ending: z
    .object({
      why: z.string(),
      told: z.enum(['mail', 'by-hand']),
      told_at: moment,
      lifts_at: moment,
      /** `waiting`: it goes on until the letter has left. `failed`: they have to be told in another way. */
      letter: z.enum(['waiting', 'left', 'failed']).nullable(),
    })
    .nullable(),
  /** Is there an address that a letter can go to? */
  has_address: z.boolean(),
});
export type Restriction = z.infer<typeof restriction>;

/** A receipt as it was signed: whoever has the public key of the trail checks the signature over exactly this text. */
export const signedReceipt = z.object({ receipt: z.string(), signature: z.string(), public_key: z.string() });

/** A system that handed a request in and is told how far it is. */
const callback = z.object({
  host: z.string(),
  /** The state that it knows. */
  told_status: z.enum(['pending', 'in_progress', 'completed', 'cancelled']),
  /** When it took the last call; null before the first. */
  told_at: moment.nullable(),
  /** The state that it is being told, and how often that was tried. */
  trying: z.string().nullable(),
  tries: z.number(),
  /** Why the last try did not succeed, a word; null after one that did. */
  problem: z.string().nullable(),
  /** When it is tried again; null where nothing is tried any more. */
  next_at: moment.nullable(),
});
export type RequestCallback = z.infer<typeof callback>;

export const requestDetail = shownRequest.extend({
  /** Of whom. All are gone once the request is closed: then the subject is a keyed digest only. */
  email: z.string().nullable(),
  phone: z.string().nullable(),
  external_id: z.string().nullable(),
  /** Who asks for them, as their authorised agent; null where they ask themselves. */
  agent: z.string().nullable(),
  /** By which way it came; null where nobody said. */
  came_by: z.enum(requestWays).nullable(),
  entered_at: moment,
  checked_at: moment.nullable(),
  check: z.enum(identityChecks).nullable(),
  began_at: moment.nullable(),
  extension_reason: z.string().nullable(),
  /** What was answered, or why it was refused. */
  outcome: z.string().nullable(),
  /** When the letter with it was put into the outbox; null where they are told in another way. */
  letter_at: moment.nullable(),
  /** Other requests of this organisation by the same address, number or id. */
  others: z.array(z.number()),
  erasure: erasure.nullable(),
  measures: z.array(measure),
  /** In force or over; null where none was begun. */
  restriction: restriction.nullable(),
  /** The copy of what is stored about them, until it expires. */
  archive: z.object({ records: z.number(), bytes: z.number(), made_at: moment, expires_at: moment }).nullable(),
  callbacks: z.array(callback),
});
export type RequestDetail = z.infer<typeof requestDetail>;

export const newRequest = z.strictObject({
  kind: z.enum(requestKinds),
  received_on: z.iso.date(),
  /** By which way it came. */
  came_by: z.enum(waysOutside).optional(),
  /** At least one of the three. */
  email: z.email().max(254).optional(),
  phone: z
    .string()
    .trim()
    .regex(/^\+?[0-9 ()./-]{5,40}$/)
    .optional(),
  external_id: z.string().trim().min(1).max(200).optional(),
  /** Who asks for them, as their authorised agent. */
  agent: z.string().trim().min(1).max(120).optional(),
});
const words = z.string().trim().min(1).max(requestLimits.wordsCharsMax);
/** `letter`: is the outcome mailed to who asked? Where it is not said, yes, if it is sure who asks and a letter can go out. */
export const requestStep = z.discriminatedUnion('to', [
  z.strictObject({ to: z.literal('checked'), check: z.enum(identityChecks) }),
  z.strictObject({ to: z.literal('working') }),
  z.strictObject({ to: z.literal('answered'), outcome: words, letter: z.boolean().optional() }),
  z.strictObject({ to: z.literal('refused'), outcome: words, letter: z.boolean().optional() }),
]);
export type RequestStep = z.infer<typeof requestStep>;
/** What is right. Nothing else of a person can be said here. */
export const requestCorrections = z.strictObject({
  corrections: z
    .array(
      z.discriminatedUnion('field', [
        z.strictObject({ field: z.literal('name'), value: z.string().trim().min(1).max(120) }),
        z.strictObject({ field: z.literal('email'), value: z.email().max(254) }),
        z.strictObject({ field: z.literal('external-id'), value: z.string().trim().min(1).max(200) }),
        z.strictObject({ field: z.literal('picture'), value: z.url({ protocol: /^https$/ }).max(2_000) }),
      ]),
    )
    .min(1)
    .max(4),
});
export const restrictionStep = z.discriminatedUnion('to', [
  /** Begins it; or takes back that it is to end. */
  z.strictObject({ to: z.literal('in-force') }),
  z.strictObject({ to: z.literal('ending'), why: words, told: z.enum(['mail', 'by-hand']) }),
]);
export const requestExtension = z.strictObject({ until: z.iso.date(), reason: words });
