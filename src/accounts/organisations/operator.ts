import { z } from 'zod';
import type { OrganisationStatus } from '../../../contract/organisation_status.ts';
import { deskOrganisation, personStatusChange, statusChange } from '../../../contract/organisations.ts';
import { type Act, actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import { everywhere } from '../../platform/postgres/index.ts';
import { sitesChanged } from '../changes.ts';
import { findPerson, personIn } from '../people/person.ts';
import { findOrganisation, lockOrganisation } from './found.ts';
import { statusChangedMail } from './mails.ts';
import { type OrganisationParts, ofOrganisation } from './parts.ts';
import { changeStatus } from './status_changes.ts';
import { effectiveStatus } from './statuses.ts';

interface StatusWish {
  status: 'active' | 'suspended';
  reason?: string | undefined;
}

/** What whoever runs the desk may do to an organisation or a person: suspend, and let go on. By call and command line. */
export interface Operator {
  setOrganisation(organisation: string, wish: StatusWish, by: Pick<Act, 'actor' | 'request'>): Promise<void>;
  setPerson(email: string, wish: StatusWish, by: Pick<Act, 'actor' | 'request'>): Promise<void>;
}

export function openOperator(parts: OrganisationParts): Operator {
  const { postgres, audit, mail, clock } = parts.house;
  return {
    async setOrganisation(organisation, wish, by) {
      const id = await findOrganisation(postgres, organisation);
      const reason = reasonOf(wish);
      if (id === undefined) throw noOrganisation(organisation);
      await postgres.tenant(id, async (sql) => {
        await lockOrganisation(sql, id).catch(() => {
          throw noOrganisation(organisation);
        });
        await changeStatus(parts, sql, id, {
          to: wish.status,
          by,
          ...(reason === undefined ? {} : { reason }),
        });
      });
      parts.statuses.forget();
      await sitesChanged();
    },
    async setPerson(email, wish, by) {
      const reason = reasonOf(wish);
      const id = email.includes('@') ? await findPerson(parts.house, email) : undefined;
      if (id === undefined)
        throw new RequestError('not_found', 'Nobody on this desk has this address.', { field: 'email' });
      if (by.actor.type === 'person' && by.actor.id === id)
        throw new RequestError('conflict', 'This is your own account. Somebody else has to do this.');
      const now = new Date(clock.now());
      await postgres.person(id, async (sql) => {
        const person = await sql.one<{ status: OrganisationStatus }>(
          'SELECT status FROM people WHERE id = $1 FOR UPDATE',
          [id],
        );
        const address = (await personIn(parts.house, sql, id)).email;
        const allowed = wish.status === 'suspended' ? ['unverified', 'active', 'closing'] : ['suspended'];
        if (!allowed.includes(person.status))
          throw new RequestError(
            'wrong_status',
            `This account is ${person.status}, so it cannot become ${wish.status}.`,
          );
        // Let in again, an account is what it was: an address that nobody has proved is not proved by that.
        await sql.run(
          wish.status === 'suspended'
            ? `UPDATE people SET status_before = CASE WHEN status = 'closing' THEN status_before ELSE status END,
                 status = 'suspended', status_until = NULL, status_reason = $2, status_since = $3 WHERE id = $1`
            : `UPDATE people SET status = coalesce(status_before, 'active'), status_before = NULL, status_reason = $2,
                 status_since = $3 WHERE id = $1`,
          [id, reason ?? null, now],
        );
        if (wish.status === 'suspended')
          await sql.run('UPDATE sessions SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL', [id, now]);
        await audit.recordOfPerson(sql, id, {
          action: wish.status === 'suspended' ? 'person.suspended' : 'person.resumed',
          ...by,
          targets: [{ type: 'person', id, label: address }],
          details: { from: person.status, ...(reason === undefined ? {} : { reason }) },
        });
        await mail.send(sql, {
          template: statusChangedMail,
          to: address,
          personId: id,
          values: {
            name: address,
            what: 'account',
            status: wish.status,
            reason: reason ?? null,
            until: null,
          },
        });
      });
    },
  };
}

export function operatorRoutes({ house }: OrganisationParts, operator: Operator): Route[] {
  const { postgres, clock } = house;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/desk/organisations',
      access: 'operator',
      summary: 'Every organisation of this desk with its status, for whoever runs it.',
      answer: z.object({ organisations: z.array(deskOrganisation) }),
      async handle() {
        const rows = await everywhere(postgres, (sql) =>
          sql.query<{
            id: number;
            name: string;
            slug: string;
            status: OrganisationStatus;
            status_reason: string | null;
            until: Date | null;
            members: number;
            sites: number;
            created_at: Date;
          }>(
            `SELECT o.id, o.name, o.slug, o.status, o.status_reason, o.status_until AS until, o.created_at,
               (SELECT count(*) FROM memberships)::int AS members, (SELECT count(*) FROM sites)::int AS sites
             FROM organisations o`,
          ),
        );
        return {
          body: {
            organisations: rows.map(({ until, ...row }) => ({
              ...row,
              status: effectiveStatus({ status: row.status, until }, clock.now()),
              created_at: row.created_at.toISOString(),
            })),
          },
        };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/desk/organisations/:organisation/status',
      access: 'operator',
      summary: 'Suspends an organisation, with a reason that its people read, or lets it go on.',
      params: ofOrganisation,
      body: statusChange,
      async handle(request) {
        await operator.setOrganisation(request.params.organisation, request.body, actOf(request));
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/desk/people/status',
      access: 'operator',
      summary: 'Suspends a person, whose sessions end at once, or lets them in again.',
      body: personStatusChange,
      async handle(request) {
        await operator.setPerson(request.body.email, request.body, actOf(request));
        return { status: 204 };
      },
    }),
  ];
}

function reasonOf(wish: StatusWish): string | undefined {
  if (wish.status === 'active') return undefined;
  const reason = wish.reason?.trim();
  if (reason === undefined || reason === '')
    throw new RequestError('invalid_field', 'Say why: the people who are concerned read it.', { field: 'reason' });
  return reason;
}

function noOrganisation(organisation: string): RequestError {
  return new RequestError('not_found', `No organisation here is called "${organisation.slice(0, 64)}".`);
}
