import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { id64Of, id64Text, siteKey, visitorId } from './visitor.ts';

const salt = Buffer.alloc(32, 0xa5);
const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

describe('the visitor id has these values, today and for ever (PSE-01)', () => {
  // Computed by a second program from the layout in the comment of visitorId.
  const rows: [salt: string, site: number, address: string, agent: string, id: string][] = [
    ['a5'.repeat(32), 1, '203.0.113.7', agent, '15050895031190642099'],
    ['a5'.repeat(32), 2, '203.0.113.7', agent, '6300182615542053090'],
    ['00'.repeat(32), 1, '2001:db8::1', '', '9685077952372882917'],
    ['5a'.repeat(32), 4294967297, '198.51.100.1', 'agént ✓', '14094872562126356687'],
  ];
  it.each(rows)('salt %s site %i', (hex, site, address, userAgent, id) => {
    expect(id64Text(visitorId(Buffer.from(hex, 'hex'), site, address, userAgent))).toBe(id);
  });
});

it('follows the layout in its comment', () => {
  const address = Buffer.from('203.0.113.7');
  const length = (n: number) => Buffer.from([n >> 8, n & 255]);
  const site = Buffer.alloc(8);
  site.writeBigUInt64BE(7n);
  const input = [
    Buffer.from('fairlead visitor id 1\n'),
    salt,
    site,
    length(address.length),
    address,
    length(agent.length),
    Buffer.from(agent),
  ];
  const digest = createHash('sha256').update(Buffer.concat(input)).digest();
  expect(id64Text(visitorId(salt, 7, '203.0.113.7', agent))).toBe(digest.readBigUInt64BE(0).toString());
});

it('one person has unlike ids on two sites, on two days, and with a character moved between the parts', () => {
  const ids = [
    visitorId(salt, 1, '203.0.113.7', agent),
    visitorId(salt, 2, '203.0.113.7', agent),
    visitorId(Buffer.alloc(32, 0xa6), 1, '203.0.113.7', agent),
    visitorId(salt, 1, '203.0.113.7M', agent.slice(1)),
    visitorId(salt, 1, '203.0.113.', `7${agent}`),
  ].map(id64Text);
  expect(new Set(ids).size).toBe(5);
});

it('an endless User-Agent is read up to its limit and harms nothing', () => {
  const long = '✓'.repeat(100_000);
  expect(visitorId(salt, 1, 'x'.repeat(1_000), long)).toEqual(visitorId(salt, 1, 'x'.repeat(64), long.slice(0, 1_024)));
});

it('event and order keys are apart, and apart per site', () => {
  const keys = [siteKey('event', 1, 'a'), siteKey('order', 1, 'a'), siteKey('event', 2, 'a'), siteKey('event', 1, 'b')];
  expect(new Set(keys.map(id64Text)).size).toBe(4);
});

it.each([0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 0xffff_ffff_ffff_ffffn])('%s survives its halves', (value) => {
  expect(id64Text(id64Of(value))).toBe(value.toString());
});
