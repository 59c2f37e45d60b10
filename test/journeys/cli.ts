import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eraseStores } from '../stores.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Ended {
  code: number | null;
  out: string;
  err: string;
}
export interface ServedDesk {
  base: string;
  process: ChildProcess;
  /** What it has said so far, both streams. */
  said(): string;
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** For journeys through the real command: a folder of its own, and everything that is run in it. */
export function openCommandLine(folder = mkdtempSync(join(tmpdir(), 'fairlead-cli-'))) {
  const dataDir = join(folder, 'data');
  const started = new Set<ChildProcess>();
  const environment = (more: Record<string, string>): NodeJS.ProcessEnv => ({
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(FAIRLEAD_|HOST$|PORT$|npm_)/.test(name))),
    FAIRLEAD_DATA_DIR: dataDir,
    PORT: '0',
    ...more,
  });

  function start(command: string[], env: Record<string, string> = {}): ChildProcess {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { cwd: root, env: environment(env), stdio: ['pipe', 'pipe', 'pipe'] });
    // A program that ends before it has read its input is not this test's failure.
    child.stdin?.on('error', () => undefined);
    started.add(child);
    child.once('exit', () => started.delete(child));
    return child;
  }

  async function ended(child: ChildProcess): Promise<Ended> {
    const texts = { out: '', err: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      texts.out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      texts.err += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...texts };
  }

  /** What the script runs in the end. The script itself comes first with `npm`, which takes a second more. */
  const plain = [process.execPath, '--disable-warning=ExperimentalWarning', 'src/app/cli.ts'];
  return {
    folder,
    dataDir,
    keyFile: join(folder, 'keys', 'fairlead.keys'),
    start: (args: string[], env?: Record<string, string>) => start([...plain, ...args], env),
    ended,
    /** Runs one command to its end. */
    run(args: string[], options: { input?: string; env?: Record<string, string>; npm?: boolean } = {}): Promise<Ended> {
      const child = start([...(options.npm ? ['npm', 'run', '-s', 'fairlead', '--'] : plain), ...args], options.env);
      child.stdin?.end(options.input ?? '');
      return ended(child);
    },
    /** Starts the server and waits until it says its address. */
    async serve(env: Record<string, string> = {}): Promise<ServedDesk> {
      const child = start([...plain, 'serve'], env);
      const end = ended(child);
      let text = '';
      const base = await new Promise<string>((resolve, reject) => {
        const look = (part: string | Buffer) => {
          text += String(part);
          const found = /"event":"listening","port":(\d+)/.exec(text);
          if (found !== null && text.includes('is running.')) resolve(`http://127.0.0.1:${found[1]}`);
        };
        child.stdout?.on('data', look);
        child.stderr?.on('data', look);
        child.once('exit', (code) => reject(new Error(`The server ended with ${code}: ${text}`)));
      });
      return {
        base,
        process: child,
        said: () => text,
        stop(signal = 'SIGTERM') {
          child.kill(signal);
          return end;
        },
      };
    },
    async close() {
      for (const child of started) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      const note = join(dataDir, 'postgres', 'server');
      const server = existsSync(note) ? [readFileSync(note, 'utf8').trim()] : [];
      for (const directory of server) stopPostgres(directory);
      await eraseStores({ directories: server }, folder);
      rmSync(folder, { recursive: true, force: true });
    },
    write: (name: string, text: string) => {
      const file = join(folder, name);
      appendFileSync(file, text);
      return file;
    },
  };
}

/** A server whose Fairlead was killed goes on; this one's files are about to go. */
function stopPostgres(directory: string): void {
  try {
    process.kill(Number(readFileSync(join(directory, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGQUIT');
  } catch {}
}
