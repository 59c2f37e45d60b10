import { expect, it } from 'vitest';
import { repeat, stillClock } from './clock.ts';

/** Lets promises that are due settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('repeats until it is called off, also after a failure and also when called off in the middle', async () => {
  const clock = stillClock(0);
  const failures: unknown[] = [];
  let times = 0;
  let finish = () => {};
  const work = () => {
    times++;
    if (times === 1) return Promise.reject(new Error('once'));
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  };
  const stop = repeat(clock, 100, work, { firstMs: 10, onError: (error) => failures.push(error) });
  clock.travel(10);
  await settle();
  expect([times, failures.length]).toEqual([1, 1]);
  clock.travel(100);
  clock.travel(1_000);
  expect(times, 'never two at once').toBe(2);
  stop();
  finish();
  await settle();
  clock.travel(1_000);
  expect(times).toBe(2);
});

it('what a stop cuts off is no failure, and what failed before it is one', async () => {
  const clock = stillClock(0);
  const failures: unknown[] = [];
  let fail = (_: Error) => {};
  const work = () => new Promise<void>((_, reject) => (fail = reject));
  const begun = () => {
    const stop = repeat(clock, 100, work, { firstMs: 10, onError: (error) => failures.push(error) });
    clock.travel(10);
    return stop;
  };
  const first = begun();
  const before = new Error('before the stop');
  fail(before);
  await settle();
  first();
  const second = begun();
  second();
  fail(new Error('the stores are closed'));
  await settle();
  expect(failures).toEqual([before]);
});
