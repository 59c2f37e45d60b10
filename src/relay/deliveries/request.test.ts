import { createHmac } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stillClock, systemClock } from '../../platform/clock.ts';
import { openLog, silentLog } from '../../platform/log.ts';
import { openOutbound } from '../../platform/outbound/index.ts';
import { systemRandom } from '../../platform/random.ts';
import { destinationOf, destinations } from '../destinations/index.ts';
import { itemOf, now, order } from '../destinations/senders_fixture.ts';
import type { Account, Senders } from './parts.ts';
import { sendItems, settingsFor } from './request.ts';

/** Where each secret stands in a request as it arrives, by the reference; and nowhere else. */
const secret = 'whsec_c2VjcmV0LW9mLWEtdGVzdA==';
interface Seen {
  url: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}
const seen: Seen[] = [];
const lines: string[] = [];
let server: http.Server;
let senders: Senders;
let answer: { status: number; headers?: Record<string, string>; body: string };
beforeAll(async () => {
  server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    seen.push({ url: request.url ?? '', headers: request.headers, body });
    response.writeHead(answer.status, answer.headers ?? {}).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = openLog(systemClock, (line) => lines.push(line));
  const never = () => Promise.reject(new Error('no store is asked'));
  senders = {
    postgres: { system: never, tenant: never },
    vault: { open: never, prepare: never } as never,
    ...{ clock: stillClock(now), random: systemRandom, log: silentLog },
    outbound: openOutbound({
      ...{ config: { outboundAllow: ['127.0.0.1'] }, clock: systemClock, log, gate: async () => undefined },
    }),
    baseUrls: Object.fromEntries(destinations.map(({ id }) => [id, base])),
  };
});
afterAll(() => void server.close());

function accountOf(id: string, more: Partial<Account> = {}): Account {
  const destination = destinationOf(id);
  if (destination === undefined) throw new Error(id);
  return {
    ...{ organisationId: 1, destinationId: 1, destination, secret },
    settings: { ...destination.examples.settings },
    ...{ connection: undefined, testCode: undefined, isDryRun: false, ...more },
  };
}

const conversion = { ...order, custom: { client_id: '1.2' }, click_ids: { ...order.click_ids, gclid: 'Gc' } };
function send(account: Account) {
  const { destination } = account;
  const set = settingsFor(account, null);
  return sendItems(senders, account, [itemOf(destination, conversion, 'A-1001')], set);
}
async function arrived(account: Account): Promise<Seen> {
  seen.length = 0;
  answer = { status: 200, body: '{}' };
  await send(account);
  return seen[0] as Seen;
}

it.each(destinations.map(({ id }) => id))('%s gets its secret where it wants it, and nowhere else', async (id) => {
  const { url, headers, body } = await arrived(accountOf(id));
  const places: Record<string, string | null | undefined> = {
    bearer: headers.authorization,
    'access-token': headers['access-token'] as string | undefined,
    'x-pixel-token': headers['x-pixel-token'] as string | undefined,
    api_secret: new URL(url, 'http://x').searchParams.get('api_secret'),
    access_token: new URL(url, 'http://x').searchParams.get('access_token'),
  };
  const given = Object.entries(places).flatMap(([place, value]) => (value == null ? [] : [[place, value]]));
  const expected: Readonly<Record<string, [string, string][]>> = {
    tiktok: [['access-token', secret]],
    x: [['x-pixel-token', secret]],
    ga4: [['api_secret', secret]],
    snap: [['access_token', secret]],
    webhook: [],
  };
  const isOpen = destinationOf(id)?.credential.kind === 'none';
  expect(given).toEqual(expected[id] ?? (isOpen ? [] : [['bearer', `Bearer ${secret}`]]));
  if (isOpen) expect(url).not.toContain(secret);
  expect(body).not.toContain(secret);
  expect(body).not.toMatch(/alexz|8005550100/i);
});

it('a webhook is signed over the very bytes that arrive, by both secrets while one is replaced', async () => {
  const { headers, body } = await arrived(accountOf('webhook', { secret: `${secret} whsec_b2xkZXI=` }));
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const signed = ['secret-of-a-test', 'older'].map(
    (key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`,
  );
  expect(headers['webhook-signature']).toBe(signed.join(' '));
  expect(headers['webhook-timestamp']).toBe(String(now / 1_000));
});

it('trials are told as each platform wants it', async () => {
  const test = { testCode: 'TEST12345' };
  expect(JSON.parse((await arrived(accountOf('meta-capi', test))).body)).toMatchObject({
    test_event_code: 'TEST12345',
  });
  expect(JSON.parse((await arrived(accountOf('tiktok', test))).body)).toMatchObject({ test_event_code: 'TEST12345' });
  expect((await arrived(accountOf('pinterest', test))).url).toMatch(/\/events\?test=true$/);
  expect(JSON.parse((await arrived(accountOf('reddit', test))).body)).toMatchObject({ test_mode: true });
  const dry = { isDryRun: true };
  for (const id of ['google-data-manager', 'google-ads-upload'])
    expect(JSON.parse((await arrived(accountOf(id, dry))).body)).toMatchObject({ validateOnly: true });
  expect((await arrived(accountOf('ga4', dry))).url).toMatch(/^\/debug\/mp\/collect\?measurement_id=/);
});

it('a way that fails is tried again, one that is not allowed needs somebody, and one that is closed counts as none', async () => {
  const away = { ...senders, baseUrls: { 'meta-capi': 'http://127.0.0.1:1' } };
  const account = accountOf('meta-capi');
  const sendBy = (by: Senders) =>
    sendItems(by, account, [itemOf(account.destination, order, 'A-1')], settingsFor(account, null));
  expect((await sendBy(away)).verdict).toEqual({ class: 'retry', reason: 'connect_failed' });
  const shut = openOutbound({
    ...{
      config: { outboundAllow: [] },
      clock: systemClock,
      log: silentLog,
      gate: async () => 'not_registered' as const,
    },
  });
  expect((await sendBy({ ...senders, outbound: shut })).verdict).toEqual({ class: 'config', reason: 'not_registered' });
  await shut.close();
  expect(await sendBy({ ...senders, outbound: shut })).toMatchObject({ isUnsent: true });
});

it('what an account has used of its limit is read from Meta’s headers', async () => {
  seen.length = 0;
  const load = (percent: number) => JSON.stringify({ call_count: percent, total_cputime: 3, total_time: 5 });
  answer = {
    ...{ status: 200, body: JSON.stringify({ events_received: 1 }) },
    headers: { 'x-app-usage': load(12), 'x-business-use-case-usage': `{"1":[${load(81)}]}` },
  };
  expect(await send(accountOf('meta-capi'))).toMatchObject({ usage: 81, status: 200, answer: '{"events_received":1}' });
  expect(lines.join('')).not.toMatch(/whsec|127\.0\.0\.1/);
});
