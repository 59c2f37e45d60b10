import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';
import { accountTabs } from '../account/tabs.ts';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import type { SettingsSection } from '../address/route.ts';
import { pathOf, readRoute } from '../address/route.ts';
import { Dialog } from '../controls/dialog.tsx';
import type { IconName } from '../controls/icons.tsx';
import { Icon } from '../controls/icons.tsx';
import { Popover } from '../controls/popover.tsx';
import type { Session } from '../desk/api.ts';
import type { Live } from '../desk/live.ts';
import { useLive } from '../desk/live.ts';
import type { Organisation } from '../desk/session.tsx';
import { may, useDesk, useSession } from '../desk/session.tsx';
import { useUnread } from '../notifications/unread.ts';
import { milliseconds } from '../numbers/format.ts';
import { operatorTabs } from '../operator/tabs.ts';
import { tabsFor } from '../organisation/tabs.ts';
import { roleText } from '../organisation/words.ts';
import { isRelayPage, relayPagesFor } from '../relay/pages.ts';
import { RelayLinks, RelayTabs } from '../relay/tabs.tsx';
import { isTrustPage, trustPages } from '../trust/pages.ts';
import { TrustLinks } from '../trust/tabs.tsx';
import { DocumentNotice } from './document_notice.tsx';
import { KeyList } from './key_list.tsx';
import type { DeskKey } from './keys.ts';
import { useKeys } from './keys.ts';
import { LeavingSite } from './leaving_site.tsx';
import { analyticsPageAt, analyticsPagesFor, analyticsPath, overviewPage } from './pages.ts';
import type { PaletteItem } from './palette.tsx';
import { Palette } from './palette.tsx';
import { enterSearch, moveRow, openMore } from './rows.ts';
import { SecondFactorNotice } from './second_factor_notice.tsx';
import { SiteSwitcher } from './site_switcher.tsx';
import { SuspendedNotice } from './suspended_notice.tsx';
import { showCurrentTab } from './tabs.ts';
import { chooseTheme, themes, useTheme } from './theme.ts';

export interface ShellProps {
  /** The domain of the site that the page is about; none on the list of sites. */
  site?: string | undefined;
  /** The organisation that the page is about, where it is about no single site. */
  organisation?: Organisation | undefined;
  title: string;
  /** One live fact beside the title. */
  fact?: ReactNode;
  /** Period, comparison and the like, at the right of the bar. */
  controls?: ReactNode;
  /** The state of the stores, where the page asks for it itself. */
  live?: Live;
  /** What `Tab` reaches first. */
  skipTo?: string;
  children: ReactNode;
  actions?: Partial<Record<DeskKey, () => void>>;
  palette?: () => readonly PaletteItem[];
}

const settingsTabs: readonly { section: SettingsSection; label: string; needs?: string }[] = [
  { section: 'site', label: 'Site' },
  { section: 'snippet', label: 'Snippet' },
  { section: 'goals', label: 'Goals' },
  { section: 'keys', label: 'API keys', needs: 'key.manage' },
  { section: 'contacts', label: 'Mail and phone links', needs: 'site.manage' },
  { section: 'life', label: 'Rename, move, delete', needs: 'site.manage' },
];

/** Those of a site that the reader's role includes: the others say at their address who can grant them. */
export function settingsTabsFor(organisation: Session['organisations'][number] | undefined): typeof settingsTabs {
  return settingsTabs.filter(({ needs }) => needs === undefined || organisation?.permissions.includes(needs) === true);
}

/** Everything around a page: rail, bar, palette, keys. Capabilities that do not exist yet are not shown. */
export function Shell({
  site,
  organisation,
  title,
  fact,
  controls,
  live: given,
  skipTo = 'Skip to the page',
  children,
  actions = {},
  palette,
}: ShellProps) {
  const session = useSession();
  const desk = useDesk();
  const address = useAddress();
  const { search } = address;
  const own = useLive(given === undefined ? site : undefined);
  const live = given ?? (site === undefined ? undefined : own);
  const [opened, setOpened] = useState<'palette' | 'keys' | 'menu' | null>(null);

  useEffect(() => {
    document.title = [site ?? organisation?.name, title, 'Fairlead'].filter((part) => part !== undefined).join(' · ');
  }, [site, organisation, title]);

  const siteOrganisation = organisationOf(session, site);
  const sitePages = analyticsPagesFor(siteOrganisation);
  const about = organisation ?? siteOrganisation;
  const go = (to: string) => () => navigate(to);
  useKeys({
    j: () => moveRow(1),
    k: () => moveRow(-1),
    '.': openMore,
    ...actions,
    'Ctrl K': () => setOpened(opened === 'palette' ? null : 'palette'),
    '/': () => {
      if (!enterSearch()) setOpened('palette');
    },
    '?': () => setOpened('keys'),
    ...(about !== undefined && may(about, 'audit.read')
      ? { 'g t': go(pathOf({ page: 'trust', organisation: about.slug })) }
      : {}),
    ...(about === undefined
      ? {}
      : { 'g s': go(pathOf({ page: 'organisation', organisation: about.slug, section: 'organisation' })) }),
    ...(site === undefined
      ? {}
      : {
          ...Object.fromEntries(sitePages.map((one) => [one.keys, go(analyticsPath(one, site, address))])),
          'g s': go(pathOf({ page: 'settings', site, section: 'site' })),
          ...(siteOrganisation !== undefined && may(siteOrganisation, 'relay.read')
            ? { 'g r': go(pathOf({ page: 'relay', site })) }
            : {}),
        }),
  });

  /** Made when the palette opens: a page draws itself far more often. */
  const items = (): PaletteItem[] => [
    ...(site === undefined
      ? []
      : [
          ...sitePages.map((one) => ({
            id: one.page,
            group: 'Pages',
            text: one.label,
            hint: site,
            act: go(analyticsPath(one, site, address)),
          })),
          ...relayPagesFor(siteOrganisation).map(({ page, label }) => ({
            ...{ id: page, group: 'Pages', text: `Relay: ${label.toLowerCase()}`, hint: site },
            act: go(pathOf({ page, site })),
          })),
          ...(siteOrganisation !== undefined && may(siteOrganisation, 'share.manage')
            ? [{ id: 'shares', group: 'Pages', text: 'Shares', hint: site, act: go(pathOf({ page: 'shares', site })) }]
            : []),
          ...settingsTabsFor(siteOrganisation).map(({ section, label }) => ({
            id: `settings ${section}`,
            group: 'Pages',
            text: section === 'site' ? 'Settings' : `Settings: ${label}`,
            hint: site,
            act: go(pathOf({ page: 'settings', site, section })),
          })),
        ]),
    ...session.organisations.flatMap((one) => [
      {
        id: `sites ${one.slug}`,
        group: 'Pages',
        text: 'Sites of the organisation',
        hint: one.name,
        act: go(pathOf({ page: 'organisation-sites', organisation: one.slug })),
      },
      ...tabsFor(one, session.person).map(({ section, label }) => ({
        id: `organisation ${one.slug} ${section}`,
        group: 'Pages',
        text: section === 'organisation' ? 'Organisation' : label,
        hint: one.name,
        act: go(pathOf({ page: 'organisation', organisation: one.slug, section })),
      })),
    ]),
    { id: 'notifications', group: 'Pages', text: 'Notifications', act: go(pathOf({ page: 'notifications' })) },
    ...session.organisations
      .filter((one) => may(one, 'audit.read'))
      .flatMap(({ name, slug }) =>
        trustPages.map(({ page, label }) => ({
          id: `${page} ${slug}`,
          group: 'Pages',
          text: page === 'trust' ? 'Trust' : label,
          hint: name,
          act: go(pathOf({ page, organisation: slug })),
        })),
      ),
    ...(session.person.is_operator ? operatorTabs : []).map(({ section, label }) => ({
      id: `desk ${section}`,
      group: 'Pages',
      text: label,
      hint: 'this desk',
      act: go(pathOf({ page: 'operator', section })),
    })),
    ...accountTabs.map(({ section, label }) => ({
      id: `account ${section}`,
      group: 'Pages',
      text: `Account: ${label}`,
      act: go(pathOf({ page: 'account', section })),
    })),
    ...session.sites.map((one) => ({
      id: `site ${one.id}`,
      group: 'Sites',
      text: one.domain,
      act: go(pathOf({ page: 'analytics', site: one.domain })),
    })),
    ...(session.sites.length > 1 ? [{ id: 'sites', group: 'Pages', text: 'All sites', act: go('/') }] : []),
    ...(palette?.() ?? []),
    ...(session.organisations.some((one) => may(one, 'site.manage'))
      ? [{ id: 'new site', group: 'Actions', text: 'Add a site', act: go('/sites/new') }]
      : []),
    ...themes.map((one) => ({
      id: `theme ${one.id}`,
      group: 'Actions',
      text: `Theme: ${one.label.toLowerCase()}`,
      act: () => chooseTheme(one.id),
    })),
    { id: 'keys', group: 'Actions', text: 'Keyboard shortcuts', act: () => setOpened('keys') },
    { id: 'sign out', group: 'Actions', text: 'Sign out', act: () => void desk.leave() },
  ];

  return (
    <>
      <a className="skip" href="#main">
        {skipTo}
      </a>
      <div className="app">
        <aside className="rail" aria-label="Fairlead">
          <SiteSwitcher site={site} organisation={organisation} search={search} />
          <button type="button" className="find" onClick={() => setOpened('palette')} title="Go to or do… (Ctrl K)">
            <Icon name="search" />
            <span>Go to or do…</span>
            <kbd className="kbd">Ctrl K</kbd>
          </button>
          <Navigation site={site} organisation={organisation} search={search} />
          <div className="rail-foot">
            {live !== undefined && <Health live={live} />}
            <Bell />
            <Account />
          </div>
        </aside>
        <div className="main">
          <header className="bar">
            <button type="button" className="btn icon only-m" aria-label="Menu" onClick={() => setOpened('menu')}>
              <Icon name="menu" />
            </button>
            <h1 className={site === undefined ? '' : 'hide-m'}>{title}</h1>
            <span className="only-m bar-site">
              {site !== undefined && <SiteSwitcher site={site} search={search} />}
            </span>
            {fact}
            <span className="sp" />
            <span className="bar-controls only-d">{controls}</span>
            <button
              type="button"
              className="btn icon only-m"
              aria-label="Go to or do"
              onClick={() => setOpened('palette')}
            >
              <Icon name="search" />
            </button>
          </header>
          {site !== undefined && <AnalyticsTabs site={site} />}
          {site !== undefined && <RelayTabs site={site} organisation={siteOrganisation} />}
          <SecondFactorNotice />
          <DocumentNotice />
          <SuspendedNotice organisation={organisation ?? (site === undefined ? undefined : siteOrganisation)} />
          <LeavingSite site={site} />
          {children}
        </div>
      </div>
      {opened === 'palette' && <Palette items={items()} onClose={() => setOpened(null)} />}
      {opened === 'keys' && <KeyList onClose={() => setOpened(null)} />}
      {opened === 'menu' && (
        <Dialog label="Menu" className="sheet" onClose={() => setOpened(null)}>
          {/* biome-ignore lint/a11y/noStaticElementInteractions: closes after a link inside has done its work. */}
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: the links inside answer the keyboard, and their clicks arrive here. */}
          <div
            className="sheet-inner"
            onClick={(event) => {
              if ((event.target as HTMLElement).closest('a') !== null) setOpened(null);
            }}
          >
            <div className="sheet-head">
              <b>Fairlead</b>
              <button
                type="button"
                className="btn quiet icon"
                aria-label="Close the menu"
                onClick={() => setOpened(null)}
              >
                <Icon name="close" />
              </button>
            </div>
            <Navigation site={site} organisation={organisation} search={search} />
            <div className="rail-foot">
              {live !== undefined && <Health live={live} />}
              <Bell />
              <AccountParts />
            </div>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Navigation({
  site,
  organisation: given,
  search,
}: {
  site: string | undefined;
  organisation: Organisation | undefined;
  search: string;
}) {
  const { pathname } = useAddress();
  const route = readRoute(pathname);
  const session = useSession();
  const here = analyticsPageAt(pathname);
  const organisation = given ?? organisationOf(session, site);
  const relayPages = relayPagesFor(organisation);
  const inSettings = route.page === 'settings' || route.page === 'organisation' || route.page === 'shares';
  return (
    <nav className="nav" aria-label="Capabilities">
      {session.sites.length > 1 && <NavLink href="/" icon="sites" label="All sites" current={route.page === 'home'} />}
      {site !== undefined && (
        <>
          <NavLink
            href={analyticsPath(overviewPage, site, { pathname, search })}
            icon="analytics"
            label="Analytics"
            open={here !== undefined}
          />
          {here !== undefined && (
            <div className="sub">
              {analyticsPagesFor(organisation).map((one) => (
                <Link
                  key={one.page}
                  href={analyticsPath(one, site, { pathname, search })}
                  {...(one === here ? { 'aria-current': 'page' as const } : {})}
                >
                  {one.label}
                </Link>
              ))}
            </div>
          )}
        </>
      )}
      {site !== undefined && relayPages.length > 0 && (
        <NavLink
          href={pathOf({ page: (relayPages[0] as (typeof relayPages)[number]).page, site })}
          icon="relay"
          label="Relay"
          open={isRelayPage(route.page)}
        />
      )}
      {site !== undefined && isRelayPage(route.page) && (
        <div className="sub">
          <RelayLinks site={site} organisation={organisation} />
        </div>
      )}
      {organisation !== undefined && may(organisation, 'audit.read') && (
        <NavLink
          href={pathOf({ page: 'trust', organisation: organisation.slug })}
          icon="shield"
          label="Trust"
          open={isTrustPage(route.page)}
        />
      )}
      {isTrustPage(route.page) && organisation !== undefined && (
        <div className="sub">
          <TrustLinks organisation={organisation} />
        </div>
      )}
      {session.person.is_operator && (
        <NavLink
          href={pathOf({ page: 'operator', section: 'audit' })}
          icon="eye"
          label="This desk"
          open={route.page === 'operator'}
        />
      )}
      {route.page === 'operator' && session.person.is_operator && (
        <div className="sub">
          {operatorTabs.map(({ section, label }) => (
            <Link
              key={section}
              href={pathOf({ page: 'operator', section })}
              {...(route.section === section ? { 'aria-current': 'page' as const } : {})}
            >
              {label}
            </Link>
          ))}
        </div>
      )}
      {route.page === 'account' && (
        <>
          <div className="sep" />
          <NavLink href={pathOf({ page: 'account', section: 'profile' })} icon="person" label="Your account" open />
          <div className="sub">
            {accountTabs.map(({ section, label }) => (
              <Link
                key={section}
                href={pathOf({ page: 'account', section })}
                {...(route.section === section ? { 'aria-current': 'page' as const } : {})}
              >
                {label}
              </Link>
            ))}
          </div>
        </>
      )}
      {organisation !== undefined && (
        <>
          <div className="sep" />
          <NavLink
            href={
              site === undefined
                ? pathOf({ page: 'organisation', organisation: organisation.slug, section: 'organisation' })
                : pathOf({ page: 'settings', site, section: 'site' })
            }
            icon="settings"
            label="Settings"
            open={inSettings}
          />
          {inSettings && site !== undefined && (
            <div className="sub">
              <SettingsLinks site={site} />
              <Link href={pathOf({ page: 'organisation', organisation: organisation.slug, section: 'organisation' })}>
                Organisation
              </Link>
            </div>
          )}
          {route.page === 'organisation' && (
            <div className="sub">
              {tabsFor(organisation, session.person).map(({ section, label }) => (
                <Link
                  key={section}
                  href={pathOf({ page: 'organisation', organisation: organisation.slug, section })}
                  {...(route.section === section ? { 'aria-current': 'page' as const } : {})}
                >
                  {label}
                </Link>
              ))}
            </div>
          )}
        </>
      )}
    </nav>
  );
}

/** Whose site is it? Pages about no site and no organisation show the first one's. */
function organisationOf(session: Session, site: string | undefined): Organisation | undefined {
  const id = session.sites.find(({ domain }) => domain === site)?.organisation_id;
  return session.organisations.find((one) => one.id === id) ?? session.organisations[0];
}

/** Where the rail has no room for the pages of a capability, they are tabs under the bar. */
function AnalyticsTabs({ site }: { site: string }) {
  const address = useAddress();
  const organisation = organisationOf(useSession(), site);
  const here = analyticsPageAt(address.pathname);
  if (here === undefined) return null;
  return (
    <nav className="tabs-bar only-d" aria-label="Analytics">
      {analyticsPagesFor(organisation).map((one) => (
        <Link
          key={one.page}
          href={analyticsPath(one, site, address)}
          {...(one === here ? { 'aria-current': 'page' as const } : {})}
        >
          {one.label}
        </Link>
      ))}
    </nav>
  );
}

/** The same for the settings of a site, also on a phone. */
export function SettingsTabs({ site }: { site: string }) {
  return (
    <nav className="tabs-bar" aria-label="Settings" ref={showCurrentTab}>
      <SettingsLinks site={site} />
    </nav>
  );
}

function SettingsLinks({ site }: { site: string }) {
  const route = readRoute(useAddress().pathname);
  const organisation = organisationOf(useSession(), site);
  const section = route.page === 'settings' ? route.section : route.page;
  const shares =
    organisation !== undefined && may(organisation, 'share.manage')
      ? [{ section: 'shares', label: 'Shares' } as const]
      : [];
  return [...settingsTabsFor(organisation), ...shares].map((tab) => (
    <Link
      key={tab.section}
      href={pathOf(
        tab.section === 'shares' ? { page: 'shares', site } : { page: 'settings', site, section: tab.section },
      )}
      {...(tab.section === section ? { 'aria-current': 'page' as const } : {})}
    >
      {tab.label}
    </Link>
  ));
}

function NavLink({
  href,
  icon,
  label,
  open = false,
  current = false,
}: {
  href: string;
  icon: IconName;
  label: string;
  open?: boolean;
  current?: boolean;
}) {
  return (
    <Link
      href={href}
      title={label}
      className={`nav-top ${open ? 'open' : ''}`}
      {...(current ? { 'aria-current': 'page' as const } : {})}
    >
      <Icon name={icon} />
      <span>{label}</span>
    </Link>
  );
}

/** A wait longer than this is worth a word: visible in the dashboard within 3 s is what the desk promises. */
const lagMs = 5_000;

/** The state of the stores in one line. Good is quiet; bad says what it means for the numbers. */
function Health({ live }: { live: Live }) {
  const said = healthOf(live);
  return (
    <div className="health" title={said.detail}>
      <span className={`dot ${said.state}`} />
      <span>{said.text}</span>
    </div>
  );
}

function healthOf(live: Live): { state: 'ok' | 'bad' | 'warn' | 'idle'; text: string; detail: string } {
  if (live.state === 'asking') return { state: 'idle', text: 'Looking at the stores', detail: '' };
  if (live.state === 'unreachable')
    return {
      state: 'bad',
      text: 'This desk does not answer',
      detail: 'Events that it has acknowledged are safe on disk.',
    };
  const { stores, spool_lag_ms: lag } = live.now;
  if (!stores.warehouse)
    return { state: 'bad', text: 'Warehouse does not answer', detail: 'Events are safe on disk and will appear.' };
  if (!stores.postgres)
    return {
      state: 'bad',
      text: 'Postgres does not answer',
      detail: 'Settings cannot be changed until it does. Events are still taken.',
    };
  if (lag > lagMs)
    return {
      state: 'warn',
      text: `Events wait ${milliseconds(lag)} on disk`,
      detail: 'They are safe and will appear.',
    };
  return { state: 'ok', text: 'All stores reachable', detail: `The newest event waited ${milliseconds(lag)}.` };
}

/** The number is in words for a screen reader, and stands beside the bell for everybody else. */
function Bell() {
  const { unread } = useUnread();
  return (
    <Link className="bell" href={pathOf({ page: 'notifications' })} title="Notifications">
      <Icon name="bell" />
      <span className="cut">Notifications</span>
      {unread > 0 && (
        <span className="tag">
          {unread > 99 ? '99+' : unread}
          <span className="vh"> unread</span>
        </span>
      )}
    </Link>
  );
}

function Account() {
  const session = useSession();
  const [open, setOpen] = useState(false);
  return (
    <Popover
      label="Account"
      width={232}
      open={open}
      onOpenChange={setOpen}
      className="up"
      button={(props) => (
        <button type="button" className="account" title={session.person.email} {...props}>
          <Icon name="person" />
          <span className="cut">{session.person.email}</span>
        </button>
      )}
    >
      {() => <AccountParts />}
    </Popover>
  );
}

function AccountParts() {
  const { person, organisations, version } = useSession();
  const desk = useDesk();
  const theme = useTheme();
  return (
    <div className="account-parts">
      <p className="cut">
        <b>{person.email}</b>
      </p>
      {organisations.map((one) => (
        <p key={one.id} className="q cut">
          {one.name} · {roleText(one.role_name)}
        </p>
      ))}
      <fieldset className="seg-field">
        <legend className="q">Theme</legend>
        <div className="seg">
          {themes.map((one) => (
            <button key={one.id} type="button" aria-pressed={theme === one.id} onClick={() => chooseTheme(one.id)}>
              {one.label}
            </button>
          ))}
        </div>
      </fieldset>
      <Link className="btn quiet wide" href={pathOf({ page: 'account', section: 'profile' })}>
        <Icon name="person" />
        Your account
      </Link>
      <button type="button" className="btn quiet wide" onClick={() => void desk.leave()}>
        <Icon name="exit" />
        Sign out
      </button>
      <p className="q">Version {version}</p>
    </div>
  );
}
