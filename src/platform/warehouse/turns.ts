/**
 * Lets `places` pieces of work run at once and keeps the rest in a line with a limit. A place is given back when the
 * work has really ended, even if whoever asked has stopped waiting: the engine cannot be interrupted.
 */
export interface Turns {
  /** Runs `work` when a place is free. `overflow` makes the error for a full line, `late` for a passed deadline. */
  run<T>(work: () => Promise<T>, wait?: Wait): Promise<T>;
  /** Resolves when nothing runs and nobody waits. */
  idle(): Promise<void>;
  readonly running: number;
  readonly waiting: number;
}

export interface Wait {
  signal?: AbortSignal;
  /** Called once; when it resolves the caller stops waiting. */
  deadline?: { ms: number; after(ms: number, work: () => void): () => void; error(): Error };
}

export function openTurns(places: number, queueMax: number, overflow: () => Error): Turns {
  let running = 0;
  const line: (() => void)[] = [];
  let idlers: (() => void)[] = [];

  function release() {
    running--;
    line.shift()?.();
    if (running === 0 && line.length === 0) {
      for (const wake of idlers) wake();
      idlers = [];
    }
  }

  return {
    get running() {
      return running;
    },
    get waiting() {
      return line.length;
    },
    idle() {
      if (running === 0 && line.length === 0) return Promise.resolve();
      return new Promise((resolve) => idlers.push(resolve));
    },
    run<T>(work: () => Promise<T>, wait: Wait = {}): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        let over = false;
        const start = () => {
          running++;
          work().then(
            (value) => {
              finish(() => resolve(value));
              release();
            },
            (error) => {
              finish(() => reject(error));
              release();
            },
          );
        };
        const finish = (settle: () => void) => {
          if (over) return;
          over = true;
          callOff?.();
          wait.signal?.removeEventListener('abort', onAbort);
          settle();
        };
        /** Stops waiting; leaves the line if the work has not begun. */
        const leave = (error: unknown) => {
          const at = line.indexOf(start);
          if (at >= 0) line.splice(at, 1);
          finish(() => reject(error));
        };
        const onAbort = () => leave(wait.signal?.reason ?? new DOMException('Aborted', 'AbortError'));
        if (wait.signal?.aborted) {
          reject(wait.signal.reason);
          return;
        }
        const deadline = wait.deadline;
        const callOff = deadline?.after(deadline.ms, () => leave(deadline.error()));
        wait.signal?.addEventListener('abort', onAbort, { once: true });
        if (running < places) start();
        else if (line.length < queueMax) line.push(start);
        else leave(overflow());
      });
    },
  };
}
