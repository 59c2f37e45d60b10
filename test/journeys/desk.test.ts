import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../src/app/serve.ts';
import { onDesk } from '../../src/app/with_desk.ts';
import { readConfig } from '../../src/platform/config.ts';
import { eraseStores } from '../stores.ts';

/** A whole desk in a folder of its own: every store, the listener, the control socket. */
const folder = mkdtempSync(join(tmpdir(), 'fairlead-desk-'));
const config = readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), PORT: '0' });
const input = {
  email: 'owner@shop.example',
  organisation: 'Shop',
  sites: ['shop.example'],
  password: 'a harbour of quiet rope',
};
let server: RunningServer;
let key: string;

beforeAll(async () => {
  // The first run without a server: the command opens the stores itself.
  const made = (await onDesk({ command: 'setup', body: JSON.stringify(input) }, config)) as { api_key: string };
  key = made.api_key;
  server = await startServer(config);
});
afterAll(async () => {
  const { directories } = server.desk.house.postgres;
  await server.stop();
  await eraseStores({ directories }, folder);
});

const base = () => `http://127.0.0.1:${server.http.address.port}`;
const ask = async (metrics: string[]) => {
  const response = await fetch(`${base()}/api/v2/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site_id: 'shop.example', metrics, date_range: 'day' }),
  });
  return ((await response.json()) as { results: { metrics: number[] }[] }).results[0]?.metrics;
};
const visit = (path: string, id: string) =>
  fetch(`${base()}/api/event`, {
    method: 'POST',
    headers: {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
      'accept-language': 'en',
    },
    body: JSON.stringify({ n: 'pageview', u: `https://shop.example${path}`, d: 'shop.example', id }),
  });

it('setup on the running server finds what setup without one made', async () => {
  const again = await onDesk({ command: 'setup', body: JSON.stringify(input) }, config);
  expect(again).toMatchObject({ api_key: null, sites: [{ domain: 'shop.example' }] });
});

it('an event that was acknowledged can be asked for, and goes on in the same visit after a restart', async () => {
  expect((await visit('/', 'one')).status).toBe(202);
  expect(await server.desk.house.spool.drain(10_000)).toBe(true);
  expect(await ask(['visitors', 'visits', 'pageviews'])).toEqual([1, 1, 1]);
  await server.stop();
  server = await startServer(config);
  await visit('/', 'one');
  await visit('/next', 'two');
  expect(await server.desk.house.spool.drain(10_000)).toBe(true);
  expect(await ask(['visitors', 'visits', 'pageviews'])).toEqual([1, 1, 2]);
});

it('each figure of /metrics has one name and one help line', async () => {
  const names = [...(await (await fetch(`${base()}/metrics`)).text()).matchAll(/^# HELP (\S+)/gm)].map(
    (line) => line[1],
  );
  expect(names).toContain('fairlead_spool_bytes');
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});
