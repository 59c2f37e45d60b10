import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Challenge } from '../../contract/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { RequestError } from '../platform/http/route.ts';
import type { Postgres, Sql } from '../platform/postgres/index.ts';
import type { Random } from '../platform/random.ts';
import type { KeyRing } from '../platform/subject.ts';

/**
 * Slows down guessing, by account and by network, so that twelve rotating addresses on one account are stopped as well
 * as one address on many (AUT-10). Counted in a table under keyed digests: processes count together, and the table says
 * neither address nor e-mail. Nobody is locked out: past the free tries each further one costs work, which a browser
 * does in seconds and which doubles with every failure (docs/decisions/2026-11-28-hardening.md).
 * It has no state of its own: every part may open one.
 */
export interface Throttles {
  /**
   * Counts a try as failed until the caller says otherwise, so that many at once are counted as many.
   * @param who.account what is guessed at, in any spelling that the caller has made one
   * @throws RequestError rate_limited with a challenge; a try that it refuses counts as none
   */
  enter(limit: GuessLimit, who: { account?: string; address: string }, proof?: Proof): Promise<Entered>;
  /**
   * Takes one of so many in a window, such as reset mails.
   * @throws RequestError rate_limited with Retry-After
   */
  take(limit: Allowance, subject: string): Promise<void>;
}

interface Entered {
  /** It was right: what failed for this account before is forgotten. */
  succeeded(): Promise<void>;
  /** It failed for a reason that says nothing about the guess: as if it had not been. */
  takeBack(): Promise<void>;
}
/** A solved challenge, as the sender of a try gives it back. */
export interface Proof {
  token: string;
  answer: string;
}
interface GuessLimit {
  name: string;
  /** Failures that are free within the window. */
  perAccount: number;
  perNetwork: number;
  windowMs: number;
}
export interface Allowance {
  name: string;
  most: number;
  windowMs: number;
  /** What was asked for too often, in the plural. */
  what: string;
}

const quarterMs = 15 * 60_000;
export const signInLimit: GuessLimit = { name: 'sign-in', perAccount: 5, perNetwork: 20, windowMs: quarterMs };
export const setUpLimit: GuessLimit = { name: 'set-up', perAccount: 20, perNetwork: 20, windowMs: quarterMs };
export const resetLimit: Allowance = { name: 'reset', most: 3, windowMs: 3_600_000, what: 'links for a new password' };
/** Wrong codes in the second step of signing in. Only who knows the password gets there. */
export const codeLimit: GuessLimit = { name: 'code', perAccount: 10, perNetwork: 20, windowMs: quarterMs };
/**
 * Codes of one account in a day, right ones too, which no work adds to: six digits are few, and machines that do the work
 * for others are fast. A guess has three chances in a million, since three codes are taken at a time, so this is one in 3,300.
 */
export const codesOfDay: Allowance = { name: 'codes-of-day', most: 100, windowMs: 86_400_000, what: 'codes' };
/** Codes that a session has given, to change its own authenticator. */
export const codeProofLimit: Allowance = { name: 'code-proof', most: 10, windowMs: quarterMs, what: 'codes' };
/** Passwords that a session has given again, to change what matters. */
export const proofLimit: Allowance = { name: 'proof', most: 10, windowMs: quarterMs, what: 'passwords' };
/** Links of mails that do not work, of one network: many people may sit behind one, and 256 bits are not guessed. */
export const presentedLimit: GuessLimit = {
  name: 'presented-link',
  perAccount: 100,
  perNetwork: 100,
  windowMs: 3_600_000,
};
export const linkLimit: Allowance = { name: 'link', most: 3, windowMs: 3_600_000, what: 'links of this kind' };
/** Of one address: beginnings of a sign-in with a provider or a passkey, each of which is a row for ten minutes. */
export const beginLimit: Allowance = {
  name: 'begin-sign-in',
  most: 300,
  windowMs: quarterMs,
  what: 'beginnings of a sign-in',
};
/** Of one network: what makes the desk write mails to whoever is named. */
export const askLimit: Allowance = { name: 'ask', most: 60, windowMs: 3_600_000, what: 'mails' };

/** Of one address, over all organisations: mails that begin a request about somebody's data. */
export const requestLimit: Allowance = { name: 'request', most: 1, windowMs: 86_400_000, what: 'mails of this kind' };

/** The limits of the public form for requests of data subjects, which does not know accounts. */
export function requestLimits(house: Parameters<typeof openThrottles>[0]): {
  ofNetwork(address: string): Promise<void>;
  ofAddress(email: string): Promise<void>;
} {
  const throttles = openThrottles(house);
  return {
    ofNetwork: (address) => throttles.take(askLimit, networkOf(address)),
    ofAddress: (email) => throttles.take(requestLimit, email),
  };
}

/** Of one network: concerns by the public form. Somebody who saw something writes once or twice. */
const concernsOfNetwork: Allowance = { name: 'concern', most: 10, windowMs: 3_600_000, what: 'concerns' };
/** Of one organisation, from everywhere: what people can read in a day, and no disk is filled by it. */
const concernsOfDay: Allowance = { name: 'concerns-of-day', most: 200, windowMs: 86_400_000, what: 'concerns' };

/** The limits of the public form for concerns. */
export function concernLimits(house: Parameters<typeof openThrottles>[0]): {
  ofNetwork(address: string): Promise<void>;
  ofOrganisation(id: number): Promise<void>;
} {
  const throttles = openThrottles(house);
  return {
    ofNetwork: (address) => throttles.take(concernsOfNetwork, networkOf(address)),
    ofOrganisation: (id) => throttles.take(concernsOfDay, String(id)),
  };
}

/** The first challenge is about 130,000 hashes, the dearest 8 million: some seconds of a browser. */
const bitsFirst = 17;
const bitsMost = 23;
/** Failures of a network: the wait doubles from 2 s to a minute, and no work shortens it. */
const waitSecondsMost = 60;
const challengeMs = 10 * 60_000;
/** About 20 MB of table. */
const throttleRowsMax = 200_000;

export function openThrottles(house: {
  postgres: Pick<Postgres, 'system'>;
  clock: Clock;
  random: Random;
  keys: Pick<KeyRing, 'digest'>;
}): Throttles {
  const { postgres, clock, random, keys } = house;
  const digestOf = (limit: { name: string }, kind: string, value: string) =>
    keys.digest('throttle', `${limit.name}\0${kind}\0${value}`);

  /** What a further try costs this account from this network; undefined = nothing. */
  function priceOf(failures: { account: number; network: number }, limit: GuessLimit): Price | undefined {
    const overAccount = failures.account - limit.perAccount + 1;
    const overNetwork = failures.network - limit.perNetwork + 1;
    const over = Math.max(overAccount, overNetwork);
    if (over <= 0) return undefined;
    return {
      bits: Math.min(bitsFirst + over - 1, bitsMost),
      waitSeconds: overNetwork <= 0 ? 0 : Math.min(2 ** Math.min(overNetwork, 10), waitSecondsMost),
    };
  }

  function challengeOf(price: Price, subject: Buffer, limit: GuessLimit, waitSeconds: number): RequestError {
    const payload = Buffer.from(
      JSON.stringify({
        b: price.bits,
        t: clock.now(),
        s: subject.toString('base64url'),
        r: random.bytes(9).toString('hex'),
      }),
    ).toString('base64url');
    const challenge: Challenge = {
      token: `${payload}.${keys.digest('throttle', `challenge\0${payload}`).toString('base64url')}`,
      bits: price.bits,
      wait_seconds: waitSeconds,
    };
    const seconds = Math.ceil(limit.windowMs / 1000);
    return new RequestError(
      'rate_limited',
      `Too many tries failed. Try again in ${Math.ceil(seconds / 60)} minutes, or solve the challenge and try now: the page does so by itself.`,
      { headers: { 'retry-after': String(seconds) }, challenge },
    );
  }

  /** Has somebody worked for this try? Says so once per challenge. */
  async function isPaid(sql: Sql, proof: Proof, price: Price, subject: Buffer): Promise<boolean> {
    const [payload = '', mac = ''] = proof.token.split('.');
    const wanted = keys.digest('throttle', `challenge\0${payload}`);
    const given = Buffer.from(mac, 'base64url');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return false;
    const { b, t, s } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { b: number; t: number; s: string };
    const age = clock.now() - t;
    // A challenge of two failures ago still counts: somebody else may have failed while this one was being solved.
    if (s !== subject.toString('base64url') || age < 0 || age > challengeMs || b < price.bits - 2) return false;
    if (zeroBits(createHash('sha256').update(`${proof.token}.${proof.answer}`).digest()) < b) return false;
    const spent = await sql.query(
      'INSERT INTO throttles (digest, count, last_at, forget_at) VALUES ($1, 1, $2, $3) ON CONFLICT DO NOTHING RETURNING count',
      [keys.digest('throttle', `spent\0${payload}`), new Date(clock.now()), new Date(clock.now() + challengeMs)],
    );
    return spent.length === 1;
  }

  return {
    async enter(limit, who, proof) {
      const network = digestOf(limit, 'network', networkOf(who.address));
      const account = digestOf(limit, 'account', who.account ?? '');
      const counted = who.account === undefined ? [network] : [network, account];
      const subject = keys.digest('throttle', Buffer.concat(counted));
      const refusal = await postgres.system(async (sql) => {
        const rows = await lockRows(sql, counted, clock.now(), limit.windowMs);
        const failures = {
          account: who.account === undefined ? 0 : (rows.get(account.toString('hex'))?.count ?? 0),
          network: rows.get(network.toString('hex'))?.count ?? 0,
        };
        const price = priceOf(failures, limit);
        if (price !== undefined) {
          const lastAt = rows.get(network.toString('hex'))?.lastAt ?? 0;
          const wait = Math.max(0, Math.ceil((lastAt + price.waitSeconds * 1000 - clock.now()) / 1000));
          const paid = wait === 0 && proof !== undefined && (await isPaid(sql, proof, price, subject));
          if (!paid) return challengeOf(price, subject, limit, wait);
        }
        await sql.run(
          `UPDATE throttles SET count = CASE WHEN forget_at <= $2 THEN 1 ELSE count + 1 END, last_at = $2, forget_at = $3
           WHERE digest = ANY($1)`,
          [counted, new Date(clock.now()), new Date(clock.now() + limit.windowMs)],
        );
        return undefined;
      });
      if (refusal !== undefined) throw refusal;
      const lessThen = (forgotten: Buffer | null) =>
        postgres.system(async (sql) => {
          await sql.run(
            'UPDATE throttles SET count = CASE WHEN digest = $2 THEN 0 ELSE greatest(count - 1, 0) END WHERE digest = ANY($1)',
            [counted, forgotten],
          );
        });
      return { succeeded: () => lessThen(account), takeBack: () => lessThen(null) };
    },

    async take(limit, subject) {
      const now = clock.now();
      const row = await postgres.system((sql) =>
        sql.one<{ count: number; forget_at: Date }>(
          `INSERT INTO throttles AS t (digest, count, last_at, forget_at) VALUES ($1, 1, $2, $3)
           ON CONFLICT (digest) DO UPDATE SET last_at = $2,
             count = CASE WHEN t.forget_at <= $2 THEN 1 ELSE t.count + 1 END,
             forget_at = CASE WHEN t.forget_at <= $2 THEN $3 ELSE t.forget_at END
           RETURNING count, forget_at`,
          [digestOf(limit, 'allowance', subject), new Date(now), new Date(now + limit.windowMs)],
        ),
      );
      if (row.count <= limit.most) return;
      const seconds = Math.max(1, Math.ceil((row.forget_at.getTime() - now) / 1000));
      throw new RequestError(
        'rate_limited',
        `More than ${limit.most} ${limit.what} were asked for. Try again in ${Math.ceil(seconds / 60)} minutes.`,
        { headers: { 'retry-after': String(seconds) } },
      );
    },
  };
}

/** Reads what a link leads to: a link that leads nowhere counts against the network, whichever kind it is of. */
export async function presented<T>(
  throttles: Pick<Throttles, 'enter'>,
  { address, proof }: { address: string; proof: Proof | undefined },
  read: () => Promise<T>,
): Promise<T> {
  const entered = await throttles.enter(presentedLimit, { address }, proof);
  const found = await read();
  await entered.takeBack();
  return found;
}

/** Rows that count no more go, and what a flood left beyond the most that are kept. Called every few minutes. */
export function forgetThrottles(postgres: Pick<Postgres, 'retention'>, clock: Clock): Promise<number> {
  return postgres.retention(async (sql) => {
    const { gone } = await sql.one<{ gone: number }>('SELECT retention.delete_old_throttles($1, $2) AS gone', [
      new Date(clock.now()),
      throttleRowsMax,
    ]);
    return gone;
  });
}

interface Price {
  bits: number;
  waitSeconds: number;
}

/** Holds the rows, made where there are none, so that tries at once are counted one after the other. */
async function lockRows(
  sql: Sql,
  digests: Buffer[],
  now: number,
  windowMs: number,
): Promise<Map<string, { count: number; lastAt: number }>> {
  const sorted = digests.toSorted(Buffer.compare);
  const moment = new Date(now);
  await sql.run(
    `INSERT INTO throttles (digest, count, last_at, forget_at)
     SELECT one, 0, $2, $3 FROM unnest($1::bytea[]) AS one ON CONFLICT DO NOTHING`,
    [sorted, moment, new Date(now + windowMs)],
  );
  const rows = await sql.query<{ digest: Buffer; count: number; last_at: Date; forget_at: Date }>(
    'SELECT digest, count, last_at, forget_at FROM throttles WHERE digest = ANY($1) ORDER BY digest FOR UPDATE',
    [sorted],
  );
  return new Map(
    rows.map((row) => [
      row.digest.toString('hex'),
      { count: row.forget_at.getTime() <= now ? 0 : row.count, lastAt: row.last_at.getTime() },
    ]),
  );
}

/** What somebody who holds one address holds all of: a /24 of IPv4, a /64 of IPv6. */
export function networkOf(address: string): string {
  if (isIPv4(address)) return address.split('.').slice(0, 3).join('.');
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined ? left : [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

function zeroBits(digest: Buffer): number {
  let bits = 0;
  for (const byte of digest) {
    if (byte === 0) bits += 8;
    else return bits + Math.clz32(byte) - 24;
  }
  return bits;
}
