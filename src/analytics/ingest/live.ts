import type { Hit } from './arrival.ts';

/** What those who watch may know about a stored event: its row, and the two moments of the wait. */
export type StoredEvent = Pick<Hit, 'siteId' | 'name' | 'hostname' | 'pathname' | 'line'> & {
  readonly receivedMs: number;
  /** From arrival to the answer of the disk. */
  readonly storedAfterMs: number;
};

/** Tells about events after they are on disk; a listener that throws is dropped, and none can slow an answer down. */
export type LiveView = {
  listen(listener: (event: StoredEvent) => void): () => void;
  /** The last event of a site since the process started: for the live checks of the first run. */
  latest(siteId: number): StoredEvent | undefined;
  forget(siteId: number): void;
  tell(event: StoredEvent): void;
};

/** Sites whose last event is remembered (about 1.5 KB each); beyond it the one remembered longest goes. */
const sitesMax = 10_000;
const listenersMax = 100;

export function openLiveView(): LiveView {
  const latest = new Map<number, StoredEvent>();
  const listeners = new Set<(event: StoredEvent) => void>();
  return {
    listen(listener) {
      if (listeners.size >= listenersMax)
        throw new Error(`The live view has ${listenersMax} listeners already: one of them does not leave.`);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    latest: (siteId) => latest.get(siteId),
    forget: (siteId) => void latest.delete(siteId),
    tell(event) {
      if (latest.size >= sitesMax && !latest.has(event.siteId)) latest.delete(latest.keys().next().value as number);
      latest.set(event.siteId, event);
      for (const listener of listeners) {
        try {
          listener(event);
        } catch {
          listeners.delete(listener);
        }
      }
    },
  };
}
