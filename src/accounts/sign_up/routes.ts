import {
  newSignUp,
  signedUp,
  signUpCompletion,
  signUpConfirmation,
  signUpLimits,
  signUpReading,
  signUpState,
  signUpToken,
} from '../../../contract/sign_up.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { openLinked } from '../identities/linked.ts';
import type { Agreed } from '../legal/index.ts';
import { checkPassword } from '../password_rules.ts';
import { addressKnown, findPerson, type NewPerson, personByEmail, personIn } from '../people/person.ts';
import { createOrganisation } from '../set_up.ts';
import { type Proof, presented } from '../throttle.ts';
import { closed } from './admission.ts';
import { signUpExistingMail, signUpMail } from './mails.ts';
import type { SignUpParts } from './parts.ts';
import { expired } from './waiting.ts';

const hourMs = 3_600_000;
/** None of these is ever right or wrong: past the first ones each further one costs work, whoever they are for. */
const signUpTries = { name: 'sign-up', perAccount: 3, perNetwork: 10, windowMs: hourMs };
const signUpMails = { name: 'sign-up', most: signUpLimits.mailsPerHour, windowMs: hourMs, what: 'links to sign up' };
/** Passwords that are given for one link: who opens it need not be who chose the password. */
export const passwordTries = { name: 'sign-up-password', most: 10, windowMs: hourMs, what: 'passwords' };

/** Signing up: ask for the link, open it, or say what is left to say after coming from a provider. */
export function signUpRoutes(parts: SignUpParts): Route[] {
  const { house, passwords, signIns, legal, invitations, admission, own, settings, waiting, throttles, later } = parts;
  const { postgres, clock, audit, mail, config, keys } = house;
  const linked = openLinked(house);
  const providerNames: Record<string, string> = {
    google: 'Google',
    github: 'GitHub',
    oidc: config.signIn?.oidc?.name ?? '',
  };

  const reading = <T>(request: { address: string; body: { proof?: Proof | undefined } }, read: () => Promise<T>) =>
    presented(throttles, { address: request.address, proof: request.body.proof }, read);

  return [
    defineRoute({
      method: 'GET',
      path: '/api/sign-up',
      access: 'public',
      summary: 'May people sign up here by themselves, and what do they agree to?',
      answer: signUpState,
      async handle() {
        const [{ mode }, documents, missing, mailIsOn] = await Promise.all([
          settings.read(),
          legal.current(),
          legal.missing(),
          mail.isOn(),
        ]);
        return { body: { mode, mail_is_on: mailIsOn, documents, missing } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sign-ups',
      access: 'public',
      summary:
        'Signs up: a link that makes the account is mailed. Answers alike whether somebody has the address or not; the mail says which.',
      body: newSignUp,
      async handle(request) {
        parts.refuseInsecure(request);
        const { password, proof, invitation, agreement } = request.body;
        const told = {
          email: request.body.email.trim(),
          name: request.body.name,
          organisation: request.body.organisation,
        };
        const followed = invitation === undefined ? undefined : await admission.follow(invitation);
        if (invitation !== undefined && followed?.kind !== 'desk') throw expired();
        const problem = await admission.problemOf(told.email, followed);
        if (problem !== undefined) throw problem;
        if (!(await mail.isOn()))
          throw closed('This desk sends no mail, so no address can be confirmed. Ask whoever runs it.');
        const agreed = await legal.read(agreement, { age: 'always' });
        checkPassword(password, [told.email, told.name, told.organisation]);
        const account = told.email.toLowerCase();
        await throttles.enter(signUpTries, { account, address: request.address }, proof);
        await throttles.take(signUpMails, account);
        const hash = await passwords.hash(password);
        // After the answer, so that neither its words nor its time say whether there is somebody.
        later.do('sign_up', async () => {
          const personId = await findPerson(house, account);
          if (personId !== undefined) return tellExisting(personId);
          const token = await waiting.add(told, { hash, agreed }, followed?.digest);
          await postgres.system(async (sql) => {
            // Whoever closed an account and comes back wants this mail.
            if (await mail.suppressions.readmit(sql, told.email))
              await audit.record(sql, 'desk', {
                action: 'mail.unsuppressed',
                ...actOf({ ...request, principal: undefined }),
                details: { reason: 'erasure' },
              });
            await mail.send(sql, {
              template: signUpMail,
              to: told.email,
              values: { organisation: told.organisation, link: mail.link(`/sign-up/confirm#token=${token}`) },
            });
          });
        });
        return { status: 202, body: {} };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sign-ups/confirmations',
      access: 'public',
      summary: 'Opens the link of a mail: makes the account and its organisation, and signs in.',
      body: signUpConfirmation,
      answer: signedUp,
      async handle(request) {
        parts.refuseInsecure(request);
        const { token, password } = request.body;
        const found = await reading(request, () => waiting.find(token));
        if (!('hash' in found.way)) throw expired();
        const { hash, agreed } = found.way;
        await throttles.take(passwordTries, found.digest.toString('hex'));
        if (!(await passwords.verify(password, hash)))
          throw new RequestError(
            'invalid_field',
            'This is not the password that was chosen when signing up. If you did not choose one, somebody else used your address: do nothing.',
            { field: 'password' },
          );
        const followed = found.invitation === undefined ? undefined : await admission.followDigest(found.invitation);
        const problem = await admission.problemOf(found.email, followed);
        if (problem !== undefined) throw problem;
        const { personId, slug } = await makeAccount(request, found, found.organisation, { hash, agreed });
        const { cookies } = await signIns.finish(request, personId, ['sign-up']);
        return { status: 201, headers: { 'set-cookie': cookies }, body: { slug, is_new: true } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sign-ups/readings',
      access: 'public',
      summary: 'What a sign-up by an account elsewhere, or an invitation to sign up, still wants to know.',
      body: signUpToken,
      answer: signUpReading,
      async handle(request) {
        const { token } = request.body;
        const documents = await legal.current();
        return reading(request, async () => {
          const invited = await own.addressOf(own.digestOf(token));
          if (invited !== undefined)
            return {
              body: {
                kind: 'invitation' as const,
                email: invited,
                name: '',
                provider_name: null,
                organisation: null,
                documents,
              },
            };
          const found = await waiting.find(token);
          if (!('provider' in found.way)) throw expired();
          const joined = found.invitation === undefined ? undefined : await invitations.findByDigest(found.invitation);
          return {
            body: {
              kind: 'provider' as const,
              email: found.email,
              name: found.name,
              provider_name: providerNames[found.way.provider] ?? null,
              organisation: joined?.organisation ?? null,
              documents,
            },
          };
        });
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sign-ups/completions',
      access: 'public',
      summary: 'Makes the account of somebody whom a provider has proved, with what they agree to, and signs in.',
      body: signUpCompletion,
      answer: signedUp,
      async handle(request) {
        parts.refuseInsecure(request);
        const { token, name, organisation, agreement } = request.body;
        const found = await reading(request, () => waiting.find(token));
        if (!('provider' in found.way)) throw expired();
        const { provider, identity } = found.way;
        const followed = found.invitation === undefined ? undefined : await admission.followDigest(found.invitation);
        // An invitation that was taken back meanwhile lets nobody in, and makes no organisation by surprise.
        if (found.invitation !== undefined && followed === undefined) throw expired();
        const problem = await admission.problemOf(found.email, followed);
        if (problem !== undefined) throw problem;
        const joins = followed?.kind === 'organisation';
        const agreed = await legal.read(agreement, { age: joins ? 'with-documents' : 'always' });
        const link = (sql: Sql, personId: number) =>
          linked.link(sql, personId, { provider, digest: identity, label: found.email }, new Date(clock.now()));
        if ((await linked.findByDigest(identity)) !== undefined) throw addressKnown();
        const made = joins
          ? await joinInvited(request, { ...found, name }, followed.digest, { agreed, link })
          : await makeAccount(request, { ...found, name }, organisation, { agreed, link });
        const { cookies } = await signIns.finish(request, made.personId, [provider]);
        return { status: 201, headers: { 'set-cookie': cookies }, body: { slug: made.slug, is_new: !joins } };
      },
    }),
  ];

  /** The person, their organisation and what they agreed to, in one transaction; the sign-up is used up by it. */
  async function makeAccount(
    request: Parameters<typeof actOf>[0],
    found: Found,
    organisation: string | undefined,
    more: More,
  ): Promise<{ personId: number; slug: string }> {
    if (organisation === undefined)
      throw new RequestError('invalid_field', 'An organisation needs a name.', { field: 'organisation' });
    if ((await findPerson(house, found.email)) !== undefined) throw addressKnown();
    return postgres.system(async (sql) => {
      await takeOnce(sql, found);
      if (found.invitation !== undefined) await own.use(sql, found.invitation);
      const made = await createOrganisation(sql, house, { ...personOf(found, more), organisation });
      const { personId, organisationId } = made;
      await more.link?.(sql, personId);
      const by = { actor: { type: 'person' as const, id: personId }, request: actOf(request).request };
      await audit.record(sql, organisationId, {
        action: 'organisation.created',
        ...by,
        targets: [{ type: 'organisation', id: organisationId, label: organisation }],
        details: { by: 'sign-up' },
      });
      await noteNew(sql, personId, by, more);
      return made;
    });
  }

  async function joinInvited(
    request: Parameters<typeof actOf>[0],
    found: Found,
    digest: Buffer,
    more: More,
  ): Promise<{ personId: number; slug: string }> {
    if ((await findPerson(house, found.email)) !== undefined) throw addressKnown();
    return invitations.takeUp(digest, request, personOf(found, more), async (sql, personId) => {
      await takeOnce(sql, found);
      await more.link?.(sql, personId);
      await legal.keep(sql, personId, more.agreed, actOf(request).request);
    });
  }

  /** Uses the sign-up up. Whoever comes second, from another tab, hears that the account is there and not that the hour is over. */
  async function takeOnce(sql: Sql, found: Found): Promise<void> {
    if (await waiting.take(sql, found)) return;
    throw (await personByEmail(keys, sql, found.email)) === undefined ? expired() : addressKnown();
  }

  async function noteNew(
    sql: Sql,
    personId: number,
    by: { actor: { type: 'person'; id: number }; request: ReturnType<typeof actOf>['request'] },
    { agreed }: More,
  ): Promise<void> {
    await audit.recordOfPerson(sql, personId, {
      action: 'person.added',
      ...by,
      targets: [{ type: 'person', id: personId }],
    });
    await legal.keep(sql, personId, agreed, by.request);
  }

  async function tellExisting(personId: number): Promise<void> {
    await postgres.person(personId, async (sql) => {
      const { email } = await personIn(house, sql, personId);
      await mail.send(sql, {
        template: signUpExistingMail,
        to: email,
        personId,
        values: { signIn: mail.link('/sign-in'), reset: mail.link('/reset') },
      });
    });
  }
}

interface Found {
  email: string;
  name: string;
  digest: Buffer;
  invitation: Buffer | undefined;
}
interface More {
  agreed: Agreed;
  hash?: string;
  /** Ties the account elsewhere to the new person. */
  link?: (sql: Sql, personId: number) => Promise<unknown>;
}

const personOf = ({ email, name }: Found, { hash }: More): NewPerson => ({ email, name, hash, isVerified: true });
