import { z } from 'zod';
import { deliveryStates } from './relay.ts';

/** Deliveries of the conversion relay: what is to be sent and what became of it. */
export const deliveryPageMax = 200;
/** Deliveries that one replay, approval or cancellation takes. */
export const deliveriesAtOnceMax = 100_000;

const number = z.coerce.number().int().positive();
const moment = z.iso.datetime({ offset: true });

const filters = {
  destination: number.optional(),
  state: z.enum(deliveryStates).optional(),
  /** A reason as a delivery has it, such as `too_old` or `100/2804003`. */
  reason: z.string().min(1).max(200).optional(),
  /** When they were made. */
  from: moment.optional(),
  to: moment.optional(),
};
export const deliveriesQuestion = z.strictObject({
  ...filters,
  conversion: z.uuid().optional(),
  /** An order by its number. */
  order: z.string().min(1).max(512).optional(),
  /** `next` of the page before. */
  cursor: number.optional(),
  limit: z.coerce.number().int().min(1).max(deliveryPageMax).default(50),
});

export const delivery = z.object({
  id: z.number(),
  conversion_id: z.string(),
  event_name: z.string(),
  occurred_at: z.string(),
  order_id: z.string().nullable(),
  destination_id: z.number(),
  destination: z.object({ kind: z.string(), name: z.string() }).nullable(),
  route_id: z.number(),
  platform_id: z.string().describe('Under which the platform knows it; the same over retries and replays.'),
  platform_event: z.string().nullable(),
  value: z.string().nullable().describe('Exact; in the currency of the conversion.'),
  currency: z.string().nullable(),
  state: z.enum(deliveryStates),
  reason: z.string().nullable(),
  field: z.string().nullable(),
  waits_for: z.string().nullable(),
  next_at: z.string().nullable().describe('When it is tried next; null once it has ended.'),
  attempts: z.number(),
  replays: z.number(),
  is_test: z.boolean(),
  platform_result: z.string().nullable(),
  created_at: z.string(),
  first_sent_at: z.string().nullable(),
  settled_at: z.string().nullable(),
});
export type Delivery = z.infer<typeof delivery>;
export const deliveryPage = z.object({ deliveries: z.array(delivery), next: z.number().nullable() });

const attempt = z.object({
  id: z.number(),
  sent_at: z.string(),
  items: z.number().describe('Conversions that were in the request.'),
  ms: z.number().nullable(),
  status: z.number().describe('HTTP status; 0 = no answer.'),
  class: z.string().nullable(),
  reason: z.string().nullable(),
  answer: z.string().nullable().describe('Redacted when it was written.'),
  result: z.string().nullable().describe('What the platform said of it later.'),
});
export const deliveryStory = z.object({ delivery, attempts: z.array(attempt) });

/** Which deliveries: some by number, or all that fit. */
export const deliveryChoice = z.strictObject({
  ids: z.array(z.number().int().positive()).min(1).max(1_000).optional(),
  destination: z.number().int().positive().optional(),
  state: z.enum(['dead', 'cancelled', 'accepted']).optional().describe('Of a replay; absent: what was set aside.'),
  reason: z.string().min(1).max(200).optional(),
  from: moment.optional(),
  to: moment.optional(),
});
export type DeliveryChoice = z.infer<typeof deliveryChoice>;
/** Groups that the list of dead letters has at most, the largest first. */
export const deadLetterGroupsMax = 200;
export const deadLettersQuestion = z.strictObject({
  destination: filters.destination,
  reason: filters.reason,
  from: filters.from,
  to: filters.to,
});
export const deadLetters = z.object({
  deliveries: z.number(),
  too_old: z
    .number()
    .describe(
      'Of them: they cannot be sent again, since their platform would call them too old, or their destination or route was removed.',
    ),
  /** By reason and destination. */
  groups: z.array(
    z.object({
      destination_id: z.number(),
      reason: z.string().nullable(),
      field: z.string().nullable().describe('Of the conversion, where it is the same for all of the group.'),
      deliveries: z.number(),
      too_old: z.number(),
      first_at: z.string().describe('When the first of them was made, and the last.'),
      last_at: z.string(),
      oldest_occurred_at: z.string(),
    }),
  ),
  left_off: z.number().describe('Groups that are not listed.'),
  /** For the filter, removed ones are not among them. */
  destinations: z.array(
    z.object({
      ...{ id: z.number(), name: z.string(), label: z.string() },
      age_days_max: z.number().nullable().describe('How old a conversion may be there; null where no document says.'),
    }),
  ),
});
export type DeadLetters = z.infer<typeof deadLetters>;

/** Deliveries of a replay that are looked at one by one before it, destination by destination. */
export const replayLookedAtMax = 10_000;
export const replayPreview = z.object({
  deliveries: z.number().describe('That would be tried again.'),
  too_old: z.number().describe('That their platform would call too old: they stay as they are.'),
  by_destination: z.array(z.object({ destination_id: z.number(), deliveries: z.number(), too_old: z.number() })),
  looked_at: z
    .number()
    .describe(`Of those that would be tried again, how many were looked at one by one; ${replayLookedAtMax} at most.`),
  aside: z
    .array(
      z.object({
        destination_id: z.number(),
        state: z.enum(['withheld', 'dead']),
        reason: z.string(),
        field: z.string().nullable().describe('Of the conversion.'),
        deliveries: z.number(),
      }),
    )
    .describe(
      'Of these, what would be withheld or set aside again without being sent, as things are now; the most first.',
    ),
});
export type ReplayPreview = z.infer<typeof replayPreview>;
export const deliveriesChanged = z.object({
  deliveries: z.number(),
  too_old: z.number(),
  is_all: z.boolean().describe('False: there are more than one call takes; ask again.'),
});
