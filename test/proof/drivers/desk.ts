import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CannotProve } from '../kit.ts';
import { bareEnvironment } from './child.ts';
import { clockEnv } from './clock_travel.ts';

/** A real desk of the product tree that is proved, started through its command line, in a folder of its own. */
export interface ProvedDesk {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Standard output and standard error so far. */
  output(): string;
  /** Resolves when every acknowledged event is in the stores. */
  drained(): Promise<void>;
  /** Asks it to stop, and waits until it and its database have. */
  stop(): Promise<void>;
}

/** What lies where in the folder of a desk. */
export interface Home {
  readonly folder: string;
  readonly dataDir: string;
  /** Key file and salt file. */
  readonly keysDir: string;
  readonly saltFile: string;
}

export function homeIn(folder: string): Home {
  const keysDir = join(folder, 'keys');
  return { folder, dataDir: join(folder, 'data'), keysDir, saltFile: join(keysDir, 'visitor.salts') };
}

/** All folders in which the desk keeps something: for root the database lies outside of the data directory. */
export function storesOf({ dataDir }: Home): string[] {
  const note = join(dataDir, 'postgres', 'server');
  return existsSync(note) ? [dataDir, readFileSync(note, 'utf8').trim()] : [dataDir];
}

/** A start takes 2 s; on a machine that does twenty other things at once it takes minutes. */
const startSeconds = 240;
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/**
 * @param options.env settings beside those of the folder
 * @param options.at the time that the desk believes; the real time unless given
 * @param options.imports scripts that run in its process before it
 * @throws CannotProve when it does not start
 */
export async function startDesk(
  root: string,
  home: Home,
  options: { env?: Record<string, string>; at?: Date; imports?: readonly string[] } = {},
): Promise<ProvedDesk> {
  mkdirSync(home.folder, { recursive: true });
  const before = (options.imports ?? []).flatMap((script) => ['--import', script]);
  const child = spawn(process.execPath, [...quiet, ...before, cliOf(root), 'serve'], {
    cwd: home.folder,
    env: environmentOf(home, { ...options.env, ...(options.at === undefined ? {} : clockEnv(options.at)) }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve(void running.delete(child))));
  const port = await until(startSeconds, () => {
    if (child.exitCode !== null)
      throw new CannotProve(`The desk ended at its start: ${output.trim().split('\n').at(-1)}`);
    return Number(/"event":"listening","port":(\d+)/.exec(output)?.[1]) || undefined;
  }).catch(async (error) => {
    child.kill('SIGTERM');
    await ended;
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    pid: child.pid as number,
    output: () => output,
    drained: () =>
      until(startSeconds, async () => {
        const metrics = await (await fetch(`${url}/metrics`)).text();
        return /^fairlead_spool_lag_seconds 0$/m.test(metrics) ? true : undefined;
      }).then(() => undefined),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Waits for an answer of `look` that is not undefined. @throws CannotProve after so many seconds */
export async function until<T>(seconds: number, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const answer = await look();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new CannotProve(`It was not so within ${seconds} s.`);
}

export const password = 'a harbour of quiet rope';

/** `fairlead setup`. @returns the key of the command line, which may write events and change sites */
export async function setUp(root: string, home: Home, sites: readonly string[], more: string[] = []): Promise<string> {
  const said = await runCommand(root, home, {
    args: [
      ...['setup', '--email', 'owner@shop.example', '--organisation', 'Shop'],
      ...sites.flatMap((site) => ['--site', site]),
      ...more,
    ],
    input: password,
  });
  return (JSON.parse(said) as { api_key: string }).api_key;
}

/** Runs one command of the command line; its standard output. @throws CannotProve with what it said when it failed */
export function runCommand(
  root: string,
  home: Home,
  { args, input = '', env = {}, hear }: Run & { env?: Record<string, string> },
): Promise<string> {
  return runScript(cliOf(root), {
    args,
    input,
    env: environmentOf(home, env),
    ...(hear === undefined ? {} : { hear }),
  });
}

interface Run {
  args: string[];
  input?: string;
  /** Hears what was said on standard error. */
  hear?: (said: string) => void;
}

/** What the warehouse of a desk that is not running holds: the rows of each question, asked through the product's own door. */
export async function rowsOf(
  root: string,
  home: Home,
  ...questions: string[]
): Promise<Record<string, string | number>[][]> {
  const script = fileURLToPath(new URL('./warehouse_rows.ts', import.meta.url));
  const said = await runScript(script, { args: [root, home.dataDir, ...questions], env: environmentOf(home) });
  return JSON.parse(said);
}

function runScript(
  script: string,
  { args, input = '', env, hear }: Run & { env: Record<string, string> },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [...quiet, script, ...args],
      { env, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        hear?.(stderr);
        if (error === null) resolve(stdout);
        else reject(new CannotProve(`${args[0]} failed: ${stderr.trim().split('\n').at(-1) ?? error.message}`));
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

const quiet = ['--disable-warning=ExperimentalWarning'];

function cliOf(root: string): string {
  return join(root, 'src', 'app', 'cli.ts');
}

function environmentOf(home: Home, more: Record<string, string> = {}): Record<string, string> {
  return {
    ...bareEnvironment(),
    TMPDIR: process.env.TMPDIR ?? '/tmp',
    UV_THREADPOOL_SIZE: '16',
    PORT: '0',
    FAIRLEAD_DATA_DIR: home.dataDir,
    ...more,
  };
}
