import type { Sql } from './postgres/index.ts';

/** What somebody is known by. `person` is the number of an account, the others are what they say. */
export type IdentifierKind = 'email' | 'phone' | 'external-id' | 'person';

/**
 * One thing that a data subject is known by. Its digest is always there; its value only while the request is open, and not
 * when an erasure is done once more after a restore.
 */
export interface Identifier {
  kind: IdentifierKind;
  /** `vault.subject(organisation, kind, value)`: of this organisation alone. */
  digest: Buffer;
  value?: string;
  /** Of an address: the digests by which accounts and invitations (`person-email`), and mail (`mail-address`), find it. */
  others?: { account: Buffer; mail: Buffer };
}

/** Somebody whose data an organisation is asked about: all that they are known by, whichever of it they asked with. */
export interface DataSubject {
  organisationId: number;
  identifiers: readonly Identifier[];
}

/** Rows of one table that are about somebody. */
export interface FoundRows {
  /** As the catalogue calls it, with its store: `postgres invitations`, `warehouse events`. */
  table: string;
  class: `D${number}`;
  rows: number;
}
/** @property why a sentence for whoever asked: a hold, the only owner of the organisation */
export interface KeptRows extends FoundRows {
  why: string;
  /** The legal hold that keeps it: once that is released it goes by itself. */
  hold?: number | undefined;
}
export interface CopiedRecord {
  table: string;
  class: `D${number}`;
  /** As it is shown to whom it is about: values opened, days and moments as ISO 8601. Never a secret, nor what is another's. */
  record: Readonly<Record<string, string | number | boolean | null>>;
}

/** What an erasure of one holder did. */
export interface Erased {
  gone: (FoundRows & { how: 'deleted' | 'key destroyed' | 'blanked' })[];
  kept: KeptRows[];
}

/**
 * What holds keep, as far as it is smaller than a whole class: a holder leaves such rows and names them as kept. By
 * number of the site or person, the number of the hold.
 */
export interface HeldRows {
  siteIds: ReadonlyMap<number, number>;
  personIds: ReadonlyMap<number, number>;
}

/** What somebody asks to have put right: these and no others can be said of a person. */
export interface Correction {
  field: 'email' | 'name' | 'external-id' | 'picture';
  value: string;
}
/** What a correction did. Of values it says whether there was one: neither what it was nor what it is. */
export interface Corrected {
  changed: (FoundRows & { field: Correction['field']; before: 'another' | 'none' })[];
  kept: KeptRows[];
}

/**
 * Whoever stores personal data brings one of these for each thing that it stores (RunningSubject.holders), and requests of
 * data subjects walk them all. A table with personal classes is in exactly one, or has a reason to be in none
 * (trust/requests/unheld.ts).
 *
 * All of it may be called again after a kill, and by two processes one after the other: what is done is found done. A `sql`
 * is a transaction through the door of the organisation, where no person is set; what has none opens its own.
 */
export interface PersonalDataHolder {
  /** Stands in receipts: a word or two with hyphens, `invitations`. */
  name: string;
  /** What it is, for whoever reads a receipt: `invitations to the organisation`. */
  what: string;
  /** `postgres invitations`, with the class that decides what an erasure does and which hold keeps it. */
  tables: Readonly<Record<string, `D${number}`>>;
  /** Holders that are erased before this one: it is found through their rows no more, or their rows refer to its. */
  after?: readonly string[];
  /**
   * What there is, and what else the subject is known by there (a profile with this id has that address): the others are
   * then asked for that, too.
   */
  find(who: DataSubject): Promise<{ rows: FoundRows[]; known?: { kind: IdentifierKind; value: string }[] }>;
  /** A whole copy of what is about them (DSR-01). */
  copy(who: DataSubject): Promise<CopiedRecord[]>;
  /** Slow work outside of any transaction, before `erase`: rows of the warehouse. */
  eraseBefore?(who: DataSubject, held: HeldRows): Promise<Erased>;
  /** In the transaction that writes down that it is done. Keys are destroyed at once, and stay so if that fails. */
  erase?(sql: Sql, who: DataSubject, held: HeldRows): Promise<Erased>;
  /** The look afterwards: what is still there and not kept for a reason. */
  left(who: DataSubject, held: HeldRows): Promise<FoundRows[]>;
  /** Puts values right, copies and caches too (DSR-02). */
  correct?(sql: Sql, who: DataSubject, corrections: readonly Correction[]): Promise<Corrected>;
  /** What becomes of the rows while a restriction or an objection is in force, as a sentence for the receipt (DSR-05, DSR-06). */
  whileRestricted?: string;
  /** In the transaction that puts a restriction in force: what is more than holding things against its list. */
  restrict?(sql: Sql, who: DataSubject, restrictionId: number): Promise<void>;
  /** In the transaction that ends it. */
  release?(sql: Sql, restrictionId: number): Promise<void>;
}

export function identifiersOf(who: DataSubject, kind: IdentifierKind): Identifier[] {
  return who.identifiers.filter((one) => one.kind === kind);
}
