import type { Notices } from '../../accounts/index.ts';
import type { RunningSubject } from '../../platform/subject.ts';
import { openMoves } from './moves.ts';
import { openRemovals } from './removals.ts';
import { lifeRoutes } from './routes.ts';
import { openRemovalRunner, type RemovalParts } from './runner.ts';

export { refuseWhileRemoved } from './removals.ts';

type LifeHouse = RemovalParts['house'] & Omit<Parameters<typeof openMoves>[0], 'forgetProfiles'> & { notices: Notices };

/** What becomes of a site as a whole: another domain, another organisation, emptied, deleted. */
export function openLife(
  house: LifeHouse,
  parts: Omit<RemovalParts, 'house' | 'removals'> & Pick<Parameters<typeof openMoves>[0], 'forgetProfiles'>,
): Required<Pick<RunningSubject, 'routes' | 'stop'>> {
  const removals = openRemovals(house);
  // Where collectors and pages have processes of their own, the one that works does this too.
  const works = house.config.role === 'all' || house.config.role === 'work';
  const runner = works ? openRemovalRunner({ house, removals, ...parts }) : undefined;
  return {
    routes: lifeRoutes(house, {
      removals,
      moves: openMoves({ ...house, forgetProfiles: parts.forgetProfiles }),
      wake: () => runner?.wake(),
      forgetExport: parts.forgetExport,
    }),
    stop: async () => runner?.stop(),
  };
}
