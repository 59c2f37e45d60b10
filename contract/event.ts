import { z } from 'zod';
import { consentLimits } from './consent.ts';
import { ingestLimits as limits } from './limits.ts';

const consentWord = z.enum(['granted', 'denied']).optional();

/**
 * One event as `POST /api/event` takes it: Plausible's payload and ours (`docs/guides/tracker.md`). The server reads it
 * by hand, field by field, because a schema library costs more than all other steps together; this says the same to
 * people and programs, and `test/routes.test.ts` sends what it says. Short names are in the guide.
 */
export const event = z.object({
  name: z
    .string()
    .min(1)
    .max(limits.nameCharsMax)
    .describe('"pageview", "purchase", "engagement", or a name of your own.'),
  url: z
    .string()
    .min(1)
    .max(limits.urlCharsMax)
    .describe('The whole address of the page; query and fragment are dropped, but for campaign tags.'),
  domain: z.string().describe('The site, or several with commas. Left out: the host of the page.').optional(),
  referrer: z.string().nullable().optional(),
  title: z.string().describe(`Title of the page; the first ${limits.titleCharsMax} characters are kept.`).optional(),
  screen: z.string().describe('Width x height, such as "1440x900".').optional(),
  props: z
    .record(z.string().max(limits.propKeyCharsMax), z.union([z.string(), z.number(), z.boolean()]))
    .describe(
      `Properties of your own: at most ${limits.propsMax}, values of at most ${limits.propValueCharsMax} characters.`,
    )
    .optional(),
  revenue: z
    .object({
      currency: z.string().describe('ISO 4217, such as "EUR".'),
      amount: z
        .union([z.number(), z.string()])
        .describe('In units of the currency, such as 19.99; text keeps every digit.'),
      order_id: z.string().max(limits.orderIdCharsMax).describe('The same order counts its revenue once.').optional(),
    })
    .optional(),
  interactive: z.boolean().describe('false: the event does not end a bounce.').optional(),
  scroll_depth: z.number().describe('Percent, of an engagement event.').optional(),
  engagement_ms: z.number().describe('Milliseconds of attention, of an engagement event.').optional(),
  id: z.string().max(limits.idCharsMax).describe('An id of your own: the same id counts once in 24 hours.').optional(),
  time: z
    .union([z.string(), z.number()])
    .describe('With an API key only: ISO 8601 text, or milliseconds since 1970.')
    .optional(),
  ip: z.string().describe('With an API key only: the address of the visitor, used and forgotten.').optional(),
  consent: z
    .object({
      analytics_storage: consentWord,
      ad_storage: consentWord,
      ad_user_data: consentWord,
      ad_personalization: consentWord,
      functionality_storage: consentWord,
      personalization_storage: consentWord,
      security_storage: consentWord,
      tc: z.string().max(consentLimits.tcCharsMax).describe('TC string of TCF v2.3.').optional(),
      gpp: z.string().max(consentLimits.gppCharsMax).describe('GPP string.').optional(),
      gcs: z.string().max(consentLimits.gcCharsMax).describe('Such as "G111".').optional(),
      gcd: z.string().max(consentLimits.gcCharsMax).describe('Such as "13t3t3t3t5l1".').optional(),
      gpc: z.boolean().describe('Global Privacy Control, as the page sees it.').optional(),
      dnt: z.boolean().optional(),
    })
    .describe('What the visitor allowed. Read, and not kept as text; nothing in it refuses the event.')
    .optional(),
  user_agent: z
    .string()
    .describe('With an API key only: the User-Agent of the visitor, used and forgotten.')
    .optional(),
});

/** What a list of events is answered with. */
export const eventsAnswer = z.object({
  stored: z.number().int(),
  duplicates: z.number().int(),
  dropped: z.record(z.string(), z.number().int()),
  refused: z.array(z.object({ index: z.number().int(), field: z.string(), message: z.string() })),
});
