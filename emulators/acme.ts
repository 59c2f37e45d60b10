import {
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { faultOfProof, openAuthority, readSigningRequest } from './acme_certificates.ts';

/**
 * A certificate authority that speaks ACME, written from RFC 8555 (and 8737 for tls-alpn-01, 8738 left out). It keeps
 * nonces, signatures, content types and the states of orders as strictly as the text does, proves names by really
 * connecting, and signs with a root made at its start. Left out: key change, revocation, external accounts, dns-01.
 *
 * `POST /__admin` takes any part of `Mischief`; `GET /__admin` gives what happened.
 */
export interface AcmeEmulator {
  /** The directory. */
  url: string;
  origin: string;
  /** PEM. */
  root: string;
  /** What it has seen so far. */
  seen: Seen;
  /** The same as POST /__admin. */
  set(mischief: Partial<Mischief>): void;
  close(): Promise<void>;
}

export interface Seen {
  accounts: number;
  orders: number;
  certificates: number;
  badNonces: number;
  /** Connections made to prove a name, by kind. */
  proofs: Record<string, number>;
  /** "POST newOrder" and the like, in order. */
  requests: string[];
}

export interface Mischief {
  /** Where a name leads: DNS and the two ports of the real world. A name that is missing has no address. */
  hosts: Record<string, { http?: number; https?: number }>;
  /** Kinds of challenge that are offered. */
  challenges: string[];
  /** Every so many signed requests the nonce is refused though it was good; 0 = never. */
  badNonceEvery: number;
  /** Waits before each answer. */
  slowMs: number;
  /** The next so many requests to a resource (newOrder, finalize …) end in this status, with this problem if any. */
  failNext: Record<
    string,
    { status: number; type?: string; detail?: string; times: number; retryAfter?: string; plain?: boolean }
  >;
  /** Every proof fails with this problem. */
  failProof: string | undefined;
  /** Names that are refused as identifiers. */
  rejected: string[];
  /** Failed proofs of one name in an hour, as its authority counts them. */
  failedProofsMax: number;
  ordersMax: number;
  /** All accounts there are now become deactivated, or are forgotten. */
  accounts: 'deactivate' | 'forget' | undefined;
  /** Certificates begin that much after now, and last so long. */
  aheadMs: number;
  lifeMs: number;
  /** Puts other names, or another key, into the certificates. */
  wrong: 'names' | 'key' | undefined;
  /** Orders stay in processing for so many looks. */
  processing: number;
  /** Overrides members of the directory. */
  directory: Record<string, unknown>;
}

interface Account {
  url: string;
  key: KeyObject;
  thumbprint: string;
  contact: string[];
  status: 'valid' | 'deactivated';
}
interface Challenge {
  type: string;
  url: string;
  token: string;
  status: 'pending' | 'processing' | 'valid' | 'invalid';
  error?: object;
}
interface Authorization {
  url: string;
  account: Account;
  name: string;
  status: 'pending' | 'valid' | 'invalid';
  challenges: Challenge[];
}
interface Order {
  url: string;
  account: Account;
  names: string[];
  authorizations: Authorization[];
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  looks: number;
  certificate?: string;
  pem?: string;
}

const hourMs = 3_600_000;

export async function openAcmeEmulator(start: Partial<Mischief> = {}): Promise<AcmeEmulator> {
  const mischief: Mischief = {
    hosts: {},
    challenges: ['http-01', 'tls-alpn-01', 'dns-01'],
    badNonceEvery: 0,
    slowMs: 0,
    failNext: {},
    failProof: undefined,
    rejected: [],
    failedProofsMax: 5,
    ordersMax: 300,
    accounts: undefined,
    aheadMs: 0,
    lifeMs: 90 * 24 * hourMs,
    wrong: undefined,
    processing: 1,
    directory: {},
  };
  const authority = openAuthority(Date.now());
  const seen: Seen = { accounts: 0, orders: 0, certificates: 0, badNonces: 0, proofs: {}, requests: [] };
  const nonces = new Set<string>();
  const accounts = new Map<string, Account>();
  const orders = new Map<string, Order>();
  const authorizations = new Map<string, Authorization>();
  let failedProofs: { name: string; at: number }[] = [];
  let placed: number[] = [];
  let signedRequests = 0;
  let origin = '';

  function set(change: Partial<Mischief>): void {
    Object.assign(mischief, change);
    if (change.accounts === 'forget') accounts.clear();
    if (change.accounts === 'deactivate') for (const account of accounts.values()) account.status = 'deactivated';
  }
  set(start);

  function directory() {
    return {
      newNonce: `${origin}/new-nonce`,
      newAccount: `${origin}/new-account`,
      newOrder: `${origin}/new-order`,
      meta: { termsOfService: `${origin}/terms`, website: origin, caaIdentities: ['authority.test'] },
      ...mischief.directory,
    };
  }

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      if (error instanceof Problem) sendProblem(response, error);
      else sendProblem(response, new Problem(500, 'serverInternal', String(error)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/';
    const body = await bodyOf(incoming);
    if (path === '/__admin') {
      if (incoming.method === 'POST') set(JSON.parse(body) as Partial<Mischief>);
      return sendJson(response, 200, seen);
    }
    const resource = nameOfResource(path);
    seen.requests.push(`${incoming.method} ${resource}`);
    if (mischief.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, mischief.slowMs));
    const fail = mischief.failNext[resource];
    if (fail !== undefined && fail.times > 0) {
      fail.times -= 1;
      if (fail.retryAfter !== undefined) response.setHeader('retry-after', fail.retryAfter);
      if (fail.plain === true) return void response.writeHead(fail.status).end('<html>Bad gateway</html>');
      throw new Problem(fail.status, fail.type ?? 'serverInternal', fail.detail ?? 'Told to fail.');
    }
    if (path === '/directory' && incoming.method === 'GET') return sendJson(response, 200, directory());
    if (path === '/new-nonce' && (incoming.method === 'HEAD' || incoming.method === 'GET')) {
      giveNonce(response);
      response.setHeader('cache-control', 'no-store');
      return void response.writeHead(incoming.method === 'HEAD' ? 200 : 204).end();
    }
    if (incoming.method !== 'POST') throw new Problem(405, 'malformed', 'Everything else is a POST (6.3).');
    giveNonce(response);
    if (incoming.headers['content-type'] !== 'application/jose+json')
      throw new Problem(415, 'malformed', 'The content type is application/jose+json (6.2).');
    if (typeof incoming.headers['user-agent'] !== 'string')
      throw new Problem(400, 'malformed', 'A client sends a User-Agent (6.1).');
    const jws = readJws(body, `${origin}${path}`);
    if (path === '/new-account') return newAccount(response, jws);
    const account = jws.account;
    if (account === undefined) throw new Problem(400, 'malformed', 'Only newAccount takes a jwk (6.2).');
    if (path === '/new-order') return newOrder(response, account, jws.payload);
    const [, kind = '', id = '', more = ''] = path.split('/');
    if (kind === 'account') return changeAccount(response, account, path, jws.payload);
    if (kind === 'order' || kind === 'certificate') {
      const order = orders.get(id);
      if (order === undefined || order.account !== account) throw new Problem(404, 'malformed', 'No such order.');
      if (kind === 'certificate') return download(response, order, jws.payload);
      if (more === 'finalize') return finalize(response, order, jws.payload);
      mustRead(jws.payload);
      return sendOrder(response, 200, order);
    }
    const authorization = authorizations.get(id);
    if (authorization === undefined || authorization.account !== account)
      throw new Problem(404, 'malformed', 'No such authorization.');
    if (kind === 'authorization') {
      mustRead(jws.payload);
      return sendJson(response, 200, shown(authorization));
    }
    const challenge = authorization.challenges.find((one) => one.url === `${origin}${path}`);
    if (challenge === undefined) throw new Problem(404, 'malformed', 'There is nothing here.');
    return respond(response, authorization, challenge, jws.payload);
  }

  // ── Signed requests (6.2 to 6.5) ──

  function giveNonce(response: ServerResponse): void {
    const nonce = randomBytes(16).toString('base64url');
    nonces.add(nonce);
    response.setHeader('replay-nonce', nonce);
    response.setHeader('link', `<${origin}/directory>;rel="index"`);
  }

  interface Jws {
    account: Account | undefined;
    key: KeyObject;
    jwk: Record<string, unknown> | undefined;
    /** Undefined for the empty payload of a POST-as-GET. */
    payload: unknown;
  }

  function readJws(body: string, url: string): Jws {
    const outer = parse(body, 'The body is not JSON.');
    const { protected: head, payload, signature } = outer;
    if (typeof head !== 'string' || typeof payload !== 'string' || typeof signature !== 'string')
      throw new Problem(400, 'malformed', 'The body is not a flattened JWS.');
    if ('header' in outer || 'signatures' in outer)
      throw new Problem(400, 'malformed', 'An unprotected header or several signatures are not allowed.');
    for (const part of [head, payload, signature])
      if (!/^[A-Za-z0-9_-]*$/.test(part))
        throw new Problem(400, 'malformed', 'A part is not base64url without padding.');
    const header = parse(Buffer.from(head, 'base64url').toString(), 'The protected header is not JSON.');
    if (header.alg !== 'ES256')
      throw new Problem(400, 'badSignatureAlgorithm', 'This authority takes ES256.', { algorithms: ['ES256'] });
    if (header.url !== url) throw new Problem(401, 'unauthorized', 'The url of the header is another (6.4).');
    const known = typeof header.nonce === 'string' && nonces.delete(header.nonce);
    signedRequests += 1;
    if (!known || (mischief.badNonceEvery > 0 && signedRequests % mischief.badNonceEvery === 0)) {
      seen.badNonces += 1;
      throw new Problem(400, 'badNonce', 'The nonce is not one that may be used (6.5).');
    }
    if ((header.jwk === undefined) === (header.kid === undefined))
      throw new Problem(400, 'malformed', 'A header has either jwk or kid.');
    const jwk = header.jwk as Record<string, unknown> | undefined;
    let account: Account | undefined;
    let key: KeyObject;
    if (jwk === undefined) {
      account = [...accounts.values()].find((one) => one.url === header.kid);
      if (account === undefined) throw new Problem(400, 'accountDoesNotExist', 'There is no account of this kid.');
      key = account.key;
    } else {
      if (jwk.kty !== 'EC' || jwk.crv !== 'P-256' || 'd' in jwk)
        throw new Problem(400, 'badPublicKey', 'The key is not a public P-256 key.');
      key = createPublicKey({ key: jwk, format: 'jwk' });
    }
    const bytes = Buffer.from(signature, 'base64url');
    if (!verify('sha256', Buffer.from(`${head}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, bytes))
      throw new Problem(403, 'unauthorized', 'The signature does not fit.');
    if (account !== undefined && account.status !== 'valid')
      throw new Problem(401, 'unauthorized', `The account is ${account.status} (7.3.6).`);
    const text = Buffer.from(payload, 'base64url').toString();
    return { account, key, jwk, payload: text === '' ? undefined : parse(text, 'The payload is not JSON.') };
  }

  // ── Accounts (7.3) ──

  function newAccount(response: ServerResponse, { jwk, key, payload }: Jws): void {
    if (jwk === undefined) throw new Problem(400, 'malformed', 'newAccount takes a jwk.');
    const asked = record(payload);
    const thumbprint = thumbprintOf(jwk);
    const have = accounts.get(thumbprint);
    if (have !== undefined) {
      if (have.status !== 'valid') throw new Problem(401, 'unauthorized', `The account is ${have.status} (7.3.6).`);
      response.setHeader('location', have.url);
      sendJson(response, 200, { status: have.status, contact: have.contact });
      return;
    }
    if (asked.onlyReturnExisting === true) throw new Problem(400, 'accountDoesNotExist', 'No account has this key.');
    if (asked.termsOfServiceAgreed !== true)
      throw new Problem(403, 'userActionRequired', 'The terms of service were not agreed to.');
    const contact = (asked.contact ?? []) as string[];
    for (const one of contact) {
      if (!one.startsWith('mailto:')) throw new Problem(400, 'unsupportedContact', `${one} is no mailto address.`);
      if (!/^mailto:[^@\s,?]+@[^@\s,?]+\.[a-z]+$/.test(one) || one.endsWith('@invalid.test'))
        throw new Problem(400, 'invalidContact', 'That address cannot be reached.');
    }
    const account: Account = { url: `${origin}/account/${mark()}`, key, thumbprint, contact, status: 'valid' };
    accounts.set(thumbprint, account);
    seen.accounts += 1;
    response.setHeader('location', account.url);
    sendJson(response, 201, { status: 'valid', contact, orders: `${account.url}/orders` });
  }

  function changeAccount(response: ServerResponse, account: Account, path: string, payload: unknown): void {
    if (account.url !== `${origin}${path}`) throw new Problem(403, 'unauthorized', 'That is another account.');
    if (payload !== undefined && record(payload).status === 'deactivated') account.status = 'deactivated';
    sendJson(response, 200, { status: account.status, contact: account.contact });
  }

  // ── Orders (7.4) ──

  function newOrder(response: ServerResponse, account: Account, payload: unknown): void {
    const { identifiers, notBefore, notAfter } = record(payload);
    if (notBefore !== undefined || notAfter !== undefined)
      throw new Problem(400, 'malformed', 'This authority chooses the dates itself.');
    if (!Array.isArray(identifiers) || identifiers.length === 0)
      throw new Problem(400, 'malformed', 'An order has identifiers.');
    const names = identifiers.map((one) => {
      const { type, value } = record(one);
      if (type !== 'dns') throw new Problem(400, 'unsupportedIdentifier', 'This authority knows names of DNS only.');
      if (typeof value !== 'string' || !/^([a-z0-9-]+\.)+[a-z0-9-]+$/.test(value))
        throw new Problem(400, 'malformed', 'An identifier is not a name.');
      return value;
    });
    const refused = names.filter((name) => mischief.rejected.includes(name));
    if (refused.length > 0)
      throw new Problem(403, 'rejectedIdentifier', 'Some of the identifiers were rejected.', {
        subproblems: refused.map((value) => ({
          type: 'urn:ietf:params:acme:error:rejectedIdentifier',
          detail: `The authority forbids "${value}".`,
          identifier: { type: 'dns', value },
        })),
      });
    failedProofs = failedProofs.filter(({ at }) => at > Date.now() - hourMs);
    placed = placed.filter((at) => at > Date.now() - 3 * hourMs);
    const tired = names.find(
      (name) => failedProofs.filter((one) => one.name === name).length >= mischief.failedProofsMax,
    );
    if (tired !== undefined || placed.length >= mischief.ordersMax) {
      response.setHeader('retry-after', '3600');
      throw new Problem(429, 'rateLimited', `Too many ${tired === undefined ? 'orders' : 'failed proofs'}.`);
    }
    placed.push(Date.now());
    const id = mark();
    const own = names.map((name) => authorizationFor(account, name));
    const order: Order = {
      url: `${origin}/order/${id}`,
      account,
      names,
      authorizations: own,
      status: 'pending',
      looks: 0,
    };
    orders.set(id, order);
    seen.orders += 1;
    response.setHeader('location', order.url);
    sendOrder(response, 201, order);
  }

  /** A proof that holds is used again, as real authorities do for some weeks. */
  function authorizationFor(account: Account, name: string): Authorization {
    const holds = [...authorizations.values()].find(
      (one) => one.account === account && one.name === name && one.status === 'valid',
    );
    if (holds !== undefined) return holds;
    const id = mark();
    const challenges = mischief.challenges.map((type): Challenge => {
      return {
        type,
        url: `${origin}/challenge/${id}/${type}`,
        token: randomBytes(32).toString('base64url'),
        status: 'pending',
      };
    });
    const made: Authorization = { url: `${origin}/authorization/${id}`, account, name, status: 'pending', challenges };
    authorizations.set(id, made);
    return made;
  }

  function sendOrder(response: ServerResponse, status: number, order: Order): void {
    if (order.status === 'pending' && order.authorizations.every((one) => one.status === 'valid'))
      order.status = 'ready';
    if (order.authorizations.some((one) => one.status === 'invalid')) order.status = 'invalid';
    if (order.status === 'processing' && order.looks++ >= mischief.processing) order.status = 'valid';
    if (order.status === 'processing') response.setHeader('retry-after', '1');
    sendJson(response, status, {
      status: order.status,
      expires: new Date(Date.now() + 24 * hourMs).toISOString(),
      identifiers: order.names.map((value) => ({ type: 'dns', value })),
      authorizations: order.authorizations.map((one) => one.url),
      finalize: `${order.url}/finalize`,
      ...(order.status === 'valid' ? { certificate: order.certificate } : {}),
    });
  }

  function finalize(response: ServerResponse, order: Order, payload: unknown): void {
    const { csr } = record(payload);
    if (order.status === 'pending' && order.authorizations.every((one) => one.status === 'valid'))
      order.status = 'ready';
    if (order.status !== 'ready') throw new Problem(403, 'orderNotReady', `The order is ${order.status}.`);
    if (typeof csr !== 'string' || !/^[A-Za-z0-9_-]+$/.test(csr))
      throw new Problem(400, 'malformed', 'The CSR is not base64url.');
    let read: { names: string[]; publicKey: KeyObject };
    try {
      read = readSigningRequest(Buffer.from(csr, 'base64url'));
    } catch (error) {
      throw new Problem(400, 'badCSR', (error as Error).message);
    }
    if ([...read.names].sort().join() !== [...order.names].sort().join())
      throw new Problem(400, 'badCSR', `The CSR is for ${read.names.join(', ')}.`);
    if (read.publicKey.equals(order.account.key))
      throw new Problem(400, 'badCSR', 'The CSR has the key of the account.');
    const from = Date.now() + mischief.aheadMs;
    order.pem = authority.issue({
      names: mischief.wrong === 'names' ? ['other.test'] : read.names,
      publicKey: mischief.wrong === 'key' ? order.account.key : read.publicKey,
      from: from - hourMs,
      until: from - hourMs + mischief.lifeMs,
    });
    order.certificate = `${origin}/certificate/${order.url.split('/').at(-1)}`;
    order.status = 'processing';
    order.looks = 0;
    response.setHeader('location', order.url);
    sendOrder(response, 200, order);
  }

  function download(response: ServerResponse, order: Order, payload: unknown): void {
    mustRead(payload);
    if (order.status !== 'valid' || order.pem === undefined) throw new Problem(404, 'malformed', 'Not there yet.');
    seen.certificates += 1;
    response.writeHead(200, { 'content-type': 'application/pem-certificate-chain' }).end(order.pem);
  }

  // ── Proofs (7.5, 8) ──

  function respond(response: ServerResponse, of: Authorization, challenge: Challenge, payload: unknown): void {
    if (payload === undefined) {
      sendJson(response, 200, challenge);
      return;
    }
    if (Object.keys(record(payload)).length > 0) throw new Problem(400, 'malformed', 'A response is an empty object.');
    if (of.status !== 'pending' || challenge.status !== 'pending')
      throw new Problem(400, 'malformed', `The challenge is ${challenge.status} already.`);
    challenge.status = 'processing';
    response.setHeader('link', `<${of.url}>;rel="up"`);
    sendJson(response, 200, challenge);
    void prove(of, challenge).then((fault) => {
      challenge.status = fault === undefined ? 'valid' : 'invalid';
      of.status = challenge.status;
      if (fault === undefined) return;
      failedProofs.push({ name: of.name, at: Date.now() });
      challenge.error = { type: `urn:ietf:params:acme:error:${fault.type}`, detail: fault.detail, status: 403 };
    });
  }

  async function prove(
    of: Authorization,
    { type, token }: Challenge,
  ): Promise<{ type: string; detail: string } | undefined> {
    seen.proofs[type] = (seen.proofs[type] ?? 0) + 1;
    if (mischief.failProof !== undefined) return { type: mischief.failProof, detail: 'Told to fail.' };
    const host = mischief.hosts[of.name];
    if (host === undefined) return { type: 'dns', detail: `no A or AAAA record for ${of.name}` };
    const keyAuthorization = `${token}.${of.account.thumbprint}`;
    if (type === 'http-01') {
      if (host.http === undefined) return { type: 'connection', detail: `${of.name}:80 refused the connection` };
      return proveByHttp(host.http, of.name, token, keyAuthorization);
    }
    if (type !== 'tls-alpn-01') return { type: 'malformed', detail: 'This kind is offered and not done.' };
    if (host.https === undefined) return { type: 'connection', detail: `${of.name}:443 refused the connection` };
    return proveByTls(host.https, of.name, keyAuthorization);
  }

  return {
    url: `${origin}/directory`,
    origin,
    root: authority.root,
    seen,
    set,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Fault = { type: string; detail: string } | undefined;

/** 8.3: the text at a path of port 80, with the name as Host. */
function proveByHttp(port: number, name: string, token: string, keyAuthorization: string): Promise<Fault> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path: `/.well-known/acme-challenge/${token}`,
        headers: { host: name },
        timeout: 5_000,
        agent: false,
      },
      (answer) => {
        bodyOf(answer).then((text) => {
          const isRight = answer.statusCode === 200 && same(text.trimEnd(), keyAuthorization);
          resolve(
            isRight
              ? undefined
              : { type: 'unauthorized', detail: `${name} answered ${answer.statusCode} with another text` },
          );
        });
      },
    );
    asked.on('error', () => resolve({ type: 'connection', detail: `${name}:80 cannot be reached` }));
    asked.on('timeout', () => asked.destroy());
    asked.end();
  });
}

/** RFC 8737: a handshake with the name as SNI and the protocol acme-tls/1. */
function proveByTls(port: number, name: string, keyAuthorization: string): Promise<Fault> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: name,
      ALPNProtocols: ['acme-tls/1'],
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      timeout: 5_000,
    });
    socket.on('secureConnect', () => {
      const raw = socket.getPeerX509Certificate()?.raw;
      const fault =
        socket.alpnProtocol !== 'acme-tls/1'
          ? 'it did not choose acme-tls/1'
          : raw === undefined
            ? 'it showed no certificate'
            : faultOfProof(raw, { name, keyAuthorization });
      resolve(fault === undefined ? undefined : { type: 'unauthorized', detail: `${name}: ${fault}` });
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const isTls = error.code?.startsWith('ERR_SSL') === true;
      resolve({
        type: isTls ? 'tls' : 'connection',
        detail: `${name}:443 ${isTls ? 'ended the handshake' : 'cannot be reached'}`,
      });
    });
    socket.on('timeout', () => socket.destroy(new Error('timeout')));
  });
}

// ── Small parts ──

class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly more: object;
  constructor(status: number, type: string, detail: string, more: object = {}) {
    super(detail);
    this.status = status;
    this.type = type;
    this.more = more;
  }
}

function sendProblem(response: ServerResponse, { status, type, message, more }: Problem): void {
  const body = { type: `urn:ietf:params:acme:error:${type}`, detail: message, status, ...more };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** 6.3: reading is a POST whose payload is empty, not an empty object. */
function mustRead(payload: unknown): void {
  if (payload !== undefined) throw new Problem(400, 'malformed', 'Reading is a POST with an empty payload.');
}

function shown({ name, status, challenges }: Authorization): object {
  const expires = new Date(Date.now() + 24 * hourMs).toISOString();
  // When one kind was used, the others are gone (7.1.4).
  const used = challenges.filter((one) => one.status !== 'pending');
  return {
    identifier: { type: 'dns', value: name },
    status,
    expires,
    challenges: status === 'pending' ? challenges : used,
  };
}

function nameOfResource(path: string): string {
  const [, first = '', , third] = path.split('/');
  if (third === 'finalize') return 'finalize';
  return first.replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

function parse(text: string, otherwise: string): Record<string, unknown> {
  try {
    return record(JSON.parse(text));
  } catch {
    throw new Problem(400, 'malformed', otherwise);
  }
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problem(400, 'malformed', 'An object was expected.');
  return value as Record<string, unknown>;
}

/** RFC 7638: the members that make the key, in order, and nothing else. */
function thumbprintOf({ crv, kty, x, y }: Record<string, unknown>): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

function same(a: string, b: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function mark(): string {
  return randomBytes(9).toString('base64url');
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString();
}
