import { type ChildProcess, fork } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Clock } from '../platform/clock.ts';
import { RequestError } from '../platform/http/route.ts';
import { putBehind } from '../platform/priority.ts';
import type { KeyRing } from '../platform/subject.ts';

/**
 * Passwords by rule R17: bcrypt of cost 12 over a keyed SHA-384 pre-hash in base64. The pre-hash is 64 characters,
 * so bcrypt's cut at 72 bytes and its stop at NUL never meet a password (AUT-02), and a stolen table cannot be
 * guessed at without the key file. One hash costs a quarter of a second of a core; it runs in processes of its own,
 * behind what takes events, so that twenty people signing in do not hold up collection (measured in docs/performance.md).
 */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** With no stored hash the same work is done against a dummy, so that time does not tell whether a person exists (AUT-10). */
  verify(password: string, stored: string | undefined): Promise<boolean>;
  /** Was it made by another scheme or at another cost than today's? Then it is made anew at the next sign-in. */
  isOld(stored: string): boolean;
  /** Somebody is about to sign in: a process is there before the password is, which saves the first a third of its wait. */
  prepare(): void;
  close(): void;
}

const ownCost = 12;
/** More people than this waiting to sign in are asked to come back: at 0.25 s each the last would wait 16 s. */
const queueMax = 64;
/** Hashed at once, where there are as many processors. More would only make each slower, and twenty people are in after some six seconds. */
const workersMax = Math.min(2, availableParallelism());
/** A worker leaves when none had work for so long, and gives back its 40 MB. */
const idleMs = 30_000;
const workerFile = new URL('./password_worker.ts', import.meta.url);

interface Worker {
  process: ChildProcess;
  /** What it is at. */
  job: Job | undefined;
}
type Job = { message: WorkerMessage; resolve(answer: string | boolean): void; reject(error: Error): void };
export type WorkerMessage =
  | { kind: 'hash'; secret: string; cost: number }
  | { kind: 'verify'; secret: string; stored: string };

/** @param options.cost the desk's own by default; a test of something else need not wait a quarter of a second for each */
export function openPasswords(options: { keys: KeyRing; clock: Clock; cost?: number | undefined }): Passwords {
  const cost = options.cost ?? ownCost;
  const pepper = options.keys.derive('password');
  const prehash = (password: string) => createHmac('sha384', pepper).update(password.normalize('NFC')).digest('base64');
  const queue: Job[] = [];
  const workers = new Set<Worker>();
  let cancelIdle: (() => void) | undefined;
  let dummy: Promise<string> | undefined;

  function next(): void {
    while (queue.length > 0) {
      const free = [...workers].find(({ job }) => job === undefined) ?? another();
      if (free === undefined) break;
      free.job = queue.shift();
      if (free.job !== undefined) free.process.send(free.job.message);
    }
    cancelIdle?.();
    const isIdle = workers.size > 0 && [...workers].every(({ job }) => job === undefined);
    cancelIdle = isIdle ? options.clock.after(idleMs, stopWorkers) : undefined;
  }

  function another(): Worker | undefined {
    if (workers.size === workersMax) return undefined;
    const child = fork(workerFile, {
      serialization: 'json',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: ['--max-old-space-size=64'],
      // It needs no variable, and so knows no secret of the desk.
      env: {},
    });
    if (child.pid !== undefined) putBehind(child.pid);
    const worker: Worker = { process: child, job: undefined };
    workers.add(worker);
    child.unref();
    child.channel?.unref();
    child.on('message', (answer: string | boolean) => {
      const { job } = worker;
      worker.job = undefined;
      job?.resolve(answer);
      next();
    });
    const gone = () => {
      if (!workers.delete(worker)) return;
      worker.job?.reject(new Error('The password worker ended before it answered.'));
      next();
    };
    child.on('exit', gone).on('error', gone);
    return worker;
  }

  function stopWorkers(): void {
    const all = [...workers];
    workers.clear();
    for (const { process: child } of all) child.kill();
  }

  function ask(message: WorkerMessage): Promise<string | boolean> {
    if (queue.length >= queueMax)
      return Promise.reject(
        new RequestError('rate_limited', 'Too many people are signing in at this moment. Try again in 20 seconds.', {
          headers: { 'retry-after': '20' },
        }),
      );
    return new Promise((resolve, reject) => {
      queue.push({ message, resolve, reject });
      next();
    });
  }

  const hash = async (password: string) => (await ask({ kind: 'hash', secret: prehash(password), cost })) as string;
  return {
    hash,
    async verify(password, stored) {
      if (stored === undefined) {
        dummy ??= hash('nobody has this password');
        await ask({ kind: 'verify', secret: prehash(password), stored: (await dummy).slice(schemeName.length) });
        return false;
      }
      if (!stored.startsWith(schemeName)) return false;
      return (
        (await ask({ kind: 'verify', secret: prehash(password), stored: stored.slice(schemeName.length) })) === true
      );
    },
    isOld: (stored) => !stored.startsWith(`${schemeName}$2b$${cost}$`),
    prepare() {
      if (workers.size === 0) another();
      next();
    },
    close: stopWorkers,
  };
}

/** Stored before the bcrypt string, so that a later scheme can be told apart and rehashed at the next sign-in. */
const schemeName = 'hs384:';
