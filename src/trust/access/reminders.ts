import type { Remind } from '../../platform/reminder.ts';
import type { House } from '../../platform/subject.ts';
import { dayAfter, quarterOf } from './quarter.ts';
import { beginReview } from './records.ts';

/** What the accounts bring of notices. */
export interface Teller {
  remind: Remind<'access_review_due' | 'access_review_overdue'>;
}

/** So many days before its end it is told of once more. */
const aheadDays = 7;

/**
 * Begins the review of each quarter in every organisation that was there before the quarter, and tells of it: when it
 * begins, a week before it is due, and when it is overdue. Once each; a desk that was off tells once, as it stands now.
 */
export function remind({ clock, log }: Pick<House, 'clock' | 'log'>, notices: Teller): Promise<void> {
  return notices.remind({
    roles: ['owner', 'privacy-officer'],
    async due(sql, organisation) {
      const now = clock.now();
      const [living] = await sql.query<{ created_at: Date }>(
        "SELECT created_at FROM organisations WHERE id = $1 AND status NOT IN ('closing', 'closed')",
        [organisation.id],
      );
      if (living === undefined) return [];
      if (living.created_at.toISOString().slice(0, 10) < quarterOf(now).first)
        await beginReview(sql, organisation.id, now);
      const due = await sql.query<{ quarter: string; due_on: string; step: number }>(
        `WITH newest AS (
           SELECT id, CASE WHEN due_on < $2 THEN 3 WHEN due_on <= $3 THEN 2 ELSE 1 END AS step
           FROM access_reviews WHERE organisation_id = $1 AND done_at IS NULL
             AND id = (SELECT max(id) FROM access_reviews WHERE organisation_id = $1) FOR UPDATE
         )
         UPDATE access_reviews r SET reminded = newest.step FROM newest
         WHERE newest.id = r.id AND newest.step > r.reminded RETURNING r.quarter, r.due_on::text AS due_on, newest.step`,
        [organisation.id, dayAfter(now, 0), dayAfter(now, aheadDays)],
      );
      return due.map(({ quarter, due_on, step }) => ({
        name: step === 3 ? ('access_review_overdue' as const) : ('access_review_due' as const),
        facts: { quarter: quarter.replace('-', ' '), day: due_on, organisation: organisation.name },
        link: `/o/${organisation.slug}/trust/access`,
      }));
    },
    onFailed: (organisation, error) => log.error('access.not_reminded', { organisation }, error),
  });
}
