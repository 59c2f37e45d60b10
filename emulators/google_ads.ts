import {
  type EmulatedAnswer,
  type EmulatedRequest,
  type EmulatorParts,
  objectOf,
  openEmulator,
  type Platform,
} from './admin.ts';
import type { Counted } from './counted.ts';
import { type AdsAccount, isBelow } from './google_ads_accounts.ts';
import { runQuery } from './google_ads_query.ts';
import { AdsRefusal, type AdsStatus, failureOf, httpStatuses, refusal } from './google_ads_refusal.ts';
import { AdsUploads, type Upload } from './google_ads_uploads.ts';
import { bearerOf } from './oauth.ts';

/**
 * Google Ads, after `reference/conversion-relay.md`: uploads of click conversions, call conversions and adjustments
 * (`google_ads_uploads.ts`), `customers:listAccessibleCustomers`, and `googleAds:search` and `:searchStream` for the fixed
 * queries of account discovery (`google_ads_query.ts`). Versions from v22 are there; v17 to v21 are gone
 * (`UNSUPPORTED_VERSION`), and any other address is a page with 404.
 *
 * An account that is not one's own is reached through its manager alone, who is named in `login-customer-id`, in digits. A
 * developer token is neither needed nor looked at. Nobody is on the list of those who may upload, as it has been since
 * 2026-06-15, until `isAllowlisted` says so.
 *
 * Names of lists of errors are those of the protos of v25. Recalled: that an error of a stream stands in an array as its rows do. Ours: each request is
 * one operation of the day's, and a day is one of California.
 *
 * `POST /__admin/platform` takes `tokens` (by token its scopes), `isAllowlisted`, `level` (`explorer`, `basic`, `standard`),
 * `spentToday`, and what `google_ads_uploads.ts` takes. `GET /__admin` tells the counts and the `conversions`.
 */
export function openGoogleAdsEmulator(settings: GoogleAdsSettings & EmulatorParts) {
  return openEmulator(new GoogleAds(settings), settings);
}

export interface GoogleAdsSettings {
  /** By token its scopes. */
  tokens: Record<string, string[]>;
  accounts: AdsAccount[];
  /** Accounts to which whoever has a token has access of his own. */
  accessible: string[];
  /** Scopes of a token that somebody else gave; undefined where it is not good. */
  issued?: (token: string) => readonly string[] | undefined;
  isAllowlisted?: boolean;
}

const scope = 'https://www.googleapis.com/auth/adwords';
const versions = ['v22', 'v23', 'v24', 'v25', 'v26'];
const goneVersions = ['v17', 'v18', 'v19', 'v20', 'v21'];
const perDay = { explorer: 2_880, basic: 15_000, standard: Number.POSITIVE_INFINITY };
const pageRows = 10_000;
const uploads: Record<string, Upload> = {
  uploadClickConversions: 'conversions',
  uploadCallConversions: 'callConversions',
  uploadConversionAdjustments: 'conversionAdjustments',
};

class GoogleAds implements Platform {
  readonly #settings: GoogleAdsSettings;
  readonly #uploads = new AdsUploads();
  #tokens = new Map<string, string[]>();
  #isAllowlisted = false;
  #level: keyof typeof perDay = 'basic';
  #spent = { day: '', count: 0 };
  #counts = { requests: 0, refused: 0 };

  constructor(settings: GoogleAdsSettings) {
    this.#settings = settings;
    this.reset();
  }

  reset(): void {
    this.#tokens = new Map(Object.entries(this.#settings.tokens));
    this.#isAllowlisted = this.#settings.isAllowlisted ?? false;
    this.#level = 'basic';
    this.#spent = { day: '', count: 0 };
    this.#counts = { requests: 0, refused: 0 };
    this.#uploads.reset();
  }

  set(change: Record<string, unknown>): void {
    const { tokens, isAllowlisted, level, spentToday } = change;
    for (const [token, scopes] of Object.entries(objectOf(tokens))) this.#tokens.set(token, scopes as string[]);
    if (typeof isAllowlisted === 'boolean') this.#isAllowlisted = isAllowlisted;
    if (level === 'explorer' || level === 'basic' || level === 'standard') this.#level = level;
    if (typeof spentToday === 'number') this.#spent.count = spentToday;
    this.#uploads.set(change);
  }

  state(): object {
    return { ...this.#counts, isAllowlisted: this.#isAllowlisted, conversions: this.#uploads.conversions() };
  }

  counted(): readonly Counted[] {
    return this.#uploads.counted();
  }

  quota(): EmulatedAnswer {
    const details = { quotaErrorDetails: { rateScope: 'ACCOUNT', rateName: 'Requests', retryDelay: '30s' } };
    const error = {
      family: 'quotaError',
      code: 'RESOURCE_TEMPORARILY_EXHAUSTED',
      message: 'Too many requests.',
      details,
    };
    return this.#answerOf(new AdsRefusal('RESOURCE_EXHAUSTED', [error]), 'v25', false);
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#counts.requests++;
    const { path } = request;
    const [, version = '', rest = ''] = /^\/(v\d+)\/(.+)$/.exec(path) ?? [];
    const isGone = goneVersions.includes(version);
    if (!versions.includes(version) && !isGone) return notFound(path);
    try {
      if (isGone)
        throw refusal('INVALID_ARGUMENT', 'requestError', 'UNSUPPORTED_VERSION', `Version ${version} is gone.`);
      const body = this.#route(request, { version, rest, now });
      return body === undefined ? notFound(path) : { status: 200, headers: this.#requestHeader(), body };
    } catch (error) {
      if (!(error instanceof AdsRefusal)) throw error;
      this.#counts.refused++;
      return this.#answerOf(error, version, rest.endsWith(':searchStream'));
    }
  }

  #requestId(): string {
    return `ads-${String(this.#counts.requests).padStart(10, '0')}`;
  }

  #requestHeader(): Record<string, string> {
    return { 'request-id': this.#requestId() };
  }

  #answerOf({ status, errors, message, details }: AdsRefusal, version: string, isStream: boolean): EmulatedAnswer {
    const failure = failureOf(errors, version, this.#requestId());
    const body = { error: { code: httpStatuses[status], message, status, details: details ?? [failure] } };
    return { status: httpStatuses[status], headers: this.#requestHeader(), body: isStream ? [body] : body };
  }

  #route(
    request: EmulatedRequest,
    { version, rest, now }: { version: string; rest: string; now: number },
  ): object | undefined {
    const { method, headers, body } = request;
    const isList = rest === 'customers:listAccessibleCustomers' && method === 'GET';
    const [, customer = '', verb = ''] = /^customers\/([^/:]+)(?::|\/googleAds:)(\w+)$/.exec(rest) ?? [];
    const upload = Object.hasOwn(uploads, verb) && !rest.includes('/googleAds:') ? uploads[verb] : undefined;
    const isSearch = rest.includes('/googleAds:') && (verb === 'search' || verb === 'searchStream');
    if (!isList && (method !== 'POST' || (upload === undefined && !isSearch))) return undefined;
    this.#checkToken(request);
    this.#spend(now);
    if (isList) return { resourceNames: this.#settings.accessible.map((id) => `customers/${id}`) };
    const account = this.#reach(customer, headers['login-customer-id']);
    const said = objectOf(body);
    if (upload !== undefined) {
      if (!this.#isAllowlisted)
        throw refusal('PERMISSION_DENIED', 'notAllowlistedError', 'CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE');
      return this.#uploads.take(upload, account, said, { now, version, requestId: this.#requestId() });
    }
    return this.#search(verb, said, account);
  }

  #checkToken(request: EmulatedRequest): void {
    const token = bearerOf(request);
    if (token === undefined) throw refused('UNAUTHENTICATED', 'AUTHENTICATION_ERROR');
    const scopes = this.#tokens.get(token) ?? this.#settings.issued?.(token) ?? [];
    if (scopes.length === 0) throw refused('UNAUTHENTICATED', 'OAUTH_TOKEN_INVALID');
    if (scopes.includes(scope)) return;
    const info = {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      ...{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', domain: 'googleapis.com' },
      metadata: { service: 'googleads.googleapis.com' },
    };
    throw new AdsRefusal('PERMISSION_DENIED', [], 'Request had insufficient authentication scopes.', [info]);
  }

  #spend(now: number): void {
    const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Los_Angeles' }).format(now);
    if (this.#spent.day !== day) this.#spent = { day, count: 0 };
    if (this.#spent.count >= perDay[this.#level])
      throw refusal('RESOURCE_EXHAUSTED', 'quotaError', 'RESOURCE_EXHAUSTED');
    this.#spent.count++;
  }

  /** The account that is acted on, where whoever asks may. */
  #reach(customer: string, login: string | string[] | undefined): AdsAccount {
    const { accounts, accessible } = this.#settings;
    if (login !== undefined && !/^\d+$/.test(String(login)))
      throw refusal('INVALID_ARGUMENT', 'headerError', 'INVALID_LOGIN_CUSTOMER_ID', 'Digits alone, without dashes.');
    if (!/^\d+$/.test(customer)) throw refusal('INVALID_ARGUMENT', 'requestError', 'INVALID_CUSTOMER_ID');
    const account = accounts.find(({ id }) => id === customer);
    const way = String(login ?? customer);
    const isOpen = accessible.includes(way) && (way === customer || isBelow(customer, way, accounts));
    if (account === undefined && isOpen) throw refused('UNAUTHENTICATED', 'CUSTOMER_NOT_FOUND');
    if (account === undefined || !isOpen)
      throw refusal(
        ...(['PERMISSION_DENIED', 'authorizationError', 'USER_PERMISSION_DENIED'] as const),
        "User doesn't have permission to access customer. Note: If you're accessing a client customer, the manager's customer id must be set in the 'login-customer-id' header.",
      );
    if ((account.status ?? 'ENABLED') !== 'ENABLED')
      throw refusal('PERMISSION_DENIED', 'authorizationError', 'CUSTOMER_NOT_ENABLED');
    return account;
  }

  /** A stream is an array of pieces; a page has a place to go on from. */
  #search(verb: string, { query, pageToken, pageSize }: Record<string, unknown>, account: AdsAccount): object {
    const { results, fieldMask } = runQuery(query, account, this.#settings.accounts);
    const requestId = this.#requestId();
    if (verb === 'searchStream') {
      const pieces = Math.max(1, Math.ceil(results.length / pageRows));
      return Array.from({ length: pieces }, (_, at) => {
        const rows = results.slice(at * pageRows, (at + 1) * pageRows);
        return { ...(rows.length > 0 && { results: rows }), fieldMask, requestId };
      });
    }
    if (pageSize !== undefined) throw refusal('INVALID_ARGUMENT', 'requestError', 'PAGE_SIZE_NOT_SUPPORTED');
    const from = Number(pageToken ?? 0);
    if (!Number.isInteger(from)) throw refusal('INVALID_ARGUMENT', 'requestError', 'INVALID_PAGE_TOKEN');
    const rows = results.slice(from, from + pageRows);
    const isMore = from + pageRows < results.length;
    return {
      ...(rows.length > 0 && { results: rows }),
      ...(isMore && { nextPageToken: String(from + pageRows) }),
      ...{ fieldMask, totalResultsCount: String(results.length) },
    };
  }
}

function refused(status: AdsStatus, code: string): AdsRefusal {
  return refusal(status, 'authenticationError', code, 'Request is missing required authentication credential.');
}

function notFound(path: string): EmulatedAnswer {
  return {
    status: 404,
    headers: { 'content-type': 'text/html; charset=UTF-8' },
    body: `<!DOCTYPE html><html lang="en"><title>Error 404 (Not Found)!!1</title><p><b>404.</b> The requested URL <code>${path.replace(/[<>&]/g, '')}</code> was not found on this server.</html>`,
  };
}
