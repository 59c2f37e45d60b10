import v8 from 'node:v8';
import { expect, it, vi } from 'vitest';
import { giveBackHeap } from './heap.ts';

const committed = () => v8.getHeapStatistics().total_heap_size;
/** Leaves some 100 MB behind that nobody holds. */
function litter(): number {
  let held: string[][] = [];
  for (let at = 0; at < 100; at++) held.push(Array.from({ length: 20_000 }, (_, n) => `${at} ${n}`));
  const before = committed();
  held = [];
  return before + held.length;
}
/** Looks at the thread for a third of a second, and resolves when it has been looked at. */
const looked = () =>
  new Promise<void>((resolve) => {
    giveBackHeap(
      {
        after(_ms, then) {
          setTimeout(() => {
            then();
            resolve();
          }, 300);
          return () => {};
        },
      },
      1,
    );
  });

it('gives back what nobody holds, and nothing while the thread is at work', async () => {
  litter();
  const working = looked();
  const began = performance.now();
  while (performance.now() - began < 150);
  const before = committed();
  await working;
  // V8 gives a little back by itself.
  expect(committed()).toBeGreaterThan(before - 48 * 1024 * 1024);
  const held = litter();
  // On a machine that is busy the thread may look at work at first.
  await vi.waitFor(async () => {
    await looked();
    expect(committed()).toBeLessThan(held - 64 * 1024 * 1024);
  }, 20_000);
});
