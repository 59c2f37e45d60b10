/**
 * The roles that a person can have in an organisation; the order is that of lists to choose from. Custom roles are sets
 * of permissions beside them.
 */
export const roles = [
  'owner',
  'admin',
  'analyst',
  'marketer',
  'author',
  'publisher',
  'approver',
  'viewer',
  'billing',
  'billing-archive',
  'privacy-officer',
] as const;
export type Role = (typeof roles)[number];
