import { createHash } from 'node:crypto';
import { connectionLimits, type SignedInProvider } from '../../contract/connections.ts';
import { RequestError } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import { removeNoted } from '../platform/removed.ts';
import type { House } from '../platform/subject.ts';

/** Ended ones are kept so long, so that a late answer is told why it is refused. */
const rememberedMs = 10 * 60_000;

/** Who began, or comes back. @property session the sign-in, which a state belongs to as much as to the organisation */
export interface Connecting {
  organisationId: number;
  personId: number;
  session: string;
}

/**
 * A way to a platform and back: the state that went out must come back once, within ten minutes, in the sign-in that began
 * and for its organisation (AUT-07). Nothing of it is stored in clear: the state and the sign-in are digests, and the
 * verifier of PKCE is computed from both, so that it is of no use to anybody else.
 */
export function openSteps({ keys, clock, random }: Pick<House, 'keys' | 'clock' | 'random'>) {
  const digest = (kind: 'value' | 'session', text: string) => keys.digest('connection-state', `${kind}\n${text}`);
  const verifierOf = (state: string, session: string) =>
    keys.digest('connection-state', `verifier\n${state}\n${session}`).toString('base64url');

  return {
    /** @throws RequestError rate_limited when too many were begun and not finished */
    async begin(
      sql: Sql,
      by: Connecting,
      step: { provider: SignedInProvider; scopes: readonly string[]; connectionId: number | undefined },
    ): Promise<{ state: string; challenge: string }> {
      const { count } = await sql.one<{ count: number }>(
        'SELECT count(*)::int AS count FROM connection_steps WHERE organisation_id = $1',
        [by.organisationId],
      );
      if (count >= connectionLimits.stepsMax)
        throw new RequestError(
          'rate_limited',
          'Too many connections were begun and not finished in the last minutes. Try again in ten minutes.',
          { headers: { 'retry-after': '600' } },
        );
      // The organisation stands in front, so that an answer is looked for among its rows alone.
      const state = `${by.organisationId}.${random.bytes(32).toString('base64url')}`;
      await sql.run(
        `INSERT INTO connection_steps (digest, organisation_id, person_id, session_digest, provider, scopes, connection_id, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          ...[digest('value', state), by.organisationId, by.personId, digest('session', by.session)],
          ...[step.provider, [...step.scopes], step.connectionId ?? null],
          new Date(clock.now() + connectionLimits.stepMs),
        ],
      );
      return {
        state,
        challenge: createHash('sha256').update(verifierOf(state, by.session)).digest('base64url'),
      };
    },

    /** Uses the step up. Whoever brings it from elsewhere does not use it up for its owner. @throws RequestError */
    async take(
      sql: Sql,
      by: Connecting,
      answer: { provider: SignedInProvider; state: string },
    ): Promise<{ scopes: string[]; connectionId: number | undefined; verifier: string }> {
      const now = new Date(clock.now());
      const row = await sql.maybe<{
        person_id: number;
        session_digest: Buffer;
        provider: string;
        scopes: string[];
        connection_id: number | null;
        expires_at: Date;
        used_at: Date | null;
      }>(
        `SELECT person_id, session_digest, provider, scopes, connection_id, expires_at, used_at
         FROM connection_steps WHERE digest = $1 AND organisation_id = $2 FOR UPDATE`,
        [digest('value', answer.state), by.organisationId],
      );
      if (row === undefined) throw refused('This desk did not begin this connection. Begin again under Connections.');
      if (row.person_id !== by.personId || !row.session_digest.equals(digest('session', by.session)))
        throw refused('This connection was begun in another sign-in. Begin again here.');
      if (row.provider !== answer.provider)
        throw refused('The answer came from another platform than the one that was asked. Nothing was connected.');
      if (row.used_at !== null)
        throw new RequestError('link_expired', 'This answer came before, and counts once. Begin again.');
      if (row.expires_at <= now)
        throw new RequestError('link_expired', 'More than ten minutes passed since this was begun. Begin again.');
      await sql.run('UPDATE connection_steps SET used_at = $2 WHERE digest = $1', [digest('value', answer.state), now]);
      return {
        scopes: row.scopes,
        connectionId: row.connection_id ?? undefined,
        verifier: verifierOf(answer.state, by.session),
      };
    },

    /** Removes what is over, in the door of one organisation. */
    forget(sql: Sql, organisationId: number): Promise<number> {
      const nowMs = clock.now();
      return removeNoted(
        sql,
        { line: 'connection-steps', from: 'connection_steps', organisationId, nowMs },
        "DELETE FROM connection_steps WHERE expires_at < $1 RETURNING encode(digest, 'hex') AS key, expires_at AS since",
        [new Date(nowMs - rememberedMs)],
      );
    },
  };
}
export type Steps = ReturnType<typeof openSteps>;

function refused(sentence: string): RequestError {
  return new RequestError('forbidden', sentence);
}
