import { createRequire } from 'node:module';

/**
 * The digits of a phone number with its country in front and no `+`, 1 to 15 of them; undefined where it has none.
 * Without a country in the number it is read as one of the region. Where neither is known the digits are taken to be
 * the international ones, as Meta's and Google's own builders do.
 * @param region ISO 3166 alpha-2 in upper case
 */
export function internationalDigits(given: string, region?: string): string | undefined {
  // Full-width digits and the like become the ordinary ones.
  const text = given.normalize('NFKC').replace(/^tel:/i, '').trim();
  if (/^\D*\+/.test(text)) {
    const number = text.replace(/^\D*\+/, '+');
    return possibleDigits(number) ?? inE164(number.replace(/\D/g, ''));
  }
  // 00 is how most of the world dials another country, and people write it where their own is dialled otherwise.
  const foreign = /^\D*00[1-9]/.test(text) ? possibleDigits(text.replace(/^\D*00/, '+')) : undefined;
  if (foreign !== undefined) return foreign;
  const home = region !== undefined && planOfRegion(region) !== undefined ? region : undefined;
  if (home === undefined) return inE164(text.replace(/\D/g, ''));
  // What a region's plan has no room for is no number of it, but it may have the country of another in front.
  return possibleDigits(text, home) ?? validDigits(`+${text}`);
}

/** E.164 has room for 15 digits. */
function inE164(digits: string): string | undefined {
  return digits === '' || digits.length > 15 ? undefined : digits;
}

/** By the lengths and patterns of numbering plans. @param number with `+`, else of the region */
function possibleDigits(number: string, region?: string): string | undefined {
  const plain = isPlain(number) ? plainDigits(number, region) : undefined;
  if (plain !== undefined) return plain;
  const read = library().parsePhoneNumberFromString(number, {
    ...(region === undefined ? {} : { defaultCountry: region as 'US' }),
    extract: false,
  });
  return read?.isPossible() ? read.number.slice(1) : undefined;
}

/** The same where the number could be in use, not only in length. */
function validDigits(number: string): string | undefined {
  const read = library().parsePhoneNumberFromString(number, { extract: false });
  return read?.isValid() ? read.number.slice(1) : undefined;
}

/** Digits and the signs between them: no letters, no extension, nothing that only the library understands. */
function isPlain(text: string): boolean {
  return /^\+?[\d ()./-]{4,30}$/.test(text);
}

/**
 * Most numbers need no more than their country's pattern, which takes half a microsecond; the library takes 15 to 25.
 * Undefined where a trunk prefix, a calling code without its `+` or another country of the same code may play a part:
 * the library decides then. A test holds both against each other.
 */
function plainDigits(text: string, region: string | undefined): string | undefined {
  const digits = text.replace(/\D/g, '');
  const plan = region === undefined ? planOfCode(digits) : planOfRegion(region);
  if (plan === undefined) return undefined;
  if (region !== undefined && plan.abroad.test(digits)) return undefined;
  const national = region === undefined ? digits.slice(plan.code.length) : digits;
  const [prefix = '', ...groups] = plan.prefixes?.exec(national) ?? [];
  if (groups.some((group) => group !== undefined)) return undefined;
  if (prefix === '') return isNumberOf(plan, national) ? plan.code + national : undefined;
  if (region === undefined || prefix !== plan.prefix || plan.numbers.test(national)) return undefined;
  const within = national.slice(prefix.length);
  return isNumberOf(plan, within) ? plan.code + within : undefined;
}

function isNumberOf(plan: Plan, national: string): boolean {
  return plan.lengths.has(national.length) && plan.numbers.test(national);
}

/** What a country's numbers look like, of the library's metadata. */
interface Plan {
  readonly code: string;
  readonly numbers: RegExp;
  readonly lengths: ReadonlySet<number>;
  /** What is dialled before the number of another country. */
  readonly abroad: RegExp;
  /** What may stand before a national number; undefined where nothing does. */
  readonly prefixes: RegExp | undefined;
  /** What a national number is dialled with, where that is all: no carrier's code, no transformation. */
  readonly prefix: string | undefined;
}

const plansOfRegions = new Map<string, Plan | undefined>();
const plansOfCodes = new Map<string, Plan | undefined>();

function planOfRegion(region: string): Plan | undefined {
  return remembered(plansOfRegions, region, (metadata) => {
    if (!metadata.hasCountry(region)) return false;
    metadata.selectNumberingPlan(region);
    return true;
  });
}

/** No calling code is the beginning of another. */
function planOfCode(digits: string): Plan | undefined {
  for (let length = 1; length <= 3; length++) {
    const plan = remembered(plansOfCodes, digits.slice(0, length), (metadata, code) => {
      if (!metadata.hasCallingCode(code)) return false;
      metadata.selectNumberingPlan(code);
      return true;
    });
    if (plan !== undefined) return plan;
  }
  return undefined;
}

/** At most 250 regions and 1,110 beginnings of digits are ever asked for. */
function remembered(
  plans: Map<string, Plan | undefined>,
  key: string,
  select: (metadata: PlanReader, key: string) => boolean,
): Plan | undefined {
  if (plans.has(key)) return plans.get(key);
  const metadata = new (library().Metadata)() as unknown as PlanReader;
  const plan = select(metadata, key) ? planIn(metadata.numberingPlan) : undefined;
  plans.set(key, plan);
  return plan;
}

function planIn(given: PlanReader['numberingPlan']): Plan {
  const prefixes = given.nationalPrefixForParsing() ?? '';
  return {
    code: given.callingCode(),
    numbers: new RegExp(`^(?:${given.nationalNumberPattern()})$`),
    lengths: new Set(given.possibleLengths()),
    abroad: new RegExp(`^(?:${given.IDDPrefix() ?? '00'})`),
    prefixes: prefixes === '' ? undefined : new RegExp(`^(?:${prefixes})`),
    prefix: given.nationalPrefix() ?? undefined,
  };
}

/** What the library's class can do; its own types leave most of it out. */
interface PlanReader {
  selectNumberingPlan(regionOrCode: string): void;
  hasCountry(region: string): boolean;
  hasCallingCode(code: string): boolean;
  readonly numberingPlan: {
    callingCode(): string;
    IDDPrefix(): string | undefined;
    nationalNumberPattern(): string;
    nationalPrefix(): string | undefined;
    nationalPrefixForParsing(): string | undefined;
    possibleLengths(): number[];
  };
}

type Library = typeof import('libphonenumber-js/min');
let loaded: Library | undefined;

/** Loaded when the first phone number is read, 20 to 100 ms: a start does not wait for it. */
function library(): Library {
  loaded ??= createRequire(import.meta.url)('libphonenumber-js/min') as Library;
  return loaded;
}
