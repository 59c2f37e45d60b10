/**
 * `npm run bench`: measures what docs/performance.md promises and prints it beside its targets.
 *
 *     npm run bench                          everything, with 1,000,000 events
 *     npm run bench -- 10000000              everything, with ten million
 *     npm run bench -- query 10000000        one part: tracker, start, ingest, query, dashboard, visible, sign-in, memory, disk, backup, audit, vault, retention, erasure
 *     npm run bench -- query 10000000 --data bench/.data/10m --rounds 60
 *
 * With --data the desk stays there and is used again; without, it is made in a temporary folder and removed.
 * Run it on a machine that does nothing else: server, stores and load generator share its processors.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { measureAudit } from './audit.ts';
import { measureBackup } from './backup.ts';
import { measureDashboard } from './dashboard.ts';
import {
  type DeskFolder,
  pause,
  postgresFolder,
  prepareDesk,
  type Running,
  startDesk,
  whenCalm,
  whenFrozen,
} from './desk.ts';
import { diskTable } from './disk.ts';
import { measureErasure } from './erasure.ts';
import { measureIngest } from './ingest.ts';
import { memoryMb } from './memory.ts';
import { percentile } from './percentile.ts';
import { measureQueries } from './query.ts';
import { measureRetention } from './retention.ts';
import { measureSignIn } from './sign_in.ts';
import { measureVault } from './vault.ts';
import { measureVisible } from './visible.ts';

const parts = [
  ...(['tracker', 'start', 'query', 'dashboard', 'visible'] as const),
  ...(['ingest', 'sign-in', 'memory', 'disk', 'backup', 'audit', 'vault', 'retention', 'erasure'] as const),
] as const;
type Part = (typeof parts)[number];

/** A line of the table. `holds` is left out where there is no target. */
interface Line {
  what: string;
  target: string;
  measured: string;
  holds?: boolean;
}

const { values: given, positionals } = parseArgs({
  options: {
    data: { type: 'string' },
    rounds: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '10' },
  },
  allowPositionals: true,
});
const asked = positionals.filter((word) => !/^\d+$/.test(word));
const unknown = asked.find((word) => !parts.some((part) => part === word));
if (unknown !== undefined) {
  console.error(`There is no part "${unknown}" of the bench. Name one of: ${parts.join(', ')}.`);
  process.exit(2);
}
const wanted = parts.filter((part) => asked.length === 0 || asked.includes(part));
const events = Number(positionals.find((word) => /^\d+$/.test(word)) ?? 1_000_000);
const rounds = Number(given.rounds);
const lines: Line[] = [];
const say = (line: string) => console.log(line);

const folder = given.data === undefined ? await mkdtemp(join(tmpdir(), 'fairlead-bench-')) : resolve(given.data);
try {
  await run();
  print();
} finally {
  if (given.data === undefined) {
    const data = join(folder, 'data');
    if (existsSync(data)) await rm(postgresFolder({ folder }), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}
process.exit(0);

async function run() {
  const has = (part: Part) => wanted.includes(part);
  if (has('tracker')) lines.push(tracker());
  // Trail, vault and nights are measured on databases of their own.
  if (has('audit')) lines.push(...(await measureAudit(say)));
  if (has('vault')) lines.push(...(await measureVault(say)));
  if (has('retention')) lines.push(...(await measureRetention(events, say)));
  if (wanted.every((part) => ['tracker', 'audit', 'vault', 'retention'].includes(part))) return;
  const desk = await prepareDesk(folder, { events, say });
  let running = await startDesk(desk);
  try {
    say('Waiting until every closed day is frozen …');
    const took = await whenFrozen(desk, running);
    if (took > 2_000) say(`  frozen after ${(took / 1000).toFixed(0)} s`);
    if (has('start')) running = await restarts(desk, running, `second start to listening, ${count(events)} events`);
    // Days that were closed a minute ago are packed meanwhile; a desk that has been running has them packed.
    if (has('query')) await whenCalm(running);
    if (has('query')) await queries(desk, running);
    if (has('dashboard')) await dashboard(desk, running);
    if (has('visible')) {
      const { median, worst, times } = await measureVisible(desk, running, 20);
      add('visible in the dashboard after the 202', 3, { median, worst, unit: 's', times });
    }
    if (has('ingest')) {
      lines.push(...(await measureIngest(desk, running, { seconds: Number(given.seconds), say })));
      if (has('start')) running = await restarts(desk, running, 'start to listening after that load', 1);
    }
    if (has('sign-in')) lines.push(...(await measureSignIn(desk, running, { seconds: Number(given.seconds), say })));
    if (has('memory')) await memory(desk, running);
    if (has('backup')) await backup(desk, running);
  } finally {
    await running.stop();
  }
  if (has('erasure')) lines.push(await erasure(desk));
  if (has('disk')) lines.push(...(await disk(desk)));
}

function tracker(): Line {
  const script = readFileSync(new URL('../sdk/dist/fairlead.js', import.meta.url));
  const bytes = brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  return { what: 'tracker, brotli', target: '2,000 bytes', measured: `${count(bytes)} bytes`, holds: bytes <= 2_000 };
}

/** Stops and starts the desk some times; the last one goes on running. */
async function restarts(desk: DeskFolder, before: Running, what: string, times = 3): Promise<Running> {
  let running = before;
  const took: number[] = [];
  for (let time = 0; time < times; time++) {
    await running.stop();
    running = await startDesk(desk);
    took.push(running.listeningMs / 1000);
  }
  took.sort((a, b) => a - b);
  add(`${what}, ${restored(running)} running visits brought back`, 3, {
    ...{ median: took[took.length >> 1] ?? 0, worst: took.at(-1) ?? 0, unit: 's', times },
  });
  return running;
}

/** How many visits the running desk found when it started, from its log. */
function restored(running: Running): string {
  return count(Number(/"event":"ingest.restored","visits":(\d+)/.exec(running.log())?.[1] ?? 0));
}

async function queries(desk: DeskFolder, running: Running) {
  say('Asking the questions of the dashboard …');
  for (const line of await measureQueries(desk, running, { rounds, say }))
    lines.push({
      what: `${line.question}, ${count(events)} events`,
      target: `p95 ${count(line.targetMs)} ms`,
      measured: `median ${line.medianMs.toFixed(0)}, p95 ${line.p95Ms.toFixed(0)}, worst ${line.worstMs.toFixed(0)} ms of ${line.times}; processor ${line.cpuMs.toFixed(0)} ms each`,
      holds: line.p95Ms <= line.targetMs,
    });
}

async function dashboard(desk: DeskFolder, running: Running) {
  say('Opening the dashboard in Chromium …');
  const { firstPaint, numbers, answered, filtered, news } = await measureDashboard(desk, running, rounds);
  const line = (what: string, targetMs: number, times: readonly number[]) => {
    const at = (share: number) => percentile(times, share);
    lines.push({
      what: `${what}, ${count(events)} events`,
      target: `p95 ${count(targetMs)} ms`,
      measured: `median ${at(0.5).toFixed(0)}, p95 ${at(0.95).toFixed(0)}, worst ${at(1).toFixed(0)} ms of ${times.length}`,
      holds: at(0.95) <= targetMs,
    });
  };
  line('first paint of a warm overview', 1_000, firstPaint);
  line('the same, to its numbers', 1_000, numbers);
  line('a click on a row, to the filter that it sets', 100, answered);
  line('the same, to the numbers of the filter', 1_200, filtered);
  line("from an event's 202 until an open overview shows it", 3_000, news);
}

async function memory(desk: DeskFolder, running: Running) {
  // A desk that was filled minutes ago packs its days meanwhile, and is not idle.
  say('Waiting until the desk has nothing of its own to do, and a minute for the idle memory …');
  await whenCalm(running);
  await pause(60_000);
  const { server, postgres, total } = memoryMb(desk, running);
  lines.push({
    what: 'memory idle, 60 s after the last request (PSS of all processes)',
    target: '512 MB',
    measured: `${total.toFixed(0)} MB (server with the warehouse ${server.toFixed(0)}, Postgres ${postgres.toFixed(0)})`,
    holds: total <= 512,
  });
}

async function backup(desk: DeskFolder, running: Running) {
  const { backupSeconds, restoreSeconds, megabytes, asked, unequal } = await measureBackup(desk, running, say);
  for (const question of unequal) say(`  not the same, or empty: ${question}`);
  const one = (what: string, seconds: number, most: number, more = '') =>
    lines.push({ what, target: `${most} s`, measured: `${seconds.toFixed(0)} s${more}`, holds: seconds <= most });
  one(
    `backup of the running desk, ${count(events)} events`,
    backupSeconds,
    180,
    ` (${count(Math.round(megabytes))} MB)`,
  );
  one('restore of it', restoreSeconds, 300);
  lines.push({
    ...{ what: 'questions that the restored desk answers otherwise', target: '0' },
    ...{ measured: `${unequal.length} of ${asked}`, holds: unequal.length === 0 },
  });
}

async function erasure(desk: DeskFolder): Promise<Line> {
  const { seconds, planted, left, state } = await measureErasure(desk, say);
  return {
    what: `erasing one person with ${count(planted)} events among ${count(events)}, until all stores were read again`,
    target: '60 s, nothing left',
    measured: `${seconds.toFixed(1)} s, ${state}, ${left} rows left`,
    holds: seconds <= 60 && state === 'done' && left === 0,
  };
}

async function disk(desk: DeskFolder): Promise<Line[]> {
  const { bytesPerEvent, rows, text } = await diskTable(desk);
  say(text);
  return [
    {
      what: `disk per event, ${count(rows)} events`,
      target: '60 bytes',
      measured: `${bytesPerEvent.toFixed(1)} bytes`,
      ...(events >= 10_000_000 ? { holds: bytesPerEvent <= 60 } : {}),
    },
  ];
}

function add(
  what: string,
  target: number,
  { median, worst, unit, times }: { median: number; worst: number; unit: string; times: number },
) {
  lines.push({
    what,
    target: `${target} ${unit}`,
    measured: `median ${median.toFixed(2)}, worst ${worst.toFixed(2)} ${unit} of ${times}`,
    holds: worst <= target,
  });
}

function print() {
  say('\n| what | target | measured | |\n|---|---|---|---|');
  for (const { what, target, measured, holds } of lines)
    say(`| ${what} | ${target} | ${measured} | ${holds === undefined ? '' : holds ? 'holds' : '**missed**'} |`);
  const [one] = loadavg();
  say(
    `\n${cpus().length} × ${cpus()[0]?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${process.version}; load of the machine at the end: ${one?.toFixed(1)}`,
  );
  say(`Command: npm run bench -- ${process.argv.slice(2).join(' ')}`);
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
