/** What the page of alerts has without their schemas: those are of the server, and large. */

/** Kinds of notices of which some are posted to an address for alerts. What names a person, or is about somebody's own account, never is. */
export const postedKinds = ['relay', 'organisation', 'security'] as const;
export type PostedKind = (typeof postedKinds)[number];

export const alertLimits = {
  /** What the page shows. */
  postsShownMax: 20,
  /** How long the list of posts is kept. */
  days: 30,
  /** The address has to have failed for so long before owners and administrators are told. */
  toldAfterHours: 24,
  /** After its secret was replaced, messages are signed with the former one too for so long. */
  rotationHours: 24,
} as const;
