import fs from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { crashPoint } from '../crash_point.ts';
import { goFirst } from '../priority.ts';
import type { DiskAnswer, DiskJob } from './disk_thread.ts';

// Writes a group and syncs it, and nothing else (see disk_thread.ts).
goFirst();
parentPort?.on('message', ({ number, descriptor, bytes, position }: DiskJob) => {
  let answer: DiskAnswer = number;
  try {
    for (let written = 0; written < bytes.length; )
      written += fs.writeSync(descriptor, bytes, written, bytes.length - written, position + written);
    crashPoint('spool.write');
    fs.fdatasyncSync(descriptor);
  } catch (error) {
    // What crosses over as an error loses its code, and the code is what decides.
    const { code = 'EIO', message } = error as NodeJS.ErrnoException;
    answer = { number, code, message };
  }
  parentPort?.postMessage(answer);
});
