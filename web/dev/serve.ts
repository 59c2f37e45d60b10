import type { Server } from 'node:http';
import { join } from 'node:path';
import { pageHeaders } from '../../src/platform/http/server.ts';
import { openStaticFiles, type StaticFiles } from '../../src/platform/http/static.ts';
import type { Double, DoubleOptions } from './double.ts';
import { listen, openDouble } from './double.ts';

/** Compressed once, however many desks a test opens. */
let files: StaticFiles | undefined;

/** The built dashboard as the real server sends it, headers included, over the double: for tests and pictures. */
export async function serveDashboard(
  options: DoubleOptions = {},
): Promise<{ origin: string; double: Double; close(): Promise<void> }> {
  const double = openDouble(options);
  files ??= openStaticFiles(join(import.meta.dirname, '../dist'));
  const sent = files;
  const { server, origin } = await listen(async (request, response) => {
    if (await double.handle(request, response)) return;
    sent.send(request, response, new URL(request.url ?? '/', 'http://double').pathname, pageHeaders(false));
  });
  return { origin, double, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
