import { peopleLimits } from '../../../contract/limits.ts';
import type { OrganisationStatus } from '../../../contract/organisation_status.ts';
import { prepared, type Sql } from '../../platform/postgres/index.ts';
import { type PersonMembership, permissionsOf } from '../roles.ts';
import { effectiveStatus } from './statuses.ts';

/** An organisation as one of its people sees it. */
export interface OwnMembership extends PersonMembership {
  organisationId: number;
  name: string;
  slug: string;
  role: string;
  roleName: string;
  status: OrganisationStatus;
  statusReason: string | null;
  statusUntil: Date | null;
  timezone: string;
  currency: string;
  logo: string | null;
  /** By when the person has to have a second factor here; null when none is asked for or there is one. */
  secondFactorDue: Date | null;
}

interface Row {
  organisation_id: number;
  name: string;
  slug: string;
  timezone: string;
  currency: string;
  status: OrganisationStatus;
  status_reason: string | null;
  status_until: Date | null;
  role: string;
  role_name: string | null;
  custom: string[] | null;
  site_ids: number[] | null;
  logo: string | null;
  second_factor_from: Date | null;
}

const membershipsText = prepared(
  `SELECT m.organisation_id, o.name, o.slug, o.timezone, o.currency, o.status, o.status_reason, o.status_until, m.role,
       c.name AS role_name, c.permissions AS custom, l.version AS logo,
       CASE WHEN m.team_sites_only THEN ARRAY(
         SELECT DISTINCT s.site_id FROM team_members t JOIN team_sites s ON s.team_id = t.team_id
         WHERE t.person_id = m.person_id AND t.organisation_id = m.organisation_id
       ) END AS site_ids,
       CASE WHEN (o.second_factor = 'all' OR (o.second_factor = 'managers' AND m.role IN ('owner', 'admin')))
         AND NOT has_second_factor(m.person_id)
         THEN greatest(coalesce(m.role_since, m.created_at), o.second_factor_since) END AS second_factor_from
     FROM memberships m
     JOIN organisations o ON o.id = m.organisation_id
     LEFT JOIN custom_roles c ON c.id = m.custom_role_id
     LEFT JOIN organisation_logos l ON l.organisation_id = m.organisation_id
     WHERE m.person_id = $1 ORDER BY o.name, o.id`,
);

/**
 * What a person has in each organisation, in one statement: it is asked for every request, so that a role, a team and a
 * status hold from the next request on (AUT-14). Organisations that are closed are not among them.
 * @param sql through the person's own door, or as part of a transaction with the person set
 */
export async function readMemberships(sql: Sql, personId: number, nowMs: number): Promise<OwnMembership[]> {
  const rows = await sql.query<Row>(membershipsText, [personId]);
  return rows.map((row) => membershipOf(row, nowMs)).filter(({ status }) => status !== 'closed');
}

function membershipOf(row: Row, nowMs: number): OwnMembership {
  const status = effectiveStatus({ status: row.status, until: row.status_until }, nowMs);
  const from = row.second_factor_from;
  const due = from === null ? null : new Date(from.getTime() + peopleLimits.graceDays * 86_400_000);
  return {
    organisationId: row.organisation_id,
    name: row.name,
    slug: row.slug,
    role: row.role,
    roleName: row.role_name ?? row.role,
    status,
    statusReason: row.status_reason,
    statusUntil: row.status_until,
    timezone: row.timezone,
    currency: row.currency,
    logo: row.logo,
    permissions: permissionsOf({
      role: row.role,
      custom: row.custom,
      status,
      isLimited: row.site_ids !== null,
    }),
    siteIds: row.site_ids ?? undefined,
    secondFactorDue: due,
    isSecondFactorOverdue: due !== null && due.getTime() <= nowMs,
  };
}
