import type { Sql } from '../../platform/postgres/index.ts';
import type { Vault } from '../../platform/vault.ts';
import { keySubject } from '../intake/record.ts';

/** Conversions of one statement. */
const pieceRows = 2_000;

/** What a deletion took away, by kind. */
export interface DeletedConversions {
  readonly conversions: number;
  readonly tellings: number;
  readonly deliveries: number;
  /** Of those, how many had not been sent. */
  readonly unsent: number;
  /** Of those, how many a platform has: it is not taken back there. */
  readonly delivered: number;
  readonly captures: number;
}

export const noneDeleted: DeletedConversions = {
  ...{ conversions: 0, tellings: 0, deliveries: 0, unsent: 0, delivered: 0, captures: 0 },
};

export function added(a: DeletedConversions, b: DeletedConversions): DeletedConversions {
  return Object.fromEntries(
    Object.entries(a).map(([name, count]) => [name, count + b[name as keyof DeletedConversions]]),
  ) as unknown as DeletedConversions;
}

/**
 * Removes conversions with everything that is there of them: facts, hashes and raw values with their keys, captured requests,
 * and what was still to be sent (REL-07). A key goes at once and for good; the rows with the transaction.
 */
export async function removeConversions(
  sql: Sql,
  vault: Pick<Vault, 'forget' | 'shred'>,
  organisationId: number,
  ids: readonly string[],
): Promise<DeletedConversions> {
  let all = noneDeleted;
  for (let at = 0; at < ids.length; at += pieceRows)
    all = added(all, await removePiece(sql, vault, organisationId, ids.slice(at, at + pieceRows)));
  return all;
}

async function removePiece(
  sql: Sql,
  vault: Pick<Vault, 'forget' | 'shred'>,
  organisationId: number,
  ids: readonly string[],
): Promise<DeletedConversions> {
  const tellings = await sql.query<{ request_id: string; subject: Buffer | null; sealed: Buffer | null }>(
    `SELECT request_id, subject, coalesce(hashes_sealed, raw_sealed) AS sealed FROM relay_tellings
     WHERE organisation_id = current_organisation() AND conversion_id = ANY ($1::uuid[])`,
    [ids],
  );
  const deliveries = await sql.one<{ all: number; unsent: number; delivered: number }>(
    `SELECT count(*)::int AS all, (count(*) FILTER (WHERE state IN ('held', 'waiting', 'sending')))::int AS unsent,
       (count(*) FILTER (WHERE state = 'accepted'))::int AS delivered
     FROM relay_deliveries WHERE organisation_id = current_organisation() AND conversion_id = ANY ($1::uuid[])`,
    [ids],
  );
  await vault.forget(
    organisationId,
    tellings.flatMap(({ subject, sealed }) =>
      subject === null || sealed === null ? [] : [{ subject, value: sealed }],
    ),
  );
  const captures = await sql.query<{ id: string }>(
    'DELETE FROM relay_captures WHERE organisation_id = current_organisation() AND id = ANY ($1::uuid[]) RETURNING id',
    [tellings.map(({ request_id }) => request_id)],
  );
  for (const { id } of captures) await vault.shred(organisationId, keySubject(id));
  const conversions = await sql.run(
    'DELETE FROM relay_conversions WHERE organisation_id = current_organisation() AND id = ANY ($1::uuid[])',
    [ids],
  );
  return {
    ...{ conversions, tellings: tellings.length, deliveries: deliveries.all, unsent: deliveries.unsent },
    ...{ delivered: deliveries.delivered, captures: captures.length },
  };
}
