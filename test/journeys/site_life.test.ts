import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SiteContent, SiteRemoval } from '../../contract/site_life.ts';
import { layPreparedCluster } from '../prepared_cluster.ts';
import { openCommandLine, type ServedDesk } from './cli.ts';

/** A site as a whole, on a desk that is killed: renamed, moved to another organisation, emptied, deleted. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });
const cli = openCommandLine();
const password = 'a harbour of quiet rope';
let server: ServedDesk;
let organisation = 0;
let other: { id: number; slug: string };
/** Owner of the first organisation, one who looks there, and the owner of the other one. */
let owner = '';
let ana = '';
let ben = '';

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

async function join(organisationId: number, by: string, email: string, role: string): Promise<string> {
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
const soon = { timeout: 60_000, interval: 100 };
const untilEvents = (site: string, by: string, events: number) =>
  vi.waitFor(async () => expect((await contents(site, by)).events ?? 0).toBe(events), soon);
async function acts(organisationId: number, by: string): Promise<string[]> {
  const { entries } = await done('GET', `/organisations/${organisationId}/audit`, by);
  return (entries as { action: string }[]).map(({ action }) => action).filter((action) => action.startsWith('site.'));
}
/** The desk kills itself at a crash point, and is started again. */
async function restarted(env: Record<string, string> = {}): Promise<void> {
  if (server.process.exitCode === null && server.process.signalCode === null)
    await new Promise((resolve) => server.process.once('exit', resolve));
  expect(server.process.signalCode).toBe('SIGKILL');
  server = await cli.serve(env);
}

beforeAll(async () => {
  await layPreparedCluster(cli.dataDir);
  const made = await cli.run(
    [
      ...['setup', '--email', 'owner@shop.example', '--organisation', 'Shop'],
      ...['--site', 'shop.example', '--site', 'blog.example'],
    ],
    { input: `${password}\n` },
  );
  expect(made.code, made.err).toBe(0);
  server = await cli.serve({ FAIRLEAD_CRASH_POINT: 'removal.table:4' });
  owner = await signIn('owner@shop.example');
  organisation = (await done('GET', '/session', owner)).organisations[0].id;
  other = await done('POST', '/organisations', owner, { name: 'Second' });
  // The days in which everybody can do without one end before those of a deletion.
  for (const id of [organisation, other.id])
    await done('PUT', `/organisations/${id}/second-factor`, owner, { required: 'off' });
  ana = await join(organisation, owner, 'ana@shop.example', 'viewer');
  ben = await join(other.id, owner, 'ben@second.example', 'owner');
});
afterAll(() => cli.close());

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
});

test('a site moves when both owners say so: then nobody here reaches it, and everybody there does', async () => {
  await done('PATCH', '/sites/store.example', owner, { contact_clicks: true });
  await send('store.example', { name: 'mailto click', props: { url: 'mailto:desk@store.example' } });
  await done('POST', '/sites/store.example/goals', owner, { kind: 'page', match: '/thanks' });
  await done('POST', '/sites/store.example/annotations', owner, { day: '2026-11-01', note: 'launch' });
  await done('POST', '/sites/store.example/shares', owner, {
    ...{ name: 'all', kind: 'public', panels: ['totals'], periods: ['28d'] },
  });
  const siteId = (await done('GET', '/sites/store.example', owner)).id;
  const key = await done('POST', '/keys', owner, { name: 'one', scopes: ['stats:read'], site_ids: [siteId] });
  await untilEvents('store.example', owner, 4);
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
  expect(await send('store.example')).toBe('');
  await untilEvents('store.example', ben, 5);
  const asked = await fetch(`${server.base}/api/sites/store.example/goals`, {
    headers: { authorization: `Bearer ${key.key}` },
  });
  expect(asked.status).toBe(401);
  expect((await call('PUT', `${offers}/${offered.id}/acceptance`, ben)).status).toBe(409);
  expect(await acts(organisation, owner)).toContain('site.moved');
  expect(await acts(other.id, ben)).toContain('site.received');
});

test('an emptying that the desk is killed in goes on, and ends when a second reading finds nothing', async () => {
  expect((await call('POST', '/sites/store.example/emptyings', ben, { domain: 'blog.example' })).status).toBe(400);
  expect(await send('blog.example')).toBe('');
  const before = await contents('store.example', ben);
  await done('POST', '/sites/store.example/emptyings', ben, { domain: 'store.example' });
  const imports = '/sites/store.example/imports';
  expect((await call('POST', imports, ben, { kind: 'ga4', name: 'ga4.csv', size: 10 })).status).toBe(409);
  // In the middle of the tables; and when nothing is left, before that is written down.
  await restarted({ FAIRLEAD_CRASH_POINT: 'removal.checked' });
  await restarted();
  ben = await signIn('ben@second.example');
  const { removal } = await vi.waitFor(async () => {
    const life = (await done('GET', '/sites/store.example/life', ben)) as { removal: SiteRemoval };
    expect(life.removal.state).toBe('done');
    return life;
  }, soon);
  expect(removal).toMatchObject({ kind: 'emptying', rows_left: 0, steps_done: removal.steps });
  expect(removal.removed.find(({ kind }) => kind === 'events')?.rows).toBe(before.events);
  expect(await contents('store.example', ben)).toEqual({ goals: 1, annotations: 1 });
  expect(await send('store.example')).toBe('');
  await untilEvents('store.example', ben, 1);
  expect(await acts(other.id, ben)).toEqual(expect.arrayContaining(['site.emptying', 'site.emptied']));
});

test('a deletion stops collection at once, can be taken back for seven days, and then leaves nothing', async () => {
  owner = await signIn('owner@shop.example');
  const typed = { domain: 'store.example' };
  await done('PUT', '/sites/store.example/deletion', ben, typed);
  expect(await send('store.example')).toBe('site_suspended');
  expect((await call('POST', '/sites/store.example/moves', ben, { to: 'shop' })).status).toBe(409);
  await done('DELETE', '/sites/store.example/deletion', ben);
  expect(await send('store.example')).toBe('');
  await done('PUT', '/sites/store.example/deletion', ben, typed);
  await server.stop('SIGKILL');
  await restarted({ FAIRLEAD_CLOCK_OFFSET_MS: String(7 * 86_400_000 + 60_000) });
  ben = await signIn('ben@second.example');
  const [removal] = await vi.waitFor(async () => {
    const { removals } = await done('GET', `/organisations/${other.id}/site-removals`, ben);
    expect(removals[0]).toMatchObject({ kind: 'deletion', state: 'done', rows_left: 0 });
    return removals as SiteRemoval[];
  }, soon);
  expect(removal?.removed.find(({ kind }) => kind === 'events')?.rows).toBe(2);
  expect((await call('GET', '/sites/store.example', ben)).status).toBe(404);
  expect(await send('store.example')).toBe('not_found');
  owner = await signIn('owner@shop.example');
  expect((await contents('blog.example', owner)).events).toBe(1);
  const anew = { ...typed, timezone: 'UTC', currency: 'EUR' };
  await done('POST', `/sites?organisation_id=${organisation}`, owner, anew);
  expect(await contents('store.example', owner)).toEqual({});
  expect(await acts(other.id, ben)).toEqual(
    expect.arrayContaining(['site.deleting', 'site.deletion_taken_back', 'site.deleted']),
  );
});
