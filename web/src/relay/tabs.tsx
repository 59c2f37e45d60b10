import { Link, useAddress } from '../address/navigate.tsx';
import { pathOf, readRoute } from '../address/route.ts';
import type { Organisation } from '../desk/session.tsx';
import { showCurrentTab } from '../shell/tabs.ts';
import { isRelayPage, relayListOf, relayPagesFor } from './pages.ts';

interface Parts {
  site: string;
  organisation: Organisation | undefined;
}

/** Where the rail has no room for the pages of the relay, they are tabs under the bar. */
export function RelayTabs({ site, organisation }: Parts) {
  const { page } = readRoute(useAddress().pathname);
  if (!isRelayPage(page)) return null;
  return (
    <nav className="tabs-bar" aria-label="Relay" ref={showCurrentTab}>
      <RelayLinks site={site} organisation={organisation} />
    </nav>
  );
}

export function RelayLinks({ site, organisation }: Parts) {
  const { page: here } = readRoute(useAddress().pathname);
  return relayPagesFor(organisation).map(({ page, label }) => (
    <Link
      key={page}
      href={pathOf({ page, site })}
      {...((relayListOf[here] ?? here) === page ? { 'aria-current': 'page' as const } : {})}
    >
      {label}
    </Link>
  ));
}
