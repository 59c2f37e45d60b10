import type { DraftDecision, IncidentDraft } from '../../../contract/incidents.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { concernColumns, openConcern, type SealedConcern } from './concerns.ts';
import { readIncident } from './register.ts';

/** Drafts that are shown at once: alerts are raised once a day and kind. */
const draftsMax = 100;

/** What an alert saw: entered in the transaction that tells of it, for somebody to judge (OPS-01). */
export async function openDraft(
  sql: Sql,
  organisationId: number,
  { kind, what, at }: { kind: string; what: string; at: Date },
): Promise<number> {
  const { id } = await sql.one<{ id: number }>(
    'INSERT INTO incident_drafts (organisation_id, kind, what, raised_at) VALUES ($1, $2, $3, $4) RETURNING id',
    [organisationId, kind, what, at],
  );
  return id;
}

/** Those that nobody has judged, the newest first. */
export async function listDrafts(sql: Sql, organisationId: number, vault: House['vault']): Promise<IncidentDraft[]> {
  const rows = await sql.query<{ id: number; kind: string; what: string; raised_at: Date } & SealedConcern>(
    `SELECT id, kind, what, raised_at, ${concernColumns} FROM incident_drafts WHERE organisation_id = $1 AND decided_at IS NULL
     ORDER BY id DESC LIMIT ${draftsMax}`,
    [organisationId],
  );
  return Promise.all(
    rows.map(async (row) => ({
      ...{ id: row.id, kind: row.kind, what: row.what, raised_at: row.raised_at.toISOString() },
      concern: await openConcern(vault, organisationId, row),
    })),
  );
}

/**
 * It became the incident that is named, or is none, for a reason. Once: of two who judge at a time the first counts.
 * @throws RequestError not_found, conflict, and invalid_field for an incident that is not there
 */
export async function decideDraft(
  sql: Sql,
  organisationId: number,
  id: number,
  decision: DraftDecision,
  by: { personId: number; nowMs: number },
): Promise<{ kind: string }> {
  const { incident = null, dismissed_because: because = null } = decision;
  if ((incident === null) === (because === null))
    throw new RequestError('invalid_field', 'Name the incident that it became, or say why it is none.', {
      field: 'dismissed_because',
    });
  const [draft] = await sql.query<{ decided_at: Date | null; kind: string }>(
    'SELECT decided_at, kind FROM incident_drafts WHERE organisation_id = $1 AND id = $2 FOR UPDATE',
    [organisationId, id],
  );
  if (draft === undefined) throw new RequestError('not_found', 'There is no draft with this number here.');
  if (draft.decided_at !== null) throw new RequestError('conflict', 'Somebody has judged this draft already.');
  const became =
    incident === null
      ? undefined
      : await readIncident(sql, organisationId, incident).catch(() => {
          throw new RequestError('invalid_field', 'There is no incident with this number here.', { field: 'incident' });
        });
  // The address of who reported it stays while there is somebody to answer.
  const keepsReach = became !== undefined && became.closed_at === null;
  await sql.run(
    `UPDATE incident_drafts SET decided_at = $3, decided_by = $4, incident_id = $5, dismissed_because = $6,
       reach_sealed = CASE WHEN $7 THEN reach_sealed END
     WHERE organisation_id = $1 AND id = $2`,
    [...[organisationId, id, new Date(by.nowMs), by.personId, incident, because, keepsReach]],
  );
  return draft;
}
