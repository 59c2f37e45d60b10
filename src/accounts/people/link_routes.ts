import { peopleLimits } from '../../../contract/limits.ts';
import { confirmation, emailChange, passwordChange, reset, resetRequest } from '../../../contract/people.ts';
import { emailDigest, sealEmail } from '../../platform/email.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { refuseUnproved } from '../organisations/granting.ts';
import { checkPassword } from '../password_rules.ts';
import { askLimit, linkLimit, networkOf, presented, resetLimit } from '../throttle.ts';
import { emailChangedMail, emailChangeMail, passwordChangedMail, resetMail, verificationMail } from './mails.ts';
import { handedOn, linkExpired, type TokenRow } from './one_time.ts';
import { doneBy, endAllElse, ownAct, type People, personOf, provePassword } from './parts.ts';
import { findPerson, noteProved, personByEmail, personIn } from './person.ts';
import { takeBack } from './take_back.ts';

const minutes = peopleLimits.linkMinutes;

/** Confirming and changing the address, setting and changing the password: what goes by a link in a mail, and what needs the password. */
export function linkRoutes(people: People): Route[] {
  const { house, passwords, tokens, later, throttles } = people;
  const { postgres, clock, audit, mail, keys, vault } = house;
  /** The token stands in the fragment: browsers do not send it, so it is in no log of ours or of a proxy. */
  const link = (page: string, token: string) => mail.link(`/${page}#token=${token}`);

  return [
    defineRoute({
      method: 'POST',
      path: '/api/account/email-verification',
      access: 'signed-in',
      summary: 'Mails a link that confirms the address of the person who asks.',
      async handle(request) {
        const { id } = personOf(request);
        await throttles.take(linkLimit, `verify ${id}`);
        await postgres.person(id, async (sql) => {
          const person = await personIn(house, sql, id);
          if (person.email_verified_at !== null) return;
          const token = await tokens.issue(sql, { personId: id, kind: 'verify-email', minutes, email: person.email });
          await mail.send(sql, {
            template: verificationMail,
            to: person.email,
            personId: id,
            values: { href: link('verify', token) },
          });
        });
        return { status: 202, body: {} };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/email',
      access: 'signed-in',
      summary: 'Begins a change of the address: a link goes to the new one. Needs the password.',
      body: emailChange,
      async handle(request) {
        const { id, session } = personOf(request);
        const { email, password } = request.body;
        await provePassword(people, request, password);
        await throttles.take(linkLimit, `change ${id}`);
        await postgres.person(id, (sql) => refuseUnproved(house, sql, id, 'change it'));
        // The answer is the same for an address that somebody here has: who they are is not told.
        later.do('email_change', async () => {
          const taken = await findPerson(house, email);
          await postgres.person(id, async (sql) => {
            const token = await tokens.issue(sql, { personId: id, kind: 'change-email', minutes, email, session });
            if (taken === undefined)
              await mail.send(sql, {
                template: emailChangeMail,
                to: email,
                personId: id,
                values: { href: link('verify', token) },
              });
            await audit.recordOfPerson(sql, id, ownAct(request, id, 'email.change_asked'));
          });
        });
        return { status: 202, body: {} };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/email-verifications',
      access: 'public',
      summary: 'Confirms an address, or changes to it, with the token of a link.',
      body: confirmation,
      async handle(request) {
        const { token, proof } = request.body;
        const isChange = await presented(throttles, { address: request.address, proof }, async () => {
          if ((await tokens.find(token, 'change-email')) !== undefined) return true;
          if ((await tokens.find(token, 'verify-email')) === undefined) throw linkExpired();
          return false;
        });
        if (isChange) {
          await tokens.use(token, 'change-email', (sql, row) => changeEmail(sql, row, request));
          return { body: { changed: true } };
        }
        await tokens.use(token, 'verify-email', async (sql, row) => {
          // Of an address that was changed since, the link confirms nothing.
          const same = await sql.query('SELECT 1 FROM people WHERE id = $1 AND email_digest = $2', [
            row.personId,
            emailDigest(keys, row.email as string),
          ]);
          if (same.length > 0 && (await noteProved(sql, row.personId, new Date(clock.now()))))
            await audit.recordOfPerson(sql, row.personId, ownAct(request, row.personId, 'email.verified'));
        });
        return { body: { changed: false } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/password-resets',
      access: 'public',
      summary: 'Mails a link to set a new password, if somebody has this address. Answers alike either way.',
      body: resetRequest,
      async handle(request) {
        people.refuseInsecure(request);
        const email = request.body.email.trim().toLowerCase();
        // By the address as it was written, whether somebody has it or not.
        await throttles.take(askLimit, networkOf(request.address));
        await throttles.take(resetLimit, email);
        later.do('password_reset', () => sendReset(email, request));
        return { status: 202, body: {} };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/password-resets',
      access: 'public',
      summary: 'Sets a new password with the token of a link, and ends every session of the person.',
      body: reset,
      async handle(request) {
        people.refuseInsecure(request);
        const { token, password, proof } = request.body;
        const { personId: owner } = await presented(throttles, { address: request.address, proof }, async () => {
          const row = await tokens.find(token, 'reset-password');
          if (row === undefined) throw linkExpired();
          return row;
        });
        // Checked before the token is spent, so that a weak password does not cost another mail.
        checkPassword(password, await contextOf(owner));
        const hash = await passwords.hash(password);
        await tokens.use(token, 'reset-password', async (sql, { personId, methods }) => {
          const person = await personIn(house, sql, personId);
          await storePassword(sql, personId, hash);
          await endAllElse(people, sql, personId, undefined);
          if (!methods.includes(handedOn)) {
            await takeBack(house, sql, personId, request);
            // The link came to this address, so it is theirs.
            await noteProved(sql, personId, new Date(clock.now()));
          }
          await audit.recordOfPerson(sql, personId, ownAct(request, personId, 'password.reset'));
          await people.notices.tell(sql, personId, { name: 'password_changed', link: '/account/security' });
          await mail.send(sql, {
            template: passwordChangedMail,
            to: person.email,
            personId,
            values: doneBy(people, request, person),
          });
        });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/account/password',
      access: 'signed-in',
      summary: 'Changes the password, which needs the current one, and ends all other sessions.',
      body: passwordChange,
      async handle(request) {
        const { id, session } = personOf(request);
        const { current, password } = request.body;
        checkPassword(password, await contextOf(id));
        await provePassword(people, request, current, 'current');
        const hash = await passwords.hash(password);
        const ended = await postgres.person(id, async (sql) => {
          const person = await personIn(house, sql, id);
          await storePassword(sql, id, hash);
          const count = await endAllElse(people, sql, id, session);
          await audit.recordOfPerson(sql, id, ownAct(request, id, 'password.changed', { sessions_ended: count }));
          await people.notices.tell(sql, id, { name: 'password_changed', link: '/account/security' });
          await mail.send(sql, {
            template: passwordChangedMail,
            to: person.email,
            personId: id,
            values: doneBy(people, request, person),
          });
          return count;
        });
        return { body: { sessions_ended: ended } };
      },
    }),
  ];

  async function sendReset(email: string, request: Parameters<typeof ownAct>[0]): Promise<void> {
    const personId = await findPerson(house, email);
    if (personId === undefined) return;
    await postgres.person(personId, async (sql) => {
      const person = await personIn(house, sql, personId);
      const token = await tokens.issue(sql, { personId, kind: 'reset-password', minutes });
      await mail.send(sql, {
        template: resetMail,
        to: person.email,
        personId,
        values: { href: link('reset', token) },
      });
      await audit.recordOfPerson(sql, personId, {
        ...ownAct(request, personId, 'password.reset_asked'),
        actor: { type: 'visitor' },
      });
    });
  }

  async function changeEmail(sql: Sql, row: TokenRow, request: Parameters<typeof ownAct>[0]): Promise<void> {
    const { personId } = row;
    const email = row.email as string;
    const person = await personIn(house, sql, personId);
    const taken = await personByEmail(keys, sql, email);
    if (taken !== undefined && taken.person_id !== personId)
      throw new RequestError('conflict', 'Somebody signs in with this address already. Yours stays as it was.');
    await sql.run('UPDATE people SET email_digest = $2, email_sealed = $3, email_verified_at = NULL WHERE id = $1', [
      personId,
      emailDigest(keys, email),
      await sealEmail(vault, { person: personId }, email),
    ]);
    await noteProved(sql, personId, new Date(clock.now()));
    // Links that went to the old address end with it.
    await sql.run("DELETE FROM one_time_tokens WHERE person_id = $1 AND kind = 'verify-email'", [personId]);
    // The link is opened in any browser; the session that asked for it is the one that stays.
    const ended = await endAllElse(people, sql, personId, row.session ?? undefined);
    await audit.recordOfPerson(sql, personId, ownAct(request, personId, 'email.changed', { sessions_ended: ended }));
    await mail.send(sql, {
      template: emailChangedMail,
      to: person.email,
      personId,
      values: { ...doneBy(people, request, person), email },
    });
  }

  async function storePassword(sql: Sql, personId: number, hash: string): Promise<void> {
    await sql.run(
      `INSERT INTO passwords (person_id, hash, changed_at) VALUES ($1, $2, $3)
       ON CONFLICT (person_id) DO UPDATE SET hash = $2, changed_at = $3`,
      [personId, hash, new Date(clock.now())],
    );
  }

  /** What a password of this person may not be made of. */
  async function contextOf(personId: number): Promise<string[]> {
    return postgres.person(personId, async (sql) => {
      const person = await personIn(house, sql, personId);
      const organisations = await sql.query<{ name: string }>(
        'SELECT o.name FROM memberships m JOIN organisations o ON o.id = m.organisation_id WHERE m.person_id = $1',
        [personId],
      );
      return [person.email, person.name, person.username ?? '', ...organisations.map((one) => one.name)];
    });
  }
}
