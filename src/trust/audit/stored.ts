import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { Entry } from './entry.ts';
import type { Link } from './verify.ts';

/** Work that sees one chain: the desk's own, number 0, is seen by nobody's door, every other by its organisation's. */
export function seeChain<T>(
  postgres: Pick<Postgres, 'system' | 'tenant'>,
  chain: number,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  return chain === 0 ? postgres.system(work) : postgres.tenant(chain, work);
}

/** A row as the database gives it; digests of sealed bytes are taken there, so that the bytes need not travel. */
export interface StoredRow {
  seq: number;
  organisation_id: number;
  entry: string;
  at: string;
  action: string;
  class: string;
  outcome: string;
  reason: string | null;
  actor_type: string;
  actor: string | null;
  actor_commitment: string | null;
  actor_sealed: string | null;
  targets: Entry['targets'];
  details_commitment: string | null;
  details_sealed: string | null;
  request_id: string | null;
  address: string | null;
  address_salt: string | null;
  address_commitment: string | null;
  hash: string;
}

/** Times to the microsecond as they are stored: one that was moved by less than a millisecond shows too. */
export const linkColumns = `seq, organisation_id, entry::text AS entry,
  to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at, action, class, outcome, reason, actor_type, actor,
  encode(actor_commitment, 'hex') AS actor_commitment, encode(sha256(actor_name), 'hex') AS actor_sealed, targets,
  encode(details_commitment, 'hex') AS details_commitment, encode(sha256(details), 'hex') AS details_sealed, request_id,
  address, encode(address_salt, 'hex') AS address_salt, encode(address_commitment, 'hex') AS address_commitment,
  encode(hash, 'hex') AS hash`;

export function linkOf(row: StoredRow): Link {
  return {
    seq: row.seq,
    hash: row.hash,
    entry: {
      organisation: row.organisation_id,
      entry: row.entry,
      at: row.at.endsWith('000') ? `${row.at.slice(0, -3)}Z` : row.at,
      action: row.action,
      class: row.class,
      outcome: row.outcome,
      reason: row.reason,
      actor_type: row.actor_type,
      actor: row.actor,
      targets: row.targets,
      request_id: row.request_id,
      actor_commitment: row.actor_commitment,
      actor_sealed: row.actor_sealed,
      details_commitment: row.details_commitment,
      details_sealed: row.details_sealed,
      address_commitment: row.address_commitment,
    },
    address: row.address,
    addressSalt: row.address_salt,
  };
}

/** Rows of one chain in order, after one number and up to another. What an organisation's trail holds is seen by its own door. */
export function readRows(sql: Sql, organisation: number, after: number, through: number): Promise<StoredRow[]> {
  return sql.query<StoredRow>(
    `SELECT ${linkColumns} FROM audit.entries WHERE organisation_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq`,
    [organisation, after, through],
  );
}

export interface StoredHead {
  seq: number;
  hash: string;
  base_seq: number;
  base_hash: string;
}

export function readHead(sql: Sql, organisation: number): Promise<StoredHead | undefined> {
  return sql.maybe<StoredHead>(
    `SELECT seq, encode(hash, 'hex') AS hash, base_seq, encode(base_hash, 'hex') AS base_hash
     FROM audit.chains WHERE organisation_id = $1`,
    [organisation],
  );
}
