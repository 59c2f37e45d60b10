import { deliveryLimits } from './limits.ts';

/** Leaves an account alone that does not answer, and tries it with little now and then. */
export interface Breaker {
  /** `yes`, `probe` (a little, and nothing else meanwhile), or how many milliseconds not. */
  allows(nowMs: number): 'yes' | 'probe' | number;
  /**
   * What became of a request: whether there was an answer that the platform itself gave.
   * @returns for how many milliseconds the account had been left alone, where this answer ended that
   */
  note(isAnswered: boolean, nowMs: number): number | undefined;
  isOpen(): boolean;
}

/** @param chance from 0 to 1, so that accounts that fell silent together are not asked together again */
export function openBreaker(chance: () => number): Breaker {
  let failures = 0;
  let openMs = 0;
  let until = 0;
  let since = 0;
  return {
    allows(nowMs) {
      if (openMs === 0) return 'yes';
      return nowMs >= until ? 'probe' : until - nowMs;
    },
    note(isAnswered, nowMs) {
      if (isAnswered) {
        const wasOpen = openMs > 0;
        failures = 0;
        openMs = 0;
        return wasOpen ? nowMs - since : undefined;
      }
      failures++;
      if (failures < deliveryLimits.failuresMax) return undefined;
      // Requests that were under way together are one failure of the pause.
      if (openMs > 0 && nowMs < until) return undefined;
      if (openMs === 0) since = nowMs;
      openMs = openMs === 0 ? deliveryLimits.openMsFirst : Math.min(openMs * 2, deliveryLimits.openMsMax);
      until = nowMs + openMs * (0.5 + chance() / 2);
      return undefined;
    },
    isOpen: () => openMs > 0,
  };
}
