import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, getPriority } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { type Clock, systemClock } from '../platform/clock.ts';
import { ringOf } from '../trust/keys/index.ts';
import { openPasswords, type Passwords } from './passwords.ts';

/** What waits until there was no work for a while. */
let whenIdle: (() => void) | undefined;
const clock: Clock = {
  ...systemClock,
  after(_, work) {
    whenIdle = work;
    return () => {
      if (whenIdle === work) whenIdle = undefined;
    };
  },
};
let passwords: Passwords;
/** The smallest cost: a thousandth of the work. */
const open = (cost = 4) => {
  passwords = openPasswords({ keys: ringOf(Buffer.alloc(32, 7)), clock, cost });
  return passwords;
};
afterEach(() => passwords.close());

/** Numbers of the processes that hash for this one. */
function workers(): number[] {
  try {
    const found = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'password_worker'], { encoding: 'utf8' });
    return found.trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

it('is there before the password is, knows no variable of the desk and goes behind what takes events', async () => {
  const { prepare, hash } = open();
  expect(workers()).toEqual([]);
  prepare();
  prepare();
  const [worker = 0, ...more] = workers();
  expect([worker > 0, more]).toEqual([true, []]);
  const stat = readFileSync(`/proc/${worker}/stat`, 'utf8').split(') ')[1]?.split(' ');
  expect(Number(stat?.[16])).toBe(Math.max(4, getPriority()));
  expect(await hash('seven boats')).toMatch(/^hs384:\$2b\$04\$/);
  expect(readFileSync(`/proc/${worker}/environ`, 'utf8').split('\0')).not.toContainEqual(
    expect.stringMatching(/^(PATH|HOME|FAIRLEAD_.*)=/),
  );
  expect(workers()).toEqual([worker]);
});

it('hashes two at once where there are two processors, more than two in turn, and gives everything back when idle', async () => {
  const { hash, verify } = open(10);
  const secrets = ['one', 'two', 'three', 'four', 'five'];
  const asked = secrets.map((secret) => hash(secret));
  await asked[0];
  expect(workers()).toHaveLength(Math.min(2, availableParallelism()));
  const stored = await Promise.all(asked);
  const all = await Promise.all(stored.flatMap((one) => secrets.map((secret) => verify(secret, one))));
  // Each answer belongs to who asked.
  expect(all).toEqual(secrets.flatMap((of) => secrets.map((secret) => secret === of)));
  expect(whenIdle).toBeDefined();
  whenIdle?.();
  await expect.poll(workers).toEqual([]);
  expect(await verify('one', stored[0])).toBe(true);
});

it('says so to those whose process ended under them, and goes on with another', async () => {
  const { hash } = open(12);
  const asked = [hash('one'), hash('two'), hash('three')];
  const ended = Promise.allSettled(asked);
  await expect.poll(() => workers().length).toBe(Math.min(2, availableParallelism()));
  for (const worker of workers()) process.kill(worker, 'SIGKILL');
  const [first, , last] = await ended;
  expect(first).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('ended before') } });
  expect(last?.status).toBe('fulfilled');
});

it('asks people to come back when 64 wait', async () => {
  const { hash } = open();
  const asked = Array.from({ length: 80 }, (_, at) => hash(`seven boats ${at}`));
  const ended = await Promise.allSettled(asked);
  const refused = ended.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(80 - 64 - Math.min(2, availableParallelism()));
  expect(refused[0]).toMatchObject({ reason: { code: 'rate_limited', headers: { 'retry-after': '20' } } });
});
