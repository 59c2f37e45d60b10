import { Worker } from 'node:worker_threads';
import { diskFiles, type SpoolFiles } from './files.ts';

/** A group of rows and where it belongs. Its bytes come with it, or lie in memory that the thread was given before. */
export interface DiskJob {
  readonly number: number;
  readonly descriptor: number;
  readonly bytes: Uint8Array | number;
  readonly length: number;
  readonly position: number;
}
/** Memory that both threads have: given once, under a number, and forgotten when nobody here has it any more. */
export type DiskMemory = { readonly give: number; readonly bytes: Uint8Array } | { readonly forget: number };

/** The number of a job that is on disk, or why one is not. */
export type DiskAnswer = number | { readonly number: number; readonly code: string; readonly message: string };

/**
 * The disk, with groups of rows written and synced on a thread of their own that goes as far ahead as what takes events: an
 * acknowledgement waits for nothing else. Threads of the pool are those of the engine and of everybody, and wait for a processor among
 * questions and sign-ins (docs/decisions/2026-11-30-disk-thread.md).
 *
 * The thread starts with the first group. One that dies fails what it had not answered, as a disk would, and the next group starts another.
 */
export function openDiskThread(): { files: SpoolFiles; end(): Promise<void> } {
  let worker: Worker | undefined;
  let number = 0;
  const waiting = new Map<number, { resolve(): void; reject(error: Error): void }>();
  /** Numbers of memory that the running thread has. */
  let given = new WeakMap<ArrayBufferLike, number>();
  const forgotten = new FinalizationRegistry<{ of: Worker; forget: number }>(({ of, forget }) => {
    if (of === worker) of.postMessage({ forget } satisfies DiskMemory);
  });

  function started(): Worker {
    if (worker !== undefined) return worker;
    const made = new Worker(new URL('./disk_worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    made.on('message', (answer: DiskAnswer) => {
      const of = typeof answer === 'number' ? answer : answer.number;
      const job = waiting.get(of);
      waiting.delete(of);
      if (waiting.size === 0) made.unref();
      if (typeof answer === 'number') job?.resolve();
      else job?.reject(faultOf(answer));
    });
    const gone = () => {
      if (worker === made) fail();
    };
    made.on('error', gone).on('exit', gone);
    worker = made;
    return made;
  }

  function fail(): void {
    worker = undefined;
    given = new WeakMap();
    const jobs = [...waiting.values()];
    waiting.clear();
    for (const job of jobs) job.reject(faultOf({ code: 'EIO', message: 'EIO: the thread that writes has ended' }));
  }

  /**
   * Memory of both is not copied, and is handed over once: what came with each group was garbage there, and collecting it stopped
   * the thread for 12 ms each second, and for 50 while another thread was collecting.
   */
  function shared(thread: Worker, bytes: Buffer): number {
    const known = given.get(bytes.buffer);
    if (known !== undefined) return known;
    given.set(bytes.buffer, number);
    forgotten.register(bytes.buffer, { of: thread, forget: number });
    thread.postMessage({ give: number, bytes } satisfies DiskMemory);
    return number;
  }

  return {
    files: {
      ...diskFiles,
      commit: (descriptor, bytes, length, position) =>
        new Promise((resolve, reject) => {
          const thread = started();
          // Whoever waits for the disk must not end before it answers.
          if (waiting.size === 0) thread.ref();
          waiting.set(++number, { resolve, reject });
          const job = { number, descriptor, length, position };
          if (bytes.buffer instanceof SharedArrayBuffer)
            return thread.postMessage({ ...job, bytes: shared(thread, bytes) } satisfies DiskJob);
          const moved = new Uint8Array(bytes.subarray(0, length));
          thread.postMessage({ ...job, bytes: moved } satisfies DiskJob, [moved.buffer]);
        }),
    },
    async end() {
      const ended = worker;
      fail();
      await ended?.terminate();
    },
  };
}

function faultOf({ code, message }: { code: string; message: string }): Error {
  return Object.assign(new Error(message), { code });
}
