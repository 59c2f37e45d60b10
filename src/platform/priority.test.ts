import { execFileSync } from 'node:child_process';
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
