/**
 * Where an address roughly is, by the table of places that analytics keeps in memory. It is told here, because accounts
 * stand below analytics. The address is looked at and forgotten; a session keeps country and region alone.
 */
type Lookup = (address: string) => { country: string; region: string } | undefined;
let lookup: Lookup = () => undefined;

export function learnPlaces(places: Lookup): () => void {
  lookup = places;
  return () => {
    if (lookup === places) lookup = () => undefined;
  };
}

/** ISO 3166-1 alpha-2; undefined where it is not known. */
export function countryOf(address: string): string | undefined {
  return lookup(address)?.country || undefined;
}

/** `DE, Berlin`, `DE`, or empty where it is not known. */
export function placeOf(address: string): string {
  const place = lookup(address);
  if (place === undefined || place.country === '') return '';
  return [place.country, place.region]
    .filter((part) => part !== '')
    .join(', ')
    .slice(0, 120);
}
