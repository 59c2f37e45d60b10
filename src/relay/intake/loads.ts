import type { Sql } from '../../platform/postgres/index.ts';

/**
 * Waits for the load that is under way for an organisation, and holds up the next until this transaction ends. To be taken before
 * any row is locked. Whoever ends something that a load reads takes it too, so that none stores by what was there before.
 */
export async function lockLoads(sql: Sql, organisationId: number): Promise<void> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('relay.load', $1))", [organisationId]);
}

/** The same of requests that are kept for whoever maps their source: they are not to wait for a load, which may wait itself. */
export async function lockCaptures(sql: Sql, organisationId: number): Promise<void> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('relay.captures', $1))", [organisationId]);
}
