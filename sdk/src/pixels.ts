import type { Settings, Track } from './api.ts';
import { beside } from './beside.ts';

/**
 * What the script loads where its tag says `data-pixels`.
 *
 * @param start the tracker of memory mode
 * @param queue calls that the page made before the script was there
 */
export const open = (
  start: (settings: Settings) => Track,
  settings: Settings,
  data: DOMStringMap,
  queue: Parameters<Track>[] = [],
): Promise<Track> => {
  const isStored = data.persistence === 'storage';
  const begin = (all: Settings) =>
    isStored
      ? import(new URL('fairlead-storage.js', import.meta.url).href).then(
          (part) => part.open(start, all, data, queue),
          () => start(all),
        )
      : start(all);
  return beside(begin, settings, isStored, queue);
};
