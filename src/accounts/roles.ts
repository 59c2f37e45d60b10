import type { keyScopes } from '../../contract/api.ts';
import type { Permission, Principal } from '../platform/http/route.ts';

const everything: readonly Permission[] = [
  ...(['stats.read', 'stats.export', 'events.write', 'site.read', 'site.manage', 'goal.manage'] as const),
  ...(['key.manage', 'organisation.read'] as const),
];

/** What each role may do in its organisation. One table, read by the permission check and by the route test. */
export const rolePermissions: Record<string, readonly Permission[]> = {
  owner: everything,
  admin: everything,
  member: ['stats.read', 'stats.export', 'site.read', 'goal.manage', 'organisation.read'],
  viewer: ['stats.read', 'site.read', 'organisation.read'],
};

/** What each scope of an API key allows. A key never manages keys: a leaked one cannot make itself a successor. */
export const scopePermissions: Record<(typeof keyScopes)[number], readonly Permission[]> = {
  'stats:read': ['stats.read'],
  'stats:export': ['stats.export'],
  'events:write': ['events.write'],
  'sites:read': ['site.read', 'organisation.read'],
  'sites:write': ['site.read', 'site.manage', 'goal.manage', 'organisation.read'],
};

export function personPrincipal(person: { id: number; memberships: ReadonlyMap<number, string> }): Principal {
  return {
    kind: 'person',
    id: person.id,
    can(permission, organisationId) {
      const role = person.memberships.get(organisationId);
      return role !== undefined && (rolePermissions[role] ?? []).includes(permission);
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
