import { z } from 'zod';

/** The quarterly review of access, as the API says it. */
const kinds = z.enum(['member', 'invitation', 'role', 'key', 'share', 'source', 'connection']);
/** How many decisions one call carries. */
export const decisionsMax = 200;

const review = z.object({
  id: z.number(),
  /** `2026-Q4` */
  quarter: z.string(),
  opened_at: z.string(),
  due_on: z.string(),
  /** When everything that there was had been confirmed or removed. */
  done_at: z.string().nullable(),
  /** `missed`: another quarter has begun, and it was not done. */
  state: z.enum(['open', 'overdue', 'done', 'missed']),
  confirmed: z.number(),
  removed: z.number(),
});
export const accessReviews = z.object({
  /** The newest first. */
  reviews: z.array(review),
  quarter: z.string(),
  /** The first day of the next quarter, on which its review begins by itself. */
  next_on: z.string(),
});
const by = z.object({ id: z.number(), name: z.string().nullable() });
export const accessReviewAnswer = z.object({
  review,
  /** What lets somebody in now; none for a review of a past quarter. */
  lines: z.array(
    z.object({
      kind: kinds,
      id: z.number(),
      label: z.string(),
      gives: z.string(),
      since: z.string(),
      /** Null for never; absent where nothing is used. */
      last_used: z.string().nullable().optional(),
      /** Who confirmed it in this review, as it is now. */
      confirmed: z.object({ by, at: z.string() }).nullable(),
      /** It was confirmed, and gives something else since. */
      has_changed: z.boolean(),
      may_remove: z.boolean(),
    }),
  ),
  /** Everything that was decided, the newest first. */
  decisions: z.array(
    z.object({
      id: z.number(),
      kind: kinds,
      of: z.number(),
      /** Null where it is gone and was a person's. */
      label: z.string().nullable(),
      gives: z.string(),
      decision: z.enum(['confirmed', 'removed']),
      by,
      at: z.string(),
    }),
  ),
});
export const accessDecisions = z.strictObject({
  decisions: z
    .array(
      z.strictObject({
        kind: kinds,
        id: z.number().int().positive(),
        decision: z.enum(['confirmed', 'removed']),
        /** What it gave when it was looked at. */
        gives: z.string().min(1).max(2_000),
      }),
    )
    .min(1)
    .max(decisionsMax),
});

export type AccessReview = z.infer<typeof review>;
export type AccessReviews = z.infer<typeof accessReviews>;
export type AccessReviewAnswer = z.infer<typeof accessReviewAnswer>;
export type AccessDecision = z.infer<typeof accessDecisions>['decisions'][number];
