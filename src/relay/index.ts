import { defineSubject } from '../platform/subject.ts';

export { destinationOf, destinations } from './destinations/index.ts';
export { conversionsAnswer, errorsAnswer } from './explain.ts';
export { identifiersAnswer } from './identifiers/explain.ts';
export { type IdentifierPlatform, platforms } from './identifiers/platforms.ts';
export { capturesAnswer } from './sources/explain.ts';

// What runs a desk is loaded where one starts: `explain` has neither stores nor a network, and is done before they are read.

/** The conversion relay: takes conversions from anywhere, and sends each to every platform that it belongs to, once. */
export const relay = defineSubject({
  name: 'relay',
  migrations: {
    postgres: new URL('./migrations/', import.meta.url),
    warehouse: new URL('./warehouse/', import.meta.url),
  },
  lanes: ['conversions', 'relay_intake'],
  start: async (house) => (await import('./running.ts')).startRelay(house),
});

export type { DemoRelay } from './demo.ts';
/** A demo's relay: its sources, destinations and routes, filled by requests. */
export const openDemoRelay: typeof import('./demo.ts').openDemoRelay = async (...given) =>
  (await import('./demo.ts')).openDemoRelay(...given);
