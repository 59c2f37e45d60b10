/** Kinds of notices of which some are posted to an address for alerts. What names a person, or is about somebody's own account, never is. */
export const postedKinds = ['relay', 'organisation', 'security'] as const;
export type PostedKind = (typeof postedKinds)[number];
