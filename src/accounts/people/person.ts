import { emailDigest, openEmail, sealEmail } from '../../platform/email.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';

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
export async function personIn({ vault }: Pick<House, 'vault'>, sql: Sql, id: number): Promise<PersonRow> {
  const row = await sql.maybe<Omit<PersonRow, 'email'> & { email_sealed: Buffer | null }>(
    'SELECT id, email_sealed, name, username, timezone, locale, email_verified_at FROM people WHERE id = $1',
    [id],
  );
  if (row === undefined || row.email_sealed === null)
    throw new RequestError('session_ended', 'This session has ended. Sign in again.');
  const { email_sealed, ...rest } = row;
  return { ...rest, email: await openEmail(vault, { person: id }, email_sealed) };
}

/** The address of a person whom this transaction sees; undefined for nobody. */
export async function emailIn({ vault }: Pick<House, 'vault'>, sql: Sql, id: number): Promise<string | undefined> {
  const row = await sql.maybe<{ email_sealed: Buffer | null }>('SELECT email_sealed FROM people WHERE id = $1', [id]);
  return row === undefined || row.email_sealed === null
    ? undefined
    : openEmail(vault, { person: id }, row.email_sealed);
}

/** How a person whom this transaction sees has days and numbers written; null where they have not said. */
export async function localeIn(sql: Sql, id: number): Promise<string | null> {
  return (await sql.maybe<{ locale: string | null }>('SELECT locale FROM people WHERE id = $1', [id]))?.locale ?? null;
}

export interface NewPerson {
  email: string;
  name?: string;
  /** The hash of a password; without one the person signs in with an account elsewhere. */
  hash?: string | undefined;
  /** Was a link that went to the address opened, or has a provider verified it? False says that nobody proved it. */
  isVerified?: boolean;
}

/**
 * Makes a person inside the caller's transaction, which sees the rows of that person from then on.
 * @returns the number of the person
 * @throws RequestError conflict when somebody has the address
 */
export async function addPerson(
  sql: Sql,
  { clock, vault, keys }: Pick<House, 'clock' | 'vault' | 'keys'>,
  person: NewPerson,
): Promise<number> {
  const now = new Date(clock.now());
  const { id } = await sql.one<{ id: number }>("SELECT nextval('people_id_seq') AS id");
  await sql.query("SELECT set_config('fairlead.person', $1, true)", [String(id)]);
  const made = await sql.run(
    `INSERT INTO people (id, email_digest, email_sealed, name, status, status_since, email_verified_at, created_at)
     VALUES ($1, $2, $3, $4, $7, $5, $6, $5) ON CONFLICT DO NOTHING`,
    [
      id,
      emailDigest(keys, person.email),
      await sealEmail(vault, { person: id }, person.email),
      person.name ?? '',
      now,
      person.isVerified === true ? now : null,
      person.isVerified === false ? 'unverified' : 'active',
    ],
  );
  // Two ways to one account at once, such as two letters opened in two tabs: the second waits for the first, and is told.
  if (made === 0) throw addressKnown();
  if (person.hash !== undefined)
    await sql.run('INSERT INTO passwords (person_id, hash, changed_at) VALUES ($1, $2, $3)', [id, person.hash, now]);
  return id;
}

export function addressKnown(): RequestError {
  return new RequestError('conflict', 'There is an account of this address here already. Sign in with it.');
}

/** The address is proved: whoever had not proved one is active from now on. @returns was it not proved before? */
export async function noteProved(sql: Sql, id: number, now: Date): Promise<boolean> {
  const noted = await sql.run(
    `UPDATE people SET email_verified_at = $2, status_since = CASE WHEN status = 'unverified' THEN $2 ELSE status_since END,
       status = CASE WHEN status = 'unverified' THEN 'active' ELSE status END,
       status_before = CASE WHEN status_before = 'unverified' THEN 'active' ELSE status_before END
     WHERE id = $1 AND email_verified_at IS NULL`,
    [id, now],
  );
  return noted === 1;
}

/** By address or by username: a name with @ in it is an address, since no username has one. */
export async function findPerson(
  { postgres, keys }: Pick<House, 'postgres' | 'keys'>,
  name: string,
): Promise<number | undefined> {
  const wanted = name.trim().toLowerCase();
  const found = await postgres.system((sql) =>
    wanted.includes('@')
      ? personByEmail(keys, sql, wanted)
      : sql.maybe<{ person_id: number }>('SELECT person_id FROM lookup.person_by_username($1)', [wanted]),
  );
  return found?.person_id;
}

/** Whose address this is, in any transaction. */
export function personByEmail(
  keys: House['keys'],
  sql: Sql,
  email: string,
): Promise<{ person_id: number } | undefined> {
  return sql.maybe('SELECT person_id FROM lookup.person_by_email($1)', [emailDigest(keys, email)]);
}

export async function storedHash({ postgres }: Pick<House, 'postgres'>, personId: number): Promise<string | undefined> {
  const row = await postgres.person(personId, (sql) =>
    sql.maybe<{ hash: string }>('SELECT hash FROM passwords WHERE person_id = $1', [personId]),
  );
  return row?.hash;
}
