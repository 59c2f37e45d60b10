import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AccountsHouse, openAccountsHouse } from '../../../test/accounts_house.ts';
import { concernLimits, createOrganisation, requestLimits } from '../../accounts/index.ts';
import { systemClock } from '../../platform/clock.ts';
import { ringOf } from '../keys/index.ts';
import { openRequests } from '../requests/index.ts';
import { openIncidents } from './index.ts';

/** A real database, a real listener, and a clock that is turned. */
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const password = 'a harbour of quiet rope';
const north = { slug: '', email: 'owner@north.example', personId: 0, organisationId: 0, cookie: '' };
const south = { slug: '', email: 'owner@south.example', personId: 0, organisationId: 0, cookie: '' };
let desk: AccountsHouse;
let incidents: ReturnType<typeof openIncidents>;

beforeAll(async () => {
  desk = await openAccountsHouse({
    ...{ clock, keys: ringOf(Buffer.alloc(32, 7)), trustedProxies: 1, inbox: true },
    more(house, accounts) {
      // Nothing here asks the warehouse.
      incidents = openIncidents({ ...house, warehouse: undefined as never }, accounts.notices, concernLimits(house));
      const requests = openRequests(house, accounts.notices, { limits: requestLimits(house) });
      return [...(incidents.routes ?? []), ...(requests.routes ?? [])];
    },
  });
  const hash = await desk.accounts.passwords.hash(password);
  for (const side of [north, south]) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: side.email, organisation: side.email.slice(6, 11), hash }),
    );
    Object.assign(side, made);
    const { slug } = await desk.house.postgres.tenant(side.organisationId, (sql) =>
      sql.one<{ slug: string }>('SELECT slug FROM organisations WHERE id = $1', [side.organisationId]),
    );
    side.slug = slug;
    await signIn(side);
  }
});
afterAll(() => desk.close());

async function signIn(side: typeof north): Promise<void> {
  side.cookie = (await ask('POST', '/api/sessions', '', { email: side.email, password })).cookies;
}
const ask: AccountsHouse['ask'] = (...given) => desk.ask(...given);
async function form(path: string, fields: Record<string, string>, from = '198.51.100.7') {
  const answer = await fetch(desk.base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': from },
    body: new URLSearchParams(fields),
  });
  return { status: answer.status, headers: answer.headers, html: await answer.text() };
}
const at = (side: typeof north, rest: string) => `/api/organisations/${side.organisationId}/${rest}`;
const drafts = async (side: typeof north) => (await ask('GET', at(side, 'incident-drafts'), side.cookie)).body.drafts;
const told = () =>
  desk.house.postgres.person(north.personId, (sql) =>
    sql.query<{ facts: { concerns: number } }>("SELECT facts FROM notifications WHERE notice = 'concern_came'"),
  );
const incident = (draft: number) => ({
  ...{ title: 'A wrong mail', what: 'It went to a stranger.', severity: 'low', classes: ['D4'], draft },
  ...{ began_at: new Date(clock.now() - 9_000).toISOString(), known_at: new Date(clock.now()).toISOString() },
});

test('the form has no script and no cookie; what is wrong or hostile comes back as words, and nothing is entered', async () => {
  const page = await fetch(`${desk.base}/concern/${north.slug}`);
  const html = await page.text();
  expect([page.status, page.headers.getSetCookie()]).toEqual([200, []]);
  expect(html).not.toMatch(/<script/);
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*form-action 'self'/);
  const said = '</textarea><script>alert(1)</script>" onfocus="x';
  for (const [fields, words] of [
    [{ said: '  ' }, 'Write what happened'],
    [{ said: 'x'.repeat(4_001) }, '4,000 characters'],
    [{ said, reach: '"><b>nobody' }, 'Write an e-mail address'],
    [{ said, happened_on: '2026-13-40' }, 'Choose a day'],
    [{ said, happened_on: '2999-01-01' }, 'still to come'],
    [{ __proto__x: '1' }, 'Write what happened'],
  ] as const) {
    const answer = await form(`/concern/${north.slug}`, fields, '198.51.101.7');
    expect([answer.status, answer.html]).toEqual([400, expect.stringContaining(words)]);
    expect(answer.html).not.toMatch(/<script|<b>nobody|" onfocus="/);
  }
  for (const slug of ['unknown', "x'--", '%2e%2e', 'NORTH'])
    expect((await form(`/concern/${slug}`, { said: 'x' })).status).toBe(404);
  expect([await drafts(north), await drafts(south)]).toEqual([[], []]);
});

test('a concern is a draft of its organisation alone, sealed, told to who decides, and begins no clock', async () => {
  const first = await form(`/concern/${north.slug}`, {
    said: 'I got \0 a mail\r\nof somebody else <b>',
    reach: 'Me@visitor.example',
  });
  expect([first.status, first.html]).toEqual([200, expect.stringContaining('Your concern was sent')]);
  const bare = await form(`/concern/${north.slug}`, { said: 'No name.', happened_on: '2026-11-01' });
  expect(bare.html, 'the same for everybody').toBe(first.html);
  await incidents.remind();
  expect(
    (await told()).map(({ facts }) => facts.concerns),
    'a second within the hour waits',
  ).toEqual([1]);
  aheadMs += 3_600_001;
  // Longer than a session lasts that nobody uses.
  for (const side of [north, south]) await signIn(side);
  await incidents.remind();
  await incidents.remind();
  expect((await told()).map(({ facts }) => facts.concerns)).toEqual([1, 1]);
  expect(await drafts(north)).toMatchObject([
    { kind: 'concern', concern: { said: 'No name.', happened_on: '2026-11-01', reach: null } },
    { concern: { said: 'I got \0 a mail\nof somebody else <b>', happened_on: null, reach: 'Me@visitor.example' } },
  ]);
  expect(await drafts(south)).toEqual([]);
  expect((await ask('GET', at(north, 'incident-drafts'), south.cookie)).status, 'of another organisation').toBe(404);
  expect((await ask('GET', at(north, 'incidents'), north.cookie)).body.incidents).toEqual([]);
  const rows = await desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.query<{ said_sealed: Buffer; reach_sealed: Buffer | null }>(
      'SELECT said_sealed, reach_sealed FROM incident_drafts',
    ),
  );
  for (const { said_sealed, reach_sealed } of rows)
    expect(`${said_sealed} ${reach_sealed}`).not.toMatch(/mail|name|visitor/i);
});

test('who reads the address of somebody who reported is written down; an erasure of theirs finds it and takes it out', async () => {
  const acts = () =>
    desk.house.postgres.tenant(north.organisationId, (sql) =>
      sql.query("SELECT 1 FROM audit.entries WHERE action = 'incident.concern_read'"),
    );
  const before = (await acts()).length;
  await drafts(north);
  await drafts(south);
  expect((await acts()).length, 'once for each look').toBe(before + 1);
  await form(`/concern/${north.slug}`, { said: 'Erase me.', reach: 'Gone@visitor.example' });
  const [holder] = incidents.holders ?? [];
  if (holder?.erase === undefined) throw new Error('Nobody holds concerns.');
  const { organisationId } = north;
  const digest = await desk.house.vault.subject(organisationId, 'email', 'gone@visitor.example');
  const who = { organisationId, identifiers: [{ kind: 'email' as const, digest }] };
  expect((await holder.copy(who)).map(({ record }) => record.said)).toEqual(['Erase me.']);
  expect((await holder.find({ ...who, organisationId: south.organisationId })).rows, 'of another organisation').toEqual(
    [],
  );
  const held = { siteIds: new Map<number, number>(), personIds: new Map<number, number>() };
  await desk.house.postgres.tenant(organisationId, async (sql) => holder.erase?.(sql, who, held));
  expect([await holder.left(who, held), (await drafts(north))[0].concern]).toEqual([
    [],
    { said: 'Erase me.', happened_on: null, reach: null },
  ]);
  const [{ id }] = await drafts(north);
  await ask('PUT', at(north, `incident-drafts/${id}`), north.cookie, { dismissed_because: 'They are gone.' });
});

test('taken up once, with the day of the report beside the day it was known; or dismissed for a reason, and the address goes', async () => {
  const [bare, reached] = await drafts(north);
  const [south1] = [await ask('POST', at(south, 'incidents'), south.cookie, incident(reached.id))];
  expect(south1.status, 'of another organisation').toBe(404);
  const both = await Promise.all(
    [1, 2].map(() => ask('POST', at(north, 'incidents'), north.cookie, incident(reached.id))),
  );
  expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  const { body: list } = await ask('GET', at(north, 'incidents'), north.cookie);
  expect(list.incidents, 'who came second made none').toHaveLength(1);
  const of = at(north, `incidents/${list.incidents[0].id}`);
  const { body: one } = await ask('GET', of, north.cookie);
  expect(one).toMatchObject({
    clock: 'running',
    concerns: [{ reach: 'Me@visitor.example', reported_at: reached.raised_at }],
  });
  expect(Date.parse(one.due_at) - Date.parse(one.known_at), 'from when it was known').toBe(72 * 3_600_000);
  expect(Date.parse(one.known_at)).toBeGreaterThan(Date.parse(reached.raised_at));
  await ask('PUT', `${of}/report`, north.cookie, { untold_reason: 'One mail.' });
  const closed = await ask('PUT', `${of}/closing`, north.cookie, { said: 'Over.' });
  expect(closed.body.concerns).toMatchObject([{ said: reached.concern.said, reach: null }]);
  await form(`/concern/${north.slug}`, { said: 'Again.', reach: 'me@visitor.example' });
  const [again] = await drafts(north);
  for (const { id } of [bare, again])
    expect(
      (await ask('PUT', at(north, `incident-drafts/${id}`), north.cookie, { dismissed_because: 'A test.' })).status,
    ).toBe(200);
  const left = await desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.query('SELECT 1 FROM incident_drafts WHERE reach_sealed IS NOT NULL'),
  );
  expect(left).toEqual([]);
  await expect(
    desk.house.postgres.tenant(north.organisationId, (sql) => sql.run("UPDATE incident_drafts SET said_sealed = ''")),
  ).rejects.toThrow(/permission denied/);
  const acts = await desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.query<{ action: string }>('SELECT action FROM audit.entries'),
  );
  for (const action of ['incident.concern_came', 'incident.judged', 'incident.opened'])
    expect(acts.map((one) => one.action)).toContain(action);
});

test('ten of a network an hour and 200 of an organisation a day are taken; both forms say so on a page, with what was written', async () => {
  const many = async (said: string, from: string) => form(`/concern/${south.slug}`, { said }, from);
  const answers = [];
  for (let n = 0; n < 11; n += 1) answers.push(await many(`number <${n}>`, '192.0.2.9'));
  expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429]);
  const last = answers.at(-1);
  expect(last?.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(3_000);
  expect(last?.html).toMatch(/Too many at once.*number &lt;10&gt;/s);
  expect(last?.html).not.toMatch(/<script/);
  await desk.house.postgres.system((sql) => sql.run('UPDATE throttles SET count = 200 WHERE count = 10'));
  expect((await many('one more', '192.0.3.9')).status, 'from another network').toBe(429);
  expect(await drafts(south)).toHaveLength(10);
  const requests = [];
  for (let n = 0; n < 61; n += 1) requests.push(await form(`/request/${south.slug}`, { kind: 'gossip' }, '192.0.2.77'));
  expect(requests.at(-1)?.status).toBe(429);
  expect(requests.at(-1)?.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(requests.at(-1)?.html).toContain('Too many at once');
});
