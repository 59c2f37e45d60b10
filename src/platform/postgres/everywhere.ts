import type { Door } from './door.ts';
import type { Sql } from './sql.ts';

/** Numbers of all organisations, in the order in which they are gone through. */
export async function everyOrganisation(postgres: Pick<Door, 'system'>): Promise<number[]> {
  const organisations = await postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  return organisations.map((one) => one.organisation_id);
}

/** What `work` reads in each organisation, each through its own door, one after another. For work of the desk itself. */
export async function everywhere<T>(
  postgres: Pick<Door, 'system' | 'tenant'>,
  work: (sql: Sql, organisationId: number) => Promise<T[]>,
): Promise<T[]> {
  const found: T[] = [];
  for (const organisationId of await everyOrganisation(postgres))
    found.push(...(await postgres.tenant(organisationId, (sql) => work(sql, organisationId))));
  return found;
}

/** Does `work` for each person who runs the desk, each through their own door. @returns who they are */
export async function everyOperator(
  postgres: Pick<Door, 'system' | 'person'>,
  work: (sql: Sql, personId: number) => Promise<void>,
): Promise<number[]> {
  const operators = await postgres.system((sql) =>
    sql.query<{ person_id: number }>('SELECT person_id FROM lookup.every_operator()'),
  );
  for (const { person_id: id } of operators) await postgres.person(id, (sql) => work(sql, id));
  return operators.map((one) => one.person_id);
}
