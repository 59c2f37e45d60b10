import type { AccessKind } from '../../platform/access.ts';
import { repeat } from '../../platform/clock.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { reviewCheck } from './overdue_check.ts';
import { remind, type Teller } from './reminders.ts';
import { accessRoutes } from './routes.ts';

export const accessMigrations = new URL('./migrations/', import.meta.url);

/** How often it is looked whether a review begins or has to be told of. */
const lookMs = 60 * 60_000;

/**
 * The quarterly review of access: everything that lets somebody in is confirmed or removed.
 * @param kinds what the subjects bring; asked late, when all of them run
 */
export function openAccessReviews(
  house: Pick<House, 'postgres' | 'clock' | 'log' | 'audit' | 'config' | 'vault'>,
  notices: Teller,
  kinds: () => readonly AccessKind[],
): RunningSubject & { remind(): Promise<void> } {
  const { clock, config, log } = house;
  let callOff = () => {};
  let running: Promise<unknown> | undefined;
  return {
    routes: accessRoutes(house, kinds),
    checks: [reviewCheck(house)],
    remind: () => remind(house, notices),
    async begin() {
      if (config.role !== 'all' && config.role !== 'work') return;
      const look = () => {
        running = remind(house, notices);
        return running;
      };
      callOff = repeat(clock, lookMs, look, {
        ...{ firstMs: 90_000, onError: (error) => log.error('access.reminding_failed', {}, error) },
      });
    },
    async stop() {
      callOff();
      await running?.catch(() => {});
    },
  };
}
