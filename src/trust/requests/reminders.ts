import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayOf } from './clock.ts';

/** How people are told something; the accounts bring it. */
export interface Teller {
  tell(
    sql: Sql,
    personId: number,
    notice: {
      name: 'request_due' | 'request_overdue';
      facts: Readonly<Record<string, string | number>>;
      link: string;
      organisationId: number;
    },
  ): Promise<void>;
}

/** Who has to see to requests: built-in roles only, since a custom role may look and have nothing to do with it. */
const told = "('owner', 'admin', 'privacy-officer')";

/**
 * Tells of each open request on its 21st day, and again when its day is over, once each: the mark and what is told stand in
 * one transaction, so that neither a kill nor a second process makes two of it.
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
      log.error('requests.not_reminded', { organisation: id }, error);
    }

  async function remindIn(sql: Sql, organisationId: number): Promise<void> {
    const now = new Date(clock.now());
    const today = dayOf(clock.now());
    const overdue = await sql.query<{ id: number; kind: string; due_on: string }>(
      `UPDATE subject_requests SET overdue_told_at = $1, warned_at = coalesce(warned_at, $1)
       WHERE closed_at IS NULL AND due_on < $2 AND overdue_told_at IS NULL RETURNING id, kind, due_on::text`,
      [now, today],
    );
    const due = await sql.query<{ id: number; kind: string; due_on: string }>(
      `UPDATE subject_requests SET warned_at = $1
       WHERE closed_at IS NULL AND warn_on <= $2 AND warned_at IS NULL RETURNING id, kind, due_on::text`,
      [now, today],
    );
    if (overdue.length + due.length === 0) return;
    const { name, slug } = await sql.one<{ name: string; slug: string }>(
      'SELECT name, slug FROM organisations WHERE id = $1',
      [organisationId],
    );
    const people = await sql.query<{ person_id: number }>(
      `SELECT person_id FROM memberships WHERE organisation_id = $1 AND role IN ${told} ORDER BY person_id`,
      [organisationId],
    );
    for (const { person_id } of people)
      for (const [notice, requests] of [
        ['request_overdue', overdue],
        ['request_due', due],
      ] as const)
        for (const request of requests)
          await notices.tell(sql, person_id, {
            name: notice,
            facts: { request: request.id, kind: request.kind, day: request.due_on, organisation: name },
            link: `/o/${slug}/trust/requests`,
            organisationId,
          });
  }
}
