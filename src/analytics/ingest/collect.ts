import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DropReason } from '../../../contract/drops.ts';
import { type ErrorCode, errorStatus } from '../../../contract/errors.ts';
import { ingestLimits } from '../../../contract/limits.ts';
import { clientAddress } from '../../platform/http/address.ts';
import { type Principal, RequestError } from '../../platform/http/route.ts';
import type { FastHandler } from '../../platform/http/server.ts';
import type { Log } from '../../platform/log.ts';
import type { Ingest, Outcome, Taken } from './ingest.ts';

export type CollectParts = {
  readonly ingest: Ingest;
  /** Who is this `Authorization` value? Asked only when there is one. Throws RequestError for keys that do not count. */
  readonly authenticate: (authorization: string) => Promise<Principal | undefined>;
  /** How many proxies stand in front (PSE-10). */
  readonly trustedProxies: number;
  readonly log: Log;
};

/**
 * `POST /api/event`: Plausible's endpoint, one event or a list, from any origin, without cookies.
 *
 *     202 ok                       stored (durably), or dropped: then x-fairlead-dropped says why
 *     202 {stored, duplicates, dropped, refused}   for a list
 *     200 {ip}                     with "X-Debug-Request: true": the address we would use; nothing is stored
 *     400 · 401 · 403 · 413 · 429 · 503   {error: {code, message, field}}
 */
export function collectEvents(parts: CollectParts): FastHandler {
  return (request, response) => {
    if (request.method === 'POST') return receive(parts, request, response);
    if (request.method === 'OPTIONS') return response.writeHead(204, preflightHeaders).end();
    request.resume();
    sendError(response, 'method_not_allowed', 'This address answers POST and OPTIONS.', ['allow', 'POST, OPTIONS']);
  };
}

/** Reads the body. Nearly every one comes in one piece; a declared or real excess is drained and never kept. */
function receive(parts: CollectParts, request: IncomingMessage, response: ServerResponse) {
  if (Number(request.headers['content-length'] ?? 0) > ingestLimits.bodyBytesMax) return refuseBody(request, response);
  let body: Buffer | undefined;
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= ingestLimits.bodyBytesMax) {
      body = body === undefined ? piece : Buffer.concat([body, piece]);
      return;
    }
    if (!response.headersSent) refuseBody(request, response);
    body = undefined;
  });
  request.on('end', () => {
    if (bytes > ingestLimits.bodyBytesMax) return;
    const { authorization } = request.headers;
    if (authorization === undefined) return answer(parts, request, response, body, undefined);
    parts.authenticate(authorization).then(
      (principal) => answerKey(parts, request, response, body, principal),
      (error) => answerFault(parts, response, error),
    );
  });
}

function refuseBody(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  sendError(
    response,
    'too_large',
    `The body is larger than ${ingestLimits.bodyBytesMax} bytes. Send fewer events at once.`,
    ['connection', 'close', 'x-fairlead-dropped', 'too_large'],
  );
}

function answerKey(
  parts: CollectParts,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer | undefined,
  principal: Principal | undefined,
) {
  if (principal === undefined)
    return sendError(
      response,
      'unauthenticated',
      'The Authorization header holds no key. Send "Bearer <key>", or leave it out.',
    );
  if (principal.organisationId !== undefined && !principal.can('events.write', principal.organisationId))
    return sendError(response, 'forbidden', 'This API key has no scope events:write. Make one that has it.');
  answer(parts, request, response, body, principal);
}

/** The one function that ever holds a client's address and User-Agent. Both are gone when it returns. */
function answer(
  parts: CollectParts,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer | undefined,
  principal: Principal | undefined,
) {
  let payload: unknown;
  try {
    payload = JSON.parse(body?.toString('utf8') ?? '');
  } catch {
    return sendError(response, 'invalid_json', 'The body is not JSON. Send one event as a JSON object, or a list.', [
      'x-fairlead-dropped',
      'invalid',
    ]);
  }
  const { headers } = request;
  const address = clientAddress(request.socket.remoteAddress, headers['x-forwarded-for'], parts.trustedProxies);
  if (headers['x-debug-request'] === 'true') return sendJson(response, 200, { ip: address });
  const isList = Array.isArray(payload);
  if (isList && (payload as unknown[]).length > ingestLimits.batchEventsMax)
    return sendError(response, 'too_large', `A list has at most ${ingestLimits.batchEventsMax} events.`, [
      'x-fairlead-dropped',
      'too_large',
    ]);
  try {
    parts.ingest.take(payload, { address, userAgent: headers['user-agent'] ?? '', headers, principal }, (outcome) =>
      isList ? answerList(response, outcome) : answerOne(response, outcome),
    );
  } catch (error) {
    answerFault(parts, response, error);
  }
}

function answerOne(response: ServerResponse, outcome: Outcome) {
  if (outcome.kind === 'too_large') return sendTooLarge(response);
  if (outcome.kind === 'unavailable') return sendUnavailable(response, outcome.retryAfterSeconds);
  const dropped = droppedHeaders(outcome);
  if (dropped === undefined) return response.writeHead(202, okHeaders).end('ok');
  const { refused } = outcome;
  const refusal = refused[0]?.refusal;
  if (refusal !== undefined) return sendError(response, 'invalid_field', refusal.message, dropped, refusal.field);
  if (isThrottled(outcome)) return sendThrottled(response, dropped);
  response.writeHead(202, [...okHeaders, ...dropped]).end('ok');
}

function answerList(response: ServerResponse, outcome: Outcome) {
  if (outcome.kind === 'too_large') return sendTooLarge(response);
  if (outcome.kind === 'unavailable') return sendUnavailable(response, outcome.retryAfterSeconds);
  const dropped = droppedHeaders(outcome) ?? [];
  if (isThrottled(outcome)) return sendThrottled(response, dropped);
  const { stored, duplicates } = outcome;
  const refused = outcome.refused.map(({ index, refusal }) => ({
    index,
    field: refusal.field,
    message: refusal.message,
  }));
  sendJson(response, 202, { stored, duplicates, dropped: outcome.dropped, refused }, dropped);
}

/** Reasons, and their number, the way Plausible's clients look for it. Undefined when everything was stored. */
function droppedHeaders({ dropped }: Taken): string[] | undefined {
  let reasons = '';
  let count = 0;
  for (const reason in dropped) {
    reasons += reasons === '' ? reason : `, ${reason}`;
    count += dropped[reason as DropReason] ?? 0;
  }
  return count === 0 ? undefined : ['x-fairlead-dropped', reasons, 'x-plausible-dropped', String(count)];
}

function isThrottled(taken: Taken): boolean {
  return taken.dropped.throttle !== undefined && taken.stored === 0 && Object.keys(taken.dropped).length === 1;
}

/** No credentials, no cookies, no ETag; any page may read the answer (CORS) and load it (CORP). */
const openHeaders = [
  'access-control-allow-origin',
  '*',
  'access-control-expose-headers',
  'x-fairlead-dropped, x-plausible-dropped, retry-after',
  'cross-origin-resource-policy',
  'cross-origin',
  'x-content-type-options',
  'nosniff',
];
const okHeaders = [...openHeaders, 'content-type', 'text/plain; charset=utf-8', 'content-length', '2'];
const preflightHeaders = [
  ...openHeaders,
  'access-control-allow-methods',
  'POST, OPTIONS',
  'access-control-allow-headers',
  'content-type, authorization, x-debug-request',
  'access-control-max-age',
  '86400',
];

function sendThrottled(response: ServerResponse, headers: readonly string[]): void {
  sendError(
    response,
    'rate_limited',
    'This site sent more events a second than its limit allows (FAIRLEAD_SITE_RATE). Send again in a second.',
    ['retry-after', '1', ...headers],
  );
}

function sendTooLarge(response: ServerResponse): void {
  sendError(
    response,
    'too_large',
    'The rows of these events do not fit into one write, so none was stored. Send fewer events at once.',
    ['x-fairlead-dropped', 'too_large'],
  );
}

function sendUnavailable(response: ServerResponse, retryAfterSeconds: number): void {
  sendError(
    response,
    'spool_full',
    `Events cannot be kept at the moment. Nothing of this request was stored: send it again in ${retryAfterSeconds} s.`,
    ['retry-after', String(retryAfterSeconds)],
  );
}

function answerFault(parts: CollectParts, response: ServerResponse, error: unknown) {
  if (error instanceof RequestError) return sendError(response, error.code, error.message);
  parts.log.error('collect_failed', {}, error);
  sendError(
    response,
    'internal',
    'This request met a fault of ours and nothing was stored. It is in the log; try again.',
  );
}

function sendError(
  response: ServerResponse,
  code: ErrorCode,
  message: string,
  headers: readonly string[] = [],
  field?: string,
): void {
  sendJson(
    response,
    errorStatus[code],
    { error: { code, message, ...(field === undefined ? {} : { field }) } },
    headers,
  );
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: readonly string[] = []): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response
    .writeHead(status, [
      ...openHeaders,
      'content-type',
      'application/json; charset=utf-8',
      'content-length',
      String(Buffer.byteLength(text)),
      ...headers,
    ])
    .end(text);
}
