import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openTikTokEmulator } from './tiktok.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const back = 'https://desk.example/connections/tiktok/callback';
/** A vector of the reference. */
const email = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';

let tiktok: Emulated;
beforeAll(async () => {
  tiktok = await openTikTokEmulator({
    ...{ now: () => now, chance: () => 0.99, tokens: ['good'] },
    apps: [{ id: '71', secret: 'secret-1', redirectUris: [back] }],
    advertisers: [{ id: '801', name: 'Shop', pixels: [{ code: 'C4A1', name: 'Shop pixel' }] }],
  });
});
afterAll(() => tiktok.close());
beforeEach(() => {
  tiktok.admin('POST', '/reset', {});
});

const event = {
  ...{ event: 'Purchase', event_time: now / 1_000 - 60, event_id: 'A-1' },
  ...{ user: { email: [email], ttclid: 'E.C.P' }, properties: { value: 129.9, currency: 'EUR' } },
};
interface Said {
  code: number;
  message: string;
  data: Record<string, never>;
}
async function post(path: string, body: object, token?: string): Promise<Said> {
  const headers = { 'content-type': 'application/json', ...(token !== undefined && { 'access-token': token }) };
  const answer = await fetch(`${tiktok.url}/open_api/v1.3${path}`, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Said;
}
const whole = { event_source: 'web', event_source_id: 'C4A1', data: [event] };
const track = (change: object = {}, token = 'good') => post('/event/track/', { ...whole, ...change }, token);
const counted = () => (tiktok.admin('GET', '/counted') as { counted: object[] }).counted;

describe('events of TikTok', () => {
  it('are taken, and one of an id counts once within 48 hours', async () => {
    expect(await track()).toEqual({ code: 0, message: 'OK', request_id: expect.any(String), data: {} });
    await track();
    expect(counted()).toEqual([{ to: 'C4A1', event: 'Purchase', id: 'A-1', received: 2 }]);
    tiktok.admin('POST', '/clock', { advance: 48 * 3_600_000 });
    await track();
    expect(counted()).toHaveLength(2);
  });
  it('go apart under a test code', async () => {
    await track({ test_event_code: 'TEST1' });
    expect(counted()).toEqual([]);
  });
  it.each<[string, object, number, RegExp]>([
    ['fifty-one', { data: Array(51).fill(event) }, 40_002, /^data:/],
    ['none', { data: [] }, 40_002, /^data:/],
    ['another source', { event_source: 'site' }, 40_002, /^event_source:/],
    ['another pixel', { event_source_id: 'C4A2' }, 40_001, /pixel/],
    [
      'a raw email',
      { data: [event, { ...event, user: { email: 'alexz@example.com' } }] },
      40_002,
      /^data\.1\.user\.email/,
    ],
    [
      'a raw phone',
      { data: [event, { ...event, user: { phone: ['+18005550100'] } }] },
      40_002,
      /^data\.1\.user\.phone/,
    ],
    [
      'a mail address in a page',
      { data: [event, { ...event, page: { url: 'https://a.example/?m=a%40b.de' } }] },
      40_002,
      /^data\.1\.page\.url/,
    ],
    ['milliseconds', { data: [event, { ...event, event_time: now }] }, 40_002, /^data\.1\.event_time/],
    ['no name', { data: [event, { ...event, event: '' }] }, 40_002, /^data\.1\.event/],
    ['a value as text', { data: [event, { ...event, properties: { value: '1' } }] }, 40_002, /^data\.1\.properties/],
  ])('are refused inside a 200: %s', async (_what, change, code, message) => {
    const said = await track(change);
    expect([said.code, said.message]).toEqual([code, expect.stringMatching(message)]);
    expect(counted()).toEqual([]);
  });
  it('need a token that is good, and a row that a test has nothing against', async () => {
    expect((await track({}, 'else')).code).toBe(40_105);
    expect((await post('/event/track/', whole)).code).toBe(40_104);
    tiktok.admin('POST', '/platform', { tokens: { good: false }, rejects: { 'A-1': 'event_id: No.' } });
    expect((await track()).code).toBe(40_105);
    tiktok.admin('POST', '/platform', { tokens: { good: true } });
    expect((await track()).message).toBe('data.0.event_id: No.');
    tiktok.admin('POST', '/next', [{ chaos: 'quota' }]);
    expect((await track()).code).toBe(40_100);
  });
});

describe('a login of TikTok', () => {
  it('sends a code, gives a token for it once, and takes it back', async () => {
    tiktok.admin('POST', '/platform', { consent: 'allow' });
    const query = new URLSearchParams({ app_id: '71', redirect_uri: back, state: 'st-1' });
    const page = await fetch(`${tiktok.url}/portal/auth?${query}`, { redirect: 'manual' });
    const location = new URL(page.headers.get('location') ?? '');
    expect(location.searchParams.get('state')).toBe('st-1');
    const app = { app_id: '71', secret: 'secret-1' };
    const code = { auth_code: location.searchParams.get('auth_code') };
    expect((await post('/oauth2/access_token/', { ...app, ...code, secret: 'no' })).code).toBe(40_002);
    const { data } = await post('/oauth2/access_token/', { ...app, ...code });
    expect(data).toEqual({ access_token: expect.any(String), advertiser_ids: ['801'], scope: [4] });
    const headers = { 'access-token': String(data.access_token) };
    const get = async (path: string) =>
      ((await (await fetch(`${tiktok.url}/open_api/v1.3${path}`, { headers })).json()) as Said).data;
    expect(await get('/oauth2/advertiser/get/?app_id=71&secret=secret-1')).toEqual({
      list: [{ advertiser_id: '801', advertiser_name: 'Shop' }],
    });
    expect(await get('/pixel/list/?advertiser_id=801')).toMatchObject({ pixels: [{ pixel_code: 'C4A1' }] });
    expect((await track({}, data.access_token)).code).toBe(0);
    expect((await post('/oauth2/revoke_token/', { ...app, access_token: data.access_token })).code).toBe(0);
    expect((await track({}, data.access_token)).code).toBe(40_105);
    expect((await post('/oauth2/access_token/', { ...app, ...code })).code).toBe(40_002);
  });
});
