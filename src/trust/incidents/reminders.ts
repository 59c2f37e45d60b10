import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { clockHours } from './register.ts';

/** How people are told something; the accounts bring it. */
export interface Teller {
  tell(
    sql: Sql,
    personId: number,
    notice: {
      name: 'incident_due' | 'incident_overdue';
      facts: Readonly<Record<string, string | number>>;
      link: string;
      organisationId: number;
    },
  ): Promise<void>;
}

/** Hours after an incident became known at which its clock is told of; the last is its end. */
const toldAfter = [24, 60, clockHours] as const;
/** Who decides about an incident: built-in roles only, since a custom role may read and have nothing to do with it. */
const told = "('owner', 'privacy-officer')";

/**
 * Tells of each incident about which nobody has decided: after a day, when twelve hours are left, and when the 72 are over.
 * Once each: the mark and what is told stand in one transaction, so neither a kill nor a second process makes two of it. One
 * that was entered late, or met by a desk that was off, is told of once, as it stands now.
 */
export async function remind({
  house: { postgres, clock, log },
  notices,
}: {
  house: Pick<House, 'postgres' | 'clock' | 'log'>;
  notices: Teller;
}): Promise<void> {
  const organisations = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  for (const { organisation_id: id } of organisations)
    try {
      await postgres.tenant(id, (sql) => remindIn(sql, id));
    } catch (error) {
      log.error('incidents.not_reminded', { organisation: id }, error);
    }

  async function remindIn(sql: Sql, organisationId: number): Promise<void> {
    const due = await sql.query<{ id: number; title: string; known_at: Date; step: number }>(
      `WITH due AS (
         SELECT id, (SELECT count(*) FROM unnest($2::int[]) AS hours WHERE known_at + hours * interval '1 hour' <= $1)::int AS step
         FROM incidents WHERE told_at IS NULL AND untold_reason IS NULL FOR UPDATE
       )
       UPDATE incidents i SET reminded = due.step FROM due
       WHERE due.id = i.id AND due.step > i.reminded RETURNING i.id, i.title, i.known_at, due.step`,
      [new Date(clock.now()), [...toldAfter]],
    );
    if (due.length === 0) return;
    const { name, slug } = await sql.one<{ name: string; slug: string }>(
      'SELECT name, slug FROM organisations WHERE id = $1',
      [organisationId],
    );
    const people = await sql.query<{ person_id: number }>(
      `SELECT person_id FROM memberships WHERE organisation_id = $1 AND role IN ${told} ORDER BY person_id`,
      [organisationId],
    );
    for (const { person_id } of people)
      for (const { id, title, known_at, step } of due)
        await notices.tell(sql, person_id, {
          name: step === toldAfter.length ? 'incident_overdue' : 'incident_due',
          facts: {
            ...{ incident: id, title, organisation: name },
            hours: Math.max(0, Math.floor(clockHours - (clock.now() - known_at.getTime()) / 3_600_000)),
          },
          link: `/o/${slug}/trust/incidents`,
          organisationId,
        });
  }
}
