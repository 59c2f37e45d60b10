import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { ask, type DeskFolder, lastDays, mainSite, owner, pause, type Running, whenCalm } from './desk.ts';
import { type LoadPlan, type LoadResult, loadApart } from './load.ts';
import { measureStandstill } from './machine.ts';

/**
 * Sends events to a running desk as a site full of visitors would, each plan from a process of its own, and compares
 * what was acknowledged with what the desk counts afterwards. The same generator is pointed at a server that reads a
 * request and answers 202 and does nothing else: on shared machines its figure moves by a factor of two within minutes,
 * so figures of two runs are only comparable as shares of it, and no answer can be expected sooner than it gives one.
 */
export interface IngestLine {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly holds?: boolean;
}

const domain = 'bench.example';
/** As many as one server needs to be kept at work: with half of them it stands still between two groups and their answers. */
const singleConnections = 128;
const batchConnections = 32;
/** After all that a server can take, it is at work for a while. */
const calmMs = 5_000;
/** Of a load at a rate, latencies count from here on: readers' first questions wake threads. */
const settleSeconds = 3;

export async function measureIngest(
  desk: DeskFolder,
  running: Running,
  { seconds, say }: { seconds: number; say: (line: string) => void },
): Promise<IngestLine[]> {
  const run = Math.floor(performance.timeOrigin % 1e9);
  const plan: LoadPlan = { port: running.port, connections: 64, seconds, rate: 0, mode: 'visits', run };
  say('Waiting until the desk has nothing of its own to do …');
  await whenCalm(running);
  const before = await counted(desk, running);
  const lines: IngestLine[] = [];
  let loads = 0;
  let acknowledged = 0;
  let failures = 0;
  const send = async (given: Partial<LoadPlan>): Promise<LoadResult> => {
    const result = await loadApart({ ...plan, run: run + loads++, ...given });
    acknowledged += result.events;
    for (const times of Object.values(result.failed)) failures += times;
    return result;
  };

  say('Measuring the machine, and a server that answers 202 and does nothing …');
  const { share: lost, pauseMs, longestMs } = await measureStandstill(4_000);
  lines.push({
    what: 'time that the machine takes from a thread that only spins, one on each processor',
    target: 'the measure',
    measured: `${(lost * 100).toFixed(0)} %, a hundredth in pauses of ${pauseMs.toFixed(1)} ms and more, longest ${longestMs.toFixed(1)} ms`,
  });
  const bare = await openFloorApart();
  const floor = await loadApart({
    ...plan,
    port: bare.port,
    connections: singleConnections,
    seconds: Math.min(seconds, 5),
  });
  lines.push({
    what: 'requests to a node:http server that only answers',
    target: 'the measure',
    measured: rate(floor),
  });
  lines.push({
    what: 'the same at 5,000 /s, evenly spread',
    target: 'the measure',
    measured: rate(await loadApart({ ...plan, port: bare.port, rate: 5_000 })),
  });
  const share = (result: LoadResult) =>
    `${rate(result)}, ${(result.per_second / floor.per_second).toFixed(2)} of the server that only answers`;

  say('Sending events …');
  // What a process does in its first seconds (compiling, growing) belongs to its start.
  await send({ seconds: Math.min(3, seconds) });
  const single = await send({ connections: singleConnections });
  lines.push({
    ...{ what: 'single events, visits of 3', target: '20,000 /s', measured: share(single) },
    holds: single.per_second >= 20_000,
  });
  lines.push({
    what: 'single events, only new visitors',
    target: 'reported beside',
    measured: share(await send({ mode: 'visitors', connections: singleConnections })),
  });
  const batches = await send({ mode: 'batch', connections: batchConnections });
  lines.push({
    ...{ what: 'events in batches of 50', target: '60,000 /s', measured: rate(batches) },
    holds: batches.per_second >= 60_000,
  });
  const atRate = { rate: 5_000, settleSeconds, seconds: seconds + settleSeconds };
  await pause(calmMs);
  const paced = await send(atRate);
  lines.push({
    ...{ what: 'single events at 5,000 /s', target: 'p99 15 ms', measured: rate(paced) },
    holds: paced.p99_ms <= 15,
  });
  const stopReaders = besides(desk, running);
  const bareBeside = await loadApart({ ...plan, port: bare.port, ...atRate });
  await stopReaders();
  bare.stop();
  lines.push({
    what: 'the server that only answers, at 5,000 /s, while four readers ask this desk and 20 people sign in',
    target: 'the measure',
    measured: rate(bareBeside),
  });
  const stop = besides(desk, running);
  const beside = await send(atRate);
  const { questions, medianMs, signIns } = await stop();
  lines.push({
    what: 'the same while four readers ask and 20 people sign in',
    target: 'p99 25 ms',
    measured: `${rate(beside)} (${questions} questions, median ${medianMs.toFixed(0)} ms, ${signIns} sign-ins)`,
    holds: beside.p99_ms <= 25,
  });

  // A segment closes after a second, and its insert takes a moment.
  let stored = 0;
  for (let wait = 0; wait < 60 && stored < acknowledged; wait++) {
    await pause(500);
    stored = (await counted(desk, running)) - before;
  }
  lines.push({
    what: 'acknowledged events, lost or doubled',
    target: '0',
    measured: `${acknowledged.toLocaleString('en-US')} acknowledged, ${stored.toLocaleString('en-US')} stored, ${failures} requests without a 202`,
    // A request whose answer never came may have been stored.
    holds: stored >= acknowledged && stored <= acknowledged + failures,
  });
  return lines;
}

function rate({ per_second, p50_ms, p99_ms }: LoadResult): string {
  return `${per_second.toLocaleString('en-US')} /s, p50 ${p50_ms} ms, p99 ${p99_ms} ms`;
}

async function counted(desk: DeskFolder, running: Running): Promise<number> {
  const { results } = await ask<{ results: { metrics: number[] }[] }>(desk, running, '/api/v2/query', {
    ...{ site_id: domain, metrics: ['events'], date_range: lastDays(desk, 2) },
  });
  return results[0]?.metrics[0] ?? 0;
}

/** A server without any of our code, in a process of its own: what the generator and the machine allow. */
async function openFloorApart(): Promise<{ port: number; stop(): void }> {
  const child = spawn(process.execPath, [import.meta.filename, 'floor'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
  return { port, stop: () => void child.kill() };
}

function openFloor(): Server {
  const server = createServer({ noDelay: true }, (request, response) => {
    request.on('data', () => {});
    request.on('end', () => {
      response.writeHead(202, ['content-type', 'text/plain', 'content-length', '2']);
      response.end('ok');
    });
  });
  return server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    console.log(typeof address === 'object' && address !== null ? address.port : 0);
  });
}

/** Four readers who ask for something else each time, and twenty sign-ins, until it is called. */
function besides(desk: DeskFolder, running: Running) {
  const times: number[] = [];
  let over = false;
  let signIns = 0;
  const reader = async (number: number) => {
    for (let round = 0; !over; round++) {
      const began = performance.now();
      await ask(desk, running, '/api/v2/query', {
        site_id: mainSite,
        metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration'],
        dimensions: ['event:page', 'visit:country'],
        date_range: lastDays(desk, 90),
        // No two questions are alike, and no frozen day answers them.
        filters: [['contains', 'event:page', [String((number * 97 + round * 13) % 1000)]]],
        pagination: { limit: 100 },
      });
      times.push(performance.now() - began);
    }
  };
  const people = async () => {
    for (; signIns < 20 && !over; signIns++) {
      const response = await fetch(`http://127.0.0.1:${running.port}/api/sessions`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-forwarded-for': `198.51.100.${signIns}`,
          'x-forwarded-proto': 'https',
        },
        body: JSON.stringify(owner),
      });
      if (response.status !== 201) throw new Error(`Signing in answered ${response.status}: ${await response.text()}`);
    }
  };
  const all = Promise.all([reader(0), reader(1), reader(2), reader(3), people()]);
  return async () => {
    over = true;
    await all;
    times.sort((a, b) => a - b);
    return { questions: times.length, medianMs: times[times.length >> 1] ?? 0, signIns };
  };
}

if (process.argv[1] === import.meta.filename && process.argv[2] === 'floor') openFloor();
