import { Link, useAddress } from '../address/navigate.tsx';
import { pathOf, readRoute } from '../address/route.ts';
import type { Organisation } from '../desk/session.tsx';
import { showCurrentTab } from '../shell/tabs.ts';
import { trustPages } from './pages.ts';

/** Where the rail has no room for the pages of Trust, they are tabs under the bar. */
export function TrustTabs({ organisation }: { organisation: Organisation }) {
  return (
    <nav className="tabs-bar" aria-label="Trust" ref={showCurrentTab}>
      <TrustLinks organisation={organisation} />
    </nav>
  );
}

export function TrustLinks({ organisation }: { organisation: Organisation }) {
  const route = readRoute(useAddress().pathname);
  return trustPages.map(({ page, label }) => (
    <Link
      key={page}
      href={pathOf({ page, organisation: organisation.slug })}
      {...(route.page === page || (page === 'requests' && route.page === 'request')
        ? { 'aria-current': 'page' as const }
        : {})}
    >
      {label}
    </Link>
  ));
}
