import { consentLimits } from '../../../contract/consent.ts';
import { type Bits, bitAt, bitsLeft, bitsOf, skip, take, Unreadable } from './bits.ts';

/**
 * What a TC string of TCF v2.3 says, as far as anybody here asks. When it was made, by which program and in which
 * language is read over: together they would know a visitor again from one day to the next.
 */
export type TcString = {
  readonly policyVersion: number;
  /** Numbers of the purposes consented to, 1 to 24. */
  readonly hasPurpose: (purpose: number) => boolean;
  /** Of a vendor's number in the global list. */
  readonly hasVendor: (vendor: number) => boolean;
  /** Was the vendor shown to the person? A signal about one that was not shown is worth nothing. */
  readonly wasShown: (vendor: number) => boolean;
};

/** Types of the segments behind the core. */
const disclosedVendors = 1;
const segmentTypes = [1, 2, 3];
const segmentsMax = 4;
const purposesAt = 152;

/**
 * Reads a TC string; undefined for one that is not valid under v2.3, whatever is wrong with it. Never throws. The time it
 * takes grows with the text and with nothing that the text says: vendors are looked up in it, not listed.
 */
export function readTcString(text: string): TcString | undefined {
  if (text.length > consentLimits.tcCharsMax) return undefined;
  try {
    const [core = '', ...rest] = text.split('.', segmentsMax + 1);
    if (rest.length >= segmentsMax) return undefined;
    const bits = bitsOf(core);
    if (take(bits, 6) !== 2) return undefined;
    // Created, last updated, CMP, its version, screen, language, version of the vendor list.
    skip(bits, 36 + 36 + 12 + 12 + 6 + 12 + 12);
    const policyVersion = take(bits, 6);
    // Strings of the whole web are not valid any more.
    if (take(bits, 1) !== 1) return undefined;
    // Stacks, special features, purposes, legitimate interests, treatment of purpose 1, country of the publisher.
    skip(bits, 1 + 12 + 24 + 24 + 1 + 12);
    const hasVendor = readVendors(bits);
    readVendors(bits);
    passRestrictions(bits);
    const wasShown = readShown(rest);
    if (wasShown === undefined) return undefined;
    return {
      policyVersion,
      hasPurpose: (purpose) => purpose >= 1 && purpose <= 24 && bitAt(core, purposesAt + purpose - 1) === 1,
      hasVendor,
      wasShown,
    };
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** The segment of vendors that were shown, which v2.3 asks of every string; undefined where it is missing. */
function readShown(segments: readonly string[]): ((vendor: number) => boolean) | undefined {
  const seen = new Set<number>();
  let shown: ((vendor: number) => boolean) | undefined;
  for (const segment of segments) {
    const bits = bitsOf(segment);
    const type = take(bits, 3);
    if (!segmentTypes.includes(type) || seen.has(type)) return undefined;
    seen.add(type);
    if (type === disclosedVendors) shown = readVendors(bits);
  }
  return shown;
}

/** A list of vendors, as one bit for each or as ranges. */
function readVendors(bits: Bits): (vendor: number) => boolean {
  const highest = take(bits, 16);
  const { text } = bits;
  if (take(bits, 1) === 0) {
    const from = bits.at - 1;
    skip(bits, highest);
    return (vendor) => vendor >= 1 && vendor <= highest && bitAt(text, from + vendor) === 1;
  }
  const ranges = readRanges(bits);
  return (vendor) => {
    for (let at = 0; at < ranges.length; at += 2)
      if (vendor >= (ranges[at] as number) && vendor <= (ranges[at + 1] as number)) return true;
    return false;
  };
}

/** First and last of each range, one after the other. */
function readRanges(bits: Bits): Uint16Array {
  const count = take(bits, 12);
  // Each takes 17 bits at least, so the text itself bounds what is laid out for them.
  if (count * 17 > bitsLeft(bits)) throw new Unreadable('More ranges are announced than the text has room for.');
  const ranges = new Uint16Array(count * 2);
  for (let at = 0; at < count * 2; at += 2) {
    const isRange = take(bits, 1) === 1;
    const first = take(bits, 16);
    const last = isRange ? take(bits, 16) : first;
    if (first === 0 || last < first) throw new Unreadable('A range ends before it begins.');
    ranges[at] = first;
    ranges[at + 1] = last;
  }
  return ranges;
}

function passRestrictions(bits: Bits): void {
  for (let left = take(bits, 12); left > 0; left--) {
    skip(bits, 6 + 2);
    readRanges(bits);
  }
}
