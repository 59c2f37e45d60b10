import { type Executor, endedRows } from '../platform/executor.ts';
import type { Postgres } from '../platform/postgres/index.ts';

/** What was disconnected goes 30 days later (class D10); what is connected stays, whatever its age. */
export function connectionExecutor(postgres: Pick<Postgres, 'tenant'>): Executor {
  return {
    line: 'connections',
    of: 'organisations',
    works: 'in the transaction',
    async due({ organisationId, cutMs, holds }) {
      if (organisationId === null) return [];
      const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          'SELECT count(*)::int AS rows, min(disconnected_at) AS oldest FROM connections WHERE disconnected_at < $1',
          [new Date(cutMs)],
        ),
      );
      if (rows === 0) return [];
      return [{ table: 'connections', rows, oldestMs: oldest?.getTime() ?? null, isHeld: holds.everything }];
    },
    async end({ cutMs, holds }, sql) {
      if (holds.everything) return [];
      const gone = await sql.query<{ id: number; since: Date }>(
        'DELETE FROM connections WHERE disconnected_at < $1 RETURNING id, disconnected_at AS since',
        [new Date(cutMs)],
      );
      return [endedRows('connections', gone)];
    },
  };
}

/** Steps go by their own clock, within minutes; the night looks whether any is left. */
export function stepExecutor(postgres: Pick<Postgres, 'tenant'>): Executor {
  return {
    ...{ line: 'connection-steps', of: 'organisations', works: 'by itself' },
    async due({ organisationId, nowMs, holds: { everything: isHeld } }) {
      if (organisationId === null) return [];
      const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          'SELECT count(*)::int AS rows, min(expires_at) AS oldest FROM connection_steps WHERE expires_at < $1',
          [new Date(nowMs - graceMs)],
        ),
      );
      return rows === 0 ? [] : [{ table: 'connection_steps', rows, oldestMs: oldest?.getTime() ?? null, isHeld }];
    },
  };
}

/** What is younger beyond its end waits for the timer's next turn. */
const graceMs = 2 * 3_600_000;
