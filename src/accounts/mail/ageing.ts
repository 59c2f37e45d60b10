import type { Executor } from '../../platform/executor.ts';
import { asRetention, type Postgres } from '../../platform/postgres/index.ts';

/** What people were told, an organisation at a time; what is of no organisation goes with the desk. */
export function notificationExecutor(postgres: Pick<Postgres, 'retention'>): Executor {
  return {
    line: 'notifications',
    of: 'both',
    works: 'in the transaction',
    async due({ organisationId, cutMs, holds }) {
      const rows = await postgres.retention((sql) =>
        sql.query<{ person_id: number; rows: number; oldest: Date }>(
          'SELECT * FROM retention.old_notifications($1, $2)',
          [organisationId, new Date(cutMs)],
        ),
      );
      return rows.map(({ person_id, rows: count, oldest }) => ({
        ...{ table: 'notifications', rows: count, oldestMs: oldest.getTime() },
        isHeld: holds.everything || holds.personIds.has(person_id),
      }));
    },
    async end({ organisationId, cutMs, holds }, sql) {
      if (holds.everything) return [];
      const { rows, digest } = await asRetention(sql, () =>
        sql.one<{ rows: number; digest: Buffer }>('SELECT * FROM retention.delete_old_notifications($1, $2, $3)', [
          ...[organisationId, new Date(cutMs), [...holds.personIds]],
        ]),
      );
      return [{ table: 'notifications', rows, oldestMs: null, digest: digest.toString('hex') }];
    },
  };
}
