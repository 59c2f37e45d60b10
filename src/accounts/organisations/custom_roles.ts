import { z } from 'zod';
import {
  newRole,
  type OrganisationRole,
  organisationLimits,
  role,
  roleTable,
} from '../../../contract/organisations.ts';
import { roles } from '../../../contract/roles.ts';
import { actOf } from '../../platform/audit.ts';
import {
  defineRoute,
  type Permission,
  type Principal,
  permissions,
  RequestError,
  type Route,
} from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { isOwnersAlone, rolePermissions } from '../roles.ts';
import { gone, lockOrganisation, organisationOfPath } from './found.ts';
import { readRole, refuseMoreThanOwn } from './granting.ts';
import { type OrganisationParts, ofOrganisation } from './parts.ts';

/** Each permission as a page says it. Compared with the closed list by the type. */
const meanings: Record<Permission, string> = {
  'stats.read': 'See the numbers of a site',
  'stats.export': 'Export everything of a site into files',
  'events.write': 'Send events with their own time and address',
  'site.read': 'See sites and their settings',
  'site.manage': 'Add sites and change their settings',
  'goal.manage': 'Change goals and annotations',
  'key.manage': 'Make and revoke API keys',
  'organisation.read': 'See the organisation itself',
  'organisation.manage': 'Change name, address, logo and defaults of the organisation',
  'organisation.own': 'Hand the organisation on, and close it',
  'organisation.take': 'Take everything of the organisation along, and read its access log',
  'member.read': 'See the people and teams',
  'member.manage': 'Invite and remove people, change roles and teams',
  'audit.read': 'Read the audit log, and what is kept for how long',
  'policy.manage': 'Set how long things are kept, place legal holds, and keep the register of incidents',
  'request.manage': 'See requests of data subjects with who asks, and answer them',
  'request.submit': 'Hand in requests of data subjects for another system, and ask how far they are',
  'consent.write': 'Record that somebody gave, refused or withdrew consent',
  'share.manage': 'Make and revoke public dashboards and widgets',
  'profile.read': 'See visitors of storage mode and what a site has called them',
  'relay.read': 'See sources, mappings, destinations and conversions of the relay',
  'relay.manage': 'Change where conversions come from, how they are read and where they go',
  'connection.read': 'See which ad platforms are connected, and until when',
  'connection.manage': 'Connect ad platforms, choose accounts and disconnect',
};

const ofRole = ofOrganisation.extend({ id: z.coerce.number().int().positive() });

/** Custom roles: named sets of permissions of one organisation, beside the eleven that every organisation has. */
export function customRoleRoutes({ house }: OrganisationParts): Route[] {
  const { postgres, audit, clock } = house;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/roles',
      access: 'organisation.read',
      summary: 'Every role of an organisation and what it may do: the built-in ones, then its own.',
      params: ofOrganisation,
      answer: roleTable,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        return {
          body: {
            permissions: permissions.map((name) => ({ name, meaning: meanings[name] })),
            roles: await postgres.tenant(id, readRoles),
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/roles',
      access: 'member.manage',
      summary: 'Makes a custom role of permissions that the maker has.',
      params: ofOrganisation,
      body: newRole,
      answer: role,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const principal = request.principal as Principal;
        const wanted = grantable(principal, id, request.body.permissions);
        const made = await postgres.tenant(id, async (sql) => {
          await lockOrganisation(sql, id);
          const { count } = await sql.one<{ count: number }>('SELECT count(*)::int AS count FROM custom_roles');
          if (count >= organisationLimits.customRolesMax)
            throw new RequestError(
              'conflict',
              `An organisation has at most ${organisationLimits.customRolesMax} roles of its own. Remove one first.`,
            );
          await refuseTakenName(sql, request.body.name, 0);
          const { id: roleId } = await sql.one<{ id: number }>(
            'INSERT INTO custom_roles (organisation_id, name, permissions, created_by, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id',
            [id, request.body.name, wanted, principal.id, new Date(clock.now())],
          );
          await audit.record(sql, id, {
            action: 'role.created',
            ...actOf(request),
            targets: [{ type: 'role', id: roleId, label: request.body.name }],
            details: { permissions: wanted.join(' ') },
          });
          return roleId;
        });
        return { status: 201, body: await postgres.tenant(id, (sql) => readCustomRole(sql, made)) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/roles/:id',
      access: 'member.manage',
      summary: 'Sets name and permissions of a custom role; it holds from the next request of its people on.',
      params: ofRole,
      body: newRole,
      answer: role,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const wanted = grantable(request.principal as Principal, id, request.body.permissions);
        const roleId = request.params.id;
        await postgres.tenant(id, async (sql) => {
          await lockOrganisation(sql, id);
          const before = await readCustomRole(sql, roleId);
          // Taking away what one does not have oneself would be changing somebody who may do more.
          refuseBeyond(request.principal as Principal, id, before);
          await refuseTakenName(sql, request.body.name, roleId);
          await sql.run('UPDATE custom_roles SET name = $2, permissions = $3 WHERE id = $1', [
            roleId,
            request.body.name,
            wanted,
          ]);
          await audit.record(sql, id, {
            action: 'role.changed',
            ...actOf(request),
            targets: [{ type: 'role', id: roleId, label: request.body.name }],
            details: { from: before.permissions.join(' '), to: wanted.join(' '), name: before.name },
          });
        });
        return { body: await postgres.tenant(id, (sql) => readCustomRole(sql, roleId)) };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/roles/:id',
      access: 'member.manage',
      summary: 'Removes a custom role; one that is in use needs a successor for its people.',
      params: ofRole,
      query: z.strictObject({ successor: z.string().max(40).optional() }),
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const { successor } = request.query;
        await postgres.tenant(id, (sql) =>
          removeRole({ house }, sql, id, { roleId: request.params.id, successor }, request),
        );
        return { status: 204 };
      },
    }),
  ];
}

/**
 * Removes a custom role, with the act. One that is in use needs a successor for its people.
 * @throws RequestError not_found, forbidden, conflict, invalid_field
 */
export async function removeRole(
  { house: { audit } }: Pick<OrganisationParts, 'house'>,
  sql: Sql,
  id: number,
  { roleId, successor }: { roleId: number; successor?: string | undefined },
  request: Parameters<typeof actOf>[0],
): Promise<void> {
  const principal = request.principal as Principal;
  await lockOrganisation(sql, id);
  const before = await readCustomRole(sql, roleId);
  refuseBeyond(principal, id, before);
  if (before.members > 0 && successor === undefined)
    throw new RequestError(
      'conflict',
      `${before.members} people or invitations have the role ${before.name}. Name the role that they get instead.`,
      { field: 'successor' },
    );
  if (successor !== undefined) {
    const next = await readRole(sql, readSuccessor(successor, roleId), 'successor');
    refuseMoreThanOwn({ permissions: permissions.filter((one) => principal.can(one, id)) }, next);
    // An owner is made by name, one person at a time, not by the removal of a role.
    if (next.role === 'owner')
      throw new RequestError('invalid_field', 'Owners are made one by one. Choose another role.', {
        field: 'successor',
      });
    for (const table of ['memberships', 'invitations'])
      await sql.run(`UPDATE ${table} SET role = $2, custom_role_id = $3 WHERE custom_role_id = $1`, [
        roleId,
        next.role,
        next.customRoleId,
      ]);
  }
  // Invitations that are over keep no role from going; what they offered stands in the audit log.
  else
    await sql.run("UPDATE invitations SET role = 'viewer', custom_role_id = NULL WHERE custom_role_id = $1", [roleId]);
  await sql.run('DELETE FROM custom_roles WHERE id = $1', [roleId]);
  await audit.record(sql, id, {
    action: 'role.removed',
    ...actOf(request),
    targets: [{ type: 'role', id: roleId, label: before.name }],
    details: { successor: successor ?? null, members: before.members },
  });
}

/** @throws RequestError invalid_field for what is no permission, is the owner's alone, or the asker has not */
function grantable(principal: Principal, organisationId: number, wanted: readonly string[]): Permission[] {
  const refuse = (message: string) => new RequestError('invalid_field', message, { field: 'permissions' });
  const known = [...new Set(wanted)].map((one): Permission => {
    const permission = permissions.find((each) => each === one);
    if (permission === undefined) throw refuse(`There is no permission called "${one}".`);
    if (isOwnersAlone(permission)) throw refuse('What makes an owner belongs to owners alone.');
    if (!principal.can(permission, organisationId))
      throw refuse(`You do not have ${permission} yourself, so you cannot give it. An owner can.`);
    return permission;
  });
  return permissions.filter((one) => known.includes(one));
}

function refuseBeyond(principal: Principal, organisationId: number, touched: OrganisationRole): void {
  refuseMoreThanOwn(
    { permissions: permissions.filter((one) => principal.can(one, organisationId)) },
    { name: touched.name, role: 'custom', permissions: permissions.filter((one) => touched.permissions.includes(one)) },
  );
}

function readSuccessor(text: string, of: number): string {
  const isRole = (roles as readonly string[]).includes(text) || /^custom:[1-9]\d{0,14}$/.test(text);
  if (isRole && text !== `custom:${of}`) return text;
  throw new RequestError('invalid_field', 'The successor is another role of this organisation.', {
    field: 'successor',
  });
}

async function refuseTakenName(sql: Sql, name: string, except: number): Promise<void> {
  const taken =
    (roles as readonly string[]).includes(name.toLowerCase()) ||
    (await sql.query('SELECT 1 FROM custom_roles WHERE lower(name) = lower($1) AND id <> $2', [name, except])).length >
      0;
  if (taken)
    throw new RequestError('conflict', `A role called ${name} is there already. Take another name.`, { field: 'name' });
}

/** People and living invitations: whoever would be without a role. */
const inUse = (condition: string) =>
  `(SELECT count(*) FROM memberships m WHERE m.organisation_id = current_organisation() AND m.${condition})::int
   + (SELECT count(*) FROM invitations i WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.${condition})::int`;

async function readCustomRole(sql: Sql, id: number): Promise<OrganisationRole> {
  const row = await sql.maybe<{ name: string; permissions: string[]; members: number }>(
    `SELECT c.name, c.permissions, ${inUse('custom_role_id = c.id')} AS members FROM custom_roles c WHERE c.id = $1`,
    [id],
  );
  if (row === undefined) throw gone();
  return { role: `custom:${id}`, built_in: false, ...row };
}

/** The custom roles alone. */
export function readCustomRoles(
  sql: Sql,
): Promise<{ id: number; name: string; permissions: string[]; members: number; created_at: Date }[]> {
  return sql.query(
    `SELECT c.id, c.name, c.permissions, c.created_at, ${inUse('custom_role_id = c.id')} AS members
     FROM custom_roles c ORDER BY lower(c.name)`,
  );
}

async function readRoles(sql: Sql): Promise<OrganisationRole[]> {
  const counts = await sql.query<{ role: string; members: number }>(
    `SELECT r.role, ${inUse('role = r.role')} AS members FROM unnest($1::text[]) AS r(role)`,
    [roles],
  );
  const custom = await readCustomRoles(sql);
  return [
    ...roles.map((name) => ({
      role: name,
      name,
      built_in: true,
      permissions: [...rolePermissions[name]],
      members: counts.find((one) => one.role === name)?.members ?? 0,
    })),
    ...custom.map(({ id, created_at: _, ...row }) => ({ role: `custom:${id}`, built_in: false, ...row })),
  ];
}
