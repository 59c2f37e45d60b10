import {
  authenticatorConfirmation,
  authenticatorProof,
  begunAuthenticator,
  proofAgain,
  recoveryCodes,
} from '../../../contract/people.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { codeProofLimit, codesOfDay } from '../throttle.ts';
import { secondFactorMail } from './mails.ts';
import { doneBy, endAllElse, ownAct, type People, personOf, provePassword } from './parts.ts';
import { personIn } from './person.ts';

type Asked = Parameters<typeof ownAct>[0];

/** Setting up an authenticator, its recovery codes, and taking it away. */
export function secondFactorRoutes(people: People): Route[] {
  const { house, secondFactor, throttles } = people;
  const { postgres, audit, mail } = house;

  return [
    defineRoute({
      method: 'POST',
      path: '/api/account/authenticator',
      access: 'signed-in',
      summary: 'Begins to set up an authenticator: its secret to type and as a picture. Needs the password.',
      body: proofAgain,
      answer: begunAuthenticator,
      async handle(request) {
        const { id } = personOf(request);
        await provePassword(people, request, request.body.password);
        const person = await postgres.person(id, (sql) => personIn(house, sql, id));
        return { body: await secondFactor.begin(person) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/authenticator/confirmation',
      access: 'signed-in',
      summary: 'Switches the authenticator on with a first code of it; answers with the recovery codes, once.',
      body: authenticatorConfirmation,
      answer: recoveryCodes,
      async handle(request) {
        const { id, session } = personOf(request);
        await proveCode(id, request.body.code, false);
        const codes = await postgres.person(id, async (sql) => {
          const made = await secondFactor.confirm(sql, id);
          await changed(
            sql,
            request,
            id,
            session,
            'second_factor.enabled',
            'An authenticator was set up for your account.',
          );
          return made;
        });
        return { body: { recovery_codes: codes } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/recovery-codes',
      access: 'signed-in',
      summary: 'Makes new recovery codes in place of the old ones. Needs the password and a code.',
      body: authenticatorProof,
      answer: recoveryCodes,
      async handle(request) {
        const { id, session } = personOf(request);
        await provePassword(people, request, request.body.password);
        await proveCode(id, request.body.code, true);
        const codes = await postgres.person(id, async (sql) => {
          const made = await secondFactor.renewRecoveryCodes(sql, id);
          await changed(
            sql,
            request,
            id,
            session,
            'second_factor.codes_renewed',
            'Your recovery codes were made anew. The old ones do not work any more.',
          );
          return made;
        });
        return { body: { recovery_codes: codes } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/authenticator/removal',
      access: 'signed-in',
      summary: 'Takes the authenticator and its recovery codes away. Needs the password and a code.',
      body: authenticatorProof,
      async handle(request) {
        const { id, session } = personOf(request);
        await provePassword(people, request, request.body.password);
        await proveCode(id, request.body.code, true);
        await postgres.person(id, async (sql) => {
          await secondFactor.remove(sql, id);
          await changed(
            sql,
            request,
            id,
            session,
            'second_factor.disabled',
            'The authenticator was taken away from your account. Signing in asks for the password alone.',
          );
        });
        return { status: 204 };
      },
    }),
  ];

  /** A code of the authenticator, or a recovery code where one is in use. */
  async function proveCode(id: number, code: string, isConfirmed: boolean): Promise<void> {
    await throttles.take(codeProofLimit, String(id));
    await throttles.take(codesOfDay, String(id));
    const isRight =
      (await secondFactor.takeCode(id, code, isConfirmed)) ||
      (isConfirmed && (await secondFactor.takeRecoveryCode(id, code)));
    if (!isRight)
      throw new RequestError(
        'invalid_field',
        'This code is not the one of now, or was used already. Wait for the next one, and check the clock of the device.',
        { field: 'code' },
      );
  }

  /** AUT-09: all other sessions end, the trail says so, and the person is told. */
  async function changed(
    sql: Sql,
    request: Asked,
    id: number,
    session: string | undefined,
    action: string,
    what: string,
  ): Promise<void> {
    const person = await personIn(house, sql, id);
    const ended = await endAllElse(people, sql, id, session);
    await audit.recordOfPerson(sql, id, ownAct(request, id, action, { sessions_ended: ended }));
    if (action !== 'second_factor.codes_renewed')
      await people.notices.tell(sql, id, {
        name: action === 'second_factor.enabled' ? 'second_factor_on' : 'second_factor_off',
        link: '/account/security',
      });
    await mail.send(sql, {
      template: secondFactorMail,
      to: person.email,
      personId: id,
      values: { ...doneBy(people, request, person), what },
    });
  }
}
