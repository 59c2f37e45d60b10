import { z } from 'zod';

/** GET /api/sites/:domain/quality: what is off with the events of a site, the worst first; empty: nothing. */
export const qualitySigns = z.object({
  signs: z.array(
    z.discriminatedUnion('sign', [
      z.object({
        sign: z.literal('silent'),
        /** Whole hours since the last stored event. */
        hours: z.number().int(),
        /** The same hours of the day, 24 at most, had `usual_min` events or more on each of `days` days before. */
        days: z.number().int(),
        usual_min: z.number().int(),
      }),
      /**
       * The last 24 hours have less than half of `usual`: the median of the seven spans of 24 hours before them, or
       * what the same weekday had, whichever is less.
       */
      z.object({ sign: z.literal('fell'), events: z.number().int(), usual: z.number().int() }),
      /** More than a hundredth of what arrived in 24 hours could not be taken; `reason` is the most frequent. */
      z.object({
        sign: z.literal('refused'),
        reason: z.string(),
        means: z.string(),
        events: z.number().int(),
        /** Percent of all that arrived, at one decimal. */
        share: z.number(),
      }),
      /** A rule of the site stopped more than a tenth of what arrived in 24 hours. */
      z.object({
        sign: z.literal('shielded'),
        reason: z.string(),
        means: z.string(),
        events: z.number().int(),
        share: z.number(),
      }),
      /** More than half of what arrived in 24 hours were robots. */
      z.object({ sign: z.literal('robots'), events: z.number().int(), share: z.number() }),
    ]),
  ),
});
export type QualitySign = z.infer<typeof qualitySigns>['signs'][number];
