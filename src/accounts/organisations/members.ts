import { z } from 'zod';
import type { OrganisationStatus } from '../../../contract/organisation_status.ts';
import {
  type Member,
  member,
  memberChange,
  newOwnershipOffer,
  organisationLimits,
  slugTyped,
} from '../../../contract/organisations.ts';
import { actOf } from '../../platform/audit.ts';
import { openEmail } from '../../platform/email.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';
import { lockOrganisation, organisationOfPath } from './found.ts';
import { readMember, readRole, refuseLastOwner, refuseMoreThanOwn, roleWord } from './granting.ts';
import { membershipEndedMail, ownershipOfferedMail, ownershipTransferredMail, roleChangedMail } from './mails.ts';
import { calledOf, type OrganisationParts, ofOrganisation } from './parts.ts';
import { joinTeams } from './teams.ts';

const ofMember = ofOrganisation.extend({ person: z.coerce.number().int().positive() });

/** Who belongs to an organisation, with which role, and how they come out of it again. */
export function memberRoutes({ house, notices }: OrganisationParts): Route[] {
  const { postgres, audit, mail, clock, vault } = house;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/members',
      access: 'member.read',
      summary: 'The people of an organisation, with role, teams and the day they were last here.',
      params: ofOrganisation,
      answer: z.object({ members: z.array(member) }),
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const members = await postgres.tenant(id, async (sql) => {
          const asker = await readMember(house, sql, id, askerOf(request));
          const all = await listMembers(house, sql);
          if (asker.permissions.includes('member.manage')) return all;
          return all.map((one) => ({ ...one, second_factor: null }));
        });
        return { body: { members } };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/organisations/:organisation/members/:person',
      access: 'member.manage',
      summary: 'Changes the role or the teams of a member; it holds from their next request on.',
      params: ofMember,
      body: memberChange,
      answer: member,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const { person } = request.params;
        return postgres.tenant(id, async (sql) => {
          const organisation = await lockOrganisation(sql, id);
          const asker = await readMember(house, sql, id, askerOf(request));
          const before = await readMember(house, sql, id, person);
          refuseMoreThanOwn(asker, { ...before, name: before.role_name });
          const role = request.body.role === undefined ? undefined : await readRole(sql, request.body.role);
          if (role !== undefined) refuseMoreThanOwn(asker, role);
          const isOwner = (role ?? before).role === 'owner';
          if (before.role === 'owner' && !isOwner) await refuseLastOwner(sql, id, person, 'another role');
          const limited = isOwner ? false : (request.body.team_sites_only ?? before.team_sites_only);
          if (isOwner && request.body.team_sites_only === true)
            throw new RequestError('invalid_field', 'An owner sees every site. Choose another role first.', {
              field: 'team_sites_only',
            });
          await sql.run(
            // Since when the role holds: who must have a second factor gets its days from then on.
            `UPDATE memberships SET role = $3, custom_role_id = $4, team_sites_only = $5,
               role_since = CASE WHEN role = $3 THEN role_since ELSE $6 END
             WHERE organisation_id = $1 AND person_id = $2`,
            [
              id,
              person,
              (role ?? before).role,
              role === undefined ? before.custom_role_id : role.customRoleId,
              limited,
              new Date(clock.now()),
            ],
          );
          if (request.body.team_ids !== undefined) await joinTeams(sql, id, person, request.body.team_ids);
          const after = (await listMembers(house, sql, person))[0] as Member;
          await audit.record(sql, id, {
            action: role === undefined ? 'member.changed' : 'member.role_changed',
            ...actOf(request),
            targets: [{ type: 'person', id: person, label: before.email }],
            details: {
              from: before.role_name,
              to: after.role_name,
              team_sites_only: after.team_sites_only,
              teams: after.teams.length,
            },
          });
          if (role !== undefined && roleWord(before) !== after.role) {
            await notices.tell(sql, person, roleNotice(id, organisation.name, after.role_name));
            await mail.send(sql, {
              template: roleChangedMail,
              to: before.email,
              personId: person,
              organisationId: id,
              values: {
                organisation: organisation.name,
                by: calledOf(asker),
                from: before.role_name,
                to: after.role_name,
                link: mail.link('/'),
              },
            });
          }
          return { body: after };
        });
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/members/:person',
      access: 'member.manage',
      summary: 'Takes somebody out of an organisation; their next request gets nothing of it.',
      params: ofMember,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        await postgres.tenant(id, (sql) => removeMember({ house }, sql, id, request.params.person, request));
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/departures',
      access: 'organisation.read',
      summary: 'Leaves an organisation. The last owner cannot; the slug is named again, so that no other one is left.',
      params: ofOrganisation,
      body: slugTyped,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const personId = askerOf(request);
        await postgres.tenant(id, async (sql) => {
          const organisation = await lockOrganisation(sql, id);
          refuseOtherSlug(organisation.slug, request.body.slug);
          const asker = await readMember(house, sql, id, personId);
          if (asker.role === 'owner') await refuseLastOwner(sql, id, asker.person_id, 'leaving');
          await sql.run('DELETE FROM memberships WHERE organisation_id = $1 AND person_id = $2', [id, asker.person_id]);
          await audit.record(sql, id, {
            action: 'member.left',
            ...actOf(request),
            targets: [{ type: 'person', id: asker.person_id, label: asker.email }],
            details: { role: asker.role_name },
          });
          await mail.send(sql, {
            template: membershipEndedMail,
            to: asker.email,
            personId: asker.person_id,
            values: { organisation: organisation.name, by: null },
          });
        });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/ownership-offer',
      access: 'organisation.own',
      summary: 'Offers the organisation to a member, for seven days; an earlier offer ends.',
      params: ofOrganisation,
      body: newOwnershipOffer,
      answer: z.object({ expires_at: z.string() }),
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const now = clock.now();
        const expiresAt = new Date(now + organisationLimits.ownershipOfferDays * dayMs);
        await postgres.tenant(id, async (sql) => {
          const { name, slug } = await lockOrganisation(sql, id);
          const asker = await readMember(house, sql, id, askerOf(request));
          const to = await sql.maybe<{ id: number; email_sealed: Buffer; role: string }>(
            `SELECT p.id, p.email_sealed, m.role FROM memberships m JOIN people p ON p.id = m.person_id
             WHERE m.person_id = $1 AND p.status NOT IN ('suspended', 'closing', 'closed')
               AND (p.status <> 'unverified' OR NOT $2)`,
            [request.body.person_id, await mail.isOn()],
          );
          if (to === undefined || to.role === 'owner')
            throw new RequestError(
              'invalid_field',
              to === undefined
                ? 'This person is no member who can sign in with an address that is confirmed. Invite them, or ask them to confirm it under Account, Profile.'
                : 'This person is an owner already, so there is nothing to hand over.',
              { field: 'person_id' },
            );
          const address = await openEmail(vault, { person: to.id }, to.email_sealed);
          await sql.run(
            `INSERT INTO ownership_offers (organisation_id, offered_by, offered_to, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (organisation_id) DO UPDATE SET offered_by = $2, offered_to = $3, created_at = $4, expires_at = $5`,
            [id, asker.person_id, to.id, new Date(now), expiresAt],
          );
          await audit.record(sql, id, {
            action: 'organisation.ownership_offered',
            ...actOf(request),
            targets: [{ type: 'person', id: to.id, label: address }],
          });
          await mail.send(sql, {
            template: ownershipOfferedMail,
            to: address,
            personId: to.id,
            organisationId: id,
            values: {
              organisation: name,
              by: calledOf(asker),
              link: mail.link(`/o/${slug}/settings`),
              days: organisationLimits.ownershipOfferDays,
            },
          });
        });
        return { body: { expires_at: expiresAt.toISOString() } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/ownership-offer',
      access: 'organisation.read',
      summary: 'Takes an offer of ownership back, or declines it.',
      params: ofOrganisation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        await postgres.tenant(id, async (sql) => {
          await lockOrganisation(sql, id);
          const asker = await readMember(house, sql, id, askerOf(request));
          const ended = await sql.maybe<{ offered_to: number }>(
            'DELETE FROM ownership_offers WHERE organisation_id = $1 AND (offered_to = $2 OR $3) RETURNING offered_to',
            [id, asker.person_id, asker.role === 'owner'],
          );
          if (ended === undefined) throw noOffer();
          await audit.record(sql, id, {
            action: 'organisation.ownership_withdrawn',
            ...actOf(request),
            targets: [{ type: 'person', id: ended.offered_to }],
          });
        });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/ownership-offer/acceptances',
      access: 'organisation.read',
      summary: 'Accepts the ownership that was offered: whoever offered it becomes an admin.',
      params: ofOrganisation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        await postgres.tenant(id, async (sql) => {
          const { name } = await lockOrganisation(sql, id);
          const to = await readMember(house, sql, id, askerOf(request));
          const offer = await sql.maybe<{ offered_by: number }>(
            'DELETE FROM ownership_offers WHERE organisation_id = $1 AND offered_to = $2 AND expires_at > $3 RETURNING offered_by',
            [id, to.person_id, new Date(clock.now())],
          );
          if (offer === undefined) throw noOffer();
          const from = await readMember(house, sql, id, offer.offered_by);
          // An offer is as good as the ownership behind it: somebody who was demoted since cannot give it away.
          if (from.role !== 'owner') throw noOffer();
          const role =
            'UPDATE memberships SET role = $3, role_since = $4, custom_role_id = NULL, team_sites_only = false WHERE organisation_id = $1 AND person_id = $2';
          const now = new Date(clock.now());
          await sql.run(role, [id, to.person_id, 'owner', now]);
          await sql.run(role, [id, from.person_id, 'admin', now]);
          await audit.record(sql, id, {
            action: 'organisation.ownership_transferred',
            ...actOf(request),
            targets: [
              { type: 'person', id: to.person_id, label: to.email },
              { type: 'person', id: from.person_id, label: from.email },
            ],
          });
          await notices.tell(sql, to.person_id, roleNotice(id, name, 'owner'));
          await notices.tell(sql, from.person_id, roleNotice(id, name, 'admin'));
          for (const one of [from, to])
            await mail.send(sql, {
              template: ownershipTransferredMail,
              to: one.email,
              personId: one.person_id,
              organisationId: id,
              values: { organisation: name, from: calledOf(from), to: calledOf(to) },
            });
        });
        return { status: 204 };
      },
    }),
  ];
}

/**
 * Takes somebody out of an organisation, with the act and a mail to them.
 * @throws RequestError not_found, forbidden, last_owner
 */
export async function removeMember(
  { house }: Pick<OrganisationParts, 'house'>,
  sql: Sql,
  id: number,
  personId: number,
  request: Parameters<typeof actOf>[0],
): Promise<void> {
  const { name } = await lockOrganisation(sql, id);
  const asker = await readMember(house, sql, id, askerOf(request));
  const target = await readMember(house, sql, id, personId);
  refuseMoreThanOwn(asker, { ...target, name: target.role_name });
  if (target.role === 'owner') await refuseLastOwner(sql, id, target.person_id, 'removing');
  await sql.run('DELETE FROM memberships WHERE organisation_id = $1 AND person_id = $2', [id, target.person_id]);
  await house.audit.record(sql, id, {
    action: 'member.removed',
    ...actOf(request),
    targets: [{ type: 'person', id: target.person_id, label: target.email }],
    details: { role: target.role_name },
  });
  await house.mail.send(sql, {
    template: membershipEndedMail,
    to: target.email,
    personId: target.person_id,
    organisationId: id,
    values: { organisation: name, by: calledOf(asker) },
  });
}

/** The act sends a service mail of its own; this is for the bell. */
function roleNotice(organisationId: number, organisation: string, role: string) {
  return { name: 'role_changed' as const, facts: { organisation, role }, organisationId };
}

/** No key has a permission that leads here, so the asker is a person. */
function askerOf(request: { principal: Principal | undefined }): number {
  const { principal } = request;
  if (principal?.kind !== 'person')
    throw new RequestError('not_found', 'This is for people who are signed in; an API key is no member.');
  return principal.id;
}

/** @throws RequestError invalid_field */
export function refuseOtherSlug(slug: string, typed: string): void {
  if (slug !== typed)
    throw new RequestError('invalid_field', `This is not the name of the organisation in addresses. Type ${slug}.`, {
      field: 'slug',
    });
}

function noOffer(): RequestError {
  return new RequestError('conflict', 'Nobody offers you this organisation: the offer was taken back, or has expired.');
}

/** By name, else by address, which is opened for it. */
export async function listMembers({ vault }: Pick<House, 'vault'>, sql: Sql, only?: number): Promise<Member[]> {
  const rows = await sql.query<{
    id: number;
    name: string;
    email_sealed: Buffer;
    role: string;
    custom_role_id: number | null;
    role_name: string;
    team_sites_only: boolean;
    created_at: Date;
    last_seen_day: string | null;
    status: OrganisationStatus;
    second_factor: boolean;
    teams: Member['teams'];
  }>(
    `SELECT p.id, p.name, p.email_sealed, m.role, m.custom_role_id, coalesce(c.name, m.role) AS role_name, m.team_sites_only, m.created_at,
       p.last_seen_day, p.status,
       p.id IN (SELECT person_id FROM lookup.people_with_second_factor(ARRAY(SELECT person_id FROM memberships
         WHERE organisation_id = current_organisation()))) AS second_factor,
       coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) ORDER BY lower(t.name))
         FROM team_members tm JOIN teams t ON t.id = tm.team_id WHERE tm.person_id = p.id), '[]') AS teams
     FROM memberships m JOIN people p ON p.id = m.person_id LEFT JOIN custom_roles c ON c.id = m.custom_role_id
     WHERE m.organisation_id = current_organisation() AND ($1::bigint IS NULL OR p.id = $1)
     ORDER BY p.id`,
    [only ?? null],
  );
  const members = await Promise.all(
    rows.map(async ({ created_at, custom_role_id, email_sealed, ...row }) => ({
      ...row,
      email: await openEmail(vault, { person: row.id }, email_sealed),
      role: roleWord({ role: row.role, custom_role_id }),
      since: created_at.toISOString(),
    })),
  );
  const shown = (one: { name: string; email: string }) => calledOf(one).toLowerCase();
  return members.sort((a, b) => (shown(a) === shown(b) ? a.id - b.id : shown(a) < shown(b) ? -1 : 1));
}
