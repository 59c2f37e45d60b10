/** A closed organisation is nowhere to be seen; a suspended one collects nothing and can be looked at. */
export const organisationStatuses = ['unverified', 'active', 'suspended', 'closing', 'closed'] as const;
export type OrganisationStatus = (typeof organisationStatuses)[number];
