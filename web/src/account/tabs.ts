import type { AccountSection } from '../address/route.ts';

/** The pages of a person's own account, in the order in which they are listed. */
export const accountTabs: readonly { section: AccountSection; label: string }[] = [
  { section: 'profile', label: 'Profile' },
  { section: 'security', label: 'Security' },
  { section: 'sessions', label: 'Sessions' },
  { section: 'notifications', label: 'Notifications' },
  { section: 'mail', label: 'Mail to you' },
  { section: 'agreements', label: 'Agreements' },
];
