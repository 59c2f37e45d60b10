import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { beginSignIn, ProviderId, ProviderOutcome, providerAnswer } from '../../../contract/identities.ts';
import { actOf } from '../../platform/audit.ts';
import { RequestError, type RouteRequest } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { endAllElse } from '../people/parts.ts';
import { findPerson } from '../people/person.ts';
import type { Sessions } from '../sessions.ts';
import type { Linked } from './linked.ts';
import { identityLinked } from './mails.ts';
import { isRefused, type Profile, type Provider, type Refusal, type Refused, type Send } from './provider.ts';
import { refuse } from './refusals.ts';
import { endedStepCookie, type Steps } from './steps.ts';
import { tell } from './ways.ts';

/** What the end of a sign-in needs of a request. */
export type Asker = Pick<RouteRequest<unknown, unknown, unknown>, 'headers' | 'address' | 'requestId'>;

/** How it ends: a session, or a pause until the second factor has come. Decided in one place for every way to sign in. */
export interface SignInEnd {
  finish(
    asker: Asker,
    personId: number,
    methods: readonly string[],
    options?: { isTwoFactors?: boolean },
  ): Promise<SignInEnded>;
  addSecondFactor(kind: { name: string; has(sql: Sql, personId: number): Promise<boolean> }): void;
  /** Who waits for the second step. @throws RequestError sign_in_expired */
  waiting(asker: Pick<Asker, 'headers'>): Promise<{ personId: number; token: string }>;
  finishSecondStep(asker: Asker, waiting: { token: string }, method: string): Promise<SignInEnded>;
}
type SignInEnded = { kind: 'session'; cookies: string[] } | { kind: 'second-step'; cookies: string[] };

/** Who is signed in, and in which session, by the cookies of a call that is open to everybody. */
export type WhoIs = (headers: Asker['headers']) => Promise<{ id: number; session?: string } | undefined>;

/** What becomes of somebody whom nobody here knows: a page that asks for what is left to say, or a refusal. */
export type Admit = (newcomer: {
  profile: Profile;
  provider: ProviderId;
  /** Keyed digest of who it is at the provider. */
  identity: Buffer;
  invitation: string | undefined;
}) => Promise<{ next: string } | Refused>;

/** Slower than this, and the person is told that the provider does not answer. */
const providerMs = 6_000;
const answerBytesMax = 256 * 1024;

export interface Flow {
  providers: readonly Provider[];
  /** @throws RequestError not_found for one that is not set up here */
  providerOf(id: ProviderId): Provider;
  /** @returns where to send the browser, and the cookie that it must bring back */
  begin(
    providerId: ProviderId,
    input: z.infer<typeof beginSignIn>,
    personId?: number,
  ): Promise<{ url: string; cookie: string }>;
  /** @throws RequestError with a sentence for every way in which it does not prove who signs in */
  answer(
    request: Asker & { body: z.infer<typeof providerAnswer> },
    providerId: ProviderId,
  ): Promise<{ outcome: ProviderOutcome; cookies: string[] }>;
}

export function openFlow(
  house: Omit<House, 'authenticate'>,
  parts: {
    providers: readonly Provider[];
    steps: Steps;
    linked: Linked;
    signIns: SignInEnd;
    admit: Admit;
    sessions: Sessions;
    whoIs: WhoIs;
  },
): Flow {
  const { postgres, clock, config, outbound, log } = house;
  const { providers, steps, linked } = parts;
  // The register has a row for each provider, under its id: what is meant for one goes to no other.
  const sendTo =
    (receiver: ProviderId): Send =>
    (request, purpose) =>
      outbound.send({ ...request, purpose, receiver, timeoutMs: providerMs, answerBytesMax, redirectsMax: 0 });
  // A page for each provider: an answer that was meant for one cannot be taken for another's (RFC 9700 §4.4.2.2).
  const redirectUri = (id: ProviderId) => new URL(`/sign-in/${id}`, config.publicUrl).href;

  function providerOf(id: ProviderId): Provider {
    const provider = providers.find((one) => one.id === id);
    if (provider !== undefined) return provider;
    throw new RequestError(
      'not_found',
      'Signing in with this provider is not set up here. Whoever runs this desk can: docs/guides/signing-in-with-others.md.',
    );
  }

  /** A word of a closed list and the provider's: no address, no token. */
  function refused(provider: Provider, reason: Refusal): RequestError {
    log.warn('sign_in_refused', { provider: provider.id, reason });
    return refuse(reason, provider.name);
  }

  async function identify(
    provider: Provider,
    body: z.infer<typeof providerAnswer>,
    derive: (use: 'verifier' | 'nonce') => string,
  ): Promise<Profile> {
    if (body.error !== undefined)
      throw refused(provider, body.error === 'access_denied' ? 'cancelled' : 'provider_refused');
    if (body.code === undefined) throw refused(provider, 'provider_broken');
    const found = await provider.identify(
      {
        code: body.code,
        issuer: body.iss,
        redirectUri: redirectUri(provider.id),
        verifier: derive('verifier'),
        nonce: derive('nonce'),
        nowMs: clock.now(),
      },
      sendTo(provider.id),
    );
    if (isRefused(found)) throw refused(provider, found.refused);
    return found.profile;
  }

  async function link(
    asker: Asker,
    provider: Provider,
    profile: Profile,
    who: { id: number; session: string | undefined },
  ): Promise<void> {
    const personId = who.id;
    const found = await linked.find(provider, profile);
    if (found !== undefined && found.personId !== personId) throw refused(provider, 'linked_elsewhere');
    if (found !== undefined) return;
    await postgres.person(personId, async (sql) => {
      const account = { provider: provider.id, digest: linked.digestOf(provider, profile), label: profile.email };
      const id = await linked.link(sql, personId, account, new Date(clock.now()));
      const ended = await endAllElse(parts, sql, personId, who.session);
      await tell(house, sql, personId, {
        act: {
          action: 'identity.linked',
          ...actOf({ ...asker, principal: undefined }),
          actor: { type: 'person', id: personId },
          targets: [{ type: 'identity', id, label: `${provider.name} (${profile.email})` }],
          details: { provider: provider.id, sessions_ended: ended },
        },
        template: identityLinked,
        way: `${provider.name} (${profile.email})`,
      });
    });
  }

  /** Who signs in, by the link and never by the address alone; or where somebody new goes on. */
  async function personOf(
    provider: Provider,
    profile: Profile,
    invitation: string | undefined,
  ): Promise<{ personId: number } | { next: string }> {
    const found = await linked.find(provider, profile);
    if (found !== undefined) {
      await postgres.person(found.personId, (sql) => linked.used(sql, found, provider, profile, new Date(clock.now())));
      return { personId: found.personId };
    }
    if ((await findPerson(house, profile.email)) !== undefined) throw refused(provider, 'not_linked');
    const identity = linked.digestOf(provider, profile);
    const admitted = await parts.admit({ profile, provider: provider.id, identity, invitation });
    if (isRefused(admitted)) throw refused(provider, admitted.refused);
    return admitted;
  }

  return {
    providers,
    providerOf,
    async begin(providerId, input, personId) {
      const provider = providerOf(providerId);
      const step = await steps.begin({
        kind: personId === undefined ? 'provider' : 'link',
        provider: providerId,
        ...(personId === undefined ? {} : { personId }),
        carried: {
          ...(input.next === undefined ? {} : { next: input.next }),
          ...(input.invitation === undefined ? {} : { invitation: input.invitation }),
        },
      });
      const sent = await provider.authorise(
        {
          redirectUri: redirectUri(providerId),
          state: step.value,
          nonce: step.derive('nonce'),
          challenge: createHash('sha256').update(step.derive('verifier')).digest('base64url'),
        },
        sendTo(provider.id),
      );
      if (isRefused(sent)) throw refused(provider, sent.refused);
      return { url: sent.url, cookie: step.cookie };
    },

    async answer(asker, providerId) {
      const provider = providerOf(providerId);
      const { body, headers } = asker;
      const kind = await steps.kindOf(body.state);
      if (kind !== 'provider' && kind !== 'link') throw refused(provider, 'step_unknown');
      // Asked before the step is used up: an access token that has run out is renewed by the page, which then asks again.
      const signedIn = kind === 'link' ? await parts.whoIs(headers) : undefined;
      const step = await steps.take({ kind, value: body.state, cookies: headers.cookie });
      if (isRefused(step)) throw refused(provider, step.refused);
      if (step.provider !== providerId) throw refused(provider, 'wrong_provider');
      if (kind === 'link' && signedIn?.id !== step.personId) throw refused(provider, 'step_elsewhere');
      const profile = await identify(provider, body, step.derive);
      const ended = endedStepCookie(kind);
      if (step.personId !== undefined) {
        await link(asker, provider, profile, { id: step.personId, session: signedIn?.session });
        return { outcome: { outcome: 'linked', next: step.carried.next ?? '/account/security' }, cookies: [ended] };
      }
      const found = await personOf(provider, profile, step.carried.invitation);
      if ('next' in found) return { outcome: { outcome: 'sign-up', next: found.next }, cookies: [ended] };
      const end = await parts.signIns.finish(asker, found.personId, [providerId]);
      return {
        outcome: {
          outcome: end.kind === 'session' ? 'signed-in' : 'second-factor',
          next: step.carried.next ?? '/',
        },
        cookies: [...end.cookies, ended],
      };
    },
  };
}
