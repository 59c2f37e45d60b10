import type { ReactNode } from 'react';
import { Link } from '../address/navigate.tsx';
import type { AccountSection } from '../address/route.ts';
import { pathOf } from '../address/route.ts';
import { Shell } from '../shell/shell.tsx';
import { showCurrentTab } from '../shell/tabs.ts';
import { AccountAgreements } from './agreements.tsx';
import { AccountMail } from './mail.tsx';
import { AccountNotifications } from './notifications.tsx';
import { AccountProfile } from './profile.tsx';
import { AccountSecurity } from './security.tsx';
import { AccountSessions } from './sessions.tsx';
import { accountTabs } from './tabs.ts';

const parts: Record<AccountSection, () => ReactNode> = {
  profile: () => <AccountProfile />,
  security: () => <AccountSecurity />,
  sessions: () => <AccountSessions />,
  notifications: () => <AccountNotifications />,
  mail: () => <AccountMail />,
  agreements: () => <AccountAgreements />,
};

/** My access: what belongs to the person, whatever organisation they work for. */
export function AccountPage({ section }: { section: AccountSection }) {
  return (
    <Shell
      title={
        section === 'profile' ? 'Account' : (accountTabs.find((tab) => tab.section === section)?.label ?? 'Account')
      }
    >
      <nav className="tabs-bar" aria-label="Account" ref={showCurrentTab}>
        {accountTabs.map((tab) => (
          <Link
            key={tab.section}
            href={pathOf({ page: 'account', section: tab.section })}
            {...(tab.section === section ? { 'aria-current': 'page' as const } : {})}
          >
            {tab.label}
          </Link>
        ))}
      </nav>
      <main className="wrap" id="main" tabIndex={-1}>
        {parts[section]()}
      </main>
    </Shell>
  );
}
