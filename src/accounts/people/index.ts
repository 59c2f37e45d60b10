import { peopleLimits } from '../../../contract/limits.ts';
import { type ControlCommand, ControlError } from '../../platform/control.ts';
import type { Route, RouteRequest } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Notices } from '../mail/index.ts';
import type { Passwords } from '../passwords.ts';
import { refuseInsecure } from '../secure.ts';
import type { Sessions } from '../sessions.ts';
import { openThrottles } from '../throttle.ts';
import { type Later, openLater } from './later.ts';
import { linkRoutes } from './link_routes.ts';
import { secondFactorMail, sessionCopiedMail } from './mails.ts';
import { handedOn, openOneTimeTokens } from './one_time.ts';
import { type People, provePassword } from './parts.ts';
import { findPerson, personIn } from './person.ts';
import { profileRoutes } from './profile_routes.ts';
import { ruleRoutes } from './rule_routes.ts';
import { openSecondFactor } from './second_factor.ts';
import { secondFactorRoutes } from './second_factor_routes.ts';
import { sessionRoutes } from './session_routes.ts';
import { openSignIns, type SignIns } from './sign_in.ts';
import { signInRoutes } from './sign_in_routes.ts';
import { whenText } from './when.ts';

export { sealAddresses } from './seal_addresses.ts';
export { answerOf, type SecondFactorKind, type SignIns } from './sign_in.ts';

/** People and their ways in: signing in, the second factor, links of mails, sessions, the profile. */
export interface PeopleSubject {
  routes: Route[];
  signIns: SignIns;
  /** A password in clear over the network is worse than no sign-in at all. */
  refuseInsecure(request: { secure: boolean }): void;
  /**
   * Takes the second factors of a locked-out person away, authenticator and passkeys; for the command line on the
   * machine. @returns was there one?
   */
  takeSecondFactorAway(email: string): Promise<boolean>;
  /** The password again, or a sign-in of the last minutes; see `provePassword`. */
  proveAgain(
    request: Pick<RouteRequest<unknown, unknown, unknown>, 'principal'>,
    password: string | undefined,
  ): Promise<void>;
  /** What the command line may ask for whoever cannot get in. */
  commands: Record<string, ControlCommand>;
  /** What is done after an answer, so that its time says nothing. */
  later: Later;
  /** Resolves when what was left for after an answer is done. */
  settle(): Promise<void>;
}

export function openPeople(
  house: Omit<House, 'authenticate'>,
  parts: { passwords: Passwords; sessions: Sessions; notices: Pick<Notices, 'tell'> },
): PeopleSubject {
  const { clock, config, postgres, audit, mail, log } = house;
  const tokens = openOneTimeTokens(house);
  const secondFactor = openSecondFactor(house);
  const signIns = openSignIns(house, { sessions: parts.sessions, tokens, notices: parts.notices });
  const later = openLater(log);
  signIns.addSecondFactor({
    name: 'code',
    has: async (sql, personId) =>
      (await sql.query('SELECT 1 FROM authenticators WHERE person_id = $1 AND confirmed_at IS NOT NULL', [personId]))
        .length > 0,
  });
  const people: People = {
    house,
    ...parts,
    tokens,
    secondFactor,
    signIns,
    later,
    throttles: openThrottles(house),
    refuseInsecure: (request) => refuseInsecure(config, request),
  };

  /** The one door that is left when there is no mail: a link that whoever runs the desk hands on. */
  async function makeResetLink(email: string): Promise<{ link: string; minutes: number } | undefined> {
    const personId = await findPerson(house, email);
    if (personId === undefined) return undefined;
    const minutes = peopleLimits.linkMinutes;
    const token = await postgres.person(personId, async (sql) => {
      const made = await tokens.issue(sql, { personId, kind: 'reset-password', minutes, methods: [handedOn] });
      await audit.recordOfPerson(sql, personId, {
        action: 'operator.password_reset',
        actor: { type: 'operator' },
        targets: [{ type: 'person', id: personId }],
      });
      return made;
    });
    return { link: mail.link(`/reset#token=${token}`), minutes };
  }

  async function takeSecondFactorAway(email: string): Promise<boolean> {
    const personId = await findPerson(house, email);
    if (personId === undefined) return false;
    return postgres.person(personId, async (sql) => {
      const person = await personIn(house, sql, personId);
      const hadCode = await secondFactor.remove(sql, personId);
      const passkeys = await sql.run('DELETE FROM passkeys WHERE person_id = $1', [personId]);
      if (!hadCode && passkeys === 0) return false;
      await parts.sessions.endOf(sql, personId, { except: undefined });
      await audit.recordOfPerson(sql, personId, {
        action: 'operator.second_factor_off',
        actor: { type: 'operator' },
        targets: [{ type: 'person', id: personId }],
        details: { authenticator: hadCode, passkeys },
      });
      await parts.notices.tell(sql, personId, { name: 'second_factor_off', link: '/account/security' });
      await mail.send(sql, {
        template: secondFactorMail,
        to: person.email,
        personId,
        values: {
          when: whenText(new Date(clock.now()), person),
          device: 'the command line of this desk',
          reset: mail.link('/reset'),
          what: 'Whoever runs this desk took the second factor away from your account.',
        },
      });
      return true;
    });
  }

  return {
    signIns,
    refuseInsecure: people.refuseInsecure,
    later,
    settle: later.settle,
    takeSecondFactorAway,
    proveAgain: (request, password) => provePassword(people, request, password),
    commands: {
      async 'people-reset'(args) {
        const made = await makeResetLink(args.get('email') ?? '');
        if (made === undefined) throw new ControlError('Nobody here has this e-mail address.');
        return made;
      },
      async 'people-second-factor-off'(args) {
        const removed = await takeSecondFactorAway(args.get('email') ?? '');
        if (!removed) throw new ControlError('Nobody here has this e-mail address and a second factor.');
        return { second_factor: 'off' };
      },
    },
    routes: [
      ...signInRoutes(people),
      ...linkRoutes(people),
      ...secondFactorRoutes(people),
      ...sessionRoutes(people),
      ...profileRoutes(people),
      ...ruleRoutes(people),
    ],
  };
}

/** AUT-05: a token of a session came a second time. The family has just ended; the trail and the person hear of it. */
export function tellOfCopy(
  house: Pick<House, 'audit' | 'mail' | 'clock' | 'vault'> & { notices: Pick<Notices, 'tell'> },
) {
  const { audit, mail, clock, notices } = house;
  return async (sql: Sql, personId: number, device: string): Promise<void> => {
    const person = await personIn(house, sql, personId);
    await audit.recordOfPerson(sql, personId, {
      action: 'session.reused',
      actor: { type: 'visitor' },
      targets: [{ type: 'person', id: personId }],
      outcome: 'refused',
      reason: 'token_used_twice',
    });
    await notices.tell(sql, personId, { name: 'session_copied', link: '/account/sessions' });
    await mail.send(sql, {
      template: sessionCopiedMail,
      to: person.email,
      personId,
      values: { when: whenText(new Date(clock.now()), person), device, reset: mail.link('/reset') },
    });
  };
}
