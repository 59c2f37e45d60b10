import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../../platform/private_file.ts';
import { ipv4Root, type Mmdb, type MmdbValue, readMmdb, valueOfLeaf, walkNetworks } from './mmdb.ts';
import {
  firstPlace,
  headerBytes,
  placeBeforeLast,
  rangesPerBlock,
  type SectionName,
  sectionNames,
  type TableHeader,
  tableFormat,
  unknownPlace,
} from './place_table.ts';

/** DB-IP City Lite as two files, or a MaxMind City file with both families given as `v4` alone. */
export type PlaceSources = { readonly v4: string; readonly v6?: string | undefined };

/**
 * Converts a place database to the compact table that `openPlaces` reads, written beside `out`, synced and renamed over
 * it, so that a reader sees the old table or the new one and a crash leaves no half. The same sources give the same
 * bytes. Takes seconds and blocks; `onProgress` gets the share done, 0 to 1. Throws when a source cannot be read.
 */
export function buildPlaces(job: PlaceSources & { out: string; onProgress?: (share: number) => void }): void {
  const report = job.onProgress ?? (() => {});
  const files = job.v6 === undefined ? [job.v4] : [job.v4, job.v6];
  const places = new PlaceRegister();
  const ranges = new RangeList();
  const types: string[] = [];
  // The share each part takes, as measured: reading the two files four fifths, writing the table one fifth.
  for (const [index, file] of files.entries()) {
    report((0.8 * index) / files.length);
    const mmdb = readMmdb(readFileSync(file));
    types.push(mmdb.databaseType);
    readRanges(mmdb, places, ranges);
  }
  report(0.8);
  const order = ranges.placesByFrequency(places.size);
  const encoded = encodeRanges(ranges, order.rankOf);
  report(0.9);
  const sections = { ...encoded, ...encodePlaces(places, order.byRank) };
  writeTable(job.out, sections, {
    fingerprint: fingerprintOf(job),
    credit: creditFor(types),
    blocks: encoded.blockHi.length,
    places: places.size,
  });
  report(1);
}

/** Is `out` a table of this format, made from these very sources? Reads a few kilobytes of each. */
export function arePlacesFresh(files: PlaceSources & { out: string }): boolean {
  try {
    return readTableHeader(files.out).fingerprint === fingerprintOf(files);
  } catch {
    return false;
  }
}

/** Reads and checks the header of a table. Throws a sentence with the next step. */
export function readTableHeader(file: string): TableHeader {
  const bytes = readPart(file, (size) => ({ at: 0, bytes: Math.min(headerBytes, size) }));
  let header: TableHeader | undefined;
  try {
    header = JSON.parse(bytes.toString('utf8')) as TableHeader;
  } catch {
    // Not ours, or cut short: told below.
  }
  if (header?.format !== tableFormat) {
    throw new Error('The table of places is of another version or damaged: build it again with buildPlaces.');
  }
  return header;
}

/**
 * Names the sources by size and by their last 64 KiB, which hold the metadata with the time of their making, and the
 * format. Hashing all 134 MB would cost a fifth of a second at every start.
 */
function fingerprintOf(sources: PlaceSources): string {
  const hash = createHash('sha256').update(tableFormat);
  for (const file of sources.v6 === undefined ? [sources.v4] : [sources.v4, sources.v6]) {
    const tail = readPart(file, (size) => {
      hash.update(`|${size}|`);
      const bytes = Math.min(size, 64 * 1024);
      return { at: size - bytes, bytes };
    });
    hash.update(tail);
  }
  return hash.digest('hex');
}

function readPart(file: string, choose: (size: number) => { at: number; bytes: number }): Buffer {
  const handle = openSync(file, 'r');
  try {
    const { at, bytes } = choose(fstatSync(handle).size);
    const part = Buffer.alloc(bytes);
    const got = readSync(handle, part, 0, bytes, at);
    return part.subarray(0, got);
  } finally {
    closeSync(handle);
  }
}

/** The words that each licence asks for. GeoIP2 is bought and asks for none. */
function creditFor(databaseTypes: readonly string[]): { text: string; href: string } {
  if (databaseTypes.every((type) => /^geolite2/i.test(type))) {
    return { text: 'This product includes GeoLite Data created by MaxMind', href: 'https://www.maxmind.com' };
  }
  if (databaseTypes.every((type) => /^geoip2/i.test(type))) return { text: '', href: '' };
  return { text: 'IP Geolocation by DB-IP', href: 'https://db-ip.com' };
}

type PlaceRow = { country: string; region: string; city: string; latitude10: number; longitude10: number };

/** Numbers what it is given from 0, in the order in which it is met. */
class Register<Key> {
  readonly keys: Key[] = [];
  readonly #numbers = new Map<Key, number>();

  numberOf(key: Key): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.keys.push(key) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }
}

/**
 * Gives each distinct place a number from 1; 0 is unknown. Names become numbers first and a place two of them packed
 * into one (its names, its coordinates), because 700,000 joined texts as keys were the most costly part of a conversion.
 */
class PlaceRegister {
  readonly #regions = new Register<string>();
  readonly #cities = new Register<string>();
  readonly #names = new Register<number>();
  readonly #places = new Register<number>();

  get size(): number {
    return this.#places.keys.length;
  }

  numberOf(row: PlaceRow | undefined): number {
    if (row === undefined) return unknownPlace;
    const region = this.#regions.numberOf(row.country + row.region);
    const names = this.#names.numberOf(region * 2 ** 26 + this.#cities.numberOf(row.city));
    return this.#places.numberOf((names * 2 ** 12 + row.latitude10 + 900) * 2 ** 12 + row.longitude10 + 1800) + 1;
  }

  rowOf(number: number): PlaceRow {
    const place = this.#places.keys[number - 1] as number;
    const names = this.#names.keys[Math.floor(place / 2 ** 24)] as number;
    const region = this.#regions.keys[Math.floor(names / 2 ** 26)] as string;
    return {
      country: region.slice(0, 2),
      region: region.slice(2),
      city: this.#cities.keys[names % 2 ** 26] as string,
      latitude10: (Math.floor(place / 2 ** 12) % 2 ** 12) - 900,
      longitude10: (place % 2 ** 12) - 1800,
    };
  }
}

/** Starts of ranges in ascending order with the number of their place: 7.5 million of them, so no objects. */
class RangeList {
  hi = new Uint32Array(1 << 20);
  lo = new Uint32Array(1 << 20);
  place = new Uint32Array(1 << 20);
  length = 0;

  /** Adds a range that ends where the next begins. One that goes on in the same place is the same range. */
  push(hi: number, lo: number, place: number): void {
    if (this.length > 0) {
      const last = this.length - 1;
      if (this.place[last] === place) return;
      // Lengths are exact in doubles when no range crosses a /32 boundary but at its ends.
      const lastHi = this.hi[last] as number;
      if (hi > lastHi) {
        if (this.lo[last] !== 0 && (lo !== 0 || hi > lastHi + 1)) this.#add(lastHi + 1, 0, this.place[last] as number);
        if (lo !== 0 && (this.hi[this.length - 1] as number) < hi) this.#add(hi, 0, this.place[last] as number);
      }
    }
    this.#add(hi, lo, place);
  }

  #add(hi: number, lo: number, place: number): void {
    if (this.length === this.hi.length) {
      this.hi = grown(this.hi);
      this.lo = grown(this.lo);
      this.place = grown(this.place);
    }
    this.hi[this.length] = hi;
    this.lo[this.length] = lo;
    this.place[this.length] = place;
    this.length++;
  }

  /** Ranks places by how many ranges have them; ties by their number, so that the result never varies. */
  placesByFrequency(placeCount: number): { byRank: Uint32Array; rankOf: Uint32Array } {
    const uses = new Uint32Array(placeCount + 1);
    for (let i = 0; i < this.length; i++) {
      const place = this.place[i] as number;
      uses[place] = (uses[place] as number) + 1;
    }
    const byRank = new Uint32Array(placeCount).map((_, index) => index + 1);
    byRank.sort((a, b) => (uses[b] as number) - (uses[a] as number) || a - b);
    const rankOf = new Uint32Array(placeCount + 1);
    byRank.forEach((place, rank) => {
      rankOf[place] = rank;
    });
    return { byRank, rankOf };
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Adds the ranges of one file. An IPv4 file must come before an IPv6 file, since keys ascend. */
function readRanges(mmdb: Mmdb, places: PlaceRegister, ranges: RangeList): void {
  const known = new Map<number, number>();
  const placeOf = (leaf: number | undefined): number => {
    if (leaf === undefined) return unknownPlace;
    let number = known.get(leaf);
    if (number === undefined) {
      number = places.numberOf(placeRow(valueOfLeaf(mmdb, leaf)));
      known.set(leaf, number);
    }
    return number;
  };

  const v4 = ipv4Root(mmdb);
  if (v4 < mmdb.nodeCount) {
    let at = 0;
    walkNetworks(mmdb, { root: v4, depthMax: 32 }, (depth, leaf) => {
      ranges.push(0, at, placeOf(leaf));
      at += 2 ** (32 - depth);
    });
    ranges.push(1, 0, unknownPlace);
  }
  if (mmdb.ipVersion === 4) return;

  let hi = 0;
  let lo = 0;
  // A file of both families repeats its IPv4 tree under 6to4, Teredo and the mapped prefix: it is not entered again.
  walkNetworks(mmdb, { root: 0, depthMax: 64, stopAt: v4 < mmdb.nodeCount ? v4 : undefined }, (depth, leaf) => {
    if (hi > 0) ranges.push(hi, lo, placeOf(leaf));
    else if (depth === 0) throw new Error('The place database is empty: fetch it again.');
    if (depth <= 32) hi += 2 ** (32 - depth);
    else {
      lo += 2 ** (64 - depth);
      if (lo === 2 ** 32) {
        lo = 0;
        hi++;
      }
    }
  });
}

/** Reads DB-IP's flat record or MaxMind's nested one. Undefined when it names no country. */
function placeRow(value: MmdbValue): PlaceRow | undefined {
  const flat = memberOf(value, 'country_code');
  const country = textOf(flat ?? memberOf(memberOf(value, 'country'), 'iso_code'));
  if (!/^[A-Z]{2}$/.test(country) || country === 'ZZ') return undefined;
  const division = memberOf(memberOf(value, 'subdivisions'), 0);
  const region = memberOf(value, 'state1') ?? englishName(division) ?? memberOf(division, 'iso_code');
  const city = flat === undefined ? englishName(memberOf(value, 'city')) : memberOf(value, 'city');
  const where = flat === undefined ? memberOf(value, 'location') : value;
  return {
    country,
    region: textOf(region),
    city: withoutDistrict(textOf(city)),
    latitude10: tenths(memberOf(where, 'latitude')),
    longitude10: tenths(memberOf(where, 'longitude')),
  };
}

/**
 * DB-IP writes districts into some names ("Berlin (Moabit)", "New York (Long Island City)"): 39,552 of 174,000. A
 * district is finer than the city that COL-14 promises, and splits one city into many lines.
 */
function withoutDistrict(city: string): string {
  const bracket = city.endsWith(')') ? city.indexOf(' (') : -1;
  return bracket > 0 ? city.slice(0, bracket) : city;
}

function memberOf(value: MmdbValue | undefined, name: string | number): MmdbValue | undefined {
  return typeof value === 'object' ? (value as { [key: string]: MmdbValue })[name] : undefined;
}

function englishName(value: MmdbValue | undefined): MmdbValue | undefined {
  return memberOf(memberOf(value, 'names'), 'en');
}

function textOf(value: MmdbValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** One decimal is all that COL-14 allows; it is cut off here, before anything is written. */
function tenths(value: MmdbValue | undefined): number {
  // Adding 0 turns -0 into 0.
  return typeof value === 'number' && Math.abs(value) <= 180 ? Math.round(value * 10) + 0 : 0;
}

type Sections = { [name in SectionName]: Uint8Array | Uint16Array | Int16Array | Uint32Array };

function encodeRanges(
  list: RangeList,
  rankOf: Uint32Array,
): Pick<Sections, 'blockHi' | 'blockLo' | 'blockAt' | 'ranges'> {
  const blocks = Math.ceil(list.length / rangesPerBlock);
  const blockHi = new Uint32Array(blocks);
  const blockLo = new Uint32Array(blocks);
  const blockAt = new Uint32Array(blocks);
  // A place takes at most 4 bytes and a length 1, or 7 when it is long.
  const ranges = new Uint8Array(list.length * 11);
  let at = 0;
  const writeVarint = (value: number): void => {
    let rest = value;
    while (rest >= 0x80) {
      ranges[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    ranges[at++] = rest;
  };
  for (let i = 0; i < list.length; i++) {
    const hi = list.hi[i] as number;
    const lo = list.lo[i] as number;
    const place = list.place[i] as number;
    const inBlock = i % rangesPerBlock;
    if (inBlock === 0) {
      const block = i / rangesPerBlock;
      blockHi[block] = hi;
      blockLo[block] = lo;
      blockAt[block] = at;
    }
    if (place === unknownPlace) writeVarint(unknownPlace);
    else if (inBlock >= 2 && list.place[i - 2] === place) writeVarint(placeBeforeLast);
    else writeVarint((rankOf[place] as number) + firstPlace);

    // The last range runs to the end of the key space.
    const isLast = i === list.length - 1;
    const nextHi = isLast ? 2 ** 32 : (list.hi[i + 1] as number);
    const nextLo = isLast ? 0 : (list.lo[i + 1] as number);
    let shift = 31;
    let odd = (nextHi - hi) * 2;
    if (lo !== 0 || nextLo !== 0) {
      const length = (nextHi - hi) * 2 ** 32 + nextLo - lo;
      shift = trailingZeros(length);
      odd = length / 2 ** shift;
    }
    if (odd % 2 === 1 && odd < 14) ranges[at++] = shift | (((odd - 1) / 2) << 5);
    else {
      ranges[at++] = shift | (7 << 5);
      writeVarint(odd);
    }
  }
  return { blockHi, blockLo, blockAt, ranges: ranges.slice(0, at) };
}

/** Zero bits at the end of a length of at most 2^32, no more than the five bits of a range's shift can hold. */
function trailingZeros(length: number): number {
  const low = length % 2 ** 32;
  return low === 0 ? 31 : 31 - Math.clz32(low & -low);
}

function encodePlaces(
  places: PlaceRegister,
  byRank: Uint32Array,
): Omit<Sections, 'blockHi' | 'blockLo' | 'blockAt' | 'ranges'> {
  const placeCountry = new Uint16Array(byRank.length);
  const placeRegion = new Uint32Array(byRank.length);
  const placeCity = new Uint32Array(byRank.length);
  const placeLatitude = new Int16Array(byRank.length);
  const placeLongitude = new Int16Array(byRank.length);
  const texts = new Register<string>();
  for (const [rank, place] of byRank.entries()) {
    const row = places.rowOf(place);
    placeCountry[rank] = row.country.charCodeAt(0) * 256 + row.country.charCodeAt(1);
    placeRegion[rank] = texts.numberOf(row.region);
    placeCity[rank] = texts.numberOf(row.city);
    placeLatitude[rank] = row.latitude10;
    placeLongitude[rank] = row.longitude10;
  }
  const nameEnd = new Uint32Array(texts.keys.length);
  const names = Buffer.from(texts.keys.join(''), 'utf8');
  let end = 0;
  for (const [number, name] of texts.keys.entries()) {
    end += Buffer.byteLength(name);
    nameEnd[number] = end;
  }
  return { placeCountry, placeRegion, placeCity, placeLatitude, placeLongitude, nameEnd, names };
}

function writeTable(out: string, sections: Sections, facts: Omit<TableHeader, 'format' | 'sections'>): void {
  const parts: Uint8Array[] = [];
  const where: Partial<Record<SectionName, { at: number; bytes: number }>> = {};
  let at = headerBytes;
  for (const name of sectionNames) {
    const section = sections[name];
    where[name] = { at, bytes: section.byteLength };
    const padding = (8 - (section.byteLength % 8)) % 8;
    parts.push(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), new Uint8Array(padding));
    at += section.byteLength + padding;
  }
  const header = `${JSON.stringify({ format: tableFormat, ...facts, sections: where })}\n`;
  if (Buffer.byteLength(header) > headerBytes)
    throw new Error('The header of the table of places has outgrown its room.');

  const unfinished = `${out}.unfinished`;
  const handle = openSync(unfinished, 'w', 0o600);
  try {
    for (const part of [Buffer.from(header.padEnd(headerBytes)), ...parts]) writeAll(handle, part);
    fsyncSync(handle);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
  renameSync(unfinished, out);
  // A rename is durable once its folder is.
  syncFolder(dirname(out));
}

function writeAll(handle: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(handle, bytes, written);
}
