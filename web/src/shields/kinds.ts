import type { PreviewedKind, ShieldKind } from '../../../contract/shields.ts';
import { readerLocale, readerNames } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';

/** As contract/shields.ts has them; that file brings its schemas along, which stay on the server. */
export const noteCharsMax = 80;
export const valueCharsMax = 253;

/** What the page says about each kind of shield, in the order of the list. */
export interface KindWords {
  kind: ShieldKind;
  /** In the choice of what to add. */
  choice: string;
  /** Over the rules of this kind. */
  group: string;
  /** Over the field. */
  field: string;
  example: string;
  help: string;
}

export const kinds: readonly KindWords[] = [
  {
    kind: 'path',
    choice: 'Block pages',
    group: 'Pages that are not counted',
    field: 'Page',
    example: '/admin/**',
    help: '* stands for one part of the path, ** for any.',
  },
  {
    kind: 'hostname',
    choice: 'Allow only these hostnames',
    group: 'Only these hostnames are counted',
    field: 'Hostname to allow',
    example: 'shop.example',
    help: 'Every other hostname is dropped, unless it is on this list too. www. is left away, * stands for any text: *.shop.example.',
  },
  {
    kind: 'blocked_hostname',
    choice: 'Block a hostname',
    group: 'Hostnames that are not counted',
    field: 'Hostname to block',
    example: 'staging.shop.example',
    help: 'www. is left away, * stands for any text: staging.*.',
  },
  {
    kind: 'country',
    choice: 'Block a country',
    group: 'Countries that are not counted',
    field: 'Country',
    example: 'Germany',
    help: 'Places come from the address, which is then forgotten. Visitors of an unknown place are still counted.',
  },
  {
    kind: 'address',
    choice: 'Block an address or a network',
    group: 'Addresses that are not counted',
    field: 'Address or network',
    example: '203.0.113.0/24',
    help: 'One address is kept as a keyed digest that nobody can read, so it needs a name. A network is kept as written: /8 to /29, for IPv6 /16 to /56.',
  },
  {
    kind: 'referrer',
    choice: 'Block a referrer',
    group: 'Referrers that are not counted',
    field: 'Host of the referrer',
    example: 'spam.example',
    help: 'With everything under it. Hosts on the list of known spammers are dropped anyway.',
  },
  {
    kind: 'rate',
    choice: 'Limit the rate',
    group: 'Rate limit',
    field: 'Events a second',
    example: '50',
    help: 'What is over it in any second is dropped. Off until you set it; a new limit takes the place of the one before.',
  },
];

export function wordsOf(kind: ShieldKind): KindWords {
  return kinds.find((one) => one.kind === kind) ?? (kinds[0] as KindWords);
}

export function isPreviewed(kind: ShieldKind): kind is PreviewedKind {
  return kind !== 'address';
}

const anonymous = { code: 'A1', name: 'Anonymous exit' };

/** Regions that Intl names and nobody comes from: unions, tests, the unknown. */
const noCountries = new Set(['EU', 'EZ', 'QO', 'UN', 'XA', 'XB', 'ZZ']);
let known: { locale: string | undefined; countries: { code: string; name: string }[] } | undefined;

/** Every country by its name in the person's language. */
export function countries(): readonly { code: string; name: string }[] {
  const locale = readerLocale();
  if (known !== undefined && known.locale === locale) return known.countries;
  const names = readerNames('region');
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  const found = letters
    .flatMap((first) => letters.map((second) => first + second))
    // A code that a country had once has the name of the one that took its place: DD is Germany too.
    .filter((code) => !noCountries.has(code) && new Intl.Locale(`und-${code}`).region === code)
    .flatMap((code) => {
      const name = names.of(code);
      return name === undefined || name === code ? [] : [{ code, name }];
    })
    .sort((a, b) => a.name.localeCompare(b.name, locale));
  known = { locale, countries: [...found, anonymous] };
  return known.countries;
}

/** The code of a country that is written by name or code; undefined while it is neither. */
export function countryCode(text: string): string | undefined {
  const wanted = text.trim().toLocaleLowerCase();
  return countries().find(({ code, name }) => code.toLowerCase() === wanted || name.toLocaleLowerCase() === wanted)
    ?.code;
}

/** A rule's value as people read it; undefined for one address, which has none. */
export function shownValue(kind: ShieldKind, value: string | null): string | undefined {
  if (value === null) return undefined;
  if (kind === 'country') return countries().find(({ code }) => code === value)?.name ?? value;
  if (kind === 'rate') return `${exactCount(Number(value))} ${value === '1' ? 'event' : 'events'} a second`;
  return value;
}
