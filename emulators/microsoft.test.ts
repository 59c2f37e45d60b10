import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openMicrosoftEmulator } from './microsoft.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const back = 'https://desk.example/connections/microsoft/callback';
/** A vector of the reference. */
const email = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';

let microsoft: Emulated;
beforeAll(async () => {
  microsoft = await openMicrosoftEmulator({
    ...{ now: () => now, chance: () => 0.99, tags: { '187': 'good', '188': 'other' } },
    accounts: [{ id: '601', name: 'Shop', currency: 'EUR', customer: '60', tags: [{ id: '187', name: 'Shop tag' }] }],
    apps: [{ id: 'app-1', secret: 'secret-1', redirectUris: [back] }],
  });
});
afterAll(() => microsoft.close());
beforeEach(() => {
  microsoft.admin('POST', '/reset', {});
});

const event = {
  ...{ eventType: 'custom', eventName: 'purchase', eventTime: now / 1_000 - 60, eventId: 'A-1', adStorageConsent: 'G' },
  ...{ userData: { em: email, msclkid: 'dd4a' }, customData: { value: 129.9, currency: 'EUR' } },
};
async function post(data: unknown, { token = 'good', tag = '187' } = {}) {
  const answer = await fetch(`${microsoft.url}/v1/${tag}/events`, {
    ...{ method: 'POST', body: JSON.stringify({ data }) },
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
  const said = (await answer.json()) as { eventsReceived: number; error: { code: string; details: object[] } };
  return { status: answer.status, said };
}
const counted = () => (microsoft.admin('GET', '/counted') as { counted: object[] }).counted;

describe('events of Microsoft', () => {
  it('are taken up to a thousand, and count once for a tag', async () => {
    const many = Array.from({ length: 1_000 }, (_, at) => ({ ...event, eventId: `A-${at}` }));
    expect(await post(many)).toEqual({ status: 200, said: { eventsReceived: 1_000 } });
    await post([event]);
    await post([event], { tag: '188', token: 'other' });
    expect(counted()).toHaveLength(1_001);
    expect(counted()[1]).toEqual({ to: '187', event: 'purchase', id: 'A-1', received: 2 });
  });
  it.each<[string, object, string]>([
    ['a raw email', { userData: { em: 'alexz@example.com' } }, 'userData.em'],
    ['a raw phone', { userData: { ph: '18005550100' } }, 'userData.ph'],
    ['a mail address elsewhere', { customData: { plan: 'a@b.de' } }, 'customData.plan'],
    ['milliseconds', { eventTime: now }, 'eventTime'],
    ['another type', { eventType: 'purchase' }, 'eventType'],
    ['consent by its word', { adStorageConsent: 'granted' }, 'adStorageConsent'],
    ['a value as text', { customData: { value: '1' } }, 'customData.value'],
  ])('are refused, all of them, and the row is named: %s', async (_what, change, propertyName) => {
    const { status, said } = await post([event, { ...event, ...change }]);
    expect([status, said.error.code]).toEqual([400, 'InvalidRequest']);
    expect(said.error.details).toEqual([
      { index: 1, propertyName, errorCode: expect.any(String), errorMessage: expect.any(String), isWarning: false },
    ]);
    expect(counted()).toEqual([]);
  });
  it('need the token of their tag, the pilot, and no more than a thousand', async () => {
    expect((await post([event], { tag: '188' })).status).toBe(401);
    expect((await post(Array(1_001).fill(event))).said.error.code).toBe('BadRequest');
    expect((await post(undefined)).status).toBe(400);
    microsoft.admin('POST', '/platform', { isPilot: false });
    expect((await post([event])).status).toBe(403);
  });
});

describe('a login of Microsoft', () => {
  const ask = async (fields: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: 'app-1', client_secret: 'secret-1', ...fields });
    const answer = await fetch(`${microsoft.url}/common/oauth2/v2.0/token`, { method: 'POST', body });
    return { status: answer.status, said: (await answer.json()) as Record<string, string> };
  };
  const connect = async (scope: string) => {
    microsoft.admin('POST', '/platform', { consent: 'allow' });
    const query = new URLSearchParams({ client_id: 'app-1', redirect_uri: back, response_type: 'code', scope });
    const url = `${microsoft.url}/common/oauth2/v2.0/authorize?${query}`;
    const location = new URL((await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '');
    const code = location.searchParams.get('code') ?? '';
    return (await ask({ grant_type: 'authorization_code', code, redirect_uri: back, scope })).said;
  };
  const manage = 'https://ads.microsoft.com/msads.manage';

  it('gives what renews a token where offline access was asked for, and renews for 90 days', async () => {
    expect((await connect(manage)).refresh_token).toBeUndefined();
    const { refresh_token: token = '' } = await connect(`${manage} offline_access`);
    const renew = (scope = manage) => ask({ grant_type: 'refresh_token', refresh_token: token, scope });
    expect(await renew('')).toMatchObject({ status: 400, said: { error: 'invalid_request' } });
    expect((await renew()).said).toMatchObject({ expires_in: 3_600, refresh_token: expect.any(String) });
    microsoft.admin('POST', '/clock', { advance: 90 * 86_400_000 });
    expect(await renew()).toMatchObject({ status: 400, said: { error: 'invalid_grant' } });
  });
  it('shows accounts and tags to whoever manages them', async () => {
    const { access_token: token } = await connect(manage);
    const read = async (path: string, headers: Record<string, string> = {}, by = token) => {
      const answer = await fetch(microsoft.url + path, {
        ...{ method: 'POST', body: JSON.stringify({ PageInfo: { Index: 0, Size: 10 } }) },
        headers: { 'content-type': 'application/json', authorization: `Bearer ${by}`, ...headers },
      });
      return (await answer.json()) as object;
    };
    expect(await read('/CustomerManagement/v13/User/Query')).toMatchObject({ User: { Id: '1001' } });
    expect(await read('/CustomerManagement/v13/Accounts/Search')).toMatchObject({
      Accounts: [{ Id: '601', CurrencyCode: 'EUR', ParentCustomerId: '60', AccountLifeCycleStatus: 'Active' }],
    });
    const tags = '/CampaignManagement/v13/UetTags/QueryByIds';
    expect(await read(tags, { customeraccountid: '601' })).toMatchObject({ UetTags: [{ Id: '187' }] });
    expect(await read(tags, { customeraccountid: '601' }, 'else')).toMatchObject({ Errors: [{ Code: 105 }] });
  });
});
