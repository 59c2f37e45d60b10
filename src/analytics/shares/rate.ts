import type { Clock } from '../../platform/clock.ts';

/** Shares that are remembered at once. */
const keptMax = 5_000;

/**
 * At most so many views of one share in a minute: a page that a crowd opens must not take the desk from its owners.
 * @returns does this view go beyond it?
 */
export function openRate({ clock, perMinuteMax }: { clock: Pick<Clock, 'monotonic'>; perMinuteMax: number }) {
  const minutes = new Map<number, { minute: number; views: number }>();
  return function isTooMany(shareId: number): boolean {
    const minute = Math.floor(clock.monotonic() / 60_000);
    const known = minutes.get(shareId);
    const views = known?.minute === minute ? known.views + 1 : 1;
    minutes.delete(shareId);
    minutes.set(shareId, { minute, views });
    if (minutes.size > keptMax) minutes.delete(minutes.keys().next().value as number);
    return views > perMinuteMax;
  };
}
