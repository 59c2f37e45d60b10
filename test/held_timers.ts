import { expect, vi } from 'vitest';
import { type Clock, systemClock } from '../src/platform/clock.ts';

/** Timers of so long or more wait until they are asked for; shorter ones run as they do. */
const heldMs = 3_000;

/** While a lock is held; of a long night, too. */
const signOfLife = 'platform/postgres/alone.ts';

/** A clock whose long timers are run by a test, file by file; each is known by the file of the product that set it. */
export interface HeldTimers {
  clock: Clock;
  /** Files with a timer that waits. */
  waiting(): string[];
  /** Runs the timers of a file now, and waits until each has been set again. */
  run(file: string): Promise<void>;
}

/** @param now what the desk believes */
export function holdTimers(now: () => number): HeldTimers {
  const waiting = new Map<() => void, string>();
  /** What goes on for ever, and how often it was set. A deadline or a second try is none of these. */
  const repeating = new Map<() => void, { name: string; times: number }>();
  return {
    clock: {
      ...systemClock,
      now,
      after(ms, work) {
        const known = repeating.get(work);
        const name = known?.name ?? nameOfRepeating();
        if (name !== undefined) repeating.set(work, { name, times: (known?.times ?? 0) + 1 });
        if (ms < heldMs || name === undefined || name === signOfLife) return systemClock.after(ms, work);
        waiting.set(work, name);
        return () => waiting.delete(work);
      },
    },
    waiting: () => [...waiting.values()],
    async run(file) {
      const due = [...waiting].filter(([, name]) => name === file).map(([work]) => work);
      expect(due.length, `${file} has no timer that waits`).toBeGreaterThan(0);
      for (const work of due) {
        const before = repeating.get(work)?.times ?? 0;
        waiting.delete(work);
        work();
        const again = () => expect(repeating.get(work)?.times, `${file} is not set again`).toBeGreaterThan(before);
        await vi.waitFor(again, { timeout: 120_000, interval: 5 });
      }
    },
  };
}

function nameOfRepeating(): string | undefined {
  const files = (new Error().stack ?? '').split('\n').map((line) => /\/src\/([\w/.-]+\.ts)/.exec(line)?.[1]);
  const isRepeated = files.includes('platform/clock.ts') || files.includes('trust/audit/keeper.ts');
  return isRepeated ? files.find((file) => file !== undefined && file !== 'platform/clock.ts') : undefined;
}
