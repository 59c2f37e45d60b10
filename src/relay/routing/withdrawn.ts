import type { WithheldReason } from '../../../contract/relay.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Refusal } from '../../trust/consent/index.ts';
import { settleConversions } from '../deliveries/settle.ts';
import { destinations } from '../destinations/index.ts';
import { consentTo } from './consent.ts';

/**
 * Somebody has said no, or taken back what they had allowed: what of them waits for a platform that needs it is withheld, in the
 * transaction of that record. What comes later is withheld as it is taken in.
 */
export async function withholdRefused(sql: Sql, { purpose, digest }: Refusal): Promise<void> {
  if (purpose !== 'ad_measurement' && purpose !== 'ad_personalization') return;
  const wanted = consentTo[purpose];
  // Locked first and in the order in which senders lock them: neither waits for what the other holds.
  const theirs = await sql.query<{ id: string; organisation: number }>(
    `SELECT c.id, c.organisation_id AS organisation FROM relay_conversions c
     WHERE c.organisation_id = current_organisation() AND c.settled_at IS NULL
       AND c.id IN (SELECT t.conversion_id FROM relay_subjects s JOIN relay_tellings t
         ON t.organisation_id = s.organisation_id AND t.id = s.telling_id
         WHERE s.organisation_id = current_organisation() AND s.digest = $1)
     ORDER BY c.id FOR NO KEY UPDATE OF c`,
    [digest],
  );
  const [first] = theirs;
  if (first === undefined) return;
  await withholdDenied(sql, wanted, { organisationId: first.organisation, ids: theirs.map(({ id }) => id) });
}

/** Of these conversions, which are locked: what waits for a platform that needs what was denied. */
export async function withholdDenied(sql: Sql, wanted: DeniedPurpose, conversions: Locked): Promise<void> {
  const kinds = destinations.filter(({ purposes }) => purposes.includes(wanted)).map(({ id }) => id);
  await withhold(sql, conversions, { reason: 'consent_denied', field: `consent.${wanted}`, kinds });
}

/** The same of what is about somebody whose data is kept and not used: for whatever destination it waits. */
export async function withholdRestricted(sql: Sql, conversions: Locked): Promise<void> {
  await withhold(sql, conversions, { reason: 'restricted', field: 'user', kinds: null });
}

type DeniedPurpose = (typeof consentTo)[keyof typeof consentTo];
interface Locked {
  readonly organisationId: number;
  readonly ids: readonly string[];
}

/** A conversion of which nothing else is under way has ended with that, so that its raw identifiers go in their time. */
async function withhold(
  sql: Sql,
  { organisationId, ids }: Locked,
  { reason, field, kinds }: { reason: WithheldReason; field: string; kinds: readonly string[] | null },
): Promise<void> {
  const withheld = await sql.query<{ conversion_id: string; settled_at: Date }>(
    `UPDATE relay_deliveries d SET state = 'withheld', reason = $3, field = $4, settled_at = now()
     FROM relay_destinations o
     WHERE o.id = d.destination_id AND ($5::text[] IS NULL OR o.kind = ANY ($5)) AND d.state IN ('held', 'waiting')
       AND d.organisation_id = $2 AND d.conversion_id = ANY ($1::uuid[])
     RETURNING d.conversion_id, d.settled_at`,
    [ids, organisationId, reason, field, kinds],
  );
  const [one] = withheld;
  if (one === undefined) return;
  const ended = [...new Set(withheld.map(({ conversion_id }) => conversion_id))];
  await settleConversions(sql, organisationId, ended, one.settled_at.getTime());
}
