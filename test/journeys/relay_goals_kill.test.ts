import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { eraseStores } from '../stores.ts';

/** A desk is killed when the conversion of an event is on disk and its row is not; whoever got no answer sends again. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 240_000 });

const driver = join(import.meta.dirname, '../proof/drivers/relay_desk.ts');
let folder: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-goals-kill-'));
  await layPreparedDesk(join(folder, 'data'));
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await eraseStores({ directories: { cluster: join(folder, 'data/postgres') } as never }, folder).catch(() => {});
});

async function start(crashPoint?: string) {
  const plan = JSON.stringify({ folder, kinds: ['webhook'], goals: true });
  const running = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', driver, plan], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME },
      ...(crashPoint === undefined ? {} : { FAIRLEAD_CRASH_POINT: crashPoint }),
    },
  });
  child = running;
  const lines = createInterface({ input: running.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const { port } = JSON.parse((await lines.next()).value ?? '{}') as { port: number };
  return {
    running,
    async send(id: string): Promise<boolean> {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/api/event`, {
          method: 'POST',
          headers: {
            'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
            'accept-language': 'en',
          },
          body: JSON.stringify({ n: 'Sale', d: 'shop.example', u: 'https://shop.example/', id }),
        });
        await answer.text();
        return answer.status === 202 && !answer.headers.has('x-fairlead-dropped');
      } catch {
        return false;
      }
    },
    async sales() {
      running.stdin?.write('sales\n');
      return JSON.parse((await lines.next()).value ?? 'null') as {
        conversions: { id: string; doubles: number }[];
        events: number;
      };
    },
  };
}

it('has one conversion and one row of each event, through kills between the two (REL-10)', async () => {
  const ids = ['s-1', 's-2', 's-3', 's-4'];
  const answered: string[] = [];
  const first = await start('relay.goal:3');
  const ended = once(first.running, 'close');
  for (const id of ids.slice(0, 3)) if (await first.send(id)) answered.push(id);
  await ended;
  expect([first.running.signalCode, answered]).toEqual(['SIGKILL', ['s-1', 's-2']]);
  const second = await start();
  for (const id of ids) if (!answered.includes(id)) expect([id, await second.send(id)]).toEqual([id, true]);
  const { conversions, events } = await second.sales();
  expect(conversions.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
    ...[
      { id: 's-1', doubles: 0 },
      { id: 's-2', doubles: 0 },
    ],
    // It was on disk before the kill, and told again after it.
    ...[
      { id: 's-3', doubles: 1 },
      { id: 's-4', doubles: 0 },
    ],
  ]);
  expect(events).toBe(4);
  second.running.stdin?.end();
  await once(second.running, 'close');
});
