import { createHmac } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { KeyRing } from '../platform/subject.ts';

/**
 * The two tokens of rule R18. The access token is an HS256 JWT of 15 minutes, bound to its audience, issuer and
 * type; the refresh token is 256 bits, opaque, stored as a digest and replaced at each use.
 */
export const accessMinutes = 15;
export const refreshDaysAbsolute = 30;
export const refreshDaysIdle = 14;

const issuer = 'fairlead';
const audience = 'fairlead-desk';
const tokenType = 'at+jwt';

export interface AccessClaims {
  personId: number;
  family: string;
}

export type AccessReading = { kind: 'valid'; claims: AccessClaims } | { kind: 'expired' } | { kind: 'refused' };

export interface Tokens {
  issueAccess(claims: AccessClaims): Promise<string>;
  readAccess(token: string): Promise<AccessReading>;
  /** The first refresh token of a family. */
  newRefresh(): string;
  /**
   * The token that follows `parent`. It is computed, not drawn: two tabs that present the same parent within the
   * grace get the same child, and nothing has to be stored in clear for that.
   */
  childOf(parent: string, generation: number): string;
  refreshDigest(token: string): Buffer;
}

export function openTokens(options: { keys: KeyRing; clock: Clock; random: Random }): Tokens {
  const { keys, clock } = options;
  const accessKey = keys.derive('access-token');
  const keyId = keys.fingerprint;
  const refreshKey = keys.derive('refresh-token');
  return {
    issueAccess({ personId, family }) {
      const nowSeconds = Math.floor(clock.now() / 1000);
      return new SignJWT({ fam: family })
        .setProtectedHeader({ alg: 'HS256', typ: tokenType, kid: keyId })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(String(personId))
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + accessMinutes * 60)
        .sign(accessKey);
    },
    async readAccess(token) {
      try {
        const { payload } = await jwtVerify(token, accessKey, {
          algorithms: ['HS256'],
          issuer,
          audience,
          typ: tokenType,
          requiredClaims: ['exp', 'sub', 'fam'],
          currentDate: new Date(clock.now()),
        });
        const personId = Number(payload.sub);
        if (!Number.isSafeInteger(personId) || typeof payload.fam !== 'string') return { kind: 'refused' };
        return { kind: 'valid', claims: { personId, family: payload.fam } };
      } catch (error) {
        return { kind: (error as { code?: string }).code === 'ERR_JWT_EXPIRED' ? 'expired' : 'refused' };
      }
    },
    newRefresh: () => options.random.bytes(32).toString('base64url'),
    childOf: (parent, generation) =>
      createHmac('sha256', refreshKey).update(`child\n${generation}\n${parent}`).digest('base64url'),
    refreshDigest: (token) => createHmac('sha256', refreshKey).update(`stored\n${token}`).digest(),
  };
}
