import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openAuthority } from '../emulators/acme_certificates.ts';
import { type DeskFolder, freePort, pause, postgresFolder, prepareDesk, type Running, startDesk } from './desk.ts';
import { allKinds, type PlatformKind, type PlatformProcess, platformKinds, startPlatform } from './relay_platforms.ts';

/**
 * A desk with a source of conversions and routes to doubles of platforms, for the long measurements of the relay: the product
 * from its command line, set up through its API. What became of its rows is read in its own database, as no API tells all.
 */
export interface RelayDesk {
  readonly desk: DeskFolder;
  readonly platforms: readonly PlatformProcess[];
  /** By kind, the number of the destination. */
  readonly destinations: ReadonlyMap<PlatformKind, number>;
  /** Of the source, with its secret. */
  readonly path: string;
  readonly port: number;
  running: Running;
  /** Everything that each of its processes has said. */
  log(): string;
  /** What it is killed and started with again. */
  start(): Promise<void>;
  call<T>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown): Promise<T>;
  /** As whoever owns the database, in the place of its one organisation. */
  rows<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
  /** As the role of backups, which sees every row of every table and can change none. */
  everyRow<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** What an order of these measurements looks like in what is sent. */
export const orderPattern = 'R-\\d+-\\d+';

/**
 * Somebody whose every identifier can be found again, wherever it stands: a mail address, a telephone number, names, an id, a
 * browser. Platforms get hashes of the first four, and two of them get the browser as it is.
 */
export function personOf(n: number) {
  return {
    ...{ email: `zqmail.${n}@canary.example`, phone: `+493055${String(n % 1_000_000).padStart(6, '0')}` },
    ...{ first_name: 'Zqfirst', last_name: `Zqlast${letters(n)}`, external_id: `zqext-${n}` },
    ...{ city: 'Berlin', zip: '10115', country: 'DE' },
    ...{ ip: `84.${n % 200}.${(n >> 8) % 250}.9`, user_agent: `ZqAgent/${n} (X11; Linux x86_64)` },
  };
}
/** Identifiers that are hashed wherever they go, in clear. */
export const hashedInClear =
  'zqmail\\.|zqfirst|zqlast[a-z]|zqext-\\d|(?<![0-9a-z])\\+?493055\\d{6}(?![0-9a-z])|(?<![0-9a-z])003055\\d{6}(?![0-9a-z])';
/** And those that some platforms take as they are, and that are in no row and no line. */
export const anyInClear = `${hashedInClear}|zqagent/`;

function letters(n: number): string {
  return [...String(n)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
}

/** An order of a shop as the canonical conversion. */
export function orderOf(run: number, n: number): { id: string; body: string } {
  const id = `R-${run}-${n}`;
  const body = JSON.stringify({
    ...{ event_name: 'purchase', order_id: id, occurred_at: new Date(Date.now() - 60_000).toISOString() },
    ...{ value: (10 + (n % 9_000) / 100).toFixed(2), currency: 'EUR', page_url: 'https://shop.example/thanks' },
    consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
    click_ids: { gclid: `Cj0KCQ${run}x${n}` },
    user: personOf(n),
    items: [{ id: `sku-${n % 500}`, quantity: 1, price: '19.90' }],
  });
  return { id, body };
}

export async function openRelayDesk({
  kinds = allKinds,
  say,
  flags = [],
}: {
  kinds?: readonly PlatformKind[];
  say: (line: string) => void;
  /** Of Node, for the desk. */
  flags?: readonly string[];
}): Promise<RelayDesk> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-relay-'));
  const tls = await certificateIn(folder);
  const platforms = await Promise.all(
    kinds.map((kind) =>
      startPlatform({ kind, orders: orderPattern, secrets: hashedInClear, ...(kind === 'webhook' ? { tls } : {}) }),
    ),
  );
  const env: NodeJS.ProcessEnv = {
    ...{ FAIRLEAD_CLOCK_OFFSET_MS: '0', FAIRLEAD_OUTBOUND_ALLOW: '127.0.0.1,localhost' },
    NODE_EXTRA_CA_CERTS: join(folder, 'root.pem'),
  };
  for (const { kind, url } of platforms) {
    const { variable } = platformKinds[kind];
    if (variable !== undefined) env[`FAIRLEAD_RELAY_${variable}_URL`] = url;
  }
  const desk = await prepareDesk(join(folder, 'desk'), { events: 0, say });
  const port = await freePort();
  const begin = () => startDesk(desk, { env, port, flags });
  let running = await begin();
  const logs: string[] = [];
  const base = `/api/organisations/${desk.organisationId}/relay`;

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${port}${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${desk.apiKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  const made = await call<{ source: { id: number }; address: string }>('POST', '/sources', {
    ...{ name: 'Shop', kind: 'http', preset: 'canonical' },
  });
  const destinations = new Map<PlatformKind, number>();
  for (const { kind, url } of platforms) {
    const { settings, secret } = platformKinds[kind];
    const { id } = await call<{ id: number }>('POST', '/destinations', {
      ...{ kind, name: kind, secret, settings: kind === 'webhook' ? { url: `${url}/in` } : settings },
    });
    await call('POST', '/routes', { source_id: made.source.id, destination_id: id, rules: {} });
    destinations.set(kind, id);
  }
  const store = await openStore(desk);

  return {
    ...{ desk, platforms, destinations, port, call, ...store },
    path: new URL(made.address, 'http://desk').pathname,
    get running() {
      return running;
    },
    set running(next) {
      running = next;
    },
    log: () => [...logs, running.log()].join(''),
    async start() {
      logs.push(running.log());
      running = await begin();
    },
    async close() {
      await running.stop();
      await Promise.all(platforms.map((platform) => platform.stop()));
      for (const made of [postgresFolder(desk), folder]) await rm(made, { recursive: true, force: true });
    },
  };
}

/** A root that the desk is told to trust, and a certificate of it for this machine. */
async function certificateIn(folder: string): Promise<{ key: string; cert: string }> {
  const now = Date.now();
  const authority = openAuthority(now);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const day = 86_400_000;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'root.pem'), authority.root);
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: authority.issue({ names: ['localhost'], publicKey, from: now - day, until: now + 30 * day }),
  };
}

/** Connections of their own, made anew for each question: the server outlives desks that are killed, and may be another one. */
async function openStore(desk: DeskFolder) {
  const credentials = join(desk.folder, 'data', 'postgres', 'credentials.json');
  const { owner } = JSON.parse(await readFile(credentials, 'utf8')) as { owner: string };
  async function ask<Row extends object>(before: string, text: string, params: unknown[]): Promise<Row[]> {
    const client = new pg.Client({
      ...{ host: join(postgresFolder(desk), 'socket'), user: 'fairlead_owner', password: owner, database: 'fairlead' },
      options: '-c TimeZone=UTC',
    });
    client.on('error', () => {});
    await client.connect();
    try {
      await client.query(before);
      return (await client.query(text, params)).rows as Row[];
    } finally {
      await client.end();
    }
  }
  const organisation = `SELECT set_config('fairlead.organisation', '${desk.organisationId}', false)`;
  return {
    rows: <Row extends object>(text: string, params: unknown[] = []) => ask<Row>(organisation, text, params),
    everyRow: <Row extends object>(text: string, params: unknown[] = []) =>
      ask<Row>('SET ROLE fairlead_backup', text, params),
  };
}

/** Tells the desk of an order. @returns the status of its answer; 0 = it gave none */
export function takeOrder(
  { port, path }: Pick<RelayDesk, 'port' | 'path'>,
  body: string,
  agent?: Agent,
): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asked = request(
      { ...(agent === undefined ? {} : { agent }), host: '127.0.0.1', port, path, method: 'POST', headers },
      (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
        answer.once('error', () => resolve(0));
        answer.once('close', () => resolve(0));
      },
    );
    asked.once('error', () => resolve(0));
    asked.end(body);
  });
}

/** How many deliveries stand how, by destination. */
export async function statesOf(relay: RelayDesk): Promise<{ destination: number; state: string; n: number }[]> {
  return relay.rows(
    `SELECT destination_id::int AS destination, state, count(*)::int AS n FROM relay_deliveries GROUP BY 1, 2 ORDER BY 1, 2`,
  );
}

/** Waits until nothing is under way, or the time is over. @returns what is still under way */
export async function whenSettled(
  relay: RelayDesk,
  { expected, withinMs, onLook }: { expected: number; withinMs: number; onLook?: (open: number) => void },
): Promise<number> {
  const until = performance.now() + withinMs;
  for (;;) {
    const states = await statesOf(relay);
    const all = states.reduce((sum, { n }) => sum + n, 0);
    const open = states.reduce((sum, { state, n }) => (/held|waiting|sending/.test(state) ? sum + n : sum), 0);
    const left = Math.max(0, expected - all) + open;
    if (left === 0 || performance.now() > until) return left;
    onLook?.(left);
    await pause(1_000);
  }
}
