import {
  type Emulated,
  type EmulatedAnswer,
  type EmulatedRequest,
  type EmulatorParts,
  objectOf,
  openEmulator,
  type Platform,
} from './admin.ts';
import type { Counted } from './counted.ts';
import { answerOfOAuth, bearerOf, fieldsOf, OAuth, type OAuthApp, OAuthRefusal, tokensFor } from './oauth.ts';
import { isHash, rawIn, Tally } from './tally.ts';

/**
 * LinkedIn's Conversions API, after `reference/conversion-relay.md`: `POST /rest/conversionEvents` with `LinkedIn-Version`, one
 * event or, under `X-RestLi-Method: BATCH_CREATE`, `elements`; the scope `rw_conversions`; `conversionHappenedAt` in
 * milliseconds within 90 days. Of a batch each element has a status of its own, and those that are right are taken. An
 * `eventId` is one for its conversion rule.
 *
 * Not in the reference: 5,000 elements of a batch (Salesforce's guide), service codes of tokens (other senders' code), and
 * from LinkedIn's pages the OAuth: access tokens live 60 days, refresh tokens 365, which a refresh does not lengthen;
 * `/oauth/v2/authorization`, `/accessToken`, `/introspectToken` and `/revoke`; accounts (`/rest/adAccounts`, with `r_ads`) and
 * their conversion rules (`/rest/conversions`); that a version is gone after about a year. Recalled: the other service codes.
 *
 * `POST /__admin/platform` takes what `tally.ts` and `oauth.ts` take, `accessDays` (how long tokens live that are given from
 * now) and `isPartner` (false: an app that LinkedIn gives no refresh tokens, as it does only to its partners).
 */
export function openLinkedInEmulator(settings: LinkedInSettings & EmulatorParts): Promise<Emulated> {
  return openEmulator(new LinkedIn(settings), settings);
}

export interface LinkedInSettings {
  /** With every scope, and without an end. */
  tokens: string[];
  apps: OAuthApp[];
  accounts: LinkedInAccount[];
}

interface LinkedInAccount {
  id: string;
  name: string;
  currency: string;
  /** Conversion rules. */
  rules: { id: string; name: string }[];
}

const elementsMax = 5_000;
const dayMs = 86_400_000;
const ageMsMax = 90 * dayMs;
const accessMs = 60 * dayMs;
const refreshMs = 365 * dayMs;
const scopes = ['openid', 'profile', 'email', 'rw_conversions', 'r_ads', 'r_ads_reporting', 'w_member_social'];
const idTypes = ['SHA256_EMAIL', 'LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID', 'ACXIOM_ID', 'ORACLE_MOAT_ID'];

class LinkedInRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly serviceErrorCode: number;
  constructor(status: number, code: string, serviceErrorCode: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.serviceErrorCode = serviceErrorCode;
  }
}

class LinkedIn implements Platform {
  readonly #settings: LinkedInSettings;
  readonly #tally: Tally;
  readonly #oauth: OAuth;

  constructor(settings: LinkedInSettings) {
    this.#settings = settings;
    this.#tally = new Tally(settings.tokens);
    this.#oauth = new OAuth(settings.apps, {
      ...{ name: 'LinkedIn', scopes, codeMs: 1_800_000, accessMs, refreshMs },
      ...{ rotates: false, prefix: 'AQ' },
    });
  }

  reset(): void {
    this.#tally.reset();
    this.#oauth.reset();
    this.set({ accessDays: accessMs / dayMs, isPartner: true });
  }

  set(change: Record<string, unknown>): void {
    const { accessDays, isPartner } = change;
    if (typeof accessDays === 'number') this.#oauth.rules.accessMs = accessDays * dayMs;
    if (isPartner === true) this.#oauth.rules.refreshMs = refreshMs;
    if (isPartner === false) delete this.#oauth.rules.refreshMs;
    this.#tally.set(change);
    this.#oauth.set(change);
  }

  state(): object {
    return { ...this.#tally.state(), login: this.#oauth.state() };
  }

  counted(): readonly Counted[] {
    return this.#tally.counted();
  }

  quota(): EmulatedAnswer {
    return answerOf(new LinkedInRefusal(429, 'TOO_MANY_REQUESTS', 101, 'Resource level throttle limit reached.'));
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#tally.asked();
    try {
      return this.#route(request, now);
    } catch (error) {
      if (error instanceof OAuthRefusal) return answerOfOAuth(error);
      if (!(error instanceof LinkedInRefusal)) throw error;
      this.#tally.refused();
      return answerOf(error);
    }
  }

  #route(request: EmulatedRequest, now: number): EmulatedAnswer {
    const { method, path } = request;
    if (path === '/oauth/v2/authorization') return this.#oauth.authorise(request, now);
    if (method === 'GET' && path === '/rest/adAccounts') return this.#accounts(request, now);
    if (method === 'GET' && path === '/rest/conversions') return this.#rules(request, now);
    if (method !== 'POST') throw new LinkedInRefusal(404, 'NOT_FOUND', 0, 'No such path.');
    if (path === '/oauth/v2/accessToken') {
      const issued = tokensFor(this.#oauth, request, now);
      const body = {
        ...{
          access_token: issued.accessToken,
          expires_in: issued.expiresInSeconds,
          scope: issued.grant.scopes.join(','),
        },
        ...{ refresh_token: issued.refreshToken, refresh_token_expires_in: issued.refreshExpiresInSeconds },
      };
      return { status: 200, headers: { 'cache-control': 'no-store' }, body };
    }
    if (path === '/oauth/v2/revoke' || path === '/oauth/v2/introspectToken') {
      const { client_id, client_secret, token } = fieldsOf(request);
      this.#oauth.checkApp(client_id, client_secret);
      return {
        status: 200,
        body: path.endsWith('revoke') ? this.#revoke(token) : this.#introspect(String(token), now),
      };
    }
    if (path === '/rest/conversionEvents') return this.#take(request, now);
    throw new LinkedInRefusal(404, 'NOT_FOUND', 0, 'No such path.');
  }

  #revoke(token: unknown): object {
    const grant = this.#oauth.grantOf(String(token));
    if (grant !== undefined) grant.isRevoked = true;
    return {};
  }

  #introspect(token: string, now: number): object {
    const known = this.#oauth.know(token, now);
    if (known === undefined) return { active: false };
    const { state, grant, at, expiresAt } = known;
    return {
      ...{ active: state === 'living', status: state === 'living' ? 'active' : state, client_id: grant.app },
      ...{
        scope: grant.scopes.join(','),
        created_at: Math.floor(at / 1_000),
        authorized_at: Math.floor(grant.at / 1_000),
      },
      ...{ expires_at: Math.floor(expiresAt / 1_000), auth_type: '3L' },
    };
  }

  #accounts(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#check(request, now, ['r_ads', 'rw_ads']);
    if (request.query.get('q') !== 'search') throw new LinkedInRefusal(400, 'PARAM_MISSING', 0, 'q is missing.');
    const from = Number(request.query.get('pageToken') ?? 0);
    const until = from + Number(request.query.get('pageSize') ?? 100);
    const { accounts } = this.#settings;
    const elements = accounts
      .slice(from, until)
      .map(({ id, name, currency }) => ({ id: Number(id), name, currency, status: 'ACTIVE', type: 'BUSINESS' }));
    const metadata = until < accounts.length ? { nextPageToken: String(until) } : {};
    return { status: 200, body: { elements, metadata } };
  }

  #rules(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#check(request, now, ['r_ads', 'rw_ads', 'rw_conversions']);
    const { query } = request;
    const owner = this.#settings.accounts.find(({ id }) => query.get('account') === `urn:li:sponsoredAccount:${id}`);
    if (query.get('q') !== 'account' || owner === undefined)
      throw new LinkedInRefusal(403, 'ACCESS_DENIED', 100, 'Not an account of this member.');
    const from = Number(query.get('start') ?? 0);
    const elements = owner.rules
      .slice(from, from + Number(query.get('count') ?? 10))
      .map(({ id, name }) => ({ id: Number(id), name, enabled: true, conversionMethod: 'CONVERSIONS_API' }));
    return { status: 200, body: { elements } };
  }

  /** @param enough of which scopes one is due */
  #check(request: EmulatedRequest, now: number, enough: string[]): void {
    const token = bearerOf(request) ?? '';
    const given = this.#oauth.know(token, now);
    const endless = { state: 'living', grant: { scopes } } as const;
    const known = this.#tally.isToken(token) ? endless : given;
    if (known === undefined) throw new LinkedInRefusal(401, 'INVALID_ACCESS_TOKEN', 65_600, 'Invalid access token');
    if (known.state === 'revoked')
      throw new LinkedInRefusal(401, 'REVOKED_ACCESS_TOKEN', 65_601, 'The token used in the request has been revoked');
    if (known.state === 'expired')
      throw new LinkedInRefusal(401, 'EXPIRED_ACCESS_TOKEN', 65_602, 'The token used in the request has expired');
    if (!enough.some((scope) => known.grant.scopes.includes(scope)))
      throw new LinkedInRefusal(403, 'ACCESS_DENIED', 100, `Not enough permissions to access: ${request.path}`);
    const version = String(request.headers['linkedin-version'] ?? '');
    if (version === '') throw new LinkedInRefusal(400, 'VERSION_MISSING', 0, 'A version must be present.');
    if (!isLiving(version, now)) throw new LinkedInRefusal(426, 'NONEXISTENT_VERSION', 0, `${version} is not active`);
  }

  #take(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#check(request, now, ['rw_conversions']);
    const { headers, body } = request;
    const said = objectOf(body);
    if (headers['x-restli-method'] !== 'BATCH_CREATE') {
      const fault = this.#faultOf(said, now);
      if (fault !== undefined) throw new LinkedInRefusal(400, 'INVALID_ARGUMENT', 0, fault);
      this.#keep(said, now);
      return { status: 201, body: '' };
    }
    const { elements } = said;
    if (!Array.isArray(elements) || elements.length === 0)
      throw new LinkedInRefusal(400, 'PARAM_MISSING', 0, 'elements is missing.');
    if (elements.length > elementsMax)
      throw new LinkedInRefusal(400, 'INVALID_ARGUMENT', 0, `More than ${elementsMax} elements.`);
    const answers = elements.map(objectOf).map((element) => {
      const message = this.#faultOf(element, now);
      if (message !== undefined) return { status: 400, error: { status: 400, code: 'INVALID_ARGUMENT', message } };
      this.#keep(element, now);
      return { status: 201 };
    });
    return { status: 200, body: { elements: answers } };
  }

  #keep({ conversion, eventId }: Record<string, unknown>, now: number): void {
    this.#tally.take(String(conversion).split(':').at(-1) ?? '', null, eventId, now);
  }

  #faultOf(element: Record<string, unknown>, now: number): string | undefined {
    const { conversion, conversionHappenedAt: at, conversionValue, eventId, user } = element;
    const scripted = this.#tally.rejectOf(eventId);
    if (scripted !== undefined) return scripted;
    const [, rule] = /^urn:lla:llaPartnerConversion:(\d+)$/.exec(String(conversion)) ?? [];
    const isKnown = this.#settings.accounts.some(({ rules }) => rules.some(({ id }) => id === rule));
    if (rule === undefined || !isKnown) return 'conversion: no such rule';
    if (typeof at !== 'number' || !Number.isInteger(at)) return 'conversionHappenedAt: no whole number';
    // Seconds are a time long ago.
    if (now - at > ageMsMax) return 'conversionHappenedAt: older than 90 days';
    if (at > now + 60_000) return 'conversionHappenedAt: in the future';
    if (eventId !== undefined && typeof eventId !== 'string') return 'eventId: no text';
    return faultOfValue(conversionValue) ?? faultOfUser(objectOf(user)) ?? faultOfClear(element);
  }
}

/** `YYYYMM`, of the last twelve months. */
function isLiving(version: string, now: number): boolean {
  const [, year, month] = /^(\d{4})(0[1-9]|1[0-2])$/.exec(version) ?? [];
  if (year === undefined) return false;
  const today = new Date(now);
  const months = today.getUTCFullYear() * 12 + today.getUTCMonth() - (Number(year) * 12 + Number(month) - 1);
  return months >= 0 && months <= 12;
}

function faultOfValue(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const { currencyCode, amount } = objectOf(value);
  if (!/^[A-Z]{3}$/.test(String(currencyCode))) return 'conversionValue.currencyCode: no currency';
  const isText = typeof amount === 'string' && /^\d+(?:\.\d+)?$/.test(amount);
  return isText ? undefined : 'conversionValue.amount: no decimal as text';
}

function faultOfUser({ userIds }: Record<string, unknown>): string | undefined {
  if (!Array.isArray(userIds) || userIds.length === 0) return 'user.userIds: nobody';
  for (const { idType, idValue } of userIds.map(objectOf)) {
    if (!idTypes.includes(String(idType)) || typeof idValue !== 'string') return 'user.userIds: no identifier';
    if (idType === 'SHA256_EMAIL' && !isHash(idValue)) return 'user.userIds: not hashed';
  }
  return undefined;
}

function faultOfClear(element: Record<string, unknown>): string | undefined {
  const clear = rawIn(element);
  return clear === undefined ? undefined : `${clear}: a mail address in clear`;
}

function answerOf({ status, code, serviceErrorCode, message }: LinkedInRefusal): EmulatedAnswer {
  return { status, body: { status, code, serviceErrorCode, message } };
}
