import type { Sql } from '../../platform/postgres/index.ts';
import type { Vault } from '../../platform/vault.ts';
import { type IntakeRecord, keyOfText } from '../intake/record.ts';
import { heldOfConversions } from './kept.ts';

/** The last deletion of everything that an organisation asked for, or nulls. */
export interface EverythingDeleted {
  readonly id: number | null;
  readonly asked_at: Date | null;
}
/** Which one that is: SQL. Whoever stores what came asks it behind a lock (intake/loads.ts) under which a deletion is written down. */
export const lastOfEverything = `SELECT d.id, d.asked_at FROM relay_deletions d
  WHERE d.organisation_id = current_organisation() AND d.what = 'everything' ORDER BY d.id DESC LIMIT 1`;

/**
 * What is still to be stored of records from the spool, or from an upload: what came before everything was deleted is part of it, but
 * for what a legal hold keeps. It was acknowledged, so its receipt says how much it was: on a kill in between, once more.
 * Keys that travelled with it are destroyed.
 */
export async function withoutDeleted(
  sql: Sql,
  vault: Pick<Vault, 'disown'>,
  organisationId: number,
  { id, asked_at: askedAt }: EverythingDeleted,
  records: readonly IntakeRecord[],
): Promise<readonly IntakeRecord[]> {
  const until = askedAt?.getTime() ?? Number.NEGATIVE_INFINITY;
  // Calls of pixels are no conversions: digests that end after two days.
  const isBefore = (record: IntakeRecord) => record.kind !== 'calls' && record.at <= until;
  if (!records.some(isBefore)) return records;
  const isHeld = await holdsOf(sql, organisationId);
  // A conversion knows its site; a request that made none belongs to that of its source.
  const bySource = await sitesOf(
    sql,
    records.flatMap((record) => (record.kind === 'unmapped' ? [record.source] : [])),
  );
  const isGone = (record: IntakeRecord) =>
    isBefore(record) && !isHeld(record.kind === 'unmapped' ? bySource.get(record.source) : record.site);
  const gone = records.filter(isGone);
  if (gone.length === 0) return records;
  await vault.disown(
    organisationId,
    gone.flatMap((record) => (record.kind === 'calls' || record.key === null ? [] : [keyOfText(record.key)])),
  );
  await sql.run('UPDATE relay_deletions SET on_the_way = on_the_way + $2 WHERE id = $1', [id, gone.length]);
  return records.filter((record) => !isGone(record));
}

/** Does a legal hold keep what belongs to this site, or to none? */
async function holdsOf(sql: Sql, organisationId: number): Promise<(site: number | null | undefined) => boolean> {
  const { isEverythingHeld, sites } = await heldOfConversions(sql, organisationId);
  return (site) => isEverythingHeld || (typeof site === 'number' && sites.has(site));
}

/** Sites of sources, by the source. */
async function sitesOf(sql: Sql, sources: readonly number[]): Promise<ReadonlyMap<number, number | null>> {
  if (sources.length === 0) return new Map();
  const rows = await sql.query<{ id: number; site_id: number | null }>(
    'SELECT id, site_id FROM relay_sources WHERE id = ANY ($1)',
    [[...new Set(sources)]],
  );
  return new Map(rows.map(({ id, site_id }) => [id, site_id]));
}

/** The same of requests that were to be kept for whoever maps their source. */
export async function withoutDeletedCaptures<One extends { readonly at: number }>(
  sql: Sql,
  organisationId: number,
  sourceId: number,
  captures: readonly One[],
): Promise<readonly One[]> {
  const last = await sql.maybe<{ id: number; asked_at: Date }>(lastOfEverything);
  if (last === undefined) return captures;
  const kept = captures.filter(({ at }) => at > last.asked_at.getTime());
  if (kept.length === captures.length) return captures;
  const isHeld = await holdsOf(sql, organisationId);
  return isHeld((await sitesOf(sql, [sourceId])).get(sourceId)) ? captures : kept;
}
