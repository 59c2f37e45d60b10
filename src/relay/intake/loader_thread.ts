import { Worker } from 'node:worker_threads';
import type { Clock } from '../../platform/clock.ts';
import { giveBackHeap } from '../../platform/heap.ts';
import type { Postgres } from '../../platform/postgres/index.ts';
import type { KeyPurpose, KeyRing } from '../../platform/subject.ts';
import type { LoaderThread } from './loader.ts';
import type { LoaderAnswer, LoaderJob, LoaderThreadData } from './loader_worker.ts';

/** From some eighty conversions a segment on. A lone one is stored sooner than a thread has started, which takes some 400 ms. */
const segmentBytesMin = 256 * 1024;
/** A thread holds some 100 MB after a burst: it ends when nothing has come for so long. */
const idleMs = 5_000;
const purposes = ['relay-identity', 'relay-event-id', 'relay-pixel'] as const satisfies readonly KeyPurpose[];

/**
 * Loads large segments of conversions on a thread of its own: to read a thousand lines and write them for PostgreSQL takes 60 ms at a
 * stretch, in which nobody would be answered (docs/decisions/2026-11-30-relay-loader-thread.md). It starts with the first
 * such segment. One that dies fails what it had under way, and the spool hands that over again.
 */
export function openLoaderThread(
  { postgres, keys, clock }: { postgres: Pick<Postgres, 'login'>; keys: KeyRing; clock: Pick<Clock, 'after'> },
  bytesMin = segmentBytesMin,
): LoaderThread & { stop(): Promise<void> } {
  let worker: Worker | undefined;
  let number = 0;
  let stopping = false;
  let callOff = () => {};
  const waiting = new Map<number, { resolve(destinations: ReadonlySet<number>): void; reject(error: Error): void }>();

  const underWay = new Set<Promise<unknown>>();
  /** Memory of both threads, used again for each segment: fresh memory of 5 MB takes 8 ms of whoever answers, this takes one. */
  let room: Buffer | undefined;
  let isRoomTaken = false;

  function started(): Worker {
    if (worker !== undefined) return worker;
    const workerData: LoaderThreadData = {
      login: postgres.login,
      keys: new Map(purposes.map((purpose) => [purpose, Uint8Array.from(keys.derive(purpose))])),
    };
    const made = new Worker(new URL('./loader_worker.ts', import.meta.url), { workerData });
    made.unref();
    made.on('message', (answer: LoaderAnswer) => {
      const job = waiting.get(answer.number);
      waiting.delete(answer.number);
      if (waiting.size === 0) callOff = clock.after(idleMs, () => void rest());
      if ('waiting' in answer) job?.resolve(new Set(answer.waiting));
      else job?.reject(faultOf(answer.code));
    });
    const gone = () => {
      if (worker !== made) return;
      worker = undefined;
      fail();
    };
    made.on('error', gone).on('exit', gone);
    worker = made;
    return made;
  }

  function roomFor(bytes: number): Buffer {
    if (room === undefined || room.length < bytes) room = Buffer.from(new SharedArrayBuffer(bytes + (bytes >> 2)));
    return room;
  }

  function fail(): void {
    const jobs = [...waiting.values()];
    waiting.clear();
    for (const job of jobs) job.reject(faultOf('thread_ended'));
  }

  /** The burst is over: what it filled is given back to the machine, here too. */
  async function rest(): Promise<void> {
    await end();
    giveBackHeap(clock);
  }

  async function end(): Promise<void> {
    const ended = worker;
    worker = undefined;
    room = undefined;
    await ended?.terminate();
    fail();
  }

  return {
    takes: (bytes) => !stopping && bytes.length >= bytesMin,
    load(bytes) {
      callOff();
      // One at a time, as the spool has it; a second one gets memory of its own.
      const isShared = !isRoomTaken;
      const given = isShared ? roomFor(bytes.length) : Buffer.from(new SharedArrayBuffer(bytes.length));
      isRoomTaken = true;
      bytes.copy(given);
      const loading = new Promise<ReadonlySet<number>>((resolve, reject) => {
        waiting.set(++number, { resolve, reject });
        started().postMessage({ number, bytes: given.subarray(0, bytes.length) } satisfies LoaderJob);
      });
      underWay.add(loading);
      return loading.finally(() => {
        underWay.delete(loading);
        if (isShared) isRoomTaken = false;
      });
    },
    async stop() {
      stopping = true;
      callOff();
      // What it has under way is loaded once, here or at the next start; here is sooner.
      await Promise.allSettled([...underWay]);
      await end();
    },
  };
}

function faultOf(code: string): Error {
  return Object.assign(new Error(`A segment of conversions was not loaded (${code}).`), { code });
}
