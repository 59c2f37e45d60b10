import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openMetaEmulator } from './meta.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const back = 'https://desk.example/connections/meta/callback';
const account = { currency: 'EUR', timezone: 'Europe/Berlin', status: 1, business: '700' };

let meta: Emulated;
beforeAll(async () => {
  meta = await openMetaEmulator({
    ...{ now: () => now, chance: () => 0.99, datasets: ['900'], tokens: { pasted: 'valid' } },
    login: {
      apps: [{ id: '42', secret: 'secret-1', redirectUris: [back] }],
      accounts: [
        { ...account, id: '1', name: 'Shop', pixels: [{ id: '900', name: 'Shop pixel' }] },
        { ...account, id: '2', name: 'Shop abroad', pixels: [], status: 2, business: '701' },
      ],
    },
  });
});
afterAll(() => meta.close());
beforeEach(() => {
  meta.admin('POST', '/reset', {});
  meta.admin('POST', '/platform', { consent: 'allow' });
});

type Said = Record<string, unknown> & { error: Record<string, unknown>; data: Record<string, unknown> };
async function ask(path: string, { token, method = 'GET' }: { token?: string; method?: string } = {}) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(meta.url + path, { method, headers });
  return { status: answer.status, said: (await answer.json()) as Said };
}
async function codeFor(scope = 'ads_management,business_management'): Promise<string> {
  const query = new URLSearchParams({ client_id: '42', redirect_uri: back, state: 'st-1', scope });
  const answer = await fetch(`${meta.url}/v25.0/dialog/oauth?${query}`, { redirect: 'manual' });
  const location = new URL(answer.headers.get('location') ?? '');
  expect(location.searchParams.get('state')).toBe('st-1');
  return location.searchParams.get('code') ?? '';
}
const client = { client_id: '42', client_secret: 'secret-1' };
function exchange(fields: Record<string, string>) {
  return ask(`/v25.0/oauth/access_token?${new URLSearchParams({ ...client, ...fields })}`);
}
async function connect(scope?: string): Promise<string> {
  return String((await exchange({ redirect_uri: back, code: await codeFor(scope) })).said.access_token);
}
function lengthen(token: string) {
  return exchange({ grant_type: 'fb_exchange_token', fb_exchange_token: token });
}
async function debug(token: string) {
  return (await ask(`/v25.0/debug_token?input_token=${token}`, { token: '42|secret-1' })).said.data;
}

describe('a login of Meta', () => {
  it('gives a token of two hours for a code, and one of 60 days for that', async () => {
    const short = await exchange({ redirect_uri: back, code: await codeFor() });
    expect(short.said).toEqual({ access_token: expect.any(String), token_type: 'bearer', expires_in: 7_200 });
    const long = await lengthen(String(short.said.access_token));
    expect(long.said.expires_in).toBe(5_183_944);
    expect(long.said.access_token).not.toBe(short.said.access_token);
    meta.admin('POST', '/clock', { advance: 2 * hourMs });
    expect((await lengthen(String(short.said.access_token))).said.error).toMatchObject({
      code: 190,
      error_subcode: 463,
    });
    expect(await debug(String(long.said.access_token))).toMatchObject({ is_valid: true, app_id: '42' });
  });
  it('lengthens a long token once a day has gone by', async () => {
    const long = String((await lengthen(await connect())).said.access_token);
    expect((await lengthen(long)).said).toMatchObject({ access_token: long, expires_in: 5_183_944 });
    meta.admin('POST', '/clock', { advance: dayMs });
    const longer = await lengthen(long);
    expect(longer.said.access_token).not.toBe(long);
    expect(longer.said.expires_in).toBe(5_183_944);
  });
  it.each([
    ['another secret', { client_secret: 'no' }, 1, undefined],
    ['another app', { client_id: '43' }, 101, undefined],
    ['another address', { redirect_uri: 'https://desk.example/' }, 100, 36_008],
    ['a code that is none', { code: 'none' }, 100, 36_008],
  ])('refuses %s', async (_what, change, code, subcode) => {
    const { status, said } = await exchange({ redirect_uri: back, code: await codeFor(), ...change });
    expect([status, said.error.code, said.error.error_subcode]).toEqual([400, code, subcode]);
  });
  it('takes a code once, and within ten minutes', async () => {
    const [code, late] = [await codeFor(), await codeFor()];
    expect((await exchange({ redirect_uri: back, code })).status).toBe(200);
    expect((await exchange({ redirect_uri: back, code })).said.error.error_subcode).toBe(36_009);
    meta.admin('POST', '/clock', { advance: 600_001 });
    expect((await exchange({ redirect_uri: back, code: late })).said.error.error_subcode).toBe(36_007);
  });
  it('asks for everything where a configuration stands for it', async () => {
    const query = new URLSearchParams({ client_id: '42', redirect_uri: back, state: 'st-1', config_id: '5' });
    const answer = await fetch(`${meta.url}/v25.0/dialog/oauth?${query}`, { redirect: 'manual' });
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const { said } = await exchange({ redirect_uri: back, code });
    expect((await debug(String(said.access_token))).scopes).toContain('business_management');
  });
  it('says what a token may and until when', async () => {
    const token = await connect('ads_read');
    expect(await debug(token)).toEqual({
      ...{ app_id: '42', type: 'USER', application: 'Emulated app', user_id: 'user-1', is_valid: true },
      ...{ issued_at: now / 1_000, expires_at: now / 1_000 + 7_200, data_access_expires_at: now / 1_000 + 90 * 86_400 },
      scopes: ['ads_read'],
    });
    expect((await ask('/v25.0/debug_token?input_token=x', { token: 'else' })).said.error.code).toBe(190);
    expect(await debug('else')).toMatchObject({ is_valid: false, error: { code: 190 } });
  });
  it('takes everything back at once', async () => {
    const token = await connect();
    expect((await ask('/v25.0/me/permissions', { token, method: 'DELETE' })).said).toEqual({ success: true });
    expect((await ask('/v25.0/me/adaccounts', { token })).said.error).toMatchObject({ code: 190, error_subcode: 458 });
    expect(await debug(token)).toMatchObject({ is_valid: false, error: { subcode: 458 } });
  });
});

describe('what a token of the login opens', () => {
  it('ad accounts, by the fields that were asked for, page by page', async () => {
    const token = await connect('ads_read');
    const fields = 'account_id,name,currency,timezone_name,account_status';
    const first = await ask(`/v25.0/me/adaccounts?fields=${fields}&limit=1`, { token });
    expect(first.said.data).toEqual([
      {
        ...{ id: 'act_1', account_id: '1', name: 'Shop', currency: 'EUR', timezone_name: 'Europe/Berlin' },
        account_status: 1,
      },
    ]);
    expect(first.said.paging).toMatchObject({ cursors: { after: '1' }, next: expect.any(String) });
    expect((await ask('/v25.0/me/adaccounts?limit=1&after=1', { token })).said.data).toEqual([
      { id: 'act_2', account_id: '2' },
    ]);
    expect((await ask('/v25.0/me/adaccounts?fields=budget', { token })).said.error.code).toBe(100);
  });
  it('pixels of an account and of a business', async () => {
    const token = await connect();
    const pixels = [{ id: '900', name: 'Shop pixel' }];
    expect((await ask('/v25.0/act_1/adspixels?fields=id,name', { token })).said.data).toEqual(pixels);
    expect((await ask('/v25.0/act_2/adspixels', { token })).said.data).toEqual([]);
    expect((await ask('/v25.0/700/owned_pixels?fields=name', { token })).said.data).toEqual(pixels);
    expect((await ask('/v25.0/act_3/adspixels', { token })).said.error).toMatchObject({ code: 100, error_subcode: 33 });
  });
  it.each([
    ['me/adaccounts', 'business_management'],
    ['act_1/adspixels', 'business_management'],
    ['700/owned_pixels', 'ads_management'],
  ])('not %s with %s', async (path, scope) => {
    const { status, said } = await ask(`/v25.0/${path}`, { token: await connect(scope) });
    expect([status, said.error.code]).toEqual([403, 200]);
  });
  it('not by a token in the address', async () => {
    const token = await connect();
    expect((await ask(`/v25.0/me/adaccounts?access_token=${token}`)).said.error.code).toBe(190);
  });
  it('events, where it may write; a pasted one always', async () => {
    const event = {
      ...{ event_name: 'Lead', event_time: now / 1_000, action_source: 'other', event_id: 'e-1' },
      user_data: { external_id: 'C-77' },
    };
    const send = async (token: string) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const body = JSON.stringify({ data: [event] });
      return (await fetch(`${meta.url}/v25.0/900/events`, { method: 'POST', headers, body })).status;
    };
    expect(await send('pasted')).toBe(200);
    expect(await send(await connect())).toBe(200);
    expect(await send(await connect('ads_read'))).toBe(403);
    expect(meta.admin('GET', '/counted')).toEqual({
      counted: [{ to: '900', event: 'Lead', id: 'e-1', received: 2 }],
    });
  });
});
