import type { ProviderId } from '../../../contract/identities.ts';
import { type Clock, repeat } from '../../platform/clock.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Log } from '../../platform/log.ts';
import type { Postgres } from '../../platform/postgres/index.ts';
import type { Random } from '../../platform/random.ts';
import { removeNoted } from '../../platform/removed.ts';
import type { KeyRing } from '../../platform/subject.ts';
import { readCookie } from '../cookies.ts';
import type { Refusal } from './provider.ts';

/**
 * A sign-in that is under way: what went out (a state, a challenge) must come back once, in time, and into the browser
 * that began (AUT-07; ASVS 10.1.2, 10.2.1). That browser is known by a cookie of its own; both values are stored as
 * digests. What else an answer needs is computed from the two or carried by the cookie, so that nothing is kept in clear.
 */
export interface Steps {
  begin(step: {
    kind: StepKind;
    provider?: ProviderId;
    personId?: number;
    carried?: Carried;
  }): Promise<{ value: string; cookie: string; derive: Derive }>;
  /** What kind of step this is, before it is used up; undefined when it is not known. */
  kindOf(value: string): Promise<StepKind | undefined>;
  /** Uses the step up. */
  take(answer: {
    kind: StepKind;
    value: string;
    cookies: string | undefined;
  }): Promise<
    | { provider: ProviderId | undefined; personId: number | undefined; carried: Carried; derive: Derive }
    | { refused: Refusal }
  >;
  stop(): void;
}

export type StepKind = 'provider' | 'link' | 'passkey' | 'new-passkey';
/** What the browser brings along for after the sign-in. */
export interface Carried {
  next?: string;
  invitation?: string;
}
/** 256 bits, in base64url, that belong to this step, this browser and this use. */
export type Derive = (use: 'verifier' | 'nonce') => string;

export const stepLimits = {
  providerMs: 10 * 60_000,
  passkeyMs: 5 * 60_000,
  /** Ended ones are kept so long, so that a late answer is told why it is refused. */
  rememberedMs: 10 * 60_000,
  /** Of the whole desk: a flood of beginnings must not fill the disk. */
  stepsMax: 20_000,
} as const;
const sweepMs = 60_000;

/** One for providers and one for passkeys: the page asks for a passkey by itself, which must not end another tab's sign-in. */
export const stepCookies = { provider: '__Host-fairlead_provider', passkey: '__Host-fairlead_passkey' } as const;

export function openSteps(house: { postgres: Postgres; clock: Clock; random: Random; keys: KeyRing; log: Log }): Steps {
  const { postgres, clock, random, keys, log } = house;
  const digest = (kind: 'value' | 'browser', text: string) => keys.digest('sign-in-state', `${kind}\n${text}`);
  const deriver =
    (value: string, browser: string): Derive =>
    (use) =>
      keys.digest('sign-in-state', `${use}\n${value}\n${browser}`).toString('base64url');

  const stop = repeat(
    clock,
    sweepMs,
    () =>
      postgres.system((sql) =>
        removeNoted(
          sql,
          { line: 'sign-in-steps', from: 'sign_in_steps', organisationId: null, nowMs: clock.now() },
          "DELETE FROM sign_in_steps WHERE expires_at < $1 RETURNING encode(digest, 'hex') AS key, expires_at AS since",
          [new Date(clock.now() - stepLimits.rememberedMs)],
        ),
      ),
    { onError: (error) => log.warn('sign_in_steps_sweep_failed', { error: String((error as Error)?.name) }) },
  );

  return {
    async begin({ kind, provider, personId, carried = {} }) {
      const isPasskey = kind === 'passkey' || kind === 'new-passkey';
      const lifeMs = isPasskey ? stepLimits.passkeyMs : stepLimits.providerMs;
      const value = random.bytes(32).toString('base64url');
      const browser = `${random.bytes(32).toString('base64url')}.${Buffer.from(JSON.stringify(carried)).toString('base64url')}`;
      await postgres.system(async (sql) => {
        const { count } = await sql.one<{ count: number }>('SELECT count(*) AS count FROM sign_in_steps');
        if (count >= stepLimits.stepsMax)
          throw new RequestError(
            'rate_limited',
            'Too many sign-ins were begun and not finished in the last minutes. Try again in a minute.',
            { headers: { 'retry-after': '60' } },
          );
        await sql.run(
          `INSERT INTO sign_in_steps (digest, browser_digest, kind, provider, person_id, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [
            digest('value', value),
            digest('browser', browser),
            kind,
            provider ?? null,
            personId ?? null,
            new Date(clock.now() + lifeMs),
          ],
        );
      });
      // Strict: every call that brings it comes from a page of this desk.
      const cookie = `${nameOf(kind)}=${browser}; Max-Age=${lifeMs / 1000}; Path=/; HttpOnly; Secure; SameSite=Strict`;
      return { value, cookie, derive: deriver(value, browser) };
    },

    async kindOf(value) {
      const row = await postgres.system((sql) =>
        sql.maybe<{ kind: StepKind }>('SELECT kind FROM sign_in_steps WHERE digest = $1', [digest('value', value)]),
      );
      return row?.kind;
    },

    async take({ kind, value, cookies }) {
      const browser = readCookie(cookies, nameOf(kind));
      const now = new Date(clock.now());
      return postgres.system(async (sql) => {
        const row = await sql.maybe<{
          browser_digest: Buffer;
          provider: ProviderId | null;
          person_id: number | null;
          expires_at: Date;
          used_at: Date | null;
        }>(
          `SELECT browser_digest, provider, person_id, expires_at, used_at
           FROM sign_in_steps WHERE digest = $1 AND kind = $2 FOR UPDATE`,
          [digest('value', value), kind],
        );
        if (row === undefined) return { refused: 'step_unknown' };
        // Whoever holds a state and not its cookie learns nothing of it, and cannot use it up for its owner.
        if (browser === undefined || !digest('browser', browser).equals(row.browser_digest))
          return { refused: 'step_elsewhere' };
        if (row.used_at !== null) return { refused: 'step_used' };
        if (row.expires_at <= now) return { refused: 'step_expired' };
        await sql.run('UPDATE sign_in_steps SET used_at = $2 WHERE digest = $1', [digest('value', value), now]);
        return {
          provider: row.provider ?? undefined,
          personId: row.person_id ?? undefined,
          carried: JSON.parse(Buffer.from(browser.split('.')[1] ?? '', 'base64url').toString()) as Carried,
          derive: deriver(value, browser),
        };
      });
    },
    stop,
  };
}

/** Takes the cookie back once its step has ended. */
export function endedStepCookie(kind: StepKind): string {
  return `${nameOf(kind)}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict`;
}

function nameOf(kind: StepKind): string {
  return kind === 'provider' || kind === 'link' ? stepCookies.provider : stepCookies.passkey;
}
