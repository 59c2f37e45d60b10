import type { LiveCheck } from '../../platform/checks.ts';
import type { House } from '../../platform/subject.ts';

const dayMs = 86_400_000;
/** A data key is worth changing once a year; older ones still open and seal. */
export const keyDaysMax = 365;

/** How old are the keys that seal (CRY-07)? A key beyond its year is worth a look and breaks nothing. */
export function keyAgeCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  return {
    id: 'key-age',
    what: 'age of the keys',
    proves: ['CRY-07'],
    every: 'day',
    audience: 'everyone',
    async run() {
      const organisations = await postgres.system((sql) =>
        sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
      );
      let keys = 0;
      let oldestMs = clock.now();
      for (const owner of ['desk' as const, ...organisations.map((one) => one.organisation_id)]) {
        const rows = await postgres.vault(owner, (sql) =>
          sql.query<{ created_at: Date }>('SELECT created_at FROM vault.owner_keys WHERE is_current'),
        );
        keys += rows.length;
        for (const { created_at } of rows) oldestMs = Math.min(oldestMs, created_at.getTime());
      }
      if (keys === 0) return { state: 'ok', fact: 'nothing was sealed yet' };
      const days = Math.floor((clock.now() - oldestMs) / dayMs);
      const fact = `${keys} in use, the oldest ${days} days old; ${keyDaysMax} at most`;
      return days <= keyDaysMax ? { state: 'ok', fact } : { state: 'look', fact, todo: 'Run fairlead vault rotate.' };
    },
  };
}
