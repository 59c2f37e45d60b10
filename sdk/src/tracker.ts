import type { Settings, Track } from './api.ts';
import { start } from './start.ts';

/** The one global: a function that collects calls in `q` until this script has loaded, the tracker afterwards. */
type Fairlead = Track & { q?: Parameters<Track>[]; loaded?: boolean };
type Transform = NonNullable<Settings['transform']>;

const page = window as unknown as { fairlead?: Fairlead } & Record<string, Transform>;
const script = document.currentScript as HTMLScriptElement;
const data = script.dataset;
const before = page.fairlead;

// A tag manager may load the script twice; the page must not count twice.
if (!before?.loaded) {
  const fairlead: Fairlead = start({
    domain: data.domain || location.hostname,
    endpoint: data.api || new URL('/api/event', script.src).href,
    hash: 'hash' in data,
    local: 'local' in data,
    manual: 'manual' in data,
    contact: 'contact' in data,
    include: data.include?.split(','),
    exclude: data.exclude?.split(','),
    // Looked up when it is needed, because the page may define it after this script.
    transform: data.transform && ((event) => page[data.transform as string]?.(event)),
  } as Settings);
  page.fairlead = fairlead;
  fairlead.loaded = true;
  for (const call of before?.q || []) fairlead(...call);
}
