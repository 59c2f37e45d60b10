import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessPage } from '../../contract/access_log.ts';
import { type RunningServer, startServer } from '../../src/app/serve.ts';
import { readConfig } from '../../src/platform/config.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { eraseStores } from '../stores.ts';

/** A desk that listens beyond its machine, with one proxy in front that says whether a request came by HTTPS. */
vi.setConfig({ testTimeout: 120_000 });
const folder = mkdtempSync(join(tmpdir(), 'fairlead-listening-'));
let server: RunningServer;
let base: string;
let cookies: string[] = [];

beforeAll(async () => {
  const env = {
    HOST: '0.0.0.0',
    PORT: '0',
    FAIRLEAD_TRUSTED_PROXIES: '1',
    FAIRLEAD_PUBLIC_URL: 'https://desk.example',
  };
  const config = readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), ...env });
  await layPreparedDesk(config.dataDir);
  server = await startServer(config);
  base = `http://127.0.0.1:${server.http.address.port}`;
});
afterAll(async () => {
  const { directories } = server.desk.house.postgres;
  await server.stop();
  await eraseStores({ directories }, folder);
});

const plain = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'http' };
const secure = { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
const firstRun = (code: string) => ({
  code,
  email: 'owner@shop.example',
  password: 'a harbour of quiet rope',
  organisation: 'Shop',
  site: { domain: 'shop.example', timezone: 'UTC', currency: 'EUR' },
});
async function post(path: string, body: unknown, headers: Record<string, string>) {
  const answer = await fetch(base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const { error } = (await answer.json()) as { error?: { code: string; message: string } };
  return { status: answer.status, code: error?.code, message: error?.message ?? '', headers: answer.headers };
}

describe('signing in', () => {
  const insecure: [title: string, headers: Record<string, string>][] = [
    ['the proxy says http', plain],
    ['nobody says anything', { 'x-forwarded-for': '203.0.113.7' }],
    ['the client itself claims https before the proxy says http', { ...plain, 'x-forwarded-proto': 'https, http' }],
    ['a header that is not read claims it', { ...plain, forwarded: 'proto=https', 'x-forwarded-ssl': 'on' }],
  ];
  it.each(insecure)('is refused with a sentence when %s', async (_title, headers) => {
    for (const [path, body] of [
      ['/api/sessions', { email: 'owner@shop.example', password: 'a harbour of quiet rope' }],
      ['/api/set-up', firstRun(server.address.split('#code=')[1] ?? '')],
    ] as const) {
      const answer = await post(path, body, headers);
      expect([answer.status, answer.code], path).toEqual([403, 'https_required']);
      expect(answer.message).toMatch(/without HTTPS, so signing in is off.*docs\/guides\/https\.md/);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  it('guessing the set-up code is slowed by address, whatever the client writes into the header', async () => {
    const guess = (address: string) =>
      post('/api/set-up', firstRun('A'.repeat(22)), { ...secure, 'x-forwarded-for': address });
    const statuses = [];
    for (let tries = 0; tries < 21; tries++) statuses.push((await guess(`198.51.100.${tries}, 203.0.113.9`)).status);
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 403), 429]);
    const slowed = await guess('203.0.113.9');
    expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await guess('203.0.114.9')).status, 'another network').toBe(403);
  });

  it('works over HTTPS, and the session is in two cookies that no other page can read or set', async () => {
    const made = await post('/api/set-up', firstRun(server.address.split('#code=')[1] ?? ''), {
      ...secure,
      'x-forwarded-for': '198.51.100.7',
    });
    expect(made.status, made.message).toBe(201);
    cookies = made.headers.getSetCookie();
    expect(cookies).toHaveLength(2);
    for (const cookie of cookies)
      expect(cookie).toMatch(/^__Host-fairlead_\w+=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });
});

describe('every answer of the account plane and the dashboard', () => {
  const answers: [path: string, status: number][] = [
    ['/', 200],
    ['/s/shop.example/analytics', 200],
    ['/theme.js', 200],
    ['/assets/missing.js', 404],
    ['/api/set-up', 200],
    ['/api/session', 401],
    ['/api/nothing', 404],
    ['/api/sessions', 405],
  ];
  it.each(answers)('%s has the guards of a page', async (path, status) => {
    const answer = await fetch(base + path, { headers: secure });
    expect(answer.status).toBe(status);
    const policy = Object.fromEntries(
      (answer.headers.get('content-security-policy') ?? '').split('; ').map((rule) => {
        const [name = '', ...sources] = rule.split(' ');
        return [name, sources.join(' ').replace(/'nonce-[\w-]{24}'/, 'a nonce')];
      }),
    );
    const isCall = path.startsWith('/api/');
    expect(policy).toEqual({
      'default-src': "'none'",
      'style-src': "'self'",
      'img-src': isCall ? "'self'" : "'self' data:",
      'form-action': "'self'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
      ...(isCall
        ? {}
        : {
            'script-src': 'a nonce',
            'font-src': "'self'",
            'connect-src': "'self'",
            'frame-src': "'self'",
            'require-trusted-types-for': "'script'",
            'trusted-types': "'none'",
            'report-uri': '/api/csp-reports',
          }),
    });
    const wanted = {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': isCall ? 'same-origin' : 'same-site',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
    };
    expect(answer.headers.get('permissions-policy')).toMatch(/camera=\(\), .*microphone=\(\)/);
    for (const [name, value] of Object.entries(wanted)) expect(answer.headers.get(name), name).toBe(value);
    expect(answer.headers.get('server')).toBeNull();
    expect(answer.headers.get('x-powered-by')).toBeNull();
    if (isCall) expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('asks for HTTPS in the future only over HTTPS', async () => {
    for (const path of ['/', '/api/set-up'])
      expect((await fetch(base + path, { headers: plain })).headers.get('strict-transport-security')).toBeNull();
  });

  it('the nonce of a page is new each time, and in every script of it', async () => {
    const nonces = [];
    for (let times = 0; times < 2; times++) {
      const answer = await fetch(`${base}/`, { headers: secure });
      const nonce = /'nonce-([^']+)'/.exec(answer.headers.get('content-security-policy') ?? '')?.[1] ?? '';
      const page = await answer.text();
      const scripts = page.match(/<script [^>]*>/g) ?? [];
      expect(scripts.length).toBeGreaterThan(0);
      for (const script of scripts) expect(script).toContain(`nonce="${nonce}"`);
      nonces.push(nonce);
    }
    expect(nonces[0]).not.toBe(nonces[1]);
  });

  it('answers under its own names only, and the collection plane under any', async () => {
    const { port } = new URL(base);
    const ask = (path: string, host: string) =>
      new Promise<number | undefined>((resolve, reject) =>
        get({ host: '127.0.0.1', port, path, headers: { ...secure, host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).on('error', reject),
      );
    for (const path of ['/', '/api/set-up', '/api/session', '/theme.js'])
      expect(await ask(path, 'evil.example'), path).toBe(421);
    expect(await ask('/api/set-up', 'desk.example'), 'the public address').toBe(200);
    for (const path of ['/js/fairlead.js', '/healthz']) expect(await ask(path, 'evil.example'), path).toBe(200);
  });

  it('the dashboard has no inline script or style, which its policy would stop', async () => {
    const page = await (await fetch(`${base}/`, { headers: secure })).text();
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/i);
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//i);
  });
});

describe('the access log', () => {
  const dir = join(folder, 'data', 'access');
  const files = () => readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8'));
  const visitor = '198.51.100.222';

  it('has the people of the account plane and no visitor of the collection plane (R5)', async () => {
    const headers = {
      'x-forwarded-for': visitor,
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Firefox/142.0',
    };
    await fetch(`${base}/api/event`, { method: 'POST', headers, body: '{"d":"shop.example"}' });
    for (const path of ['/js/fairlead.js', '/js/mistyped.js', '/api/evnt', '/healthz'])
      await fetch(base + path, { headers });
    await fetch(`${base}/api/sites/secret-name.example?x=secret-word`, {
      headers: { ...secure, cookie: 'a=secret-cookie' },
    });
    await server.accessLog.flush();
    const text = files().join('');
    expect(text).toContain('203.0.113.7');
    expect(text).toMatch(/"route":"GET \/api\/sites\/:domain","status":401,"ms":\d+,"request_id":"[0-9a-f]{12}"/);
    for (const hidden of [visitor, 'secret-', 'Firefox', '/api/event', '/js/']) expect(text).not.toContain(hidden);
  });

  it('is read by who runs the desk, and each reading is in the trail', async () => {
    const cookie = cookies.map((one) => one.split(';')[0]).join('; ');
    const answer = await fetch(`${base}/api/access-log`, { headers: { ...secure, cookie } });
    expect(answer.status).toBe(200);
    const page = accessPage.parse(await answer.json());
    expect(page.entries.length).toBeGreaterThan(10);
    const rows = await server.desk.house.postgres.system((sql) =>
      sql.query("SELECT * FROM audit.entries WHERE action = 'access_log.read'"),
    );
    expect(rows).toHaveLength(1);
  });

  it('leaves one entry for the pages of a minute, and one for each other day, filter and file', async () => {
    const cookie = cookies.map((one) => one.split(';')[0]).join('; ');
    const read = async (query: string) =>
      (await fetch(`${base}/api/access-log${query}`, { headers: { ...secure, cookie } })).text();
    const first = accessPage.parse(JSON.parse(await read('?status=4xx&limit=1')));
    expect(first.entries).toMatchObject([{ place: '' }]);
    expect(Math.floor((first.entries[0]?.status ?? 0) / 100)).toBe(4);
    await read(`?status=4xx&limit=1&cursor=${first.next}`);
    const csv = await read(`/export?format=csv&status=4xx&day=${first.day}`);
    expect(csv.split('\r\n').length).toBeGreaterThan(2);
    const rows = await server.desk.house.postgres.system((sql) =>
      sql.query<{ targets: unknown }>(
        "SELECT targets FROM audit.entries WHERE action = 'access_log.read' ORDER BY seq",
      ),
    );
    expect(rows.slice(1).map(({ targets }) => targets)).toEqual(Array(2).fill([{ type: 'access-log', id: first.day }]));
  });

  it("a sign-in under a name that nobody has stands in the desk's own trail, without the name (AUD-05)", async () => {
    const body = JSON.stringify({ email: 'Nobody@shop.example', password: 'what nobody has' });
    const headers = { ...secure, 'content-type': 'application/json', origin: base };
    expect((await fetch(`${base}/api/sessions`, { method: 'POST', headers, body })).status).toBe(401);
    const cookie = cookies.map((one) => one.split(';')[0]).join('; ');
    const trail = async () => {
      const answer = await fetch(`${base}/api/audit?action=session.refused`, { headers: { ...secure, cookie } });
      return (await answer.json()) as { entries: { reason: string; targets: { type: string; id: string }[] }[] };
    };
    await expect.poll(async () => (await trail()).entries.length).toBe(1);
    const seen = await trail();
    expect(seen.entries).toMatchObject([
      { reason: 'unknown_name', targets: [{ type: 'unknown_name', id: expect.stringMatching(/^[0-9a-f]{32}$/) }] },
    ]);
    expect(JSON.stringify(seen).toLowerCase()).not.toContain('nobody@');
  });
});
