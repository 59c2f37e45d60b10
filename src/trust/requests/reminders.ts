import type { Remind } from '../../platform/reminder.ts';
import type { House } from '../../platform/subject.ts';
import { utcDay } from '../../platform/zone.ts';

/** What the accounts bring of notices. */
export interface Teller {
  remind: Remind<'request_came' | 'request_due' | 'request_overdue'>;
}

interface Due {
  id: number;
  kind: string;
  due_on: string;
}

/** Tells of each open request on its 21st day, and again when its day is over, once each. */
export function remind({
  house: { clock, log },
  notices,
}: {
  house: Pick<House, 'clock' | 'log'>;
  notices: Teller;
}): Promise<void> {
  return notices.remind({
    roles: ['owner', 'admin', 'privacy-officer'],
    async due(sql, organisation) {
      const now = new Date(clock.now());
      const today = utcDay(clock.now());
      const overdue = await sql.query<Due>(
        `UPDATE subject_requests SET overdue_told_at = $1, warned_at = coalesce(warned_at, $1)
         WHERE closed_at IS NULL AND due_on < $2 AND overdue_told_at IS NULL RETURNING id, kind, due_on::text`,
        [now, today],
      );
      const due = await sql.query<Due>(
        `UPDATE subject_requests SET warned_at = $1
         WHERE closed_at IS NULL AND warn_on <= $2 AND warned_at IS NULL RETURNING id, kind, due_on::text`,
        [now, today],
      );
      const came = await sql.query<Due>(
        `UPDATE subject_requests SET came_told_at = $1 WHERE closed_at IS NULL AND entered_by IS NULL AND came_told_at IS NULL
         RETURNING id, kind, due_on::text`,
        [now],
      );
      const about = ({ id, kind, due_on }: Due) => ({
        facts: { request: id, kind, day: due_on, organisation: organisation.name },
        link: `/o/${organisation.slug}/trust/requests/${id}`,
      });
      return [
        ...came.map((one) => ({ name: 'request_came' as const, ...about(one) })),
        ...overdue.map((one) => ({ name: 'request_overdue' as const, ...about(one) })),
        ...due.map((one) => ({ name: 'request_due' as const, ...about(one) })),
      ];
    },
    onFailed: (organisation, error) => log.error('requests.not_reminded', { organisation }, error),
  });
}
