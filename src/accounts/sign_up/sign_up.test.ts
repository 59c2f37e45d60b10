import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAccountsHouse } from '../../../test/accounts_house.ts';
import { solved } from '../../../test/solved_challenge.ts';
import { openTestVault, type TestPostgres } from '../../../test/stores.ts';
import { unnoted, type Written, watchWrites } from '../../../test/written.ts';
import { systemClock } from '../../platform/clock.ts';
import type { MailOffice } from '../../platform/mail/index.ts';
import { systemRandom } from '../../platform/random.ts';
import type { openAudit } from '../../trust/audit/index.ts';
import { ringOf } from '../../trust/keys/index.ts';
import { type Accounts, createOrganisation } from '../index.ts';
import { drawn } from '../legal/page.ts';
import { openThrottles } from '../throttle.ts';
import { passwordTries } from './routes.ts';
import { maySignUp } from './settings.ts';

/** Signing up on a real database and a real listener; mails are read where a development desk shows them. */
let database: TestPostgres;
let written: () => Promise<Written[]>;
let accounts: Accounts;
let audit: ReturnType<typeof openAudit>;
let mail: MailOffice;
let base: string;
let close: () => Promise<void>;
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const minute = 60_000;
const keys = ringOf(Buffer.alloc(32, 9));
const password = 'a harbour of quiet rope';
const operator = { email: 'olga@desk.example', cookies: [] as string[], id: 0 };

beforeAll(async () => {
  const opened = await openAccountsHouse({ clock, keys, trustedProxies: 1, inbox: true });
  ({ database, audit, mail, accounts, base, close } = opened);
  const { postgres } = database;
  const { vault } = opened;
  const made = await postgres.system(async (sql) => {
    const both = await createOrganisation(
      sql,
      { clock, vault, keys },
      { email: operator.email, organisation: 'Desk', hash: 'x' },
    );
    await sql.run('UPDATE people SET is_operator = true WHERE id = $1', [both.personId]);
    return both;
  });
  operator.id = made.personId;
  operator.cookies = await signedIn(operator.email);
  written = await watchWrites((work) => database.asOwner((sql) => work(sql.query)));
});
afterAll(() => close());

/** Signed in as somebody who is here, without a password's quarter of a second. */
async function signedIn(email: string): Promise<string[]> {
  return (await accounts.startSession(email, { headers: {}, address: '::1', requestId: 'test' })) ?? [];
}

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many calls, each looked at by the test that asks.
  body: any;
  text: string;
  cookies: string[];
  headers: Headers;
}
let networks = 0;
async function call(
  method: string,
  path: string,
  body?: unknown,
  cookies: string[] = [],
  address = '',
): Promise<Answer> {
  networks += 1;
  const response = await fetch(base + path, {
    method,
    headers: {
      'x-forwarded-proto': 'https',
      // A network of its own for each call, where the test is not about networks.
      'x-forwarded-for': address === '' ? `10.${networks >> 8}.${networks & 255}.1` : address,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(cookies.length === 0 ? {} : { cookie: cookies.map((one) => one.split(';')[0]).join('; ') }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text.startsWith('{') ? JSON.parse(text) : {},
    text,
    cookies: response.headers.getSetCookie(),
    headers: response.headers,
  };
}
const code = (answer: Answer) => answer.body.error?.code;
const setMode = (mode: string, domains: string[] = []) =>
  call('PUT', '/api/desk/sign-up', { mode, domains }, operator.cookies);
const publish = (kind: string, version: string, material: boolean, text = 'Be kind.') =>
  call('POST', '/api/desk/legal-documents', { kind, version, dated: '2026-11-28', material, text }, operator.cookies);
const withdraw = (kind: string, version: string, reason = 'the text of <another> desk') =>
  call('POST', `/api/desk/legal-documents/${kind}/${version}/withdrawals`, { reason }, operator.cookies);
/** What holds and has to be accepted in signing up. */
const terms = (version: string) => [
  { kind: 'terms', version },
  { kind: 'privacy', version: '1' },
  { kind: 'processing', version: '1' },
];
const wish = (email: string, more: object = {}) => ({
  email,
  password,
  name: 'Ada',
  organisation: 'Harbour',
  agreement: { is_adult: true, accepted: terms('0') },
  ...more,
});
/** The last mail to an address, and the token of its link. */
async function letterTo(email: string): Promise<{ template: string; token: string }> {
  await accounts.people.settle();
  await mail.deliver();
  const all = mail.inbox?.list().filter((one) => one.to === email) ?? [];
  const newest = all.toSorted((a, b) => b.atMs - a.atMs || b.id - a.id)[0];
  const token = /token=([\w-]+)/.exec(newest?.letter.text ?? '')?.[1] ?? '';
  return { template: newest?.template ?? '', token };
}
/** Rows of a table that belongs to nobody. */
const rows = <T extends object>(text: string) => database.postgres.system((sql) => sql.query<T>(text));
const organisationCount = async () => (await rows('SELECT * FROM lookup.every_organisation()')).length;

describe('who may sign up', () => {
  it('nobody, until whoever runs the desk says so', async () => {
    const missing = ['terms', 'privacy', 'processing'];
    expect((await call('GET', '/api/sign-up')).body).toEqual({ mode: 'off', mail_is_on: true, documents: [], missing });
    expect(code(await call('POST', '/api/sign-ups', wish('ada@shop.example')))).toBe('sign_up_closed');
    expect((await setMode('domains')).status, 'no domain').toBe(400);
    expect((await setMode('open')).body).toMatchObject({ mode: 'open', missing });
  });

  it('nobody while one of the three documents does not hold, with the sentence that says which', async () => {
    expect((await publish('terms', '0', false)).body.material, 'of the first version everybody is asked').toBe(true);
    await publish('processing', '1', true);
    const shut = await call('POST', '/api/sign-ups', wish('ada@shop.example'));
    expect([code(shut), shut.body.error.message]).toEqual([
      'sign_up_closed',
      expect.stringContaining('published no privacy notice.'),
    ]);
    const invite = () => call('POST', '/api/desk/sign-up/invitations', { email: 'ivy@shop.example' }, operator.cookies);
    expect(code(await invite())).toBe('conflict');
    await publish('privacy', '1', true);
    expect((await call('GET', '/api/sign-up')).body.missing).toEqual([]);
    expect((await call('GET', '/api/session', undefined, operator.cookies)).body.agreement_due).toBe(true);
  });

  it.each([
    ['a@shop.example', true],
    ['a@SHOP.example', true],
    ['a@team.shop.example', false],
    ['a@deep.other.example', true],
    ['a@other.example', false],
    ['a@evilshop.example', false],
    ['a@xn--bcher-kva.example', true],
    ['a@bücher.example', true],
  ])('%s among shop.example, deep.other.example and bücher.example: %s', (email, may) => {
    const domains = ['shop.example', 'deep.other.example', 'xn--bcher-kva.example'];
    expect(maySignUp({ mode: 'domains', domains }, email)).toBe(may);
    expect(maySignUp({ mode: 'invitation', domains }, email)).toBe(false);
  });

  it('who reads a mailbox of an allowed domain: account and organisation of their own; nobody of another', async () => {
    await setMode('domains', ['harbour.example']);
    const refused = await call('POST', '/api/sign-ups', wish('dot@shop.example'));
    expect([code(refused), (await letterTo('dot@shop.example')).template]).toEqual(['sign_up_closed', '']);
    expect((await call('POST', '/api/sign-ups', wish('dot@harbour.example'))).status).toBe(202);
    const before = await organisationCount();
    const { token } = await letterTo('dot@harbour.example');
    const confirm = () => call('POST', '/api/sign-ups/confirmations', { token, password });
    // Counted again when the link is opened: the domain may have been taken off the list meanwhile.
    await setMode('domains', ['other.example']);
    expect([code(await confirm()), await organisationCount()]).toEqual(['sign_up_closed', before]);
    await setMode('domains', ['harbour.example']);
    const made = await confirm();
    expect([made.status, await organisationCount()]).toEqual([201, before + 1]);
    const { person, organisations } = (await call('GET', '/api/session', undefined, made.cookies)).body;
    expect([person.email, organisations[0].role]).toEqual(['dot@harbour.example', 'owner']);
  });

  it('whom the operator invites, with that address alone, once', async () => {
    await setMode('invitation');
    expect(code(await call('POST', '/api/sign-ups', wish('ivy@shop.example')))).toBe('sign_up_closed');
    const invite = () => call('POST', '/api/desk/sign-up/invitations', { email: 'ivy@shop.example' }, operator.cookies);
    const { body: gone } = await invite();
    const { token: dead } = await letterTo('ivy@shop.example');
    expect((await call('DELETE', `/api/desk/sign-up/invitations/${gone.id}`, undefined, operator.cookies)).status).toBe(
      204,
    );
    await invite();
    const { token: invitation } = await letterTo('ivy@shop.example');
    expect((await call('POST', '/api/sign-ups/readings', { token: invitation })).body.email).toBe('ivy@shop.example');
    const asked = (email: string, by: string) => call('POST', '/api/sign-ups', wish(email, { invitation: by }));
    expect(code(await asked('ivy@shop.example', dead))).toBe('link_expired');
    expect(code(await asked('eve@shop.example', invitation))).toBe('other_address');
    expect((await asked('ivy@shop.example', invitation)).status).toBe(202);
    const { token } = await letterTo('ivy@shop.example');
    expect((await call('POST', '/api/sign-ups/confirmations', { token, password })).status).toBe(201);
    expect(code(await asked('ivy@shop.example', invitation))).toBe('link_expired');
  });
});

describe('signing up with a password', () => {
  let cookies: string[] = [];

  it('answers alike for an address that has an account; the mail says which, and the time does not', async () => {
    await setMode('open');
    const timed = async (email: string) => {
      const began = performance.now();
      const answer = await call('POST', '/api/sign-ups', wish(email));
      return { said: [answer.status, answer.text], ms: performance.now() - began };
    };
    await timed('first@shop.example');
    const known = await timed(operator.email);
    const unknown = await timed('ada@shop.example');
    expect(known.said).toEqual([202, '{}']);
    expect(unknown.said).toEqual(known.said);
    // Both hash the password, which is nearly all of it; a busy machine differs by more than the look-up takes.
    expect(Math.min(known.ms, unknown.ms) / Math.max(known.ms, unknown.ms)).toBeGreaterThan(0.2);
    expect((await letterTo(operator.email)).template).toBe('sign_up_existing');
    expect((await letterTo('ada@shop.example')).template).toBe('sign_up');
  });

  it('makes nothing before the link is opened by whoever chose the password, and then once (AUT-08)', async () => {
    const { token } = await letterTo('ada@shop.example');
    const confirm = (words: string) => call('POST', '/api/sign-ups/confirmations', { token, password: words });
    const before = await organisationCount();
    const [stored] = await rows<{ all: string }>('SELECT s::text AS all FROM sign_ups s ORDER BY id DESC LIMIT 1');
    expect(stored?.all).not.toMatch(new RegExp(`ada@|Harbour|${token}`));
    expect((await confirm('another one of words')).body.error.field).toBe('password');
    const done = await confirm(password);
    expect([done.status, done.body.is_new, await organisationCount()]).toEqual([201, true, before + 1]);
    cookies = done.cookies;
    expect(code(await confirm(password))).toBe('link_expired');
    const { body } = await call('GET', '/api/session', undefined, cookies);
    expect([body.person.email, body.organisations[0].role, body.sites]).toEqual(['ada@shop.example', 'owner', []]);
    expect((await call('GET', '/api/account', undefined, cookies)).body.email_verified).toBe(true);
    const kept = (await call('GET', '/api/account/agreements', undefined, cookies)).body;
    expect(kept.accepted.map(({ kind, version }: Record<string, string>) => [kind, version])).toEqual([
      ['age', '18'],
      ['privacy', '1'],
      ['processing', '1'],
      ['terms', '0'],
    ]);
  });

  it('two tabs with the link and a second letter opened at once make one account; the others hear that it is there', async () => {
    const ask = async () => {
      expect((await call('POST', '/api/sign-ups', wish('gus@shop.example'))).status).toBe(202);
      return (await letterTo('gus@shop.example')).token;
    };
    const [first, second] = [await ask(), await ask()];
    const before = await organisationCount();
    const done = await Promise.all(
      [first, first, second].map((token) => call('POST', '/api/sign-ups/confirmations', { token, password })),
    );
    const refused = done.filter(({ status }) => status !== 201);
    expect([refused.length, await organisationCount()]).toEqual([2, before + 1]);
    // A tab that comes when all is done finds the link used; one that comes meanwhile finds the account.
    for (const answer of refused)
      expect(answer.body.error.message).toMatch(/There is an account of this address here|This link was used already/);
    const two = [1, 2].map(() =>
      database.postgres.system(async (sql) => {
        const { organisationId } = await createOrganisation(
          sql,
          { clock, vault: openTestVault({ keys, clock, postgres: database.postgres }), keys },
          { email: 'hal@shop.example', organisation: 'Harbour', hash: 'x' },
        );
        await audit.record(sql, organisationId, { action: 'organisation.created', actor: { type: 'system' } });
      }),
    );
    const ends = await Promise.allSettled(two);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find((one) => one.status === 'rejected')?.reason).toMatchObject({ code: 'conflict' });
  });

  it.each<[string, object, string]>([
    ['who is not of age (CON-06)', { agreement: { is_adult: false, accepted: [] } }, 'agreement.is_adult'],
    ['a password of the organisation', { organisation: 'Harbourside', password: 'harbourside1' }, 'password'],
    ['a password of every list', { password: 'password1234' }, 'password'],
  ])('refuses %s', async (_what, more, field) => {
    expect((await call('POST', '/api/sign-ups', wish('bea@shop.example', more))).body.error.field).toBe(field);
  });

  it('costs work after three for an address, and forgets what nobody confirmed within the hour', async () => {
    const ask = () => call('POST', '/api/sign-ups', wish('cy@shop.example'));
    for (let tries = 0; tries < 3; tries++) {
      expect((await ask()).status).toBe(202);
      // What it asks for is done behind the answer; the newest letter has to be that of the newest row.
      await accounts.people.settle();
    }
    const { token } = await letterTo('cy@shop.example');
    const fourth = await ask();
    expect([fourth.status, fourth.body.error.challenge.bits]).toEqual([429, 17]);
    // Whoever works for it gets no further mail into the mailbox either.
    const proof = solved(fourth.body.error.challenge);
    const paid = await call(
      'POST',
      '/api/sign-ups',
      wish('cy@shop.example', { proof }),
      [],
      `10.${networks >> 8}.${networks & 255}.1`,
    );
    expect([code(paid), paid.body.error.challenge, paid.body.error.message]).toEqual([
      'rate_limited',
      undefined,
      expect.stringContaining('links to sign up'),
    ]);
    expect((await letterTo('cy@shop.example')).token).toBe(token);
    // Ten passwords for one link: who opens it need not be who chose the password.
    const waiting = await database.postgres.system((sql) =>
      sql.query<{ digest: Buffer }>('SELECT digest FROM sign_ups'),
    );
    const throttles = openThrottles({ postgres: database.postgres, clock, random: systemRandom, keys });
    // Of any that waits, since rows do not say whose they are; one of a test before has had some already.
    for (const { digest } of waiting)
      for (let tries = 0; tries < 10; tries++)
        await throttles.take(passwordTries, digest.toString('hex')).catch(() => undefined);
    expect(code(await call('POST', '/api/sign-ups/confirmations', { token, password }))).toBe('rate_limited');
    aheadMs += 61 * minute;
    expect(code(await call('POST', '/api/sign-ups/confirmations', { token, password }))).toBe('link_expired');
    expect((await rows('SELECT 1 FROM sign_ups')).length).toBeGreaterThan(0);
    await database.postgres.retention((sql) =>
      sql.query('SELECT retention.delete_expired_tokens($1)', [new Date(clock.now())]),
    );
    expect(await rows('SELECT 1 FROM sign_ups')).toEqual([]);
  });
});

describe('documents of the desk', () => {
  let member: string[] = [];
  const session = async () => (await call('GET', '/api/session', undefined, member)).body;
  const sites = () => call('GET', '/api/sites', undefined, member);
  const accept = (kind: string, version: string, cookies = member) =>
    call('POST', '/api/account/agreements', { accepted: [{ kind, version }] }, cookies);

  it('are asked of everybody after a material version, before anything of an organisation opens (GOV-03)', async () => {
    member = await signedIn('ada@shop.example');
    operator.cookies = await signedIn(operator.email);
    expect((await sites()).status).toBe(200);
    const key = await call(
      'POST',
      `/api/keys?organisation_id=${(await session()).organisations[0].id}`,
      { name: 'Reader', scopes: ['sites:read'] },
      member,
    );
    expect((await publish('terms', '1', true, '# Terms\n\n<script>alert(1)</script>')).status).toBe(201);
    expect(code(await sites())).toBe('acceptance_needed');
    expect((await session()).agreement_due).toBe(true);
    const byKey = await fetch(`${base}/api/sites`, {
      headers: { authorization: `Bearer ${key.body.key}`, 'x-forwarded-proto': 'https' },
    });
    expect(byKey.status, 'a key goes on').toBe(200);
    expect((await call('GET', '/api/account', undefined, member)).status, 'their own account stays open').toBe(200);
    expect(code(await accept('terms', '0'))).toBe('conflict');
    expect((await accept('terms', '1')).body.due).toEqual([]);
    expect((await sites()).status).toBe(200);
  });

  it('ask again after a material version, and not after another one', async () => {
    await publish('terms', '1.1', false);
    expect((await session()).agreement_due).toBe(false);
    await publish('terms', '2', true);
    expect((await session()).agreement_due).toBe(true);
    expect(code(await accept('terms', '1.1')), 'only what holds now').toBe('conflict');
    await accept('terms', '2');
    expect((await session()).agreement_due).toBe(false);
    expect(code(await publish('terms', '2', true))).toBe('conflict');
    const { body } = await call('GET', '/api/desk/legal-documents', undefined, operator.cookies);
    const all = body.documents.filter((one: Record<string, unknown>) => one.kind === 'terms');
    expect(all.map((one: Record<string, unknown>) => [one.version, one.acceptances])).toEqual([
      ['2', 1],
      ['1.1', 0],
      ['1', 1],
      // Dot, Ivy, Ada and Gus.
      ['0', 4],
    ]);
  });

  it('are kept as they were accepted: nobody changes or removes a version or an acceptance', async () => {
    for (const text of [
      "UPDATE acceptances SET version = 'x'",
      'DELETE FROM acceptances',
      "UPDATE legal_documents SET text = 'x'",
      'DELETE FROM legal_documents',
      "UPDATE legal_withdrawals SET reason = 'x'",
      'DELETE FROM legal_withdrawals',
    ])
      await expect(
        database.postgres.person(operator.id, (sql) => sql.run(text)),
        text,
      ).rejects.toMatchObject({
        code: '42501',
      });
    expect(await database.postgres.person(operator.id, (sql) => sql.query('SELECT 1 FROM acceptances'))).toEqual([]);
  });

  it('stand on pages without scripts and cookies, their text as words', async () => {
    const page = await call('GET', '/legal/terms/1');
    expect([page.status, page.cookies]).toEqual([200, []]);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page.text).not.toContain('<script');
    expect((await call('GET', '/legal/terms')).text).toContain('Version 2,');
    expect((await call('GET', '/legal')).text).toContain('/legal/terms/2');
    expect([(await call('GET', '/legal/terms/9')).status, (await call('GET', '/legal/shop')).status]).toEqual([
      404, 404,
    ]);
  });

  it('are agreed to in signing up, in the version that holds', async () => {
    const given = (accepted: object[]) =>
      call('POST', '/api/sign-ups', wish('dee@shop.example', { agreement: { is_adult: true, accepted } }));
    expect((await given([])).body.error.field).toBe('agreement.accepted');
    expect(code(await given(terms('1')))).toBe('conflict');
    expect((await given(terms('2'))).status).toBe(202);
    const { token } = await letterTo('dee@shop.example');
    const done = await call('POST', '/api/sign-ups/confirmations', { token, password });
    const { body } = await call('GET', '/api/account/agreements', undefined, done.cookies);
    const organisation = (await call('GET', '/api/session', undefined, done.cookies)).body.organisations[0].id;
    expect(body.due).toEqual([]);
    expect(body.accepted.map((one: { kind: string }) => one.kind).toSorted()).toEqual([
      'age',
      'privacy',
      'processing',
      'terms',
    ]);
    const trail = await database.postgres.tenant(organisation, (sql) =>
      sql.query<{ action: string }>(
        "SELECT DISTINCT action FROM audit.entries WHERE action ~ '^(terms|age|person)' ORDER BY 1",
      ),
    );
    expect(trail.map(({ action }) => action)).toEqual(['age.attested', 'person.added', 'terms.accepted']);
  });

  it('a version that was published by mistake is withdrawn: it holds no more, counts for nobody, and says so', async () => {
    const due = async (cookies: string[]) =>
      (await call('GET', '/api/account/agreements', undefined, cookies)).body.due.map(
        (one: { version: string }) => one.version,
      );
    await publish('terms', '3', true, 'Of another desk.');
    await accept('terms', '3');
    for (const one of terms('3')) await accept(one.kind, one.version, operator.cookies);
    expect([await due(member), await due(operator.cookies)]).toEqual([[], []]);
    expect([(await withdraw('terms', '9')).status, (await withdraw('shop', '1')).status]).toEqual([404, 400]);
    const done = await withdraw('terms', '3');
    expect([done.status, done.body.is_current, done.body.withdrawn_at]).toEqual([201, false, expect.any(String)]);
    expect(code(await withdraw('terms', '3'))).toBe('conflict');
    // Who accepted the version before stands as they did; who accepted only this one is asked for what holds again.
    expect([await due(member), await due(operator.cookies)]).toEqual([[], ['2']]);
    expect(code(await accept('terms', '3'))).toBe('conflict');
    expect((await sites()).status).toBe(200);
    const page = (await call('GET', '/legal/terms/3')).text;
    expect(page).toMatch(/Withdrawn on \d{1,2} \w+ \d{4}: the text of &lt;another&gt; desk.*Of another desk\./s);
    expect((await call('GET', '/legal/terms')).text).toMatch(
      /Version 2, 28 November 2026\. It holds today.*withdrawn on/s,
    );
    const acts = await rows("SELECT 1 FROM audit.entries WHERE action = 'operator.document_withdrawn'");
    expect(acts).toHaveLength(1);

    for (const version of ['2', '1.1', '1', '0']) expect((await withdraw('terms', version)).status).toBe(201);
    expect((await call('GET', '/api/sign-up')).body.missing).toEqual(['terms']);
    expect(code(await call('POST', '/api/sign-ups', wish('eli@shop.example')))).toBe('sign_up_closed');
    expect((await call('GET', '/legal/terms')).text).toContain('No version holds today');
    expect((await call('GET', '/legal')).text).toContain('no version holds today');
    expect([await due(member), await due(operator.cookies)], 'nothing holds').toEqual([[], []]);
    expect((await publish('terms', '4', false)).body.material, 'the first that holds').toBe(true);
    expect(await due(member)).toEqual(['4']);
    expect(code(await sites())).toBe('acceptance_needed');
  });

  it('are drawn from the few marks that they know', () => {
    expect(drawn('# One\ntwo\nthree\n\n* a & b\n* c\r\n\r\n## Four')).toBe(
      '<h2>One</h2>\n<p>two<br>three</p>\n<ul><li>a &amp; b</li><li>c</li></ul>\n<h3>Four</h3>',
    );
  });
});

it('whatever these tests changed left its act in the transaction that changed it (AUD-01)', async () => {
  expect(unnoted(await written())).toEqual([]);
  const acts = new Set((await written()).flatMap((one) => one.acts));
  for (const act of [
    'person.added',
    'terms.accepted',
    'age.attested',
    'sign_up.invited',
    'operator.document_published',
    'operator.document_withdrawn',
  ])
    expect(acts).toContain(act);
});
