import { createHash } from 'node:crypto';
import type { Challenge } from '../contract/errors.ts';

/** Does the work that a throttle asks for, as a browser does (web/src/sign_in/work.ts). The first is about 130,000 hashes. */
export function solved({ token, bits }: Pick<Challenge, 'token' | 'bits'>): { token: string; answer: string } {
  for (let count = 0; ; count++) {
    const answer = String(count);
    if (createHash('sha256').update(`${token}.${answer}`).digest().readUInt32BE(0) >>> (32 - bits) === 0)
      return { token, answer };
  }
}
