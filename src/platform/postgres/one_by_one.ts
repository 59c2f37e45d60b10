import type pg from 'pg';
import type { Clock } from '../clock.ts';

/**
 * How one gets a connection of a pool: a free one at once, else the next that is given back or the one more that is
 * being opened. Never more than one is: each has the server start a process that plans everything anew, 15 to 30 ms of
 * a processor, so twelve at once, as twenty people who sign in together had them, held events up for a tenth of a
 * second, while a transaction takes two milliseconds and its connection is soon free again
 * (docs/decisions/2026-11-30-sign-ins.md).
 * @param withinMs how long a caller waits for its turn
 */
export function openOneByOne(pool: pg.Pool, clock: Clock, withinMs: number): { connect(): Promise<pg.PoolClient> } {
  const waiting = new Set<() => void>();
  let isOpening = false;

  function wake(): void {
    const [first] = waiting;
    first?.();
  }
  // Said just before the connection is free, and whoever is woken looks just after.
  pool.on('release', wake);

  /** Resolves when it is this one's turn, or after `ms`. */
  function turn(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        waiting.delete(go);
        cancel();
        resolve();
      };
      const cancel = clock.after(ms, go);
      waiting.add(go);
    });
  }

  return {
    /** @throws what the pool says: nobody there, or none free in time */
    async connect() {
      const deadline = clock.monotonic() + withinMs;
      const isFree = () => pool.idleCount > pool.waitingCount;
      let isMine = waiting.size === 0;
      while (isOpening && !(isMine && isFree())) {
        const left = deadline - clock.monotonic();
        if (left <= 0) throw new Error('Connection terminated: none was free or opened in time.');
        await turn(left);
        isMine = true;
      }
      if (isFree()) return pool.connect();
      isOpening = true;
      try {
        return await pool.connect();
      } finally {
        isOpening = false;
        wake();
      }
    },
  };
}
