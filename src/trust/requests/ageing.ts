import { type Executor, endedRows } from '../../platform/executor.ts';
import type { Postgres } from '../../platform/postgres/index.ts';

/** What is in force goes on, however long ago it was answered. */
const isOver = 'NOT EXISTS (SELECT FROM restrictions r WHERE r.request_id = s.id AND r.ended_at IS NULL)';

/** Closed requests go when three years are over (class D24); open ones stay, whatever their age. */
export function requestExecutor(postgres: Pick<Postgres, 'tenant'>): Executor {
  return {
    line: 'requests',
    of: 'organisations',
    works: 'in the transaction',
    async due({ organisationId, cutMs, holds }) {
      if (organisationId === null) return [];
      const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          `SELECT count(*)::int AS rows, min(closed_at) AS oldest FROM subject_requests s WHERE closed_at < $1 AND ${isOver}`,
          [new Date(cutMs)],
        ),
      );
      if (rows === 0) return [];
      return [{ table: 'subject_requests', rows, oldestMs: oldest?.getTime() ?? null, isHeld: holds.everything }];
    },
    async end({ cutMs, holds }, sql) {
      if (holds.everything) return [];
      const gone = await sql.query<{ id: number; since: Date }>(
        `DELETE FROM subject_requests s WHERE closed_at < $1 AND ${isOver} RETURNING id, closed_at AS since`,
        [new Date(cutMs)],
      );
      // Those that were done once more after a restore belong to no request.
      await sql.run('DELETE FROM erasure_runs WHERE request_id IS NULL AND ended_at < $1', [new Date(cutMs)]);
      return [endedRows('subject_requests', gone)];
    },
  };
}

/** Archives and forms that wait go by their own clock, within minutes; the night looks whether any is left. */
export function formExecutor(postgres: Pick<Postgres, 'tenant'>): Executor {
  return {
    ...{ line: 'request-forms', of: 'organisations', works: 'by itself' },
    async due({ organisationId, cutMs, holds: { everything: isHeld } }) {
      if (organisationId === null) return [];
      const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          `SELECT count(*)::int AS rows, min(at) AS oldest FROM (
             SELECT made_at AS at FROM request_archives UNION ALL SELECT asked_at FROM request_asks) AS kept WHERE at < $1`,
          [new Date(cutMs)],
        ),
      );
      return rows === 0 ? [] : [{ table: 'request_archives', rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
    },
  };
}
