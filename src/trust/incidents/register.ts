import type { IncidentAnswer, IncidentReport, NewIncident } from '../../../contract/incidents.ts';
import { shownName } from '../../platform/email.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Vault } from '../../platform/vault.ts';
import { classes } from '../classes/index.ts';

/** From when a breach became known until the authority has to be told. */
export const clockHours = 72;
const page = 50;

export interface IncidentRow {
  id: number;
  title: string;
  what: string;
  severity: IncidentAnswer['severity'];
  classes: string[];
  site_ids: number[];
  sites: string[];
  began_at: Date;
  known_at: Date;
  opened_at: Date;
  authority: string | null;
  told_at: Date | null;
  untold_reason: string | null;
  closed_at: Date | null;
}
type EntryKind = IncidentAnswer['log'][number]['kind'];
interface By {
  personId: number;
  nowMs: number;
}

// A site that was deleted since has no domain any more: its number stands in its place.
const rows = `SELECT i.id, i.title, i.what, i.severity, i.classes, i.site_ids, i.began_at, i.known_at, i.opened_at,
    i.authority, i.told_at, i.untold_reason, i.closed_at,
    ARRAY(SELECT coalesce(s.domain, 'site ' || n) FROM unnest(i.site_ids) n LEFT JOIN sites s ON s.id = n ORDER BY 1) AS sites
  FROM incidents i`;

/** The newest first. */
export async function listIncidents(
  sql: Sql,
  organisationId: number,
  before = Number.MAX_SAFE_INTEGER,
): Promise<{ incidents: IncidentRow[]; next: number | null }> {
  const found = await sql.query<IncidentRow>(
    `${rows} WHERE i.organisation_id = $1 AND i.id < $2 ORDER BY i.id DESC LIMIT ${page + 1}`,
    [organisationId, before],
  );
  const incidents = found.slice(0, page);
  return { incidents, next: found.length > page ? (incidents.at(-1)?.id ?? null) : null };
}

/** @throws RequestError not_found */
export async function readIncident(sql: Sql, organisationId: number, id: number): Promise<IncidentRow> {
  const row = await sql.maybe<IncidentRow>(`${rows} WHERE i.organisation_id = $1 AND i.id = $2`, [organisationId, id]);
  if (row === undefined) throw new RequestError('not_found', 'There is no incident with this number here.');
  return row;
}

/** In the order in which it was written. It stores numbers: names are those of who is a member now. */
export async function readLog(
  sql: Sql,
  vault: Vault,
  organisationId: number,
  id: number,
): Promise<IncidentAnswer['log']> {
  const found = await sql.query<{ id: number; kind: EntryKind; said: string; at: Date; person_id: number }>(
    `SELECT id, kind, said, at, person_id FROM incident_entries
     WHERE organisation_id = $1 AND incident_id = $2 ORDER BY id`,
    [organisationId, id],
  );
  const people = await sql.query<{ id: number; name: string; email_sealed: Buffer | null }>(
    `SELECT p.id, p.name, p.email_sealed FROM memberships m JOIN people p ON p.id = m.person_id
     WHERE m.organisation_id = $1 AND p.id = ANY($2)`,
    [organisationId, found.map(({ person_id }) => person_id)],
  );
  const names = new Map<number, string | undefined>();
  for (const one of people) names.set(one.id, await shownName(vault, one));
  return found.map(({ person_id, at, ...entry }) => ({
    ...{ ...entry, at: at.toISOString() },
    ...{ person: person_id, name: names.get(person_id) ?? null },
  }));
}

/** @throws RequestError invalid_field when a moment, a class or a site cannot be meant */
export async function openIncident(sql: Sql, organisationId: number, wish: NewIncident, by: By): Promise<IncidentRow> {
  const refuse = (field: string, message: string) => new RequestError('invalid_field', message, { field });
  if (Date.parse(wish.known_at) > by.nowMs) throw refuse('known_at', 'It cannot become known later than now.');
  if (Date.parse(wish.began_at) > Date.parse(wish.known_at))
    throw refuse('began_at', 'It cannot begin later than it became known.');
  for (const one of wish.classes)
    if (!classes.some(({ id }) => id === one)) throw refuse('classes', 'Name classes of data, D1 to D25.');
  const sites = await sql.query<{ id: number }>(
    'SELECT id FROM sites WHERE organisation_id = $1 AND domain = ANY ($2) ORDER BY id',
    [organisationId, wish.sites],
  );
  if (sites.length < new Set(wish.sites).size)
    throw refuse('sites', 'This organisation has no such site. Name domains of its own, or none for all.');
  const { id } = await sql.one<{ id: number }>(
    `INSERT INTO incidents (organisation_id, title, what, severity, classes, site_ids, began_at, known_at, opened_at, opened_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
    [
      ...[organisationId, wish.title, wish.what, wish.severity, [...new Set(wish.classes)]],
      ...[sites.map((site) => site.id), new Date(wish.began_at), new Date(wish.known_at)],
      ...[new Date(by.nowMs), by.personId],
    ],
  );
  await write(sql, organisationId, id, { kind: 'opened', said: wish.what }, by);
  return readIncident(sql, organisationId, id);
}

/** @throws RequestError not_found; a closed incident may be added to as well: what is found later belongs to it */
export async function addEntry(
  sql: Sql,
  organisationId: number,
  id: number,
  entry: { kind: EntryKind; said: string },
  by: By,
): Promise<IncidentRow> {
  const row = await readIncident(sql, organisationId, id);
  await write(sql, organisationId, id, entry, by);
  return row;
}

/**
 * Which authority was told, or why none was. Who decided against it may still tell; what was told stays told.
 *
 * @throws RequestError conflict when an authority was told; invalid_field when it is neither of the two or both, or was
 *   before the incident was known
 */
export async function reportIncident(
  sql: Sql,
  organisationId: number,
  id: number,
  report: IncidentReport,
  by: By,
): Promise<IncidentRow> {
  const refuse = (field: string, message: string) => new RequestError('invalid_field', message, { field });
  const { authority = null, told_at, untold_reason = null } = report;
  const toldAt = told_at === undefined ? null : new Date(told_at);
  if ((authority === null) !== (toldAt === null)) throw refuse('told_at', 'Name the authority and when it was told.');
  if ((authority === null) === (untold_reason === null))
    throw refuse('untold_reason', 'Say which authority was told, or else why none was.');
  const row = await readIncident(sql, organisationId, id);
  if (toldAt !== null && (toldAt.getTime() > by.nowMs || toldAt < row.known_at))
    throw refuse('told_at', 'An authority is told after the incident is known, and not later than now.');
  const changed = await sql.query(
    `UPDATE incidents SET authority = $3, told_at = $4, untold_reason = $5
     WHERE organisation_id = $1 AND id = $2 AND told_at IS NULL RETURNING id`,
    [organisationId, id, authority, toldAt, untold_reason],
  );
  if (changed.length === 0)
    throw new RequestError('conflict', 'An authority was told of this already. Add to the log what came after.');
  const entry =
    untold_reason === null
      ? { kind: 'told' as const, said: authority ?? '' }
      : { kind: 'untold' as const, said: untold_reason };
  await write(sql, organisationId, id, entry, by);
  return readIncident(sql, organisationId, id);
}

/** @throws RequestError conflict while nobody has decided about the authority, or when it is closed */
export async function closeIncident(
  sql: Sql,
  organisationId: number,
  id: number,
  said: string,
  by: By,
): Promise<IncidentRow> {
  const { told_at, untold_reason } = await readIncident(sql, organisationId, id);
  if (told_at === null && untold_reason === null)
    throw new RequestError('conflict', 'Say first which authority was told, or why none was.');
  const changed = await sql.query(
    'UPDATE incidents SET closed_at = $3 WHERE organisation_id = $1 AND id = $2 AND closed_at IS NULL RETURNING id',
    [organisationId, id, new Date(by.nowMs)],
  );
  if (changed.length === 0) throw new RequestError('conflict', 'This incident is closed already.');
  // Who reported it was answered by now, or never will be.
  await sql.run(
    'UPDATE incident_drafts SET reach_sealed = NULL WHERE organisation_id = $1 AND incident_id = $2 AND reach_sealed IS NOT NULL',
    [organisationId, id],
  );
  await write(sql, organisationId, id, { kind: 'closed', said }, by);
  return readIncident(sql, organisationId, id);
}

export function dueMs(row: Pick<IncidentRow, 'known_at'>): number {
  return row.known_at.getTime() + clockHours * 3_600_000;
}

export function clockOf(row: IncidentRow, nowMs: number): IncidentAnswer['clock'] {
  if (row.told_at !== null) return 'told';
  if (row.untold_reason !== null) return 'untold';
  return nowMs > dueMs(row) ? 'late' : 'running';
}

async function write(
  sql: Sql,
  organisationId: number,
  id: number,
  { kind, said }: { kind: EntryKind; said: string },
  by: By,
): Promise<void> {
  await sql.query(
    `INSERT INTO incident_entries (organisation_id, incident_id, kind, said, at, person_id) VALUES ($1, $2, $3, $4, $5, $6)`,
    [organisationId, id, kind, said, new Date(by.nowMs), by.personId],
  );
}
