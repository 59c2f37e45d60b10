import { pathOf, readRoute } from '../address/route.ts';
import type { Organisation } from '../desk/session.tsx';
import type { DeskKey } from './keys.ts';

interface AnalyticsPage {
  page: 'analytics' | 'realtime' | 'goals' | 'profiles' | 'missing' | 'shields' | 'exports' | 'imports';
  label: string;
  keys: DeskKey;
  keepsView: boolean;
  /** Without this permission the page is not offered. */
  needs?: string;
}

/** The pages under Analytics. Those that keep the view of the overview carry its query on the way there and back. */
const analyticsPages: readonly AnalyticsPage[] = [
  { page: 'analytics', label: 'Overview', keys: 'g a', keepsView: true },
  { page: 'realtime', label: 'Realtime', keys: 'g n', keepsView: true },
  { page: 'goals', label: 'Goals', keys: 'g o', keepsView: true },
  { page: 'profiles', label: 'Profiles', keys: 'g v', keepsView: false, needs: 'profile.read' },
  { page: 'missing', label: 'Missing events', keys: 'g w', keepsView: false },
  { page: 'shields', label: 'Shields', keys: 'g h', keepsView: false },
  { page: 'exports', label: 'Exports', keys: 'g e', keepsView: false },
  { page: 'imports', label: 'Imports', keys: 'g i', keepsView: false },
];
export const overviewPage = analyticsPages[0] as AnalyticsPage;

export function analyticsPagesFor(organisation: Organisation | undefined): readonly AnalyticsPage[] {
  return analyticsPages.filter(
    ({ needs }) => needs === undefined || organisation?.permissions.includes(needs) === true,
  );
}

/** Pages of one thing stand under the page that lists them. */
const listOf: Readonly<Record<string, string>> = { goal: 'goals', profile: 'profiles' };

export function analyticsPageAt(pathname: string): AnalyticsPage | undefined {
  const { page } = readRoute(pathname);
  return analyticsPages.find((one) => one.page === (listOf[page] ?? page));
}

/** The address of a page under Analytics; between two that keep the view, the view goes along. */
export function analyticsPath(
  { page, keepsView }: AnalyticsPage,
  site: string,
  { pathname, search }: { pathname: string; search: string },
): string {
  return pathOf({ page, site }) + (keepsView && analyticsPageAt(pathname)?.keepsView === true ? search : '');
}
