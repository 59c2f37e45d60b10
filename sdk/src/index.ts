import type { Settings, Track } from './api.ts';
import { packaged } from './package.ts';
import { start } from './start.ts';

export type { EventOptions, Outcome, PropertyValue, Revenue, Settings, Track, WireEvent } from './api.ts';

const own = packaged((settings, _, done) => done(start(settings)));

/**
 * Starts to measure the page: page views, engagement, outbound links, downloads, forms and tagged elements.
 *
 * Call it once, in the browser. Further calls do nothing, so a component that mounts twice counts once; on a server
 * (no `document`) it does nothing either.
 *
 * @example
 * init({ domain: 'example.com', endpoint: 'https://stats.example.com/api/event' });
 */
export const init: (settings: Settings) => void = own.init;

/**
 * Sends an event. Events before `init` wait for it (the first 100 of them); on a server nothing happens.
 *
 * @example
 * track('Sign up', { props: { plan: 'team' } });
 * track('purchase', { revenue: { amount: '49.90', currency: 'EUR', order_id: '1042' } });
 * track('Ad shown', { interactive: false });
 */
export const track: Track = own.track;
