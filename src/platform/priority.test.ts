import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';

const module = new URL('./priority.ts', import.meta.url).href;

test('the event loop goes first, V8 with it and nobody else, and a thread that it starts can go behind', () => {
  const program = `
    import { spawn } from 'node:child_process';
    import { readdirSync, readFileSync } from 'node:fs';
    import { stat } from 'node:fs/promises';
    import { Worker } from 'node:worker_threads';
    import { giveBack, letEventLoopGoFirst, putBehind } from ${JSON.stringify(module)};
    const niceOf = (thread) => Number(readFileSync('/proc/' + thread + '/stat', 'utf8').split(') ')[1].split(' ')[16]);
    const threads = () => readdirSync('/proc/self/task').filter((thread) => thread !== String(process.pid));
    await stat('/');
    const before = threads();
    const allowed = letEventLoopGoFirst();
    const child = spawn('sleep', ['60']);
    const inherited = niceOf(child.pid);
    giveBack(child.pid);
    const given = niceOf(child.pid);
    putBehind(child.pid);
    const put = niceOf(child.pid);
    child.kill();
    const main = niceOf(process.pid);
    const isHelper = (thread) => readFileSync('/proc/self/task/' + thread + '/comm', 'utf8') === 'V8Worker\\n';
    const helpers = [...new Set(before.filter(isHelper).map(niceOf))];
    const others = [...new Set(before.filter((thread) => !isHelper(thread)).map(niceOf))];
    const code = 'const { parentPort } = await import("node:worker_threads"); const { goBehind } = await import(' +
      JSON.stringify(${JSON.stringify(module)}) + '); goBehind(); parentPort.postMessage(1); setInterval(() => {}, 1000);';
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
    await new Promise((done) => worker.once('message', done));
    const behind = threads().filter((thread) => !before.includes(thread)).map(niceOf);
    console.log(JSON.stringify({ allowed, main, inherited, given, put, helpers, others, behind }));
    process.exit(0);`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const seen = JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' }));
  const given = getPriority();
  expect(seen.others).toEqual([given]);
  expect(seen.main).toBe(seen.allowed ? -16 : given);
  expect(seen.helpers).toEqual([seen.allowed ? -10 : given]);
  expect([seen.inherited, seen.given]).toEqual([seen.main, given]);
  expect(seen.put).toBe(4);
  expect(seen.behind).toContain(4);
  if (process.getuid?.() === 0) expect(seen.allowed).toBe(true);
});

function sessionNiceOf(process: number | string): number | undefined {
  try {
    const found = /nice (-?\d+)/.exec(readFileSync(`/proc/${process}/autogroup`, 'utf8'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

test('while the event loop is busy its session goes first, and others get their share again when it is not, and at its end', async () => {
  const program = `
    import { spawn } from 'node:child_process';
    import { readFileSync } from 'node:fs';
    import { letSessionGoFirst } from ${JSON.stringify(module)};
    import { systemClock } from ${JSON.stringify(new URL('./clock.ts', import.meta.url).href)};
    const nice = () => Number(/nice (-?[0-9]+)/.exec(readFileSync('/proc/self/autogroup', 'utf8'))?.[1] ?? NaN);
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const busy = async (ms) => {
      for (const end = Date.now() + ms; Date.now() < end; await pause(0)) for (const until = Date.now() + 20; Date.now() < until; );
    };
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    other.unref();
    const first = nice();
    letSessionGoFirst(systemClock);
    await busy(1_000);
    const ahead = nice();
    for (let look = 0; look < 100 && nice() !== first; look++) await pause(100);
    const quiet = nice();
    await busy(1_000);
    console.log(JSON.stringify({ other: other.pid, first, ahead, quiet, again: nice() }));
    process.exit(0);`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  // A session of its own, as the desk has where a service manager or a container starts it.
  const child = spawn(process.execPath, flags, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (piece) => {
    said += piece;
  });
  const [code] = await once(child, 'exit');
  const seen = JSON.parse(said);
  try {
    expect(code).toBe(0);
    // Whether Linux shares processors among sessions is asked of the child: a runner that is in the session of the first process
    // of its container reads nothing about itself, where its children's sessions count. Root may always say how, others by RLIMIT_NICE.
    const hasSessions = seen.first !== null;
    const isAllowed = process.getuid?.() === 0 || seen.ahead !== seen.first;
    if (!hasSessions || !isAllowed)
      return expect([seen.ahead, seen.quiet, seen.again]).toEqual([seen.first, seen.first, seen.first]);
    expect([seen.first, seen.ahead, seen.quiet, seen.again]).toEqual([0, -16, 0, -16]);
    expect(sessionNiceOf(seen.other)).toBe(0);
  } finally {
    process.kill(seen.other);
  }
}, 30_000);
