import { deliveryLimits } from './limits.ts';

/** A delivery as far as its next try depends on it; times in milliseconds since 1970. */
export interface Tried {
  readonly attempts: number;
  /** Until when it is tried again; undefined before the first try. */
  readonly triesUntil: number | undefined;
  readonly occurredAt: number;
  /** What the platform takes; undefined where no document says. */
  readonly ageMsMax: number | undefined;
}

export interface Said {
  readonly class: 'retry' | 'retry_later' | 'rate_limited';
  readonly reason: string;
  readonly retryAfterMs?: number | undefined;
}

export type Next =
  | { readonly state: 'waiting'; readonly nextAt: number; readonly triesUntil: number | undefined }
  | { readonly state: 'dead'; readonly reason: string; readonly field?: string };

/**
 * When a delivery is tried next: 10 s, doubled each time up to an hour, drawn anew from nothing to that; not before the
 * platform's own pause. 72 hours after the first try it ends, pauses of `retry_later` and of limits aside; and it ends
 * before the platform's age limit, with one more try just before it where there is time for one (reference, Delivery).
 * @param chance from 0 to 1
 */
export function nextTry(
  { attempts, triesUntil, occurredAt, ageMsMax }: Tried,
  said: Said,
  now: number,
  chance: number,
): Next {
  const asked = said.retryAfterMs ?? 0;
  const grown = Math.min(
    deliveryLimits.againMsFirst * 2 ** Math.min(Math.max(attempts - 1, 0), 20),
    deliveryLimits.againMsMax,
  );
  const drawn = Math.max(deliveryLimits.againMsMin, grown * chance);
  const isBeside = said.class !== 'retry';
  // A platform that asks for no pause at all gets the shortest: whoever is asked again at once has answered nothing new.
  const pauseMs = isBeside
    ? Math.max(deliveryLimits.againMsMin, said.retryAfterMs ?? deliveryLimits.rateMs)
    : Math.max(drawn, asked);
  const until = triesUntil === undefined ? undefined : triesUntil + (isBeside ? pauseMs : 0);
  const oldAt = ageMsMax === undefined ? Number.POSITIVE_INFINITY : occurredAt + ageMsMax - deliveryLimits.ageMarginMs;
  const lastAt = oldAt - deliveryLimits.lastTryMs;
  // The last try would be the same as this one.
  if (now >= lastAt) return { state: 'dead', reason: 'too_old', field: 'occurred_at' };
  const nextAt = Math.min(now + pauseMs, lastAt);
  if (until !== undefined && nextAt > until)
    return { state: 'dead', reason: `retries_ended:${said.reason}`.slice(0, 200) };
  return { state: 'waiting', nextAt, triesUntil: until };
}
