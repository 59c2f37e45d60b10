import type { keyScopes } from '../../contract/api.ts';
import type { OrganisationStatus } from '../../contract/organisation_status.ts';
import type { Role } from '../../contract/roles.ts';
import { type Permission, type Principal, permissions, RequestError, sitePermissions } from '../platform/http/route.ts';

/** What an owner alone may do: hand the organisation on, close it, take all of it along, and read who asked for what. */
const ownerOnly: readonly Permission[] = ['organisation.own', 'organisation.take'];
export const isOwnersAlone = (one: Permission): boolean => ownerOnly.includes(one);
/** What is kept and for how long is not for who runs sites and members day by day. */
const beyondAdmin: readonly Permission[] = [...ownerOnly, 'policy.manage'];
const everything: readonly Permission[] = permissions;
const look = ['stats.read', 'site.read', 'organisation.read'] as const satisfies readonly Permission[];

/**
 * What each role may do in its organisation (the list of the accounts issue). One table, read by the permission check
 * and by the route test. Roles of capabilities that do not exist yet may look until those come.
 */
export const rolePermissions: Record<Role, readonly Permission[]> = {
  owner: everything,
  admin: everything.filter((one) => !beyondAdmin.includes(one)),
  analyst: [...look, 'stats.export', 'goal.manage', 'member.read', 'relay.read'],
  // Who runs campaigns sets up where their conversions go.
  marketer: [
    ...look,
    'stats.export',
    'goal.manage',
    'member.read',
    'relay.read',
    'relay.manage',
    'connection.read',
    'connection.manage',
  ],
  author: [...look, 'member.read'],
  publisher: [...look, 'member.read'],
  approver: [...look, 'member.read'],
  viewer: look,
  billing: ['organisation.read'],
  'billing-archive': ['organisation.read'],
  'privacy-officer': [
    ...[...look, 'member.read' as const, 'audit.read' as const, 'policy.manage' as const],
    ...([
      'request.manage',
      'request.submit',
      'consent.write',
      'profile.read',
      'relay.read',
      'connection.read',
    ] as const),
  ],
};

/** What each scope of an API key allows. A key never manages keys: a leaked one cannot make itself a successor. */
export const scopePermissions: Record<(typeof keyScopes)[number], readonly Permission[]> = {
  'stats:read': ['stats.read'],
  'stats:export': ['stats.export'],
  'events:write': ['events.write'],
  'sites:read': ['site.read', 'organisation.read'],
  'sites:write': ['site.read', 'site.manage', 'goal.manage', 'organisation.read'],
  // To hand in, and not to see who else has asked.
  'requests:write': ['request.submit'],
  // What sends events needs neither: a leaked key of a site's server writes no consent and names nobody.
  'consents:write': ['consent.write'],
  'profiles:read': ['profile.read'],
  'relay:read': ['relay.read'],
  'relay:write': ['relay.read', 'relay.manage'],
};

/** What can still be done while an organisation is suspended: look. Its owners may take their data with them. */
const whileSuspended: readonly Permission[] = [
  'stats.read',
  'site.read',
  'organisation.read',
  'member.read',
  'audit.read',
  'relay.read',
  'connection.read',
  // An export of everything and the access log, for owners: neither changes anything.
  'organisation.take',
  // What the law gives a month for does not wait until an organisation is in force again.
  'request.manage',
  'request.submit',
  'consent.write',
];

/** What somebody with this role may do: the built-in set, or that of a custom role, as the organisation's status lets. */
export function permissionsOf(membership: {
  role: string;
  /** Of a custom role; a permission that is no more counts for nothing. */
  custom: readonly string[] | null;
  status: OrganisationStatus;
  /** Sees the sites of their teams and no others. */
  isLimited: boolean;
}): readonly Permission[] {
  const { role, custom, status, isLimited } = membership;
  const all =
    role === 'custom'
      ? permissions.filter((one) => !isOwnersAlone(one) && (custom ?? []).includes(one))
      : (rolePermissions[role as Role] ?? []);
  const own = isLimited ? all.filter((one) => sitePermissions.has(one) || besideTeamSites.includes(one)) : all;
  return underStatus(own, status, role === 'owner');
}

/**
 * What somebody who is limited to the sites of their teams keeps of the permissions that are about no site: with a key
 * of the whole organisation, or by changing the teams, they would get out of the limit.
 */
const besideTeamSites: readonly Permission[] = ['organisation.read', 'member.read'];

function underStatus(all: readonly Permission[], status: OrganisationStatus, isOwner: boolean): readonly Permission[] {
  if (status === 'closed') return [];
  if (status !== 'suspended') return all;
  return all.filter((one) => whileSuspended.includes(one) || (isOwner && one === 'stats.export'));
}

/** What a person has in one organisation, read anew for each request. */
export interface PersonMembership {
  permissions: readonly Permission[];
  /** Those of the person's teams, where they see no others; undefined = all. */
  siteIds: readonly number[] | undefined;
  /** The days to set up a second factor are over: until there is one, nothing of the organisation is open. */
  isSecondFactorOverdue: boolean;
}

export function personPrincipal(person: {
  id: number;
  session: string;
  isOperator: boolean;
  /** A document waits to be accepted: until then nothing of any organisation is open. */
  isAgreementDue: boolean;
  memberships: ReadonlyMap<number, PersonMembership>;
}): Principal {
  return {
    kind: 'person',
    id: person.id,
    session: person.session,
    isOperator: person.isOperator,
    can(permission, organisationId) {
      const membership = person.memberships.get(organisationId);
      if (membership === undefined || !membership.permissions.includes(permission)) return false;
      // Thrown and not false: who may do it gets to hear what is missing.
      if (person.isAgreementDue) throw acceptanceNeeded();
      if (membership.isSecondFactorOverdue) throw secondFactorNeeded();
      return true;
    },
    siteIdsIn(organisationId) {
      const membership = person.memberships.get(organisationId);
      return membership === undefined ? [] : membership.siteIds;
    },
  };
}

function acceptanceNeeded(): RequestError {
  return new RequestError(
    'acceptance_needed',
    'The documents of this desk have changed. Read and accept them, by opening any page of the desk; then everything is here again.',
  );
}

function secondFactorNeeded(): RequestError {
  return new RequestError(
    'second_factor_needed',
    'This organisation asks for a second factor, and the days to set one up are over. Set one up under Account, Security; then everything is here again.',
  );
}

/** A key may do what its scopes say, and no more than the status of its organisation lets. */
export function underOrganisationStatus(key: Principal, status: OrganisationStatus): Principal {
  if (status !== 'suspended' && status !== 'closed') return key;
  return {
    ...key,
    can: (permission, organisationId) =>
      key.can(permission, organisationId) && underStatus([permission], status, false).length > 0,
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
