import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { awakeClock, systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openSpool, type Sink } from '../src/platform/spool/index.ts';

/**
 * How many appends a second are on disk and answered, and how long each waited.
 * Rows of 700 bytes; the sink reads what it is given and keeps nothing, so this is the spool alone.
 *
 *   node bench/spool.ts [seconds per line] [directory]
 */
const seconds = Number(process.argv[2] ?? 4);
const root = process.argv[3] ?? '.';
const row = JSON.stringify({ site_id: 1, pathname: `/${'a'.repeat(670)}` });

type Line = { load: string; appendsPerSecond: number; p50Ms: number; p99Ms: number; maxMs: number; cpu: number };

/** `rate` appends a second in even portions every millisecond, or (0) as many as `inFlight` waiting ones allow. */
async function measure(load: string, { rate, inFlight }: { rate: number; inFlight: number }): Promise<Line> {
  const dir = await mkdtemp(join(root, '.bench-spool-'));
  const spool = await openSpool({
    ...{ dir, lanes: ['events'], clock: awakeClock(systemClock), random: systemRandom, log: silentLog },
  });
  let delivered = 0;
  const sink: Sink = {
    name: 'nowhere',
    lane: 'events',
    async deliver(_segment, bytes) {
      delivered += bytes.length;
    },
  };
  spool.startLoading([sink]);
  const lane = spool.lane('events');
  const waits = new Float64Array(5_000_000);
  let answered = 0;
  let appended = 0;
  let running = true;
  function append() {
    const start = performance.now();
    appended++;
    lane.append(row, (refusal) => {
      if (refusal !== undefined) throw refusal;
      waits[answered++] = performance.now() - start;
      if (rate === 0 && running) append();
    });
  }
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  if (rate === 0) for (let i = 0; i < inFlight; i++) append();
  while (performance.now() - start < seconds * 1000) {
    if (rate > 0) {
      const due = Math.floor(((performance.now() - start) / 1000) * rate);
      while (appended < due) append();
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  running = false;
  const elapsed = (performance.now() - start) / 1000;
  const inTime = answered;
  const cpu = process.cpuUsage(cpuBefore);
  await spool.drain(30_000);
  await spool.close();
  await rm(dir, { recursive: true });
  if (delivered !== appended * (row.length + 1))
    throw new Error(`Appended ${appended} rows, but the sink was given ${delivered / (row.length + 1)}.`);
  const sorted = waits.subarray(0, answered).sort();
  const at = (share: number) => Number((sorted[Math.floor((answered - 1) * share)] ?? 0).toFixed(2));
  return {
    load,
    appendsPerSecond: Math.round(inTime / elapsed),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    cpu: Number(((cpu.user + cpu.system) / 1e6 / elapsed).toFixed(2)),
  };
}

const lines = [
  await measure('5,000 /s', { rate: 5_000, inFlight: 0 }),
  await measure('20,000 /s', { rate: 20_000, inFlight: 0 }),
  await measure('64 at a time', { rate: 0, inFlight: 64 }),
  await measure('1,024 at a time', { rate: 0, inFlight: 1_024 }),
];
console.table(lines);
