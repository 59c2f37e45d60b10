import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { openOutside, type Secret, workWithAccounts } from './account_work.ts';
import { freePort } from './drivers/accounts_desk.ts';
import { type Home, homeIn, password, rowsOf, runCommand, setUp, startDesk, storesOf } from './drivers/desk.ts';
import { openTables } from './drivers/tables.ts';
import { openBrowser } from './drivers/test_browser.ts';
import { CannotProve, must, type ProofContext } from './kit.ts';
import { addressCanary, bytesCanary, type Canary, numberCanary, textCanary } from './scan/canaries.ts';
import { type Scan, scan } from './scan/scan.ts';

/**
 * A desk that 10,000 events came to, by every way that there is: stored, dropped, refused, malformed, by key, by
 * import, cut off. Every value that must not be kept was a canary. What is left of it afterwards is looked at by
 * several proofs, each for its own canaries.
 */
export interface UsedDesk {
  readonly home: Home;
  /** Data directory and database, as they were after the stop. */
  readonly stores: readonly string[];
  /** A copy of both from the middle of the work, with events in the spool. */
  readonly hotCopy: string;
  /** Everything that the desk said. */
  readonly log: string;
  /** Until there is a command for it, a backup is a cold copy: one archive of the data directory and the database. */
  readonly backup: string;
  /** Every row of every table of the warehouse, read through the engine: what no scan of files can read is in it. */
  readonly dump: string;
  /** The same of the database. */
  readonly postgresDump: string;
  /** What the desk gives out: its metrics, the audit log and the events as files. */
  readonly taken: string;
  readonly sent: number;
  readonly canaries: Planted;
  /** What people did with their accounts here (account_work.ts). */
  readonly accounts: { readonly secrets: readonly Secret[]; readonly hashes: readonly string[] };
}

interface Planted {
  /** By way: 16 IPv4 and 16 IPv6 addresses each. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** In every User-Agent. */
  readonly agent: string;
  /** In query strings, credentials and fragments of pages and referrers. */
  readonly queries: readonly { readonly where: string; readonly word: string }[];
  readonly mail: string;
  readonly phone: string;
  /** Of purchases on a site that keeps no revenue. */
  readonly order: string;
  /** In thousandths of the currency, as the engine keeps it. */
  readonly amount: bigint;
  readonly salt: Buffer;
  /** In places that are kept: the scan has to find these. */
  readonly kept: readonly string[];
}

const addressesPerWay = 16;
const ways = [
  ...['stored', 'unknown site', 'robot', 'spam', 'duplicate', 'engagement', 'privacy signal', 'shields', 'refused'],
  ...['malformed', 'debug', 'claims of a key', 'import', 'other headers', 'cut off', 'tracker', 'pages', 'accounts'],
] as const;
type Way = (typeof ways)[number];

const shop = 'shop.example';
const guarded = 'guarded.example';
const quiet = 'quiet.example';

export const useDesk = (context: ProofContext): Promise<UsedDesk> => context.share('used desk', use);

async function use(context: ProofContext): Promise<UsedDesk> {
  const { root, say } = context;
  const folder = await context.folder();
  const home = homeIn(join(folder, 'home'));
  const word = (prefix: string) => `${prefix}${randomBytes(6).toString('hex')}`;
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const outside = await openOutside(word, origin);
  const env = { FAIRLEAD_TRUSTED_PROXIES: '1', PORT: String(port), FAIRLEAD_PUBLIC_URL: origin, ...outside.env };
  let desk = await startDesk(root, home, { env });
  let log = '';
  try {
    const key = await setUp(root, home, [shop, guarded, quiet]);
    await call(desk.port, 'PATCH', `/api/sites/${shop}`, key, { revenue: false });
    await call(desk.port, 'PATCH', `/api/sites/${quiet}`, key, { privacy_signals: 'drop', revenue: true });
    await raiseShields(home).catch((error) => {
      throw new CannotProve(`The shields cannot be raised: ${error.message}`);
    });
    const planted = plant(home);
    const addressOf = (way: Way, n: number) =>
      (planted.addresses.get(way) as string[])[n % (2 * addressesPerWay)] ?? '';
    say('Sending 10,000 events by every way …');
    const send = sender(desk.port, planted.agent);
    let sent = 0;
    /** @param count how many, from all addresses of the way in turn */
    async function come(way: Way, count: number, visit: (n: number, from: string) => Promise<Answer>) {
      const workers = Array.from({ length: 32 }, async (_worker, first) => {
        for (let n = first; n < count; n += 32) {
          const answer = await visit(n, addressOf(way, n));
          if (answer.status >= 500) throw new CannotProve(`${way}: the desk answered ${answer.status}.`);
        }
      });
      await Promise.all(workers);
      sent += count;
    }
    const view = (n: number, domain = shop) => ({ n: 'pageview', u: `https://${domain}/page-${n % 50}`, d: domain });

    await come('stored', 5_000, (n, from) => send(from, storedEvent(planted, n)));
    await come('stored', 1, (_n, from) => send(from, purchase(quiet, planted.kept[2] ?? '', 7_250n)));
    await come('unknown site', 400, (n, from) => send(from, view(n, 'nobody.example')));
    await come('robot', 400, (n, from) => send(from, view(n), { 'user-agent': `Googlebot/2.1 ${planted.agent}` }));
    await come('spam', 400, (n, from) => send(from, { ...view(n), r: `https://4webmasters.org/${n}` }));
    await come('duplicate', 400, (n, from) => send(from, { ...view(n), id: `the same id ${n % 8}` }));
    await come('engagement', 400, (n, from) => send(from, { ...view(n), n: 'engagement', e: 100, sd: 40 }));
    const hotCopy = join(folder, 'hot');
    for (const store of storesOf(home)) copyLive(store, join(hotCopy, basename(dirname(store))));
    await come('privacy signal', 400, (n, from) => send(from, view(n, quiet), { 'sec-gpc': '1', dnt: '1' }));
    await come('shields', 600, (n, from) => send(from, { ...view(n, guarded), u: shieldedPage(n) }));
    await come('refused', 500, (n, from) => send(from, refusedEvent(n)));
    await come('malformed', 300, (n, from) => send(from, malformedBody(n, from)));
    await come('debug', 100, (n, from) => send(from, view(n), { 'x-debug-request': 'true' }));
    await come('other headers', 400, (n, from) => send('185.12.64.9', view(n), claims(from)));
    await come('tracker', 100, (_n, from) => get(desk.port, '/js/fairlead.js', from));
    await come('pages', 200, (n, from) => get(desk.port, ['/', '/nothing', '/api/v2/query'][n % 3] ?? '/', from));
    await come('cut off', 100, (n, from) => cutOff(desk.port, n, from));
    await come('claims of a key', 8, (n, from) =>
      call(desk.port, 'POST', '/api/event', key, batch(planted, n, from, addressOf)),
    );
    sent += 8 * 49;
    const file = join(folder, 'import.ndjson');
    const rows = Array.from({ length: 400 }, (_, n) => importedRow(planted, n, addressOf('import', n)));
    writeFileSync(file, rows.join('\n'));
    await runCommand(root, home, { args: ['import', 'events', file, '--site', shop] });
    sent += rows.length;

    say('Signing in, failing to, inviting, resetting …');
    const secrets = await workWithAccounts({
      ...{ origin, outside, word, site: shop, owner: { email: 'owner@shop.example', password } },
      addresses: planted.addresses.get('accounts') as string[],
      agent: `Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0 ${planted.agent}`,
      resetLink: async (email) => {
        const said = await runCommand(root, home, { args: ['people', 'reset', email] });
        return /https?:\S+/.exec(said)?.[0] ?? '';
      },
    });
    const taken = join(folder, 'taken');
    mkdirSync(taken);
    await takeAlong(origin, taken);
    await runCommand(root, home, { args: ['export', shop, '--out', join(taken, 'events'), '--format', 'ndjson'] });
    const database = await openTables(home);
    const stored = await database.dump();
    await database.close();
    const postgresDump = join(folder, 'postgres.json');
    writeFileSync(
      postgresDump,
      JSON.stringify([...stored], (_name, value) =>
        value?.type === 'Buffer' && Array.isArray(value.data) ? Buffer.from(value.data).toString('hex') : value,
      ),
    );
    const hashes = (stored.get('passwords') ?? []).map(({ hash }) => String(hash));

    await desk.drained();
    await desk.stop();
    // Started again, it reads back what was running: whatever that writes belongs to the picture.
    log += desk.output();
    desk = await startDesk(root, home, { env });
    const stores = storesOf(home);
    await desk.drained();
    await desk.stop();
    log += desk.output();
    const logFile = join(folder, 'desk.log');
    writeFileSync(logFile, log);
    const dump = join(folder, 'dump.json');
    writeFileSync(
      dump,
      JSON.stringify(await rowsOf(root, home, ...tables.map((table) => `SELECT * FROM ${table} LIMIT 10000`))),
    );
    const backup = join(folder, 'backup.tar');
    execFileSync('tar', ['-cf', backup, ...stores.flatMap((store) => ['-C', dirname(store), basename(store)])]);
    return {
      ...{ home, stores, hotCopy, log: logFile, backup, dump, postgresDump, taken, sent, canaries: planted },
      accounts: { secrets, hashes },
    };
  } finally {
    await desk.stop();
    await outside.close();
  }
}

/** What an owner and who watches the desk may take along, each as a file. */
async function takeAlong(origin: string, folder: string): Promise<void> {
  const owner = openBrowser(origin, { address: '192.0.2.9' });
  await owner.send('POST', '/api/sessions', { email: 'owner@shop.example', password });
  for (const [name, path] of [
    ['metrics', '/metrics'],
    ['audit.ndjson', '/api/organisations/1/audit/export?format=ndjson'],
    ['audit.csv', '/api/organisations/1/audit/export?format=csv'],
    ['desk-audit.csv', '/api/audit/export?format=csv'],
    ['sent-mail', '/api/mail/sent'],
  ] as const) {
    const { status, text } = await owner.send('GET', path);
    if (status !== 200 || text.length < 100) throw new CannotProve(`${path} answers ${status}: ${text.slice(0, 80)}`);
    writeFileSync(join(folder, name), text);
  }
}

const tables = ['events', 'visits', 'arrivals', 'drops', 'bot_events', 'daily'];

/** One look at everything that the desk has left, for all canaries at once. */
export const scanUsedDesk = (context: ProofContext): Promise<{ desk: UsedDesk; found: Scan }> =>
  context.share('scan of the used desk', async () => {
    const desk = await useDesk(context);
    const { canaries: planted } = desk;
    context.say('Scanning data directory, database, logs, spool and backup …');
    const canaries: Canary[] = [
      ...[...planted.addresses].flatMap(([way, addresses]) => addresses.map((address) => addressCanary(address, way))),
      textCanary('User-Agent', planted.agent),
      ...planted.queries.map(({ where, word }) => textCanary(where, word, 'query')),
      textCanary('mail address', planted.mail),
      textCanary('phone number', planted.phone),
      textCanary('order id', planted.order, 'revenue'),
      textCanary('amount', amountText(planted.amount), 'revenue'),
      numberCanary('stored amount', planted.amount, 'revenue'),
      bytesCanary('salt', planted.salt),
      ...planted.kept.map((word) => textCanary(word, word, 'kept')),
      ...desk.accounts.secrets.map(({ name, value, kind }) => textCanary(name, value, kind)),
    ];
    const found = scan(
      [...desk.stores, desk.hotCopy, desk.log, desk.backup, desk.dump, desk.postgresDump, desk.taken],
      canaries,
    );
    // A scan that is blind says the same as one that finds nothing.
    for (const word of planted.kept) {
      const places = found.finds.filter(({ canary }) => canary === word).map(({ file, inside }) => `${file} ${inside}`);
      for (const place of [/^(?!.*backup\.tar).*ClickHouse blocks/, /backup\.tar/, /dump\.json/])
        if (!places.some((found) => place.test(found)))
          throw new CannotProve(`The scan does not even find "${word}", which is kept, in ${place}.`);
    }
    return { desk, found };
  });

/** What was found, of one kind of canary. @throws Error naming the places: the promise is broken */
export function mustNotBeFound(found: Scan, group: string, sentence: string): void {
  const finds = found.finds.filter((find) => find.group === group);
  must(
    finds.length === 0,
    `${sentence}: ${finds
      .slice(0, 3)
      .map(({ canary, form, file, inside }) => `${canary} as ${form} in ${file} ${inside}`)
      .join('; ')}`,
  );
}

function plant(home: Home): Planted {
  const word = (prefix: string) => `${prefix}${randomBytes(6).toString('hex')}`;
  // A product that keeps its salts among the data is to be found out by the scan, so it is looked for there too.
  const saltFile = [home.saltFile, join(home.dataDir, basename(home.saltFile))].find(existsSync);
  const salt = /^\d+ ([0-9a-f]{64})$/m.exec(saltFile === undefined ? '' : readFileSync(saltFile, 'utf8'))?.[1];
  if (salt === undefined) throw new CannotProve('There is no salt file, or no salt in it.');
  return {
    addresses: new Map(ways.map((way) => [way, canaryAddresses(way)])),
    agent: word('quokka'),
    queries: queryPlaces.map((where) => ({ where, word: word('numbat') })),
    mail: `${word('bilby')}@mail.example`,
    phone: `+1555${randomBytes(4).readUInt32BE().toString().padStart(10, '7')}`,
    order: word('potoroo'),
    amount: 4_000_000_010n + BigInt(randomBytes(3).readUIntBE(0, 3)) * 10n,
    salt: Buffer.from(salt, 'hex'),
    kept: [word('keptpath'), word('keptcampaign'), word('keptorder')],
  };
}

/**
 * Public addresses that no ordinary data holds: all four bytes are above 0x80, together they are no text in UTF-8, and
 * none is one of the high bytes of which small negative numbers are made.
 */
function canaryAddresses(way: string): string[] {
  const digestOf = (n: number) => createHash('sha256').update(`${way} ${n}`).digest();
  const ipv4 = Array.from({ length: addressesPerWay }, (_, n) => {
    const [a = 0, b = 0, c = 0, d = 0] = digestOf(n);
    return [204 + (a % 19), 193 + (b % 50), 130 + (c % 110), 193 + (d % 50)].join('.');
  });
  const ipv6 = Array.from({ length: addressesPerWay }, (_, n) => {
    const groups = Array.from({ length: 6 }, (_group, at) =>
      (digestOf(100 + n).readUInt16BE(at * 2) | 0x8080).toString(16),
    );
    return `2a0${n % 10}:${(0x1480 + n * 8).toString(16)}:${groups.join(':')}`;
  });
  return [...ipv4, ...ipv6];
}

const queryPlaces = [
  ...['a token in the query', 'an e-mail address in the query', 'the value of a click id', 'a fragment', 'a password'],
  ...['a second query', 'a query behind the fragment', 'an encoded value', 'a query of the referrer'],
  ...['a password of the referrer', 'a fragment of the referrer', 'a campaign of the referrer'],
];

function amountText(thousandths: bigint): string {
  return `${thousandths / 1000n}.${String(thousandths % 1000n)
    .padStart(3, '0')
    .slice(0, 2)}`;
}

function purchase(site: string, order: string, amount: bigint): Record<string, unknown> {
  const revenue = { amount: amountText(amount), currency: 'EUR', order_id: order };
  return { n: 'purchase', u: `https://${site}/thanks`, d: site, $: revenue };
}

function storedEvent(planted: Planted, n: number): Record<string, unknown> {
  const { queries, mail, phone } = planted;
  const [path, campaign] = planted.kept;
  if (n % 40 === 2) return purchase(shop, planted.order, planted.amount);
  const word = (where: string) => queries.find((query) => query.where === where)?.word;
  const query = [
    ...[`token=${word('a token in the query')}`, `email=${word('an e-mail address in the query')}%40mail.example`],
    ...[`gclid=${word('the value of a click id')}`, `utm_campaign=${campaign}`],
    ...[`next=%2Fa%3Fb%3D${word('an encoded value')}`, `a=1?b=${word('a second query')}`],
  ].join('&');
  const pages = [
    `https://www.${shop}/${path}?${query}#${word('a fragment')}`,
    `https://owner:${word('a password')}@${shop}:8443/${path}?${query}`,
    `https://${shop}/${path}#/routed?secret=${word('a query behind the fragment')}`,
  ];
  const referrers = [
    `https://news.example/story?session=${word('a query of the referrer')}`,
    `https://reader:${word('a password of the referrer')}@news.example/story`,
    `https://news.example/story#${word('a fragment of the referrer')}`,
    `https://news.example/?utm_content=${word('a campaign of the referrer')}`,
  ];
  const consent = { analytics_storage: 'granted' };
  const contact = [
    { n: 'Mailto: Click', p: { domain: 'mail.example', value: mail }, consent },
    { n: 'Tel: Click', p: { value: phone }, consent },
  ][n % 40];
  return {
    n: 'pageview',
    u: pages[n % 3],
    d: shop,
    r: referrers[n % 4],
    id: `event ${n}`,
    ...(n % 3 === 2 ? { h: 1 } : {}),
    ...contact,
  };
}

function refusedEvent(n: number): unknown {
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`key ${at}`, 'x']));
  return [
    { n: 'pageview', u: 'data:text/html,hello', d: shop },
    { n: 'pageview', u: 'not an address', d: shop },
    { n: 'pageview', u: `https://${shop}/${'x'.repeat(10_000)}`, d: shop },
    { n: 'pageview', u: `https://${shop}/`, d: shop, p: many },
    { n: '', u: `https://${shop}/`, d: shop },
    { n: 'purchase', u: `https://${shop}/`, d: shop, $: { amount: 'much', currency: 'EUR' } },
    [],
    'text',
  ][n % 8];
}

/** Not JSON, cut JSON, lone surrogates, null bytes, a list of nonsense, a body that is too large, each with the address in it. */
function malformedBody(n: number, from: string): string {
  const bodies = [
    `{"n":"pageview","ip":"${from}"`,
    from,
    `{"n":"\ud800 ${from}","u":7}`,
    `{"n":"a\u0000","u":"${from}"}`,
    `[{"n":7},{"n":"pageview","u":"https://[${from}"}]`,
    `"${from} ${'x'.repeat(n % 60 === 5 ? 1_100_000 : 100)}"`,
  ];
  return bodies[n % bodies.length] as string;
}

function shieldedPage(n: number): string {
  return n % 2 === 0 ? `https://${guarded}/private/${n}` : `https://${guarded}/open/${n}`;
}

/** Where other products look for the client. With one trusted proxy, only the last entry of X-Forwarded-For counts. */
function claims(from: string): Record<string, string> {
  return {
    'x-real-ip': from,
    'cf-connecting-ip': from,
    'true-client-ip': from,
    'x-client-ip': from,
    forwarded: `for="[${from}]:443";proto=https`,
    'x-forwarded-for': `${from}, ${from}, 185.12.64.9`,
    referer: `https://${shop}/?visitor=${from}`,
  };
}

function batch(planted: Planted, n: number, from: string, addressOf: (way: Way, n: number) => string): unknown[] {
  return Array.from({ length: 50 }, (_, at) => ({
    ...{ name: 'pageview', url: `https://${shop}/batch`, domain: shop, id: `batch ${n} ${at}` },
    ip: at % 5 === 0 ? from : addressOf('claims of a key', n * 50 + at),
    user_agent: `Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0 ${planted.agent}`,
    // Some come too late for a visit, and stand alone.
    ...(at % 3 === 0 ? { time: Date.now() - at * 3_600_000 } : {}),
  }));
}

function importedRow(planted: Planted, n: number, ip: string): string {
  return JSON.stringify({
    time: new Date(Date.now() - (400 - n) * 1_200_000).toISOString(),
    ...{ name: 'pageview', url: `https://${shop}/imported-${n % 9}?token=${planted.queries[0]?.word}`, ip },
    user_agent: `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0.0.0 Safari/537.36 ${planted.agent}`,
  });
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Sends events as browsers behind one trusted proxy do. A text is sent as it is. */
function sender(port: number, agentWord: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const chrome = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 ${agentWord}`;
  return (from: string, event: unknown, headers: Record<string, string> = {}) =>
    exchange({
      ...{
        port,
        agent,
        method: 'POST',
        path: '/api/event',
        body: typeof event === 'string' ? event : JSON.stringify(event),
      },
      headers: { 'user-agent': chrome, accept: '*/*', 'accept-language': 'en', 'x-forwarded-for': from, ...headers },
    });
}

const get = (port: number, path: string, from: string) =>
  exchange({ port, method: 'GET', path, headers: { 'x-forwarded-for': from, 'user-agent': 'reader' } });

export async function call(port: number, method: string, path: string, key: string, body: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await exchange({ port, method, path, headers, body: JSON.stringify(body) });
  if (answer.status >= 300) throw new CannotProve(`${method} ${path} answered ${answer.status}: ${answer.body}`);
  return answer;
}

export function exchange({
  body,
  ...to
}: {
  port: number;
  method: string;
  path: string;
  headers: Record<string, string | string[]>;
  body?: string;
  agent?: Agent;
  /** Of the 127.0.0.0/8 of this machine; the desk sees it as the client's. */
  localAddress?: string;
}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', ...to }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.once('error', reject);
    });
    // A body that is too large is answered before it has come whole, and then the connection ends.
    sent.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE'
        ? resolve({ status: 400, headers: {}, body: '' })
        : reject(new CannotProve(`The desk cannot be reached: ${error.message}`)),
    );
    sent.end(body);
  });
}

/** A request that breaks off in its body, one whose head is too long, and one that is no HTTP. */
function cutOff(port: number, n: number, from: string): Promise<Answer> {
  const head = `POST /api/event HTTP/1.1\r\nHost: desk\r\nX-Forwarded-For: ${from}\r\nContent-Length: 400\r\n`;
  const texts = [
    `${head}\r\n{"n":"${from}`,
    `${head}X-Long: ${from.padEnd(20_000, 'x')}\r\n\r\n`,
    `${from} is no request\r\n\r\n`,
  ];
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = () => resolve({ status: 400, headers: {}, body: '' });
    socket.once('error', done).once('close', done).resume();
    socket.write(texts[n % 3] as string, () => setTimeout(() => socket.destroy(), 5));
  });
}

/** Files come and go while the desk works; what was there is copied. */
function copyLive(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  try {
    execFileSync('cp', ['-a', from, to], { stdio: 'ignore' });
  } catch {
    cpSync(from, to, { recursive: true, force: true, filter: (path) => !path.endsWith('.sock') });
  }
}

/** There is no command for shields yet: written as the app would write them, and read by the desk within 15 s. */
async function raiseShields(home: Home): Promise<void> {
  const { default: pg } = await import('pg');
  const [data = '', place = join(data, 'postgres')] = storesOf(home);
  const credentials = JSON.parse(readFileSync(join(data, 'postgres', 'credentials.json'), 'utf8')) as { app: string };
  const client = new pg.Client({
    ...{ host: join(place, 'socket'), user: 'fairlead_login', password: credentials.app, database: 'fairlead' },
  });
  await client.connect();
  await client.query(`BEGIN; SELECT set_config('fairlead.organisation', '1', true)`);
  await client.query(
    `INSERT INTO shields (organisation_id, site_id, kind, pattern, network, digest, created_at)
     SELECT organisation_id, id, kind, pattern, network::cidr, digest, now() FROM sites,
       (VALUES ('path', '/private/**', NULL, NULL), ('address', NULL, '204.0.0.0/6', NULL), ('address', NULL, NULL, $2::bytea),
               ('country', 'XX', NULL, NULL)) AS shield (kind, pattern, network, digest)
     WHERE domain = $1`,
    [guarded, randomBytes(32)],
  );
  await client.query('COMMIT');
  await client.end();
}
