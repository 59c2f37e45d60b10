import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDesk, type RawAnswer, type TestDesk } from './desk.ts';
import {
  browser,
  type Case,
  client,
  clientId,
  openPanelCases,
  panelIds,
  type Row,
  rybbit,
  rybbitCases,
  secret,
  siteId,
  track,
  umamiCases,
  umamiIds,
  view,
  website,
} from './moving_in_cases.ts';

/** Each case is sent to a whole desk: the answer is compared, and what must be in the warehouse afterwards. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'quiet.example']);
  const ids: [string, object][] = [
    ['umami', { id: website.toUpperCase() }],
    ['rybbit', { id: siteId }],
    ['openpanel', { id: clientId, secret }],
  ];
  for (const [product, body] of ids)
    expect(await desk.call('PUT', `/api/sites/shop.example/foreign-ids/${product}`, body)).toMatchObject({
      status: 200,
      body: { product, has_secret: product === 'openpanel' },
    });
});
afterAll(() => desk.close());

const send = (one: Case): Promise<RawAnswer> =>
  desk.raw({
    path: one.path,
    headers: { ...browser, ...one.headers },
    body: typeof one.body === 'string' ? one.body : JSON.stringify(one.body),
  });

async function drops(): Promise<Record<string, number>> {
  const text = await desk.metrics();
  const found: Record<string, number> = {};
  for (const [, reason, count] of text.matchAll(
    /^fairlead_(?:dropped_events|fields_left_out)_total\{reason="(\w+)"\} (\d+)/gm,
  ))
    found[reason as string] = Number(count);
  return found;
}

const allRows = () =>
  desk.rows<Row>(
    `SELECT name, hostname, pathname, title, screen, referrer, utm_source, click_id, props, toString(revenue_amount) AS revenue,
      revenue_currency AS currency, interactive, country, browser, toString(toDate(time)) AS day
     FROM events ORDER BY events.time, name`,
  );

/** The rows of `after` that are not in `before`. */
function without(after: readonly Row[], before: readonly Row[]): Row[] {
  const left = before.map((row) => JSON.stringify(row));
  return after.filter((row) => {
    const at = left.indexOf(JSON.stringify(row));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function run(cases: Case[], answers: { stored: unknown }) {
  it.each(cases)('$title', async (one) => {
    const before = await allRows();
    const counted = await drops();
    const answer = await send(one);
    expect([answer.status, answer.headers['x-fairlead-dropped']], answer.text).toEqual([
      one.status ?? 200,
      one.dropped,
    ]);
    expect(answer.headers['access-control-allow-origin']).toMatch(/^(\*|https:\/\/shop\.example)$/);
    expect(answer.headers['set-cookie'] ?? answer.headers.etag).toBeUndefined();
    expect(JSON.parse(answer.text)).toEqual(one.answer ?? answers.stored);
    const wanted = one.rows ?? [];
    const rows = without(await allRows(), before);
    expect(rows).toHaveLength(wanted.length);
    for (const [at, row] of wanted.entries()) expect(rows[at]).toMatchObject(row);
    // A request that is refused whole has no event to count.
    if (one.dropped === undefined || one.isWhole === true) return;
    for (const reason of one.dropped.split(', ')) expect((await drops())[reason]).toBe((counted[reason] ?? 0) + 1);
  });
}

describe('Umami', () => run(umamiCases(), { stored: umamiIds }));
describe('Rybbit', () => run(rybbitCases(), { stored: { success: true } }));
describe('OpenPanel', () => run(openPanelCases(), { stored: panelIds }));

describe('what is the same at every door', () => {
  const doors: [string, unknown, Record<string, string>][] = [
    ['/api/send', view, {}],
    ['/api/track', rybbit({}), {}],
    ['/track', track('screen_view'), client],
    ['/api/track', track('screen_view'), client],
  ];

  it.each(doors)('%s: the ids of an answer are new each time', async (path, body, headers) => {
    const texts = await Promise.all([1, 2].map(async () => (await send({ title: '', path, body, headers })).text));
    if (path !== '/api/track' || headers === client) expect(texts[0]).not.toBe(texts[1]);
    const [ids] = await desk.rows<{ ids: string[] }>(
      'SELECT groupUniqArrayArray([toString(visitor_id), toString(visit_id)]) AS ids FROM events',
    );
    for (const id of ids?.ids ?? []) for (const text of texts) expect(text).not.toContain(id);
  });

  it.each([
    ['/api/send', 'content-type,x-umami-cache', 'https://shop.example', 'true'],
    ['/api/batch', 'content-type', 'https://shop.example', 'true'],
    ['/api/track', 'content-type', 'https://shop.example', 'true'],
    ['/api/track', 'content-type,openpanel-client-id,openpanel-sdk-name,openpanel-sdk-version', '*', undefined],
    ['/track', 'content-type,openpanel-client-id,openpanel-sdk-name,openpanel-sdk-version', '*', undefined],
  ])('%s: a browser may ask before it sends %s', async (path, asked, origin, credentials) => {
    const answer = await desk.raw({
      method: 'OPTIONS',
      path,
      headers: { ...browser, 'access-control-request-method': 'POST', 'access-control-request-headers': asked },
    });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers['access-control-allow-credentials']).toBe(credentials);
    expect(answer.headers['access-control-allow-methods']).toContain('POST');
    const allowed = String(answer.headers['access-control-allow-headers']).split(', ');
    for (const header of asked.split(',')) expect(allowed).toContain(header);
  });

  it.each(doors)('%s: GET is answered with what it takes, and 2 MB with a refusal', async (path, _body, headers) => {
    const got = await desk.raw({ method: 'GET', path, headers: { ...browser, ...headers } });
    expect([got.status, got.headers.allow]).toEqual([405, 'POST, OPTIONS']);
    const large = await desk.raw({
      path,
      headers: { ...browser, ...headers },
      body: Buffer.alloc(2 * 1024 * 1024, 0x20),
    });
    expect([large.status, large.headers['x-fairlead-dropped']]).toEqual([413, 'too_large']);
  });

  it('an unknown id is counted for no site, what a site leaves out for the site', async () => {
    await expect
      .poll(
        () =>
          desk.rows<{ site_id: string; reason: string }>(
            `SELECT DISTINCT toUInt32(site_id) AS site_id, reason FROM drops
             WHERE reason IN ('not_found', 'identity', 'identity_off', 'props_cut', 'text_off', 'unsupported', 'bot') ORDER BY reason`,
          ),
        { timeout: 30_000 },
      )
      .toEqual(
        (['bot', 'identity', 'identity_off', 'not_found', 'props_cut', 'text_off', 'unsupported'] as const).map(
          (reason) => ({
            site_id: reason === 'not_found' ? 0 : 1,
            reason,
          }),
        ),
      );
  });

  it('nothing of anybody’s identity is in any row', async () => {
    const rows = await desk.rows<{ text: string }>('SELECT toString(tuple(*)) AS text FROM events');
    expect(rows.length).toBeGreaterThan(30);
    for (const { text } of rows)
      expect(text).not.toMatch(/user-|anon-1|acme|Schmidt|a@b|token|private|4711|my secret|home\/anna|5b0f7e0e/);
  });

  it.each(doors)('%s: a visitor who says no is not counted where the site says so', async (path, body, headers) => {
    await desk.call('PATCH', '/api/sites/shop.example', { privacy_signals: 'drop' });
    const answer = await send({ title: '', path, body, headers: { ...headers, 'sec-gpc': '1' } });
    await desk.call('PATCH', '/api/sites/shop.example', { privacy_signals: 'ignore' });
    expect([answer.status, answer.headers['x-fairlead-dropped']]).toEqual([200, 'privacy_signal']);
  });

  it('an id that moves to another site counts there from the next event on, and none once it is gone', async () => {
    const own = await desk.call('PUT', '/api/sites/quiet.example/foreign-ids/rybbit', { id: siteId });
    expect(own).toMatchObject({ status: 409, body: { error: { code: 'conflict', field: 'id' } } });
    expect((await desk.call('DELETE', '/api/sites/shop.example/foreign-ids/rybbit')).status).toBe(204);
    expect((await send({ title: '', path: '/api/track', body: rybbit({}) })).status).toBe(404);
    expect((await desk.call('PUT', '/api/sites/quiet.example/foreign-ids/rybbit', { id: siteId })).status).toBe(200);
    expect((await send({ title: '', path: '/api/track', body: rybbit({ pathname: '/moved' }) })).status).toBe(200);
    expect(await desk.rows("SELECT toUInt32(site_id) AS site FROM events WHERE pathname = '/moved'")).toEqual([
      { site: 2 },
    ]);
    const listed = await desk.call('GET', '/api/sites/shop.example/foreign-ids');
    expect(listed.body.foreign_ids).toEqual([
      { product: 'openpanel', id: clientId, has_secret: true },
      { product: 'umami', id: website, has_secret: false },
    ]);
  });

  it('a client secret is in no file as it was sent', async () => {
    const { directories } = desk.server.desk.house.postgres;
    let files = 0;
    // A store that works takes files away while they are being read.
    const present = <Found>(read: () => Found): Found | undefined => {
      try {
        return read();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    };
    const look = (folder: string) => {
      for (const entry of present(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) look(path);
        const bytes = entry.isFile() ? present(() => readFileSync(path)) : undefined;
        if (bytes === undefined) continue;
        files++;
        expect(bytes.includes(secret), entry.name).toBe(false);
      }
    };
    for (const folder of [desk.dataDir, ...directories]) look(folder);
    expect(files).toBeGreaterThan(100);
  });
});
