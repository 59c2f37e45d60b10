import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { SiteImport, SiteImports } from '../../contract/imports.ts';
import { uploadLimits } from '../../contract/limits.ts';
import { importFiles } from '../../src/analytics/imports/file_classes.ts';
import { zipOf } from '../../src/platform/files/zip_rig.ts';
import { findUndeclared } from '../../src/trust/classes/index.ts';
import { placeHold, releaseHold } from '../../src/trust/windows/holds.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** The past comes over HTTP: a file is sent in parts, looked through, imported in the background, taken out again. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let desk: TestDesk;
const { partBytes } = uploadLimits;
const sites = ['shop.example', 'log.example', 'bad.example', 'busy.example', 'old.example'];

beforeAll(async () => {
  desk = await openTestDesk(sites);
});
afterAll(() => desk.close());

const calls = (site: string, rest = '') => `/api/sites/${site}/imports${rest}`;
const list = async (site: string) => ((await desk.call('GET', calls(site))).body as unknown as SiteImports).imports;
async function begin(site: string, kind: string, name: string, size: number): Promise<SiteImport> {
  const { status, body } = await desk.call('POST', calls(site), { kind, name, size });
  expect([status, body]).toEqual([201, expect.objectContaining({ kind, state: 'uploading', size, next_part: 0 })]);
  return body as unknown as SiteImport;
}
async function sendPart(site: string, id: number, part: number, bytes: Buffer, key = desk.key) {
  const answer = await desk.raw({
    method: 'PUT',
    path: calls(site, `/${id}/parts/${part}`),
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/octet-stream' },
    body: bytes,
  });
  return { status: answer.status, body: JSON.parse(answer.text) as SiteImport & { error?: { message: string } } };
}
const partOf = (file: Buffer, part: number) => file.subarray(part * partBytes, (part + 1) * partBytes);
async function sendWhole(site: string, kind: string, name: string, file: Buffer): Promise<number> {
  const { id } = await begin(site, kind, name, file.length);
  for (let part = 0; part * partBytes < file.length; part++)
    expect((await sendPart(site, id, part, partOf(file, part))).status).toBe(200);
  return id;
}
async function step(site: string, id: number, what: 'check' | 'start'): Promise<SiteImport> {
  const { status, body } = await desk.call('POST', calls(site, `/${id}/${what}`));
  expect([status, body]).toEqual([202, expect.objectContaining({ id })]);
  return until(site, id, ({ state }) => !['checking', 'running'].includes(state));
}
async function until(site: string, id: number, isSo: (one: SiteImport) => boolean): Promise<SiteImport> {
  return vi.waitFor(
    async () => {
      const found = (await list(site)).find((one) => one.id === id);
      expect(found !== undefined && isSo(found), JSON.stringify(found)).toBe(true);
      return found as SiteImport;
    },
    { timeout: 60_000, interval: 50 },
  );
}
async function ask(site: string, metrics: string[]): Promise<unknown[]> {
  const { status, body } = await desk.call('POST', '/api/v2/query', {
    ...{ site_id: site, metrics, date_range: ['2026-01-01', '2026-01-31'], include: { imports: true } },
  });
  expect([status, body]).toEqual([200, expect.anything()]);
  return (body as { results: { metrics: unknown[] }[] }).results[0]?.metrics ?? [];
}
const files = () => readdirSync(join(desk.dataDir, 'imports'));
/** The line says first what became of it; its file goes a moment later. */
const noFiles = () => vi.waitFor(() => expect(files()).toEqual([]));

const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
/** A day in January of so many page views, each by another address, and two lines that are none. */
function accessLog(views: number): Buffer {
  const lines = Array.from({ length: views }, (_, n) => {
    const minute = String(Math.floor((n / views) * 60)).padStart(2, '0');
    return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255} - - [05/Jan/2026:10:${minute}:00 +0000] "GET /page-${n % 50} HTTP/1.1" 200 512 "https://news.example/a" "${agent}"`;
  });
  lines.splice(
    3,
    0,
    'no line of a log',
    `10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] "GET /a.css HTTP/1.1" 200 5 "-" "${agent}"`,
  );
  return Buffer.from(`${lines.join('\n')}\n`);
}

it('a file is sent in parts, one of them again, checked, imported, asked about, and undone whole, unless a hold keeps it (RET-21)', async () => {
  const site = 'log.example';
  const views = 20_000;
  const file = accessLog(views);
  const parts = Math.ceil(file.length / partBytes);
  expect(parts).toBeGreaterThan(2);
  const before = await ask(site, ['visits', 'pageviews']);
  const { id } = await begin(site, 'access-log', 'access.log', file.length);

  expect(await sendPart(site, id, 1, partOf(file, 1))).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining('Part 0 is to come next') } },
  });
  expect(await sendPart(site, id, 0, file.subarray(0, 100))).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('100 came') } },
  });
  expect((await sendPart(site, id, 0, partOf(file, 0))).body).toMatchObject({ received: partBytes, next_part: 1 });
  expect((await desk.call('POST', calls(site, `/${id}/check`))).status).toBe(409);
  await sendPart(site, id, 1, partOf(file, 1));
  // The line was lost before the answer came, and both are sent again.
  await Promise.all([sendPart(site, id, 1, partOf(file, 1)), sendPart(site, id, 1, partOf(file, 1))]);
  expect((await list(site))[0]).toMatchObject({ state: 'uploading', received: 2 * partBytes, next_part: 2 });
  for (let part = 2; part < parts; part++) await sendPart(site, id, part, partOf(file, part));
  expect((await list(site))[0]).toMatchObject({ received: file.length, next_part: null });

  // What lies on the disk is sealed, and private.
  expect(files()).toEqual([String(id)]);
  const path = join(desk.dataDir, 'imports', String(id));
  expect([statSync(path).mode & 0o777, statSync(join(desk.dataDir, 'imports')).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(readFileSync(path).includes('10.0.0.1')).toBe(false);
  expect(readFileSync(path).includes('GET /')).toBe(false);
  expect(findUndeclared([`imports/${id}`], importFiles)).toEqual([]);

  const ready = await step(site, id, 'check');
  expect(ready).toMatchObject({
    state: 'ready',
    report: {
      ...{ rows: views + 2, stored: views, pageviews: views },
      days: { days: 1, first_day: '2026-01-05', last_day: '2026-01-05' },
      overlap: null,
      refused: [
        { reason: 'not_a_log_line', rows: 1, lines: [4] },
        { reason: 'not_a_page_view', rows: 1, lines: [5] },
      ],
    },
  });
  expect(await ask(site, ['visits', 'pageviews'])).toEqual(before);

  const done = await step(site, id, 'start');
  expect(done).toMatchObject({
    state: 'done',
    rows_stored: views,
    rows_dropped: 2,
    started_by: null,
    expires_at: null,
  });
  await noFiles();
  expect(await ask(site, ['visits', 'pageviews'])).toEqual([ready.report?.visits, views]);

  // A legal hold keeps what came by it, row by row, until it is released (R9).
  const { postgres } = desk.server.desk.house;
  const inDays = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10);
  const wish = { scope: 'site', of: site, reason: 'Claim 4', owner: 'Legal', review_on: inDays } as const;
  const by = { personId: 1, nowMs: Date.now() };
  const hold = await postgres.tenant(1, (sql) => placeHold(sql, 1, wish, by));
  expect((await desk.call('DELETE', calls(site, `/${id}`))).status).toBe(409);
  expect(await ask(site, ['visits', 'pageviews'])).toEqual([ready.report?.visits, views]);
  await postgres.tenant(1, (sql) => releaseHold(sql, hold.id, { reason: 'settled', ...by }));

  const undo = await desk.call('DELETE', calls(site, `/${id}`));
  expect([undo.status, undo.body]).toEqual([202, expect.objectContaining({ state: 'undoing' })]);
  await until(site, id, ({ state }) => state === 'undone');
  expect(await ask(site, ['visits', 'pageviews'])).toEqual(before);
  expect(await desk.rows("SELECT count() AS n FROM events WHERE name = 'pageview'")).toEqual([{ n: '0' }]);
  const again = await desk.call('DELETE', calls(site, `/${id}`));
  expect([again.status, again.body]).toMatchObject([409, { error: { message: expect.stringContaining('already') } }]);
  const acts = await desk.server.desk.house.postgres.tenant(1, (sql) =>
    sql.query("SELECT action, actor_type FROM audit.entries WHERE action LIKE 'import.%' ORDER BY seq"),
  );
  expect(acts).toEqual(['import.started', 'import.undone'].map((action) => ({ action, actor_type: 'key' })));
});

/** Two days of one table, and a file beside it so large that the list of the archive lies in another part. */
const archive = zipOf([
  { name: 'notes.txt', text: Buffer.alloc(partBytes + 1_000, 'x'), method: 0 },
  {
    name: 'imported_visitors_20260110_20260111.csv',
    text: 'date,visitors,pageviews,bounces,visits,visit_duration\n2026-01-10,10,40,3,12,600\n2026-01-11,20,60,5,25,1000\n2026-01-12,x,1,1,1,1\n',
  },
]);

it('an archive is read where it lies, also across its parts; its days are in the numbers and go again', async () => {
  const site = 'shop.example';
  const id = await sendWhole(site, 'plausible', 'export.zip', archive);
  const ready = await step(site, id, 'check');
  expect(ready.report).toMatchObject({
    ...{ stored: 2, visitors: 30, visits: 37, pageviews: 100, not_understood: ['notes.txt'] },
    days: { days: 2, first_day: '2026-01-10', last_day: '2026-01-11' },
    tables: [{ name: 'visitors', rows: 2, days: 2 }],
    refused: [{ reason: 'no_number', rows: 1, lines: ['imported_visitors:4'] }],
  });
  await step(site, id, 'start');
  expect(await ask(site, ['visitors', 'visits', 'pageviews'])).toEqual([30, 37, 100]);

  // The same days a second time: the check says so, and there is nothing to start.
  const second = await sendWhole(site, 'plausible', 'export.zip', archive);
  const overlap = await step(site, second, 'check');
  expect(overlap.report).toMatchObject({
    stored: 0,
    overlap: { days: 2, first_day: '2026-01-10', last_day: '2026-01-11' },
  });
  const refused = await desk.call('POST', calls(site, `/${second}/start`));
  expect([refused.status, refused.body]).toMatchObject([
    409,
    { error: { message: expect.stringContaining('No row') } },
  ]);
  expect((await desk.call('DELETE', calls(site, `/${second}`))).status).toBe(204);
  expect((await list(site)).map((one) => one.id)).toEqual([id]);

  expect((await desk.call('DELETE', calls(site, `/${id}`))).status).toBe(202);
  await until(site, id, ({ state }) => state === 'undone');
  expect(await ask(site, ['visitors', 'visits', 'pageviews'])).toEqual([0, 0, 0]);
});

it('hostile files are refused in a sentence, and nothing of them stays', async () => {
  const site = 'bad.example';
  const bomb = zipOf([
    { name: 'imported_visitors_20260101_20260102.csv', text: `date,visitors\n${'0'.repeat(30_000_000)}\n` },
  ]);
  const cases: [string, Buffer, RegExp][] = [
    ['plausible', archive.subarray(0, archive.length - 40), /no whole ZIP/],
    ['plausible', bomb, /expands to more than/],
    ['plausible', zipOf([{ name: '../../etc/passwd', text: 'root' }]), /none of the ten tables/],
    ['umami', zipOf([{ name: 'other.csv', text: 'a' }]), /website_event/],
    ['ga4', Buffer.from('a,b\n1,2\n'), /no column "Date"/],
  ];
  for (const [kind, file, sentence] of cases) {
    const id = await sendWhole(site, kind, `${kind}.file`, file);
    const failed = await step(site, id, 'check');
    expect([failed.state, failed.failure]).toEqual(['failed', expect.stringMatching(sentence)]);
    await noFiles();
    expect((await desk.call('DELETE', calls(site, `/${id}`))).status).toBe(204);
  }
  // Bytes that are no text, and a line without an end: counted, not stored.
  const odd = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00, 0x0a]), Buffer.from(`${'x'.repeat(200_000)}\n`)]);
  const id = await sendWhole(site, 'access-log', 'odd.log', odd);
  expect(await step(site, id, 'check')).toMatchObject({
    state: 'ready',
    report: { stored: 0, refused: expect.arrayContaining([{ reason: 'line_too_long', rows: 1, lines: [2] }]) },
  });
  await desk.call('DELETE', calls(site, `/${id}`));
  expect(await list(site)).toEqual([]);
});

it('limits are said before anything is sent', async () => {
  const site = 'busy.example';
  const large = await desk.call('POST', calls(site), {
    kind: 'ga4',
    name: 'a.csv',
    size: uploadLimits.fileBytesMax + 1,
  });
  expect([large.status, large.body]).toMatchObject([
    400,
    { error: { field: 'size', message: expect.stringContaining('4 GiB') } },
  ]);
  const { id } = await begin(site, 'ga4', 'a.csv', 10);
  const other = await desk.call('POST', calls(site), { kind: 'ga4', name: 'b.csv', size: 10 });
  expect([other.status, other.body]).toMatchObject([
    409,
    { error: { message: expect.stringContaining('not finished') } },
  ]);
  const tooLong = await sendPart(site, id, 0, Buffer.alloc(partBytes + 1));
  expect(tooLong.status).toBe(413);
  expect((await desk.call('DELETE', calls(site, `/${id}`))).status).toBe(204);
  expect((await sendPart(site, id, 0, Buffer.alloc(10))).status).toBe(404);
  await noFiles();
});

it('an import that is cancelled in its middle leaves nothing, and events come in meanwhile', async () => {
  const site = 'busy.example';
  const id = await sendWhole(site, 'access-log', 'access.log', accessLog(30_000));
  await step(site, id, 'check');
  await desk.call('POST', calls(site, `/${id}/start`));
  const running = await until(site, id, ({ progress }) => progress !== null && progress > 0.05);
  expect(running.state).toBe('running');
  expect((await desk.collect({ n: 'pageview', u: `https://${site}/`, d: site })).status).toBe(202);
  expect((await desk.call('DELETE', calls(site, `/${id}`))).status).toBe(202);
  await until(site, id, ({ state }) => state === 'undone');
  expect(await desk.rows('SELECT count() AS n FROM events WHERE import_id > 0')).toEqual([{ n: '0' }]);
  await noFiles();
});

it('a restart keeps what was sent, and goes on with what was asked for', async () => {
  const site = 'old.example';
  const file = accessLog(20_000);
  const { id } = await begin(site, 'access-log', 'access.log', file.length);
  await sendPart(site, id, 0, partOf(file, 0));
  await desk.restart();
  expect((await list(site))[0]).toMatchObject({ id, state: 'uploading', next_part: 1 });
  for (let part = 1; part * partBytes < file.length; part++) await sendPart(site, id, part, partOf(file, part));
  await step(site, id, 'check');
  await desk.call('POST', calls(site, `/${id}/start`));
  await until(site, id, ({ progress }) => progress !== null && progress > 0.1);
  await desk.restart();
  const done = await until(site, id, ({ state }) => state === 'done');
  expect(done.rows_stored).toBe(20_000);
  expect(await ask(site, ['pageviews'])).toEqual([20_000]);
  expect(await desk.rows(`SELECT count() AS n FROM events WHERE import_id = ${id}`)).toEqual([{ n: '20000' }]);
});

it('what nobody goes on with for seven days is given up, and so is what ended its desk five times; whoever sent it is told', async () => {
  const file = accessLog(20);
  const [left, fatal, unlucky] = ['shop.example', 'log.example', 'bad.example'] as const;
  const ids = {
    [left]: await sendWhole(left, 'access-log', 'access.log', file),
    [fatal]: await sendWhole(fatal, 'access-log', 'access.log', file),
    [unlucky]: await sendWhole(unlucky, 'access-log', 'access.log', file),
  };
  for (const site of [fatal, unlucky] as const) expect((await step(site, ids[site], 'check')).state).toBe('ready');
  // Seven days go by, and a desk that ended in the middle finds its import as it left it.
  await desk.server.desk.house.postgres.tenant(1, async (sql) => {
    await sql.run("UPDATE imports SET expires_at = expires_at - interval '7 days' WHERE id = $1", [ids[left]]);
    const begun = "UPDATE imports SET state = 'running', tries = $2 WHERE id = $1";
    await sql.run(begun, [ids[fatal], 5]);
    await sql.run(begun, [ids[unlucky], 4]);
    await sql.run(
      "UPDATE imports SET created_by = (SELECT min(id) FROM people) WHERE state IN ('running', 'uploading')",
    );
  });
  await desk.restart();
  const ended = ({ state }: SiteImport) => state === 'failed' || state === 'done';
  expect(await until(left, ids[left], ended)).toMatchObject({
    state: 'failed',
    failure: expect.stringMatching(/^Nobody went on with it within 7 days/),
    expires_at: null,
  });
  expect(await until(fatal, ids[fatal], ended)).toMatchObject({
    state: 'failed',
    failure: expect.stringMatching(/^The desk ended 5 times in the middle of it/),
    rows_stored: 0,
  });
  expect(await until(unlucky, ids[unlucky], ended)).toMatchObject({ state: 'done', rows_stored: 20 });
  expect(
    await desk.rows(`SELECT DISTINCT import_id FROM events WHERE import_id IN (${Object.values(ids).join(', ')})`),
  ).toEqual([{ import_id: ids[unlucky] }]);
  await noFiles();
  expect((await desk.call('POST', calls(left, `/${ids[left]}/check`))).status).toBe(409);
  const cookie = await desk.signIn();
  const told = await desk.raw({ method: 'GET', path: '/api/notifications', headers: { cookie } });
  const { notifications } = JSON.parse(told.text) as { notifications: { sentence: string; link: string }[] };
  expect(notifications.map(({ sentence, link }) => `${link} ${sentence}`).sort()).toEqual([
    expect.stringMatching(/^\/s\/bad\.example\/imports The import into bad\.example is done\.$/),
    expect.stringMatching(/^\/s\/log\.example\/imports The import into log\.example failed\. The desk ended 5 times/),
    expect.stringMatching(/^\/s\/shop\.example\/imports The import into shop\.example failed\. Nobody went on with it/),
  ]);
});
