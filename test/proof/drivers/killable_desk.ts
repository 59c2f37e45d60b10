import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EventRow } from '../../../src/analytics/event_row.ts';
import { readEventLine } from '../../../src/analytics/ingest/row.ts';
import { CannotProve } from '../kit.ts';
import { bareEnvironment, type Child, watchChild } from './child.ts';
import type { Faults } from './faulty_process.ts';

/** A whole desk as a user runs it, `serve` in a process of its own with its built-in stores, that can die and come back. */
export interface KillableDesk {
  readonly url: string;
  readonly dataDir: string;
  readonly apiKey: string;
  readonly sites: { readonly id: number; readonly domain: string }[];
  /** Starts a life of the desk and waits until it takes requests, unless told not to. */
  start(options?: StartOptions): Promise<Child>;
  /** Runs a further process on the same data directory. */
  startSecond(): Child;
  /** The life that was started last. */
  life(): Child;
  /** What all lives so far said went wrong: their lines of the level `error`. */
  errors(): string[];
  /** SIGKILL to Node, to Postgres with all its processes, or to both at the same moment. */
  kill(what: 'node' | 'postgres' | 'both'): Promise<void>;
  /** Asks it to stop and gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** What the embedded warehouse holds; only while no life runs. */
  rows<Answers extends Record<string, unknown[]>>(statements: { [name in keyof Answers]: string }): Promise<Answers>;
  /** Changes the embedded warehouse; only while no life runs. */
  alter(statement: string): Promise<void>;
  /** Rows that the warehouse refused for good. */
  quarantined(): Promise<{ reason: { code: string; column?: string }; row: EventRow }[]>;
  /** Changes what the disk and the clock below the desk do; settles when a running one takes it as true. */
  meet(faults: Omit<Faults, 'number'>): Promise<void>;
  /** Files that the faults struck, oldest first. */
  blows(): string[];
  /** The moment on the desk's wall clock. */
  now(): number;
  ask(path: string, body?: unknown): Promise<{ status: number; body: unknown; text: string }>;
  /** The folder of the built-in database server. */
  serverFolder(): string;
  /** The server's first process and its children; empty while it does not run. */
  postgresPids(): number[];
  /** To be done when the proof is over, however it ends. */
  onDispose(work: () => void): void;
  /** Ends everything that runs and removes what lies outside the folder. */
  dispose(): Promise<void>;
}

export interface StartOptions {
  crashPoint?: string;
  env?: Record<string, string>;
  /** Wait for the listener; false gives the child at once, which may end before it listens. */
  waits?: boolean;
}

const password = 'a harbour of quiet rope';
const faultyProcess = new URL('./faulty_process.ts', import.meta.url).href;
const rowsChild = fileURLToPath(new URL('./rows_child.ts', import.meta.url));
const startSeconds = 240;

/**
 * Makes a desk with an owner, a key and two sites, `shop.example` and `other.example`.
 * @param parts.clockAt the moment at which its wall clock stands now
 * @param parts.within puts words before each of its command lines, such as those of a small disk
 */
export async function openKillableDesk(parts: {
  root: string;
  folder: string;
  clockAt?: Date;
  env?: Record<string, string>;
  within?: (command: string[]) => string[];
  /** How a path looks from here, where the desk has a disk of its own. */
  seen?: (path: string) => string;
}): Promise<KillableDesk> {
  const { root, folder } = parts;
  const seen = parts.seen ?? ((path: string) => path);
  const dataDir = join(folder, 'data');
  const faultsFile = join(folder, 'faults.json');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let faults: Faults = { number: 0 };
  const env: Record<string, string> = {
    ...bareEnvironment(),
    HOME: process.env.HOME ?? '',
    UV_THREADPOOL_SIZE: '16',
    FAIRLEAD_DATA_DIR: dataDir,
    FAIRLEAD_TRUSTED_PROXIES: '1',
    PORT: String(port),
    PROOF_FAULTS: faultsFile,
    ...parts.env,
  };
  const endings: (() => void)[] = [];
  let life: Child | undefined;
  setFaults(parts.clockAt === undefined ? {} : { clockOffsetMs: parts.clockAt.getTime() - Date.now() });

  function setFaults(next: Omit<Faults, 'number'>) {
    faults = { clockOffsetMs: faults.clockOffsetMs ?? 0, ...next, number: faults.number + 1 };
    // Renamed into place: a running desk reads it all the time, and half of it would end that.
    writeFileSync(`${faultsFile}.new`, JSON.stringify(faults));
    renameSync(`${faultsFile}.new`, faultsFile);
  }

  function run(args: string[], options: StartOptions = {}): Child {
    const node = ['--disable-warning=ExperimentalWarning', '--import', faultyProcess, join(root, 'src/app/cli.ts')];
    const plain = [process.execPath, ...node, ...args];
    const [program = '', ...rest] = parts.within?.(plain) ?? plain;
    const crash = options.crashPoint === undefined ? {} : { FAIRLEAD_CRASH_POINT: options.crashPoint };
    return watchChild(
      spawn(program, rest, {
        cwd: folder,
        env: { ...env, ...crash, ...options.env },
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
  }

  const lives: Child[] = [];
  async function start(options: StartOptions = {}): Promise<Child> {
    const child = run(['serve'], options);
    life = child;
    lives.push(child);
    if (options.waits === false) return child;
    await child.says(/is running\.$/, startSeconds).catch((error: Error) => {
      throw new Error(`The desk did not start again: ${error.message} ${child.errors().slice(-2_000)}`);
    });
    return child;
  }

  /** For root the server lies elsewhere, and a note says where. */
  function serverFolder(): string {
    const own = join(dataDir, 'postgres');
    return existsSync(seen(join(own, 'server'))) ? readFileSync(seen(join(own, 'server')), 'utf8').trim() : own;
  }

  function postgresPids(): number[] {
    const file = seen(join(serverFolder(), 'cluster', 'postmaster.pid'));
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
    if (!(pid > 0) || !commandLine(pid).includes(serverFolder())) return [];
    return [pid, ...childrenOf(pid)];
  }

  async function look<Answers extends Record<string, unknown[]>>(statements: { [name in keyof Answers]: string }) {
    const plain = [process.execPath, '--disable-warning=ExperimentalWarning', rowsChild, root, dataDir];
    const [program = '', ...rest] = parts.within?.(plain) ?? plain;
    const child = watchChild(
      spawn(program, rest, {
        env: { ...bareEnvironment(), UV_THREADPOOL_SIZE: '16' },
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
    child.write(JSON.stringify(statements));
    child.endInput();
    if ((await child.ended) !== 0)
      throw new CannotProve(`The warehouse could not be read: ${child.errors().slice(-2_000)}`);
    return JSON.parse(child.rest()) as Answers;
  }

  /** A proof that ends before its time leaves nothing running. */
  const onExit = () => {
    life?.signal('SIGKILL');
    killAll(postgresPids());
  };
  process.once('exit', onExit);

  const made = run([
    'setup',
    ...['--email', 'owner@shop.example', '--organisation', 'Shop'],
    ...['--site', 'shop.example', '--site', 'other.example', '--goal', 'purchase:EUR'],
  ]);
  made.write(`${password}\n`);
  made.endInput();
  const code = await made.ended;
  if (code !== 0) throw new CannotProve(`The desk could not be set up (${code}): ${made.errors().slice(-2_000)}`);
  const setUp = JSON.parse(made.lines.at(-1) as string) as { api_key: string; sites: KillableDesk['sites'] };

  return {
    url,
    dataDir,
    apiKey: setUp.api_key,
    sites: setUp.sites,
    start,
    startSecond: () => run(['serve'], { env: { PORT: '0' } }),
    life: () => life as Child,
    errors: () => lives.flatMap((one) => one.errors().split('\n')).filter((line) => line.includes('"level":"error"')),
    async kill(what) {
      const pids = what === 'node' ? [] : postgresPids();
      if (what !== 'postgres') life?.signal('SIGKILL');
      killAll(pids);
      if (what !== 'postgres') await life?.ended;
    },
    stop(signal = 'SIGTERM') {
      life?.signal(signal);
      return (life as Child).ended;
    },
    rows: look,
    async alter(statement) {
      await look({ statement });
    },
    async quarantined() {
      const directory = seen(join(dataDir, 'quarantine', 'events'));
      if (!existsSync(directory)) return [];
      return readdirSync(directory).flatMap((file) => {
        const lines = readFileSync(join(directory, file), 'utf8').trim().split('\n');
        return Array.from({ length: lines.length >> 1 }, (_, at) => ({
          reason: JSON.parse(lines[at * 2] as string) as { code: string; column?: string },
          row: readEventLine(lines[at * 2 + 1] as string),
        }));
      });
    },
    async meet(next) {
      setFaults(next);
      if (life === undefined || life.isOver()) return;
      for (let waited = 0; waited < 30_000; waited += 5) {
        if (existsSync(`${faultsFile}.seen`) && readFileSync(`${faultsFile}.seen`, 'utf8') === String(faults.number))
          return;
        if (life.isOver())
          throw new CannotProve(`The desk ended when it was to meet faults: ${life.errors().slice(-500)}`);
        await pause(5);
      }
      throw new CannotProve('The running desk did not take the faults.');
    },
    blows: () =>
      existsSync(`${faultsFile}.blows`) ? readFileSync(`${faultsFile}.blows`, 'utf8').trim().split('\n') : [],
    now: () => Date.now() + (faults.clockOffsetMs ?? 0),
    ask: (path, body) => askOnce(`${url}${path}`, setUp.api_key, body),
    serverFolder,
    postgresPids,
    onDispose: (work) => void endings.push(work),
    async dispose() {
      for (const work of endings) work();
      process.off('exit', onExit);
      life?.signal('SIGKILL');
      await life?.ended;
      const server = serverFolder();
      killAll(postgresPids());
      for (let waited = 0; waited < 5_000 && postgresPids().length > 0; waited += 20) await pause(20);
      if (server !== join(dataDir, 'postgres')) rmSync(seen(server), { recursive: true, force: true });
    },
  };
}

/** One request on a connection of its own: what comes back is said of this moment. */
function askOnce(url: string, key: string, body: unknown): Promise<{ status: number; body: unknown; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      url,
      {
        method: body === undefined ? 'GET' : 'POST',
        agent: false,
        headers: { authorization: `Bearer ${key}` },
        timeout: 60_000,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, body: readJson(text) }));
      },
    );
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error(`No answer from ${url} within a minute.`)));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself in between.
    }
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Processes whose parent this is. */
function childrenOf(pid: number): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        const stat = readFileSync(`/proc/${child}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    });
}
