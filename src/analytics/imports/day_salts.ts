import type { Random } from '../../platform/random.ts';
import { type DaySalt, dayOf, isGrace, type Salts, saltBytes } from '../visits/salt.ts';

/**
 * One random salt per UTC day, in memory only: ids of a past day can meet neither those that were made live on that day
 * nor those of another import. Rows after midnight are tried under the day before for ten minutes, as live events are.
 *
 * @param runningOn the desk's own salt where the day has one, so that today's visitors are the same as live
 */
export function openDaySalts(
  random: Random,
  runningOn: (day: number) => DaySalt | undefined,
): Pick<Salts, 'current' | 'previous' | 'late'> {
  const byDay = new Map<number, DaySalt>();
  function saltOf(day: number): DaySalt {
    const known = runningOn(day) ?? byDay.get(day);
    if (known !== undefined) return known;
    const made = { day, salt: random.bytes(saltBytes) };
    byDay.set(day, made);
    return made;
  }
  return {
    current: (ms) => saltOf(dayOf(ms)),
    previous: (ms) => (isGrace(ms) ? saltOf(dayOf(ms) - 1) : undefined),
    late: saltOf,
  };
}
