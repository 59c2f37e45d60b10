import type { IdentifierKind } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';

/**
 * Whoever is about to store, show or send something of a person asks here, in the transaction that does it: is one of these
 * digests on the list of a restriction or an objection that is in force (DSR-05, DSR-06)?
 * @returns the numbers of those restrictions
 */
export async function restrictionsOf(
  sql: Sql,
  digests: readonly { kind: IdentifierKind; digest: Buffer }[],
): Promise<number[]> {
  const rows = await sql.query<{ id: number }>(
    `SELECT DISTINCT i.restriction_id AS id FROM restricted_identifiers i
     JOIN unnest($1::text[], $2::bytea[]) AS said (kind, digest) ON said.kind = i.kind AND said.digest = i.digest ORDER BY 1`,
    [digests.map(({ kind }) => kind), digests.map(({ digest }) => digest)],
  );
  return rows.map(({ id }) => id);
}

/** All that is listed, for whoever has many values to hold against it. @returns `kind digest-in-hex` */
export async function everyRestricted(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query<{ one: string }>(
    "SELECT DISTINCT kind || ' ' || encode(digest, 'hex') AS one FROM restricted_identifiers",
  );
  return new Set(rows.map(({ one }) => one));
}
