import { navigate } from '../address/navigate.tsx';

/** What the page can be narrowed by, as it stands in the address and goes to the desk. */
export const filterNames = ['request', 'kind', 'actor', 'outcome', 'from', 'to', 'object', 'action'] as const;
export type Filters = { [name in (typeof filterNames)[number]]?: string };

export function readFilters(search: string): Filters {
  const given = new URLSearchParams(search);
  return Object.fromEntries(filterNames.flatMap((name) => (given.get(name) ? [[name, given.get(name)]] : [])));
}

/** As it stands in the address, or, with the zone of its days, as it goes to the desk. */
export function filterQuery(filters: Filters, timezone?: string): string {
  const asked = new URLSearchParams();
  for (const name of filterNames) if (filters[name]) asked.set(name, filters[name]);
  if (timezone !== undefined) asked.set('timezone', timezone);
  return asked.toString();
}

/** Goes to the same page with other filters; an empty one is taken away. */
export function setFilters(path: string, filters: Filters): void {
  const query = filterQuery(filters);
  navigate(query === '' ? path : `${path}?${query}`);
}
