import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';

/**
 * The short way for the request that nearly all traffic consists of: a POST to a collection address that arrives in one
 * piece. It is read from the socket's bytes without node:http, which costs more of a processor than everything that
 * Fairlead does with the event (docs/decisions/2026-11-27-plain-lane.md).
 *
 * It only reads what cannot be read in two ways. Whatever is not exactly that (another method or path, a query, no Host,
 * a repeated header, Transfer-Encoding, Expect, `Connection: close`, a head or body in several pieces, a second request
 * behind the first, any odd sign) goes to node:http with every byte of it, and the connection with it, for good.
 */
export interface PlainRequest {
  /** Lower-case names; no header came twice. */
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  /** The path, which is all there is of an address here. */
  readonly url: string;
  readonly body: Buffer;
  /** Answers, once. `headers` are names and values in turn, with the body's content-length among them. */
  reply(status: number, headers: readonly string[], text: string): void;
}

export type PlainHandler = (request: PlainRequest) => void;

export interface PlainLane {
  /** Takes a new connection. */
  take(socket: Socket): void;
  /** No new requests: idle connections end, the others after their answer. */
  close(): void;
}

export interface PlainLaneParts {
  /** By path. */
  readonly handlers: ReadonlyMap<string, PlainHandler>;
  /** The same for what lies one step under a path that ends with a slash: a name of letters, digits, `-` and `_`. */
  readonly handlersUnder?: readonly (readonly [start: string, handler: PlainHandler])[];
  /** Gives a connection to node:http, which reads from its start. */
  readonly toNode: (socket: Socket) => void;
  readonly headBytesMax: number;
  /** How long a connection may wait for its first request, and between two. */
  readonly firstMsMax: number;
  readonly idleMsMax: number;
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'after'>;
}

/** How often idle connections are looked for; each ends so much late at most. */
const lookMs = 1_000;

export function openPlainLane(parts: PlainLaneParts): PlainLane {
  const { clock } = parts;
  const connections = new Set<Connection>();
  let closing = false;

  /**
   * Connections with a request that was read in this turn of the event loop. First all are read, then all are handled:
   * the processor then has each of the two in its caches, which saves about 5 % of a request's cost.
   */
  let arrived: Connection[] = [];
  function handleArrived() {
    const connections = arrived;
    arrived = [];
    for (const connection of connections) connection.handle();
  }

  class Connection {
    readonly socket: Socket;
    request: Read | undefined;
    /** A request is being answered. */
    busy = false;
    /** What came meanwhile. */
    later: Buffer[] = [];
    /** When it has waited too long for a request, by the clock that nobody sets. */
    endsAt: number;
    ended = false;

    constructor(socket: Socket) {
      this.socket = socket;
      connections.add(this);
      socket.on('data', this.onData);
      socket.on('end', this.onEnd);
      socket.on('error', this.onError);
      socket.on('close', this.onClose);
      // Not a timeout of the socket's own: that is set back at each read and each write, which costs more than this.
      this.endsAt = clock.monotonic() + parts.firstMsMax;
      if (connections.size === 1) look();
    }

    onData = (chunk: Buffer) => {
      if (this.busy) {
        this.later.push(chunk);
        this.socket.pause();
        return;
      }
      const request = readPlain(chunk, parts);
      if (request === undefined) return this.handOver(chunk);
      this.busy = true;
      this.request = request;
      if (arrived.push(this) === 1) setImmediate(handleArrived);
    };

    handle(): void {
      const { request } = this;
      this.request = undefined;
      // Whoever hung up meanwhile has sent his event all the same.
      if (request !== undefined) request.handler(new Exchange(this, request, this.socket.remoteAddress));
    }

    answer(status: number, headers: readonly string[], text: string): void {
      this.busy = false;
      const { socket } = this;
      if (socket.destroyed) return;
      this.endsAt = clock.monotonic() + parts.idleMsMax;
      if (closing || this.ended) {
        socket.end(answerHead(status, headers, true) + text, 'utf8');
        return;
      }
      socket.write(answerBytes(status, headers, text));
      if (this.later.length > 0) this.handOver(Buffer.concat(this.later));
    }

    handOver(bytes: Buffer): void {
      const { socket } = this;
      this.leave();
      // Read again from here: node:http attaches its parser to the connection and gets the bytes first.
      socket.pause();
      socket.unshift(bytes);
      parts.toNode(socket);
      socket.resume();
    }

    leave(): void {
      connections.delete(this);
      const { socket } = this;
      socket.off('data', this.onData);
      socket.off('end', this.onEnd);
      socket.off('error', this.onError);
      socket.off('close', this.onClose);
    }

    /** The other side sends no more; what it asked is still answered. */
    onEnd = (): void => {
      this.ended = true;
      if (!this.busy) this.socket.end();
    };
    /** The connection broke: nobody is there to be told. */
    onError = (): void => {
      this.socket.destroy();
    };
    onClose = (): void => {
      connections.delete(this);
    };
  }

  /** A request as its handler sees it, with one answer to give. */
  class Exchange implements PlainRequest {
    #connection: Connection | undefined;
    readonly headers: IncomingHttpHeaders;
    readonly remoteAddress: string | undefined;
    readonly url: string;
    readonly body: Buffer;

    constructor(connection: Connection, { headers, url, body }: Read, remoteAddress: string | undefined) {
      this.#connection = connection;
      this.headers = headers;
      this.remoteAddress = remoteAddress;
      this.url = url;
      this.body = body;
    }

    reply(status: number, headers: readonly string[], text: string): void {
      this.#connection?.answer(status, headers, text);
      this.#connection = undefined;
    }
  }

  let cancelLook: (() => void) | undefined;
  function look(): void {
    cancelLook?.();
    cancelLook = undefined;
    const now = clock.monotonic();
    for (const { busy, endsAt, socket } of connections) if (!busy && endsAt <= now) socket.destroy();
    if (connections.size > 0) cancelLook = clock.after(lookMs, look);
  }

  const closes = 'Connection: close\r\n\r\n';
  const stays = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(parts.idleMsMax / 1000)}\r\n\r\n`;
  const heads = new WeakMap<readonly string[], string>();
  let second = 0;
  let dateLine = '';

  /** Status line and headers, as node:http would write them. */
  function answerHead(status: number, headers: readonly string[], last: boolean): string {
    let text = heads.get(headers);
    if (text === undefined) {
      text = '';
      for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
      heads.set(headers, text);
    }
    const now = Math.floor(clock.now() / 1000);
    if (now !== second) {
      second = now;
      dateLine = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
    }
    return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${text}${dateLine}${last ? closes : stays}`;
  }

  /** The answer before this one, which nearly always is the same one. */
  let latest = { status: 0, headers: [] as readonly string[], text: '', second: 0, bytes: Buffer.alloc(0) };
  function answerBytes(status: number, headers: readonly string[], text: string): Buffer {
    const isSame = latest.headers === headers && latest.status === status && latest.text === text;
    if (isSame && latest.second === Math.floor(clock.now() / 1000)) return latest.bytes;
    const bytes = Buffer.from(answerHead(status, headers, false) + text);
    latest = { status, headers, text, second, bytes };
    return bytes;
  }

  return {
    take(socket) {
      if (closing) socket.destroy();
      else new Connection(socket);
    },
    close() {
      closing = true;
      for (const { socket, busy } of connections) if (!busy) socket.end();
    },
  };
}

interface Read {
  readonly handler: PlainHandler;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The request that the bytes are, when they are exactly one and there is only one way to read them. */
export function readPlain(
  bytes: Buffer,
  { handlers, handlersUnder = [], headBytesMax }: Pick<PlainLaneParts, 'handlers' | 'handlersUnder' | 'headBytesMax'>,
): Read | undefined {
  // "POST /"
  if (bytes.length < 32 || bytes.readUInt32BE(0) !== 0x504f5354 || bytes.readUInt16BE(4) !== 0x202f) return undefined;
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0 || headEnd > headBytesMax) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  if (oddSign.test(head)) return undefined;
  const firstEnd = head.indexOf('\r\n');
  if (firstEnd < 0 || !head.startsWith(' HTTP/1.1', firstEnd - 9)) return undefined;
  const url = head.slice(5, firstEnd - 9);
  const handler = handlers.get(url) ?? handlerUnder(handlersUnder, url);
  if (handler === undefined) return undefined;

  const headers: Record<string, string> = {};
  for (let from = firstEnd + 2; from < head.length; ) {
    let end = head.indexOf('\r\n', from);
    if (end < 0) end = head.length;
    const colon = head.indexOf(':', from);
    if (colon < 0 || colon >= end) return undefined;
    const name = headerName(head.slice(from, colon));
    // Also what an object has from its birth, such as "constructor".
    if (name === undefined || headers[name] !== undefined) return undefined;
    headers[name] = head.slice(colon + 1, end).trim();
    from = end + 2;
  }
  const { host, connection } = headers;
  const length = headers['content-length'];
  if (host === undefined || length === undefined || !/^\d{1,8}$/.test(length)) return undefined;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return undefined;
  if (headEnd + 4 + Number(length) !== bytes.length) return undefined;
  return { handler, url, headers, body: bytes.subarray(headEnd + 4) };
}

function handlerUnder(under: NonNullable<PlainLaneParts['handlersUnder']>, url: string): PlainHandler | undefined {
  for (const [start, handler] of under)
    if (url.startsWith(start)) return oneStep.test(url.slice(start.length)) ? handler : undefined;
  return undefined;
}
const oneStep = /^[\w-]{1,128}$/;

/** Anything but printable ASCII, tabs, and the CR LF that ends a line. */
const oddSign = /[^\t\r\n -~]|\r(?!\n)|(?<!\r)\n/;
/** They change how a request is read, or what the connection becomes. */
const notPlain = new Set(['transfer-encoding', 'expect', 'upgrade', 'te', 'trailer', 'proxy-connection', 'keep-alive']);
/** Names as they were written → lower-case names; undefined for what is not plain. */
const names = new Map<string, string | undefined>();
const namesMax = 1_000;

function headerName(written: string): string | undefined {
  const known = names.get(written);
  if (known !== undefined || names.has(written)) return known;
  const lower = written.toLowerCase();
  const name = /^[a-z0-9-]{1,64}$/.test(lower) && !notPlain.has(lower) ? lower : undefined;
  if (names.size < namesMax) names.set(written, name);
  return name;
}
