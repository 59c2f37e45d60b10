import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { IdentityAnswer, PaperAnswer, PapersAnswer, ReceiverListsAnswer } from '../../contract/documents.ts';
import type { InboxLetter, InboxList, Notifications, UnreadCount } from '../../contract/mail.ts';
import { createOrganisation } from '../../src/accounts/index.ts';
import { type RunningServer, startServer } from '../../src/app/serve.ts';
import { readConfig } from '../../src/platform/config.ts';
import { escapedWords } from '../../src/platform/http/plain_page.ts';
import type { MailOffice } from '../../src/platform/mail/index.ts';
import { tellOfLists } from '../../src/trust/documents/list_telling.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { eraseStores } from '../stores.ts';

/** One desk with two organisations: who runs it owns the first, and a member of it owns the second. */
const folder = mkdtempSync(join(tmpdir(), 'fairlead-documents-'));
let server: RunningServer;
let cookies: string;
const shop = { organisation: 0, owner: 0 };
const other = { organisation: 0, owner: 0, slug: '' };
const dayMs = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString().slice(0, 10);

async function call(method: string, path: string, body?: unknown, as = cookies) {
  const response = await fetch(`http://127.0.0.1:${server.http.address.port}${path}`, {
    ...{ method, redirect: 'manual' },
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(as === '' ? {} : { cookie: as }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: <T>() => JSON.parse(text) as T, headers: response.headers };
}
const stranger = (path: string) => call('GET', path, undefined, '');
const of = () => `/api/organisations/${shop.organisation}`;
const paper = async (kind: string) => (await call('GET', `${of()}/documents/${kind}`)).json<PaperAnswer>();

function post(path: string, body: unknown) {
  return call('POST', `${of()}${path}`, body);
}
/** Read and published as it is now. */
async function published(kind: string, more: object = {}) {
  const { digest } = await paper(kind);
  expect((await post(`/documents/${kind}/reviews`, { digest })).status).toBe(201);
  return post(`/documents/${kind}/versions`, { digest, effective_on: inDays(0), ...more });
}
async function inbox(template: string) {
  await (server.desk.house.mail as MailOffice).deliver();
  const { messages } = (await call('GET', '/api/dev/inbox')).json<InboxList>();
  return messages.filter((one) => one.template === template);
}
const rows = (organisation: number, text: string) =>
  server.desk.house.postgres.tenant(organisation, (sql) => sql.query<Record<string, unknown>>(text));

const operator = {
  ...{ legal_name: 'Harbour Works', address: '2 Pier\nPort', jurisdiction: 'Ireland', registration: '' },
  ...{ contact: 'data@works.example', officer: 'Nora Quay, dpo@works.example', representative: '' },
  authority: 'Authority of the port',
};
const hostile = '<img src=x onerror=alert(1)> "Shop" & Sons | #';
const identity = {
  ...{ ...operator, legal_name: hostile, contact: 'privacy@shop.example', officer: 'None has to be appointed' },
  measuring_basis: 'To know which pages are read',
};

beforeAll(async () => {
  const config = readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), PORT: '0', FAIRLEAD_DEV: '1' });
  await layPreparedDesk(config.dataDir);
  server = await startServer(config, { isQuiet: true });
  const made = await call(
    'POST',
    '/api/set-up',
    {
      ...{ code: server.address.split('#code=')[1], email: 'owner@shop.example', password: 'a harbour of quiet rope' },
      ...{ organisation: 'Shop', site: { domain: 'shop.example', timezone: 'UTC', currency: 'EUR' } },
    },
    '',
  );
  cookies = made.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  const session = (await call('GET', '/api/session')).json<{
    person: { id: number };
    organisations: { id: number }[];
  }>();
  Object.assign(shop, { organisation: session.organisations[0]?.id, owner: session.person.id });
  const { house } = server.desk;
  const second = await house.postgres.system((sql) =>
    createOrganisation(sql, house, { email: 'ben@other.example', organisation: 'Other', hash: 'none' }),
  );
  Object.assign(other, { organisation: second.organisationId, owner: second.personId });
  other.slug = String((await rows(other.organisation, 'SELECT slug FROM organisations'))[0]?.slug);
  await house.postgres.tenant(shop.organisation, (sql) =>
    sql.run("INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'viewer', $3)", [
      ...[shop.organisation, other.owner, new Date()],
    ]),
  );
});
afterAll(async () => {
  const { directories } = server.desk.house.postgres;
  await server.stop();
  await eraseStores({ directories }, folder);
});

test('who is missing is named one by one, and nothing is published before all of it is said (GOV-01)', async () => {
  expect((await stranger('/legal/shop')).status).toBe(404);
  const draft = await paper('privacy-notice');
  expect(draft.state).toBe('draft');
  expect(draft.gaps).toContain('the interest for which visits are measured');
  expect(draft.gaps).toContain('the legal name of the operator');
  expect(draft.gaps).toHaveLength(13);
  const refused = await published('privacy-notice');
  expect(refused.status).toBe(409);
  for (const gap of draft.gaps) expect(refused.text).toContain(gap);
});

test('who an organisation is and who runs the desk is entered once, and stands in the product, the documents, every public page, every reply and every mail (OPS-04)', async () => {
  expect((await call('PUT', `${of()}/identity`, identity)).status).toBe(200);
  expect((await call('PUT', '/api/desk/identity', operator)).status).toBe(200);
  const said = (await call('GET', `${of()}/identity`)).json<IdentityAnswer>();
  expect([said.organisation.officer, said.operator.officer]).toEqual([identity.officer, operator.officer]);
  expect((await published('retention')).status).toBe(201);
  const ofOperator =
    'Operator of this desk · Harbour Works · 2 Pier, Port · Law: Ireland · Questions about data: data@works.example · Data protection officer: Nora Quay, dpo@works.example · Supervisory authority: Authority of the port';
  const ofShop = `Shop · ${hostile} · 2 Pier, Port · Law: Ireland · Questions about data: privacy@shop.example · Data protection officer: None has to be appointed · Supervisory authority: Authority of the port`;
  const pages = ['/legal/shop', '/legal/shop/retention', '/legal/shop/retention/1', '/request/shop', '/concern/shop'];
  for (const path of pages) {
    const { text } = await stranger(path);
    for (const line of [ofShop, ofOperator]) expect(text, path).toContain(`<p>${escapedWords(line)}</p>`);
  }
  const ofDesk = (await stranger('/legal')).text;
  expect(ofDesk).toContain(`<footer class="q"><p>${ofOperator}</p></footer>`);
  // A mail on behalf of the organisation names both.
  const asked = await fetch(`http://127.0.0.1:${server.http.address.port}/request/shop`, {
    method: 'POST',
    body: new URLSearchParams({ kind: 'access', email: 'asks@visitor.example' }),
  });
  expect(await asked.text()).toContain(ofOperator);
  const [{ id } = { id: 0 }] = await inbox('request_proof');
  const { text } = (await call('GET', `/api/dev/inbox/${id}`)).json<InboxLetter>();
  expect(text).toContain(`\n${ofShop}\n${ofOperator}\n`);
  for (const kind of ['privacy-notice', 'record-of-processing', 'processing-agreement'])
    expect(JSON.stringify((await paper(kind)).sections)).toContain('Nora Quay, dpo@works.example');
  // Nothing of it is another organisation's, which has no public page of its own until it has said who it is.
  expect((await stranger(`/legal/${other.slug}`)).status).toBe(404);
  expect(await rows(other.organisation, 'SELECT 1 FROM organisation_identities')).toEqual([]);
  expect(await rows(other.organisation, 'SELECT 1 FROM document_versions')).toEqual([]);
});

test('what a purpose rests on is said by the table of Trust, Consent, and a change of it changes the documents', async () => {
  const basis = (value: string) => call('PUT', `${of()}/lawful-bases/storage_measurement/us`, { basis: value });
  const said = async (kind: string) => JSON.stringify((await paper(kind)).sections);
  const kinds = ['privacy-notice', 'cookies', 'record-of-processing'] as const;
  for (const kind of kinds) expect(await said(kind)).not.toContain('not done');
  expect((await basis('off')).status).toBe(200);
  for (const kind of kinds) expect(await said(kind), kind).toContain('not done (the USA)');
  expect((await basis('notice')).status).toBe(200);
});

test('a document goes from draft to read to published, with version and date; a further fact makes it a draft again, and every version stays (GOV-01)', async () => {
  // Said before, too, but where the proof of GOV-01 runs alone.
  expect((await call('PUT', `${of()}/identity`, identity)).status).toBe(200);
  expect((await call('PUT', '/api/desk/identity', operator)).status).toBe(200);
  const first = await paper('privacy-notice');
  expect([first.state, first.gaps]).toEqual(['draft', []]);
  const unread = await post('/documents/privacy-notice/versions', { digest: first.digest, effective_on: inDays(0) });
  expect([unread.status, unread.text]).toEqual([409, expect.stringContaining('Nobody has read')]);
  const read = (await post('/documents/privacy-notice/reviews', { digest: first.digest })).json<PaperAnswer>();
  expect([read.state, read.review?.by]).toEqual(['reviewed', shop.owner]);
  // Two at once are one version.
  const wish = { digest: first.digest, effective_on: inDays(0) };
  const both = await Promise.all([1, 2].map(() => post('/documents/privacy-notice/versions', wish)));
  expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  expect((await paper('privacy-notice')).state).toBe('published');

  await call('PUT', `${of()}/identity`, { ...identity, authority: 'Another authority' });
  expect((await post('/documents/privacy-notice/reviews', { digest: first.digest })).status).toBe(409);
  const changed = await paper('privacy-notice');
  expect([changed.state, changed.review, changed.has_changed_facts]).toEqual(['draft', null, true]);
  expect(changed.diff.filter(({ sign }) => sign !== ' ').map(({ sign, line }) => `${sign} ${line}`)).toEqual([
    '- Supervisory authority; Shop: Authority of the port',
    '+ Supervisory authority; Shop: Another authority',
    expect.stringMatching(/^- Write to privacy@shop.*Authority of the port/),
    expect.stringMatching(/^\+ Write to privacy@shop.*Another authority/),
  ]);
  expect((await published('privacy-notice', { is_material: false })).text).toContain('members have to be told');
  expect((await published('privacy-notice', { effective_on: inDays(20) })).status).toBe(201);

  const holding = (await stranger('/legal/shop/privacy-notice')).text;
  expect(holding).toContain('Version 1, from');
  expect(holding).toContain('It holds today');
  expect(holding).toMatch(/<a href="\/legal\/shop\/privacy-notice\/2">Version 2<\/a> takes its place on/);
  expect((await stranger('/legal/shop/privacy-notice/2')).text).toContain('Another authority');
  expect((await stranger('/legal/shop/privacy-notice/3')).status).toBe(404);
  await expect(rows(shop.organisation, "UPDATE document_versions SET content = '{}'")).rejects.toThrow(
    /permission denied/,
  );
});

test('public pages run no script, set no cookie, ask nobody, and hold what was entered as words alone', async () => {
  for (const kind of ['data-map', 'record-of-processing']) expect((await published(kind)).status).toBe(201);
  for (const path of [
    '/legal/shop',
    '/legal/shop/privacy-notice',
    '/legal/shop/data-map',
    '/legal/shop/record-of-processing',
  ]) {
    const page = await stranger(path);
    expect(page.status, path).toBe(200);
    expect(page.text).not.toMatch(/<(script|img|link|iframe|form)|<[^>]*\s(on\w+|style)=|javascript:/i);
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'none'/,
    );
  }
  expect((await stranger('/legal/shop')).text).toContain(
    '&lt;img src=x onerror=alert(1)&gt; &quot;Shop&quot; &amp; Sons',
  );
  expect((await stranger('/legal/shop/data-map')).text).toContain('<svg');
  for (const path of ['/legal/shop/imprint', '/legal/shop/retention/0', "/legal/shop'--", '/legal/%3Cb%3E/retention'])
    expect((await stranger(path)).status, path).toBe(404);
});

test('each member is told of a version in the desk and by mail, whatever they have switched off, and a receipt is kept (GOV-01)', async () => {
  const off = { kinds: [{ kind: 'documents', in_app: true, mail: false }] };
  expect((await call('PATCH', '/api/notification-preferences', off)).status).toBe(400);
  const told = await rows(
    shop.organisation,
    "SELECT version, person_id FROM document_receipts WHERE kind = 'privacy-notice' ORDER BY 1, 2",
  );
  expect(told).toEqual(
    [1, 2].flatMap((version) => [shop.owner, other.owner].map((person_id) => ({ version, person_id }))),
  );
  const { notifications } = (await call('GET', '/api/notifications')).json<Notifications>();
  const mine = notifications.filter(({ sentence }) => sentence.includes('version 2 of its privacy notice'));
  expect(mine.map(({ link }) => link)).toEqual(['/legal/shop/privacy-notice/2']);
  // The next answer to whoever was told says so, whatever it is of, until they were shown their count; nobody else's does.
  const saysNews = async (as = cookies) =>
    (await call('GET', '/api/session', undefined, as)).headers.has('fairlead-news');
  expect([await saysNews(), await saysNews('')]).toEqual([true, false]);
  await vi.waitFor(async () => {
    await call('GET', '/api/notifications/count');
    expect(await saysNews()).toBe(false);
  }, 5_000);
  // It stands over every page until it is read, the newest first, also where notifications of documents are switched off.
  const banner = async () => (await call('GET', '/api/notifications/count')).json<UnreadCount>();
  await call('PATCH', '/api/notification-preferences', { kinds: [{ kind: 'documents', in_app: false, mail: true }] });
  const { document: newest } = await banner();
  expect(newest).toMatchObject({ sentence: notifications[0]?.sentence, link: notifications[0]?.link });
  await call('POST', '/api/notifications/readings', { id: newest?.id, and_older: false });
  expect((await banner()).document?.id).toBeLessThan(newest?.id ?? 0);
  await call('PATCH', '/api/notification-preferences', { kinds: [{ kind: 'documents', in_app: true, mail: true }] });
  const mails = (await inbox('notice_documents')).filter(
    ({ subject }) => subject === 'Privacy notice of Shop, version 2',
  );
  expect(mails.map(({ to }) => to).sort()).toEqual(['ben@other.example', 'owner@shop.example']);
});

test('the agreement stands in the product with the duties of both sides, and its acceptance is kept with version, time and owner (GOV-03)', async () => {
  const agreement = await paper('processing-agreement');
  expect(agreement.sections.map(({ title }) => title)).toContain('What the controller does');
  expect((await post('/agreement-acceptances', { version: 1 })).status).toBe(409);
  expect((await published('processing-agreement')).status).toBe(201);
  for (let twice = 0; twice < 2; twice++)
    expect((await post('/agreement-acceptances', { version: 1 })).json<PapersAnswer>().acceptance).toMatchObject({
      ...{ version: 1, by: shop.owner },
    });
  expect(await rows(shop.organisation, 'SELECT version, accepted_by FROM agreement_acceptances')).toEqual([
    { version: 1, accepted_by: shop.owner },
  ]);
});

test('the public list of subprocessors has versions, and members of every organisation are told 14 days before somebody new takes effect, once (SHR-05)', async () => {
  const announce = (days: number) => call('POST', '/api/subprocessor-lists', { effective_on: inDays(days) });
  expect((await announce(0)).status).toBe(201);
  expect((await announce(0)).status).toBe(409);
  expect((await stranger('/legal/shop/subprocessors')).text).toContain('Nobody. This desk calls nobody');

  const { postgres, mail } = server.desk.house;
  const host = 'post.example';
  const current = mail.servers.current;
  mail.servers.current = async () =>
    ({ ...(await current()), server: { host } }) as Awaited<ReturnType<typeof current>>;
  const statement = {
    ...{ legal_name: 'Post & Sons', country: 'DE', checked_on: '2026-11-01' },
    ...{ policy_url: 'https://post.example/privacy', terms_url: 'https://post.example/terms' },
  };
  expect((await call('PUT', '/api/subprocessors/mail', statement)).status).toBe(200);
  const lists = async () => (await call('GET', `${of()}/subprocessor-lists`)).json<ReceiverListsAnswer>();
  expect(await lists()).toMatchObject({ unannounced: { added: ['Post & Sons'] }, earliest: inDays(14) });
  const early = await announce(13);
  expect([early.status, early.text]).toEqual([400, expect.stringContaining(inDays(14))]);
  expect((await announce(14)).status).toBe(201);
  mail.servers.current = current;

  expect((await stranger('/legal/shop/subprocessors')).text).toMatch(
    /It holds today.*Version 2<\/a> takes effect on .* New: Post &amp; Sons/,
  );
  const page = (await stranger('/legal/shop/subprocessors/2')).text;
  expect(page).toContain('href="https://post.example/privacy"');
  expect(page).toContain('last read on November 1, 2026');
  // A kill before anybody of an organisation was told leaves it to the timer; nobody is told twice.
  await tellOfLists(server.desk.house, server.desk.accounts.notices);
  const receipts = async (organisation: number) =>
    (
      await rows(
        organisation,
        "SELECT version, person_id FROM document_receipts WHERE kind = 'subprocessors' ORDER BY 2",
      )
    ).map(({ version, person_id }) => `${version} ${person_id}`);
  expect(await receipts(shop.organisation)).toEqual([`2 ${shop.owner}`, `2 ${other.owner}`]);
  expect(await receipts(other.organisation)).toEqual([`2 ${other.owner}`]);
  expect((await inbox('notice_documents')).filter(({ subject }) => subject.startsWith('Somebody new'))).toHaveLength(3);

  let calls = 0;
  const failing = { tell: () => (++calls === 2 ? Promise.reject(new Error('killed')) : Promise.resolve()) };
  await postgres.system((sql) =>
    sql.run(
      `INSERT INTO receiver_lists (version, receivers, effective_on, has_addition, published_at, published_by)
       VALUES (3, '[]', $1, false, $2, 1)`,
      [inDays(1), new Date()],
    ),
  );
  await expect(tellOfLists(server.desk.house, failing)).rejects.toThrow('killed');
  expect(await receipts(shop.organisation)).toHaveLength(2);
  await tellOfLists(server.desk.house, server.desk.accounts.notices);
  expect(await receipts(shop.organisation)).toHaveLength(4);
});

test('where the profile is that of the United States, the notice says what California asks for, and the link to opt out has a page that hears Global Privacy Control', async () => {
  expect((await stranger('/opt-out/shop')).status, 'of another profile').toBe(404);
  const titles = async () => (await paper('privacy-notice')).sections.map(({ title }) => title);
  expect(await titles()).not.toContain('If you live in California');
  const { version } = (await call('GET', `${of()}/windows`)).json<{ version: number }>();
  const chosen = { profile: 'us', windows: {}, from_version: version };
  expect((await call('PUT', `${of()}/policy`, chosen)).status).toBe(200);
  expect(await titles()).toContain('If you live in California');
  const notice = JSON.stringify((await paper('privacy-notice')).sections);
  expect(notice).toContain('/opt-out/shop');
  expect(notice).toContain(identity.contact);
  const asked = (headers: Record<string, string>) =>
    fetch(`http://127.0.0.1:${server.http.address.port}/opt-out/shop`, { headers });
  const page = await asked({});
  const text = await page.text();
  expect([page.status, page.headers.getSetCookie()]).toEqual([200, []]);
  expect(text).not.toMatch(/<script|<img/);
  expect(text).toContain('Your browser does not send Global Privacy Control');
  expect(text).toContain('action="/request/shop"');
  expect(await (await asked({ 'sec-gpc': '1' })).text()).toContain('Your browser sends Global Privacy Control.');

  // After a rename each public address leads on to the one of now.
  expect((await call('PATCH', of(), { slug: 'quay' })).status).toBe(200);
  const papers = ['/legal/shop', '/legal/shop/privacy-notice', '/legal/shop/privacy-notice/1', '/opt-out/shop'];
  for (const path of [...papers, '/request/shop', '/concern/shop']) {
    const { status, headers } = await stranger(path);
    expect([status, headers.get('location')]).toEqual([301, path.replace('/shop', '/quay')]);
    expect((await stranger(path.replace('/shop', '/quay'))).status, path).toBe(200);
  }
  // A form that was opened before it is taken as it was sent.
  const sent = async (path: string, fields: Record<string, string>) => {
    const body = new URLSearchParams(fields);
    const address = `http://127.0.0.1:${server.http.address.port}${path}`;
    return (await fetch(address, { method: 'POST', body, redirect: 'manual' })).status;
  };
  const count = async (table: string) => (await rows(shop.organisation, `SELECT 1 FROM ${table}`)).length;
  const before = [await count('request_asks'), await count('incident_drafts')];
  expect(await sent('/request/shop', { kind: 'access', email: 'late@visitor.example' })).toBe(200);
  expect(await sent('/concern/shop', { said: 'My order was shown to somebody else.' })).toBe(200);
  expect([await count('request_asks'), await count('incident_drafts')]).toEqual(before.map((one) => one + 1));
});
