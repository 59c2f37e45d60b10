import { type ChildProcess, spawn } from 'node:child_process';

export interface Child {
  pid: number;
  /** Lines of standard output so far. */
  lines: string[];
  /** Settles when a line matches; fails when the process ends first or `seconds` pass. */
  says(pattern: RegExp, seconds?: number): Promise<string>;
  /** How it ended: an exit code or the name of a signal. */
  ended: Promise<number | NodeJS.Signals>;
  write(text: string): void;
  /** Sends the signal and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Starts a script on this very runtime, with nothing of the environment but what is given and PATH. */
export function startChild(script: string, { args = [] as string[], env = {} as Record<string, string> } = {}): Child {
  const child: ChildProcess = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let rest = '';
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
    write: (text) => void child.stdin?.write(text),
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
