import fs from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { crashPoint } from '../crash_point.ts';
import { goFirst } from '../priority.ts';
import type { DiskAnswer, DiskJob, DiskMemory } from './disk_thread.ts';

// Writes a group and syncs it, and nothing else (see disk_thread.ts).
goFirst();
const memory = new Map<number, Uint8Array>();
parentPort?.on('message', (message: DiskJob | DiskMemory) => {
  if ('give' in message) memory.set(message.give, message.bytes);
  else if ('forget' in message) memory.delete(message.forget);
  else commit(message);
});

function commit({ number, descriptor, bytes: given, length, position }: DiskJob): void {
  let answer: DiskAnswer = number;
  try {
    const bytes = typeof given === 'number' ? memory.get(given) : given;
    if (bytes === undefined) throw Object.assign(new Error('EIO: memory that was not given'), { code: 'EIO' });
    for (let written = 0; written < length; )
      written += fs.writeSync(descriptor, bytes, written, length - written, position + written);
    crashPoint('spool.write');
    fs.fdatasyncSync(descriptor);
  } catch (error) {
    // What crosses over as an error loses its code, and the code is what decides.
    const { code = 'EIO', message } = error as NodeJS.ErrnoException;
    answer = { number, code, message };
  }
  parentPort?.postMessage(answer);
}
