/**
 * Time as an argument. Whatever needs "now" is given a Clock, so that tests travel and the proof kit can
 * jump a salt past midnight without waiting for one.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch, as the wall clock has it. It may jump. */
  now(): number;
  /** Milliseconds from an unnamed start; never runs backwards. For durations. */
  monotonic(): number;
  /** Runs `work` after `ms`; returns the way to call it off. Does not keep the process alive. */
  after(ms: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now() + offsetMs,
  monotonic: () => performance.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** For a command that waits and has nothing else to live for: its timers keep the process alive. */
export function awakeClock(clock: Clock): Clock {
  return {
    ...clock,
    after(ms, work) {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  };
}

/**
 * FAIRLEAD_CLOCK_OFFSET_MS moves the wall clock of one process. Only the proof kit sets it: a running server
 * can then be taken across a UTC midnight from outside, with every part of it believing the same time.
 */
const offsetMs = Number(process.env.FAIRLEAD_CLOCK_OFFSET_MS ?? 0) || 0;

/**
 * Does `work` again and again, `ms` after the last time has ended, until it is called off. A failure is said and does
 * not end the repetition. One that comes after it was called off is not said: a stop closes the stores under what it cuts
 * off, and the next start does that again.
 * @param options.firstMs wait before the first time; `ms` unless given
 */
export function repeat(
  clock: Clock,
  ms: number,
  work: () => Promise<unknown>,
  options: { firstMs?: number; onError: (error: unknown) => void },
): () => void {
  let stopped = false;
  const run = () =>
    void work()
      .catch((error) => {
        if (!stopped) options.onError(error);
      })
      .finally(() => {
        if (!stopped) cancel = clock.after(ms, run);
      });
  let cancel = clock.after(options.firstMs ?? ms, run);
  return () => {
    stopped = true;
    cancel();
  };
}

/** The wall clock was set: what it says, and what it would say otherwise. */
export interface ClockSet {
  readonly nowMs: number;
  readonly wasMs: number;
}

/**
 * Looks whether the wall clock was set while this process runs, forward or back, and tells of it. A clock that is slowly put
 * right is not told of. What slept with its machine looks as if it was set forward: the steady clock slept too.
 * @param options.ms how often it looks @param options.leastMs less than that is nobody's business
 * @param options.onceBack after a clock that was set back, so much later by the steady one: a lease of before is over then
 * @returns what ends it
 */
export function onClockSet(
  clock: Clock,
  told: (set: ClockSet) => Promise<unknown>,
  options: {
    ms: number;
    leastMs: number;
    onceBack: { ms: number; work: (set: ClockSet) => Promise<unknown> };
    onError: (error: unknown) => void;
  },
): () => void {
  const { onceBack, onError } = options;
  let apart = clock.now() - clock.monotonic();
  let callOff = () => {};
  const look = async () => {
    const [nowMs, steadyMs] = [clock.now(), clock.monotonic()];
    const wasMs = Math.round(steadyMs + apart);
    apart = nowMs - steadyMs;
    if (Math.abs(nowMs - wasMs) < options.leastMs) return;
    await told({ nowMs, wasMs });
    if (nowMs > wasMs) return;
    callOff();
    callOff = clock.after(onceBack.ms, () => void onceBack.work({ nowMs, wasMs }).catch(onError));
  };
  const stop = repeat(clock, options.ms, look, { onError });
  return () => {
    stop();
    callOff();
  };
}

/** Resolves after `ms`, or as soon as `signal` is given. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      callOff();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const callOff = clock.after(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** A clock that stands still until it is told to move; timers fire in order as `travel` passes them. */
export function stillClock(startMs: number): Clock & { travel(ms: number): void; set(ms: number): void } {
  let wall = startMs;
  let steady = 0;
  let waiting: { at: number; work: () => void }[] = [];
  function travel(ms: number) {
    const end = steady + ms;
    for (;;) {
      const next = waiting.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      waiting = waiting.filter((timer) => timer !== next);
      wall += next.at - steady;
      steady = next.at;
      next.work();
    }
    wall += end - steady;
    steady = end;
  }
  return {
    now: () => wall,
    monotonic: () => steady,
    after(ms, work) {
      const timer = { at: steady + ms, work };
      waiting.push(timer);
      return () => {
        waiting = waiting.filter((other) => other !== timer);
      };
    },
    travel,
    set(ms) {
      wall = ms;
    },
  };
}
