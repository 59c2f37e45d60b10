import type { Sql } from '../../platform/postgres/index.ts';
import { heldIn } from '../../trust/windows/index.ts';

/**
 * Does a hold keep a row? SQL, with two parameters one after the other: is everything held, and the sites that are.
 * @param site of the row, as SQL: null where it belongs to none
 */
export function isKept(site: string, at: number): string {
  return `($${at}::boolean OR coalesce(${site} = ANY ($${at + 1}::bigint[]), false))`;
}

/** The site that a row belongs to by its source: SQL. @param row what the row is called in its statement */
export function siteBySource(row: string): string {
  return `(SELECT s.site_id FROM relay_sources s WHERE s.organisation_id = ${row}.organisation_id AND s.id = ${row}.source_id)`;
}
/** That of a captured request `k`. */
export const siteOfCapture = siteBySource('k');

/** Lines of the windows that a deletion of conversions would take from: a hold on one of them keeps the conversion whole. */
const linesTouched = ['conversions', 'conversion-identifiers', 'relay-captures'] as const;

/** What of an organisation's conversions and captured requests legal holds keep. */
export async function heldOfConversions(
  sql: Sql,
  organisationId: number,
): Promise<{ isEverythingHeld: boolean; sites: ReadonlySet<number> }> {
  let isEverythingHeld = false;
  const sites = new Set<number>();
  for (const line of linesTouched) {
    const { everything, siteIds } = await heldIn(sql, organisationId, line);
    isEverythingHeld ||= everything;
    for (const site of siteIds) sites.add(site);
  }
  return { isEverythingHeld, sites };
}
