import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { exportFormats, type SiteExport, type SiteExports } from '../../contract/exports.ts';
import { exportFiles } from '../../src/analytics/exports/file_classes.ts';
import { findUndeclared } from '../../src/trust/classes/index.ts';
import { canaryOf, scanFolders } from '../../src/trust/proof/index.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { openCommandLine, type ServedDesk } from './cli.ts';

/** Exports of a site in every format; the desk is killed twice while each is made. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const cli = openCommandLine();
let server: ServedDesk;
let apiKey = '';
const folder = join(cli.dataDir, 'exports');

async function call(method: string, path: string, body?: unknown) {
  const answer = await fetch(server.base + path, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

beforeAll(async () => {
  await layPreparedDesk(cli.dataDir);
  server = await cli.serve();
  const setUp = await cli.run(
    ['setup', '--email', 'owner@shop.example', '--organisation', 'Shop', '--site', 'shop.example'],
    { input: 'a harbour of quiet rope' },
  );
  expect(setUp.code, setUp.err).toBe(0);
  apiKey = (JSON.parse(setUp.out) as { api_key: string }).api_key;
  const events = [3, 2, 1].flatMap((day) =>
    [1, 2, 3, 4].map((visitor) => ({
      ...{ name: 'canary-of-names', domain: 'shop.example', url: `https://shop.example/canary-of-paths-${day}` },
      ...{ props: { plan: 'canary-of-properties' }, referrer: 'https://canary-of-referrers.example/' },
      time: new Date(Date.now() - day * 86_400_000).toISOString(),
      ...{ ip: `192.0.2.${visitor}`, user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Firefox/142.0' },
    })),
  );
  expect((await call('POST', '/api/event', events)).status).toBe(202);
  await server.stop();
  server = await killedAfterADay();
});
afterAll(async () => {
  await server.stop('SIGKILL');
  await cli.close();
});

const killedAfterADay = () => cli.serve({ FAIRLEAD_CRASH_POINT: 'export.day:2' });

/** What of the site can be read in the folder, byte for byte: as it lies, since nothing tells the search how files are opened. */
async function readable() {
  const words = ['shop.example', 'canary-of-', 'Firefox', 'PK\x03\x04', 'PAR1', '"rows"'];
  const { files, found, closed } = await scanFolders(
    [folder],
    0,
    words.map((word) => canaryOf(word, word)),
  );
  return { hasFiles: files > 0, closed, found };
}
const nothing = { hasFiles: true, closed: 0, found: [] };

it.each(exportFormats)(
  'an export as %s lies sealed from its first byte, killed after a day and before its end',
  async (format) => {
    const dead = once(server.process, 'exit');
    const begun = await call('POST', '/api/sites/shop.example/exports', { format });
    const { id } = JSON.parse(begun.bytes.toString()) as SiteExport;
    expect(begun.status).toBe(201);
    await dead;
    expect(existsSync(join(folder, `${id}.part`, 'note.json'))).toBe(true);
    expect(await readable()).toEqual(nothing);
    server = await cli.serve({ FAIRLEAD_CRASH_POINT: 'export.packed:1' });
    await once(server.process, 'exit');
    expect([existsSync(join(folder, String(id))), await readable()]).toEqual([false, nothing]);
    // The last day of this one is written: the point is met by the next.
    server = await killedAfterADay();
    const made = await vi.waitFor(
      async () => {
        const { exports } = JSON.parse(
          (await call('GET', '/api/sites/shop.example/exports')).bytes.toString(),
        ) as SiteExports;
        const found = exports.find((one) => one.id === id);
        expect(found).toMatchObject({ state: 'done', failure: null });
        return found as SiteExport;
      },
      { timeout: 60_000, interval: 100 },
    );
    expect(await readable()).toEqual(nothing);
    expect(
      findUndeclared(
        readdirSync(folder).map((name) => `exports/${name}`),
        exportFiles,
      ),
    ).toEqual([]);
    // Whoever fetches it has the file as it is, and may go on with one that broke off.
    const path = `/api/sites/shop.example/exports/${id}/file`;
    const whole = await call('GET', path);
    expect([whole.status, whole.bytes.length, Number(whole.headers.get('content-length'))]).toEqual([
      200,
      made.bytes,
      made.bytes,
    ]);
    expect(whole.bytes.subarray(0, 2).toString()).toBe(format === 'ndjson' ? '{"' : 'PK');
    if (format === 'ndjson') expect(whole.bytes.toString().match(/canary-of-paths/g)).toHaveLength(12);
    expect(readFileSync(join(folder, String(id))).length).toBeGreaterThan(made.bytes);
  },
);
