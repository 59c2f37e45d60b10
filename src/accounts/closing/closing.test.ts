import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  accounts,
  ada,
  asked,
  call,
  clock,
  closePeopleDesk,
  code,
  database,
  day,
  field,
  isLiving,
  keys,
  mail,
  mails,
  minute,
  openPeopleDesk,
  password,
  rows,
  signIn,
  travel,
  vault,
  written,
} from '../../../test/people_desk.ts';
import { ownerLogin } from '../../../test/stores.ts';
import { unnoted } from '../../../test/written.ts';
import { openEmail } from '../../platform/email.ts';
import { writeRecord } from '../../trust/consent/records.ts';
import { readArchive } from '../../trust/requests/archive.ts';
import { createOrganisation } from '../index.ts';
import { personByEmail } from '../people/person.ts';
import { notTaken, takenTables } from './own_archive.ts';

/** The states of an account: unverified, closing, closed, and how each begins and ends. */
beforeAll(openPeopleDesk, 60_000);
afterAll(closePeopleDesk);

describe('the state of an account', () => {
  const closing = (cookies: string[], words = password) =>
    call('POST', '/api/account/closing', { cookies, body: { password: words } });
  let hash = '';
  const makeOwner = (email: string, organisation: string, more: { isVerified?: boolean } = {}) =>
    database.postgres.system((sql) =>
      createOrganisation(sql, { clock, vault, keys }, { email, organisation, hash, ...more }),
    );
  const stateOf = (id: number) =>
    database.postgres.person(id, (sql) =>
      sql.one<{ status: string; until: Date | null; email_sealed: Buffer | null }>(
        'SELECT status, status_until AS until, email_sealed FROM people WHERE id = $1',
        [id],
      ),
    );
  /** Ada, beside whoever owns it. */
  const addOwner = (organisationId: number) =>
    database.postgres.tenant(organisationId, (sql) =>
      sql.run(
        "INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'owner', now())",
        [organisationId, ada.personId],
      ),
    );
  beforeAll(async () => {
    hash = await accounts.passwords.hash(password);
  });

  it('is closing for 30 days, begun with the password and never by a last owner; signing in takes it back', async () => {
    const eve = await makeOwner('eve@yard.example', 'Eve');
    let cookies = await signIn('eve@yard.example');
    const preview = async () => (await call('GET', '/api/account/closing', { cookies })).body;
    expect((await preview()).blocked_by).toEqual([{ name: 'Eve', slug: eve.slug }]);
    expect(field(await closing(cookies, 'not the present one'))).toBe('password');
    const refused = await closing(cookies);
    expect([code(refused), refused.body.error.message]).toEqual([
      'last_owner',
      expect.stringContaining('owner of Eve.'),
    ]);

    await addOwner(eve.organisationId);
    await database.postgres.tenant(eve.organisationId, async (sql) => {
      await accounts.apiKeys.create(sql, eve.organisationId, { name: 'till', scopes: ['sites:read'] }, eve.personId);
    });
    expect(await preview()).toMatchObject({
      ...{ blocked_by: [], organisations: [{ name: 'Eve', role: 'owner' }] },
      api_keys: [{ name: 'till', organisation: 'Eve' }],
    });
    await mails();
    // Days and times of mail are written as the account of its reader writes them.
    expect((await call('PATCH', '/api/account', { cookies, body: { locale: 'de' } })).status).toBe(200);
    const german = (ms: number) =>
      new Intl.DateTimeFormat('de', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(ms));
    const at = `/api/organisations/${eve.organisationId}`;
    const ends = await call('PUT', `${at}/closing`, { cookies, body: { slug: eve.slug } });
    expect(ends.status, JSON.stringify(ends.body)).toBeLessThan(300);
    const days = (await mails()).map(({ to, text }) => [to, /closed on (.+?)\. Until/.exec(text)?.[1]]);
    expect(days).toEqual([
      ['eve@yard.example', german(clock.now() + 30 * day)],
      [ada.email, expect.stringMatching(/^\d{1,2} [A-Z][a-z]+ \d{4}$/)],
    ]);
    await call('DELETE', `${at}/closing`, { cookies });
    await mails();
    const { until } = (await closing(cookies)).body;
    expect(Math.abs(Date.parse(until) - clock.now() - 30 * day)).toBeLessThan(minute);
    expect(await isLiving(cookies)).toBe(false);
    expect(await mails()).toMatchObject([
      { template: 'status_changed', text: expect.stringContaining(`will be closed on ${german(Date.parse(until))}`) },
    ]);
    travel(29 * day);
    expect(await accounts.closing.closeDue()).toBe(0);
    cookies = await signIn('eve@yard.example');
    expect(await stateOf(eve.personId)).toMatchObject({ status: 'active', until: null });
    const kept = await mails();
    expect(kept.map((one) => one.template)).toEqual(['closing_taken_back']);
    expect(kept[0]?.text).toMatch(/When: \d\d\.\d\d\.\d{4}, \d\d:\d\d \(UTC\)/);
  });

  it('before it is closed, its person takes along all that is stored about it, without secrets and without others (RET-15)', async () => {
    const ivy = await makeOwner('ivy@yard.example', 'Ivy');
    await addOwner(ivy.organisationId);
    const cookies = await signIn('ivy@yard.example');
    await database.postgres.person(ivy.personId, async (sql) => {
      const said = {
        purpose: 'marketing_mail',
        region: 'eea',
        text_version: '3',
        text: 'Mail?',
        how: 'account',
      } as const;
      for (const state of ['given', 'withdrawn'] as const)
        await writeRecord(sql, { personId: ivy.personId }, Buffer.alloc(32, 9), { ...said, state }, clock.now());
    });
    const bare = await call('POST', '/api/account/archive', { cookies, body: { password: 'not the one of Ivy' } });
    expect([bare.status, bare.headers.get('content-type')]).toEqual([400, expect.stringContaining('json')]);
    const answer = await call('POST', '/api/account/archive', { cookies, body: { password } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip']);
    const read = readArchive(answer.bytes);
    const of = (table: string) =>
      read.records.filter((one) => one.table === `postgres ${table}`).map(({ record }) => record);
    expect(of('people')).toEqual([
      expect.objectContaining({ number: ivy.personId, email: 'ivy@yard.example', status: 'active' }),
    ]);
    expect(of('memberships')).toMatchObject([{ organisation: 'Ivy', role: 'owner' }]);
    expect(of('consent_records').map(({ purpose, state, text_version }) => [purpose, state, text_version])).toEqual([
      ['marketing_mail', 'given', '3'],
      ['marketing_mail', 'withdrawn', '3'],
    ]);
    expect(of('sessions')).toMatchObject([{ device: expect.stringContaining('Firefox'), revoked_at: null }]);
    expect(of('audit.entries')).toContainEqual(
      expect.objectContaining({ organisation: 'Ivy', action: 'session.started', by: 'you' }),
    );
    const text = JSON.stringify(read.records);
    for (const secret of ['digest', '"hash"', 'credential', ada.email]) expect(text).not.toContain(secret);

    // Whatever a person's own door opens is in it, or named with a reason.
    const opened = await database.postgres.system((sql) =>
      sql.query<{ name: string }>(
        `SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_policy p ON p.polrelid = c.oid
         WHERE concat(pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)) ~ 'current_person' GROUP BY 1 ORDER BY 1`,
      ),
    );
    const names = opened.map(({ name }) => name);
    expect(names.filter((name) => !takenTables.includes(name) && !(name in notTaken))).toEqual([]);
    expect(Object.keys(notTaken).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('waits a week where its person became the last owner meanwhile, who hears of it and can sign in', async () => {
    const fay = await makeOwner('fay@yard.example', 'Fay');
    await addOwner(fay.organisationId);
    expect((await closing(await signIn('fay@yard.example'))).status).toBe(200);
    await database.postgres.tenant(fay.organisationId, (sql) =>
      sql.run('DELETE FROM memberships WHERE person_id = $1', [ada.personId]),
    );
    await mails();
    travel(30 * day + minute);
    expect(await accounts.closing.closeDue()).toBe(0);
    const { status, until } = await stateOf(fay.personId);
    expect([status, Math.round(((until?.getTime() ?? 0) - clock.now()) / day)]).toEqual(['closing', 7]);
    const [told] = await mails();
    expect([told?.to, told?.template]).toEqual(['fay@yard.example', 'status_changed']);
    expect(told?.text).toContain('You are the only owner of Fay');
    travel(6 * day);
    expect(await isLiving(await signIn('fay@yard.example'))).toBe(true);
    expect((await stateOf(fay.personId)).status).toBe('active');
    await mails();
  });

  it('is closed on its day, whatever cuts the work short: nothing of the person is left, and no key (RET-03)', async () => {
    const owner = new pg.Client(await ownerLogin(database.postgres));
    await owner.connect();
    const { person_id: eve } = (await database.postgres.system((sql) =>
      personByEmail(keys, sql, 'eve@yard.example'),
    )) as { person_id: number };
    await closing(await signIn('eve@yard.example'));
    const before = (await stateOf(eve)).email_sealed as Buffer;
    // As a trail keeps the address that somebody was invited by.
    const [{ organisation_id: organisationId } = { organisation_id: 0 }] = await rows<{ organisation_id: number }>(
      'SELECT organisation_id FROM memberships',
    );
    const label = {
      ...{ table: 'audit_entries', column: 'label', row: 'a row of this test', class: 'D7' as const, organisationId },
      subject: await vault.subject(organisationId, 'email', 'eve@yard.example'),
    };
    const invited = await vault.seal(label, 'eve@yard.example');
    await mails();
    travel(30 * day + minute);
    expect(code(await asked('eve@yard.example')), 'too late to take it back').toBe('suspended');

    // As a server that is killed there leaves it: each transaction is whole, and the next was never begun.
    await owner.query(`CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'killed here'; END $$`);
    for (const [table, when] of [
      ['public.passwords', 'BEFORE DELETE'],
      ['vault.subject_keys', 'BEFORE DELETE'],
      ['public.people', 'BEFORE UPDATE OF status_until'],
    ] as const) {
      // The last of them stops only what comes after the emptying.
      const rest = table === 'public.people' ? "FOR EACH ROW WHEN (OLD.status = 'closed')" : '';
      await owner.query(`CREATE TRIGGER cut ${when} ON ${table} ${rest} EXECUTE FUNCTION cut()`);
      await expect(accounts.closing.closeDue()).rejects.toThrow('killed here');
      await owner.query(`DROP TRIGGER cut ON ${table}`);
    }
    expect(await accounts.closing.closeDue()).toBe(1);
    expect(await accounts.closing.closeDue()).toBe(0);
    await owner.end();

    const row = await database.postgres.person(eve, (sql) => sql.one('SELECT * FROM people WHERE id = $1', [eve]));
    expect(row).toMatchObject({
      ...{ email_digest: null, email_sealed: null, name: '', username: null, timezone: null, locale: null },
      ...{ status: 'closed', status_until: null, last_seen_day: null, is_operator: false },
    });
    for (const table of ['passwords', 'memberships', 'seen_devices', 'notifications'])
      expect(await database.postgres.person(eve, (sql) => sql.query(`SELECT 1 FROM ${table}`)), table).toEqual([]);
    await expect(openEmail(vault, { person: eve }, before)).rejects.toMatchObject({ name: 'VaultError' });
    await expect(vault.open(label, invited)).rejects.toMatchObject({ name: 'VaultError' });
    expect((await mails()).map(({ to, template }) => [to, template])).toEqual([['eve@yard.example', 'account_closed']]);
    expect((await mail.suppressions.of('eve@yard.example')).map(({ reason }) => reason)).toEqual(['erasure']);
    expect(code(await asked('eve@yard.example')), 'as nobody').toBe('wrong_credentials');
    const organisations = await rows<{ organisation_id: number }>('SELECT organisation_id FROM memberships');
    for (const { organisation_id: id } of organisations)
      expect(
        await database.postgres.tenant(id, (sql) =>
          sql.query('SELECT 1 FROM api_keys WHERE created_by = $1 AND revoked_at IS NULL', [eve]),
        ),
      ).toEqual([]);
    expect(organisations.length).toBeGreaterThan(1);
  });

  it('is unverified until the address is proved: nobody is invited, and one that belongs to nothing is closed', async () => {
    const una = await makeOwner('una@yard.example', 'Una', { isVerified: false });
    // A closing that is taken back makes nobody more than they were.
    await addOwner(una.organisationId);
    expect((await closing(await signIn('una@yard.example'))).status).toBe(200);
    expect((await stateOf(una.personId)).status).toBe('closing');
    const cookies = await signIn('una@yard.example');
    expect((await stateOf(una.personId)).status).toBe('unverified');
    const invite = () =>
      call('POST', `/api/organisations/${una.organisationId}/invitations`, {
        ...{ cookies, body: { email: 'friend@yard.example', role: 'viewer' } },
      });
    const refused = await invite();
    expect([refused.status, refused.body.error.message]).toEqual([403, expect.stringContaining('is not confirmed')]);
    await mails();
    await call('POST', '/api/account/email-verification', { cookies });
    const [{ token } = { token: '' }] = await mails();
    expect((await call('POST', '/api/email-verifications', { body: { token } })).status).toBe(200);
    expect((await stateOf(una.personId)).status).toBe('active');
    expect((await invite()).status).toBe(201);

    const old = await makeOwner('old@yard.example', 'Old', { isVerified: false });
    travel(31 * day);
    expect(await accounts.closing.closeDue(), 'a member stays').toBe(0);
    await database.postgres.tenant(old.organisationId, (sql) =>
      sql.run('DELETE FROM memberships WHERE person_id = $1', [old.personId]),
    );
    expect(await accounts.closing.closeDue()).toBe(1);
    expect(await stateOf(old.personId)).toEqual({ status: 'closed', until: null, email_sealed: null });
    await mails();
  });

  it('of before the state, with an address that nobody proved, is unverified: members alone, and never who runs the desk', async () => {
    const make = async (name: string, change = 'SELECT $1::bigint') => {
      const { personId, organisationId } = await makeOwner(`${name}@old.example`, `Old ${name}`);
      await database.postgres.within({ personId, organisationId }, (sql) => sql.query(change, [personId]));
      return personId;
    };
    const update = (what: string) => `UPDATE people SET ${what} WHERE id = $1`;
    const ids = {
      member: await make('member'),
      first: await make('first', update('is_operator = true')),
      proved: await make('proved', update('email_verified_at = now()')),
      alone: await make('alone', 'DELETE FROM memberships WHERE person_id = $1'),
      out: await make('out', update("status = 'suspended', status_reason = 'A look.'")),
    };
    const migration = readFileSync(new URL('../migrations/2026-11-28-91-unproved-people.sql', import.meta.url), 'utf8');
    await database.asOwner((sql) => sql.run(`BEGIN; ${migration}; COMMIT`));
    const states = async () =>
      Object.fromEntries(
        await Promise.all(Object.entries(ids).map(async ([name, id]) => [name, (await stateOf(id)).status] as const)),
      );
    const active = { first: 'active', proved: 'active', alone: 'active' };
    expect(await states()).toEqual({ member: 'unverified', ...active, out: 'suspended' });
    await signIn('member@old.example');
    const resumed = await call('PUT', '/api/desk/people/status', {
      ...{
        cookies: await signIn('first@old.example'),
        body: { email: 'out@old.example', status: 'active', reason: 'It was a look.' },
      },
    });
    expect([resumed.status, (await states()).out], 'let in again, it is what it was').toEqual([204, 'unverified']);
    expect(await accounts.closing.closeDue()).toBe(0);
    await mails();
  });

  it('of whom a forwarded invitation reaches: nobody but who was invited joins, with the language of the organisation', async () => {
    const host = await makeOwner('host@yard.example', 'Host', { isVerified: true });
    const at = `/api/organisations/${host.organisationId}`;
    const cookies = await signIn('host@yard.example');
    expect((await call('PATCH', at, { cookies, body: { language: 'de' } })).status).toBe(200);
    await call('POST', `${at}/invitations`, { cookies, body: { email: 'guest@yard.example', role: 'viewer' } });
    const [sent] = await mails();
    const token = /\/invitation\/([\w-]+)/.exec(sent?.text ?? '')?.[1];
    const members = async () => (await call('GET', `${at}/members`, { cookies })).body.members.length;
    const rival = await signIn('rival@other.example');
    const forwarded = () => call('POST', '/api/invitations/joins', { cookies: rival, body: { token } });
    expect([code(await forwarded()), await members()]).toEqual(['other_address', 1]);
    const guest = await call('POST', '/api/invitations/acceptances', { body: { token, name: 'Guest', password } });
    expect([guest.status, await members()]).toEqual([201, 2]);
    const account = (await call('GET', '/api/account', { cookies: guest.cookies })).body;
    expect([account.email, account.locale]).toEqual(['guest@yard.example', 'de']);
    expect((await forwarded()).status, 'used').toBe(404);
    await mails();
  });

  it('made by a forwarded link is unverified, told to its mailbox at once, and taken back by it with all that was set up', async () => {
    const host = await makeOwner('hana@yard.example', 'Hana', { isVerified: true });
    const at = `/api/organisations/${host.organisationId}`;
    const invite = async (email: string) => {
      const cookies = await signIn('hana@yard.example');
      await call('POST', `${at}/invitations`, { cookies, body: { email, role: 'admin' } });
      const token = /\/invitation\/([\w-]+)/.exec((await mails()).at(-1)?.text ?? '')?.[1];
      // Whom the mail was forwarded to is quicker, with a password of their own.
      return call('POST', '/api/invitations/acceptances', { body: { token, name: 'Gil', password } });
    };
    const made = await invite('gil@yard.example');
    const letter = (await mails()).find((one) => one.template === 'account_made');
    expect(letter?.to).toBe('gil@yard.example');
    const [confirm, takeBack] = [...(letter?.text ?? '').matchAll(/#token=([\w-]+)/g)].map((match) => match[1]);
    const { cookies } = made;
    const account = async (with_: string[]) => (await call('GET', '/api/account', { cookies: with_ })).body;
    expect(await account(cookies)).toMatchObject({ email: 'gil@yard.example', email_verified: false });
    const { id } = (await call('GET', '/api/session', { cookies })).body.person;
    expect((await stateOf(id)).status).toBe('unverified');
    // Neither may they let others in nor leave the address for one of their own.
    const more = { body: { email: 'eve@evil.example', role: 'admin' }, cookies };
    expect((await call('POST', `${at}/invitations`, more)).status).toBe(403);
    const moved = await call('POST', '/api/account/email', { cookies, body: { email: 'eve@evil.example', password } });
    expect([moved.status, moved.body.error.message]).toEqual([403, expect.stringContaining('cannot change it')]);
    const key = await call('POST', `/api/keys?organisation_id=${host.organisationId}`, {
      ...{ cookies, body: { name: 'Reader', scopes: ['sites:read'] } },
    });
    expect(key.status).toBe(201);
    const byKey = () => call('GET', '/api/sites', { key: key.body.key });
    expect((await byKey()).status).toBe(200);
    const addFactor = () =>
      database.postgres.person(id, (sql) =>
        sql.run("INSERT INTO authenticators VALUES ($1, 'sealed', 0, now(), now())", [id]),
      );
    await addFactor();

    const own = 'the mailbox is mine alone';
    const reset = (token: string | undefined) =>
      call('PUT', '/api/password-resets', { body: { token, password: own } });
    expect((await reset(takeBack)).status).toBe(204);
    expect([code(await reset(takeBack)), await isLiving(cookies)], 'once, and every session ends').toEqual([
      'link_expired',
      false,
    ]);
    expect((await asked('gil@yard.example')).status).toBe(401);
    const mine = await signIn('gil@yard.example', own);
    expect(await account(mine)).toMatchObject({ email_verified: true });
    expect((await stateOf(id)).status).toBe('active');
    const living = await database.postgres.within({ personId: id, organisationId: host.organisationId }, (sql) =>
      sql.query('SELECT 1 FROM api_keys WHERE created_by = $1 AND revoked_at IS NULL', [id]),
    );
    expect(living).toEqual([]);
    travel(1_000);
    expect((await byKey()).status, 'remembered for a second').toBe(401);
    expect(code(await call('POST', '/api/email-verifications', { body: { token: confirm } }))).toBe('link_expired');
    // Proved once, an account keeps its second factor over a new password.
    await addFactor();
    await call('POST', '/api/password-resets', { body: { email: 'gil@yard.example' } });
    expect((await reset((await mails()).find((one) => one.template === 'reset')?.token)).status).toBe(204);
    expect((await asked('gil@yard.example', own)).status, 'asked for the second step').toBe(202);

    const known = await invite('gus@yard.example');
    const told = (await mails()).find((one) => one.template === 'account_made');
    expect((await call('POST', '/api/email-verifications', { body: { token: told?.token } })).status).toBe(200);
    expect(await account(known.cookies), 'the honest path: one click').toMatchObject({ email_verified: true });
    await mails();
  });
});

it('whatever these tests changed left its act in the transaction that changed it (AUD-01)', async () => {
  // What the tests set up with their own hands is no call of anybody.
  const own =
    /^((INSERT|DELETE) public\.memberships|INSERT public\.(consent_records|organisations|api_keys)|UPDATE public\.people\((is_operator|status,status_reason|email_verified_at)\))$/;
  expect(unnoted(await written()).filter((changes) => !changes.some((change) => own.test(change)))).toEqual([]);
  const acts = new Set((await written()).flatMap((one) => one.acts));
  for (const act of [
    ...['person.closing', 'person.kept', 'person.closed', 'person.resumed', 'person.taken_back'],
    ...['key.revoked', 'member.left'],
  ])
    expect(acts).toContain(act);
});
