import { createHash } from 'node:crypto';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { ProviderId } from '../../../contract/identities.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ProviderClient } from '../../platform/sign_in_config.ts';
import {
  type AuthorisationAnswer,
  authorisationUrl,
  isRefused,
  type Profile,
  type Provider,
  type Refused,
  readObject,
  type Send,
} from './provider.ts';

/** What one OpenID provider differs in from the next. */
export interface OpenIdDescription {
  id: ProviderId;
  name: string;
  scopes: readonly string[];
  /** Of the discovery document, compared character by character. */
  issuer: string;
  /** Further values of `iss` that its tokens may carry. */
  issuersOfTokens?: readonly string[];
  client: ProviderClient;
}

/** Clocks of two machines differ; more than this is not a difference of clocks. */
const skewSeconds = 60;
/** A token is made when its code is exchanged, or at the earliest when the person came to the provider. */
const tokenAgeSecondsMax = 600 + skewSeconds;
const keptMs = 3_600_000;
/** An unknown key makes the key set be read again, at most so often: otherwise a forger decides how often. */
const keysAgainMs = 60_000;
const algorithms = ['RS256', 'ES256'];

interface Metadata {
  authorization_endpoint: string;
  token_endpoint: string;
  jwks_uri: string;
  userinfo_endpoint: string | undefined;
  usesBasic: boolean;
  namesIssuer: boolean;
}

/**
 * A provider that speaks OpenID Connect: discovery (exact issuer), code with PKCE, and an ID token that is verified
 * with the provider's keys (OpenID Connect Core §3.1.3.7).
 */
export function openOpenId(description: OpenIdDescription, clock: Clock): Provider {
  const { client, issuer, scopes } = description;
  let kept: { metadata: Metadata; until: number } | undefined;
  let keys: { set: JSONWebKeySet; readAt: number } | undefined;

  async function discover(send: Send): Promise<Metadata | Refused> {
    if (kept !== undefined && kept.until > clock.monotonic()) return kept.metadata;
    const document = readObject(
      await send(
        { method: 'GET', url: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration` },
        'sign_in.discovery',
      ),
    );
    if (isRefused(document)) return document;
    const metadata = readMetadata(document, issuer);
    if (!isRefused(metadata)) kept = { metadata, until: clock.monotonic() + keptMs };
    return metadata;
  }

  async function keySet(url: string, send: Send, again: boolean): Promise<JSONWebKeySet | Refused> {
    const age = keys === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() - keys.readAt;
    if (keys !== undefined && age < (again ? keysAgainMs : keptMs)) return keys.set;
    const document = readObject(await send({ method: 'GET', url }, 'sign_in.keys'));
    if (isRefused(document)) return document;
    if (!Array.isArray(document.keys)) return { refused: 'provider_broken' };
    keys = { set: document as unknown as JSONWebKeySet, readAt: clock.monotonic() };
    return keys.set;
  }

  async function verify(
    token: string,
    metadata: Metadata,
    answer: AuthorisationAnswer,
    send: Send,
  ): Promise<JWTPayload | Refused> {
    for (const again of [false, true]) {
      const set = await keySet(metadata.jwks_uri, send, again);
      if (isRefused(set)) return set;
      try {
        const { payload } = await jwtVerify(token, createLocalJWKSet(set), {
          algorithms,
          issuer: [issuer, ...(description.issuersOfTokens ?? [])],
          audience: client.clientId,
          clockTolerance: skewSeconds,
          currentDate: new Date(answer.nowMs),
          requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
        });
        return checkClaims(payload, answer);
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey && !again) continue;
        return { refused: refusalOf(error) };
      }
    }
    return { refused: 'token_invalid' };
  }

  /** What jose leaves to its caller. */
  function checkClaims(payload: JWTPayload, answer: AuthorisationAnswer): JWTPayload | Refused {
    const issuedAgo = answer.nowMs / 1000 - Number(payload.iat);
    if (issuedAgo > tokenAgeSecondsMax || issuedAgo < -skewSeconds) return { refused: 'token_expired' };
    if (payload.nonce !== answer.nonce) return { refused: 'wrong_nonce' };
    const isForSeveral = Array.isArray(payload.aud) && payload.aud.length > 1;
    if ((isForSeveral || payload.azp !== undefined) && payload.azp !== client.clientId)
      return { refused: 'wrong_audience' };
    if (typeof payload.sub !== 'string' || payload.sub === '' || payload.sub.length > 255)
      return { refused: 'token_invalid' };
    return payload;
  }

  return {
    id: description.id,
    name: description.name,
    scopes,
    issuer,
    async authorise(ask, send) {
      const metadata = await discover(send);
      if (isRefused(metadata)) return metadata;
      return { url: authorisationUrl(metadata.authorization_endpoint, { ...ask, clientId: client.clientId, scopes }) };
    },
    async identify(answer, send) {
      const metadata = await discover(send);
      if (isRefused(metadata)) return metadata;
      // A provider that says it names itself, and does not, was not the one that answered (RFC 9207 §2.4).
      if (answer.issuer === undefined ? metadata.namesIssuer : answer.issuer !== issuer)
        return { refused: 'wrong_issuer' };
      const tokens = readObject(await send(tokenRequest(metadata, client, answer), 'sign_in.token'));
      if (isRefused(tokens)) return tokens;
      if (typeof tokens.id_token !== 'string') return { refused: 'provider_broken' };
      const claims = await verify(tokens.id_token, metadata, answer, send);
      if (isRefused(claims)) return claims;
      const accessToken = typeof tokens.access_token === 'string' ? tokens.access_token : undefined;
      if (claims.at_hash !== undefined && (accessToken === undefined || claims.at_hash !== halfHash(accessToken)))
        return { refused: 'token_invalid' };
      const profile = readProfile(claims);
      if (profile !== undefined) return { profile };
      const more = await askForMore(metadata, accessToken, send);
      if (isRefused(more)) return more;
      // The answer about somebody else must not be taken for this person's (Core §5.3.2).
      if (more.sub !== claims.sub) return { refused: 'token_invalid' };
      const second = readProfile({ ...claims, ...more, sub: claims.sub as string });
      return second === undefined ? { refused: 'email_unverified' } : { profile: second };
    },
  };

  /** Some providers name the address at their userinfo endpoint only. */
  async function askForMore(
    metadata: Metadata,
    accessToken: string | undefined,
    send: Send,
  ): Promise<Record<string, unknown> | Refused> {
    if (metadata.userinfo_endpoint === undefined || accessToken === undefined) return { refused: 'email_unverified' };
    return readObject(
      await send(
        { method: 'GET', url: metadata.userinfo_endpoint, headers: { authorization: `Bearer ${accessToken}` } },
        'sign_in.profile',
      ),
    );
  }
}

/** @returns what of a discovery document is used; an issuer that differs in one character is another one (ASVS 10.5.3). */
function readMetadata(document: Record<string, unknown>, issuer: string): Metadata | Refused {
  if (document.issuer !== issuer) return { refused: 'wrong_issuer' };
  const address = (name: string) => {
    const value = document[name];
    if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
    // A provider on https must not send its code and our secret over http.
    const { protocol } = new URL(value);
    return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:')) ? value : undefined;
  };
  const [authorization_endpoint, token_endpoint, jwks_uri] = [
    address('authorization_endpoint'),
    address('token_endpoint'),
    address('jwks_uri'),
  ];
  if (authorization_endpoint === undefined || token_endpoint === undefined || jwks_uri === undefined)
    return { refused: 'provider_broken' };
  const methods = document.token_endpoint_auth_methods_supported;
  return {
    authorization_endpoint,
    token_endpoint,
    jwks_uri,
    userinfo_endpoint: address('userinfo_endpoint'),
    // Basic is the default of the specification where none is named (Discovery §3).
    usesBasic: !Array.isArray(methods) || methods.includes('client_secret_basic'),
    namesIssuer: document.authorization_response_iss_parameter_supported === true,
  };
}

function tokenRequest(metadata: Metadata, client: ProviderClient, answer: AuthorisationAnswer) {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: answer.code,
    redirect_uri: answer.redirectUri,
    code_verifier: answer.verifier,
    ...(metadata.usesBasic ? {} : { client_id: client.clientId, client_secret: client.clientSecret }),
  });
  const form = (text: string) => new URLSearchParams({ x: text }).toString().slice(2);
  const credentials = `${form(client.clientId)}:${form(client.clientSecret)}`;
  return {
    method: 'POST' as const,
    url: metadata.token_endpoint,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...(metadata.usesBasic ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } : {}),
    },
    body: body.toString(),
  };
}

/** Undefined when there is no address, or none that the provider has verified. */
function readProfile(claims: Record<string, unknown> & { sub?: string }): Profile | undefined {
  const { sub, email, email_verified: verified, name } = claims;
  // Some providers write the boolean as text at their userinfo endpoint.
  if (typeof sub !== 'string' || !isAddress(email) || (verified !== true && verified !== 'true')) return undefined;
  return { subject: sub, email, name: typeof name === 'string' ? name.trim().slice(0, 120) : '' };
}

/** Enough to be shown and compared; the provider says that mail arrives there. */
export function isAddress(value: unknown): value is string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an address has none.
  return typeof value === 'string' && value.length <= 254 && /^[^\s@\u0000-\u001f]+@[^\s@\u0000-\u001f]+$/.test(value);
}

/** Left half of SHA-256, the hash of both algorithms that are taken (Core §3.1.3.6). */
function halfHash(token: string): string {
  return createHash('sha256').update(token, 'ascii').digest().subarray(0, 16).toString('base64url');
}

function refusalOf(error: unknown): Refused['refused'] {
  if (error instanceof errors.JWTExpired) return 'token_expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'wrong_audience';
    if (error.claim === 'iss') return 'wrong_issuer';
    if (error.claim === 'nonce') return 'wrong_nonce';
    if (error.claim === 'nbf' || error.claim === 'iat') return 'token_expired';
  }
  return 'token_invalid';
}
