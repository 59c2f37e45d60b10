import type { SignedInProvider } from '../../../contract/connections.ts';
import type { ProviderId } from '../../../contract/identities.ts';

/** The pages of the dashboard by their paths (ui.md §11). Period and filters are in the query string: see `view.ts`. */
export type Route =
  | { page: 'home' }
  | { page: 'set-up' }
  | { page: 'sign-in' }
  | { page: 'provider-answer'; provider: ProviderId }
  | { page: 'reset' }
  | { page: 'verify' }
  | { page: 'sign-up'; step: 'ask' | 'confirm' | 'complete' }
  | { page: 'second-factor' }
  | { page: 'invitation'; token: string }
  | { page: 'account'; section: AccountSection }
  | { page: 'notifications' }
  | { page: 'inbox' }
  | { page: 'organisation'; organisation: string; section: OrganisationSection }
  | { page: 'organisation-sites'; organisation: string }
  | { page: 'trust'; organisation: string }
  | { page: 'proof'; organisation: string }
  | { page: 'requests'; organisation: string }
  | { page: 'request'; organisation: string; request: number }
  | { page: 'windows'; organisation: string }
  | { page: 'tonight'; organisation: string }
  | { page: 'holds'; organisation: string }
  | { page: 'access'; organisation: string }
  | { page: 'incidents'; organisation: string }
  | { page: 'documents'; organisation: string }
  | { page: 'consent'; organisation: string }
  | { page: 'subprocessors'; organisation: string }
  | { page: 'operations'; organisation: string }
  | { page: 'access-log'; organisation: string }
  | { page: 'audit'; organisation: string }
  | { page: 'relay'; site: string }
  | { page: 'relay-inspector'; site: string; conversion?: string }
  | { page: 'relay-requests'; site: string }
  | { page: 'relay-match-quality'; site: string }
  | { page: 'relay-dead-letters'; site: string }
  | { page: 'relay-credits'; site: string }
  | { page: 'operator'; section: OperatorSection }
  | { page: 'connections'; site: string }
  | { page: 'connect'; provider: SignedInProvider }
  | { page: 'shares'; site: string }
  | { page: 'new-site' }
  | { page: 'analytics'; site: string }
  | { page: 'realtime'; site: string }
  | { page: 'missing'; site: string }
  | { page: 'profiles'; site: string }
  | { page: 'profile'; site: string; profile: string }
  | { page: 'goals'; site: string }
  | { page: 'goal'; site: string; goal: string }
  | { page: 'shields'; site: string }
  | { page: 'exports'; site: string }
  | { page: 'imports'; site: string }
  | { page: 'relay-sources'; site: string }
  | { page: 'relay-source'; site: string; source: number }
  | { page: 'relay-mapping'; site: string; source: number }
  | { page: 'relay-destinations'; site: string }
  | { page: 'relay-destination'; site: string; destination: number }
  | { page: 'settings'; site: string; section: SettingsSection }
  | { page: 'nowhere' };

export const settingsSections = ['site', 'snippet', 'goals', 'contacts', 'keys', 'life'] as const;
export type SettingsSection = (typeof settingsSections)[number];

/** `/account/…`: what belongs to the person. */
const accountSections = ['profile', 'security', 'sessions', 'notifications', 'mail', 'agreements'] as const;
export type AccountSection = (typeof accountSections)[number];

/** `/o/:o/settings/…`: what belongs to the organisation, and mail, which belongs to the desk. */
export const organisationSections = ['organisation', 'members', 'roles', 'teams', 'keys', 'alerts', 'mail'] as const;
export type OrganisationSection = (typeof organisationSections)[number];

/** `/desk/…`: what belongs to the desk itself, for who runs it. */
const operatorSections = ['audit', 'operations', 'sign-up', 'access-log', 'backups', 'checks', 'usage'] as const;
export type OperatorSection = (typeof operatorSections)[number];

/** Where a provider sends the browser back to; the desk tells each this address. */
const providers: readonly ProviderId[] = ['google', 'github', 'oidc'];
const platforms: readonly SignedInProvider[] = ['google', 'meta', 'linkedin', 'microsoft', 'tiktok'];

export function readRoute(pathname: string): Route {
  const [first = '', second = '', third = '', fourth, ...rest] = pathname.split('/').filter((part) => part !== '');
  if (first === '') return { page: 'home' };
  if (first === 'setup' && second === '') return { page: 'set-up' };
  if (first === 'sign-in' && second === '') return { page: 'sign-in' };
  const provider = providers.find((one) => one === second);
  if (first === 'sign-in' && provider !== undefined && third === '') return { page: 'provider-answer', provider };
  const platform = platforms.find((one) => one === second);
  if (first === 'connect' && platform !== undefined && third === '') return { page: 'connect', provider: platform };
  for (const page of ['reset', 'verify', 'second-factor', 'notifications'] as const)
    if (first === page && second === '') return { page };
  if (first === 'sign-up' && third === '') {
    const step = (['ask', 'confirm', 'complete'] as const).find((one) => one === (second === '' ? 'ask' : second));
    if (step !== undefined && second !== 'ask') return { page: 'sign-up', step };
  }
  if (first === 'invitation' && second !== '' && third === '') return { page: 'invitation', token: decodePart(second) };
  if (first === 'dev' && second === 'inbox' && third === '') return { page: 'inbox' };
  if (first === 'account' && third === '') {
    const section = accountSections.find((one) => one === (second === '' ? 'profile' : second));
    if (section !== undefined) return { page: 'account', section };
  }
  if (first === 'desk' && third === '') {
    const section = operatorSections.find((one) => one === (second === '' ? 'audit' : second));
    if (section !== undefined) return { page: 'operator', section };
  }
  if (first === 'o' && second !== '' && third === 'trust' && fourth === 'requests' && rest.length === 1) {
    const request = Number(rest[0]);
    if (Number.isSafeInteger(request) && request > 0)
      return { page: 'request', organisation: decodePart(second), request };
  }
  if (first === 'o' && second !== '' && rest.length === 0) {
    const organisation = decodePart(second);
    if (third === 'sites' && fourth === undefined) return { page: 'organisation-sites', organisation };
    if (third === 'trust' && fourth === undefined) return { page: 'trust', organisation };
    if (third === 'trust' && fourth === 'proof') return { page: 'proof', organisation };
    for (const page of [
      'requests',
      'windows',
      'tonight',
      'holds',
      'access',
      'incidents',
      'documents',
      'consent',
      'subprocessors',
      'operations',
      'access-log',
    ] as const)
      if (third === 'trust' && fourth === page) return { page, organisation };
    if (third === 'trust' && fourth === 'audit') return { page: 'audit', organisation };
    const section = organisationSections.find((one) => one === (fourth ?? 'organisation'));
    if (third === 'settings' && section !== undefined) return { page: 'organisation', organisation, section };
  }
  if (first === 'sites' && second === 'new' && third === '') return { page: 'new-site' };
  if (first === 's' && second !== '' && third === 'relay') {
    const relay = relayRoute(decodePart(second), fourth, rest);
    if (relay !== undefined) return relay;
  }
  if (first === 's' && second !== '' && rest.length === 0) {
    const site = decodePart(second);
    if (third === 'analytics' && fourth === undefined) return { page: 'analytics', site };
    if (third === 'realtime' && fourth === undefined) return { page: 'realtime', site };
    if (third === 'missing' && fourth === undefined) return { page: 'missing', site };
    if (third === 'goals')
      return fourth === undefined ? { page: 'goals', site } : { page: 'goal', site, goal: decodePart(fourth) };
    if (third === 'profiles')
      return fourth === undefined ? { page: 'profiles', site } : { page: 'profile', site, profile: decodePart(fourth) };
    if (third === 'shields' && fourth === undefined) return { page: 'shields', site };
    if (third === 'exports' && fourth === undefined) return { page: 'exports', site };
    if (third === 'shares' && fourth === undefined) return { page: 'shares', site };
    if (third === 'relay' && fourth === 'connections') return { page: 'connections', site };
    if (third === 'imports' && fourth === undefined) return { page: 'imports', site };
    const section = settingsSections.find((one) => one === (fourth ?? 'site'));
    if (third === 'settings' && section !== undefined) return { page: 'settings', site, section };
  }
  return { page: 'nowhere' };
}

/** `/s/:site/relay/…`: what becomes of conversions, and how that is set. */
function relayRoute(site: string, part: string | undefined, rest: readonly string[]): Route | undefined {
  const [which, more, ...further] = rest;
  if (part === undefined) return { page: 'relay', site };
  if (which === undefined) {
    const pages = [
      ...(['inspector', 'requests', 'dead-letters', 'match-quality', 'credits'] as const),
      ...(['sources', 'destinations'] as const),
    ] as const;
    const found = pages.find((one) => one === part);
    return found === undefined ? undefined : { page: `relay-${found}`, site };
  }
  if (part === 'inspector' && more === undefined)
    return { page: 'relay-inspector', site, conversion: decodePart(which) };
  const id = Number(which);
  if (!Number.isSafeInteger(id) || id <= 0 || further.length > 0) return undefined;
  if (part === 'sources' && more === undefined) return { page: 'relay-source', site, source: id };
  if (part === 'sources' && more === 'mapping') return { page: 'relay-mapping', site, source: id };
  if (part === 'destinations' && more === undefined) return { page: 'relay-destination', site, destination: id };
  return undefined;
}

export function pathOf(route: Route): string {
  switch (route.page) {
    case 'home':
      return '/';
    case 'set-up':
      return '/setup';
    case 'sign-in':
      return '/sign-in';
    case 'provider-answer':
      return `/sign-in/${route.provider}`;
    case 'reset':
    case 'verify':
    case 'second-factor':
    case 'notifications':
      return `/${route.page}`;
    case 'sign-up':
      return route.step === 'ask' ? '/sign-up' : `/sign-up/${route.step}`;
    case 'invitation':
      return `/invitation/${encodeURIComponent(route.token)}`;
    case 'inbox':
      return '/dev/inbox';
    case 'account':
      return route.section === 'profile' ? '/account' : `/account/${route.section}`;
    case 'organisation':
      return `/o/${encodeURIComponent(route.organisation)}/settings${route.section === 'organisation' ? '' : `/${route.section}`}`;
    case 'organisation-sites':
      return `/o/${encodeURIComponent(route.organisation)}/sites`;
    case 'trust':
      return `/o/${encodeURIComponent(route.organisation)}/trust`;
    case 'proof':
      return `/o/${encodeURIComponent(route.organisation)}/trust/proof`;
    case 'request':
      return `/o/${encodeURIComponent(route.organisation)}/trust/requests/${route.request}`;
    case 'requests':
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
      return `/o/${encodeURIComponent(route.organisation)}/trust/${route.page}`;
    case 'audit':
      return `/o/${encodeURIComponent(route.organisation)}/trust/audit`;
    case 'relay':
      return `/s/${encodeURIComponent(route.site)}/relay`;
    case 'relay-inspector':
      return `/s/${encodeURIComponent(route.site)}/relay/inspector${route.conversion === undefined ? '' : `/${encodeURIComponent(route.conversion)}`}`;
    case 'relay-requests':
      return `/s/${encodeURIComponent(route.site)}/relay/requests`;
    case 'relay-dead-letters':
      return `/s/${encodeURIComponent(route.site)}/relay/dead-letters`;
    case 'relay-match-quality':
      return `/s/${encodeURIComponent(route.site)}/relay/match-quality`;
    case 'relay-credits':
      return `/s/${encodeURIComponent(route.site)}/relay/credits`;
    case 'operator':
      return `/desk/${route.section}`;
    case 'connections':
      return `/s/${encodeURIComponent(route.site)}/relay/connections`;
    case 'connect':
      return `/connect/${route.provider}`;
    case 'shares':
      return `/s/${encodeURIComponent(route.site)}/shares`;
    case 'new-site':
      return '/sites/new';
    case 'analytics':
      return `/s/${encodeURIComponent(route.site)}/analytics`;
    case 'realtime':
      return `/s/${encodeURIComponent(route.site)}/realtime`;
    case 'missing':
      return `/s/${encodeURIComponent(route.site)}/missing`;
    case 'shields':
      return `/s/${encodeURIComponent(route.site)}/shields`;
    case 'goals':
      return `/s/${encodeURIComponent(route.site)}/goals`;
    case 'goal':
      return `/s/${encodeURIComponent(route.site)}/goals/${encodeURIComponent(route.goal)}`;
    case 'profiles':
      return `/s/${encodeURIComponent(route.site)}/profiles`;
    case 'profile':
      return `/s/${encodeURIComponent(route.site)}/profiles/${encodeURIComponent(route.profile)}`;
    case 'exports':
      return `/s/${encodeURIComponent(route.site)}/exports`;
    case 'imports':
      return `/s/${encodeURIComponent(route.site)}/imports`;
    case 'relay-sources':
      return `/s/${encodeURIComponent(route.site)}/relay/sources`;
    case 'relay-source':
      return `/s/${encodeURIComponent(route.site)}/relay/sources/${route.source}`;
    case 'relay-mapping':
      return `/s/${encodeURIComponent(route.site)}/relay/sources/${route.source}/mapping`;
    case 'relay-destinations':
      return `/s/${encodeURIComponent(route.site)}/relay/destinations`;
    case 'relay-destination':
      return `/s/${encodeURIComponent(route.site)}/relay/destinations/${route.destination}`;
    case 'settings':
      return `/s/${encodeURIComponent(route.site)}/settings${route.section === 'site' ? '' : `/${route.section}`}`;
    case 'nowhere':
      return '/';
  }
}

/** Where to go after signing in: a path of this desk, never an address of somewhere else. */
export function safeReturn(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/';
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
