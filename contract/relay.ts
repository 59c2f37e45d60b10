import { z } from 'zod';
import { condition } from './mapping.ts';

export { relayUploadLimits } from './limits.ts';

/** What the relay's limits are; each is enforced, and a refusal names it. */
export const relayLimits = {
  /** Of an organisation. */
  sourcesMax: 200,
  destinationsMax: 200,
  routesMax: 1_000,
  /** Of a route. */
  eventsMax: 100,
  /** Of a source. */
  capturesMax: 50,
  captureDays: 7,
  /** How long an old address or secret goes on beside the new one. */
  rotationHours: 24,
  /** Hours in which a delivery is tried again after its first attempt. */
  retryHours: 72,
} as const;

const decimal = z.string().regex(/^-?\d{1,15}(\.\d{1,6})?$/, 'is a decimal number such as 1.25');

/** What goes from a source to a destination, and as what. */
export const routeRules = z.strictObject({
  when: condition.optional().describe('Of the canonical conversion without its user, such as `value` or `utm.source`.'),
  events: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(512),
        as: z
          .string()
          .min(1)
          .max(512)
          .optional()
          .describe(
            'The platform’s event or conversion action; absent: by its own name, or as the destination is set.',
          ),
      }),
    )
    .max(relayLimits.eventsMax)
    .optional()
    .describe('Only these go; absent or empty: every event.'),
  value: z
    .union([
      z.strictObject({ factor: decimal }),
      z.strictObject({ fixed: decimal }).describe('In the currency of the conversion.'),
      z.strictObject({ margin: z.literal(true) }).describe('Value less cost.'),
    ])
    .optional(),
  first_only: z
    .boolean()
    .optional()
    .describe('Only the first of its event for a click id, or for a person where there is none.'),
  hold: z.boolean().optional().describe('Each waits until somebody lets it go.'),
});
export type RouteRules = z.infer<typeof routeRules>;

/** How a delivery stands; the last four are ends, and each conversion on a route has exactly one. */
export const deliveryStates = ['held', 'waiting', 'sending', 'accepted', 'withheld', 'dead', 'cancelled'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** Why something was not sent, where the reason is ours and not the platform's. */
export const withheldReasons = [
  'consent_denied',
  'consent_unknown',
  'purpose_off',
  'not_first',
  'restricted',
  'route_paused',
] as const;
export type WithheldReason = (typeof withheldReasons)[number];

export const conversionRegions = ['eea', 'uk', 'ch', 'us', 'sg', 'other', 'unknown'] as const;
export type ConversionRegion = (typeof conversionRegions)[number];
