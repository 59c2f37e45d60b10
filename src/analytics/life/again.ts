import type { House } from '../../platform/subject.ts';
import { emptyTable, siteTables } from './tables.ts';

interface Asking {
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}

export interface RemovedSite {
  siteId: number;
  /** Undefined: the site was deleted. Otherwise it was emptied of what is older. */
  beforeMs: number | undefined;
}

/** Sites that were deleted or emptied, for a restore of a backup from before. */
export async function removedSites(sql: Asking): Promise<RemovedSite[]> {
  const deleted = await sql.query<{ id: string }>(
    "SELECT site_id AS id FROM site_removals WHERE kind = 'deletion' AND state IN ('running', 'done') ORDER BY site_id",
  );
  const emptied = await sql.query<{ id: string; emptied_at: Date }>(
    'SELECT id, emptied_at FROM sites WHERE emptied_at IS NOT NULL ORDER BY id',
  );
  return [
    ...deleted.map(({ id }) => ({ siteId: Number(id), beforeMs: undefined })),
    ...emptied.map(({ id, emptied_at }) => ({ siteId: Number(id), beforeMs: emptied_at.getTime() })),
  ];
}

/** Takes the rows of a site out of restored settings. References take along what belongs to a deleted one. */
export async function removeAgain(sql: Asking, { siteId, beforeMs }: RemovedSite): Promise<void> {
  for (const table of ['imports', 'site_days']) await sql.query(`DELETE FROM ${table} WHERE site_id = $1`, [siteId]);
  if (beforeMs !== undefined) {
    await sql.query('DELETE FROM profiles WHERE site_id = $1 AND first_seen < $2', [siteId, new Date(beforeMs)]);
    await sql.query('UPDATE sites SET emptied_at = $2 WHERE id = $1', [siteId, new Date(beforeMs)]);
    return;
  }
  for (const table of ['shares', 'report_subscriptions', 'report_sendings', 'team_sites', 'sites'])
    await sql.query(`DELETE FROM ${table} WHERE ${table === 'sites' ? 'id' : 'site_id'} = $1`, [siteId]);
}

/** The same in the restored warehouse. */
export async function emptyAgain(
  warehouse: Pick<House['warehouse'], 'read' | 'command' | 'cluster'>,
  site: RemovedSite,
): Promise<void> {
  for (const table of siteTables) await emptyTable(warehouse, table, site);
}
