import { passwordCharsMin, peopleLimits } from '../../../contract/limits.ts';
import { type Act, actOf } from '../../platform/audit.ts';
import { type Principal, RequestError, type RouteRequest } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { deviceOf } from '../device.ts';
import type { Notices } from '../mail/index.ts';
import type { Passwords } from '../passwords.ts';
import type { Sessions } from '../sessions.ts';
import { proofLimit, type Throttles } from '../throttle.ts';
import type { Later } from './later.ts';
import type { OneTimeTokens } from './one_time.ts';
import { type PersonRow, storedHash } from './person.ts';
import type { SecondFactor } from './second_factor.ts';
import type { SignIns } from './sign_in.ts';
import { whenText } from './when.ts';

/** What the calls of this folder work with. */
export interface People {
  house: Omit<House, 'authenticate'>;
  passwords: Passwords;
  sessions: Sessions;
  notices: Pick<Notices, 'tell'>;
  tokens: OneTimeTokens;
  secondFactor: SecondFactor;
  signIns: SignIns;
  later: Later;
  throttles: Throttles;
  refuseInsecure(request: { secure: boolean }): void;
}

type Asked = Pick<RouteRequest<unknown, unknown, unknown>, 'principal' | 'headers' | 'address' | 'requestId'>;

/** The person who asks about what is their own. @throws RequestError forbidden for a key, which is nobody */
export function personOf(request: Pick<Asked, 'principal'>): Principal {
  const { principal } = request;
  if (principal?.kind !== 'person')
    throw new RequestError('forbidden', 'An API key belongs to an organisation and has no account. Sign in instead.');
  return principal;
}

/** An act of a person on their own account. */
export function ownAct(request: Asked, personId: number, action: string, details?: Act['details']): Act {
  return {
    action,
    ...actOf(request),
    // Who comes by the link of a mail or takes the second step has no session yet, and is that person.
    actor: { type: 'person', id: personId },
    targets: [{ type: 'person', id: personId }],
    ...(details === undefined ? {} : { details }),
  };
}

/** What a mail says about an act: when, from what, and where to take the account back. */
export function doneBy(
  { house: { clock, mail } }: { house: Pick<House, 'clock' | 'mail'> },
  request: Pick<Asked, 'headers'>,
  person: PersonRow,
) {
  return {
    when: whenText(new Date(clock.now()), person),
    device: deviceOf(request.headers['user-agent']),
    reset: mail.link('/reset'),
  };
}

/** After a new password, address, passkey or second factor: nothing that was begun with the old ones goes on (AUT-09). */
export async function endAllElse(
  { sessions }: Pick<People, 'sessions'>,
  sql: Sql,
  personId: number,
  keep: string | undefined,
): Promise<number> {
  await sql.run(
    `DELETE FROM one_time_tokens WHERE person_id = $1
       AND (kind IN ('reset-password', 'second-step') OR (kind = 'change-email' AND session IS DISTINCT FROM $2))`,
    [personId, keep ?? null],
  );
  return sessions.endOf(sql, personId, { except: keep });
}

/**
 * Is it still this person who sits there? What decides who may sign in is changed with the password, however fresh the
 * session (ASVS 7.5.1). Whoever has a session may not try them all, so wrong ones are slowed down by account. Somebody who
 * has no password proves it by the way in that they have: a session that began in the last ten minutes.
 * @throws RequestError invalid_field with `field` when it is another one, rate_limited after too many of them,
 *   sign_in_again when there is no password and the session is older
 */
export async function provePassword(
  { house, passwords, throttles, sessions }: People,
  request: Pick<Asked, 'principal'>,
  password: string | undefined,
  field = 'password',
): Promise<void> {
  const { id: personId, session } = personOf(request);
  const stored = await storedHash(house, personId);
  if (stored === undefined) {
    const startedAt = await house.postgres.person(personId, (sql) => sessions.startOf(sql, personId, session));
    if (startedAt !== undefined && house.clock.now() - startedAt <= peopleLimits.proofMinutes * 60_000) return;
    throw new RequestError(
      'sign_in_again',
      `You have no password to prove that it is you, and signed in more than ${peopleLimits.proofMinutes} minutes ago. Sign out and in again, then do this.`,
    );
  }
  const wrong = () => new RequestError('invalid_field', 'This is not your current password.', { field });
  // What is shorter than any password may be is refused before a quarter of a second is spent on it, and teaches nothing.
  if (password === undefined || password.length < passwordCharsMin) throw wrong();
  await throttles.take(proofLimit, String(personId));
  if (!(await passwords.verify(password, stored))) throw wrong();
}
