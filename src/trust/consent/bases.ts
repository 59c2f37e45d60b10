import type { z } from 'zod';
import {
  type BasesAnswer,
  type BasisRegion,
  type basisChange,
  basisRegions,
  type LawfulBasis,
  type OwnPurpose,
  type ProcessingPurpose,
  processingPurposes,
} from '../../../contract/consent_records.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { choicesOf, purposes } from './purposes.ts';

interface Row {
  purpose: string;
  region: string;
  version: number;
  basis: LawfulBasis;
  changed_at: Date;
}

/** The table of an organisation, from which documents say it, too: every purpose, every region, one basis. */
export async function readBases(sql: Sql, organisationId: number): Promise<BasesAnswer> {
  const rows = await sql.query<Row>(
    `SELECT DISTINCT ON (purpose, region) purpose, region, version, basis, changed_at FROM lawful_bases
     WHERE organisation_id = $1 ORDER BY purpose, region, version DESC`,
    [organisationId],
  );
  return tableOf(rows);
}

/** The table as it is shipped, of the product itself. */
export const shippedBases = (): BasesAnswer => tableOf([]);

function tableOf(rows: readonly Row[]): BasesAnswer {
  return {
    purposes: processingPurposes.map((purpose) => ({
      ...{ purpose, about: purposes[purpose].about, words: purposes[purpose].words },
      bases: basisRegions.map((region) => {
        const set = rows.find((row) => row.purpose === purpose && row.region === region);
        const choices = choicesOf(purpose, region);
        const shipped = purposes[purpose].shipped[region];
        return {
          region,
          // What is shipped may have become stricter since: nothing that was set makes it looser.
          basis: set !== undefined && choices.includes(set.basis) ? set.basis : shipped,
          ...{ shipped, choices },
          version: set?.version ?? 0,
          changed_at: set?.changed_at.toISOString() ?? null,
        };
      }),
    })),
  };
}

/** @throws RequestError invalid_field for a looser basis, conflict where it was changed meanwhile */
export async function changeBasis(
  sql: Sql,
  { organisationId, purpose, region }: { organisationId: number; purpose: ProcessingPurpose; region: BasisRegion },
  { basis, version }: z.infer<typeof basisChange>,
  nowMs: number,
): Promise<void> {
  const choices = choicesOf(purpose, region);
  if (!choices.includes(basis))
    throw new RequestError(
      'invalid_field',
      choices.length === 1
        ? 'This purpose rests on one basis, which cannot be changed.'
        : `A basis may be made stricter than what is shipped. Choose one of ${choices.join(', ')}.`,
      { field: 'basis' },
    );
  const written = await sql.maybe(
    `INSERT INTO lawful_bases (organisation_id, purpose, region, version, basis, changed_at)
     SELECT $1::bigint, $2::text, $3::text, now.version + 1, $5::text, $6::timestamptz
     FROM (SELECT coalesce(max(version), 0) AS version FROM lawful_bases WHERE organisation_id = $1 AND purpose = $2 AND region = $3) now
     WHERE $4::integer IS NULL OR now.version = $4::integer
     ON CONFLICT DO NOTHING RETURNING version`,
    [organisationId, purpose, region, version ?? null, basis, new Date(nowMs)],
  );
  if (written === undefined)
    throw new RequestError(
      'conflict',
      'Somebody else has changed this basis meanwhile. Load the page again to see it.',
    );
}

/** Is this done at all? Where a person with an account is is not known, so off in one region is off. */
export async function isDone(sql: Sql, organisationId: number, purpose: OwnPurpose): Promise<boolean> {
  const off = await sql.maybe(
    `SELECT 1 FROM (SELECT DISTINCT ON (region) basis FROM lawful_bases WHERE organisation_id = $1 AND purpose = $2
       ORDER BY region, version DESC) newest
     WHERE basis = 'off' LIMIT 1`,
    [organisationId, purpose],
  );
  return off === undefined;
}
