import { z } from 'zod';
import {
  beginSignIn,
  begunSignIn,
  identityList,
  newPasskey,
  passkey,
  passkeyAnswer,
  passkeyChange,
  passkeyList,
  passkeyOptions,
  providerAnswer,
  providerId,
  providerOutcome,
  signInWays,
} from '../../../contract/identities.ts';
import { proofAgain } from '../../../contract/people.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route, type RouteRequest } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import { endAllElse } from '../people/parts.ts';
import { personIn } from '../people/person.ts';
import type { Sessions } from '../sessions.ts';
import { beginLimit, openThrottles } from '../throttle.ts';
import type { Flow, SignInEnd } from './flow.ts';
import type { Linked } from './linked.ts';
import { identityUnlinked, passkeyAdded, passkeyCopied, passkeyRemoved } from './mails.ts';
import type { Passkeys } from './passkeys.ts';
import { isRefused } from './provider.ts';
import { refuse } from './refusals.ts';
import { endedStepCookie, type Steps } from './steps.ts';
import { countWays, refuseLastFactor, refuseLastWay, tell } from './ways.ts';

/** The password again before a way in comes or goes. @throws RequestError when it is another, or the sign-in is long ago */
export type ProveAgain = (
  request: Pick<RouteRequest<unknown, unknown, unknown>, 'principal'>,
  password: string | undefined,
) => Promise<void>;

export interface IdentityParts {
  flow: Flow;
  steps: Steps;
  linked: Linked;
  passkeys: Passkeys;
  signIns: SignInEnd;
  sessions: Sessions;
  proveAgain: ProveAgain;
  /** Somebody stands before the page that asks for a password. */
  expectPassword(): void;
  /** A credential in clear over the network is worse than no sign-in at all. @throws RequestError https_required */
  refuseInsecure(request: { secure: boolean }): void;
}

export function identityRoutes(house: Omit<House, 'authenticate'>, parts: IdentityParts): Route[] {
  const { postgres, clock } = house;
  const { flow, steps, linked, passkeys, signIns, sessions, proveAgain, expectPassword, refuseInsecure } = parts;
  const throttles = openThrottles(house);
  const shownProviders = flow.providers.map(({ id, name }) => ({ id, name }));
  const providersOn = flow.providers.map(({ id }) => id);
  const ofProvider = z.object({ provider: providerId });
  const ofNumber = z.object({ id: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER) });

  function person(request: RouteRequest<unknown, unknown, unknown>): number {
    if (request.principal?.kind === 'person') return request.principal.id;
    throw new RequestError('forbidden', 'An API key signs in to no page, so it has no account to link.');
  }

  function refusePasskeys(): void {
    if (passkeys.isPossible()) return;
    throw new RequestError(
      'https_required',
      'Passkeys need an address with HTTPS and a name, or localhost. Set FAIRLEAD_PUBLIC_URL to it (docs/guides/https.md).',
    );
  }

  const providerCalls = [
    defineRoute({
      method: 'GET',
      path: '/api/sign-in/ways',
      access: 'public',
      summary: 'How one may sign in here, beside a password.',
      answer: signInWays,
      async handle() {
        expectPassword();
        return { body: { providers: shownProviders, passkeys: passkeys.isPossible() } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sign-in/providers/:provider',
      access: 'public',
      summary: 'Begins to sign in with a provider: where to send the browser.',
      params: ofProvider,
      body: beginSignIn,
      answer: begunSignIn,
      async handle(request) {
        refuseInsecure(request);
        await throttles.take(beginLimit, request.address);
        const { url, cookie } = await flow.begin(request.params.provider, request.body);
        return { status: 201, headers: { 'set-cookie': [cookie] }, body: { url } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sign-in/providers/:provider/answers',
      access: 'public',
      summary: 'Takes what the provider sent the browser back with, once: signs in, or links.',
      params: ofProvider,
      body: providerAnswer,
      answer: providerOutcome,
      async handle(request) {
        refuseInsecure(request);
        const { outcome, cookies } = await flow.answer(request, request.params.provider);
        return { status: 201, headers: { 'set-cookie': cookies }, body: outcome };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/account/identities',
      access: 'signed-in',
      summary: 'The accounts elsewhere that sign in as you.',
      answer: identityList,
      async handle(request) {
        const personId = person(request);
        const rows = await postgres.person(personId, (sql) => linked.list(sql, personId));
        const named = rows.map((row) => ({
          ...row,
          provider_name: shownProviders.find(({ id }) => id === row.provider)?.name ?? row.provider,
        }));
        return { body: { identities: named, providers: shownProviders } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/identity-links/:provider',
      access: 'signed-in',
      summary: 'Begins to link an account of a provider with yours: where to send the browser. Needs the password.',
      params: ofProvider,
      body: proofAgain,
      answer: begunSignIn,
      async handle(request) {
        const personId = person(request);
        refuseInsecure(request);
        flow.providerOf(request.params.provider);
        await proveAgain(request, request.body.password);
        const { url, cookie } = await flow.begin(request.params.provider, {}, personId);
        return { status: 201, headers: { 'set-cookie': [cookie] }, body: { url } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/identities/:id/removal',
      access: 'signed-in',
      summary:
        'Unlinks an account, unless it is the last way to sign in, and ends all other sessions. Needs the password.',
      params: ofNumber,
      body: proofAgain,
      async handle(request) {
        const personId = person(request);
        await proveAgain(request, request.body.password);
        await postgres.person(personId, async (sql) => {
          await countWays(sql, personId, providersOn);
          const gone = await linked.unlink(sql, personId, request.params.id);
          if (gone === undefined) throw new RequestError('not_found', 'You have linked no account with this number.');
          refuseLastWay(await countWays(sql, personId, providersOn));
          const ended = await endAllElse({ sessions }, sql, personId, request.principal?.session);
          const name = shownProviders.find(({ id }) => id === gone.provider)?.name ?? gone.provider;
          await tell(house, sql, personId, {
            act: {
              action: 'identity.unlinked',
              ...actOf(request),
              targets: [{ type: 'identity', id: request.params.id, label: `${name} (${gone.label})` }],
              details: { provider: gone.provider, sessions_ended: ended },
            },
            template: identityUnlinked,
            way: `${name} (${gone.label})`,
          });
        });
        return { status: 204 };
      },
    }),
  ];

  const passkeyCalls = [
    defineRoute({
      method: 'POST',
      path: '/api/sign-in/passkeys/options',
      access: 'public',
      summary: 'A challenge for any passkey of this desk.',
      answer: passkeyOptions,
      async handle(request) {
        refuseInsecure(request);
        refusePasskeys();
        await throttles.take(beginLimit, request.address);
        const step = await steps.begin({ kind: 'passkey' });
        const options = await passkeys.requestOptions(step.value);
        return {
          status: 201,
          headers: { 'set-cookie': [step.cookie] },
          body: { options: options as Record<string, unknown> },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sign-in/passkeys',
      access: 'public',
      summary: 'Signs in with a passkey that has answered a challenge.',
      body: passkeyAnswer,
      answer: providerOutcome,
      async handle(request) {
        refuseInsecure(request);
        const personId = await prove(request, undefined);
        const end = await signIns.finish(request, personId, ['passkey'], { isTwoFactors: true });
        return {
          status: 201,
          headers: { 'set-cookie': [...end.cookies, endedStepCookie('passkey')] },
          body: { outcome: end.kind === 'session' ? 'signed-in' : 'second-factor', next: '/' },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/account/passkeys',
      access: 'signed-in',
      summary: 'Your passkeys.',
      answer: passkeyList,
      async handle(request) {
        const personId = person(request);
        return { body: { passkeys: await postgres.person(personId, (sql) => passkeys.list(sql, personId)) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/passkey-options',
      access: 'signed-in',
      summary: 'A challenge for making a passkey. Needs the password.',
      body: proofAgain,
      answer: passkeyOptions,
      async handle(request) {
        const personId = person(request);
        refuseInsecure(request);
        refusePasskeys();
        await proveAgain(request, request.body.password);
        const step = await steps.begin({ kind: 'new-passkey', personId });
        const options = await postgres.person(personId, async (sql) => {
          return passkeys.creationOptions(await personIn(house, sql, personId), step.value, sql);
        });
        return {
          status: 201,
          headers: { 'set-cookie': [step.cookie] },
          body: { options: options as Record<string, unknown> },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/passkeys',
      access: 'signed-in',
      summary: 'Keeps a passkey that was just made, and ends all other sessions.',
      body: newPasskey,
      answer: passkey,
      async handle(request) {
        const personId = person(request);
        const challenge = challengeOf(request.body.credential.response.clientDataJSON);
        if (challenge === undefined) throw badPasskey();
        const step = await steps.take({ kind: 'new-passkey', value: challenge, cookies: request.headers.cookie });
        if (isRefused(step)) throw refuse(step.refused);
        if (step.personId !== personId) throw refuse('step_elsewhere');
        const made = await postgres.person(personId, async (sql) => {
          const added = await passkeys.add(sql, personId, request.body, challenge, new Date(clock.now()));
          if (isRefused(added)) return added;
          const ended = await endAllElse({ sessions }, sql, personId, request.principal?.session);
          await tell(house, sql, personId, {
            act: {
              action: 'passkey.added',
              ...actOf(request),
              targets: [{ type: 'passkey', id: added.id, label: added.name }],
              details: { synced: added.synced, sessions_ended: ended },
            },
            template: passkeyAdded,
            way: added.name,
          });
          return added;
        });
        if (isRefused(made)) throw badPasskey();
        return { status: 201, headers: { 'set-cookie': [endedStepCookie('new-passkey')] }, body: made };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/account/passkeys/:id',
      access: 'signed-in',
      summary: 'Gives a passkey another name.',
      params: ofNumber,
      body: passkeyChange,
      answer: passkey,
      async handle(request) {
        const personId = person(request);
        const renamed = await postgres.person(personId, (sql) =>
          passkeys.rename(sql, personId, request.params.id, request.body.name),
        );
        if (renamed === undefined) throw noPasskey();
        return { body: renamed };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/account/passkeys/:id/removal',
      access: 'signed-in',
      summary:
        'Removes a passkey, unless it is the last way to sign in, and ends all other sessions. Needs the password.',
      params: ofNumber,
      body: proofAgain,
      async handle(request) {
        const personId = person(request);
        await proveAgain(request, request.body.password);
        await postgres.person(personId, async (sql) => {
          await countWays(sql, personId, providersOn);
          const name = await passkeys.remove(sql, personId, request.params.id);
          if (name === undefined) throw noPasskey();
          refuseLastWay(await countWays(sql, personId, providersOn));
          await refuseLastFactor(sql, personId);
          const ended = await endAllElse({ sessions }, sql, personId, request.principal?.session);
          await tell(house, sql, personId, {
            act: {
              action: 'passkey.removed',
              ...actOf(request),
              targets: [{ type: 'passkey', id: request.params.id, label: name }],
              details: { sessions_ended: ended },
            },
            template: passkeyRemoved,
            way: name,
          });
        });
        return { status: 204 };
      },
    }),
  ];

  const secondStepCalls = [
    defineRoute({
      method: 'POST',
      path: '/api/sessions/second-factor/passkey-options',
      access: 'public',
      summary: 'A challenge for the passkeys of whoever waits for the second step.',
      answer: passkeyOptions,
      async handle(request) {
        refuseInsecure(request);
        const { personId } = await signIns.waiting(request);
        const step = await steps.begin({ kind: 'passkey', personId });
        const options = await postgres.person(personId, (sql) =>
          passkeys.requestOptions(step.value, { sql, personId }),
        );
        return {
          status: 201,
          headers: { 'set-cookie': [step.cookie] },
          body: { options: options as Record<string, unknown> },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sessions/second-factor/passkey',
      access: 'public',
      summary: 'The second step of signing in, with a passkey.',
      body: passkeyAnswer,
      async handle(request) {
        refuseInsecure(request);
        const waiting = await signIns.waiting(request);
        await prove(request, waiting.personId);
        const end = await signIns.finishSecondStep(request, waiting, 'passkey');
        return { status: 201, headers: { 'set-cookie': [...end.cookies, endedStepCookie('passkey')] }, body: {} };
      },
    }),
  ];

  /**
   * Whose passkey answered? A copy of one is refused, and its person is told.
   * @param wanted whose it has to be; undefined for anybody's
   */
  async function prove(
    request: RouteRequest<unknown, unknown, z.infer<typeof passkeyAnswer>>,
    wanted: number | undefined,
  ): Promise<number> {
    const { credential } = request.body;
    const challenge = challengeOf(credential.response.clientDataJSON);
    if (challenge === undefined) throw refuse('passkey_invalid');
    const step = await steps.take({ kind: 'passkey', value: challenge, cookies: request.headers.cookie });
    if (isRefused(step)) throw refuse(step.refused);
    if (step.personId !== wanted) throw refuse('step_elsewhere');
    const proved = await passkeys.prove(credential, challenge, new Date(clock.now()));
    if (isRefused(proved)) throw refuse(proved.refused);
    // Somebody else's passkey is no second factor of this person.
    if (wanted !== undefined && proved.personId !== wanted) throw refuse('passkey_invalid');
    if (proved.kind === 'proved') return proved.personId;
    await postgres.person(proved.personId, (sql) =>
      tell(house, sql, proved.personId, {
        act: {
          action: 'passkey.refused',
          ...actOf(request),
          outcome: 'refused',
          reason: 'counter_went_back',
          targets: [{ type: 'passkey', id: proved.id, label: proved.name }],
        },
        template: passkeyCopied,
        way: proved.name,
      }),
    );
    throw refuse('passkey_copied');
  }

  return [...providerCalls, ...passkeyCalls, ...secondStepCalls];
}

/**
 * The challenge that the browser signed, to find its step by; whether it was signed is asked later. None for an answer that
 * was given in a frame on another site's page: nothing of a desk is shown in one where a passkey could be asked for.
 */
function challengeOf(clientDataJSON: string): string | undefined {
  try {
    const data = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8')) as {
      challenge?: unknown;
      crossOrigin?: unknown;
    };
    if (data.crossOrigin === true) return undefined;
    return typeof data.challenge === 'string' && data.challenge.length <= 100 ? data.challenge : undefined;
  } catch {
    return undefined;
  }
}

function badPasskey(): RequestError {
  return new RequestError(
    'invalid_field',
    'This is no passkey made for this desk in this browser just now. Make it again.',
    { field: 'credential' },
  );
}

function noPasskey(): RequestError {
  return new RequestError('not_found', 'You have no passkey with this number.');
}
