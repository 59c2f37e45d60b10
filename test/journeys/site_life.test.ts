import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SiteContent, SiteRemoval } from '../../contract/site_life.ts';
import { type ClickHouseHttp, startClickHouseHttp } from '../fixtures/clickhouse_http.ts';
import { openTestPostgres, type TestPostgres } from '../stores.ts';
import { openCommandLine, type ServedDesk } from './cli.ts';

/**
 * A site as a whole, on a desk that is killed again and again: renamed, moved to another organisation, emptied, deleted.
 * Its stores are servers of their own, as a larger desk has them: they outlive it, so that a start opens none.
 */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });
const cli = openCommandLine();
const password = 'a harbour of quiet rope';
let database: TestPostgres;
let clickhouse: ClickHouseHttp;
let server: ServedDesk;
let organisation = 0;
let other: { id: number; slug: string };
/** Owner of the first organisation, one who looks there, and the owner of the other one. */
let owner = '';
let ana = '';
let ben = '';
/** What was made to seal what the trail says of Ana: by her address, which was invited, and by her number. */
let keysOfAna: string[] = [];
let numberOfAna = 0;

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many calls, read by member.
  body: any;
  cookie: string;
}
async function call(method: string, path: string, cookie = '', body?: unknown): Promise<Answer> {
  const response = await fetch(`${server.base}/api${path}`, {
    method,
    headers: {
      ...(cookie === '' ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const cookies = response.headers.getSetCookie().map((one) => one.split(';')[0]);
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {}, cookie: cookies.join('; ') };
}
async function done(method: string, path: string, cookie: string, body?: unknown): Promise<Answer['body']> {
  const answer = await call(method, path, cookie, body);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body;
}
const signIn = async (email: string) => (await call('POST', '/sessions', '', { email, password })).cookie;

async function invited(organisationId: number, by: string, email: string, role: string): Promise<string> {
  const sent = await done('POST', `/organisations/${organisationId}/invitations`, by, { email, role });
  const token = sent.link.split('/invitation/')[1];
  return (await call('POST', '/invitations/acceptances', '', { token, name: email, password })).cookie;
}

let visitors = 0;
/** @returns why it was not stored; '' when it was */
async function send(domain: string, more: object = {}): Promise<string> {
  const answer = await fetch(`${server.base}/api/event`, {
    method: 'POST',
    headers: {
      'user-agent': `Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/${++visitors}.0`,
      'accept-language': 'en',
    },
    body: JSON.stringify({ name: 'pageview', url: `https://${domain}/p${visitors}`, domain, ...more }),
  });
  return answer.headers.get('x-fairlead-dropped') ?? '';
}
async function contents(site: string, by: string): Promise<Partial<Record<SiteContent['kind'], number>>> {
  const { contents: all } = (await done('GET', `/sites/${site}/contents`, by)) as { contents: SiteContent[] };
  return Object.fromEntries(all.filter(({ rows }) => rows > 0).map(({ kind, rows }) => [kind, rows]));
}
/** Rows as they lie there: the owner of the tables is bound by row security as everybody is, so it is off until the end. */
const unbound = <T extends object>(tables: readonly string[], text: string, values: unknown[] = []) =>
  database.asOwner(async (sql) => {
    await sql.query('BEGIN');
    for (const table of tables) await sql.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
    const rows = await sql.query<T>(text, values);
    await sql.query('ROLLBACK');
    return rows;
  });
const subjectKeys = async () =>
  (await unbound<{ id: string }>(['vault.subject_keys'], "SELECT encode(id, 'hex') AS id FROM vault.subject_keys")).map(
    ({ id }) => id,
  );
const soon = { timeout: 60_000, interval: 100 };
const untilEvents = (site: string, by: string, events: number) =>
  vi.waitFor(async () => expect((await contents(site, by)).events ?? 0).toBe(events), soon);
async function acts(organisationId: number, by: string): Promise<string[]> {
  const { entries } = await done('GET', `/organisations/${organisationId}/audit`, by);
  return (entries as { action: string }[]).map(({ action }) => action).filter((action) => action.startsWith('site.'));
}
async function bell(by: string): Promise<string[]> {
  const { notifications } = await done('GET', '/notifications', by);
  return (notifications as { sentence: string }[]).map(({ sentence }) => sentence);
}
function serve(env: Record<string, string> = {}): Promise<ServedDesk> {
  const [own, runs = own] = database.postgres.directories as [string, string?];
  const passwords = JSON.parse(readFileSync(join(own, 'credentials.json'), 'utf8')) as { owner: string; app: string };
  const at = (user: string, word: string) =>
    `postgres://${user}:${word}@localhost/fairlead?host=${encodeURIComponent(join(runs, 'socket'))}`;
  return cli.serve({
    DATABASE_URL: at('fairlead_login', passwords.app),
    DATABASE_MIGRATION_URL: at('fairlead_owner', passwords.owner),
    CLICKHOUSE_URL: clickhouse.url,
    ...env,
  });
}
/** The desk kills itself at a crash point, and is started again. */
async function restarted(env: Record<string, string> = {}): Promise<void> {
  if (server.process.exitCode === null && server.process.signalCode === null)
    await new Promise((resolve) => server.process.once('exit', resolve));
  expect(server.process.signalCode).toBe('SIGKILL');
  server = await serve(env);
}

beforeAll(async () => {
  [database, clickhouse] = await Promise.all([openTestPostgres(), startClickHouseHttp()]);
  server = await serve({ FAIRLEAD_CRASH_POINT: 'removal.files' });
  const code = await vi.waitFor(() => {
    const [, said] = /\/setup#code=([\w-]+)/.exec(server.said()) ?? [];
    if (said === undefined) throw new Error('It has not said its code.');
    return said;
  });
  const site = { domain: 'shop.example', timezone: 'UTC', currency: 'EUR' };
  const made = await call('POST', '/set-up', '', {
    ...{ code, email: 'owner@shop.example', password, organisation: 'Shop', site },
  });
  owner = made.cookie;
  organisation = (await done('GET', '/session', owner)).organisations[0].id;
  await done('POST', `/sites?organisation_id=${organisation}`, owner, { ...site, domain: 'blog.example' });
  other = await done('POST', '/organisations', owner, { name: 'Second' });
  // The days in which everybody can do without one end before those of a deletion.
  for (const id of [organisation, other.id])
    await done('PUT', `/organisations/${id}/second-factor`, owner, { required: 'off' });
  const before = await subjectKeys();
  ana = await invited(organisation, owner, 'ana@shop.example', 'viewer');
  keysOfAna = (await subjectKeys()).filter((one) => !before.includes(one));
  ben = await invited(other.id, owner, 'ben@second.example', 'owner');
});
afterAll(async () => {
  await cli.close();
  await clickhouse.close();
  await database.close();
});

test('a renamed site is counted under the domain before too, until somebody lets that go', async () => {
  expect(await send('shop.example')).toBe('');
  await done('PUT', '/sites/shop.example/domain', owner, { domain: 'https://www.store.example/' });
  expect(await send('shop.example')).toBe('');
  expect(await send('store.example')).toBe('');
  await untilEvents('store.example', owner, 3);
  // Asked for by its former name, it says the one that it has.
  expect((await done('GET', '/sites/shop.example', owner)).domain).toBe('store.example');
  const taken = { domain: 'shop.example', timezone: 'UTC', currency: 'EUR' };
  expect(await call('POST', `/sites?organisation_id=${other.id}`, ben, taken)).toMatchObject({
    status: 409,
    body: { error: { code: 'conflict', field: 'domain', message: expect.stringContaining('another site') } },
  });
  expect((await call('PUT', '/sites/blog.example/domain', owner, { domain: 'shop.example' })).status).toBe(409);
  expect((await call('DELETE', '/sites/store.example/former-domains/shop.example', ben)).status).toBe(404);
  await done('DELETE', '/sites/store.example/former-domains/shop.example', owner);
  expect(await send('shop.example')).toBe('not_found');
  expect((await call('POST', `/sites?organisation_id=${other.id}`, ben, taken)).status).toBe(201);
  expect(await acts(organisation, owner)).toEqual(
    expect.arrayContaining(['site.renamed', 'site.former_domain_removed']),
  );
  // Who did it knows; who looks at the site is told, and nobody of another organisation.
  expect(await bell(ana)).toEqual([
    expect.stringContaining('let shop.example go'),
    expect.stringContaining('renamed shop.example to store.example'),
  ]);
  expect([await bell(owner), await bell(ben)].flat().filter((one) => /renamed| go:/.test(one))).toEqual([]);
});

test('a site moves when both owners say so: then nobody here reaches it, and everybody there does', async () => {
  await done('PATCH', '/sites/store.example', owner, { contact_clicks: true });
  await send('store.example', {
    consent: { analytics_storage: 'granted' },
    name: 'mailto click',
    props: { url: 'mailto:desk@store.example' },
  });
  await done('POST', '/sites/store.example/goals', owner, { kind: 'page', match: '/thanks' });
  await done('POST', '/sites/store.example/annotations', owner, { day: '2026-11-01', note: 'launch' });
  await done('POST', '/sites/store.example/shares', owner, {
    ...{ name: 'all', kind: 'public', panels: ['totals'], periods: ['28d'] },
  });
  const siteId = (await done('GET', '/sites/store.example', owner)).id;
  const key = await done('POST', '/keys', owner, { name: 'one', scopes: ['stats:read'], site_ids: [siteId] });
  const known = { vi: 'a1'.repeat(16), consent: { analytics_storage: 'granted' } };
  await send('store.example', { ...known, si: known.vi });
  await untilEvents('store.example', owner, 5);
  const named = await fetch(`${server.base}/api/visitor`, {
    method: 'POST',
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0' },
    body: JSON.stringify({ n: 'identify', d: 'store.example', ...known, id: 'customer-7' }),
  });
  expect(named.status).toBe(200);
  const namesOf = async (by: string) =>
    (await done('GET', '/sites/store.example/profiles', by)).profiles.map(
      ({ traits }: { traits: { id?: string } }) => traits.id,
    );
  expect(await namesOf(owner)).toEqual(['customer-7']);
  const before = await contents('store.example', owner);
  expect(before).toMatchObject({ goals: 1, annotations: 1, shares: 1, keys: 1 });

  // To an address that nobody here has: the same answer, and nobody can take it.
  const lost = await done('POST', '/sites/store.example/moves', owner, { to: 'nobody@nowhere.example' });
  expect((await call('POST', '/sites/store.example/moves', owner, { to: other.slug })).status).toBe(409);
  await done('DELETE', `/sites/store.example/moves/${lost.id}`, owner);
  const offered = await done('POST', '/sites/store.example/moves', owner, { to: 'ben@second.example' });
  expect([offered.state, offered.to]).toEqual(['offered', 'ben@second.example']);
  const offers = `/organisations/${other.id}/site-moves`;
  // The giver cannot accept for the other side, and the other side not another's offer.
  expect((await call('PUT', `/organisations/${organisation}/site-moves/${offered.id}/acceptance`, owner)).status).toBe(
    404,
  );
  expect((await call('PUT', `${offers}/${lost.id}/acceptance`, ben)).status).toBe(404);
  expect((await call('GET', '/sites/store.example', ben)).status).toBe(404);
  expect((await done('GET', `${offers}/${offered.id}`, ben)).move.site).toBe('store.example');
  await done('PUT', `${offers}/${offered.id}/acceptance`, ben);

  for (const path of ['', '/goals', '/contents', '/life', '/contact-clicks'])
    for (const [who, cookie] of [['ana', ana]])
      expect([who, path, (await call('GET', `/sites/store.example${path}`, cookie)).status]).toEqual([who, path, 404]);
  const { shares: _, keys: __, ...along } = before;
  expect(await contents('store.example', ben)).toEqual(along);
  const clicks = (await done('GET', '/sites/store.example/contact-clicks', ben)).clicks;
  expect(clicks.map(({ value }: { value: string }) => value)).toEqual(['desk@store.example']);
  // Who visitors were said to be stays behind, and is nowhere.
  expect(await namesOf(ben)).toEqual([undefined]);
  expect(await unbound(['profile_digests'], 'SELECT 1 FROM profile_digests')).toEqual([]);
  expect(await send('store.example')).toBe('');
  await untilEvents('store.example', ben, 6);
  const asked = await fetch(`${server.base}/api/sites/store.example/goals`, {
    headers: { authorization: `Bearer ${key.key}` },
  });
  expect(asked.status).toBe(401);
  expect((await call('PUT', `${offers}/${offered.id}/acceptance`, ben)).status).toBe(409);
  expect(await acts(organisation, owner)).toContain('site.moved');
  expect(await acts(other.id, ben)).toContain('site.received');
  expect((await bell(ana))[0]).toBe('store.example moved to Second. Nobody of Shop reaches it any more.');
  expect(await bell(owner)).toContain('store.example moved here from Shop.');
});

test('a deletion stops collection at once, and can be taken back for seven days', async () => {
  const typed = { domain: 'blog.example' };
  expect(await send('blog.example')).toBe('');
  const leaving = async () => {
    const { sites } = (await call('GET', '/session', owner)).body as {
      sites: { domain: string; deletes_at: string }[];
    };
    return sites.find(({ domain }) => domain === 'blog.example')?.deletes_at;
  };
  expect(await leaving()).toBeNull();
  const { due_at } = (await done('PUT', '/sites/blog.example/deletion', owner, typed)) as SiteRemoval;
  // Pages of the site say so, for everybody who sees it.
  expect(await leaving()).toBe(due_at);
  expect(await send('blog.example')).toBe('site_suspended');
  expect((await call('POST', '/sites/blog.example/moves', owner, { to: other.slug })).status).toBe(409);
  await done('DELETE', '/sites/blog.example/deletion', owner);
  expect(await leaving()).toBeNull();
  expect(await send('blog.example')).toBe('');
  await done('PUT', '/sites/blog.example/deletion', owner, typed);
  await untilEvents('blog.example', owner, 2);
  expect((await bell(ana)).slice(0, 3)).toEqual([
    expect.stringContaining('deleted blog.example. It collects nothing any more'),
    expect.stringContaining('took the deletion of blog.example back'),
    expect.stringContaining('deleted blog.example. It collects nothing any more'),
  ]);
  numberOfAna = (await done('GET', '/session', ana)).person.id;
  await done('POST', '/account/closing', ana, { password });
});

test('an emptying waits for a warehouse that is away, and goes on by itself', async () => {
  const life = '/sites/store.example/life';
  expect((await call('POST', '/sites/store.example/emptyings', ben, { domain: 'blog.example' })).status).toBe(400);
  clickhouse.fail({ code: 394, type: 'QUERY_WAS_CANCELLED', status: 500 });
  await done('POST', '/sites/store.example/emptyings', ben, { domain: 'store.example' });
  const imports = '/sites/store.example/imports';
  expect((await call('POST', imports, ben, { kind: 'ga4', name: 'ga4.csv', size: 10 })).status).toBe(409);
  const waiting = await vi.waitFor(async () => {
    const { removal } = (await done('GET', life, ben)) as { removal: SiteRemoval };
    expect(removal.waits_for).toBe('warehouse');
    return removal;
  }, soon);
  expect([waiting.state, waiting.steps_done, waiting.rows_left]).toEqual(['running', 0, null]);
  clickhouse.fail(undefined);
  // It goes on as far as the crash point that this desk was started with.
  await restarted({ FAIRLEAD_CRASH_POINT: 'removal.begun' });
});

test('killed at every place of its work, a removal goes on and ends when a second reading finds nothing', async () => {
  await restarted({ FAIRLEAD_CRASH_POINT: 'removal.table:4' });
  // Nothing is left of it, and that is not written down; the days of the deletion are over when it starts again.
  await restarted({ FAIRLEAD_CRASH_POINT: 'removal.checked' });
  // Ana's day has come as well; the desk dies in the middle of closing her account.
  const later = { FAIRLEAD_CLOCK_OFFSET_MS: String(30 * 86_400_000 + 60_000) };
  await restarted({ ...later, FAIRLEAD_CRASH_POINT: 'closing.emptied' });
  await vi.waitFor(() => expect(server.process.signalCode).toBe('SIGKILL'), soon);
  expect(await leftOfAna(), 'some of her keys are left').toMatchObject({ status: 'closed', is_over: false });
  await restarted(later);
  [owner, ben] = [await signIn('owner@shop.example'), await signIn('ben@second.example')];
  const removed = (id: number, by: string) =>
    vi.waitFor(async () => {
      const { removals } = (await done('GET', `/organisations/${id}/site-removals`, by)) as { removals: SiteRemoval[] };
      expect(removals[0]).toMatchObject({ state: 'done', rows_left: 0, steps_done: removals[0]?.steps });
      return removals[0] as SiteRemoval;
    }, soon);
  const ofKind = ({ removed: all }: SiteRemoval, kind: SiteContent['kind']) =>
    all.find((one) => one.kind === kind)?.rows;

  const emptied = await removed(other.id, ben);
  expect([emptied.kind, ofKind(emptied, 'events')]).toEqual(['emptying', 6]);
  expect(await contents('store.example', ben)).toEqual({ goals: 1, annotations: 1 });
  expect(await send('store.example')).toBe('');
  await untilEvents('store.example', ben, 1);
  expect(await acts(other.id, ben)).toEqual(expect.arrayContaining(['site.emptying', 'site.emptied']));
  expect((await bell(owner)).some((one) => one.includes('collected of store.example was removed'))).toBe(true);

  const deleted = await removed(organisation, owner);
  expect([deleted.kind, deleted.domain, ofKind(deleted, 'events')]).toEqual(['deletion', 'blog.example', 2]);
  expect((await call('GET', '/sites/blog.example', owner)).status).toBe(404);
  expect(await send('blog.example')).toBe('not_found');
  const anew = { domain: 'blog.example', timezone: 'UTC', currency: 'EUR' };
  await done('POST', `/sites?organisation_id=${organisation}`, owner, anew);
  expect(await contents('blog.example', owner)).toEqual({});
  expect(await acts(organisation, owner)).toEqual(
    expect.arrayContaining(['site.deleting', 'site.deletion_taken_back', 'site.deleted']),
  );

  // An account whose closing was cut short is closed as if nothing had been: no key, and nothing that says who it was.
  await vi.waitFor(async () => expect(await leftOfAna()).toMatchObject({ status: 'closed', is_over: true }), soon);
  expect(keysOfAna.length).toBeGreaterThan(1);
  const left = await subjectKeys();
  expect(keysOfAna.filter((one) => left.includes(one))).toEqual([]);
  expect(await leftOfAna()).toMatchObject({ about: 0, rows: 0 });
  expect((await call('POST', '/sessions', '', { email: 'ana@shop.example', password })).status).toBe(401);
});

/** Of the account: its state, and how much is left of its person. */
async function leftOfAna(): Promise<object | undefined> {
  const [left] = await unbound(
    ['people', 'memberships', 'passwords', 'seen_devices', 'mail.messages'],
    `SELECT status, status_until IS NULL AS is_over,
       num_nonnulls(email_digest, email_sealed, username, timezone, locale, last_seen_day, nullif(name, '')) AS about,
       (SELECT count(*) FROM memberships WHERE person_id = p.id) + (SELECT count(*) FROM passwords WHERE person_id = p.id)
         + (SELECT count(*) FROM seen_devices WHERE person_id = p.id)
         + (SELECT count(*) FROM mail.messages WHERE person_id = p.id) AS rows
     FROM people p WHERE id = $1`,
    [numberOfAna],
  );
  return left;
}
