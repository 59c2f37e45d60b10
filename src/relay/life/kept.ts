/**
 * Does a hold keep a row? SQL, with two parameters one after the other: is everything held, and the sites that are.
 * @param site of the row, as SQL: null where it belongs to none
 */
export function isKept(site: string, at: number): string {
  return `($${at}::boolean OR coalesce(${site} = ANY ($${at + 1}::bigint[]), false))`;
}
