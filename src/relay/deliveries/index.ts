import type { Gauge, House } from '../../platform/subject.ts';
import { watchAges } from './ages.ts';
import { openLanes } from './lanes.ts';
import { openNumbers } from './numbers.ts';
import type { Senders } from './parts.ts';
import { lookForResults } from './results.ts';
import { goOnWithVersions } from './versions.ts';

export { goOnWithCredits } from './credits.ts';
export { deliveryRoutes } from './routes.ts';
export { deliveriesOfConnections } from './states.ts';

export interface Deliveries {
  gauges: Gauge[];
  /** Something is due: it is looked for at once. */
  wake(): void;
  stop(): Promise<void>;
}

/** Sends what is due, asks for results, and counts; until it is stopped. */
export function startDeliveries(house: House): Deliveries {
  const { postgres, vault, clock, random, log, outbound, config, connections, credits, isOutwardHeld } = house;
  const senders: Senders = {
    ...{ postgres, vault, clock, random, log, outbound, baseUrls: config.relay ?? {} },
    ...(config.versions === undefined ? {} : { versions: config.versions }),
    ...(connections === undefined ? {} : { connections }),
    ...(credits === undefined ? {} : { credits }),
    ...(isOutwardHeld === undefined ? {} : { isHeld: isOutwardHeld }),
  };
  const lanes = openLanes(senders);
  goOnWithVersions(senders)
    .then(lanes.wake)
    .catch((error) => log.error('relay.versions_failed', {}, error));
  const numbers = openNumbers(senders, lanes);
  const stopAsking = lookForResults(senders);
  const stopAgeing = watchAges(senders);
  return {
    gauges: numbers.gauges,
    wake: lanes.wake,
    async stop() {
      numbers.stop();
      stopAsking();
      stopAgeing();
      await lanes.stop();
    },
  };
}
