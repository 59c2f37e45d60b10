/**
 * The format of the table of places, shared by the one who writes it and the one who reads it.
 *
 * One file: a header line of JSON padded to `headerBytes`, then the sections it lists, each aligned to 8 bytes and
 * little-endian (every machine that Node 24 and chDB run on). The key space (see address.ts) is cut into ranges that
 * have one place each. A range is written as `place, length`; `rangesPerBlock` of them make a block whose first key is
 * kept in the index. A look-up is a binary search among the blocks and a scan of one.
 */

export const tableFormat = 'fairlead places 1';
export const headerBytes = 1024;
/** Measured: 16 make 31.1 MB and 0.7 µs a look-up, 32 make 28.2 MB and 0.8 µs, 64 make 26.7 MB and 1.1 µs. */
export const rangesPerBlock = 32;

export const sectionNames = [
  'blockHi',
  'blockLo',
  'blockAt',
  'ranges',
  'placeCountry',
  'placeRegion',
  'placeCity',
  'placeLatitude',
  'placeLongitude',
  'nameEnd',
  'names',
] as const;

export type SectionName = (typeof sectionNames)[number];

export type TableHeader = {
  readonly format: typeof tableFormat;
  /** What the table was made from; see `fingerprintOf`. */
  readonly fingerprint: string;
  readonly credit: { readonly text: string; readonly href: string };
  readonly blocks: number;
  readonly places: number;
  readonly sections: { readonly [name in SectionName]: { readonly at: number; readonly bytes: number } };
};

/** In the place column of a range: nothing known, and "the same as the range before the last", which an exception inside a larger network makes frequent. */
export const unknownPlace = 0;
export const placeBeforeLast = 1;
/** Places are numbered from here, most frequent first, so that the frequent ones take one byte. */
export const firstPlace = 2;
