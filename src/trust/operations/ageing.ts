import { type Executor, endedInPieces } from '../../platform/executor.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';

/** A table of the log, with the column that tells its rows apart. */
const tables = {
  operations: { table: 'operations', key: 'id' },
  'operation-networks': { table: 'operation_networks', key: 'operation_id' },
} as const;
/** Rows that go in one statement, so that none holds its locks for long. */
const pieceRows = 20_000;

/**
 * Lines of the operations log after twelve months (RET-11), and the networks in it after 90 days (R3). A hold of everything
 * or of the class keeps them; one of a person does too, since the log cannot tell whose a line is.
 */
export function operationExecutors(postgres: Pick<Postgres, 'tenant' | 'system'>): Executor[] {
  const scope = <T>(organisationId: number | null, work: (sql: Sql) => Promise<T>) =>
    organisationId === null ? postgres.system(work) : postgres.tenant(organisationId, work);
  return (Object.keys(tables) as (keyof typeof tables)[]).map((line) => {
    const { table, key } = tables[line];
    return {
      ...{ line, of: 'both', works: 'in the transaction' },
      async due({ organisationId, cutMs, holds }) {
        const { rows, oldest } = await scope(organisationId, (sql) =>
          sql.one<{ rows: number; oldest: Date | null }>(
            `SELECT count(*)::int AS rows, min(at) AS oldest FROM ${table}
             WHERE organisation_id IS NOT DISTINCT FROM $2 AND at < $1`,
            [new Date(cutMs), organisationId],
          ),
        );
        if (rows === 0) return [];
        const isHeld = holds.everything || holds.personIds.size > 0;
        return [{ table, rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
      },
      async end({ organisationId, cutMs, holds }, sql) {
        if (holds.everything || holds.personIds.size > 0) return [];
        return endedInPieces(table, pieceRows, () =>
          sql.query(
            `DELETE FROM ${table} WHERE ${key} IN (
               SELECT ${key} FROM ${table} WHERE organisation_id IS NOT DISTINCT FROM $2 AND at < $1 ORDER BY at LIMIT $3
             ) RETURNING ${key} AS id, at`,
            [new Date(cutMs), organisationId, pieceRows],
          ),
        );
      },
    } satisfies Executor;
  });
}
