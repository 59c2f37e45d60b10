import { type ProviderId, providerIds } from '../../../contract/identities.ts';
import { signUpLimits } from '../../../contract/sign_up.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Agreed } from '../legal/index.ts';

/** What somebody told who has no account yet. */
export interface Told {
  email: string;
  name: string;
  /** Empty where it is not said yet. */
  organisation: string;
}
/** How they will sign in: with a password, or with an account elsewhere. */
type Way = { hash: string; agreed: Agreed } | { provider: ProviderId; identity: Buffer };
export interface WaitingSignUp extends Told {
  digest: Buffer;
  /** Keyed digest of the token of the invitation that is followed. */
  invitation: Buffer | undefined;
  way: Way;
}

/** Sign-ups at once: a flood of them must not fill the disk. */
const waitingMax = 20_000;

/**
 * Sign-ups that wait for the link of a mail, or for what is left to say. Found by the digest of 256 random bits, gone
 * when they are used, at the latest an hour later (AUT-08, AUT-11). What was told is sealed.
 */
export interface WaitingSignUps {
  /** @returns the token, which is kept nowhere. @throws RequestError rate_limited */
  add(told: Told, way: Way, invitation: Buffer | undefined): Promise<string>;
  /** @throws RequestError link_expired */
  find(token: string): Promise<WaitingSignUp>;
  /** Takes it out in the caller's transaction, so that it counts once. @returns false when it was taken already */
  take(sql: Sql, waiting: Pick<WaitingSignUp, 'digest'>): Promise<boolean>;
}

export function openWaitingSignUps({
  postgres,
  clock,
  random,
  keys,
  vault,
}: Pick<House, 'postgres' | 'clock' | 'random' | 'keys' | 'vault'>): WaitingSignUps {
  const digestOf = (token: string) => keys.digest('one-time-token', `sign-up ${token}`);
  const place = (digest: Buffer) =>
    ({ organisationId: 'desk', table: 'sign_ups', column: 'told', row: digest.toString('hex'), class: 'D7' }) as const;

  return {
    async add(told, way, invitation) {
      const token = random.bytes(32).toString('base64url');
      const digest = digestOf(token);
      const sealed = await vault.seal(place(digest), JSON.stringify(told));
      const now = clock.now();
      await postgres.system(async (sql) => {
        const { count } = await sql.one<{ count: number }>('SELECT count(*) AS count FROM sign_ups');
        if (count >= waitingMax)
          throw new RequestError(
            'rate_limited',
            'Too many people sign up at this moment. Try again in a few minutes.',
            { headers: { 'retry-after': '300' } },
          );
        await sql.run(
          `INSERT INTO sign_ups (digest, told, hash, accepted, provider, identity, invitation, created_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
          [
            digest,
            sealed,
            'hash' in way ? way.hash : null,
            'hash' in way ? JSON.stringify(way.agreed) : null,
            'provider' in way ? way.provider : null,
            'provider' in way ? way.identity : null,
            invitation ?? null,
            new Date(now),
            new Date(now + signUpLimits.linkMinutes * 60_000),
          ],
        );
      });
      return token;
    },

    async find(token) {
      const digest = digestOf(token);
      const row = await postgres.system((sql) =>
        sql.maybe<{
          told: Buffer;
          hash: string | null;
          accepted: Agreed | null;
          provider: string | null;
          identity: Buffer | null;
          invitation: Buffer | null;
        }>(
          'SELECT told, hash, accepted, provider, identity, invitation FROM sign_ups WHERE digest = $1 AND expires_at > $2',
          [digest, new Date(clock.now())],
        ),
      );
      if (row === undefined) throw expired();
      const told = JSON.parse((await vault.open(place(digest), row.told)).toString('utf8')) as Told;
      const provider = providerIds.find((one) => one === row.provider);
      const way: Way =
        provider === undefined
          ? { hash: row.hash as string, agreed: row.accepted as Agreed }
          : { provider, identity: row.identity as Buffer };
      return { ...told, digest, invitation: row.invitation ?? undefined, way };
    },

    async take(sql, { digest }) {
      return (await sql.run('DELETE FROM sign_ups WHERE digest = $1', [digest])) === 1;
    },
  };
}

export function expired(): RequestError {
  return new RequestError(
    'link_expired',
    'This link was used already, or its hour is over. Sign up again: the last mail that was sent is the one to open.',
  );
}
