import { openEmail, sealEmail } from '../../platform/email.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';

/**
 * Tokens that let a person do one thing, once: the links of mails and the pause before the second step of a sign-in.
 * 256 random bits; the table has a keyed digest (AUT-11), and the row goes when the token is used or has expired (AUT-08).
 */
export interface OneTimeTokens {
  /** A fresh token inside the caller's transaction. Of links there is one at a time: a new one kills the last. */
  issue(
    sql: Sql,
    input: {
      personId: number;
      kind: TokenKind;
      minutes: number;
      email?: string;
      methods?: readonly string[];
      session?: string | undefined;
    },
  ): Promise<string>;
  /** The living row of a token, left where it is. */
  find(token: string, kind: TokenKind): Promise<TokenRow | undefined>;
  /**
   * Deletes the row and does the work in one transaction, so that a token works once.
   * @throws RequestError link_expired when there is no such token, it was used, or its time is over
   */
  use<T>(token: string, kind: TokenKind, work: (sql: Sql, row: TokenRow) => Promise<T>): Promise<T>;
  /** Counts a wrong code; the row goes with the last one allowed. */
  countWrong(row: TokenRow, most: number): Promise<void>;
}
export type TokenKind = 'verify-email' | 'change-email' | 'reset-password' | 'second-step';
/** Among the methods of a link that no mail carried: whoever runs the desk hands it on, so it proves no mailbox. */
export const handedOn = 'handed-on';
export interface TokenRow {
  id: number;
  personId: number;
  email: string | null;
  methods: string[];
  /** The session that asked for a change of the address: it stays when the others end. */
  session: string | null;
}

export function openOneTimeTokens(
  house: Pick<House, 'postgres' | 'clock' | 'random' | 'keys' | 'vault'>,
): OneTimeTokens {
  const { postgres, clock, random, keys, vault } = house;
  const digestOf = (token: string) => keys.digest('one-time-token', token);

  async function find(token: string, kind: TokenKind): Promise<TokenRow | undefined> {
    const found = await postgres.system((sql) =>
      sql.maybe<{ token_id: number; person_id: number }>('SELECT * FROM lookup.one_time_token_by_digest($1)', [
        digestOf(token),
      ]),
    );
    if (found === undefined) return undefined;
    return postgres.person(found.person_id, async (sql) => {
      const row = await sql.maybe<{
        email_sealed: Buffer | null;
        methods: string;
        session: string | null;
        kind: string;
        expires_at: Date;
      }>('SELECT email_sealed, methods, session, kind, expires_at FROM one_time_tokens WHERE id = $1', [
        found.token_id,
      ]);
      if (row !== undefined && row.expires_at.getTime() <= clock.now()) {
        await sql.run('DELETE FROM one_time_tokens WHERE id = $1', [found.token_id]);
        return undefined;
      }
      if (row?.kind !== kind) return undefined;
      return {
        id: found.token_id,
        personId: found.person_id,
        email:
          row.email_sealed === null
            ? null
            : await openEmail(vault, { token: digestOf(token), person: found.person_id }, row.email_sealed),
        methods: row.methods.split(' ').filter((one) => one !== ''),
        session: row.session,
      };
    });
  }

  return {
    find,
    async issue(sql, { personId, kind, minutes, email, methods = [], session }) {
      const token = random.bytes(32).toString('base64url');
      const digest = digestOf(token);
      const now = clock.now();
      if (kind !== 'second-step')
        await sql.run('DELETE FROM one_time_tokens WHERE person_id = $1 AND kind = $2', [personId, kind]);
      await sql.run(
        `INSERT INTO one_time_tokens (person_id, kind, digest, email_sealed, methods, created_at, expires_at, session)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          personId,
          kind,
          digest,
          email === undefined ? null : await sealEmail(vault, { token: digest, person: personId }, email),
          methods.join(' '),
          new Date(now),
          new Date(now + minutes * 60_000),
          session ?? null,
        ],
      );
      return token;
    },
    async use(token, kind, work) {
      const row = await find(token, kind);
      if (row === undefined) throw linkExpired();
      return postgres.person(row.personId, async (sql) => {
        // Two browsers with the same link: the row is gone for the second.
        if ((await sql.run('DELETE FROM one_time_tokens WHERE id = $1', [row.id])) === 0) throw linkExpired();
        return work(sql, row);
      });
    },
    async countWrong(row, most) {
      await postgres.person(row.personId, async (sql) => {
        await sql.run('UPDATE one_time_tokens SET tries = tries + 1 WHERE id = $1', [row.id]);
        await sql.run('DELETE FROM one_time_tokens WHERE id = $1 AND tries >= $2', [row.id, most]);
      });
    },
  };
}

export function linkExpired(): RequestError {
  return new RequestError(
    'link_expired',
    'This link was used already, or its hour is over. Ask for a new one: the last mail that was sent is the one that works.',
  );
}
