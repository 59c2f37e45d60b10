import { createServer } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type GitHubEmulator, openGitHubEmulator } from '../../emulators/github.ts';
import { openGoogleEmulator } from '../../emulators/google.ts';
import { type OpenIdEmulator, type OpenIdMischief, openOpenIdEmulator } from '../../emulators/oidc.ts';
import { createOrganisation } from '../../src/accounts/index.ts';
import { beginLimit, openThrottles } from '../../src/accounts/throttle.ts';
import { type Authenticator, openAuthenticator } from '../passkey_authenticator.ts';
import { ownerLogin } from '../stores.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** One desk that knows three providers, each an emulator on this machine. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });
let desk: TestDesk;
let google: OpenIdEmulator;
let oidc: OpenIdEmulator;
let github: GitHubEmulator;
let owner: pg.Client;
let origin: string;
const client = { clientId: 'desk-1', clientSecret: 'a secret / with + signs' };
const ada = {
  sub: '10769150350006150715113082367',
  email: 'ada@shop.example',
  email_verified: true,
  name: 'Ada Byron',
};

beforeAll(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  const callback = (id: string) => `${origin}/sign-in/${id}`;
  google = await openGoogleEmulator({ ...client, redirectUris: [callback('google')], user: ada });
  oidc = await openOpenIdEmulator({
    ...client,
    redirectUris: [callback('oidc')],
    user: { ...ada, sub: 'ada' },
    clientAuthentication: ['client_secret_basic'],
  });
  github = await openGitHubEmulator({
    ...client,
    callback: callback('github'),
    user: {
      id: 583_231,
      login: 'ada',
      name: null,
      email: 'public@elsewhere.example',
      emails: [
        { email: 'old@shop.example', primary: false, verified: true },
        { email: 'ada@shop.example', primary: true, verified: true },
      ],
    },
  });
  desk = await openTestDesk(['shop.example'], {
    PORT: String(port),
    FAIRLEAD_PUBLIC_URL: origin,
    FAIRLEAD_OUTBOUND_ALLOW: [google.url, oidc.url, github.url].map((url) => new URL(url).host).join(','),
    FAIRLEAD_GOOGLE_CLIENT_ID: client.clientId,
    FAIRLEAD_GOOGLE_CLIENT_SECRET: client.clientSecret,
    FAIRLEAD_GOOGLE_URL: google.url,
    FAIRLEAD_GITHUB_CLIENT_ID: client.clientId,
    FAIRLEAD_GITHUB_CLIENT_SECRET: client.clientSecret,
    FAIRLEAD_GITHUB_URL: github.url,
    FAIRLEAD_GITHUB_API_URL: `${github.url}/api`,
    FAIRLEAD_OIDC_CLIENT_ID: client.clientId,
    FAIRLEAD_OIDC_CLIENT_SECRET: client.clientSecret,
    FAIRLEAD_OIDC_ISSUER: oidc.url,
    FAIRLEAD_OIDC_NAME: 'Shop login',
  });
  const { postgres } = desk.server.desk.house;
  for (const [email, organisation] of [
    ['ada@shop.example', 'Ada'],
    ['bob@shop.example', 'Bob'],
  ] as const)
    await postgres.system((sql) => createOrganisation(sql, desk.server.desk.house, { email, organisation }));
  // Without a password a fresh sign-in is the proof that it is still this person; one test gives Bob one.
  owner = new pg.Client(await ownerLogin(postgres));
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await desk.close();
  await Promise.all([google, oidc, github].map((one) => one.close()));
});
afterEach(() => {
  google.reset();
  oidc.reset();
  github.reset();
});

type Provider = 'google' | 'github' | 'oidc';
interface Answer {
  status: number;
  body: Record<string, unknown> & { error?: { code: string; message: string } };
  cookies: string[];
}
/** A browser keeps its cookies; a fresh one has none. */
interface TestBrowser {
  cookies: Map<string, string>;
  send(method: string, path: string, body?: unknown): Promise<Answer>;
}

function openBrowser(): TestBrowser {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async send(method, path, body) {
      const response = await fetch(desk.base + path, {
        method,
        headers: {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const set = response.headers.getSetCookie();
      for (const cookie of set) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        if (/Max-Age=0;/.test(cookie)) cookies.delete(name);
        else cookies.set(name, value);
      }
      const text = await response.text();
      return { status: response.status, body: text === '' ? {} : JSON.parse(text), cookies: set };
    },
  };
}

const asker = { headers: {}, address: '127.0.0.1', requestId: 'test' };

async function signedIn(email: string): Promise<TestBrowser> {
  const browser = openBrowser();
  for (const cookie of (await desk.server.desk.accounts.startSession(email, asker)) ?? []) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    browser.cookies.set(name, value);
  }
  expect((await browser.send('GET', '/api/session')).status).toBe(200);
  return browser;
}

const isLiving = async (one: TestBrowser) => (await one.send('GET', '/api/session')).status === 200;

/** Goes to the provider's page and comes back with what it sends along. */
async function visit(url: string): Promise<Record<string, string>> {
  const response = await fetch(url, { redirect: 'manual' });
  await response.arrayBuffer();
  expect(response.status).toBe(302);
  const back = new URL(response.headers.get('location') ?? '');
  const { error_description: _, ...answer } = Object.fromEntries(back.searchParams);
  return answer;
}
async function begin(browser: TestBrowser, provider: Provider, body: object = {}): Promise<string> {
  const begun = await browser.send('POST', `/api/sign-in/providers/${provider}`, body);
  expect(begun.status, JSON.stringify(begun.body)).toBe(201);
  return String(begun.body.url);
}
const answer = (browser: TestBrowser, provider: Provider, parameters: object) =>
  browser.send('POST', `/api/sign-in/providers/${provider}/answers`, parameters);
async function signIn(browser: TestBrowser, provider: Provider, body: object = {}): Promise<Answer> {
  return answer(browser, provider, await visit(await begin(browser, provider, body)));
}
async function link(browser: TestBrowser, provider: Provider): Promise<Answer> {
  const begun = await browser.send('POST', `/api/account/identity-links/${provider}`, {});
  expect(begun.status).toBe(201);
  return answer(browser, provider, await visit(String(begun.body.url)));
}

/** Who may sign up, as the command line sets it. The three documents that signing up needs hold meanwhile, and not for others. */
async function letIn(mode: 'open' | 'off'): Promise<void> {
  await desk.server.desk.house.postgres.system((sql) =>
    sql.run(
      mode === 'open'
        ? `INSERT INTO legal_documents (kind, version, dated, material, text, published_at)
           SELECT kind, '1', '2026-11-28', true, 'Be kind.', now() FROM unnest('{terms,privacy,processing}'::text[]) AS kind`
        : "INSERT INTO legal_withdrawals (number, reason, withdrawn_at) SELECT number, 'The test is over.', now() FROM legal_documents",
    ),
  );
  const none = (async function* () {})();
  await desk.server.desk.accounts.commands?.['sign-up']?.(new URLSearchParams({ mode }), none, () => {});
}
const tokenOf = ({ body }: Answer) => String(body.next).split('#token=')[1];

/** Refused in words, without a session, and with nothing of one in the answer. */
async function expectRefused(browser: TestBrowser, refused: Answer, code: string, words: RegExp): Promise<void> {
  expect([refused.status >= 400, refused.body.error?.code], JSON.stringify(refused.body)).toEqual([true, code]);
  expect(refused.body.error?.message).toMatch(words);
  expect(refused.cookies.filter((cookie) => /access|refresh/.test(cookie))).toEqual([]);
  expect((await browser.send('GET', '/api/session')).status).toBe(401);
}

describe('what providers are asked for', () => {
  it('a provider whose discovery document names another issuer is not gone to', async () => {
    google.set({ discovery: { issuer: 'https://accounts.google.com' } });
    const refused = await openBrowser().send('POST', '/api/sign-in/providers/google', {});
    expect([refused.status, refused.body.error?.code]).toEqual([403, 'sign_in_refused']);
    expect(refused.body.error?.message).toMatch(/another issuer than Google/);
    google.set({ discovery: { token_endpoint: 'file:///etc/passwd' } });
    expect((await openBrowser().send('POST', '/api/sign-in/providers/google', {})).status).toBe(503);
  });

  const golden = {
    response_type: 'code',
    client_id: client.clientId,
    state: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  };
  const nonce = expect.stringMatching(/^[\w-]{43}$/);
  const rows: [Provider, string, object][] = [
    ['google', '/o/oauth2/v2/auth', { scope: 'openid email profile', nonce }],
    ['github', '/login/oauth/authorize', { scope: 'read:user user:email' }],
    ['oidc', '/authorize', { scope: 'openid email profile', nonce }],
  ];
  it.each(rows)('%s: address, name and picture, and nothing else (AUT-03)', async (provider, path, own) => {
    const url = new URL(await begin(openBrowser(), provider));
    expect([url.origin, url.pathname]).toEqual([{ google, github, oidc }[provider].url, path]);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...golden,
      redirect_uri: `${origin}/sign-in/${provider}`,
      ...own,
    });
  });

  it('the ways are named to everybody', async () => {
    expect((await openBrowser().send('GET', '/api/sign-in/ways')).body).toEqual({
      providers: [
        { id: 'google', name: 'Google' },
        { id: 'github', name: 'GitHub' },
        { id: 'oidc', name: 'Shop login' },
      ],
      passkeys: true,
    });
  });
});

describe('signing in with a linked account', () => {
  it.each(['google', 'github', 'oidc'] as const)('%s: linked while signed in, then the way in', async (provider) => {
    const here = await signedIn('ada@shop.example');
    const elsewhere = await signedIn('ada@shop.example');
    const linked = await link(here, provider);
    expect([linked.status, linked.body]).toEqual([201, { outcome: 'linked', next: '/account/security' }]);
    expect([await isLiving(here), await isLiving(elsewhere)]).toEqual([true, false]);

    const browser = openBrowser();
    const done = await signIn(browser, provider, { next: '/s/shop.example/analytics' });
    expect([done.status, done.body]).toEqual([201, { outcome: 'signed-in', next: '/s/shop.example/analytics' }]);
    const session = await browser.send('GET', '/api/session');
    expect((session.body.person as { email: string }).email).toBe('ada@shop.example');
    const list = (await browser.send('GET', '/api/account/identities')).body.identities as object[];
    expect(list).toContainEqual({
      id: expect.any(Number),
      provider,
      provider_name: { google: 'Google', github: 'GitHub', oidc: 'Shop login' }[provider],
      label: 'ada@shop.example',
      linked_at: expect.any(String),
      last_used_day: new Date().toISOString().slice(0, 10),
    });
  });

  it('the provider is told the code and who asks, and nothing of the person (SHR-03)', () => {
    const fields = (seen: Record<string, string>[]) => Object.keys(seen.at(-1) ?? {}).toSorted();
    const always = ['code', 'code_verifier', 'redirect_uri'];
    expect(fields(oidc.seen.tokens)).toEqual([...always, 'grant_type'].toSorted());
    expect(fields(google.seen.tokens)).toEqual([...always, 'grant_type'].toSorted());
    expect(fields(github.seen.tokens)).toEqual([...always, 'client_id', 'client_secret'].toSorted());
    expect(github.seen.requests.filter((one) => one.includes('/api/'))).toEqual(
      expect.arrayContaining(['GET /api/user', 'GET /api/user/emails']),
    );
  });

  it('an ID token by ES256, and an address that only the userinfo endpoint names', async () => {
    oidc.set({ algorithm: 'ES256', bareToken: true });
    expect((await signIn(openBrowser(), 'oidc')).body.outcome).toBe('signed-in');
  });

  it('what is stored opens nothing: neither a state, a cookie nor a subject can be read back (AUT-11)', async () => {
    const browser = openBrowser();
    const parameters = await visit(await begin(browser, 'oidc'));
    const { rows } = await owner.query<Record<string, unknown>>(
      'SELECT digest, browser_digest FROM sign_in_steps WHERE used_at IS NULL',
    );
    expect(rows.length).toBeGreaterThan(0);
    const stored = rows.flatMap((row) => Object.values(row) as Buffer[]);
    for (const text of [parameters.state ?? '', ...browser.cookies.values()])
      for (const value of stored) {
        expect(value.includes(Buffer.from(text, 'base64url'))).toBe(false);
        expect(value.toString('base64url')).not.toBe(text);
      }
    for (const value of stored) {
      const forger = openBrowser();
      forger.cookies.set('__Host-fairlead_provider', value.toString('base64url'));
      const tried = await answer(forger, 'oidc', { ...parameters, state: value.toString('base64url') });
      expect(tried.status).toBe(403);
    }
    const { person } = (await (await signedIn('ada@shop.example')).send('GET', '/api/session')).body;
    const { postgres } = desk.server.desk.house;
    const { id } = person as { id: number };
    const kept = await postgres.person(id, (sql) => sql.query('SELECT * FROM identities'));
    expect(kept.length).toBe(3);
    expect(JSON.stringify(kept)).not.toContain(ada.sub);
  });
});

describe('an answer that does not prove who signs in gives a sentence and no session (AUT-07)', () => {
  const sentence = {
    elsewhere: /begun in another browser/,
    issuer: /another issuer than Shop login/,
    unsigned: /not signed by Shop login/,
    old: /too old, or from the future/,
    audience: /meant for another program/,
    nonce: /belongs to another sign-in/,
    unverified: /has not verified an e-mail address/,
    away: /does not answer at the moment/,
  };
  const now = () => Math.floor(Date.now() / 1000);

  it('forged: the browser of the victim did not begin it (CSRF)', async () => {
    const parameters = await visit(await begin(openBrowser(), 'oidc'));
    const victim = openBrowser();
    await begin(victim, 'oidc');
    await expectRefused(victim, await answer(victim, 'oidc', parameters), 'sign_in_refused', sentence.elsewhere);
    const bare = openBrowser();
    await expectRefused(bare, await answer(bare, 'oidc', parameters), 'sign_in_refused', sentence.elsewhere);
  });

  it('forged: a state that this desk never gave out', async () => {
    const browser = openBrowser();
    const parameters = { ...(await visit(await begin(browser, 'oidc'))), state: 'x'.repeat(43) };
    await expectRefused(browser, await answer(browser, 'oidc', parameters), 'sign_in_refused', /did not begin this/);
  });

  it('replayed: the same answer a second time, by the same browser', async () => {
    const browser = openBrowser();
    const kept = new Map(browser.cookies);
    const parameters = await visit(await begin(browser, 'oidc'));
    const cookie = [...browser.cookies];
    expect((await answer(browser, 'oidc', parameters)).status).toBe(201);
    const again = openBrowser();
    for (const [name, value] of [...kept, ...cookie]) again.cookies.set(name, value);
    await expectRefused(again, await answer(again, 'oidc', parameters), 'sign_in_refused', /counts once/);
  });

  it('replayed: a code that was exchanged before', async () => {
    const browser = openBrowser();
    const first = await visit(await begin(browser, 'oidc'));
    expect((await answer(browser, 'oidc', first)).status).toBe(201);
    const thief = openBrowser();
    const second = await visit(await begin(thief, 'oidc'));
    const tried = await answer(thief, 'oidc', { ...second, code: first.code });
    await expectRefused(thief, tried, 'sign_in_refused', /refused to confirm/);
  });

  it('a code of another browser, put into one’s own sign-in: its verifier is missing', async () => {
    const victim = await visit(await begin(openBrowser(), 'oidc'));
    const thief = openBrowser();
    const own = await visit(await begin(thief, 'oidc'));
    const tried = await answer(thief, 'oidc', { ...own, code: victim.code });
    await expectRefused(thief, tried, 'sign_in_refused', /refused to confirm/);
  });

  it('too late', async () => {
    const browser = openBrowser();
    const parameters = await visit(await begin(browser, 'oidc'));
    await owner.query("UPDATE sign_in_steps SET expires_at = now() - interval '1 second' WHERE used_at IS NULL");
    await expectRefused(browser, await answer(browser, 'oidc', parameters), 'sign_in_refused', /more than the time/i);
  });

  it('ten minutes are the most that a step lives', async () => {
    await begin(openBrowser(), 'github');
    const { rows } = await owner.query(
      "SELECT 1 FROM sign_in_steps WHERE expires_at > now() + interval '10 minutes 1 second'",
    );
    expect(rows).toEqual([]);
  });

  it('mixed up: begun with one provider, answered at the address of another', async () => {
    const browser = openBrowser();
    const parameters = await visit(await begin(browser, 'oidc'));
    const asked = google.seen.tokens.length;
    await expectRefused(browser, await answer(browser, 'google', parameters), 'sign_in_refused', /another provider/);
    expect(google.seen.tokens.length).toBe(asked);
  });

  const lies: [title: string, mischief: Partial<OpenIdMischief>, code: string, words: RegExp][] = [
    ['mixed up: iss names another', { issuerParameter: 'https://evil.example' }, 'sign_in_refused', sentence.issuer],
    ['mixed up: iss is left out', { issuerParameter: null }, 'sign_in_refused', sentence.issuer],
    ['a token of another issuer', { claims: { iss: 'https://evil.example' } }, 'sign_in_refused', sentence.issuer],
    ['a token for another program', { claims: { aud: 'desk-2' } }, 'sign_in_refused', sentence.audience],
    ['one for several', { claims: { aud: ['desk-1', 'desk-2'] } }, 'sign_in_refused', sentence.audience],
    ['one that another asked for', { claims: { azp: 'desk-2' } }, 'sign_in_refused', sentence.audience],
    ['one that has expired', { claims: { exp: now() - 120 } }, 'sign_in_refused', sentence.old],
    ['one from the future', { claims: { iat: now() + 300 } }, 'sign_in_refused', sentence.old],
    ['one from long ago', { claims: { iat: now() - 3_600 } }, 'sign_in_refused', sentence.old],
    ['the nonce of another', { claims: { nonce: 'another' } }, 'sign_in_refused', sentence.nonce],
    ['no nonce', { claims: { nonce: null } }, 'sign_in_refused', sentence.nonce],
    ['no subject', { claims: { sub: '' } }, 'sign_in_refused', sentence.unsigned],
    ['another key', { signature: 'other-key' }, 'sign_in_refused', sentence.unsigned],
    ['no signature', { signature: 'none' }, 'sign_in_refused', sentence.unsigned],
    ['the secret as a key', { signature: 'hs256' }, 'sign_in_refused', sentence.unsigned],
    ['the hash of another token', { wrongHash: true }, 'sign_in_refused', sentence.unsigned],
    ['an unverified address', { user: { email_verified: false } }, 'sign_in_refused', sentence.unverified],
    ['userinfo about somebody else', { bareToken: true, claims: { sub: 'eve' } }, 'sign_in_refused', sentence.unsigned],
    ['cancelled', { denies: true }, 'sign_in_refused', /was cancelled/],
    ['a token endpoint that is away', { fail: { '/token': 503 } }, 'provider_unavailable', sentence.away],
    ['one that refuses', { fail: { '/token': 400 } }, 'sign_in_refused', /refused to confirm/],
    ['a redirect in place of tokens', { fail: { '/token': 307 } }, 'sign_in_refused', /refused to confirm/],
  ];
  it.each(lies)('%s', async (_title, mischief, code, words) => {
    oidc.set(mischief);
    const browser = openBrowser();
    await expectRefused(browser, await signIn(browser, 'oidc'), code, words);
  });

  it('a minute of difference between two clocks is none', async () => {
    oidc.set({ claims: { iat: now() + 45, exp: now() - 30 } });
    expect((await signIn(openBrowser(), 'oidc')).body.outcome).toBe('signed-in');
  });

  it('GitHub: a primary address that is not verified, an answer that is none, and no answer in time', async () => {
    const slow = openBrowser();
    const slowly = await visit(await begin(slow, 'github'));
    const browser = openBrowser();
    github.set({ user: { emails: [{ email: 'ada@shop.example', primary: true, verified: false }] } });
    await expectRefused(browser, await signIn(browser, 'github'), 'sign_in_refused', sentence.unverified);
    github.set({ babbles: true });
    await expectRefused(browser, await signIn(browser, 'github'), 'provider_unavailable', /cannot be read/);
    github.reset();
    github.set({ slowMs: 6_500 });
    await expectRefused(slow, await answer(slow, 'github', slowly), 'provider_unavailable', sentence.away);
  });

  const leaving = ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'];
  it.each(leaving)('going to %s afterwards is refused', async (next) => {
    expect((await openBrowser().send('POST', '/api/sign-in/providers/oidc', { next })).status).toBe(400);
  });
});

describe('who an account elsewhere belongs to', () => {
  it('the same verified address links nothing: its person has to sign in first', async () => {
    oidc.set({ user: { sub: 'somebody', email: 'Bob@shop.example' } });
    const browser = openBrowser();
    const refused = await signIn(browser, 'oidc');
    await expectRefused(browser, refused, 'identity_not_linked', /Sign in with your password, then link/);
  });

  it('somebody new does not get in by having an account elsewhere', async () => {
    oidc.set({ user: { sub: 'eve', email: 'eve@elsewhere.example' } });
    const browser = openBrowser();
    await expectRefused(browser, await signIn(browser, 'oidc'), 'identity_not_linked', /Nobody here is linked/);
  });

  it('somebody new says what is left to say before anything is made, where the operator lets people in', async () => {
    await letIn('open');
    oidc.set({ user: { sub: 'nora', email: 'nora@yard.example' } });
    const browser = openBrowser();
    const waits = await signIn(browser, 'oidc');
    expect([waits.body.outcome, (await browser.send('GET', '/api/session')).status]).toEqual(['sign-up', 401]);
    const accepted = ['terms', 'privacy', 'processing'].map((kind) => ({ kind, version: '1' }));
    const complete = (is_adult: boolean) =>
      browser.send('POST', '/api/sign-ups/completions', {
        token: tokenOf(waits),
        ...{ name: 'Nora', organisation: 'Yard', agreement: { is_adult, accepted } },
      });
    expect((await complete(false)).status).toBe(400);
    expect((await complete(true)).body).toEqual({ slug: expect.stringMatching(/^yard/), is_new: true });
    expect((await complete(true)).status, 'once').toBe(410);
    oidc.set({ user: { sub: 'nora', email: 'nora@yard.example' } });
    expect((await signIn(openBrowser(), 'oidc')).body.outcome).toBe('signed-in');
    await letIn('off');
  });

  it('an invitation is taken up with an account elsewhere of the address that was invited, and of no other', async () => {
    const ada = await signedIn('ada@shop.example');
    const { organisations } = (await ada.send('GET', '/api/session')).body as { organisations: { id: number }[] };
    const sent = await ada.send('POST', `/api/organisations/${organisations[0]?.id}/invitations`, {
      ...{ email: 'ned@yard.example', role: 'analyst' },
    });
    const invitation = String(sent.body.link).split('/').at(-1);
    const other = openBrowser();
    oidc.set({ user: { sub: 'ned', email: 'ned@elsewhere.example' } });
    await expectRefused(other, await signIn(other, 'oidc', { invitation }), 'other_address', /another address/);
    const browser = openBrowser();
    oidc.set({ user: { sub: 'ned', email: 'Ned@yard.example' } });
    const waits = await signIn(browser, 'oidc', { invitation });
    const joined = await browser.send('POST', '/api/sign-ups/completions', {
      token: tokenOf(waits),
      ...{ name: 'Ned', agreement: { is_adult: false, accepted: [] } },
    });
    expect([joined.status, joined.body.is_new], JSON.stringify(joined.body)).toEqual([201, false]);
    const session = (await browser.send('GET', '/api/session')).body as { organisations: { role: string }[] };
    expect(session.organisations.map(({ role }) => role)).toEqual(['analyst']);
  });

  it('an account that is linked with one person cannot be linked with another', async () => {
    const bob = await signedIn('bob@shop.example');
    const refused = await link(bob, 'oidc');
    expect([refused.status, refused.body.error?.code]).toEqual([409, 'conflict']);
    expect((await bob.send('GET', '/api/account/identities')).body.identities).toEqual([]);
  });

  it('a link that was begun by one person is not finished by another who signed in meanwhile', async () => {
    const browser = await signedIn('ada@shop.example');
    const begun = await browser.send('POST', '/api/account/identity-links/google', {});
    const bob = await signedIn('bob@shop.example');
    for (const [name, value] of bob.cookies) browser.cookies.set(name, value);
    google.set({ user: { sub: 'another' } });
    const refused = await answer(browser, 'google', await visit(String(begun.body.url)));
    expect([refused.status, refused.body.error?.code]).toEqual([403, 'sign_in_refused']);
  });

  it('unlinked, it opens nothing; the last way in stays', async () => {
    const here = await signedIn('bob@shop.example');
    google.set({ user: { sub: 'bob', email: 'bob@shop.example' } });
    expect((await link(here, 'google')).status).toBe(201);
    const [only] = (await here.send('GET', '/api/account/identities')).body.identities as { id: number }[];
    const { postgres } = desk.server.desk.house;
    const { person } = (await here.send('GET', '/api/session')).body as { person: { id: number } };
    const path = `/api/account/identities/${only?.id}/removal`;
    const kept = await here.send('POST', path, {});
    expect([kept.status, kept.body.error?.message]).toEqual([409, expect.stringMatching(/last way to sign in/)]);
    expect((await signIn(openBrowser(), 'google')).body.outcome).toBe('signed-in');

    expect((await (await signedIn('ada@shop.example')).send('POST', path, {})).status).toBe(404);
    const password = 'a harbour of quiet rope';
    const hash = await desk.server.desk.accounts.passwords.hash(password);
    await postgres.person(person.id, (sql) =>
      sql.run('INSERT INTO passwords (person_id, hash, changed_at) VALUES ($1, $2, now())', [person.id, hash]),
    );
    // Who has a password gives it, however fresh the session.
    for (const path_ of [path, '/api/account/identity-links/oidc', '/api/account/passkey-options'])
      for (const body of [{}, { password: 'too short' }])
        expect((await here.send('POST', path_, body)).body.error, path_).toMatchObject({ field: 'password' });
    const elsewhere = await signedIn('bob@shop.example');
    expect((await here.send('POST', path, { password })).status).toBe(204);
    expect([await isLiving(here), await isLiving(elsewhere)], 'unlinked').toEqual([true, false]);
    const browser = openBrowser();
    await expectRefused(browser, await signIn(browser, 'google'), 'identity_not_linked', /has not linked/);
    await postgres.person(person.id, (sql) => sql.run('DELETE FROM passwords WHERE person_id = $1', [person.id]));
  });
});

describe('passkeys', () => {
  type Options = Parameters<Authenticator['create']>[0] & { challenge: string };
  const optionsOf = (made: Answer) => made.body.options as Options;
  async function register(browser: TestBrowser, authenticator: Authenticator, name: string, wrong = {}) {
    const options = optionsOf(await browser.send('POST', '/api/account/passkey-options', {}));
    const credential = authenticator.create(options, wrong);
    return browser.send('POST', '/api/account/passkeys', { name, credential });
  }
  async function use(browser: TestBrowser, authenticator: Authenticator, wrong = {}) {
    const options = optionsOf(await browser.send('POST', '/api/sign-in/passkeys/options'));
    return browser.send('POST', '/api/sign-in/passkeys', { credential: authenticator.get(options, wrong) });
  }

  it('made while signed in, sign in without a password, removed, refused; each change ends the other sessions (AUT-09)', async () => {
    const here = await signedIn('ada@shop.example');
    const elsewhere = await signedIn('ada@shop.example');
    const authenticator = openAuthenticator(origin);
    const options = optionsOf(await here.send('POST', '/api/account/passkey-options', {}));
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'Fairlead' },
      user: { name: 'ada@shop.example' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    });
    const made = await register(here, authenticator, 'Laptop');
    expect([made.status, made.body]).toMatchObject([201, { name: 'Laptop', synced: false, last_used_day: null }]);
    expect([await isLiving(here), await isLiving(elsewhere)], 'added').toEqual([true, false]);

    const browser = openBrowser();
    authenticator.counter = 1;
    const done = await use(browser, authenticator);
    expect([done.status, done.body]).toEqual([201, { outcome: 'signed-in', next: '/' }]);
    const session = await browser.send('GET', '/api/session');
    expect((session.body.person as { email: string }).email).toBe('ada@shop.example');
    const path = `/api/account/passkeys/${made.body.id}`;
    const remove = (one: TestBrowser) => one.send('POST', `${path}/removal`, {});
    expect((await browser.send('PATCH', path, { name: 'Old laptop' })).body).toMatchObject({
      name: 'Old laptop',
      last_used_day: new Date().toISOString().slice(0, 10),
    });
    expect((await remove(await signedIn('bob@shop.example'))).status).toBe(404);
    // Long signed in, and no password to give: only a fresh sign-in proves that it is still this person (ASVS 7.5.1).
    const { id } = session.body.person as { id: number };
    const age = (minutes: number) =>
      desk.server.desk.house.postgres.person(id, (sql) =>
        sql.run('UPDATE sessions SET started_at = started_at - make_interval(mins => $1)', [minutes]),
      );
    await age(11);
    for (const refused of [
      await remove(browser),
      await browser.send('POST', '/api/account/passkey-options', {}),
      await browser.send('POST', '/api/account/identity-links/google', {}),
    ])
      expect([refused.status, refused.body.error?.code]).toEqual([403, 'sign_in_again']);
    await age(-11);
    // An owner has to have a second factor, and a passkey is one.
    const last = await remove(browser);
    expect([last.status, last.body.error?.message]).toEqual([409, expect.stringMatching(/last second factor/)]);
    expect((await register(browser, openAuthenticator(origin), 'Other laptop')).status).toBe(201);
    const another = await signedIn('ada@shop.example');
    expect((await remove(browser)).status).toBe(204);
    expect([await isLiving(browser), await isLiving(another)], 'removed').toEqual([true, false]);
    const later = openBrowser();
    authenticator.counter = 2;
    await expectRefused(later, await use(later, authenticator), 'sign_in_refused', /not known here, or was removed/);
  });

  it('asked for as the second step after a provider, and only one of the same person will do', async () => {
    const authenticator = openAuthenticator(origin);
    expect((await register(await signedIn('ada@shop.example'), authenticator, 'Second step')).status).toBe(201);
    const strange = openAuthenticator(origin);
    expect((await register(await signedIn('bob@shop.example'), strange, 'Bob')).status).toBe(201);
    const browser = openBrowser();
    expect((await signIn(browser, 'oidc')).body.outcome).toBe('second-factor');
    expect((await browser.send('GET', '/api/session')).status).toBe(401);
    const step = async (by: Authenticator) => {
      const options = optionsOf(await browser.send('POST', '/api/sessions/second-factor/passkey-options'));
      return browser.send('POST', '/api/sessions/second-factor/passkey', { credential: by.get(options) });
    };
    await expectRefused(browser, await step(strange), 'sign_in_refused', /did not prove/);
    expect((await step(authenticator)).status).toBe(201);
    expect((await browser.send('GET', '/api/session')).status).toBe(200);
  });

  it('what is wrong with an answer is no sign-in', async () => {
    const here = await signedIn('ada@shop.example');
    const authenticator = openAuthenticator(origin);
    expect((await register(here, authenticator, 'Key', { userVerified: false })).status).toBe(400);
    expect((await register(here, authenticator, 'Key', { origin: 'https://evil.example' })).status).toBe(400);
    expect((await register(here, authenticator, 'Key', { crossOrigin: true })).status).toBe(400);
    expect((await register(here, authenticator, 'Key', { rpId: 'evil.example' })).status).toBe(400);
    expect((await register(here, authenticator, 'Key')).status).toBe(201);
    expect((await register(here, authenticator, 'Key')).status, 'a second time').toBe(409);
    authenticator.counter = 5;
    const wrongs: [object, RegExp][] = [
      [{ origin: 'https://evil.example' }, /did not prove/],
      [{ crossOrigin: true }, /did not prove/],
      [{ rpId: 'evil.example' }, /did not prove/],
      [{ userVerified: false }, /did not prove/],
      [{ signature: Buffer.alloc(70, 1) }, /did not prove/],
      [{ userHandle: Buffer.from('another').toString('base64url') }, /did not prove/],
      [{ challenge: Buffer.alloc(32, 7).toString('base64url') }, /did not begin/],
      [{ id: Buffer.alloc(16, 9).toString('base64url') }, /not known here/],
    ];
    for (const [wrong, words] of wrongs) {
      const browser = openBrowser();
      await expectRefused(browser, await use(browser, authenticator, wrong), 'sign_in_refused', words);
    }
  });

  it('a challenge is for one browser, once, and for five minutes', async () => {
    const authenticator = openAuthenticator(origin);
    const here = await signedIn('ada@shop.example');
    expect((await register(here, authenticator, 'Phone')).status).toBe(201);
    const browser = openBrowser();
    const options = optionsOf(await browser.send('POST', '/api/sign-in/passkeys/options'));
    const credential = authenticator.get(options);
    const thief = openBrowser();
    const stolen = await thief.send('POST', '/api/sign-in/passkeys', { credential });
    await expectRefused(thief, stolen, 'sign_in_refused', /another browser/);
    const cookies = [...browser.cookies];
    expect((await browser.send('POST', '/api/sign-in/passkeys', { credential })).status).toBe(201);
    const again = openBrowser();
    for (const [name, value] of cookies) again.cookies.set(name, value);
    const replayed = await again.send('POST', '/api/sign-in/passkeys', { credential });
    await expectRefused(again, replayed, 'sign_in_refused', /counts once/);
    const late = openBrowser();
    const lateOptions = optionsOf(await late.send('POST', '/api/sign-in/passkeys/options'));
    const { rows } = await owner.query(
      "SELECT 1 FROM sign_in_steps WHERE kind = 'passkey' AND expires_at > now() + interval '5 minutes 1 second'",
    );
    expect(rows).toEqual([]);
    await owner.query('UPDATE sign_in_steps SET expires_at = now() WHERE used_at IS NULL');
    const refused = await late.send('POST', '/api/sign-in/passkeys', { credential: authenticator.get(lateOptions) });
    await expectRefused(late, refused, 'sign_in_refused', /more than the time/i);
  });

  it('one whose counter does not grow was copied: refused', async () => {
    const authenticator = openAuthenticator(origin);
    expect((await register(await signedIn('ada@shop.example'), authenticator, 'Card')).status).toBe(201);
    authenticator.counter = 7;
    expect((await use(openBrowser(), authenticator)).status).toBe(201);
    for (const counter of [7, 3, 0]) {
      authenticator.counter = counter;
      const browser = openBrowser();
      await expectRefused(browser, await use(browser, authenticator), 'sign_in_refused', /as a copy would/);
    }
    authenticator.counter = 8;
    expect((await use(openBrowser(), authenticator)).status).toBe(201);
  });
});

it('each of these is in the audit trail of their organisation, and was mailed', async () => {
  const bob = await signedIn('bob@shop.example');
  const mine = (await bob.send('GET', '/api/session')).body as {
    person: { id: number };
    organisations: { id: number }[];
  };
  const { person, organisations } = mine;
  const { postgres } = desk.server.desk.house;
  const [acts, mails] = await postgres.within(
    { personId: person.id, organisationId: organisations[0]?.id as number },
    async (sql) => [
      await sql.query<{ action: string }>('SELECT action FROM audit.entries ORDER BY seq'),
      await sql.query<{ template: string }>('SELECT template FROM mail.messages ORDER BY id'),
    ],
  );
  expect(acts?.map((one) => 'action' in one && one.action)).toEqual(
    expect.arrayContaining([...['identity.linked', 'identity.unlinked', 'passkey.added']]),
  );
  const ada = (await (await signedIn('ada@shop.example')).send('GET', '/api/session')).body as unknown as typeof mine;
  const ofAda = await postgres.tenant(ada.organisations[0]?.id as number, (sql) =>
    sql.query<{ action: string }>("SELECT DISTINCT action FROM audit.entries WHERE action LIKE 'passkey.%' ORDER BY 1"),
  );
  expect(ofAda.map(({ action }) => action)).toEqual(['passkey.added', 'passkey.refused', 'passkey.removed']);
  expect(mails?.map((one) => 'template' in one && one.template)).toEqual(
    expect.arrayContaining(['identity_linked', 'identity_unlinked']),
  );
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

// The last of this file: from here on its address begins nothing more.
it('three hundred beginnings in a quarter of an hour are as many as one address gets', async () => {
  const throttles = openThrottles(desk.server.desk.house);
  for (let taken = 0; taken < beginLimit.most; taken++) await throttles.take(beginLimit, '127.0.0.1').catch(() => {});
  const refused = await openBrowser().send('POST', '/api/sign-in/providers/oidc', {});
  expect([refused.status, refused.body.error?.code]).toEqual([429, 'rate_limited']);
});
