import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { calculateJwkThumbprint, FlattenedSign } from 'jose';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Answer, Outbound, OutboundRequest } from '../outbound/index.ts';
import { signingRequest } from './der.ts';
import { AcmeFailure, type AcmeReason, acmeReasons, type ChallengeType } from './failure.ts';

/**
 * RFC 8555 as a conversation: directory, nonce, account, order, authorizations, finalization, certificate. One
 * attempt is one call; whatever the authority refuses ends it as an AcmeFailure. Everything goes out by
 * platform/outbound, so the addresses that the directory names are judged like any other.
 */
export interface AcmeRequest {
  directoryUrl: string;
  /** PEM of the P-256 key that is the account. */
  accountKey: string;
  email: string | undefined;
  domains: readonly string[];
  /** In the order of preference; the first that the authority offers is answered. */
  challenges: readonly ChallengeType[];
  /** Begins to answer; the function it gives back ends that. */
  present(challenge: { type: ChallengeType; domain: string; token: string; keyAuthorization: string }): () => void;
}

export interface IssuedCertificate {
  /** PEM, P-256, made for this certificate alone. */
  key: string;
  /** PEM: the certificate and those above it, without the root. */
  chain: string;
}

interface Tools {
  outbound: Pick<Outbound, 'send'>;
  clock: Clock;
  /** Ends an attempt that waits. */
  signal: AbortSignal;
}

export const acmeLimits = {
  answerBytes: 256 * 1024,
  detailMax: 300,
  /** How often one request is sent again because its nonce was not liked. */
  nonceRetries: 5,
  pollMsMin: 1_000,
  pollMsMax: 20_000,
  /** For each authorization, and for the order after it was finalized. */
  waitMsMax: 180_000,
  authorizationsMax: 100,
} as const;

/** @throws AcmeFailure */
export async function obtainCertificate(request: AcmeRequest, tools: Tools): Promise<IssuedCertificate> {
  const account = await openAccount(request, tools);
  const identifiers = request.domains.map((value) => ({ type: 'dns', value }));
  const placed = await account.post(account.directory.newOrder, { identifiers });
  const orderUrl = linkOf(placed, account.directory.newOrder);
  const order = read(orderShape, placed);
  for (const url of order.authorizations.slice(0, acmeLimits.authorizationsMax)) await authorize(account, url, request);
  const ready = await settled(account, orderUrl, orderShape, ['ready', 'invalid']);
  if (ready.status !== 'ready') throw new AcmeFailure({ ...factsOf(ready.error), ...nameOf(ready.error) });
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const csr = signingRequest(request.domains, key).toString('base64url');
  await account.post(order.finalize, { csr });
  const finished = await settled(account, orderUrl, orderShape, ['valid', 'invalid']);
  if (finished.status !== 'valid' || finished.certificate === undefined)
    throw new AcmeFailure({ ...factsOf(finished.error), ...nameOf(finished.error) });
  const download = await account.post(finished.certificate, undefined, 'application/pem-certificate-chain');
  const chain = fittingChain(download.body.toString('latin1'), key, request.domains);
  return { key: key.export({ type: 'pkcs8', format: 'pem' }) as string, chain };
}

/** The key of a new account. */
export function makeAccountKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

// ── Proof that a name is ours ──

async function authorize(account: Account, url: string, request: AcmeRequest): Promise<void> {
  const authorization = read(authorizationShape, await account.post(url, undefined));
  const domain = authorization.identifier.value;
  // A proof of last week still holds.
  if (authorization.status === 'valid') return;
  const offered = request.challenges.flatMap((type) => authorization.challenges.filter((one) => one.type === type));
  const chosen = offered[0];
  if (chosen === undefined || chosen.token === undefined)
    throw new AcmeFailure({ reason: 'challenge_unsupported', domain });
  const challenge = chosen.type as ChallengeType;
  const { token } = chosen;
  const keyAuthorization = `${token}.${account.thumbprint}`;
  const end = request.present({ type: challenge, domain, token, keyAuthorization });
  try {
    await account.post(chosen.url, {});
    const decided = await settled(account, url, authorizationShape, [
      'valid',
      'invalid',
      'deactivated',
      'expired',
      'revoked',
    ]);
    if (decided.status === 'valid') return;
    const refused = decided.challenges.find((one) => one.error !== undefined);
    throw new AcmeFailure({ ...factsOf(refused?.error), domain, challenge });
  } finally {
    end();
  }
}

/** Asks again, no faster than it is told to, until the status is one of `ends`. */
async function settled<T extends { status: string }>(
  account: Account,
  url: string,
  shape: z.ZodType<T>,
  ends: readonly string[],
): Promise<T> {
  const { clock, signal } = account.tools;
  const last = clock.monotonic() + acmeLimits.waitMsMax;
  for (;;) {
    const answer = await account.post(url, undefined);
    const state = read(shape, answer);
    if (ends.includes(state.status)) return state;
    const wish = (retryAfter(answer, clock) ?? clock.now()) - clock.now();
    const ms = Math.min(Math.max(wish, acmeLimits.pollMsMin), acmeLimits.pollMsMax);
    if (clock.monotonic() + ms > last) throw new AcmeFailure({ reason: 'timed_out' });
    await pause(ms, clock, signal);
  }
}

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => {
      callOff();
      reject(new AcmeFailure({ reason: 'closed' }));
    };
    const callOff = clock.after(ms, () => {
      signal.removeEventListener('abort', ended);
      resolve();
    });
    if (signal.aborted) ended();
    else signal.addEventListener('abort', ended, { once: true });
  });
}

/** What came must be for our key and for every name, or it would take the place of one that works. */
function fittingChain(pem: string, key: KeyObject, domains: readonly string[]): string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    const leaf = new X509Certificate(blocks[0] ?? '');
    if (leaf.checkPrivateKey(key) && domains.every((name) => leaf.checkHost(name, { wildcards: false }) !== undefined))
      return `${blocks.join('\n')}\n`;
  } catch {
    // Not a certificate at all.
  }
  throw new AcmeFailure({ reason: 'certificate_wrong' });
}

// ── The account, and how it speaks ──

interface Account {
  tools: Tools;
  directory: z.infer<typeof directoryShape>;
  thumbprint: string;
  /** Sends a signed request; without a payload it is the "POST-as-GET" that reads. */
  post(url: string, payload: unknown, accept?: string): Promise<Answer>;
}

/** Registers the key, or finds the account that it already has. */
async function openAccount(request: AcmeRequest, tools: Tools): Promise<Account> {
  const directory = read(directoryShape, await get('GET', request.directoryUrl, tools));
  if (directory.meta?.externalAccountRequired === true) throw new AcmeFailure({ reason: 'externalAccountRequired' });
  const key = createPrivateKey(request.accountKey);
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const nonces: string[] = [];

  async function post(who: { jwk: typeof jwk } | { kid: string }, url: string, payload: unknown, accept?: string) {
    for (let retry = 0; ; retry++) {
      const nonce = nonces.pop() ?? (await freshNonce());
      const text = payload === undefined ? '' : JSON.stringify(payload);
      const signed = await new FlattenedSign(new TextEncoder().encode(text))
        .setProtectedHeader({ alg: 'ES256', nonce, url, ...who })
        .sign(key);
      const answer = await sent(
        {
          method: 'POST',
          url,
          headers: { 'content-type': 'application/jose+json', ...(accept === undefined ? {} : { accept }) },
          body: JSON.stringify(signed),
        },
        tools,
      );
      keepNonce(answer);
      if (answer.status < 300) return answer;
      const failure = failureOf(answer, tools.clock);
      if (failure.facts.reason !== 'badNonce' || retry === acmeLimits.nonceRetries) throw failure;
    }
  }

  async function freshNonce(): Promise<string> {
    keepNonce(await get('HEAD', directory.newNonce, tools));
    const nonce = nonces.pop();
    if (nonce === undefined) throw new AcmeFailure({ reason: 'answer_unreadable' });
    return nonce;
  }

  /** Every answer carries the nonce of the next request. */
  function keepNonce(answer: Answer): void {
    const nonce = answer.headers['replay-nonce'];
    if (typeof nonce === 'string' && /^[A-Za-z0-9_-]{1,512}$/.test(nonce)) nonces.push(nonce);
  }

  const registered = await post({ jwk }, directory.newAccount, {
    termsOfServiceAgreed: true,
    ...(request.email === undefined ? {} : { contact: [`mailto:${request.email}`] }),
  }).catch((error: unknown) => {
    // With a key that it knows and an account that it has closed, an authority answers just that.
    if (error instanceof AcmeFailure && error.facts.reason === 'unauthorized')
      throw new AcmeFailure({ ...error.facts, reason: 'account_closed' });
    throw error;
  });
  if (read(accountShape, registered).status !== 'valid') throw new AcmeFailure({ reason: 'account_closed' });
  const kid = linkOf(registered, directory.newAccount);
  return {
    tools,
    directory,
    thumbprint: await calculateJwkThumbprint(jwk as { kty: string; crv: string; x: string; y: string }, 'sha256'),
    post: (url, payload, accept) => post({ kid }, url, payload, accept),
  };
}

async function get(method: 'GET' | 'HEAD', url: string, tools: Tools): Promise<Answer> {
  const answer = await sent({ method, url }, tools);
  if (answer.status < 300) return answer;
  throw failureOf(answer, tools.clock);
}

async function sent(request: Omit<OutboundRequest, 'purpose'>, { outbound, signal }: Tools): Promise<Answer> {
  if (signal.aborted) throw new AcmeFailure({ reason: 'closed' });
  const answer = await outbound.send({
    ...request,
    headers: { 'accept-language': 'en', ...request.headers },
    timeoutMs: 30_000,
    answerBytesMax: acmeLimits.answerBytes,
    purpose: 'acme',
  });
  if ('failed' in answer) {
    if (answer.failed === 'closed') throw new AcmeFailure({ reason: 'closed' });
    throw new AcmeFailure({ reason: 'unreachable', outbound: answer.failed });
  }
  return answer;
}

// ── What the authority says ──

const problemShape = z.object({
  type: z.string().optional(),
  detail: z.string().optional(),
  subproblems: z
    .array(
      z.object({
        type: z.string().optional(),
        detail: z.string().optional(),
        identifier: z.object({ value: z.string() }).optional(),
      }),
    )
    .optional(),
});
type Problem = z.infer<typeof problemShape>;

const directoryShape = z.object({
  newNonce: z.string(),
  newAccount: z.string(),
  newOrder: z.string(),
  meta: z.object({ externalAccountRequired: z.boolean().optional() }).optional(),
});
const accountShape = z.object({ status: z.string() });
const orderShape = z.object({
  status: z.string(),
  authorizations: z.array(z.string()),
  finalize: z.string(),
  certificate: z.string().optional(),
  error: problemShape.optional(),
});
const authorizationShape = z.object({
  status: z.string(),
  identifier: z.object({ value: z.string() }),
  challenges: z.array(
    z.object({
      type: z.string(),
      url: z.string(),
      token: z
        .string()
        .regex(/^[A-Za-z0-9_-]{16,512}$/)
        .optional(),
      error: problemShape.optional(),
    }),
  ),
});

function read<T>(shape: z.ZodType<T>, answer: Answer): T {
  const parsed = shape.safeParse(jsonOf(answer));
  if (!parsed.success) throw new AcmeFailure({ reason: 'answer_unreadable' });
  return parsed.data;
}

function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function failureOf(answer: Answer, clock: Clock): AcmeFailure {
  const problem = problemShape.safeParse(jsonOf(answer)).data;
  const notBefore = retryAfter(answer, clock);
  const facts = factsOf(problem);
  // What stands in front of an authority answers in its own way, by the status alone.
  if (facts.reason === 'answer_unreadable' && answer.status === 429) facts.reason = 'rateLimited';
  if (facts.reason === 'answer_unreadable' && answer.status >= 500) facts.reason = 'serverInternal';
  return new AcmeFailure({ ...facts, ...nameOf(problem), ...(notBefore === undefined ? {} : { notBefore }) });
}

/** The last part of `urn:ietf:params:acme:error:…`, if it is one that RFC 8555 lists. */
function factsOf(problem: Problem | undefined): { reason: AcmeReason; detail?: string } {
  // One problem inside says more than the word that there are some.
  const inner = problem?.subproblems?.find((one) => one.type !== undefined);
  const type = (inner ?? problem)?.type?.split(':').at(-1) ?? '';
  const detail = inner?.detail ?? problem?.detail;
  return {
    reason: acmeReasons.find((reason) => reason === type) ?? 'answer_unreadable',
    // Control characters of a stranger have no business on the operator's terminal.
    ...(detail === undefined ? {} : { detail: detail.replace(/\p{C}/gu, ' ').slice(0, acmeLimits.detailMax) }),
  };
}

function nameOf(problem: Problem | undefined): { domain?: string } {
  const value = problem?.subproblems?.find((one) => one.identifier !== undefined)?.identifier?.value;
  return value === undefined || !/^[A-Za-z0-9.-]{1,253}$/.test(value) ? {} : { domain: value };
}

function linkOf(answer: Answer, base: string): string {
  const { location } = answer.headers;
  if (location === undefined || !URL.canParse(location, base)) throw new AcmeFailure({ reason: 'answer_unreadable' });
  return new URL(location, base).href;
}

/** Seconds or a date, as HTTP has it. @returns milliseconds since the epoch */
function retryAfter(answer: Answer, clock: Clock): number | undefined {
  const text = answer.headers['retry-after'];
  if (text === undefined) return undefined;
  const at = /^\d{1,9}$/.test(text) ? clock.now() + Number(text) * 1000 : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
