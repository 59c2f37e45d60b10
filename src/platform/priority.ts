import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Clock } from './clock.ts';

/** Nice values of threads, lower ones first. Linux keeps one for each thread; elsewhere they are a process's, so nothing is set. */
const eventLoopNice = -16;
/**
 * Of V8's helper: ahead of all the rest, and behind the thread that it helps. It walks over the heaps of all threads, and at the same
 * priority it had half of the event loop's processor for a tenth of a second (p99 of an answer 13 to 56 ms, and 22 to 23 since).
 */
const helperNice = -10;
/**
 * Of what answers questions, in the engine and beside it, and of what checks passwords. Not more: at 10 a question had a tenth of a process's share on
 * a full machine and ran into its deadline.
 */
export const questionsNice = 4;
/** What this process was started with. */
const givenNice = getPriority();

/**
 * Lets the calling process's main thread, which takes events, go before questions, sign-ins and merges when the
 * processors are full, and V8's helper with it: at the end of a collection the main thread stands still until the helper has
 * done its part. Threads that are there already keep their priority, so it is called when the stores are open.
 * Needs root or CAP_SYS_NICE. Gives whether it was allowed to.
 */
export function letEventLoopGoFirst(): boolean {
  // On Linux the number of a process names its main thread alone.
  if (!set(process.pid, eventLoopNice)) return false;
  for (const helper of threadsNamed('V8Worker')) set(helper, helperNice);
  return true;
}

/**
 * Of the whole session that this process is in, while its event loop is at its limit. Where Linux has `sched_autogroup_enabled` and no group of the
 * processor's own, it shares processors among sessions first, and each process of PostgreSQL has made itself one: to them
 * nice values of our threads say nothing, and the event loop gave half of its processor to a single one of them.
 */
const sessionNice = -16;
const sessionFile = '/proc/self/autogroup';
const lookMs = 250;
/**
 * Of a look: from which share on the event loop is at its limit, and below which it is not. Below that its answers wait for the kernel's own
 * threads, which are in no session and would come after all of this one's: at 5,000 events a second the p99 became 37 ms in place of 7.
 */
const shares = { busy: 0.9, quiet: 0.6 };
/** After so many quiet looks the others get their share again: the engine's threads are in this session too. */
const quietLooks = 8;

/**
 * Lets this process's session go before others', PostgreSQL's among them, for as long as the event loop is at its limit, and puts
 * back what was. Where Linux compares threads with each other, or without root and CAP_SYS_NICE, nothing is done.
 * @returns ends it, and puts back what was; so does the end of the process
 */
export function letSessionGoFirst(clock: Pick<Clock, 'after'>): () => void {
  const given = sessionNiceNow();
  if (given === undefined) return () => {};
  // One that was killed, or another desk of this session that is busy, has left it so.
  const former = given === sessionNice ? 0 : given;
  let isAhead = false;
  let quiet = 0;
  let before = performance.eventLoopUtilization();
  let callOff = () => {};
  const put = (ahead: boolean) => {
    if (ahead !== isAhead && setSessionNice(ahead ? sessionNice : former)) isAhead = ahead;
    return isAhead === ahead;
  };
  const look = () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    quiet = utilization < shares.quiet ? quiet + 1 : 0;
    if (utilization > shares.busy && !put(true)) return;
    if (quiet >= quietLooks) put(false);
    callOff = clock.after(lookMs, look);
  };
  const end = () => {
    callOff();
    put(false);
  };
  process.once('exit', end);
  callOff = clock.after(lookMs, look);
  return end;
}

/** Undefined where sessions are not what processors are shared among. */
function sessionNiceNow(): number | undefined {
  try {
    const found = /nice (-?\d+)/.exec(readFileSync(sessionFile, 'utf8'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

function setSessionNice(nice: number): boolean {
  try {
    writeFileSync(sessionFile, String(nice));
    return true;
  } catch {
    return false;
  }
}

function threadsNamed(name: string): number[] {
  const threads = readdirSync('/proc/self/task').filter((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() === name;
    } catch {
      return false; // It has ended meanwhile.
    }
  });
  return threads.map(Number);
}

/** The calling thread goes as far ahead as the event loop, where that is allowed: for what an acknowledgement waits for. */
export function goFirst(): void {
  set(0, eventLoopNice);
}

/** The calling thread goes behind the event loop, whatever priority it came into being with. */
export function goBehind(): void {
  set(0, questionsNice);
}

/** A process that the main thread has just started gets what ours was started with, not what it took since. */
export function giveBack(child: number): void {
  set(child, givenNice);
}

/** One that works while somebody waits goes behind the event loop too, from its start on: a start alone is a tenth of a second. */
export function putBehind(child: number): void {
  set(child, questionsNice);
}

function set(thread: number, nice: number): boolean {
  if (process.platform !== 'linux') return false;
  try {
    setPriority(thread, nice);
    return true;
  } catch {
    return false;
  }
}
