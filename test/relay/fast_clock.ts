import type { Clock } from '../../src/platform/clock.ts';

/** A clock of which an hour is over in a minute, the same in each process that is told the same start: waits are real, and short. */
export function fastClock(startMs: number, speed: number): Clock {
  const since = () => (performance.timeOrigin + performance.now() - startMs) * speed;
  return {
    now: () => Math.floor(startMs + since()),
    monotonic: since,
    after(ms, work) {
      const timer = setTimeout(work, Math.min(ms / speed, 2 ** 31 - 1));
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
