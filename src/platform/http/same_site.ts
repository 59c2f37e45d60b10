import type { IncomingMessage } from 'node:http';
import { type Principal, RequestError, type Route } from './route.ts';

/**
 * A request that changes something must come from our own pages. Browsers say where it comes from in Sec-Fetch-Site and
 * Origin; SameSite=Lax cookies are the other half of this guard. Keys travel in a header that no foreign page can set,
 * so they are not asked.
 * @throws RequestError cross_site
 */
export function refuseCrossSite(
  publicUrl: string,
  request: Pick<IncomingMessage, 'method' | 'headers'>,
  principal: Principal | undefined,
): void {
  if (isSafe(request) || principal?.kind === 'key') return;
  const site = request.headers['sec-fetch-site'];
  const { origin, host } = request.headers;
  // With `Referrer-Policy: no-referrer` our own forms and reports say "null"; only Sec-Fetch-Site tells them apart.
  const isOwnUnnamed = origin === 'null' && site === 'same-origin';
  const foreign =
    site === 'cross-site' ||
    site === 'same-site' ||
    (origin !== undefined && !isOwnUnnamed && !sameOrigin(origin, publicUrl, host));
  if (foreign)
    throw new RequestError(
      'cross_site',
      'This call was made from a page of another site and was refused. Open the desk itself.',
    );
}

/**
 * The third half: a page of another site can make a browser send a form or plain text, and JSON only after asking first,
 * which is refused. So a call that changes something says that it is JSON, or has no body and says nothing.
 * @throws RequestError unsupported_media_type
 */
export function refuseOtherContent(
  request: Pick<IncomingMessage, 'method' | 'headers'>,
  route: Pick<Route, 'body' | 'rawBodyBytesMax'>,
  principal: Principal | undefined,
): void {
  // Raw bodies say what they are to their own handlers; keys are not sent by browsers on their own.
  if (isSafe(request) || principal?.kind === 'key' || route.rawBodyBytesMax !== undefined) return;
  const type = request.headers['content-type'];
  if (type === undefined ? route.body === undefined : /^application\/json\s*(;|$)/i.test(type)) return;
  throw new RequestError(
    'unsupported_media_type',
    'This call takes JSON only. Send the body with "Content-Type: application/json".',
  );
}

function isSafe({ method }: Pick<IncomingMessage, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD';
}

function sameOrigin(origin: string, publicUrl: string, host: string | undefined): boolean {
  if (origin === new URL(publicUrl).origin) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
