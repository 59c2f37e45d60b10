import http, { type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stillClock, systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { seededRandom } from '../random.ts';
import { openOutbound } from './outbound.ts';
import { openReports, type ReportsSettings } from './reports.ts';

/** A receiver of our own on loopback, which keeps what it gets. */
const received: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
let port = 0;
const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  received.push({ url: request.url ?? '', headers: request.headers, body });
  response.end('{}');
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());
beforeEach(() => void received.splice(0));

function open(config: Partial<ReportsSettings['config']> = {}) {
  const clock = stillClock(Date.UTC(2026, 4, 1, 12));
  const outbound = openOutbound({
    gate: async () => undefined,
    config: { outboundAllow: ['127.0.0.1'] },
    clock: systemClock,
    log: silentLog,
  });
  const reports = openReports({
    config: {
      sentryDsn: `http://publickey@127.0.0.1:${port}/base/42`,
      posthog: { key: 'phc_key', host: `http://127.0.0.1:${port}` },
      ...config,
    },
    ...{ clock, random: seededRandom('reports'), outbound, version: '1.2.3' },
  });
  return { reports, clock, outbound };
}

const canary = 'visitor@example.com 203.0.113.9 /private/path?token=hidden';
function failing(): Error {
  return Object.assign(new TypeError(`Cannot read ${canary}`), { code: 'E_CANARY', detail: canary });
}

describe('errors, to Sentry', () => {
  it('are an envelope with kind, code and places of the program, and none of what strangers sent', async () => {
    const { reports } = open();
    reports.error('http', failing());
    await reports.close();
    const [report] = received;
    expect(report?.url).toBe('/base/api/42/envelope/');
    expect(report?.headers).toMatchObject({
      'content-type': 'application/x-sentry-envelope',
      'x-sentry-auth': 'Sentry sentry_version=7, sentry_client=fairlead/1.2.3, sentry_key=publickey',
    });
    const [header, item, event] = (report?.body ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(header).toEqual({ event_id: event.event_id, sent_at: '2026-05-01T12:00:00.000Z' });
    expect(item).toEqual({ type: 'event' });
    expect(Object.keys(event).sort()).toEqual([
      'event_id',
      'exception',
      'level',
      'platform',
      'release',
      'tags',
      'timestamp',
    ]);
    expect(event).toMatchObject({ release: 'fairlead@1.2.3', tags: { where: 'http', code: 'E_CANARY' } });
    const [value] = event.exception.values;
    expect(Object.keys(value)).toEqual(['type', 'stacktrace']);
    expect(value.type).toBe('TypeError');
    // Vitest asks for a test file, and for no other, with a number behind its name.
    expect(value.stacktrace.frames.at(-1)).toMatchObject({
      filename: expect.stringMatching(/^src\/platform\/outbound\/reports\.test\.ts(\?vitest=\d+)?$/),
      ...{ function: 'failing', in_app: true },
    });
    expect(
      value.stacktrace.frames.every(({ filename }: { filename: string }) =>
        /^(src|node_modules)\/|^node:/.test(filename),
      ),
    ).toBe(true);
    expect(report?.body).not.toMatch(/visitor@|203\.0\.113|private|hidden/);
    expect(report?.body).not.toContain(process.cwd());
  });

  it.each([
    ['a thrown text', canary, 'string'],
    ['a name that is no word', Object.assign(new Error('x'), { name: canary }), 'Error'],
    ['a code that is no word', Object.assign(new Error('x'), { code: canary }), 'Error'],
    [
      'a stack with foreign places',
      Object.assign(new Error('x'), { stack: `Error\n at f (/home/${canary}.ts:1:1)` }),
      'Error',
    ],
  ])('%s is not quoted', async (_title, error, type) => {
    const { reports } = open();
    reports.error('http', error);
    await reports.close();
    expect(received.length).toBe(1);
    expect(received[0]?.body).toContain(`"type":"${type}"`);
    expect(received[0]?.body).not.toMatch(/visitor@|hidden/);
  });

  it('that repeat are sent once a minute, and not more than 20 different ones', async () => {
    const { reports, clock } = open();
    const same = failing();
    for (let i = 0; i < 5; i++) reports.error('http', same);
    await reports.close();
    expect(received.length).toBe(1);
    for (let i = 0; i < 40; i++) {
      reports.error(`place_${i}`, same);
      await reports.close();
    }
    expect(received.length).toBe(20);
    clock.travel(60_000);
    reports.error('http', same);
    await reports.close();
    expect(received.length).toBe(21);
  });

  it('need a whole DSN', () => {
    expect(() => open({ sentryDsn: 'https://sentry.example/42' })).toThrow(/FAIRLEAD_SENTRY_DSN has no key/);
    expect(() => open({ sentryDsn: 'https://key@sentry.example/' })).toThrow(/no project/);
  });
});

describe('product events, to PostHog', () => {
  it('carry the numbers of the list and no identifier (SHR-08)', async () => {
    const { reports } = open();
    reports.event('set_up_finished', { sites: 2, domain: canary } as never);
    await reports.close();
    expect(received[0]?.url).toBe('/i/v0/e/');
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      api_key: 'phc_key',
      event: 'set_up_finished',
      distinct_id: 'fairlead-server',
      properties: { $process_person_profile: false, $geoip_disable: true, $ip: '0.0.0.0', $lib: 'fairlead', sites: 2 },
      timestamp: '2026-05-01T12:00:00.000Z',
    });
  });

  it.each([canary, Number.NaN, undefined])('a number that is %s is a mistake of the caller, not quoted', (value) => {
    const { reports } = open();
    expect(() => reports.event('set_up_finished', { sites: value as number })).toThrow(
      /^The number sites of the event/,
    );
  });
});

it('nothing leaves unless it is set', async () => {
  const { reports, outbound } = open({ sentryDsn: undefined, posthog: undefined });
  reports.error('http', failing());
  reports.event('set_up_finished', { sites: 1 });
  await reports.close();
  expect(received).toEqual([]);
  expect(outbound.counts()).toEqual([]);
});

it('a receiver that is away costs nothing but the report', async () => {
  const { reports, outbound } = open({ posthog: { key: 'k', host: 'http://127.0.0.1:1' } });
  reports.event('set_up_finished', { sites: 1 });
  await reports.close();
  expect(outbound.counts()).toEqual([{ purpose: 'report.event', end: 'connect_failed', count: 1 }]);
});
