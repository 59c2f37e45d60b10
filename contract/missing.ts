import { z } from 'zod';

/** How far back the page of missing events looks. A day is shown by hours, the others by days of the site's timezone. */
export const missingPeriods = ['24h', '7d', '30d'] as const;
export type MissingPeriod = (typeof missingPeriods)[number];

/** GET /api/sites/:domain/missing: what a site was sent and did not store, or stored without a part of it. */
export const missingEvents = z.object({
  /** Instants: the first is included, the last is not. */
  from: z.string(),
  to: z.string(),
  step: z.enum(['hour', 'day']),
  /** Starts of the steps, in the site's timezone with its offset. */
  steps: z.array(z.string()),
  /** Events that were stored in the period, for comparison. */
  stored: z.number().int(),
  reasons: z.array(
    z.object({
      reason: z.string(),
      /** What the word means, as a sentence. */
      means: z.string(),
      /** `dropped`: the event is not there. `left_out`: it is, without a part. */
      kind: z.enum(['dropped', 'left_out']),
      /** Where the rule can be changed; null: it is the same for everybody. */
      rule: z.enum(['site', 'shields', 'rate', 'snippet', 'consent']).nullable(),
      events: z.number().int(),
      by_step: z.array(z.number().int()),
    }),
  ),
  /** Robots by the rule that knew them. They are kept apart, and counted under the reason `bot` as well. */
  robots: z.array(z.object({ rule: z.string(), events: z.number().int() })),
  /** The last robots, newest first. There is nothing of who it was. */
  examples: z.array(
    z.object({
      time: z.string(),
      rule: z.string(),
      name: z.string(),
      hostname: z.string(),
      page: z.string(),
      referrer: z.string(),
      country: z.string(),
    }),
  ),
  /**
   * The last events of other reasons, newest first, four of each: as much as the process that answers has in its memory.
   * Whoever asked not to be counted, and shielded addresses, are not among them.
   */
  last: z.array(
    z.object({
      time: z.string(),
      reason: z.string(),
      /** '' in each of these: it could not be read, or was not looked up. */
      name: z.string(),
      hostname: z.string(),
      page: z.string(),
      referrer: z.string(),
      country: z.string(),
      /** The member of the payload that could not be read. */
      field: z.string(),
    }),
  ),
  /** Events of the whole desk that no site here could be found for: a domain that is misspelt is among them. */
  of_no_site: z.array(z.object({ reason: z.string(), means: z.string(), events: z.number().int() })),
});
export type MissingEvents = z.infer<typeof missingEvents>;
