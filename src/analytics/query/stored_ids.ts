import type { KeptSums } from './kept_sums.ts';
import type { QueryHouse } from './run.ts';

/** An id has to come on two days to be counted twice, so a site that begins with storage mode is known long before. */
const believedMs = 60_000;

/** When a site was last seen to have none; once it has some, it has. By what is kept, as long as that lives. */
const seen = new WeakMap<KeptSums, Map<number, number | true>>();

/**
 * Does the site have visitors whose id their browser keeps (storage mode)? Only theirs come on several days.
 * @param kept with it the answer is remembered: reading the column of ten million events takes some milliseconds
 */
export async function hasStoredIds(
  { site, warehouse, now, signal }: Pick<QueryHouse, 'site' | 'warehouse' | 'now' | 'signal'>,
  kept: KeptSums | undefined,
): Promise<boolean> {
  const known = kept === undefined ? new Map<number, number | true>() : (seen.get(kept) ?? new Map());
  if (kept !== undefined) seen.set(kept, known);
  const last = known.get(site.id);
  if (last === true) return true;
  if (last !== undefined && Math.abs(now - last) < believedMs) return false;
  const rows = await warehouse.read(
    'SELECT 1 FROM events WHERE site_id = {site:UInt64} AND stored_id = 1 LIMIT 1',
    { site: site.id },
    { purpose: 'stored_ids', ...(signal === undefined ? {} : { signal }) },
  );
  known.set(site.id, rows.length > 0 || now);
  return rows.length > 0;
}
