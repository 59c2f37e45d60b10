import type { Sql } from '../../platform/postgres/index.ts';
import type { Remind } from '../../platform/reminder.ts';
import type { House } from '../../platform/subject.ts';
import { clockHours } from './register.ts';

/** What the accounts bring of notices. */
export interface Teller {
  remind: Remind<'incident_due' | 'incident_overdue' | 'concern_came'>;
}

/** Hours after an incident became known at which its clock is told of; the last is its end. */
const toldAfter = [24, 60, clockHours] as const;

/** A flood of concerns is told of once in this time, with how many they are. */
const concernsEveryMs = 3_600_000;

/** How many concerns nobody was told of; none while people were told a short time ago. */
async function untoldConcerns(sql: Sql, organisationId: number, nowMs: number): Promise<number> {
  // One after another: two that look at once would each find that nobody was told yet, and tell.
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('concerns', $1))", [organisationId]);
  const told = await sql.query(
    `UPDATE incident_drafts SET came_told_at = $1
     WHERE kind = 'concern' AND decided_at IS NULL AND came_told_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM incident_drafts d WHERE d.came_told_at > $2) RETURNING id`,
    [new Date(nowMs), new Date(nowMs - concernsEveryMs)],
  );
  return told.length;
}

/**
 * Tells of each incident about which nobody has decided: after a day, when twelve hours are left, and when the 72 are over.
 * Once each; one that was entered late, or met by a desk that was off, is told of once, as it stands now.
 */
export function remind({
  house: { clock, log },
  notices,
}: {
  house: Pick<House, 'clock' | 'log'>;
  notices: Teller;
}): Promise<void> {
  return notices.remind({
    roles: ['owner', 'privacy-officer'],
    async due(sql, organisation) {
      const due = await sql.query<{ id: number; title: string; known_at: Date; step: number }>(
        `WITH due AS (
           SELECT id, (SELECT count(*) FROM unnest($2::int[]) AS hours WHERE known_at + hours * interval '1 hour' <= $1)::int AS step
           FROM incidents WHERE told_at IS NULL AND untold_reason IS NULL FOR UPDATE
         )
         UPDATE incidents i SET reminded = due.step FROM due
         WHERE due.id = i.id AND due.step > i.reminded RETURNING i.id, i.title, i.known_at, due.step`,
        [new Date(clock.now()), [...toldAfter]],
      );
      const concerns = await untoldConcerns(sql, organisation.id, clock.now());
      const link = `/o/${organisation.slug}/trust/incidents`;
      const told = due.map(({ id, title, known_at, step }) => ({
        name: step === toldAfter.length ? ('incident_overdue' as const) : ('incident_due' as const),
        facts: {
          ...{ incident: id, title, organisation: organisation.name },
          hours: Math.max(0, Math.floor(clockHours - (clock.now() - known_at.getTime()) / 3_600_000)),
        },
        link,
      }));
      return concerns === 0
        ? told
        : [...told, { name: 'concern_came' as const, facts: { concerns, organisation: organisation.name }, link }];
    },
    onFailed: (organisation, error) => log.error('incidents.not_reminded', { organisation }, error),
  });
}
