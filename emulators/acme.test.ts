import { generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signingRequest } from '../src/platform/acme/der.ts';
import { type AcmeEmulator, openAcmeEmulator } from './acme.ts';
import { readSigningRequest } from './acme_certificates.ts';

/** A client that can be told to do each thing wrong, so that the emulator's strictness is itself tested. */
let authority: AcmeEmulator;
beforeAll(async () => {
  authority = await openAcmeEmulator();
});
afterAll(() => authority.close());

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = publicKey.export({ format: 'jwk' });
const encode = (value: unknown) =>
  (typeof value === 'string' ? Buffer.from(value) : Buffer.from(JSON.stringify(value))).toString('base64url');

async function nonce(): Promise<string> {
  const answer = await fetch(`${authority.origin}/new-nonce`, { method: 'HEAD' });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return answer.headers.get('replay-nonce') ?? '';
}
interface Sent {
  header?: object;
  payload?: unknown;
  type?: string;
  spoil?: boolean;
  outer?: object;
}
async function post(path: string, { header, payload, type, spoil, outer }: Sent = {}) {
  const url = path.startsWith('http') ? path : `${authority.origin}${path}`;
  const head = encode({ alg: 'ES256', nonce: await nonce(), url, ...header });
  const body = encode(payload ?? '');
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  if (spoil) signature[0] = (signature[0] as number) ^ 1;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': type ?? 'application/jose+json' },
    body: JSON.stringify({ protected: head, payload: body, signature: signature.toString('base64url'), ...outer }),
  });
  const text = await answer.text();
  const read = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>;
  const problem = String(read.type ?? '').replace('urn:ietf:params:acme:error:', '');
  return { status: answer.status, problem, read, location: answer.headers.get('location') ?? '', answer };
}

let kid = '';
beforeEach(async () => {
  const made = await post('/new-account', { header: { jwk }, payload: { termsOfServiceAgreed: true } });
  kid = made.location;
});

describe('a signed request is refused', () => {
  it.each<[string, string, Sent | (() => Sent), number, string]>([
    ['with another content type', '/new-order', { type: 'application/json' }, 415, 'malformed'],
    ['with a nonce that was never given', '/new-order', { header: { nonce: 'bm90LWdpdmVu' } }, 400, 'badNonce'],
    ['for another address', '/new-order', { header: { url: 'http://elsewhere.test/' } }, 401, 'unauthorized'],
    ['under another algorithm', '/new-order', { header: { alg: 'none' } }, 400, 'badSignatureAlgorithm'],
    ['with neither key nor account', '/new-order', {}, 400, 'malformed'],
    ['with both', '/new-order', () => ({ header: { jwk, kid } }), 400, 'malformed'],
    ['with a key where an account belongs', '/new-order', { header: { jwk } }, 400, 'malformed'],
    [
      'of an account that is none',
      '/new-order',
      { header: { kid: 'http://elsewhere.test/1' } },
      400,
      'accountDoesNotExist',
    ],
    ['with a signature that does not fit', '/new-order', () => ({ header: { kid }, spoil: true }), 403, 'unauthorized'],
    ['with an unprotected header', '/new-order', () => ({ header: { kid }, outer: { header: {} } }), 400, 'malformed'],
    ['with a private key inside', '/new-account', { header: { jwk: { ...jwk, d: 'x' } } }, 400, 'badPublicKey'],
  ])('%s', async (_how, path, sent, status, problem) => {
    const answer = await post(path, typeof sent === 'function' ? sent() : sent);
    expect([answer.status, answer.problem]).toEqual([status, problem]);
    expect(answer.answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('whose nonce was used before, and every answer brings the next one', async () => {
    const used = await nonce();
    const first = await post('/new-account', { header: { jwk, nonce: used }, payload: {} });
    expect(first.answer.headers.get('replay-nonce')).toMatch(/^[A-Za-z0-9_-]{16,}$/);
    expect((await post('/new-account', { header: { jwk, nonce: used }, payload: {} })).problem).toBe('badNonce');
  });
});

it('an account of a known key is found and not made twice', async () => {
  const again = await post('/new-account', { header: { jwk }, payload: {} });
  expect([again.status, again.location]).toEqual([200, kid]);
});

describe('an order', () => {
  const order = (value: string) =>
    post('/new-order', { header: { kid }, payload: { identifiers: [{ type: 'dns', value }] } });

  it.each([
    ['without names', { identifiers: [] }, 400, 'malformed'],
    ['for an address', { identifiers: [{ type: 'ip', value: '8.8.8.8' }] }, 400, 'unsupportedIdentifier'],
    ['with dates of its own', { identifiers: [{ type: 'dns', value: 'a.test' }], notAfter: 'x' }, 400, 'malformed'],
  ])('%s is refused', async (_what, payload, status, problem) => {
    const answer = await post('/new-order', { header: { kid }, payload });
    expect([answer.status, answer.problem]).toEqual([status, problem]);
  });

  it('is read with an empty payload and by its own account alone', async () => {
    const { location, status, read } = await order('a.test');
    expect([status, read.status]).toEqual([201, 'pending']);
    expect((await post(location, { header: { kid } })).status).toBe(200);
    expect((await post(location, { header: { kid }, payload: {} })).problem).toBe('malformed');
  });

  it('is not finalized before its names are proved', async () => {
    const { read } = await order('a.test');
    const csr = signingRequest(['a.test'], privateKey).toString('base64url');
    const answer = await post(String(read.finalize), { header: { kid }, payload: { csr } });
    expect([answer.status, answer.problem]).toEqual([403, 'orderNotReady']);
  });

  it('is over when a proof fails, and that name is refused after too many', async () => {
    authority.set({ failedProofsMax: 1 });
    const { location, read } = await order('nowhere.test');
    const [authorization] = read.authorizations as string[];
    const { read: shown } = await post(String(authorization), { header: { kid } });
    const [challenge] = shown.challenges as { url: string }[];
    expect((await post(String(challenge?.url), { header: { kid }, payload: {} })).status).toBe(200);
    for (;;) {
      const { read: now } = await post(location, { header: { kid } });
      if (now.status !== 'pending') break;
    }
    expect((await post(location, { header: { kid } })).read.status).toBe('invalid');
    const tired = await order('nowhere.test');
    expect([tired.status, tired.problem]).toEqual([429, 'rateLimited']);
    expect(Number(tired.answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('a signing request', () => {
  it('tells its names and its key', () => {
    const names = Array.from({ length: 100 }, (_, i) => `desk-${i}.shop.test`);
    const read = readSigningRequest(signingRequest(names, privateKey));
    expect(read.names).toEqual(names);
    expect(read.publicKey.equals(publicKey)).toBe(true);
  });

  it('that was changed, cut or made up is refused', () => {
    const whole = signingRequest(['desk.test'], privateKey);
    const changed = Buffer.from(whole);
    changed[changed.indexOf('desk.test')] = 'D'.charCodeAt(0);
    expect(() => readSigningRequest(changed)).toThrow('signature');
    for (let length = 0; length < whole.length; length++)
      expect(() => readSigningRequest(whole.subarray(0, length))).toThrow();
  });
});

it('is told to misbehave, and tells what it has seen, at /__admin', async () => {
  await fetch(`${authority.origin}/__admin`, {
    method: 'POST',
    body: JSON.stringify({ failNext: { newNonce: { status: 503, times: 1, retryAfter: '7' } } }),
  });
  const failed = await fetch(`${authority.origin}/new-nonce`, { method: 'HEAD' });
  expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '7']);
  const seen = (await (await fetch(`${authority.origin}/__admin`)).json()) as { accounts: number };
  expect(seen.accounts).toBe(1);
});
