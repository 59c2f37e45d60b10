import { repeat } from '../../platform/clock.ts';
import { mailHolder } from '../../platform/mail/index.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { requestExecutor } from './ageing.ts';
import { requestCheck } from './overdue_check.ts';
import { requestHolder } from './own_holder.ts';
import { remind, type Teller } from './reminders.ts';
import { requestRoutes } from './routes.ts';

export const requestMigrations = new URL('./migrations/', import.meta.url);

/** How often it is looked whether somebody has to be reminded. */
const lookMs = 60 * 60_000;

/** Requests of data subjects: a register of each organisation with the clock of rule R2. */
export function openRequests(
  house: Pick<House, 'postgres' | 'clock' | 'log' | 'vault' | 'audit' | 'config' | 'mail'>,
  notices: Teller,
): RunningSubject & { remind(): Promise<void> } {
  const { clock, config, log, postgres } = house;
  let callOff = () => {};
  let running: Promise<unknown> | undefined;
  return {
    routes: requestRoutes(house),
    executors: [requestExecutor(postgres)],
    holders: [requestHolder(house), mailHolder(house)],
    checks: [requestCheck(house)],
    remind: () => remind({ house, notices }),
    async begin() {
      if (config.role !== 'all' && config.role !== 'work') return;
      callOff = repeat(
        clock,
        lookMs,
        () => {
          running = remind({ house, notices });
          return running;
        },
        { firstMs: 60_000, onError: (error) => log.error('requests.reminding_failed', {}, error) },
      );
    },
    async stop() {
      callOff();
      await running?.catch(() => {});
    },
  };
}
