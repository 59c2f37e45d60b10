import type { Executor } from '../executor.ts';
import { asRetention, type Postgres } from '../postgres/index.ts';

/** The list of sent mail, an organisation at a time; what is of no organisation goes with the desk. One that waits stays. */
export function mailExecutor(postgres: Pick<Postgres, 'retention'>): Executor {
  return {
    line: 'mail',
    of: 'both',
    works: 'in the transaction',
    async due({ organisationId, cutMs, holds }) {
      const rows = await postgres.retention((sql) =>
        sql.query<{ person_id: number | null; rows: number; oldest: Date }>(
          'SELECT * FROM retention.old_mail($1, $2)',
          [organisationId, new Date(cutMs)],
        ),
      );
      return rows.map(({ person_id, rows: count, oldest }) => ({
        ...{ table: 'mail.messages', rows: count, oldestMs: oldest.getTime() },
        isHeld: holds.everything || (person_id !== null && holds.personIds.has(person_id)),
      }));
    },
    async end({ organisationId, cutMs, holds }, sql) {
      if (holds.everything) return [];
      const { rows, digest } = await asRetention(sql, () =>
        sql.one<{ rows: number; digest: Buffer }>('SELECT * FROM retention.delete_old_mail($1, $2, $3)', [
          ...[organisationId, new Date(cutMs), [...holds.personIds]],
        ]),
      );
      return [{ table: 'mail.messages', rows, oldestMs: null, digest: digest.toString('hex') }];
    },
  };
}
