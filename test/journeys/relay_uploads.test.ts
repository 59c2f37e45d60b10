import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { relayUploadLimits } from '../../contract/relay.ts';
import type { RelayUpload, UploadPreview } from '../../contract/relay_uploads.ts';
import { xlsxOf } from '../../src/platform/files/xlsx_rig.ts';
import { relayUploadFiles } from '../../src/relay/uploads/files.ts';
import { findUndeclared } from '../../src/trust/classes/index.ts';
import { isDeep } from '../depth.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Offline conversions come as files, over HTTP, and what is in the database afterwards is looked at. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 180_000 });

let desk: TestDesk;
let organisation: number;
const { partBytes } = relayUploadLimits;

beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
  const [row] = await desk.server.desk.house.postgres.system((sql) =>
    sql.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  organisation = Number(row?.organisation_id);
});
afterAll(() => desk?.close());

const relay = () => `/api/organisations/${organisation}/relay`;
async function newSource(mapping?: object, more: object = {}): Promise<number> {
  const { status, body } = await desk.call('POST', `${relay()}/sources`, {
    name: 'Offline sales',
    kind: 'upload',
    ...more,
  });
  expect([status, body]).toEqual([201, expect.anything()]);
  const { id } = body.source as { id: number };
  if (mapping !== undefined) await saveMapping(id, mapping, 0);
  return id;
}
async function saveMapping(source: number, mapping: object, after: number) {
  const { status, body } = await desk.call('POST', `${relay()}/sources/${source}/mappings`, { mapping, after });
  expect([status, body]).toEqual([201, expect.anything()]);
}
const of = (source: number, rest = '') => `${relay()}/sources/${source}/uploads${rest}`;
async function sendPart(source: number, id: number, part: number, bytes: Buffer) {
  const answer = await desk.raw({
    ...{ method: 'PUT', path: of(source, `/${id}/parts/${part}`), body: bytes },
    headers: { authorization: `Bearer ${desk.key}`, 'content-type': 'application/octet-stream' },
  });
  return { status: answer.status, body: JSON.parse(answer.text) as RelayUpload & { error?: { message: string } } };
}
async function send(source: number, name: string, file: Buffer): Promise<RelayUpload> {
  const made = await desk.call('POST', of(source), { name, size: file.length });
  expect([made.status, made.body]).toEqual([201, expect.objectContaining({ state: 'uploading', next_part: 0 })]);
  const { id } = made.body as unknown as RelayUpload;
  let last: RelayUpload | undefined;
  for (let part = 0; part * partBytes < file.length; part++) {
    const { status, body } = await sendPart(source, id, part, file.subarray(part * partBytes, (part + 1) * partBytes));
    expect([status, body]).toEqual([200, expect.anything()]);
    last = body;
  }
  return last as RelayUpload;
}
async function until(source: number, id: number, isSo: (one: RelayUpload) => boolean): Promise<RelayUpload> {
  return vi.waitFor(
    async () => {
      const { body } = await desk.call('GET', of(source, `/${id}`));
      const found = body as unknown as RelayUpload;
      expect(isSo(found), JSON.stringify(found)).toBe(true);
      return found;
    },
    { timeout: 120_000, interval: 50 },
  );
}
async function step(source: number, id: number, what: 'check' | 'start'): Promise<RelayUpload> {
  const { status, body } = await desk.call('POST', of(source, `/${id}/${what}`), what === 'check' ? {} : undefined);
  expect([status, body]).toEqual([202, expect.objectContaining({ id })]);
  return until(source, id, ({ state }) => !['checking', 'running'].includes(state));
}
async function takeAll(source: number, name: string, file: Buffer): Promise<RelayUpload> {
  const { id } = await send(source, name, file);
  await step(source, id, 'check');
  return step(source, id, 'start');
}
const rows = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
  desk.server.desk.house.postgres.tenant(organisation, (sql) => sql.query<Row>(text, values));
async function conversionsOf(source: number): Promise<number> {
  const [row] = await rows<{ n: number }>('SELECT count(*)::int AS n FROM relay_conversions WHERE source_id = $1', [
    source,
  ]);
  return row?.n as number;
}
const files = () => readdirSync(join(desk.dataDir, 'relay_uploads'));
const noFiles = () => vi.waitFor(() => expect(files()).toEqual([]), { timeout: 10_000 });

const shop = {
  fields: {
    event_name: { default: 'purchase' },
    occurred_at: { path: 'Datum', apply: [{ date: { timezone: 'Europe/Berlin', order: 'dmy' } }] },
    order_id: 'Bestellung',
    value: { path: 'Betrag', apply: [{ number: { decimal: ',' } }] },
    currency: { default: 'EUR' },
    'user.email': 'E-Mail',
  },
};
const head = 'Bestellung;Datum;Betrag;E-Mail';
/** So many orders, each hundredth of them with an amount that is none. */
function orders(count: number, from = 0): Buffer {
  const lines = Array.from({ length: count }, (_, n) => {
    const order = from + n;
    const day = String(1 + (order % 28)).padStart(2, '0');
    const amount = order % 100 === 99 ? '12,5O' : `${order % 900},50`;
    return `B-${order};${day}.10.2026 09:15;${amount};canary${order}@person.example`;
  });
  return Buffer.from(`\ufeff${head}\r\n${lines.join('\r\n')}\r\n`);
}

/** A deep run takes as many as are promised: 50,000 rows three times took two and a half minutes on two busy cores. */
const many = isDeep ? 50_000 : 10_000;
const good = (many / 100) * 99;

it('a long file, one row in a hundred of it wrong: sent, checked, taken once; the same file and an overlapping one add nothing', async () => {
  const source = await newSource(shop);
  const file = orders(many);
  const { id, ...sent } = await send(source, 'orders.csv', file);
  expect(sent).toMatchObject({
    state: 'uploaded',
    format: { kind: 'csv', encoding: 'utf-8', separator: ';' },
    ...{ next_part: null, received: file.length, same_file_as: null },
  });

  // What lies on the disk is sealed, and private.
  expect(files()).toEqual([String(id)]);
  const path = join(desk.dataDir, 'relay_uploads', String(id));
  expect([statSync(path).mode & 0o777, statSync(join(desk.dataDir, 'relay_uploads')).mode & 0o777]).toEqual([
    0o600, 0o700,
  ]);
  expect(readFileSync(path).includes('canary7@')).toBe(false);
  expect(findUndeclared([`relay_uploads/${id}`], relayUploadFiles)).toEqual([]);

  const checked = await step(source, id, 'check');
  expect(checked.report).toMatchObject({
    ...{ rows: many, fresh: good, known: 0, repeated: 0, wrong: many / 100, ignored: 0, incomplete: 0 },
    identities: { order: good, event: 0, words: 0 },
    events: [{ name: 'purchase', count: good }],
    ...{ first_at: '2026-10-01T07:15:00.000Z', last_at: '2026-10-28T08:15:00.000Z' },
    problems: [{ field: 'value', reason: 'invalid', rows: many / 100, first_rows: expect.arrayContaining([101, 201]) }],
    ...{ unused_columns: [], missing_columns: [] },
  });
  expect(await conversionsOf(source)).toBe(0);

  const done = await step(source, id, 'start');
  expect(done).toMatchObject({
    state: 'done',
    rows: { read: many, fresh: good, doubles: 0, wrong: many / 100, ignored: 0 },
    problems: { listed: many / 100, beyond: 0 },
  });
  expect(await conversionsOf(source)).toBe(good);
  await noFiles();
  const [one] = await rows<Record<string, unknown>>("SELECT * FROM relay_conversions WHERE order_id = 'B-7'");
  expect(one).toMatchObject({
    value: '7.50',
    currency: 'EUR',
    present: ['email'],
    occurred_at: new Date('2026-10-08T07:15:00Z'),
  });

  const errors = await desk.raw({
    method: 'GET',
    path: of(source, `/${id}/errors.csv`),
    headers: { authorization: `Bearer ${desk.key}` },
  });
  expect([errors.status, errors.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
  const lines = errors.text.trimEnd().split('\r\n');
  expect(lines.slice(0, 2)).toEqual(['row,field,reason,what became of it', '101,value,invalid,not taken']);
  expect(lines).toHaveLength(many / 100 + 1);
  expect(errors.text).not.toMatch(/canary|12,5O|@/);

  const again = await send(source, 'orders again.csv', file);
  expect(again.same_file_as).toEqual({ id, file_name: 'orders.csv', mapping_version: 1 });
  expect((await step(source, again.id, 'check')).report).toMatchObject({
    fresh: 0,
    known: good,
    repeated: 0,
    wrong: many / 100,
  });
  expect((await step(source, again.id, 'start')).rows).toEqual({
    read: many,
    fresh: 0,
    doubles: good,
    wrong: many / 100,
    ignored: 0,
  });
  expect(await takeAll(source, 'overlapping.csv', orders(300, many - 100))).toMatchObject({
    rows: { read: 300, fresh: 198, doubles: 99, wrong: 3 },
  });
  expect(await conversionsOf(source)).toBe(good + 198);
});

it('a sheet of the template of Google, with neither order nor event id: the same words are one conversion, also days later', async () => {
  const source = await newSource(undefined, { preset: 'google-ads-file' });
  const columns = [
    'Google Click ID',
    'Conversion Name',
    'Conversion Time',
    'Conversion Value',
    'Conversion Currency',
    'Notes',
  ];
  const sheet = (lines: (string | number | { xml: string })[][]) =>
    xlsxOf({ Offline: [['Parameters:TimeZone=Europe/Berlin'], columns, ...lines] });
  const date = { xml: '<c s="1"><v>46296.5</v></c>' };
  const lines = [
    ['Cj0-a', 'Lead', '10/01/2026 09:15:00', 19.9, 'eur', 'x'],
    ['Cj0-b', 'Lead', date, 5, 'EUR', 'y'],
    // Told twice in the file itself.
    ['Cj0-a', 'Lead', '10/01/2026 09:15:00', 19.9, 'EUR', 'z'],
    ['Cj0-c', 'Lead', '10/01/2026 09:15:00', { xml: '<c t="e"><v>#N/A</v></c>' }, 'EUR', 'z'],
    ['Cj0-d', '', '10/01/2026 09:15:00', 1, 'EUR', ''],
  ];
  const { id } = await send(source, 'offline.xlsx', sheet(lines));
  const preview = (await desk.call('POST', of(source, `/${id}/preview`), {})).body as unknown as UploadPreview;
  expect(preview).toMatchObject({
    ...{ format: { kind: 'xlsx', sheet: 'Offline' }, sheets: ['Offline'], timezone: 'Europe/Berlin' },
    rows: [
      {
        row: 3,
        conversion: {
          event_name: 'Lead',
          occurred_at: '2026-10-01T09:15:00+00:00',
          value: '19.9',
          click_ids: { gclid: 'Cj0-a' },
        },
        problems: [],
      },
      { row: 4, conversion: { occurred_at: '2026-10-01T12:00:00+00:00' } },
      { row: 5 },
      { row: 6, conversion: null, problems: [{ field: 'Conversion Value', reason: 'formula' }] },
      { row: 7, conversion: null, problems: [{ field: 'event_name', reason: 'missing' }] },
    ],
  });
  expect((await step(source, id, 'check')).report).toMatchObject({
    ...{ rows: 5, fresh: 2, known: 0, repeated: 1, wrong: 2, identities: { order: 0, event: 0, words: 3 } },
    unused_columns: ['Notes'],
    missing_columns: expect.arrayContaining(['Order ID', 'GBRAID', 'Email']),
  });
  expect((await step(source, id, 'start')).rows).toEqual({ read: 5, fresh: 2, doubles: 1, wrong: 2, ignored: 0 });
  // As if days had gone by: the window of the same words is none for files.
  await rows("UPDATE relay_identities SET last_at = last_at - interval '40 days'");
  const later = await takeAll(
    source,
    'offline.xlsx',
    sheet([...lines, ['Cj0-e', 'Lead', '10/02/2026 09:15:00', 2, 'EUR', '']]),
  );
  expect(later.rows).toEqual({ read: 6, fresh: 1, doubles: 3, wrong: 2, ignored: 0 });
  expect(await conversionsOf(source)).toBe(3);
});

it('a word for consent that the template of Google has not is a wrong row, and no silence', async () => {
  const source = await newSource(undefined, { preset: 'google-ads-file' });
  const head = 'Google Click ID,Conversion Name,Conversion Time,Ad User Data,Ad Personalization\n';
  const row = (click: string, data: string, personalization: string) =>
    `${click},Lead,10/01/2026 09:15:00,${data},${personalization}\n`;
  const file = `${head}${row('a', 'Granted', 'DENIED')}${row('b', 'No', 'Granted')}${row('c', 'Unspecified', '')}`;
  const { id } = await send(source, 'consent.csv', Buffer.from(file));
  const preview = (await desk.call('POST', of(source, `/${id}/preview`), {})).body as unknown as UploadPreview;
  expect(preview.rows.map(({ conversion, problems }) => [conversion?.consent, problems])).toMatchObject([
    [{ ad_user_data: 'granted', ad_personalization: 'denied' }, []],
    [undefined, [{ field: 'consent.ad_user_data', reason: 'not_in_table' }]],
    [{}, []],
  ]);
  expect((await step(source, id, 'check')).report).toMatchObject({ rows: 3, fresh: 2, wrong: 1 });
  await desk.call('DELETE', of(source, `/${id}`));
});

it('offline events of Meta: persons are hidden in the preview, hashed and sealed in the tables', async () => {
  const source = await newSource(undefined, { preset: 'meta-offline-file' });
  const text =
    'event_time,event_name,email,phone,value,currency,order_id\n1790845200,Purchase,canary@person.example,+4930901820,12.50,EUR,M-1\n2026-10-01T09:15:00Z,Purchase,,,1,EUR,M-2\n';
  const { id } = await send(source, 'meta.csv', Buffer.from(text));
  const seen = await desk.call('POST', of(source, `/${id}/preview`), {});
  expect(JSON.stringify(seen.body)).not.toMatch(/canary|901820/);
  expect(seen.body).toMatchObject({
    rows: [
      {
        conversion: {
          event_name: 'Purchase',
          occurred_at: '2026-10-01T09:00:00Z',
          action_source: 'physical_store',
          user: { email: '••••••@••••••.example' },
        },
      },
      { conversion: { order_id: 'M-2' } },
    ],
  });
  await step(source, id, 'check');
  expect((await step(source, id, 'start')).rows).toMatchObject({ fresh: 2, wrong: 0 });
  const told = await rows<{ present: string[]; raw_sealed: Buffer | null }>(
    'SELECT present, raw_sealed FROM relay_tellings WHERE source_id = $1 ORDER BY cardinality(present) DESC',
    [source],
  );
  expect(told.map(({ present }) => present)).toEqual([['email', 'phone'], []]);
  expect(told[0]?.raw_sealed?.includes('canary')).toBe(false);
});

it('another mapping than the one of the check is checked first; a draft shows in the preview and changes nothing', async () => {
  const source = await newSource();
  const { id } = await send(
    source,
    'a.csv',
    Buffer.from('when,what,mail\n2026-10-01 09:15:00,Sale,a@person.example\n'),
  );
  const check = () => desk.call('POST', of(source, `/${id}/check`), {});
  expect(await check()).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining('no mapping yet') } },
  });
  const mapping = (timezone: string) => ({
    fields: {
      event_name: 'what',
      occurred_at: { path: 'when', apply: [{ date: { timezone } }] },
      'user.email': 'mail',
    },
  });
  const draft = await desk.call('POST', of(source, `/${id}/preview`), { mapping: mapping('America/New_York') });
  expect(draft.body).toMatchObject({
    columns: [
      { name: 'when', path: 'when', samples: ['2026-10-01 09:15:00'] },
      { name: 'what' },
      { name: 'mail', samples: [expect.not.stringContaining('a@person')] },
    ],
    rows: [{ conversion: { occurred_at: '2026-10-01T09:15:00-04:00' } }],
    mapping_problem: null,
  });
  expect((await desk.call('POST', of(source, `/${id}/preview`), { mapping: mapping('Mars/Base') })).body).toMatchObject(
    {
      mapping_problem: { sentence: expect.stringContaining('Mars/Base is no timezone') },
      rows: [{ conversion: null, problems: [] }],
    },
  );
  const other = { kind: 'csv', encoding: 'latin-1', separator: ';' };
  expect((await desk.call('POST', of(source, `/${id}/preview`), { format: other })).body).toMatchObject({
    ...{ format: other, columns: [{ name: 'when,what,mail' }] },
  });
  expect((await desk.call('POST', of(source, `/${id}/start`))).status).toBe(409);
  await saveMapping(source, mapping('Europe/Berlin'), 0);
  expect((await step(source, id, 'check')).report).toMatchObject({ fresh: 1 });
  await saveMapping(source, mapping('America/New_York'), 1);
  const old = (await desk.call('GET', of(source, `/${id}`))).body;
  expect(old).toMatchObject({ state: 'checked', is_mapping_old: true, mapping_version: 1 });
  expect(await desk.call('POST', of(source, `/${id}/start`))).toMatchObject({
    ...{ status: 409, body: { error: { message: expect.stringContaining('Check it again') } } },
  });
  await step(source, id, 'check');
  expect(await step(source, id, 'start')).toMatchObject({ mapping_version: 2, rows: { fresh: 1 } });
  const [one] = await rows<{ mapping_version: number; occurred_at: Date }>(
    'SELECT mapping_version, occurred_at FROM relay_conversions WHERE source_id = $1',
    [source],
  );
  expect(one).toEqual({ mapping_version: 2, occurred_at: new Date('2026-10-01T13:15:00Z') });
});

it('parts come in their order, one upload of a source at a time; what is no table ends in a sentence', async () => {
  const source = await newSource(shop);
  const file = orders(30_000);
  const { id } = (await desk.call('POST', of(source), { name: 'a.csv', size: file.length }))
    .body as unknown as RelayUpload;
  expect(await desk.call('POST', of(source), { name: 'b.csv', size: 10 })).toMatchObject({ status: 409 });
  expect((await sendPart(source, id, 1, file.subarray(partBytes))).body.error?.message).toContain(
    'Part 0 is to come next',
  );
  expect((await sendPart(source, id, 0, file.subarray(0, 9))).body.error?.message).toContain('9 came');
  expect((await sendPart(source, id, 0, file.subarray(0, partBytes))).body).toMatchObject({ next_part: 1 });
  expect((await desk.call('POST', of(source, `/${id}/check`), {})).status).toBe(409);
  expect((await desk.call('DELETE', of(source, `/${id}`))).status).toBe(204);
  await noFiles();
  expect((await desk.call('GET', of(source))).body).toEqual({ uploads: [] });
  const big = { name: 'big.csv', size: relayUploadLimits.fileBytesMax + 1 };
  expect(await desk.call('POST', of(source), big)).toMatchObject({
    ...{ status: 400, body: { error: { field: 'size', message: expect.stringContaining('a file may have 100 MiB') } } },
  });

  const old = await send(source, 'old.xls', Buffer.from('d0cf11e0a1b11ae100000000', 'hex'));
  expect(old).toMatchObject({ state: 'failed', failure: expect.stringContaining('old format') });
  const empty = await send(source, 'empty.csv', Buffer.from('Bestellung;Datum\n'));
  expect((await step(source, empty.id, 'check')).report).toMatchObject({
    rows: 0,
    fresh: 0,
    missing_columns: ['Betrag', 'E-Mail'],
  });
  expect((await desk.call('POST', of(source, `/${empty.id}/start`))).body).toMatchObject({
    error: { message: expect.stringContaining('nothing to take') },
  });
  expect((await desk.call('DELETE', of(source, `/${empty.id}`))).status).toBe(204);
  const bad = await send(source, 'bad.csv', Buffer.from('Müller;b\n1;2\n', 'latin1'));
  const format = { kind: 'csv', encoding: 'utf-8', separator: ';' };
  await desk.call('POST', of(source, `/${bad.id}/check`), { format });
  expect(await until(source, bad.id, ({ state }) => state !== 'checking')).toMatchObject({
    ...{ state: 'failed', failure: expect.stringContaining('is not UTF-8 throughout') },
  });
  await noFiles();
});

it('one that runs is cancelled: what was taken stays, and the rest is taken by the same file later, once', async () => {
  const source = await newSource(shop);
  const file = orders(20_000, 100_000);
  const { id } = await send(source, 'long.csv', file);
  await step(source, id, 'check');
  expect((await desk.call('POST', of(source, `/${id}/start`))).status).toBe(202);
  await until(source, id, ({ rows: { read } }) => read > 0);
  expect((await desk.call('DELETE', of(source, `/${id}`))).status).toBe(202);
  const ended = await until(source, id, ({ state }) => state === 'cancelled');
  await noFiles();
  expect(ended.rows.read).toBeLessThan(20_000);
  expect(await conversionsOf(source)).toBe(ended.rows.fresh);
  const rest = await takeAll(source, 'long.csv', file);
  expect(rest.rows).toEqual({
    read: 20_000,
    fresh: 19_800 - ended.rows.fresh,
    doubles: ended.rows.fresh,
    wrong: 200,
    ignored: 0,
  });
  expect(await conversionsOf(source)).toBe(19_800);
});

it('a file in which the desk ended too often is given up in a sentence; what got on in between counts for nothing', async () => {
  const source = await newSource(shop);
  const tries = async (id: number, to: number) =>
    void (await rows('UPDATE relay_uploads SET tries = $2 WHERE id = $1', [id, to]));
  const triesOf = async (id: number) =>
    (await rows<{ tries: number }>('SELECT tries FROM relay_uploads WHERE id = $1', [id]))[0]?.tries;

  const unread = await send(source, 'unread.csv', orders(10));
  await tries(unread.id, 5);
  expect(await step(source, unread.id, 'check')).toMatchObject({
    ...{ state: 'failed', rows: { read: 0 } },
    failure: expect.stringContaining('The desk ended 5 times while it looked through it'),
  });
  const untaken = await send(source, 'untaken.csv', orders(10));
  await step(source, untaken.id, 'check');
  await tries(untaken.id, 5);
  expect(await step(source, untaken.id, 'start')).toMatchObject({
    ...{ state: 'failed', rows: { read: 0 } },
    failure: expect.stringContaining('The desk ended 5 times while it took its first rows'),
  });
  const taken = await send(source, 'taken.csv', orders(2_000));
  await tries(taken.id, 4);
  await step(source, taken.id, 'check');
  expect(await triesOf(taken.id)).toBe(0);
  await tries(taken.id, 4);
  expect(await step(source, taken.id, 'start')).toMatchObject({ state: 'done', rows: { read: 2_000 } });
  expect(await triesOf(taken.id)).toBe(0);
  await noFiles();
});

it('one that runs is ended by a deletion of everything, and no row of it is stored afterwards', async () => {
  const source = await newSource(shop);
  const { id } = await send(source, 'long.csv', orders(20_000, 200_000));
  await step(source, id, 'check');
  expect((await desk.call('POST', of(source, `/${id}/start`))).status).toBe(202);
  await until(source, id, ({ rows: { read } }) => read > 0);
  expect((await desk.call('POST', `${relay()}/deletions`, { everything: true })).status).toBe(201);
  const ended = await until(source, id, ({ state }) => !['running', 'cancelling'].includes(state));
  await noFiles();
  expect([ended.state, ended.rows.read < 20_000]).toEqual(['cancelled', true]);
  await vi.waitFor(async () => {
    const { body } = await desk.call('GET', `${relay()}/deletions`);
    expect((body.deletions as { state: string }[])[0]?.state).toBe('done');
  }, 100_000);
  expect(await conversionsOf(source)).toBe(0);
});

it('an upload of another organisation, of another source, or of a source of requests is not there', async () => {
  const source = await newSource(shop);
  const { id } = await send(source, 'mine.csv', orders(10));
  const other = await newSource(shop);
  const requests = await newSource(undefined, { kind: 'http' });
  for (const path of [
    of(other, `/${id}`),
    of(requests),
    of(source, '/999999'),
    `/api/organisations/${organisation + 1}/relay/sources/${source}/uploads/${id}`,
  ])
    expect((await desk.call('GET', path)).status).toBe(404);
  expect((await desk.call('DELETE', of(other, `/${id}`))).status).toBe(404);
  expect((await desk.call('GET', of(source, `/${id}`))).status).toBe(200);
  const acts = await rows<{ action: string; actor_type: string }>(
    "SELECT DISTINCT action, actor_type FROM audit.entries WHERE action LIKE 'relay.upload%' ORDER BY action",
  );
  const all = ['relay.upload_cancelled', 'relay.upload_removed', 'relay.upload_started'];
  expect(acts).toEqual(all.map((action) => ({ action, actor_type: 'key' })));
});
