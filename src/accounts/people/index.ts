import type { Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Passwords } from '../passwords.ts';
import { refuseInsecure } from '../secure.ts';
import type { Sessions } from '../sessions.ts';
import { openThrottles } from '../throttle.ts';
import { openLater } from './later.ts';
import { linkRoutes } from './link_routes.ts';
import { secondFactorMail, sessionCopiedMail } from './mails.ts';
import { openOneTimeTokens } from './one_time.ts';
import type { People } from './parts.ts';
import { findPerson, personIn } from './person.ts';
import { profileRoutes } from './profile_routes.ts';
import { ruleRoutes } from './rule_routes.ts';
import { openSecondFactor } from './second_factor.ts';
import { secondFactorRoutes } from './second_factor_routes.ts';
import { sessionRoutes } from './session_routes.ts';
import { openSignIns, type SignIns } from './sign_in.ts';
import { signInRoutes } from './sign_in_routes.ts';
import { whenText } from './when.ts';

export { answerOf, type SecondFactorKind, type SignIns } from './sign_in.ts';

/** People and their ways in: signing in, the second factor, links of mails, sessions, the profile. */
export interface PeopleSubject {
  routes: Route[];
  signIns: SignIns;
  /** A password in clear over the network is worse than no sign-in at all. */
  refuseInsecure(request: { secure: boolean }): void;
  /** Takes the second factor of a locked-out person away; for the command line on the machine. @returns was there one? */
  takeSecondFactorAway(email: string): Promise<boolean>;
  /** Resolves when what was left for after an answer is done. */
  settle(): Promise<void>;
}

export function openPeople(
  house: Omit<House, 'authenticate'>,
  parts: { passwords: Passwords; sessions: Sessions },
): PeopleSubject {
  const { clock, config, postgres, audit, mail, log } = house;
  const tokens = openOneTimeTokens(house);
  const secondFactor = openSecondFactor(house);
  const signIns = openSignIns(house, { sessions: parts.sessions, tokens });
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

  return {
    signIns,
    refuseInsecure: people.refuseInsecure,
    settle: later.settle,
    routes: [
      ...signInRoutes(people),
      ...linkRoutes(people),
      ...secondFactorRoutes(people),
      ...sessionRoutes(people),
      ...profileRoutes(people),
      ...ruleRoutes(people),
    ],
    async takeSecondFactorAway(email) {
      const personId = await findPerson(postgres, email);
      if (personId === undefined) return false;
      return postgres.person(personId, async (sql) => {
        const person = await personIn(sql, personId);
        const removed = await secondFactor.remove(sql, personId);
        if (!removed) return false;
        await parts.sessions.endOf(sql, personId, { except: undefined });
        await audit.recordOfPerson(sql, personId, {
          action: 'operator.second_factor_off',
          actor: { type: 'operator' },
          targets: [{ type: 'person', id: personId }],
        });
        await mail.send(sql, {
          template: secondFactorMail,
          to: person.email,
          personId,
          values: {
            when: whenText(new Date(clock.now()), person.timezone),
            device: 'the command line of this desk',
            reset: mail.link('/reset'),
            what: 'Whoever runs this desk took the second factor away from your account.',
          },
        });
        return true;
      });
    },
  };
}

/** AUT-05: a token of a session came a second time. The family has just ended; the trail and the person hear of it. */
export function tellOfCopy({ audit, mail, clock }: Pick<House, 'audit' | 'mail' | 'clock'>) {
  return async (sql: Sql, personId: number, device: string): Promise<void> => {
    const person = await personIn(sql, personId);
    await audit.recordOfPerson(sql, personId, {
      action: 'session.reused',
      actor: { type: 'visitor' },
      targets: [{ type: 'person', id: personId }],
      outcome: 'refused',
      reason: 'token_used_twice',
    });
    await mail.send(sql, {
      template: sessionCopiedMail,
      to: person.email,
      personId,
      values: { when: whenText(new Date(clock.now()), person.timezone), device, reset: mail.link('/reset') },
    });
  };
}
