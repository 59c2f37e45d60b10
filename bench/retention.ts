import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { openWarehouse } from '../src/platform/warehouse/index.ts';
import { type DeskFolder, mainSite, postgresFolder, prepareDesk } from './desk.ts';
import { startScript } from './desk_of_script.ts';
import { latencyAt, together } from './latencies.ts';
import { type LoadResult, loadApart } from './load.ts';
import { seedEvents } from './seed.ts';

export interface RetentionLine {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  readonly holds: boolean;
}

const dayMs = 86_400_000;
/** Days that what is due spreads over: each is counted once more before its rows go. */
const days = 60;
const loadSeconds = 10;
const eventsPerSecond = 1_000;

/** One night over so many events that are all past their window, while others come in. On a desk of its own. */
export async function measureRetention(events: number, say: (line: string) => void): Promise<RetentionLine[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-bench-night-'));
  try {
    const desk = await prepareDesk(folder, { events: 0, say });
    await fillOld(desk, events, say);
    return await oneNight(desk, events, say);
  } finally {
    await rm(postgresFolder({ folder }), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

async function fillOld(desk: DeskFolder, events: number, say: (line: string) => void): Promise<void> {
  const warehouse = await openWarehouse({
    config: { dataDir: join(desk.folder, 'data'), clickhouseUrl: undefined, clickhouseCluster: undefined },
    clock: systemClock,
    log: silentLog,
  });
  const siteId = desk.sites.find(({ domain }) => domain === mainSite)?.id;
  if (siteId === undefined) throw new Error(`The desk has no site ${mainSite}.`);
  const until = new Date(Date.parse(desk.today) - 800 * dayMs).toISOString().slice(0, 10);
  try {
    await seedEvents(warehouse, {
      ...{ siteId, events, days, until },
      onProgress: (done) => say(`  ${done} of ${events} events`),
    });
  } finally {
    await warehouse.close();
  }
}

async function oneNight(desk: DeskFolder, events: number, say: (line: string) => void): Promise<RetentionLine[]> {
  const { port, tell, answer, stop } = await startScript(desk, 'retention_desk.ts');
  try {
    const load = (run: number) =>
      loadApart({
        ...{ port, connections: 64, seconds: loadSeconds, rate: eventsPerSecond, mode: 'visits', run },
        domain: 'bench.example',
      });
    say(`Sending ${eventsPerSecond} events a second, first to a desk at rest …`);
    await load(1);
    const before = await load(2);
    say('The night …');
    let night: Record<string, unknown> | undefined;
    tell('night');
    const ended = answer('seconds').then((said) => {
      night = said;
    });
    const during: LoadResult[] = [];
    for (let run = 3; night === undefined; run++) during.push(await load(run));
    await ended;
    const seconds = Number((night as Record<string, unknown>).seconds);
    const whole = latencyAt(together(during.map(({ latencies }) => latencies)), 0.99);
    const windows = during.map(({ p99_ms: ms }) => ms.toFixed(1));
    const worst = Math.max(...during.map(({ p99_ms: ms }) => ms));
    return [
      {
        what: `a night over ${events.toLocaleString('en-US')} events that are due, ${days} days of them`,
        ...{ target: '10 M within 300 s', measured: `${seconds.toFixed(1)} s`, holds: seconds <= 300 },
      },
      {
        what: `p99 of ${eventsPerSecond} single events/s, the whole night`,
        target: 'p99 50 ms',
        measured: `${whole.toFixed(1)} ms; worst ${loadSeconds} s ${worst.toFixed(1)}, each ${windows.join(' ')}; before the night ${before.p99_ms.toFixed(1)} ms`,
        holds: whole <= 50,
      },
    ];
  } finally {
    await stop();
  }
}
