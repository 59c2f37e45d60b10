import type { Log } from '../../platform/log.ts';

/**
 * Work that is done after the answer, so that the time an answer takes says nothing about what it had to do: looking
 * for a person, writing a mail (AUT-10). Few at once; at a stop it is waited for.
 */
export interface Later {
  do(name: string, work: () => Promise<unknown>): void;
  /** Resolves when nothing is under way. */
  settle(): Promise<void>;
}

export function openLater(log: Log): Later {
  const running = new Set<Promise<unknown>>();
  return {
    do(name, work) {
      const job = Promise.resolve()
        .then(work)
        .catch((error) => log.error('people.later_failed', { what: name }, error))
        .finally(() => running.delete(job));
      running.add(job);
    },
    async settle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
