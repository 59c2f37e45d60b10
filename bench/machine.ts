import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * What the machine itself takes away: one thread for each processor does nothing but read the clock, and every jump of
 * it is time in which that thread stood still although it wanted to run. A virtual machine on a busy host loses a share
 * of its processors that way, in pauses which no program in it can make shorter: a latency below them means nothing.
 */
export interface Standstill {
  /** Share of the time, 0 to 1, in which a thread stood still. */
  share: number;
  /** Milliseconds; a hundredth of all time lies in pauses of at least this length. */
  pauseMs: number;
  longestMs: number;
}

/** A jump of the clock that is shorter than this is the loop itself, or an interrupt. */
const pauseMsMin = 0.05;

export async function measureStandstill(ms: number): Promise<Standstill> {
  const found = await Promise.all(
    Array.from({ length: availableParallelism() }, () => {
      return new Promise<number[]>((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: ms });
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
  const pauses = found.flat().sort((a, b) => b - a);
  const total = ms * found.length;
  let beyond = 0;
  const pauseMs = pauses.find((pause) => {
    beyond += pause;
    return beyond >= total / 100;
  });
  return {
    share: pauses.reduce((sum, pause) => sum + pause, 0) / total,
    pauseMs: pauseMs ?? 0,
    longestMs: pauses[0] ?? 0,
  };
}

function spin(ms: number): number[] {
  const pauses: number[] = [];
  const start = performance.now();
  for (let before = start, now = start; now - start < ms; before = now) {
    now = performance.now();
    if (now - before >= pauseMsMin) pauses.push(now - before);
  }
  return pauses;
}

if (!isMainThread) parentPort?.postMessage(spin(Number(workerData)));
