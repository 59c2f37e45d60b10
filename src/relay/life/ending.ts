import type { Postgres } from '../../platform/postgres/index.ts';

/** Conversions of one transaction, each with its tellings and deliveries: a second or two on a busy machine. */
const pieceRows = 1_000;
const firstOfAll = '00000000-0000-0000-0000-000000000000';

/**
 * Removes every conversion of a closed organisation, with what belongs to it: a million of them do not go within the time that one
 * statement has. Their keys go with those of the organisation.
 * @returns how many went
 */
export async function removeAllConversions(
  { postgres }: { postgres: Pick<Postgres, 'tenant'> },
  organisationId: number,
): Promise<number> {
  let gone = 0;
  // In the order of the index, and each time behind what has gone: what is dead is not read again.
  for (let after = firstOfAll; ; ) {
    const ids = await postgres.tenant(organisationId, async (sql) => {
      // Locked, so that none goes of an organisation that is opened again meanwhile.
      const closed = await sql.query(
        "SELECT FROM organisations WHERE id = $1 AND status = 'closed' AND emptied_at IS NULL FOR SHARE",
        [organisationId],
      );
      if (closed.length === 0) return [];
      const piece = await sql.query<{ id: string }>(
        `SELECT id FROM relay_conversions WHERE organisation_id = current_organisation() AND id > $1 ORDER BY id LIMIT $2`,
        [after, pieceRows],
      );
      const theirs = piece.map(({ id }) => id);
      gone += await sql.run(
        'DELETE FROM relay_conversions WHERE organisation_id = current_organisation() AND id = ANY ($1::uuid[])',
        [theirs],
      );
      return theirs;
    });
    const last = ids.at(-1);
    if (last === undefined || ids.length < pieceRows) return gone;
    after = last;
  }
}
