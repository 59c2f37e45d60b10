import { createHash } from 'node:crypto';
import type { Random } from '../../platform/random.ts';
import type { KeyRing } from '../../platform/subject.ts';
import type { Vault } from '../../platform/vault.ts';
import { openSeal } from '../keys/index.ts';

/** Seals under one key of the root for now; the envelope of organisation and subject keys takes its place. */
export function openVault({ keys, random }: { keys: KeyRing; random: Random }): Vault {
  const seal = openSeal(keys.derive('vault'), random);
  const context = (place: object) => JSON.stringify(place);
  return {
    async seal(place, plain) {
      return Buffer.from(seal.seal(Buffer.from(plain).toString('base64'), context(place)), 'base64url');
    },
    async open(place, sealed) {
      const text = seal.open(sealed.toString('base64url'), context(place));
      if (text === undefined) throw new Error('This value was sealed for another place, or was changed.');
      return Buffer.from(text, 'base64');
    },
    async subject(organisationId, kind, value) {
      return keys.digest('vault', createHash('sha256').update(`${organisationId}\n${kind}\n${value}`).digest());
    },
    async shred() {},
  };
}
