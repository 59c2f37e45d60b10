import type { AccessKind } from '../../platform/access.ts';
import { RequestError } from '../../platform/http/route.ts';
import { readCustomRoles, removeRole } from './custom_roles.ts';
import type { Invitations } from './invitations.ts';
import { listMembers, removeMember } from './members.ts';
import type { OrganisationParts } from './parts.ts';

/** Members, invitations and custom roles, for the review of access: each is taken away as its own page does it. */
export function memberAccess(
  { house }: Pick<OrganisationParts, 'house'>,
  invitations: Pick<Invitations, 'open' | 'revoke'>,
): AccessKind[] {
  const limits = (isLimited: boolean) => (isLimited ? ', sites of their teams' : '');
  return [
    {
      ...{ kind: 'member', permission: 'member.manage', isOfPerson: true },
      list: async (sql) =>
        (await listMembers(house, sql)).map((one) => ({
          ...{ id: one.id, label: one.name === '' ? one.email : `${one.name}, ${one.email}` },
          gives: `${one.role_name}${limits(one.team_sites_only)}`,
          ...{ since: one.since.slice(0, 10), last_used: one.last_seen_day },
        })),
      remove: (sql, organisationId, id, request) => removeMember({ house }, sql, organisationId, id, request),
    },
    {
      ...{ kind: 'invitation', permission: 'member.manage', isOfPerson: true },
      list: async (sql, organisationId) =>
        (await invitations.open(sql, organisationId)).map((one) => ({
          ...{ id: one.id, label: one.email, since: one.sent_at.slice(0, 10) },
          gives: `${one.role_name}${limits(one.team_sites_only)}, once it is accepted`,
        })),
      remove: invitations.revoke,
    },
    {
      ...{ kind: 'role', permission: 'member.manage', isOfPerson: false },
      list: async (sql) =>
        (await readCustomRoles(sql)).map((one) => ({
          ...{ id: one.id, label: one.name, since: one.created_at.toISOString().slice(0, 10) },
          gives: one.permissions.join(' ') || 'nothing',
        })),
      async remove(sql, organisationId, id, request) {
        const used = (await readCustomRoles(sql)).find((one) => one.id === id);
        if (used !== undefined && used.members > 0)
          throw new RequestError(
            'conflict',
            `${used.members} people or invitations have the role ${used.name}. Give them another one under Settings, Roles, first.`,
          );
        await removeRole({ house }, sql, organisationId, { roleId: id }, request);
      },
    },
  ];
}
