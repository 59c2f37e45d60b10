import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { mailServerInput, mailSettings, mailTest } from '../../../contract/mail.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route, type RouteRequest } from '../../platform/http/route.ts';
import type { ServerChange } from '../../platform/mail/index.ts';
import { isSender } from '../../platform/mail_address.ts';
import type { House } from '../../platform/subject.ts';
import { personIn } from '../people/person.ts';
import { openThrottles } from '../throttle.ts';
import { personOf } from './person_of.ts';

/** Tests of the server, by anybody: few people run a desk, and each is a mail. Counted by all its processes together. */
const testLimit = { name: 'mail-test', most: 10, windowMs: 3_600_000, what: 'tests of the mail server' };

/** How this desk sends: for who runs it. */
export function serverRoutes(house: Omit<House, 'authenticate'>): Route[] {
  const { audit, config, mail, postgres } = house;
  const throttles = openThrottles(house);

  async function settings(): Promise<z.infer<typeof mailSettings>> {
    const [isOn, { source }, saved, counts, trouble] = await Promise.all([
      mail.isOn(),
      mail.servers.current(),
      mail.servers.saved(),
      mail.counts(),
      mail.servers.trouble.now(),
    ]);
    return {
      is_on: isOn,
      source: mail.inbox === undefined ? source : 'inbox',
      environment:
        config.smtp === undefined
          ? null
          : { host: config.smtp.host, port: config.smtp.port, tls: config.smtp.tls, from: config.smtp.from },
      saved:
        saved === undefined
          ? null
          : {
              host: saved.host,
              port: saved.port,
              tls: saved.tls,
              user: saved.userName ?? null,
              has_password: saved.hasPassword,
              from: saved.from,
              dkim: saved.dkim ?? null,
              changed_at: new Date(saved.changedAtMs).toISOString(),
            },
      trouble:
        trouble === undefined
          ? null
          : { at: new Date(trouble.atMs).toISOString(), reason: trouble.reason, words: trouble.words ?? null },
      counts: counts.states,
      kept: counts.kept,
    };
  }

  /** What the operator does here belongs to the desk: it stands in the trail of each of their organisations. */
  function changeBy(
    request: RouteRequest<unknown, unknown, unknown>,
    action: 'mail.settings_changed' | 'mail.tested',
    details: Record<string, string | number | boolean>,
    outcome: 'done' | 'failed' = 'done',
  ): ServerChange {
    const personId = personOf(request);
    const act = { action, ...actOf(request), details, outcome };
    return { personId, note: (sql) => audit.recordOfPerson(sql, personId, act) };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/mail/settings',
      access: 'operator',
      summary: 'How this desk sends mail, what is in the way, and what became of the mail of seven days.',
      answer: mailSettings,
      handle: async () => ({ body: await settings() }),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/mail/server',
      access: 'operator',
      summary: 'Names the mail server to send through. Its password and DKIM key are sealed and never shown.',
      body: mailServerInput,
      answer: mailSettings,
      async handle(request) {
        const { host, port, tls, user, password, from, dkim } = request.body;
        if (!isSender(from))
          throw new RequestError(
            'invalid_field',
            '"from" is no sender: write one such as Fairlead <desk@desk.example>.',
            {
              field: 'from',
            },
          );
        const before = await mail.servers.saved();
        if (dkim?.key !== undefined) refuseBadKey(dkim.key);
        if (dkim !== undefined && dkim.key === undefined && before?.dkim === undefined)
          throw new RequestError('invalid_field', '"dkim.key" is needed: paste the private key in PEM form.', {
            field: 'dkim.key',
          });
        await mail.servers.save(
          { host, port, tls, userName: user, password, from, dkim: dkim && { ...dkim, key: dkim.key } },
          changeBy(request, 'mail.settings_changed', {
            host,
            port,
            tls,
            has_user: user !== undefined,
            has_dkim: dkim !== undefined,
          }),
        );
        return { body: await settings() };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/mail/server',
      access: 'operator',
      summary: 'Forgets the mail server that was set in the app, with its password.',
      async handle(request) {
        await mail.servers.forget(changeBy(request, 'mail.settings_changed', { forgotten: true }));
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/mail/tests',
      access: 'operator',
      summary: 'Sends a mail to your own address at once, and gives back what the server said.',
      body: z.strictObject({}),
      answer: mailTest,
      async handle(request) {
        const personId = personOf(request);
        if (mail.inbox !== undefined || (await mail.servers.current()).server === undefined)
          throw new RequestError('conflict', 'There is no mail server to try. Name one first.');
        await throttles.take(testLimit, 'desk');
        const { email } = await postgres.person(personId, (sql) => personIn(house, sql, personId));
        const result = await mail.servers.test(email);
        const { note } = changeBy(request, 'mail.tested', { ok: result.ok }, result.ok ? 'done' : 'failed');
        await postgres.person(personId, note);
        return { status: 201, body: { ...result, to: email } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/mail/releases',
      access: 'operator',
      summary: 'Sends what was not sent in the last day because mail was off.',
      body: z.strictObject({}),
      answer: z.object({ released: z.number() }),
      async handle() {
        if (!(await mail.isOn())) throw new RequestError('conflict', 'Mail is off. Name a mail server first.');
        return { status: 201, body: { released: await mail.release() } };
      },
    }),
  ];
}

function refuseBadKey(pem: string): void {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 1024) return;
  } catch {}
  throw new RequestError(
    'invalid_field',
    '"dkim.key" is no RSA private key of 1024 bits or more. Paste it in PEM form, without a passphrase.',
    { field: 'dkim.key' },
  );
}
