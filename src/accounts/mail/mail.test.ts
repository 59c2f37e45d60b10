import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InboxLetter, InboxList, NoticePreferences, Notifications, SentMail } from '../../../contract/mail.ts';
import { everyTemplate, letters } from '../../../test/letters.ts';
import { layPreparedDesk } from '../../../test/prepared_cluster.ts';
import { eraseStores } from '../../../test/stores.ts';
import { type RunningServer, startServer } from '../../app/serve.ts';
import { readConfig } from '../../platform/config.ts';
import { drawLetter, type MailOffice, type MailTemplate } from '../../platform/mail/index.ts';
import { type NoticeName, noticeList } from './notice_list.ts';
import { serverRoutes } from './server_routes.ts';

/** One desk as `npm run dev` starts it: its mail goes into the inbox. */
const folder = mkdtempSync(join(tmpdir(), 'fairlead-mail-'));
const password = 'a harbour of quiet rope';
let server: RunningServer;
let cookies: string;
let person = 0;
let organisation = 0;

const weekly: MailTemplate<{ words: string }> = {
  name: 'test_weekly',
  kind: 'report',
  write: ({ words }) => ({ subject: 'Your week', blocks: [{ kind: 'text', text: words }] }),
};

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { cookie: cookies },
) {
  const response = await fetch(`http://127.0.0.1:${server.http.address.port}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: <T>() => JSON.parse(text) as T, headers: response.headers };
}
/** Everything that is due has left when this resolves. */
const delivered = () => (server.desk.house.mail as MailOffice).deliver();
const inbox = async () => (await call('GET', '/api/dev/inbox')).json<InboxList>().messages;

beforeAll(async () => {
  const config = readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), PORT: '0', FAIRLEAD_DEV: '1' });
  await layPreparedDesk(config.dataDir);
  server = await startServer(config, { isQuiet: true });
  const made = await call(
    'POST',
    '/api/set-up',
    {
      code: server.address.split('#code=')[1],
      email: 'owner@shop.example',
      password,
      organisation: 'Shop',
      site: { domain: 'shop.example', timezone: 'UTC', currency: 'EUR' },
    },
    {},
  );
  cookies = made.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  const session = (await call('GET', '/api/session')).json<{
    person: { id: number };
    organisations: { id: number }[];
  }>();
  person = session.person.id;
  organisation = session.organisations[0]?.id ?? 0;
});
afterAll(async () => {
  const { directories } = server.desk.house.postgres;
  await server.stop();
  await eraseStores({ directories }, folder);
});

async function readSources(): Promise<string> {
  const root = join(import.meta.dirname, '../..');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.includes('.test.') && !path.endsWith('notice_list.ts'),
  );
  return files.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
}

function tell(name: 'export_ready' | 'second_factor_on', more: object = {}) {
  return server.desk.house.postgres.tenant(organisation, (sql) =>
    server.desk.accounts.notices.tell(sql, person, { name, organisationId: organisation, ...more }),
  );
}

describe('the inbox of a desk for development', () => {
  test('shows a message as text, and as a mail program would, in a frame that can do nothing', async () => {
    await tell('export_ready', { facts: { site: 'shop.example', days: 7 }, link: '/s/shop.example/exports' });
    await delivered();
    const [message] = await inbox();
    expect(message).toMatchObject({
      to: 'owner@shop.example',
      subject: 'Your export of shop.example is ready',
      kind: 'alert',
    });
    const letter = (await call('GET', `/api/dev/inbox/${message?.id}`)).json<InboxLetter>();
    expect(letter.text).toContain('The export of shop.example is ready. Its file is kept for 7 days.');
    expect(letter.text).toContain('/s/shop.example/exports');
    const html = await call('GET', `/api/dev/inbox/${message?.id}/html`);
    expect(html.headers.get('content-security-policy')).toMatch(
      /^sandbox allow-top-navigation-by-user-activation; default-src 'none'/,
    );
    expect(html.text).toContain('<h1');
    expect((await call('GET', '/api/dev/inbox/999')).status).toBe(404);
  });

  test('is for whoever runs the desk, on this machine, under dev and demo alone', async () => {
    const paths = ['/api/dev/inbox', '/api/dev/inbox/1', '/api/dev/inbox/1/html'];
    const asked = (headers?: Record<string, string>) =>
      Promise.all(paths.map(async (path) => (await call('GET', path, undefined, headers)).status));
    expect(await asked()).toEqual([200, 200, 200]);
    expect(await asked({})).toEqual([401, 401, 401]);
    const operator = (is: boolean) =>
      server.desk.house.postgres.person(person, (sql) =>
        sql.run('UPDATE people SET is_operator = $2 WHERE id = $1', [person, is]),
      );
    await operator(false);
    expect(await asked()).toEqual([404, 404, 404]);
    await operator(true);
    // Where there is none its calls are not there either; the journey of organisations asks an ordinary desk.
    for (const elsewhere of [{ FAIRLEAD_DEV: '1', HOST: '0.0.0.0' }, { HOST: '127.0.0.1' }])
      expect(readConfig({ ...elsewhere, FAIRLEAD_DATA_DIR: join(folder, 'data') }).inbox).toBe(false);
  });
});

describe('an unsubscribe link', () => {
  test('ends its kind of mail at once by a POST alone: no session, no cookie, no redirect; a GET changes nothing', async () => {
    const send = (words: string) =>
      server.desk.house.postgres.system((sql) =>
        server.desk.house.mail.send(sql, {
          template: weekly,
          to: 'owner@shop.example',
          personId: person,
          organisationId: organisation,
          values: { words },
        }),
      );
    await send('first');
    await delivered();
    const [message] = await inbox();
    const { unsubscribe } = (await call('GET', `/api/dev/inbox/${message?.id}`)).json<InboxLetter>();
    const path = new URL(unsubscribe ?? '').pathname;
    for (const method of ['GET', 'HEAD']) await call(method, path, undefined, {});
    await send('second');
    await delivered();
    expect((await inbox())[0]?.subject).toBe('Your week');
    expect(await inbox()).toHaveLength(3);
    const done = await call('POST', path, 'List-Unsubscribe=One-Click', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect([done.status, done.headers.get('location'), done.headers.getSetCookie()]).toEqual([200, null, []]);
    await send('third');
    await delivered();
    expect(await inbox()).toHaveLength(3);
    const { mail } = (await call('GET', '/api/mail/sent')).json<SentMail>();
    expect(mail[0]).toMatchObject({
      template: 'test_weekly',
      state: 'suppressed',
      reason: 'unsubscribed',
      to: 'owner@shop.example',
    });
    expect(JSON.stringify(mail)).not.toContain('third');
    // The reader takes it back.
    const { suppressions } = (await call('GET', '/api/mail/suppressions')).json<{
      suppressions: { id: number; organisation: string; kind: string }[];
    }>();
    expect(suppressions).toMatchObject([{ organisation: 'Shop', kind: 'report' }]);
    expect((await call('DELETE', `/api/mail/suppressions/${suppressions[0]?.id}`)).status).toBe(204);
    await send('fourth');
    await delivered();
    expect(await inbox()).toHaveLength(4);
    const broken = `${path.slice(0, -2)}AA`;
    for (const method of ['GET', 'POST']) expect((await call(method, broken, undefined, {})).status).toBe(404);
  });
});

describe('notifications', () => {
  const list = async () => (await call('GET', '/api/notifications?unread=true')).json<Notifications>();

  test('are counted until they are read, and stay hidden where the person turned their kind off', async () => {
    await tell('second_factor_on');
    const { unread, notifications } = await list();
    expect(unread).toBe(2);
    expect(notifications.map((one) => [one.kind, one.organisation, one.link])).toEqual([
      ['security', 'Shop', null],
      ['exports', 'Shop', '/s/shop.example/exports'],
    ]);
    const read = await call('POST', '/api/notifications/readings', { id: notifications[0]?.id });
    expect(read.json()).toEqual({ unread: 1, document: null });
    const set = (kinds: object[]) => call('PATCH', '/api/notification-preferences', { kinds });
    await set([{ kind: 'exports', in_app: false, mail: false }]);
    expect((await call('GET', '/api/notifications/count')).json()).toEqual({ unread: 0, document: null });
    const before = (await inbox()).length;
    await tell('export_ready', { facts: { site: 'shop.example', days: 7 } });
    await delivered();
    expect(await inbox()).toHaveLength(before);
    expect((await call('GET', '/api/mail/sent')).json<SentMail>().mail[0]).toMatchObject({
      state: 'unwanted',
      reason: 'turned_off',
    });
    await set([{ kind: 'exports', in_app: true, mail: true }]);
    expect((await list()).unread).toBe(2);
    const newest = (await list()).notifications[0]?.id;
    expect((await call('POST', '/api/notifications/readings', { id: newest, and_older: true })).json()).toEqual({
      unread: 0,
      document: null,
    });
  });

  test('of every kind in the catalogue arrive in the app, and by mail where the act itself sends none', async () => {
    const facts = {
      site: 'shop.example',
      before: 'old.example',
      from: 'Shop',
      to: 'Studio',
      day: '5 December 2026',
      days: 7,
      organisation: 'Shop',
      role: 'analyst',
      who: 'Ada',
      device: 'Firefox',
      host: 'alerts.example',
      document: 'Privacy notice',
      version: 2,
      problem: 'The disk of the folder is full.',
      title: 'A lost laptop',
      incident: 4,
      quarter: '2026 Q4',
      concerns: 2,
      ...{ hold: 3, review_on: '2026-12-20' },
      hours: 12,
      left: 12,
      ...{ name: 'Orders', today: 2, usual: 40, requests: 3, count: 30, all: 200, limit: 168, state: 'reconnect' },
      ...{ connection: 'Shop', platform: 'Meta', why: 'its token is not taken any more' },
      request: 12,
      kind: 'access',
    };
    const sources = await readSources();
    const { house, accounts } = server.desk;
    for (const [name, { kind, ...words }] of Object.entries(noticeList)) {
      expect(sources, `nothing tells of ${name}`).toMatch(new RegExp(`name: [^\\n]*'${name}'`));
      await house.postgres.tenant(organisation, (sql) =>
        accounts.notices.tell(sql, person, {
          name: name as NoticeName,
          organisationId: organisation,
          facts: { ...facts, reason: 'It was full.', what: 'Many wrong passwords.' },
        }),
      );
      await delivered();
      const [told] = (await list()).notifications;
      expect([told?.kind, told?.read]).toEqual([kind, false]);
      expect(told?.sentence, name).toMatch(/^([A-Z]|shop\.example ).*[.]$/);
      expect(told?.sentence).not.toMatch(/undefined|\s\s|\s[.]/);
      const [mailed] = await inbox();
      if ('mails' in words) expect(mailed?.template).toBe(`notice_${kind}`);
    }
    // Read in one tab, read in the other: the count is the desk's.
    const newest = (await list()).notifications[0]?.id;
    await call('POST', '/api/notifications/readings', { id: newest, and_older: true });
    expect((await call('GET', '/api/notifications/count')).json()).toEqual({ unread: 0, document: null });
  });

  test('wait by mail for the end of quiet hours', async () => {
    const hour = new Date().getUTCHours();
    const time = (at: number) => `${String((at + 24) % 24).padStart(2, '0')}:00`;
    const quiet = { from: time(hour - 1), until: time(hour + 2), timezone: 'UTC' };
    const saved = await call('PATCH', '/api/notification-preferences', { quiet });
    expect(saved.json<NoticePreferences>()).toMatchObject({ quiet, mail_is_on: true });
    const before = (await inbox()).length;
    await tell('export_ready', { facts: { site: 'shop.example', days: 7 } });
    await delivered();
    expect(await inbox()).toHaveLength(before);
    const [waiting] = (await call('GET', '/api/mail/sent')).json<SentMail>().mail;
    expect(waiting).toMatchObject({ state: 'waiting', reason: 'quiet_hours' });
    expect(new Date(waiting?.decided_at ?? '').toISOString().slice(11, 16)).toBe(quiet.until);
    await call('PATCH', '/api/notification-preferences', { quiet: null });
    // The hours are over: what waited leaves, once. (Its moment is moved here, since the clock of this desk is real.)
    await server.desk.house.postgres.mail((sql) =>
      sql.run("UPDATE mail.messages SET not_before = created_at WHERE reason = 'quiet_hours'"),
    );
    await delivered();
    await delivered();
    expect(await inbox()).toHaveLength(before + 1);
    expect((await call('GET', '/api/mail/sent')).json<SentMail>().mail[0]).toMatchObject({
      state: 'inbox',
      reason: null,
    });
  });
});

test('the mail server is tried ten times in an hour by all processes of a desk together', async () => {
  const { house } = server.desk;
  // Nobody listens there: each try is answered at once, and counts.
  const smtp = { host: '127.0.0.1', port: 9, tls: 'starttls', from: 'desk@desk.example' } as const;
  const change = { personId: person, note: async () => {} };
  await house.mail.servers.save({ ...smtp, userName: undefined, password: undefined, dkim: undefined }, change);
  const processes = [0, 1].map(() => {
    const route = serverRoutes({ ...house, mail: { ...house.mail, inbox: undefined } }).find(
      ({ path }) => path === '/api/mail/tests',
    );
    return () => route?.handle({ principal: { kind: 'person', id: person }, body: {}, headers: {} } as never);
  });
  for (let at = 0; at < 10; at++) expect((await processes[at % 2]?.())?.status).toBe(201);
  for (const one of processes) await expect(one()).rejects.toMatchObject({ code: 'rate_limited' });
  const tests = await house.postgres.tenant(organisation, (sql) =>
    sql.query<{ outcome: string }>("SELECT outcome FROM audit.entries WHERE action = 'mail.tested'"),
  );
  expect(tests.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 10 }, () => 'failed'));
  await house.mail.servers.forget(change);
});

test('every template of mail is of a kind that may be sent, and listed in the guide (MAI-01)', async () => {
  const root = join(import.meta.dirname, '../../..');
  const found = await everyTemplate();
  expect(found.map(({ name }) => name)).toContain('invitation');
  expect(new Set(found.map(({ name }) => name)).size, 'two templates with one name').toBe(found.length);
  const guide = readFileSync(join(root, 'docs/guides/mail.md'), 'utf8');
  const listed = new Map([...guide.matchAll(/^\| `([a-z0-9_]+)` \| (\w+) \|/gm)].map(([, name, kind]) => [name, kind]));
  for (const { name, kind } of found) {
    expect(['service', 'alert', 'report']).toContain(kind);
    expect(listed.get(name), `${name} as ${kind} in docs/guides/mail.md, Every kind of mail`).toBe(kind);
  }
});

test('a site to be deleted: the day in the mail and under the bell is written as the account of the reader says', async () => {
  expect((await call('PATCH', '/api/account', { locale: 'de' })).status).toBe(200);
  const deletion = await call('PUT', '/api/sites/shop.example/deletion', { domain: 'shop.example' });
  expect(deletion.status, deletion.text).toBe(202);
  const due = new Date(deletion.json<{ due_at: string }>().due_at);
  const day = new Intl.DateTimeFormat('de', { dateStyle: 'long', timeZone: 'UTC' }).format(due);
  await delivered();
  const letter = (await inbox()).find(({ template }) => template === 'site_deleting');
  expect(letter?.subject).toBe(`shop.example will be deleted on ${day}`);
  await call('DELETE', '/api/sites/shop.example/deletion');
  expect((await call('PATCH', '/api/account', { locale: null })).status).toBe(200);
});

test('every mail is whole without pictures, loads nothing, and says the same as text; each is pictured by scripts/letters.ts', async () => {
  for (const template of await everyTemplate()) {
    const examples = letters[template.name] ?? [];
    expect(examples.length, `${template.name} in test/letters.ts`).toBeGreaterThan(0);
    for (const values of examples) {
      const letter = drawLetter(template.write(values as never), {
        desk: 'desk.example',
        who: [],
        unsubscribe: undefined,
      });
      expect(letter.html).not.toMatch(/<(script|link|iframe|form|video)|url\(|src="(?!cid:)/);
      expect(`${letter.subject} ${letter.text}`, template.name).not.toMatch(/undefined|null|NaN|\[object|<[a-z]/);
      const links = (text: string) => new Set(text.match(/https:\/\/[^\s"<]+/g));
      expect(links(letter.text), template.name).toEqual(links(letter.html.replaceAll('&amp;', '&')));
      expect(letter.subject.length, letter.subject).toBeLessThan(79);
    }
  }
});
