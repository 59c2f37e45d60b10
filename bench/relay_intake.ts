/**
 * How fast conversions are taken in over HTTP and stored, with hashing, sealing and deliveries made; nothing is sent.
 *
 *     node --disable-warning=ExperimentalWarning bench/relay_intake.ts [--seconds 10] [--kinds meta-capi,webhook] [--connections 128]
 *
 * Targets of issue 6: 5,000 /s durably accepted; p99 at 1,700 /s at most 25 ms.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { flags, pause } from './desk.ts';
import { type LoadPlan, loadApart } from './load.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    kinds: { type: 'string', default: 'meta-capi,google-data-manager' },
    /** One request under way on each. */
    connections: { type: 'string', default: '128' },
  },
});
const seconds = Number(values.seconds);
const folder = await mkdtemp(join(tmpdir(), 'fairlead-relay-'));
const script = new URL('../test/proof/drivers/relay_desk.ts', import.meta.url).pathname;
const desk = spawn(process.execPath, [...flags, script, JSON.stringify({ folder, kinds: values.kinds.split(',') })], {
  stdio: ['pipe', 'pipe', 'inherit'],
  env: { ...process.env, UV_THREADPOOL_SIZE: '16', MALLOC_MMAP_THRESHOLD_: '262144', MALLOC_TRIM_THRESHOLD_: '262144' },
});
const lines = createInterface({ input: desk.stdout })[Symbol.asyncIterator]();
const next = async <Line>() => JSON.parse((await lines.next()).value ?? '{}') as Line;
const { port, path } = await next<{ port: number; path: string }>();
const count = async () => {
  desk.stdin.write('count\n');
  return next<{ conversions: number; deliveries: number; cpuMs: number }>();
};

const run = Math.floor(performance.timeOrigin % 1e9);
const connections = Number(values.connections);
const plan: LoadPlan = { port, path, mode: 'conversion', connections, seconds, rate: 0, run };
let sent = 0;
const load = async (what: string, more: Partial<LoadPlan>) => {
  const { cpuMs } = await count();
  const result = await loadApart({ ...plan, run: run + sent + 1, ...more });
  sent += result.requests;
  console.log(
    `${what}: ${result.per_second.toLocaleString('en-US')} /s, p50 ${result.p50_ms} ms, p99 ${result.p99_ms} ms, failed ${JSON.stringify(result.failed)}`,
  );
  const before = performance.now();
  for (let stored = (await count()).conversions; stored < sent; stored = (await count()).conversions) await pause(100);
  const used = (await count()).cpuMs - cpuMs;
  console.log(`  processor of the desk, PostgreSQL beside it: ${((used * 1000) / result.requests).toFixed(0)} µs each`);
  console.log(
    `  all ${sent.toLocaleString('en-US')} stored ${((performance.now() - before) / 1000).toFixed(1)} s after the last answer`,
  );
};
await load('warming up', { seconds: 3 });
await load('as fast as it takes them (5,000 /s)', {});
await load('at 1,700 /s (p99 25 ms)', { rate: 1_700, seconds: seconds + 3, settleSeconds: 3 });
const { conversions, deliveries } = await count();
console.log(
  `${conversions} conversions for ${sent} answers, ${deliveries} deliveries; load of the machine ${loadavg()[0]?.toFixed(1)}`,
);
desk.stdin.end();
await once(desk, 'close');
await rm(folder, { recursive: true, force: true });
process.exit(conversions === sent ? 0 : 1);
