import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { eraseStores } from '../stores.ts';

/** A desk that takes conversions in is killed between two steps, again and again; what it answered for is there, once. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 240_000 });

const driver = join(import.meta.dirname, '../proof/drivers/relay_desk.ts');
let folder: string;
let desk: Desk | undefined;

interface Desk {
  child: ChildProcess;
  port: number;
  path: string;
  ask<Answer>(question: string): Promise<Answer>;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-relay-kill-'));
  await layPreparedDesk(join(folder, 'data'));
});
afterAll(async () => {
  desk?.child.kill('SIGKILL');
  await eraseStores({ directories: { cluster: join(folder, 'data/postgres') } as never }, folder).catch(() => {});
});

async function start(crashPoint?: string): Promise<Desk> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', driver, JSON.stringify({ folder, kinds: ['meta-capi', 'webhook'] })],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ...(crashPoint === undefined ? {} : { FAIRLEAD_CRASH_POINT: crashPoint }),
      },
    },
  );
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const first = JSON.parse((await lines.next()).value ?? '{}') as { port: number; path: string };
  return {
    ...{ child, ...first },
    async ask<Answer>(question: string) {
      child.stdin?.write(`${question}\n`);
      return JSON.parse((await lines.next()).value ?? 'null') as Answer;
    },
  };
}

/** @returns was it answered for? */
async function send({ port, path }: Desk, order: string): Promise<boolean> {
  const body = {
    ...{ event_name: 'purchase', order_id: order, occurred_at: new Date(Date.now() - 60_000).toISOString() },
    ...{ value: '5.00', currency: 'EUR', consent: { ad_user_data: 'granted', ad_personalization: 'granted' } },
    user: { email: `${order}@person.example` },
  };
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await answer.text();
    return answer.status === 202;
  } catch {
    return false;
  }
}

it('keeps each conversion that it answered for, once, through kills between any two of its steps (REL-10)', async () => {
  const answered = new Set<string>();
  const sent: string[] = [];
  const points = ['relay.adopted:1', 'relay.loaded:1', 'spool.sync:20', 'spool.confirm:2'];
  for (const [round, point] of [...points, undefined].entries()) {
    desk = await start(point);
    const running = desk;
    const ended = once(running.child, 'close');
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    const sender = async (at: number) => {
      for (let n = 0; n < (point === undefined ? 5 : 400) && !isOver; n++) {
        const order = `o-${round}-${at}-${n}`;
        sent.push(order);
        if (await send(running, order)) answered.add(order);
        // What was not answered for is sent once more by whoever sent it, as shops do.
        else if (!isOver) break;
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    };
    await Promise.all([0, 1, 2, 3].map(sender));
    if (point !== undefined) {
      await ended;
      expect(running.child.signalCode).toBe('SIGKILL');
      continue;
    }
    // Everything once more: what is there is told again, what is not comes now.
    for (const order of sent.filter((one) => one.startsWith('o-4'))) await send(running, order);
    const rows =
      await running.ask<{ order_id: string; doubles: number; deliveries: number; tellings: number }[]>('orders');
    const byOrder = new Map(rows.map((row) => [row.order_id, row]));
    expect(byOrder.size).toBe(rows.length);
    expect([...answered].filter((order) => !byOrder.has(order))).toEqual([]);
    expect(rows.filter(({ deliveries, doubles, tellings }) => deliveries !== 2 || tellings !== doubles + 1)).toEqual(
      [],
    );
    expect(rows.filter(({ order_id }) => !order_id.startsWith('o-4')).filter(({ doubles }) => doubles > 0)).toEqual([]);
    expect(rows.filter(({ order_id }) => !sent.includes(order_id))).toEqual([]);
    running.child.stdin?.end();
    await ended;
  }
  expect(answered.size).toBeGreaterThan(20);
});
