import type { OrganisationSection } from '../address/route.ts';

/** The settings of an organisation, in the order in which somebody who sets one up needs them. */
export const organisationTabs: readonly { section: OrganisationSection; label: string }[] = [
  { section: 'organisation', label: 'Organisation' },
  { section: 'members', label: 'Members' },
  { section: 'roles', label: 'Roles' },
  { section: 'teams', label: 'Teams' },
  { section: 'keys', label: 'API keys' },
  { section: 'mail', label: 'Mail' },
  { section: 'sign-up', label: 'Sign-up' },
];
