import { peopleLimits } from '../../../contract/limits.ts';
import { actOf } from '../../platform/audit.ts';
import { RequestError, type RouteAnswer, type RouteRequest } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { endedCookie, readCookie, sessionCookies, stepCookie, stepCookieOf } from '../cookies.ts';
import { deviceOf } from '../device.ts';
import type { Notices } from '../mail/index.ts';
import { placeOf } from '../place.ts';
import type { Sessions } from '../sessions.ts';
import { closingTakenBackMail, newDeviceMail } from './mails.ts';
import type { OneTimeTokens, TokenRow } from './one_time.ts';
import { doneBy } from './parts.ts';
import { personIn } from './person.ts';

/** What a sign-in needs of a request; never kept beyond it. */
export type Asker = Pick<RouteRequest<unknown, unknown, unknown>, 'headers' | 'address' | 'requestId'>;

/** A kind of second factor. `has` runs in a transaction of the person. */
export interface SecondFactorKind {
  /** What the page shows: `code`, `recovery-code`, `passkey`. */
  name: string;
  has(sql: Sql, personId: number): Promise<boolean>;
}

/**
 * The one way from "it is this person" to a session. Whoever proves a person (password, provider, passkey) calls
 * `finish`; a person with a second factor then gets a short pause instead of a session, which can do nothing but take
 * the second step.
 */
export interface SignIns {
  /**
   * @param methods how the person was proved: `password`, `google`, `passkey` …
   * @param options.isTwoFactors the proof was two factors by itself, such as a passkey that asked for a finger
   */
  finish(
    asker: Asker,
    personId: number,
    methods: readonly string[],
    options?: { isTwoFactors?: boolean },
  ): Promise<SignedIn>;
  /** Adds a kind of second factor, for `finish` to ask for. Its SQL twin is the function has_second_factor. */
  addSecondFactor(kind: SecondFactorKind): void;
  /** Who waits for the second step, by the cookie of the request. @throws RequestError sign_in_expired */
  waiting(asker: Pick<Asker, 'headers'>): Promise<TokenRow & { token: string }>;
  /** The second step was done in `method`: the pause ends and the session begins. */
  finishSecondStep(asker: Asker, waiting: { token: string }, method: string): Promise<SignedIn>;
  /** The second factors that a person has, by name. */
  secondFactorsOf(personId: number): Promise<string[]>;
}
export type SignedIn =
  | { kind: 'session'; personId: number; family: string; cookies: string[] }
  | { kind: 'second-step'; methods: string[]; cookies: string[] };

export function openSignIns(
  house: Omit<House, 'authenticate'>,
  parts: { sessions: Sessions; tokens: OneTimeTokens; notices: Pick<Notices, 'tell'> },
): SignIns {
  const { postgres, clock, audit, mail } = house;
  const { sessions, tokens } = parts;
  const kinds: SecondFactorKind[] = [];

  async function secondFactorsOf(personId: number): Promise<string[]> {
    return postgres.person(personId, async (sql) => {
      const names: string[] = [];
      for (const kind of kinds) if (await kind.has(sql, personId)) names.push(kind.name);
      return names;
    });
  }

  async function begin(asker: Asker, personId: number, methods: readonly string[]): Promise<SignedIn> {
    const device = deviceOf(asker.headers['user-agent']);
    const place = placeOf(asker.address);
    const started = await sessions.start({ personId, device, place, methods }, async (sql, status) => {
      if (status === 'closing') await takeBackClosing(sql, asker, personId);
      await noteDevice(sql, asker, personId, { device, place });
      await audit.recordOfPerson(sql, personId, {
        action: methods.includes('recovery-code') ? 'second_factor.used_recovery' : 'session.started',
        ...actOf({ principal: undefined, address: asker.address, requestId: asker.requestId }),
        actor: { type: 'person', id: personId },
        targets: [{ type: 'person', id: personId }],
        details: { methods: methods.join(' '), device },
      });
    });
    return {
      kind: 'session',
      personId,
      family: started.family,
      cookies: sessionCookies(started),
    };
  }

  /** Whoever signs in before the day on which an account is closed keeps it. */
  async function takeBackClosing(sql: Sql, asker: Asker, personId: number): Promise<void> {
    const kept = await sql.run(
      `UPDATE people SET status = status_before, status_before = NULL, status_until = NULL, status_since = $2
       WHERE id = $1 AND status = 'closing' AND status_until > $2`,
      [personId, new Date(clock.now())],
    );
    if (kept === 0) return;
    const person = await personIn(house, sql, personId);
    await audit.recordOfPerson(sql, personId, {
      action: 'person.kept',
      ...actOf({ principal: undefined, address: asker.address, requestId: asker.requestId }),
      actor: { type: 'person', id: personId },
      targets: [{ type: 'person', id: personId }],
    });
    await parts.notices.tell(sql, personId, { name: 'closing_taken_back', link: '/account' });
    await mail.send(sql, {
      template: closingTakenBackMail,
      to: person.email,
      personId,
      values: doneBy({ house }, asker, person),
    });
  }

  /** A mail when this person was never seen on such a device; not at the very first sign-in, which is no surprise. */
  async function noteDevice(
    sql: Sql,
    asker: Asker,
    personId: number,
    { device, place }: { device: string; place: string },
  ): Promise<void> {
    const now = new Date(clock.now());
    const known = await sql.query<{ device: string }>('SELECT device FROM seen_devices WHERE person_id = $1', [
      personId,
    ]);
    await sql.run(
      `INSERT INTO seen_devices (person_id, device, first_seen_at, last_seen_at) VALUES ($1, $2, $3, $3)
       ON CONFLICT (person_id, device) DO UPDATE SET last_seen_at = $3`,
      [personId, device, now],
    );
    if (known.length === 0 || known.some((one) => one.device === device)) return;
    const person = await personIn(house, sql, personId);
    await parts.notices.tell(sql, personId, { name: 'new_device', facts: { device }, link: '/account/sessions' });
    await mail.send(sql, {
      template: newDeviceMail,
      to: person.email,
      personId,
      values: { ...doneBy({ house }, asker, person), place },
    });
  }

  return {
    secondFactorsOf,
    addSecondFactor: (kind) => {
      kinds.push(kind);
    },
    async finish(asker, personId, methods, options = {}) {
      if (options.isTwoFactors !== true) {
        const asked = await secondFactorsOf(personId);
        if (asked.length > 0) {
          const token = await postgres.person(personId, (sql) =>
            tokens.issue(sql, { personId, kind: 'second-step', minutes: peopleLimits.secondStepMinutes, methods }),
          );
          return { kind: 'second-step', methods: asked, cookies: [stepCookieOf(token)] };
        }
      }
      return begin(asker, personId, methods);
    },
    async waiting(asker) {
      const token = readCookie(asker.headers.cookie, stepCookie);
      const row = token === undefined ? undefined : await tokens.find(token, 'second-step');
      if (token === undefined || row === undefined) throw signInExpired();
      return { ...row, token };
    },
    async finishSecondStep(asker, { token }, method) {
      const done = await tokens.use(token, 'second-step', async (_sql, row) => row);
      const begun = await begin(asker, done.personId, [...done.methods, method]);
      return { ...begun, cookies: [...begun.cookies, endedCookie(stepCookie)] };
    },
  };
}

/** The answer of a call that signs in. */
export function answerOf(outcome: SignedIn, status = 201): RouteAnswer<{ second_factor?: string[] }> {
  return outcome.kind === 'session'
    ? { status, headers: { 'set-cookie': outcome.cookies }, body: {} }
    : { status: 202, headers: { 'set-cookie': outcome.cookies }, body: { second_factor: outcome.methods } };
}

export function signInExpired(): RequestError {
  return new RequestError(
    'sign_in_expired',
    'This sign-in waited longer than ten minutes, or met too many wrong codes. Start again with the password.',
    { headers: { 'set-cookie': [endedCookie(stepCookie)] } },
  );
}
