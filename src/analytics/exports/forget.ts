import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sql } from '../../platform/postgres/index.ts';

/**
 * Copies that hold somebody whose data is erased, or kept and not used from now on: exports of the sites that know them, and archives
 * of the whole organisation. Finished or not: a runner that finds its row gone gives up. Whoever needs one makes it anew, without them.
 * @returns how many, by table
 */
export async function forgetCopies(
  sql: Sql,
  dataDir: string,
  siteIds: readonly number[],
  { archives: isWithArchives }: { archives: boolean } = { archives: true },
): Promise<Record<'exports' | 'organisation_archives', number>> {
  const gone = { exports: 0, organisation_archives: 0 };
  if (siteIds.length === 0) return gone;
  for (const [table, folder, where, values] of [
    ['exports', 'exports', 'site_id = ANY ($1)', [siteIds]],
    ['organisation_archives', 'archives', 'true', []],
  ] as const) {
    if (table === 'organisation_archives' && !isWithArchives) continue;
    const rows = await sql.query<{ id: number }>(`DELETE FROM ${table} WHERE ${where} RETURNING id`, [...values]);
    gone[table] = rows.length;
    // Where another process has the file, its next look finds the row gone and takes it away.
    for (const { id } of rows)
      for (const end of ['', '.part', '.asked'])
        await rm(join(dataDir, folder, `${id}${end}`), { recursive: true, force: true });
  }
  return gone;
}
