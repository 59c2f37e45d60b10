import { type Executor, endedRows } from '../../platform/executor.ts';
import type { Postgres } from '../../platform/postgres/index.ts';

/** The list of backups after twelve months; the copies themselves are gone after 30 days at most. */
export function backupListExecutor(postgres: Pick<Postgres, 'system'>): Executor {
  return {
    line: 'backups',
    of: 'desk',
    works: 'in the transaction',
    async due({ cutMs }) {
      const { rows, oldest } = await postgres.system((sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          'SELECT count(*) AS rows, min(began_at) AS oldest FROM backups WHERE began_at < $1',
          [new Date(cutMs)],
        ),
      );
      return rows === 0 ? [] : [{ table: 'backups', rows, oldestMs: oldest?.getTime() ?? null }];
    },
    async end({ cutMs }, sql) {
      const gone = await sql.query<{ id: number; since: Date }>(
        'DELETE FROM backups WHERE began_at < $1 RETURNING id, began_at AS since',
        [new Date(cutMs)],
      );
      return [endedRows('backups', gone)];
    },
  };
}
