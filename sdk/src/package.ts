import type { Settings, Track } from './api.ts';

/** Calls that may wait for `init`; more than this means that nobody calls it. */
const waitingMax = 100;

/**
 * What a package exports: `init`, which starts once and in a browser alone, and `track`, whose calls wait until that is done.
 *
 * @param begin starts the tracker, and hands it over when it takes calls
 */
export const packaged = (
  begin: (settings: Settings, waiting: readonly Parameters<Track>[], done: (tracker: Track) => void) => void,
): { init: (settings: Settings) => void; track: Track } => {
  let tracker: Track | undefined;
  let isBegun = false;
  const waiting: Parameters<Track>[] = [];
  return {
    init(settings) {
      if (isBegun || typeof document === 'undefined') return;
      isBegun = true;
      begin(settings, waiting, (made) => {
        tracker = made;
        for (const call of waiting.splice(0)) made(...call);
      });
    },
    track(name, options) {
      if (tracker) tracker(name, options);
      else if (typeof document !== 'undefined' && waiting.length < waitingMax) waiting.push([name, options]);
    },
  };
};
