import { z } from 'zod';

/** Who had an event in the last five minutes is there now, as Plausible counts its current visitors. */
export const realtimeNowMinutes = 5;
/** Minutes that the course shows; the last one is running. */
export const realtimeMinutes = 30;
/** Events that the stream holds at most. */
export const realtimeEventsMax = 100;

export const realtimeQuery = z.strictObject({
  /** The cursor of the answer before; without it the stream begins with the last 30 minutes. */
  since: z
    .string()
    .regex(/^\d{1,12}$/, 'is the cursor of an earlier answer')
    .optional(),
  /** JSON: a list of `[operator, dimension, [values]]`, as POST /api/v2/query takes them. */
  filters: z.string().max(8_000).optional(),
});

/** A filter on what an event itself says; `contains` takes no account of capitals. */
export const realtimeFilters = z
  .array(
    z.tuple([
      z.enum(['is', 'is_not', 'contains', 'contains_not']),
      z.string().max(100),
      z.array(z.string().max(2_000)).min(1).max(100),
    ]),
  )
  .max(20);

const named = z.object({
  /** Empty: direct, or not known. */
  name: z.string(),
  visitors: z.number().int(),
});

/** GET /api/sites/:domain/realtime: what happens on a site right now. Nothing in it names or numbers a visitor. */
export const realtimeAnswer = z.object({
  /** Instant that the numbers were counted up to. */
  at: z.string(),
  /** Visitors with an event in the last five minutes. */
  visitors: z.number().int(),
  /** Thirty of them, the oldest first. `start` is an instant. */
  minutes: z.array(z.object({ start: z.string(), pageviews: z.number().int(), visitors: z.number().int() })),
  /** The longest rows of each, by visitors of the last five minutes. */
  pages: z.array(named),
  sources: z.array(named),
  /** ISO 3166-1 alpha-2. */
  places: z.array(named),
  regions: z.array(named),
  cities: z.array(named),
  /** Newest first, times in whole seconds. They stand in place of all that was told from `events_from` on. */
  events: z.array(
    z.object({
      time: z.string(),
      name: z.string(),
      page: z.string(),
      source: z.string(),
      country: z.string(),
      device: z.string(),
    }),
  ),
  events_from: z.string(),
  cursor: z.string(),
});
export type RealtimeAnswer = z.infer<typeof realtimeAnswer>;
