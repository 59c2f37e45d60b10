import { createHash } from 'node:crypto';
import type { Executor } from '../../platform/executor.ts';
import type { Postgres } from '../../platform/postgres/index.ts';
import { utcDay } from '../../platform/zone.ts';

const table = 'product_usage';

/** Counts of pages and features go after twelve months (class D22; nobody asks for older ones). */
export function usageExecutor(postgres: Pick<Postgres, 'tenant'>): Executor {
  return {
    line: 'product-usage',
    of: 'organisations',
    works: 'in the transaction',
    async due({ organisationId, cutMs, holds }) {
      const { rows, oldest } = await postgres.tenant(organisationId as number, (sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          `SELECT count(*)::int AS rows, min(day)::timestamptz AS oldest FROM product_usage WHERE organisation_id = $1 AND day < $2`,
          [organisationId, utcDay(cutMs)],
        ),
      );
      return rows === 0 ? [] : [{ table, rows, oldestMs: oldest?.getTime() ?? null, isHeld: holds.everything }];
    },
    async end({ organisationId, cutMs, holds }, sql) {
      if (holds.everything) return [];
      const gone = await sql.query<{ key: string }>(
        `DELETE FROM product_usage WHERE organisation_id = $1 AND day < $2 RETURNING concat_ws(' ', day, kind, name) AS key`,
        [organisationId, utcDay(cutMs)],
      );
      const keys = gone.map(({ key }) => key).sort();
      const digest = createHash('sha256').update(keys.join('\n')).digest('hex');
      return keys.length === 0 ? [] : [{ table, rows: keys.length, oldestMs: null, digest }];
    },
  };
}
