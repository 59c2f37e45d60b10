import { type Executor, endedRows } from '../../platform/executor.ts';
import type { Postgres } from '../../platform/postgres/index.ts';

/** What was posted goes after thirty days, whatever became of it. */
export function alertPostExecutor(postgres: Pick<Postgres, 'tenant'>): Executor {
  return {
    ...{ line: 'alert-posts', of: 'organisations', works: 'in the transaction' },
    async due({ organisationId, cutMs, holds }) {
      if (organisationId === null) return [];
      const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          'SELECT count(*)::int AS rows, min(created_at) AS oldest FROM alert_posts WHERE created_at < $1',
          [new Date(cutMs)],
        ),
      );
      if (rows === 0) return [];
      return [{ table: 'alert_posts', rows, oldestMs: oldest?.getTime() ?? null, isHeld: holds.everything }];
    },
    async end({ cutMs, holds }, sql) {
      if (holds.everything) return [];
      const gone = await sql.query<{ id: number; since: Date }>(
        'DELETE FROM alert_posts WHERE created_at < $1 RETURNING id, created_at AS since',
        [new Date(cutMs)],
      );
      return [endedRows('alert_posts', gone)];
    },
  };
}
