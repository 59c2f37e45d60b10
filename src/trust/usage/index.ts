import type { Answered } from '../../platform/http/server.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { usageExecutor } from './ageing.ts';
import { countUse, isCounted } from './counts.ts';
import { featureUse } from './features.ts';
import { usageRoutes } from './routes.ts';

export { isCounted } from './counts.ts';

export const usageMigrations = new URL('./migrations/', import.meta.url);

export interface Usage extends RunningSubject {
  /** An answer of the account plane. */
  answered(answered: Answered): void;
  stop(): Promise<void>;
}

/** Uses that wait for the database; more are not counted. */
const waitingMax = 100;

/**
 * How the product is used: pages and features by day and organisation, of who agreed, read by who runs the desk and
 * nobody else (SHR-08). A feature is counted behind its answer, which waits for nothing.
 */
export function openUsage(house: Pick<House, 'postgres' | 'clock' | 'audit' | 'log'>): Usage {
  const { postgres, clock, log } = house;
  let counting: Promise<void> = Promise.resolve();
  let waiting = 0;
  async function count(
    { feature, personId, organisationId }: NonNullable<ReturnType<typeof featureUse>>,
    nowMs: number,
  ) {
    try {
      if (await postgres.person(personId, (sql) => isCounted(sql, personId)))
        await countUse(postgres, { organisationId, used: [{ kind: 'feature', name: feature }], nowMs });
    } catch (error) {
      log.warn('usage.not_counted', { why: (error as Error).name });
    }
    waiting -= 1;
  }
  return {
    routes: usageRoutes(house),
    executors: [usageExecutor(postgres)],
    answered(answered) {
      const use = featureUse(answered);
      if (use === undefined || waiting >= waitingMax) return;
      waiting += 1;
      const nowMs = clock.now();
      counting = counting.then(() => count(use, nowMs));
    },
    stop: () => counting,
  };
}
