import type { DraftDecision, IncidentDraft } from '../../../contract/incidents.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
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
export async function listDrafts(sql: Sql, organisationId: number): Promise<IncidentDraft[]> {
  const rows = await sql.query<{ id: number; kind: string; what: string; raised_at: Date }>(
    `SELECT id, kind, what, raised_at FROM incident_drafts WHERE organisation_id = $1 AND decided_at IS NULL
     ORDER BY id DESC LIMIT ${draftsMax}`,
    [organisationId],
  );
  return rows.map(({ raised_at: at, ...row }) => ({ ...row, raised_at: at.toISOString() }));
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
  if (incident !== null)
    await readIncident(sql, organisationId, incident).catch(() => {
      throw new RequestError('invalid_field', 'There is no incident with this number here.', { field: 'incident' });
    });
  await sql.run(
    `UPDATE incident_drafts SET decided_at = $3, decided_by = $4, incident_id = $5, dismissed_because = $6
     WHERE organisation_id = $1 AND id = $2`,
    [...[organisationId, id, new Date(by.nowMs), by.personId, incident, because]],
  );
  return draft;
}
