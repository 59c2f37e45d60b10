import { type narrowed, usedPages } from '../../../contract/used_pages.ts';
import { type Route, readRoute } from '../address/route.ts';
import type { Session } from './api.ts';
import { call } from './api.ts';

type Narrowed = (typeof narrowed)[number];
/** What the address of an overview has in it where one of them is used. */
const keys: readonly [key: string, feature: Narrowed][] = [
  ['f', 'filter'],
  ['against', 'comparison'],
  ['all', 'whole-list'],
  ['table', 'table'],
];

let last = { pathname: '', features: [] as Narrowed[] };

/** Tells the desk which page was opened and what of an overview is used, by names alone, where the reader has agreed to that; loaded for nobody else. */
export function countPage({ sites, organisations }: Session, pathname: string, search: string): void {
  const isNew = pathname !== last.pathname;
  const route = readRoute(pathname);
  const asked = new URLSearchParams(search);
  const all = route.page === 'analytics' ? keys.filter(([key]) => asked.has(key)).map(([, feature]) => feature) : [];
  const features = isNew ? all : all.filter((one) => !last.features.includes(one));
  last = { pathname, features: all };
  if (!isNew && features.length === 0) return;
  const page = usedPages.find((one) => one === (route.page satisfies Route['page']));
  const organisation =
    'organisation' in route
      ? organisations.find(({ slug }) => slug === route.organisation)?.id
      : 'site' in route
        ? sites.find(({ domain }) => domain === route.site)?.organisation_id
        : undefined;
  // Not counted is no reason to disturb anybody.
  if (page !== undefined && organisation !== undefined)
    call<void>('POST', '/api/usage/pages', { body: { organisation, page, is_new: isNew, features } }).catch(() => {});
}
