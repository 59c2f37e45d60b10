import { consentLimits } from '../../../contract/consent.ts';
import { type Bits, bitsOf, skip, take, Unreadable } from './bits.ts';
import { readTcString, type TcString } from './tc_string.ts';

/** What a GPP string says of the sections that are read here; the others are passed over. */
export type Gpp = {
  /** Numbers of its sections, in their order. */
  readonly sections: readonly number[];
  /** Its section of the EU; undefined where it has none. */
  readonly eu: TcString | 'unreadable' | undefined;
  /** Did the person opt out of sale, sharing or targeted advertising in any section of the United States? */
  readonly hasOptedOut: boolean;
  /** Does any of them carry Global Privacy Control? */
  readonly gpc: boolean;
  /** A section of the United States that could not be read. */
  readonly isPartlyUnreadable: boolean;
};

const sectionsMax = 32;
const sectionIdMax = 64;
const euSection = 2;
/** The older text of four signs (`1YNN`). */
const usPrivacySection = 6;

/** Where the answers stand in the core of a section, counted in bits, and the versions that have them there. */
type Layout = { readonly optOuts: readonly number[]; readonly versions?: readonly number[] };

const usual: Layout = { optOuts: [12, 14], versions: [1] };
/** One notice more stands before the answers. */
const withSensitiveNotice: Layout = { optOuts: [14, 16], versions: [1] };
/**
 * The sections of October 2025 begin with the version of the agreement, which does not move the answers. Their text puts
 * a header before the core; the encoder of the IAB leaves it out. Both are read.
 */
const withHeader: Layout = { optOuts: [16, 18] };

const layouts: Readonly<Record<number, Layout>> = {
  /** National: sale, sharing, targeted advertising. Version 2 has the same beginning. */
  7: { optOuts: [18, 20, 22], versions: [1, 2] },
  /** California (sale and sharing; the others sale and targeted advertising), Virginia, Colorado. */
  ...{ 8: usual, 9: usual, 10: usual },
  /** Utah, Iowa. */
  ...{ 11: withSensitiveNotice, 18: withSensitiveNotice },
  /** Connecticut, Florida, Montana, Oregon, Texas, Delaware. */
  ...{ 12: usual, 13: usual, 14: usual, 15: usual, 16: usual, 17: usual },
  /** Nebraska, New Hampshire, New Jersey, Tennessee, Minnesota. */
  ...{ 19: usual, 20: usual, 21: usual, 22: usual, 23: usual },
  /** Maryland, Indiana, Kentucky, Rhode Island. */
  ...{ 24: withHeader, 25: withHeader, 26: withHeader, 27: withHeader },
};

/** Reads a GPP string; undefined for what is none. Never throws. */
export function readGpp(text: string): Gpp | undefined {
  if (text.length > consentLimits.gppCharsMax) return undefined;
  const [header = '', ...parts] = text.split('~', sectionsMax + 2);
  const sections = unlessUnreadable(() => readHeader(header));
  if (sections === undefined || sections.length !== parts.length) return undefined;
  let eu: Gpp['eu'];
  let hasOptedOut = false;
  let gpc = false;
  let isPartlyUnreadable = false;
  for (const [at, section] of sections.entries()) {
    const part = parts[at] as string;
    if (section === euSection) {
      eu = readTcString(part) ?? 'unreadable';
      continue;
    }
    const layout = layouts[section];
    if (section !== usPrivacySection && layout === undefined) continue;
    const said =
      layout === undefined ? readUsPrivacy(part) : unlessUnreadable(() => readUsSection(part, section, layout));
    if (said === undefined) isPartlyUnreadable = true;
    else {
      hasOptedOut ||= said.hasOptedOut;
      gpc ||= said.gpc;
    }
  }
  return { sections, eu, hasOptedOut, gpc, isPartlyUnreadable };
}

/** The numbers of the sections: Fibonacci-coded distances, ascending. */
function readHeader(header: string): number[] {
  const bits = bitsOf(header);
  if (take(bits, 6) !== 3 || take(bits, 6) !== 1) throw new Unreadable('This is no header of version 1.');
  const sections: number[] = [];
  let last = 0;
  for (let left = take(bits, 12); left > 0; left--) {
    const isRange = take(bits, 1) === 1;
    const first = last + takeFibonacci(bits);
    last = isRange ? first + takeFibonacci(bits) : first;
    if (last > sectionIdMax) throw new Unreadable('There is no section of that number.');
    for (let section = first; section <= last; section++) sections.push(section);
  }
  if (sections.length === 0 || sections.length > sectionsMax) throw new Unreadable('No or too many sections.');
  return sections;
}

/** Bits stand for 1, 2, 3, 5, 8 and so on; two ones in a row end the number. */
function takeFibonacci(bits: Bits): number {
  let value = 0;
  let [worth, next] = [1, 2];
  for (let before = 0; worth <= sectionIdMax * 2; [worth, next] = [next, worth + next]) {
    const bit = take(bits, 1);
    if (bit === 1 && before === 1) return value;
    if (bit === 1) value += worth;
    before = bit;
  }
  throw new Unreadable('There is no section of that number.');
}

/** One means the person opted out; two, that they did not; nought, that there was nothing to opt out of. */
function readUsSection(part: string, section: number, layout: Layout): { hasOptedOut: boolean; gpc: boolean } {
  const [first = '', ...rest] = part.split('.', 8);
  const version = take(bitsOf(first), 6);
  // A header begins with the number of its section, and no agreement has had that many versions.
  const hasHeader = layout.versions === undefined && version === section;
  if (layout.versions?.includes(version) === false) throw new Unreadable('A version that is not known here.');
  const core = hasHeader ? rest.shift() : first;
  if (core === undefined) throw new Unreadable('The core is missing.');
  let hasOptedOut = false;
  for (const at of layout.optOuts) {
    const bits = bitsOf(core);
    skip(bits, at);
    const answer = take(bits, 2);
    if (answer === 3) throw new Unreadable('An answer that does not exist.');
    hasOptedOut ||= answer === 1;
  }
  const gpc = rest.some((segment) => {
    const bits = bitsOf(segment);
    return take(bits, 2) === 1 && take(bits, 1) === 1;
  });
  return { hasOptedOut, gpc };
}

function readUsPrivacy(part: string): { hasOptedOut: boolean; gpc: boolean } | undefined {
  return /^1[YN-]{3}$/i.test(part) ? { hasOptedOut: part[2] === 'Y' || part[2] === 'y', gpc: false } : undefined;
}

function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}
