import type { ReactNode } from 'react';
import { Link } from '../address/navigate.tsx';
import type { AccountSection } from '../address/route.ts';
import { pathOf } from '../address/route.ts';
import { Shell } from '../shell/shell.tsx';
import { AccountMail } from './mail.tsx';
import { AccountNotifications } from './notifications.tsx';
import { AccountProfile } from './profile.tsx';
import { AccountSecurity } from './security.tsx';
import { AccountSessions } from './sessions.tsx';

const sections: Record<AccountSection, { label: string; draw: () => ReactNode }> = {
  profile: { label: 'Profile', draw: () => <AccountProfile /> },
  security: { label: 'Security', draw: () => <AccountSecurity /> },
  sessions: { label: 'Sessions', draw: () => <AccountSessions /> },
  notifications: { label: 'Notifications', draw: () => <AccountNotifications /> },
  mail: { label: 'Mail to you', draw: () => <AccountMail /> },
};

/** My access: what belongs to the person, whatever organisation they work for. */
export function AccountPage({ section }: { section: AccountSection }) {
  return (
    <Shell title={section === 'profile' ? 'Account' : sections[section].label}>
      <nav className="tabs-bar" aria-label="Account">
        {(Object.keys(sections) as AccountSection[]).map((one) => (
          <Link
            key={one}
            href={pathOf({ page: 'account', section: one })}
            {...(one === section ? { 'aria-current': 'page' as const } : {})}
          >
            {sections[one].label}
          </Link>
        ))}
      </nav>
      <main className="wrap" id="main" tabIndex={-1}>
        {sections[section].draw()}
      </main>
    </Shell>
  );
}
