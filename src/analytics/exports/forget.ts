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
): Promise<Copies> {
  const gone = { exports: 0, organisation_archives: 0 };
  if (siteIds.length === 0) return gone;
  gone.exports = await forget(sql, dataDir, { table: 'exports', where: 'site_id = ANY ($1)', values: [siteIds] });
  if (isWithArchives) gone.organisation_archives = await forgetArchives(sql, dataDir, 'true');
  return gone;
}
export type Copies = Record<'exports' | 'organisation_archives', number>;

/** Those that a released hold had kept from an erasure. @returns how many */
export function forgetKeptArchives(sql: Sql, dataDir: string): Promise<number> {
  return forgetArchives(sql, dataDir, 'erased_at IS NOT NULL');
}

/**
 * While a legal hold keeps archives: those that are not whole are given up, the others stay until it is released and are given to
 * nobody meanwhile.
 * @param isOneMore somebody is in them whose data is erased; otherwise only those are counted of which that is known
 * @returns how many went, and how many stay
 */
export async function withholdArchives(
  sql: Sql,
  dataDir: string,
  isOneMore: boolean,
  now: Date,
): Promise<{ gone: number; kept: number }> {
  const gone = isOneMore ? await forgetArchives(sql, dataDir, "state <> 'done'") : 0;
  const kept = await sql.run(
    'UPDATE organisation_archives SET erased_at = coalesce(erased_at, $1) WHERE $2 OR erased_at IS NOT NULL',
    [now, isOneMore],
  );
  return { gone, kept };
}

const forgetArchives = (sql: Sql, dataDir: string, where: string) =>
  forget(sql, dataDir, { table: 'organisation_archives', where, values: [] });

async function forget(
  sql: Sql,
  dataDir: string,
  { table, where, values }: { table: keyof Copies; where: string; values: unknown[] },
): Promise<number> {
  const rows = await sql.query<{ id: number }>(`DELETE FROM ${table} WHERE ${where} RETURNING id`, values);
  const folder = table === 'exports' ? 'exports' : 'archives';
  // Where another process has the file, its next look finds the row gone and takes it away.
  for (const { id } of rows)
    for (const end of ['', '.part', '.asked'])
      await rm(join(dataDir, folder, `${id}${end}`), { recursive: true, force: true });
  return rows.length;
}
