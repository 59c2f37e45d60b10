import type { Rate } from '../destinations/destination.ts';

/** A token bucket: what may be done now, and when the next time is. Times are those of a clock that never runs backwards. */
export interface Bucket {
  /** @returns how many of these may be done now; they count as done */
  take(wanted: number, nowMs: number): number;
  /** Takes back what was not used. */
  give(back: number): void;
  /** Milliseconds until one may be done; 0 = now. */
  waitMs(nowMs: number): number;
  /** For so long it fills at half its speed, since the platform says that its limit is near. */
  slow(untilMs: number): void;
}

/**
 * Never more than `perMinute` in any minute: a tenth of it at once, and the rest spread over the minute. A bucket that
 * let all of a minute through at once would let twice as much through around its turn.
 */
export function openBucket(perMinute: number): Bucket {
  return bucketOf({ size: Math.max(1, perMinute / 10), perMs: (perMinute * 0.9) / 60_000 });
}

/** Half of a day's requests at once, and the rest spread over the day. */
function openDayBucket(perDay: number): Bucket {
  return bucketOf({ size: perDay / 2, perMs: perDay / 2 / 86_400_000 });
}

function bucketOf({ size, perMs }: { size: number; perMs: number }): Bucket {
  let tokens = size;
  let at: number | undefined;
  let slowUntil = Number.NEGATIVE_INFINITY;
  const speed = (nowMs: number) => (nowMs < slowUntil ? perMs / 2 : perMs);
  function fill(nowMs: number) {
    if (at !== undefined) tokens = Math.min(size, tokens + Math.max(0, nowMs - at) * speed(nowMs));
    at = nowMs;
  }
  return {
    take(wanted, nowMs) {
      fill(nowMs);
      const given = Math.min(wanted, Math.floor(tokens));
      tokens -= given;
      return given;
    },
    give(back) {
      tokens = Math.min(size, tokens + back);
    },
    waitMs(nowMs) {
      fill(nowMs);
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / speed(nowMs));
    },
    slow(untilMs) {
      slowUntil = Math.max(slowUntil, untilMs);
    },
  };
}

/** Several buckets as one: what each of them lets through. What one gives and another does not is lost, which errs on the quiet side. */
function joined(buckets: readonly Bucket[]): Bucket {
  return {
    take: (wanted, nowMs) => {
      const ready = buckets.every((bucket) => bucket.waitMs(nowMs) === 0);
      return ready ? buckets.reduce((left, bucket) => bucket.take(left, nowMs), wanted) : 0;
    },
    give: (back) => {
      for (const bucket of buckets) bucket.give(back);
    },
    waitMs: (nowMs) => Math.max(...buckets.map((bucket) => bucket.waitMs(nowMs))),
    slow: (untilMs) => buckets[0]?.slow(untilMs),
  };
}

/**
 * A bucket for each account, and those of the desk's own project at a platform, which all its accounts share. Each process
 * counts by itself: where two send, the platform's own refusals hold both back.
 */
export function openBuckets(): (kind: string, rate: Rate) => Bucket {
  const projects = new Map<string, Bucket[]>();
  return (kind, { perMinute, perProject }) => {
    const own = openBucket(perMinute);
    if (perProject === undefined) return own;
    let shared = projects.get(kind);
    if (shared === undefined) {
      shared = [openBucket(perProject.perMinute), openDayBucket(perProject.perDay)];
      projects.set(kind, shared);
    }
    return joined([own, ...shared]);
  };
}
