import { navigate } from '../../address/navigate.tsx';

/** What a list can be narrowed by, as it stands in the address and goes to the desk. */
export const conversionFilters = [
  'search',
  'source',
  'destination',
  'state',
  'reason',
  'event',
  'browser',
  'period',
  'from',
  'to',
] as const;
export const requestFilters = ['source', 'way', 'outcome', 'status', 'reason', 'period', 'from', 'to'] as const;
export type Filters = Readonly<Record<string, string>>;

export function readFilters(search: string, names: readonly string[]): Filters {
  const given = new URLSearchParams(search);
  return Object.fromEntries(names.flatMap((name) => (given.get(name) ? [[name, given.get(name) as string]] : [])));
}

export function filterQuery(filters: Filters): string {
  return new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== '')).toString();
}

/** The address of a page with these filters. */
export function withFilters(path: string, filters: Filters): string {
  const query = filterQuery(filters);
  return query === '' ? path : `${path}?${query}`;
}

/** Goes to the same page with other filters; an empty one is taken away. */
export function setFilters(path: string, filters: Filters): void {
  navigate(withFilters(path, filters));
}
