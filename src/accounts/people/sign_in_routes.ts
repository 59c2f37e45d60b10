import { signIn } from '../../../contract/api.ts';
import { secondStep, signInStep } from '../../../contract/people.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import { codeLimit, codesOfDay, signInLimit } from '../throttle.ts';
import { ownAct, type People } from './parts.ts';
import { findPerson, storedHash } from './person.ts';
import { answerOf, signInExpired } from './sign_in.ts';

type Asker = Parameters<typeof ownAct>[0];

/** Wrong codes that one sign-in may meet before it has to start again with the password. */
const wrongCodesMax = 5;

/** Signing in: the password, and where the person has one, the second factor. */
export function signInRoutes(people: People): Route[] {
  const { house, passwords, tokens, secondFactor, signIns, later, throttles } = people;
  const { postgres, audit, vault } = house;

  return [
    defineRoute({
      method: 'POST',
      path: '/api/sessions',
      access: 'public',
      summary:
        'Signs in with e-mail address or username. The session travels in cookies only; 202 names the second factor that is asked for.',
      body: signIn,
      answer: signInStep,
      async handle(request) {
        people.refuseInsecure(request);
        const name = request.body.email.trim().toLowerCase();
        const { password, proof } = request.body;
        const entered = await throttles.enter(signInLimit, { account: name, address: request.address }, proof);
        const { personId, stored, isRight } = await prove(name, password).catch(async (error) => {
          await entered.takeBack();
          throw error;
        });
        if (!isRight || personId === undefined) {
          later.do('sign_in_refused', () =>
            personId === undefined ? refusedUnknown(name, request) : refused(personId, request),
          );
          throw new RequestError(
            'wrong_credentials',
            'This name and password do not belong together. A name is an e-mail address or a username.',
          );
        }
        await entered.succeeded();
        if (stored !== undefined && passwords.isOld(stored)) await renewHash(personId, stored, password);
        return answerOf(await signIns.finish(request, personId, ['password']));
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sessions/second-factor',
      access: 'public',
      summary: 'Which second factors the sign-in of this browser waits for.',
      answer: signInStep,
      async handle(request) {
        const waiting = await signIns.waiting(request);
        return { body: { second_factor: await signIns.secondFactorsOf(waiting.personId) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sessions/second-factor',
      access: 'public',
      summary: 'The second step of signing in: a code of the authenticator, or a recovery code.',
      body: secondStep,
      answer: signInStep,
      async handle(request) {
        people.refuseInsecure(request);
        const waiting = await signIns.waiting(request);
        const { personId } = waiting;
        const { code, proof } = request.body;
        const account = String(personId);
        const entered = await throttles.enter(codeLimit, { account, address: request.address }, proof);
        await throttles.take(codesOfDay, account);
        const method = (await secondFactor.takeCode(personId, code, true))
          ? 'code'
          : (await secondFactor.takeRecoveryCode(personId, code))
            ? 'recovery-code'
            : undefined;
        if (method === undefined) {
          await tokens.countWrong(waiting, wrongCodesMax);
          await postgres.person(personId, (sql) =>
            audit.recordOfPerson(sql, personId, {
              ...ownAct(request, personId, 'second_factor.refused'),
              outcome: 'refused',
              reason: 'wrong_code',
            }),
          );
          if ((await tokens.find(waiting.token, 'second-step')) === undefined) throw signInExpired();
          throw new RequestError(
            'invalid_field',
            'This code is not the one of now, or was used already. Wait for the next one, and check the clock of the device.',
            { field: 'code' },
          );
        }
        // Only itself: somebody else's wrong codes stay counted while the person goes in and out.
        await entered.takeBack();
        return answerOf(await signIns.finishSecondStep(request, waiting, method));
      },
    }),
  ];

  async function refused(personId: number, request: Asker): Promise<void> {
    await postgres.person(personId, (sql) =>
      audit.recordOfPerson(sql, personId, {
        ...ownAct(request, personId, 'session.refused'),
        actor: { type: 'visitor' },
        outcome: 'refused',
        reason: 'wrong_password',
      }),
    );
  }

  /**
   * Nobody's trail is the desk's own (AUD-05). The name that was tried is a keyed digest there: the same one shows as the
   * same, and nobody learns whose address was mistyped, or what password was put into the wrong field.
   */
  async function refusedUnknown(name: string, request: Asker): Promise<void> {
    const digest = await vault.subject('desk', 'email', name);
    await postgres.system((sql) =>
      audit.record(sql, 'desk', {
        action: 'session.refused',
        actor: { type: 'visitor' },
        targets: [{ type: 'unknown_name', id: digest.subarray(0, 16).toString('hex') }],
        outcome: 'refused',
        reason: 'unknown_name',
        request: { id: request.requestId, address: request.address },
      }),
    );
  }

  async function prove(name: string, password: string) {
    const personId = await findPerson(house, name);
    const stored = personId === undefined ? undefined : await storedHash(house, personId);
    return { personId, stored, isRight: await passwords.verify(password, stored) };
  }

  /** R17: a hash of an older scheme or cost is made anew while the password is here. */
  async function renewHash(personId: number, old: string, password: string): Promise<void> {
    const hash = await passwords.hash(password);
    await postgres.person(personId, (sql) =>
      // `changed_at` stays: the password is the same.
      sql.run('UPDATE passwords SET hash = $2 WHERE person_id = $1 AND hash = $3', [personId, hash, old]),
    );
  }
}
