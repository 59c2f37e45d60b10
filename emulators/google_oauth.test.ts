import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openDataManagerEmulator } from './data_manager.ts';
import { openGoogleOAuthEmulator } from './google_oauth.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const back = 'https://desk.example/connections/google/callback';
const verifier = 'v'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');
const manager = 'https://www.googleapis.com/auth/datamanager';
const ads = 'https://www.googleapis.com/auth/adwords';
const app = { id: 'app-1', secret: 'secret-1', redirectUris: [back] };

let google: Awaited<ReturnType<typeof openGoogleOAuthEmulator>>;
beforeAll(async () => {
  google = await openGoogleOAuthEmulator({ now: () => now, chance: () => 0.99, apps: [app] });
});
afterAll(() => google.close());
beforeEach(() => {
  google.admin('POST', '/reset', {});
  platform({ consent: 'allow' });
});

function platform(change: object) {
  google.admin('POST', '/platform', change);
}
const asked = {
  ...{ client_id: 'app-1', redirect_uri: back, response_type: 'code', scope: manager, state: 'st-1' },
  ...{ access_type: 'offline', prompt: 'consent', code_challenge: challenge, code_challenge_method: 'S256' },
};
function authorise(change: Record<string, string | undefined> = {}, init: RequestInit = {}) {
  const query = new URLSearchParams(
    Object.entries({ ...asked, ...change }).filter((each): each is [string, string] => each[1] !== undefined),
  );
  const url = `${google.url}/o/oauth2/v2/auth${init.method === 'POST' ? '' : `?${query}`}`;
  return fetch(url, { redirect: 'manual', ...init });
}
/** Where the browser is sent, by parameter. */
async function sentBack(change?: Record<string, string | undefined>): Promise<Record<string, string>> {
  const location = (await authorise(change)).headers.get('location') ?? '';
  return { at: location.split('?')[0] ?? '', ...Object.fromEntries(new URL(location).searchParams) };
}
async function post(path: string, fields: Record<string, string>) {
  const answer = await fetch(google.url + path, { method: 'POST', body: new URLSearchParams(fields) });
  return { status: answer.status, said: (await answer.json()) as Record<string, string> };
}
const client = { client_id: 'app-1', client_secret: 'secret-1' };
function exchange(code = '', change: object = {}) {
  const grant = { grant_type: 'authorization_code', code, redirect_uri: back, code_verifier: verifier };
  return post('/token', { ...client, ...grant, ...change });
}
function refresh(token = '', change: object = {}) {
  return post('/token', { ...client, grant_type: 'refresh_token', refresh_token: token, ...change });
}
async function connect(change?: Record<string, string | undefined>) {
  return (await exchange((await sentBack(change)).code)).said;
}

describe('asking somebody', () => {
  it('sends a code and the state back, and gives tokens for the code once', async () => {
    const { at, state, code } = await sentBack();
    expect([at, state]).toEqual([back, 'st-1']);
    const { status, said } = await exchange(code);
    expect(status).toBe(200);
    expect(said).toEqual({
      access_token: expect.stringMatching(/^ya29\..{43}$/),
      refresh_token: expect.any(String),
      expires_in: 3_600,
      token_type: 'Bearer',
      scope: manager,
    });
    expect((await exchange(code)).said.error).toBe('invalid_grant');
    // And a code that comes twice takes its tokens with it.
    expect(google.scopesOf(said.access_token ?? '')).toBeUndefined();
  });
  it('has a page that is answered by hand, scope by scope', async () => {
    platform({ consent: 'ask' });
    const page = await authorise({ scope: `${manager} ${ads}`, state: '"><script>' });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const markup = await page.text();
    expect(markup).not.toContain('<script>');
    // As a browser reads the form.
    const plain = (text = '') => text.replace(/&#(\d+);/g, (_, number) => String.fromCharCode(number));
    const named = [...markup.matchAll(/type="(hidden|checkbox)" name="([^"]+)" value="([^"]*)"/g)];
    const filled = named.map(([, , name, value]): [string, string] => [plain(name), plain(value)]);
    expect(Object.fromEntries(filled)).toEqual({
      ...asked,
      scope: `${manager} ${ads}`,
      state: '"><script>',
      grant: ads,
    });
    // And one is unticked.
    const ticked = filled.filter(([name, value]) => name !== 'grant' || value !== manager);
    const fields = new URLSearchParams([...ticked, ['user', 'user-1'], ['answer', 'allow']]);
    const location = new URL((await authorise({}, { method: 'POST', body: fields })).headers.get('location') ?? '');
    expect(location.searchParams.get('state')).toBe('"><script>');
    expect((await exchange(location.searchParams.get('code') ?? '')).said.scope).toBe(ads);
    const no = new URLSearchParams({ ...asked, answer: 'deny' });
    const denied = new URL((await authorise({}, { method: 'POST', body: no })).headers.get('location') ?? '');
    expect(Object.fromEntries(denied.searchParams)).toMatchObject({ error: 'access_denied', state: 'st-1' });
  });
  it('is answered at once where a test says how', async () => {
    platform({ grants: [manager] });
    expect((await connect({ scope: `${manager} ${ads}` })).scope).toBe(manager);
    platform({ consent: 'deny' });
    expect(await sentBack()).toMatchObject({ error: 'access_denied', state: 'st-1' });
  });
  it('adds what was granted before, where that is asked', async () => {
    await connect();
    expect((await connect({ scope: ads })).scope).toBe(ads);
    expect((await connect({ scope: ads, include_granted_scopes: 'true' })).scope?.split(' ').sort()).toEqual([
      ads,
      manager,
    ]);
  });
  it.each([
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a scope that is none', { scope: 'datamanager' }, 'invalid_scope'],
    ['no scope', { scope: undefined }, 'invalid_scope'],
    ['a token at once', { response_type: 'token' }, 'unsupported_response_type'],
  ])('refuses %s, and says it to the app', async (_what, change, error) => {
    expect(await sentBack(change)).toMatchObject({ at: back, error, state: 'st-1' });
  });
  it.each([
    ['an app that nobody knows', { client_id: 'app-2' }],
    ['an address that is not the app’s', { redirect_uri: `${back}/more` }],
  ])('says %s to the person alone', async (_what, change) => {
    const answer = await authorise(change);
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  });
});

describe('tokens', () => {
  it.each([
    ['another verifier', { code_verifier: 'w'.repeat(43) }, 400, 'invalid_grant'],
    ['no verifier', { code_verifier: '' }, 400, 'invalid_grant'],
    ['another address', { redirect_uri: 'https://desk.example/' }, 400, 'redirect_uri_mismatch'],
    ['another secret', { client_secret: 'no' }, 401, 'invalid_client'],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('are not given for %s', async (_what, change, status, error) => {
    const { code } = await sentBack();
    const answer = await exchange(code, change);
    expect([answer.status, answer.said.error]).toEqual([status, error]);
  });
  it('are not given for a code that is eleven minutes old, nor to a body that is no form', async () => {
    const { code } = await sentBack();
    google.admin('POST', '/clock', { advance: 11 * 60_000 });
    expect((await exchange(code)).said.error).toBe('invalid_grant');
    const json = await fetch(`${google.url}/token`, { method: 'POST', body: JSON.stringify(client) });
    expect(json.status).toBe(400);
  });
  it('are renewed, in turn: the one before is good until its successor was used', async () => {
    const first = await connect();
    const second = (await refresh(first.refresh_token)).said;
    expect(second.refresh_token).not.toBe(first.refresh_token);
    // The answer may have been lost.
    const again = (await refresh(first.refresh_token)).said;
    expect((await refresh(again.refresh_token)).status).toBe(200);
    // From here on the first is one that somebody else has.
    expect((await refresh(first.refresh_token)).said.error).toBe('invalid_grant');
    expect((await refresh(second.refresh_token)).said.error).toBe('invalid_grant');
    expect(google.scopesOf(second.access_token ?? '')).toBeUndefined();
  });
  it('stay the same where rotation is off', async () => {
    platform({ rotates: false });
    const { refresh_token: token } = await connect();
    expect((await refresh(token)).said.refresh_token).toBe(token);
    expect((await refresh(token)).status).toBe(200);
  });
  it('live an hour by the emulator’s clock', async () => {
    const { access_token: token = '', refresh_token: renewing } = await connect({ scope: `${manager} email` });
    const asks = async () => (await fetch(`${google.url}/tokeninfo?access_token=${token}`)).json();
    expect(await asks()).toMatchObject({
      ...{ aud: 'app-1', scope: `${manager} email`, expires_in: '3600', access_type: 'offline' },
      email: 'user-1@example.com',
    });
    google.admin('POST', '/clock', { advance: 3_599_999 });
    expect(google.scopesOf(token)).toEqual([manager, 'email']);
    google.admin('POST', '/clock', { advance: 1 });
    expect(google.scopesOf(token)).toBeUndefined();
    expect(await asks()).toMatchObject({ error: 'invalid_token' });
    expect((await refresh(renewing)).status).toBe(200);
  });
  it('are not renewed after seven days of a consent screen in testing', async () => {
    platform({ isTesting: true });
    const { refresh_token: token } = await connect();
    google.admin('POST', '/clock', { advance: 7 * 86_400_000 });
    expect((await refresh(token)).said.error).toBe('invalid_grant');
  });
  it('to renew by are given offline alone, and a second time only to whom consent was asked again', async () => {
    expect((await connect({ access_type: undefined })).refresh_token).toBeUndefined();
    platform({ user: 'user-2' });
    expect((await connect({ prompt: undefined })).refresh_token).toBeDefined();
    expect((await connect({ prompt: undefined })).refresh_token).toBeUndefined();
    expect((await connect()).refresh_token).toBeDefined();
  });
  it('end when they are taken back, with all that their user gave the app', async () => {
    const [one, two] = [await connect(), await connect({ scope: ads })];
    platform({ user: 'user-2' });
    const other = await connect();
    expect(await post('/revoke', { token: one.refresh_token ?? '' })).toEqual({ status: 200, said: {} });
    expect((await refresh(one.refresh_token)).said).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(two.refresh_token)).status).toBe(400);
    expect(google.scopesOf(two.access_token ?? '')).toBeUndefined();
    expect((await refresh(other.refresh_token)).status).toBe(200);
    expect(await post('/revoke', { token: one.refresh_token ?? '' })).toMatchObject({ status: 400 });
  });
  it('are good at Data Manager for the scope that was granted, and nowhere else', async () => {
    const data: Emulated = await openDataManagerEmulator({
      ...{ now: () => now, chance: () => 0.99, tokens: {}, accounts: {}, issued: google.scopesOf },
    });
    const status = async (token = '') => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${data.url}/v1/requestStatus:retrieve?requestId=none`, { headers })).status;
    };
    const right = await connect();
    expect([await status(right.access_token), await status((await connect({ scope: ads })).access_token)]).toEqual([
      400, 403,
    ]);
    await post('/revoke', { token: right.access_token ?? '' });
    expect(await status(right.access_token)).toBe(401);
    await data.close();
  });
});
