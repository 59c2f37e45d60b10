import type { Clock } from '../platform/clock.ts';

/**
 * Counts failures per key in memory and says how long to wait. Two are used at sign-in: by account and by address,
 * so that twelve rotating addresses on one account are stopped as well as one address on many (AUT-10).
 * Keys are digests; the map holds neither addresses nor e-mails.
 */
export interface Throttle {
  /** Seconds until the next try is allowed; 0 = now. */
  waitSeconds(key: string): number;
  failed(key: string): void;
  succeeded(key: string): void;
}

export function openThrottle(options: {
  clock: Clock;
  freeTries: number;
  windowMs: number;
  entriesMax: number;
}): Throttle {
  const failures = new Map<string, { count: number; last: number }>();
  const { clock, freeTries, windowMs, entriesMax } = options;
  function entry(key: string) {
    const found = failures.get(key);
    if (found === undefined) return undefined;
    if (clock.monotonic() - found.last > windowMs) {
      failures.delete(key);
      return undefined;
    }
    return found;
  }
  return {
    waitSeconds(key) {
      const found = entry(key);
      if (found === undefined || found.count < freeTries) return 0;
      // Each failure past the free ones doubles the wait: 2, 4, 8 … at most 15 minutes.
      const waitMs = Math.min(2 ** (found.count - freeTries + 1) * 1000, 15 * 60_000);
      return Math.max(0, Math.ceil((found.last + waitMs - clock.monotonic()) / 1000));
    },
    failed(key) {
      const found = entry(key);
      failures.delete(key);
      failures.set(key, { count: (found?.count ?? 0) + 1, last: clock.monotonic() });
      if (failures.size > entriesMax) failures.delete(failures.keys().next().value as string);
    },
    succeeded: (key) => {
      failures.delete(key);
    },
  };
}
