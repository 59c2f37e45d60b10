import { Readable } from 'node:stream';
import bcrypt from 'bcrypt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
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
  mails,
  minute,
  openPeopleDesk,
  password,
  phone,
  rows,
  signIn,
  travel,
  vault,
  written,
} from '../../../test/people_desk.ts';
import { solved } from '../../../test/solved_challenge.ts';
import { quickCost } from '../../../test/stores.ts';
import { unnoted } from '../../../test/written.ts';
import { silentLog } from '../../platform/log.ts';
import { systemRandom } from '../../platform/random.ts';
import { createOrganisation } from '../index.ts';
import {
  type Allowance,
  askLimit,
  codeLimit,
  codeProofLimit,
  codesOfDay,
  linkLimit,
  networkOf,
  openThrottles,
  presentedLimit,
  proofLimit,
} from '../throttle.ts';
import { base32, codeAt, stepSeconds } from './totp.ts';

/** People: passwords, addresses, sessions, profile and second factor. */
beforeAll(openPeopleDesk, 60_000);
afterAll(closePeopleDesk);

describe('a new password by mail', () => {
  it('is asked for alike by somebody and by nobody, in words, and mailed only to somebody (AUT-10)', async () => {
    await mails();
    const here = await call('POST', '/api/password-resets', { body: { email: ada.email } });
    const nobody = await call('POST', '/api/password-resets', { body: { email: 'nobody@shop.example' } });
    expect([here.status, here.body]).toEqual([nobody.status, nobody.body]);
    expect(here.status).toBe(202);
    const sent = await mails();
    expect(sent.map(({ to, template }) => [to, template])).toEqual([[ada.email, 'reset']]);
    expect(sent[0]?.text).toContain('http://desk.test/reset#token=');
  });

  it('takes as long for somebody as for nobody, at asking and at signing in (AUT-10)', async () => {
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
    const time = async (work: () => Promise<unknown>) => {
      const start = performance.now();
      await work();
      return performance.now() - start;
    };
    const reset = (email: string) => call('POST', '/api/password-resets', { body: { email } });
    const some: number[] = [];
    const none: number[] = [];
    for (let round = 0; round < 5; round++) {
      some.push(await time(() => asked(ada.email, `wrong words ${round}`)));
      // An address that nobody has, and a username.
      const nobody = round % 2 === 0 ? `nobody-${round}@shop.example` : `nobody-${round}`;
      none.push(await time(() => asked(nobody, `wrong words ${round}`)));
      travel(61 * minute);
    }
    // A generous bound: without the dummy hash one side takes 15 ms more than the other.
    expect(median(some) / median(none)).toBeGreaterThan(0.5);
    expect(median(some) / median(none)).toBeLessThan(2);
    const asking = { some: [] as number[], none: [] as number[] };
    for (let round = 0; round < 5; round++) {
      asking.some.push(await time(() => reset(ada.email)));
      asking.none.push(await time(() => reset(`nobody-${round}@shop.example`)));
      travel(61 * minute);
      await accounts.people.settle();
    }
    expect(Math.abs(median(asking.some) - median(asking.none))).toBeLessThan(50);
    await mails();
  });

  it('works once, for an hour, and ends every session (AUT-08, AUT-09)', async () => {
    const session = await signIn();
    await mails();
    await call('POST', '/api/password-resets', { body: { email: ada.email } });
    const [{ token: first } = { token: '' }] = await mails();
    await call('POST', '/api/password-resets', { body: { email: ada.email } });
    const [{ token } = { token: '' }] = await mails();
    const set = (value: string, words = 'another quiet harbour') =>
      call('PUT', '/api/password-resets', { body: { token: value, password: words } });
    expect(code(await set(first)), 'a later mail takes its place').toBe('link_expired');
    expect(field(await set(token, 'password12345')), 'a weak one does not spend the link').toBe('password');
    expect((await set(token)).status).toBe(204);
    expect(code(await set(token)), 'a second time').toBe('link_expired');
    expect(await isLiving(session)).toBe(false);
    expect((await asked()).status).toBe(401);
    await signIn(ada.email, 'another quiet harbour');
    expect((await mails()).map((one) => one.template)).toEqual(['password_changed']);

    await call('POST', '/api/password-resets', { body: { email: ada.email } });
    const [{ token: late } = { token: '' }] = await mails();
    travel(61 * minute);
    expect(code(await set(late)), 'an hour later').toBe('link_expired');
    expect(await rows('SELECT 1 FROM one_time_tokens'), 'and its row is gone').toEqual([]);
  });

  it('is deleted when its hour is over, also where nobody opens it, and not before (RET-10)', async () => {
    const { forgetEnded } = await import('./retention.ts');
    const forget = () => forgetEnded({ postgres: database.postgres, clock, log: silentLog });
    travel(61 * minute);
    await call('POST', '/api/password-resets', { body: { email: ada.email } });
    expect(await mails()).toHaveLength(1);
    await forget();
    expect(await rows('SELECT 1 FROM one_time_tokens')).toHaveLength(1);
    travel(61 * minute);
    expect((await forget()).tokens).toBe(1);
    expect(await rows('SELECT 1 FROM one_time_tokens')).toEqual([]);
  });

  it('is sent three times in an hour and no more', async () => {
    travel(61 * minute);
    const ask = () => call('POST', '/api/password-resets', { body: { email: 'often@shop.example' } });
    const statuses = [await ask(), await ask(), await ask(), await ask()].map((answer) => answer.status);
    expect(statuses).toEqual([202, 202, 202, 429]);
  });
});

describe('the password', () => {
  it('is changed with the present one, and every other session ends (AUT-09)', async () => {
    const cookies = await signIn(ada.email, 'another quiet harbour');
    const other = await signIn(ada.email, 'another quiet harbour');
    const change = (current: string, next: string) =>
      call('PUT', '/api/account/password', { cookies, body: { current, password: next } });
    expect(field(await change('not the present one', 'something else entirely'))).toBe('current');
    expect(field(await change('another quiet harbour', 'ada@shop.example'))).toBe('password');
    expect((await change('another quiet harbour', password)).status).toBe(200);
    expect([await isLiving(cookies), await isLiving(other)]).toEqual([true, false]);
    expect((await mails()).at(-1)?.template).toBe('password_changed');
  });

  it('is hashed anew at sign-in when its hash is of an older cost (R17)', async () => {
    const { createHmac } = await import('node:crypto');
    const prehash = createHmac('sha384', keys.derive('password')).update(password).digest('base64');
    const old = `hs384:${bcrypt.hashSync(prehash, quickCost + 1)}`;
    await database.postgres.person(ada.personId, (sql) => sql.run('UPDATE passwords SET hash = $1', [old]));
    await signIn();
    const [stored] = await rows<{ hash: string }>('SELECT hash FROM passwords');
    expect(stored?.hash).toMatch(/^hs384:\$2b\$08\$/);
    await signIn();
  });
});

describe('the e-mail address', () => {
  it('is confirmed by a link', async () => {
    const cookies = await signIn();
    await mails();
    expect((await call('GET', '/api/account', { cookies })).body.email_verified).toBe(true);
    await database.postgres.person(ada.personId, (sql) => sql.run('UPDATE people SET email_verified_at = NULL'));
    expect((await call('POST', '/api/account/email-verification', { cookies })).status).toBe(202);
    const [sent] = await mails();
    const confirm = () => call('POST', '/api/email-verifications', { body: { token: sent?.token } });
    expect([(await confirm()).status, code(await confirm())]).toEqual([200, 'link_expired']);
    expect((await call('GET', '/api/account', { cookies })).body.email_verified).toBe(true);
  });

  it('changes when the new one is confirmed, the old one is told, and every other session ends (AUT-09)', async () => {
    const cookies = await signIn();
    const other = await signIn();
    const change = (email: string, words = password) =>
      call('POST', '/api/account/email', { cookies, body: { email, password: words } });
    expect(field(await change('new@shop.example', 'not the present one'))).toBe('password');
    const taken = await change('rival@other.example');
    expect((await mails()).length, 'an address of somebody gets nothing').toBe(0);
    const free = await change('new@shop.example');
    expect([taken.status, taken.body]).toEqual([free.status, free.body]);
    const [sent] = await mails();
    expect([sent?.to, sent?.template]).toEqual(['new@shop.example', 'email_change']);
    expect((await call('GET', '/api/account', { cookies })).body).toMatchObject({
      email: ada.email,
      new_email: 'new@shop.example',
    });
    expect(await isLiving(other), 'not before it is confirmed').toBe(true);
    expect((await call('POST', '/api/email-verifications', { body: { token: sent?.token } })).body.changed).toBe(true);
    expect([await isLiving(cookies), await isLiving(other)]).toEqual([true, false]);
    const [told] = await mails();
    expect([told?.to, told?.template]).toEqual([ada.email, 'email_changed']);
    expect((await asked()).status).toBe(401);
    ada.email = 'new@shop.example';
    await signIn();
  });
});

describe('sessions', () => {
  it('are listed with device and coarse place, and end one by one or all at once (R5)', async () => {
    const cookies = await signIn();
    const list = async () => (await call('GET', '/api/account/sessions', { cookies })).body.sessions;
    await call('DELETE', '/api/account/sessions', { cookies });
    await mails();
    const other = await signIn(ada.email, password, phone);
    expect(
      (await mails()).map((one) => one.template),
      'another device is worth a mail',
    ).toEqual(['new_device']);
    await signIn(ada.email, password, phone);
    expect(await mails(), 'and only the first time').toEqual([]);
    const found = await list();
    expect(found.map((one: { device: string }) => one.device).toSorted()).toEqual([
      'Firefox on Linux',
      'Safari on iOS',
      'Safari on iOS',
    ]);
    expect(found.find((one: { is_current: boolean }) => one.is_current)).toMatchObject({
      device: 'Firefox on Linux',
      place: 'DE, Berlin',
      methods: ['password'],
    });
    const phoneId = (await call('GET', '/api/account/sessions', { cookies: other })).body.sessions.find(
      (one: { is_current: boolean }) => one.is_current,
    ).id;
    const rival = await signIn('rival@other.example');
    expect((await call('DELETE', `/api/account/sessions/${phoneId}`, { cookies: rival })).status, 'not by others').toBe(
      404,
    );
    expect(await isLiving(other)).toBe(true);
    expect((await call('DELETE', `/api/account/sessions/${phoneId}`, { cookies })).status).toBe(204);
    expect(await isLiving(other)).toBe(false);
    expect((await call('DELETE', '/api/account/sessions', { cookies })).body).toEqual({ sessions_ended: 1 });
    expect(await list()).toHaveLength(1);
    const stored = JSON.stringify(await rows('SELECT * FROM sessions'));
    expect(stored, 'the address itself is nowhere').not.toContain('203.0.113');
  });

  it('end as a family when a token comes twice, and the person hears of it (AUT-05)', async () => {
    const stolen = await signIn();
    await call('POST', '/api/sessions/refresh', { cookies: stolen });
    await mails();
    travel(11_000);
    expect(code(await call('POST', '/api/sessions/refresh', { cookies: stolen }))).toBe('session_ended');
    expect((await mails()).map((one) => [one.to, one.template])).toEqual([[ada.email, 'session_copied']]);
  });

  it('leave no row behind once they have ended', async () => {
    const { forgetEnded } = await import('./retention.ts');
    const before = (await rows('SELECT 1 FROM sessions')).length;
    expect(before).toBeGreaterThan(1);
    travel(31 * day);
    expect((await forgetEnded({ postgres: database.postgres, clock, log: silentLog })).sessions).toBeGreaterThan(1);
    expect(await rows('SELECT 1 FROM sessions')).toEqual([]);
  });
});

describe('the profile', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');

  it('has a username that signs in, and that nobody else has', async () => {
    const cookies = await signIn();
    const change = (body: object, who = cookies) => call('PATCH', '/api/account', { cookies: who, body });
    expect(
      (await change({ username: 'Ada_1', name: 'Ada', timezone: 'Europe/Berlin', locale: 'de' })).body,
    ).toMatchObject({ username: 'ada_1', name: 'Ada', timezone: 'Europe/Berlin', locale: 'de' });
    await signIn('ADA_1');
    const rival = await signIn('rival@other.example');
    expect(code(await change({ username: 'ada_1' }, rival))).toBe('conflict');
    expect((await change({ username: null })).body.username).toBeNull();
    expect((await asked('ada_1')).status).toBe(401);
  });

  it('has a picture by its first bytes, that colleagues see and others do not', async () => {
    const cookies = await signIn();
    const put = (bytes: Buffer) => call('PUT', '/api/account/avatar', { cookies, bytes });
    const path = `/api/people/${ada.personId}/avatar`;
    expect(field(await put(Buffer.from('<svg onload="alert(1)"/>')))).toBe('picture');
    expect(code(await put(Buffer.alloc(256 * 1024 + 1)))).toBe('too_large');
    // A few bytes that a browser would unfold into 9 GB.
    const bomb = Buffer.from(png).fill(Buffer.from('0000c350', 'hex'), 16, 24);
    expect(field(await put(bomb))).toBe('picture');
    expect((await put(png)).status).toBe(204);
    const shown = await call('GET', path, { cookies });
    expect([shown.headers.get('content-type'), shown.headers.get('x-content-type-options')]).toEqual([
      'image/png',
      'nosniff',
    ]);
    expect(shown.bytes.equals(png)).toBe(true);
    const rival = await signIn('rival@other.example');
    expect((await call('GET', path, { cookies: rival })).status).toBe(404);
    expect((await call('DELETE', '/api/account/avatar', { cookies })).status).toBe(204);
    expect((await call('GET', path, { cookies })).status).toBe(404);
  });
});

describe('a second factor', () => {
  let secret: Buffer = Buffer.alloc(0);
  let codes: string[] = [];
  const now = () => codeAt(secret, Math.floor(clock.now() / 1000 / stepSeconds));
  const next = () => {
    travel(stepSeconds * 1000);
    return now();
  };
  const step = (cookies: string[], value: string) =>
    call('POST', '/api/sessions/second-factor', { cookies, body: { code: value } });

  it('has the codes of RFC 6238', () => {
    const key = Buffer.from('12345678901234567890');
    // Appendix B, the last six digits of the SHA-1 column.
    expect([59, 1111111109, 2000000000].map((seconds) => codeAt(key, Math.floor(seconds / 30)))).toEqual([
      '287082',
      '081804',
      '279037',
    ]);
    expect(base32(key)).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
  });

  it('is set up with the password and a first code, and every other session ends (AUT-09)', async () => {
    const cookies = await signIn();
    const other = await signIn();
    await mails();
    expect(field(await call('POST', '/api/account/authenticator', { cookies, body: {} }))).toBe('password');
    const begun = (await call('POST', '/api/account/authenticator', { cookies, body: { password } })).body;
    expect(begun.uri).toContain(`secret=${begun.secret}`);
    expect(begun.squares[0]).toMatch(/^1111111[01]+1111111$/);
    secret = bytesOf(begun.secret);
    await signIn(ada.email);
    const confirm = (value: string) =>
      call('POST', '/api/account/authenticator/confirmation', { cookies, body: { code: value } });
    expect(field(await confirm('000000'))).toBe('code');
    const confirmed = await confirm(now());
    codes = confirmed.body.recovery_codes;
    expect(new Set(codes).size).toBe(10);
    expect([await isLiving(cookies), await isLiving(other)]).toEqual([true, false]);
    expect((await mails()).map((one) => one.template)).toEqual(['second_factor_changed']);
    const stored = await rows<{ secret: Buffer }>('SELECT secret FROM authenticators');
    expect(stored[0]?.secret.includes(secret), 'the secret is sealed').toBe(false);
  });

  it('is asked for after the password; the pause can do nothing else, and a code works once', async () => {
    const answer = await asked();
    expect([answer.status, answer.body]).toEqual([202, { second_factor: ['code'] }]);
    expect(answer.cookies).toHaveLength(1);
    expect(answer.cookies[0]).toMatch(
      /^__Host-fairlead_step=.*; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect((await call('GET', '/api/session', { cookies: answer.cookies })).status).toBe(401);
    expect((await call('POST', '/api/sessions/refresh', { cookies: answer.cookies })).status).toBe(401);
    const value = next();
    expect(field(await step(answer.cookies, '123456'))).toBe('code');
    const done = await step(answer.cookies, value);
    expect([done.status, done.cookies.length]).toEqual([201, 3]);
    expect(await isLiving(done.cookies)).toBe(true);
    expect(code(await step(answer.cookies, value)), 'the pause is over').toBe('sign_in_expired');
    const again = await asked();
    expect(field(await step(again.cookies, value)), 'the same code').toBe('code');
    expect((await step(again.cookies, next())).status).toBe(201);
  });

  it('takes a recovery code once, written as people write', async () => {
    travel(16 * minute);
    const used = (codes[0] as string).toLowerCase().replaceAll('-', ' ');
    expect((await step((await asked()).cookies, used)).status).toBe(201);
    const again = (await asked()).cookies;
    expect(field(await step(again, used))).toBe('code');
    const { cookies } = await step(again, next());
    expect((await call('GET', '/api/account', { cookies })).body.recovery_codes_left).toBe(9);
    const renewed = await call('POST', '/api/account/recovery-codes', { cookies, body: { password, code: next() } });
    expect(renewed.body.recovery_codes).toHaveLength(10);
    expect(field(await step((await asked()).cookies, codes[1] as string)), 'an old one').toBe('code');
    codes = renewed.body.recovery_codes;
  });

  it('is not guessed: five wrong codes end the sign-in, and then the account has to wait', async () => {
    travel(16 * minute);
    for (let signIns = 0; signIns < 2; signIns++) {
      const { cookies } = await asked();
      const answers: string[] = [];
      for (let tries = 0; tries < 5; tries++) answers.push(code(await step(cookies, '000000')));
      expect(answers).toEqual([...Array(4).fill('invalid_field'), 'sign_in_expired']);
    }
    const { cookies } = await asked();
    const value = next();
    const refused = await step(cookies, value);
    expect(
      [refused.status, refused.body.error.challenge.bits],
      'the right one has to wait as well, or to work',
    ).toEqual([429, 17]);
    const proof = solved(refused.body.error.challenge);
    const paid = await call('POST', '/api/sessions/second-factor', { cookies, body: { code: value, proof } });
    expect(paid.status).toBe(201);
    travel(16 * minute);
    const waiting = await asked();
    travel(11 * minute);
    expect(code(await step(waiting.cookies, now())), 'ten minutes later').toBe('sign_in_expired');
  });

  it('is not opened by anything that the database holds (AUT-11)', async () => {
    await asked();
    await call('POST', '/api/password-resets', { body: { email: ada.email } });
    await accounts.people.settle();
    const stored = await rows<{ value: Buffer }>(
      `SELECT digest AS value FROM one_time_tokens UNION ALL SELECT digest FROM recovery_codes
       UNION ALL SELECT secret FROM authenticators UNION ALL SELECT digest FROM sessions`,
    );
    expect(stored.length).toBeGreaterThan(12);
    for (const { value } of stored)
      for (const text of [value.toString('hex').slice(0, 128), value.toString('base64url').slice(0, 128)]) {
        expect((await step([`__Host-fairlead_step=${text}`], '000000')).status).toBe(401);
        expect(code(await call('PUT', '/api/password-resets', { body: { token: text, password } }))).toMatch(
          /link_expired|rate_limited/,
        );
        expect(code(await call('POST', '/api/email-verifications', { body: { token: text } }))).toMatch(
          /link_expired|rate_limited/,
        );
      }
    const { cookies } = await asked();
    for (const { value } of stored.slice(0, 3))
      expect((await step(cookies, value.toString('hex').slice(0, 12))).status).not.toBe(201);
    await mails();
    travel(61 * minute);
  });

  it('twenty wrong codes of a network are as many as it gets for nothing, for whichever account', async () => {
    travel(day);
    const { cookies } = await asked();
    const throttles = openThrottles({ postgres: database.postgres, clock, random: systemRandom, keys });
    for (let tries = 0; tries < codeLimit.perNetwork; tries++)
      await throttles.enter(codeLimit, { account: `somebody ${tries}`, address: '203.0.113.9' });
    const value = next();
    const refused = await step(cookies, value);
    expect([code(refused), refused.body.error.challenge.bits]).toEqual(['rate_limited', 17]);
    const elsewhere = { cookies, body: { code: value }, address: '198.51.100.7' };
    expect((await call('POST', '/api/sessions/second-factor', elsewhere)).status).toBe(201);
    travel(day);
  });

  it('is taken away with password and code, and by whoever runs the machine', async () => {
    const { cookies } = await step((await asked()).cookies, next());
    const remove = (words: string, value: string) =>
      call('POST', '/api/account/authenticator/removal', { cookies, body: { password: words, code: value } });
    expect(field(await remove('not the present one', next()))).toBe('password');
    expect(field(await remove(password, '000000'))).toBe('code');
    expect((await remove(password, next())).status).toBe(204);
    await signIn();
    expect(await accounts.people.takeSecondFactorAway(ada.email), 'there is none any more').toBe(false);
    const reset = accounts.commands?.['people-reset'];
    expect(await reset?.(new URLSearchParams({ email: ada.email }), Readable.from([]), () => {})).toMatchObject({
      minutes: 60,
    });
  });
});

describe('limits at the calls that they are for', () => {
  const id = () => String(ada.personId);
  const session = async () =>
    (await accounts.startSession(ada.email, { headers: {}, address: '::1', requestId: 'test' })) ?? [];
  const here = '203.0.113.7';
  const throttles = () => openThrottles({ postgres: database.postgres, clock, random: systemRandom, keys });

  it.each<[string, Allowance, () => string, (cookies: string[]) => Promise<Answer>]>([
    [
      'passwords that a session gives again',
      proofLimit,
      id,
      (cookies) =>
        call('PUT', '/api/account/password', { cookies, body: { current: password, password: 'twelve quiet boats' } }),
    ],
    [
      'codes that a session gives',
      codeProofLimit,
      id,
      (cookies) => call('POST', '/api/account/authenticator/confirmation', { cookies, body: { code: '000000' } }),
    ],
    [
      'codes of an account in a day',
      codesOfDay,
      id,
      (cookies) => call('POST', '/api/account/authenticator/confirmation', { cookies, body: { code: '000000' } }),
    ],
    [
      'links that confirm an address',
      linkLimit,
      () => `verify ${id()}`,
      (cookies) => call('POST', '/api/account/email-verification', { cookies }),
    ],
    [
      'links that change an address',
      linkLimit,
      () => `change ${id()}`,
      (cookies) => call('POST', '/api/account/email', { cookies, body: { email: 'ada@yard.example', password } }),
    ],
    [
      'mails that one network asks for',
      askLimit,
      () => networkOf(here),
      () => call('POST', '/api/password-resets', { body: { email: 'anybody@shop.example' } }),
    ],
  ])('%s', async (_what, limit, subject, ask) => {
    travel(day);
    for (let taken = 0; taken < limit.most; taken++) await throttles().take(limit, subject());
    const refused = await ask(await session());
    expect([code(refused), refused.headers.get('retry-after')]).toEqual([
      'rate_limited',
      expect.stringMatching(/^\d+$/),
    ]);
  });

  it('links that lead nowhere, of whichever kind: from the hundred and first on each costs its network work', async () => {
    travel(day);
    for (let tries = 0; tries < 100; tries++) await throttles().enter(presentedLimit, { address: here });
    const token = 'x'.repeat(43);
    for (const [method, path, more] of [
      ['POST', '/api/email-verifications', {}],
      ['PUT', '/api/password-resets', { password }],
      ['POST', '/api/invitations/readings', {}],
      ['POST', '/api/sign-ups/readings', {}],
    ] as const) {
      const refused = await call(method, path, { body: { token, ...more } });
      expect([path, code(refused), refused.body.error.challenge.bits]).toEqual([path, 'rate_limited', 17]);
    }
    travel(3_000);
    const { challenge } = (await call('POST', '/api/email-verifications', { body: { token } })).body.error;
    const paid = await call('POST', '/api/email-verifications', { body: { token, proof: solved(challenge) } });
    expect(code(paid)).toBe('link_expired');
    travel(day);
  });
});

describe('an organisation that asks for a second factor', () => {
  it('gives seven days, then opens nothing but the way to one; others stay open', async () => {
    travel(8 * day);
    const hash = await accounts.passwords.hash(password);
    const { organisationId } = await database.postgres.system((sql) =>
      createOrganisation(sql, { clock, vault, keys }, { email: 'new.owner@yard.example', organisation: 'Yard', hash }),
    );
    let cookies = await signIn('new.owner@yard.example');
    const read = () => call('GET', `/api/sites?organisation_id=${organisationId}`, { cookies });
    const told = async () => (await call('GET', '/api/session', { cookies })).body.organisations[0];
    expect((await told()).is_second_factor_overdue).toBe(false);
    expect(Date.parse((await told()).second_factor_due)).toBeGreaterThan(clock.now() + 6 * day);
    expect((await read()).status).toBe(200);
    travel(7 * day + minute);
    cookies = await signIn('new.owner@yard.example');
    expect((await told()).is_second_factor_overdue).toBe(true);
    expect(code(await read())).toBe('second_factor_needed');
    const begun = (await call('POST', '/api/account/authenticator', { cookies, body: { password } })).body;
    const value = codeAt(bytesOf(begun.secret), Math.floor(clock.now() / 1000 / stepSeconds));
    await call('POST', '/api/account/authenticator/confirmation', { cookies, body: { code: value } });
    expect((await read()).status).toBe(200);
    expect(await accounts.people.takeSecondFactorAway('new.owner@yard.example')).toBe(true);
    expect(await isLiving(cookies)).toBe(false);
    cookies = await signIn('new.owner@yard.example');
    expect(code(await read())).toBe('second_factor_needed');
  });
});

it('whatever these tests changed left its act in the transaction that changed it (AUD-01)', async () => {
  // What the tests set up with their own hands is no call of anybody.
  const own = ['UPDATE public.people(email_verified_at)', 'INSERT public.organisations'];
  expect(unnoted(await written()).filter((changes) => !changes.some((change) => own.includes(change)))).toEqual([]);
  const acts = new Set((await written()).flatMap((one) => one.acts));
  for (const act of [
    ...['session.started', 'session.refused', 'session.reused', 'password.changed', 'password.reset_asked'],
    ...['password.reset', 'email.change_asked', 'email.changed', 'email.verified', 'second_factor.enabled'],
    ...['second_factor.disabled', 'second_factor.refused', 'second_factor.codes_renewed'],
    ...['second_factor.used_recovery', 'operator.password_reset', 'operator.second_factor_off'],
  ])
    expect(acts).toContain(act);
});

/** The bytes of a secret as it is typed. */
function bytesOf(text: string): Buffer {
  const bits = [...text]
    .map((one) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(one).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
