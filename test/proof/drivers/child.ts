import { type ChildProcess, spawn } from 'node:child_process';

export interface Child {
  pid: number;
  /** Lines of standard output so far. */
  lines: string[];
  /** Settles when a line matches; fails when the process ends first or `seconds` pass. */
  says(pattern: RegExp, seconds?: number): Promise<string>;
  /** How it ended: an exit code or the name of a signal. */
  ended: Promise<number | NodeJS.Signals>;
  isOver(): boolean;
  /** What it wrote behind its last line break. */
  rest(): string;
  /** Its standard error so far, where that is not passed on. */
  errors(): string;
  write(text: string): void;
  endInput(): void;
  /** Sends the signal and does not wait. */
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** What a process needs of our environment: where programs are, and what Node has made of the sources before. */
export function bareEnvironment(): Record<string, string> {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };
}

/** Starts a script on this very runtime, with nothing of the environment but what is given and what it cannot do without. */
export function startChild(script: string, { args = [] as string[], env = {} as Record<string, string> } = {}): Child {
  return watchChild(
    spawn(process.execPath, [script, ...args], {
      env: { ...bareEnvironment(), ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
}

/** Reads a process line by line; its standard error too, if that is a pipe. */
export function watchChild(child: ChildProcess): Child {
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let rest = '';
  let errors = '';
  let isOver = false;
  const tell = () => {
    for (const watcher of [...watchers]) watcher();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() as string;
    lines.push(...parts);
    tell();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-1_000_000);
  });
  // 'close' and not 'exit': everything that the process wrote before its end has been read by then.
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      isOver = true;
      tell();
      resolve(signal ?? code ?? 0);
    });
  });
  child.stdin?.on('error', () => {});
  return {
    pid: child.pid as number,
    lines,
    ended,
    isOver: () => isOver,
    rest: () => rest,
    errors: () => errors,
    write: (text) => void child.stdin?.write(text),
    endInput: () => void child.stdin?.end(),
    signal: (signal) => void child.kill(signal),
    kill(signal = 'SIGKILL') {
      child.kill(signal);
      return ended;
    },
    says: (pattern, seconds = 30) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => settle(new Error(`It did not say ${pattern} within ${seconds} s.`)),
          seconds * 1000,
        );
        const look = () => {
          const line = lines.find((text) => pattern.test(text));
          if (line !== undefined) settle(line);
          else if (isOver) settle(new Error(`It ended without saying ${pattern}.`));
        };
        function settle(result: string | Error) {
          clearTimeout(timer);
          watchers.delete(look);
          if (typeof result === 'string') resolve(result);
          else reject(result);
        }
        watchers.add(look);
        look();
      }),
  };
}
