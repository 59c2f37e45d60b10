import { type ProviderAnswer, type ProviderRequest, Trouble } from './provider.ts';

/** A pause that a platform asks for is not believed beyond an hour: somebody waits for the account. */
const pauseMsMax = 3_600_000;
/** A life that a platform names: more than ten years is a mistake, and none. */
const lifeSecondsMax = 10 * 366 * 86_400;

/** A JSON object, else undefined. What is in it is a stranger's. */
export function object(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

export function listOf(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(object).filter((one) => one !== undefined) : [];
}

/** A name of a stranger's, short enough to be shown; empty for anything that is none. */
export function nameIn(value: unknown, most = 120): string {
  return typeof value === 'string' ? value.trim().slice(0, most) : '';
}

/** A number of an account or pixel, which platforms give as text or as a number. */
export function idIn(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : undefined;
}

/** A code of a platform; a text that is more than a code may quote what was sent, and is none. */
export function codeIn(value: unknown, otherwise: string): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && /^[\w.-]{1,60}$/.test(value) ? value : otherwise;
}

export function tokenIn(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]{1,8192}$/.test(value) ? value : undefined;
}

/** Seconds as a platform counts a life, in milliseconds; undefined for none, and for what can be none. */
export function lifeMsIn(seconds: unknown): number | undefined {
  const count = typeof seconds === 'string' && /^\d{1,12}$/.test(seconds) ? Number(seconds) : seconds;
  return typeof count === 'number' && count > 0 && count <= lifeSecondsMax ? Math.floor(count) * 1000 : undefined;
}

/** Scopes are parted by blanks (RFC 6749) or, at some, by commas. An empty text is a grant of nothing; undefined is none at all. */
export function scopesIn(value: unknown): string[] | undefined {
  if (typeof value !== 'string') return undefined;
  return value
    .split(/[\s,]+/)
    .filter((one) => one !== '' && one.length <= 200)
    .slice(0, 100);
}

/**
 * What an answer means whoever gave it: none, too many, a server that failed, a page where JSON was due.
 * @returns its body as an object. Whatever its status says: each platform reads its own refusals
 * @throws Trouble
 */
export function readAnswer(answer: ProviderAnswer): Record<string, unknown> {
  const { status } = answer;
  if (status === 0) throw new Trouble('retry', 'no_answer');
  const pause = { retryAfterMs: retryAfterMs(answer) };
  if (status === 429) throw new Trouble('rate_limited', 'http_429', pause);
  if (status >= 500 || status === 408 || status === 425) throw new Trouble('retry', `http_${status}`, pause);
  const body = object(answer.body);
  // An empty body is what some calls end with; text is the page of a proxy on the way.
  if (body === undefined && answer.body !== '' && answer.body !== undefined && !Array.isArray(answer.body))
    throw new Trouble('retry', status === 200 ? 'html' : `http_${status}`, pause);
  return body ?? {};
}

export function isSuccess({ status }: ProviderAnswer): boolean {
  return status >= 200 && status <= 299;
}

/** RFC 9110, seconds alone: an hour at most. */
export function retryAfterMs({ headers }: ProviderAnswer): number | undefined {
  const said = headers['retry-after'];
  return typeof said === 'string' && /^\d{1,6}$/.test(said.trim())
    ? Math.min(Number(said.trim()) * 1000, pauseMsMax)
    : undefined;
}

/** Words of RFC 6749 §5.2 and §4.1.2.1 that end what was granted: somebody has to authorise again. */
const over = new Set(['invalid_grant', 'interaction_required', 'consent_required', 'invalid_token']);
/** And those that the operator has to look at: the client is another one, or its secret. */
const ofClient = new Set(['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'redirect_uri_mismatch']);

/**
 * The answer of a token endpoint, as RFC 6749 §5 has it.
 * @throws Trouble
 */
export function readTokenAnswer(answer: ProviderAnswer): Record<string, unknown> {
  const body = readAnswer(answer);
  if (isSuccess(answer) && body.error === undefined) return body;
  const error = codeIn(body.error, `http_${answer.status}`);
  if (over.has(error)) throw new Trouble('auth', error, { isOver: true });
  if (ofClient.has(error) || answer.status === 401) throw new Trouble('config', error);
  if (error === 'temporarily_unavailable' || error === 'server_error') throw new Trouble('retry', error);
  throw new Trouble('config', error);
}

/** A form, as token endpoints take it (RFC 6749 §4.1.3); members without a value are left out. */
export function form(url: string, fields: Readonly<Record<string, string | undefined>>): ProviderRequest {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value);
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  };
}

export function json(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): ProviderRequest {
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

export function get(url: string, headers: Readonly<Record<string, string>> = {}): ProviderRequest {
  return { method: 'GET', url, headers: { accept: 'application/json', ...headers } };
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** An address with a query; values that are undefined are left out. */
export function address(base: string, query: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(base);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
