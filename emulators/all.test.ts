import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AllEmulators, emulatedAccounts, emulatedApp, emulatedPlatforms, openAllEmulators } from './all.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const back = 'https://desk.example/callback';
const verifier = 'v'.repeat(43);
const auth = 'https://www.googleapis.com/auth';

let all: AllEmulators;
beforeAll(async () => {
  all = await openAllEmulators({ now: () => now, chance: () => 0.99, redirectUris: [back] });
});
afterAll(() => all.close());
beforeEach(() => admin('/reset', {}));

async function admin(path: string, body?: unknown): Promise<Record<string, Record<string, unknown>>> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return (await (await fetch(`${all.admin}/__admin${path}`, init)).json()) as Record<string, never>;
}
/** As a client does it that knows hosts, and where they are. */
function at(url: string, init: RequestInit = {}): Promise<Response> {
  const { host, pathname, search } = new URL(url);
  return fetch(`${all.hosts[host]}${pathname}${search}`, { redirect: 'manual', ...init });
}
async function google(...scopes: string[]): Promise<string> {
  await admin('/platform', { consent: 'allow' });
  const query = new URLSearchParams({
    ...{ client_id: emulatedApp.id, redirect_uri: back, response_type: 'code', access_type: 'offline' },
    scope: scopes.map((scope) => `${auth}/${scope}`).join(' '),
    ...{ code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' },
  });
  const page = await at(`https://accounts.google.com/o/oauth2/v2/auth?${query}`);
  const code = new URL(page.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const body = new URLSearchParams({
    ...{ client_id: emulatedApp.id, client_secret: emulatedApp.secret, grant_type: 'authorization_code', code },
    ...{ redirect_uri: back, code_verifier: verifier },
  });
  const answer = await at('https://oauth2.googleapis.com/token', { method: 'POST', body });
  return ((await answer.json()) as { access_token: string }).access_token;
}
async function statuses(token: string): Promise<number[]> {
  const { customer, manager } = emulatedAccounts.google;
  const headers = {
    authorization: `Bearer ${token}`,
    'login-customer-id': manager,
    'content-type': 'application/json',
  };
  const query = JSON.stringify({ query: 'SELECT customer.id FROM customer' });
  const ads = `https://googleads.googleapis.com/v25/customers/${customer}/googleAds:searchStream`;
  return [
    // 400: a request that nobody knows; the token was good.
    (await at('https://datamanager.googleapis.com/v1/requestStatus:retrieve?requestId=none', { headers })).status,
    (await at(ads, { method: 'POST', headers, body: query })).status,
  ];
}

describe('all emulators in one process', () => {
  it('share tokens, by their scopes and for as long as they live', async () => {
    expect(await statuses(await google('datamanager'))).toEqual([400, 403]);
    expect(await statuses(await google('adwords'))).toEqual([403, 200]);
    const both = await google('datamanager', 'adwords');
    expect(await statuses(both)).toEqual([400, 200]);
    await admin('/clock', { advance: 3_600_000 });
    expect(await statuses(both)).toEqual([401, 401]);
    const again = await google('adwords');
    await at('https://oauth2.googleapis.com/revoke', { method: 'POST', body: new URLSearchParams({ token: again }) });
    expect(await statuses(again)).toEqual([401, 401]);
  });
  it('go by one clock, whichever was told the time', async () => {
    await fetch(`${all.platforms.ga4.url}/__admin/clock`, { method: 'POST', body: '{"advance":60000}' });
    expect(Object.values(all.platforms).map((each) => each.now())).toEqual(emulatedPlatforms.map(() => now + 60_000));
    await admin('/clock', { advance: 60_000 });
    expect(all.platforms.meta.now()).toBe(now + 120_000);
    all.platforms.meta.admin('POST', '/clock', { skew: -30_000 });
    expect([all.platforms.meta.now(), all.platforms.x.now()]).toEqual([now + 90_000, now + 120_000]);
    await admin('/reset', {});
    expect([all.platforms.meta.now(), all.platforms.x.now()]).toEqual([now, now]);
  });
  it('are steered and asked together', async () => {
    await admin('/chaos', { share: 0.2, modes: ['quota'] });
    const told = await admin('');
    expect(Object.keys(told)).toEqual(['now', ...Object.keys(all.platforms)]);
    expect(told.snap).toMatchObject({ chaos: { share: 0.2 }, received: 0 });
    expect((await admin('/counted')).linkedin).toEqual({ counted: [] });
    expect(await admin('/chaos', { modes: ['none'] })).toEqual({ emulator: 'share and modes are needed' });
    expect(await admin('/elsewhere')).toEqual({ emulator: 'nothing at GET /__admin/elsewhere' });
  });
  it('start by a command, say where they are in one line, and end', async () => {
    const started = spawn(process.execPath, ['emulators/all.ts', '--redirect', back], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: started.stdout }), 'line')) as [string];
    const said = JSON.parse(line) as {
      admin: string;
      platforms: Record<string, string>;
      hosts: Record<string, string>;
    };
    expect(Object.keys(said.platforms)).toEqual(Object.keys(all.platforms));
    expect(said.hosts['graph.facebook.com']).toBe(said.platforms.meta);
    for (const url of [said.admin, ...Object.values(said.platforms)])
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${said.admin}/__admin`)).status).toBe(200);
    started.kill('SIGTERM');
    expect(await once(started, 'exit')).toEqual([0, null]);
  });
});
