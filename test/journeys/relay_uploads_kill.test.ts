import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RelayUpload } from '../../contract/relay_uploads.ts';
import { isDeep } from '../depth.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { openCommandLine, type ServedDesk } from './cli.ts';

/** The desk is killed while it takes a file: after the next start each row is there once, without anybody's help. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });
const cli = openCommandLine();
let server: ServedDesk | undefined;
let key = '';
let base = '';
beforeAll(() => layPreparedDesk(cli.dataDir));
afterAll(async () => {
  await server?.stop('SIGKILL');
  await cli.close();
});

async function call(method: string, path: string, body?: object | Buffer) {
  const isRaw = Buffer.isBuffer(body);
  const answer = await fetch(`${server?.base}/api${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': isRaw ? 'application/octet-stream' : 'application/json',
    },
    ...(body === undefined ? {} : { body: isRaw ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}
async function until(id: number, isSo: (one: RelayUpload) => boolean, timeout = 120_000): Promise<RelayUpload> {
  return vi.waitFor(
    async () => {
      const found = (await call('GET', `${base}/${id}`)).body as RelayUpload;
      expect(isSo(found), JSON.stringify(found)).toBe(true);
      return found;
    },
    { timeout, interval: 25 },
  );
}
const count = 4_000;
/** Every second row has an order, every other one its words alone; each hundredth is wrong; each is of another person. */
function sales(from: number, rows = count): Buffer {
  const lines = Array.from({ length: rows }, (_, n) => {
    const at = from + n;
    const second = String(at % 60).padStart(2, '0');
    const minute = String(Math.floor(at / 60) % 60).padStart(2, '0');
    const value = at % 100 === 99 ? 'none' : `${at}.50`;
    return `${at % 2 === 0 ? `K-${at}` : ''},2026-10-01T09:${minute}:${second}Z,Sale,${value},EUR,p${at}@person.example`;
  });
  return Buffer.from(`order_id,event_time,event_name,value,currency,email\n${lines.join('\n')}\n`);
}
const noFiles = () =>
  vi.waitFor(() => expect(readdirSync(join(cli.dataDir, 'relay_uploads'))).toEqual([]), { timeout: 30_000 });
const dies = async (env?: Record<string, string>) => {
  await server?.stop('SIGKILL');
  server = await cli.serve(env);
};
/** Killed by a crash point. */
const hasDied = () =>
  vi.waitFor(() => expect(server?.process.signalCode).toBe('SIGKILL'), { timeout: 60_000, interval: 20 });
async function send(file: Buffer): Promise<number> {
  const { id } = (await call('POST', base, { name: 'sales.csv', size: file.length })).body as RelayUpload;
  await call('PUT', `${base}/${id}/parts/0`, file);
  return id;
}

/** Where it is killed: at any moment, with keys stored and no conversions, or with conversions of which nothing is noted. */
const places: [string, string | undefined][] = [
  ['at some moment', undefined],
  ['between the rows and the note that they are taken', 'relay.loaded:3'],
  ...(isDeep ? ([['between their keys and the rows', 'relay.adopted:3']] as [string, string][]) : []),
];

it.each(places)('a file that the desk was killed in, %s, is taken once', async (_where, point) => {
  if (server === undefined) {
    server = await cli.serve();
    const made = await cli.run(
      ['setup', '--email', 'owner@shop.example', '--organisation', 'Shop', '--site', 'shop.example'],
      { input: 'a harbour of quiet rope\n' },
    );
    expect(made.code, made.err).toBe(0);
    key = (JSON.parse(made.out) as { api_key: string }).api_key;
    const session = (await call('GET', '/sites')).body as { sites: { organisation_id: number }[] };
    const relay = `/organisations/${session.sites[0]?.organisation_id}/relay`;
    const source = (
      await call('POST', `${relay}/sources`, { name: 'Sales', kind: 'upload', preset: 'meta-offline-file' })
    ).body;
    base = `${relay}/sources/${(source as { source: { id: number } }).source.id}/uploads`;
  }
  const from = places.findIndex(([, one]) => one === point) * count;
  const file = sales(from);
  const id = await send(file);
  await call('POST', `${base}/${id}/check`, {});
  if (point === undefined) await dies();
  const checked = await until(id, ({ state }) => state === 'checked');
  const good = (count / 100) * 99;
  expect(checked.report).toMatchObject({ rows: count, fresh: good, known: 0, wrong: count / 100 });
  if (point !== undefined) await dies({ FAIRLEAD_CRASH_POINT: point });
  expect((await call('POST', `${base}/${id}/start`)).status).toBe(202);
  if (point === undefined) await until(id, ({ rows: { read } }) => read > 0);
  else await hasDied();
  await dies();
  const done = await until(id, ({ state }) => state === 'done');
  expect(done.rows).toEqual({ read: count, fresh: good, doubles: 0, wrong: count / 100, ignored: 0 });
  expect(done.problems).toEqual({ listed: count / 100, beyond: 0 });
  await vi.waitFor(() => expect(existsSync(join(cli.dataDir, 'relay_uploads', String(id)))).toBe(false), {
    timeout: 30_000,
  });
  // What is there is asked of the file itself: every row of it is known, and none is new.
  const again = await send(file);
  await call('POST', `${base}/${again}/check`, {});
  const seen = await until(again, ({ state }) => state === 'checked');
  expect(seen.report).toMatchObject({ fresh: 0, known: good, repeated: 0 });
  expect(
    (
      await fetch(`${server?.base}/api${base}/${again}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${key}` },
      })
    ).status,
  ).toBe(204);
  await noFiles();
});

it('a file whose last part came as the desk was killed is whole after the next start, and one that is taken in spite of more kills than are borne without getting on', async () => {
  const rows = 7_000;
  const file = sales(1_000_000, rows);
  await dies({ FAIRLEAD_CRASH_POINT: 'upload.whole' });
  const { id } = (await call('POST', base, { name: 'sales.csv', size: file.length })).body as RelayUpload;
  await expect(call('PUT', `${base}/${id}/parts/0`, file)).rejects.toThrow();
  await dies();
  // By itself: whoever sent it knows of nothing that is to be sent.
  await until(id, ({ state }) => state === 'uploaded', 20_000);
  await call('POST', `${base}/${id}/check`, {});
  await until(id, ({ state }) => state === 'checked');
  const kills = 6;
  // Each start gets a thousand rows on, and ends within the next thousand.
  const ended = () => dies({ FAIRLEAD_CRASH_POINT: 'relay.loaded:2' });
  await ended();
  await call('POST', `${base}/${id}/start`);
  for (let kill = 1; kill <= kills; kill++) {
    await hasDied();
    await (kill < kills ? ended() : dies());
  }
  const done = await until(id, ({ state }) => state !== 'running');
  const good = (rows / 100) * 99;
  expect(done).toMatchObject({ state: 'done', failure: null });
  expect(done.rows).toEqual({ read: rows, fresh: good, doubles: 0, wrong: rows / 100, ignored: 0 });
  await noFiles();
});
