/**
 * `npm run soak`: load with readers over a long time, and what became of every acknowledged event.
 *
 *     npm run soak                                     ten minutes at 5,000 events a second, two readers
 *     npm run soak -- --minutes 60 --rate 8000 --kills 12
 *
 * Prints a line per round (half a minute): events acknowledged, latency, reading times, memory. Ends with the events
 * that were lost or stored twice, and how memory grew after the first third. A kill is SIGKILL of the server in the
 * middle of a round, and a new start. Exit code 1 when an event was lost or is there twice.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ask, type DeskFolder, pause, postgresFolder, prepareDesk, type Running, startDesk } from './desk.ts';
import { loadApart } from './load.ts';
import { memoryMb } from './memory.ts';

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '5000' },
    readers: { type: 'string', default: '2' },
    kills: { type: 'string', default: '0' },
  },
});
const site = 'bench.example';
const connections = 64;
const roundSeconds = 30;
const rounds = Math.max(1, Math.round((number(given.minutes, 'minutes') * 60) / roundSeconds));
const killsWanted = Math.min(number(given.kills, 'kills'), rounds);
/** Kills are spread over the rounds, the last of them not in the last round. */
const killRounds = new Set(
  Array.from({ length: killsWanted }, (_, at) => Math.floor(((at + 0.5) * rounds) / killsWanted)),
);

function number(text: string, name: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new Error(`--${name} is not a number: ${text}`);
}

interface Tally {
  acknowledged: number;
  /** Requests without an answer: their events may be there or not. */
  unanswered: number;
  refused: number;
  readMs: number[];
  readsFailed: number;
  memory: number[];
}

const say = (line: string) => void process.stdout.write(`${line}\n`);
const folder = await mkdtemp(join(tmpdir(), 'fairlead-soak-'));
let running: Running | undefined;
try {
  const desk = await prepareDesk(folder, { events: 0, say });
  running = await startDesk(desk);
  say(`${rounds} rounds of ${roundSeconds} s, ${given.rate} events/s, ${given.readers} readers, ${killsWanted} kills`);
  const tally: Tally = { acknowledged: 0, unanswered: 0, refused: 0, readMs: [], readsFailed: 0, memory: [] };
  for (let round = 0; round < rounds; round++) running = await soakRound(desk, running, round, tally);
  process.exitCode = await conclude(desk, running, tally);
} finally {
  await running?.stop();
  const postgres = postgresFolder({ folder });
  for (const made of [postgres, folder]) await rm(made, { recursive: true, force: true });
}

/** One round of load and reading. @returns the server that runs afterwards: another one after a kill. */
async function soakRound(desk: DeskFolder, server: Running, round: number, tally: Tally): Promise<Running> {
  const state = { over: false };
  const reads = Array.from({ length: Number(given.readers) }, () => readUntil(desk, server, state, tally));
  const firstRead = tally.readMs.length;
  const load = loadApart({
    port: server.port,
    connections,
    seconds: roundSeconds,
    rate: Number(given.rate),
    mode: 'visits',
    run: round + 1,
    domain: site,
  });
  let next = server;
  if (killRounds.has(round)) {
    await pause((roundSeconds * 1000) / 2);
    server.process.kill('SIGKILL');
    await once(server.process, 'exit');
    state.over = true;
    next = await startDesk(desk);
  }
  const result = await load;
  state.over = true;
  await Promise.all(reads);
  const failures = Object.entries(result.failed);
  const refused = failures.filter(([what]) => /^\d+$/.test(what)).reduce((sum, [, count]) => sum + count, 0);
  tally.acknowledged += result.events;
  tally.refused += refused;
  // Each connection that was cut had one request under way.
  if (next !== server) tally.unanswered += connections;
  const memory = memoryMb(desk, next).total;
  tally.memory.push(memory);
  say(
    `round ${round + 1}: ${result.events} acknowledged (${result.per_second}/s), p99 ${result.p99_ms} ms, ` +
      `reads p95 ${Math.round(quantile(tally.readMs.slice(firstRead), 0.95))} ms, memory ${Math.round(memory)} MB` +
      `${refused > 0 ? `, ${refused} refused` : ''}${next === server ? '' : `, killed and back in ${Math.round(next.listeningMs)} ms`}`,
  );
  return next;
}

/** Somebody with an open dashboard who looks again every second. */
async function readUntil(desk: DeskFolder, server: Running, state: { over: boolean }, tally: Tally): Promise<void> {
  const question = (dimensions: string[]) => ({
    site_id: site,
    metrics: ['visitors', 'visits', 'pageviews'],
    date_range: 'day',
    dimensions,
  });
  while (!state.over) {
    const start = performance.now();
    try {
      await ask(desk, server, '/api/v2/query/batch', {
        queries: [question([]), question(['event:page']), question(['visit:source'])],
      });
      tally.readMs.push(performance.now() - start);
    } catch {
      if (!state.over) tally.readsFailed++;
    }
    await pause(1_000);
  }
}

/** Waits until everything is in the warehouse, then compares. @returns the exit code */
async function conclude(desk: DeskFolder, server: Running, tally: Tally): Promise<number> {
  for (;;) {
    const ready = (await (await fetch(`http://127.0.0.1:${server.port}/readyz`)).json()) as { spool_bytes: number };
    if (ready.spool_bytes === 0) break;
    await pause(500);
  }
  const answer = await ask<{ results: { metrics: number[] }[] }>(desk, server, '/api/v2/query', {
    site_id: site,
    metrics: ['pageviews'],
    date_range: ['2020-01-01', '2099-12-31'],
  });
  const stored = answer.results[0]?.metrics[0] ?? 0;
  const lost = Math.max(0, tally.acknowledged - stored);
  const doubled = Math.max(0, stored - tally.acknowledged - tally.unanswered);
  const settled = tally.memory.slice(Math.floor(tally.memory.length / 3));
  const grownMb = (settled.at(-1) ?? 0) - (settled[0] ?? 0);
  const hours = ((settled.length - 1) * roundSeconds) / 3_600;
  say('');
  say(`acknowledged ${tally.acknowledged}, stored ${stored}, unanswered at most ${tally.unanswered}`);
  say(`lost ${lost}, stored twice ${doubled}, refused ${tally.refused}`);
  say(
    `reads ${tally.readMs.length}, failed ${tally.readsFailed}, p50 ${Math.round(quantile(tally.readMs, 0.5))} ms, p95 ${Math.round(quantile(tally.readMs, 0.95))} ms`,
  );
  say(
    `memory at the end ${Math.round(tally.memory.at(-1) ?? 0)} MB, grown by ${Math.round(grownMb)} MB after the first third${hours > 0 ? ` (${Math.round(grownMb / hours)} MB an hour)` : ''}`,
  );
  return lost + doubled === 0 ? 0 : 1;
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
