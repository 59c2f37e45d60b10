import fs from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { goFirst } from '../priority.ts';
import type { DiskAnswer, DiskJob } from './disk_thread.ts';

// Writes and syncs, and nothing else (see disk_thread.ts).
goFirst();
parentPort?.on('message', ({ number, descriptor, bytes, position }: DiskJob) => {
  let answer: DiskAnswer = { number, written: 0 };
  try {
    if (bytes === undefined) fs.fdatasyncSync(descriptor);
    else answer = { number, written: fs.writeSync(descriptor, bytes, 0, bytes.length, position) };
  } catch (error) {
    // What crosses over as an error loses its code, and the code is what decides.
    const { code = 'EIO', message } = error as NodeJS.ErrnoException;
    answer = { number, written: 0, fault: { code, message } };
  }
  parentPort?.postMessage(answer);
});
