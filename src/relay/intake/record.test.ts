import { createHmac, createSecretKey } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Conversion } from '../../../contract/conversion.ts';
import { seededRandom, timedUuidOf } from '../../platform/random.ts';
import { liveKey } from '../../trust/vault/cipher.ts';
import { freshKeysUnder } from '../../trust/vault/fresh.ts';
import { makeRecord, recordLine, type Sealing, tellingIdOf } from './record.ts';

type Source = Parameters<typeof makeRecord>[1];

const random = seededRandom('records');
const key = createSecretKey(random.bytes(32));
const above = liveKey(random.bytes(8), random.bytes(32));
const freshKeys = { ...freshKeysUnder(7, () => above, random), close: () => {} };
const sealing: Sealing = {
  keys: { digest: (purpose, value) => createHmac('sha256', key).update(purpose).update(value).digest() },
  vault: { subject: (_of, kind, value) => createHmac('sha256', key).update(`${kind} ${value}`).digest() },
  random,
  countryOf: () => 'DE',
  regionOf: () => 'eea',
};
const source: Source = {
  ...{ id: 3, organisationId: 7, siteId: null, kind: 'http', kinds: ['meta-capi', 'google-data-manager'] },
  ...{ doublesMinutes: 10, rawDays: 7, mappingVersion: 2 },
};

const conversions: Record<string, Conversion> = {
  'of somebody, with signs that JSON escapes': {
    ...{ event_name: 'a "quoted" \\ name\n\u2028', occurred_at: '2026-11-30T10:00:00Z', order_id: '№ 7/\u0007"' },
    ...{
      value: '12.50',
      currency: 'EUR',
      page_url: 'https://shop.example/a?utm_source="x"',
      custom: { 'n"ame': 'v\\' },
    },
    user: { email: ['a@example.com', 'b@example.com'], phone: '+4930123456', external_id: 'x"y', user_agent: 'M "q"' },
    click_ids: { gclid: 'G"1' },
  },
  'of nobody': { event_name: 'lead', occurred_at: '2026-11-30T10:00:00Z', event_id: 'e-1' },
  'of an address alone': { event_name: 'lead', occurred_at: '2026-11-30T10:00:00Z', user: { ip: '203.0.113.9' } },
};

it.each(Object.entries(conversions))(
  'writes the line of a conversion %s as JSON.stringify would',
  (_what, conversion) => {
    for (const siteId of [null, 12]) {
      const came = { request: 'a "request"', at: Date.UTC(2026, 10, 30, 10), freshKeys };
      const record = makeRecord(conversion, { ...source, siteId }, came, sealing);
      if (record === undefined) throw new Error('A key was at hand.');
      expect(recordLine(record)).toBe(JSON.stringify(record));
    }
  },
);

it('numbers tellings by their place in a request: each another, the same each time, and in the order of time', () => {
  const [request, next] = [1, 2].map((ms) => timedUuidOf(random, Date.UTC(2026, 10, 30) + ms)) as [string, string];
  const places = [
    [0, 0],
    [0, 1],
    [0, 2 ** 20 - 1],
    [1, 0],
    [9_998, 2 ** 20 - 1],
  ] as const;
  const made = places.map((place) => tellingIdOf(request, place));
  expect(new Set([request, ...made]).size).toBe(6);
  expect(places.map((place) => tellingIdOf(request, place))).toEqual(made);
  expect(tellingIdOf(request)).toBe(made[0]);
  for (const id of made) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(id.slice(0, 13)).toBe(request.slice(0, 13));
    expect(id < tellingIdOf(next)).toBe(true);
  }
  expect(tellingIdOf('019ad3a0-0000-7000-8000-ffffffffffff', [0, 1])).toBe('019ad3a0-0000-8000-8000-000000000000');
});
