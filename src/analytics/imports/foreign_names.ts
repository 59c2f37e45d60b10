import { browserNames, systemNames } from '../ingest/data/agent_names.ts';
import { countryCodes, countryNames } from '../query/countries.ts';
import type { DayColumn } from './kinds.ts';
import { hostText, nameText, pageText, referrerText } from './texts.ts';

/** Names of other products in our words, so that imported and measured numbers of one thing are one row. */

/** Codes that were given up name the same countries: FX is France as well, UK the United Kingdom, SU Russia. */
function currentCode(code: string): string {
  return Intl.getCanonicalLocales(`und-${code}`)[0]?.slice(4) ?? code;
}

/** Where GA4 and others write another English name than the runtime. */
const moreCountries = {
  'czech republic': 'CZ',
  'falkland islands (islas malvinas)': 'FK',
  'hong kong': 'HK',
  'ivory coast': 'CI',
  macao: 'MO',
  macau: 'MO',
  palestine: 'PS',
  swaziland: 'SZ',
  'the bahamas': 'BS',
  'the gambia': 'GM',
  turkey: 'TR',
} as const;

const codeOfCountry = new Map<string, string>([
  ...countryNames.map((name, at) => [name.toLowerCase(), currentCode(countryCodes[at] as string)] as const),
  ...Object.entries(moreCountries),
]);

/** A code or an English name as its ISO 3166-1 code; a name that is not known stays as it is. */
export function countryCode(cell: string): string {
  const text = cell.trim();
  return /^[a-z]{2}$/i.test(text)
    ? currentCode(text.toUpperCase())
    : (codeOfCountry.get(text.toLowerCase().replaceAll("'", '’')) ?? nameText(text));
}

const moreSystems: { readonly [name: string]: string } = {
  mac: 'macOS',
  macintosh: 'macOS',
  macos: 'macOS',
  'gnu/linux': 'Linux',
};
const devices: { readonly [name: string]: string } = {
  desktop: 'Desktop',
  laptop: 'Desktop',
  'ultra-wide': 'Desktop',
  tablet: 'Tablet',
  mobile: 'Mobile',
};

/** A browser, a system or a class of device; a name that is not known stays as it is. */
export function namedAgent(column: 'browser' | 'os' | 'device', cell: string): string {
  const lists = { browser: [browserNames], os: [systemNames, moreSystems], device: [devices] }[column];
  const key = cell.trim().toLowerCase();
  const names = lists.find((list) => Object.hasOwn(list, key));
  return names?.[key] ?? nameText(cell);
}

/** `130.0` and `10.15.7` as versions are kept here: two numbers, the second left out when it is zero. */
function shortVersion(cell: string): string {
  const [, major, minor] = /^(\d{1,6})(?:[._](\d{1,5}))?/.exec(cell.trim()) ?? [];
  if (major === undefined) return nameText(cell);
  return Number(minor ?? 0) === 0 ? String(Number(major)) : `${Number(major)}.${Number(minor)}`;
}

/** A cell of another product's table of days, as the column keeps it. */
export function columnText(column: DayColumn, cell: string, domain: string): string {
  switch (column) {
    case 'pathname':
    case 'entry_page':
    case 'exit_page':
    case 'link_path':
      return pageText(cell, domain);
    case 'hostname':
      return hostText(cell);
    case 'referrer':
      return referrerText(cell);
    case 'country':
      return countryCode(cell);
    case 'browser':
    case 'os':
    case 'device':
      return namedAgent(column, cell);
    case 'browser_version':
    case 'os_version':
      return shortVersion(cell);
    default:
      return nameText(cell);
  }
}
