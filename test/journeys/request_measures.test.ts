import { randomUUID, verify } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RequestCallback, RequestDetail } from '../../contract/requests.ts';
import { tablesOfArchive, writeTable } from '../../src/analytics/archive/tables.ts';
import { plainForm } from '../../src/analytics/exports/form.ts';
import { formats } from '../../src/analytics/exports/formats.ts';
import { restrictedVisitors } from '../../src/analytics/profiles/restricted.ts';
import { isSignature, signerOf } from '../../src/trust/audit/index.ts';
import { objectionCheck } from '../../src/trust/requests/overdue_check.ts';
import { openHttpsReceiver } from '../https_receiver.ts';
import { startChild } from '../proof/drivers/child.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Rectification, restriction and objection, through a whole desk: what is stored, shown, exported and mailed afterwards. */
vi.setConfig({ testTimeout: 60_000 });
let desk: TestDesk;
let owner = '';
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'other.example'], {
    ...{ FAIRLEAD_DEV: '1', FAIRLEAD_OUTBOUND_ALLOW: 'localhost' },
  });
  owner = await desk.signIn();
});
afterAll(() => desk.close());

/** The address of the tests has no place, which counts as one where a visitor is asked first. */
const consent = { analytics_storage: 'granted' };
const laptop = 'a1'.repeat(16);
const phone = 'b2'.repeat(16);
const view = (path: string, vi: string) =>
  desk.collect({
    n: 'pageview',
    u: `https://shop.example${path}`,
    d: 'shop.example',
    vi,
    si: 'c3'.repeat(16),
    consent,
  });
const name = async (vi: string, traits: object) =>
  (
    await desk.raw({
      path: '/api/visitor',
      body: JSON.stringify({ n: 'identify', d: 'shop.example', vi, consent, ...traits }),
    })
  ).status;
async function list(search = '') {
  await desk.rows('SELECT 1');
  const { body } = await desk.call('GET', `/api/sites/shop.example/profiles?search=${encodeURIComponent(search)}`);
  return body as { profiles: { id: string; traits: object; events: number }[]; restricted: number };
}
// biome-ignore lint/suspicious/noExplicitAny: answers of many calls, each looked at by the test that asks.
async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }> {
  const { status, text } = await desk.raw({
    ...{ method, path: `/api/organisations/1/${path}` },
    headers: { cookie: owner, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status, body: text === '' ? {} : JSON.parse(text) };
}
async function working(kind: string, email: string): Promise<number> {
  const received_on = new Date().toISOString().slice(0, 10);
  const { body } = await call('POST', 'requests', { kind, email, received_on });
  await call('PUT', `requests/${body.id}/state`, { to: 'checked', check: 'mailbox' });
  await call('PUT', `requests/${body.id}/state`, { to: 'working' });
  return body.id;
}
const one = async (id: number) => (await call('GET', `requests/${id}`)).body as RequestDetail;
const own = <T extends object>(text: string, params: unknown[] = []) =>
  desk.server.desk.house.postgres.tenant(1, (sql) => sql.query<T>(text, params));
async function receiptOf(id: number, number: number) {
  const { body } = await call('GET', `requests/${id}/receipts/${number}`);
  const { publicKey } = signerOf(desk.server.desk.house.keys.derive('audit-checkpoint'));
  expect([body.public_key, isSignature(body.receipt, body.signature, publicKey)]).toEqual([publicKey, true]);
  // As words: one digest in some twenty has the letters of a name among its digits.
  expect(body.receipt, 'no value is in it').not.toMatch(/example|\bad+a\b/i);
  return JSON.parse(body.receipt) as { does: string; systems: { system: string; changed: object[] }[] };
}

describe('a rectification', () => {
  const wrong = { id: 'user-77', email: 'wrong@visitor.example', name: 'Adda Wrong' };
  const right = { ...wrong, email: 'ada@visitor.example', name: 'Ada Right', avatar: 'https://img.example/a.png' };

  it('reaches every place where the value is, and what goes on saying the old one changes nothing (DSR-02)', async () => {
    await view('/a', laptop);
    expect(await name(laptop, wrong)).toBe(200);
    const id = await working('rectification', wrong.email);
    const said = [
      { field: 'email', value: right.email },
      { field: 'name', value: right.name },
      { field: 'picture', value: right.avatar },
    ];
    expect((await call('POST', `requests/${id}/corrections`, { corrections: said })).status).toBe(201);
    expect((await list(right.email)).profiles.map(({ traits }) => traits)).toEqual([right]);
    expect((await list(wrong.email)).profiles, 'found by the old address').toEqual([]);
    // The site itself has not been put right: it says the old values again, from here and from another browser.
    expect(await name(laptop, wrong)).toBe(200);
    await view('/b', phone);
    expect(await name(phone, { id: wrong.id, name: wrong.name })).toBe(200);
    expect((await list()).profiles.map(({ traits, events }) => [traits, events])).toEqual([[right, 2]]);
    expect((await list(wrong.email)).profiles).toEqual([]);
    // A value that is new is taken as ever.
    await name(laptop, { id: wrong.id, name: 'Ada Newer' });
    expect((await list()).profiles[0]?.traits).toMatchObject({ name: 'Ada Newer', email: right.email });
    const receipt = await receiptOf(id, 1);
    expect(receipt.systems.find(({ system }) => system === 'profiles')?.changed).toEqual([
      { table: 'postgres profiles', class: 'D4', rows: 1, field: 'email', before: 'another' },
      { table: 'postgres profiles', class: 'D4', rows: 1, field: 'name', before: 'another' },
      { table: 'postgres profiles', class: 'D4', rows: 1, field: 'picture', before: 'none' },
    ]);
    expect((await one(id)).measures).toMatchObject([{ does: 'corrected', number: 1 }]);
  });

  it('changes the name of an account of this organisation alone, and never the address that opens it', async () => {
    const id = await working('rectification', 'owner@shop.example');
    const said = {
      corrections: [
        { field: 'name', value: 'Olga Owner' },
        { field: 'email', value: 'thief@x.example' },
      ],
    };
    const { body } = await call('POST', `requests/${id}/corrections`, said);
    expect(body.measures[0].systems.find(({ system }: { system: string }) => system === 'membership')).toMatchObject({
      changed: [{ table: 'postgres people', field: 'name' }],
      kept: [{ table: 'postgres people', why: expect.stringMatching(/proves the new mailbox/) }],
    });
    const { body: members } = await call('GET', 'members');
    expect(JSON.stringify(members)).toContain('Olga Owner');
    expect(JSON.stringify(members)).not.toContain('thief@');
  });

  it('is not done before it is sure who asks', async () => {
    const received_on = new Date().toISOString().slice(0, 10);
    const { body } = await call('POST', 'requests', { kind: 'rectification', email: right.email, received_on });
    const said = { corrections: [{ field: 'name', value: 'Mallory' }] };
    expect((await call('POST', `requests/${body.id}/corrections`, said)).status).toBe(409);
    expect((await call('PUT', `requests/${body.id}/restriction`, { to: 'in-force' })).status).toBe(409);
  });
});

/** Messages of the organisation to an address, handled at once: what became of each. */
async function mailed(email: string): Promise<string[]> {
  const { mail, postgres } = desk.server.desk.house;
  await postgres.tenant(1, async (sql) => {
    for (const kind of ['report', 'alert', 'service'] as const)
      await mail.send(sql, {
        template: { name: kind === 'service' ? 'invitation' : 'x', kind, write: () => ({ subject: 'x', blocks: [] }) },
        ...{ to: email, values: {}, organisationId: 1 },
      });
  });
  const states = () =>
    postgres.mail((sql) =>
      sql.query<{ state: string }>(
        'SELECT state FROM mail.messages WHERE address_digest = $1 ORDER BY id DESC LIMIT 3',
        [mail.suppressions.digest(email)],
      ),
    );
  await expect
    .poll(async () => (await states()).every(({ state }) => state !== 'waiting'), { timeout: 10_000, interval: 20 })
    .toBe(true);
  return (await states()).map(({ state }) => state);
}
const exported = async () => {
  const { warehouse, postgres } = desk.server.desk.house;
  const restricted = await postgres.tenant(1, (sql) => restrictedVisitors(sql, 1));
  const day = { siteId: 1, day: '', importIds: [], restricted, from: 0, to: Date.now() + 86_400_000 };
  let text = '';
  const work = {
    ...{ scratch: { path: join(desk.dataDir, 'scratch.ndjson'), form: plainForm }, path: String, add: () => {} },
    form: plainForm,
    async append(_: string, more: string | Buffer) {
      text += more.toString();
    },
  };
  for await (const _ of formats.ndjson.day(warehouse, work, day));
  return text.split('\n').filter((line) => line.includes('shop.example')).length;
};

/** A finished export of the first site with its file, and a finished archive. */
const copies: Record<'exports' | 'organisation_archives', number> = { exports: 0, organisation_archives: 0 };
const fileOf = (id: number) => join(desk.dataDir, 'exports', String(id));
async function plantCopies(): Promise<void> {
  const days = (ahead: number) => new Date(Date.now() + ahead * 86_400_000);
  const [made] = await own<{ id: number }>(
    `INSERT INTO exports (organisation_id, site_id, format, state, timezone, first_day, last_day, created_at, finished_at, expires_at)
     VALUES (1, 1, 'ndjson', 'done', 'UTC', '2026-01-01', '2026-01-01', $1, $1, $2) RETURNING id`,
    [days(0), days(7)],
  );
  const [archive] = await own<{ id: number }>(
    `INSERT INTO organisation_archives (organisation_id, state, key_sealed, sites, created_by, created_at, finished_at, expires_at)
     VALUES (1, 'done', '\\x00', 2, (SELECT min(person_id) FROM memberships), $1, $1, $2) RETURNING id`,
    [days(0), days(7)],
  );
  Object.assign(copies, { exports: made?.id, organisation_archives: archive?.id });
  mkdirSync(join(desk.dataDir, 'exports'), { recursive: true });
  writeFileSync(fileOf(copies.exports), 'of Ada');
}
async function holdOn(of: string): Promise<number> {
  const review_on = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const placed = await call('POST', 'holds', { scope: 'site', of, reason: 'Claim 12', owner: 'Legal', review_on });
  expect(placed.status).toBe(201);
  return placed.body.id;
}
const release = async (hold: number) =>
  expect((await call('PUT', `holds/${hold}/release`, { reason: 'settled' })).status).toBe(200);
async function fetched(): Promise<number[]> {
  const file = await desk.call('GET', `/api/sites/shop.example/exports/${copies.exports}/file`).catch(() => undefined);
  return [file?.status ?? 200, (await call('GET', `archives/${copies.organisation_archives}/file`)).status];
}
/** The table of profiles as a new archive has it. */
async function archivedProfiles(): Promise<string> {
  const { house } = desk.server.desk;
  const { tables } = await house.postgres.system(tablesOfArchive);
  expect(tables.map(({ table }) => table)).not.toContain('restricted_visitors');
  const table = tables.find((known) => known.table === 'profiles');
  let text = '';
  if (table !== undefined)
    await writeTable(house, 1, table, async (more) => {
      text += more;
    });
  return text;
}

describe('a restriction', () => {
  let hold = 0;
  it('keeps what is stored and uses nothing of it: pages, exports, mail and new events go on without them, until they were told that it ends (DSR-05)', async () => {
    const { profiles: before } = await list();
    const [them] = before;
    expect(before).toHaveLength(1);
    const events = await exported();
    expect(events).toBe(2);
    await plantCopies();
    hold = await holdOn('shop.example');
    expect((await fetched())[0], 'before it').toBe(200);
    expect(await archivedProfiles()).toContain('ada@visitor.example');
    const id = await working('restriction', 'ada@visitor.example');
    expect((await call('PUT', `requests/${id}/restriction`, { to: 'in-force' })).body.restriction).toMatchObject({
      ended_at: null,
    });
    const kept = await own<{ traits_sealed: Buffer | null }>('SELECT traits_sealed FROM profiles');
    expect(kept[0]?.traits_sealed, 'it stays').not.toBeNull();
    expect(await list()).toMatchObject({ profiles: [], restricted: 2 });
    expect((await list('user-77')).profiles, 'by what else they are known by').toEqual([]);
    const page = await desk.call('GET', `/api/sites/shop.example/profiles/${them?.id}`);
    expect(page.body).toMatchObject({ profile: null, is_restricted: true, timeline: [] });
    expect(await exported(), 'in an export').toBe(0);
    expect(await archivedProfiles(), 'in an archive').not.toMatch(/ada@|Ada/);
    // A copy from before that a legal hold keeps is there and given to nobody.
    expect([existsSync(fileOf(copies.exports)), ...(await fetched())]).toEqual([true, 409, 409]);
    const { exports: shown } = (await desk.call('GET', '/api/sites/shop.example/exports')).body;
    expect(shown).toMatchObject([{ state: 'done', withheld: true }]);
    expect((await desk.call('DELETE', `/api/sites/shop.example/exports/${copies.exports}`)).status, 'held').toBe(409);
    // What they do next is counted, and tied to nobody; calls that name them store nothing, from any browser.
    expect(await name('d4'.repeat(16), { email: 'ada@visitor.example', name: 'Again' })).toBe(200);
    for (const [path, browser] of [
      ['/restricted', laptop],
      ['/restricted', 'd4'.repeat(16)],
    ] as const)
      await view(path, browser);
    const rows = await desk.rows<{ stored_id: number }>("SELECT stored_id FROM events WHERE pathname = '/restricted'");
    expect(rows.map(({ stored_id }) => Number(stored_id))).toEqual([0, 0]);
    const visitors = await own('SELECT 1 FROM profile_visitors');
    expect(visitors).toHaveLength(2);
    expect(await mailed('ADA@visitor.example')).toEqual(['suppressed', 'suppressed', 'suppressed']);
    expect(await mailed('other@visitor.example')).toEqual(['inbox', 'inbox', 'inbox']);
    // It goes on when the request is answered, and when the desk starts anew.
    await call('PUT', `requests/${id}/state`, { to: 'answered', outcome: 'Kept and not used.' });
    await desk.restart();
    owner = await desk.signIn();
    expect(await one(id)).toMatchObject({ email: null, is_in_force: true, restriction: { has_address: true } });
    await view('/restricted', laptop);
    expect(await desk.rows("SELECT 1 FROM events WHERE pathname = '/restricted' AND stored_id = 1")).toEqual([]);

    // Its end is announced; nothing ends before its time, nor before the letter has left.
    const { body: ending } = await call('PUT', `requests/${id}/restriction`, {
      ...{ to: 'ending', told: 'mail', why: 'It was checked.' },
    });
    expect(Date.parse(ending.restriction.ending.lifts_at) - Date.now()).toBeGreaterThan(2.9 * 86_400_000);
    const letter = async () => (await one(id)).restriction?.ending?.letter;
    await expect.poll(letter, { timeout: 10_000, interval: 20 }).toBe('left');
    await desk.server.desk.house.postgres.mail((sql) =>
      sql.run("UPDATE mail.messages SET state = 'failed', content = NULL WHERE template = 'restriction_ends'"),
    );
    await own('UPDATE restrictions SET lifts_at = told_at WHERE request_id = $1', [id]);
    await desk.server.desk.requests.measure();
    expect(await one(id)).toMatchObject({ is_in_force: true, restriction: { ending: { letter: 'failed' } } });
    await desk.server.desk.house.postgres.mail((sql) =>
      sql.run("UPDATE mail.messages SET state = 'inbox' WHERE template = 'restriction_ends'"),
    );
    // Two at once end it once.
    await Promise.all([desk.server.desk.requests.measure(), desk.server.desk.requests.measure()]);
    expect(await one(id)).toMatchObject({ is_in_force: false, restriction: { has_address: false } });
    expect((await one(id)).measures.map(({ does }) => does)).toEqual(['lifted', 'restricted']);
    expect((await receiptOf(id, 2)).does).toBe('lifted');
    expect(await own('SELECT 1 FROM restricted_identifiers UNION ALL SELECT 1 FROM restricted_visitors')).toEqual([]);
    expect((await list()).profiles.map(({ traits }) => traits)).toEqual([them?.traits]);
    expect(await mailed('ada@visitor.example')).toEqual(['inbox', 'inbox', 'inbox']);
    expect((await fetched())[0], 'the copy, now that nobody in it is restricted').toBe(200);
    await release(hold);
  });
});

describe('an objection', () => {
  it('is in force as soon as it is sure who objects, without anybody doing anything (DSR-06)', async () => {
    const hold = await holdOn('other.example');
    const received_on = new Date().toISOString().slice(0, 10);
    const { body } = await call('POST', 'requests', { kind: 'objection', external_id: 'user-77', received_on });
    await call('PUT', `requests/${body.id}/state`, { to: 'checked', check: 'signed-in' });
    await expect.poll(async () => (await one(body.id)).is_in_force, { timeout: 10_000, interval: 50 }).toBe(true);
    expect(await list()).toMatchObject({ profiles: [] });
    expect(await mailed('ada@visitor.example'), 'known by the profile').toContain('suppressed');
    // The hold on another site keeps no copy of this one.
    expect([existsSync(fileOf(copies.exports)), (await fetched())[0]]).toEqual([false, 404]);
    await release(hold);
    expect(await objectionCheck(desk.server.desk.house).run()).toMatchObject({ state: 'ok' });
  });

  it('killed before it is written whole leaves nothing of it, and the next start carries it out, with one receipt', async () => {
    let id = 0;
    await desk.restart(async () => {
      const child = startChild(join(import.meta.dirname, '../proof/drivers/objection_child.ts'), {
        args: [desk.dataDir, 'killed@visitor.example'],
        env: { FAIRLEAD_CRASH_POINT: 'measure.written' },
      });
      id = Number(/\d+/.exec(await child.says(/request/))?.[0]);
      expect(await child.ended).toBe('SIGKILL');
    });
    owner = await desk.signIn();
    await expect.poll(async () => (await one(id)).is_in_force, { timeout: 10_000, interval: 50 }).toBe(true);
    expect((await one(id)).measures).toHaveLength(1);
    const listed = await own(
      'SELECT 1 FROM restricted_identifiers i JOIN restrictions r ON r.id = i.restriction_id WHERE r.request_id = $1',
      [id],
    );
    expect(listed).toHaveLength(1);
  });
});

describe('another system', () => {
  const path = '/api/organisations/1/opendsr/v2';
  const said = (more: object = {}) => ({
    ...{ regulation: 'gdpr', subject_request_id: randomUUID(), subject_request_type: 'erasure' },
    ...{ submitted_time: new Date().toISOString(), api_version: '2.0', extensions: { 'other.example': { x: 1 } } },
    subject_identities: [
      { identity_type: 'email', identity_value: 'system@visitor.example', identity_format: 'raw' },
      { identity_type: 'controller_customer_id', identity_value: 'customer 4711', identity_format: 'raw' },
    ],
    ...more,
  });
  /** With the key that stands at the address which discovery names; its signature is over exactly the bytes. */
  async function asked(method: string, rest: string, body?: unknown) {
    const { status, text, headers } = await desk.raw({
      ...{ method, path: path + rest },
      headers: { authorization: `Bearer ${desk.key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (status < 300) {
      const pem = await desk.raw({ method: 'GET', path: '/api/opendsr/key' });
      const signature = Buffer.from(String(headers['x-opendsr-signature']), 'base64');
      expect(verify(null, Buffer.from(text), pem.text, signature)).toBe(true);
      expect(verify(null, Buffer.from(`${text} `), pem.text, signature)).toBe(false);
      expect(headers['x-opendsr-processor-domain']).toBe('localhost');
    }
    return { status, body: JSON.parse(text) };
  }

  it('finds out what is taken, hands in a request once, asks how far it is, and takes back what is pending', async () => {
    const discovery = (await asked('GET', '/discovery')).body;
    expect(discovery.supported_subject_request_types).toEqual(['access', 'portability', 'erasure']);
    expect(discovery.processor_certificate).toMatch(/\/api\/opendsr\/key$/);
    const request = said();
    const both = await Promise.all([1, 2].map(() => asked('POST', '/requests', request)));
    expect(both.map(({ status }) => status)).toEqual([201, 201]);
    expect(both[0]?.body).toEqual(both[1]?.body);
    expect(JSON.parse(Buffer.from(both[0]?.body.encoded_request, 'base64').toString())).toEqual(request);
    const listed = await own<{ id: number }>('SELECT id FROM subject_requests WHERE opendsr_id = $1', [
      request.subject_request_id,
    ]);
    expect(listed).toHaveLength(1);
    const id = listed[0]?.id as number;
    expect(await one(id)).toMatchObject({
      ...{ kind: 'erasure', state: 'checked', check: 'other-system' },
      ...{ email: 'system@visitor.example', external_id: 'customer 4711', erasure: null },
    });
    const rest = `/requests/${request.subject_request_id}`;
    const status = async () => (await asked('GET', rest)).body.request_status;
    expect(await status()).toBe('pending');
    await call('PUT', `requests/${id}/state`, { to: 'working' });
    expect(await status()).toBe('in_progress');
    expect((await asked('DELETE', rest)).status, 'once work began').toBe(409);
    await call('PUT', `requests/${id}/state`, { to: 'answered', outcome: 'Done.', letter: false });
    expect(await status()).toBe('completed');
    const other = said({ subject_request_type: 'access' });
    await asked('POST', '/requests', other);
    expect((await asked('DELETE', `/requests/${other.subject_request_id}`)).status).toBe(202);
    expect((await asked('GET', `/requests/${other.subject_request_id}`)).body.request_status).toBe('cancelled');
    expect((await asked('POST', '/requests', { ...other, subject_request_type: 'erasure' })).status).toBe(409);
    expect((await asked('GET', `/requests/${randomUUID()}`)).status).toBe(404);
    const [email] = said().subject_identities;
    expect((await asked('POST', '/requests', said({ subject_identities: [email, email] }))).status).toBe(400);
  });

  it('is told of each state at the address that it named, signed, until it has taken it; by https alone (OpenDSR 8.5)', async () => {
    const theirs = await openHttpsReceiver();
    const { came, port: callbackPort } = theirs;
    try {
      const [hook, gone] = [`https://localhost:${callbackPort}/hook?secret=of-theirs`, `https://localhost:1/x`];
      for (const urls of [['http://localhost/'], ['https://a:b@localhost/'], Array(6).fill(hook)])
        expect((await asked('POST', '/requests', said({ status_callback_urls: urls }))).status).toBe(400);
      const request = said({
        subject_request_type: 'access',
        status_callback_urls: [hook, gone, 'https://10.0.0.1/x'],
      });
      await asked('POST', '/requests', request);
      const [{ id } = { id: 0 }] = await own<{ id: number }>('SELECT id FROM subject_requests WHERE opendsr_id = $1', [
        request.subject_request_id,
      ]);
      await desk.server.desk.requests.callBack();
      expect(came, 'the answer has said that it is pending').toEqual([]);
      await call('PUT', `requests/${id}/state`, { to: 'working' });
      const known = async () => (await one(id)).callbacks as RequestCallback[];
      await vi.waitFor(async () => expect((await known()).map(({ tries }) => tries)).toEqual([1, 1, 1]), 20_000);
      expect((await known()).map(({ host, told_status, problem }) => [host, told_status, problem])).toEqual([
        [`localhost:${callbackPort}`, 'pending', 'status_503'],
        [`localhost:1`, 'pending', 'connect_failed'],
        ['10.0.0.1', 'pending', 'address_private'],
      ]);
      await desk.server.desk.requests.callBack();
      expect(came, 'not before its time').toHaveLength(1);
      theirs.answer(202);
      await own(
        "UPDATE opendsr_callbacks SET next_at = now() - interval '1 second' WHERE request_id = $1 AND problem = 'status_503'",
        [id],
      );
      await desk.server.desk.requests.callBack();
      expect((await known())[0]).toMatchObject({
        told_status: 'in_progress',
        tries: 0,
        problem: null,
        told_at: expect.any(String),
      });
      await own(
        "UPDATE opendsr_callbacks SET tries = 9, next_at = now() - interval '1 second' WHERE request_id = $1 AND host = $2",
        [id, 'localhost:1'],
      );
      await desk.server.desk.requests.callBack();
      expect((await known())[1], 'given up').toMatchObject({ trying: 'in_progress', tries: 10, next_at: null });
      await call('PUT', `requests/${id}/state`, { to: 'answered', outcome: 'Done.', letter: false });
      await vi.waitFor(async () => expect((await known())[0]?.told_status).toBe('completed'), 20_000);
      expect((await known())[1], 'the next state is told all the same').toMatchObject({
        ...{ trying: 'completed', tries: 1, next_at: expect.any(String) },
      });
      const pem = (await desk.raw({ method: 'GET', path: '/api/opendsr/key' })).text;
      for (const { body, headers } of came) {
        expect(
          verify(null, Buffer.from(body), pem, Buffer.from(String(headers['x-opendsr-signature']), 'base64')),
        ).toBe(true);
        expect(headers['x-opendsr-processor-domain']).toBe('localhost');
      }
      expect(came.map(({ body }) => JSON.parse(body))).toEqual(
        ['in_progress', 'in_progress', 'completed'].map((request_status) => ({
          ...{ controller_id: '1', subject_request_id: request.subject_request_id, api_version: '2.0', request_status },
          ...{ status_callback_url: hook, expected_completion_time: expect.stringMatching(/T23:59:59Z$/) },
        })),
      );
      const stored = await own<{ url_sealed: Buffer | null }>(
        'SELECT url_sealed FROM opendsr_callbacks WHERE request_id = $1 ORDER BY id',
        [id],
      );
      expect(stored[0]?.url_sealed, 'nothing is to be told any more').toBeNull();
      expect(stored[1]?.url_sealed?.includes('localhost')).toBe(false);
      const acts = await own<{ action: string }>(
        "SELECT action FROM audit.entries WHERE action = 'request.called_back'",
      );
      expect(acts).toHaveLength(2);
    } finally {
      theirs.close();
    }
  });

  it('sees nothing of the register, and a key without the scope nothing at all', async () => {
    const made = async (scopes: string[], siteIds?: number[]) => {
      const { text } = await desk.raw({
        ...{ path: '/api/keys' },
        headers: { cookie: owner, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
        body: JSON.stringify({ name: scopes.join(), scopes, site_ids: siteIds }),
      });
      const { key } = JSON.parse(text) as { key: string };
      return (method: string, at: string) =>
        desk.raw({ method, path: at, headers: { authorization: `Bearer ${key}` } });
    };
    const hands = await made(['requests:write']);
    expect((await hands('GET', `${path}/discovery`)).status).toBe(200);
    expect((await hands('GET', '/api/organisations/1/requests')).status).toBe(404);
    const ofSite = await made(['requests:write'], [1]);
    expect((await ofSite('GET', `${path}/discovery`)).status, 'limited to a site').toBe(403);
    const reads = await made(['stats:read']);
    expect((await reads('GET', `${path}/discovery`)).status).toBe(404);
  });
});
