import { z } from 'zod';
import { mailLimits, ownSuppressions, sentMail } from '../../../contract/mail.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { MailKind, MailState } from '../../platform/mail/index.ts';
import type { House } from '../../platform/subject.ts';
import { personIn } from '../people/person.ts';
import { personOf } from './person_of.ts';

interface SentRow {
  id: number;
  name: string;
  template: string;
  kind: MailKind;
  state: MailState;
  reason: string | null;
  address: Buffer;
  created_at: Date;
  not_before: Date;
  finished_at: Date | null;
}

/** What this desk has written to the person who asks, and what stands in the way of more. */
export function ownRoutes(house: Omit<House, 'authenticate'>): Route[] {
  const { audit, mail, postgres } = house;

  async function addressOf(personId: number): Promise<string> {
    return (await postgres.person(personId, (sql) => personIn(house, sql, personId))).email;
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/mail/sent',
      access: 'signed-in',
      summary: 'The mail that this desk has sent you: which kind, when, and what became of it. Its words are not kept.',
      query: z.strictObject({ before: z.coerce.number().int().positive().optional() }),
      answer: sentMail,
      async handle(request) {
        const personId = personOf(request);
        const rows = await postgres.person(personId, (sql) =>
          sql.query<SentRow>(
            `SELECT id, name, template, kind, state, reason, address, created_at, not_before, finished_at
             FROM mail.messages WHERE person_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
            [personId, request.query.before ?? Number.MAX_SAFE_INTEGER, mailLimits.sentMax],
          ),
        );
        return {
          body: {
            mail: await Promise.all(
              rows.map(async (row) => ({
                id: row.id,
                template: row.template,
                kind: row.kind,
                state: row.state,
                reason: row.reason,
                to: (await mail.address(row)) ?? null,
                at: row.created_at.toISOString(),
                decided_at: (row.finished_at ?? row.not_before).toISOString(),
              })),
            ),
            next: rows.length < mailLimits.sentMax ? null : (rows.at(-1)?.id ?? null),
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/mail/suppressions',
      access: 'signed-in',
      summary: 'Which mail to your address is held back, and why.',
      answer: ownSuppressions,
      async handle(request) {
        const personId = personOf(request);
        const entries = await mail.suppressions.of(await addressOf(personId));
        const names = await postgres.person(personId, (sql) =>
          sql.query<{ id: number; name: string }>(
            'SELECT o.id, o.name FROM organisations o JOIN memberships m ON m.organisation_id = o.id AND m.person_id = $1',
            [personId],
          ),
        );
        return {
          body: {
            suppressions: entries.map((entry) => ({
              id: entry.id,
              // One that they have left has no name for them any more.
              organisation: names.find(({ id }) => id === entry.organisationId)?.name ?? null,
              kind: entry.kind ?? null,
              reason: entry.reason,
              at: new Date(entry.atMs).toISOString(),
            })),
          },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/mail/suppressions/:id',
      access: 'signed-in',
      summary: 'Lets mail to your address through again.',
      params: z.object({ id: z.coerce.number().int().positive() }),
      async handle(request) {
        const personId = personOf(request);
        // The same answer when there was nothing: the end is what was asked for.
        await postgres.person(personId, async (sql) => {
          const { email } = await personIn(house, sql, personId);
          if (await mail.suppressions.lift(sql, email, request.params.id))
            await audit.recordOfPerson(sql, personId, { action: 'mail.unsuppressed', ...actOf(request) });
        });
        return { status: 204 };
      },
    }),
  ];
}
