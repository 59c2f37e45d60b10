import type { Clock } from '../platform/clock.ts';
import { RequestError } from '../platform/http/route.ts';
import type { Postgres, Sql } from '../platform/postgres/index.ts';
import { type Random, uuidOf } from '../platform/random.ts';
import { dayMs } from '../platform/zone.ts';
import { refreshDaysAbsolute, refreshDaysIdle, type Tokens } from './tokens.ts';

/**
 * Sessions as families of refresh tokens. Each use replaces the token; a token that was replaced and comes again
 * was copied, and ends its whole family (AUT-05). Two tabs that refresh in the same moment are told apart from a
 * thief by the grace below: within it the same parent gets the same child.
 */
export interface Sessions {
  /** @param also what has to stand or fall with the session, in its transaction; it is told the state of the account */
  start(
    input: { personId: number; device: string; place?: string; methods?: readonly string[] },
    also?: (sql: Sql, status: string) => Promise<void>,
  ): Promise<SessionTokens>;
  /** @throws RequestError session_ended with what to do, when the token is unknown, expired, ended or was replayed. */
  refresh(token: string): Promise<SessionTokens>;
  /** Signs out. @param also what stands or falls with it */
  end(token: string, also?: (sql: Sql, personId: number) => Promise<void>): Promise<void>;
  /** The living sessions of the person whose transaction this is, the last used first. */
  list(sql: Sql, personId: number): Promise<LivingSession[]>;
  /** When a living session of the person began, in milliseconds; undefined for one that has ended. */
  startOf(sql: Sql, personId: number, family: string | undefined): Promise<number | undefined>;
  /** Ends one session of the person, or all but one, or all. @returns how many ended */
  endOf(sql: Sql, personId: number, which: { family: string } | { except: string | undefined }): Promise<number>;
}
export interface SessionTokens {
  access: string;
  refresh: string;
  personId: number;
  family: string;
}
export interface LivingSession {
  family: string;
  device: string;
  place: string;
  methods: string;
  started_at: Date;
  last_used_at: Date;
}

const raceMs = 10_000;

export function openSessions(house: {
  postgres: Postgres;
  clock: Clock;
  random: Random;
  tokens: Tokens;
  /** Runs in the transaction that ends a family whose token came a second time (AUT-05). */
  onCopied(sql: Sql, personId: number, device: string): Promise<void>;
}): Sessions {
  const { postgres, clock, tokens } = house;
  async function insert(
    sql: Sql,
    row: {
      personId: number;
      family: string;
      generation: number;
      token: string;
      device: string;
      place: string;
      methods: string;
      startedAt: number;
    },
  ) {
    const now = clock.now();
    const expires = Math.min(row.startedAt + refreshDaysAbsolute * dayMs, now + refreshDaysIdle * dayMs);
    await sql.query(
      `INSERT INTO sessions (person_id, family, generation, digest, device, place, methods, started_at, created_at, last_used_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $9, $10, $6, $7, $7, $8)`,
      [
        row.personId,
        row.family,
        row.generation,
        tokens.refreshDigest(row.token),
        row.device,
        new Date(row.startedAt),
        new Date(now),
        new Date(expires),
        row.place,
        row.methods,
      ],
    );
  }

  return {
    async start({ personId, device, place = '', methods = [] }, also) {
      const refresh = tokens.newRefresh();
      const family = uuidOf(house.random);
      await postgres.person(personId, async (sql) => {
        const status = await statusAllowed(sql, personId, clock.now());
        await insert(sql, {
          personId,
          family,
          generation: 0,
          token: refresh,
          device,
          place,
          methods: methods.join(' '),
          startedAt: clock.now(),
        });
        await also?.(sql, status);
      });
      return { access: await tokens.issueAccess({ personId, family }), refresh, personId, family };
    },

    async refresh(token) {
      const found = await postgres.system((sql) =>
        sql.query<{ person_id: number }>('SELECT person_id FROM lookup.session_by_digest($1)', [
          tokens.refreshDigest(token),
        ]),
      );
      const personId = found[0]?.person_id;
      if (personId === undefined) throw sessionEnded();
      const outcome = await postgres.person(personId, (sql) => rotate(sql, personId, token));
      if (outcome.kind === 'ended') throw sessionEnded();
      return {
        access: await tokens.issueAccess({ personId, family: outcome.family }),
        refresh: outcome.token,
        personId,
        family: outcome.family,
      };
    },

    async end(token, also) {
      const digest = tokens.refreshDigest(token);
      const found = await postgres.system((sql) =>
        sql.query<{ person_id: number }>('SELECT person_id FROM lookup.session_by_digest($1)', [digest]),
      );
      const personId = found[0]?.person_id;
      if (personId === undefined) return;
      await postgres.person(personId, async (sql) => {
        await sql.run(
          'UPDATE sessions SET revoked_at = $2 WHERE family = (SELECT family FROM sessions WHERE digest = $1) AND revoked_at IS NULL',
          [digest, new Date(clock.now())],
        );
        await also?.(sql, personId);
      });
    },

    list: (sql, personId) =>
      sql.query<LivingSession>(
        `SELECT family, device, place, methods, started_at, last_used_at FROM sessions
         WHERE person_id = $1 AND replaced_at IS NULL AND revoked_at IS NULL AND expires_at > $2
         ORDER BY last_used_at DESC, id DESC`,
        [personId, new Date(clock.now())],
      ),
    async startOf(sql, personId, family) {
      const row = await sql.maybe<{ started_at: Date }>(
        `SELECT started_at FROM sessions
         WHERE person_id = $1 AND family = $2 AND replaced_at IS NULL AND revoked_at IS NULL LIMIT 1`,
        [personId, family ?? null],
      );
      return row?.started_at.getTime();
    },
    async endOf(sql, personId, which) {
      const now = new Date(clock.now());
      const ended = await sql.query<{ family: string }>(
        'family' in which
          ? 'UPDATE sessions SET revoked_at = $2 WHERE person_id = $1 AND family = $3 AND revoked_at IS NULL RETURNING family'
          : 'UPDATE sessions SET revoked_at = $2 WHERE person_id = $1 AND family IS DISTINCT FROM $3 AND revoked_at IS NULL RETURNING family',
        [personId, now, 'family' in which ? which.family : (which.except ?? null)],
      );
      return new Set(ended.map((one) => one.family)).size;
    },
  };

  /** Runs inside one transaction that holds the presented row, so that two tabs take turns. */
  async function rotate(
    sql: Sql,
    personId: number,
    token: string,
  ): Promise<{ kind: 'next'; token: string; family: string } | { kind: 'ended' }> {
    const now = clock.now();
    const rows = await sql.query<{
      id: number;
      family: string;
      generation: number;
      device: string;
      place: string;
      methods: string;
      started_at: Date;
      expires_at: Date;
      replaced_at: Date | null;
      revoked_at: Date | null;
    }>(
      'SELECT id, family, generation, device, place, methods, started_at, expires_at, replaced_at, revoked_at FROM sessions WHERE digest = $1 FOR UPDATE',
      [tokens.refreshDigest(token)],
    );
    const row = rows[0];
    if (row === undefined) return { kind: 'ended' };
    if (row.revoked_at !== null || row.expires_at.getTime() <= now) return { kind: 'ended' };
    const child = tokens.childOf(token, row.generation + 1);
    if (row.replaced_at !== null) {
      if (now - row.replaced_at.getTime() <= raceMs) return { kind: 'next', token: child, family: row.family };
      await sql.query('UPDATE sessions SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL', [
        row.family,
        new Date(now),
      ]);
      await house.onCopied(sql, personId, row.device);
      return { kind: 'ended' };
    }
    await sql.query('UPDATE sessions SET replaced_at = $2, last_used_at = $2 WHERE id = $1', [row.id, new Date(now)]);
    await insert(sql, {
      personId,
      family: row.family,
      generation: row.generation + 1,
      token: child,
      device: row.device,
      place: row.place,
      methods: row.methods,
      startedAt: row.started_at.getTime(),
    });
    return { kind: 'next', token: child, family: row.family };
  }
}

function sessionEnded(): RequestError {
  return new RequestError('session_ended', 'This session has ended. Sign in again.');
}

/**
 * Every way in ends here, after it is proved who comes: nobody else learns that an account is suspended.
 * @returns a state of the account that lets its person in
 */
async function statusAllowed(sql: Sql, personId: number, nowMs: number): Promise<string> {
  const person = await sql.one<{ status: string; reason: string | null; until: Date | null }>(
    'SELECT status, status_reason AS reason, status_until AS until FROM people WHERE id = $1',
    [personId],
  );
  if (person.status === 'suspended')
    throw new RequestError(
      'suspended',
      `This account is suspended: ${person.reason ?? 'no reason was given'} Ask whoever runs this desk.`,
    );
  // Once its day has come the work of closing may have begun, so nothing is taken back any more.
  const isDue = person.status === 'closing' && person.until !== null && person.until.getTime() <= nowMs;
  if (person.status === 'closed' || isDue) throw new RequestError('suspended', 'This account is closed.');
  return person.status;
}
