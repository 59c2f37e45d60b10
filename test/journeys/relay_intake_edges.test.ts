import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { IntakeLine, RequestStory, RequestsPage } from '../../contract/relay_reading.ts';
import type { RelaySource } from '../../contract/relay_settings.ts';
import { relayChanged } from '../../src/relay/changes.ts';
import { openTestDesk, type RawAnswer, type TestDesk } from './desk.ts';

/** What senders do that nobody wishes for, over HTTP: packed, too much, and in every wrong way; each has its line afterwards. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 120_000 });

let desk: TestDesk;
let relay: string;
let organisation: number;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
  const { body } = await desk.call('GET', '/api/sites');
  const [site] = body.sites as { id: number; organisation_id: number }[];
  organisation = Number(site?.organisation_id);
  relay = `/api/organisations/${organisation}/relay`;
  shopSite = Number(site?.id);
});
afterAll(() => desk?.close());
let shopSite = 0;

async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await desk.call(method, `${relay}${path}`, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.body as Answer;
}
/** A source whose senders speak our own words. */
async function newSource(more: object = {}): Promise<{ id: number; path: string }> {
  const made = await ask<{ source: RelaySource; address: string | null }>('POST', '/sources', {
    ...{ name: 'Orders', preset: 'canonical' },
    ...more,
  });
  return { id: made.source.id, path: made.address === null ? '' : new URL(made.address).pathname };
}
const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  desk.raw({ path, body, headers: { 'content-type': 'application/json', ...headers } });
const said = ({ status, text }: RawAnswer) => {
  const { error, accepted, problems } = JSON.parse(text);
  return [status, error?.code ?? accepted, error?.field ?? problems?.[0]?.field ?? null, problems?.[0]?.reason ?? null];
};
const justNow = () => new Date(desk.server.desk.house.clock.now() - 60_000).toISOString();
let orders = 0;
const purchase = (more: object = {}) => ({
  ...{ event_name: 'purchase', occurred_at: justNow(), order_id: `E-${++orders}`, value: '19.90', currency: 'EUR' },
  ...more,
});
const stored = async (source: number) => {
  if (!(await desk.server.desk.house.spool.drain(20_000))) throw new Error('The spool did not drain within 20 s.');
  const page = await ask<{ conversions: unknown[] }>('GET', `/conversions?source=${source}&limit=100`);
  return page.conversions.length;
};
const linesOf = async (query: string): Promise<IntakeLine[]> => {
  await desk.rows('SELECT 1');
  return (await ask<RequestsPage>('GET', `/requests?${query}`)).requests;
};

it('takes bodies that are packed, unpacks none beyond what a body may be, and names the coding that it does not read', async () => {
  const source = await newSource();
  const signed = await newSource({
    signature: { scheme: 'hmac', secret: 'a-secret-of-the-sender', header: 'x-signed' },
  });
  const body = JSON.stringify(purchase());
  const signature = createHmac('sha256', 'a-secret-of-the-sender').update(body).digest('hex');
  const bomb = gzipSync(Buffer.alloc(400_000_000));
  expect(bomb.length).toBeLessThan(2_000_000);
  const packed = (coding: string, bytes: Buffer | string) => post(source.path, bytes, { 'content-encoding': coding });
  const all = Buffer.from(JSON.stringify(purchase({ custom: { note: 'x'.repeat(2_000) } })));
  const whole = Buffer.concat([all, Buffer.alloc(2_000_000 - all.length, ' ')]);
  expect([
    said(await packed('gzip', gzipSync(JSON.stringify(purchase())))),
    said(await packed('X-GZIP', gzipSync(JSON.stringify(purchase())))),
    said(await packed('deflate', deflateSync(JSON.stringify(purchase())))),
    said(await packed('br', brotliCompressSync(JSON.stringify(purchase())))),
    said(await packed('identity', JSON.stringify(purchase()))),
    said(await packed('gzip', gzipSync(whole))),
    // The sender signs what it says, not how that travels.
    said(await post(signed.path, gzipSync(body), { 'content-encoding': 'gzip', 'x-signed': signature })),
  ]).toEqual(Array(7).fill([202, 1, null, null]));
  const began = performance.now();
  const refused = await packed('gzip', bomb);
  // 400 MB would be there after most of a second.
  expect(performance.now() - began).toBeLessThan(500);
  expect([
    said(refused),
    said(await packed('gzip', gzipSync(Buffer.concat([whole, Buffer.from(' ')])))),
    said(await packed('zstd', JSON.stringify(purchase()))),
    said(await packed('gzip, gzip', gzipSync(gzipSync(JSON.stringify(purchase()))))),
    said(await packed('gzip', JSON.stringify(purchase()))),
    said(await packed('gzip', gzipSync(JSON.stringify(purchase())).subarray(0, 40))),
  ]).toEqual([
    [413, 'too_large', 'body', null],
    [413, 'too_large', 'body', null],
    [415, 'content_encoding', 'content-encoding', null],
    [415, 'content_encoding', 'content-encoding', null],
    [400, 'not_unpackable', 'content-encoding', null],
    [400, 'not_unpackable', 'content-encoding', null],
  ]);
  expect(await stored(source.id)).toBe(6);
  // Its line and its captured request are those of what was in it.
  const [first] = (await linesOf(`source=${source.id}&outcome=taken&limit=100`)).slice(-1);
  const story = await ask<RequestStory>('GET', `/requests/${first?.id}`);
  expect(story.shape).toContain('"event_name":"text (8)"');
  expect(story).toMatchObject({ way: 'request', requests: 1, told_all: 1, upload: null });
});

it('has a line of what never was a whole request: hung up, no HTTP any more, a head that is too large', async () => {
  const source = await newSource();
  const { port } = desk.server.http.address;
  /** Writes, then waits for an answer or hangs up. */
  const speak = (text: string, hangsUp: boolean) =>
    new Promise<string>((resolve, reject) => {
      let heard = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.setEncoding('utf8').on('data', (piece) => {
        heard += piece;
      });
      socket.on('error', reject).on('close', () => resolve(heard.split('\r\n', 1)[0] ?? ''));
      if (hangsUp) setTimeout(() => socket.resetAndDestroy(), 150);
    });
  const head = (line: string, more: string) => `${line} HTTP/1.1\r\nHost: desk\r\n${more}\r\n\r\n`;
  const postHead = (more: string) => head(`POST ${source.path}`, `Content-Type: application/json\r\n${more}`);
  const said = [
    await speak(`${postHead('Content-Length: 500')}{"event_name":"purchase"`, true),
    await speak(`${postHead('Transfer-Encoding: chunked')}5\r\n{"eve\r\nxyz\r\n`, false),
    await speak(head(`GET ${source.path}?payout=1`, `X-Long: ${'x'.repeat(30_000)}`), false),
    // Whoever knows no source is told nothing, and leaves nothing.
    await speak(head('GET /in/nobody-gave-this-out?payout=1', `X-Long: ${'x'.repeat(30_000)}`), false),
  ];
  expect(said).toEqual([
    '',
    'HTTP/1.1 400 Bad Request',
    ...Array(2).fill('HTTP/1.1 431 Request Header Fields Too Large'),
  ]);
  // Nobody waits for these lines, so whoever was answered may be here before them.
  const lines = await vi.waitFor(async () => {
    const written = await linesOf(`source=${source.id}`);
    expect(written).toHaveLength(3);
    return written;
  }, 10_000);
  expect(
    lines.map(({ status, reason, field, method, bytes }) => [status, reason, field, method, bytes]).toSorted(),
  ).toEqual([
    [400, 'incomplete', 'body', 'POST', 5],
    [431, 'too_large', 'headers', 'GET', 0],
    [499, 'incomplete', 'body', 'POST', 24],
  ]);
  expect(await stored(source.id)).toBe(0);
  expect(await desk.metrics()).toMatch(/relay_requests.*4xx/);
});

it('takes more at once than one append of the spool: each is stored once, and the request has one line of all', async () => {
  const source = await newSource();
  const user = (n: number) => ({
    ...{
      email: `buyer${n}@person.example`,
      phone: '+49 30 901820',
      first_name: 'Ada',
      last_name: 'Muster',
      country: 'DE',
    },
    ...{
      zip: '10115',
      city: 'Berlin',
      ip: '81.2.69.142',
      user_agent: `Mozilla/5.0 ${'(X11; Linux x86_64) '.repeat(10)}`,
    },
  });
  const many = Array.from({ length: 3_000 }, (_, n) => purchase({ user: user(n) }));
  expect(said(await post(source.path, JSON.stringify(many)))).toEqual([202, 3_000, null, null]);
  const [line, ...noMore] = await linesOf(`source=${source.id}`);
  expect(noMore).toEqual([]);
  expect(line).toMatchObject({ status: 202, conversions: 3_000, problems: 0 });
  expect(await ask<RequestStory>('GET', `/requests/${line?.id}`)).toMatchObject({ told_all: 3_000 });
  const { postgres } = desk.server.desk.house;
  const rows = await postgres.tenant(organisation, (sql) =>
    sql.query(
      'SELECT count(*)::int AS stored, count(DISTINCT order_id)::int AS orders, sum(doubles)::int AS doubles FROM relay_conversions WHERE source_id = $1',
      [source.id],
    ),
  );
  expect(rows).toEqual([{ stored: 3_000, orders: 3_000, doubles: 0 }]);
});

it('keeps what does not map up to the 2 MB that a body may have, whatever signs are in it', async () => {
  const source = await newSource();
  // Each of these is two characters as JSON has it.
  const body = `{"event_name":${'\t'.repeat(1_999_900)}"purchase"}`;
  expect(said(await post(source.path, body))).toEqual([202, 0, 'occurred_at', 'missing']);
  const [line] = await linesOf(`source=${source.id}`);
  const path = `/captures/${line?.id}`;
  expect(await ask('GET', path)).toMatchObject({ is_unmapped: true, data: { event_name: expect.anything() } });
  const revealed = await ask<{ body: string }>('POST', `${path}/reveals`, { reason: 'To see whether it is whole.' });
  expect(revealed.body === body).toBe(true);
});

it.each<[string, object | string, number, string, string, number]>([
  ['milliseconds for seconds', { occurred_at: 1_796_000_000_000 }, 202, 'occurred_at', 'invalid', 0],
  ['the year 1970', { occurred_at: '1970-01-01T00:00:00Z' }, 202, 'occurred_at', 'invalid', 0],
  ['a time without its offset', { occurred_at: '2026-11-30T09:15:00' }, 202, 'occurred_at', 'no_offset', 0],
  ['a value of "12,50"', { value: '12,50' }, 202, 'value', 'invalid', 0],
  ['a currency of "EURO"', { currency: 'EURO' }, 202, 'currency', 'unknown_currency', 0],
  ['consent in a word of its own', { consent: 'denied' }, 202, 'consent', 'invalid', 0],
  ['10,000 items', { items: Array(10_000).fill({ id: 'a' }) }, 413, 'body', 'too_many_items', 0],
])('answers %s with the field and the reason, makes nothing of it, and keeps what can be mended', async (...row) => {
  const [, change, status, field, reason] = row;
  const source = await newSource();
  const answer = await post(source.path, JSON.stringify(purchase(change as object)));
  const { error, accepted, problems } = JSON.parse(answer.text);
  expect(answer.status).toBe(status);
  expect(status === 202 ? [accepted, problems[0]] : error).toMatchObject(
    status === 202 ? [0, { field, reason }] : { code: reason, field },
  );
  expect(await stored(source.id)).toBe(0);
  const [line] = await linesOf(`source=${source.id}`);
  expect(line).toMatchObject({ status, reason, field, conversions: 0 });
  // What was taken waits for another mapping, and is not lost.
  const { captures } = await ask<{ captures: { is_unmapped: boolean }[] }>('GET', `/sources/${source.id}/captures`);
  expect(captures.filter(({ is_unmapped }) => is_unmapped)).toHaveLength(status === 202 ? 1 : 0);
});

it('names a list that a mapping makes its conversions of and that is not there, and takes the request once it is put right', async () => {
  const source = await newSource();
  const fields = Object.fromEntries(
    ['event_name', 'occurred_at', 'order_id', 'value', 'currency'].map((one) => [one, one]),
  );
  const mapped = (each: string, after: number) =>
    ask('POST', `/sources/${source.id}/mappings`, { mapping: { each, fields }, after });
  await mapped('orders[*]', 1);
  const body = JSON.stringify({ rows: [purchase(), purchase()] });
  expect(said(await post(source.path, body))).toEqual([202, 0, 'mapping.each', 'missing']);
  expect(said(await post(source.path, '{"orders":[]}'))).toEqual([202, 0, null, null]);
  const [, line] = await linesOf(`source=${source.id}`);
  expect(line).toMatchObject({ status: 202, reason: 'missing', field: 'mapping.each', conversions: 0 });
  await mapped('rows', 2);
  await vi.waitFor(async () => expect(await stored(source.id)).toBe(2), { timeout: 30_000, interval: 200 });
});

it('takes as many requests a minute as its source says, a tenth at once; what is beyond is refused, counted, and one line', async () => {
  const limited = await newSource({ name: 'Limited' });
  const free = await newSource({ name: 'Free' });
  await ask('PATCH', `/sources/${limited.id}`, { requests_per_minute: 50 });
  const send = async (path: string) => post(path, JSON.stringify(purchase()));
  const answers = await Promise.all(Array.from({ length: 30 }, () => send(limited.path)));
  const taken = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status === 429);
  // Five at once, and 0.75 more a second.
  expect(taken.length).toBeGreaterThanOrEqual(5);
  expect(taken.length).toBeLessThanOrEqual(7);
  expect(taken.length + refused.length).toBe(30);
  for (const one of refused) {
    expect(Number(one.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(said(one)).toEqual([429, 'rate_limited', 'requests_per_minute', null]);
  }
  // Of nobody else's is anything taken away, and without a limit as many come as come.
  const others = await Promise.all(Array.from({ length: 100 }, () => send(free.path)));
  expect(new Set(others.map(({ status }) => status))).toEqual(new Set([202]));
  const goals = await newSource({ kind: 'goals', preset: undefined, site_id: shopSite, name: 'Goals' });
  const onGoals = await desk.call('PATCH', `${relay}/sources/${goals.id}`, { requests_per_minute: 50 });
  expect(onGoals).toMatchObject({ status: 400, body: { error: { field: 'requests_per_minute' } } });
  // A stop writes the count of its minute.
  await desk.restart();
  const lines = await linesOf(`source=${limited.id}&reason=rate`);
  expect(lines).toMatchObject([{ status: 429, reason: 'rate', requests: refused.length, conversions: 0 }]);
  expect(await stored(limited.id)).toBe(taken.length);
  const source = await ask<RelaySource>('GET', `/sources/${limited.id}`);
  expect(source).toMatchObject({
    ...{ requests_per_minute: 50, rate_refused_today: refused.length, requests_today: 30 },
  });
});

it('has a line for each file and for each event that reached a goal, which opens to what became of it', async () => {
  const files = await newSource({ kind: 'upload', preset: undefined, name: 'Files' });
  await ask('POST', `/sources/${files.id}/mappings`, {
    mapping: {
      fields: {
        event_name: { default: 'purchase' },
        occurred_at: 'at',
        order_id: 'order',
        value: 'sum',
        currency: 'cur',
      },
    },
    after: 0,
  });
  const at = justNow();
  const table = Buffer.from(
    `order,at,sum,cur\n${Array.from({ length: 150 }, (_, n) => `F-${n},${at},${n % 50 === 49 ? 'x' : n},EUR`).join('\n')}\n`,
  );
  const uploads = `/sources/${files.id}/uploads`;
  const { id } = await ask<{ id: number }>('POST', uploads, { name: 'november.csv', size: table.length });
  const part = await desk.raw({
    ...{ method: 'PUT', path: `${relay}${uploads}/${id}/parts/0`, body: table },
    headers: { authorization: `Bearer ${desk.key}`, 'content-type': 'application/octet-stream' },
  });
  expect(part.status).toBe(200);
  const until = (state: string) =>
    expect
      .poll(async () => (await ask<{ state: string }>('GET', `${uploads}/${id}`)).state, { timeout: 30_000 })
      .toBe(state);
  await ask('POST', `${uploads}/${id}/check`, {});
  await until('checked');
  await ask('POST', `${uploads}/${id}/start`);
  await until('done');
  const [file, ...noMore] = await linesOf(`source=${files.id}`);
  expect(noMore).toEqual([]);
  expect(file).toMatchObject({ way: 'upload', status: 202, conversions: 147, problems: 3, bytes: table.length });
  const story = await ask<RequestStory>('GET', `/requests/${file?.id}`);
  expect(story).toMatchObject({ upload: { id, file_name: 'november.csv', state: 'done' }, told_all: 147 });
  expect(story.told).toHaveLength(100);

  await desk.call('POST', '/api/sites/shop.example/goals', { name: 'Sale', kind: 'event', match: 'Sale' });
  const goals = await newSource({ kind: 'goals', preset: undefined, site_id: shopSite, name: 'Sales' });
  expect((await desk.collect({ n: 'Sale', d: 'shop.example', u: 'https://shop.example/thanks' })).status).toBe(202);
  const [event] = await linesOf(`source=${goals.id}&way=goal`);
  expect(event).toMatchObject({ way: 'goal', status: 202, conversions: 1 });
  const reached = await ask<RequestStory>('GET', `/requests/${event?.id}`);
  expect(reached.told).toMatchObject([{ event_name: 'Sale', is_first: true }]);
  expect(await linesOf('way=upload')).toHaveLength(1);
});

it('lists addresses in the review of access, where they end at once and another one can be given later', async () => {
  const source = await newSource({ name: 'Old tracker' });
  expect((await post(source.path, JSON.stringify(purchase()))).status).toBe(202);
  const cookie = await desk.signIn();
  const asOwner = async (method: string, path: string, body?: object) => {
    const answer = await desk.raw({
      ...{ method, path: `${relay.replace('/relay', '')}${path}` },
      headers: { cookie, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
    return JSON.parse(answer.text);
  };
  await asOwner('POST', '/access-reviews', {}).catch(() => {});
  const { reviews } = await asOwner('GET', '/access-reviews');
  await desk.rows('SELECT 1');
  const path = `/access-reviews/${reviews[0].id}`;
  const line = (await asOwner('GET', path)).lines.find(
    (one: { kind: string; id: number }) => one.kind === 'source' && one.id === source.id,
  );
  const today = new Date(desk.server.desk.house.clock.now()).toISOString().slice(0, 10);
  expect(line).toMatchObject({
    label: 'Old tracker',
    gives: 'whoever has its address',
    last_used: today,
    may_remove: true,
  });
  const removal = { kind: 'source', id: source.id, gives: line.gives, decision: 'removed' };
  await asOwner('POST', `${path}/decisions`, { decisions: [removal] });
  await expect.poll(async () => (await post(source.path, JSON.stringify(purchase()))).status).toBe(404);
  expect(await ask<RelaySource>('GET', `/sources/${source.id}`)).toMatchObject({ address: null, state: 'active' });
  const next = await ask<{ address: string; source: RelaySource }>('POST', `/sources/${source.id}/addresses`);
  expect(next.source.address).toEqual({ former_until: null });
  expect((await post(new URL(next.address).pathname, JSON.stringify(purchase()))).status).toBe(202);
});

it('what is still to happen by a clock that is wrong is taken by the same mapping once it may be past', async () => {
  const source = await newSource();
  const { postgres, clock } = desk.server.desk.house;
  const from = (ms: number) => ({ occurred_at: new Date(clock.now() + ms).toISOString() });
  const [near, far] = [purchase(from(63_000)), purchase(from(2 * 3_600_000))];
  for (const one of [near, far])
    expect(said(await post(source.path, JSON.stringify(one)))).toEqual([202, 0, 'occurred_at', 'in_the_future']);
  expect(said(await post(source.path, JSON.stringify(purchase({ currency: 'EURO' }))))).toEqual([
    ...[202, 0, 'currency', 'unknown_currency'],
  ]);
  expect(await stored(source.id)).toBe(0);
  const waits = () =>
    postgres.tenant(organisation, (sql) =>
      sql.query<{ ms: number | null }>(
        `SELECT (extract(epoch FROM again_at - received_at) * 1000)::int AS ms FROM relay_captures WHERE source_id = $1 AND is_unmapped
         ORDER BY received_at`,
        [source.id],
      ),
    );
  // A fault that no time mends waits for another mapping.
  expect(await waits()).toEqual([{ ms: 600_000 }, { ms: 600_000 }, { ms: null }]);
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  await postgres.tenant(organisation, (sql) =>
    sql.run('UPDATE relay_captures SET again_at = received_at WHERE source_id = $1 AND again_at IS NOT NULL', [
      source.id,
    ]),
  );
  await relayChanged();
  await vi.waitFor(async () => expect(await waits()).toHaveLength(2), { timeout: 20_000, interval: 200 });
  expect(await stored(source.id)).toBe(1);
  const [left, fault] = await waits();
  expect(left?.ms).toBeGreaterThan(600_000);
  expect(fault).toEqual({ ms: null });
  const { conversions } = await ask<{ conversions: { id: string; order_id: string }[] }>(
    ...(['GET', `/conversions?source=${source.id}&limit=10`] as const),
  );
  expect(conversions.map(({ order_id }) => order_id)).toEqual([near.order_id]);
});
