import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
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

it('a file lies with the app that took it, and another app neither reads it nor gives it up', async () => {
  let second = await start('app', 'second app');
  const imports = '/api/sites/shop.example/imports';
  const exports = '/api/sites/shop.example/exports';
  const log = `192.0.2.1 - - [05/Jan/2026:10:00:00 +0000] "GET /page HTTP/1.1" 200 512 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"\n`;
  const made = await post(
    second,
    imports,
    { kind: 'access-log', name: 'access.log', size: log.length },
    { cookie: cookies },
  );
  const { id } = (await made.json()) as { id: number };
  const sent = await fetch(at(second, `${imports}/${id}/parts/0`), {
    method: 'PUT',
    headers: { cookie: cookies, 'content-type': 'application/octet-stream' },
    body: log,
  });
  expect([made.status, sent.status]).toEqual([201, 200]);

  // The app that has the file ends when it is to be read, and the other one looks round.
  await stop(second);
  const { postgres } = app.desk.house;
  await postgres.tenant(1, async (sql) => {
    await sql.run("UPDATE imports SET state = 'checking' WHERE id = $1", [id]);
    await sql.run(
      `INSERT INTO exports (organisation_id, site_id, format, state, timezone, first_day, last_day, created_at)
       VALUES (1, 1, 'parquet', 'waiting', 'UTC', '2026-01-05', '2026-01-05', now())`,
    );
  });
  await stop(app);
  const [importsOfFirst, exportsOfFirst] = ['imports', 'exports'].map((name) => join(folder, 'app', 'data', name));
  for (const dir of [importsOfFirst, exportsOfFirst] as string[]) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, '999'), 'nobody’s');
  }
  app = await start('app');
  await vi.waitFor(
    () => {
      for (const dir of [importsOfFirst, exportsOfFirst] as string[]) expect(existsSync(join(dir, '999'))).toBe(false);
    },
    { timeout: 30_000, interval: 50 },
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  const states = async (server: RunningServer, of: string) => {
    const list = JSON.parse((await get(server, of)).text) as Record<string, { id: number; state: string }[]>;
    return Object.values(list)[0]?.map(({ state }) => state);
  };
  expect([await states(app, imports), await states(app, exports)]).toEqual([['checking'], ['waiting']]);

  second = await start('app', 'second app');
  const reaches = (of: string, state: string) =>
    vi.waitFor(async () => expect((await states(second, of))?.[0]).toBe(state), { timeout: 30_000, interval: 100 });
  await reaches(imports, 'ready');
  expect((await post(second, `${imports}/${id}/start`, {}, { cookie: cookies })).status).toBe(202);
  await reaches(imports, 'done');

  const asked = await post(second, exports, { format: 'ndjson' }, { cookie: cookies });
  const { id: number } = (await asked.json()) as { id: number };
  await reaches(exports, 'done');
  const file = `${exports}/${number}/file`;
  expect((await get(second, file)).text).toContain('"url":"https://shop.example/page"');
  expect((await get(app, file)).status).toBe(404);
});

async function stop(server: RunningServer): Promise<void> {
  running.splice(running.indexOf(server), 1);
  await server.stop();
}

async function visitorsAtTheApp(): Promise<number[]> {
  const answer = await post(
    app,
    '/api/v2/query',
    { site_id: 'shop.example', metrics: ['visitors', 'pageviews'], date_range: 'day' },
    { cookie: cookies },
  );
  return ((await answer.json()) as { results: { metrics: number[] }[] }).results[0]?.metrics ?? [];
}
