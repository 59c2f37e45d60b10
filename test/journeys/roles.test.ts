import { copyFileSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type RunningServer, startServer } from '../../src/app/serve.ts';
import { type Config, readConfig } from '../../src/platform/config.ts';
import { type ClickHouseHttp, startClickHouseHttp } from '../fixtures/clickhouse_http.ts';
import { eraseStores, openTestPostgres, type TestPostgres } from '../stores.ts';

/** One desk as several processes: a collector, an app and a worker on one PostgreSQL and one ClickHouse. */
vi.setConfig({ testTimeout: 120_000 });
const folder = mkdtempSync(join(tmpdir(), 'fairlead-roles-'));
const running: RunningServer[] = [];
let database: TestPostgres;
let clickhouse: ClickHouseHttp;
let app: RunningServer;
let collector: RunningServer;
let cookies: string;

beforeAll(async () => {
  database = await openTestPostgres([]);
  clickhouse = await startClickHouseHttp();
});
afterAll(async () => {
  for (const server of running) await server.stop();
  await clickhouse.close();
  await database.close();
  await eraseStores({ directories: [] }, folder);
});

/** A process of a role, in folders of its own. */
function configOf(role: string, name = role): Config {
  const [own, server = own] = database.postgres.directories as [string, string?];
  const passwords = JSON.parse(readFileSync(join(own, 'credentials.json'), 'utf8')) as { owner: string; app: string };
  const socket = encodeURIComponent(join(server as string, 'socket'));
  return readConfig({
    FAIRLEAD_ROLE: role,
    FAIRLEAD_DATA_DIR: join(folder, name, 'data'),
    PORT: '0',
    DATABASE_URL: `postgres://fairlead_login:${passwords.app}@localhost/fairlead?host=${socket}`,
    DATABASE_MIGRATION_URL: `postgres://fairlead_owner:${passwords.owner}@localhost/fairlead?host=${socket}`,
    CLICKHOUSE_URL: clickhouse.url,
  });
}

async function start(role: string, name = role): Promise<RunningServer> {
  const config = configOf(role, name);
  const first = running[0];
  if (first !== undefined && name !== 'stranger') {
    mkdirSync(join(folder, name, 'keys'), { recursive: true, mode: 0o700 });
    copyFileSync(first.desk.house.config.keyFile, config.keyFile);
  }
  const server = await startServer(config);
  running.push(server);
  return server;
}

const at = (server: RunningServer, path: string) => `http://127.0.0.1:${server.http.address.port}${path}`;
const get = async (server: RunningServer, path: string) => {
  const answer = await fetch(at(server, path), { headers: { cookie: cookies ?? '' } });
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', text: await answer.text() };
};
const post = (server: RunningServer, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(at(server, path), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
      'accept-language': 'en',
      ...headers,
    },
    body: JSON.stringify(body),
  });

it('a role needs stores that several processes can share', () => {
  for (const role of ['collect', 'app', 'work'])
    expect(() => readConfig({ FAIRLEAD_ROLE: role })).toThrow(
      new RegExp(`"${role}" shares its stores with other processes.* Set DATABASE_URL and CLICKHOUSE_URL`),
    );
  expect(() => readConfig({ FAIRLEAD_ROLE: 'both' })).toThrow(/"both" is not a role. Write all, collect, app or work/);
});

it('the app answers people: the first run, the dashboard, no collection', async () => {
  app = await start('app');
  const code = app.address.split('#code=')[1] as string;
  const made = await post(app, '/api/set-up', {
    code,
    email: 'owner@shop.example',
    password: 'a harbour of quiet rope',
    organisation: 'Shop',
    site: { domain: 'shop.example', timezone: 'UTC', currency: 'EUR' },
  });
  expect(made.status).toBe(201);
  cookies = made.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  expect(app.fastPaths).not.toContain('/api/event');
  expect((await post(app, '/api/event', {})).status).toBe(404);
  expect((await get(app, '/js/fairlead.js')).status).toBe(404);
  expect((await get(app, '/api/session')).status).toBe(200);
  expect((await get(app, '/')).type).toMatch(/^text\/html/);
});

it('a process with another key file is refused before it takes anything', async () => {
  await expect(start('collect', 'stranger')).rejects.toThrow(
    /holds the key [0-9a-f]{16}, but the database was written under [0-9a-f]{16}.*copies of one key file/,
  );
});

it('the collector takes events and serves the tracker, and has neither pages nor sign-in', async () => {
  collector = await start('collect');
  expect(collector.address, 'no set-up code of its own').not.toContain('#');
  expect(collector.routes).toEqual([]);
  for (const path of ['/', '/setup', '/api/session', '/api/set-up', '/api/sites'])
    expect((await get(collector, path)).status, path).toBe(404);
  expect((await post(collector, '/api/sessions', { email: 'owner@shop.example', password: 'x' })).status).toBe(404);
  expect((await get(collector, '/js/fairlead.js')).type).toMatch(/^text\/javascript/);
});

it('what a collector has taken is seen at the app', async () => {
  for (const id of ['one', 'two']) {
    const taken = await post(collector, '/api/event', {
      n: 'pageview',
      u: `https://shop.example/${id}`,
      d: 'shop.example',
      id,
    });
    expect([taken.status, taken.headers.get('x-fairlead-dropped')]).toEqual([202, null]);
  }
  expect(await collector.desk.house.spool.drain(20_000)).toBe(true);
  expect(await visitorsAtTheApp()).toEqual([1, 2]);
});

it('two collectors have different salts, so a visitor who comes to both is two (PSE-02)', async () => {
  const second = await start('collect', 'second');
  const salt = (server: RunningServer) =>
    readFileSync(join(server.desk.house.config.keyFile, '..', 'visitor.salts'), 'utf8');
  expect(salt(second)).not.toBe(salt(collector));
  await post(second, '/api/event', { n: 'pageview', u: 'https://shop.example/three', d: 'shop.example', id: 'three' });
  expect(await second.desk.house.spool.drain(20_000)).toBe(true);
  expect(await visitorsAtTheApp()).toEqual([2, 3]);
});

it('a setting that is changed at the app reaches the collectors by themselves', async () => {
  const made = await post(
    app,
    '/api/sites',
    { domain: 'second.example', timezone: 'UTC', currency: 'EUR' },
    { cookie: cookies },
  );
  expect(made.status).toBe(201);
  const event = { n: 'pageview', u: 'https://second.example/', d: 'second.example' };
  let dropped: string | null = 'unknown';
  while (dropped !== null) {
    dropped = (await post(collector, '/api/event', event)).headers.get('x-fairlead-dropped');
    if (dropped !== null) await new Promise((resolve) => setTimeout(resolve, 500));
  }
});

it('the worker has health alone', async () => {
  const worker = await start('work');
  expect([worker.routes, worker.fastPaths.toSorted()]).toEqual([[], ['/healthz', '/metrics', '/readyz']]);
  expect((await get(worker, '/readyz')).status).toBe(200);
  expect((await get(worker, '/')).status).toBe(404);
});

async function visitorsAtTheApp(): Promise<number[]> {
  const answer = await post(
    app,
    '/api/v2/query',
    { site_id: 'shop.example', metrics: ['visitors', 'pageviews'], date_range: 'day' },
    { cookie: cookies },
  );
  return ((await answer.json()) as { results: { metrics: number[] }[] }).results[0]?.metrics ?? [];
}
