import type { keyScopes } from '../../contract/api.ts';
import type { Role } from '../../contract/roles.ts';
import { type Permission, type Principal, permissions } from '../platform/http/route.ts';

/** What an owner alone may do: hand the organisation on, close it, move a site out of it. */
const ownerOnly = ['organisation.own'] as const satisfies readonly Permission[];
const everything: readonly Permission[] = permissions;
const look = ['stats.read', 'site.read', 'organisation.read'] as const satisfies readonly Permission[];

/**
 * What each role may do in its organisation (the list of the accounts issue). One table, read by the permission check
 * and by the route test. Roles of capabilities that do not exist yet may look until those come.
 */
export const rolePermissions: Record<Role, readonly Permission[]> = {
  owner: everything,
  admin: everything.filter((one) => !(ownerOnly as readonly Permission[]).includes(one)),
  analyst: [...look, 'stats.export', 'goal.manage', 'member.read'],
  marketer: [...look, 'stats.export', 'goal.manage', 'member.read'],
  author: [...look, 'member.read'],
  publisher: [...look, 'member.read'],
  approver: [...look, 'member.read'],
  viewer: look,
  billing: ['organisation.read'],
  'billing-archive': ['organisation.read'],
  'privacy-officer': [...look, 'member.read', 'audit.read'],
};

/** What each scope of an API key allows. A key never manages keys: a leaked one cannot make itself a successor. */
export const scopePermissions: Record<(typeof keyScopes)[number], readonly Permission[]> = {
  'stats:read': ['stats.read'],
  'stats:export': ['stats.export'],
  'events:write': ['events.write'],
  'sites:read': ['site.read', 'organisation.read'],
  'sites:write': ['site.read', 'site.manage', 'goal.manage', 'organisation.read'],
};

export function personPrincipal(person: {
  id: number;
  isOperator: boolean;
  memberships: ReadonlyMap<number, string>;
}): Principal {
  return {
    kind: 'person',
    id: person.id,
    isOperator: person.isOperator,
    can(permission, organisationId) {
      const role = person.memberships.get(organisationId);
      return role !== undefined && (rolePermissions[role as Role] ?? []).includes(permission);
    },
  };
}

export function keyPrincipal(key: {
  id: number;
  organisationId: number;
  scopes: readonly string[];
  siteIds: readonly number[] | undefined;
}): Principal {
  return {
    kind: 'key',
    id: key.id,
    organisationId: key.organisationId,
    ...(key.siteIds === undefined ? {} : { siteIds: key.siteIds }),
    can: (permission, organisationId) =>
      organisationId === key.organisationId &&
      key.scopes.some((scope) => (scopePermissions[scope as keyof typeof scopePermissions] ?? []).includes(permission)),
  };
}
