import { promises as dns, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Clock } from '../clock.ts';
import { type Config, isLoopback } from '../config.ts';
import type { Log } from '../log.ts';
import { canonicalAddress, isPublicAddress } from './addresses.ts';

/** What may happen to a request other than an answer. A closed list, so that it can be counted and shown. */
export const failureReasons = [
  'address_invalid', // not http(s), carries credentials, or cannot be read
  'address_private', // it leads to a private, local or reserved address
  'name_unknown', // the name does not resolve
  'connect_failed',
  'tls_failed',
  'timed_out',
  'answer_too_large', // body, header bytes or header count
  'answer_broken', // not HTTP, cut short, or wrongly compressed
  'too_many_redirects',
  'redirect_unsafe', // from https to http, or with a body to another host
  'request_too_large',
  'not_registered', // the register of receivers has no row for this purpose and host
  'region_refused', // its receiver is outside the regions of this desk, and nothing says what the transfer rests on
  'cut_off', // this desk is a demo, which sends nothing to anybody
  'busy', // too many requests are under way
  'closed', // the process is stopping
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** What the register of receivers says of a call before anything of it is done. It must not throw. */
export type Gate = (call: {
  purpose: string;
  host: string;
  receiver?: string | undefined;
}) => Promise<GateRefusal | undefined>;
export type GateRefusal = 'not_registered' | 'region_refused';

/** What became of the calls of one purpose to one host since the start of this process. */
export interface HostCalls {
  purpose: string;
  host: string;
  receiver: string | undefined;
  calls: number;
  lastMs: number | undefined;
  refusals: Partial<Record<GateRefusal, number>>;
}

export interface OutboundRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** From now to the last byte of the answer, redirects included. Default and longest: `outboundLimits`. */
  timeoutMs?: number;
  /** Of the body, decompressed. Default and largest: `outboundLimits`. */
  answerBytesMax?: number;
  /** Redirects that may be followed, at most `outboundLimits.redirectsMax`; 0 (the default) gives the 3xx back. */
  redirectsMax?: number;
  /** Why this goes out: a word of the code's own for logs and counts, never data. */
  purpose: string;
  /** Which row of the register this is for, where the caller knows it; otherwise purpose and host decide. */
  receiver?: string;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Decompressed. */
  body: Buffer;
}
export interface Failure {
  failed: FailureReason;
}

/** The only door to the network. Expected failures are values; an exception is a mistake of the caller. */
export interface Outbound {
  send(request: OutboundRequest): Promise<Answer | Failure>;
  /** Ends what is under way (`closed`) and refuses what comes later. */
  close(): Promise<void>;
  /** How often each purpose met each end ('ok' or a reason), for `/metrics`. */
  counts(): { purpose: string; end: 'ok' | FailureReason; count: number }[];
  /** Whom this process has called, or was not let call, since its start, by purpose. In memory alone: a host may be a customer's. */
  hosts(): HostCalls[];
}

/** Resolves a name to all its addresses, as `dns.promises.lookup(name, { all: true })` does. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

export interface OutboundSettings {
  config: Pick<Config, 'outboundAllow'> & Partial<Pick<Config, 'demo'>>;
  clock: Clock;
  log: Log;
  /** Asked before each call, and before each host that a redirect leads to. */
  gate: Gate;
  /** The system's resolver by default; tests hand in one that lies. */
  lookup?: Lookup;
  /** Told of each call that failed: whom it was for and why, and nothing of what was in it. */
  onFailure?(failed: { purpose: string; host: string | undefined; reason: FailureReason; ms: number }): void;
}

export const outboundLimits = {
  timeoutMs: 10_000,
  timeoutMsMax: 120_000,
  connectMs: 5_000,
  answerBytes: 1024 * 1024,
  answerBytesMax: 64 * 1024 * 1024,
  requestBytesMax: 16 * 1024 * 1024,
  headersMax: 100,
  headerBytesMax: 16 * 1024,
  redirectsMax: 3,
  addressesMax: 8,
  atOnceMax: 256,
  /** Hosts that are remembered; the desk of many sites calls many. */
  hostsMax: 10_000,
} as const;

/**
 * Opens the door.
 *
 * An address is judged after resolution, and the connection goes to the very addresses that were judged: the name is
 * not resolved a second time, so a resolver that answers "public" first and "private" then (DNS rebinding) gains
 * nothing. If one of a name's addresses is private the request is refused, because which one answers is chance.
 * Only `FAIRLEAD_OUTBOUND_ALLOW` makes exceptions. The system's proxy settings are not read.
 *
 * ```ts
 * const answer = await outbound.send({ method: 'GET', url: 'https://example.com/', purpose: 'plan.crawl' });
 * if ('failed' in answer) return stop(answer.failed);
 * ```
 */
export function openOutbound({
  config,
  clock,
  log,
  gate,
  lookup = systemLookup,
  onFailure,
}: OutboundSettings): Outbound {
  const allowed = new Set(config.outboundAllow.map(allowEntry));
  const underWay = new Set<AbortController>();
  const counts = new Map<string, number>();
  const hosts = new Map<string, HostCalls>();
  let isClosed = false;

  async function send(request: OutboundRequest): Promise<Answer | Failure> {
    checkHeaders(request.headers ?? {});
    const start = clock.monotonic();
    const result = await bounded(request);
    const end = 'failed' in result ? result.failed : 'ok';
    const key = `${request.purpose} ${end}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if ('failed' in result) {
      const { purpose } = request;
      const failed = { purpose, reason: result.failed, ms: Math.round(clock.monotonic() - start) };
      // Neither the address nor the host: both may carry a customer's secret or name.
      log.warn('outbound_failed', failed);
      const url = readUrl(request.url);
      onFailure?.({ ...failed, host: url && hostOf(url) });
    }
    return result;
  }

  /** Platforms of a demo are doubles on this machine, each named with its port; there is nobody else. */
  function isOfDemo(address: string): boolean {
    const url = readUrl(address);
    return url !== undefined && isLoopback(url.hostname) && allowed.has(`${hostOf(url)}:${url.port}`);
  }

  /** Time, place and size around the request and its redirects. */
  async function bounded(request: OutboundRequest): Promise<Answer | Failure> {
    if (isClosed) return { failed: 'closed' };
    // Before anything is read of the request: not even its name is asked of a resolver.
    if (config.demo === true && !isOfDemo(request.url)) return { failed: 'cut_off' };
    if (underWay.size >= outboundLimits.atOnceMax) return { failed: 'busy' };
    if (request.body !== undefined && Buffer.byteLength(request.body) > outboundLimits.requestBytesMax)
      return { failed: 'request_too_large' };
    const abort = new AbortController();
    underWay.add(abort);
    const ms = Math.min(request.timeoutMs ?? outboundLimits.timeoutMs, outboundLimits.timeoutMsMax);
    const callOff = clock.after(ms, () => abort.abort('timed_out' satisfies FailureReason));
    try {
      const ended = new Promise<Failure>((resolve) => {
        abort.signal.addEventListener('abort', () => resolve({ failed: abort.signal.reason as FailureReason }));
      });
      return await Promise.race([followed(request, abort.signal), ended]);
    } finally {
      callOff();
      underWay.delete(abort);
      // Whatever still holds a socket for a request that nobody waits for lets go of it.
      abort.abort('closed' satisfies FailureReason);
    }
  }

  async function followed(request: OutboundRequest, signal: AbortSignal): Promise<Answer | Failure> {
    const redirectsMax = Math.min(request.redirectsMax ?? 0, outboundLimits.redirectsMax);
    let url = readUrl(request.url);
    let current: OutboundRequest = request;
    for (let redirects = 0; ; redirects++) {
      if (url === undefined) return { failed: 'address_invalid' };
      // Before its name is asked of a resolver, and again for each host that a redirect leads to.
      const refused = await registered(request, hostOf(url));
      if (refused !== undefined) return { failed: refused };
      const addresses = await judged(url);
      if ('failed' in addresses) return addresses;
      if (signal.aborted) return { failed: signal.reason as FailureReason };
      const spoken = callsOf(request, hostOf(url));
      spoken.calls++;
      spoken.lastMs = clock.now();
      const answer = await exchange(url, addresses, current, { signal, clock });
      if ('failed' in answer || redirectsMax === 0 || !isRedirect(answer)) return answer;
      if (redirects === redirectsMax) return { failed: 'too_many_redirects' };
      const next = readUrl(answer.headers.location as string, url);
      if (next !== undefined) {
        const redirected = redirect(current, { from: url, to: next, status: answer.status });
        if ('failed' in redirected) return redirected;
        current = redirected;
      }
      url = next;
    }
  }

  async function registered(request: OutboundRequest, host: string): Promise<GateRefusal | undefined> {
    const { purpose, receiver } = request;
    const refused = await gate({ purpose, host, receiver });
    if (refused === undefined) return undefined;
    const { refusals } = callsOf(request, host);
    refusals[refused] = (refusals[refused] ?? 0) + 1;
    return refused;
  }

  /** What is counted of this purpose and host. Beyond the limit of hosts a count is begun and forgotten. */
  function callsOf({ purpose, receiver }: OutboundRequest, host: string): HostCalls {
    const key = `${purpose} ${receiver ?? ''} ${host}`;
    const known = hosts.get(key);
    if (known !== undefined) return known;
    const begun: HostCalls = { purpose, host, receiver, calls: 0, lastMs: undefined, refusals: {} };
    if (hosts.size < outboundLimits.hostsMax) hosts.set(key, begun);
    return begun;
  }

  /** The addresses that may be connected to, all of them judged. */
  async function judged(url: URL): Promise<LookupAddress[] | Failure> {
    const host = hostOf(url);
    const family = isIP(host);
    let addresses: LookupAddress[];
    try {
      addresses = family === 0 ? await lookup(host) : [{ address: host, family }];
    } catch {
      return { failed: 'name_unknown' };
    }
    if (addresses.length === 0) return { failed: 'name_unknown' };
    const isException = allowed.has(host) || allowed.has(`${host}:${portOf(url)}`);
    if (!isException && !addresses.every(({ address }) => isPublicAddress(address)))
      return { failed: 'address_private' };
    return addresses.slice(0, outboundLimits.addressesMax);
  }

  return {
    send,
    async close() {
      isClosed = true;
      for (const abort of underWay) abort.abort('closed' satisfies FailureReason);
    },
    counts: () =>
      [...counts].map(([key, count]) => {
        const [purpose = '', end = ''] = key.split(' ');
        return { purpose, end: end as 'ok' | FailureReason, count };
      }),
    hosts: () => [...hosts.values()],
  };
}

function systemLookup(hostname: string): Promise<LookupAddress[]> {
  return dns.lookup(hostname, { all: true });
}

// ── Addresses ──

/** The WHATWG parser turns decimal, octal and hexadecimal forms into plain addresses, and names into punycode. */
function readUrl(text: string, base?: URL): URL | undefined {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    return undefined;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  if (url.username !== '' || url.password !== '' || hostOf(url) === '') return undefined;
  return url;
}

/** Without the brackets of IPv6 and without a trailing dot, which names the same host. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

/** `host`, `host:port`, `[address]:port` or an address, written as the request's own host will be. */
function allowEntry(entry: string): string {
  const [, bracketed, name, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  const host = bracketed ?? name ?? entry;
  const url = readUrl(`http://${host.includes(':') ? `[${host}]` : host}`);
  const written = url === undefined ? host.toLowerCase() : hostOf(url);
  return port === undefined ? written : `${written}:${Number(port)}`;
}

// ── Headers and redirects ──

const ownHeaders = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'upgrade', 'te']);
/** What a redirect to another origin may still be told. An allow-list: every provider has its own name for its secret. */
const harmlessHeaders = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

function checkHeaders(headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (ownHeaders.has(name.toLowerCase()))
      throw new TypeError(`The header ${name} belongs to the platform: leave it out.`);
    http.validateHeaderName(name);
    http.validateHeaderValue(name, value);
  }
}

function isRedirect({ status, headers }: Answer): boolean {
  return [301, 302, 303, 307, 308].includes(status) && headers.location !== undefined;
}

function redirect(
  request: OutboundRequest,
  { from, to, status }: { from: URL; to: URL; status: number },
): OutboundRequest | Failure {
  if (from.protocol === 'https:' && to.protocol === 'http:') return { failed: 'redirect_unsafe' };
  const becomesGet = status === 303 || (status < 303 && request.method === 'POST');
  const { body, ...rest } = request;
  const bare: OutboundRequest = becomesGet && request.method !== 'HEAD' ? { ...rest, method: 'GET' } : request;
  if (from.origin === to.origin) return bare;
  // A body may hold a secret (a token exchange does), and only the first host was meant to have it.
  if (bare.body !== undefined) return { failed: 'redirect_unsafe' };
  const headers = Object.entries(bare.headers ?? {}).filter(([name]) => harmlessHeaders.has(name.toLowerCase()));
  return { ...bare, headers: Object.fromEntries(headers) };
}

// ── One exchange ──

async function exchange(
  url: URL,
  addresses: LookupAddress[],
  request: OutboundRequest,
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): Promise<Answer | Failure> {
  const bytesMax = Math.min(request.answerBytesMax ?? outboundLimits.answerBytes, outboundLimits.answerBytesMax);
  const judged = new Set(addresses.map(({ address }) => canonicalAddress(address)));
  return new Promise((resolve) => {
    const settle = (result: Answer | Failure) => {
      callOff();
      resolve(result);
      outgoing.destroy();
    };
    const outgoing = (url.protocol === 'https:' ? https : http).request({
      method: request.method,
      protocol: url.protocol,
      host: hostOf(url),
      port: portOf(url),
      path: `${url.pathname}${url.search}`,
      headers: {
        'user-agent': 'Fairlead',
        'accept-encoding': 'gzip, deflate, br',
        ...request.headers,
        ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
      },
      // A socket of its own each time: a pooled one would be shared by name, past the judgement of its address.
      agent: false,
      lookup: pinnedLookup(addresses),
      maxHeaderSize: outboundLimits.headerBytesMax,
      signal,
      ...(url.protocol === 'https:'
        ? {
            minVersion: 'TLSv1.2' as const,
            rejectUnauthorized: true,
            ...(isIP(hostOf(url)) === 0 && { servername: hostOf(url) }),
          }
        : {}),
    });
    const callOff = clock.after(outboundLimits.connectMs, () => settle({ failed: 'timed_out' }));
    let isConnected = false;
    outgoing.on('socket', (socket: Socket) => {
      socket.on('connect', () => {
        // The judgement once more, on the fact: whatever the runtime did, no byte goes to an address that was not judged.
        if (!judged.has(canonicalAddress(socket.remoteAddress ?? ''))) settle({ failed: 'address_private' });
        if (url.protocol === 'http:') connected();
      });
      socket.on('secureConnect', connected);
    });
    function connected() {
      isConnected = true;
      callOff();
    }
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      settle({ failed: signal.aborted ? (signal.reason as FailureReason) : reasonOf(error, isConnected) });
    });
    outgoing.on('response', (incoming) => {
      if (incoming.rawHeaders.length / 2 > outboundLimits.headersMax) settle({ failed: 'answer_too_large' });
      else
        readBody(incoming, request.method === 'HEAD' ? Number.POSITIVE_INFINITY : bytesMax).then((body) =>
          settle(
            'failed' in body ? body : { status: incoming.statusCode ?? 0, headers: incoming.headers, body: body.bytes },
          ),
        );
    });
    // A 1xx that changes the protocol; without a listener the runtime would keep the socket and say nothing.
    outgoing.on('upgrade', (_incoming, socket) => {
      socket.destroy();
      settle({ failed: 'answer_broken' });
    });
    outgoing.end(request.body);
  });
}

/** Gives the addresses that were judged, whatever name is asked for, and asks nobody. */
function pinnedLookup(addresses: LookupAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const fitting = addresses.filter(({ family }) => !options.family || options.family === family);
    const [first = addresses[0] as LookupAddress] = fitting;
    if (options.all) callback(null, fitting.length > 0 ? fitting : [first]);
    else callback(null, first.address, first.family);
  };
}

function reasonOf(error: NodeJS.ErrnoException, isConnected: boolean): FailureReason {
  const code = error.code ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') return 'answer_too_large';
  if (code.startsWith('HPE_')) return 'answer_broken';
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO|ERR_OSSL)/.test(code)) return 'tls_failed';
  if (code === 'ETIMEDOUT' && !isConnected) return 'timed_out';
  return isConnected ? 'answer_broken' : 'connect_failed';
}

const decompress: Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify(zlib.gunzip),
  'x-gzip': promisify(zlib.gunzip),
  deflate: promisify(zlib.inflate),
  br: promisify(zlib.brotliDecompress),
};

/** The cap holds for what comes out of the decompressor too: a kilobyte on the wire can be a gigabyte in memory. */
async function readBody(incoming: http.IncomingMessage, bytesMax: number): Promise<{ bytes: Buffer } | Failure> {
  const encoding = incoming.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && !Object.hasOwn(decompress, encoding)) return { failed: 'answer_broken' };
  const unpack = decompress[encoding];
  // What hardly compresses is longer on the wire, by the frame of the format.
  const wireBytesMax = unpack === undefined ? bytesMax : bytesMax + 1024;
  if (Number(incoming.headers['content-length'] ?? 0) > wireBytesMax) return { failed: 'answer_too_large' };
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > wireBytesMax) return { failed: 'answer_too_large' };
      chunks.push(chunk);
    }
  } catch {
    return { failed: 'answer_broken' };
  }
  const bytes = Buffer.concat(chunks, length);
  // Nothing is not a valid gzip, but it is what HEAD, 304 and many an error answer hold under that name.
  if (unpack === undefined || length === 0) return { bytes };
  try {
    return { bytes: await unpack(bytes, { maxOutputLength: bytesMax }) };
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return { failed: isTooLarge ? 'answer_too_large' : 'answer_broken' };
  }
}
