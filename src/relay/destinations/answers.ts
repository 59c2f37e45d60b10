import { codeText, object, retryAfterMs, versionRefused, withPause } from './answer_parts.ts';
import type { Answer, Asked, Verdict } from './destination.ts';

/**
 * What an answer means whoever gave it: none, too many, a server that failed, a page where JSON was due, a token or an
 * account that is refused.
 * @returns undefined where only the platform's own words tell: 2xx, and what else it says about what was sent
 */
export function readPlain(answer: Answer, asked?: Asked): Verdict | undefined {
  const { status, body } = answer;
  if (status === 0) return { class: 'retry', reason: 'no_answer' };
  if (status === 429) return paused(answer, 'rate_limited', 'http_429', asked);
  if (status >= 500 || status === 408 || status === 425) return paused(answer, 'retry', `http_${status}`, asked);
  // A proxy or a firewall on the way answers with a page, whatever its status says.
  if (typeof body === 'string' && body.trimStart().startsWith('<')) return { class: 'retry', reason: 'html' };
  if (status === 401) return { class: 'auth', reason: 'http_401' };
  if (status === 403) return { class: 'config', reason: 'http_403' };
  // An address that is not there: of an account, or of a version.
  if (status === 404) return versionRefused('http_404', asked);
  return undefined;
}

/** What is left: an answer that no document knows is tried again, never taken for the end. */
export function unknownAnswer({ status }: Answer): Verdict {
  return { class: 'retry', reason: `http_${status}` };
}

export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status <= 299;
}

/**
 * What was sent is wrong, by the statuses that everybody uses for it. Without a word beside it that is the end of a row, found
 * by halving the batch. Where a platform says why by a code, one that no document and no name tells is unknown: tried again.
 */
export function isRefusal({ status }: Answer): boolean {
  return status === 400 || status === 413 || status === 422;
}

/** A platform that counts what it took, and counted something else than was sent: all of it goes again, under the same ids. */
export function isMiscounted(counted: unknown, asked?: Asked): boolean {
  return typeof counted === 'number' && asked?.sent !== undefined && counted !== asked.sent;
}

/** A verdict with the pause of `Retry-After`, where the answer names one. */
export function paused(answer: Answer, verdict: 'retry' | 'rate_limited', reason: string, asked?: Asked): Verdict {
  return withPause(verdict, reason, retryAfterMs(answer, asked?.now));
}

/** An object's own member, so that nothing of a prototype is read: answers are a stranger's. */
export function memberOf(value: unknown, name: string): unknown {
  const given = object(value);
  return given !== undefined && Object.hasOwn(given, name) ? given[name] : undefined;
}

export function codeOf(value: unknown): string | undefined {
  const code = codeText(value, '');
  return code === '' ? undefined : code;
}
