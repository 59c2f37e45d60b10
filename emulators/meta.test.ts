import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openMetaEmulator } from './meta.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const dayS = 86_400;
/** A vector of the reference: alexz@example.com. */
const email = '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a';
const chances: number[] = [];

let meta: Emulated;
beforeAll(async () => {
  meta = await openMetaEmulator({
    now: () => now,
    chance: () => chances.shift() ?? 0.99,
    datasets: ['1234567890'],
    tokens: { good: 'valid', old: 'expired', gone: 'app_removed', changed: 'password_changed', no: 'invalid' },
  });
});
afterAll(() => meta.close());
beforeEach(() => admin('/reset', {}));

const event = {
  event_name: 'Purchase',
  event_time: now / 1000 - 60,
  event_id: 'A-1001',
  action_source: 'website',
  event_source_url: 'https://shop.example/thanks',
  user_data: { em: [email], client_user_agent: 'Mozilla/5.0' },
  custom_data: { value: 129.9, currency: 'EUR', order_id: 'A-1001' },
};
type Said = Record<string, unknown> & { error: Record<string, unknown> };

async function admin(path: string, body?: unknown): Promise<Record<string, never>> {
  const answer = await fetch(`${meta.url}/__admin${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Record<string, never>;
}
async function platform(): Promise<Record<string, unknown>> {
  return (await admin('')).platform as unknown as Record<string, unknown>;
}
async function post(body: unknown, { token = 'good', path = '/v25.0/1234567890/events' } = {}) {
  const answer = await fetch(`${meta.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    text,
    headers: answer.headers,
    said: (text.startsWith('{') ? JSON.parse(text) : {}) as Said,
  };
}
const send = (change: object = {}) => post({ data: [{ ...event, ...change }] });

describe('what Meta takes', () => {
  it('says how many events it received, how much was asked of it, and by its own clock when', async () => {
    const { status, said, headers } = await post({ data: [event, { ...event, event_id: 'A-1002' }] });
    expect(status).toBe(200);
    expect(said).toEqual({ events_received: 2, messages: [], fbtrace_id: expect.stringMatching(/^A\d+$/) });
    expect(JSON.parse(headers.get('x-app-usage') ?? '')).toMatchObject({ call_count: 1 });
    expect(JSON.parse(headers.get('x-business-use-case-usage') ?? '')).toEqual({
      '1001': [expect.objectContaining({ estimated_time_to_regain_access: 0 })],
    });
    expect(headers.get('date')).toBe('Mon, 30 Nov 2026 09:00:00 GMT');
  });
  it('takes a token of the body as well, and none of the address', async () => {
    const path = '/v25.0/1234567890/events';
    expect((await post({ data: [event], access_token: 'good' }, { token: '' })).status).toBe(200);
    expect((await post({ data: [event] }, { token: '', path: `${path}?access_token=good` })).said.error.code).toBe(190);
  });
  it('counts one name and id once within 48 hours, and again afterwards', async () => {
    await send();
    await admin('/clock', { advance: 48 * 3_600_000 - 1 });
    expect((await send()).said.events_received).toBe(1);
    expect(await platform()).toMatchObject({ received: 2, duplicates: 1, events: [{ event_id: 'A-1001' }] });
    await admin('/clock', { advance: 1 });
    await send();
    await send({ event_name: 'Lead' });
    const { duplicates, events } = await platform();
    expect([duplicates, (events as object[]).length]).toEqual([1, 3]);
  });
  it('keeps what has a test code apart', async () => {
    await post({ data: [event], test_event_code: 'TEST1' });
    expect(await platform()).toMatchObject({ events: [], tested: { TEST1: [{ event_id: 'A-1001' }] } });
  });
  it('takes a thousand events, and what is seven days old to the second', async () => {
    const data = Array.from({ length: 1_000 }, (_, at) => ({ ...event, event_id: `e-${at}` }));
    expect((await post({ data })).said.events_received).toBe(1_000);
    expect((await send({ event_time: now / 1000 - 7 * dayS })).status).toBe(200);
    expect((await send({ event_time: now / 1000 - 62 * dayS, action_source: 'physical_store' })).status).toBe(200);
    expect((await send({ user_data: { external_id: 'C-77', client_user_agent: 'Mozilla/5.0' } })).status).toBe(200);
  });
});

describe('what Meta refuses, all or nothing', () => {
  const agent = { client_user_agent: 'Mozilla/5.0' };
  it.each<[string, object, number]>([
    ['an event older than seven days', { event_time: now / 1000 - 7 * dayS - 1 }, 2804003],
    ['a store older than 62', { event_time: now / 1000 - 62 * dayS - 1, action_source: 'physical_store' }, 2804003],
    ['a time in milliseconds', { event_time: now }, 2804001],
    ['a time as text', { event_time: '2026-11-30T09:00:00Z' }, 2804001],
    ['a time more than a minute ahead', { event_time: now / 1000 + 61 }, 2804001],
    ['no name', { event_name: undefined }, 2804001],
    ['no source', { action_source: undefined }, 2804001],
    ['a source that is none', { action_source: 'web' }, 2804001],
    ['a website without its page', { event_source_url: undefined }, 2804001],
    ['a website without its browser', { user_data: { em: [email] } }, 2804001],
    ['nobody', { user_data: undefined }, 2804001],
    ['a raw email', { user_data: { ...agent, em: ['alexz@example.com'] } }, 2804001],
    ['a raw phone', { user_data: { ...agent, ph: '18005550100' } }, 2804001],
    ['a raw first name', { user_data: { ...agent, em: [email], fn: ['ana'] } }, 2804001],
    ['a raw last name beside a hash', { user_data: { ...agent, ln: [email, 'byron'] } }, 2804001],
    ['an identifier it does not know', { user_data: { ...agent, email: [email] } }, 2804001],
    ['a cookie of another form', { user_data: { ...agent, em: [email], fbc: 'IwAR2' } }, 2804001],
    ['a value as text', { custom_data: { value: '12.50', currency: 'EUR' } }, 2804001],
    ['a currency by its name', { custom_data: { value: 1, currency: 'EURO' } }, 2804001],
  ])('%s', async (_what, change, subcode) => {
    const { status, said } = await post({ data: [event, { ...event, event_id: 'A-1002', ...change }] });
    expect(status).toBe(400);
    expect(said.error).toMatchObject({
      code: 100,
      error_subcode: subcode,
      error_user_msg: expect.stringMatching(/^data\[1\]/),
    });
    expect(await platform()).toMatchObject({ received: 0, events: [], refused: 1 });
  });
  it.each<[string, unknown, object, number, number | undefined]>([
    ['a thousand and one', { data: Array(1_001).fill(event) }, {}, 100, undefined],
    ['no data', {}, {}, 100, undefined],
    ['a body that is none', 'data', {}, 100, undefined],
    ['an expired token', { data: [event] }, { token: 'old' }, 190, 463],
    ['a token of an app that was removed', { data: [event] }, { token: 'gone' }, 190, 458],
    ['a token after a change of password', { data: [event] }, { token: 'changed' }, 190, 460],
    ['an invalid token', { data: [event] }, { token: 'no' }, 190, 467],
    ['a token that nobody gave', { data: [event] }, { token: 'else' }, 190, 467],
    ['another dataset', { data: [event] }, { path: '/v25.0/99/events' }, 100, 33],
    ['no version', { data: [event] }, { path: '/1234567890/events' }, 2500, undefined],
    ['a version that is gone', { data: [event] }, { path: '/v12.0/1234567890/events' }, 2635, undefined],
  ])('%s', async (_what, body, how, code, subcode) => {
    const { status, said } = await post(body, how);
    expect([status, said.error.code, said.error.error_subcode]).toEqual([400, code, subcode]);
    expect(said.error.fbtrace_id).toEqual(expect.any(String));
  });
  it('revokes a token in the middle of things, and has passing faults, by order', async () => {
    await admin('/platform', { tokens: { good: 'expired' } });
    expect((await send()).said.error).toMatchObject({ code: 190, error_subcode: 463 });
    await admin('/platform', { tokens: { good: 'valid' }, transient: 1 });
    const { status, said } = await send();
    expect([status, said.error.is_transient]).toEqual([500, true]);
    expect((await send()).status).toBe(200);
  });
});

describe('bad days', () => {
  const next = (...steps: object[]) => admin('/next', steps);
  const isKept = async () => ((await platform()).events as object[]).length;

  it('gives the answers it was told to give, each once, and never looks at what was sent', async () => {
    await next({ status: 500, body: { error: { code: 1 } } }, { status: 200, body: 'ok', headers: { 'x-a': 'b' } });
    expect((await send()).said).toEqual({ error: { code: 1 } });
    expect(await isKept()).toBe(0);
    const { text, headers } = await send();
    expect([text, headers.get('x-a')]).toEqual(['ok', 'b']);
    expect((await send()).said.events_received).toBe(1);
  });
  it('accepts and then drops the answer: the second try is a duplicate', async () => {
    await next({ chaos: 'drop_answer' });
    await expect(send()).rejects.toThrow();
    expect(await isKept()).toBe(1);
    expect((await send()).status).toBe(200);
    expect(await platform()).toMatchObject({ received: 2, duplicates: 1 });
  });
  it('resets in the middle of the body', async () => {
    await next({ chaos: 'reset_mid_body' });
    await expect(send()).rejects.toThrow();
    expect(await isKept()).toBe(1);
  });
  it('answers with the page of a proxy that never asked the platform', async () => {
    await next({ chaos: 'html_502' });
    const { status, text, headers } = await send();
    expect([status, headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(text).toMatch(/^<html>/);
    expect(await isKept()).toBe(0);
  });
  it('answers late, in single bytes, and twice', async () => {
    await next({ chaos: 'latency', ms: 150 }, { chaos: 'slow_loris', ms: 2 }, { chaos: 'duplicate_answer' });
    const begun = performance.now();
    expect((await send()).status).toBe(200);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(145);
    const between = performance.now();
    expect((await send()).said.events_received).toBe(1);
    expect(performance.now() - between).toBeGreaterThan(100);
    expect((await send()).said.events_received).toBe(1);
    expect((await send()).said.events_received).toBe(1);
    expect(await platform()).toMatchObject({ received: 4, duplicates: 3 });
  });
  it('takes a request twice where the way repeats it', async () => {
    await next({ chaos: 'repeated_request' });
    expect((await send()).said.events_received).toBe(1);
    expect(await platform()).toMatchObject({ received: 2, duplicates: 1 });
  });
  it('is asked too often, and says for how long it answers nobody', async () => {
    await admin('/platform', { regainMinutes: 7 });
    await next({ chaos: 'quota' });
    const { status, said, headers } = await send();
    expect([status, said.error.code]).toEqual([400, 80004]);
    expect(headers.get('x-business-use-case-usage')).toContain('"estimated_time_to_regain_access":7');
  });
  it('goes wrong by chance, as often as it is told to', async () => {
    await admin('/chaos', { share: 0.2, modes: ['html_502', 'quota'] });
    chances.push(0.2, 0.19, 0, 0.19, 0.99);
    expect([(await send()).status, (await send()).status, (await send()).status]).toEqual([200, 502, 400]);
    await admin('/chaos', { share: 0 });
    chances.push(0);
    expect((await send()).status).toBe(200);
    chances.length = 0;
  });
  it('tells what it received, and forgets it', async () => {
    await next({ chaos: 'html_502' });
    await send();
    await send();
    const { total, requests } = (await admin('/received')) as unknown as { total: number; requests: object[] };
    expect(total).toBe(2);
    expect(requests).toMatchObject([
      { step: 'html_502', path: '/v25.0/1234567890/events', body: { data: [{ event_id: 'A-1001' }] } },
      { step: null, headers: { authorization: 'Bearer good' } },
    ]);
    await admin('/clock', { set: '2026-12-01T00:00:00Z' });
    expect((await admin('')).now).toBe(Date.parse('2026-12-01T00:00:00Z'));
    await admin('/reset', {});
    expect(await admin('')).toMatchObject({ now, received: 0, platform: { received: 0, events: [] } });
  });
  it('keeps the last of what it received, and no more than it has room for', async () => {
    const large = 'x'.repeat(9_000_000);
    for (let at = 0; at < 4; at++) await post(large);
    expect(meta.admin('GET', '/received')).toMatchObject({ total: 4, kept: 3 });
  });
  it.each([
    ['/next', [{ chaos: 'earthquake' }]],
    ['/chaos', { share: 1, modes: ['earthquake'] }],
    ['/clock', { set: 'tomorrow' }],
    ['/elsewhere', {}],
  ])('refuses an order that it does not know: %s %j', async (path, body) => {
    expect(await admin(path, body)).toEqual({ emulator: expect.any(String) });
  });
});
