import type { EmulatedAnswer, EmulatedRequest } from './admin.ts';
import { MetaRefusal, refuseToken, type TokenState, tokenSubcodes } from './meta_refusal.ts';
import { bearerOf, fieldsOf, type Issued, type Known, OAuth, type OAuthApp, OAuthRefusal } from './oauth.ts';

/**
 * Meta's Facebook Login and what a connection asks for after it, after `reference/conversion-relay.md`: the dialogue, codes
 * for tokens of two hours, those for tokens of about 60 days, `debug_token`, taking back by `DELETE /me/permissions`, ad
 * accounts and pixels. A request with `config_id` asks for all permissions that there are. It is a part of Meta's emulator, whose events it lets in by the tokens that it gave.
 *
 * Recalled: numbers of errors about codes (36007 to 36009), 1 and 101 for a wrong secret or app, 200 with HTTP 403 for a
 * permission that is missing, and which permission each path asks for. A token is taken from the header or a body and
 * never from the address, which is stricter than Meta; `fb_exchange_token` and `input_token` stand in the address, since
 * its documents have them there and nowhere else, and are taken from a form too.
 */
export interface MetaLoginSettings {
  apps: OAuthApp[];
  accounts: MetaAccount[];
}

export interface MetaAccount {
  /** Digits, without `act_`. */
  id: string;
  name: string;
  currency: string;
  timezone: string;
  /** 1 is active, 2 disabled. */
  status: number;
  /** Digits of the business that owns it and its pixels. */
  business: string;
  pixels: { id: string; name: string; isUnavailable?: boolean }[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const longMs = 5_183_944_000;
const dataAccessMs = 90 * dayMs;
const scopes = ['public_profile', 'email', 'ads_read', 'ads_management', 'business_management', 'pages_show_list'];
const pageMax = 25;

export class MetaLogin {
  readonly #settings: MetaLoginSettings;
  readonly #oauth: OAuth;
  #long = new Set<string>();

  constructor(settings: MetaLoginSettings) {
    this.#settings = settings;
    this.#oauth = new OAuth(settings.apps, {
      ...{ name: 'Meta', scopes, bundleName: 'config_id', codeMs: 600_000, accessMs: 2 * hourMs, prefix: 'EAAB' },
    });
  }

  reset(): void {
    this.#oauth.reset();
    this.#long = new Set();
  }

  set(change: Record<string, unknown>): void {
    this.#oauth.set(change);
  }

  state(): object {
    return this.#oauth.state();
  }

  /** @returns undefined for a token that was given elsewhere */
  tokenState(token: string, now: number): TokenState | undefined {
    const state = this.#oauth.know(token, now)?.state;
    return state === undefined
      ? undefined
      : ({ living: 'valid', expired: 'expired', revoked: 'app_removed' } as const)[state];
  }

  /** @throws MetaRefusal where a token of this login has none of the permissions */
  checkScope(token: string, now: number, ...enough: string[]): void {
    const granted = this.#oauth.know(token, now)?.grant.scopes;
    if (granted === undefined || enough.some((scope) => granted.includes(scope))) return;
    throw new MetaRefusal(`(#200) Requires ${enough.join(' or ')} permission.`, 200);
  }

  /** The page of `www.facebook.com`; undefined for anything of the Graph API. */
  dialog(request: EmulatedRequest, path: string, now: number): EmulatedAnswer | undefined {
    return path === 'dialog/oauth' ? this.#oauth.authorise(request, now) : undefined;
  }

  /**
   * @param path without its version
   * @returns undefined where it is nothing of this
   * @throws MetaRefusal
   */
  take(request: EmulatedRequest, path: string, now: number): object | undefined {
    const { method } = request;
    if (path === 'oauth/access_token') return this.#exchange(request, now);
    if (path === 'debug_token' && method === 'GET') return this.#debug(request, now);
    const [, permission] = /^me\/permissions(?:\/(\w+))?$/.exec(path) ?? [];
    if (path.startsWith('me/permissions') && method === 'DELETE') return this.#takeBack(request, permission, now);
    if (method !== 'GET') return undefined;
    if (path === 'me/permissions') {
      const data = this.#known(request, now).grant.scopes.map((each) => ({ permission: each, status: 'granted' }));
      return { data };
    }
    if (path === 'me') return { id: this.#known(request, now).grant.user };
    if (path === 'me/adaccounts') return this.#accounts(request, now);
    if (path === 'me/businesses') return this.#businesses(request, now);
    const [, account] = /^act_(\d+)\/adspixels$/.exec(path) ?? [];
    const [, business] = /^(\d+)\/owned_pixels$/.exec(path) ?? [];
    return account === undefined && business === undefined ? undefined : this.#pixels(request, now, account, business);
  }

  /** @throws MetaRefusal */
  #known(request: EmulatedRequest, now: number): Known {
    const token = bearerOf(request) ?? String(fieldsOf(request).access_token);
    const known = this.#oauth.know(token, now);
    refuseToken(this.tokenState(token, now) ?? 'invalid');
    return known as Known;
  }

  #exchange(request: EmulatedRequest, now: number): object {
    const given = request.method === 'GET' ? Object.fromEntries(request.query) : fieldsOf(request);
    const { client_id, client_secret, grant_type, redirect_uri: redirectUri, code } = given;
    let app: OAuthApp;
    try {
      app = this.#oauth.checkApp(client_id, client_secret);
    } catch {
      const isKnown = this.#settings.apps.some(({ id }) => id === client_id);
      throw isKnown
        ? new MetaRefusal('Error validating client secret.', 1)
        : new MetaRefusal('Error validating application. Cannot get application info due to a system error.', 101);
    }
    if (grant_type === 'fb_exchange_token') return this.#lengthen(app, String(given.fb_exchange_token), now);
    try {
      return token(this.#oauth.exchange(app, { code, redirectUri, verifier: given.code_verifier }, now));
    } catch (error) {
      if (!(error instanceof OAuthRefusal)) throw error;
      const subcode = /before/.test(error.message) ? 36_009 : /date/.test(error.message) ? 36_007 : 36_008;
      throw new MetaRefusal(`Error validating verification code. ${error.message}`, 100, subcode);
    }
  }

  /** A day has to go by before a long token is lengthened; until then it is given back as it is. */
  #lengthen(app: OAuthApp, given: string, now: number): object {
    refuseToken(this.tokenState(given, now) ?? 'invalid');
    const known = this.#oauth.know(given, now) as Known;
    if (known.grant.app !== app.id) refuseToken('invalid');
    if (this.#long.has(given) && now - known.at < dayMs)
      return { access_token: given, token_type: 'bearer', expires_in: Math.floor((known.expiresAt - now) / 1_000) };
    const issued = this.#oauth.lengthen(known.grant, now, longMs);
    this.#long.add(issued.accessToken);
    return token(issued);
  }

  #debug(request: EmulatedRequest, now: number): object {
    const asking = bearerOf(request) ?? '';
    const isApp = this.#settings.apps.some(({ id, secret }) => asking === `${id}|${secret}`);
    if (!isApp) refuseToken(this.tokenState(asking, now) ?? 'invalid');
    const asked = request.query.get('input_token') ?? '';
    const known = this.#oauth.know(asked, now);
    if (known === undefined)
      return { data: { error: { code: 190, message: 'Invalid OAuth access token.' }, is_valid: false, scopes: [] } };
    const state = this.tokenState(asked, now) ?? 'invalid';
    const { grant, at, expiresAt } = known;
    const error = state === 'valid' ? undefined : { code: 190, subcode: tokenSubcodes[state], message: 'Not valid.' };
    return {
      data: {
        ...{ app_id: grant.app, type: 'USER', application: 'Emulated app', user_id: grant.user },
        data_access_expires_at: Math.floor((grant.at + dataAccessMs) / 1_000),
        ...{
          expires_at: Math.floor(expiresAt / 1_000),
          issued_at: Math.floor(at / 1_000),
          is_valid: state === 'valid',
        },
        ...{ scopes: grant.scopes, ...(error !== undefined && { error }) },
      },
    };
  }

  #takeBack(request: EmulatedRequest, permission: string | undefined, now: number): object {
    const { grant } = this.#known(request, now);
    for (const each of this.#oauth.living(grant.app, grant.user)) {
      if (permission === undefined) each.isRevoked = true;
      else each.scopes = each.scopes.filter((scope) => scope !== permission);
    }
    return { success: true };
  }

  #accounts(request: EmulatedRequest, now: number): object {
    this.#allowed(request, now, 'ads_read', 'ads_management');
    const rows = this.#settings.accounts.map(({ id, name, currency, timezone, status, business }) => ({
      ...{ id: `act_${id}`, account_id: id, name, currency, timezone_name: timezone, account_status: status },
      business: { id: business },
    }));
    return paged(request, rows, ['id', 'account_id']);
  }

  #businesses(request: EmulatedRequest, now: number): object {
    this.#allowed(request, now, 'business_management');
    const ids = new Set(this.#settings.accounts.map(({ business }) => business));
    const rows = [...ids].map((id) => ({ id, name: `Business ${id}` }));
    return paged(request, rows, ['id', 'name']);
  }

  #pixels(request: EmulatedRequest, now: number, account: string | undefined, business: string | undefined): object {
    if (account === undefined) this.#allowed(request, now, 'business_management');
    else this.#allowed(request, now, 'ads_read', 'ads_management');
    const owners = this.#settings.accounts.filter((each) =>
      account === undefined ? each.business === business : each.id === account,
    );
    if (owners.length === 0) throw new MetaRefusal('Unsupported get request. Object does not exist.', 100, 33);
    const pixels = new Map(
      owners
        .flatMap((each) => each.pixels)
        .map(({ id, name, isUnavailable = false }) => [id, { id, name, is_unavailable: isUnavailable }]),
    );
    return paged(request, [...pixels.values()], ['id']);
  }

  #allowed(request: EmulatedRequest, now: number, ...enough: string[]): void {
    this.#known(request, now);
    this.checkScope(bearerOf(request) ?? String(fieldsOf(request).access_token), now, ...enough);
  }
}

function token({ accessToken, expiresInSeconds }: Issued): object {
  return { access_token: accessToken, token_type: 'bearer', expires_in: expiresInSeconds };
}

/** Fields that were asked for, of one page. @throws MetaRefusal for a field that is none */
function paged({ path, query }: EmulatedRequest, rows: Record<string, unknown>[], bare: string[]): object {
  const fields = query.get('fields')?.split(',') ?? bare;
  const strange = fields.find((field) => rows[0] !== undefined && !(field in rows[0]));
  if (strange !== undefined) throw new MetaRefusal(`(#100) Tried accessing nonexisting field (${strange})`, 100);
  const from = Number(query.get('after') ?? 0);
  const until = from + Math.min(Number(query.get('limit') ?? pageMax), pageMax);
  const data = rows
    .slice(from, until)
    .map((row) => Object.fromEntries([...new Set([...fields, 'id'])].map((field) => [field, row[field]])));
  if (data.length === 0) return { data };
  const cursors = { before: String(from), after: String(until) };
  const next = new URLSearchParams({ ...Object.fromEntries(query), after: String(until) });
  return {
    data,
    paging: { cursors, ...(until < rows.length && { next: `https://graph.facebook.com${path}?${next}` }) },
  };
}
