import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAccountsHouse } from '../../test/accounts_house.ts';
import type { TestPostgres } from '../../test/stores.ts';
import { systemClock } from '../platform/clock.ts';
import { type Config, readConfig } from '../platform/config.ts';
import { emailDigest, sealEmail } from '../platform/email.ts';
import { openHttp } from '../platform/http/server.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { House } from '../platform/subject.ts';
import { ringOf } from '../trust/keys/index.ts';
import { type Accounts, openAccounts, openPasswords } from './index.ts';
import type { Passwords } from './passwords.ts';
import { openSetUp, type SetUp } from './set_up.ts';

/** A desk's account plane: a real database, a real listener, a clock that the tests can move. */
let database: TestPostgres;
let house: House;
let accounts: Accounts;
let base: string;
let close: () => Promise<void>;
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const keys = ringOf(Buffer.alloc(32, 7));
const password = 'a harbour of quiet rope';
const code = { current: '' };

beforeAll(async () => {
  ({ database, house, accounts, base, close } = await openAccountsHouse({
    clock,
    keys,
    trustedProxies: 0,
    inbox: false,
  }));
  code.current = (await accounts.setUp.newCode()) as string;
});
afterAll(() => close());

interface Answer {
  status: number;
  body: Record<string, unknown> & { error?: { code: string; message: string; field?: string } };
  cookies: string[];
  headers: Headers;
}
async function call(
  method: string,
  path: string,
  options: { body?: unknown; cookies?: string[]; key?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(base + path, {
    method,
    headers: {
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.cookies === undefined
        ? {}
        : { cookie: options.cookies.map((cookie) => cookie.split(';')[0]).join('; ') }),
      ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text === '' ? {} : JSON.parse(text),
    cookies: response.headers.getSetCookie(),
    headers: response.headers,
  };
}

const firstRun = (changes: object = {}) => ({
  code: code.current,
  email: 'Owner@shop.example',
  password,
  organisation: 'Shop',
  site: { domain: 'https://www.Shop.example/start', timezone: 'Europe/Berlin', currency: 'EUR' },
  ...changes,
});
let owner: string[] = [];
const signIn = async (email = 'owner@shop.example') =>
  (await call('POST', '/api/sessions', { body: { email, password } })).cookies;

describe('the first owner (AUT-15)', () => {
  it('is not created without the code that was printed last, from loopback neither', async () => {
    const dead = code.current;
    code.current = (await accounts.setUp.newCode()) as string;
    for (const wrong of ['', 'AAAAAAAAAAAAAAAAAAAAAA', dead]) {
      const answer = await call('POST', '/api/set-up', { body: firstRun({ code: wrong }) });
      expect([answer.status, answer.body.error?.code]).toEqual([403, 'wrong_setup_code']);
    }
    expect((await call('GET', '/api/set-up')).body).toEqual({ waiting: true, version: 'test' });
  });

  it('has one code from all processes of a desk that start within an hour, and it works', async () => {
    const processes = [1, 2, 3, 4].map(() => openSetUp({ ...house, passwords: {} as Passwords }));
    const start = (one: SetUp) => one.newCode({ isShared: true });
    const before = code.current;
    const codes = new Set(await Promise.all(processes.map(start)));
    expect(codes.size).toBe(1);
    [code.current] = [...codes] as [string];
    expect(code.current).not.toBe(before);
    aheadMs += 2 * 3_600_000;
    const later = (await start(processes[0] as SetUp)) as string;
    aheadMs -= 2 * 3_600_000;
    expect(later).not.toBe(code.current);
    code.current = (await start(processes[1] as SetUp)) as string;
    expect(code.current, 'the other one is an hour ahead and counts no more').not.toBe(later);
    expect(await start(processes[2] as SetUp)).toBe(code.current);
  });

  const refused: [title: string, change: object, field: string][] = [
    ['a short password', { password: 'too short' }, 'password'],
    ['a password made of the address', { password: 'owner@shop.example' }, 'password'],
    ['a common password', { password: 'password12345' }, 'password'],
    ['an address that is none', { email: 'owner' }, 'email'],
    ['a domain that is none', { site: { domain: 'not a domain', timezone: 'UTC', currency: 'EUR' } }, 'site.domain'],
    [
      'a zone that is none',
      { site: { domain: 'shop.example', timezone: 'Mars/Olympus', currency: 'EUR' } },
      'site.timezone',
    ],
    [
      'a currency that is none',
      { site: { domain: 'shop.example', timezone: 'UTC', currency: 'EURO' } },
      'site.currency',
    ],
    [
      'a longer keeping than promised',
      { site: { domain: 'shop.example', timezone: 'UTC', currency: 'EUR', retention_months: 26 } },
      'site.retention_months',
    ],
  ];
  it.each(refused)('is refused with %s, naming the field', async (_title, change, field) => {
    const answer = await call('POST', '/api/set-up', { body: firstRun(change) });
    expect([answer.status, answer.body.error?.field]).toEqual([400, field]);
  });

  it('is created once, also when two browsers use the code at the same moment', async () => {
    const answers = await Promise.all([
      call('POST', '/api/set-up', { body: firstRun() }),
      call('POST', '/api/set-up', { body: firstRun({ email: 'second@shop.example' }) }),
    ]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409]);
    const won = answers.find((answer) => answer.status === 201) as Answer;
    expect(won.body).toMatchObject({ domain: 'shop.example', timezone: 'Europe/Berlin', retention_months: 25 });
    owner = won.cookies;
    const again = await call('POST', '/api/set-up', { body: firstRun() });
    expect([again.status, again.body.error?.code]).toEqual([409, 'already_set_up']);
    expect(await accounts.setUp.newCode()).toBeUndefined();
    // The clock of this file goes weeks ahead; by then its owner would have to have a second factor.
    await database.postgres.tenant(1, (sql) => sql.run("UPDATE organisations SET second_factor = 'off'"));
    const email = ((await call('GET', '/api/session', { cookies: owner })).body as { person: { email: string } }).person
      .email;
    // Whichever of the two won, the rest of this file signs in as the owner's address.
    if (email !== 'Owner@shop.example')
      await database.asOwner(async (sql) => {
        await sql.query("SELECT set_config('fairlead.person', $1, false)", ['1']);
        await sql.run('UPDATE people SET email_digest = $1, email_sealed = $2', [
          emailDigest(keys, 'Owner@shop.example'),
          await sealEmail(house.vault, { person: 1 }, 'Owner@shop.example'),
        ]);
      });
  });
});

describe('a browser session', () => {
  it('lives only in two cookies with every guard (COK-01, R4)', async () => {
    const cookies = await signIn();
    expect(cookies).toHaveLength(2);
    for (const cookie of cookies)
      expect(cookie).toMatch(
        /^__Host-fairlead_(access|refresh)=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
  });

  it('answers alike for a wrong password and for nobody (AUT-10)', async () => {
    const wrong = await call('POST', '/api/sessions', {
      body: { email: 'owner@shop.example', password: 'something else here' },
    });
    const nobody = await call('POST', '/api/sessions', { body: { email: 'nobody@shop.example', password } });
    const { request_id: _a, ...first } = wrong.body.error as Record<string, unknown>;
    const { request_id: _b, ...second } = nobody.body.error as Record<string, unknown>;
    expect([wrong.status, first]).toEqual([nobody.status, second]);
    expect(wrong.status).toBe(401);
  });

  it('ends at sign-out at once, for the access token too', async () => {
    const cookies = await signIn();
    expect((await call('GET', '/api/session', { cookies })).status).toBe(200);
    expect((await call('DELETE', '/api/sessions/current', { cookies })).status).toBe(200);
    expect((await call('GET', '/api/session', { cookies })).body.error?.code).toBe('session_ended');
    expect((await call('POST', '/api/sessions/refresh', { cookies })).body.error?.code).toBe('session_ended');
  });

  it('gives two tabs that refresh in the same moment the same child (AUT-05)', async () => {
    const cookies = await signIn();
    const [one, two] = await Promise.all([
      call('POST', '/api/sessions/refresh', { cookies }),
      call('POST', '/api/sessions/refresh', { cookies }),
    ]);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(one.cookies[1]).toBe(two.cookies[1]);
    expect((await call('GET', '/api/session', { cookies: one.cookies })).status).toBe(200);
  });

  it('ends the whole family when a replaced token comes again later: it was copied (AUT-05)', async () => {
    const stolen = await signIn();
    const next = (await call('POST', '/api/sessions/refresh', { cookies: stolen })).cookies;
    aheadMs += 11_000;
    expect((await call('POST', '/api/sessions/refresh', { cookies: stolen })).body.error?.code).toBe('session_ended');
    expect((await call('POST', '/api/sessions/refresh', { cookies: next })).body.error?.code).toBe('session_ended');
    expect((await call('GET', '/api/session', { cookies: next })).body.error?.code).toBe('session_ended');
  });

  it('asks for a refresh after 15 minutes, and ends after 14 idle days or 30 days in all (AUT-04, AUT-06)', async () => {
    const day = 86_400_000;
    let cookies = await signIn();
    aheadMs += 15 * 60_000 + 1_000;
    expect((await call('GET', '/api/session', { cookies })).body.error?.code).toBe('session_ended');
    cookies = (await call('POST', '/api/sessions/refresh', { cookies })).cookies;
    expect((await call('GET', '/api/session', { cookies })).status).toBe(200);
    aheadMs += 13 * day;
    cookies = (await call('POST', '/api/sessions/refresh', { cookies })).cookies;
    aheadMs += 13 * day;
    cookies = (await call('POST', '/api/sessions/refresh', { cookies })).cookies;
    aheadMs += 5 * day;
    expect((await call('POST', '/api/sessions/refresh', { cookies })).body.error?.code, '31 days in all').toBe(
      'session_ended',
    );
    const idle = await signIn();
    aheadMs += 15 * day;
    expect((await call('POST', '/api/sessions/refresh', { cookies: idle })).body.error?.code, '15 idle days').toBe(
      'session_ended',
    );
  });

  it('is not opened by a forged access token', async () => {
    const cookies = await signIn();
    const [head, claims] = (cookies[0]?.split('=')[1]?.split(';')[0] ?? '').split('.') as [string, string];
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object;
    const sign = (text: string, key: Buffer) => createHmac('sha256', key).update(text).digest('base64url');
    const real = keys.derive('access-token');
    const forgeries: Record<string, string> = {
      'alg none': `${encode({ ...read(head), alg: 'none' })}.${claims}.`,
      'another key': `${head}.${claims}.${sign(`${head}.${claims}`, Buffer.alloc(32, 9))}`,
      'another audience': (() => {
        const body = encode({ ...read(claims), aud: 'elsewhere' });
        return `${head}.${body}.${sign(`${head}.${body}`, real)}`;
      })(),
      'another type': (() => {
        const top = encode({ ...read(head), typ: 'JWT' });
        return `${top}.${claims}.${sign(`${top}.${claims}`, real)}`;
      })(),
      'no expiry': (() => {
        const { exp: _exp, ...rest } = read(claims) as { exp: number };
        const body = encode(rest);
        return `${head}.${body}.${sign(`${head}.${body}`, real)}`;
      })(),
    };
    expect(
      (
        await call('GET', '/api/session', {
          cookies: [`__Host-fairlead_access=${head}.${claims}.${sign(`${head}.${claims}`, real)}`],
        })
      ).status,
      'the untouched one',
    ).toBe(200);
    for (const [name, token] of Object.entries(forgeries))
      expect((await call('GET', '/api/session', { cookies: [`__Host-fairlead_access=${token}`] })).status, name).toBe(
        401,
      );
  });

  it('does not act for a page of another site', async () => {
    const cookies = await signIn();
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      const answer = await call('POST', '/api/keys', { cookies, headers, body: { name: 'x', scopes: ['stats:read'] } });
      expect(answer.body.error?.code, JSON.stringify(headers)).toBe('cross_site');
    }
    expect(
      (
        await call('POST', '/api/keys', {
          cookies,
          headers: { origin: base, 'sec-fetch-site': 'same-origin' },
          body: { name: 'x', scopes: ['stats:read'] },
        })
      ).status,
    ).toBe(201);
  });

  it('slows down guessing by account, whatever the address', async () => {
    const statuses = [];
    for (let tries = 0; tries < 7; tries++)
      statuses.push(
        (
          await call('POST', '/api/sessions', {
            body: { email: 'guessed@shop.example', password: `wrong guess ${tries}` },
          })
        ).status,
      );
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });
});

describe('an API key', () => {
  it('is shown once, works within its scopes, and dies when revoked', async () => {
    const cookies = await signIn();
    const made = await call('POST', '/api/keys', { cookies, body: { name: 'Reports', scopes: ['sites:read'] } });
    const { key, id, last4 } = made.body as { key: string; id: number; last4: string };
    expect(key).toMatch(new RegExp(`^fl_${id}_[A-Za-z0-9_-]{40}$`));
    expect(key.endsWith(last4)).toBe(true);
    expect((await call('GET', '/api/sites/shop.example', { key })).status).toBe(200);
    expect(
      (await call('PATCH', '/api/sites/shop.example', { key, body: { titles: false } })).status,
      'beyond its scopes',
    ).toBe(404);
    const listed = (await call('GET', '/api/keys', { cookies })).body as {
      keys: { id: number; last_used_day: string | null }[];
    };
    expect(JSON.stringify(listed)).not.toContain(key);
    expect(listed.keys.find((one) => one.id === id)?.last_used_day).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect((await call('DELETE', `/api/keys/${id}`, { cookies })).status).toBe(204);
    expect((await call('GET', '/api/sites/shop.example', { key })).status).toBe(401);
  });

  it('is limited to sites, ends at its time, and says which of both it is', async () => {
    const cookies = await signIn();
    const second = await call('POST', '/api/sites', {
      cookies,
      body: { domain: 'second.example', timezone: 'UTC', currency: 'EUR' },
    });
    const secondId = (second.body as { id: number }).id;
    const make = (more: object) =>
      call('POST', '/api/keys', { cookies, body: { name: 'Limited', scopes: ['sites:read'], ...more } });
    for (const [field, value] of [
      ['site_ids', [secondId, 999_999]],
      ['site_ids', []],
      ['expires_at', new Date(clock.now()).toISOString()],
      ['expires_at', new Date(clock.now() + 11 * 366 * 86_400_000).toISOString()],
      ['expires_at', 'tomorrow'],
    ] as const)
      expect(await make({ [field]: value })).toMatchObject({
        status: 400,
        body: { error: { code: 'invalid_field', field: expect.stringMatching(new RegExp(`^${field}`)) } },
      });
    const end = new Date(clock.now() + 3_600_000).toISOString();
    const made = (await make({ site_ids: [secondId, secondId], expires_at: end })).body as { key: string; id: number };
    const listed = ((await call('GET', '/api/keys', { cookies })).body as { keys: { id: number }[] }).keys;
    expect(listed.find(({ id }) => id === made.id)).toMatchObject({
      site_ids: [secondId],
      expires_at: end,
      made_by: { id: 1, name: expect.any(String) },
    });
    const { key } = made;
    expect((await call('GET', '/api/sites/second.example', { key })).status).toBe(200);
    for (const path of ['/api/sites/shop.example', '/api/sites/nothing.example']) {
      const refused = (await call('GET', path, { key })) as { status: number; body: { error: { message: string } } };
      expect(refused.status).toBe(404);
      expect(refused.body.error.message).toContain('This key is limited to some sites');
    }
    aheadMs += 3_600_000;
    const expired = (await call('GET', '/api/sites/second.example', { key })) as { body: { error: object } };
    aheadMs -= 3_600_000;
    expect(expired.body.error).toMatchObject({
      code: 'unauthenticated',
      message: `The API key ${made.id} expired at ${end}. Make a new one in the organisation's API keys.`,
    });
  });

  it('from before keys had numbers goes on, and one whose maker has left does too and says so', async () => {
    const old = `fl_${'o'.repeat(40)}`;
    const id = await database.postgres.tenant(1, async (sql) => {
      const row = await sql.one<{ id: number }>(
        `INSERT INTO api_keys (organisation_id, name, digest, last4, scopes, created_by, created_at)
         VALUES (1, 'Old', $1, 'oooo', '{sites:read}', $2, now()) RETURNING id`,
        [keys.digest('api-key', old), await makeStranger()],
      );
      return row.id;
    });
    expect((await call('GET', '/api/sites/shop.example', { key: old })).status).toBe(200);
    const cookies = await signIn();
    const listed = ((await call('GET', '/api/keys', { cookies })).body as { keys: { id: number }[] }).keys;
    expect(listed.find((one) => one.id === id)).toMatchObject({ made_by: { id: expect.any(Number), name: null } });
  });

  /** Somebody who belongs to no organisation any more. */
  function makeStranger(): Promise<number> {
    return database.asOwner(async (sql) => {
      await sql.query("SELECT set_config('fairlead.person', '900', false)");
      await sql.run(
        `INSERT INTO people (id, email_digest, email_sealed, name, created_at)
         VALUES (900, sha256('left'), 'sealed', 'Left', now())`,
      );
      return 900;
    });
  }

  it('is not opened by anything that the database holds (AUT-11)', async () => {
    const cookies = await signIn();
    await call('POST', '/api/keys', { cookies, body: { name: 'Leak', scopes: ['sites:read'] } });
    const stored = await database.asOwner(async (sql) => {
      await sql.query(
        "SELECT set_config('fairlead.organisation', '1', false), set_config('fairlead.person', '1', false)",
      );
      return [
        ...(await sql.query<{ value: Buffer }>('SELECT digest AS value FROM api_keys')),
        ...(await sql.query<{ value: Buffer }>('SELECT digest AS value FROM sessions')),
        ...(await sql.query<{ value: Buffer }>('SELECT digest AS value FROM set_up')),
      ].map((row) => row.value);
    });
    expect(stored.length).toBeGreaterThan(3);
    for (const digest of stored)
      for (const text of [
        digest.toString('hex'),
        digest.toString('base64url'),
        `fl_${digest.toString('base64url').slice(0, 40)}`,
        `fl_1_${digest.toString('base64url').slice(0, 40)}`,
      ]) {
        expect((await call('GET', '/api/sites/shop.example', { key: text })).status).toBe(401);
        expect(
          (await call('POST', '/api/sessions/refresh', { cookies: [`__Host-fairlead_refresh=${text}`] })).status,
        ).toBe(401);
      }
  });
});

describe('another organisation', () => {
  it('gets nothing of this one, by session or by key, whatever it names', async () => {
    const { createOrganisation } = await import('./set_up.ts');
    const hash = await accounts.passwords.hash(password);
    const other = await database.postgres.system((sql) =>
      createOrganisation(sql, house, { email: 'rival@other.example', organisation: 'Other', hash }),
    );
    const rival = await signIn('rival@other.example');
    const key = (
      await database.postgres.tenant(other.organisationId, (sql) =>
        accounts.apiKeys.create(
          sql,
          other.organisationId,
          { name: 'all', scopes: ['stats:read', 'events:write', 'sites:read', 'sites:write'] },
          undefined,
        ),
      )
    ).key;
    const mine = await signIn();
    const made = (await call('POST', '/api/keys', { cookies: mine, body: { name: 'Mine', scopes: ['stats:read'] } }))
      .body as { id: number };
    const calls: [method: string, path: string, body?: unknown][] = [
      ['GET', '/api/sites/shop.example'],
      ['GET', '/api/sites/1'],
      ['PATCH', '/api/sites/shop.example', { titles: false }],
      ['GET', '/api/sites?organisation_id=1'],
      ['POST', '/api/sites?organisation_id=1', { domain: 'grab.example', timezone: 'UTC', currency: 'EUR' }],
      ['GET', '/api/keys?organisation_id=1'],
      ['POST', '/api/keys?organisation_id=1', { name: 'x', scopes: ['stats:read'] }],
      ['DELETE', `/api/keys/${made.id}?organisation_id=1`],
      ['DELETE', `/api/keys/${made.id}`],
    ];
    for (const [method, path, body] of calls) {
      for (const asker of [{ cookies: rival }, { key }]) {
        const answer = await call(method, path, { ...asker, ...(body === undefined ? {} : { body }) });
        expect(answer.status, `${method} ${path}`).toBe(404);
      }
      expect((await call(method, path, body === undefined ? {} : { body })).status, `${method} ${path} as nobody`).toBe(
        401,
      );
    }
    expect((await call('GET', '/api/sites/shop.example', { cookies: mine })).status, 'the right one gets it').toBe(200);
    const session = (await call('GET', '/api/session', { cookies: rival })).body as {
      sites: unknown[];
      organisations: { name: string }[];
    };
    expect([session.sites, session.organisations.map((one) => one.name)]).toEqual([[], ['Other']]);
  });
});

describe('passwords (R17, AUT-01, AUT-02)', () => {
  it('are bcrypt of cost 12 over a keyed pre-hash, and every character counts', async () => {
    const long = 'x'.repeat(100);
    // As a desk has it that nothing was said to about a cost, which no variable can do.
    expect(readConfig({}).passwordCost).toBeUndefined();
    const passwords = openPasswords({ keys, clock: systemClock });
    const stored = await passwords.hash(`${long}A\u0000B`);
    expect(stored).toMatch(/^hs384:\$2[ab]\$12\$/);
    expect(await passwords.verify(`${long}A\u0000B`, stored)).toBe(true);
    expect(await passwords.verify(`${long}B\u0000B`, stored), 'a difference past 72 bytes').toBe(false);
    expect(await passwords.verify(`${long}A\u0000C`, stored), 'a difference past NUL').toBe(false);
    expect(await passwords.verify('anything', undefined)).toBe(false);
    passwords.close();
  });
});

it('signing in is refused where the password could be read on the way', async () => {
  const exposed = openAccounts(
    { ...house, config: { host: '0.0.0.0', trustedProxies: 0, publicUrl: 'http://desk.test' } as Config },
    { version: 'test' },
  );
  const listener = await openHttp({
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'http://desk.test',
    trustedProxies: 0,
    tls: undefined,
    routes: exposed.routes ?? [],
    fast: {},
    files: undefined,
    authenticate: exposed.authenticate,
    clock,
    random: systemRandom,
    log: silentLog,
  });
  try {
    const response = await fetch(`http://127.0.0.1:${listener.address.port}/api/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'owner@shop.example', password }),
    });
    expect([response.status, ((await response.json()) as Answer['body']).error?.code]).toEqual([403, 'https_required']);
  } finally {
    await listener.close(100);
    await exposed.stop?.();
  }
});
