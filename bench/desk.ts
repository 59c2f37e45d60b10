import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import { openWarehouse } from '../src/platform/warehouse/index.ts';
import { seedEvents } from './seed.ts';

/**
 * A desk that is measured: the product as people run it, in processes of its own, over a data directory that was
 * filled once. Everything is done through the command line and HTTP; only the events are written straight into
 * the warehouse's tables, because sending ten million of them would take longer than all the rest.
 */
export interface DeskFolder {
  /** Holds `data/`, `keys/` and this record. */
  folder: string;
  events: number;
  organisationId: number;
  apiKey: string;
  sites: { id: number; domain: string }[];
  /** The day that is today for this desk, 'YYYY-MM-DD'. Its clock is set to `hour` of it. */
  today: string;
}

/** What is measured stands in Central Europe, so that local days and the ids' UTC days differ. */
export const timezone = 'Europe/Berlin';
export const owner = { email: 'bench@example.com', password: 'bench owner: a long password' };
export const mainSite = 'example.com';
export const smallSite = 'shop.example.net';
const dayMs = 86_400_000;
/** The desk's clock when it is started: late enough for today to hold two thirds of its events. */
const hour = 15;
const cli = new URL('../src/app/cli.ts', import.meta.url).pathname;
const recordFile = 'bench.json';

/** Local days that the overview is asked for; the last one is today. */
export const daysShown = 90;

export interface Running {
  port: number;
  process: ChildProcess;
  /** From the start of the process to the first answered request. */
  listeningMs: number;
  log: () => string;
  stop(): Promise<void>;
}

/** How scripts/run.cjs starts a desk. */
export const flags = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=32',
  '--incremental-marking-soft-trigger=70',
  '--incremental-marking-hard-trigger=85',
  ...(availableParallelism() <= 2 ? ['--v8-pool-size=1'] : []),
];

/** Environment of a desk: threads and allocation as scripts/run.cjs sets them. */
export function environment(desk: Pick<DeskFolder, 'folder' | 'today'>, port: number): NodeJS.ProcessEnv {
  const { FAIRLEAD_PUBLIC_URL: _, ...inherited } = process.env;
  return {
    ...inherited,
    UV_THREADPOOL_SIZE: process.env.UV_THREADPOOL_SIZE ?? '16',
    MALLOC_MMAP_THRESHOLD_: '262144',
    MALLOC_TRIM_THRESHOLD_: '262144',
    PORT: String(port),
    FAIRLEAD_DATA_DIR: join(desk.folder, 'data'),
    FAIRLEAD_TRUSTED_PROXIES: '1',
    FAIRLEAD_BACKUP_DIR: join(desk.folder, 'backups'),
    // One key asks everything here, as fast as it can.
    FAIRLEAD_KEY_RATE: '10000000',
    FAIRLEAD_CLOCK_OFFSET_MS: String(nowOf(desk) - Date.now()),
  };
}

/** The instant at which the desk's clock starts. */
export function nowOf(desk: Pick<DeskFolder, 'today'>): number {
  return Date.parse(`${desk.today}T00:00:00Z`) + hour * 3_600_000;
}

/** The desk of a folder; made, with owner, sites, goals and events, when it is not there. */
export async function prepareDesk(
  folder: string,
  options: { events: number; say: (line: string) => void },
): Promise<DeskFolder> {
  const record = join(folder, recordFile);
  if (existsSync(record)) {
    const known = JSON.parse(await readFile(record, 'utf8')) as DeskFolder;
    if (known.events !== options.events)
      throw new Error(`${folder} holds a desk of ${known.events} events: name another directory.`);
    return { ...known, folder };
  }
  await mkdir(folder, { recursive: true });
  const today = new Date().toISOString().slice(0, 10);
  options.say(`Setting up a desk in ${folder} …`);
  const made = await fairlead({ folder, today }, [
    ...['setup', '--email', owner.email, '--organisation', 'Bench', '--timezone', timezone],
    ...['--currency', 'EUR', '--site', mainSite, '--site', smallSite, '--site', 'bench.example'],
    ...['--goal', 'Signup', '--goal', 'purchase:EUR', '--goal', '/section-3/**'],
  ]);
  const { organisation_id, api_key, sites } = JSON.parse(made) as {
    organisation_id: number;
    api_key: string;
    sites: DeskFolder['sites'];
  };
  const said = { organisationId: organisation_id, apiKey: api_key, sites };
  const desk: DeskFolder = { folder, events: options.events, ...said, today };
  await fill(desk, options.say);
  await writeFile(record, `${JSON.stringify(desk, undefined, 2)}\n`);
  return desk;
}

/**
 * Runs one command of the desk and gives its standard output.
 * @param options.input standard input: the owner's password unless given
 * @param options.says is told what it says on standard error
 */
export function fairlead(
  desk: Pick<DeskFolder, 'folder' | 'today'>,
  args: string[],
  options: { input?: string; says?: (text: string) => void } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', cli, ...args], {
      env: environment(desk, 0),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: string[] = [];
    const complaint: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => complaint.push(text));
    child.stdin.end(options.input ?? `${owner.password}\n`);
    child.once('close', (code) => {
      options.says?.(complaint.join(''));
      if (code === 0) resolve(out.join(''));
      else reject(new Error(complaint.join('')));
    });
  });
}

/**
 * `events` over the last ninety days and today, half as many over the ninety days before, so that a comparison has
 * something to read, and a hundredth on a second site.
 */
async function fill(desk: DeskFolder, say: (line: string) => void) {
  if (desk.events === 0) return;
  const warehouse = await openWarehouse({
    config: { dataDir: join(desk.folder, 'data'), clickhouseUrl: undefined, clickhouseCluster: undefined },
    clock: systemClock,
    log: silentLog,
  });
  const today = Date.parse(desk.today);
  const recent = { days: daysShown + 1, until: isoDay(today + dayMs), before: nowOf(desk) };
  const earlier = { days: daysShown, until: isoDay(today - daysShown * dayMs), before: today };
  const siteId = (domain: string) => {
    const found = desk.sites.find((site) => site.domain === domain);
    if (found === undefined) throw new Error(`The desk has no site ${domain}.`);
    return found.id;
  };
  const onProgress = (events: number) => say(`  ${events} of ${desk.events} events`);
  const small = Math.max(900, Math.round(desk.events / 100));
  try {
    const main = { siteId: siteId(mainSite), hostname: mainSite };
    await seedEvents(warehouse, { ...main, ...recent, events: desk.events, onProgress });
    await seedEvents(warehouse, { ...main, ...earlier, events: Math.round(desk.events / 2), seed: 2 });
    await seedEvents(warehouse, {
      ...{ siteId: siteId(smallSite), hostname: smallSite, paths: 200 },
      ...{ ...recent, events: small, seed: 3 },
    });
  } finally {
    await warehouse.close();
  }
}

/**
 * Starts `fairlead serve` and waits for its first answer.
 * @param more variables beside those of every measured desk, and a port in place of a free one
 */
export async function startDesk(
  desk: DeskFolder,
  more: { env?: NodeJS.ProcessEnv; port?: number; flags?: readonly string[] } = {},
): Promise<Running> {
  const port = more.port ?? (await freePort());
  const began = performance.now();
  const child = spawn(process.execPath, [...flags, ...(more.flags ?? []), cli, 'serve'], {
    env: { ...environment(desk, port), ...more.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const log = () => said.join('');
  let code: number | null = null;
  child.once('exit', (status) => {
    code = status ?? -1;
  });
  for (;;) {
    if (code !== null) throw new Error(`The desk ended (${code}) before it listened:\n${log()}`);
    const answered = await fetch(`http://127.0.0.1:${port}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) break;
    await pause(5);
  }
  return {
    port,
    process: child,
    listeningMs: performance.now() - began,
    log,
    async stop() {
      if (code !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/**
 * Waits until the desk has nothing of its own to do: what was before its start is back, and its closed days are packed.
 * Five seconds in a row with less than a tenth of a processor; after three minutes it goes on as it is.
 */
export async function whenCalm(running: Running): Promise<void> {
  const usedMs = () => {
    const fields = readFileSync(`/proc/${running.process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };
  let calm = 0;
  for (let second = 0; second < 180 && calm < 5; second++) {
    const before = usedMs();
    await pause(1_000);
    const { ok } = await fetch(`http://127.0.0.1:${running.port}/readyz`);
    calm = ok && usedMs() - before < 100 ? calm + 1 : 0;
  }
}

/** Waits until every closed day of the desk is frozen: what a desk that has been running looks like. */
export async function whenFrozen(desk: DeskFolder, running: Running): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (performance.now() - began > 20 * 60_000) throw new Error('Closed days are not frozen after 20 minutes.');
    const days = await Promise.all(
      desk.sites.slice(0, 2).map(async ({ domain }) => {
        const answer = await ask<{ meta: { explain: { days: { frozen: number; live: number | null } } } }>(
          desk,
          running,
          '/api/v2/query',
          {
            ...{ site_id: domain, metrics: ['visitors'], date_range: lastDays(desk, 90), include: { explain: true } },
          },
        );
        return answer.meta.explain.days;
      }),
    );
    if (desk.events === 0 || days.every(({ frozen, live }) => frozen >= 89 && live !== null && live <= 3))
      return performance.now() - began;
    await pause(500);
  }
}

/** `count` local days that end today. */
export function lastDays(desk: Pick<DeskFolder, 'today'>, count: number, back = 0): [string, string] {
  const last = Date.parse(desk.today) - back * dayMs;
  return [isoDay(last - (count - 1) * dayMs), isoDay(last)];
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** POSTs a question with the desk's key. */
export async function ask<T>(desk: DeskFolder, running: Running, path: string, body: unknown): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${running.port}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${desk.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}

/** Where the desk's Postgres keeps its files: for root that is outside the data directory, and a note says where. */
export function postgresFolder(desk: Pick<DeskFolder, 'folder'>): string {
  const own = join(desk.folder, 'data', 'postgres');
  const note = join(own, 'server');
  return existsSync(note) ? readFileSync(note, 'utf8').trim() : own;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
