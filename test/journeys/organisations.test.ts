import { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openNotices } from '../../src/accounts/index.ts';
import { closeWhatIsDue } from '../../src/accounts/organisations/status_changes.ts';
import { controlCommands } from '../../src/app/commands.ts';
import { runVault } from '../../src/app/vault_command.ts';
import { ownerLogin } from '../stores.ts';
import { unnoted, type Written, watchWrites } from '../written.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Organisations on a whole desk: who comes in, what they may do, and how that ends, each on the next request. */

vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });
const password = 'a harbour of quiet rope';
let desk: TestDesk;
let database: pg.Client;
let written: () => Promise<Written[]>;
let owner: string;
let sites: { id: number; domain: string; organisation_id: number }[];
let organisation = 0;

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many calls, read by member.
  body: any;
  cookie: string;
}
async function call(method: string, path: string, cookie = '', body?: unknown): Promise<Answer> {
  const response = await fetch(desk.base + path, {
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
const at = (rest = '') => `/api/organisations/${organisation}${rest}`;
const tokenOf = (link: string) => link.split('/invitation/')[1] ?? '';

/** Invites somebody and lets them in. */
async function join(email: string, invitation: object = {}): Promise<{ cookie: string; id: number }> {
  const sent = await call('POST', at('/invitations'), owner, { email, role: 'viewer', ...invitation });
  expect(sent.status, JSON.stringify(sent.body)).toBe(201);
  const token = tokenOf(sent.body.link);
  const accepted = await call('POST', '/api/invitations/acceptances', '', { token, name: email, password });
  expect(accepted.status, JSON.stringify(accepted.body)).toBe(201);
  const session = await call('GET', '/api/session', accepted.cookie);
  return { cookie: accepted.cookie, id: session.body.person.id };
}

beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'blog.example']);
  owner = (await call('POST', '/api/sessions', '', { email: 'owner@shop.example', password })).cookie;
  const session = await call('GET', '/api/session', owner);
  sites = session.body.sites;
  organisation = session.body.organisations[0].id;
  database = new pg.Client(await ownerLogin(desk.server.desk.house.postgres));
  await database.connect();
  written = await watchWrites((work) => work(async (text) => (await database.query(text)).rows));
});
afterAll(async () => {
  await database.end();
  await desk.close();
});

test('invited, let in, given another role on the next request, removed while a page is open (AUT-14)', async () => {
  const sent = await call('POST', at('/invitations'), owner, { email: 'ana@shop.example', role: 'viewer' });
  const token = tokenOf(sent.body.link);
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(await call('POST', '/api/invitations/readings', '', { token })).toMatchObject({
    body: { organisation: 'Shop', email: 'ana@shop.example', role_name: 'viewer', has_account: false },
  });
  // The owner's own session opens the forwarded link: it says so, and the link is still good for Ana.
  const forwarded = await call('POST', '/api/invitations/joins', owner, { token });
  expect([forwarded.status, forwarded.body.error.code]).toEqual([403, 'other_address']);
  const ana = await call('POST', '/api/invitations/acceptances', '', { token, name: 'Ana', password });
  expect([ana.status, ana.body.slug]).toEqual([201, 'shop']);
  const id = (await call('GET', '/api/session', ana.cookie)).body.person.id;
  const goal = { kind: 'page', match: '/thanks' };
  expect((await call('POST', '/api/sites/shop.example/goals', ana.cookie, goal)).status).toBe(404);
  expect((await call('PATCH', at(`/members/${id}`), owner, { role: 'analyst' })).body.role).toBe('analyst');
  expect((await call('POST', '/api/sites/shop.example/goals', ana.cookie, goal)).status).toBe(201);
  const { members } = (await call('GET', at('/members'), ana.cookie)).body;
  expect(members.find((one: { id: number }) => one.id === id)).toMatchObject({
    name: 'Ana',
    last_seen_day: new Date().toISOString().slice(0, 10),
  });
  // Who manages members sees who has no second factor; an analyst sees nothing of it.
  const factorOf = async (cookie: string) =>
    (await call('GET', at('/members'), cookie)).body.members.find((one: { id: number }) => one.id === id).second_factor;
  expect([await factorOf(owner), await factorOf(ana.cookie)]).toEqual([false, null]);
  const { postgres } = desk.server.desk.house;
  await postgres.within({ organisationId: organisation, personId: id }, (sql) =>
    sql.run("INSERT INTO authenticators VALUES ($1, 'sealed', 0, now(), now())", [id]),
  );
  expect(await factorOf(owner)).toBe(true);
  await postgres.within({ organisationId: organisation, personId: id }, (sql) => sql.run('DELETE FROM authenticators'));
  const told = async (cookie: string) =>
    (await call('GET', '/api/notifications', cookie)).body.notifications.map(
      (one: { sentence: string }) => one.sentence,
    );
  expect(await told(ana.cookie)).toEqual(['Your role in Shop is now analyst.']);
  expect(await told(owner)).toEqual(['Ana accepted your invitation to Shop.']);
  expect((await call('DELETE', at(`/members/${id}`), owner)).status).toBe(204);
  expect((await call('GET', '/api/sites/shop.example', ana.cookie)).status).toBe(404);
  expect((await call('GET', '/api/session', ana.cookie)).body).toMatchObject({ organisations: [], sites: [] });

  // An ordinary desk has no inbox for development, for its owner neither.
  expect((await call('GET', '/api/dev/inbox', owner)).status).toBe(404);

  // Whoever has an account joins with it: the same address, a link of its own.
  const again = await call('POST', at('/invitations'), owner, { email: 'ana@shop.example', role: 'viewer' });
  const second = tokenOf(again.body.link);
  const taken = await call('POST', '/api/invitations/acceptances', '', { token: second, name: 'Eve', password });
  expect([taken.status, taken.body.error.code]).toEqual([409, 'conflict']);
  expect((await call('POST', '/api/invitations/joins', ana.cookie, { token: second })).status).toBe(201);
});

test('unknown, used, revoked, resent and expired links give one answer', async () => {
  const invite = async (email: string) =>
    (await call('POST', at('/invitations'), owner, { email, role: 'viewer' })).body;
  const [used, revoked, resent, expired] = await Promise.all(
    ['used', 'revoked', 'resent', 'expired'].map((name) => invite(`${name}@shop.example`)),
  );
  await call('POST', '/api/invitations/acceptances', '', { token: tokenOf(used.link), name: 'Used', password });
  expect((await call('DELETE', at(`/invitations/${revoked.id}`), owner)).status).toBe(204);
  const next = await call('POST', at(`/invitations/${resent.id}/links`), owner);
  await desk.server.desk.house.postgres.tenant(organisation, (sql) =>
    sql.run("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1", [expired.id]),
  );
  const answers = new Set<string>();
  for (const token of ['nobody', ...[used, revoked, resent, expired].map((one) => tokenOf(one.link))]) {
    const { status, body } = await call('POST', '/api/invitations/readings', '', { token });
    answers.add(`${status} ${body.error?.code} ${body.error?.message}`);
  }
  expect([...answers]).toHaveLength(1);
  expect((await call('POST', '/api/invitations/readings', '', { token: tokenOf(next.body.link) })).status).toBe(200);
  // Nothing in the database opens a link (AUT-11).
  const rows = await desk.server.desk.house.postgres.tenant(organisation, (sql) =>
    sql.query('SELECT * FROM invitations'),
  );
  expect(JSON.stringify(rows)).not.toContain(tokenOf(next.body.link));
});

test('an invitation whose mailbox is not there says so to who sees the open ones, and no other does', async () => {
  for (const email of ['there@shop.example', 'gone@shop.example'])
    await call('POST', at('/invitations'), owner, { email, role: 'viewer' });
  const { postgres, mail } = desk.server.desk.house;
  await postgres.system((sql) => mail.suppressions.suppress(sql, 'Gone@shop.example', 'hard_bounce'));
  const { invitations } = (await call('GET', at('/invitations'), owner)).body as {
    invitations: { id: number; email: string; is_undelivered: boolean }[];
  };
  expect(invitations.filter((one) => one.is_undelivered).map(({ email }) => email)).toEqual(['gone@shop.example']);
  for (const { id, email } of invitations)
    if (/^(there|gone)@/.test(email)) await call('DELETE', at(`/invitations/${id}`), owner);
});

test('the fifty-first link of a day is refused', async () => {
  await desk.server.desk.house.postgres.tenant(organisation, (sql) => sql.run('UPDATE invitation_days SET sent = 50'));
  const refused = await call('POST', at('/invitations'), owner, { email: 'late@shop.example', role: 'viewer' });
  expect([refused.status, refused.body.error.code]).toEqual([429, 'rate_limited']);
  await desk.server.desk.house.postgres.tenant(organisation, (sql) => sql.run('DELETE FROM invitation_days'));
});

describe('owners', () => {
  test('two that leave at once leave one behind; the last one stays, whatever is tried', async () => {
    const second = await join('second@shop.example', { role: 'owner' });
    const leaving = await Promise.all(
      [owner, second.cookie].map((cookie) => call('POST', at('/departures'), cookie, { slug: 'shop' })),
    );
    expect(leaving.map(({ status }) => status).sort()).toEqual([204, 409]);
    const refused = leaving.find(({ status }) => status === 409) as Answer;
    expect(refused.body.error.code).toBe('last_owner');
    // The first owner may be the one who left; whoever is left brings the other back for the next tests.
    if (leaving[0]?.status === 204) {
      const back = await call('POST', at('/invitations'), second.cookie, {
        email: 'owner@shop.example',
        role: 'owner',
      });
      await call('POST', '/api/invitations/joins', owner, { token: tokenOf(back.body.link) });
      expect((await call('DELETE', at(`/members/${second.id}`), owner)).status).toBe(204);
    }
    const me = (await call('GET', '/api/session', owner)).body.person.id;
    for (const [method, path, body] of [
      ['PATCH', `/members/${me}`, { role: 'admin' }],
      ['DELETE', `/members/${me}`, undefined],
      ['POST', '/departures', { slug: 'shop' }],
    ] as const)
      expect((await call(method, at(path), owner, body)).body.error?.code, `${method} ${path}`).toBe('last_owner');
  });

  test('any order of demotions, removals and departures at once leaves an owner', async () => {
    const others = [];
    for (const name of ['a', 'b', 'c']) others.push(await join(`owner-${name}@shop.example`, { role: 'owner' }));
    const all = [...others, { cookie: owner, id: (await call('GET', '/api/session', owner)).body.person.id }];
    await Promise.all(
      all.flatMap(({ cookie, id }, place) => {
        const other = all[(place + 1) % all.length]?.id;
        return [
          call('PATCH', at(`/members/${other}`), cookie, { role: 'admin' }),
          ...(place === 3 ? [] : [call('PATCH', at(`/members/${id}`), cookie, { role: 'admin' })]),
          ...(place % 2 === 0 ? [call('POST', at('/departures'), cookie, { slug: 'shop' })] : []),
        ];
      }),
    );
    const { postgres } = desk.server.desk.house;
    const { owners } = await postgres.tenant(organisation, (sql) =>
      sql.one<{ owners: number }>("SELECT count(*)::int AS owners FROM memberships WHERE role = 'owner'"),
    );
    expect(owners).toBeGreaterThanOrEqual(1);
    await postgres.tenant(organisation, async (sql) => {
      const me = (all[3] as { id: number }).id;
      await sql.run("UPDATE memberships SET role = 'viewer' WHERE person_id <> $1", [me]);
      await sql.run(
        `INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'owner', now())
         ON CONFLICT (organisation_id, person_id) DO UPDATE SET role = 'owner'`,
        [organisation, me],
      );
    });
  });

  test('ownership goes to whoever it is offered to, and to nobody else', async () => {
    const heir = await join('heir@shop.example');
    const other = await join('other@shop.example');
    expect((await call('PUT', at('/ownership-offer'), owner, { person_id: heir.id })).status).toBe(200);
    expect((await call('POST', at('/ownership-offer/acceptances'), other.cookie)).status).toBe(409);
    expect((await call('POST', at('/ownership-offer/acceptances'), heir.cookie)).status).toBe(204);
    expect((await call('GET', '/api/session', owner)).body.organisations[0].role).toBe('admin');
    // And back again.
    const me = (await call('GET', '/api/session', owner)).body.person.id;
    await call('PUT', at('/ownership-offer'), heir.cookie, { person_id: me });
    expect((await call('POST', at('/ownership-offer/acceptances'), owner)).status).toBe(204);
    expect((await call('POST', at('/ownership-offer/acceptances'), owner)).status).toBe(409);
  });
});

test('a custom role gives what it says, no more, and nobody hands out what they have not', async () => {
  const made = await call('POST', at('/roles'), owner, {
    name: 'Desk',
    permissions: ['stats.read', 'site.read', 'organisation.read', 'member.read', 'member.manage'],
  });
  const { cookie, id } = await join('desk@shop.example', { role: made.body.role });
  const goal = { kind: 'page', match: '/custom' };
  expect((await call('GET', '/api/sites/shop.example', cookie)).status).toBe(200);
  expect((await call('POST', '/api/sites/shop.example/goals', cookie, goal)).status).toBe(404);
  for (const role of ['admin', 'owner', 'analyst']) {
    expect((await call('PATCH', at(`/members/${id}`), cookie, { role })).status, role).toBe(403);
    expect((await call('POST', at('/invitations'), cookie, { email: 'x@shop.example', role })).status, role).toBe(403);
  }
  const wider = { name: 'Desk', permissions: ['goal.manage'] };
  expect((await call('PUT', at(`/roles/${made.body.role.slice(7)}`), cookie, wider)).status).toBe(400);
  // The owner widens it: it holds on the next request.
  const permissions = [...made.body.permissions, 'goal.manage'];
  await call('PUT', at(`/roles/${made.body.role.slice(7)}`), owner, { name: 'Desk', permissions });
  expect((await call('POST', '/api/sites/shop.example/goals', cookie, goal)).status).toBe(201);
  const path = at(`/roles/${made.body.role.slice(7)}`);
  const inUse = await call('DELETE', path, owner);
  expect([inUse.status, inUse.body.error.field]).toEqual([409, 'successor']);
  expect((await call('DELETE', `${path}?successor=viewer`, owner)).status).toBe(204);
  expect((await call('GET', '/api/session', cookie)).body.organisations[0].role).toBe('viewer');
});

test('a member who sees team sites only gets nothing of another site, on any call about a site (AUT-13)', async () => {
  const shop = sites.find(({ domain }) => domain === 'shop.example');
  const team = await call('POST', at('/teams'), owner, { name: 'Shop', member_ids: [], site_ids: [shop?.id] });
  const limited = await join('limited@shop.example', {
    ...{ role: 'admin', team_ids: [team.body.id], team_sites_only: true },
  });
  const { cookie } = limited;
  const session = (await call('GET', '/api/session', cookie)).body;
  expect(session.sites.map((one: { domain: string }) => one.domain)).toEqual(['shop.example']);
  const listed = (await call('GET', '/api/sites', cookie)).body.sites;
  expect(listed.map((one: { domain: string }) => one.domain)).toEqual(['shop.example']);
  expect((await call('GET', '/api/sites/shop.example', cookie)).status).toBe(200);
  for (const route of desk.server.routes.filter(({ path }) => path.includes('/:domain'))) {
    const path = route.path.replace(':domain', 'blog.example').replaceAll(/:\w+/g, '1');
    const answer = await call(route.method, path, cookie, route.body === undefined ? undefined : {});
    // A body or parameter that cannot be read is refused before anything is looked up; nothing else answers.
    expect([400, 404], `${route.method} ${route.path}: ${JSON.stringify(answer.body)}`).toContain(answer.status);
    expect(JSON.stringify(answer.body)).not.toContain('"id"');
  }
  const question = { site_id: 'blog.example', metrics: ['visitors'], date_range: 'day' };
  expect((await call('POST', '/api/v2/query', cookie, question)).status).toBe(404);
  const batch = await call('POST', '/api/v2/query/batch', cookie, { queries: [question] });
  expect(batch.body.results[0].error.code).toBe('not_found');
  // What would lead out of the limit is not there: keys of the whole organisation, teams, sites of one's own making.
  for (const [method, path, body] of [
    ['POST', '/api/keys', { name: 'out', scopes: ['stats:read'] }],
    ['PATCH', at(`/members/${limited.id}`), { team_sites_only: false }],
    ['PUT', at(`/teams/${team.body.id}`), { name: 'Shop', member_ids: [], site_ids: sites.map(({ id }) => id) }],
    ['POST', '/api/sites', { domain: 'own.example', timezone: 'UTC', currency: 'EUR' }],
  ] as const)
    expect((await call(method, path, cookie, body)).status, path).toBe(404);
  // The right one gets the row: with the other site in the team, on the next request.
  const everything = { name: 'Shop', member_ids: [limited.id], site_ids: sites.map(({ id }) => id) };
  await call('PUT', at(`/teams/${team.body.id}`), owner, everything);
  expect((await call('GET', '/api/sites/blog.example', cookie)).status).toBe(200);
});

test('the former name in addresses leads to the organisation, and to nobody else', async () => {
  expect((await call('PATCH', at(), owner, { slug: 'harbour', name: 'Harbour' })).body).toMatchObject({
    slug: 'harbour',
    former_slugs: ['shop'],
  });
  expect((await call('GET', '/api/organisations/shop', owner)).body.slug).toBe('harbour');
  const other = await call('POST', '/api/organisations', owner, { name: 'Second' });
  expect(other.status).toBe(201);
  const taken = await call('PATCH', `/api/organisations/${other.body.id}`, owner, { slug: 'shop' });
  expect([taken.status, taken.body.error.field]).toEqual([409, 'slug']);
  expect((await call('PATCH', at(), owner, { slug: 'shop', name: 'Shop' })).body.former_slugs).toEqual(['harbour']);
});

test('a logo is what its first bytes say, and nothing that runs', async () => {
  const put = (bytes: string | Buffer) =>
    fetch(`${desk.base}${at('/logo')}`, { method: 'PUT', headers: { cookie: owner }, body: bytes as BodyInit });
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  expect((await put(svg)).status).toBe(400);
  expect((await put(Buffer.alloc(256 * 1024 + 1, 1))).status).toBe(413);
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
  expect((await put(Buffer.from(png).fill(Buffer.from('0000c350', 'hex'), 16, 24))).status).toBe(400);
  expect((await put(png)).status).toBe(200);
  const logo = await fetch(`${desk.base}${at('/logo')}`, { headers: { cookie: owner } });
  expect([logo.headers.get('content-type'), logo.headers.get('content-security-policy')]).toEqual([
    'image/png',
    "default-src 'none'; sandbox",
  ]);
  expect(Buffer.from(await logo.arrayBuffer())).toEqual(png);
});

describe('status', () => {
  const view = { name: 'pageview', url: 'https://shop.example/', domain: 'shop.example' };
  const status = (to: 'active' | 'suspended') =>
    call('PUT', `/api/desk/organisations/${organisation}/status`, owner, { status: to, reason: 'A bill is open.' });

  test('a suspended organisation collects nothing, says so, and lets its owners take all along and read who asked', async () => {
    expect((await desk.collect(view)).headers['x-fairlead-dropped']).toBeUndefined();
    expect((await status('suspended')).status).toBe(204);
    expect((await desk.collect(view)).headers['x-fairlead-dropped']).toContain('organisation_suspended');
    const { organisations } = (await call('GET', '/api/session', owner)).body;
    expect(organisations.find(({ id }: { id: number }) => id === organisation)).toMatchObject({
      status: 'suspended',
      status_reason: 'A bill is open.',
    });
    expect((await call('GET', '/api/sites/shop.example', owner)).status).toBe(200);
    expect((await call('GET', '/api/sites/shop.example/exports', owner)).status).toBe(200);
    const own = (path: string, method = 'GET') => call(method, at(`/${path}`), owner);
    const lines = await own('access-log');
    expect([lines.status, lines.body.on]).toEqual([200, true]);
    const { entries } = (await own('audit')).body;
    expect(entries.some(({ action }: { action: string }) => action === 'access_log.read')).toBe(true);
    const archive = (await own('archives', 'POST')).body;
    await vi.waitFor(async () => expect((await own(`archives/${archive.id}/file`)).status).toBe(200), {
      timeout: 20_000,
    });
    expect((await own(`archives/${archive.id}`, 'DELETE')).status).toBe(204);
    expect((await call('PUT', at('/closing'), owner, { slug: 'shop' })).status).toBe(404);
    expect((await call('PATCH', '/api/sites/shop.example', owner, { titles: true })).status).toBe(404);
    expect((await desk.call('PATCH', '/api/sites/shop.example', { titles: true })).status).toBe(404);
    expect((await status('suspended')).body.error.code).toBe('wrong_status');
    // And on by the command line, as the operator on the machine.
    const { 'status-of': statusOf } = controlCommands(desk.server.desk);
    await statusOf?.(new URLSearchParams({ target: 'shop', status: 'active' }), Readable.from([]), () => {});
    expect((await desk.collect(view)).headers['x-fairlead-dropped']).toBeUndefined();
    expect((await call('PATCH', '/api/sites/shop.example', owner, { titles: true })).status).toBe(200);
  });

  test('a suspended person is out at once and stays out', async () => {
    const { cookie } = await join('gone@shop.example');
    const body = { email: 'gone@shop.example', status: 'suspended', reason: 'Left the firm.' };
    expect((await call('PUT', '/api/desk/people/status', owner, body)).status).toBe(204);
    expect((await call('GET', '/api/session', cookie)).status).toBe(401);
    expect((await call('POST', '/api/sessions/refresh', cookie)).status).toBe(401);
    const again = await call('POST', '/api/sessions', '', { email: 'gone@shop.example', password });
    expect([again.status, again.body.error.code]).toEqual([403, 'suspended']);
    const wrong = await call('POST', '/api/sessions', '', {
      email: 'gone@shop.example',
      password: 'not this one at all',
    });
    expect(wrong.body.error.code).toBe('wrong_credentials');
  });

  test('a closing organisation can be kept, and is nowhere once its day has come', async () => {
    expect((await call('PUT', at('/closing'), owner, { slug: 'other' })).status).toBe(400);
    expect((await call('PUT', at('/closing'), owner, { slug: 'shop' })).body.status).toBe('closing');
    expect((await desk.collect(view)).headers['x-fairlead-dropped']).toBeUndefined();
    expect((await call('DELETE', at('/closing'), owner)).body.status).toBe('active');
    await call('PUT', at('/closing'), owner, { slug: 'shop' });
    await desk.server.desk.house.postgres.tenant(organisation, (sql) =>
      sql.run("UPDATE organisations SET status_until = now() - interval '1 second' WHERE id = $1", [organisation]),
    );
    expect((await call('GET', at(), owner)).status).toBe(404);
    expect((await call('GET', '/api/sites/shop.example', owner)).status).toBe(404);
    expect((await call('DELETE', at('/closing'), owner)).status).toBe(404);
  });
});

describe('fairlead vault', () => {
  const house = () => desk.server.desk.house;
  let printed: string[];
  /** The command as it is typed, for this data directory. @returns the line that it prints */
  const vault = async (...args: string[]) => {
    vi.stubEnv('FAIRLEAD_DATA_DIR', desk.dataDir);
    vi.stubEnv('FAIRLEAD_TEST_CLUSTER', undefined);
    printed = [];
    const spies = (['stdout', 'stderr'] as const).map((name) =>
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        if (name === 'stdout') printed.push(String(text));
        return true;
      }),
    );
    try {
      expect(await runVault(args)).toBe(0);
    } finally {
      for (const spy of spies) spy.mockRestore();
      vi.unstubAllEnvs();
    }
    return JSON.parse(printed.join(''));
  };
  const keysOf = (of: number | 'desk') =>
    house().postgres.vault(of, (sql) =>
      sql.query<{ id: string; is_current: boolean }>(
        "SELECT encode(id, 'hex') AS id, is_current FROM vault.owner_keys ORDER BY is_current",
      ),
    );
  const trail = (of: number | 'desk', action: string) =>
    of === 'desk'
      ? house().postgres.system((sql) => sql.query('SELECT * FROM audit.entries WHERE action = $1', [action]))
      : house().postgres.tenant(of, (sql) => sql.query('SELECT * FROM audit.entries WHERE action = $1', [action]));
  const place = { table: 'notes', column: 'text', row: 1, class: 'D5' } as const;

  test('rotate gives one organisation a new key; what lies under the old one still opens, and the trail says so', async () => {
    const of = { organisationId: organisation, ...place };
    const before = await keysOf(organisation);
    const sealed = await house().vault.seal(of, 'from before');
    const deskKeys = await keysOf('desk');
    expect(await vault('rotate', '--organisation', 'shop')).toMatchObject({ organisations: 1 });
    const after = await keysOf(organisation);
    expect(after).toHaveLength(before.length + 1);
    expect(after.at(-1)?.id).not.toBe(before.at(-1)?.id);
    expect(await keysOf('desk'), 'the key of the desk stays').toEqual(deskKeys);
    expect((await house().vault.open(of, sealed)).toString()).toBe('from before');
    expect(await house().vault.isOld(of, sealed)).toBe(true);
    expect(await trail(organisation, 'vault.rotated')).toHaveLength(1);
    await expect(vault('rotate', '--organisation', 'nobody')).rejects.toThrow('There is no organisation "nobody"');
  });

  test('destroy takes only one that is closed, and nothing of it opens or is sealed again (CRY-08)', async () => {
    const of = { organisationId: organisation, ...place };
    const sealed = await house().vault.seal(of, 'gone soon');
    const ofDesk = await house().vault.seal({ organisationId: 'desk', ...place }, 'stays');
    // It is treated as closed since its day has come; written down it is by the work of the hour.
    await expect(vault('destroy', 'shop')).rejects.toThrow('Its keys can be destroyed when it is closed');
    expect((await house().vault.open(of, sealed)).toString(), 'nothing was destroyed').toBe('gone soon');
    expect(await closeWhatIsDue({ house: house(), notices: openNotices(house()) })).toBe(1);
    expect(await trail(organisation, 'organisation.closed')).toHaveLength(1);
    expect((await vault('destroy', 'shop')).keys).toBeGreaterThan(1);
    await expect(house().vault.open(of, sealed)).rejects.toMatchObject({ code: 'destroyed' });
    await expect(house().vault.seal(of, 'again')).rejects.toMatchObject({ code: 'destroyed' });
    expect(await keysOf(organisation)).toEqual([]);
    expect((await house().vault.open({ organisationId: 'desk', ...place }, ofDesk)).toString()).toBe('stays');
    for (const whose of [organisation, 'desk'] as const)
      expect(await trail(whose, 'organisation.shredded')).toHaveLength(1);
    expect((await vault('destroy', 'shop')).keys, 'once more finds nothing').toBe(0);
  });
});

test('whatever these tests changed left its act in the transaction that changed it (AUD-01)', async () => {
  // What the tests above set up with their own hands is no call of anybody.
  // What is removed of a closed organisation begins with its sites, on the day that its closing said.
  const ownMoves =
    /^((INSERT|DELETE) public\.authenticators|INSERT mail\.suppressions.*|INSERT public\.site_removals|UPDATE public\.sites\(state\)|UPDATE public\.(invitations\(expires_at\)|organisations\((status,)?status_until\)|memberships\((role)?\)))$/;
  expect(unnoted(await written()).filter((changes) => !changes.every((change) => ownMoves.test(change)))).toEqual([]);
  const acts = new Set((await written()).flatMap((one) => one.acts));
  for (const act of [
    ...['member.joined', 'member.left', 'organisation.suspended', 'organisation.resumed'],
    ...['organisation.closing', 'organisation.closed', 'organisation.ownership_transferred', 'person.suspended'],
    ...['vault.rotated', 'organisation.shredded'],
  ])
    expect(acts).toContain(act);
});
