import type { Role } from '../../../contract/roles.ts';
import { openEmail } from '../../platform/email.ts';
import { type Permission, RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { permissionsOf, rolePermissions } from '../roles.ts';
import { gone } from './found.ts';

/** A role as memberships and invitations store it. */
export interface StoredRole {
  role: string;
  customRoleId: number | null;
  name: string;
  permissions: readonly Permission[];
}

/** `analyst` or `custom:12` as a request names it. @throws RequestError invalid_field for a custom role that is not there */
export async function readRole(sql: Sql, wanted: string, field = 'role'): Promise<StoredRole> {
  if (!wanted.startsWith('custom:'))
    return { role: wanted, customRoleId: null, name: wanted, permissions: rolePermissions[wanted as Role] ?? [] };
  const id = Number(wanted.slice('custom:'.length));
  const row = await sql.maybe<{ name: string; permissions: string[] }>(
    'SELECT name, permissions FROM custom_roles WHERE id = $1',
    [id],
  );
  if (row === undefined)
    throw new RequestError('invalid_field', 'This custom role is not there any more. Choose another role.', { field });
  return {
    role: 'custom',
    customRoleId: id,
    name: row.name,
    permissions: permissionsOf({ role: 'custom', custom: row.permissions, status: 'active', isLimited: false }),
  };
}

export function roleWord(row: { role: string; custom_role_id: number | null }): string {
  return row.custom_role_id === null ? row.role : `custom:${row.custom_role_id}`;
}

export interface MemberRow {
  person_id: number;
  name: string;
  email: string;
  role: string;
  role_name: string;
  custom_role_id: number | null;
  team_sites_only: boolean;
  permissions: readonly Permission[];
}

/** A membership of the organisation in force. @throws RequestError not_found */
export async function readMember(
  { vault }: Pick<House, 'vault'>,
  sql: Sql,
  organisationId: number,
  personId: number,
): Promise<MemberRow> {
  const row = await sql.maybe<
    Omit<MemberRow, 'permissions' | 'email'> & { custom: string[] | null; email_sealed: Buffer }
  >(
    `SELECT m.person_id, p.name, p.email_sealed, m.role, coalesce(c.name, m.role) AS role_name, m.custom_role_id, m.team_sites_only,
       c.permissions AS custom
     FROM memberships m JOIN people p ON p.id = m.person_id LEFT JOIN custom_roles c ON c.id = m.custom_role_id
     WHERE m.organisation_id = $1 AND m.person_id = $2`,
    [organisationId, personId],
  );
  if (row === undefined) throw gone();
  const { custom, email_sealed, ...rest } = row;
  const { role, team_sites_only: isLimited } = rest;
  const email = await openEmail(vault, { person: personId }, email_sealed);
  return { ...rest, email, permissions: permissionsOf({ role, custom, status: 'active', isLimited }) };
}

/**
 * Nobody hands out more than they have, and nobody changes somebody who may do more: a custom role that manages members
 * cannot make itself an admin, and only an owner makes an owner.
 * @throws RequestError forbidden
 */
export function refuseMoreThanOwn(
  asker: Pick<MemberRow, 'permissions'>,
  touched: { name: string; role: string; permissions: readonly Permission[] },
): void {
  const more = touched.permissions.filter((one) => !asker.permissions.includes(one));
  if (more.length === 0) return;
  if (touched.role === 'owner')
    throw new RequestError('forbidden', 'Only an owner can make somebody an owner, or change or remove an owner.');
  throw new RequestError(
    'forbidden',
    `The role ${touched.name} may do what yours does not include (${more.join(', ')}), so you cannot give, change or remove it. An owner can.`,
  );
}

/**
 * Nobody lets others in under an address that they have not proved, or leaves it for another one, where the desk can send
 * the mail that proves it.
 * @throws RequestError forbidden
 */
export async function refuseUnproved(
  { mail }: Pick<House, 'mail'>,
  sql: Sql,
  personId: number,
  doing: string,
): Promise<void> {
  const unproved = await sql.query("SELECT 1 FROM people WHERE id = $1 AND status = 'unverified'", [personId]);
  if (unproved.length > 0 && (await mail.isOn()))
    throw new RequestError(
      'forbidden',
      `Your own e-mail address is not confirmed, so you cannot ${doing}. Confirm it under Account, Profile.`,
    );
}

/** To be called under the lock of the organisation. @throws RequestError last_owner */
export async function refuseLastOwner(
  sql: Sql,
  organisationId: number,
  personId: number,
  doing: string,
): Promise<void> {
  const others = await sql.query(
    `SELECT 1 FROM memberships m JOIN people p ON p.id = m.person_id
     WHERE m.organisation_id = $1 AND m.role = 'owner' AND m.person_id <> $2 AND p.status NOT IN ('suspended', 'closing', 'closed') LIMIT 1`,
    [organisationId, personId],
  );
  if (others.length === 0)
    throw new RequestError(
      'last_owner',
      `This is the only owner, and an organisation always has one: ${doing} is not possible. Make somebody else an owner first, or close the organisation.`,
    );
}
