import type { Route } from '../../platform/http/route.ts';
import { browserRoutes } from './browser.ts';
import { captureRoutes } from './captures.ts';
import { conversionRoutes } from './conversions.ts';
import { type DeletionHouse, deletionRoutes } from './deletions.ts';
import { matchRoutes } from './match.ts';
import { overviewRoutes } from './overview.ts';
import { requestRoutes } from './requests.ts';
import { storyRoutes } from './story.ts';

export { continueDeletions } from './deletions.ts';
export { watchSums } from './sums.ts';

/** What became of conversions, as people read it, and their deletion. */
export function relayReadingRoutes(house: DeletionHouse): Route[] {
  return [
    ...overviewRoutes(house),
    ...conversionRoutes(house),
    ...storyRoutes(house),
    ...captureRoutes(house),
    ...requestRoutes(house),
    ...matchRoutes(house),
    ...browserRoutes(house),
    ...deletionRoutes(house),
  ];
}
