import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type AcmeEmulator, type Mischief, openAcmeEmulator } from '../../../emulators/acme.ts';
import { findUndeclared } from '../../trust/classes/index.ts';
import { systemClock } from '../clock.ts';
import { type Config, readConfig } from '../config.ts';
import { openHttp } from '../http/server.ts';
import { openLog } from '../log.ts';
import { openOutbound } from '../outbound/index.ts';
import { systemRandom } from '../random.ts';
import { dayMs } from '../zone.ts';
import { acmeFiles, type CertificateKeeper, openCertificateKeeper } from './index.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Rig {
  emulator: AcmeEmulator;
  keeper: CertificateKeeper;
  port: number;
  httpPort: number;
  keys: string;
  lines: string[];
  said: string[];
  /** The desk's clock runs that much ahead from now on. */
  travel(ms: number): void;
  stop(): Promise<void>;
  /** The same desk again: the same folder, authority and clock. */
  restart(change?: Partial<Start>): Promise<Rig>;
}
interface Start {
  env: Record<string, string>;
  mischief: Partial<Mischief>;
  /** Names that lead to this desk. */
  names: string[];
  lookup: (name: string) => { address: string; family: number }[];
  /** Whether the test begins the keeper by itself. */
  waits: boolean;
  /** Where the desk's clock and the authority's begin, from now: the clients of these tests live in the present. */
  aheadMs: number;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function begin(start: Partial<Start> = {}): Promise<Rig> {
  const ahead = { ms: start.aheadMs ?? 0 };
  const emulator = await openAcmeEmulator({ aheadMs: ahead.ms, ...start.mischief });
  closers.push(() => emulator.close());
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-acme-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  return desk(start, { emulator, folder, ahead });
}

async function desk(
  start: Partial<Start>,
  kept: { emulator: AcmeEmulator; folder: string; ahead: { ms: number } },
): Promise<Rig> {
  const { emulator, folder, ahead } = kept;
  const httpPort = await freePort();
  const config = readConfig({
    FAIRLEAD_DATA_DIR: join(folder, 'data'),
    FAIRLEAD_ACME_DOMAINS: 'desk.test',
    FAIRLEAD_ACME_EMAIL: 'admin@desk.test',
    FAIRLEAD_ACME_DIRECTORY: emulator.url,
    FAIRLEAD_ACME_HTTP_PORT: String(httpPort),
    FAIRLEAD_OUTBOUND_ALLOW: new URL(emulator.url).host,
    PORT: '0',
    ...start.env,
  }) as Config & { acme: NonNullable<Config['acme']> };
  const lines: string[] = [];
  const said: string[] = [];
  const clock = { ...systemClock, now: () => systemClock.now() + ahead.ms };
  const log = openLog(clock, (line) => lines.push(line));
  const { lookup } = start;
  const outbound = openOutbound({
    gate: async () => undefined,
    config,
    clock,
    log,
    ...(lookup === undefined ? {} : { lookup: async (name) => lookup(name) }),
  });
  const keeper = openCertificateKeeper({
    config,
    outbound,
    clock,
    random: systemRandom,
    log,
    say: (line) => said.push(line),
    collection: ['/api/event', '/js/fairlead.js'],
  });
  const server = await openHttp({
    host: '127.0.0.1',
    port: 0,
    publicUrl: config.publicUrl,
    trustedProxies: 0,
    tls: keeper.tls,
    routes: [],
    fast: { '/ok': (_request, response) => void response.end('here') },
    files: undefined,
    authenticate: async () => undefined,
    clock,
    random: systemRandom,
    log,
  });
  const { port } = server.address;
  const names = start.names ?? ['desk.test'];
  emulator.set({ hosts: Object.fromEntries(names.map((name) => [name, { https: port, http: httpPort }])) });
  if (start.mischief?.hosts !== undefined) emulator.set({ hosts: start.mischief.hosts });
  let stopped = false;
  async function stop() {
    if (stopped) return;
    stopped = true;
    await keeper.stop();
    await outbound.close();
    await server.close(0);
  }
  closers.push(stop);
  if (start.waits !== true) await keeper.begin(server.renewTls);
  return {
    emulator,
    keeper,
    port,
    httpPort,
    keys: join(folder, 'keys'),
    lines,
    said,
    travel(ms) {
      ahead.ms += ms;
      emulator.set({ aheadMs: ahead.ms });
    },
    stop,
    async restart(change = {}) {
      await stop();
      return desk({ ...start, ...change }, kept);
    },
  };
}

/** A client that trusts the authority's root and nothing else. */
function tls(
  rig: Rig,
  name = 'desk.test',
  protocols: string[] | undefined = ['http/1.1'],
): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port: rig.port,
      servername: name,
      ca: rig.emulator.root,
      ...(protocols === undefined ? {} : { ALPNProtocols: protocols }),
    });
    closers.push(() => socket.destroy());
    socket.on('secureConnect', () => resolve(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
async function page(rig: Rig, name = 'desk.test'): Promise<string> {
  const socket = await tls(rig, name);
  if (typeof socket === 'string') return socket;
  socket.end(`GET /ok HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
  let text = '';
  for await (const part of socket) text += String(part);
  return (
    text
      .split('\r\n\r\n')[1]
      ?.split('\r\n')
      .find((line) => line === 'here') ?? text
  );
}
function plain(
  rig: Rig,
  path: string,
  { host = 'desk.test', method = 'GET', authorization = '' } = {},
): Promise<{ status: number; location: string; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port: rig.httpPort,
        path,
        method,
        headers: { host, ...(authorization === '' ? {} : { authorization }) },
        agent: false,
      },
      async (answer) => {
        let text = '';
        for await (const part of answer) text += String(part);
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '', text });
      },
    );
    request.on('error', reject);
    request.end();
  });
}
async function serial(rig: Rig): Promise<string> {
  const socket = await tls(rig);
  if (typeof socket === 'string') throw new Error(socket);
  return socket.getPeerX509Certificate()?.serialNumber ?? '';
}
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

describe('a certificate is fetched and served', () => {
  it.each<[string, Partial<Start>, Record<string, number>]>([
    ['by the desk’s own port alone', { env: { FAIRLEAD_ACME_HTTP_PORT: '0' } }, { 'tls-alpn-01': 1 }],
    ['by port 80 when it is open', {}, { 'http-01': 1 }],
    ['by what the authority offers', { mischief: { challenges: ['dns-01', 'tls-alpn-01'] } }, { 'tls-alpn-01': 1 }],
    [
      'for several names',
      {
        env: { FAIRLEAD_ACME_DOMAINS: 'desk.test, stats.shop.test,bücher.test' },
        names: ['desk.test', 'stats.shop.test', 'xn--bcher-kva.test'],
      },
      { 'http-01': 3 },
    ],
    ['although nonces are refused now and then', { mischief: { badNonceEvery: 3 } }, { 'http-01': 1 }],
    ['although the authority takes its time', { mischief: { slowMs: 50, processing: 2 } }, { 'http-01': 1 }],
  ])('%s', async (_how, start, proofs) => {
    const rig = await begin(start);
    await rig.keeper.look();
    const names = (start.env?.FAIRLEAD_ACME_DOMAINS === undefined ? undefined : start.names) ?? ['desk.test'];
    for (const name of names) expect(await page(rig, name)).toBe('here');
    const socket = (await tls(rig)) as TLSSocket;
    expect(socket.getPeerX509Certificate()?.subjectAltName).toBe(names.map((name) => `DNS:${name}`).join(', '));
    expect(rig.emulator.seen).toMatchObject({ accounts: 1, orders: 1, certificates: 1, proofs });
    expect(rig.keeper.state()).toMatchObject({ failures: 0, certificate: { names } });
    expect(rig.keeper.state().failed).toBeUndefined();
  });
});

describe('until there is a certificate', () => {
  it('nothing is served under one that nobody vouches for, and the desk says what is missing', async () => {
    const rig = await begin({ names: [] });
    await rig.keeper.look();
    expect(await tls(rig)).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    // A client that names no protocol and believes anything: the connection ends before a byte of HTTP.
    const blind = connect({ host: '127.0.0.1', port: rig.port, servername: 'desk.test', rejectUnauthorized: false });
    blind.on('error', () => {});
    blind.write('GET /ok HTTP/1.1\r\nHost: desk.test\r\n\r\n');
    let heard = '';
    blind.on('data', (part) => {
      heard += String(part);
    });
    await new Promise((resolve) => blind.on('close', resolve));
    expect(heard).toBe('');
    expect(await plain(rig, '/')).toMatchObject({ status: 503 });
    expect(rig.keeper.state()).toMatchObject({ failures: 1, failed: { reason: 'dns' } });
    expect(rig.said.join('\n')).toMatch(
      /There is no certificate yet: until the first one comes, HTTPS connections are/,
    );
    expect(rig.said.join('\n')).toMatch(/finds no address for desk\.test: add an A or AAAA record/);
  });

  it('and port 80 cannot be had, the desk says so and proves its name on its own port', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    closers.push(() => taken.close());
    const { port } = taken.address() as { port: number };
    const rig = await begin({ env: { FAIRLEAD_ACME_HTTP_PORT: String(port) } });
    await rig.keeper.look();
    expect(await page(rig)).toBe('here');
    expect(rig.emulator.seen.proofs).toEqual({ 'tls-alpn-01': 1 });
    expect(rig.keeper.state().obstacles.join(' ')).toContain(`Port ${port} cannot be opened (EADDRINUSE)`);
  });

  it('a way of proof that does not reach the desk makes room for the other', async () => {
    const rig = await begin({ mischief: { hosts: {} }, waits: true });
    rig.emulator.set({ hosts: { 'desk.test': { https: rig.port } } });
    await rig.keeper.begin(() => {});
    await rig.keeper.look();
    expect(rig.keeper.state().failed).toMatchObject({ reason: 'connection' });
    expect(rig.keeper.state().failed?.sentence).toContain('cannot connect to desk.test on port 80');
    rig.travel(2 * 60_000);
    await rig.keeper.look();
    expect(rig.keeper.state()).toMatchObject({ failures: 0, certificate: { names: ['desk.test'] } });
    expect(rig.emulator.seen.proofs).toEqual({ 'http-01': 1, 'tls-alpn-01': 1 });
  });
});

describe('plain HTTP', () => {
  it.each([
    ['/reports?a=1', {}, 301, 'https://desk.test/reports?a=1'],
    ['/', { host: 'attacker.example' }, 301, 'https://desk.test/'],
    ['/', { host: 'www.desk.test:80' }, 301, 'https://www.desk.test/'],
    ['//attacker.example/', {}, 301, 'https://desk.test//attacker.example/'],
    ['http://attacker.example/', {}, 301, 'https://desk.test/'],
    ['/.well-known/acme-challenge/unknown', {}, 301, 'https://desk.test/.well-known/acme-challenge/unknown'],
  ])('%s %o is sent on with %i to %s', async (path, options, status, location) => {
    const env = { FAIRLEAD_ACME_DOMAINS: 'desk.test,www.desk.test', FAIRLEAD_PUBLIC_URL: 'https://desk.test' };
    const rig = await begin({ env, names: ['desk.test', 'www.desk.test'] });
    await rig.keeper.look();
    expect(await plain(rig, path, options)).toMatchObject({ status, location });
  });

  it('what no person opens (calls, events, the tracker, whatever carries a key) is refused in words and sent nowhere', async () => {
    const rig = await begin();
    await rig.keeper.look();
    for (const [path, options] of [
      ['/api/sessions', { method: 'POST' }],
      ['/api/sites?limit=1', {}],
      ['/reports', { method: 'POST' }],
      ['/reports', { authorization: 'Bearer fl_1_x' }],
      ['/api/event', { method: 'POST' }],
      ['/js/fairlead.js', {}],
      ['/api/event', { method: 'POST', authorization: 'Bearer fl_1_x' }],
    ] as const) {
      const refused = await plain(rig, path, options);
      expect(refused).toMatchObject({ status: 403, location: '', text: expect.stringContaining('over HTTPS only') });
    }
  });
});

describe('a certificate is kept', () => {
  it('over a restart, without asking the authority for anything', async () => {
    const rig = await begin();
    await rig.keeper.look();
    const before = await serial(rig);
    const asked = rig.emulator.seen.requests.length;
    const again = await rig.restart();
    await again.keeper.look();
    expect(await serial(again)).toBe(before);
    expect(again.emulator.seen.requests.length).toBe(asked);
  });

  it('in files that only this user reads, beside the key file, each with its class', async () => {
    const rig = await begin();
    await rig.keeper.look();
    const files = filesBelow(rig.keys);
    expect(files.map((file) => file.split('/').at(-1)).sort()).toEqual([
      'account.pem',
      'desk.test.certificate.pem',
      'state.json',
    ]);
    for (const file of files) expect(statSync(join(rig.keys, file)).mode & 0o777).toBe(0o600);
    expect(statSync(join(rig.keys, files[0] as string, '..')).mode & 0o777).toBe(0o700);
    expect(findUndeclared(files, acmeFiles)).toEqual([]);
    expect(filesBelow(join(rig.keys, '..')).filter((file) => !file.startsWith('keys/'))).toEqual([]);
  });

  it('until two thirds of its life, and is then replaced while the listener goes on', async () => {
    const rig = await begin({ aheadMs: -62 * dayMs });
    await rig.keeper.look();
    const first = await serial(rig);
    const { renewAt, until } = rig.keeper.state().certificate as { renewAt: number; until: number };
    expect((until - renewAt) / dayMs).toBeGreaterThan(29.9);
    expect((until - renewAt) / dayMs).toBeLessThan(33.1);
    rig.travel(56 * dayMs);
    await rig.keeper.look();
    expect(rig.emulator.seen.orders).toBe(1);
    rig.travel(5 * dayMs);
    await rig.keeper.look();
    expect(rig.emulator.seen.orders).toBe(2);
    expect(await serial(rig)).not.toBe(first);
    expect(await page(rig)).toBe('here');
  });

  it('while its renewal fails, which is said in the log, in figures and in the state', async () => {
    const rig = await begin({ aheadMs: -62 * dayMs });
    await rig.keeper.look();
    const first = await serial(rig);
    rig.travel(61 * dayMs);
    rig.emulator.set({ failNext: { newOrder: { status: 503, times: 2, plain: true } } });
    await rig.keeper.look();
    expect(await serial(rig)).toBe(first);
    expect(rig.keeper.state()).toMatchObject({ failures: 1, failed: { reason: 'serverInternal' } });
    const figures = Object.fromEntries(rig.keeper.gauges.map((gauge) => [gauge.name, gauge.read()]));
    expect(figures).toMatchObject({
      fairlead_acme_failures_in_a_row: 1,
      fairlead_acme_attempts_total: [
        { labels: { end: 'ok' }, value: 1 },
        { labels: { end: 'serverInternal' }, value: 1 },
      ],
    });
    expect(figures.fairlead_certificate_ends_timestamp_seconds).toBeGreaterThan(Date.now() / 1000);
    const line = rig.lines.find((one) => one.includes('acme.attempt_failed')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({
      level: 'warn',
      reason: 'serverInternal',
      failures: 1,
      has_certificate: true,
    });
    expect(rig.lines.join('')).not.toContain('desk.test');
    // Not before the pause is over, then with a longer one, then it works.
    const orders = () => rig.emulator.seen.requests.filter((one) => one === 'POST newOrder').length;
    expect(orders()).toBe(2);
    await rig.keeper.look();
    expect(orders()).toBe(2);
    rig.travel(76_000);
    await rig.keeper.look();
    expect(orders()).toBe(3);
    rig.travel(76_000);
    await rig.keeper.look();
    expect(orders()).toBe(3);
    rig.travel(5 * 76_000);
    await rig.keeper.look();
    expect(rig.keeper.state()).toMatchObject({ failures: 0 });
    expect(rig.keeper.state().failed).toBeUndefined();
    expect(await serial(rig)).not.toBe(first);
  });

  it('when a name is added that cannot be proved yet', async () => {
    const rig = await begin();
    await rig.keeper.look();
    const again = await rig.restart({ env: { FAIRLEAD_ACME_DOMAINS: 'new.test,desk.test' } });
    await again.keeper.look();
    expect(await page(again)).toBe('here');
    expect(again.keeper.state()).toMatchObject({
      failures: 1,
      failed: { reason: 'dns' },
      certificate: { names: ['desk.test'] },
    });
  });

  it('for a day at least, when the clock of this machine finds every certificate due', async () => {
    const rig = await begin({ mischief: { aheadMs: -80 * dayMs } });
    await rig.keeper.look();
    await rig.keeper.look();
    const again = await rig.restart();
    await again.keeper.look();
    expect(again.emulator.seen.orders).toBe(1);
  });

  it('and one that is damaged is fetched again', async () => {
    const rig = await begin();
    await rig.keeper.look();
    const file = filesBelow(rig.keys).find((one) => one.endsWith('certificate.pem')) as string;
    writeFileSync(join(rig.keys, file), readFileSync(join(rig.keys, file), 'utf8').slice(0, 300));
    const again = await rig.restart();
    await again.keeper.look();
    expect(await page(again)).toBe('here');
    expect(again.emulator.seen.orders).toBe(2);
  });
});

describe('an account', () => {
  it('that the authority has forgotten is made again with the same key', async () => {
    const rig = await begin({ aheadMs: -62 * dayMs });
    await rig.keeper.look();
    rig.emulator.set({ accounts: 'forget' });
    rig.travel(61 * dayMs);
    await rig.keeper.look();
    expect(rig.keeper.state().failures).toBe(0);
    expect(await page(rig)).toBe('here');
    expect(rig.emulator.seen).toMatchObject({ accounts: 2, orders: 2 });
    expect(filesBelow(rig.keys).filter((file) => file.includes('account'))).toHaveLength(1);
  });

  it('that the authority has closed is replaced by one with a new key, and the old key kept aside', async () => {
    const rig = await begin({ aheadMs: -62 * dayMs });
    await rig.keeper.look();
    rig.emulator.set({ accounts: 'deactivate' });
    rig.travel(61 * dayMs);
    await rig.keeper.look();
    expect(rig.keeper.state().failures).toBe(0);
    expect(await page(rig)).toBe('here');
    expect(rig.emulator.seen).toMatchObject({ accounts: 2, orders: 2 });
    expect(filesBelow(rig.keys).filter((file) => file.includes('account'))).toHaveLength(2);
    expect(findUndeclared(filesBelow(rig.keys), acmeFiles)).toEqual([]);
  });
});

describe('what goes wrong is a sentence with the next step, and no crash', () => {
  const rows: [what: string, start: Partial<Start>, reason: string, sentence: RegExp][] = [
    ['no address in DNS', { names: [] }, 'dns', /finds no address for desk\.test: add an A or AAAA record/],
    [
      'port 443 closed',
      { mischief: { hosts: { 'desk.test': {} }, challenges: ['tls-alpn-01'] } },
      'connection',
      /cannot connect to desk\.test on port 443: open it in the firewall and lead it to port 0/,
    ],
    ['a refusing CAA record', { mischief: { failProof: 'caa' } }, 'caa', /CAA record of desk\.test/],
    [
      'another program answers',
      { mischief: { failProof: 'unauthorized' } },
      'unauthorized',
      /Something other than this desk/,
    ],
    [
      'a name it never serves',
      { mischief: { rejected: ['desk.test'] } },
      'rejectedIdentifier',
      /no certificate for desk\.test: take it out/,
    ],
    ['too many orders', { mischief: { ordersMax: 0 } }, 'rateLimited', /asked too often/],
    [
      'an address it does not take',
      { env: { FAIRLEAD_ACME_EMAIL: 'a@invalid.test' } },
      'invalidContact',
      /FAIRLEAD_ACME_EMAIL: correct it/,
    ],
    [
      'accounts of its own making',
      { mischief: { directory: { meta: { externalAccountRequired: true } } } },
      'externalAccountRequired',
      /an account made on its own pages/,
    ],
    [
      'proofs that are not known here',
      { mischief: { challenges: ['dns-01'] } },
      'challenge_unsupported',
      /no way of proof/,
    ],
    ['a certificate for other names', { mischief: { wrong: 'names' } }, 'certificate_wrong', /does not fit/],
    ['a certificate for another key', { mischief: { wrong: 'key' } }, 'certificate_wrong', /does not fit/],
    [
      'nonces that never fit',
      { mischief: { badNonceEvery: 1 } },
      'badNonce',
      /did not understand the desk \(badNonce\)/,
    ],
    [
      'a proxy’s error page',
      { mischief: { failNext: { directory: { status: 502, times: 9, plain: true } } } },
      'serverInternal',
      /fault of its own/,
    ],
    [
      'a fault while finalizing',
      { mischief: { failNext: { finalize: { status: 500, times: 9 } } } },
      'serverInternal',
      /fault of its own.*Told to fail/,
    ],
    [
      'a directory that is none',
      { mischief: { directory: { newNonce: undefined } } },
      'answer_unreadable',
      /Is FAIRLEAD_ACME_DIRECTORY/,
    ],
    [
      'a directory that leads into the local network',
      { mischief: { directory: { newOrder: 'http://10.0.0.1/new-order' } } },
      'unreachable',
      /leads to a private address, which is refused/,
    ],
    [
      'an authority at a private address',
      { env: { FAIRLEAD_OUTBOUND_ALLOW: '' } },
      'unreachable',
      /name it in FAIRLEAD_OUTBOUND_ALLOW/,
    ],
    [
      'the usual authority, by a resolver that lies',
      {
        env: { FAIRLEAD_ACME_DIRECTORY: '' },
        lookup: (name) => (name === 'acme-v02.api.letsencrypt.org' ? [{ address: '127.0.0.1', family: 4 }] : []),
      },
      'unreachable',
      /^acme-v02\.api\.letsencrypt\.org leads to a private address, which is refused/,
    ],
    [
      'no DNS on this machine',
      { env: { FAIRLEAD_ACME_DIRECTORY: '' }, lookup: () => [] },
      'unreachable',
      /cannot be found: check/,
    ],
  ];
  it.each(rows)('%s', async (_what, start, reason, sentence) => {
    const rig = await begin(start);
    await rig.keeper.look();
    expect(rig.keeper.state()).toMatchObject({ failures: 1, failed: { reason } });
    expect(rig.keeper.state().failed?.sentence).toMatch(sentence);
    expect(rig.keeper.state().certificate).toBeUndefined();
    expect(rig.lines.join('')).not.toMatch(/desk\.test|admin@|invalid\.test/);
    expect(await tls(rig)).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  });

  it('a folder that cannot be written', async () => {
    const rig = await begin({ waits: true });
    writeFileSync(join(rig.keys, '..', 'keys'), 'a file where the folder should be');
    await rig.keeper.begin(() => {});
    await rig.keeper.look();
    expect(rig.keeper.state()).toMatchObject({ failures: 1, failed: { reason: 'not_stored' } });
    expect(rig.emulator.seen.requests).toEqual([]);
  });

  it('an authority that wants to be left alone is left alone, over a restart too', async () => {
    const rig = await begin({ aheadMs: -dayMs, mischief: { ordersMax: 0 } });
    await rig.keeper.look();
    rig.travel(50 * 60_000);
    const again = await rig.restart();
    await again.keeper.look();
    expect(again.keeper.state().failures).toBe(1);
    again.travel(11 * 60_000);
    again.emulator.set({ ordersMax: 9 });
    await again.keeper.look();
    expect(again.keeper.state().failures).toBe(0);
    expect(await page(again)).toBe('here');
  });

  it('a desk that is started again and again does not ask each time', async () => {
    let rig = await begin({ names: [] });
    await rig.keeper.look();
    for (const _start of [1, 2, 3]) {
      rig = await rig.restart();
      await rig.keeper.look();
    }
    expect(rig.emulator.seen.orders).toBe(1);
    rig.travel(16 * 60_000);
    rig = await rig.restart();
    await rig.keeper.look();
    expect(rig.emulator.seen.orders).toBe(2);
  });

  it('a stop does not wait for an authority that takes its time', async () => {
    const rig = await begin({ mischief: { processing: 1000 } });
    while (!rig.emulator.seen.requests.includes('POST finalize'))
      await new Promise((resolve) => setTimeout(resolve, 10));
    await rig.stop();
    expect(rig.emulator.seen).toMatchObject({ orders: 1, certificates: 0 });
    expect(rig.keeper.state().failures).toBe(0);
  });
});

it.each([
  ['a proof that is not under way', ['acme-tls/1'], /NO_APPLICATION_PROTOCOL/],
  ['a protocol that is not spoken', ['h2'], /NO_APPLICATION_PROTOCOL/],
])('%s is refused in the handshake', async (_what, protocols, code) => {
  const rig = await begin();
  await rig.keeper.look();
  expect(await tls(rig, 'desk.test', protocols)).toMatch(code);
  expect(typeof (await tls(rig, 'desk.test', undefined))).toBe('object');
});
