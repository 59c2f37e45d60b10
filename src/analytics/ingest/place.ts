import type { Clock } from '../../platform/clock.ts';
import { type AddressKey, readAddressKey } from './address.ts';
import { readTableHeader } from './place_build.ts';
import { type FilePages, openPagedFile } from './place_pages.ts';
import {
  firstPlace,
  placeBeforeLast,
  rangesPerBlock,
  type SectionName,
  type TableHeader,
  unknownPlace,
} from './place_table.ts';

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

/** After so long without a look-up what was read of the table is given back. */
const quietMs = 30_000;

/** What a desk gives a table that is open for long. */
export type PlacesHouse = {
  readonly clock: Pick<Clock, 'after'>;
  /** The file could not be read at a look-up, whose place is then unknown. Told once. */
  readonly onUnreadable: (error: unknown) => void;
};

/**
 * Opens a table made by `buildPlaces`. Of its 28 MB a look-up reads the pages that it comes by, once: a site's visitors are
 * from a part of the world, and a desk without visitors holds nothing. Throws with the next step when it is missing or of
 * another version.
 * @param house with one, memory is given back after half a minute without a look-up
 */
export function openPlaces(file: string, house?: PlacesHouse): Places {
  const header = readTableHeader(file);
  const opened = openPagedFile(file);
  if (Object.values(header.sections).some(({ at, bytes }) => at + bytes > opened.size)) {
    opened.close();
    throw new Error('The table of places is cut short: build it again with buildPlaces.');
  }
  let table: Table | undefined;
  let isClosed = false;
  let isAsked = false;
  let isUnreadable = false;
  const decoded = new Map<number, Place>();
  const key: AddressKey = { hi: 0, lo: 0 };

  /** Looks again and again for as long as there is something to give back. */
  function giveBackLater(): void {
    isAsked = false;
    house?.clock.after(quietMs, () => {
      if (isAsked) giveBackLater();
      else giveBack();
    });
  }

  function giveBack(): void {
    table?.pages.end();
    table = undefined;
    decoded.clear();
  }

  function openTable(): Table {
    giveBackLater();
    return tableOf(opened.pages(), header);
  }

  function placeOf(address: string): Place | undefined {
    if (isClosed || !readAddressKey(address, key)) return undefined;
    isAsked = true;
    table ??= openTable();
    const rank = placeOfKey(table, key);
    if (rank < 0) return undefined;
    let place = decoded.get(rank);
    if (place === undefined) {
      if (decoded.size >= decodedPlacesMax) decoded.clear();
      place = decodePlace(table, rank);
      decoded.set(rank, place);
    }
    return place;
  }

  return {
    credit: header.credit,
    lookup(address) {
      try {
        return placeOf(address);
      } catch (error) {
        if (house === undefined) throw error;
        // Collection does not depend on places.
        if (!isUnreadable) house.onUnreadable(error);
        isUnreadable = true;
        return undefined;
      }
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      giveBack();
      opened.close();
    },
  };
}

/** Every place of a table, the one with the most ranges of addresses first. */
export function* everyPlace(file: string): Generator<Place> {
  const opened = openPagedFile(file);
  try {
    const table = tableOf(opened.pages(), readTableHeader(file));
    for (let rank = 0; rank < table.places; rank++) yield decodePlace(table, rank);
  } finally {
    opened.close();
  }
}

/** The file's sections; each looks at a page that it has read. */
type Table = {
  readonly pages: FilePages;
  readonly blocks: number;
  readonly places: number;
  /** Where each block begins; `need` is called for the blocks that are looked at. */
  readonly index: { readonly his: Uint32Array; readonly los: Uint32Array; need(from: number, to: number): void };
  readonly blockAt: Column;
  readonly placeCountry: Column;
  readonly placeRegion: Column;
  readonly placeCity: Column;
  readonly placeLatitude: Column;
  readonly placeLongitude: Column;
  readonly nameEnd: Column;
  /** Bytes of ranges in all. */
  readonly rangeBytes: number;
  /** The ranges, of which this stretch is there. */
  ranges(from: number, to: number): Uint8Array;
  name(from: number, to: number): string;
};

type Column = (place: number) => number;

function tableOf(pages: FilePages, { sections, blocks, places }: TableHeader): Table {
  const { buffer } = pages.bytes;
  const { blockHi, blockLo } = sections;
  const column = (
    name: SectionName,
    Numbers: Uint32ArrayConstructor | Uint16ArrayConstructor | Int16ArrayConstructor,
  ): Column => {
    const { at, bytes } = sections[name];
    const width = Numbers.BYTES_PER_ELEMENT;
    const numbers = new Numbers(buffer, at, bytes / width);
    return (place) => {
      pages.need(at + place * width, at + place * width + width);
      return numbers[place] as number;
    };
  };
  const ranges = new Uint8Array(buffer, sections.ranges.at, sections.ranges.bytes);
  const names = Buffer.from(buffer, sections.names.at, sections.names.bytes);
  return {
    ...{ pages, blocks, places },
    index: {
      his: new Uint32Array(buffer, blockHi.at, blocks),
      los: new Uint32Array(buffer, blockLo.at, blocks),
      need(from, to) {
        pages.need(blockHi.at + from * 4, blockHi.at + to * 4);
        pages.need(blockLo.at + from * 4, blockLo.at + to * 4);
      },
    },
    blockAt: column('blockAt', Uint32Array),
    placeCountry: column('placeCountry', Uint16Array),
    placeRegion: column('placeRegion', Uint32Array),
    placeCity: column('placeCity', Uint32Array),
    placeLatitude: column('placeLatitude', Int16Array),
    placeLongitude: column('placeLongitude', Int16Array),
    nameEnd: column('nameEnd', Uint32Array),
    rangeBytes: ranges.length,
    ranges(from, to) {
      pages.need(sections.ranges.at + from, sections.ranges.at + to);
      return ranges;
    },
    name(from, to) {
      pages.need(sections.names.at + from, sections.names.at + to);
      return names.toString('utf8', from, to);
    },
  };
}

/** The rank of the place that a key lies in, or -1. */
function placeOfKey(table: Table, key: AddressKey): number {
  const block = blockOfKey(table, key);
  if (block < 0) return -1;
  let at = table.blockAt(block);
  const end = block + 1 < table.blocks ? table.blockAt(block + 1) : table.rangeBytes;
  const ranges = table.ranges(at, end);
  let hi = table.index.his[block] as number;
  let lo = table.index.los[block] as number;
  let last = unknownPlace;
  let beforeLast = unknownPlace;
  for (let i = 0; i < rangesPerBlock && at < end; i++) {
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

/** As many blocks as a page of the index has: the last ten steps of a search stay within one. */
const blocksTogether = 1_024;

/** The last block that begins at or before the key, or -1. */
function blockOfKey({ blocks, index }: Table, key: AddressKey): number {
  let from = 0;
  let to = Math.ceil(blocks / blocksTogether);
  while (from < to) {
    const middle = (from + to) >>> 1;
    const first = middle * blocksTogether;
    index.need(first, first + 1);
    if (beginsAfter(index, first, key)) to = middle;
    else from = middle + 1;
  }
  if (from === 0) return -1;
  to = Math.min(blocks, from * blocksTogether);
  from = (from - 1) * blocksTogether;
  index.need(from, to);
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (beginsAfter(index, middle, key)) to = middle;
    else from = middle + 1;
  }
  return from - 1;
}

function beginsAfter({ his, los }: Table['index'], block: number, key: AddressKey): boolean {
  const hi = his[block] as number;
  return hi > key.hi || (hi === key.hi && (los[block] as number) > key.lo);
}

function decodePlace(table: Table, rank: number): Place {
  const country = table.placeCountry(rank);
  return Object.freeze({
    country: String.fromCharCode(country >> 8, country & 255),
    region: nameAt(table, table.placeRegion(rank)),
    city: nameAt(table, table.placeCity(rank)),
    latitude: table.placeLatitude(rank) / 10,
    longitude: table.placeLongitude(rank) / 10,
  });
}

function nameAt(table: Table, number: number): string {
  return table.name(number === 0 ? 0 : table.nameEnd(number - 1), table.nameEnd(number));
}
