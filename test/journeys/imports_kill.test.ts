import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { SiteImport, SiteImports } from '../../contract/imports.ts';
import { uploadLimits } from '../../contract/limits.ts';
import { isDeep } from '../depth.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { openCommandLine, type ServedDesk } from './cli.ts';

/** The desk is killed while it imports: after the next start each row is there once, without anybody's help. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });
const cli = openCommandLine();
let server: ServedDesk | undefined;
let key = '';
beforeAll(() => layPreparedDesk(cli.dataDir));
afterAll(async () => {
  await server?.stop('SIGKILL');
  await cli.close();
});

async function call(method: string, path: string, body?: object | Buffer) {
  const isRaw = Buffer.isBuffer(body);
  const answer = await fetch(`${server?.base}/api${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': isRaw ? 'application/octet-stream' : 'application/json',
    },
    ...(body === undefined ? {} : { body: isRaw ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}
const imports = '/sites/shop.example/imports';
async function until(isSo: (one: SiteImport) => boolean): Promise<SiteImport> {
  return vi.waitFor(
    async () => {
      const [found] = ((await call('GET', imports)).body as SiteImports).imports;
      expect(found !== undefined && isSo(found), JSON.stringify(found)).toBe(true);
      return found as SiteImport;
    },
    { timeout: 90_000, interval: 50 },
  );
}
/** Of one page, which a table of pages can answer; of all of them otherwise. */
async function pageviews(page?: string): Promise<number> {
  const { body } = await call('POST', '/v2/query', {
    ...{ site_id: 'shop.example', metrics: ['pageviews'], date_range: ['2026-01-01', '2026-01-31'] },
    include: { imports: true },
    ...(page === undefined ? {} : { filters: [['is', 'event:page', [page]]] }),
  });
  return (body as { results: { metrics: number[] }[] }).results[0]?.metrics[0] as number;
}

const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const views = 25_000;
/** Events; and a table of days, long enough for more than one block. */
const files: [kind: string, file: Buffer, views: number, page: string | undefined][] = [
  [
    'access-log',
    Buffer.from(
      Array.from(
        { length: views },
        (_, n) =>
          `10.0.${(n >> 8) & 255}.${n & 255} - - [${String(5 + (n % 3)).padStart(2, '0')}/Jan/2026:10:00:00 +0000] "GET /page-${n % 50} HTTP/1.1" 200 512 "-" "${agent}"`,
      ).join('\n'),
    ),
    views,
    undefined,
  ],
  [
    'ga4',
    Buffer.from(
      `Date,Page path,Active users,Sessions,Views\n${Array.from({ length: 120_000 }, (_, n) => `202601${10 + (n % 10)},/page-${n},1,1,1`).join('\n')}\n`,
    ),
    1,
    '/page-7',
  ],
];

it.each(files)('a %s that the desk was killed in the middle of is there once', async (kind, file, expected, page) => {
  if (server === undefined) {
    server = await cli.serve();
    const made = await cli.run(
      ['setup', '--email', 'owner@shop.example', '--organisation', 'Shop', '--site', 'shop.example'],
      { input: 'a harbour of quiet rope\n' },
    );
    expect(made.code, made.err).toBe(0);
    key = (JSON.parse(made.out) as { api_key: string }).api_key;
  }
  const before = await pageviews(page);
  const { id } = (await call('POST', imports, { kind, name: `${kind}.file`, size: file.length })).body as SiteImport;
  const { partBytes } = uploadLimits;
  for (let part = 0; part * partBytes < file.length; part++)
    await call('PUT', `${imports}/${id}/parts/${part}`, file.subarray(part * partBytes, (part + 1) * partBytes));
  await call('POST', `${imports}/${id}/check`);
  await until(({ state }) => state === 'checking');
  // In the middle of the check, which begins again, and in the middle of the import; in a deep run each kind in both.
  const dies = async () => {
    await server?.stop('SIGKILL');
    server = await cli.serve();
  };
  if (kind === 'access-log' || isDeep) await dies();
  const ready = await until(({ state }) => state === 'ready');
  expect((await call('POST', `${imports}/${id}/start`)).status).toBe(202);
  await until(({ progress }) => progress !== null && progress > 0.3);
  if (kind === 'ga4' || isDeep) await dies();
  const done = await until(({ state }) => state === 'done');
  expect(done.rows_stored).toBe(ready.report?.stored);
  // The file goes once the end is written down.
  await vi.waitFor(() => expect(readdirSync(join(cli.dataDir, 'imports'))).toEqual([]), { timeout: 30_000 });
  expect(await pageviews(page)).toBe(before + expected);
  expect((await call('DELETE', `${imports}/${id}`)).status).toBe(202);
  await until(({ state }) => state === 'undone');
  expect(await pageviews(page)).toBe(before);
});
