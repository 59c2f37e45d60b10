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
  const settings = {
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
  } as Settings;
  const begin = (fairlead: Fairlead) => {
    // Looked up again: calls are queued while another part is on its way.
    const { q } = page.fairlead || {};
    page.fairlead = fairlead;
    fairlead.loaded = true;
    for (const call of q || []) fairlead(...call);
  };
  // Exactly this value (COL-04). Where the file cannot be had, the page is measured as in memory mode.
  const part = 'pixels' in data ? 'pixels' : data.persistence === 'storage' && data.persistence;
  if (part)
    import(new URL(`fairlead-${part}.js`, script.src).href)
      .then(
        ({ open }) => open(start, settings, data, before?.q),
        () => start(settings),
      )
      .then(begin);
  else begin(start(settings));
}
