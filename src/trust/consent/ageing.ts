import type { Executor } from '../../platform/executor.ts';
import { asRetention, type Postgres } from '../../platform/postgres/index.ts';

const table = 'consent_records';

/** Records go together, three years after the person took the consent back or closed the account (class D23). */
export function consentExecutor(postgres: Pick<Postgres, 'retention'>): Executor {
  return {
    line: 'consents',
    of: 'both',
    works: 'in the transaction',
    async due({ organisationId, cutMs, holds }) {
      const { rows, oldest } = await postgres.retention((sql) =>
        sql.one<{ rows: number; oldest: Date | null }>('SELECT * FROM retention.ended_consents($1, $2)', [
          organisationId,
          new Date(cutMs),
        ]),
      );
      return rows === 0 ? [] : [{ table, rows, oldestMs: oldest?.getTime() ?? null, isHeld: holds.everything }];
    },
    async end({ organisationId, cutMs, holds }, sql) {
      if (holds.everything) return [];
      const { rows, digest } = await asRetention(sql, () =>
        sql.one<{ rows: number; digest: Buffer }>('SELECT * FROM retention.delete_ended_consents($1, $2)', [
          organisationId,
          new Date(cutMs),
        ]),
      );
      return [{ table, rows, oldestMs: null, digest: digest.toString('hex') }];
    },
  };
}
