import type { Route } from '../address/route.ts';
import type { Organisation } from '../desk/session.tsx';

/** The pages under Relay, in the order of the rail, each for whoever has its permission; rail, tabs and palette read it. */
const relayPages = [
  { page: 'relay', label: 'Overview', needs: 'relay.read' },
  { page: 'relay-inspector', label: 'Inspector', needs: 'relay.read' },
  { page: 'relay-requests', label: 'Intake log', needs: 'relay.read' },
  { page: 'relay-sources', label: 'Sources', needs: 'relay.read' },
  { page: 'relay-destinations', label: 'Destinations', needs: 'relay.read' },
  { page: 'connections', label: 'Connections', needs: 'connection.read' },
  { page: 'relay-dead-letters', label: 'Dead letters', needs: 'relay.read' },
  { page: 'relay-match-quality', label: 'Match quality', needs: 'relay.read' },
  { page: 'relay-credits', label: 'Credits', needs: 'relay.read', isOfCredits: true },
] as const satisfies readonly { page: Route['page']; label: string; needs: string; isOfCredits?: true }[];
type RelayPage = (typeof relayPages)[number];

export function relayPagesFor(organisation: Organisation | undefined): readonly RelayPage[] {
  return relayPages.filter(
    (one) =>
      organisation?.permissions.includes(one.needs) === true && (!('isOfCredits' in one) || organisation.has_credits),
  );
}

/** Pages of one thing stand under the page that lists them. */
export const relayListOf: Readonly<Partial<Record<Route['page'], RelayPage['page']>>> = {
  'relay-source': 'relay-sources',
  'relay-mapping': 'relay-sources',
  'relay-destination': 'relay-destinations',
};

export function isRelayPage(page: Route['page']): boolean {
  return relayListOf[page] !== undefined || relayPages.some((one) => one.page === page);
}
