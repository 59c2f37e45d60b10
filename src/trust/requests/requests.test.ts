import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestDetail } from '../../../contract/requests.ts';
import { type AccountsHouse, openAccountsHouse } from '../../../test/accounts_house.ts';
import { createOrganisation, requestLimits } from '../../accounts/index.ts';
import { systemClock } from '../../platform/clock.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { ringOf } from '../keys/index.ts';
import { requestExecutor } from './ageing.ts';
import { readArchive } from './archive.ts';
import { daysAfter, dueOn, monthsAfter } from './clock.ts';
import { openRequests } from './index.ts';
import { requestCheck } from './overdue_check.ts';
import { listRequests } from './records.ts';

/** A real database, a real listener, and a clock that is turned. */
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const keys = ringOf(Buffer.alloc(32, 7));
const password = 'a harbour of quiet rope';
const email = 'Quiet.Reader@visitor.example';
const north = { email: 'owner@north.example', personId: 0, organisationId: 0, cookie: '' };
const south = { email: 'owner@south.example', personId: 0, organisationId: 0, cookie: '' };
let desk: AccountsHouse;
let requests: ReturnType<typeof openRequests>;

beforeAll(async () => {
  desk = await openAccountsHouse({
    ...{ clock, keys, trustedProxies: 1, inbox: true },
    more(house, accounts) {
      requests = openRequests(house, accounts.notices, {
        limits: requestLimits(house),
        holders: () => accounts.holders ?? [],
      });
      return requests.routes ?? [];
    },
  });
  const hash = await desk.accounts.passwords.hash(password);
  for (const side of [north, south]) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: side.email, organisation: side.email.slice(6, 11), hash }),
    );
    Object.assign(side, made);
    await signIn(side);
  }
});
afterAll(() => desk.close());

async function signIn(side: typeof north): Promise<void> {
  const answer = await ask('POST', '/api/sessions', '', { email: side.email, password });
  expect(answer.status).toBe(201);
  side.cookie = answer.cookies;
}

const ask: AccountsHouse['ask'] = (...given) => desk.ask(...given);
const at = (side: typeof north, rest = '') => `/api/organisations/${side.organisationId}/requests${rest}`;
async function entered(side: typeof north, more: object = {}): Promise<RequestDetail> {
  const received_on = utcDay(clock.now());
  const answer = await ask('POST', at(side), side.cookie, { kind: 'access', received_on, email, ...more });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body as RequestDetail;
}
const step = (side: typeof north, id: number, body: object) => ask('PUT', at(side, `/${id}/state`), side.cookie, body);
const rowsOf = (id: number) =>
  desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.query<Record<string, unknown>>('SELECT * FROM subject_requests WHERE id = $1', [id]),
  );

describe('the clock of a request', () => {
  test.each([
    ['2026-01-31', '2026-02-28'],
    ['2028-01-31', '2028-02-29'],
    ['2026-02-10', '2026-03-10'],
    ['2026-03-10', '2026-04-09'],
    ['2026-04-30', '2026-05-30'],
    ['2026-12-31', '2027-01-30'],
  ])('what came on %s is due on %s, after 30 days or a month, whichever ends first (DSR-07)', (came, due) => {
    expect(dueOn(came)).toBe(due);
  });
  test('two months after the last of December end with February', () => {
    expect(monthsAfter('2026-12-31', 2)).toBe('2027-02-28');
  });
});

test('a request goes from its receipt to its answer in that order, and every step stands in the trail', async () => {
  const { id } = await entered(north, { phone: '+49 30 1234567', came_by: 'letter' });
  expect((await step(north, id, { to: 'working' })).status, 'work before the check').toBe(409);
  expect((await step(north, id, { to: 'answered', outcome: 'sent' })).status, 'an answer before the check').toBe(409);
  expect((await step(north, id, { to: 'checked', check: 'mailbox' })).body).toMatchObject({ state: 'checked' });
  expect((await step(north, id, { to: 'working' })).body).toMatchObject({ state: 'working', email });
  const closed = await step(north, id, { to: 'answered', outcome: 'The archive was sent by post.' });
  expect(closed.body).toMatchObject({
    ...{ state: 'answered', outcome: 'The archive was sent by post.' },
    ...{ email: null, phone: null, external_id: null, came_by: 'letter' },
  });
  expect((await step(north, id, { to: 'refused', outcome: 'late' })).status, 'after the end').toBe(409);
  const acts = await desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.query<{ action: string }>("SELECT action FROM audit.entries WHERE action LIKE 'request.%' ORDER BY seq"),
  );
  expect(acts.map(({ action }) => action)).toEqual([
    ...['request.entered', 'request.checked', 'request.begun', 'request.answered'],
  ]);
});

test('who asks lies sealed and is found by a digest of this organisation alone; closed, nothing but the digest is left', async () => {
  const first = await entered(north, { external_id: 'customer 4711' });
  const second = await entered(north, { email: email.toLowerCase(), kind: 'erasure' });
  expect(second.others).toContain(first.id);
  const elsewhere = await entered(south);
  expect(elsewhere.others, 'of another organisation').toEqual([]);
  const [row] = await rowsOf(first.id);
  const text = Object.values(row as object).map((value) =>
    Buffer.isBuffer(value) ? value.toString('latin1') : String(value),
  );
  expect(text.join('\n')).not.toMatch(/reader@|4711/i);
  expect(JSON.stringify((await ask('GET', at(north), north.cookie)).body)).not.toMatch(/reader@|4711/i);
  await step(north, first.id, { to: 'refused', outcome: 'Asked for twice.' });
  expect((await rowsOf(first.id))[0]).toMatchObject({ email_sealed: null, external_sealed: null, phone_sealed: null });
});

test('another organisation neither reads nor changes a request, and learns not that there is one', async () => {
  const { id } = await entered(north);
  const unknown = await ask('GET', at(south, '/999999'), south.cookie);
  const foreign = await ask('GET', at(south, `/${id}`), south.cookie);
  expect([foreign.status, foreign.body.error.message]).toEqual([404, unknown.body.error.message]);
  expect((await step(south, id, { to: 'refused', outcome: 'x' })).status).toBe(404);
  expect((await ask('GET', at(north, `/${id}`), south.cookie)).status, 'under the other one’s address').toBe(404);
  expect((await rowsOf(id))[0]).toMatchObject({ state: 'received' });
});

test('two who take the same step at once: it is taken once', async () => {
  const { id } = await entered(north);
  const both = await Promise.all([1, 2].map(() => step(north, id, { to: 'checked', check: 'called-back' })));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
});

test('what is typed comes back as it was typed, and an address that is none is refused', async () => {
  const hostile = `<script>alert(1)</script>'); DROP TABLE subject_requests; --`;
  const { id } = await entered(north, { external_id: hostile });
  expect((await ask('GET', at(north, `/${id}`), north.cookie)).body.external_id).toBe(hostile);
  const received_on = utcDay(clock.now());
  const nobody = await ask('POST', at(north), north.cookie, { kind: 'access', received_on });
  expect([nobody.status, nobody.body.error.field]).toEqual([400, 'email']);
});

test('it is extended once, in time, with a reason, and for two months at most', async () => {
  const { id, due_on } = await entered(north);
  const extend = (until: string) =>
    ask('PUT', at(north, `/${id}/extension`), north.cookie, { until, reason: 'Three archives are searched.' });
  expect((await extend(daysAfter(monthsAfter(due_on, 2), 1))).status, 'too long').toBe(400);
  const until = daysAfter(due_on, 30);
  expect((await extend(until)).body).toMatchObject({ due_on: until, is_extended: true });
  expect((await extend(daysAfter(until, 1))).status, 'twice').toBe(409);
});

test('owners are reminded on day 21 and told when the day is over, each once, also when two processes look (DSR-07)', async () => {
  const { id } = await entered(north, { kind: 'objection' });
  const told = async () =>
    (
      await desk.house.postgres.person(north.personId, (sql) =>
        sql.query<{ notice: string; facts: { request: number } }>(
          "SELECT notice, facts FROM notifications WHERE notice LIKE 'request_%' ORDER BY id",
        ),
      )
    )
      .filter(({ facts }) => facts.request === id)
      .map(({ notice }) => notice);
  const look = () => Promise.all([requests.remind(), requests.remind()]);
  aheadMs += 20 * dayMs;
  await look();
  expect(await told(), 'on day 20').toEqual([]);
  aheadMs += dayMs;
  await look();
  await look();
  expect(await told(), 'on day 21').toEqual(['request_due']);
  aheadMs += 11 * dayMs;
  await look();
  await look();
  expect(await told(), 'after its day').toEqual(['request_due', 'request_overdue']);
  const { overdue, requests: listed } = await desk.house.postgres.tenant(north.organisationId, (sql) =>
    listRequests(sql, clock.now(), 0),
  );
  expect(overdue).toBeGreaterThan(0);
  expect(listed[0]?.days_left, 'what is overdue stands first').toBeLessThan(0);
  expect(await requestCheck({ ...desk.house, clock }).run()).toMatchObject({
    ...{ state: 'wrong', fact: expect.stringMatching(/^[1-9]\d* of \d+ open requests are past/) },
  });
});

test('the outcome goes to who asked in one letter, with who answers and where to complain; to nobody of whom it is not sure who they are (DSR-09)', async () => {
  aheadMs = 0;
  await signIn(north);
  await desk.house.postgres.tenant(north.organisationId, (sql) =>
    sql.run(
      `INSERT INTO organisation_identities (organisation_id, version, legal_name, contact, authority, changed_at, changed_by)
       VALUES ($1, 1, 'North Ltd', 'privacy@north.example', 'the Northern Commission', now(), $2)`,
      [north.organisationId, north.personId],
    ),
  );
  const letters = async (to: string) => {
    await desk.mail.deliver();
    return (desk.mail.inbox?.list() ?? []).filter(
      (one) => one.to === to && /^request_(answer|extended)/.test(one.template),
    );
  };
  const asks = async (who: string, steps: object[]) => {
    const { id, due_on } = await entered(north, { email: who });
    for (const one of steps) await step(north, id, one);
    return { id, due_on };
  };
  const sure = [{ to: 'checked', check: 'mailbox' }, { to: 'working' }];
  const { id, due_on } = await asks('told@visitor.example', sure);
  const late = { until: daysAfter(due_on, 9), reason: 'Two archives are searched.' };
  await ask('PUT', at(north, `/${id}/extension`), north.cookie, late);
  const outcome = 'The copy lies with the porter.\n<b>Bring a passport.</b>';
  const both = await Promise.all([1, 2].map(() => step(north, id, { to: 'answered', outcome })));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  const sent = (await letters('told@visitor.example')).map(({ letter }) => letter);
  expect(sent.map(({ subject }) => /longer|Answer/.exec(subject)?.[0]).sort()).toEqual(['Answer', 'longer']);
  const answer = sent.find(({ subject }) => subject.startsWith('Answer'));
  for (const words of [
    'Bring a passport',
    'North Ltd',
    'privacy@north.example',
    'the Northern Commission',
    'go to court',
  ])
    expect(answer?.text, words).toContain(words);
  expect(answer?.html).not.toContain('<b>Bring');
  const refused = await asks('refused@visitor.example', [sure[0] as object]);
  await step(north, refused.id, { to: 'refused', outcome: 'Asked for the third time this week.' });
  const [refusal] = await letters('refused@visitor.example');
  expect(refusal?.letter.text).toMatch(/refused[\s\S]*third time[\s\S]*complain/);
  // Nobody knows who this is: a letter would tell a stranger that somebody asked.
  const stranger = await asks('stranger@visitor.example', []);
  const wished = await step(north, stranger.id, { to: 'refused', outcome: 'Who are you?', letter: true });
  expect(wished.status).toBe(409);
  const closed = await step(north, stranger.id, { to: 'refused', outcome: 'Who are you?' });
  expect([closed.status, closed.body.letter_at]).toEqual([200, null]);
  const byHand = await asks('by.hand@visitor.example', sure);
  await step(north, byHand.id, { to: 'answered', outcome: 'Handed over.', letter: false });
  expect([...(await letters('stranger@visitor.example')), ...(await letters('by.hand@visitor.example'))]).toEqual([]);
});

describe('the public form', () => {
  const slugs = { north: '', south: '' };
  beforeAll(async () => {
    // The tests before have turned the clock by more than a session lasts; it is set back here.
    aheadMs = 0;
    for (const [name, side] of Object.entries({ north, south })) {
      await signIn(side);
      const { slug } = await desk.house.postgres.tenant(side.organisationId, (sql) =>
        sql.one<{ slug: string }>('SELECT slug FROM organisations WHERE id = $1', [side.organisationId]),
      );
      Object.assign(slugs, { [name]: slug });
    }
  });
  const form = (path: string, fields: Record<string, string>, address = '198.51.100.9') =>
    fetch(desk.base + path, {
      method: 'POST',
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': address },
      body: new URLSearchParams(fields),
    });
  const mailed = async () => {
    await desk.mail.deliver();
    return desk.mail.inbox?.list() ?? [];
  };
  const linkOf = (text: string) => new URL(/https?:\/\/\S+/.exec(text)?.[0] ?? '').pathname;

  test('has no script and no cookie, escapes what it shows, and goes to this desk alone', async () => {
    await desk.house.postgres.tenant(north.organisationId, (sql) =>
      sql.run(`UPDATE organisations SET name = '<script>alert(1)</script>' WHERE id = $1`, [north.organisationId]),
    );
    const answer = await fetch(`${desk.base}/request/${slugs.north}`);
    const html = await answer.text();
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []]);
    expect(html).not.toMatch(/<script/);
    expect(html).toContain('&lt;script&gt;alert(1)');
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*form-action 'self'/);
    expect(html, 'where to complain').toContain('data protection authority');
    await desk.house.postgres.tenant(north.organisationId, (sql) =>
      sql.run(`UPDATE organisations SET name = 'north' WHERE id = $1`, [north.organisationId]),
    );
  });

  test('answers alike whoever is named, and mails an address once a day', async () => {
    const before = (await mailed()).length;
    const member = await form(`/request/${slugs.north}`, { kind: 'access', email: north.email });
    const stranger = await form(`/request/${slugs.north}`, { kind: 'access', email: 'nobody@visitor.example' });
    expect([member.status, await member.text()]).toEqual([stranger.status, await stranger.text()]);
    const again = await form(`/request/${slugs.south}`, { kind: 'erasure', email: 'Nobody@visitor.example' });
    expect(again.status).toBe(200);
    expect((await mailed()).length - before, 'one for each address, over all organisations').toBe(2);
    expect((await form(`/request/${slugs.north}`, { kind: 'gossip', email: 'x' })).status).toBe(400);
    expect((await form('/request/unknown', { kind: 'access', email: 'a@b.example' })).status).toBe(404);
    const network = await Promise.all(
      Array.from({ length: 61 }, () =>
        form(`/request/${slugs.north}`, { kind: 'access', email: north.email }, '192.0.2.77'),
      ),
    );
    expect(network.some(({ status }) => status === 429)).toBe(true);
  });

  test('a request of a visitor begins with the link of the mail, once, in the register of the organisation, with who asks verified (DSR-08)', async () => {
    const visitor = 'visitor@visitor.example';
    await form(`/request/${slugs.north}`, { kind: 'access', email: visitor });
    const letter = (await mailed()).find(({ to }) => to === visitor);
    const path = linkOf(letter?.letter.text ?? '');
    expect((await fetch(desk.base + path)).status, 'a look changes nothing').toBe(200);
    expect(
      (await form(path.replace(`/${slugs.north}/`, `/${slugs.south}/`), {})).status,
      'of another organisation',
    ).toBe(404);
    const both = await Promise.all([form(path, {}), form(path, {})]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 404]);
    await requests.remind();
    const { body } = await ask('GET', at(north), north.cookie);
    const one = await ask(
      'GET',
      at(north, `/${body.requests.find((of: RequestDetail) => of.state === 'checked').id}`),
      north.cookie,
    );
    expect(one.body).toMatchObject({
      kind: 'access',
      state: 'checked',
      check: 'mailbox',
      email: visitor,
      came_by: 'form',
    });
    const told = await desk.house.postgres.person(north.personId, (sql) =>
      sql.query("SELECT 1 FROM notifications WHERE notice = 'request_came'"),
    );
    expect(told).toHaveLength(1);
    // A copy of what is stored, to that address alone, for 14 days.
    expect((await ask('POST', at(north, `/${one.body.id}/archive`), north.cookie)).status, 'before work').toBe(409);
    await step(north, one.body.id, { to: 'working' });
    const made = await ask('POST', at(north, `/${one.body.id}/archive`), north.cookie);
    expect([made.status, made.body.archive?.records]).toEqual([201, expect.any(Number)]);
    const archive = (await mailed()).find(({ to, template }) => to === visitor && template === 'request_archive');
    const link = linkOf(archive?.letter.text ?? '');
    const fetched = await fetch(desk.base + link);
    const zip = Buffer.from(await fetched.arrayBuffer());
    const read = readArchive(zip);
    expect(read.records.map(({ table }) => table)).toEqual(
      expect.arrayContaining(['postgres subject_requests', 'postgres mail.messages']),
    );
    const [row] = await desk.house.postgres.tenant(north.organisationId, (sql) =>
      sql.query<{ sealed: Buffer }>('SELECT sealed FROM request_archives'),
    );
    expect(row?.sealed.includes('PK\u0003\u0004'), 'sealed where it lies').toBe(false);
    aheadMs += 14 * dayMs;
    expect((await fetch(desk.base + link)).status, 'after 14 days').toBe(404);
    aheadMs -= 14 * dayMs;
  });

  test('an archive is released for who was verified, sealed, and for 14 days (DSR-11)', async () => {
    const { id } = await entered(north, { kind: 'portability', email: north.email });
    const make = async () => (await ask('POST', at(north, `/${id}/archive`), north.cookie)).status;
    const fetched = async (path = at(north, `/${id}/archive`)) =>
      (await fetch(desk.base + path, { headers: { cookie: north.cookie } })).status;
    expect([await make(), await fetched()], 'nobody has looked who asks').toEqual([409, 404]);
    await step(north, id, { to: 'checked', check: 'called-back' });
    expect([await make(), await fetched()], 'nobody has begun').toEqual([409, 404]);
    await step(north, id, { to: 'working' });
    expect((await ask('POST', at(north, `/${id}/archive`), north.cookie)).body.archive.expires_at).toBe(
      new Date(
        Date.parse((await ask('GET', at(north, `/${id}`), north.cookie)).body.archive.made_at) + 14 * dayMs,
      ).toISOString(),
    );
    expect((await ask('GET', at(south, `/${id}/archive`), south.cookie)).status).toBe(404);
    // What lies there is neither an archive nor a word of it.
    const { sealed } = await desk.house.postgres.tenant(north.organisationId, (sql) =>
      sql.one<{ sealed: Buffer }>('SELECT sealed FROM request_archives WHERE request_id = $1', [id]),
    );
    expect(sealed.includes('PK\x03\x04') || sealed.toString('latin1').toLowerCase().includes(north.email)).toBe(false);
    const letters = (await mailed()).filter(({ to }) => to === north.email);
    const link = /\/request\/\S+\/archive\/[\w-]+/.exec(letters.map(({ letter }) => letter.text).join('\n'))?.[0];
    expect([await fetched(), await fetched(link)]).toEqual([200, 200]);
    aheadMs += 14 * dayMs;
    expect(await fetched(link), 'its time is over').toBe(404);
    aheadMs -= 14 * dayMs;
  });

  test('a report about somebody under 18 opens an erasure that is due within 72 hours, of whom it names (DSR-15)', async () => {
    const parent = 'parent@visitor.example';
    expect((await form(`/request/${slugs.north}`, { kind: 'minor', email: parent })).status, 'who is meant?').toBe(400);
    await form(`/request/${slugs.north}`, { kind: 'minor', email: parent, about: 'child@visitor.example' });
    const path = linkOf((await mailed()).find(({ to }) => to === parent)?.letter.text ?? '');
    expect((await form(path, {})).status).toBe(200);
    const { body } = await ask('GET', at(north), north.cookie);
    const id = body.requests.find(({ is_minor }: RequestDetail) => is_minor).id;
    const { body: one } = await ask('GET', at(north, `/${id}`), north.cookie);
    expect(one).toMatchObject({ kind: 'erasure', state: 'received', email: 'child@visitor.example' });
    expect(Date.parse(one.due_on) + dayMs - clock.now(), 'the end of that day').toBeLessThanOrEqual(3 * dayMs);
  });

  test('an authorised agent asks for somebody, who says by their own mailbox that they may, and gets the answer', async () => {
    const person = 'consumer@visitor.example';
    const agent = '<b>Quiet Data</b> Agency';
    await form(`/request/${slugs.north}`, { kind: 'erasure', email: person, agent });
    const { letter } = (await mailed()).find(({ to }) => to === person) ?? {};
    expect(letter?.text).toContain('asked north for you, as your authorised agent');
    const path = linkOf(letter?.text ?? '');
    const html = await (await fetch(desk.base + path)).text();
    expect(html).toContain('“&lt;b&gt;Quiet Data&lt;/b&gt; Agency” asks for you');
    expect((await form(path, {})).status).toBe(200);
    const { body } = await ask('GET', at(north), north.cookie);
    const id = Math.max(...body.requests.map((one: RequestDetail) => one.id));
    const came = (await ask('GET', at(north, `/${id}`), north.cookie)).body;
    expect(came).toMatchObject({ state: 'checked', check: 'mailbox', email: person, agent });
    await ask('PUT', at(north, `/${id}/state`), north.cookie, { to: 'refused', outcome: 'Asked twice.' });
    expect((await ask('GET', at(north, `/${id}`), north.cookie)).body).toMatchObject({ email: null, agent: null });
  });
});

test('closed requests go after three years, held ones and open ones stay', async () => {
  const executor = requestExecutor(desk.house.postgres);
  const { organisationId } = north;
  const holds = (everything: boolean) => ({ everything, siteIds: new Set<number>(), personIds: new Set<number>() });
  const asked = (everything: boolean) => ({
    ...{ organisationId, nowMs: clock.now(), cutMs: clock.now() + dayMs, siteCutMs: () => 0 },
    holds: holds(everything),
  });
  const count = () =>
    desk.house.postgres.tenant(organisationId, (sql) =>
      sql.one('SELECT count(closed_at)::int AS closed, count(*)::int AS all FROM subject_requests'),
    ) as Promise<{ closed: number; all: number }>;
  const before = await count();
  expect(before.closed).toBeGreaterThan(0);
  expect((await executor.due(asked(true))).every(({ isHeld }) => isHeld)).toBe(true);
  if (executor.works !== 'in the transaction') throw new TypeError('it works otherwise');
  const { end } = executor;
  const ended = (everything: boolean) =>
    desk.house.postgres.tenant(organisationId, (sql) => end(asked(everything), sql));
  expect(await ended(true)).toEqual([]);
  expect((await ended(false))[0]?.rows).toBe(before.closed);
  expect(await count()).toEqual({ closed: 0, all: before.all - before.closed });
});
