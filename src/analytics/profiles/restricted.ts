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

/** After a restore: browsers of profiles that are found by something that is listed, and stand in no list of browsers yet. */
export async function withholdAgain(sql: {
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}): Promise<void> {
  await sql.query(
    `INSERT INTO restricted_visitors (organisation_id, site_id, visitor_id, restriction_id)
     SELECT v.organisation_id, v.site_id, v.visitor_id, i.restriction_id FROM restricted_identifiers i
     JOIN profile_digests d ON d.organisation_id = i.organisation_id AND d.kind = i.kind AND d.digest = i.digest
     JOIN profile_visitors v ON v.profile_id = d.profile_id ON CONFLICT DO NOTHING`,
  );
}
