import type { House, RunningSubject } from '../../platform/subject.ts';
import { usageExecutor } from './ageing.ts';
import { usageRoutes } from './routes.ts';

export { isCounted } from './counts.ts';

export const usageMigrations = new URL('./migrations/', import.meta.url);

/** How the dashboard is used: pages by day and organisation, of who agreed, read by who runs the desk and nobody else (SHR-08). */
export function openUsage(house: Pick<House, 'postgres' | 'clock' | 'audit'>): RunningSubject {
  return { routes: usageRoutes(house), executors: [usageExecutor(house.postgres)] };
}
