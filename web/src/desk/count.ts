import { usedPages } from '../../../contract/used_pages.ts';
import { type Route, readRoute } from '../address/route.ts';
import type { Session } from './api.ts';
import { call } from './api.ts';

let last = '';

/** Tells the desk which page was opened, by its name alone, where the reader has agreed to that; loaded for nobody else. */
export function countPage({ sites, organisations }: Session, pathname: string): void {
  if (pathname === last) return;
  last = pathname;
  const route = readRoute(pathname);
  const page = usedPages.find((one) => one === (route.page satisfies Route['page']));
  const organisation =
    'organisation' in route
      ? organisations.find(({ slug }) => slug === route.organisation)?.id
      : 'site' in route
        ? sites.find(({ domain }) => domain === route.site)?.organisation_id
        : undefined;
  // Not counted is no reason to disturb anybody.
  if (page !== undefined && organisation !== undefined)
    call<void>('POST', '/api/usage/pages', { body: { organisation, page } }).catch(() => {});
}
