import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { watchProduct } from '../../src/app/product_events.ts';
import { type RunningServer, startServer } from '../../src/app/serve.ts';
import { stillClock } from '../../src/platform/clock.ts';
import { readConfig } from '../../src/platform/config.ts';
import { openReports } from '../../src/platform/outbound/index.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { eraseStores } from '../stores.ts';

/** Product events of a desk from its first start on, as a PostHog of our own receives them. */
const received: { event: string; properties: Record<string, unknown> }[] = [];
const shipped: Record<string, unknown>[] = [];
const keys = new Set<string | undefined>();
let asked = 0;
const hog = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  if (request.url !== '/logs') received.push(JSON.parse(body));
  // The collector is away at first.
  else if (++asked === 1) response.statusCode = 503;
  else {
    keys.add(request.headers.authorization);
    shipped.push(
      ...body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  }
  response.end('{}');
});
const folder = mkdtempSync(join(tmpdir(), 'fairlead-events-'));
let server: RunningServer;
let stopping: Promise<void> | undefined;
const stop = () => (stopping ??= server.stop());

beforeAll(async () => {
  await new Promise<void>((resolve) => hog.listen(0, '127.0.0.1', resolve));
  const { port } = hog.address() as AddressInfo;
  const config = readConfig({
    FAIRLEAD_DATA_DIR: join(folder, 'data'),
    PORT: '0',
    FAIRLEAD_POSTHOG_KEY: 'phc_test',
    FAIRLEAD_POSTHOG_HOST: `http://127.0.0.1:${port}`,
    FAIRLEAD_OUTBOUND_ALLOW: `127.0.0.1:${port}`,
    FAIRLEAD_LOG_URL: `http://127.0.0.1:${port}/logs`,
    FAIRLEAD_LOG_KEY: 'a key of the collector',
  });
  await layPreparedDesk(config.dataDir);
  server = await startServer(config);
});
afterAll(async () => {
  const { directories } = server.desk.house.postgres;
  await stop();
  hog.close();
  await eraseStores({ directories }, folder);
});

const post = (path: string, body: unknown) =>
  fetch(`http://127.0.0.1:${server.http.address.port}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
      'accept-language': 'en',
    },
    body: JSON.stringify(body),
  });
/** How often an event was told, a minute of the desk later. */
function aMinuteLater(event: string): number {
  look.travel(60_000);
  return told(event).length;
}
const look = stillClock(Date.now());
const told = (event: string) => received.filter((one) => one.event === event);

it('tells set-up, the first event and the end of a day, each once and in numbers alone', async () => {
  // The running server looks once a minute of its own; this one looks when its clock is moved.
  const { house } = server.desk;
  const reports = openReports({ ...house, version: 'test' });
  const stop = watchProduct({ house: { ...house, clock: look }, reports });
  look.travel(0);
  await expect.poll(() => told('server_started').length, { timeout: 20_000 }).toBe(1);

  const code = new URL(server.address).hash.replace('#code=', '');
  const made = await post('/api/set-up', {
    code,
    email: 'owner@shop.example',
    password: 'a harbour of quiet rope',
    organisation: 'Shop',
    site: { domain: 'shop.example', timezone: 'UTC', currency: 'EUR' },
  });
  expect(made.status).toBe(201);
  await expect.poll(() => aMinuteLater('set_up_finished'), { timeout: 20_000 }).toBe(1);

  await post('/api/event', [
    { n: 'pageview', u: 'https://shop.example/', d: 'shop.example' },
    { n: 'pageview', u: 'https://nobody.example/', d: 'nobody.example' },
  ]);
  const { spool, warehouse } = house;
  await expect
    .poll(
      async () => {
        await spool.drain(5_000);
        return (await warehouse.read('SELECT 1 FROM drops')).length;
      },
      {
        timeout: 20_000,
      },
    )
    .toBe(1);
  await expect.poll(() => aMinuteLater('first_event_received'), { timeout: 20_000 }).toBe(1);

  look.set(Math.ceil(look.now() / 86_400_000) * 86_400_000 + 1_000);
  await expect.poll(() => aMinuteLater('day_ended'), { timeout: 20_000 }).toBe(1);
  stop();
  await reports.close();

  expect(told('set_up_finished')[0]?.properties).toMatchObject({ sites: 1 });
  const seconds = told('first_event_received')[0]?.properties.seconds_after_set_up;
  expect(seconds).toBeGreaterThanOrEqual(0);
  expect(seconds).toBeLessThan(600);
  expect(told('day_ended')[0]?.properties).toMatchObject({
    organisations: 1,
    sites: 1,
    events_stored: 1,
    events_dropped: 1,
    rows_quarantined: 0,
    disk_bytes: expect.any(Number),
  });
  for (const kind of ['set_up_finished', 'first_event_received', 'day_ended']) expect(told(kind)).toHaveLength(1);
  expect(JSON.stringify(received)).not.toContain('shop');
});

it('each line of the log, of the access log and of the audit log goes to the collector, once, and names no visitor', async () => {
  await post('/api/sessions', { email: 'nobody@shop.example', password: 'a wrong password' });
  const of = (log: string, has: object) => shipped.filter((one) => one.log === log && matches(one, has));
  const matches = (one: object, has: object) =>
    Object.entries(has).every(([key, value]) => Reflect.get(one, key) === value);
  await expect
    .poll(() => of('access', { route: 'POST /api/sessions', status: 401 }).length, { timeout: 10_000 })
    .toBe(1);
  const [refused] = of('access', { route: 'POST /api/sessions', status: 401 });
  expect(of('audit', { action: 'session.refused', outcome: 'refused', request_id: refused?.request_id })).toHaveLength(
    1,
  );
  expect(of('audit', { action: 'organisation.created' })).toHaveLength(1);
  expect(of('desk', { event: 'listening' })).toHaveLength(1);
  expect(of('access', { route: 'POST /api/set-up' })).toEqual([expect.objectContaining({ address: '127.0.0.1' })]);
  expect([...keys]).toEqual(['Bearer a key of the collector']);
  for (const word of ['@shop.example', 'wrong password', 'quiet rope', '/api/event', 'Firefox'])
    expect(JSON.stringify(shipped)).not.toContain(word);
  const text = await (await fetch(`http://127.0.0.1:${server.http.address.port}/metrics`)).text();
  expect(text).toMatch(/^fairlead_shipped_log_lines_total\{end="dropped"\} 0$/m);
});

it('how outgoing requests ended is on /metrics', async () => {
  const answer = await fetch(`http://127.0.0.1:${server.http.address.port}/metrics`);
  const text = await answer.text();
  expect(text).toMatch(/^fairlead_outbound_requests_total\{purpose="report.event",end="ok"\} [1-9]/m);
  expect(text).toMatch(/^fairlead_order_ids_forgotten_total 0$/m);
});

it('an orderly stop sends the lines that wait for the collector', async () => {
  const { status, headers } = await post('/api/sessions', { email: 'late@shop.example', password: 'a wrong password' });
  const request_id = headers.get('x-request-id');
  expect([status, typeof request_id]).toEqual([401, 'string']);
  await stop();
  const late = shipped.filter((one) => Reflect.get(one, 'request_id') === request_id);
  expect(new Set(late.map(({ log }) => log))).toEqual(new Set(['access', 'audit']));
});
