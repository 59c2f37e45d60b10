import { createHash } from 'node:crypto';
import type { PaperKind, PaperVersion } from '../../../contract/documents.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Paper } from './paper.ts';

/** A version that was published; its words stay as they were. */
export interface VersionRow {
  kind: PaperKind;
  version: number;
  digest: string;
  effective_on: string;
  is_material: boolean;
  published_at: Date;
  published_by: number;
  reviewed_at: Date;
  reviewed_by: number;
  told: number;
}

const rows = `SELECT v.kind, v.version, v.digest, v.effective_on::text, v.is_material, v.published_at, v.published_by,
    v.reviewed_at, v.reviewed_by, (SELECT count(*)::int FROM document_receipts r WHERE r.organisation_id = v.organisation_id
      AND r.kind = v.kind AND r.version = v.version) AS told
  FROM document_versions v`;

/** The newest first. */
export function readVersions(sql: Sql, organisationId: number, kind?: PaperKind): Promise<VersionRow[]> {
  return sql.query<VersionRow>(
    `${rows} WHERE v.organisation_id = $1 AND ($2::text IS NULL OR v.kind = $2) ORDER BY v.kind, v.version DESC`,
    [organisationId, kind ?? null],
  );
}

export async function readContent(sql: Sql, organisationId: number, kind: PaperKind, version: number): Promise<Paper> {
  const { content } = await sql.one<{ content: Paper }>(
    'SELECT content FROM document_versions WHERE organisation_id = $1 AND kind = $2 AND version = $3',
    [organisationId, kind, version],
  );
  return content;
}

/** The version that holds on a day: the newest of those whose day has come. */
export function holdingOn<Version extends { effective_on: string }>(
  versions: readonly Version[],
  day: string,
): Version | undefined {
  return versions.find(({ effective_on }) => effective_on <= day);
}

export function shownVersion(row: VersionRow, base: string): PaperVersion {
  const { kind, digest: _, published_at, reviewed_at, ...shown } = row;
  return {
    ...shown,
    published_at: published_at.toISOString(),
    reviewed_at: reviewed_at.toISOString(),
    path: `${base}/${kind}/${row.version}`,
  };
}

export const digestOf = (paper: Paper): string => createHash('sha256').update(JSON.stringify(paper)).digest('hex');

export interface ReviewRow {
  kind: PaperKind;
  digest: string;
  reviewed_at: Date;
  reviewed_by: number;
}

export async function readReviews(sql: Sql, organisationId: number): Promise<ReviewRow[]> {
  return sql.query<ReviewRow>(
    'SELECT kind, digest, reviewed_at, reviewed_by FROM document_reviews WHERE organisation_id = $1',
    [organisationId],
  );
}

interface By {
  personId: number;
  nowMs: number;
}

/** Somebody has read exactly these words; who did first stays. */
export async function review(sql: Sql, organisationId: number, kind: PaperKind, digest: string, by: By): Promise<void> {
  await sql.run(
    `INSERT INTO document_reviews (organisation_id, kind, digest, reviewed_at, reviewed_by) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING`,
    [organisationId, kind, digest, new Date(by.nowMs), by.personId],
  );
}

/**
 * Makes a further version of words that are complete and were read.
 * @throws RequestError conflict when something is missing, when nobody has read these words, or when they are published
 */
export async function publish(
  sql: Sql,
  organisationId: number,
  {
    paper,
    gaps,
    effectiveOn,
    isMaterial,
  }: { paper: Paper; gaps: readonly string[]; effectiveOn: string; isMaterial: boolean },
  by: By,
): Promise<number> {
  const { kind } = paper;
  if (gaps.length > 0)
    throw new RequestError('conflict', `It cannot be published while something is missing: ${gaps.join('; ')}.`);
  const digest = digestOf(paper);
  const read = (await readReviews(sql, organisationId)).find((one) => one.kind === kind && one.digest === digest);
  if (read === undefined)
    throw new RequestError('conflict', 'Nobody has read these words yet. Read them and say so, then publish.');
  const [newest] = await readVersions(sql, organisationId, kind);
  if (newest?.digest === digest)
    throw new RequestError('conflict', `Version ${newest.version} says exactly this already.`);
  const version = (newest?.version ?? 0) + 1;
  await sql.run(
    `INSERT INTO document_versions (organisation_id, kind, version, digest, content, effective_on, is_material, reviewed_at,
       reviewed_by, published_at, published_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      ...[organisationId, kind, version, digest, JSON.stringify(paper), effectiveOn, isMaterial],
      ...[read.reviewed_at, read.reviewed_by, new Date(by.nowMs), by.personId],
    ],
  );
  return version;
}
