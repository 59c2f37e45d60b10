import type { SettingsSection } from '../address/route.ts';
import type { Site } from '../desk/api.ts';
import { useLive } from '../desk/live.ts';
import { may, useSession } from '../desk/session.tsx';
import { Denied } from '../organisation/denied.tsx';
import { OrganisationKeys } from '../organisation/keys.tsx';
import { SettingsTabs, Shell } from '../shell/shell.tsx';
import { ContactLinks } from './contacts.tsx';
import { GoalSettings } from './goals.tsx';
import { SiteLifeSettings } from './life.tsx';
import { MovingIn } from './moving_in.tsx';
import { ReportSettings } from './reports.tsx';
import { SiteSettings } from './site.tsx';
import { SnippetSettings } from './snippet.tsx';

const labels: Record<SettingsSection, string> = {
  site: 'Site',
  snippet: 'Snippet',
  goals: 'Goals',
  contacts: 'Mail and phone links',
  keys: 'API keys',
  life: 'Rename, move, delete',
};

/** How is this site set? One section at a time; on narrow screens the rail's sections become tabs. */
export function SettingsPage({ site, section }: { site: Site; section: SettingsSection }) {
  const live = useLive(site.domain);
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  const label = labels[section];
  return (
    <Shell site={site.domain} title={section === 'site' ? 'Settings' : label} live={live}>
      <SettingsTabs site={site.domain} />
      <main className="wrap" id="main" tabIndex={-1}>
        {section === 'site' && <SiteSettings site={site} />}
        {section === 'site' && <ReportSettings site={site} />}
        {section === 'site' && <MovingIn site={site} />}
        {section === 'snippet' && <SnippetSettings site={site} />}
        {section === 'goals' && <GoalSettings site={site} />}
        {section === 'contacts' &&
          (organisation !== undefined && may(organisation, 'site.manage') ? (
            <ContactLinks key={site.domain} site={site} />
          ) : (
            <Denied what="addresses and numbers of clicked links" organisation={organisation} />
          ))}
        {section === 'life' &&
          (organisation !== undefined && may(organisation, 'site.manage') ? (
            <SiteLifeSettings key={site.domain} site={site} />
          ) : (
            <Denied what="renaming, moving and deleting sites" organisation={organisation} />
          ))}
        {section === 'keys' && organisation !== undefined && <OrganisationKeys organisation={organisation} />}
      </main>
    </Shell>
  );
}
