import type { ReactNode } from 'react';
import { lazy, StrictMode, Suspense, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { navigate, useAddress } from './address/navigate.tsx';
import { pathOf, readRoute } from './address/route.ts';
import { DeskProvider, useDesk } from './desk/session.tsx';
import { keepFocusNear } from './edge/focus.ts';
import { OverviewPage } from './overview/page.tsx';
import { DemoBanner } from './shell/demo_banner.tsx';
import { Faults, NowherePage, UnreachablePage } from './shell/plain.tsx';
import { isClosedWithoutFactor, SecondFactorNeeded } from './shell/second_factor_notice.tsx';
import './styles/all.css';

// The overview is what people open; the other pages come when they are asked for.
const FirstRunPage = lazy(() => import('./first_run/page.tsx').then((part) => ({ default: part.FirstRunPage })));
const SignInPage = lazy(() => import('./sign_in/page.tsx').then((part) => ({ default: part.SignInPage })));
const ProviderAnswerPage = lazy(() =>
  import('./sign_in/provider_answer.tsx').then((part) => ({ default: part.ProviderAnswerPage })),
);
const SettingsPage = lazy(() => import('./settings/page.tsx').then((part) => ({ default: part.SettingsPage })));
const RealtimePage = lazy(() => import('./realtime/page.tsx').then((part) => ({ default: part.RealtimePage })));
const ProfilesPage = lazy(() => import('./profiles/page.tsx').then((part) => ({ default: part.ProfilesPage })));
const ProfilePage = lazy(() => import('./profiles/one_profile.tsx').then((part) => ({ default: part.ProfilePage })));
const ShieldsPage = lazy(() => import('./shields/page.tsx').then((part) => ({ default: part.ShieldsPage })));
const GoalsPage = lazy(() => import('./goals/page.tsx').then((part) => ({ default: part.GoalsPage })));
const GoalPage = lazy(() => import('./goals/goal_page.tsx').then((part) => ({ default: part.GoalPage })));
const MissingPage = lazy(() => import('./missing/page.tsx').then((part) => ({ default: part.MissingPage })));
const ImportsPage = lazy(() => import('./imports/page.tsx').then((part) => ({ default: part.ImportsPage })));
const ExportsPage = lazy(() => import('./exports/page.tsx').then((part) => ({ default: part.ExportsPage })));
const SitesPage = lazy(() => import('./sites/page.tsx').then((part) => ({ default: part.SitesPage })));
const NewSitePage = lazy(() => import('./sites/new_site.tsx').then((part) => ({ default: part.NewSitePage })));
const ResetPage = lazy(() => import('./sign_in/reset.tsx').then((part) => ({ default: part.ResetPage })));
const VerifyPage = lazy(() => import('./sign_in/verify.tsx').then((part) => ({ default: part.VerifyPage })));
const SecondFactorPage = lazy(() =>
  import('./sign_in/second_factor.tsx').then((part) => ({ default: part.SecondFactorPage })),
);
const SignUpPage = lazy(() => import('./sign_up/page.tsx').then((part) => ({ default: part.SignUpPage })));
const SignUpConfirmPage = lazy(() =>
  import('./sign_up/confirm.tsx').then((part) => ({ default: part.SignUpConfirmPage })),
);
const SignUpCompletePage = lazy(() =>
  import('./sign_up/complete.tsx').then((part) => ({ default: part.SignUpCompletePage })),
);
const AgreementDuePage = lazy(() => import('./sign_up/due.tsx').then((part) => ({ default: part.AgreementDuePage })));
const InvitationPage = lazy(() =>
  import('./sign_in/invitation.tsx').then((part) => ({ default: part.InvitationPage })),
);
const AccountPage = lazy(() => import('./account/page.tsx').then((part) => ({ default: part.AccountPage })));
const OrganisationPage = lazy(() =>
  import('./organisation/page.tsx').then((part) => ({ default: part.OrganisationPage })),
);
const OrganisationSitesPage = lazy(() =>
  import('./sites/organisation_sites.tsx').then((part) => ({ default: part.OrganisationSitesPage })),
);
const FormerSlugPage = lazy(() =>
  import('./organisation/former_slug.tsx').then((part) => ({ default: part.FormerSlugPage })),
);
const FormerDomainPage = lazy(() =>
  import('./sites/former_domain.tsx').then((part) => ({ default: part.FormerDomainPage })),
);
const TrustPage = lazy(() => import('./trust/index.ts').then((part) => ({ default: part.TrustPage })));
const ProofPage = lazy(() => import('./trust/index.ts').then((part) => ({ default: part.ProofPage })));
const OneRequestPage = lazy(() =>
  import('./requests/one_request.tsx').then((part) => ({ default: part.OneRequestPage })),
);
const RequestsPage = lazy(() => import('./requests/page.tsx').then((part) => ({ default: part.RequestsPage })));
const WindowsPage = lazy(() => import('./windows/windows_page.tsx').then((part) => ({ default: part.WindowsPage })));
const TonightPage = lazy(() => import('./windows/tonight_page.tsx').then((part) => ({ default: part.TonightPage })));
const IncidentsPage = lazy(() => import('./incidents/page.tsx').then((part) => ({ default: part.IncidentsPage })));
const AccessPage = lazy(() => import('./access/page.tsx').then((part) => ({ default: part.AccessPage })));
const DocumentsPage = lazy(() => import('./documents/page.tsx').then((part) => ({ default: part.DocumentsPage })));
const ConsentPage = lazy(() => import('./consent/page.tsx').then((part) => ({ default: part.ConsentPage })));
const SubprocessorsPage = lazy(() =>
  import('./register/page.tsx').then((part) => ({ default: part.SubprocessorsPage })),
);
const HoldsPage = lazy(() => import('./windows/holds_page.tsx').then((part) => ({ default: part.HoldsPage })));
const OperationsPage = lazy(() => import('./operations/page.tsx').then((part) => ({ default: part.OperationsPage })));
const AccessLogPage = lazy(() => import('./access_log/page.tsx').then((part) => ({ default: part.AccessLogPage })));
const AuditPage = lazy(() => import('./audit/page.tsx').then((part) => ({ default: part.AuditPage })));
const RelayOverviewPage = lazy(() =>
  import('./relay/reading/overview_page.tsx').then((part) => ({ default: part.RelayOverviewPage })),
);
const RelayInspectorPage = lazy(() =>
  import('./relay/reading/inspector_page.tsx').then((part) => ({ default: part.RelayInspectorPage })),
);
const RelayRequestsPage = lazy(() =>
  import('./relay/reading/requests_page.tsx').then((part) => ({ default: part.RelayRequestsPage })),
);
const RelayDeadLettersPage = lazy(() =>
  import('./relay/reading/dead_letters_page.tsx').then((part) => ({ default: part.RelayDeadLettersPage })),
);
const RelayMatchPage = lazy(() =>
  import('./relay/reading/match_page.tsx').then((part) => ({ default: part.RelayMatchPage })),
);
const RelayCreditsPage = lazy(() =>
  import('./relay/credits/page.tsx').then((part) => ({ default: part.RelayCreditsPage })),
);
const OperatorPage = lazy(() => import('./operator/page.tsx').then((part) => ({ default: part.OperatorPage })));
const NotificationsPage = lazy(() =>
  import('./notifications/page.tsx').then((part) => ({ default: part.NotificationsPage })),
);
const InboxPage = lazy(() => import('./inbox/page.tsx').then((part) => ({ default: part.InboxPage })));
const ConnectionsPage = lazy(() =>
  import('./connections/page.tsx').then((part) => ({ default: part.ConnectionsPage })),
);
const ConnectAnswerPage = lazy(() =>
  import('./connections/answer.tsx').then((part) => ({ default: part.ConnectAnswerPage })),
);
const SourcesPage = lazy(() => import('./relay/sources.tsx').then((part) => ({ default: part.SourcesPage })));
const SourcePage = lazy(() => import('./relay/source.tsx').then((part) => ({ default: part.SourcePage })));
const MappingPage = lazy(() => import('./relay/mapping/page.tsx').then((part) => ({ default: part.MappingPage })));
const DestinationsPage = lazy(() =>
  import('./relay/destinations.tsx').then((part) => ({ default: part.DestinationsPage })),
);
const DestinationPage = lazy(() =>
  import('./relay/destination.tsx').then((part) => ({ default: part.DestinationPage })),
);
const SharesPage = lazy(() => import('./shares/page.tsx').then((part) => ({ default: part.SharesPage })));

function Pages() {
  const { pathname, search } = useAddress();
  const { visitor } = useDesk();
  const route = readRoute(pathname);
  const counted = visitor.state === 'here' && visitor.session.is_counted ? visitor.session : undefined;
  useEffect(() => {
    if (counted !== undefined)
      void import('./desk/count.ts').then(({ countPage }) => countPage(counted, pathname, search));
  }, [counted, pathname, search]);

  if (route.page === 'set-up') return <FirstRunPage />;
  // Whoever comes by a link of a mail may be signed in or not.
  if (route.page === 'provider-answer') return <ProviderAnswerPage key={route.provider} provider={route.provider} />;
  if (route.page === 'reset') return <ResetPage />;
  if (route.page === 'verify') return <VerifyPage />;
  if (route.page === 'sign-up') {
    if (route.step === 'ask') return <SignUpPage />;
    return route.step === 'confirm' ? <SignUpConfirmPage /> : <SignUpCompletePage />;
  }
  if (route.page === 'invitation') return <InvitationPage key={route.token} token={route.token} />;
  if (route.page === 'second-factor') return <SecondFactorPage />;
  if (visitor.state === 'asking') return null;
  if (visitor.state === 'unreachable') return <UnreachablePage message={visitor.message} />;
  if (visitor.state !== 'here') {
    if (route.page !== 'sign-in') return <Go to={signInAddress(pathname, search)} />;
    return <SignInPage ended={visitor.state === 'ended'} />;
  }
  const { sites, organisations } = visitor.session;
  // Before all else; whoever does not accept keeps the way to their own account, and whoever runs the desk to its pages:
  // a text that was published by mistake is withdrawn there.
  if (visitor.session.agreement_due && route.page !== 'account' && route.page !== 'operator')
    return <AgreementDuePage />;
  switch (route.page) {
    case 'sign-in':
      return <SignInPage ended={false} />;
    case 'home': {
      const [only] = sites;
      if (only === undefined && isClosedWithoutFactor(visitor.session)) return <SecondFactorNeeded />;
      if (only === undefined) return <Go to="/sites/new" />;
      return sites.length === 1 ? <Go to={pathOf({ page: 'analytics', site: only.domain })} /> : <SitesPage />;
    }
    case 'new-site':
      return <NewSitePage />;
    case 'account':
      return <AccountPage section={route.section} />;
    case 'notifications':
      return <NotificationsPage />;
    case 'inbox':
      return <InboxPage />;
    case 'operator':
      return <OperatorPage key={route.section} section={route.section} />;
    case 'organisation':
    case 'organisation-sites':
    case 'trust':
    case 'proof':
    case 'requests':
    case 'request':
    case 'windows':
    case 'tonight':
    case 'holds':
    case 'access':
    case 'incidents':
    case 'documents':
    case 'consent':
    case 'subprocessors':
    case 'operations':
    case 'access-log':
    case 'audit': {
      const organisation = organisations.find((one) => one.slug === route.organisation);
      if (organisation === undefined) return <FormerSlugPage key={pathname} route={route} />;
      if (organisation.is_second_factor_overdue) return <SecondFactorNeeded />;
      if (route.page === 'trust') return <TrustPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'proof') return <ProofPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'requests') return <RequestsPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'request')
        return (
          <OneRequestPage key={`${organisation.id} ${route.request}`} organisation={organisation} id={route.request} />
        );
      if (route.page === 'windows') return <WindowsPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'tonight') return <TonightPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'incidents') return <IncidentsPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'documents') return <DocumentsPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'access') return <AccessPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'holds') return <HoldsPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'consent') return <ConsentPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'subprocessors')
        return <SubprocessorsPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'operations') return <OperationsPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'access-log') return <AccessLogPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'audit') return <AuditPage key={organisation.id} organisation={organisation} />;
      if (route.page === 'organisation-sites')
        return <OrganisationSitesPage key={organisation.id} organisation={organisation} />;
      return <OrganisationPage key={organisation.id} organisation={organisation} section={route.section} />;
    }
    case 'connect':
      return <ConnectAnswerPage key={route.provider} provider={route.provider} />;
    case 'connections':
    case 'relay':
    case 'relay-inspector':
    case 'relay-requests':
    case 'relay-match-quality':
    case 'relay-dead-letters':
    case 'relay-credits':
    case 'shares':
    case 'analytics':
    case 'realtime':
    case 'missing':
    case 'goals':
    case 'goal':
    case 'profiles':
    case 'profile':
    case 'shields':
    case 'exports':
    case 'imports':
    case 'relay-sources':
    case 'relay-source':
    case 'relay-mapping':
    case 'relay-destinations':
    case 'relay-destination':
    case 'settings': {
      const site = sites.find((one) => one.domain === route.site);
      if (site === undefined && isClosedWithoutFactor(visitor.session)) return <SecondFactorNeeded />;
      if (site === undefined) return <FormerDomainPage key={pathname} route={route} />;
      if (route.page === 'connections') return <ConnectionsPage key={site.id} site={site} />;
      if (route.page === 'relay') return <RelayOverviewPage key={site.id} site={site} />;
      if (route.page === 'relay-inspector')
        return <RelayInspectorPage key={site.id} site={site} conversion={route.conversion} />;
      if (route.page === 'relay-requests') return <RelayRequestsPage key={site.id} site={site} />;
      if (route.page === 'relay-match-quality') return <RelayMatchPage key={site.id} site={site} />;
      if (route.page === 'relay-dead-letters') return <RelayDeadLettersPage key={site.id} site={site} />;
      if (route.page === 'relay-credits') return <RelayCreditsPage key={site.id} site={site} />;
      if (route.page === 'shares') return <SharesPage key={site.id} site={site} />;
      if (route.page === 'relay-sources') return <SourcesPage key={site.id} site={site} />;
      if (route.page === 'relay-source')
        return <SourcePage key={`${site.id} ${route.source}`} site={site} id={route.source} />;
      if (route.page === 'relay-mapping')
        return <MappingPage key={`${site.id} ${route.source}`} site={site} id={route.source} />;
      if (route.page === 'relay-destinations') return <DestinationsPage key={site.id} site={site} />;
      if (route.page === 'relay-destination')
        return <DestinationPage key={`${site.id} ${route.destination}`} site={site} id={route.destination} />;
      if (route.page === 'realtime') return <RealtimePage key={site.id} site={site} />;
      if (route.page === 'shields') return <ShieldsPage key={site.id} site={site} />;
      if (route.page === 'goals') return <GoalsPage key={site.id} site={site} />;
      if (route.page === 'goal') return <GoalPage key={`${site.id} ${route.goal}`} site={site} id={route.goal} />;
      if (route.page === 'profiles') return <ProfilesPage key={site.id} site={site} />;
      if (route.page === 'profile')
        return <ProfilePage key={`${site.id} ${route.profile}`} site={site} id={route.profile} />;
      if (route.page === 'missing') return <MissingPage key={site.id} site={site} />;
      if (route.page === 'imports') return <ImportsPage key={site.id} site={site} />;
      if (route.page === 'exports') return <ExportsPage key={site.id} site={site} />;
      return route.page === 'analytics' ? (
        <OverviewPage key={site.id} site={site} />
      ) : (
        <SettingsPage key={site.id} site={site} section={route.section} />
      );
    }
    case 'nowhere':
      return <NowherePage what="There is no page under this address" why="The link may be old or cut short." />;
  }
}

function signInAddress(pathname: string, search: string): string {
  const here = pathname + search;
  return here === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(here)}`;
}

function Go({ to }: { to: string }): ReactNode {
  useEffect(() => navigate(to, { replace: true }), [to]);
  return null;
}

// A page that was open during an upgrade names parts that are no more: it is loaded again, once.
window.addEventListener('vite:preloadError', (event) => {
  const [loaded] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  if (loaded?.type === 'reload') return;
  event.preventDefault();
  window.location.reload();
});

keepFocusNear();

const place = document.getElementById('desk');
if (place === null) throw new Error('index.html has no element #desk.');
createRoot(place).render(
  <StrictMode>
    <DemoBanner />
    <Faults>
      <DeskProvider>
        <Suspense fallback={null}>
          <Pages />
        </Suspense>
      </DeskProvider>
    </Faults>
  </StrictMode>,
);
