import { createHmac, createSecretKey } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Conversion } from '../../../contract/conversion.ts';
import { seededRandom } from '../../platform/random.ts';
import { liveKey } from '../../trust/vault/cipher.ts';
import { freshKeysUnder } from '../../trust/vault/fresh.ts';
import { makeRecord, recordLine, type Sealing } from './record.ts';

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
