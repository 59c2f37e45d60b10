import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Shield, type ShieldList, type ShieldPreview, shieldLimits } from '../../contract/shields.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** Shields hold from the next event on, drop what they say and nothing else, and leave what is stored as it is. */
let desk: TestDesk;
beforeAll(async () => {
  desk = await openTestDesk(['shop.example', 'other.example', 'busy.example', 'wide.example'], {
    FAIRLEAD_TRUSTED_PROXIES: '1',
    FAIRLEAD_SITE_RATE: '500',
  });
});
afterAll(() => desk.close());

type Refusal = { error: { code: string; message: string; field?: string } };
const shop = '/api/sites/shop.example/shields';
const undoShop = '/api/sites/shop.example/shield-undo';

async function add(body: object, path = shop): Promise<Shield> {
  const answer = await desk.call('POST', path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body as unknown as Shield;
}
async function refusal(body: object, path = shop): Promise<[number, string | undefined, string]> {
  const answer = await desk.call('POST', path, body);
  const { error } = answer.body as unknown as Refusal;
  return [answer.status, error?.field, error?.message];
}
async function remove({ id }: Shield, path = shop): Promise<string> {
  const answer = await desk.call('DELETE', `${path}/${id}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return String(answer.body.undo);
}
async function list(site = 'shop.example'): Promise<ShieldList> {
  const { status, body } = await desk.call('GET', `/api/sites/${site}/shields`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as unknown as ShieldList;
}
async function preview(kind: string, value: string, site = 'shop.example'): Promise<ShieldPreview> {
  const query = new URLSearchParams({ kind, value });
  const { status, body } = await desk.call('GET', `/api/sites/${site}/shield-preview?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as unknown as ShieldPreview;
}
/** Waits until everything that was sent can be found by its time. A row of this very second may be a moment late. */
async function settled(): Promise<void> {
  await desk.rows('SELECT 1');
  await new Promise((resolve) => setTimeout(resolve, 1_100));
}
/** Sends one event and gives the reason why it was dropped; undefined: it was stored. */
async function send(url: string, more: object = {}, from = '203.0.113.7', site = 'shop.example') {
  const answer = await desk.collect({ n: 'pageview', u: url, d: site, ...more }, { 'x-forwarded-for': from });
  expect(answer.status).toBe(202);
  return answer.headers['x-fairlead-dropped'];
}
const pages = async () =>
  (
    await desk.rows<{ page: string }>('SELECT DISTINCT concat(hostname, pathname) AS page FROM events ORDER BY page')
  ).map(({ page }) => page);

describe('a rule holds from the next event on and is gone with its removal', () => {
  it.each([
    ['path', '/admin/**', 'https://shop.example/admin/users', {}, 'site_page_blocklist'],
    ['blocked_hostname', 'staging.*', 'https://staging.shop.example/a', {}, 'site_hostname_blocklist'],
    ['hostname', 'www.Shop.example', 'https://copy.example/a', {}, 'site_hostname_allowlist'],
    [
      'referrer',
      'https://www.Spam.example/x',
      'https://shop.example/r',
      { r: 'https://a.spam.example/y' },
      'site_referrer_blocklist',
    ],
  ])('%s %s', async (kind, value, url, more, reason) => {
    expect(await send(url, more)).toBeUndefined();
    const made = await add({ kind, value, note: 'for a test', confirm: 'shop.example' });
    expect(made).toMatchObject({ kind, note: 'for a test', added_by: null });
    expect(await send(url, more)).toBe(reason);
    expect(await send('https://shop.example/kept', {})).toBeUndefined();
    await remove(made);
    expect(await send(url, more)).toBeUndefined();
    expect((await list()).shields).toEqual([]);
  });

  it('what was stored before stays, and each kind has its count', async () => {
    expect(await pages()).toEqual([
      'copy.example/a',
      'shop.example/admin/users',
      'shop.example/kept',
      'shop.example/r',
      'staging.shop.example/a',
    ]);
    // The counts go to the spool once a second, and from there to the warehouse.
    await settled();
    await settled();
    const { week } = await list();
    expect(week?.stored).toBe(12);
    expect(week?.dropped.filter(({ events }) => events > 0)).toEqual([
      { kind: 'hostname', reason: 'site_hostname_allowlist', events: 1 },
      { kind: 'blocked_hostname', reason: 'site_hostname_blocklist', events: 1 },
      { kind: 'path', reason: 'site_page_blocklist', events: 1 },
      { kind: 'referrer', reason: 'site_referrer_blocklist', events: 1 },
    ]);
  });

  it('another site feels nothing of it', async () => {
    const made = await add({ kind: 'path', value: '/**', confirm: 'shop.example' });
    expect(await send('https://other.example/a', {}, '203.0.113.7', 'other.example')).toBeUndefined();
    expect((await list('other.example')).shields).toEqual([]);
    expect((await desk.call('DELETE', `/api/sites/other.example/shields/${made.id}`)).status).toBe(404);
    expect((await list()).shields).toHaveLength(1);
    await remove(made);
  });
});

describe('addresses', () => {
  const secret = '203.0.113.77';
  it('one is kept as a digest, shown by its name alone, and written nowhere', async () => {
    const made = await add({ kind: 'address', value: secret, note: 'Office' });
    expect(made).toMatchObject({ kind: 'address', value: null, note: 'Office' });
    expect(await send('https://shop.example/a', {}, secret)).toBe('site_ip_blocklist');
    expect(await send('https://shop.example/a', {}, '203.0.113.78')).toBeUndefined();
    const { shields } = await list();
    expect(JSON.stringify(shields)).not.toContain(secret);
    await desk.rows('SELECT 1');
    expect(filesWith(desk.dataDir, secret)).toEqual([]);
    // Nobody can type it again, so the answer to the removal brings it back.
    const undo = await remove(made);
    expect(undo).not.toContain(secret);
    expect(await send('https://shop.example/a', {}, secret)).toBeUndefined();
    expect((await desk.call('POST', '/api/sites/other.example/shield-undo', { undo })).status).toBe(400);
    const restored = await desk.call('POST', undoShop, { undo });
    expect(restored.body).toMatchObject({ value: null, note: 'Office', added_at: made.added_at });
    expect(await send('https://shop.example/a', {}, secret)).toBe('site_ip_blocklist');
    expect((await desk.call('POST', undoShop, { undo })).status).toBe(409);
    await remove(restored.body as unknown as Shield);
  });

  it('the same address twice, in another spelling', async () => {
    const made = await add({ kind: 'address', value: '2001:DB8:0:0:0:0:0:7', note: 'Server' });
    expect(await refusal({ kind: 'address', value: '[2001:db8::7]', note: 'Server' })).toEqual([
      409,
      'value',
      'This shield is there already.',
    ]);
    expect(await send('https://shop.example/a', {}, '2001:db8:0::0:7')).toBe('site_ip_blocklist');
    expect(await send('https://shop.example/a', {}, '2001:db8::8')).toBeUndefined();
    await remove(made);
  });

  it.each([
    ['203.0.113.9/24', '203.0.113.0/24', '203.0.113.200', '203.0.114.1'],
    ['2001:db8:aa00::1/40', '2001:db8:aa00::/40', '2001:db8:aaff::9', '2001:db8:bb00::9'],
    ['203.0.113.77/29', '203.0.113.72/29', '203.0.113.79', '203.0.113.80'],
    ['2001:db8:abcd:ef12::/52', '2001:db8:abcd:e000::/52', '2001:db8:abcd:e001::9', '2001:db8:abcd:d001::9'],
    ['2001:db8:1:2:3::/64', null, '2001:db8:1:2:ffff::1', '2001:db8:1:3::1'],
    ['203.0.113.9/32', null, '203.0.113.9', '203.0.113.10'],
  ])('the network %s', async (value, kept, inside, outside) => {
    const made = await add({ kind: 'address', value, note: 'Agency' });
    expect(made.value).toBe(kept);
    expect(await send('https://shop.example/a', {}, inside)).toBe('site_ip_blocklist');
    expect(await send('https://shop.example/a', {}, outside)).toBeUndefined();
    await remove(made);
  });

  it.each([
    ['203.0.113.0/30', 'at most /29'],
    ['203.0.0.0/7', 'at least /8'],
    ['2001:db8::/57', 'at most /56'],
    ['2000::/8', 'at least /16'],
    ['203.0.113.0/33', 'at most /29'],
    ['198.51.100', 'neither an address nor a network'],
    ['shop.example', 'neither an address nor a network'],
  ])('%s is refused, and not repeated', async (value, words) => {
    const [status, field, message] = await refusal({ kind: 'address', value, note: 'x' });
    expect([status, field]).toEqual([400, 'value']);
    expect(message).toContain(words);
    expect(message).not.toContain(value);
  });

  it('needs a name, in which no address stands', async () => {
    expect((await refusal({ kind: 'address', value: secret })).slice(0, 2)).toEqual([400, 'note']);
    expect((await refusal({ kind: 'address', value: secret, note: `Office ${secret}` })).slice(0, 2)).toEqual([
      400,
      'note',
    ]);
  });

  it('one that cannot be looked up has no preview', async () => {
    const { status, body } = await desk.call(
      'GET',
      `/api/sites/shop.example/shield-preview?kind=address&value=${secret}`,
    );
    expect([status, (body as unknown as Refusal).error.field]).toEqual([400, 'kind']);
    expect(JSON.stringify(body)).not.toContain(secret);
  });

  it('own traffic is known by the address that the call comes from', async () => {
    const call = (from: string) =>
      desk.raw({
        path: shop,
        headers: { authorization: `Bearer ${desk.key}`, 'content-type': 'application/json', 'x-forwarded-for': from },
        body: JSON.stringify({ kind: 'own_address', note: 'Me at home' }),
      });
    const made = await call('198.51.100.4');
    expect([made.status, JSON.parse(made.text)]).toEqual([
      201,
      expect.objectContaining({ kind: 'address', value: null }),
    ]);
    expect(await send('https://shop.example/a', {}, '198.51.100.4')).toBe('site_ip_blocklist');
    expect(await send('https://shop.example/a', {}, '198.51.100.5')).toBeUndefined();
    expect((await call('198.51.100.4')).status).toBe(409);
    // Over IPv6 a device has another second half tomorrow.
    expect((await call('2001:db8:7:7:1:2:3:4')).status).toBe(201);
    expect(await send('https://shop.example/a', {}, '2001:db8:7:7:9:9:9:9')).toBe('site_ip_blocklist');
    // A proxy in front of the trusted one: all visitors would share this address.
    const behind = await call('198.51.100.9, 10.0.0.2');
    expect([behind.status, behind.text]).toEqual([409, expect.stringContaining('FAIRLEAD_TRUSTED_PROXIES')]);
    for (const one of (await list()).shields) await remove(one);
  });
});

describe('what a rule would have dropped', () => {
  beforeAll(async () => {
    // Of seven visitors one is in the checkout and two are on a copy of the site.
    for (let n = 0; n < 6; n++) await send('https://wide.example/', {}, `192.0.2.${n}`, 'wide.example');
    await send('https://wide.example/checkout/pay', {}, '192.0.2.9', 'wide.example');
    await send('https://wide.example/checkout/pay', {}, '192.0.2.9', 'wide.example');
    await send('https://copy.example/', {}, '192.0.2.1', 'wide.example');
    await send('https://copy.example/', { r: 'https://news.spam.example/' }, '192.0.2.30', 'wide.example');
    await settled();
  });

  it.each([
    ['path', '/checkout/*', 2, 1, [['wide.example/checkout/pay', 2, 1]]],
    ['path', '/checkout', 0, 0, []],
    ['blocked_hostname', 'COPY.example', 2, 2, [['copy.example', 2, 2]]],
    ['hostname', 'wide.example', 2, 2, [['copy.example', 2, 2]]],
    ['referrer', 'spam.example', 1, 1, [['copy.example/', 1, 1]]],
    ['country', 'de', 0, 0, []],
  ])('%s %s', async (kind, value, events, visitors, examples) => {
    const found = await preview(kind, value, 'wide.example');
    expect(found.stored).toEqual({ events: 10, visitors: 8 });
    expect(found.dropped).toEqual({ events, visitors, by_step: [0, 0, 0, 0, 0, 0, events] });
    expect(found.examples.map((row) => [row.what, row.events, row.visitors])).toEqual(examples);
    expect(found.confirm).toBe(false);
  });

  it('a rate is an estimate over whole seconds', async () => {
    const found = await preview('rate', '500', 'wide.example');
    expect(found).toMatchObject({ estimated: true, dropped: { events: 0, visitors: null }, examples: [] });
    expect(found.busiest).toBeGreaterThan(0);
    const one = await preview('rate', '1', 'wide.example');
    const seconds = await desk.rows<{ n: string }>(
      `SELECT toString(count()) AS n FROM events WHERE site_id IN (SELECT site_id FROM events WHERE pathname = '/checkout/pay') GROUP BY toUnixTimestamp(time)`,
    );
    expect(one.dropped.events).toBe(seconds.reduce((sum, { n }) => sum + Number(n) - 1, 0));
    expect(one.busiest).toBe(Math.max(...seconds.map(({ n }) => Number(n))));
  });

  it('is what the rule then drops, pattern by pattern', async () => {
    const urls = ['/a', '/a/b', '/a/b/c', '/ab', '/a.b', '/(a)', '/a%20b', '/caf%C3%A9'].map(
      (path) => `https://busy.example${path}`,
    );
    for (const url of urls) expect(await send(url, {}, '192.0.2.50', 'busy.example')).toBeUndefined();
    await settled();
    for (const value of [
      '/a',
      '/a*',
      '/a**',
      '/a/*',
      '/*/b',
      '/**/c',
      '/a.b',
      '/(a)',
      '/caf%C3%A9',
      '/*é',
      '/a b',
      '***',
    ]) {
      const { dropped, stored } = await preview('path', value, 'busy.example');
      expect(stored.events, value).toBe(urls.length);
      const made = await add({ kind: 'path', value, confirm: 'busy.example' }, '/api/sites/busy.example/shields');
      let reasons = 0;
      // A robot is dropped as one only when no shield has dropped it before, and leaves no event.
      const robot = { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' };
      for (const u of urls) {
        const { headers } = await desk.collect({ n: 'pageview', u, d: 'busy.example' }, robot);
        if (headers['x-fairlead-dropped'] === 'site_page_blocklist') reasons++;
        else expect(headers['x-fairlead-dropped']).toBe('bot');
      }
      await remove(made, '/api/sites/busy.example/shields');
      expect(reasons, value).toBe(dropped.events);
    }
  });

  it('is of one site', async () => {
    expect((await preview('path', '/**', 'other.example')).dropped).toMatchObject({ events: 1, visitors: 1 });
  });
});

describe('nobody shuts everything out by accident', () => {
  it('a rule that would have dropped more than nine in ten waits for the domain in words', async () => {
    const rule = { kind: 'hostname', value: 'nowhere.example' };
    expect(await preview(rule.kind, rule.value)).toMatchObject({ confirm: true });
    const [status, field, message] = await refusal(rule);
    expect([status, field]).toEqual([409, 'confirm']);
    expect(message).toMatch(/would have dropped (\d+) of the \1 events/);
    expect((await refusal({ ...rule, confirm: 'yes' }))[0]).toBe(409);
    expect(await send('https://shop.example/a')).toBeUndefined();
    const made = await add({ ...rule, confirm: 'shop.example' });
    expect(await send('https://shop.example/a')).toBe('site_hostname_allowlist');
    // One more hostname lets more in, so it needs no word.
    const second = await add({ kind: 'hostname', value: '*shop.example' });
    expect(await send('https://shop.example/a')).toBeUndefined();
    // Without that one, the list would keep everything out again.
    const alone = await desk.call('DELETE', `${shop}/${second.id}`);
    expect([alone.status, (alone.body as unknown as Refusal).error.field]).toEqual([409, 'confirm']);
    expect(await send('https://shop.example/a')).toBeUndefined();
    expect((await desk.call('DELETE', `${shop}/${second.id}?confirm=shop.example`)).status).toBe(200);
    expect(await send('https://shop.example/a')).toBe('site_hostname_allowlist');
    await remove(made);
    expect(await send('https://shop.example/a')).toBeUndefined();
  });

  it('so does a network that is a large part of the internet', async () => {
    expect((await refusal({ kind: 'address', value: '203.0.0.0/8', note: 'all' })).slice(0, 2)).toEqual([
      409,
      'confirm',
    ]);
    expect((await refusal({ kind: 'address', value: '2001:d00::/24', note: 'all' })).slice(0, 2)).toEqual([
      409,
      'confirm',
    ]);
    expect((await list()).shields).toEqual([]);
  });
});

describe('rate', () => {
  const busy = '/api/sites/busy.example/shields';
  it('drops what is over it, is one per site, and never exceeds the desk', async () => {
    await add({ kind: 'rate', value: '400' }, busy);
    const made = await add({ kind: 'rate', value: '3' }, busy);
    const listed = await list('busy.example');
    expect(listed.shields.map(({ value }) => value)).toEqual(['3']);
    expect(listed.limits).toEqual({ shields: 100, rate: 500 });
    const event = { n: 'pageview', u: 'https://busy.example/', d: 'busy.example' };
    const answer = await desk.raw({
      headers: { authorization: `Bearer ${desk.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(Array.from({ length: 20 }, () => event)),
    });
    const counted = JSON.parse(answer.text) as { stored: number; dropped: { throttle: number } };
    expect(counted.stored).toBeGreaterThanOrEqual(3);
    expect(counted.stored + counted.dropped.throttle).toBe(20);
    expect(counted.dropped.throttle).toBeGreaterThanOrEqual(16);
    expect((await refusal({ kind: 'rate', value: '501' }, busy))[2]).toContain('500 events a second');
    await remove(made, busy);
    expect(await send('https://busy.example/', {}, '192.0.2.1', 'busy.example')).toBeUndefined();
  });
});

describe('limits', () => {
  it.each([
    ['country', 'ZZ'],
    ['country', 'DD'],
    ['country', 'Germany'],
    ['referrer', 'shop.example'],
    ['referrer', 'localhost'],
    ['referrer', '203.0.113.7'],
    ['blocked_hostname', 'a b.example'],
    ['path', 'admin'],
    ['rate', '0'],
  ])('%s %s is no rule', async (kind, value) => {
    expect((await refusal({ kind, value })).slice(0, 2)).toEqual([400, 'value']);
  });

  it('a site has at most so many', async () => {
    const other = '/api/sites/other.example/shields';
    for (let n = 0; n < shieldLimits.perSiteMax; n++) await add({ kind: 'path', value: `/never/${n}` }, other);
    expect(await refusal({ kind: 'path', value: '/never/more' }, other)).toEqual([
      409,
      undefined,
      'A site has at most 100 shields. Remove one first.',
    ]);
  });
});

/** Files of the data directory that hold the text, as bytes. */
function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}
