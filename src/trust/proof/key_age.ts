import type { LiveCheck } from '../../platform/checks.ts';
import { everyOrganisation } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';

/** A data key is worth changing once a year; older ones still open and seal. */
const keyDaysMax = 365;
/** Nobody has changed it for a quarter after that was due. */
const keyDaysRed = 455;

/**
 * How old are the keys that seal (CRY-07)? A key beyond its year is worth a look, one that nobody changed for a quarter more is
 * red; so is an owner whose keys are all set aside, for whom nothing could be sealed.
 */
export function keyAgeCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  return {
    id: 'key-age',
    what: 'age of the keys',
    proves: ['CRY-07'],
    every: 'day',
    audience: 'everyone',
    async run() {
      const organisations = await everyOrganisation(postgres);
      let keys = 0;
      let without = 0;
      let oldestMs = clock.now();
      for (const owner of ['desk' as const, ...organisations]) {
        const all = await postgres.vault(owner, (sql) =>
          sql.query<{ created_at: Date; is_current: boolean }>('SELECT created_at, is_current FROM vault.owner_keys'),
        );
        const rows = all.filter(({ is_current }) => is_current);
        if (all.length > 0 && rows.length === 0) without += 1;
        keys += rows.length;
        for (const { created_at } of rows) oldestMs = Math.min(oldestMs, created_at.getTime());
      }
      if (without > 0)
        return {
          state: 'wrong',
          fact: `${without} ${without === 1 ? 'owner has' : 'owners have'} keys and none in use, so nothing of theirs can be sealed`,
          todo: 'Run fairlead vault rotate, and find out who can write to the database of this desk.',
        };
      if (keys === 0) return { state: 'ok', fact: 'nothing was sealed yet' };
      const days = Math.floor((clock.now() - oldestMs) / dayMs);
      const fact = `${keys} in use, the oldest ${days} days old; ${keyDaysMax} at most`;
      if (days <= keyDaysMax) return { state: 'ok', fact };
      return { state: days <= keyDaysRed ? 'look' : 'wrong', fact, todo: 'Run fairlead vault rotate.' };
    },
  };
}
