import type { Gauge, House } from '../../platform/subject.ts';
import { watchAges } from './ages.ts';
import { openLanes } from './lanes.ts';
import { openNumbers } from './numbers.ts';
import type { ConnectionTokens, Senders } from './parts.ts';
import { lookForResults } from './results.ts';

export type { ConnectionTokens, FreshToken } from './parts.ts';
export { deliveryRoutes } from './routes.ts';
export { deliveriesOfConnections } from './states.ts';

export interface Deliveries {
  gauges: Gauge[];
  /** Something is due: it is looked for at once. */
  wake(): void;
  stop(): Promise<void>;
}

/** Sends what is due, asks for results, and counts; until it is stopped. @param tokens of connections, where there are some */
export function startDeliveries(house: House, tokens?: ConnectionTokens): Deliveries {
  const { postgres, vault, clock, random, log, outbound, config } = house;
  const senders: Senders = {
    ...{ postgres, vault, clock, random, log, outbound, baseUrls: config.relay ?? {} },
    ...(tokens === undefined ? {} : { tokens }),
  };
  const lanes = openLanes(senders);
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
