import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DataSubject } from '../../src/platform/personal_data.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Identify calls and what becomes of them, through a whole desk. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'other.example']);
});
afterAll(() => desk.close());

/** The address of the tests has no place, which counts as one where a visitor is asked first. */
const consent = { analytics_storage: 'granted' };
const laptop = 'a1'.repeat(16);
const phone = 'b2'.repeat(16);
const view = (path: string, vi?: string, site = 'shop.example') =>
  desk.collect({ n: 'pageview', u: `https://${site}${path}`, d: site, vi, si: 'c3'.repeat(16), consent });
const name = async (vi: string, traits: object, headers: Record<string, string> = {}, d = 'shop.example') =>
  (
    await desk.raw({
      path: '/api/visitor',
      headers: { ...headers },
      body: JSON.stringify({ n: 'identify', d, vi, consent, ...traits }),
    })
  ).status;
interface Listed {
  id: string;
  is_known: boolean;
  traits: Record<string, string>;
  browsers: number;
  events: number;
}
const list = async (search = '', site = 'shop.example') => {
  await desk.rows('SELECT 1');
  return (await desk.call('GET', `/api/sites/${site}/profiles?search=${encodeURIComponent(search)}`)).body
    .profiles as Listed[];
};
const canary = {
  id: 'canary-user-77',
  email: 'Canary.Person@mail.example',
  name: 'Canary Name',
  avatar: 'https://img.example/canary.png',
};

it('what a browser did before it was named and what it does on another one are one profile, found by address and user id', async () => {
  await view('/before', laptop);
  await view('/memory');
  await view('/phone', phone);
  expect((await list()).map(({ is_known, events }) => [is_known, events])).toEqual([
    [false, 1],
    [false, 1],
  ]);
  expect(await name(laptop, { email: canary.email })).toBe(200);
  expect(await name(phone, { id: canary.id, name: canary.name, avatar: canary.avatar })).toBe(200);
  expect(await list()).toHaveLength(2);
  // Now both are said at once: it is one person.
  expect(await name(laptop, { id: canary.id, email: canary.email })).toBe(200);
  const [one, ...others] = await list();
  expect(others).toEqual([]);
  expect(one).toMatchObject({ is_known: true, browsers: 2, events: 2, traits: canary });
  for (const search of [canary.id, 'canary.person@MAIL.example'])
    expect(
      (await list(search)).map(({ id }) => id),
      search,
    ).toEqual([one?.id]);
  expect(await list('somebody@else.example')).toEqual([]);
  const { body } = await desk.call('GET', `/api/sites/shop.example/profiles/${one?.id}`);
  expect((body.timeline as { pathname: string }[]).map(({ pathname }) => pathname).sort()).toEqual([
    '/before',
    '/phone',
  ]);
  const browsers = body.browsers as { events: number; first_seen: string; named_at: string }[];
  expect(browsers.map(({ events }) => events)).toEqual([1, 1]);
  for (const of of browsers) expect(of.named_at > of.first_seen, 'what it did before is theirs').toBe(true);
  const timeline = body.timeline as { pathname: string; browser: number; visit: string }[];
  expect(new Set(timeline.map(({ browser }) => browser))).toEqual(new Set([0, 1]));
  expect(new Set(timeline.map(({ visit }) => visit)).size).toBe(2);
  expect(await list('', 'other.example'), 'of one site').toEqual([]);
});

it('without leave no id is looked at and nobody is named: the event counts as in memory mode, and the site sees how often and why', async () => {
  const id = 'f7'.repeat(16);
  const sent = async (said: object | undefined, path: string) => {
    await desk.collect({
      ...{ n: 'pageview', u: `https://other.example${path}`, d: 'other.example' },
      ...{ vi: id, si: id, consent: said },
    });
    const [row] = await desk.rows<{ stored_id: number; visitor: string }>(
      `SELECT stored_id, toString(visitor_id) AS visitor FROM events WHERE pathname = '${path}'`,
    );
    return row;
  };
  const asked = async (n: string, said: object | undefined, more = {}) => {
    const body = JSON.stringify({ n, d: 'other.example', vi: id, consent: said, ...more });
    const answer = await desk.raw({ path: '/api/visitor', body });
    return n === 'region' ? JSON.parse(answer.text).may : answer.status;
  };
  await desk.collect({ n: 'pageview', u: 'https://other.example/plain', d: 'other.example' });
  const [plain] = await desk.rows<{ visitor: string }>(
    "SELECT toString(visitor_id) AS visitor FROM events WHERE pathname = '/plain'",
  );
  expect(await sent(undefined, '/silent')).toEqual({ stored_id: 0, visitor: plain?.visitor });
  expect(await sent({ analytics_storage: 'denied' }, '/denied')).toEqual({ stored_id: 0, visitor: plain?.visitor });
  expect([await asked('region', undefined), await asked('region', consent)]).toEqual([false, true]);
  expect(await asked('identify', undefined, { id: 'eve' })).toBe(403);
  expect(await list('', 'other.example')).toEqual([]);

  // What was taken back stays so, whatever the browser says, until it is given anew.
  const record = (state: string) =>
    desk.call('POST', '/api/organisations/1/consents', {
      ...{ subject: { kind: 'external-id', value: 'eve' }, purpose: 'identity', state, text_version: '1' },
      ...{ text: 'May we know you?', how: 'form' },
    });
  expect(await sent(consent, '/granted')).toMatchObject({ stored_id: 1 });
  for (const [state, status] of [
    ['withdrawn', 403],
    ['given', 200],
    ['refused', 403],
  ] as const) {
    expect((await record(state)).status).toBe(201);
    expect(await asked('identify', consent, { id: 'eve' }), state).toBe(status);
    // What was known of them goes with the no: the browser stays, and is nobody's.
    expect((await list('', 'other.example')).map(({ is_known }) => is_known)).toEqual([state === 'given']);
    expect(await list('eve', 'other.example')).toHaveLength(state === 'given' ? 1 : 0);
  }

  // A basis that is changed holds from the next event on.
  const session = await desk.signIn();
  const basis = (value: string) =>
    desk.raw({
      ...{ method: 'PUT', path: '/api/organisations/1/lawful-bases/storage_measurement/eea' },
      headers: { cookie: session, origin: desk.base, 'content-type': 'application/json' },
      body: JSON.stringify({ basis: value }),
    });
  expect((await basis('off')).status).toBe(200);
  expect([await asked('region', consent), await sent(consent, '/off')]).toEqual([
    false,
    { stored_id: 0, visitor: plain?.visitor },
  ]);
  await basis('consent');
  expect(await asked('region', consent)).toBe(true);

  await desk.rows('SELECT 1');
  const seen = async () => {
    const { body } = await desk.call('GET', '/api/sites/other.example/missing?period=24h');
    const reasons = body.reasons as { reason: string; kind: string; events: number; rule: string }[];
    return reasons.map(({ reason, kind, events, rule }) => [reason, kind, events, rule]).sort();
  };
  // Counts go to the spool once a second.
  await expect.poll(seen, { timeout: 5_000 }).toEqual([
    ['identity_no_consent', 'left_out', 3, 'consent'],
    ['storage_no_consent', 'left_out', 2, 'consent'],
    ['storage_off', 'left_out', 1, 'consent'],
  ]);
});

it('a name lies sealed: no file below the data directory holds one', async () => {
  for (const text of Object.values(canary)) {
    const files = readdirSync(desk.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => readFileSync(file).includes(text));
    expect(files, text).toEqual([]);
  }
});

it('nothing is named without a stored id, against a privacy signal, beyond a limit, or in the place of somebody else', async () => {
  const rows: [status: number, vi: string, traits: object, headers?: Record<string, string>][] = [
    [400, 'x', { id: 'ada' }],
    [400, laptop, {}],
    [400, laptop, { name: 'Ada' }],
    [400, laptop, { id: 'x'.repeat(256) }],
    [400, laptop, { email: 'no address' }],
    [400, laptop, { id: 'ada', avatar: 'javascript:alert(1)' }],
    [400, laptop, { id: { $ne: '' } }],
    [403, laptop, { id: 'ada' }, { 'sec-gpc': '1' }],
    [403, laptop, { id: 'ada' }, { dnt: '1' }],
    [409, laptop, { id: 'ada' }],
    [409, laptop, { email: 'ada@mail.example' }],
  ];
  for (const [status, vi, traits, headers] of rows)
    expect(await name(vi, traits, headers), JSON.stringify([traits, headers])).toBe(status);
  expect(await name(laptop, { id: 'ada' }, {}, 'nowhere.example')).toBe(404);
  expect((await list()).map(({ traits }) => traits)).toEqual([canary]);
});

it('two calls at once make one profile', async () => {
  await view('/twice', 'd4'.repeat(16));
  await view('/twice', 'e5'.repeat(16));
  await Promise.all(['d4', 'e5', 'd4', 'e5'].map((id) => name(id.repeat(16), { id: 'twice' })));
  expect((await list('twice')).map(({ browsers }) => browsers)).toEqual([2]);
});

it('a data subject’s profile is found, copied and erased with the events of its browsers, and nobody else’s', async () => {
  const { desk: inner } = desk.server;
  const holder = inner.parts.flatMap(({ holders = [] }) => holders).find((one) => one.name === 'profiles');
  if (holder === undefined) throw new Error('Nobody holds profiles.');
  const who: DataSubject = {
    organisationId: 1,
    identifiers: [{ kind: 'email', digest: await inner.house.vault.subject(1, 'email', canary.email) }],
  };
  const found = await holder.find(who);
  expect(found.known).toEqual([
    { kind: 'external-id', value: canary.id },
    { kind: 'email', value: canary.email },
  ]);
  expect(Object.fromEntries(found.rows.map(({ table, rows }) => [table, rows]))).toMatchObject({
    'postgres profiles': 1,
    'postgres profile_visitors': 2,
    'warehouse events': 2,
  });
  const copy = await holder.copy(who);
  expect(copy.map(({ table }) => table)).toEqual(['postgres profiles', 'warehouse events', 'warehouse events']);
  expect(JSON.stringify(copy)).toContain(canary.name);
  const before = Number((await desk.rows<{ rows: string }>('SELECT count() AS rows FROM events'))[0]?.rows);
  const held = { siteIds: new Map<number, number>(), personIds: new Map<number, number>() };
  await holder.eraseBefore?.(who, held);
  await inner.house.postgres.tenant(1, async (sql) => holder.erase?.(sql, who, held));
  expect(await holder.left(who, held)).toEqual([]);
  expect((await holder.find(who)).rows).toEqual([]);
  expect(Number((await desk.rows<{ rows: string }>('SELECT count() AS rows FROM events'))[0]?.rows)).toBe(before - 2);
  expect((await list('twice')).length).toBe(1);
});

it('a link from one host of the site to another holds across a restart, and is good once, also for two who come at the same moment', async () => {
  const ask = async (body: object) => {
    const answer = await desk.raw({
      path: '/api/visitor',
      headers: { origin: 'https://partner.example' },
      body: JSON.stringify({ d: 'shop.example', consent, ...body }),
    });
    return { status: answer.status, ids: JSON.parse(answer.text) };
  };
  const ids = { v: 'ab'.repeat(16), s: 'cd'.repeat(16) };
  const { ids: link } = await ask({ n: 'link', h: 'partner.example', ...ids });
  await desk.restart();
  const taken = await Promise.all([1, 2, 3].map(() => ask({ n: 'linked', ...link })));
  expect(taken.filter(({ status }) => status === 200).map((one) => one.ids)).toEqual([ids]);
  const { postgres } = desk.server.desk.house;
  const rows = await postgres.system((sql) => sql.query<{ digest: Buffer }>('SELECT digest FROM taken_links'));
  expect(rows).toHaveLength(1);
  expect(rows[0]?.digest.toString('hex')).not.toContain('abab');
});

it('goes through all visitors in pages, each person once whichever of their browsers stands where, and counts each once', async () => {
  const of = (n: number) => `e0${n.toString(16).padStart(30, '0')}`;
  const event = (n: number) => ({
    ...{ n: 'pageview', u: 'https://shop.example/many', d: 'shop.example', consent },
    ...{ vi: of(n), si: of(n) },
  });
  const before = (await list()).reduce((sum, { browsers }) => sum + browsers, 0);
  await desk.collect(event(1_000));
  await desk.collect(Array.from({ length: 205 }, (_, n) => event(n)));
  // The oldest and the newest browser are the same person's.
  for (const n of [1_000, 204]) expect(await name(of(n), { id: 'straddler' })).toBe(200);
  await desk.rows('SELECT 1');
  const found: Listed[] = [];
  let next: string | null | undefined;
  let pages = 0;
  do {
    const { body } = await desk.call('GET', `/api/sites/shop.example/profiles${next ? `?before=${next}` : ''}`);
    found.push(...(body.profiles as Listed[]));
    expect(body.visitors).toBe(before + 206);
    next = body.next as string | null;
    pages++;
  } while (next !== null);
  expect(pages).toBe(2);
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  expect(found.filter(({ traits }) => traits.id === 'straddler')).toMatchObject([{ browsers: 2, events: 2 }]);
  expect(found.filter(({ is_known }) => !is_known)).toHaveLength(204);

  // So is what one of them did, of which much is of one moment, with each visit as a whole whatever part is listed.
  await desk.collect(Array.from({ length: 205 }, (_, n) => ({ ...event(1_000), u: `https://shop.example/long/${n}` })));
  const [one] = await list('straddler');
  const did: string[] = [];
  let parts = 0;
  let from: string | null | undefined;
  do {
    const path = `/api/sites/shop.example/profiles/${one?.id}${from ? `?before=${from}` : ''}`;
    const { body } = await desk.call('GET', path);
    did.push(...(body.timeline as { pathname: string }[]).map(({ pathname }) => pathname));
    expect(body.visit_count).toBe(2);
    const longest = Math.max(...(body.visits as { events: number }[]).map(({ events }) => events));
    expect(longest).toBe(206);
    from = body.next as string | null;
    parts++;
  } while (from !== null);
  expect([parts, did.length, new Set(did).size]).toEqual([2, 207, 206]);
});

it('a key of some sites records no consent, which is the whole organisation’s, and one that sends events neither', async () => {
  const cookie = await desk.signIn();
  const made = async (scopes: string[], site_ids: number[] | null) => {
    const headers = { cookie, origin: desk.base, 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'A key', scopes, site_ids });
    const answer = await desk.raw({ path: '/api/keys?organisation_id=1', headers, body });
    return JSON.parse(answer.text).key as string;
  };
  const recorded = async (key: string) => {
    const said = { subject: { kind: 'external-id', value: 'fay' }, purpose: 'identity', state: 'given' };
    const body = JSON.stringify({ ...said, text_version: '1', text: 'May we know you?', how: 'api' });
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    return (await desk.raw({ path: '/api/organisations/1/consents', headers, body })).status;
  };
  expect(await recorded(await made(['consents:write'], null))).toBe(201);
  expect(await recorded(await made(['consents:write'], [1]))).toBe(404);
  expect(await recorded(await made(['events:write'], null))).toBe(404);
});
