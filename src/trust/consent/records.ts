import { createHash } from 'node:crypto';
import type { z } from 'zod';
import {
  type BasisRegion,
  type ConsentRecord,
  type ConsentsAnswer,
  consentRecordLimits,
  type newConsent,
  type OwnPurpose,
  type ProcessingPurpose,
  type RecordState,
} from '../../../contract/consent_records.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Vault } from '../../platform/vault.ts';
import { ownTexts } from './purposes.ts';

type Wish = z.infer<typeof newConsent>;
type Subject = Wish['subject'];

interface Row {
  id: number;
  subject_digest: Buffer;
  purpose: ProcessingPurpose;
  state: RecordState;
  region: BasisRegion;
  text_version: string;
  how: Wish['how'];
  recorded_at: Date;
  proof: Buffer;
}
export const recordColumns =
  'id, subject_digest, purpose, state, region, text_version, how, recorded_at, proof' as const;

export function shownRecord(row: Row): ConsentRecord {
  return {
    ...{ id: row.id, subject: row.subject_digest.toString('hex').slice(0, 12), purpose: row.purpose, state: row.state },
    ...{ region: row.region, text_version: row.text_version, how: row.how, at: row.recorded_at.toISOString() },
    proof: row.proof.toString('hex'),
  };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** Whose it is: an organisation's, of somebody known by a digest, or of a person with an account. */
export type Owner = { readonly organisationId: number } | { readonly personId: number };

/** Writes one record. It stands for ever as it is: nobody has the right to change or remove one (CON-04). */
export async function writeRecord(
  sql: Sql,
  owner: Owner,
  subjectDigest: Buffer,
  said: Omit<Wish, 'subject' | 'evidence'> & { evidence?: string | undefined },
  nowMs: number,
): Promise<ConsentRecord> {
  const at = new Date(nowMs);
  const textDigest = sha256(said.text);
  const evidenceDigest = said.evidence === undefined ? null : sha256(said.evidence);
  const proof = sha256(
    JSON.stringify([
      ...[subjectDigest.toString('hex'), said.purpose, said.state, said.region, said.text_version],
      ...[textDigest.toString('hex'), evidenceDigest?.toString('hex') ?? '', said.how, at.toISOString()],
    ]),
  );
  const row = await sql.one<Row>(
    `INSERT INTO consent_records (organisation_id, person_id, subject_digest, purpose, state, region, text_version, text_digest,
       evidence_digest, how, recorded_at, proof)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING ${recordColumns}`,
    [
      ...['organisationId' in owner ? owner.organisationId : null, 'personId' in owner ? owner.personId : null],
      ...[subjectDigest, said.purpose, said.state, said.region, said.text_version, textDigest, evidenceDigest],
      ...[said.how, at, proof],
    ],
  );
  return shownRecord(row);
}

/** Newest first. Nobody is named in it. */
export async function listRecords(sql: Sql, organisationId: number, before: number): Promise<ConsentsAnswer> {
  const { page } = consentRecordLimits;
  const rows = await sql.query<Row>(
    `SELECT ${recordColumns} FROM consent_records WHERE organisation_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
    [organisationId, before, page + 1],
  );
  return {
    records: rows.slice(0, page).map(shownRecord),
    next: rows.length > page ? (rows[page - 1]?.id ?? null) : null,
  };
}

/** Everything of one person, newest first, and what holds now: the newest record of a purpose decides. */
export async function recordsOf(sql: Sql, organisationId: number, digest: Buffer) {
  const rows = await sql.query<Row>(
    `SELECT ${recordColumns} FROM consent_records WHERE organisation_id = $1 AND subject_digest = $2
     ORDER BY id DESC LIMIT $3`,
    [organisationId, digest, consentRecordLimits.ofSubject],
  );
  const given = await sql.query<{ purpose: ProcessingPurpose }>(
    `SELECT purpose FROM (SELECT DISTINCT ON (purpose) purpose, state FROM consent_records
       WHERE organisation_id = $1 AND subject_digest = $2 ORDER BY purpose, id DESC) newest
     WHERE state = 'given' ORDER BY purpose`,
    [organisationId, digest],
  );
  return { records: rows.map(shownRecord), given: given.map(({ purpose }) => purpose) };
}

/**
 * Has the person with this account agreed? Asked of the rows each time and remembered nowhere, so that a withdrawal holds
 * from the next question on (DSR-10). Nothing written is a no (CON-03).
 */
export async function hasAgreed(sql: Sql, personId: number, purpose: OwnPurpose): Promise<boolean> {
  const row = await sql.maybe<{ state: RecordState; text_version: string }>(
    `SELECT state, text_version FROM consent_records WHERE organisation_id IS NULL AND person_id = $1 AND purpose = $2
     ORDER BY id DESC LIMIT 1`,
    [personId, purpose],
  );
  return row?.state === 'given' && row.text_version === ownTexts[purpose].version;
}

/**
 * Has the newest word of somebody whom an organisation knows by one of these digests been a no? What was taken back stays so until
 * it is given anew, whatever a browser says. Nothing written is no no.
 */
export async function hasRefused(
  sql: Sql,
  organisationId: number,
  digests: readonly Buffer[],
  purpose: ProcessingPurpose,
): Promise<boolean> {
  const row = await sql.maybe(
    `SELECT 1 FROM (SELECT DISTINCT ON (subject_digest) state FROM consent_records
       WHERE organisation_id = $1 AND subject_digest = ANY($2) AND purpose = $3 ORDER BY subject_digest, id DESC) newest
     WHERE state <> 'given' LIMIT 1`,
    [organisationId, digests, purpose],
  );
  return row !== undefined;
}

export function digestOf(vault: Vault, organisationId: number, { kind, value }: Subject): Buffer {
  return vault.subject(organisationId, kind, value);
}

/** The account is closed: what its person had agreed to ends, and the three years of the records begin. */
export async function endConsents(sql: Sql, personId: number, nowMs: number): Promise<void> {
  const given = await sql.query<{ purpose: OwnPurpose; subject_digest: Buffer; region: BasisRegion }>(
    `SELECT purpose, subject_digest, region FROM (SELECT DISTINCT ON (purpose) purpose, subject_digest, region, state
       FROM consent_records WHERE organisation_id IS NULL AND person_id = $1 ORDER BY purpose, id DESC) newest
     WHERE state = 'given'`,
    [personId],
  );
  for (const { purpose, subject_digest: digest, region } of given) {
    const { version, text } = ownTexts[purpose];
    const said = { purpose, state: 'withdrawn', region, text_version: version, text, how: 'account' } as const;
    await writeRecord(sql, { personId }, digest, said, nowMs);
  }
}
