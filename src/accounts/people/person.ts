import { RequestError } from '../../platform/http/route.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';

export interface PersonRow {
  id: number;
  email: string;
  name: string;
  username: string | null;
  timezone: string | null;
  locale: string | null;
  email_verified_at: Date | null;
}

/** The profile, in a transaction of the person. @throws RequestError session_ended when there is none any more */
export async function personIn(sql: Sql, id: number): Promise<PersonRow> {
  const row = await sql.maybe<PersonRow>(
    'SELECT id, email, name, username, timezone, locale, email_verified_at FROM people WHERE id = $1',
    [id],
  );
  if (row === undefined) throw new RequestError('session_ended', 'This session has ended. Sign in again.');
  return row;
}

/** By address or by username: a name with @ in it is an address, since no username has one. */
export async function findPerson(postgres: Postgres, name: string): Promise<number | undefined> {
  const wanted = name.trim().toLowerCase();
  const found = await postgres.system((sql) =>
    sql.maybe<{ person_id: number }>(
      wanted.includes('@')
        ? 'SELECT person_id FROM lookup.person_by_email($1)'
        : 'SELECT person_id FROM lookup.person_by_username($1)',
      [wanted],
    ),
  );
  return found?.person_id;
}

export async function storedHash(postgres: Postgres, personId: number): Promise<string | undefined> {
  const row = await postgres.person(personId, (sql) =>
    sql.maybe<{ hash: string }>('SELECT hash FROM passwords WHERE person_id = $1', [personId]),
  );
  return row?.hash;
}
