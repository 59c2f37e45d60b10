import { repeat } from '../../platform/clock.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { incidentCheck } from './clock_check.ts';
import { concernHolder } from './concern_holder.ts';
import { type ConcernLimits, concernRoutes } from './concerns.ts';
import { disclosureRoutes } from './disclosure_routes.ts';
import { remind, type Teller } from './reminders.ts';
import { incidentRoutes } from './routes.ts';

export { openDraft } from './drafts.ts';

export const incidentMigrations = new URL('./migrations/', import.meta.url);

/** How often it is looked whether a clock has to be told of. */
const lookMs = 10 * 60_000;

/**
 * Incidents: a register of each organisation with the clock of 72 hours. Beside it the register of disclosures to authorities.
 * @param limits of the public form, which is not there without them
 */
export function openIncidents(
  house: Pick<House, 'postgres' | 'warehouse' | 'clock' | 'log' | 'audit' | 'config' | 'vault'>,
  notices: Teller,
  limits?: ConcernLimits,
): RunningSubject & { remind(): Promise<void> } {
  const { clock, config, log } = house;
  let callOff = () => {};
  let running: Promise<unknown> | undefined;
  /** A concern came: who decides hears of it at once. */
  function tell(): void {
    running = remind({ house, notices }).catch((error) => log.error('incidents.reminding_failed', {}, error));
  }
  return {
    routes: [
      ...incidentRoutes(house),
      ...disclosureRoutes(house),
      ...(limits === undefined ? [] : concernRoutes(house, limits, tell)),
    ],
    holders: [concernHolder(house)],
    checks: [incidentCheck(house)],
    remind: () => remind({ house, notices }),
    async begin() {
      if (config.role !== 'all' && config.role !== 'work') return;
      const look = () => {
        running = remind({ house, notices });
        return running;
      };
      callOff = repeat(clock, lookMs, look, {
        ...{ firstMs: 60_000, onError: (error) => log.error('incidents.reminding_failed', {}, error) },
      });
    },
    async stop() {
      callOff();
      await running?.catch(() => {});
    },
  };
}
