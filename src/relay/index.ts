import { defineSubject, type RunningSubject } from '../platform/subject.ts';
import { relayExecutors, sweepIdentifiers } from './life/ageing.ts';

export { destinationOf, destinations } from './destinations/index.ts';
export { explainConversions, explainErrors } from './explain.ts';
export { explainIdentifiers } from './identifiers/explain.ts';
export { type IdentifierPlatform, platforms } from './identifiers/platforms.ts';
export { explainCaptures } from './sources/explain.ts';

/** The conversion relay: takes conversions from anywhere, and sends each to every platform that it belongs to, once. */
export const relay = defineSubject({
  name: 'relay',
  migrations: { postgres: new URL('./migrations/', import.meta.url) },
  async start(house): Promise<RunningSubject> {
    const works = house.config.role === 'all' || house.config.role === 'work';
    const stops = works ? [sweepIdentifiers(house)] : [];
    return {
      executors: relayExecutors(house.postgres),
      async stop() {
        for (const stop of stops) stop();
      },
    };
  },
});
