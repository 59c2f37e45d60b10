import { RequestError } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';

/** Tables of which a site has so many rows at most. */
type Limited = 'annotations' | 'goals' | 'shares' | 'shields';

/**
 * Refuses a further one of what a site has its most of. To be called in the transaction that adds: two that come at the
 * same moment would both find room for one, so the second waits here until the first has ended.
 * @throws RequestError conflict
 */
export async function checkSiteLimit(sql: Sql, siteId: number, table: Limited, max: number): Promise<void> {
  await oneAtATime(sql, `${table} of site ${siteId}`);
  const { count } = await sql.one<{ count: number }>(`SELECT count(*)::int AS count FROM ${table} WHERE site_id = $1`, [
    siteId,
  ]);
  if (count >= max) throw new RequestError('conflict', `A site has at most ${max} ${table}. Remove one first.`);
}

/** Holds every other transaction that comes here under the same name until this one has ended. */
export async function oneAtATime(sql: Sql, name: string): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}
