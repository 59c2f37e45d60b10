import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { openOutbound } from '../../src/platform/outbound/index.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { type FolderSink, folderSink } from '../../src/platform/spool/folder_sink.ts';
import { openSpool, type Segment, type Spool } from '../../src/platform/spool/index.ts';
import { type DeadStore, deadStore } from './drivers/dead_store.ts';
import { tally } from './drivers/tally.ts';

let dir: string;
let folder: FolderSink;
let door: DeadStore;
let spool: Spool;
const server = http.createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  await folder.deliver({} as Segment, Buffer.concat(chunks), request.headers['x-token'] as string);
  response.end('stored');
});

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'fairlead-dead-'));
  folder = folderSink(join(dir, 'store'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  door = await deadStore(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const outbound = openOutbound({
    gate: async () => undefined,
    config: { outboundAllow: ['127.0.0.1'] },
    clock: systemClock,
    log: silentLog,
  });
  spool = await openSpool({
    ...{ dir, lanes: ['events'], clock: systemClock, random: systemRandom, log: silentLog },
    limits: { segmentMs: 5, sinkRetryMsFirst: 5, sinkRetryMsMax: 20 },
  });
  spool.startLoading([
    {
      ...{ name: 'http', lane: 'events' },
      async deliver(_segment, body, token) {
        const answer = await outbound.send({
          ...{ method: 'POST', url: door.url, headers: { 'x-token': token }, body, purpose: 'proof', timeoutMs: 500 },
        });
        if ('failed' in answer || answer.status !== 200) throw new Error('Not now.');
      },
    },
  ]);
});
afterAll(async () => {
  await spool.close();
  await door.close();
  server.close();
  rmSync(dir, { recursive: true });
});

it('a store that goes, comes, dawdles and loses its answers: acknowledged all the while, stored once in the end', async () => {
  const days: [name: string, ...changes: (() => void)[]][] = [
    ['well'],
    ['away', () => door.away()],
    ['back, losing answers', () => door.back(), () => door.loseAnswers(7)],
    ['slow', () => door.slow(40)],
    ['away again', () => door.away()],
    ['well again', () => door.back(), () => door.slow(0)],
  ];
  const acknowledged: string[] = [];
  for (const [name, ...changes] of days) {
    for (const change of changes) change();
    for (let i = 0; i < 40; i++) {
      const row = JSON.stringify({ id: `${name} ${i}` });
      await spool.lane('events').append(row);
      acknowledged.push(row);
      if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 6));
    }
  }
  const end = performance.now() + 20_000;
  while (spool.segments() > 0 && performance.now() < end) await spool.drain(1_000);
  expect(tally(acknowledged, folder.rows())).toMatchObject({
    ...{ acknowledged: 240, stored: 240, lost: [], duplicated: [], unasked: 0 },
  });
  // The answers that were lost were asked for again under the same token.
  expect(folder.asked.length).toBeGreaterThan(new Set(folder.asked).size);
});
