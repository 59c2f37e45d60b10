import { type Notices, permissionsOf } from '../../accounts/index.ts';
import type { Sql } from '../../platform/postgres/index.ts';

type Notice = Pick<Parameters<Notices['tell']>[2], 'name' | 'facts' | 'link'>;

/** The page on which a site as a whole is looked after. */
export const lifePage = (domain: string) => `/s/${encodeURIComponent(domain)}/settings/life`;

/**
 * Tells everybody of an organisation who sees the site, but not whoever did it, in the caller's transaction, whose door
 * is open to this organisation. To be called before places in teams end: who sees a site by a team alone is found by it.
 */
export async function tellMembers(
  { notices }: { notices: Notices },
  sql: Sql,
  { organisationId, siteId, by }: { organisationId: number; siteId: number; by: number | undefined },
  notice: Notice,
): Promise<void> {
  const members = await sql.query<{ id: number; role: string; custom: string[] | null; isLimited: boolean }>(
    `SELECT m.person_id AS id, m.role, c.permissions AS custom, m.team_sites_only AS "isLimited"
     FROM memberships m LEFT JOIN custom_roles c ON c.id = m.custom_role_id
     WHERE m.organisation_id = $1 AND m.person_id IS DISTINCT FROM $3 AND (NOT m.team_sites_only OR EXISTS (
       SELECT 1 FROM team_members t JOIN team_sites s ON s.organisation_id = t.organisation_id AND s.team_id = t.team_id
       WHERE t.organisation_id = $1 AND t.person_id = m.person_id AND s.site_id = $2))
     ORDER BY m.person_id`,
    [organisationId, siteId, by ?? null],
  );
  for (const { id, ...member } of members)
    if (permissionsOf({ ...member, status: 'active' }).includes('site.read'))
      await notices.tell(sql, id, { ...notice, organisationId });
}
