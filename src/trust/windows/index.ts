import { repeat } from '../../platform/clock.ts';
import type { Executor } from '../../platform/executor.ts';
import type { RunningSubject } from '../../platform/subject.ts';
import { clockExecutors } from './clocks.ts';

import { type Night, type NightHouse, openNight } from './night.ts';
import { nightCheck } from './night_check.ts';
import { remindOfReviews, type Teller } from './reviews.ts';
import { windowRoutes } from './routes.ts';

export {
  heldIn,
  holdOn,
  holdOnLine,
  holdsInForce,
  isMemberHeld,
  isPersonHeld,
  refuseLineWhileHeld,
  refuseWhileHeld,
} from './holds.ts';
export { type Line, lines, spanWords } from './lines.ts';
export { firstPolicy, type Policy, readPolicy, windowOf } from './policy.ts';
export { classesBeside } from './stored.ts';

export const windowMigrations = new URL('./migrations/', import.meta.url);

/** How often it is looked whether the hour of the night has come. */
const lookMs = 5 * 60_000;

export interface Windows extends RunningSubject {
  night: Night;
  /** Tells of holds whose review is near. */
  remind(): Promise<void>;
  /** Lines that somebody ends or looks at. */
  covered: readonly string[];
}

/** What is kept for how long: one table, one nightly run, one receipt for what went. */
export function openWindows(house: NightHouse, executors: readonly Executor[], notices: Teller): Windows {
  const { config, clock, log } = house;
  const all = [...executors, ...clockExecutors(house)];
  const night = openNight(house, all);
  // Where collectors and pages have processes of their own, the one that works does this too.
  const remind = () => remindOfReviews(house, notices);
  const works = config.role === 'all' || config.role === 'work';
  let callOff = () => {};
  let running: Promise<unknown> | undefined;
  return {
    night,
    remind,
    covered: all.map(({ line }) => line),
    routes: windowRoutes(house, night),
    checks: [nightCheck(house)],
    async begin() {
      if (!works) return;
      callOff = repeat(
        clock,
        lookMs,
        () => {
          running = remind().then(() => night.runIfDue());
          return running;
        },
        { firstMs: 2 * lookMs, onError: (error) => log.error('retention.night_failed', {}, error) },
      );
    },
    async stop() {
      callOff();
      await running?.catch(() => {});
    },
  };
}
