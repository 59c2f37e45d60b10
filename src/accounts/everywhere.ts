import type { Postgres, Sql } from '../platform/postgres/index.ts';

/** What `work` reads in each organisation, each through its own door, one after another. For work of the desk itself. */
export async function everywhere<T>(postgres: Postgres, work: (sql: Sql) => Promise<T[]>): Promise<T[]> {
  const organisations = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  const found: T[] = [];
  for (const { organisation_id: organisationId } of organisations)
    found.push(...(await postgres.tenant(organisationId, work)));
  return found;
}
