import type { Settings, Track } from './api.ts';
import { start } from './start.ts';

export type { EventOptions, Outcome, PropertyValue, Revenue, Settings, Track, WireEvent } from './api.ts';

/** Events that may wait for `init`; more than this means that nobody calls it. */
const waitingMax = 100;

let tracker: Track | undefined;
const waiting: Parameters<Track>[] = [];

/**
 * Starts to measure the page: page views, engagement, outbound links, downloads, forms and tagged elements.
 *
 * Call it once, in the browser. Further calls do nothing, so a component that mounts twice counts once; on a server
 * (no `document`) it does nothing either.
 *
 * @example
 * init({ domain: 'example.com', endpoint: 'https://stats.example.com/api/event' });
 */
export const init = (settings: Settings): void => {
  if (tracker || typeof document === 'undefined') return;
  tracker = start(settings);
  for (const call of waiting.splice(0)) tracker(...call);
};

/**
 * Sends an event. Events before `init` wait for it (the first 100 of them); on a server nothing happens.
 *
 * @example
 * track('Sign up', { props: { plan: 'team' } });
 * track('purchase', { revenue: { amount: '49.90', currency: 'EUR', order_id: '1042' } });
 * track('Ad shown', { interactive: false });
 */
export const track: Track = (name, options) => {
  if (tracker) tracker(name, options);
  else if (typeof document !== 'undefined' && waiting.length < waitingMax) waiting.push([name, options]);
};
