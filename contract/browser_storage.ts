/**
 * Everything that the dashboard keeps in the browser of a person who works with it (COK-04). docs/guides/cookies.md says the same to people; a test holds both against a real browser.
 */
export const browserStorage = [
  {
    kind: 'cookie',
    name: '__Host-fairlead_access',
    purpose: 'Shows for 15 minutes at a time that you are signed in.',
    until: 'signing out, 30 days at most',
  },
  {
    kind: 'cookie',
    name: '__Host-fairlead_refresh',
    purpose: 'Continues the session without asking for the password again.',
    until: 'signing out, 30 days at most',
  },
  {
    kind: 'cookie',
    name: '__Host-fairlead_provider',
    purpose: 'Ties a sign-in with another account to the browser that began it. Set by its button.',
    until: 'the end of that sign-in, 10 minutes at most',
  },
  {
    kind: 'cookie',
    name: '__Host-fairlead_passkey',
    purpose: 'Ties the challenge of a passkey to the browser that asked for it.',
    until: 'the answer of the passkey, 5 minutes at most',
  },
  {
    kind: 'cookie',
    name: '__Host-fairlead_step',
    purpose: 'Waits for the second factor after the password, and lets nothing else be done.',
    until: 'the code, 10 minutes at most',
  },
  {
    kind: 'localStorage',
    name: 'fairlead.theme',
    purpose: 'Remembers a chosen theme: “light” or “dark”. Not set while the system decides.',
    until: 'choosing System',
  },
  {
    kind: 'localStorage',
    name: 'fairlead.keys',
    purpose: 'Remembers that single-key shortcuts are switched off: “off”. Not set while they are on.',
    until: 'switching them on',
  },
  {
    kind: 'localStorage',
    name: 'fairlead.drafts',
    purpose:
      'Keeps changes of mappings that are not saved yet: rules and the version that they began from, and nothing of a request. Set by the first change.',
    until: 'saving or discarding them, or signing out by hand; 30 days at most',
  },
] as const;

/** What a shared page with a password keeps in the browser of who gave it; pages without one and widgets keep nothing. */
export const sharedPageStorage = [
  {
    kind: 'cookie',
    /** Followed by the number of the share. */
    name: '__Host-fairlead_share_',
    purpose:
      'Shows that the password of a shared page was given. The number of the share ends its name, and it opens that share alone. Shared pages without a password and widgets set none.',
    until: '12 hours',
  },
] as const;

/**
 * What the tracker keeps on a visitor's device in storage mode (COL-05), which a site's tag asks for; in memory mode,
 * which is every other tag, it keeps nothing.
 */
export const visitorStorage = [
  {
    kind: 'localStorage',
    name: 'fairlead.visitor',
    purpose:
      'Recognises a visitor on later days: 128 random bits. Set in storage mode only, and where consent is needed, after it.',
    until: 'consent is taken back, opting out, or the visitor clears the site’s data',
  },
  {
    kind: 'sessionStorage',
    name: 'fairlead.visit',
    purpose:
      'Keeps the visit of a tab together: 128 random bits and when it was last heard of. Set with the one above.',
    until: 'the tab is closed, consent is taken back, or opting out',
  },
  {
    kind: 'localStorage',
    name: 'fairlead.optout',
    purpose: 'Remembers that this visitor wants not to be measured at all: “1”. Set when they say so.',
    until: 'they opt in again, or clear the site’s data',
  },
] as const;
