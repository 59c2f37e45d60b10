import { performance } from 'node:perf_hooks';
import v8 from 'node:v8';
import vm from 'node:vm';
import type { Clock } from './clock.ts';

/** What the heap may have grown by since it was last looked at before it is worth a pause. */
const worthBytes = 64 * 1024 * 1024;

/** How long the thread is looked at first, and the share of it that work may take. */
const lookMs = 2_000;
const quietShare = 0.05;
/** A thread that is still at work is looked at again, so many times: what follows a burst is often a few seconds of it. */
const looksMax = 15;

let leftBytes = 0;

/**
 * Gives memory of the JavaScript heap back to the machine that a burst has left behind. V8 does so by itself, some hundred
 * seconds later; a desk with 10 M events held 144 MB until then (docs/performance.md). The thread stands still for it, a third of
 * a second where nothing else runs, so it is done only where the thread has nothing to do, and where there is much to give.
 * @param looks how often the thread is looked at, at most
 */
export function giveBackHeap(clock: Pick<Clock, 'after'>, looks = looksMax): void {
  if (v8.getHeapStatistics().total_heap_size - leftBytes < worthBytes) return;
  const before = performance.eventLoopUtilization();
  clock.after(lookMs, () => {
    if (performance.eventLoopUtilization(before).utilization > quietShare) {
      if (looks > 1) giveBackHeap(clock, looks - 1);
      return;
    }
    collect ??= openCollector();
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    leftBytes = v8.getHeapStatistics().total_heap_size;
  });
}

type Collect = (how: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;
let collect: Collect | undefined;

/** The collector is there for contexts that are made after the flag is set. */
function openCollector(): Collect {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc') as Collect;
  v8.setFlagsFromString('--no-expose-gc');
  return gc;
}
