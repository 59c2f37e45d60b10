import type { Clock } from '../../platform/clock.ts';
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

export interface NewPerson {
  email: string;
  name?: string;
  /** The hash of a password; without one the person signs in with an account elsewhere. */
  hash?: string | undefined;
  /** Was a link that went to the address opened, or has a provider verified it? */
  isVerified?: boolean;
}

/**
 * Makes a person inside the caller's transaction, which sees the rows of that person from then on.
 * @returns the number of the person
 */
export async function addPerson(sql: Sql, clock: Clock, person: NewPerson): Promise<number> {
  const now = new Date(clock.now());
  const { id } = await sql.one<{ id: number }>("SELECT nextval('people_id_seq') AS id");
  await sql.query("SELECT set_config('fairlead.person', $1, true)", [String(id)]);
  await sql.run(
    `INSERT INTO people (id, email, email_normalised, name, status, status_since, email_verified_at, created_at)
     VALUES ($1, $2, $3, $4, 'active', $5, $6, $5)`,
    [id, person.email, person.email.toLowerCase(), person.name ?? '', now, person.isVerified === true ? now : null],
  );
  if (person.hash !== undefined)
    await sql.run('INSERT INTO passwords (person_id, hash, changed_at) VALUES ($1, $2, $3)', [id, person.hash, now]);
  return id;
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
