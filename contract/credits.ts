import { z } from 'zod';
import { creditLimits } from './credit_unit.ts';
import { relayPeriods } from './relay_asked.ts';
import { relaySpan } from './relay_reading.ts';

export { creditLimits, creditMicro } from './credit_unit.ts';

/** Credits: what is left of them, what was used, and the lines of their ledger. */
export const creditAccounts = ['available', 'reserved', 'consumed', 'expired', 'granted', 'refunded'] as const;
export type CreditAccount = (typeof creditAccounts)[number];
export const creditKinds = [
  ...(['grant', 'withdrawal', 'reserve', 'charge', 'release', 'expiry', 'refund', 'carried'] as const),
] as const;
export type CreditKind = (typeof creditKinds)[number];

const micro = z.number().int().describe('Millionths of a credit.');
const id = z.number().int();
const cursor = z.coerce
  .number()
  .int()
  .positive()
  .max(2 ** 53 - 1)
  .optional()
  .describe('`next` of the page before.');
const limit = z.coerce.number().int().min(1).max(creditLimits.pageMax).default(creditLimits.page);

export const creditsQuestion = z.strictObject({
  period: z.enum(relayPeriods).default('30d').describe('Days of the organisation’s zone, today being one of them.'),
});

const used = z.object({
  destination_id: id,
  /** What its deliveries have cost, by day. */
  by_day: z.array(micro),
  consumed: micro,
  deliveries: z.number().int(),
  refunded: micro,
});
/** What was used, and what is left. */
export const creditsAnswer = z.object({
  is_on: z.boolean().describe('False: sending costs nothing on this desk. What is there is of before.'),
  state: z.enum(['well', 'low', 'out']).describe('`low`: less is left than the last seven days have used.'),
  balance: z
    .record(z.enum(creditAccounts), micro)
    .describe('`granted` and `refunded` as what was given, above nothing.'),
  used_last_days: micro.describe('In the last seven days.'),
  lots: z
    .array(z.object({ id, amount: micro, remaining: micro, added_at: z.string(), expires_at: z.string().nullable() }))
    .describe('What is left, in the order in which it is used.'),
  span: relaySpan,
  days: z.array(z.string()).describe('ISO days, the oldest first.'),
  destinations: z.array(used).describe('Those that used most first.'),
});
export type Credits = z.infer<typeof creditsAnswer>;

export const creditTransfersQuestion = z.strictObject({
  kind: z.enum(creditKinds).optional(),
  /** What was held for deliveries and let go is not shown unless it is asked for. */
  holds: z.enum(['yes', 'no']).default('no'),
  cursor,
  limit,
});
export const creditTransfer = z.object({
  id,
  kind: z.enum(creditKinds),
  at: z.string(),
  destination_id: id.nullable(),
  deliveries: z.number().int().nullable(),
  reference: z.string().nullable(),
  change: micro.describe('What it did to what is there: available and reserved together.'),
  lines: z.array(z.object({ account: z.enum(creditAccounts), amount: micro })).describe('They sum to nothing.'),
});
export type CreditTransfer = z.infer<typeof creditTransfer>;
export const creditTransfersPage = z.object({ transfers: z.array(creditTransfer), next: id.nullable() });
export type CreditTransfersPage = z.infer<typeof creditTransfersPage>;

export const creditTransferQuestion = z.strictObject({ cursor, limit });
/** One transfer with the deliveries that it is for. */
export const creditTransferStory = z.object({
  transfer: creditTransfer,
  charges: z.array(
    z.object({
      delivery_id: id,
      conversion_id: z.string(),
      amount: micro,
      charged_at: z.string(),
      is_refunded: z.boolean(),
    }),
  ),
  next: id.nullable(),
});
export type CreditTransferStory = z.infer<typeof creditTransferStory>;

const key = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w:.-]+$/, 'is made of letters, digits, and : . _ -');
/** What whoever runs the desk adds to an organisation, or takes back from it. */
export const creditChange = z.strictObject({
  credits: z
    .number()
    .int()
    .min(-creditLimits.atOnceMax)
    .max(creditLimits.atOnceMax)
    .refine((credits) => credits !== 0, 'is not nothing')
    .describe('Whole credits; below nothing takes back.'),
  expires_on: z.iso.date().optional().describe('The last day on which they can be used, in UTC. Absent: for ever.'),
  reference: z
    .string()
    .trim()
    .min(1)
    .max(creditLimits.referenceChars)
    .optional()
    .describe('Such as an invoice’s number.'),
  key: key.optional().describe('Asked again with the same key, nothing is added a second time.'),
});
export type CreditChange = z.infer<typeof creditChange>;
export const creditChanged = z.object({
  is_new: z.boolean().describe('False: this key was there, and nothing was added.'),
  available: micro,
});
