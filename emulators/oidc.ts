import {
  createHash,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
} from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An OpenID provider, written from OpenID Connect Core and Discovery 1.0, RFC 6749, RFC 7636 (PKCE is demanded, S256
 * alone) and RFC 9207. It checks client, redirect address, scopes and verifier as strictly as the texts do; a code is
 * good for 60 s and once, and one that comes a second time takes its tokens with it. Whoever comes to the sign-in page is
 * taken for the configured user.
 *
 * `POST /__admin` takes any part of `OpenIdMischief`; `GET /__admin` gives what it has seen.
 */
export interface OpenIdEmulator {
  /** The base address, and the issuer. */
  url: string;
  seen: OpenIdSeen;
  /** The same as POST /__admin. */
  set(mischief: Partial<OpenIdMischief>): void;
  /** Behaves again. */
  reset(): void;
  close(): Promise<void>;
}

export interface OpenIdSettings {
  clientId: string;
  clientSecret: string;
  redirectUris: string[];
  user: OpenIdUser;
  /** Paths of the provider that is played. */
  paths?: { authorise: string; token: string; keys: string; userinfo: string };
  /** What may be asked for; the token carries the claims of what was. */
  scopes?: readonly string[];
  /** Claims that the provider adds of its own. */
  ownClaims?: (user: OpenIdUser, clientId: string) => Record<string, unknown>;
  clientAuthentication?: ('client_secret_basic' | 'client_secret_post')[];
  port?: number;
}
export interface OpenIdUser {
  sub: string;
  email: string;
  email_verified: boolean;
  name: string;
  picture?: string;
}

export interface OpenIdSeen {
  /** Parameters of each request that a browser brought, of each token request, and the paths of all. */
  authorisations: Record<string, string>[];
  tokens: Record<string, string>[];
  requests: string[];
}

export interface OpenIdMischief {
  user: Partial<OpenIdUser>;
  /** Leaves address and name to the userinfo endpoint. */
  bareToken: boolean;
  /** Claims over those of an honest token; null takes one away. */
  claims: Record<string, unknown>;
  /** Signs with a key that is not in its set, with none, or with the secret of the client. */
  signature: 'right' | 'other-key' | 'none' | 'hs256';
  algorithm: 'RS256' | 'ES256';
  /** Draws new keys now, as providers do every few weeks. */
  rotate: boolean;
  /** Puts a hash of another access token into the token. */
  wrongHash: boolean;
  /** What the browser brings back as `iss`; null leaves it out. */
  issuerParameter: string | null | undefined;
  /** Members of the discovery document. */
  discovery: Record<string, unknown>;
  /** The person says no. */
  denies: boolean;
  slowMs: number;
  /** The next answers on these paths have this status. */
  fail: Record<string, number>;
}

interface Grant {
  redirectUri: string;
  challenge: string;
  nonce: string | undefined;
  scopes: string[];
  issuedAt: number;
  used: boolean;
  accessToken?: string;
}

const codeMs = 60_000;
const tokenSeconds = 3600;
const defaultPaths = { authorise: '/authorize', token: '/token', keys: '/jwks', userinfo: '/userinfo' };

export async function openOpenIdEmulator(settings: OpenIdSettings): Promise<OpenIdEmulator> {
  const paths = settings.paths ?? defaultPaths;
  const known = settings.scopes ?? ['openid', 'email', 'profile'];
  const methods = settings.clientAuthentication ?? ['client_secret_basic', 'client_secret_post'];
  const honest: OpenIdMischief = {
    user: {},
    bareToken: false,
    claims: {},
    signature: 'right',
    algorithm: 'RS256',
    rotate: false,
    wrongHash: false,
    issuerParameter: undefined,
    discovery: {},
    denies: false,
    slowMs: 0,
    fail: {},
  };
  let mischief: OpenIdMischief = { ...honest };
  const seen: OpenIdSeen = { authorisations: [], tokens: [], requests: [] };
  const grants = new Map<string, Grant>();
  const livingTokens = new Map<string, string[]>();
  let keys = { RS256: newKey('RS256'), ES256: newKey('ES256') };

  function set(change: Partial<OpenIdMischief>): void {
    mischief = { ...mischief, ...change };
    if (change.rotate === true) keys = { RS256: newKey('RS256'), ES256: newKey('ES256') };
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const [status, body] = error instanceof Refusal ? [error.status, error.body] : [500, { error: 'server_error' }];
      if (!response.headersSent) sendJson(response, status, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(settings.port ?? 0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? '/', url);
    const { pathname } = asked;
    if (pathname === '/__admin') {
      if (request.method === 'POST') set(JSON.parse(await readText(request)) as Partial<OpenIdMischief>);
      return sendJson(response, 200, seen);
    }
    seen.requests.push(`${request.method} ${pathname}`);
    if (mischief.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, mischief.slowMs));
    const status = mischief.fail[pathname];
    if (status !== undefined) return sendJson(response, status, { error: 'server_error' });
    if (pathname === '/.well-known/openid-configuration') return sendJson(response, 200, discovery());
    if (pathname === paths.keys)
      return sendJson(response, 200, { keys: [publicJwk(keys.RS256), publicJwk(keys.ES256)] });
    if (pathname === paths.authorise && request.method === 'GET') return authorise(asked.searchParams, response);
    if (pathname === paths.token && request.method === 'POST') return exchange(request, response);
    if (pathname === paths.userinfo) return userinfo(request, response);
    sendJson(response, 404, { error: 'not_found' });
  }

  function discovery(): object {
    return {
      issuer: url,
      authorization_endpoint: url + paths.authorise,
      token_endpoint: url + paths.token,
      userinfo_endpoint: url + paths.userinfo,
      jwks_uri: url + paths.keys,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      scopes_supported: known,
      token_endpoint_auth_methods_supported: methods,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      ...mischief.discovery,
    };
  }

  /** What is wrong with the client or its address is said to the person and never sent on (RFC 6749 §4.1.2.1). */
  function authorise(query: URLSearchParams, response: ServerResponse): void {
    const given = Object.fromEntries(query);
    seen.authorisations.push(given);
    if (given.client_id !== settings.clientId) throw new Refusal(400, { error: 'unauthorized_client' });
    if (!settings.redirectUris.includes(given.redirect_uri ?? ''))
      throw new Refusal(400, { error: 'redirect_uri_mismatch' });
    const back = new URL(given.redirect_uri as string);
    if (given.state !== undefined) back.searchParams.set('state', given.state);
    if (mischief.issuerParameter !== null) back.searchParams.set('iss', mischief.issuerParameter ?? url);
    const scopes = (given.scope ?? '').split(' ').filter((one) => one !== '');
    const fault =
      given.response_type !== 'code'
        ? 'unsupported_response_type'
        : !scopes.includes('openid') || scopes.some((one) => !known.includes(one))
          ? 'invalid_scope'
          : given.code_challenge_method !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(given.code_challenge ?? '')
            ? 'invalid_request'
            : mischief.denies
              ? 'access_denied'
              : undefined;
    if (fault === undefined) {
      const code = randomBytes(24).toString('base64url');
      grants.set(code, {
        redirectUri: given.redirect_uri as string,
        challenge: given.code_challenge as string,
        nonce: given.nonce,
        scopes,
        issuedAt: Date.now(),
        used: false,
      });
      back.searchParams.set('code', code);
    } else back.searchParams.set('error', fault);
    response.writeHead(302, { location: back.href, 'cache-control': 'no-store' }).end();
  }

  async function exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!/^application\/x-www-form-urlencoded\b/.test(request.headers['content-type'] ?? ''))
      throw new Refusal(400, { error: 'invalid_request' });
    const form = Object.fromEntries(new URLSearchParams(await readText(request)));
    seen.tokens.push(form);
    checkClient(request, form);
    if (form.grant_type !== 'authorization_code') throw new Refusal(400, { error: 'unsupported_grant_type' });
    const grant = grants.get(form.code ?? '');
    if (grant === undefined) throw new Refusal(400, { error: 'invalid_grant' });
    if (grant.used) {
      // A code that comes twice was stolen: what it gave is taken back (RFC 6749 §4.1.2).
      if (grant.accessToken !== undefined) livingTokens.delete(grant.accessToken);
      throw new Refusal(400, { error: 'invalid_grant' });
    }
    grant.used = true;
    const challenge = createHash('sha256')
      .update(form.code_verifier ?? '')
      .digest('base64url');
    if (
      Date.now() - grant.issuedAt > codeMs ||
      grant.redirectUri !== form.redirect_uri ||
      !/^[A-Za-z0-9._~-]{43,128}$/.test(form.code_verifier ?? '') ||
      challenge !== grant.challenge
    )
      throw new Refusal(400, { error: 'invalid_grant' });
    const accessToken = randomBytes(24).toString('base64url');
    grant.accessToken = accessToken;
    livingTokens.set(accessToken, grant.scopes);
    sendJson(response, 200, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: tokenSeconds,
      scope: grant.scopes.join(' '),
      id_token: idToken(grant, accessToken),
    });
  }

  function checkClient(request: IncomingMessage, form: Record<string, string>): void {
    const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const method = basic === undefined ? 'client_secret_post' : 'client_secret_basic';
    // Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
    const [id = '', secret = ''] =
      basic === undefined
        ? [form.client_id, form.client_secret]
        : Buffer.from(basic, 'base64')
            .toString('utf8')
            .split(':')
            .map((part) => new URLSearchParams(`x=${part}`).get('x') ?? '');
    if (!methods.includes(method) || id !== settings.clientId || !equal(secret, settings.clientSecret))
      throw new Refusal(401, { error: 'invalid_client' });
  }

  function idToken(grant: Grant, accessToken: string): string {
    const user = { ...settings.user, ...mischief.user };
    const now = Math.floor(Date.now() / 1000);
    const profile = mischief.bareToken ? {} : claimsOf(user, grant.scopes);
    const hashed = createHash('sha256')
      .update(mischief.wrongHash ? 'another' : accessToken)
      .digest();
    const claims: Record<string, unknown> = {
      iss: url,
      sub: user.sub,
      aud: settings.clientId,
      iat: now,
      exp: now + tokenSeconds,
      ...(grant.nonce === undefined ? {} : { nonce: grant.nonce }),
      at_hash: hashed.subarray(0, 16).toString('base64url'),
      ...profile,
      ...settings.ownClaims?.(user, settings.clientId),
      ...mischief.claims,
    };
    for (const [name, value] of Object.entries(claims)) if (value === null) delete claims[name];
    return signed(claims);
  }

  function signed(claims: object): string {
    const { signature, algorithm } = mischief;
    const key = signature === 'other-key' ? newKey(algorithm) : keys[algorithm];
    const header =
      signature === 'none'
        ? { alg: 'none', typ: 'JWT' }
        : signature === 'hs256'
          ? { alg: 'HS256', typ: 'JWT' }
          : { alg: algorithm, typ: 'JWT', kid: signature === 'other-key' ? keys[algorithm].id : key.id };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    if (signature === 'none') return `${text}.`;
    if (signature === 'hs256') {
      const mac = createHmac('sha256', settings.clientSecret).update(text).digest('base64url');
      return `${text}.${mac}`;
    }
    return `${text}.${sign('sha256', Buffer.from(text), { key: key.private, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }

  function claimsOf(user: OpenIdUser, scopes: string[]): Record<string, unknown> {
    return {
      ...(scopes.includes('email') ? { email: user.email, email_verified: user.email_verified } : {}),
      ...(scopes.includes('profile') ? { name: user.name, ...(user.picture ? { picture: user.picture } : {}) } : {}),
    };
  }

  function userinfo(request: IncomingMessage, response: ServerResponse): void {
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const scopes = livingTokens.get(token);
    if (scopes === undefined) throw new Refusal(401, { error: 'invalid_token' });
    const user = { ...settings.user, ...mischief.user };
    sendJson(response, 200, { sub: user.sub, ...claimsOf(user, scopes) });
  }

  return {
    url,
    seen,
    set,
    reset: () => {
      mischief = { ...honest };
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

class Refusal extends Error {
  readonly status: number;
  readonly body: object;
  constructor(status: number, body: object) {
    super(JSON.stringify(body));
    this.status = status;
    this.body = body;
  }
}

interface SigningKey {
  id: string;
  algorithm: 'RS256' | 'ES256';
  private: KeyObject;
  public: KeyObject;
}

function newKey(algorithm: 'RS256' | 'ES256'): SigningKey {
  const pair =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { id: randomBytes(8).toString('hex'), algorithm, private: pair.privateKey, public: pair.publicKey };
}

function publicJwk(key: SigningKey): object {
  return { ...key.public.export({ format: 'jwk' }), kid: key.id, alg: key.algorithm, use: 'sig' };
}

export function equal(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}

export async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
