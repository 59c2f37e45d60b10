import { codeText, isPage, object, retryAfterMs, seriesOf, versionRefused, withPause } from './answer_parts.ts';
import type { Answer, Asked, Verdict } from './destination.ts';

/** `google.rpc.Status`, as far as a verdict needs it. */
export interface GoogleError {
  /** Such as `INVALID_ARGUMENT`. */
  readonly status: string;
  /** Of `ErrorInfo`, such as `SERVICE_DISABLED`; empty where there is none. */
  readonly reason: string;
  readonly details: readonly Record<string, unknown>[];
}

/** Codes of OAuth's own answers: somebody has to connect the account anew. */
const oauthErrors = new Set([
  'invalid_grant',
  'invalid_client',
  'unauthorized_client',
  'invalid_token',
  'access_denied',
]);
const authReasons: ReadonlySet<string> = new Set([
  ...(['ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'ACCESS_TOKEN_EXPIRED', 'ACCESS_TOKEN_TYPE_UNSUPPORTED'] as const),
  ...(['CREDENTIALS_MISSING', 'SESSION_COOKIE_INVALID', 'USER_ACCESS_REVOKED'] as const),
]);

/** What an answer of Google's means before its error is looked into: none, a page, OAuth's words, no error at all. */
export function readOutside(answer: Answer, asked: Asked): Verdict | undefined {
  const { status, body } = answer;
  if (status === 0) return { class: 'retry', reason: 'no_answer' };
  const pauseMs = retryAfterMs(answer, asked.now);
  const error = object(body)?.error;
  // Of a version that never was Google has a page alone, which names the address; a page of something on the way does not.
  if (status === 404 && isPage(body) && String(body).includes(`/${asked.version}/`))
    return versionRefused('http_404', asked);
  if (isPage(body)) return withPause(status === 429 ? 'rate_limited' : 'retry', 'html', pauseMs);
  if (typeof error === 'string') {
    if (oauthErrors.has(error)) return { class: 'auth', reason: error };
    return withPause(status === 429 ? 'rate_limited' : 'retry', codeText(error, `http_${status}`), pauseMs);
  }
  if (object(error) !== undefined || (status >= 200 && status <= 299)) return undefined;
  if (status === 429) return withPause('rate_limited', 'http_429', pauseMs);
  return status === 401 ? { class: 'auth', reason: 'http_401' } : withPause('retry', `http_${status}`, pauseMs);
}

/** @returns undefined for what has no error */
export function googleError(body: unknown): GoogleError | undefined {
  const error = object(object(body)?.error);
  if (error === undefined) return undefined;
  const details = seriesOf(error.details)
    .map(object)
    .filter((each) => each !== undefined);
  const reason = details.map((each) => codeText(each.reason, '')).find((each) => each !== '') ?? '';
  return { status: codeText(error.status, ''), reason, details };
}

/**
 * What the status of an error means, where nothing in it says more; undefined for `INVALID_ARGUMENT`, which each interface
 * reads in its own words. Unknown ones are tried again.
 */
export function readStatus(answer: Answer, error: GoogleError, now: number | undefined): Verdict | undefined {
  const { status } = error;
  const reason = error.reason || status || `http_${answer.status}`;
  const pauseMs = retryAfterMs(answer, now) ?? retryDelayMs(error.details);
  if (answer.status === 429 || status === 'RESOURCE_EXHAUSTED' || error.reason === 'RATE_LIMIT_EXCEEDED')
    return withPause('rate_limited', reason, pauseMs);
  if (answer.status >= 500) return withPause('retry', reason, pauseMs);
  if (answer.status === 401 || status === 'UNAUTHENTICATED' || authReasons.has(error.reason))
    return { class: 'auth', reason };
  if (status === 'PERMISSION_DENIED' || status === 'NOT_FOUND') return { class: 'config', reason };
  return status === 'INVALID_ARGUMENT' ? undefined : withPause('retry', reason, pauseMs);
}

/** `RetryInfo.retryDelay`, and the one of Google Ads' quota errors: `"13s"`. */
export function retryDelayMs(details: readonly Record<string, unknown>[]): number | undefined {
  for (const each of details) {
    const ms = secondsMs(each.retryDelay);
    if (ms !== undefined) return ms;
  }
  return undefined;
}

export function secondsMs(duration: unknown): number | undefined {
  const seconds = typeof duration === 'string' ? /^(\d{1,9}(?:\.\d+)?)s$/.exec(duration)?.[1] : undefined;
  return seconds === undefined ? undefined : Math.min(Math.ceil(Number(seconds) * 1000), 86_400_000);
}
