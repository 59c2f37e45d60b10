import type { Conversion } from '../../../contract/conversion.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { consentTo } from './consent.ts';

/** Whom something is about, as keyed digests in hex. */
interface About {
  readonly subjects: readonly string[];
}

function digestsOf(records: readonly About[]): Buffer[] {
  return [...new Set(records.flatMap(({ subjects }) => subjects))].map((digest) => Buffer.from(digest, 'hex'));
}

/** Of whom data is kept and not used (DSR-05, DSR-06). */
export async function restrictedOf(sql: Sql, records: readonly About[]): Promise<Set<string>> {
  const digests = digestsOf(records);
  if (digests.length === 0) return new Set();
  const rows = await sql.query<{ digest: string }>(
    "SELECT encode(digest, 'hex') AS digest FROM restricted_identifiers WHERE digest = ANY ($1::bytea[])",
    [digests],
  );
  return new Set(rows.map(({ digest }) => digest));
}

/** By digest of whom: what is on record of the purposes of ad platforms, the last word of each. */
type Consents = ReadonlyMap<string, Partial<Record<'ad_user_data' | 'ad_personalization', 'granted' | 'denied'>>>;

/** What somebody agreed to or took back on record (Trust, Consent). */
export async function consentsOf(sql: Sql, records: readonly About[]): Promise<Consents> {
  const digests = digestsOf(records);
  if (digests.length === 0) return new Map();
  const rows = await sql.query<{ digest: string; purpose: keyof typeof consentTo; state: string }>(
    `SELECT DISTINCT ON (subject_digest, purpose) encode(subject_digest, 'hex') AS digest, purpose, state FROM consent_records
     WHERE organisation_id = current_organisation() AND subject_digest = ANY ($1::bytea[])
       AND purpose = ANY ($2)
     ORDER BY subject_digest, purpose, id DESC`,
    [digests, Object.keys(consentTo)],
  );
  const said = new Map<string, Partial<Record<'ad_user_data' | 'ad_personalization', 'granted' | 'denied'>>>();
  for (const { digest, purpose, state } of rows)
    said.set(digest, { ...said.get(digest), [consentTo[purpose]]: state === 'given' ? 'granted' : 'denied' });
  return said;
}

/**
 * What a conversion says of consent, with what is on record of whom it is about: a consent that was refused or taken back counts,
 * whatever the conversion says; one that was given fills in where it says nothing.
 */
export function withConsent<Of extends About & { readonly facts: Conversion }>(record: Of, said: Consents): Of {
  if (said.size === 0) return record;
  const { facts, subjects } = record;
  const consent: NonNullable<Conversion['consent']> = { ...facts.consent };
  for (const purpose of Object.values(consentTo)) {
    const records = subjects.flatMap((digest) => said.get(digest)?.[purpose] ?? []);
    if (records.includes('denied')) consent[purpose] = 'denied';
    else if (records.includes('granted')) consent[purpose] ??= 'granted';
  }
  return { ...record, facts: { ...facts, consent } };
}
