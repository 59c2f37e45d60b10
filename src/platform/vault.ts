/**
 * Where a sealed value belongs: its ciphertext opens nowhere else (CRY-01). `trust/vault` seals; this interface is here,
 * because the platform hands it to every subject and may not know trust.
 */
export interface Place {
  /** `desk`: what belongs to a person or to the desk itself, and to no organisation. */
  organisationId: number | 'desk';
  table: string;
  column: string;
  row: string | number;
  /** Data class of the column: D4, D5, D9 … */
  class: `D${number}`;
  /** Whom it is about: it gets a key of this subject's own, and is unreadable for ever once that is destroyed. */
  subject?: Buffer;
}

export interface Vault {
  seal(place: Place, plain: string | Buffer): Promise<Buffer>;
  /** @throws VaultError when it was sealed for another place or another key, was changed, or its key was destroyed */
  open(place: Place, sealed: Buffer): Promise<Buffer>;
  /** The digest by which a subject is known: HMAC of a normalised identifier, keyed per organisation. */
  subject(
    organisationId: number | 'desk',
    kind: 'email' | 'phone' | 'external-id' | 'person',
    value: string,
  ): Promise<Buffer>;
  /** Destroys a subject's key: everything sealed for it is gone, in copies too. */
  shred(organisationId: number | 'desk', subject: Buffer): Promise<void>;
}
