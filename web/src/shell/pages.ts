import { pathOf, readRoute } from '../address/route.ts';
import type { DeskKey } from './keys.ts';

/** The pages under Analytics. Those that keep the view of the overview carry its query on the way there and back. */
export const analyticsPages = [
  { page: 'analytics', label: 'Overview', keys: 'g a', keepsView: true },
  { page: 'realtime', label: 'Realtime', keys: 'g r', keepsView: true },
  { page: 'goals', label: 'Goals', keys: 'g o', keepsView: true },
  { page: 'missing', label: 'Missing events', keys: 'g m', keepsView: false },
  { page: 'shields', label: 'Shields', keys: 'g h', keepsView: false },
  { page: 'exports', label: 'Exports', keys: 'g e', keepsView: false },
  { page: 'imports', label: 'Imports', keys: 'g i', keepsView: false },
] as const satisfies readonly { page: string; label: string; keys: DeskKey; keepsView: boolean }[];

export function analyticsPageAt(pathname: string): (typeof analyticsPages)[number] | undefined {
  const { page } = readRoute(pathname);
  return analyticsPages.find((one) => one.page === (page === 'goal' ? 'goals' : page));
}

/** The address of a page under Analytics; between two that keep the view, the view goes along. */
export function analyticsPath(
  { page, keepsView }: (typeof analyticsPages)[number],
  site: string,
  { pathname, search }: { pathname: string; search: string },
): string {
  return pathOf({ page, site }) + (keepsView && analyticsPageAt(pathname)?.keepsView === true ? search : '');
}
