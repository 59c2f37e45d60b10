import { useEffect, useState } from 'react';
import type { SiteNow } from './api.ts';
import { api } from './api.ts';

/** How often a visible page asks who is there. A hidden one does not ask at all. */
const usualMs = 3_000;

export type Live =
  | { state: 'asking' }
  | { state: 'here'; now: SiteNow }
  | { state: 'unreachable'; last: SiteNow | undefined };

/**
 * Runs `work` at once and then again while the page is visible; a run that is still going is never doubled.
 * @param pauseMs from the end of a run to the next; asked after each where it is not always the same
 */
export function useWhileVisible(
  work: (signal: AbortSignal) => Promise<void>,
  pauseMs: number | (() => number),
  deps: readonly unknown[],
): void {
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running = false;
    const run = async () => {
      clearTimeout(timer);
      if (running || document.hidden || stop.signal.aborted) return;
      running = true;
      try {
        await work(stop.signal);
      } finally {
        running = false;
        if (!stop.signal.aborted) timer = setTimeout(run, typeof pauseMs === 'number' ? pauseMs : pauseMs());
      }
    };
    void run();
    document.addEventListener('visibilitychange', run);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', run);
    };
  }, deps);
}

/**
 * Visitors on a site now and the health of the stores; one small request, shared by the bar and the rail.
 * @param everyMs sooner where what comes is to be seen coming
 */
export function useLive(domain: string | undefined, everyMs = usualMs): Live {
  const [live, setLive] = useState<{ domain: string | undefined; value: Live }>({ domain, value: { state: 'asking' } });
  useWhileVisible(
    async (signal) => {
      if (domain === undefined) return;
      try {
        const now = await api.now(domain, signal);
        if (!signal.aborted) setLive({ domain, value: { state: 'here', now } });
      } catch {
        if (signal.aborted) return;
        setLive((before) => ({
          domain,
          value: {
            state: 'unreachable',
            last:
              before.domain !== domain
                ? undefined
                : before.value.state === 'here'
                  ? before.value.now
                  : before.value.state === 'unreachable'
                    ? before.value.last
                    : undefined,
          },
        }));
      }
    },
    everyMs,
    [domain, everyMs],
  );
  return live.domain === domain ? live.value : { state: 'asking' };
}
