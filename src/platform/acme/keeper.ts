import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../clock.ts';
import { type Config, isLoopback } from '../config.ts';
import type { HttpTls } from '../http/tls.ts';
import type { Log } from '../log.ts';
import type { Outbound } from '../outbound/index.ts';
import type { Random } from '../random.ts';
import type { Gauge } from '../subject.ts';
import { utcDay } from '../zone.ts';
import { noCertificateYet, openAnswers, openPlainHttp, type PlainHttp, tlsDoor } from './answers.ts';
import { type IssuedCertificate, obtainCertificate } from './conversation.ts';
import { type AcmeFacts, AcmeFailure, type AcmeReason, type ChallengeType, sentenceOf } from './failure.ts';
import { type AcmeHistory, type AcmeStore, acmeFolder, openAcmeStore, readCertificate } from './store.ts';

/**
 * Keeps a certificate for the names of `FAIRLEAD_ACME_DOMAINS`: fetches the first, renews it at two thirds of its life,
 * and goes on with the one it has while a renewal fails. Nothing that an authority does or does not do ends the desk.
 */
export interface CertificateKeeper {
  /** What the HTTPS listener is opened with. */
  tls: HttpTls;
  /** Opens port 80, then looks at once and from then on; `renewed` is told of each new certificate. */
  begin(renewed: (context: SecureContextOptions) => void): Promise<void>;
  /** Fetches a certificate if one is due now. Never fails: what went wrong is in the state. */
  look(): Promise<void>;
  state(): CertificateState;
  /** The port where challenges of http-01 are answered; undefined when it could not be opened or is not wanted. */
  httpPort(): number | undefined;
  gauges: Gauge[];
  stop(): Promise<void>;
}

export interface CertificateState {
  /** Host of the authority. */
  authority: string;
  domains: readonly string[];
  certificate?: { names: readonly string[]; until: number; renewAt: number };
  /** In a row, up to now. */
  failures: number;
  failed?: AcmeHistory['failed'];
  nextAttempt: number;
  /** What stands in the way on this side, in sentences. */
  obstacles: string[];
}

export interface KeeperParts {
  config: Pick<Config, 'host' | 'port' | 'publicUrl' | 'keyFile'> & { acme: NonNullable<Config['acme']> };
  outbound: Pick<Outbound, 'send'>;
  clock: Clock;
  random: Random;
  log: Log;
  /** Paths of the collection plane, which plain HTTP refuses. */
  collection?: readonly string[];
  /** Lines for the operator. */
  say?: (line: string) => void;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Looked at least so often: a clock that is set, or a machine that slept, must not hide a date. */
const lookMs = hourMs;
/**
 * Pauses after failures in a row, each a quarter more or less by chance. Let's Encrypt takes five failed proofs of a
 * name in an hour: this is four in the first hour.
 */
const backoffMs = [minuteMs, 5 * minuteMs, 20 * minuteMs, hourMs, 3 * hourMs, 6 * hourMs];
/** A new start may ask sooner than the pause says, since somebody may have mended the cause, but not over and over. */
const restartMs = 15 * minuteMs;
/** An authority's wish to be left alone is heeded up to here. */
const askedMsMax = 7 * dayMs;
/** A desk whose clock is wrong finds every certificate due. It shall not fetch one after another: at most one a day, or two in a life. */
const betweenMs = dayMs;
/** The jitter: renewal is up to this share of the life earlier than two thirds. */
const earlierShare = 1 / 30;

export function openCertificateKeeper(parts: KeeperParts): CertificateKeeper {
  const { config, clock, random, log } = parts;
  const { acme } = config;
  const say = parts.say ?? (() => {});
  const authority = new URL(acme.directoryUrl).host;
  const store = openAcmeStore(acmeFolder({ keyFile: config.keyFile, directoryUrl: acme.directoryUrl }));
  const answers = openAnswers({ clock, random });
  const ending = new AbortController();
  const ends = new Map<'ok' | AcmeReason, number>();
  let certificate = store.certificate(acme.domains);
  let earlier = chance(random);
  let history = historyAtStart(store, acme.domains, clock.now());
  let plain: PlainHttp | { code: string } | undefined;
  let renewed: (context: SecureContextOptions) => void = () => {};
  let underWay: Promise<void> | undefined;
  let callOff = () => {};
  let putAside = false;

  const hasCertificate = () => certificate !== undefined;

  /** When the next certificate is wanted, whether or not an attempt is allowed then. */
  function renewAt(): number {
    if (certificate === undefined || !acme.domains.every((name) => certificate?.names.includes(name))) return 0;
    const life = certificate.until - certificate.from;
    const due = certificate.from + life * (2 / 3 - earlier * earlierShare);
    const { issuedAt } = history;
    const between = Math.min(betweenMs, life / 2);
    const justIssued = issuedAt !== undefined && Math.abs(clock.now() - issuedAt) < between;
    return justIssued ? Math.max(due, issuedAt + between) : due;
  }

  function nextAttempt(): number {
    // A date far ahead was written by a clock that was wrong.
    const paused = history.notBefore - clock.now() > askedMsMax + dayMs ? 0 : history.notBefore;
    return Math.max(renewAt(), paused);
  }

  function look(): Promise<void> {
    if (underWay === undefined && !ending.signal.aborted && clock.now() >= nextAttempt())
      underWay = attempt().finally(() => {
        underWay = undefined;
      });
    return underWay ?? Promise.resolve();
  }

  /** Looks, and plans the next look. */
  async function watch(): Promise<void> {
    await look();
    if (ending.signal.aborted) return;
    const ms = Math.min(Math.max(nextAttempt() - clock.now(), 1_000), lookMs);
    callOff = clock.after(ms, () => void watch());
  }

  async function attempt(): Promise<void> {
    say(`Asking ${authority} for a certificate for ${acme.domains.join(', ')} …`);
    const ways = challengesInOrder();
    let key: string;
    try {
      key = store.accountKey();
    } catch {
      return failed({ reason: 'not_stored' }, ways);
    }
    try {
      const issued = await obtainCertificate(
        { ...acme, accountKey: key, challenges: ways, present: answers.present },
        { outbound: parts.outbound, clock, signal: ending.signal },
      );
      succeeded(issued, ways[0] as ChallengeType);
    } catch (error) {
      if (ending.signal.aborted) return;
      const facts = error instanceof AcmeFailure ? error.facts : undefined;
      if (facts === undefined) log.error('acme.failed', {}, error);
      if (facts?.reason === 'account_closed' && !putAside) return again(ways);
      failed(facts ?? { reason: 'answer_unreadable' }, ways);
    }
  }

  /** Once, with a key of its own: an account ends for good, and a desk without HTTPS helps nobody. */
  async function again(ways: readonly ChallengeType[]): Promise<void> {
    putAside = true;
    log.warn('acme.account_closed');
    try {
      store.setAccountAside();
    } catch {
      return failed({ reason: 'not_stored' }, ways);
    }
    return attempt();
  }

  function succeeded(issued: IssuedCertificate, first: ChallengeType): void {
    const now = clock.now();
    const name = acme.domains[0] as string;
    count('ok');
    let isStored = true;
    try {
      store.keepCertificate(name, issued);
    } catch (error) {
      isStored = false;
      log.error('acme.not_stored', {}, error);
    }
    certificate = readCertificate(issued);
    earlier = chance(random);
    keep({ domains: [...acme.domains], failures: 0, notBefore: 0, issuedAt: now, challenge: first });
    const until = certificate?.until ?? now;
    renewed(contextOf(issued));
    log.info('acme.issued', { days: Math.round((until - now) / dayMs) });
    say(`The certificate is there and ends on ${utcDay(until)}; it is renewed by itself.`);
    // It serves until the process ends; the next start would have to fetch another.
    if (!isStored) note({ reason: 'not_stored' }, now, 0);
  }

  function failed(facts: AcmeFacts, ways: readonly ChallengeType[]): void {
    const now = clock.now();
    count(facts.reason);
    const pause = backoffMs[Math.min(history.failures, backoffMs.length - 1)] as number;
    const asked = Math.min(facts.notBefore ?? 0, now + askedMsMax);
    const notBefore = Math.max(now + Math.round(pause * (0.75 + chance(random) / 2)), asked);
    // A way of proof that does not reach this desk makes room for the other one.
    const turn = facts.challenge === undefined ? ways[0] : (ways.find((way) => way !== facts.challenge) ?? ways[0]);
    history = { ...history, challenge: turn, ...(asked > now ? { asked } : {}) };
    note(facts, now, notBefore);
    log.warn('acme.attempt_failed', {
      reason: facts.reason,
      outbound: facts.outbound,
      challenge: facts.challenge,
      failures: history.failures,
      again_s: Math.round((notBefore - now) / 1000),
      has_certificate: hasCertificate(),
    });
    say(`There is no new certificate: ${history.failed?.sentence ?? ''}`);
  }

  function note(facts: AcmeFacts, at: number, notBefore: number): void {
    const sentence = sentenceOf(facts, { authority, port: config.port, httpPort: acme.httpPort });
    const failures = history.failures + 1;
    keep({
      ...history,
      domains: [...acme.domains],
      failures,
      failed: { at, reason: facts.reason, sentence },
      notBefore,
    });
  }

  function keep(next: AcmeHistory): void {
    history = next;
    try {
      store.keepHistory(next);
    } catch (error) {
      log.error('acme.not_stored', {}, error);
    }
  }

  function count(end: 'ok' | AcmeReason): void {
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }

  /** What worked or is more likely to work comes first: authorities knock at 443 and at 80, wherever this desk listens. */
  function challengesInOrder(): ChallengeType[] {
    if (!isListening(plain)) return ['tls-alpn-01'];
    const first = history.challenge ?? (config.port === 443 ? 'tls-alpn-01' : 'http-01');
    return first === 'http-01' ? ['http-01', 'tls-alpn-01'] : ['tls-alpn-01', 'http-01'];
  }

  return {
    tls: {
      context: certificate === undefined ? noCertificateYet(parts) : contextOf(certificate),
      ...tlsDoor(answers, hasCertificate),
    },
    async begin(tell) {
      renewed = tell;
      if (acme.httpPort !== 0) {
        const { domains } = acme;
        const { host, publicUrl } = config;
        plain = await openPlainHttp({
          host,
          port: acme.httpPort,
          answers,
          domains,
          publicUrl,
          hasCertificate,
          collection: parts.collection ?? [],
        });
        if (!isListening(plain)) log.warn('acme.port_80_not_open', { port: acme.httpPort, code: plain.code });
      }
      if (!hasCertificate()) say(waitingSentence);
      for (const obstacle of obstaclesOf(parts.config, plain)) say(obstacle);
      void watch();
    },
    look,
    state: () => ({
      authority,
      domains: acme.domains,
      ...(certificate === undefined
        ? {}
        : { certificate: { names: certificate.names, until: certificate.until, renewAt: renewAt() } }),
      failures: history.failures,
      ...(history.failed === undefined ? {} : { failed: history.failed }),
      nextAttempt: nextAttempt(),
      obstacles: obstaclesOf(parts.config, plain),
    }),
    httpPort: () => (isListening(plain) ? plain.port : undefined),
    gauges: [
      {
        name: 'fairlead_acme_attempts_total',
        help: 'Attempts to fetch a certificate since the start, by how they ended.',
        kind: 'counter',
        read: () => [...ends].map(([end, value]) => ({ labels: { end }, value })),
      },
      {
        name: 'fairlead_acme_failures_in_a_row',
        help: 'Failed attempts to fetch a certificate since the last that succeeded, restarts included.',
        kind: 'gauge',
        read: () => history.failures,
      },
      {
        name: 'fairlead_certificate_ends_timestamp_seconds',
        help: 'When the certificate of the HTTPS listener ends (Unix time); 0 while there is none.',
        kind: 'gauge',
        read: () => Math.round((certificate?.until ?? 0) / 1000),
      },
    ],
    async stop() {
      ending.abort();
      callOff();
      await underWay;
      if (isListening(plain)) await plain.close();
    },
  };
}

/** The same from the files alone, for the doctor, who may come while no desk runs. */
export function readCertificateState(config: KeeperParts['config']): CertificateState {
  const { acme, keyFile } = config;
  const store = openAcmeStore(acmeFolder({ keyFile, directoryUrl: acme.directoryUrl }));
  const certificate = store.certificate(acme.domains);
  const { failures, failed, notBefore } = store.history();
  return {
    authority: new URL(acme.directoryUrl).host,
    domains: acme.domains,
    ...(certificate === undefined
      ? {}
      : {
          certificate: {
            names: certificate.names,
            until: certificate.until,
            renewAt: certificate.from + (certificate.until - certificate.from) * (2 / 3),
          },
        }),
    failures,
    ...(failed === undefined ? {} : { failed }),
    nextAttempt: notBefore,
    obstacles: obstaclesOf(config, undefined),
  };
}

const waitingSentence =
  'There is no certificate yet: until the first one comes, HTTPS connections are turned away and nothing is served under a certificate that nobody vouches for.';

/** What keeps an authority from reaching this desk, as far as it can be seen from here. */
function obstaclesOf(config: KeeperParts['config'], plain: PlainHttp | { code: string } | undefined): string[] {
  const { acme, host, port } = config;
  const found: string[] = [];
  if (isLoopback(host))
    found.push(
      `HOST is ${host}, which only this machine reaches: set HOST=0.0.0.0 (or HOST=::), unless something leads ports 443 and 80 here.`,
    );
  if (plain !== undefined && !isListening(plain))
    found.push(
      `Port ${acme.httpPort} cannot be opened (${plain.code}), so http:// addresses are not sent on and names are proved on port 443 alone. Let the desk use low ports (docs/guides/https.md), or set FAIRLEAD_ACME_HTTP_PORT.`,
    );
  if (port !== 443)
    found.push(
      `PORT is ${port}: names are proved on port 443 only if something leads it to ${port}, otherwise on port 80.`,
    );
  return found;
}

function isListening(plain: PlainHttp | { code: string } | undefined): plain is PlainHttp {
  return plain !== undefined && 'port' in plain;
}

/** Of what an earlier process wrote; other names begin anew. */
function historyAtStart(store: AcmeStore, domains: readonly string[], now: number): AcmeHistory {
  const history = store.history();
  const isSame = domains.length === history.domains.length && domains.every((name) => history.domains.includes(name));
  if (!isSame) return { domains: [...domains], failures: 0, notBefore: 0, asked: history.asked };
  const failedAt = Math.min(history.failed?.at ?? 0, now);
  const soonest = Math.max(failedAt + restartMs, history.asked ?? 0);
  return { ...history, notBefore: Math.min(history.notBefore, Math.max(soonest, now)) };
}

function contextOf({ key, chain }: { key: string; chain: string }): SecureContextOptions {
  return { key, cert: chain };
}

/** Uniform in [0, 1). */
function chance(random: Random): number {
  return random.bytes(4).readUInt32LE() / 2 ** 32;
}
