import { type Executor, endedInPieces } from '../../platform/executor.ts';
import { asRetention, type Postgres } from '../../platform/postgres/index.ts';

/** Rows that go in one statement, so that none holds its locks for long. */
const pieceRows = 10_000;

/** The ledger after ten years, carried over into one transfer; which deliveries a line was for after two. */
export function creditExecutors(postgres: Pick<Postgres, 'tenant'>): Executor[] {
  const old = (organisationId: number | null, text: string, cutMs: number) =>
    organisationId === null
      ? undefined
      : postgres.tenant(organisationId, (sql) =>
          sql.one<{ rows: number; oldest: Date | null }>(text, [organisationId, new Date(cutMs)]),
        );
  return [
    {
      ...{ line: 'credit-ledger', of: 'organisations', works: 'in the transaction' },
      async due({ organisationId, cutMs, holds: { everything: isHeld } }) {
        const found = await old(
          organisationId,
          `SELECT count(*)::int AS rows, min(at) AS oldest FROM credit_transfers
           WHERE organisation_id = $1 AND at < $2 AND kind <> 'carried'`,
          cutMs,
        );
        if (found === undefined || found.rows === 0) return [];
        return [{ table: 'credit_transfers', rows: found.rows, oldestMs: found.oldest?.getTime() ?? null, isHeld }];
      },
      async end({ organisationId, cutMs, holds }, sql) {
        if (holds.everything) return [];
        const { rows, digest } = await asRetention(sql, () =>
          sql.one<{ rows: number; digest: Buffer }>('SELECT * FROM retention.delete_old_credits($1, $2)', [
            organisationId,
            new Date(cutMs),
          ]),
        );
        return rows === 0 ? [] : [{ table: 'credit_transfers', rows, oldestMs: null, digest: digest.toString('hex') }];
      },
    },
    {
      ...{ line: 'credit-charges', of: 'organisations', works: 'in the transaction' },
      async due({ organisationId, cutMs, holds: { everything: isHeld } }) {
        const found = await old(
          organisationId,
          `SELECT count(*)::int AS rows, min(charged_at) AS oldest FROM credit_charges
           WHERE organisation_id = $1 AND charged_at < $2`,
          cutMs,
        );
        if (found === undefined || found.rows === 0) return [];
        return [{ table: 'credit_charges', rows: found.rows, oldestMs: found.oldest?.getTime() ?? null, isHeld }];
      },
      async end({ organisationId, cutMs, holds }, sql) {
        if (holds.everything) return [];
        return endedInPieces('credit_charges', pieceRows, () =>
          sql.query(
            `DELETE FROM credit_charges WHERE organisation_id = $1 AND id IN (
               SELECT id FROM credit_charges WHERE organisation_id = $1 AND charged_at < $2 ORDER BY id LIMIT $3)
             RETURNING id, charged_at AS at`,
            [organisationId, new Date(cutMs), pieceRows],
          ),
        );
      },
    },
  ];
}
