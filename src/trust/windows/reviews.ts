import type { Remind } from '../../platform/reminder.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs, isoDay } from '../../platform/zone.ts';

/** What the accounts bring of notices. */
export interface Teller {
  remind: Remind<'hold_review_due'>;
}

/** So many days are left to decide. */
const aheadDays = 7;

/** Tells of each hold whose day of review is a week away or over, once for each such day. A hold stays in force all the same. */
export function remindOfReviews({ clock, log }: Pick<House, 'clock' | 'log'>, notices: Teller): Promise<void> {
  return notices.remind({
    roles: ['owner', 'privacy-officer'],
    async due(sql, organisation) {
      const due = await sql.query<{ id: number; called: string; review_on: string }>(
        `UPDATE legal_holds SET review_told_for = review_on
         WHERE released_at IS NULL AND review_on <= $1::date AND review_told_for IS DISTINCT FROM review_on
         RETURNING id, called, review_on`,
        [isoDay(Math.floor(clock.now() / dayMs) + aheadDays)],
      );
      return due.map(({ id, called, review_on }) => ({
        name: 'hold_review_due' as const,
        facts: { hold: id, what: called, review_on, organisation: organisation.name },
        link: `/o/${organisation.slug}/trust/holds`,
      }));
    },
    onFailed: (organisation, error) => log.error('retention.review_not_told', { organisation }, error),
  });
}
