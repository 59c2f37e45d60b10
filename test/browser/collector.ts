import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WireEvent } from '../../sdk/src/api.ts';
import type { FastHandler } from '../../src/platform/http/server.ts';

const bodyBytesMax = 1024 * 1024;

/** One event as it arrived, with all that came along: a promise about what is never sent covers headers too. */
export interface Beacon {
  path: string;
  headers: IncomingHttpHeaders;
  /** The body as sent. */
  raw: string;
  /** The body as read; `{}` when it is no JSON object. */
  event: Record<string, unknown> & Partial<WireEvent>;
  /** Milliseconds on the test's own clock. */
  atMs: number;
}

export interface Collector {
  /** `http://127.0.0.1:<port>`; the same server answers under every host name that leads to this port. */
  origin: string;
  port: number;
  beacons: Beacon[];
  /** Every GET, as `host/path?query`. */
  visited: string[];
  /** The answers to the next POSTs, in order; 202 when none is left. `'break'` cuts the connection. */
  answers: (number | 'break')[];
  /** Waits until as many beacons match, and returns them; fails with what has arrived instead. */
  until(match: (beacon: Beacon) => boolean, count?: number): Promise<Beacon[]>;
  close(): Promise<void>;
}

/** What a GET of this path answers: a page, or a script, or with `headers` anything else. */
export interface Resource {
  body: string;
  type?: string;
  headers?: Record<string, string>;
}

/**
 * A server of pages and a collection endpoint in one, on a free port of the loopback address. Any POST is a beacon.
 * It answers like the product: CORS for all origins without credentials, 202, and nothing a browser could keep.
 */
export const startCollector = async (
  serve: (url: URL) => Resource | undefined,
  /** Real doors of the product, by path, in the place of the beacon that takes everything. */
  doors: Record<string, FastHandler> = {},
): Promise<Collector> => {
  const beacons: Beacon[] = [];
  const visited: string[] = [];
  const answers: (number | 'break')[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const door = doors[url.pathname];
    if (door) return door(request, response);
    if (request.method !== 'POST') {
      visited.push(url.host + url.pathname + url.search);
      const resource = serve(url);
      response.writeHead(resource ? 200 : 404, {
        'content-type': resource?.type ?? 'text/html; charset=utf-8',
        'access-control-allow-origin': '*',
        ...resource?.headers,
      });
      response.end(resource?.body);
      return;
    }
    let raw = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      raw += chunk;
      if (raw.length > bodyBytesMax) request.destroy();
    });
    request.on('end', () => {
      beacons.push({
        path: url.pathname,
        headers: request.headers,
        raw,
        event: readEvent(raw),
        atMs: performance.now(),
      });
      const answer = answers.shift() ?? 202;
      if (answer === 'break') response.destroy();
      else response.writeHead(answer, { 'access-control-allow-origin': '*' }).end('ok');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    beacons,
    visited,
    answers,
    until: async (match, count = 1) => {
      const deadlineMs = performance.now() + 8_000;
      for (;;) {
        const found = beacons.filter(match);
        if (found.length >= count) return found;
        if (performance.now() > deadlineMs)
          throw new Error(
            `${found.length} of ${count} beacons came. All:\n${beacons.map(({ raw }) => raw).join('\n')}`,
          );
        await new Promise((wake) => setTimeout(wake, 20));
      }
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
};

const readEvent = (raw: string): Beacon['event'] => {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'object' && value !== null ? (value as Beacon['event']) : {};
  } catch {
    return {};
  }
};
