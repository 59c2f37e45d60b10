import type { Executor } from '../../platform/executor.ts';
import { asRetention, type Postgres } from '../../platform/postgres/index.ts';

/** What the daily look at the guards found, after twelve months. The function that removes it notes it, and the night takes the note. */
export function selfAuditExecutor(postgres: Pick<Postgres, 'retention'>): Executor {
  return {
    line: 'self-audits',
    of: 'desk',
    works: 'in the transaction',
    async due({ nowMs }) {
      const { rows, oldest } = await postgres.retention((sql) =>
        sql.one<{ rows: number; oldest: Date | null }>("SELECT * FROM retention.past_due($1, 'self-audits')", [
          new Date(nowMs),
        ]),
      );
      return rows === 0 ? [] : [{ table: 'self_audits', rows, oldestMs: oldest?.getTime() ?? null }];
    },
    async end({ nowMs }, sql) {
      await asRetention(sql, () => sql.one('SELECT retention.delete_old_self_audits($1) AS gone', [new Date(nowMs)]));
      return [];
    },
  };
}
