import { z } from 'zod';
import { actionSources, clickIds } from './canonical_fields.ts';

export { type ActionSource, actionSources, type ClickId, clickIds } from './canonical_fields.ts';

/**
 * The canonical conversion: what every source is mapped to and every destination is built from. Names are the field's
 * own; a tracker's payout is `value`. Amounts are exact: a decimal number of the currency, as text or as a number.
 */
export const conversionLimits = {
  textCharsMax: 512,
  urlCharsMax: 4_096,
  identifiersMax: 5,
  itemsMax: 200,
  customMax: 50,
} as const;

const text = z.string().min(1).max(conversionLimits.textCharsMax);
const amount = z.union([z.number(), z.string().max(64)]);
const several = z.union([text, z.array(text).max(conversionLimits.identifiersMax)]);
const said = z.enum(['granted', 'denied']);

export const conversion = z.object({
  event_id: text.optional(),
  event_name: text.describe('The event by its own name, such as "purchase".'),
  occurred_at: z.string().max(64).describe('ISO 8601 with an offset, such as "2026-11-30T09:15:00+01:00".'),
  clicked_at: z.string().max(64).describe('When the click was, the same way.').optional(),
  value: amount.describe('Units of the currency; text keeps every digit.').optional(),
  currency: z.string().describe('ISO 4217.').optional(),
  cost: amount.describe('In the same currency; profit is value less cost.').optional(),
  order_id: text.optional(),
  page_url: z.string().max(conversionLimits.urlCharsMax).optional(),
  action_source: z.enum(actionSources).describe('Left out: a website where there is a page_url.').optional(),
  consent: z
    .object({
      ad_user_data: said.optional(),
      ad_personalization: said.optional(),
      limited_data_use: z.boolean().describe('Limited data use, as US state laws know it.').optional(),
    })
    .optional(),
  click_ids: z.partialRecord(z.enum(clickIds), text).optional(),
  user: z
    .object({
      email: several.optional(),
      phone: several.optional(),
      phone_country: z.string().describe('ISO 3166 alpha-2: where a number without a country is from.').optional(),
      ...{ first_name: text.optional(), last_name: text.optional() },
      ...{ city: text.optional(), state: text.optional(), zip: text.optional(), country: text.optional() },
      external_id: several.optional(),
      ip: text.optional(),
      user_agent: z.string().min(1).max(1_024).optional(),
      ...{ date_of_birth: text.optional(), gender: text.optional() },
      fingerprint: text.describe('Sealed, and never sent to a platform.').optional(),
    })
    .optional(),
  items: z
    .array(z.object({ id: text, quantity: z.number().positive().optional(), price: amount.optional() }))
    .max(conversionLimits.itemsMax)
    .optional(),
  merchant: z.object({ id: text, feed_country: text.optional(), feed_language: text.optional() }).optional(),
  utm: z
    .object({
      ...{ source: text.optional(), medium: text.optional(), campaign: text.optional() },
      ...{ term: text.optional(), content: text.optional() },
    })
    .optional(),
  campaign: z
    .object({
      ...{ source: text.optional(), medium: text.optional(), id: text.optional() },
      ...{ group_id: text.optional(), ad_id: text.optional() },
    })
    .optional(),
  domain: text.optional(),
  query: z.string().max(conversionLimits.urlCharsMax).optional(),
  refund: z
    .boolean()
    .describe('true: takes back the order of `original`, or the part of it that `value` is.')
    .optional(),
  original: z.object({ event_name: text.optional(), order_id: text.optional(), event_id: text.optional() }).optional(),
  custom: z.record(text, z.union([z.string().max(1_024), z.number(), z.boolean()])).optional(),
});
export type Conversion = z.infer<typeof conversion>;

/** Why a conversion does not go to a destination. */
export const conversionRefusals = [
  'missing',
  'invalid',
  'no_offset',
  'too_old',
  'in_the_future',
  'no_identifier',
  'click_ids_conflict',
  'consent_denied',
  'unknown_currency',
  'value_without_currency',
  'not_supported',
] as const;
export type ConversionRefusal = (typeof conversionRefusals)[number];

/** What an answer of a platform means for a delivery (reference, error classes). */
export const answerClasses = [
  'accepted',
  'retry',
  'retry_later',
  'rate_limited',
  'auth',
  'config',
  'permanent',
  'treat_as_delivered',
] as const;
export type AnswerClass = (typeof answerClasses)[number];
