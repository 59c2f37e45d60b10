import type { Audit } from '../../platform/audit.ts';
import type { Clock } from '../../platform/clock.ts';
import { openHmac } from '../../platform/hmac.ts';
import type { Postgres } from '../../platform/postgres/index.ts';
import type { Random } from '../../platform/random.ts';
import type { KeyRing } from '../../platform/subject.ts';
import type { Place, Use, Vault } from '../../platform/vault.ts';
import type { KeptKeyRing } from '../keys/index.ts';
import { framed, keyIdOf, nonceBytes, openFor, sealFor } from './cipher.ts';
import { freshKeysUnder } from './fresh.ts';
import { type Budget, budget, openKeyStore } from './key_store.ts';
import { openOpenings } from './openings.ts';
import { openKeeper, type VaultKeeper } from './rotation.ts';

const peppersMax = 10_000;

export const vaultMigrations = new URL('./migrations/', import.meta.url);

export interface VaultHouse {
  keys: KeyRing;
  postgres: Pick<Postgres, 'vault' | 'tenant' | 'system'>;
  clock: Pick<Clock, 'now' | 'monotonic' | 'after'>;
  random: Random;
  /** Asked when it is needed: the trail seals, too. */
  audit: () => Audit;
}

export { adoptKeys, destroyKeys } from './adopt.ts';
export { ageSubjectKeys, type CopiedKey, copyOfKeys, fillKeyStore } from './copy.ts';
export { type RootState, refuseMissingRoots, type VaultKeeper } from './rotation.ts';

export interface OpenVault extends Vault {
  /** What changes keys; for the command line. */
  keeper(ring: KeptKeyRing, isShared: boolean): VaultKeeper;
  close(): void;
}

/**
 * Envelope encryption: the root in the key file wraps a key per organisation, which wraps a key per data subject.
 *
 * ```ts
 * const place = { organisationId: 7, table: 'connections', column: 'token', row: 12, class: 'D9' } as const;
 * const sealed = await vault.seal(place, token);
 * const token = await vault.open(place, sealed, { purpose: 'ads.read' });
 * ```
 */
export function openVault(house: VaultHouse, limits: Budget = budget): OpenVault {
  const { random } = house;
  const store = openKeyStore(house, limits);
  const noteOpening = openOpenings(house);
  /** Peppers at hand, each made of the root and of nothing else. */
  const peppers = new Map<Place['organisationId'], (value: Buffer) => Buffer>();
  function pepperOf(owner: Place['organisationId']): (value: Buffer) => Buffer {
    const have = peppers.get(owner);
    if (have !== undefined) return have;
    if (peppers.size >= peppersMax) peppers.clear();
    const pepper = openHmac(house.keys.digest('vault-pepper', String(owner)));
    peppers.set(owner, pepper);
    return pepper;
  }

  async function seal(place: Place, plain: string | Buffer): Promise<Buffer> {
    const key = await store.toSeal(place.organisationId, place.subject);
    return sealFor(place, key, Buffer.from(plain), random.bytes(nonceBytes));
  }

  async function openUnnoted(place: Place, sealed: Buffer): Promise<Buffer> {
    const key = await store.toOpen(place.organisationId, keyIdOf(sealed), place.subject);
    return openFor(place, key, sealed);
  }

  async function isOld(place: Place, sealed: Buffer): Promise<boolean> {
    return !(await store.isCurrent(place.organisationId, keyIdOf(sealed), place.subject));
  }

  return {
    seal,
    async open(place: Place, sealed: Buffer, use?: Use) {
      if (place.class === 'D9' && use === undefined)
        throw new TypeError(`${place.table}.${place.column} is a connector's secret: say what it is opened for.`);
      const plain = await openUnnoted(place, sealed);
      if (place.class === 'D9' && use !== undefined) await noteOpening(place, use);
      return plain;
    },
    isOld,
    async reseal(place, sealed) {
      if (!(await isOld(place, sealed))) return undefined;
      return seal(place, await openUnnoted(place, sealed));
    },
    async hold(organisationId, subject) {
      const { take, close } = await store.hold(organisationId, subject);
      return {
        seal(place, plain) {
          const key = take();
          if (key === undefined) return undefined;
          return sealFor({ ...place, organisationId, subject }, key, Buffer.from(plain), random.bytes(nonceBytes));
        },
        close,
      };
    },
    async fresh(organisationId) {
      const { take, close } = await store.hold(organisationId);
      return { ...freshKeysUnder(organisationId, take, random), close };
    },
    adopt: store.adopt,
    prepare: (organisationId, sealed) => store.prepare(organisationId, idsOf(sealed)),
    disown: (organisationId, keys) => store.forget(organisationId, keys),
    forget: (organisationId, sealed) => store.forget(organisationId, idsOf(sealed)),
    subject(organisationId, kind, value) {
      return pepperOf(organisationId)(framed([kind, normalised(kind, value)]));
    },
    shred: store.destroy,
    shredAll: store.destroyAll,
    keeper: (keys, isShared) => openKeeper({ ...house, keys, store, isShared }),
    close: store.close,
  };
}

function idsOf(sealed: readonly { subject: Buffer; value: Buffer }[]): { subject: Buffer; id: Buffer }[] {
  return sealed.map(({ subject, value }) => ({ subject, id: keyIdOf(value) }));
}

/** One person, one digest, however the identifier was typed. */
function normalised(kind: Parameters<Vault['subject']>[1], value: string): string {
  const text = value.normalize('NFKC').trim();
  switch (kind) {
    case 'email':
      return text.toLowerCase();
    case 'phone':
      return text.replace(/[^+\d]/g, '').replace(/^00/, '+');
    case 'external-id':
    case 'person':
    case 'site':
      return text;
  }
}
