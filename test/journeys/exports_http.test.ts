import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { SiteExport, SiteExports } from '../../contract/exports.ts';
import { exportFiles } from '../../src/analytics/exports/file_classes.ts';
import { findUndeclared } from '../../src/trust/classes/index.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Everything of a site can be taken away over HTTP: begun, watched, fetched in parts, deleted. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let desk: TestDesk;
const dayMs = 86_400_000;
const days = 12;
const isoDay = (at: number) => new Date(at).toISOString().slice(0, 10);
const firstDay = isoDay(Date.now() - days * dayMs);
const lastDay = isoDay(Date.now() - dayMs);

beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'other.example']);
  const events: object[] = [];
  for (let day = days; day >= 1; day--)
    for (let n = 0; n < 7; n++)
      events.push({
        ...{ name: n === 6 ? '=SUM(A1)' : 'pageview', domain: 'shop.example', url: `https://shop.example/p-${n}` },
        time: new Date(Date.parse(`${isoDay(Date.now() - day * dayMs)}T08:00:00Z`) + n * 60_000).toISOString(),
        ...{ ip: `192.0.2.${(n % 3) + 1}`, user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Firefox/142.0' },
        ...(n === 5 ? { props: { plan: 'a"b' }, referrer: 'https://news.example/' } : {}),
      });
  const { status, body } = await desk.call('POST', '/api/event', events);
  expect([status, body]).toEqual([202, expect.objectContaining({ stored: events.length })]);
  await desk.rows('SELECT 1');
});
afterAll(() => desk.close());

const list = async (site = 'shop.example') =>
  (await desk.call('GET', `/api/sites/${site}/exports`)).body as unknown as SiteExports;
async function begin(format: string): Promise<SiteExport> {
  const { status, body } = await desk.call('POST', '/api/sites/shop.example/exports', { format });
  expect([status, body]).toEqual([201, expect.objectContaining({ format, state: 'waiting', days, days_done: 0 })]);
  return body as unknown as SiteExport;
}
async function finished(id: number): Promise<SiteExport> {
  return vi.waitFor(
    async () => {
      const found = (await list()).exports.find((one) => one.id === id);
      expect(found?.finished_at, JSON.stringify(found)).not.toBeNull();
      return found as SiteExport;
    },
    { timeout: 60_000, interval: 100 },
  );
}
async function fetchFile(id: number, headers: Record<string, string> = {}) {
  const answer = await fetch(`${desk.base}/api/sites/shop.example/exports/${id}/file`, {
    headers: { authorization: `Bearer ${desk.key}`, ...headers },
  });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

it('a site without a day that is over has nothing to export, and says so', async () => {
  expect(await list('other.example')).toEqual({ exports: [], span: null });
  const refused = await desk.call('POST', '/api/sites/other.example/exports', { format: 'ndjson' });
  expect([refused.status, refused.body]).toMatchObject([409, { error: { code: 'conflict' } }]);
});

it('an export runs to its end, and its file has what the command writes', async () => {
  expect((await list()).span).toEqual({ first_day: firstDay, last_day: lastDay });
  const { id } = await begin('ndjson');
  const done = await finished(id);
  expect(done).toMatchObject({ state: 'done', days, days_done: days, rows: days * 7, failure: null, started_by: null });
  expect(Date.parse(done.expires_at ?? '') - Date.parse(done.finished_at ?? '')).toBe(7 * dayMs);
  const { status, headers, bytes } = await fetchFile(id);
  expect([status, bytes.length]).toEqual([200, done.bytes]);
  const span = `${firstDay}_${lastDay}`.replaceAll('-', '');
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-length': String(done.bytes),
    'content-type': 'application/x-ndjson',
    'content-disposition': `attachment; filename="shop.example-ndjson-${span}.ndjson"`,
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
  });
  expect(headers.get('etag')).toBeNull();
  const lines = bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(days * 7);
  expect(lines.filter(({ name }) => name === '=SUM(A1)')).toHaveLength(days);
  expect(lines.find(({ props }) => props !== undefined)).toMatchObject({ props: { plan: 'a"b' } });
  const folder = join(desk.dataDir, 'exports');
  expect(readdirSync(folder)).toEqual([String(id)]);
  expect([statSync(folder).mode & 0o777, statSync(join(folder, String(id))).mode & 0o777]).toEqual([0o700, 0o600]);
  expect(
    findUndeclared(
      readdirSync(folder).map((name) => `exports/${name}`),
      exportFiles,
    ),
  ).toEqual([]);
});
