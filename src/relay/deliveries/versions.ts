import { everywhere } from '../../platform/postgres/index.ts';
import { destinationOf, versionOf } from '../destinations/index.ts';
import type { Senders } from './parts.ts';
import { resumeDestination } from './states.ts';

/**
 * Accounts that stand because their platform refused a version go on where it is asked for by another one now: the operator has
 * set one, or this Fairlead has a newer one. For the start, since settings are read there alone.
 * @returns how many
 */
export async function goOnWithVersions({
  postgres,
  clock,
  log,
  versions,
}: Pick<Senders, 'postgres' | 'clock' | 'log' | 'versions'>): Promise<number> {
  const resumed = await everywhere(postgres, async (sql, organisationId) => {
    const stopped = await sql.query<{ id: number; kind: string; state_reason: string }>(
      `SELECT id, kind, state_reason FROM relay_destinations
       WHERE organisation_id = $1 AND state = 'misconfigured' AND state_reason LIKE '%/%' ORDER BY id`,
      [organisationId],
    );
    const refused = stopped.filter(({ kind, state_reason: reason }) => {
      const destination = destinationOf(kind);
      // As `versionRefused` writes it. What else stands behind a stroke, such as a subcode, has another shape.
      const named = reason.slice(reason.lastIndexOf('/') + 1);
      return destination?.version?.is.test(named) === true && named !== versionOf(destination, versions);
    });
    for (const { id } of refused) await resumeDestination(sql, { organisationId, destinationId: id }, clock.now());
    return refused;
  });
  for (const { id, state_reason } of resumed)
    log.info('relay.goes_on_with_version', { destination: id, refused: state_reason });
  return resumed.length;
}
