import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Emulated } from './admin.ts';
import { openGa4Emulator } from './ga4.ts';

const now = Date.parse('2026-11-30T09:00:00Z');
const hourMs = 3_600_000;

let ga4: Emulated;
beforeAll(async () => {
  ga4 = await openGa4Emulator({ now: () => now, chance: () => 0.99, streams: { 'G-ABC1': ['secret-1'] } });
});
afterAll(() => ga4.close());
beforeEach(() => {
  ga4.admin('POST', '/reset', {});
});

const event = {
  ...{ name: 'purchase', timestamp_micros: (now - hourMs) * 1_000 },
  params: { transaction_id: 'A-1', value: 129.9, currency: 'EUR' },
};
const whole = { client_id: '1.2', consent: { ad_user_data: 'GRANTED' }, events: [event] };
async function send(body: unknown, { path = '/mp/collect', id = 'G-ABC1', secret = 'secret-1' } = {}) {
  const url = `${ga4.url}${path}?measurement_id=${id}&api_secret=${secret}`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, text: await answer.text() };
}
async function validate(body: unknown): Promise<Record<string, string>[]> {
  return JSON.parse((await send(body, { path: '/debug/mp/collect' })).text).validationMessages;
}
function state() {
  const { platform } = ga4.admin('GET', '') as { platform: { dropped: { fieldPath: string }[]; received: number } };
  return { ...platform, ...(ga4.admin('GET', '/counted') as { counted: object[] }) };
}

describe('the Measurement Protocol', () => {
  it('takes a purchase once, and anything else as often as it comes', async () => {
    const lead = { ...event, name: 'generate_lead', params: {} };
    expect(await send({ ...whole, events: [event, lead] })).toEqual({ status: 204, text: '' });
    await send({ ...whole, events: [event, lead] });
    expect(state().counted).toEqual([
      { to: 'G-ABC1', event: 'purchase', id: 'A-1', received: 2 },
      { to: 'G-ABC1', event: 'generate_lead', id: null, received: 1 },
      { to: 'G-ABC1', event: 'generate_lead', id: null, received: 1 },
    ]);
  });
  it.each<[string, object, string]>([
    ['no client', { client_id: undefined }, 'client_id'],
    ['no events', { events: [] }, 'events'],
    ['twenty-six events', { events: Array(26).fill(event) }, 'events'],
    ['consent in small letters', { consent: { ad_user_data: 'granted' } }, 'consent.ad_user_data'],
    ['a raw email', { user_data: { sha256_email_address: ['alexz'] } }, 'user_data.sha256_email_address'],
    ['a mail address as a user', { user_id: 'alexz@example.com' }, 'user_id'],
    ['a reserved name', { events: [{ ...event, name: 'session_start' }] }, 'events[0].name'],
    ['a name with a blank', { events: [{ ...event, name: 'order completed' }] }, 'events[0].name'],
    [
      'a value as text',
      { events: [{ ...event, params: { value: '12.5', currency: 'EUR' } }] },
      'events[0].params.value',
    ],
    ['a value without a currency', { events: [{ ...event, params: { value: 1 } }] }, 'events[0].params.currency'],
    [
      '73 hours',
      { events: [{ ...event, timestamp_micros: (now - 73 * hourMs) * 1_000 }] },
      'events[0].timestamp_micros',
    ],
    ['milliseconds', { events: [{ ...event, timestamp_micros: now }] }, 'events[0].timestamp_micros'],
    ['a long value', { events: [{ ...event, params: { plan: 'x'.repeat(101) } }] }, 'events[0].params.plan'],
    [
      'many parameters',
      { events: [{ ...event, params: Object.fromEntries(Array.from({ length: 26 }, (_, at) => [`p${at}`, 1])) }] },
      'events[0].params',
    ],
  ])('says nothing of %s, unless it is asked to validate', async (_what, change, field) => {
    expect((await send({ ...whole, ...change })).status).toBe(204);
    expect(state()).toMatchObject({ received: 0, counted: [], dropped: [{ fieldPath: field }] });
    expect((await validate({ ...whole, ...change })).map(({ fieldPath }) => fieldPath)).toEqual([field]);
  });
  it('validates without keeping anything', async () => {
    expect(await validate(whole)).toEqual([]);
    expect(state().counted).toEqual([]);
  });
  it.each([{ id: 'G-NONE' }, { secret: 'no' }])('drops what has %j, and says nothing', async (how) => {
    expect((await send(whole, how)).status).toBe(204);
    expect(state()).toMatchObject({ counted: [], dropped: [{ fieldPath: 'measurement_id' }] });
  });
});
