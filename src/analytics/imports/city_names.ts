import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Place } from '../ingest/place.ts';

/**
 * Plausible exports a city as its number at GeoNames. The set-up makes a table that has the name for each number, as the
 * place database writes it where it knows the city, so that imported and measured visits of a city are one row.
 */
export interface CityName {
  city: string;
  /** The name of its region in the place database; empty where the city is not in it. */
  region: string;
}

/** A city of GeoNames, as the package that carries them has it. */
export interface ListedCity {
  cityId: number;
  name: string;
  country: string;
  loc: { coordinates: [longitude: number, latitude: number] };
}

export const cityNamesTable = fileURLToPath(new URL('../../../.cache/places/cities.tsv', import.meta.url));

/** The names by number: 135,000 lines, read for one import and let go with it. Without the table no city has a name. */
export function readCityNames(file = cityNamesTable): ReadonlyMap<string, CityName> {
  const names = new Map<string, CityName>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return names;
  }
  for (const line of text.split('\n')) {
    const [id, city, region] = line.split('\t');
    if (id !== undefined && city !== undefined && city !== '') names.set(id, { city, region: region ?? '' });
  }
  return names;
}

/** One line a city: number, name, region. `places` come with the most frequent first. */
export function cityNameLines(cities: readonly ListedCity[], places: Iterable<Place>): string {
  const known = new KnownCities(places);
  return cities
    .map((one) => {
      const found = known.nameOf(one);
      return `${one.cityId}\t${found?.city ?? one.name}\t${found?.region ?? ''}`;
    })
    .join('\n');
}

/** What the one says beside the name and the other does not: New York City, Gifu-shi. */
const belongsToNoName = /^City of | City$|-(shi|si)$/;
/** Large cities that the place database calls by another word. */
const otherWords: { readonly [name: string]: string } = {
  Köln: 'Cologne',
  Göteborg: 'Gothenburg',
  'Saint Petersburg': 'St Petersburg',
  'Kingston upon Hull': 'Hull',
};

interface Known extends CityName {
  folded: string;
  latitude: number;
  longitude: number;
}

/** Degrees within which the same name is the same city: the two databases put its middle at different places. */
const sameName = 1;
/** Degrees within which a name that is written a little differently is the same city. */
const likeName = 0.3;

class KnownCities {
  readonly #byName = new Map<string, Known[]>();
  readonly #byDegree = new Map<string, Known[]>();

  constructor(places: Iterable<Place>) {
    const seen = new Set<string>();
    for (const { country, city, region, latitude, longitude } of places) {
      const key = `${country}\t${city}\t${region}\t${Math.round(latitude)}\t${Math.round(longitude)}`;
      if (city === '' || seen.has(key)) continue;
      seen.add(key);
      const one: Known = { city, region, folded: folded(city), latitude, longitude };
      push(this.#byName, country + one.folded, one);
      push(this.#byDegree, degree(country, latitude, longitude), one);
    }
  }

  nameOf({ name, country, loc: { coordinates } }: ListedCity): CityName | undefined {
    const [longitude, latitude] = coordinates;
    const near = (reach: number) => (one: Known) =>
      Math.abs(one.latitude - latitude) <= reach && Math.abs(one.longitude - longitude) <= reach;
    const plain = folded(name);
    const shorter = name.replace(belongsToNoName, '');
    for (const written of [name, otherWords[name] ?? '', shorter, `${name} City`, name.replace(/ de .*/, '')]) {
      const same = this.#byName.get(country + folded(written)) ?? [];
      const found = same.find(near(likeName)) ?? same.find(near(sameName));
      if (found !== undefined) return found;
    }
    const ends = [-likeName, likeName];
    const cells = new Set(
      ends.flatMap((down) => ends.map((right) => degree(country, latitude + down, longitude + right))),
    );
    for (const cell of cells)
      for (const one of this.#byDegree.get(cell) ?? [])
        if (near(likeName)(one) && areAlike(one.folded, plain)) return one;
    return undefined;
  }
}

function push(into: Map<string, Known[]>, key: string, one: Known): void {
  const list = into.get(key);
  if (list === undefined) into.set(key, [one]);
  else list.push(one);
}

function degree(country: string, latitude: number, longitude: number): string {
  return `${country}\t${Math.round(latitude)}\t${Math.round(longitude)}`;
}

/** Letters that are not one with a sign above. */
const plainLetters: { readonly [letter: string]: string } = {
  ł: 'l',
  ø: 'o',
  đ: 'd',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  ß: 'ss',
};

function folded(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[łøđıæœß]/g, (letter) => plainLetters[letter] ?? letter)
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** One letter another, or two in a long name: Gent and Ghent, Genève and Geneva, Antwerpen and Antwerp. */
function areAlike(one: string, other: string): boolean {
  if (one[0] !== other[0]) return false;
  const shorter = Math.min(one.length, other.length);
  const most = shorter >= 6 ? 2 : 1;
  return shorter >= 4 && Math.abs(one.length - other.length) <= most && stepsBetween(one, other) <= most;
}

function stepsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++)
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[other.length] as number;
}
