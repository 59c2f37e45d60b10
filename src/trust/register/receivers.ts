import type { ReceiverRole, Region, TransferBasis } from '../../../contract/register.ts';
import { type Config, isLoopback } from '../../platform/config.ts';
import { type ConnectedPlatform, noConnections } from '../../platform/connection_config.ts';
import type { ClassId } from '../classes/index.ts';
import { relayReceivers } from './relay_receivers.ts';

/** Somebody whom this desk calls, as far as code and settings know it. */
export interface ReceiverRow {
  /** A word of the code's own. */
  id: string;
  label: string;
  /** `own`: the organisation's or the desk's own machine, so nobody else receives. */
  role: ReceiverRole;
  why: string;
  /** What is sent, in words. */
  sent: string;
  /** None at a processor means: whatever is stored. */
  classes: readonly ClassId[];
  /** Words for which `outbound` is asked; `mail` is not one of its calls, and is held against the register all the same. */
  purposes: readonly string[];
  /** Exactly these names, or whoever chooses them. */
  hosts: readonly string[] | { chosenBy: string };
  /** Narrower hosts of single purposes. */
  hostsOf?: Readonly<Record<string, readonly string[]>>;
  /** It gets something from organisations alone that have set it up as a destination of their conversions. */
  byOrganisation?: true;
  legalName?: string;
  country?: string;
  basis?: TransferBasis;
  policyUrl?: string;
  termsUrl?: string;
}

const signIn = ['sign_in.discovery', 'sign_in.keys', 'sign_in.token', 'sign_in.profile'];
const signInSent =
  'The code of the sign-in, and the id and secret of this desk. It answers with name, address and picture; the picture is not taken.';
const google = 'accounts.google.com';

/** The ad platforms, as they are where the settings name no other address. */
const platforms: readonly {
  id: string;
  platform: ConnectedPlatform;
  label: string;
  own: string;
  legalName?: string;
  country?: string;
  policyUrl: string;
  termsUrl: string;
}[] = [
  {
    ...{
      id: 'google-connect',
      platform: 'google',
      label: 'Connecting Google Ads',
      own: 'https://oauth2.googleapis.com',
    },
    ...{ legalName: 'Google LLC', country: 'US' },
    ...{ policyUrl: 'https://policies.google.com/privacy', termsUrl: 'https://developers.google.com/terms' },
  },
  {
    ...{ id: 'meta-connect', platform: 'meta', label: 'Connecting Meta', own: 'https://graph.facebook.com' },
    ...{ legalName: 'Meta Platforms, Inc.', country: 'US' },
    ...{ policyUrl: 'https://www.facebook.com/privacy/policy', termsUrl: 'https://developers.facebook.com/terms' },
  },
  {
    ...{
      id: 'linkedin-connect',
      platform: 'linkedin',
      label: 'Connecting LinkedIn Ads',
      own: 'https://api.linkedin.com',
    },
    ...{ legalName: 'LinkedIn Corporation', country: 'US' },
    ...{
      policyUrl: 'https://www.linkedin.com/legal/privacy-policy',
      termsUrl: 'https://www.linkedin.com/legal/l/api-terms-of-use',
    },
  },
  {
    ...{ id: 'microsoft-connect', platform: 'microsoft', label: 'Connecting Microsoft' },
    ...{ own: 'https://login.microsoftonline.com', legalName: 'Microsoft Corporation', country: 'US' },
    ...{
      policyUrl: 'https://privacy.microsoft.com/privacystatement',
      termsUrl: 'https://learn.microsoft.com/legal/microsoft-apis/terms-of-use',
    },
  },
  {
    ...{
      id: 'tiktok-connect',
      platform: 'tiktok',
      label: 'Connecting TikTok Ads',
      own: 'https://business-api.tiktok.com',
    },
    // Which company answers depends on where the advertiser is: who runs the desk states it.
    ...{
      policyUrl: 'https://ads.tiktok.com/i18n/official/policy/privacy',
      termsUrl: 'https://ads.tiktok.com/i18n/official/policy/terms',
    },
  },
];

/**
 * Everybody whom this desk can call with these settings. A call to anybody else is refused, so a new purpose or host has
 * to have its row here first.
 *
 * @param mailHost of the mail server that counts now, whether the environment or the app names it
 */
export function receiversOf(
  config: Pick<
    Config,
    | 'databaseUrl'
    | 'clickhouseUrl'
    | 'acme'
    | 'logs'
    | 'sentryDsn'
    | 'posthog'
    | 'publicUrl'
    | 'signIn'
    | 'connections'
    | 'backup'
    | 'relay'
  >,
  mailHost: string | undefined,
): ReceiverRow[] {
  const rows: ReceiverRow[] = [
    {
      ...{
        id: 'self',
        label: 'This desk itself',
        role: 'own',
        purposes: ['self_check'],
        hosts: [hostIn(config.publicUrl)],
      },
      why: 'Looks whether its public address leads here.',
      ...{ sent: 'A request without content', classes: [] },
    },
    {
      ...{ id: 'sites', label: 'Sites of this desk', role: 'own', purposes: ['snippet_check'] },
      hosts: { chosenBy: 'who adds a site; a redirect of its home page is followed' },
      why: 'Looks whether the snippet is on the home page.',
      ...{ sent: 'A request without content', classes: [] },
    },
  ];
  rows.push({
    ...{ id: 'callbacks', label: 'Systems that hand in requests', role: 'own', purposes: ['opendsr.callback'] },
    hosts: { chosenBy: 'who hands a request in with a key of the organisation, by https' },
    why: 'Tells the system of the organisation that handed a request of a data subject in how far it is.',
    ...{
      sent: 'The number that this system gave the request, its state and its day; nobody is named',
      classes: ['D24'],
    },
  });
  rows.push({
    ...{ id: 'alerts', label: 'Addresses for alerts', role: 'own', purposes: ['alerts.post'] },
    hosts: { chosenBy: 'owners and administrators of an organisation, by https' },
    why: 'Posts alerts of an organisation to the address that it has set for them.',
    ...{ sent: 'What is not as usual, in numbers, days and names of settings; nobody is named', classes: ['D16'] },
  });
  for (const [id, label, url] of [
    ['database', 'Database server', config.databaseUrl],
    ['warehouse', 'Warehouse server', config.clickhouseUrl],
  ] as const) {
    const host = url === undefined ? '' : hostIn(url);
    if (host === '' || isLoopback(host)) continue;
    rows.push({
      // No purpose: its driver holds the connection that the desk lives on, so the gate is not asked.
      ...{ id, label, role: 'processor', purposes: [], hosts: [host] },
      why: 'Stores what this desk stores, because the settings name a server of its own. It is listed, and not held back.',
      ...{ sent: 'Every class that is stored there; what is sealed stays sealed', classes: [] },
    });
  }
  if (mailHost !== undefined)
    rows.push({
      ...{ id: 'mail', label: 'Mail server', role: 'processor', purposes: ['mail'], hosts: [mailHost] },
      why: 'Delivers the mail of this desk: verification, invitation, reset, notices, reports.',
      ...{ sent: 'The address and the text of each message', classes: ['D7', 'D16'] },
    });
  if (config.backup?.store !== undefined)
    rows.push({
      ...{ id: 'backups', label: 'Object store of the backups', role: 'processor', purposes: ['backup'] },
      hosts: [hostIn(config.backup.store.endpoint)],
      why: 'Keeps copies of the backups, because FAIRLEAD_BACKUP_S3_URL is set.',
      ...{ sent: 'Sealed files of every class, which open with the recovery key alone, and when they were made' },
      classes: [],
    });
  if (config.signIn?.google !== undefined) {
    const host = hostIn(config.signIn.google.url);
    rows.push({
      ...{ id: 'google', label: 'Google sign-in', role: 'controller', purposes: signIn },
      hosts:
        host === google
          ? [google, 'oauth2.googleapis.com', 'www.googleapis.com', 'openidconnect.googleapis.com']
          : [host],
      why: 'Signs people in who choose Google.',
      ...{ sent: signInSent, classes: ['D7', 'D9'] },
      ...(host === google && {
        ...{ legalName: 'Google LLC', country: 'US' },
        ...{ policyUrl: 'https://policies.google.com/privacy', termsUrl: 'https://policies.google.com/terms' },
      }),
    });
  }
  if (config.signIn?.github !== undefined) {
    const hosts = [...new Set([hostIn(config.signIn.github.url), hostIn(config.signIn.github.apiUrl)])];
    rows.push({
      ...{ id: 'github', label: 'GitHub sign-in', role: 'controller', hosts },
      purposes: ['sign_in.token', 'sign_in.profile'],
      why: 'Signs people in who choose GitHub.',
      ...{ sent: signInSent, classes: ['D7', 'D9'] },
      ...(hosts[0] === 'github.com' && {
        ...{ legalName: 'GitHub, Inc.', country: 'US' },
        policyUrl: 'https://docs.github.com/site-policy/privacy-policies/github-general-privacy-statement',
        termsUrl: 'https://docs.github.com/site-policy/github-terms/github-terms-of-service',
      }),
    });
  }
  if (config.signIn?.oidc !== undefined)
    rows.push({
      ...{ id: 'oidc', label: `Sign-in with ${config.signIn.oidc.name}`, role: 'processor', purposes: signIn },
      // The issuer's own document names the doors for keys, token and profile.
      hosts: { chosenBy: `the discovery document of ${hostIn(config.signIn.oidc.issuer)}` },
      hostsOf: { 'sign_in.discovery': [hostIn(config.signIn.oidc.issuer)] },
      why: 'Signs people in by the identity provider of the settings.',
      ...{ sent: signInSent, classes: ['D7', 'D9'] },
    });
  for (const { id, platform, ...known } of platforms) {
    const app = (config.connections ?? noConnections)[platform];
    if (app.client === undefined) continue;
    const addresses: string[] = Object.values(app.at);
    const hosts = [...new Set(addresses.map(hostIn))];
    rows.push({
      ...{ id, label: known.label, role: 'controller', purposes: ['provider.token', 'provider.read'], hosts },
      why: 'Connects ad accounts of organisations, and lists what can be chosen in them.',
      sent: 'Codes and tokens of connections, and the id and secret of this desk. It answers with tokens and the names of accounts, actions and pixels',
      classes: ['D9', 'D10'],
      ...(addresses.includes(known.own) && {
        ...(known.legalName !== undefined && { legalName: known.legalName }),
        ...(known.country !== undefined && { country: known.country }),
        ...{ policyUrl: known.policyUrl, termsUrl: known.termsUrl },
      }),
    });
  }
  if (config.acme !== undefined) {
    const host = hostIn(config.acme.directoryUrl);
    rows.push({
      ...{ id: 'acme', label: 'Certificate authority', role: 'controller', purposes: ['acme'], hosts: [host] },
      why: 'Signs the certificate of this desk.',
      sent: `The names of this desk${config.acme.email === undefined ? '' : ' and the contact address of the settings'}`,
      classes: config.acme.email === undefined ? ['D16'] : ['D7', 'D16'],
      ...(config.acme.email === undefined && { basis: 'not_needed' }),
      ...(host === 'acme-v02.api.letsencrypt.org' && {
        ...{ legalName: 'Internet Security Research Group', country: 'US' },
        ...{ policyUrl: 'https://letsencrypt.org/privacy/', termsUrl: 'https://letsencrypt.org/repository/' },
      }),
    });
  }
  if (config.logs !== undefined)
    rows.push({
      ...{
        id: 'logs',
        label: 'Log collector',
        role: 'processor',
        purposes: ['logs'],
        hosts: [hostIn(config.logs.url)],
      },
      why: 'Keeps a copy of the logs where nobody on this machine can change it, because FAIRLEAD_LOG_URL is set.',
      sent: 'Lines of the log and of the access log, with the addresses of people who work here and of nobody else; names of acts of the audit log',
      classes: ['D15', 'D16'],
    });
  if (config.sentryDsn !== undefined)
    rows.push({
      ...{ id: 'errors', label: 'Error reports', role: 'processor', purposes: ['report.error'] },
      hosts: [hostIn(config.sentryDsn)],
      why: 'Collects errors of the product, because FAIRLEAD_SENTRY_DSN is set.',
      ...{ sent: 'Kind, code and place of an error; no message and no person', classes: ['D22'], basis: 'not_needed' },
    });
  if (config.posthog !== undefined)
    rows.push({
      ...{ id: 'events', label: 'Product events', role: 'processor', purposes: ['report.event'] },
      hosts: [hostIn(config.posthog.host)],
      why: 'Collects numbers about the product, because FAIRLEAD_POSTHOG_KEY is set.',
      ...{ sent: 'Numbers of a closed list; no person, site or organisation', classes: ['D22'], basis: 'not_needed' },
    });
  return [...rows, ...relayReceivers(config.relay)];
}

/** Whose row is this call's? `receiver` is named by callers that know whom they ask. */
export function rowOf(
  rows: readonly ReceiverRow[],
  call: { purpose: string; host: string; receiver?: string | undefined },
): ReceiverRow | undefined {
  return rows.find((row) => {
    if (call.receiver !== undefined && row.id !== call.receiver) return false;
    if (!row.purposes.includes(call.purpose)) return false;
    const hosts = row.hostsOf?.[call.purpose] ?? row.hosts;
    return 'chosenBy' in hosts || hosts.includes(call.host);
  });
}

/** The host that a statement is about. */
export function mainHost(row: ReceiverRow): string | undefined {
  return 'chosenBy' in row.hosts ? Object.values(row.hostsOf ?? {})[0]?.[0] : row.hosts[0];
}

const eea = new Set(
  'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO'.split(' '),
);

/** Undefined for every other country. */
export function regionOf(country: string): Region | undefined {
  if (eea.has(country)) return 'eea';
  return country === 'GB' ? 'uk' : country === 'CH' ? 'ch' : undefined;
}

function hostIn(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '') : '';
}
