import { createHash, randomBytes } from 'node:crypto';
import { type EmulatedAnswer, type EmulatedRequest, objectOf } from './admin.ts';
import { equal } from './oidc.ts';

/**
 * OAuth 2.0 (RFC 6749, RFC 7636) as the ad platforms have it: a page that asks somebody, codes, tokens and their end, all by
 * the emulator's clock. What differs between platforms is in `OAuthRules`; paths and forms of answers are the platforms'.
 *
 * `POST /__admin/platform` takes, of each of them, `consent` (`"ask"` shows the page, `"allow"` and `"deny"` answer it at
 * once), `grants` (the scopes that are allowed, of those that are asked for; null for all), `user` (who answers) and
 * `expire` (`"access"` or `"all"`: tokens that were given are out of date from now).
 */
export interface OAuthApp {
  id: string;
  secret: string;
  redirectUris: string[];
}

export interface OAuthRules {
  /** As the page calls the platform. */
  name: string;
  /** What may be asked for; undefined where the app's own settings say it and not the request. */
  scopes?: readonly string[];
  codeMs: number;
  accessMs: number;
  /** Life of a refresh token; undefined where there are none. */
  refreshMs?: number;
  /** A refresh gives a new refresh token too; the one before is good until its successor is used. */
  rotates?: boolean;
  /** Whether a request without PKCE is refused. Where one came with it, its verifier is due anyway. */
  isPkceDemanded?: boolean;
  /** Names of parameters, where they are not `client_id` and `code`. */
  idName?: string;
  codeName?: string;
  /** A parameter that stands for all scopes, in place of naming them. */
  bundleName?: string;
  /** Before tokens, as the platform's own begin. */
  prefix?: string;
}

interface Grant {
  app: string;
  user: string;
  scopes: string[];
  /** Parameters with which it was asked for. */
  asked: Record<string, string>;
  at: number;
  refreshes: number;
  isRevoked: boolean;
}

interface Code {
  grant: Grant;
  redirectUri: string;
  challenge: string | undefined;
  at: number;
  isUsed: boolean;
}

interface AccessToken {
  grant: Grant;
  at: number;
  expiresAt: number;
}

interface RefreshToken {
  grant: Grant;
  expiresAt: number;
  replacing: string | undefined;
  isReplaced: boolean;
}

/** What the platform says to a program, as RFC 6749 names it. */
export class OAuthRefusal extends Error {
  readonly error: string;
  readonly status: number;
  constructor(error: string, message: string, status = 400) {
    super(message);
    this.error = error;
    this.status = status;
  }
}

export interface Issued {
  accessToken: string;
  refreshToken: string | undefined;
  grant: Grant;
  expiresInSeconds: number;
  refreshExpiresInSeconds: number | undefined;
}

/** What is known of an access token. */
export type Known = { state: 'living' | 'expired' | 'revoked'; grant: Grant; at: number; expiresAt: number };

type Consent = 'ask' | 'allow' | 'deny';

export class OAuth {
  readonly #apps: readonly OAuthApp[];
  readonly rules: OAuthRules;
  #codes = new Map<string, Code>();
  #access = new Map<string, AccessToken>();
  #refresh = new Map<string, RefreshToken>();
  #grants: Grant[] = [];
  #consent: Consent = 'ask';
  #allowed: string[] | null = null;
  #user = 'user-1';

  constructor(apps: readonly OAuthApp[], rules: OAuthRules) {
    this.#apps = apps;
    this.rules = rules;
  }

  reset(): void {
    this.#codes = new Map();
    this.#access = new Map();
    this.#refresh = new Map();
    this.#grants = [];
    this.#consent = 'ask';
    this.#allowed = null;
    this.#user = 'user-1';
  }

  set({ consent, grants, user, expire }: Record<string, unknown>): void {
    if (consent === 'ask' || consent === 'allow' || consent === 'deny') this.#consent = consent;
    if (grants === null || Array.isArray(grants)) this.#allowed = grants;
    if (typeof user === 'string') this.#user = user;
    if (expire === 'access' || expire === 'all') for (const token of this.#access.values()) token.expiresAt = 0;
    if (expire === 'all') for (const token of this.#refresh.values()) token.expiresAt = 0;
  }

  state(): object {
    return { consent: this.#consent, user: this.#user, grants: this.#grants };
  }

  /** Grants of an app and a user that nobody took back. */
  living(app: string, user: string): Grant[] {
    return this.#grants.filter((each) => each.app === app && each.user === user && !each.isRevoked);
  }

  /**
   * The page, or what it was answered with: a redirect with a code or an error, and the state as it came. What is wrong with
   * app or address is told to the person and never sent on (RFC 6749 §4.1.2.1).
   * @param granted what is granted beside what was asked for
   */
  authorise(
    request: EmulatedRequest,
    now: number,
    granted: (asked: Record<string, string>, user: string) => readonly string[] = () => [],
  ): EmulatedAnswer {
    const { idName = 'client_id' } = this.rules;
    const form = request.method === 'POST' ? new URLSearchParams(request.text) : request.query;
    const asked = Object.fromEntries([...form].filter(([name]) => !ownFields.includes(name)));
    const app = this.#apps.find(({ id }) => id === asked[idName]);
    if (app === undefined) return page(400, 'Error 401: invalid_client', 'No app has this id.');
    if (!app.redirectUris.includes(asked.redirect_uri ?? ''))
      return page(400, 'Error 400: redirect_uri_mismatch', 'The app is not known to be at this address.');
    const back = new URL(asked.redirect_uri as string);
    if (asked.state !== undefined) back.searchParams.set('state', asked.state);
    const { bundleName = '', scopes: known = [] } = this.rules;
    const scopes = asked[bundleName] === undefined ? scopesIn(asked.scope) : [...known];
    const fault = this.#faultOf(asked, scopes);
    if (fault !== undefined) return redirect(back, { error: fault });
    const said = request.method === 'POST' ? form.get('answer') : this.#consent;
    if (said === 'ask') return consentPage(this.rules.name, request.path, asked, scopes, this.#user);
    if (said !== 'allow') return redirect(back, { error: 'access_denied', error_description: 'The person said no.' });
    const isTicked = (scope: string) =>
      request.method === 'POST' ? form.getAll('grant').includes(scope) : (this.#allowed?.includes(scope) ?? true);
    const user = (request.method === 'POST' ? form.get('user') : null) ?? this.#user;
    const grant: Grant = {
      ...{ app: app.id, user, asked, at: now, refreshes: 0, isRevoked: false },
      scopes: [...new Set([...scopes.filter(isTicked), ...granted(asked, user)])],
    };
    const code = newToken('code-');
    this.#codes.set(code, {
      ...{ grant, redirectUri: asked.redirect_uri as string, challenge: asked.code_challenge, at: now, isUsed: false },
    });
    return redirect(back, { [this.rules.codeName ?? 'code']: code });
  }

  #faultOf(asked: Record<string, string>, scopes: readonly string[]): string | undefined {
    const { scopes: known, isPkceDemanded = false, codeName = 'code' } = this.rules;
    if (codeName === 'code' && asked.response_type !== undefined && asked.response_type !== 'code')
      return 'unsupported_response_type';
    if (known !== undefined && (scopes.length === 0 || !scopes.every((scope) => known.includes(scope))))
      return 'invalid_scope';
    const { code_challenge: challenge, code_challenge_method: method } = asked;
    if (challenge === undefined && method === undefined) return isPkceDemanded ? 'invalid_request' : undefined;
    return method === 'S256' && /^[A-Za-z0-9_-]{43}$/.test(challenge ?? '') ? undefined : 'invalid_request';
  }

  /** @throws OAuthRefusal */
  checkApp(id: unknown, secret: unknown): OAuthApp {
    const app = this.#apps.find((each) => each.id === id);
    if (app === undefined) throw new OAuthRefusal('invalid_client', 'The OAuth client was not found.', 401);
    if (!equal(String(secret), app.secret)) throw new OAuthRefusal('invalid_client', 'Unauthorized', 401);
    return app;
  }

  /**
   * A code for tokens, once.
   * @param isAddressDue whether the redirect address has to come again
   * @throws OAuthRefusal
   */
  exchange(
    app: OAuthApp,
    given: { code: unknown; redirectUri: unknown; verifier: unknown },
    now: number,
    {
      isAddressDue = true,
      isRefreshable = () => true,
    }: {
      isAddressDue?: boolean;
      isRefreshable?: (grant: Grant) => boolean;
    } = {},
  ): Issued {
    const code = this.#codes.get(String(given.code));
    if (code === undefined || code.grant.app !== app.id)
      throw new OAuthRefusal('invalid_grant', 'Malformed auth code.');
    if (code.isUsed) {
      // A code that comes twice was stolen: what it gave is taken back (RFC 6749 §4.1.2).
      code.grant.isRevoked = true;
      throw new OAuthRefusal('invalid_grant', 'The code was used before.');
    }
    if (now - code.at > this.rules.codeMs) throw new OAuthRefusal('invalid_grant', 'The code is out of date.');
    if (isAddressDue && given.redirectUri !== code.redirectUri)
      throw new OAuthRefusal('redirect_uri_mismatch', 'Bad Request');
    if (code.challenge !== undefined && !isVerified(given.verifier, code.challenge))
      throw new OAuthRefusal('invalid_grant', 'Invalid code verifier.');
    code.isUsed = true;
    const isRefreshed = this.rules.refreshMs !== undefined && isRefreshable(code.grant);
    this.#grants.push(code.grant);
    return this.#issue(code.grant, now, isRefreshed ? this.#newRefresh(code.grant, now) : undefined);
  }

  /** @throws OAuthRefusal */
  renew(app: OAuthApp, refreshToken: unknown, now: number): Issued {
    const known = this.#refresh.get(String(refreshToken));
    if (known === undefined || known.grant.app !== app.id) throw new OAuthRefusal('invalid_grant', 'Bad Request');
    if (known.isReplaced && !known.grant.isRevoked) {
      // Its successor was used: whoever has this one is not who has that one, so both lose what they have.
      known.grant.isRevoked = true;
    }
    if (known.grant.isRevoked || now >= known.expiresAt)
      throw new OAuthRefusal('invalid_grant', 'Token has been expired or revoked.');
    const before = known.replacing === undefined ? undefined : this.#refresh.get(known.replacing);
    if (before !== undefined) before.isReplaced = true;
    known.grant.refreshes++;
    const next =
      this.rules.rotates === true
        ? this.#newRefresh(known.grant, now, { replacing: String(refreshToken), expiresAt: known.expiresAt })
        : String(refreshToken);
    return this.#issue(known.grant, now, next);
  }

  /** An access token for a grant that was given before, with a life of its own. */
  lengthen(grant: Grant, now: number, lifeMs: number): Issued {
    return this.#issue(grant, now, undefined, lifeMs);
  }

  /** @returns what is known of an access token; undefined where nobody gave it */
  know(token: string, now: number): Known | undefined {
    const known = this.#access.get(token);
    if (known === undefined) return undefined;
    const state = known.grant.isRevoked ? 'revoked' : now >= known.expiresAt ? 'expired' : 'living';
    return { state, grant: known.grant, at: known.at, expiresAt: known.expiresAt };
  }

  /** @returns scopes of a living access token */
  scopesOf(token: string, now: number): readonly string[] | undefined {
    const known = this.know(token, now);
    return known?.state === 'living' ? known.grant.scopes : undefined;
  }

  /** @returns the grant that an access or refresh token is of, unless it was taken back before */
  grantOf(token: string): Grant | undefined {
    const grant = this.#access.get(token)?.grant ?? this.#refresh.get(token)?.grant;
    return grant?.isRevoked === false ? grant : undefined;
  }

  #newRefresh(
    grant: Grant,
    now: number,
    { replacing, expiresAt }: { replacing?: string; expiresAt?: number } = {},
  ): string {
    const token = newToken(`${this.rules.prefix ?? ''}refresh-`);
    const ends = expiresAt ?? now + (this.rules.refreshMs ?? 0);
    this.#refresh.set(token, { grant, expiresAt: ends, replacing, isReplaced: false });
    return token;
  }

  #issue(grant: Grant, now: number, refreshToken: string | undefined, lifeMs = this.rules.accessMs): Issued {
    const accessToken = newToken(this.rules.prefix ?? '');
    this.#access.set(accessToken, { grant, at: now, expiresAt: now + lifeMs });
    const refresh = refreshToken === undefined ? undefined : this.#refresh.get(refreshToken);
    const left = refresh === undefined ? Number.POSITIVE_INFINITY : Math.floor((refresh.expiresAt - now) / 1_000);
    return {
      ...{ accessToken, refreshToken, grant, expiresInSeconds: Math.floor(lifeMs / 1_000) },
      refreshExpiresInSeconds: Number.isFinite(left) ? left : undefined,
    };
  }
}

/** A form, or JSON, as its members by name. */
export function fieldsOf({ headers, body, text }: EmulatedRequest): Record<string, unknown> {
  const isForm = /^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? '');
  return isForm ? Object.fromEntries(new URLSearchParams(text)) : objectOf(body);
}

/**
 * What a request at the address of tokens gets (RFC 6749 §4.1.3 and §6): the app's secret in the form or as Basic.
 * @throws OAuthRefusal
 */
export function tokensFor(
  oauth: OAuth,
  request: EmulatedRequest,
  now: number,
  isRefreshable?: (grant: Issued['grant']) => boolean,
): Issued {
  const form = formOf(request);
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const [id, secret] =
    basic === undefined
      ? [form.client_id, form.client_secret]
      : Buffer.from(basic, 'base64').toString('utf8').split(':').map(decodeURIComponent);
  const app = oauth.checkApp(id, secret);
  if (form.grant_type === 'refresh_token') return oauth.renew(app, form.refresh_token, now);
  if (form.grant_type !== 'authorization_code')
    throw new OAuthRefusal('unsupported_grant_type', `Invalid grant_type: ${form.grant_type}`);
  const given = { code: form.code, redirectUri: form.redirect_uri, verifier: form.code_verifier };
  return oauth.exchange(app, given, now, isRefreshable === undefined ? {} : { isRefreshable });
}

/** Of a form alone: a JSON body at an address of RFC 6749 is none. @throws OAuthRefusal */
function formOf(request: EmulatedRequest): Record<string, unknown> {
  if (!/^application\/x-www-form-urlencoded\b/.test(request.headers['content-type'] ?? ''))
    throw new OAuthRefusal('invalid_request', 'The body is no form.');
  return fieldsOf(request);
}

export function bearerOf({ headers }: Pick<EmulatedRequest, 'headers'>): string | undefined {
  return /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
}

export function answerOfOAuth({ error, message, status }: OAuthRefusal): EmulatedAnswer {
  return { status, headers: { 'cache-control': 'no-store' }, body: { error, error_description: message } };
}

/** Fields of the page itself, beside the parameters that it hands on. */
const ownFields = ['answer', 'grant', 'user'];

function scopesIn(scope = ''): string[] {
  return scope.split(/[\s,]+/).filter((each) => each !== '');
}

function isVerified(verifier: unknown, challenge: string): boolean {
  if (typeof verifier !== 'string' || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false;
  return createHash('sha256').update(verifier).digest('base64url') === challenge;
}

function newToken(prefix: string): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`;
}

function redirect(back: URL, said: Record<string, string>): EmulatedAnswer {
  for (const [name, value] of Object.entries(said)) back.searchParams.set(name, value);
  return { status: 302, headers: { location: back.href, 'cache-control': 'no-store' }, body: '' };
}

/** Each scope can be left out, as people do. */
function consentPage(
  name: string,
  path: string,
  asked: Record<string, string>,
  scopes: readonly string[],
  user: string,
): EmulatedAnswer {
  const hidden = Object.entries(asked).map(
    ([field, value]) => `<input type="hidden" name="${escaped(field)}" value="${escaped(value)}">`,
  );
  const ticks = scopes.map(
    (scope) =>
      `<p><label><input type="checkbox" name="grant" value="${escaped(scope)}" checked> ${escaped(scope)}</label></p>`,
  );
  return page(
    200,
    `${name} (emulator)`,
    `<form method="post" action="${escaped(path)}">${hidden.join('')}
<p>An app wants to act for you.</p>${ticks.join('\n')}
<p><label>Account <input name="user" value="${escaped(user)}"></label></p>
<p><button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Deny</button></p></form>`,
    true,
  );
}

function page(status: number, title: string, content: string, isMarkup = false): EmulatedAnswer {
  const inside = isMarkup ? content : `<p>${escaped(content)}</p>`;
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    body: `<!doctype html><html lang="en"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${inside}</html>`,
  };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}
