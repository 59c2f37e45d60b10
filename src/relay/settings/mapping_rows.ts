import type { Mapping } from '../../../contract/mapping.ts';
import type { MappingVersion } from '../../../contract/relay_settings.ts';
import { emailIn } from '../../accounts/index.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';

export interface MappingRow {
  readonly version: number;
  readonly mapping: Mapping;
  readonly note: string | null;
  readonly created_at: Date;
  readonly created_by: number | null;
}

const columns = 'version, mapping, note, created_at, created_by';

/** Every version of a source's mapping, the newest first. */
export function mappingRows(sql: Sql, sourceId: number): Promise<MappingRow[]> {
  return sql.query<MappingRow>(
    `SELECT ${columns} FROM relay_mappings WHERE source_id = $1 ORDER BY version DESC LIMIT ${versionsShownMax}`,
    [sourceId],
  );
}
/** Older ones are there, and answered by their number. */
const versionsShownMax = 200;

/** @throws RequestError not_found */
export async function mappingRow(sql: Sql, sourceId: number, version: number): Promise<MappingRow> {
  const row = await sql.maybe<MappingRow>(
    `SELECT ${columns} FROM relay_mappings WHERE source_id = $1 AND version = $2`,
    [sourceId, version],
  );
  if (row === undefined) throw new RequestError('not_found', 'There is no such version of this mapping.');
  return row;
}

/** The mapping in force; one that fills nothing where there is none yet. */
export async function mappingInForce(sql: Sql, source: { id: number; mapping_version: number }): Promise<Mapping> {
  return source.mapping_version === 0
    ? { fields: {} }
    : (await mappingRow(sql, source.id, source.mapping_version)).mapping;
}

export async function shownVersion(
  house: Pick<House, 'vault'>,
  sql: Sql,
  row: MappingRow,
  inForce: number,
): Promise<MappingVersion> {
  return {
    ...{ version: row.version, note: row.note, created_at: row.created_at.toISOString() },
    created_by: row.created_by === null ? null : ((await emailIn(house, sql, row.created_by)) ?? null),
    fields: fieldsOf(row.mapping),
    in_force: row.version === inForce,
  };
}

function fieldsOf(mapping: Mapping): number {
  const cases = 'cases' in mapping ? mapping.cases : [mapping];
  return new Set(cases.flatMap((one) => ('fields' in one ? Object.keys(one.fields) : []))).size;
}
