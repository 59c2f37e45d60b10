import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLog } from '../../../src/platform/log.ts';
import { openWarehouse } from '../../../src/platform/warehouse/index.ts';
import { postgresMigrations } from '../../prepared_cluster.ts';
import { eraseStores, openTestPostgres } from '../../stores.ts';
import { addressCanary, bytesCanary, numberCanary, textCanary } from './canaries.ts';
import { type Find, leaked, type Scan, scan, weakFindsMin } from './scan.ts';

/** A scanner that finds nothing is worth nothing, so a value is planted in each place and form, and must be found there. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-scan-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
/** Scans one file with these bytes, which begin somewhere in the middle. */
function scanBytes(bytes: Buffer, canaries: Parameters<typeof scan>[1]): readonly Find[] {
  const file = join(folder, `planted-${files++}`);
  writeFileSync(file, Buffer.concat([Buffer.from('some bytes before '), bytes, Buffer.from(' and some after')]));
  return scan([file], canaries).finds;
}
const word = (prefix: string) => `${prefix}${randomBytes(8).toString('hex')}`;

describe('in a file, it finds', () => {
  const text = 'quoll"canary/öé-7f3a91';
  const utf8 = Buffer.from(text);
  const wide = Buffer.from(text, 'utf16le');
  const everyEscape = [...text].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  it.each<[string, Buffer]>([
    ['text', utf8],
    ['UTF-16LE', wide],
    ['UTF-16BE', Buffer.from(wide).swap16()],
    ...[0, 1, 2].map((shift): [string, Buffer] => [
      `base64 behind ${shift} bytes`,
      Buffer.from(Buffer.concat([randomBytes(shift), utf8, randomBytes(5)]).toString('base64')),
    ]),
    ['base64 for URLs', Buffer.from(utf8.toString('base64url'))],
    ['hex', Buffer.from(utf8.toString('hex'))],
    ['HEX', Buffer.from(utf8.toString('hex').toUpperCase())],
    ['JSON', Buffer.from(JSON.stringify({ text }))],
    ['JSON with every character escaped', Buffer.from(everyEscape)],
    ['URL-encoded', Buffer.from(encodeURIComponent(text))],
    ['URL-encoded in small letters', Buffer.from(encodeURIComponent(text).replaceAll(/%../g, (e) => e.toLowerCase()))],
    ['URL-encoded whole', Buffer.from(utf8.toString('hex').replaceAll(/../g, '%$&'))],
    ['reversed', Buffer.from(utf8).reverse()],
    ['its SHA-256', createHash('sha256').update(text).digest()],
    ['its MD5 in hex', Buffer.from(createHash('md5').update(text).digest('hex'))],
    ['gzip', gzipSync(text)],
    ['zlib', deflateSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['gzip in zstd', zstdCompressSync(gzipSync(text))],
  ])('text as %s', (_form, bytes) => {
    expect(scanBytes(bytes, [textCanary('quoll', text)])).not.toEqual([]);
    expect(scanBytes(bytes, [textCanary('wombat', 'wombat-canary-91aa3c')])).toEqual([]);
  });

  it('text in a zip archive, cut off behind it', () => {
    const data = deflateRawSync(text.repeat(50));
    const header = Buffer.alloc(30);
    header.write('PK\x03\x04', 'latin1');
    header.writeUInt16LE(8, 8);
    header.writeUInt16LE(1, 26);
    expect(scanBytes(Buffer.concat([header, Buffer.from('a'), data]), [textCanary('quoll', text)])).not.toEqual([]);
  });

  const salt = randomBytes(32);
  it.each<[string, Buffer]>([
    ['bytes', salt],
    ['its first half', salt.subarray(0, 16)],
    ['its second half in hex', Buffer.from(salt.toString('hex').slice(32))],
    ['hex', Buffer.from(salt.toString('hex'))],
    ['base64 behind a byte', Buffer.from(Buffer.concat([Buffer.from('x'), salt]).toString('base64'))],
    ['a Buffer in JSON', Buffer.from(JSON.stringify(salt))],
    ['the other way round', Buffer.from(salt).reverse()],
  ])('a salt as %s', (_form, bytes) => {
    expect(scanBytes(bytes, [bytesCanary('salt', salt)])).not.toEqual([]);
    expect(scanBytes(bytes, [bytesCanary('salt', randomBytes(32))])).toEqual([]);
  });

  const packed = Buffer.from('2a0702f8c1d5e3b79af4d2c6b8e1f3a7', 'hex');
  const ipv6 = '2a07:2f8:c1d5:e3b7:9af4:d2c6:b8e1:f3a7';
  it.each<[string, Buffer]>([
    ['text', Buffer.from(ipv6)],
    ['text with zeros', Buffer.from('2a07:02f8:c1d5:e3b7:9af4:d2c6:b8e1:f3a7')],
    ['capitals', Buffer.from(ipv6.toUpperCase())],
    ['16 bytes', packed],
    ['16 bytes, little end first', Buffer.from(packed).reverse()],
    ['its network in text', Buffer.from('2a07:2f8:c1d5:e3b7::/64')],
    ['its network in 8 bytes, little end first', Buffer.from(packed.subarray(0, 8)).reverse()],
    ['two 32-bit numbers', Buffer.from(packed.subarray(0, 8)).swap32()],
    ['hex', Buffer.from(packed.toString('hex'))],
    ['a plain digest', createHash('sha1').update(ipv6).digest()],
  ])('an IPv6 address as %s', (_form, bytes) => {
    expect(leaked(scanBytes(bytes, [addressCanary(ipv6, 'way')])).certain).not.toEqual([]);
    expect(scanBytes(bytes, [addressCanary('2a07:3f8:c1d5:e3b7:9af4:d2c6:b8e1:f3a8', 'way')])).toEqual([]);
  });

  const addresses = Array.from({ length: 16 }, (_, n) => `185.247.193.${150 + n}`);
  const bytesOf = (address: string) => Buffer.from(address.split('.').map(Number));
  const canaries = addresses.map((address) => addressCanary(address, 'way'));
  it.each<[string, (address: string) => Buffer]>([
    ['text', (address) => Buffer.from(`${address}:443`)],
    ['IPv4-mapped', (address) => Buffer.from(`::ffff:${address}`)],
    ['IPv4-mapped in hex', () => Buffer.from('::ffff:b9f7:c196')],
    ['a plain digest', (address) => createHash('sha256').update(address).digest()],
  ])('an IPv4 address as %s, certain by itself', (_form, bytes) => {
    expect(leaked(scanBytes(bytes(addresses[0] as string), canaries)).certain).not.toEqual([]);
  });
  it.each<[string, (address: string) => Buffer]>([
    ['4 bytes', bytesOf],
    ['4 bytes, little end first', (address) => bytesOf(address).reverse()],
    ['numbers', (address) => Buffer.from(`${bytesOf(address).readUInt32BE()},`)],
    ['hex', (address) => Buffer.from(bytesOf(address).toString('hex'))],
  ])('IPv4 addresses as %s: chance while they are few, evidence when many of one way are there', (_form, bytes) => {
    const hold = (count: number) => leaked(scanBytes(Buffer.concat(addresses.slice(0, count).map(bytes)), canaries));
    expect(hold(weakFindsMin - 1).certain).toEqual([]);
    expect(hold(weakFindsMin - 1).chance).not.toEqual([]);
    expect(hold(weakFindsMin).certain).not.toEqual([]);
  });

  it.each<[string, (bytes: Buffer) => void, number]>([
    ['64 bits, little end first', (bytes) => bytes.writeBigUInt64LE(727_182_818_284n), 8],
    ['64 bits, big end first', (bytes) => bytes.writeBigUInt64BE(727_182_818_284n), 8],
    ['a float', (bytes) => bytes.writeDoubleLE(727_182_818_284), 8],
    ['text', (bytes) => void bytes.write('727182818284'), 12],
  ])('a number as %s', (_form, write, size) => {
    const bytes = Buffer.alloc(size);
    write(bytes);
    expect(scanBytes(bytes, [numberCanary('number', 727_182_818_284n)])).not.toEqual([]);
  });

  it('what is in the name of a file, and of an entry of an archive', () => {
    const name = word('name');
    mkdirSync(join(folder, 'named'));
    writeFileSync(join(folder, 'named', `${name}.bin`), 'nothing');
    const canary = textCanary('name', name);
    expect(scan([join(folder, 'named')], [canary]).finds[0]).toMatchObject({ inside: 'name' });
    execFileSync('tar', ['-czf', join(folder, 'named.tgz'), '-C', folder, 'named']);
    expect(scan([join(folder, 'named.tgz')], [canary]).finds).not.toEqual([]);
  });
});

describe('in the stores of a desk, it finds a value', () => {
  const planted = Object.fromEntries(
    ['lz4', 'zstd', 'delta', 'wide', 'dictionary', 'heap', 'log', 'inline', 'toast', 'plainToast', 'toastLog'].map(
      (place) => [place, word(place.toLowerCase())],
    ),
  ) as Record<string, string>;
  const number = 3_986_114_730_017_553n;
  /** Text that compresses, with the value in its middle. */
  const long = (value: string, repeats: number) =>
    `${'a sentence that comes again. '.repeat(repeats)}${value} ${'and another one, too. '.repeat(repeats)}`;
  let found: Scan;
  let backup: Scan;
  let archive: string;
  const canaries = [
    ...Object.entries(planted).map(([place, text]) => textCanary(place, text)),
    ...Array.from({ length: 16 }, (_, n) => addressCanary(`243.215.201.${178 + n}`, 'packed')),
    numberCanary('number', number),
  ];
  const placesOf = (name: string, scanned = found) =>
    scanned.finds.filter(({ canary }) => canary === name).map(({ file, inside }) => `${file} (${inside})`);

  beforeAll(async () => {
    const dataDir = join(folder, 'desk');
    const warehouse = await openWarehouse({
      config: { dataDir, clickhouseUrl: undefined, clickhouseCluster: undefined },
      clock: systemClock,
      log: silentLog,
    });
    for (const [name, codec, extra] of [
      ['lz4', 'LZ4', ''],
      ['zstd', 'ZSTD(3)', ''],
      ['wide', 'ZSTD(1)', ', min_bytes_for_wide_part = 0'],
    ] as const) {
      await warehouse.command(
        `CREATE TABLE planted_${name} (id UInt64 CODEC(Delta(8), ${codec}), word String CODEC(${codec}), kind LowCardinality(String) CODEC(${codec}), address IPv4 CODEC(${codec}))
         ENGINE MergeTree ORDER BY id SETTINGS min_bytes_for_full_part_storage = 0${extra}`,
      );
      const rows = Array.from({ length: 400 }, (_, id) => ({
        id: String(name === 'wide' && id === 200 ? number : BigInt(id)),
        word: id === 200 ? planted[name] : `the same words again and again ${id % 7}`,
        kind: name === 'wide' && id === 200 ? planted.dictionary : 'ordinary',
        address: name === 'lz4' ? `243.215.201.${178 + (id % 16)}` : '0.0.0.0',
      }));
      await warehouse.insert(
        `planted_${name}`,
        Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')),
        word('t'),
      );
    }
    await warehouse.close();

    // With the settings of the product: those of the copy leave less in the log.
    const store = await openTestPostgres(postgresMigrations);
    await store.asOwner(async (sql) => {
      await sql.run('CREATE TABLE planted (word text)');
      await sql.run('INSERT INTO planted VALUES ($1), ($2), ($3)', [
        planted.heap,
        long(planted.inline as string, 60),
        long(planted.toast as string, 4_000),
      ]);
      await sql.run('CREATE TABLE planted_external (word text STORAGE EXTERNAL)');
      await sql.run('INSERT INTO planted_external VALUES ($1)', [long(planted.plainToast as string, 200)]);
      // A table that is gone has left its rows in the log alone.
      await sql.run('CREATE TABLE planted_gone (word text)');
      // Twice: one of them may be cut by the end of a segment of the log, which no scan puts together.
      for (const word of [planted.log, long(planted.toastLog as string, 4_000)])
        for (let time = 0; time < 2; time++) await sql.run('INSERT INTO planted_gone VALUES ($1)', [word]);
      await sql.run('DROP TABLE planted_gone');
    });
    await store.postgres.close();
    found = scan([dataDir, ...store.postgres.directories], canaries);

    // A backup, as long as there is no command for one: a cold copy of everything, in one compressed archive.
    archive = join(folder, 'backup.tar.gz');
    const parts = [dataDir, ...store.postgres.directories].flatMap((part) => [
      '-C',
      join(part, '..'),
      part.split('/').at(-1) ?? '',
    ]);
    execFileSync('tar', ['-czf', archive, ...parts]);
    backup = scan([archive], canaries);
    rmSync(dataDir, { recursive: true });
    await eraseStores(store.postgres, store.dataDir);
  }, 900_000);

  it.each([
    ['a part compressed with LZ4', 'lz4', /planted|data\.bin.*ClickHouse blocks/],
    ['a part compressed with ZSTD', 'zstd', /ClickHouse blocks/],
    ['a wide part, in the file of its column', 'wide', /word\.bin \(ClickHouse blocks\)/],
    ['the dictionary of a column', 'dictionary', /kind\.dict\.bin \(ClickHouse blocks\)/],
    ['a column of differences', 'number', /id\.bin \(ClickHouse blocks\)/],
    ['a row of a table', 'heap', /base\/\d+\/\d+ \(\)/],
    ['a compressed value within a row', 'inline', /base\/\d+\/\d+ \(compressed value of a PostgreSQL row\)/],
    ['a compressed value outside of its row', 'toast', /base\/\d+\/\d+ \(compressed TOAST value\)/],
    ['a long value that is not compressed', 'plainToast', /base\/\d+\/\d+ \((TOAST chunks)?\)/],
  ])('in %s', (_place, name, where) => {
    expect(placesOf(name)).toContainEqual(expect.stringMatching(where));
    expect(placesOf(name, backup)).not.toEqual([]);
  });

  it.each([
    ['a value', 'log'],
    ['a long compressed value', 'toastLog'],
  ])('in the write-ahead log alone: %s', (_kind, name) => {
    expect(placesOf(name)).not.toEqual([]);
    expect(placesOf(name).filter((place) => !place.includes('pg_wal/'))).toEqual([]);
    expect(placesOf(name, backup)).not.toEqual([]);
  });

  it('in four bytes: sixteen packed addresses of one column', () => {
    for (const scanned of [found, backup])
      expect(leaked(scanned.finds).certain.filter(({ group }) => group === 'packed').length).toBeGreaterThanOrEqual(16);
  });

  it('and nothing that was not planted, by the same rule', () => {
    const strangers = [
      ...Array.from({ length: 200 }, (_, n) =>
        addressCanary(`${211 + (n % 13)}.${190 + (n % 60)}.${201 + (n % 50)}.${129 + (n % 120)}`, `way ${n % 12}`),
      ),
      textCanary('stranger', word('stranger')),
      bytesCanary('salt', randomBytes(32)),
    ];
    expect(leaked(scan([archive], strangers).finds).certain).toEqual([]);
    expect(found.bytesLooked).toBeGreaterThan(10_000_000);
  }, 300_000);
});
