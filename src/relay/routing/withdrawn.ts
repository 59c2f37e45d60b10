import type { Sql } from '../../platform/postgres/index.ts';
import type { Refusal } from '../../trust/consent/index.ts';
import { destinations } from '../destinations/index.ts';
import { consentTo } from './consent.ts';

/**
 * Somebody has said no, or taken back what they had allowed: what of them waits for a platform that needs it is withheld, in the
 * transaction of that record. What comes later is withheld as it is taken in.
 */
export async function withholdRefused(sql: Sql, { purpose, digest }: Refusal): Promise<void> {
  if (purpose !== 'ad_measurement' && purpose !== 'ad_personalization') return;
  const wanted = consentTo[purpose];
  const kinds = destinations.filter(({ purposes }) => purposes.includes(wanted)).map(({ id }) => id);
  await sql.run(
    `UPDATE relay_deliveries d SET state = 'withheld', reason = 'consent_denied', field = $3, settled_at = now()
     FROM relay_destinations o
     WHERE o.id = d.destination_id AND o.kind = ANY ($2) AND d.state IN ('held', 'waiting') AND d.organisation_id = current_organisation()
       AND d.conversion_id IN (SELECT t.conversion_id FROM relay_subjects s JOIN relay_tellings t
         ON t.organisation_id = s.organisation_id AND t.id = s.telling_id
         WHERE s.organisation_id = current_organisation() AND s.digest = $1)`,
    [digest, kinds, `consent.${wanted}`],
  );
}
