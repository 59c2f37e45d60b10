import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openLinkedInEmulator } from './linkedin.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const dayMs = 86_400_000;
const back = 'https://desk.example/connections/linkedin/callback';
/** A vector of the reference. */
const email = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';

let linkedin: Emulated;
beforeAll(async () => {
  linkedin = await openLinkedInEmulator({
    ...{ now: () => now, chance: () => 0.99, tokens: ['good'] },
    accounts: [{ id: '501', name: 'Shop', currency: 'EUR', rules: [{ id: '104', name: 'Sale' }] }],
    apps: [{ id: 'app-1', secret: 'secret-1', redirectUris: [back] }],
  });
});
afterAll(() => linkedin.close());
beforeEach(() => {
  linkedin.admin('POST', '/reset', {});
});

const element = {
  ...{ conversion: 'urn:lla:llaPartnerConversion:104', conversionHappenedAt: now - 60_000, eventId: 'A-1' },
  conversionValue: { currencyCode: 'EUR', amount: '129.90' },
  user: { userIds: [{ idType: 'SHA256_EMAIL', idValue: email }] },
};
async function post(body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`${linkedin.url}/rest/conversionEvents`, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: {
      'content-type': 'application/json',
      'linkedin-version': '202603',
      authorization: 'Bearer good',
      ...headers,
    },
  });
  const text = await answer.text();
  return { status: answer.status, said: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
}
const batch = (...elements: object[]) => post({ elements }, { 'x-restli-method': 'BATCH_CREATE' });
const counted = () => (linkedin.admin('GET', '/counted') as { counted: object[] }).counted;

describe('conversions of LinkedIn', () => {
  it('are taken one by one, and in batches with a status each', async () => {
    expect((await post(element)).status).toBe(201);
    const { status, said } = await batch(element, { ...element, eventId: 'A-2' });
    expect([status, said]).toEqual([200, { elements: [{ status: 201 }, { status: 201 }] }]);
    expect(counted()).toEqual([
      { to: '104', event: null, id: 'A-1', received: 2 },
      { to: '104', event: null, id: 'A-2', received: 1 },
    ]);
  });
  it.each<[string, object, RegExp]>([
    ['a raw email', { user: { userIds: [{ idType: 'SHA256_EMAIL', idValue: 'alexz@example.com' }] } }, /not hashed/],
    ['nobody', { user: { userIds: [] } }, /nobody/],
    ['a mail address elsewhere', { eventId: 'a@b.de' }, /eventId/],
    ['ninety-one days', { conversionHappenedAt: now - 91 * dayMs }, /90 days/],
    ['seconds', { conversionHappenedAt: now / 1_000 }, /90 days/],
    ['a time to come', { conversionHappenedAt: now + dayMs }, /future/],
    ['an amount that is a number', { conversionValue: { currencyCode: 'EUR', amount: 12.5 } }, /amount/],
    ['another rule', { conversion: 'urn:lla:llaPartnerConversion:105' }, /rule/],
  ])('that are wrong stay behind, and the others are taken: %s', async (_what, change, message) => {
    const { said } = await batch(element, { ...element, ...change });
    expect(said.elements).toEqual([
      { status: 201 },
      { status: 400, error: expect.objectContaining({ message: expect.stringMatching(message) }) },
    ]);
    expect(counted()).toHaveLength(1);
    expect((await post({ ...element, ...change })).status).toBe(400);
  });
  it.each([
    [{ 'linkedin-version': '' }, 400],
    [{ 'linkedin-version': '202401' }, 426],
    [{ authorization: 'Bearer else' }, 401],
  ])('need a version and a token: %j', async (headers, status) => {
    expect((await post(element, headers)).status).toBe(status);
  });
  it('are five thousand of a batch at most', async () => {
    expect((await batch(...Array(5_001).fill(element))).status).toBe(400);
  });
});

describe('a login of LinkedIn', () => {
  const client = { client_id: 'app-1', client_secret: 'secret-1' };
  const ask = async (path: string, fields: Record<string, string>) => {
    const body = new URLSearchParams({ ...client, ...fields });
    const answer = await fetch(`${linkedin.url}/oauth/v2/${path}`, { method: 'POST', body });
    return (await answer.json()) as Record<string, string | number>;
  };
  const connect = async (scope: string) => {
    linkedin.admin('POST', '/platform', { consent: 'allow' });
    const query = new URLSearchParams({ client_id: 'app-1', redirect_uri: back, response_type: 'code', scope });
    const url = `${linkedin.url}/oauth/v2/authorization?${query}`;
    const location = new URL((await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '');
    const code = location.searchParams.get('code') ?? '';
    return ask('accessToken', { grant_type: 'authorization_code', code, redirect_uri: back });
  };
  const status = async (token: unknown) => (await post(element, { authorization: `Bearer ${token}` })).said;

  it('gives tokens of 60 days, and what renews them for a year that a renewal does not lengthen', async () => {
    const given = await connect('rw_conversions');
    expect(given).toMatchObject({ expires_in: 5_184_000, refresh_token_expires_in: 31_536_000 });
    expect(await status(given.access_token)).toEqual({});
    linkedin.admin('POST', '/clock', { advance: 60 * dayMs });
    expect(await status(given.access_token)).toMatchObject({ status: 401, serviceErrorCode: 65_602 });
    const fields = { grant_type: 'refresh_token', refresh_token: String(given.refresh_token) };
    expect(await ask('accessToken', fields)).toMatchObject({ refresh_token_expires_in: 305 * 86_400 });
    linkedin.admin('POST', '/clock', { advance: 305 * dayMs });
    expect(await ask('accessToken', fields)).toMatchObject({ error: 'invalid_grant' });
  });
  it('gives an app that is no partner tokens alone, and for as long as it is told to', async () => {
    linkedin.admin('POST', '/platform', { accessDays: 12, isPartner: false });
    const given = await connect('rw_conversions');
    expect(given).toMatchObject({ expires_in: 12 * 86_400 });
    expect(given).not.toHaveProperty('refresh_token');
    linkedin.admin('POST', '/reset', {});
    expect(await connect('rw_conversions')).toMatchObject({ expires_in: 5_184_000, refresh_token: expect.any(String) });
  });
  it('shows accounts and their rules to whoever may read', async () => {
    const get = async (path: string, token: unknown) => {
      const headers = { authorization: `Bearer ${token}`, 'linkedin-version': '202603' };
      const answer = await fetch(`${linkedin.url}/rest/${path}`, { headers });
      return { status: answer.status, said: (await answer.json()) as Record<string, unknown> };
    };
    const { access_token: token } = await connect('r_ads');
    expect((await get('adAccounts?q=search&pageSize=1', token)).said).toEqual({
      elements: [{ id: 501, name: 'Shop', currency: 'EUR', status: 'ACTIVE', type: 'BUSINESS' }],
      metadata: {},
    });
    expect((await get('conversions?q=account&account=urn:li:sponsoredAccount:501', token)).said.elements).toEqual([
      { id: 104, name: 'Sale', enabled: true, conversionMethod: 'CONVERSIONS_API' },
    ]);
    expect((await get('conversions?q=account&account=urn:li:sponsoredAccount:502', token)).status).toBe(403);
    expect((await get('adAccounts?q=search', (await connect('rw_conversions')).access_token)).status).toBe(403);
  });
  it('lets nobody send without the scope, nor after the token was taken back', async () => {
    expect(await status((await connect('r_ads')).access_token)).toMatchObject({ status: 403, serviceErrorCode: 100 });
    const { access_token: token } = await connect('rw_conversions r_ads');
    expect(await ask('introspectToken', { token: String(token) })).toMatchObject({
      ...{ active: true, scope: 'rw_conversions,r_ads', expires_at: now / 1_000 + 5_184_000 },
    });
    await ask('revoke', { token: String(token) });
    expect(await status(token)).toMatchObject({ status: 401, serviceErrorCode: 65_601 });
    expect(await ask('introspectToken', { token: String(token) })).toMatchObject({ active: false, status: 'revoked' });
  });
});
