import type { Settings, Track } from './api.ts';
import { beside } from './beside.ts';
import { packaged } from './package.ts';
import { start } from './start.ts';

export type {
  EventOptions,
  Outcome,
  PixelCall,
  PropertyValue,
  Revenue,
  Settings,
  Track,
  WireEvent,
} from './api.ts';

/** What a visitor has said, in the words of Google's Consent Mode. What is left out stays as it was. */
export interface Consent {
  ad_storage?: 'granted' | 'denied';
  ad_user_data?: 'granted' | 'denied';
  ad_personalization?: 'granted' | 'denied';
  analytics_storage?: 'granted' | 'denied';
}

const own = packaged((settings, waiting, done) => void beside(start, settings, false, waiting).then(done));

/**
 * Starts to measure the page as `@fairlead/sdk` does, and goes beside the pixels of ad platforms (docs/guides/tracker.md): events
 * are shown to the page with the id that the relay sends of them, pixels are called with it where `track` is told to, and ids
 * of pixels are handed over where the site has that switched on and its visitor has agreed.
 *
 * Call it once, in the browser; further calls do nothing, and on a server nothing happens.
 *
 * @example
 * init({ domain: 'example.com', endpoint: 'https://stats.example.com/api/event' });
 */
export const init: (settings: Settings) => void = own.init;

/**
 * Sends an event, and calls pixels with its id for visitors who agreed to ads. Events before `init` wait for it (the first 100
 * of them), and those of the page's first moments until the desk has said what is allowed: a second at most.
 *
 * @example
 * track('purchase', { revenue: { amount: '49.90', currency: 'EUR', order_id: '1042' }, pixel: { meta: 'Purchase' } });
 */
export const track: Track = own.track;

/**
 * Tells what the visitor has said: before `init` or after it, and each time that it changes.
 *
 * @example
 * consent({ ad_storage: 'granted', ad_user_data: 'granted' });
 */
export const consent = (said: Consent): void => own.track('consent', said as never);

/** The visitor does not want to be measured: nothing more leaves this page. Nothing is kept, so say it on each page; `false` takes it back. */
export const optOut = (isOut = true): void => own.track('optout', isOut as never);
