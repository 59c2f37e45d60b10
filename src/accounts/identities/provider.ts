import type { ProviderId } from '../../../contract/identities.ts';
import type { Answer, Failure, OutboundRequest } from '../../platform/outbound/index.ts';

/**
 * What a provider is to this desk. It describes requests and reads answers; the flow gives it the way to send them,
 * which is `outbound` with its limits and refusals.
 */
export interface Provider {
  readonly id: ProviderId;
  /** What people call it: "Sign in with <name>". */
  readonly name: string;
  /** Asked for at the provider, and nothing else (AUT-03). */
  readonly scopes: readonly string[];
  /** Whose numbers of people these are: a person is known by issuer and subject together. */
  readonly issuer: string;
  /** Where to send the browser. */
  authorise(ask: AuthorisationAsk, send: Send): Promise<{ url: string } | Refused>;
  /** Who came back? Tokens live inside this call and nowhere else. */
  identify(answer: AuthorisationAnswer, send: Send): Promise<{ profile: Profile } | Refused>;
}

export type Send = (request: Omit<OutboundRequest, 'purpose'>, purpose: string) => Promise<Answer | Failure>;

export interface AuthorisationAsk {
  redirectUri: string;
  state: string;
  nonce: string;
  /** PKCE, S256 of the verifier (RFC 7636). */
  challenge: string;
}

export interface AuthorisationAnswer {
  code: string;
  /** The issuer that the browser brought back (RFC 9207), if any. */
  issuer: string | undefined;
  redirectUri: string;
  verifier: string;
  nonce: string;
  nowMs: number;
}

/** Name, address and picture are all that is asked for; the picture is not taken. */
export interface Profile {
  subject: string;
  /** One that the provider has verified. */
  email: string;
  name: string;
}

/** Why nobody was signed in. A closed list: each has a sentence in refusals.ts. */
export const refusals = [
  'step_unknown', // no such state: forged, or forgotten long ago
  'step_used', // its answer came before
  'step_expired',
  'step_elsewhere', // another browser began it
  'wrong_provider', // begun with one provider, answered by another
  'wrong_issuer', // the answer, the discovery document or the token names another issuer
  'cancelled', // the person said no at the provider
  'provider_refused', // the provider did not take the code, or the client
  'provider_away', // no answer in time
  'provider_broken', // an answer that is none
  'token_invalid', // signature, algorithm, key or form
  'token_expired',
  'wrong_audience',
  'wrong_nonce',
  'email_unverified',
  'not_linked', // somebody has this address, and has not linked this account
  'nobody', // nobody is linked with this account, and new people may not come by themselves
  'other_address', // the invitation that is followed is for another one
  'linked_elsewhere',
  'passkey_unknown',
  'passkey_invalid',
  'passkey_copied',
] as const;
export type Refusal = (typeof refusals)[number];
export interface Refused {
  refused: Refusal;
}

export function isRefused<T extends object>(result: T | Refused): result is Refused {
  return 'refused' in result;
}

/** The body of a 2xx answer as an object; else why there is none. */
export function readObject(answer: Answer | Failure): Record<string, unknown> | Refused {
  if ('failed' in answer) return { refused: 'provider_away' };
  if (answer.status >= 500 || answer.status === 429) return { refused: 'provider_away' };
  if (answer.status >= 300) return { refused: 'provider_refused' };
  try {
    const body: unknown = JSON.parse(answer.body.toString('utf8'));
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {}
  return { refused: 'provider_broken' };
}

/** Adds what every authorisation request carries, and nothing beyond (RFC 6749 §4.1.1, RFC 7636 §4.3). */
export function authorisationUrl(
  endpoint: string,
  ask: Omit<AuthorisationAsk, 'nonce'> & { clientId: string; scopes: readonly string[]; nonce?: string },
): string {
  const url = new URL(endpoint);
  const parameters = {
    response_type: 'code',
    client_id: ask.clientId,
    redirect_uri: ask.redirectUri,
    scope: ask.scopes.join(' '),
    state: ask.state,
    ...(ask.nonce === undefined ? {} : { nonce: ask.nonce }),
    code_challenge: ask.challenge,
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
