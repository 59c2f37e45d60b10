import { mkdtempSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningServer, startServer } from '../../src/app/serve.ts';
import { onDesk } from '../../src/app/with_desk.ts';
import { readConfig } from '../../src/platform/config.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { eraseStores, quickCost } from '../stores.ts';

/** For journeys: a whole desk in a folder of its own, with every store, the listener and the control socket. */

export interface TestDesk {
  readonly server: RunningServer;
  readonly dataDir: string;
  readonly base: string;
  /** An API key with every scope. */
  readonly key: string;
  /** Sends exactly these bytes and headers; `fetch` would add some and hide others. */
  raw(call: RawCall): Promise<RawAnswer>;
  /** An event or a list of them from an ordinary browser. */
  collect(event: unknown, headers?: Record<string, string>): Promise<RawAnswer>;
  /** A call with the desk's API key. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Waits until everything that was acknowledged is in the warehouse, then asks it. */
  rows<Row>(sql: string): Promise<Row[]>;
  /** The text of /metrics. */
  metrics(): Promise<string>;
  /** Signs the owner in by password. @returns the cookies of the session; each costs a quarter of a second */
  signIn(): Promise<string>;
  /** @param between what happens while nothing runs @param more settings that it has from then on */
  restart(between?: () => Promise<void>, more?: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

export interface RawCall {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const firefox = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  accept: '*/*',
  'accept-language': 'en',
  origin: 'https://shop.example',
  'content-type': 'text/plain',
};

export async function openTestDesk(sites: string[], env: Record<string, string> = {}): Promise<TestDesk> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-journey-'));
  const configOf = (more: Record<string, string> = {}) => ({
    ...readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), PORT: '0', ...env, ...more }),
    passwordCost: quickCost,
  });
  const config = configOf();
  const input = { email: 'owner@shop.example', organisation: 'Shop', sites, password: 'a harbour of quiet rope' };
  await layPreparedDesk(config.dataDir);
  let server = await startServer(config);
  const made = (await onDesk({ command: 'setup', body: JSON.stringify(input) }, config)) as { api_key: string };
  const port = () => server.http.address.port;
  const desk: TestDesk = {
    get server() {
      return server;
    },
    dataDir: config.dataDir,
    key: made.api_key,
    get base() {
      return `http://127.0.0.1:${port()}`;
    },
    raw: ({ method = 'POST', path = '/api/event', headers = {}, body = '' }) =>
      new Promise((resolve, reject) => {
        const sent = httpRequest({ port: port(), host: '127.0.0.1', path, method, headers }, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString() }),
          );
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    collect: (event, headers = {}) => desk.raw({ headers: { ...firefox, ...headers }, body: JSON.stringify(event) }),
    async call(method, path, body) {
      const answer = await desk.raw({
        method,
        path,
        headers: { authorization: `Bearer ${made.api_key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: answer.text === '' ? {} : JSON.parse(answer.text) };
    },
    async rows(sql) {
      if (!(await server.desk.house.spool.drain(20_000))) throw new Error('The spool did not drain within 20 s.');
      return server.desk.house.warehouse.read(sql);
    },
    metrics: async () => (await desk.raw({ method: 'GET', path: '/metrics' })).text,
    async signIn() {
      const { headers } = await desk.raw({
        path: '/api/sessions',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: input.email, password: input.password }),
      });
      return (headers['set-cookie'] ?? []).map((one) => one.split(';')[0]).join('; ');
    },
    async restart(between, more) {
      await server.stop();
      await between?.();
      server = await startServer(more === undefined ? config : configOf(more));
    },
    async close() {
      const { directories } = server.desk.house.postgres;
      await server.stop();
      await eraseStores({ directories }, folder);
    },
  };
  return desk;
}
