import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { Session } from 'chdb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { SiteExport, SiteExports } from '../../contract/exports.ts';
import { exportFiles } from '../../src/analytics/exports/file_classes.ts';
import { openExportRecords } from '../../src/analytics/exports/records.ts';
import { type Sealed, sealedForm } from '../../src/analytics/exports/sealed_file.ts';
import type { WindowAsk } from '../../src/platform/executor.ts';
import { findUndeclared } from '../../src/trust/classes/index.ts';
import { clockExecutors } from '../../src/trust/windows/clocks.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Everything of a site can be taken away over HTTP: begun, watched, fetched in parts, deleted. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let desk: TestDesk;
const dayMs = 86_400_000;
const days = 7;
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
  expect(await list('other.example')).toEqual({ exports: [], span: null, warehouse_away: false });
  const refused = await desk.call('POST', '/api/sites/other.example/exports', { format: 'ndjson' });
  expect([refused.status, refused.body]).toMatchObject([409, { error: { code: 'conflict' } }]);
});

it('an export runs to its end, and its file has what the command writes', async () => {
  expect((await list()).span).toEqual({ first_day: firstDay, last_day: lastDay });
  const { id } = await begin('ndjson');
  const acts = await desk.server.desk.house.postgres.tenant(1, (sql) =>
    sql.query("SELECT actor_type, outcome FROM audit.entries WHERE action = 'export.started'"),
  );
  expect(acts).toEqual([{ actor_type: 'key', outcome: 'done' }]);
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

it('a download that broke off goes on where it was', async () => {
  const [{ id, bytes: size } = { id: 0, bytes: 0 }] = (await list()).exports;
  const whole = (await fetchFile(id)).bytes;
  const first = await fetchFile(id, { range: 'bytes=0-999' });
  expect([first.status, first.headers.get('content-range')]).toEqual([206, `bytes 0-999/${size}`]);
  const modified = first.headers.get('last-modified') ?? '';
  const rest = await fetchFile(id, { range: 'bytes=1000-', 'if-range': modified });
  expect([rest.status, rest.headers.get('content-length')]).toEqual([206, String(size - 1000)]);
  expect(Buffer.concat([first.bytes, rest.bytes]).equals(whole)).toBe(true);
  expect((await fetchFile(id, { range: 'bytes=-10' })).bytes.equals(whole.subarray(-10))).toBe(true);
  // Another file than the one that was begun, several ranges at once, and no range at all: the whole file.
  const other = { range: 'bytes=1000-', 'if-range': new Date(0).toUTCString() };
  for (const headers of [other, { range: 'bytes=0-1,5-6' }, { range: 'lines=1-2' }, { range: 'bytes=9-1' }]) {
    const answer = await fetchFile(id, headers as Record<string, string>);
    expect([answer.status, answer.bytes.equals(whole)], JSON.stringify(headers)).toEqual([200, true]);
  }
  const behind = await fetchFile(id, { range: `bytes=${size}-` });
  expect([behind.status, behind.headers.get('content-range')]).toEqual([416, `bytes */${size}`]);
  const head = await desk.raw({
    ...{ method: 'HEAD', path: `/api/sites/shop.example/exports/${id}/file` },
    headers: { authorization: `Bearer ${desk.key}` },
  });
  expect([head.status, head.headers['content-length'], head.text]).toEqual([200, String(size), '']);
});

it('Parquet has the rows and columns of the lines, and nothing that says who made an event', async () => {
  const lines = (await fetchFile((await list()).exports[0]?.id ?? 0)).bytes.toString().trimEnd().split('\n');
  const { id } = await begin('parquet');
  expect(await finished(id)).toMatchObject({ state: 'done', rows: days * 7 });
  const names = unzip((await fetchFile(id)).bytes, join(desk.dataDir, 'unzipped'));
  expect(names).toHaveLength(days);
  expect(names[0]).toBe(`events_${firstDay.replaceAll('-', '')}.parquet`);
  // A process has one engine, over one folder; the files are read from outside of its tables.
  const reader = new Session(join(desk.dataDir, 'warehouse'));
  try {
    const ask = <T>(sql: string) =>
      String(reader.query(sql, 'JSONEachRow'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as T);
    const files = `file('${join(desk.dataDir, 'unzipped')}/events_*.parquet', Parquet)`;
    const columns = ask<{ name: string; type: string }>(`DESCRIBE ${files}`);
    expect(columns.map(({ name }) => name).filter((name) => /_id$|^ip$|agent|contact|itude|key/.test(name))).toEqual([
      'click_id',
    ]);
    expect(Object.fromEntries(columns.map(({ name, type }) => [name, type]))).toMatchObject({
      time: "DateTime64(3, 'UTC')",
      props: 'Map(String, String)',
      revenue_amount: 'Nullable(Decimal(18, 3))',
      engagement_ms: 'Nullable(UInt32)',
    });
    const rows = ask<Record<string, unknown>>(`SELECT * FROM ${files} ORDER BY time`);
    const asLine = ({ time, props, revenue_amount, revenue_currency, ...row }: Record<string, unknown>) => ({
      time: `${String(time).replace(' ', 'T')}Z`,
      ...Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)),
      ...(Object.keys(props as object).length === 0 ? {} : { props }),
      ...(revenue_currency === null ? {} : { revenue: { amount: revenue_amount, currency: revenue_currency } }),
    });
    expect(rows.map(asLine)).toEqual(lines.map((line) => JSON.parse(line)));
  } finally {
    reader.close();
  }
});

it('the tables of days are the archive that an import takes', async () => {
  const { id } = await begin('plausible');
  expect(await finished(id)).toMatchObject({ state: 'done', days_done: days });
  const folder = join(desk.dataDir, 'tables');
  const names = unzip((await fetchFile(id)).bytes, folder);
  expect(names).toHaveLength(10);
  const events = readFileSync(join(folder, names.find((name) => name.includes('custom_events')) ?? ''), 'utf8');
  expect(events.match(/,'=SUM\(A1\),/g)).toHaveLength(days);
});

it('the days that are named are written, and no others', async () => {
  const post = (body: object) => desk.call('POST', '/api/sites/shop.example/exports', { format: 'ndjson', ...body });
  const third = isoDay(Date.parse(firstDay) + 2 * dayMs);
  const { status, body } = await post({ from: firstDay, to: third });
  expect([status, body]).toEqual([201, expect.objectContaining({ first_day: firstDay, last_day: third, days: 3 })]);
  const { id } = body as unknown as SiteExport;
  await finished(id);
  const lines = (await fetchFile(id)).bytes.toString().trim().split('\n');
  expect([...new Set(lines.map((line) => (JSON.parse(line) as { time: string }).time.slice(0, 10)))].sort()).toEqual(
    [0, 1, 2].map((day) => isoDay(Date.parse(firstDay) + day * dayMs)),
  );
  await desk.call('DELETE', `/api/sites/shop.example/exports/${id}`);
  // Earlier than anything is from the first; today is not over.
  const refused: [object, string][] = [
    [{ from: 'soon' }, 'from'],
    [{ to: isoDay(Date.now()) }, 'to'],
    [{ from: lastDay, to: firstDay }, 'to'],
    [{ from: isoDay(Date.now() + dayMs) }, 'from'],
    [{ from: '2020-01-01', to: '2020-02-01' }, 'to'],
  ];
  for (const [asked, field] of refused)
    expect([asked, await post(asked)]).toEqual([
      asked,
      { status: 400, body: { error: expect.objectContaining({ field }) } },
    ]);
});

it('a stop in the middle goes on behind its last whole day, and what was cancelled leaves nothing', async () => {
  const { id } = await begin('plausible');
  await vi.waitFor(
    async () => expect((await list()).exports.find((one) => one.id === id)?.days_done).toBeGreaterThan(0),
    { timeout: 30_000, interval: 5 },
  );
  await desk.restart();
  const note = readFileSync(join(desk.dataDir, 'exports', `${id}.part`, 'note.json'));
  const records = openExportRecords({ ...desk.server.desk.house, notices: { tell: async () => {} } });
  const form = sealedForm((await records.fileOf(1, id)) as Sealed, desk.server.desk.house.random);
  expect(note.includes('shop.example')).toBe(false);
  expect(JSON.parse(form.opened(note).toString())).toMatchObject({
    format: 'plausible',
    from: firstDay,
    to: lastDay,
    done: expect.stringMatching(/^\d/),
  });
  const done = await finished(id);
  expect(done).toMatchObject({ state: 'done', days_done: days });
  // Byte for byte what the one that was not stopped has.
  const earlier = (await list()).exports.find((one) => one.format === 'plausible' && one.id !== id);
  expect((await fetchFile(id)).bytes.equals((await fetchFile(earlier?.id ?? 0)).bytes)).toBe(true);

  const second = await begin('ndjson');
  const twice = await desk.call('POST', '/api/sites/shop.example/exports', { format: 'ndjson' });
  expect([twice.status, twice.body]).toMatchObject([409, { error: { message: expect.stringContaining('already') } }]);
  expect((await fetchFile(second.id)).status).toBe(409);
  expect((await desk.call('DELETE', `/api/sites/shop.example/exports/${second.id}`)).status).toBe(204);
  expect((await desk.call('DELETE', `/api/sites/shop.example/exports/${id}`)).status).toBe(204);
  expect((await fetchFile(id)).status).toBe(404);
  expect((await desk.call('DELETE', `/api/sites/other.example/exports/${earlier?.id}`)).status).toBe(404);
  const left = (await list()).exports.map((one) => String(one.id));
  expect(left).not.toContain(String(second.id));
  await vi.waitFor(() => expect(readdirSync(join(desk.dataDir, 'exports')).sort()).toEqual(left.sort()), 20_000);
});

it('what a legal hold keeps stays: a file past its seven days, a goal, a note; released, it goes (RET-12, RET-21)', async () => {
  const { postgres, config } = desk.server.desk.house;
  const cookie = await desk.signIn();
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { cookie, 'content-type': 'application/json' };
    const asked = { method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const { status, text } = await desk.raw(asked);
    return { status, body: text === '' ? {} : JSON.parse(text) };
  };
  const at = '/api/sites/shop.example';
  const note = (await ask('POST', `${at}/annotations`, { day: lastDay, note: 'A sale' })).body.id;
  const goal = (await ask('POST', `${at}/goals`, { name: 'Sold', kind: 'page', match: '/p-1' })).body;
  const records = openExportRecords({ ...desk.server.desk.house, notices: { tell: async () => {} } });
  const [other, one] = (await list()).exports.slice(-2) as [SiteExport, SiteExport];
  const past = (id: number, days: number) =>
    postgres.tenant(1, (sql) =>
      sql.run('UPDATE exports SET expires_at = $2 WHERE id = $1', [id, new Date(Date.now() - days * dayMs)]),
    );
  const place = (scope: string, of?: string) =>
    ask('POST', '/api/organisations/1/holds', {
      ...{ scope, of, reason: 'Claim 3', owner: 'Legal', review_on: isoDay(Date.now() + 9 * dayMs) },
    });
  const file = join(desk.dataDir, 'exports', String(one.id));
  for (const [scope, of] of [
    ['class', 'D3'],
    ['site', 'shop.example'],
  ] as const) {
    const { id: hold } = (await place(scope, of)).body;
    await past(one.id, 1);
    expect([...(await records.sweep()).keys()]).toContain(one.id);
    const refused = await ask('DELETE', `${at}/exports/${one.id}`);
    expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringContaining(`legal hold ${hold}`)]);
    if (scope === 'site')
      for (const path of [`${at}/annotations/${note}`, `${at}/goals/${goal.id}`])
        expect((await ask('DELETE', path)).status, path).toBe(409);
    // The night sees that it stays for the hold, and is not forgotten.
    const night = clockExecutors({ postgres, config }).find(({ line }) => line === 'exports');
    const due = await night?.due({ organisationId: null, nowMs: Date.now() + 8 * dayMs } as WindowAsk);
    expect(due?.map(({ isHeld }) => isHeld)).toEqual([true]);
    await ask('PUT', `/api/organisations/1/holds/${hold}/release`, { reason: 'settled' });
  }
  // A hold on another site keeps nothing of this one.
  const { id: elsewhere } = (await place('site', 'other.example')).body;
  await past(other.id, 1);
  expect(existsSync(file)).toBe(true);
  const left = await records.sweep();
  expect([left.has(one.id), left.has(other.id)]).toEqual([false, false]);
  await ask('PUT', `/api/organisations/1/holds/${elsewhere}/release`, { reason: 'settled' });
  expect((await ask('DELETE', `${at}/annotations/${note}`)).status).toBe(204);
  expect((await ask('DELETE', `${at}/goals/${goal.id}`)).status).toBe(200);
});

it('after seven days the file and its line are gone; whoever asked for an export hears of its end and of its failure', async () => {
  const [one] = (await list()).exports;
  const { postgres } = desk.server.desk.house;
  const file = join(desk.dataDir, 'exports', String(one?.id));
  expect(existsSync(file)).toBe(true);
  await postgres.tenant(1, (sql) =>
    sql.run("UPDATE exports SET expires_at = expires_at - interval '7 days' WHERE id = $1", [one?.id]),
  );
  const cookie = await desk.signIn();
  const asOwner = async (method: string, path: string, body?: string) => {
    const headers = { cookie, 'content-type': 'application/json' };
    const answer = await desk.raw({ method, path, headers, ...(body === undefined ? {} : { body }) });
    return JSON.parse(answer.text);
  };
  const { started_by } = await asOwner('POST', '/api/sites/shop.example/exports', '{"format":"ndjson"}');
  await postgres.tenant(1, (sql) =>
    // A zone that no calendar has: a fault in the middle of the writing.
    sql.run(
      `INSERT INTO exports (organisation_id, site_id, format, state, timezone, first_day, last_day, created_by, created_at)
       SELECT organisation_id, id, 'plausible', 'waiting', 'No/Where', $1, $2, $3, now() FROM sites WHERE domain = 'shop.example'`,
      [firstDay, lastDay, started_by],
    ),
  );
  await desk.restart();
  await vi.waitFor(() => expect(existsSync(file)).toBe(false), { timeout: 20_000, interval: 50 });
  expect((await list()).exports.map(({ id }) => id)).not.toContain(one?.id);
  await vi.waitFor(
    async () => {
      const { notifications } = await asOwner('GET', '/api/notifications');
      expect(notifications).toMatchObject([
        { kind: 'exports', sentence: expect.stringMatching(/^The export of shop\.example failed\. .+/) },
        { sentence: 'The export of shop.example is ready. Its file is kept for 7 days.', organisation: 'Shop' },
      ]);
      expect(notifications[0].link).toBe('/s/shop.example/exports');
    },
    { timeout: 20_000, interval: 100 },
  );
  const { mail } = await asOwner('GET', '/api/mail/sent');
  expect(mail.map(({ template }: { template: string }) => template)).toEqual(['notice_exports', 'notice_exports']);
});

/** Unpacks an archive into a folder. @returns the names of its members, in their order */
function unzip(archive: Buffer, folder: string): string[] {
  mkdirSync(folder);
  const names: string[] = [];
  for (let at = archive.readUInt32LE(archive.length - 6); archive.readUInt32LE(at) === 0x0201_4b50; ) {
    const [method, packed, nameBytes] = [
      archive.readUInt16LE(at + 10),
      archive.readUInt32LE(at + 20),
      archive.readUInt16LE(at + 28),
    ];
    const head = archive.readUInt32LE(at + 42);
    const name = archive.toString('utf8', at + 46, at + 46 + nameBytes);
    const content = archive.subarray(head + 30 + nameBytes, head + 30 + nameBytes + packed);
    writeFileSync(join(folder, name), method === 0 ? content : inflateRawSync(content));
    names.push(name);
    at += 46 + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return names;
}
