import type { Site } from '../../../contract/api.ts';
import { contentKinds } from '../../../contract/site_kinds.ts';
import type { SiteContent } from '../../../contract/site_life.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { warehouseContents } from './tables.ts';

type Stores = Pick<House, 'postgres' | 'warehouse' | 'spool'>;

/** What there is of a site, everywhere, by kind and in the order of the list: what a preview shows. */
export async function contentsOf(stores: Stores, site: Pick<Site, 'id' | 'organisation_id'>): Promise<SiteContent[]> {
  const counted = [
    ...(await warehouseContents(stores.warehouse, site.id)),
    bare('quarantine', await stores.spool.quarantinedOf(isOfSite(site.id))),
    ...(await stores.postgres.tenant(site.organisation_id, (sql) => recordsOf(sql, site.id))),
  ];
  return contentKinds.map((kind) => counted.find((one) => one.kind === kind) ?? bare(kind, 0));
}

async function recordsOf(sql: Sql, siteId: number): Promise<SiteContent[]> {
  const rows = await sql.query<SiteContent>(
    `SELECT 'imports' AS kind, count(*)::int AS rows, min(first_day)::text AS first_day, max(last_day)::text AS last_day FROM imports WHERE site_id = $1
     UNION ALL SELECT 'exports', count(*)::int, min(first_day)::text, max(last_day)::text FROM exports WHERE site_id = $1
     UNION ALL SELECT 'goals', count(*)::int, NULL, NULL FROM goals WHERE site_id = $1
     UNION ALL SELECT 'shields', count(*)::int, NULL, NULL FROM shields WHERE site_id = $1
     UNION ALL SELECT 'annotations', count(*)::int, min(day)::text, max(day)::text FROM annotations WHERE site_id = $1
     UNION ALL SELECT 'foreign_ids', count(*)::int, NULL, NULL FROM foreign_ids WHERE site_id = $1
     UNION ALL SELECT 'former_domains', count(*)::int, NULL, NULL FROM former_domains WHERE site_id = $1
     UNION ALL SELECT 'shares', count(*)::int, NULL, NULL FROM shares WHERE site_id = $1
     UNION ALL SELECT 'reports', count(*)::int, NULL, NULL FROM report_subscriptions WHERE site_id = $1
     UNION ALL SELECT 'teams', count(*)::int, NULL, NULL FROM team_sites WHERE site_id = $1
     UNION ALL SELECT 'keys', count(*)::int, NULL, NULL FROM api_keys WHERE $1 = ANY (site_ids) AND revoked_at IS NULL`,
    [siteId],
  );
  return rows;
}

function bare(kind: SiteContent['kind'], rows: number): SiteContent {
  return { kind, rows, first_day: null, last_day: null };
}

/** Does a row of a spool's lane, as it lies in quarantine, belong to the site? Events are arrays that begin with it. */
export function isOfSite(siteId: number): (row: Buffer) => boolean {
  return (row) => {
    try {
      const read = JSON.parse(row.toString()) as unknown;
      const of = Array.isArray(read) ? read[0] : (read as { site_id?: unknown } | null)?.site_id;
      return Number(of) === siteId;
    } catch {
      return false;
    }
  };
}

/**
 * Ends what opens a site to somebody: shares, reports, places in teams, keys that are limited to it. A key that was for
 * this site alone is revoked; without the number in its list it would be for every site.
 * @returns how many keys were revoked
 */
export async function endAccess(sql: Sql, siteId: number, now: Date): Promise<number> {
  for (const table of ['shares', 'report_subscriptions', 'report_sendings', 'team_sites'])
    await sql.run(`DELETE FROM ${table} WHERE site_id = $1`, [siteId]);
  const revoked = await sql.run(
    'UPDATE api_keys SET revoked_at = $2 WHERE revoked_at IS NULL AND site_ids = ARRAY[$1::bigint]',
    [siteId, now],
  );
  await sql.run(
    'UPDATE api_keys SET site_ids = array_remove(site_ids, $1::bigint) WHERE $1 = ANY (site_ids) AND cardinality(site_ids) > 1',
    [siteId],
  );
  return revoked;
}
