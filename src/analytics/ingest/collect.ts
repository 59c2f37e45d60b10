import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DropReason } from '../../../contract/drops.ts';
import { type ErrorCode, errorStatus } from '../../../contract/errors.ts';
import { ingestLimits } from '../../../contract/limits.ts';
import { clientAddress } from '../../platform/http/address.ts';
import type { PlainRequest } from '../../platform/http/plain_lane.ts';
import { type Principal, RequestError } from '../../platform/http/route.ts';
import type { FastHandler } from '../../platform/http/server.ts';
import type { Log } from '../../platform/log.ts';
import { PostgresAway } from '../../platform/postgres/index.ts';
import { corsHeaders, type Door, openHeaders, type Reply } from './door.ts';
import type { Gate } from './gate.ts';
import type { Ingest, Outcome, Taken } from './ingest.ts';
import { readEvent } from './payload.ts';

export type CollectParts = {
  readonly ingest: Ingest;
  readonly gate: Gate;
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
 *     400 · 401 · 403 · 413 · 429 · 503   {error: {code, message, field}}; what was dropped is named in the same header
 */
const plausible: Door = {
  takes: 'either',
  headers: [],
  withCredentials: false,
  enter: () => ({ read: readEvent, principal: undefined }),
  reply: ({ stored, duplicates, dropped, refused }, isList) =>
    isList ? { status: 202, body: { stored, duplicates, dropped, refused: refused.map(shown) } } : ok,
  refuse: (code, message, field) => ({ error: { code, message, ...(field === undefined ? {} : { field }) } }),
};
const ok: Reply = { status: 202, body: 'ok' };

function shown({ index, refusal }: Taken['refused'][number]) {
  return { index, field: refusal.field, message: refusal.message };
}

/** A request that is answered once, however it came. */
type Exchange = Omit<PlainRequest, 'body' | 'url'>;

/** Takes events in at one door: the same limits, rules and durability whichever it is, in the words of its product. */
export function collectEvents(given: CollectParts, door: Door = plausible): FastHandler {
  const parts = { ...given, door };
  const collect: FastHandler = (request, response) => {
    const exchange = exchangeOf(request, response);
    if (request.method === 'POST') return receive(parts, request, exchange);
    if (request.method === 'OPTIONS')
      return response.writeHead(204, [...corsHeaders(door, request), ...preflightHeaders(door)]).end();
    request.resume();
    sendError(parts, exchange, 'method_not_allowed', 'This address answers POST and OPTIONS.', [
      'allow',
      'POST, OPTIONS',
    ]);
  };
  // What comes in one piece is far smaller than a body may be.
  collect.plain = (request) => arrived(parts, request, request.body);
  return collect;
}

function exchangeOf(request: IncomingMessage, response: ServerResponse): Exchange {
  return {
    headers: request.headers,
    remoteAddress: request.socket.remoteAddress,
    reply(status, headers, text) {
      if (!response.headersSent && !response.destroyed) response.writeHead(status, headers as string[]).end(text);
    },
  };
}

type Parts = CollectParts & { readonly door: Door };

/** When to come again if a starting desk cannot keep the request. */
const waitFullSeconds = 5;

/** Reads the body. Nearly every one comes in one piece; a declared or real excess is drained and never kept. */
function receive(parts: Parts, request: IncomingMessage, exchange: Exchange) {
  const refuse = () => {
    request.resume();
    refuseBody(parts, exchange);
  };
  if (Number(request.headers['content-length'] ?? 0) > ingestLimits.bodyBytesMax) return refuse();
  let body: Buffer | undefined;
  let bytes = 0;
  let refused = false;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= ingestLimits.bodyBytesMax) {
      body = body === undefined ? piece : Buffer.concat([body, piece]);
      return;
    }
    if (!refused) refuse();
    refused = true;
    body = undefined;
  });
  request.on('end', () => {
    if (!refused) arrived(parts, exchange, body);
  });
}

function arrived(parts: Parts, exchange: Exchange, body: Buffer | undefined) {
  if (!parts.gate.isOpen)
    return parts.gate.hold(
      body?.length ?? 0,
      () => admitted(parts, exchange, body),
      () => sendUnavailable(parts, exchange, waitFullSeconds),
    );
  admitted(parts, exchange, body);
}

function admitted(parts: Parts, exchange: Exchange, body: Buffer | undefined) {
  const { authorization } = exchange.headers;
  if (authorization === undefined) return answer(parts, exchange, body, undefined);
  parts.authenticate(authorization).then(
    (principal) => answerKey(parts, exchange, body, principal),
    (error) => answerFault(parts, exchange, error),
  );
}

function refuseBody(parts: Parts, exchange: Exchange): void {
  sendError(
    parts,
    exchange,
    'too_large',
    `The body is larger than ${ingestLimits.bodyBytesMax} bytes. Send fewer events at once.`,
    ['connection', 'close', ...turnedAway(parts, 'too_large')],
  );
}

function answerKey(parts: Parts, exchange: Exchange, body: Buffer | undefined, principal: Principal | undefined) {
  if (principal === undefined)
    return sendError(
      parts,
      exchange,
      'unauthenticated',
      'The Authorization header holds no key. Send "Bearer <key>", or leave it out.',
    );
  if (principal.organisationId !== undefined && !principal.can('events.write', principal.organisationId))
    return sendError(parts, exchange, 'forbidden', 'This API key has no scope events:write. Make one that has it.');
  answer(parts, exchange, body, principal);
}

/** The one function that ever holds a client's address and User-Agent. Both are gone when it returns. */
function answer(parts: Parts, exchange: Exchange, body: Buffer | undefined, principal: Principal | undefined) {
  let payload: unknown;
  try {
    payload = JSON.parse(body?.toString('utf8') ?? '');
  } catch {
    return sendError(
      parts,
      exchange,
      'invalid_json',
      'The body is not JSON. Send one event as a JSON object, or a list.',
      turnedAway(parts, 'invalid'),
    );
  }
  const { headers, remoteAddress } = exchange;
  const address = clientAddress(remoteAddress, headers['x-forwarded-for'], parts.trustedProxies);
  if (headers['x-debug-request'] === 'true') return send(parts, exchange, 200, { ip: address });
  const isList = Array.isArray(payload);
  if (isList ? parts.door.takes === 'one' : parts.door.takes === 'list')
    return sendError(
      parts,
      exchange,
      'invalid_field',
      isList ? 'This address takes one event, not a list.' : 'This address takes a list of events.',
      turnedAway(parts, 'invalid', payload),
    );
  if (isList && (payload as unknown[]).length > ingestLimits.batchEventsMax)
    return sendError(
      parts,
      exchange,
      'too_large',
      `A list has at most ${ingestLimits.batchEventsMax} events.`,
      turnedAway(parts, 'too_large', payload),
    );
  try {
    const { read, principal: ownPrincipal } = parts.door.enter(headers);
    parts.ingest.take(
      payload,
      { address, userAgent: headers['user-agent'] ?? '', headers, principal: principal ?? ownPrincipal },
      (outcome) => answerOutcome(parts, exchange, outcome, isList),
      read,
    );
  } catch (error) {
    answerFault(parts, exchange, error);
  }
}

function answerOutcome(parts: Parts, exchange: Exchange, outcome: Outcome, isList: boolean) {
  if (outcome.kind === 'too_large') return sendTooLarge(parts, exchange, outcome.events);
  if (outcome.kind === 'unavailable') return sendUnavailable(parts, exchange, outcome.retryAfterSeconds);
  const dropped = droppedHeaders(outcome);
  if (dropped !== undefined) {
    const refusal = isList ? undefined : outcome.refused[0]?.refusal;
    if (refusal !== undefined)
      return sendError(parts, exchange, 'invalid_field', refusal.message, dropped, refusal.field);
    if (isThrottled(outcome)) return sendThrottled(parts, exchange, dropped);
  }
  const { status, body } = parts.door.reply(outcome, isList);
  // Nearly every answer: its headers are made once.
  if (body === 'ok' && dropped === undefined) return exchange.reply(status, okHeaders, body);
  send(parts, exchange, status, body, dropped);
}

/** Reasons, and their number, the way Plausible's clients look for it. Undefined when everything was stored. */
function droppedHeaders({ dropped }: Taken): string[] | undefined {
  let reasons = '';
  let count = 0;
  for (const reason in dropped) {
    reasons += reasons === '' ? reason : `, ${reason}`;
    count += dropped[reason as DropReason] ?? 0;
  }
  return count === 0 ? undefined : droppedBecause(reasons, count);
}

function droppedBecause(reasons: string, count: number): string[] {
  return ['x-fairlead-dropped', reasons, 'x-plausible-dropped', String(count)];
}

/** A body that is refused whole is counted as the events in it, or as one where nobody can tell. */
function turnedAway(parts: Parts, reason: DropReason, payload?: unknown): string[] {
  return droppedBecause(reason, parts.ingest.turnAway(payload, reason));
}

function isThrottled(taken: Taken): boolean {
  return taken.dropped.throttle !== undefined && taken.stored === 0 && Object.keys(taken.dropped).length === 1;
}

function preflightHeaders(door: Door): string[] {
  return [
    'access-control-allow-methods',
    'POST, OPTIONS',
    'access-control-allow-headers',
    ['content-type', 'authorization', 'x-debug-request', ...door.headers].join(', '),
    'access-control-max-age',
    '86400',
  ];
}

function sendThrottled(parts: Parts, exchange: Exchange, headers: readonly string[]): void {
  sendError(
    parts,
    exchange,
    'rate_limited',
    'This site sent more events a second than its limit allows (FAIRLEAD_SITE_RATE). Send again in a second.',
    ['retry-after', '1', ...headers],
  );
}

function sendTooLarge(parts: Parts, exchange: Exchange, events: number): void {
  sendError(
    parts,
    exchange,
    'too_large',
    'The rows of these events do not fit into one write, so none was stored. Send fewer events at once.',
    droppedBecause('too_large', events),
  );
}

function sendUnavailable(parts: Parts, exchange: Exchange, retryAfterSeconds: number): void {
  sendError(
    parts,
    exchange,
    'spool_full',
    `Events cannot be kept at the moment. Nothing of this request was stored: send it again in ${retryAfterSeconds} s.`,
    ['retry-after', String(retryAfterSeconds)],
  );
}

function answerFault(parts: Parts, exchange: Exchange, error: unknown) {
  if (error instanceof PostgresAway)
    return sendError(
      parts,
      exchange,
      error.code,
      'API keys cannot be looked up at the moment. Nothing of this request was stored: send it again in 1 s.',
      ['retry-after', '1'],
    );
  if (error instanceof RequestError) return sendError(parts, exchange, error.code, error.message);
  parts.log.error('collect_failed', {}, error);
  sendError(
    parts,
    exchange,
    'internal',
    'This request met a fault of ours and nothing was stored. It is in the log; try again.',
  );
}

function sendError(
  parts: Parts,
  exchange: Exchange,
  code: ErrorCode,
  message: string,
  headers: readonly string[] = [],
  field?: string,
): void {
  send(parts, exchange, errorStatus[code], parts.door.refuse(code, message, field), headers);
}

const okHeaders = [...openHeaders, 'content-type', 'text/plain; charset=utf-8', 'content-length', '2'];
const noHeaders: readonly string[] = [];

function send(
  { door }: Parts,
  exchange: Exchange,
  status: number,
  body: Reply['body'],
  headers: readonly string[] = noHeaders,
): void {
  const isText = typeof body === 'string';
  const text = isText ? body : JSON.stringify(body);
  exchange.reply(
    status,
    [
      ...corsHeaders(door, exchange),
      'content-type',
      isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
      'content-length',
      String(Buffer.byteLength(text)),
      ...headers,
    ],
    text,
  );
}
