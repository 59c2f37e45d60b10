import { Worker } from 'node:worker_threads';
import { diskFiles, type SpoolFiles } from './files.ts';

/** A write when it has bytes, which move over; a sync otherwise. */
export interface DiskJob {
  readonly number: number;
  readonly descriptor: number;
  readonly bytes?: Uint8Array;
  readonly position?: number;
}

export interface DiskAnswer {
  readonly number: number;
  readonly written: number;
  readonly fault?: { readonly code: string; readonly message: string };
}

/**
 * The disk, with writes and syncs on a thread of their own that goes as far ahead as what takes events: an acknowledgement waits
 * for nothing else. Threads of the pool are those of the engine and of everybody, and wait for a processor among questions and sign-ins
 * (p99 of 5,000 events/s beside four readers 74 ms there and 28 here, beside twenty sign-ins 41 and 10: docs/decisions/2026-11-30-disk-thread.md).
 *
 * The thread starts with the first write. One that dies fails what it had not answered, as a disk would, and the next write starts another.
 */
export function openDiskThread(): { files: SpoolFiles; end(): Promise<void> } {
  let worker: Worker | undefined;
  let number = 0;
  const waiting = new Map<number, { resolve(written: number): void; reject(error: Error): void }>();

  function started(): Worker {
    if (worker !== undefined) return worker;
    const made = new Worker(new URL('./disk_worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    made.on('message', ({ number: of, written, fault }: DiskAnswer) => {
      const job = waiting.get(of);
      waiting.delete(of);
      if (waiting.size === 0) made.unref();
      if (fault === undefined) job?.resolve(written);
      else job?.reject(faultOf(fault));
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
    const jobs = [...waiting.values()];
    waiting.clear();
    for (const job of jobs) job.reject(faultOf({ code: 'EIO', message: 'EIO: the thread that writes has ended' }));
  }

  function ask(job: Omit<DiskJob, 'number'>): Promise<number> {
    return new Promise((resolve, reject) => {
      const thread = started();
      // Whoever waits for the disk must not end before it answers.
      if (waiting.size === 0) thread.ref();
      waiting.set(++number, { resolve, reject });
      thread.postMessage({ ...job, number }, job.bytes === undefined ? [] : [job.bytes.buffer as ArrayBuffer]);
    });
  }

  return {
    files: {
      ...diskFiles,
      write: (descriptor, bytes, offset, length, position) =>
        ask({ descriptor, bytes: Uint8Array.from(bytes.subarray(offset, offset + length)), position }),
      async fdatasync(descriptor) {
        await ask({ descriptor });
      },
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
