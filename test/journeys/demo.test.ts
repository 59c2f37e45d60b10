import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openScenario } from '../../src/demo/index.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { ConfigError } from '../../src/platform/config.ts';
import { readDemoConfig } from '../../src/platform/demo_config.ts';
import { openLog } from '../../src/platform/log.ts';
import { openOutbound } from '../../src/platform/outbound/index.ts';
import { openCommandLine } from './cli.ts';

/** The demo as people start it, with two days instead of ninety. */

const cli = openCommandLine();
const folder = join(cli.folder, 'demo');
const started = Date.now();
let demo: ReturnType<typeof cli.start>;
let end: ReturnType<typeof cli.ended>;
let said = '';
let base = '';
let way = '';
let cookies = '';
/** Events of today at the time of the first look. */
let eventsAtFirst = 0;

beforeAll(async () => {
  // A real desk's settings are there, and none of them may count.
  const real = {
    FAIRLEAD_DATA_DIR: cli.dataDir,
    FAIRLEAD_OUTBOUND_ALLOW: '127.0.0.1',
    DATABASE_URL: 'postgres://real.example/desk',
  };
  demo = cli.start(['demo', '--days', '2', '--port', '0', '--folder', folder], real);
  end = cli.ended(demo);
  await new Promise<void>((resolve, reject) => {
    demo.stdout?.on('data', (text) => {
      said += String(text);
      if (said.includes('Ctrl-C ends it')) resolve();
    });
    demo.once('exit', (code) => reject(new Error(`The demo ended with ${code}: ${said}`)));
  });
  way = /http:\/\/\S+\/demo\?code=\S+/.exec(said)?.[0] ?? '';
  base = new URL(way).origin;
  const answer = await fetch(way, { redirect: 'manual' });
  cookies = answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
  eventsAtFirst = await eventsOfToday();
}, 900_000);
afterAll(() => cli.close());

const ask = async (path: string, body?: object) => {
  const answer = await fetch(`${base}${path}`, {
    headers: { cookie: cookies, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await answer.json()) as { results: { dimensions: string[]; metrics: number[] }[] } & Record<string, unknown>;
};
const figures = async (site: string, metrics: string[], dimensions: string[] = [], range = '7d') =>
  (await ask('/api/v2/query', { site_id: site, metrics, dimensions, date_range: range })).results;
const eventsOfToday = async () => {
  const sites = await Promise.all(
    ['shop.example', 'notes.example', 'planner.example'].map((site) => figures(site, ['events'], [], 'day')),
  );
  return sites.reduce((sum, [total]) => sum + (total?.metrics[0] ?? 0), 0);
};

describe('a running demo', () => {
  it('signs in whoever has the printed address, and nobody else', async () => {
    expect((await fetch(way, { redirect: 'manual' })).status).toBe(303);
    expect((await fetch(`${base}/demo?code=AAAAAAAAAAAAAAAAAAAAAA`, { redirect: 'manual' })).status).toBe(403);
    expect((await fetch(`${base}/api/session`)).status).toBe(401);
    const session = (await ask('/api/session')) as unknown as { sites: { domain: string }[] };
    expect(session.sites.map(({ domain }) => domain).sort()).toEqual([
      'notes.example',
      'planner.example',
      'shop.example',
    ]);
  });

  it('takes the printed password too', async () => {
    const [, email, password] = /as (\S+) with the password (\S+)/.exec(said) ?? [];
    const answer = await fetch(`${base}/api/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    expect(answer.status).toBe(201);
  });

  it('marks every page, the sign-in too, before anything is asked', async () => {
    for (const path of ['/', '/sign-in', '/s/shop.example/analytics'])
      expect(await (await fetch(`${base}${path}`)).text()).toContain('<meta name="fairlead-demo"');
  });

  it('shows figures as a shop, a blog and a product have them', async () => {
    for (const site of ['shop.example', 'notes.example', 'planner.example']) {
      const [row] = await figures(site, ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration']);
      const [visitors = 0, visits = 0, pageviews = 0, bounceRate = 0, seconds = 0] = row?.metrics ?? [];
      expect(visitors).toBeGreaterThan(40);
      expect(visits).toBeGreaterThanOrEqual(visitors);
      expect(pageviews / visits).toBeGreaterThan(1.1);
      expect(pageviews / visits).toBeLessThan(6);
      expect(bounceRate).toBeGreaterThan(25);
      expect(bounceRate).toBeLessThan(85);
      expect(seconds).toBeGreaterThan(30);
      expect(seconds).toBeLessThan(900);
      const channels = (await figures(site, ['visitors'], ['visit:channel'])).map(({ dimensions }) => dimensions[0]);
      expect(channels).toEqual(expect.arrayContaining(['Direct', 'Organic Search', 'AI Assistants']));
      expect((await figures(site, ['visitors'], ['visit:country'])).length).toBeGreaterThan(5);
    }
    const [sales] = await figures('shop.example', ['total_revenue'], []);
    expect(JSON.stringify(sales)).toMatch(/[1-9]/);
  });

  it('has a shop that earns, and a blog that does not and drops who asks for privacy', async () => {
    expect(await ask('/api/sites/shop.example')).toMatchObject({ revenue: true, privacy_signals: 'ignore' });
    expect(await ask('/api/sites/notes.example')).toMatchObject({ revenue: false, privacy_signals: 'drop' });
  });

  it('has a relay each of whose pages shows life: connections, what was refused, what did not map, a file, a replay', async () => {
    const { organisations } = (await ask('/api/session')) as unknown as { organisations: { id: number }[] };
    const relay = (path: string) => ask(`/api/organisations/${organisations[0]?.id}${path}`) as Promise<unknown>;
    const { connections } = (await relay('/connections')) as {
      connections: { provider: string; state: string; expires_at: string | null }[];
    };
    expect(connections.map(({ provider, state }) => `${provider} ${state}`).sort()).toEqual(
      ['google', 'linkedin', 'meta'].map((provider) => `${provider} connected`),
    );
    const ends = connections.find(({ provider }) => provider === 'linkedin')?.expires_at ?? '';
    expect((Date.parse(ends) - started) / 86_400_000).toBeLessThan(14);
    const { destinations } = (await relay('/relay/destinations')) as {
      destinations: { kind: string; state: string; connection_id: number | null }[];
    };
    expect(destinations.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual(
      ['google-data-manager', 'linkedin', 'meta-capi', 'tiktok'].map((kind) => `${kind} active`),
    );
    expect(destinations.filter(({ connection_id: id }) => id !== null)).toHaveLength(3);
    // The last that is done, once all was sent.
    const notices = async () =>
      ((await ask('/api/notifications')) as unknown as { notifications: { sentence: string }[] }).notifications
        .map(({ sentence }) => sentence)
        .join('\n');
    await expect
      .poll(notices, { timeout: 60_000, interval: 250 })
      .toContain('6 requests that its mapping could not read');
    expect(await notices()).toContain('The connection Shop account (LinkedIn Ads) of Example Company ends in 12 days.');
    const { requests, doubles, all } = (await relay('/relay/overview')) as {
      requests: { unmapped: number; refused: number };
      doubles: number;
      all: { accepted: number; withheld: number; latency: { p50_ms: number }; dead_reasons: { reason: string }[] };
    };
    expect(requests).toMatchObject({ unmapped: 6, refused: 2 });
    expect(doubles).toBeGreaterThan(10);
    expect(all.accepted).toBeGreaterThan(500);
    expect(all.withheld).toBeGreaterThan(50);
    expect(all.dead_reasons.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['no_identifier', 'missing', 'too_old', '100/2804001']),
    );
    // A week that was sent at once, as it came: in seconds, and no days later.
    expect(all.latency.p50_ms).toBeLessThan(10_000);
    const { sources } = (await relay('/relay/sources')) as { sources: { id: number; kind: string }[] };
    const file = sources.find(({ kind }) => kind === 'upload')?.id;
    expect(await relay(`/relay/sources/${file}/uploads`)).toMatchObject({
      uploads: [{ state: 'done', rows: { read: 61, wrong: 5 }, problems: { listed: 5 } }],
    });
    const tiktok = (await relay('/relay/deliveries?state=accepted&order=D-800100')) as {
      deliveries: { replays: number; destination: { kind: string } }[];
    };
    expect(tiktok.deliveries).toContainEqual(
      expect.objectContaining({ replays: 1, destination: expect.objectContaining({ kind: 'tiktok' }) }),
    );
    expect(await relay('/relay/deletions')).toMatchObject({ deletions: [{ state: 'done', conversions: 1 }] });
  }, 90_000);

  it('has robots and spam, which the pipeline drops', () => {
    expect(said).toMatch(/[1-9]\d* were dropped with a reason/);
  });

  it('listens on this machine alone', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of outside) expect(await canConnect(address, Number(new URL(base).port))).toBe(false);
    expect(await canConnect('127.0.0.1', Number(new URL(base).port))).toBe(true);
  });

  it('says which settings of a real desk it passed over, and touched none of its files', () => {
    expect(said).toContain('FAIRLEAD_DATA_DIR is set and not used');
    expect(said).toContain('DATABASE_URL is set and not used');
    expect(existsSync(cli.dataDir)).toBe(false);
    expect(existsSync(cli.keyFile)).toBe(false);
  });

  it('refuses a second demo in the same folder', async () => {
    const second = await cli.run(['demo', '--days', '1', '--port', '0', '--folder', folder]);
    expect(second.code).toBe(2);
    expect(second.err).toMatch(/A demo \(process \d+\) is running/);
  });

  it.each(['0.0.0.0', '::', '192.168.1.7', 'desk.example'])('refuses to listen on %s', async (host) => {
    const refused = await cli.run(['demo', '--days', '1', '--folder', join(cli.folder, 'other')], {
      env: { HOST: host },
    });
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^HOST: /);
    expect(existsSync(join(cli.folder, 'other'))).toBe(false);
  });

  it('leaves a folder alone that no demo made', async () => {
    const mine = join(cli.folder, 'mine');
    mkdirSync(mine);
    writeFileSync(join(mine, 'letter.txt'), 'keep');
    const refused = await cli.run(['demo', '--days', '1', '--port', '0', '--folder', mine]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('was not made by a demo');
    expect(existsSync(join(mine, 'letter.txt'))).toBe(true);
  });

  // A visitor comes twice a minute at least to each of three sites: that none does for four minutes is no bad luck.
  it('has visitors who keep coming', async () => {
    await expect.poll(eventsOfToday, { timeout: 240_000, interval: 500 }).toBeGreaterThan(eventsAtFirst);
  }, 260_000);

  it('ends on a signal and leaves nothing behind', async () => {
    demo.kill('SIGINT');
    const { code, out } = await end;
    expect(code).toBe(0);
    expect(out).toContain('its data is removed');
    expect(existsSync(folder)).toBe(false);
  }, 240_000);
});

it('the door to the network is shut for every host, even an allowed one', async () => {
  const { config } = readDemoConfig({ folder }, { FAIRLEAD_OUTBOUND_ALLOW: '127.0.0.1' });
  const asked: string[] = [];
  const outbound = openOutbound({
    gate: async () => undefined,
    config: { ...config, outboundAllow: ['127.0.0.1', 'example.com'] },
    clock: systemClock,
    log: openLog(systemClock, () => {}),
    async lookup(name) {
      asked.push(name);
      return [{ address: '127.0.0.1', family: 4 }];
    },
  });
  for (const url of [
    'https://example.com/',
    'http://127.0.0.1/',
    'http://[::1]/',
    'https://www.google.com/',
    'not an address',
  ])
    expect(await outbound.send({ method: 'POST', url, body: 'x', purpose: 'test' })).toEqual({ failed: 'cut_off' });
  expect(asked).toEqual([]);
});

it('reads nothing of a real desk', () => {
  const { config, unused } = readDemoConfig(
    { folder: '/somewhere/demo' },
    {
      FAIRLEAD_DATA_DIR: '/real/data',
      FAIRLEAD_KEY_FILE: '/real/keys',
      CLICKHOUSE_URL: 'http://real.example',
      FAIRLEAD_SENTRY_DSN: 'https://a@real.example/1',
    },
  );
  expect(JSON.stringify(config)).not.toContain('real');
  expect(unused).toHaveLength(4);
  expect(() => readDemoConfig({ folder }, { HOST: '10.0.0.1' })).toThrow(ConfigError);
});

it('the same seed and hour make the same requests, another seed makes others', () => {
  const hour = Math.floor(started / 3_600_000) * 3_600_000 - 26 * 3_600_000;
  const make = (seed: string) => {
    const scenario = openScenario({ seed, nowMs: started });
    return JSON.stringify(scenario.sites.map((site) => scenario.hour(site, hour)));
  };
  expect(make('one')).toBe(make('one'));
  expect(make('one')).not.toBe(make('two'));
});

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    for (const event of ['error', 'timeout']) socket.once(event, () => resolve(false));
  });
}
