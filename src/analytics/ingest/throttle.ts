import type { Clock } from '../../platform/clock.ts';

/** Events a second per site: a bucket that fills at the rate and holds one second's worth. */
export type SiteThrottle = {
  /**
   * Takes one event's worth; false when the site has none left.
   * @param ownRate events a second that the site wants at most; it cannot have more than the desk gives
   */
  take(siteId: number, ownRate: number | undefined): boolean;
};

export const noThrottle: SiteThrottle = { take: () => true };

/** @param deskRate events a second that the operator gives each site; undefined = no limit of the desk's */
export function openThrottle(deskRate: number | undefined, clock: Pick<Clock, 'monotonic'>): SiteThrottle {
  // One entry per site that ever sent something; the directory of sites bounds their number.
  const buckets = new Map<number, { left: number; filledAt: number }>();
  return {
    take(siteId, ownRate) {
      const eventsPerSecond = Math.min(deskRate ?? Infinity, ownRate ?? Infinity);
      if (eventsPerSecond === Infinity) return true;
      const now = clock.monotonic();
      let bucket = buckets.get(siteId);
      if (bucket === undefined) {
        bucket = { left: eventsPerSecond, filledAt: now };
        buckets.set(siteId, bucket);
      }
      bucket.left = Math.min(eventsPerSecond, bucket.left + ((now - bucket.filledAt) / 1000) * eventsPerSecond);
      bucket.filledAt = now;
      if (bucket.left < 1) return false;
      bucket.left--;
      return true;
    },
  };
}
