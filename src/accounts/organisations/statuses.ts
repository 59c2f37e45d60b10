import type { OrganisationStatus } from '../../../contract/organisation_status.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Postgres } from '../../platform/postgres/index.ts';

/** A closing organisation is closed from its moment on, whether or not anything has written that down yet. */
export function effectiveStatus(
  stored: { status: OrganisationStatus; until: Date | null },
  nowMs: number,
): OrganisationStatus {
  return stored.status === 'closing' && stored.until !== null && stored.until.getTime() <= nowMs
    ? 'closed'
    : stored.status;
}

/** As long as a key itself is remembered: a sender of 1,000 requests a second must not ask the database as often. */
const rememberedMs = 1_000;
const rememberedMax = 1_000;

export interface Statuses {
  of(organisationId: number): Promise<OrganisationStatus>;
  /** After a change in this process, so that it holds from the next request on. */
  forget(): void;
}

/** The status of the organisation that a key belongs to. People's are read with their roles. */
export function openStatuses({ postgres, clock }: { postgres: Postgres; clock: Clock }): Statuses {
  const known = new Map<number, { status: OrganisationStatus; until: number }>();
  return {
    async of(organisationId) {
      const remembered = known.get(organisationId);
      if (remembered !== undefined && remembered.until > clock.monotonic()) return remembered.status;
      const row = await postgres.tenant(organisationId, (sql) =>
        sql.maybe<{ status: OrganisationStatus; until: Date | null }>(
          'SELECT status, status_until AS until FROM organisations WHERE id = $1',
          [organisationId],
        ),
      );
      const status = row === undefined ? 'closed' : effectiveStatus(row, clock.now());
      if (known.size >= rememberedMax) known.clear();
      known.set(organisationId, { status, until: clock.monotonic() + rememberedMs });
      return status;
    },
    forget: () => known.clear(),
  };
}
