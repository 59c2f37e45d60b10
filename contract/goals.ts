import { z } from 'zod';
import { currency, words } from './api.ts';

/** `page`: a page was seen. `event`: something was done. `scroll`: so much of a page was seen. */
export const goalKinds = ['page', 'event', 'scroll'] as const;

/** An event counts only when it carries this value. */
const goalProperty = z.strictObject({ name: words(300), value: words(2_000) });
const scrollDepth = z.number().int().min(1).max(100);

/** What counts towards a goal. */
export const goalRule = z.strictObject({
  kind: z.enum(goalKinds),
  /** A page pattern with `*` (one segment) and `**` (any depth), or an event name. */
  match: words(2_000),
  property: goalProperty.nullable().optional(),
  /** Percent of the page that has to be seen; of the kind `scroll` alone, which needs it. */
  scroll_depth: scrollDepth.nullable().optional(),
});

export const goal = z.object({
  id: z.number().int(),
  name: z.string(),
  kind: z.enum(goalKinds),
  match: z.string(),
  property: z.object({ name: z.string(), value: z.string() }).nullable(),
  scroll_depth: z.number().int().nullable(),
  /** Set: the goal earns revenue, summed in this currency only. */
  currency: z.string().nullable(),
});

/** A goal as it is to be; without a name it gets one from what it counts. */
export const newGoal = goalRule.extend({
  name: words(120).optional(),
  currency: currency.nullable().optional(),
});

/** POST /api/sites/:domain/goals. With what the removal answered, a goal comes back under its old number. */
export const addedGoal = newGoal.extend({ undo: z.string().min(1).max(500).optional() });
/** DELETE /api/sites/:domain/goals/:id: `undo` brings the number back for an hour. */
export const removedGoal = z.object({ undo: z.string() });

/** POST /api/sites/:domain/goal-preview: what a goal would have counted, by the same reading as when it is there. */
export const goalPreview = z.object({
  /** First and last day, both included, in the site's timezone. */
  days: z.tuple([z.string(), z.string()]),
  /** Visitors who would have reached it, of all visitors in these days. */
  visitors: z.number().int(),
  of: z.number().int(),
  /** How often; null for scroll goals, which count no events. */
  times: z.number().int().nullable(),
});
