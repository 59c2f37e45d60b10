import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type DeskFolder, environment, flags, freePort } from './desk.ts';

/** A desk in a process of its own that is told what to do by lines, and answers by lines of JSON. */
export interface ScriptedDesk {
  port: number;
  tell(line: string): void;
  /** The next answer that has this key; lines of the log are none. @throws Error when the desk has ended */
  answer(key: string): Promise<Record<string, unknown>>;
  /** Ends it, and waits until it has. */
  stop(): Promise<void>;
}

/** @param script a file beside this one; it says `{ port }` once it listens */
export async function startScript(desk: DeskFolder, script: string): Promise<ScriptedDesk> {
  const port = await freePort();
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, script)], {
    env: environment(desk, port),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  async function answer(key: string) {
    for (;;) {
      const { value, done } = await answers.next();
      if (done === true) throw new Error('The desk ended.');
      const said = JSON.parse(value) as Record<string, unknown>;
      if (said[key] !== undefined && said.event === undefined) return said;
    }
  }
  async function stop() {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
  await answer('port');
  return { port, tell: (line) => void child.stdin.write(`${line}\n`), answer, stop };
}
