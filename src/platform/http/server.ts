import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls';
import { type ErrorCode, errorStatus } from '../../../contract/errors.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import { wordsOfShape } from '../shape.ts';
import { clientAddress } from './address.ts';
import { browserOf } from './browser.ts';
import { sendFile, sendStream } from './file_answer.ts';
import { apiHeaders, pageHeaders } from './headers.ts';
import { type HostCheck, openHostCheck } from './hosts.ts';
import { type KeyRate, openKeyRate } from './key_rate.ts';
import { matchRoute, type RouteTable, routeTable } from './match.ts';
import { openPlainLane, type PlainHandler, type PlainLane } from './plain_lane.ts';
import {
  type Principal,
  RequestError,
  type Route,
  type RouteRequest,
  sitePermissions,
  sitesOfPrincipal,
} from './route.ts';
import { refuseCrossSite, refuseOtherContent } from './same_site.ts';
import type { StaticFiles } from './static.ts';
import type { HttpTls } from './tls.ts';
import { answerUnread, lineOfUnread } from './unread.ts';

/** A handler of the collection plane: it gets the raw request, and nothing of it is logged (R5). */
export interface FastHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  /** Takes plain requests without node:http; both must answer alike. */
  plain?: PlainHandler;
  /** Told of a request whose head was larger than is read, and was answered so. */
  tooLarge?(request: { readonly method: string; readonly url: string }): void;
}

export interface HttpOptions {
  host: string;
  port: number;
  publicUrl: string;
  /** Names under which the account plane answers beside the public one (FAIRLEAD_HOSTS). */
  hosts?: readonly string[];
  /** Calls a minute of one API key; as in the settings unless given. */
  keyRate?: number;
  trustedProxies: number;
  tls: HttpTls | undefined;
  routes: Route[];
  fast: Record<string, FastHandler>;
  /** The same for all that lies under a path that ends with a slash, such as `/in/`. */
  fastUnder?: Record<string, FastHandler>;
  files: StaticFiles | undefined;
  /** Who sends this? Undefined for nobody; throws RequestError for credentials that ended. */
  authenticate(request: IncomingMessage): Promise<Principal | undefined>;
  /** Has this person something to read that their page does not know? Asked after each answer, so it asks no store. */
  hasNews?(personId: number): boolean;
  /** What the parameters of a path name, for the logs of a call whose body or query is refused before its handler asks. */
  whose?(params: Record<string, string>): Promise<{ organisationId: number; siteId?: number } | undefined>;
  /** Told of each answer of the account plane, and of none of the collection plane (D15). */
  onAnswer?(answered: Answered): void;
  clock: Clock;
  random: Random;
  log: Log;
}

/** What the access log says of a request: its route by pattern, never its address line, which may name somebody. */
export interface Answered {
  address: string;
  method: string;
  route: string;
  status: number;
  ms: number;
  requestId: string;
  /** For the operations log; of it the access log keeps the organisation. */
  asked: Asked;
}

/** Who asked for what, in numbers. The organisation stands there only where the asker was let into it. */
export interface Asked {
  principal: Pick<Principal, 'kind' | 'id'> | undefined;
  organisationId: number | undefined;
  siteId: number | undefined;
  object: { kind: string; id: string } | undefined;
  /** The error that was answered. */
  code: ErrorCode | undefined;
  /** The answer was a file. */
  isFile: boolean;
  browser: string | null;
}

export interface HttpServer {
  /** Where it listens, with the port the system chose when 0 was asked for. */
  address: { host: string; port: number };
  /** Requests by route and status class, for `/metrics`. */
  counts(): { labels: Record<string, string>; value: number }[];
  /** New credentials without a restart (renewed certificates). */
  renewTls(context: SecureContextOptions): void;
  /** Stops accepting, waits for open requests up to the given time, then cuts them. */
  close(withinMs: number): Promise<void>;
}

/** Limits of the listener itself. Slow senders are cut: a whole request must arrive within 30 s, its head within 10 s. */
const requestMsMax = 30_000;
const headMsMax = 10_000;
const idleMsMax = 65_000;
/** How often it is looked whether one is over: each ends so much late at most. Left alone Node looks twice a minute. */
const lookMs = 2_000;
/** Room for the longest address that a source reads, 16,384 characters, beside its headers: what is beyond is answered by its reader. */
const headBytesMax = 24 * 1024;
const bodyBytesDefault = 64 * 1024;
/** Calls a minute of one API key where FAIRLEAD_KEY_RATE says nothing. */
const keyCallsPerMinute = 1_200;

interface AccountPlane {
  options: HttpOptions;
  table: RouteTable;
  counts: Map<string, number>;
  checkHost: HostCheck;
  keyRate: KeyRate;
}

/**
 * One listener for everything. A request goes, in this order, to a fast handler (exact path), a route, a file.
 * @throws when the port is taken: the message names the port and the setting that moves it.
 */
export async function openHttp(options: HttpOptions): Promise<HttpServer> {
  const counts = new Map<string, number>();
  const account: AccountPlane = {
    options,
    table: routeTable(options.routes),
    counts,
    checkHost: openHostCheck(options.publicUrl, options.hosts),
    keyRate: openKeyRate({ clock: options.clock, perMinute: options.keyRate ?? keyCallsPerMinute }),
  };
  const fastUnder = Object.entries(options.fastUnder ?? {});
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const fast = options.fast[path];
    if (fast !== undefined) return fast(request, response);
    for (const [start, under] of fastUnder) if (path.startsWith(start)) return under(request, response);
    void answerRoute(account, request, response, path, mark < 0 ? '' : url.slice(mark + 1));
  };
  const settings = {
    maxHeaderSize: headBytesMax,
    keepAliveTimeout: idleMsMax,
    headersTimeout: headMsMax,
    requestTimeout: requestMsMax,
    connectionsCheckingInterval: lookMs,
    noDelay: true,
  };
  const tlsServer =
    options.tls === undefined
      ? undefined
      : openTls(createTlsServer({ ...settings, ...tlsSettings(options.tls) }, onRequest), options.tls);
  const server: Server = tlsServer ?? createServer(settings, onRequest);
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Socket) => {
    const line = answerUnread(error, socket) === 431 ? lineOfUnread(error) : undefined;
    if (line === undefined) return;
    for (const [start, { tooLarge }] of fastUnder) if (line.url.startsWith(start)) tooLarge?.(line);
  });
  const plain = tlsServer === undefined ? openLane(server, options) : undefined;
  // Node lists a connection once HTTP is spoken on it; one that is still in its handshake must not hold up a stop.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, options.host, options.port);
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
  return {
    address: { host: options.host, port },
    counts: () =>
      [...counts].map(([key, value]) => {
        const [route = '', status = ''] = key.split('\t');
        return { labels: { route, status }, value };
      }),
    renewTls: (context) => tlsServer?.setSecureContext({ minVersion: tlsVersionMin, ...context }),
    close: (withinMs) => closeServer({ server, plain, sockets }, withinMs, options.clock),
  };
}

const tlsVersionMin = 'TLSv1.2';

function tlsSettings({ context, chooseProtocol }: HttpTls): TlsOptions {
  return {
    minVersion: tlsVersionMin,
    handshakeTimeout: headMsMax,
    ...context,
    ...(chooseProtocol === undefined ? {} : { ALPNCallback: chooseProtocol }),
  };
}

/** Puts the question of `admits` between the handshake and HTTP. */
function openTls(server: TlsServer, { admits }: HttpTls): TlsServer {
  if (admits === undefined) return server;
  const speakHttp = stepInFront<TLSSocket>(server, 'secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (admits(socket)) speakHttp(socket);
    else socket.destroySoon();
  });
  return server;
}

/** Takes a server's connections away from node:http, and gives what hands one over to it. */
function stepInFront<S extends Socket>(server: Server, event: 'connection' | 'secureConnection'): (socket: S) => void {
  const listeners = server.listeners(event) as ((socket: S) => void)[];
  server.removeAllListeners(event);
  return (socket) => {
    for (const speakHttp of listeners) speakHttp.call(server, socket);
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(new Error(`Port ${port} is taken by another program. Stop it, or set PORT to a free one.`));
      else if (error.code === 'EACCES')
        reject(new Error(`Port ${port} needs more rights than this user has. Set PORT to one above 1023.`));
      else if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
        reject(
          new Error(`HOST: no address is known for "${host}". Write one that this machine has, such as 127.0.0.1.`),
        );
      else if (error.code === 'EADDRNOTAVAIL')
        reject(new Error(`This machine has no address ${host}. Set HOST to one it has, such as 127.0.0.1.`));
      else reject(error);
    });
    server.listen({ host, port, backlog: 1024 }, () => resolve());
  });
}

interface Open {
  server: Server;
  plain: PlainLane | undefined;
  sockets: ReadonlySet<Socket>;
}

function closeServer({ server, plain, sockets }: Open, withinMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(withinMs, () => {
      for (const socket of sockets) socket.destroy();
    });
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
    plain?.close();
  });
}

/** Puts the short way for plain requests between the listener and node:http, where a handler has one. */
function openLane(server: Server, options: Pick<HttpOptions, 'fast' | 'fastUnder' | 'clock'>): PlainLane | undefined {
  const handlers = plainOf(options.fast);
  const handlersUnder = plainOf(options.fastUnder ?? {});
  if (handlers.length + handlersUnder.length === 0) return undefined;
  const lane = openPlainLane({
    handlers: new Map(handlers),
    handlersUnder,
    toNode: stepInFront<Socket>(server, 'connection'),
    headBytesMax,
    firstMsMax: headMsMax,
    idleMsMax,
    clock: options.clock,
  });
  server.on('connection', lane.take);
  return lane;
}

function plainOf(fast: Record<string, FastHandler>): [path: string, handler: PlainHandler][] {
  return Object.entries(fast).flatMap(([path, { plain }]) => (plain === undefined ? [] : [[path, plain]]));
}

async function answerRoute(
  { options, table, counts, checkHost, keyRate }: AccountPlane,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  queryText: string,
): Promise<void> {
  const begun = options.clock.monotonic();
  const requestId = options.random.bytes(6).toString('hex');
  const secure = arrivedSecurely(options, request);
  const address = clientAddress(
    request.socket.remoteAddress,
    request.headers['x-forwarded-for'],
    options.trustedProxies,
  );
  let label = 'other';
  // What is not known to be a page or a call may have been meant for the collection plane, whose askers nobody logs (R5).
  let isLogged = false;
  let rate: Record<string, string> = {};
  let isLimitedKey = false;
  const seen: Partial<Omit<Asked, 'browser'>> = {};
  try {
    if (options.files?.isShared(path) !== true) checkHost(request.headers.host);
    const found = matchRoute(table, request.method ?? 'GET', path);
    if (found.kind === 'none') {
      if (
        options.files !== undefined &&
        (request.method === 'GET' || request.method === 'HEAD') &&
        !path.startsWith('/api/')
      ) {
        label = 'file';
        isLogged = extname(path) === '';
        const nonce = options.random.bytes(18).toString('base64url');
        return options.files.send(request, response, path, pageHeaders({ secure, nonce }), nonce);
      }
      throw new RequestError(
        'not_found',
        `There is nothing at ${request.method} of this address. The calls that exist are listed at /api/docs.`,
      );
    }
    if (found.kind === 'method')
      throw new RequestError('method_not_allowed', `This address answers ${found.allowed.join(', ')}.`, {
        headers: { allow: found.allowed.join(', ') },
      });
    const { route } = found;
    label = `${route.method} ${route.path}`;
    isLogged = route.forVisitors !== true;
    // Public calls answer everybody alike, so an ended session must not stand in their way.
    const principal = route.access === 'public' ? undefined : await options.authenticate(request);
    isLimitedKey = principal?.siteIds !== undefined;
    seen.principal = principal;
    seen.organisationId = principal?.organisationId;
    if (route.access !== 'public' && principal === undefined)
      throw new RequestError(
        'unauthenticated',
        'This call needs a session or an API key. Sign in, or send "Authorization: Bearer <key>".',
      );
    if (route.access === 'operator' && principal?.isOperator !== true) throw notHere();
    if (principal?.kind === 'key') rate = keyRate.take(principal.id);
    refuseCrossSite(options.publicUrl, request, principal);
    refuseOtherContent(request, route, principal);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const allow = (organisationId: number, siteId?: number) => {
      const permission = route.access;
      if (permission === 'public' || permission === 'signed-in' || permission === 'operator') return;
      if (principal === undefined || !principal.can(permission, organisationId)) throw notHere();
      const only = sitesOfPrincipal(principal, organisationId);
      if (only !== undefined && (siteId === undefined ? sitePermissions.has(permission) : !only.includes(siteId)))
        throw notHere();
      seen.organisationId = organisationId;
      seen.siteId = siteId;
    };
    seen.object = objectOf(route.path, found.params);
    const given = await readGiven(request, route, { params: found.params, queryText }).catch(async (error) => {
      // Its refusal belongs into the log of those whose thing it was about, as that of a handler does.
      if (principal !== undefined) await options.whose?.(found.params).then(into(allow), () => undefined);
      throw error;
    });
    const asked: RouteRequest<unknown, unknown, unknown> = {
      ...given,
      principal,
      allow,
      allowSites(organisationId) {
        const permission = route.access;
        if (permission === 'public' || permission === 'signed-in' || permission === 'operator') return () => false;
        if (principal === undefined || !principal.can(permission, organisationId)) throw notHere();
        const only = sitesOfPrincipal(principal, organisationId);
        seen.organisationId = organisationId;
        return (siteId) => only === undefined || only.includes(siteId);
      },
      headers: request.headers,
      address,
      secure,
      requestId,
      signal: gone.signal,
    };
    const answer = await route.handle(asked);
    seen.object ??= madeBy(route, answer.body);
    seen.isFile = answer.file !== undefined || answer.stream !== undefined;
    const isNews = principal?.kind === 'person' && options.hasNews?.(principal.id) === true;
    const news = isNews ? { 'fairlead-news': '1' } : {};
    const headers = apiHeaders(secure, { 'x-request-id': requestId, ...rate, ...news, ...answer.headers });
    if (answer.file !== undefined) await sendFile(request, response, answer.file, headers);
    else if (answer.stream !== undefined) await sendStream(response, answer.stream, headers);
    else send(response, answer.status ?? 200, answer.body, headers);
  } catch (error) {
    const said = isLimitedKey ? saidToLimitedKey(error) : error;
    seen.code = said instanceof RequestError ? said.code : 'internal';
    sendError(options, response, said, requestId, { ...apiHeaders(secure), ...rate });
  } finally {
    const key = `${label}\t${Math.floor(response.statusCode / 100)}xx`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (isLogged)
      options.onAnswer?.({
        address,
        method: request.method ?? '',
        route: label,
        status: response.statusCode,
        ms: Math.round(options.clock.monotonic() - begun),
        requestId,
        asked: {
          principal: seen.principal,
          organisationId: seen.organisationId,
          siteId: seen.siteId,
          object: seen.object,
          code: seen.code,
          isFile: seen.isFile === true,
          browser: browserOf(request.headers['user-agent']),
        },
      });
  }
}

async function readGiven(
  request: IncomingMessage,
  route: Route,
  { params, queryText }: { params: Record<string, string>; queryText: string },
): Promise<{ params: unknown; query: unknown; body: unknown }> {
  const query = Object.fromEntries(new URLSearchParams(queryText));
  return {
    params: route.params === undefined ? params : check(route.params, params, 'path'),
    query: route.query === undefined ? query : check(route.query, query, 'query'),
    body:
      route.rawBodyBytesMax !== undefined
        ? await readBody(request, route.rawBodyBytesMax)
        : route.body === undefined
          ? undefined
          : check(route.body, parseJson(await readBody(request, route.bodyBytesMax ?? bodyBytesDefault)), 'body'),
  };
}

/** Notes whose it is where the asker may go there; who may not leaves nothing in their log. */
const into =
  (allow: (organisationId: number, siteId?: number) => void) =>
  (whose: { organisationId: number; siteId?: number } | undefined) => {
    if (whose !== undefined)
      try {
        allow(whose.organisationId, whose.siteId);
      } catch {
        // It stands in the desk's own.
      }
  };

/**
 * What a call is about, where its path has a number for it: the last parameter, called after the word before it. A name
 * or a token of a path is left out, since it may say who somebody is or open something.
 */
function objectOf(path: string, params: Record<string, string>): { kind: string; id: string } | undefined {
  const segments = path.split('/');
  const at = segments.findLastIndex((segment) => segment.startsWith(':'));
  const name = segments[at]?.slice(1) ?? '';
  const id = params[name] ?? '';
  if (at < 1 || name === 'organisation' || !/^\d{1,15}$/.test(id)) return undefined;
  return { kind: name === 'person' ? 'person' : (segments[at - 1] as string), id };
}

/** What a call has made, where its answer says a number. */
function madeBy(route: Route, body: unknown): { kind: string; id: string } | undefined {
  const id = route.method === 'POST' ? (body as { id?: unknown } | undefined)?.id : undefined;
  const kind = route.path.split('/').at(-1) ?? '';
  return typeof id === 'number' && !kind.startsWith(':') ? { kind, id: String(id) } : undefined;
}

/** The same for what is not there, what another organisation has, and what a role does not include. */
function notHere(): RequestError {
  return new RequestError(
    'not_found',
    'There is no such thing here, or your role does not include it. Owners of the organisation can grant it.',
  );
}

/** Whether a site is there or not: a key that is limited hears why it may see nothing, and no more. */
function saidToLimitedKey(error: unknown): unknown {
  if (!(error instanceof RequestError) || error.code !== 'not_found') return error;
  return new RequestError('not_found', `${error.message} This key is limited to some sites and sees no others.`);
}

/** HTTPS at this socket, HTTPS at a trusted proxy, or never off the machine. */
export function arrivedSecurely(options: Pick<HttpOptions, 'trustedProxies'>, request: IncomingMessage): boolean {
  if ((request.socket as { encrypted?: boolean }).encrypted === true) return true;
  if (options.trustedProxies > 0) {
    const proto = request.headers['x-forwarded-proto'];
    return typeof proto === 'string' && proto.split(',').at(-1)?.trim() === 'https';
  }
  return false;
}

function check<T>(
  schema: {
    safeParse(
      value: unknown,
      more: { error: typeof wordsOfShape },
    ):
      | { success: true; data: T }
      | { success: false; error: { issues: { path: PropertyKey[]; message: string; keys?: string[] }[] } };
  },
  value: unknown,
  where: string,
): T {
  const parsed = schema.safeParse(value, { error: wordsOfShape });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  // A member that nobody knows is not in the path of its complaint: it is the field at fault all the same.
  const field = [...(issue?.path ?? []), ...(issue?.keys?.slice(0, 1) ?? [])].map(String).join('.');
  throw new RequestError(
    'invalid_field',
    `${field === '' ? `The ${where}` : `"${field}"`} cannot be read: ${issue?.message ?? 'it has the wrong shape'}.`,
    field === '' ? {} : { field },
  );
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new RequestError(
      'invalid_json',
      'The body is not JSON. Send one JSON value with "Content-Type: application/json".',
    );
  }
}

/** Reads at most `bytesMax`; a larger body is refused by its declared length, or as soon as it has grown past. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = () => {
      request.resume();
      reject(
        new RequestError(
          'too_large',
          `The body is larger than the ${bytesMax} bytes this call takes. Send less at once.`,
          { headers: { connection: 'close' } },
        ),
      );
    };
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) return tooLarge();
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > bytesMax) {
        request.removeAllListeners('data');
        tooLarge();
      } else parts.push(part);
    });
    request.on('end', () => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)));
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) reject(new RequestError('bad_request', 'The connection ended before the body did.'));
    });
  });
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string | string[]>,
): void {
  if (response.headersSent || response.destroyed) return;
  if (body === undefined) {
    response.writeHead(status === 200 ? 204 : status, headers);
    response.end();
    return;
  }
  const raw = typeof body === 'string' || Buffer.isBuffer(body);
  const bytes = raw ? Buffer.from(body as string) : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    ...headers,
    'content-length': String(bytes.length),
  });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}

function sendError(
  options: HttpOptions,
  response: ServerResponse,
  error: unknown,
  requestId: string,
  headers: Record<string, string>,
): void {
  const expected = error instanceof RequestError ? error : undefined;
  if (expected === undefined) options.log.error('request_failed', { request_id: requestId }, error);
  const code: ErrorCode = expected?.code ?? 'internal';
  const message =
    expected?.message ?? `This request met a fault of ours. The reference ${requestId} is in the log; try again.`;
  send(
    response,
    errorStatus[code],
    {
      error: {
        code,
        message,
        ...(expected?.field === undefined ? {} : { field: expected.field }),
        ...(expected?.challenge === undefined ? {} : { challenge: expected.challenge }),
        request_id: requestId,
      },
    },
    { ...headers, 'x-request-id': requestId, ...expected?.headers },
  );
}
