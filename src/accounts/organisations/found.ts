import type { RouteRequest } from '../../platform/http/route.ts';
import { RequestError } from '../../platform/http/route.ts';
import { type Postgres, prepared, type Sql } from '../../platform/postgres/index.ts';

/**
 * The organisation that a path names by number, slug or former slug, if the asker may do there what the call is for.
 * @throws RequestError not_found, alike for one that is not there and one that is somebody else's
 */
export async function organisationOfPath(
  postgres: Postgres,
  request: Pick<RouteRequest<{ organisation: string }, unknown, unknown>, 'params' | 'allow'>,
): Promise<number> {
  // Nothing has the number 0, so what is not found is refused in the same words as what is not allowed.
  const id = (await findOrganisation(postgres, request.params.organisation)) ?? 0;
  request.allow(id);
  return id;
}

const organisationBySlug = prepared('SELECT organisation_id FROM lookup.organisation_by_slug($1)');

export async function findOrganisation(postgres: Postgres, wanted: string): Promise<number | undefined> {
  if (/^[1-9]\d{0,14}$/.test(wanted)) return Number(wanted);
  if (!/^[a-z0-9-]{1,64}$/.test(wanted)) return undefined;
  const found = await postgres.system((sql) =>
    sql.maybe<{ organisation_id: number | null }>(organisationBySlug, [wanted]),
  );
  return found?.organisation_id ?? undefined;
}

/**
 * Holds every other change of the people of an organisation until this transaction has ended: rules over several of
 * them, such as "there is always an owner", are checked under it.
 */
export async function lockOrganisation(sql: Sql, organisationId: number): Promise<{ name: string; slug: string }> {
  const row = await sql.maybe<{ name: string; slug: string }>(
    'SELECT name, slug FROM organisations WHERE id = $1 FOR UPDATE',
    [organisationId],
  );
  if (row === undefined) throw gone();
  return row;
}

export function gone(): RequestError {
  return new RequestError('not_found', 'It was removed a moment ago. Load the page again.');
}
