import { hash } from 'node:crypto';

/**
 * One entry as the chain takes it in: what may be kept for two years in clear, and digests of the rest. Whoever holds
 * entries can compute every hash anew, with no key and no database.
 */
export interface Entry {
  /** 0 is the desk's own chain. */
  organisation: number;
  entry: string;
  /** ISO 8601 in UTC, to the millisecond. */
  at: string;
  action: string;
  class: string;
  outcome: string;
  reason: string | null;
  actor_type: string;
  /** Pseudonym of a person (32 hex digits), number of a key, null for the rest. */
  actor: string | null;
  /** In one fixed form, so that a member that was added shows too. */
  targets: readonly Readonly<Record<string, unknown>>[];
  request_id: string | null;
  /** Hex digests of what is sealed or may be dropped, and of the sealed bytes themselves. */
  actor_commitment: string | null;
  actor_sealed: string | null;
  details_commitment: string | null;
  details_sealed: string | null;
  address_commitment: string | null;
}

/** What the hash of the first entry of a chain takes in before itself. */
export const zeroHash = '0'.repeat(64);

/**
 * SHA-256 over the entry's text in one fixed form: members in the order below, no spaces. An array, so that no name of a
 * member can be left out or come twice.
 */
export function entryDigest(one: Entry): string {
  return sha256(
    JSON.stringify([
      1,
      one.organisation,
      one.entry,
      one.at,
      one.action,
      one.class,
      one.outcome,
      one.reason,
      one.actor_type,
      one.actor,
      one.targets.map((target) => Object.entries(target).sort(([a], [b]) => (a < b ? -1 : 1))),
      one.request_id,
      one.actor_commitment,
      one.actor_sealed,
      one.details_commitment,
      one.details_sealed,
      one.address_commitment,
    ]),
  );
}

/** Written anew for each: a chain of a million would otherwise leave as many behind. */
const link = Buffer.alloc(72);

/** SHA-256(hash before, number as 8 bytes, digest of the entry): what `audit.append` computes in the database. All in hex. */
export function chainHash(previous: string, seq: number, digest: string): string {
  // What is no hash at all comes from a file that somebody else made.
  if (
    link.write(previous, 0, 'hex') !== 32 ||
    link.write(digest, 40, 'hex') !== 32 ||
    !Number.isSafeInteger(seq) ||
    seq < 0
  )
    return sha256(Buffer.from(previous + seq.toString(16).padStart(16, '0') + digest, 'hex'));
  link.writeUInt32BE(Math.floor(seq / 2 ** 32), 32);
  link.writeUInt32BE(seq % 2 ** 32, 36);
  return sha256(link);
}

/** A digest that binds a value and lets nobody guess it, once its 16 random bytes of salt are gone. Hex. */
export function commitment(salt: Buffer, value: string): string {
  return sha256(Buffer.concat([salt, Buffer.from(value)]));
}

export function sha256(value: string | Buffer): string {
  return hash('sha256', value, 'hex');
}
