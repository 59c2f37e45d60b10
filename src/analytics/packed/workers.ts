import { totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../platform/clock.ts';
import type { Answer, Counted, Job, WorkerData } from './worker.ts';

/**
 * Threads end when nobody has asked for so long: each holds some 30 MB and what it keeps of days. A reader goes on within it, and a new thread first
 * has to learn its work: its first question takes twice as long as the next.
 */
const idleMs = 30_000;

/**
 * What all threads together keep unpacked of days while they are there; of twice ninety days with 111,000 events each it is
 * what an overview with one filter after another asks about. Less on a small machine.
 */
const keptBytes = Math.min(224 << 20, totalmem() / 16);

/** What a thread says that it met, in words of ours. */
export class Fault extends Error {}

/** Threads beside the one that takes requests; a job is one thread's, in the order in which it was given to it. */
export interface Workers {
  readonly count: number;
  /** No thread is there. */
  resting(): boolean;
  /** Those that are there stay as if they had just been asked. */
  stay(): void;
  /** The thread has a job, or has one waiting. */
  isAsked(thread: number): boolean;
  /** @throws the fault that the thread met */
  run(job: Job, thread: number): Promise<Counted[] | undefined>;
  stop(): Promise<void>;
}

export function openWorkers(count: number, clock: Pick<Clock, 'after'>): Workers {
  const threads: (Thread | undefined)[] = [];
  let number = 0;

  function threadOf(at: number): Thread {
    const known = threads[at];
    if (known !== undefined) return known;
    const workerData: WorkerData = { keptBytes: Math.floor(keptBytes / count) };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
    const thread: Thread = { worker, waiting: new Map() };
    thread.worker.unref();
    thread.worker.on('message', ({ number, counted, fault }: Answer) => {
      const waits = thread.waiting.get(number);
      thread.waiting.delete(number);
      if (fault === undefined) waits?.resolve(counted);
      else waits?.reject(new Fault(fault));
      if (thread.waiting.size === 0) rest(at, thread);
    });
    const end = (error: Error) => {
      if (threads[at] === thread) threads[at] = undefined;
      for (const { reject } of thread.waiting.values()) reject(error);
      thread.waiting.clear();
    };
    thread.worker.on('error', end);
    thread.worker.on('exit', () => end(new Error('The thread has ended.')));
    threads[at] = thread;
    return thread;
  }

  function rest(at: number, thread: Thread) {
    thread.callOff?.();
    thread.callOff = clock.after(idleMs, () => {
      if (threads[at] === thread) threads[at] = undefined;
      void thread.worker.terminate();
    });
  }

  return {
    count,
    resting: () => threads.every((thread) => thread === undefined),
    stay() {
      for (const [at, thread] of threads.entries()) if (thread?.waiting.size === 0) rest(at, thread);
    },
    isAsked: (at) => (threads[at % count]?.waiting.size ?? 0) > 0,
    run(job, at) {
      const thread = threadOf(at % count);
      thread.callOff?.();
      const mine = ++number;
      return new Promise((resolve, reject) => {
        thread.waiting.set(mine, { resolve, reject });
        thread.worker.postMessage({ number: mine, job });
      });
    },
    async stop() {
      const open = threads.splice(0).filter((thread) => thread !== undefined);
      for (const thread of open) thread.callOff?.();
      await Promise.all(open.map(({ worker }) => worker.terminate()));
    },
  };
}

interface Thread {
  worker: Worker;
  waiting: Map<number, { resolve(counted: Counted[] | undefined): void; reject(error: Error): void }>;
  callOff?: () => void;
}
