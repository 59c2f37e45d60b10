import type { Conversion } from '../../../contract/conversion.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { consentTo } from './consent.ts';

/** Of ad platforms, as records name them. */
const purposes = Object.keys(consentTo) as (keyof typeof consentTo)[];

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
    [digests, purposes],
  );
  const said = new Map<string, Partial<Record<'ad_user_data' | 'ad_personalization', 'granted' | 'denied'>>>();
  for (const { digest, purpose, state } of rows)
    said.set(digest, { ...said.get(digest), [consentTo[purpose]]: state === 'given' ? 'granted' : 'denied' });
  return said;
}

/** What the people behind a conversion have said since it was taken. */
export interface SaidSince {
  /** Data of one of them is kept and not used. */
  readonly isRestricted: boolean;
  /** What one of them refused or took back. */
  readonly denied: readonly ('ad_user_data' | 'ad_personalization')[];
}

/** The last word of somebody on a purpose, of `subject.digest`: one look into the index. */
const lastWord = (purpose: keyof typeof consentTo) => `SELECT '${purpose}' AS purpose FROM (
    SELECT r.state FROM consent_records r WHERE r.organisation_id = current_organisation()
      AND r.subject_digest = subject.digest AND r.purpose = '${purpose}' ORDER BY r.id DESC LIMIT 1) AS last
  WHERE last.state <> 'given' AND (SELECT consents FROM lists)`;

/**
 * By conversion, what people behind it said no to; a purpose that is null stands for a restriction. LIMIT and OFFSET keep it with the
 * indexes, where the planner would read a table without statistics. That there is any record is asked by a range, since by an
 * equality with an order it would walk through those of all organisations.
 */
const noSince = `WITH lists AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM (SELECT FROM restricted_identifiers r WHERE r.organisation_id = current_organisation()
        ORDER BY r.organisation_id, r.kind, r.digest LIMIT 1) AS one) AS restricted,
      EXISTS (SELECT FROM (SELECT FROM consent_records r WHERE (r.organisation_id, r.id) > (current_organisation(), 0)
        AND (r.organisation_id, r.id) < (current_organisation() + 1, 0) ORDER BY r.organisation_id, r.id LIMIT 1) AS one) AS consents)
  SELECT given.id, bool_or(no.purpose IS NULL) AS is_restricted,
    coalesce(array_agg(DISTINCT no.purpose) FILTER (WHERE no.purpose IS NOT NULL), '{}') AS purposes
  FROM unnest($1::uuid[]) AS given(id)
  CROSS JOIN LATERAL (SELECT t.id FROM relay_tellings t
    WHERE t.organisation_id = current_organisation() AND t.conversion_id = given.id OFFSET 0) AS telling
  CROSS JOIN LATERAL (SELECT s.digest FROM relay_subjects s
    WHERE s.organisation_id = current_organisation() AND s.telling_id = telling.id OFFSET 0) AS subject
  CROSS JOIN LATERAL (
    SELECT NULL AS purpose FROM (SELECT FROM restricted_identifiers r WHERE r.organisation_id = current_organisation()
        AND r.kind IN ('email', 'phone', 'external-id') AND r.digest = subject.digest LIMIT 1) AS listed
      WHERE (SELECT restricted FROM lists)
    UNION ALL ${purposes.map(lastWord).join(' UNION ALL ')}) AS no
  WHERE (SELECT restricted OR consents FROM lists) GROUP BY given.id`;

/**
 * The same two, of conversions that were taken before: whoever is about to send asks here, since what was said later stands in
 * no conversion. Each telling counts, as identifiers of each are sent. One look into an index for each digest, and none at all
 * where nobody of the organisation is on either list.
 * @returns by id of the conversion; one of which nobody has said no is not among them
 */
export async function saidSince(sql: Sql, conversionIds: readonly string[]): Promise<Map<string, SaidSince>> {
  const rows = await sql.query<{ id: string; is_restricted: boolean; purposes: (keyof typeof consentTo)[] }>(noSince, [
    conversionIds,
  ]);
  return new Map(
    rows.map(({ id, is_restricted, purposes: refused }) => [
      id,
      { isRestricted: is_restricted, denied: refused.map((purpose) => consentTo[purpose]) },
    ]),
  );
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

/** What goes all the same says what was refused since, as what comes now does: platforms have words for it. */
export function withDenied(facts: Conversion, { denied }: SaidSince): Conversion {
  if (denied.length === 0) return facts;
  return { ...facts, consent: { ...facts.consent, ...Object.fromEntries(denied.map((one) => [one, 'denied'])) } };
}
