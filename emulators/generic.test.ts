import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openGenericEmulator } from './generic.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const minuteMs = 60_000;
const iso = new Date(now - minuteMs).toISOString();
const seconds = (now - minuteMs) / 1_000;
/** A vector of the reference. */
const email = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';
const secret = `whsec_${Buffer.from('a secret of 24 bytes long').toString('base64')}`;
const pinned = {
  ...{ event_name: 'checkout', event_id: 'A-1', event_time: seconds, action_source: 'web' },
  ...{ user_data: { em: [email] }, custom_data: { value: '129.90', currency: 'EUR' } },
};

interface Row {
  platform: 'pinterest' | 'snap' | 'reddit' | 'x';
  path: string;
  max: number;
  list: string;
  event: Record<string, unknown>;
  headers: Record<string, string>;
  /** As it is counted. */
  name: string;
  id: (id: string) => object;
  raw: object;
  badTime: object;
}
const rows: Row[] = [
  {
    ...{ platform: 'pinterest', path: '/v5/ad_accounts/1/events', max: 1_000, list: 'data', event: pinned },
    ...{ headers: { authorization: 'Bearer good' }, name: 'checkout', id: (id) => ({ event_id: id }) },
    ...{ raw: { user_data: { em: ['alexz@example.com'] } }, badTime: { event_time: now } },
  },
  {
    ...{ platform: 'snap', path: '/v3/1/events?access_token=good', max: 2_000, list: 'data' },
    event: { ...pinned, event_name: 'PURCHASE', action_source: 'WEB', event_source_url: 'https://shop.example/' },
    ...{ headers: {}, name: 'PURCHASE', id: (id) => ({ event_id: id }) },
    ...{ raw: { user_data: { ph: '18005550100' } }, badTime: { event_time: now } },
  },
  {
    ...{ platform: 'reddit', path: '/api/v2.0/conversions/events/1', max: 1_000, list: 'events' },
    event: {
      ...{ event_at: iso, event_type: { tracking_type: 'Purchase' }, user: { email } },
      event_metadata: { conversion_id: 'A-1', value_decimal: 129.9, currency: 'EUR' },
    },
    ...{ headers: { authorization: 'Bearer good' }, name: 'Purchase' },
    id: (id) => ({ event_metadata: { conversion_id: id } }),
    ...{ raw: { user: { email: 'alexz@example.com' } }, badTime: { event_at: '2026-11-22T09:00:00Z' } },
  },
  {
    ...{ platform: 'x', path: '/12/measurement/conversions/1', max: 500, list: 'conversions' },
    event: {
      ...{ conversion_time: iso, event_id: 'tw-1-o87ne', conversion_id: 'A-1', value: 129.9, price_currency: 'EUR' },
      identifiers: [{ hashed_email: email }],
    },
    ...{ headers: { 'x-pixel-token': 'good' }, name: 'tw-1-o87ne', id: (id) => ({ conversion_id: id }) },
    ...{ raw: { identifiers: [{ hashed_email: 'alexz@example.com' }] }, badTime: { conversion_time: '30.11.2026' } },
  },
];

describe.each(rows)('$platform', ({ platform, path, max, list, event, headers, name, id, raw, badTime }) => {
  let emulator: Emulated;
  beforeAll(async () => {
    emulator = await openGenericEmulator({
      ...{ platform, accounts: ['1'], tokens: ['good'], now: () => now, chance: () => 0.99 },
    });
  });
  afterAll(() => emulator.close());
  beforeEach(() => {
    emulator.admin('POST', '/reset', {});
  });
  async function post(events: unknown, { to = path, with: given = headers }: { to?: string; with?: object } = {}) {
    const answer = await fetch(emulator.url + to, {
      ...{ method: 'POST', body: JSON.stringify({ [list]: events }) },
      headers: { 'content-type': 'application/json', ...given },
    });
    return { status: answer.status, text: await answer.text() };
  }
  const counted = () => (emulator.admin('GET', '/counted') as { counted: object[] }).counted;

  it('takes as many as it may, and counts each once', async () => {
    const many = Array.from({ length: max }, (_, at) => ({ ...event, ...id(`A-${at}`) }));
    expect((await post(many)).status).toBe(200);
    expect((await post([{ ...event, ...id('A-1') }])).status).toBe(200);
    expect(counted()).toHaveLength(max);
    expect(counted()[1]).toEqual({ to: '1', event: name, id: 'A-1', received: 2 });
  });
  it('refuses one more than that, none, and what is no list', async () => {
    expect((await post(Array(max + 1).fill(event))).status).toBe(400);
    expect([(await post([])).status, (await post('events')).status]).toEqual([400, 400]);
    expect(counted()).toEqual([]);
  });
  it('refuses a hash that is none, a mail address anywhere, and a time of another kind', async () => {
    for (const change of [raw, { note: 'write to a@b.de' }, badTime]) {
      const { status, text } = await post([{ ...event, ...change }]);
      expect(platform === 'pinterest' ? text : String(status)).toMatch(/^400$|"status":"failed"/);
      expect(text).not.toContain('alexz');
    }
    expect(counted()).toEqual([]);
  });
  it('needs a good token and an account of it', async () => {
    const other = { authorization: 'Bearer else', 'x-pixel-token': 'else' };
    expect((await post([event], { to: path.replace('good', 'else'), with: other })).status).toBe(401);
    expect((await post([event], { to: path.replace(/\/1(?=[/?]|$)/, '/2') })).status).toBe(403);
    expect((await post([event], { to: '/elsewhere' })).status).toBe(404);
  });
  it('is asked too often, and answers as it is told to', async () => {
    emulator.admin('POST', '/next', [{ chaos: 'quota' }, { status: 500, body: 'no' }]);
    expect((await post([event])).status).toBe(429);
    expect(await post([event])).toEqual({ status: 500, text: 'no' });
  });
});

describe('rows', () => {
  it('of Pinterest stand for themselves, and are none in a test', async () => {
    const emulator = await openGenericEmulator({
      ...{ platform: 'pinterest', accounts: ['1'], tokens: ['good'], now: () => now, chance: () => 0.99 },
    });
    const post = async (data: object[], query = '') => {
      const url = `${emulator.url}/v5/ad_accounts/1/events${query}`;
      const headers = { authorization: 'Bearer good' };
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ data }) })).json();
    };
    emulator.admin('POST', '/platform', { rejects: { 'A-2': 'Internal error' } });
    expect(await post([pinned, { ...pinned, event_id: 'A-2' }])).toEqual({
      ...{ num_events_received: 2, num_events_processed: 1 },
      events: [
        { status: 'processed', error_message: null, warning_message: null },
        { status: 'failed', error_message: 'Internal error', warning_message: null },
      ],
    });
    await post([{ ...pinned, event_id: 'A-3' }], '?test=true');
    expect(emulator.admin('GET', '/counted')).toMatchObject({ counted: [{ id: 'A-1' }] });
    await emulator.close();
  });
});

describe('a postback', () => {
  const click = 'GiDxLZcEVjwEqkGfKQMQndUYMIeZXFHmZ0DrHIJhGS6kKiDzkGUos9GzkpqG-YHQATCwxlQ';
  const taboola =
    '/actions-handler/log/3/s2s-action?name=make_purchase&revenue=9.99&currency=EUR&orderid=A-1&quantity=2';
  const outbrain = '/unifiedPixel?name=Purchase&orderValue=49.9&currency=EUR&orderId=A-1';
  const rows: ['taboola' | 'outbrain', path: string, status: number, method?: string][] = [
    ['taboola', `${taboola}&click-id=${click}`, 204],
    ['taboola', `${taboola}&click_id=${click}`, 400],
    ['taboola', `${taboola}&click-id=%7Bclick_id%7D`, 400],
    ['taboola', `${taboola.replace('make_purchase', '')}&click-id=${click}`, 400],
    ['taboola', `${taboola.replace('EUR', 'CHF')}&click-id=${click}`, 400],
    ['taboola', `${taboola.replace('=2', '=2.5')}&click-id=${click}`, 400],
    ['taboola', `${taboola.replace('s2s-action', 's2s-acton')}&click-id=${click}`, 400],
    ['taboola', `${taboola}&click-id=${click}&note=a%40b.de`, 400],
    ['taboola', `${taboola}&click-id=${click}`, 400, 'POST'],
    ['outbrain', `${outbrain}&ob_click_id=v3-1`, 200],
    ['outbrain', outbrain, 400],
    ['outbrain', `${outbrain.replace('49.9', '49,9')}&ob_click_id=v3-1`, 400],
    ['outbrain', '/pixel?ob_click_id=v3-1', 404],
  ];
  it.each(rows)('of %s: %s is %i', async (platform, path, status, method = 'GET') => {
    const emulator = await openGenericEmulator({
      ...{ platform, accounts: [], tokens: [], now: () => now, chance: () => 0.99 },
    });
    expect((await fetch(emulator.url + path, { method })).status).toBe(status);
    const { counted } = emulator.admin('GET', '/counted') as { counted: object[] };
    expect(counted).toHaveLength(status < 300 ? 1 : 0);
    await emulator.close();
  });

  it('counts a double once within a minute at Taboola, and each time at Outbrain', async () => {
    for (const [platform, path, times] of [
      ['taboola', `${taboola}&click-id=${click}`, [1, 1, 2]],
      ['outbrain', `${outbrain}&ob_click_id=v3-1`, [1, 2, 3]],
    ] as const) {
      const emulator = await openGenericEmulator({
        ...{ platform, accounts: [], tokens: [], now: () => now, chance: () => 0.99 },
      });
      const counted = async () => {
        await fetch(emulator.url + path);
        return (emulator.admin('GET', '/counted') as { counted: object[] }).counted.length;
      };
      expect([await counted(), await counted()]).toEqual(times.slice(0, 2));
      emulator.admin('POST', '/clock', { advance: minuteMs });
      expect(await counted()).toBe(times[2]);
      await emulator.close();
    }
  });
});

describe('a webhook', () => {
  let hook: Emulated;
  beforeAll(async () => {
    hook = await openGenericEmulator({
      ...{ platform: 'webhook', accounts: [], tokens: [secret], now: () => now, chance: () => 0.99 },
    });
  });
  afterAll(() => hook.close());
  async function post(data: object, { key = secret, at = now / 1_000, changed = '' } = {}): Promise<number> {
    const body = JSON.stringify({ type: 'conversion.created', timestamp: iso, data });
    const signed = createHmac('sha256', Buffer.from(key.slice(6), 'base64')).update(`msg_1.${at}.${body}`);
    const headers = {
      ...{ 'webhook-id': 'msg_1', 'webhook-timestamp': String(at) },
      'webhook-signature': `v1,bm9uZQ== v1,${signed.digest('base64')}`,
    };
    return (await fetch(`${hook.url}/hooks/1?a=b`, { method: 'POST', headers, body: body + changed })).status;
  }

  it('is taken where it is signed, now, with the secret, as it is', async () => {
    expect(await post({ id: 'A-1' })).toBe(204);
    expect(await post({ id: 'A-1' }, { key: `whsec_${Buffer.from('another').toString('base64')}` })).toBe(401);
    expect(await post({ id: 'A-1' }, { at: now / 1_000 - 301 })).toBe(401);
    expect(await post({ id: 'A-1' }, { changed: ' ' })).toBe(401);
    expect(hook.admin('GET', '/counted')).toEqual({
      counted: [{ to: '', event: 'conversion.created', id: 'msg_1', received: 1 }],
    });
  });
  it.each([{ email: ['a@b.de'] }, { email_sha256: ['a'] }, { phone: '+18005550100' }])(
    'is refused with %j',
    async (user) => {
      expect(await post({ id: 'A-1', user })).toBe(400);
    },
  );
});
