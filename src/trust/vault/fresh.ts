import type { Random } from '../../platform/random.ts';
import type { FreshKey, FreshKeys } from '../../platform/vault.ts';
import { keyIdBytes, type LiveKey, liveKey, nonceBytes, sealFor, subjectKeyBound, wrap } from './cipher.ts';

/**
 * Keys that are made here and now, each wrapped by a key of the organisation.
 * @param take the key above them for one message; undefined while none is at hand
 */
export function freshKeysUnder(
  organisationId: number,
  take: () => LiveKey | undefined,
  random: Random,
): Pick<FreshKeys, 'make'> {
  return {
    make(subject) {
      const above = take();
      if (above === undefined) return undefined;
      const id = random.bytes(keyIdBytes);
      const bytes = random.bytes(32);
      const bound = subjectKeyBound(organisationId, id, subject);
      const wrapped = wrap(bytes, above.key, bound, random.bytes(nonceBytes));
      const key: FreshKey = { id, subject, wrappedBy: above.id, wrapped };
      const live = liveKey(id, bytes);
      return {
        key,
        seal: (place, plain) =>
          sealFor({ ...place, organisationId, subject }, live, Buffer.from(plain), random.bytes(nonceBytes)),
      };
    },
  };
}
