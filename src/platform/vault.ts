import type { Sql } from './postgres/index.ts';

/**
 * Where a sealed value belongs: its ciphertext opens nowhere else (CRY-01). `trust/vault` seals; this interface is here,
 * because the platform hands it to every subject and may not know trust.
 */
export interface Place {
  /** `desk`: what belongs to a person or to the desk itself, and to no organisation. */
  organisationId: Owner;
  table: string;
  column: string;
  row: string | number;
  /** Data class of the column: D4, D5, D9 … */
  class: `D${number}`;
  /** Whom it is about: it gets a key of this subject's own, and is unreadable for ever once that is destroyed. */
  subject?: Buffer;
}
export type Owner = number | 'desk';

/** What a secret is opened for: a connector declares it, and the trail keeps it (CRY-09). */
export interface Use {
  /** A short word of the code: `mail.send`, `sign-in.google`. */
  purpose: string;
  /**
   * The caller's transaction, when it is one of this organisation: the act is written in it. Without, the vault opens one
   * of its own, which must not be waited for by whoever has already written into the organisation's trail.
   */
  sql?: Sql;
}

export interface Vault {
  seal(place: Place, plain: string | Buffer): Promise<Buffer>;
  /**
   * A secret of class D9 is opened for a stated purpose, and the first time in an hour is written to the trail.
   * @throws VaultError when it was sealed for another place or another key, was changed, or its key was destroyed
   */
  open<Class extends Place['class']>(
    place: Place & { class: Class },
    sealed: Buffer,
    ...use: 'D9' extends Class ? [Use] : [Use?]
  ): Promise<Buffer>;
  /** Is it sealed under a key that was replaced since? Whoever changes such a row anyway seals it anew. */
  isOld(place: Place, sealed: Buffer): Promise<boolean>;
  /** The same content under the key of today; undefined when it is under that already. Nothing is given out. */
  reseal(place: Place, sealed: Buffer): Promise<Buffer | undefined>;
  /**
   * A subject's key kept at hand, for what is sealed where nobody can wait for a database. Whoever holds it watches whether
   * its subject is still there and closes it then: this process would go on with a key that was destroyed.
   */
  hold(organisationId: Owner, subject: Buffer): Promise<HeldKey>;
  /**
   * Keys for what is sealed before its subject has one, and where nobody can wait for a database: each is made here and now,
   * wrapped by the key of the organisation, and travels with what it seals until `adopt` puts it into the key store.
   */
  fresh(organisationId: number): Promise<FreshKeys>;
  /** Puts such keys into the key store, each once, however often it comes. @throws VaultError destroyed */
  adopt(organisationId: number, keys: readonly FreshKey[]): Promise<void>;
  /** Destroys such keys again: what they were made for is not kept after all. */
  disown(organisationId: number, keys: readonly FreshKey[]): Promise<void>;
  /** Fetches the keys of many sealed values at once; opening each then asks no database. */
  prepare(organisationId: number, sealed: readonly { subject: Buffer; value: Buffer }[]): Promise<void>;
  /** Destroys the keys of these sealed values alone: others of their subjects stay. */
  forget(organisationId: number, sealed: readonly { subject: Buffer; value: Buffer }[]): Promise<void>;
  /** The digest by which a subject is known: HMAC-SHA-256 of the normalised identifier, keyed per organisation (CRY-10). */
  subject(organisationId: Owner, kind: 'email' | 'phone' | 'external-id' | 'person' | 'site', value: string): Buffer;
  /**
   * Destroys a subject's key, in a transaction of its own: everything sealed for it is gone, in copies too. Other
   * processes that have just used the key may go on for five minutes.
   */
  shred(organisationId: Owner, subject: Buffer): Promise<void>;
  /**
   * Destroys every key of an organisation, those of its subjects too, in a transaction of its own. Nothing can be sealed
   * for it again. For an organisation that is deleted or erased; never undone.
   * @returns how many keys there were; 0 when it was done before
   */
  shredAll(organisationId: number): Promise<number>;
}

export interface HeldKey {
  /** At once. @returns undefined when the messages at hand are used up and the database does not give further ones */
  seal(place: Omit<Place, 'organisationId' | 'subject'>, plain: string | Buffer): Buffer | undefined;
  close(): void;
}

/** A key of a subject on its way into the key store. */
export interface FreshKey {
  readonly id: Buffer;
  readonly subject: Buffer;
  /** The key of the organisation that wrapped it. */
  readonly wrappedBy: Buffer;
  readonly wrapped: Buffer;
}

export interface FreshKeys {
  /** At once, one key for all that belongs together. @returns undefined as `HeldKey.seal` does */
  make(subject: Buffer):
    | {
        readonly key: FreshKey;
        seal(place: Omit<Place, 'organisationId' | 'subject'>, plain: string | Buffer): Buffer;
      }
    | undefined;
  close(): void;
}

/** Why a sealed value does not open, or none can be sealed. */
export type VaultProblem =
  /** It belongs to another place, or was changed. */
  | 'not-authentic'
  /** It is too short, or of another version. */
  | 'not-sealed'
  /** The key of its subject was destroyed. */
  | 'destroyed'
  /** The key store has no such key of this organisation. */
  | 'no-key'
  /** The key file does not hold the root that wrapped the key. */
  | 'no-root'
  /** A root has wrapped as many keys as it may. */
  | 'spent';

export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly code: VaultProblem;
  constructor(code: VaultProblem, message: string) {
    super(message);
    this.code = code;
  }
}
