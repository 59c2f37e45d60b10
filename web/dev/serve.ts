import type { Server } from 'node:http';
import { join } from 'node:path';
import { pageHeaders } from '../../src/platform/http/headers.ts';
import { openStaticFiles, type StaticFiles } from '../../src/platform/http/static.ts';
import type { Double, DoubleOptions } from './double.ts';
import { listen, openDouble } from './double.ts';

const nonce = 'double';

/** Compressed once, however many desks a test opens. */
let files: StaticFiles | undefined;

export interface ServedDashboard {
  origin: string;
  double: Double;
  /** From now on a new double answers, under the same address. */
  renew(options?: DoubleOptions): void;
  close(): Promise<void>;
}

/** The built dashboard as the real server sends it, headers included, over the double: for tests and pictures. */
export async function serveDashboard(options: DoubleOptions = {}): Promise<ServedDashboard> {
  files ??= openStaticFiles(join(import.meta.dirname, '../dist'));
  const sent = files;
  const { server, origin } = await listen(async (request, response) => {
    if (await desk.double.handle(request, response)) return;
    const { pathname } = new URL(request.url ?? '/', 'http://double');
    sent.send(request, response, pathname, pageHeaders({ secure: false, nonce }), nonce);
  });
  const desk: ServedDashboard = {
    origin,
    double: openDouble(options),
    renew(next = {}) {
      desk.double = openDouble(next);
    },
    close: () => closeServer(server),
  };
  return desk;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
