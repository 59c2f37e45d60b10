import type { OrganisationSection } from '../address/route.ts';
import type { Session } from '../desk/api.ts';

/** The settings of an organisation, in the order in which somebody who sets one up needs them. */
export const organisationTabs: readonly { section: OrganisationSection; label: string; needs?: string }[] = [
  { section: 'organisation', label: 'Organisation' },
  { section: 'members', label: 'Members', needs: 'member.read' },
  { section: 'roles', label: 'Roles' },
  { section: 'teams', label: 'Teams', needs: 'member.read' },
  { section: 'keys', label: 'API keys', needs: 'key.manage' },
  { section: 'alerts', label: 'Alerts', needs: 'organisation.manage' },
  { section: 'mail', label: 'Mail' },
];

/** What belongs to the desk, and so to whoever runs it. */
const deskSections: readonly OrganisationSection[] = ['mail'];

/** Those that the reader's role includes: the others say at their address who can grant them, and are offered nowhere. */
export function tabsFor(
  { permissions }: Session['organisations'][number],
  { is_operator: isOperator }: Session['person'],
): typeof organisationTabs {
  return organisationTabs.filter(
    ({ section, needs }) =>
      (needs === undefined || permissions.includes(needs)) && (!deskSections.includes(section) || isOperator),
  );
}
