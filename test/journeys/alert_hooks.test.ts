import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { AlertHook, AlertTest, MadeAlertHook } from '../../contract/alert_hooks.ts';
import { openAlertPosts } from '../../src/accounts/alerts/posts.ts';
import { postedFacts } from '../../src/accounts/alerts/queue.ts';
import { noticeList } from '../../src/accounts/mail/notice_list.ts';
import { remindOfRelay } from '../../src/relay/alerts/watch.ts';
import { type HttpsReceiver, openHttpsReceiver } from '../https_receiver.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Alerts go to an https address of the organisation, signed, until they are taken; who runs it hears when they are not. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });

let desk: TestDesk;
let theirs: HttpsReceiver;
let owner = '';
let organisation = 0;
let hookPath = '';
beforeAll(async () => {
  theirs = await openHttpsReceiver();
  desk = await openTestDesk(['shop.example'], { FAIRLEAD_OUTBOUND_ALLOW: 'localhost' });
  owner = await desk.signIn();
  const { body } = await desk.call('GET', '/api/sites');
  organisation = Number((body.sites as { organisation_id: number }[])[0]?.organisation_id);
  hookPath = `/api/organisations/${organisation}/alert-hook`;
});
afterAll(async () => {
  await desk?.close();
  theirs?.close();
});

async function ask<Answer>(method: string, path: string, body?: unknown, status = 200): Promise<Answer> {
  const answer = await desk.raw({
    ...{ method, path, headers: { cookie: owner, origin: desk.base, 'content-type': 'application/json' } },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect([answer.status, answer.text.slice(0, 300)]).toEqual([status, expect.anything()]);
  return (answer.text === '' ? undefined : JSON.parse(answer.text)) as Answer;
}
const own = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
  desk.server.desk.house.postgres.tenant(organisation, (sql) => sql.query<Row>(text, values));
const work = () => desk.server.desk.accounts.alerts.work();
const hook = async () => (await ask<{ hook: AlertHook }>('GET', hookPath)).hook;
const dueNow = () =>
  own("UPDATE alert_posts SET next_at = now() - interval '1 second' WHERE state = 'waiting' RETURNING id");

/** A request that nobody has mapped is one alert; another source makes another. */
async function alertOnce(name: string): Promise<void> {
  const made = await desk.call('POST', `/api/organisations/${organisation}/relay/sources`, {
    ...{ name, preset: 'canonical' },
  });
  const path = new URL(String(made.body.address)).pathname;
  const body = JSON.stringify({ buyer: 'canary7f3a9b@person.example' });
  expect((await desk.raw({ path, body, headers: { 'content-type': 'application/json' } })).status).toBe(202);
  if (!(await desk.server.desk.house.spool.drain(20_000))) throw new Error('The spool did not drain within 20 s.');
  const { house, accounts } = desk.server.desk;
  await remindOfRelay({ clock: house.clock, log: house.log, notices: accounts.notices });
}

it('posts an alert to the address that was set for it, signed by a secret that is shown once, until it is taken', async () => {
  expect(await ask('GET', hookPath)).toEqual({ hook: null });
  for (const url of ['http://localhost/x', 'https://a:b@localhost/x', 'mailto:a@b.example'])
    await ask('PUT', hookPath, { url }, 400);
  await ask('PUT', hookPath, { is_active: true }, 400);
  await ask('POST', `${hookPath}/tests`, undefined, 404);
  const url = `https://localhost:${theirs.port}/hook?token=of-theirs`;
  const made = await ask<MadeAlertHook>('PUT', hookPath, { url });
  expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(made.hook).toMatchObject({
    host: `localhost:${theirs.port}`,
    is_active: true,
    failing_since: null,
    posts: [],
  });
  const [row] = await own<Record<string, unknown>>('SELECT * FROM alert_hooks');
  for (const hidden of ['of-theirs', String(made.secret)]) expect(JSON.stringify(row)).not.toContain(hidden);
  expect(JSON.stringify(await hook())).not.toContain('whsec_');

  await alertOnce('Orders');
  await work();
  await work();
  expect(theirs.came).toHaveLength(1);
  expect((await hook()).posts).toMatchObject([
    { notice: 'relay_unmapped', state: 'waiting', tries: 1, problem: 'status_503' },
  ]);
  theirs.answer(204);
  await dueNow();
  await work();
  await work();
  expect((await hook()).posts).toMatchObject([{ state: 'taken', tries: 2, problem: null, next_at: null }]);
  const [first, second, ...more] = theirs.came;
  expect(more).toEqual([]);
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  for (const { headers, body } of theirs.came) {
    const key = Buffer.from(String(made.secret).slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
    expect(JSON.parse(body)).toMatchObject({
      type: 'alert.relay_unmapped',
      data: {
        ...{
          kind: 'relay',
          facts: { name: 'Orders', requests: 1, organisation: 'Shop' },
          organisation_id: organisation,
        },
        ...{
          text: expect.stringContaining('Orders of Shop has 1 request that its mapping could not read'),
          link: expect.stringMatching(/\/o\/shop\/relay$/),
        },
      },
    });
    expect(body).not.toContain('canary');
  }
});

it('tries as other callbacks do and gives up after ten, tells owners once when nothing is taken for a day, and is well again', async () => {
  theirs.answer(500);
  await alertOnce('Refunds');
  await own("UPDATE alert_posts SET tries = 8 WHERE state = 'waiting' RETURNING id");
  await work();
  expect((await hook()).failing_since).not.toBeNull();
  const toldOf = async () =>
    (await ask<{ notifications: { sentence: string }[] }>('GET', '/api/notifications')).notifications.filter(
      ({ sentence }) => sentence.includes('to which alerts of Shop are posted'),
    );
  expect(await toldOf()).toEqual([]);
  await own("UPDATE alert_hooks SET failing_since = now() - interval '25 hours' RETURNING organisation_id");
  await dueNow();
  await work();
  expect((await hook()).posts[0]).toMatchObject({ state: 'given_up', tries: 10, problem: 'status_500', next_at: null });
  await alertOnce('Leads');
  await work();
  expect(await toldOf()).toHaveLength(1);
  theirs.answer(200);
  await dueNow();
  await work();
  expect(await hook()).toMatchObject({
    failing_since: null,
    posts: [{ state: 'taken' }, { state: 'given_up' }, { state: 'taken' }],
  });
});

it('signs with the secret before for a day after it was replaced, and with the new one alone from then on', async () => {
  const { house, accounts } = desk.server.desk;
  const dayMs = 24 * 3_600_000;
  const replace = async () => {
    const at = Date.now();
    const made = await ask<MadeAlertHook>('POST', `${hookPath}/secrets`, undefined, 201);
    const until = Date.parse(String(made.hook.former_until));
    expect([until >= at + dayMs, until <= Date.now() + dayMs]).toEqual([true, true]);
    return { secret: String(made.secret), until };
  };
  /** Which of these secrets the last message that came is signed with, in their order. */
  const signedWith = (...secrets: string[]) => {
    const { headers, body } = theirs.came.at(-1) as (typeof theirs.came)[number];
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    return String(headers['webhook-signature'])
      .split(' ')
      .map((one) =>
        secrets.findIndex((secret) => {
          const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
          return one === `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
        }),
      );
  };
  const test = () => ask('POST', `${hookPath}/tests`);
  const formers = () =>
    own('SELECT former_secret_sealed IS NULL AS none, former_secret_until AS until FROM alert_hooks');

  const first = await replace();
  await test();
  expect(signedWith(first.secret)).toEqual([0, -1]);
  const second = await replace();
  expect(second.secret).not.toBe(first.secret);
  await test();
  expect(signedWith(second.secret, first.secret)).toEqual([0, 1]);
  const [row] = await own<Record<string, unknown>>('SELECT * FROM alert_hooks');
  for (const hidden of [first.secret, second.secret]) expect(JSON.stringify(row)).not.toContain(hidden);

  // The same desk a moment before the day is over, and as it is.
  const at = (now: number) =>
    openAlertPosts({ ...house, clock: { ...house.clock, now: () => now } }, accounts.notices).work();
  await alertOnce('Phone');
  const before = theirs.came.length;
  await at(second.until - 1);
  expect([theirs.came.length, signedWith(second.secret, first.secret)]).toEqual([before + 1, [0, 1]]);
  expect(await formers()).toEqual([{ none: false, until: new Date(second.until) }]);
  await alertOnce('Chat');
  await at(second.until);
  expect([theirs.came.length, signedWith(second.secret, first.secret)]).toEqual([before + 2, [0]]);
  expect(await formers()).toEqual([{ none: true, until: null }]);
  expect((await hook()).former_until).toBeNull();

  // One that nobody has cleared yet signs no more either, and is not shown.
  const third = await replace();
  await own("UPDATE alert_hooks SET former_secret_until = now() - interval '1 second' RETURNING organisation_id");
  await test();
  expect([signedWith(third.secret, second.secret), (await hook()).former_until]).toEqual([[0], null]);
  await work();
  expect(await formers()).toEqual([{ none: true, until: null }]);
});

it('is tried by a button, changed, silenced, and removed; each is an act', async () => {
  const before = theirs.came.length;
  const tried = await ask<AlertTest>('POST', `${hookPath}/tests`);
  expect([tried.problem, tried.hook.posts[0]]).toMatchObject([null, { notice: 'test', state: 'taken' }]);
  theirs.answer(500);
  expect(await ask('POST', `${hookPath}/tests`)).toMatchObject({ problem: 'status_500' });
  const { secret } = await ask<MadeAlertHook>('POST', `${hookPath}/secrets`, undefined, 201);
  expect(secret).toMatch(/^whsec_/);
  // A private address is refused by the connection, and nothing of it is reached.
  await ask('PUT', hookPath, { url: 'https://10.0.0.1/x' });
  expect(await ask('POST', `${hookPath}/tests`)).toMatchObject({ problem: 'address_private' });
  expect(theirs.came.length).toBe(before + 2);
  await ask('PUT', hookPath, { kinds: ['security'] });
  await alertOnce('Calls');
  await ask('PUT', hookPath, { kinds: ['relay'], is_active: false });
  await alertOnce('Visits');
  expect(await own("SELECT FROM alert_posts WHERE state = 'waiting'")).toEqual([]);
  await ask('DELETE', hookPath, undefined, 204);
  expect([await ask('GET', hookPath), await own('SELECT FROM alert_posts')]).toEqual([{ hook: null }, []]);
  const acts = await own<{ action: string }>(
    "SELECT DISTINCT action FROM audit.entries WHERE action LIKE 'alerts.%' ORDER BY 1",
  );
  expect(acts.map(({ action }) => action)).toEqual([
    ...['alerts.address_removed', 'alerts.address_set', 'alerts.changed', 'alerts.secret_replaced', 'alerts.tested'],
  ]);
});

it('posts no fact that names a person or is written by hand', () => {
  const named = ['who', 'title', 'what', 'email', 'person', 'connection', 'why', 'before', 'device'];
  for (const [name, words] of Object.entries(noticeList))
    if ('posts' in words) for (const fact of words.posts) expect(named, `${name} ${fact}`).not.toContain(fact);
  expect(postedFacts('incident_due', { title: 'mail of Ada', incident: 4, hours: 20, organisation: 'Shop' })).toEqual({
    ...{ incident: 4, hours: 20, organisation: 'Shop' },
  });
  expect(postedFacts('invitation_accepted', { who: 'Ada' })).toBeUndefined();
});
