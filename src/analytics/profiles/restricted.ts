import type { Sql } from '../../platform/postgres/index.ts';

/** Visitors of a site whose data is restricted, as decimal text: lists and exports leave them out (DSR-05). */
export async function restrictedVisitors(sql: Sql, siteId: number): Promise<string[]> {
  const rows = await sql.query<{ visitor: string }>(
    'SELECT DISTINCT visitor_id::text AS visitor FROM restricted_visitors WHERE site_id = $1',
    [siteId],
  );
  return rows.map(({ visitor }) => visitor);
}

/** Restrictions of a profile's browsers: once one of them is restricted, all that the profile is named by leads there. */
export async function restrictionsOfProfile(sql: Sql, profileId: string): Promise<number[]> {
  const rows = await sql.query<{ id: number }>(
    `SELECT DISTINCT r.restriction_id AS id FROM profile_visitors p
     JOIN restricted_visitors r ON r.site_id = p.site_id AND r.visitor_id = p.visitor_id WHERE p.profile_id = $1`,
    [profileId],
  );
  return rows.map(({ id }) => id);
}
