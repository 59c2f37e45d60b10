import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type AddressKey, readAddressKey } from './address.ts';
import { readTableHeader } from './place_build.ts';
import { firstPlace, placeBeforeLast, rangesPerBlock, type SectionName, unknownPlace } from './place_table.ts';

export { arePlacesFresh, buildPlaces } from './place_build.ts';

/** A place as coarse as COL-14 allows. '' is unknown. */
export type Place = {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** The English name of the first-level region; its ISO 3166-2 suffix where the database has no name. */
  readonly region: string;
  /** The English name, without districts. */
  readonly city: string;
  /** Degrees, rounded to one decimal (about 11 km). */
  readonly latitude: number;
  readonly longitude: number;
};

export type Places = {
  /** The place of an address in text form (IPv4, IPv6, IPv4-mapped), undefined when unknown, private or no address. */
  lookup(address: string): Place | undefined;
  /** The credit that the licence of the data asks for wherever a place is shown; empty where none is due. */
  readonly credit: { readonly text: string; readonly href: string };
  /** Lets the table go; every look-up after it finds nothing. */
  close(): void;
};

/** Decoded places are kept by their number (never by address), since a few cities make most of a site's visits. */
const decodedPlacesMax = 4_096;

/**
 * Opens a table made by `buildPlaces`: reads it whole (about 28 MB for both families), since a page of it read on
 * demand would cost a system call per event. Throws with the next step when it is missing or of another version.
 */
export function openPlaces(file: string, bytes?: Buffer): Places {
  const header = readTableHeader(file);
  let table: Table | undefined = readTable(bytes ?? readFileSync(file), header);
  const decoded = new Map<number, Place>();
  const key: AddressKey = { hi: 0, lo: 0 };
  return {
    credit: header.credit,
    lookup(address) {
      if (table === undefined || !readAddressKey(address, key)) return undefined;
      const rank = placeOfKey(table, key);
      if (rank < 0) return undefined;
      let place = decoded.get(rank);
      if (place === undefined) {
        if (decoded.size >= decodedPlacesMax) decoded.clear();
        place = decodePlace(table, rank);
        decoded.set(rank, place);
      }
      return place;
    },
    close() {
      table = undefined;
      decoded.clear();
    },
  };
}

/** Every place of a table, the one with the most ranges of addresses first. */
export function* everyPlace(file: string): Generator<Place> {
  const table = readTable(readFileSync(file), readTableHeader(file));
  for (let rank = 0; rank < table.placeCountry.length; rank++) yield decodePlace(table, rank);
}

/** `openPlaces`, read beside this thread: 28 MB of new memory hold it for a tenth of a second otherwise. */
export async function loadPlaces(file: string): Promise<Places> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (let read = -1; at < size && read !== 0; at += read)
      read = (await handle.read(bytes, at, size - at, at)).bytesRead;
    return openPlaces(file, bytes.subarray(0, at));
  } finally {
    await handle.close();
  }
}

type Table = {
  readonly blocks: number;
  readonly blockHi: Uint32Array;
  readonly blockLo: Uint32Array;
  readonly blockAt: Uint32Array;
  readonly ranges: Uint8Array;
  readonly placeCountry: Uint16Array;
  readonly placeRegion: Uint32Array;
  readonly placeCity: Uint32Array;
  readonly placeLatitude: Int16Array;
  readonly placeLongitude: Int16Array;
  readonly nameEnd: Uint32Array;
  readonly names: Buffer;
};

function readTable(bytes: Buffer, header: ReturnType<typeof readTableHeader>): Table {
  const section = <T>(
    name: SectionName,
    view: new (buffer: ArrayBufferLike, at: number, length: number) => T,
    width: number,
  ): T => {
    const { at, bytes: size } = header.sections[name];
    if (at + size > bytes.length) throw new Error('The table of places is cut short: build it again with buildPlaces.');
    return new view(bytes.buffer, bytes.byteOffset + at, size / width);
  };
  const { at, bytes: size } = header.sections.names;
  return {
    blocks: header.blocks,
    blockHi: section('blockHi', Uint32Array, 4),
    blockLo: section('blockLo', Uint32Array, 4),
    blockAt: section('blockAt', Uint32Array, 4),
    ranges: section('ranges', Uint8Array, 1),
    placeCountry: section('placeCountry', Uint16Array, 2),
    placeRegion: section('placeRegion', Uint32Array, 4),
    placeCity: section('placeCity', Uint32Array, 4),
    placeLatitude: section('placeLatitude', Int16Array, 2),
    placeLongitude: section('placeLongitude', Int16Array, 2),
    nameEnd: section('nameEnd', Uint32Array, 4),
    names: bytes.subarray(at, at + size),
  };
}

/** The rank of the place that a key lies in, or -1. */
function placeOfKey(table: Table, key: AddressKey): number {
  const block = blockOfKey(table, key);
  if (block < 0) return -1;
  const { ranges } = table;
  let at = table.blockAt[block] as number;
  let hi = table.blockHi[block] as number;
  let lo = table.blockLo[block] as number;
  let last = unknownPlace;
  let beforeLast = unknownPlace;
  for (let i = 0; i < rangesPerBlock && at < ranges.length; i++) {
    let byte = ranges[at++] as number;
    let place = byte & 127;
    for (let shift = 7; byte >= 128; shift += 7) {
      byte = ranges[at++] as number;
      place |= (byte & 127) << shift;
    }
    if (place === placeBeforeLast) place = beforeLast;
    beforeLast = last;
    last = place;

    const control = ranges[at++] as number;
    let times = (control >> 5) * 2 + 1;
    if (times === 15) {
      times = 0;
      let scale = 1;
      do {
        byte = ranges[at++] as number;
        times += (byte & 127) * scale;
        scale *= 128;
      } while (byte >= 128);
    }
    lo += times * 2 ** (control & 31);
    if (lo >= 2 ** 32) {
      hi += Math.floor(lo / 2 ** 32);
      lo %= 2 ** 32;
    }
    if (hi > key.hi || (hi === key.hi && lo > key.lo)) return place - firstPlace;
  }
  return -1;
}

/** The last block that begins at or before the key. */
function blockOfKey(table: Table, key: AddressKey): number {
  const { blockHi, blockLo } = table;
  let from = 0;
  let to = table.blocks;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const hi = blockHi[middle] as number;
    if (hi < key.hi || (hi === key.hi && (blockLo[middle] as number) <= key.lo)) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

function decodePlace(table: Table, rank: number): Place {
  const country = table.placeCountry[rank] as number;
  return Object.freeze({
    country: String.fromCharCode(country >> 8, country & 255),
    region: nameAt(table, table.placeRegion[rank] as number),
    city: nameAt(table, table.placeCity[rank] as number),
    latitude: (table.placeLatitude[rank] as number) / 10,
    longitude: (table.placeLongitude[rank] as number) / 10,
  });
}

function nameAt(table: Table, number: number): string {
  return table.names.toString('utf8', number === 0 ? 0 : table.nameEnd[number - 1], table.nameEnd[number]);
}
