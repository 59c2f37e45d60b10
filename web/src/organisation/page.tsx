import type { ReactNode } from 'react';
import { Link } from '../address/navigate.tsx';
import type { OrganisationSection } from '../address/route.ts';
import { pathOf } from '../address/route.ts';
import type { Organisation } from '../desk/session.tsx';
import { useSession } from '../desk/session.tsx';
import { Shell } from '../shell/shell.tsx';
import { showCurrentTab } from '../shell/tabs.ts';
import { OrganisationAlerts } from './alerts.tsx';
import { OrganisationGeneral } from './general.tsx';
import { OrganisationKeys } from './keys.tsx';
import { MailSettings } from './mail.tsx';
import { OrganisationMembers } from './members.tsx';
import { OrganisationRoles } from './roles.tsx';
import { organisationTabs, tabsFor } from './tabs.ts';
import { OrganisationTeams } from './teams.tsx';

const parts: Record<OrganisationSection, (organisation: Organisation) => ReactNode> = {
  organisation: (organisation) => <OrganisationGeneral organisation={organisation} />,
  members: (organisation) => <OrganisationMembers organisation={organisation} />,
  roles: (organisation) => <OrganisationRoles organisation={organisation} />,
  teams: (organisation) => <OrganisationTeams organisation={organisation} />,
  keys: (organisation) => <OrganisationKeys organisation={organisation} />,
  alerts: (organisation) => <OrganisationAlerts organisation={organisation} />,
  mail: (organisation) => <MailSettings organisation={organisation} />,
};

/** Who may do what here, how is it set? One section at a time. */
export function OrganisationPage({
  organisation,
  section,
}: {
  organisation: Organisation;
  section: OrganisationSection;
}) {
  const label = organisationTabs.find((tab) => tab.section === section)?.label ?? 'Organisation';
  return (
    <Shell organisation={organisation} title={label}>
      <nav className="tabs-bar" aria-label="Settings of the organisation" ref={showCurrentTab}>
        {tabsFor(organisation, useSession().person).map((tab) => (
          <Link
            key={tab.section}
            href={pathOf({ page: 'organisation', organisation: organisation.slug, section: tab.section })}
            {...(tab.section === section ? { 'aria-current': 'page' as const } : {})}
          >
            {tab.label}
          </Link>
        ))}
      </nav>
      <main className="wrap" id="main" tabIndex={-1}>
        {parts[section](organisation)}
      </main>
    </Shell>
  );
}
