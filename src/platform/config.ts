import { existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { domainToASCII } from 'node:url';
import { type Region, regions } from '../../contract/register.ts';
import { type ObjectStoreSettings, readObjectStore } from './backup_config.ts';
import { type ConnectionSettings, connectionVariables, readConnections } from './connection_config.ts';
import type { KeySource } from './key_source.ts';
import type { MailServer } from './mail/index.ts';
import { readMailServer } from './mail_config.ts';
import { readRelay, readVersions, relayVariables, versionVariables } from './relay_config.ts';
import { readSignIn, type SignInSettings, signInVariables } from './sign_in_config.ts';

/** What the operator has decided, from the environment alone. Read once at start; wrong values stop the start. */
export interface Config {
  role: 'all' | 'collect' | 'app' | 'work';
  host: string;
  port: number;
  publicUrl: string;
  /** Further names under which pages and calls are answered. */
  hosts: string[];
  /** Calls a minute of one API key. */
  keyRate: number;
  /** Is written down who asks the account plane? */
  accessLog: boolean;
  /** UTC hour from which on the nightly run begins. */
  retentionHour: number;
  /** Of bcrypt, as a power of two (accounts/passwords.ts). No variable sets it: a desk keeps passwords as rule R17 says. */
  passwordCost?: number;
  /** How many reverse proxies stand in front: the client's address is that many entries from the right of X-Forwarded-For. */
  trustedProxies: number;
  dataDir: string;
  keyFile: string;
  /** The key from elsewhere than the key file; whose folder still keeps what lies beside it. */
  keySource?: KeySource | undefined;
  databaseUrl: string | undefined;
  databaseMigrationUrl: string | undefined;
  clickhouseUrl: string | undefined;
  clickhouseCluster: string | undefined;
  /** Events a second per site; undefined = no limit. */
  siteRate: number | undefined;
  /** A MaxMind .mmdb file to use instead of the bundled places. */
  placesFile: string | undefined;
  tls: { certFile: string; keyFile: string } | undefined;
  /** HTTPS by certificates that the desk fetches itself. */
  acme: AcmeSettings | undefined;
  /** Where the logs go beside this machine; absent = nowhere. */
  logs?: { url: string; key: string | undefined } | undefined;
  sentryDsn: string | undefined;
  posthog: { key: string; host: string } | undefined;
  /** Private addresses that outbound requests may reach all the same, `host` or `host:port`. Operator only. */
  outboundAllow: string[];
  /** Where data may go without a stated basis; empty = no pin. */
  regions: readonly Region[];
  /** The mail server of the environment, which wins over one that is set in the app. */
  smtp: MailServer | undefined;
  /** Mail goes into a page of this desk and never to the network: for development and the demo, on loopback alone. */
  inbox: boolean;
  /** Whom people may sign in with beside their password; absent = nobody. */
  signIn?: SignInSettings;
  /** Does sending conversions cost credits? Off unless the operator of a desk for others says so. */
  credits?: boolean;
  /** By kind of destination of the relay: where its requests go in place of the platform. Absent = to the platforms. */
  relay?: Readonly<Record<string, string>>;
  /** By kind of destination: the version of its platform's interface. Absent = what each destination was read against. */
  versions?: Readonly<Record<string, string>>;
  /** The ad platforms: as whom the desk is known there, and where they are; absent = as they are by themselves. */
  connections?: ConnectionSettings;
  /**
   * Where backups go, the hour of UTC at which one is made by itself (undefined: never), how many days one is kept, and the
   * object store that each is copied to.
   */
  backup?: { folder: string; hour: number | undefined; days: number; store: ObjectStoreSettings | undefined };
  /** Made-up data (`npm run demo`): the door to the network stays shut and every page says what it shows. */
  demo: boolean;
}

export interface AcmeSettings {
  /** In lower case; international names in their ASCII form. */
  domains: string[];
  email: string | undefined;
  directoryUrl: string;
  /** Where challenges of http-01 are answered and plain HTTP is sent on to HTTPS; 0 = nowhere. */
  httpPort: number;
}

export type ConfigProblem = { variable: string; problem: string; fix: string };
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: ConfigProblem[];
  constructor(problems: ConfigProblem[]) {
    super(problems.map((p) => `${p.variable}: ${p.problem} ${p.fix}`).join('\n'));
    this.problems = problems;
  }
}

const known: string[] = [
  'FAIRLEAD_ROLE',
  'FAIRLEAD_PUBLIC_URL',
  'FAIRLEAD_HOSTS',
  'FAIRLEAD_KEY_RATE',
  'FAIRLEAD_ACCESS_LOG',
  'FAIRLEAD_CREDITS',
  'FAIRLEAD_PLAIN_STORES',
  'FAIRLEAD_RETENTION_HOUR',
  'FAIRLEAD_TRUSTED_PROXIES',
  'FAIRLEAD_DATA_DIR',
  'FAIRLEAD_KEY_FILE',
  'FAIRLEAD_KEY',
  'FAIRLEAD_KEY_COMMAND',
  'FAIRLEAD_SITE_RATE',
  'FAIRLEAD_PLACES_FILE',
  'FAIRLEAD_TLS_CERT',
  'FAIRLEAD_TLS_KEY',
  'FAIRLEAD_ACME_DOMAINS',
  'FAIRLEAD_ACME_EMAIL',
  'FAIRLEAD_ACME_DIRECTORY',
  'FAIRLEAD_ACME_HTTP_PORT',
  'FAIRLEAD_SMTP_URL',
  'FAIRLEAD_MAIL_FROM',
  'FAIRLEAD_LOG_URL',
  'FAIRLEAD_LOG_KEY',
  'FAIRLEAD_SENTRY_DSN',
  'FAIRLEAD_POSTHOG_KEY',
  'FAIRLEAD_POSTHOG_HOST',
  'FAIRLEAD_OUTBOUND_ALLOW',
  'FAIRLEAD_REGIONS',
  'FAIRLEAD_BACKUP_DIR',
  'FAIRLEAD_BACKUP_HOUR',
  'FAIRLEAD_BACKUP_DAYS',
  'FAIRLEAD_BACKUP_S3_URL',
  'FAIRLEAD_BACKUP_S3_KEY',
  'FAIRLEAD_BACKUP_S3_SECRET',
  'FAIRLEAD_BACKUP_S3_REGION',
  ...signInVariables,
  ...Object.values(relayVariables),
  ...versionVariables,
  ...connectionVariables,
  'FAIRLEAD_CLOCK_OFFSET_MS',
  'FAIRLEAD_DEV',
  'FAIRLEAD_CHROMIUM',
  'FAIRLEAD_CRASH_POINT',
];

/**
 * Reads and checks every variable, and reports all problems at once.
 * @throws ConfigError naming each variable at fault and what to write instead.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const problems: ConfigProblem[] = [];
  const wrong = (variable: string, problem: string, fix: string) => {
    problems.push({ variable, problem, fix });
  };
  const text = (name: string) => {
    const value = env[name]?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const whole = (name: string, fallback: number | undefined, min: number, max: number): number | undefined => {
    const value = text(name);
    if (value === undefined) return fallback;
    if (/^\d+$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
    wrong(
      name,
      `"${value}" is not a whole number from ${min} to ${max}.`,
      `Write a number such as ${fallback ?? min}.`,
    );
    return fallback;
  };
  const url = (name: string, protocols: string[]): string | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    try {
      if (protocols.includes(new URL(value).protocol)) return value.replace(/\/+$/, '');
    } catch {}
    wrong(
      name,
      'it is not an address that can be read.',
      `Write one that begins with ${protocols.map((p) => `${p}//`).join(' or ')}.`,
    );
    return undefined;
  };

  for (const name of Object.keys(env)) {
    if (name.startsWith('FAIRLEAD_') && !known.includes(name) && text(name) !== undefined)
      wrong(
        name,
        'there is no such setting.',
        `Take it out, or write one of: ${known.slice(0, known.indexOf('FAIRLEAD_CLOCK_OFFSET_MS')).join(', ')}.`,
      );
  }

  const roleText = text('FAIRLEAD_ROLE') ?? 'all';
  if (!['all', 'collect', 'app', 'work'].includes(roleText))
    wrong('FAIRLEAD_ROLE', `"${roleText}" is not a role.`, 'Write all, collect, app or work.');
  const role = roleText as Config['role'];

  const host = text('HOST') ?? '127.0.0.1';
  if (!URL.canParse(`http://${host.includes(':') ? `[${host}]` : host}`))
    wrong('HOST', `"${host}" is no address.`, 'Write an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::.');
  const port = whole('PORT', 7070, 0, 65535) as number;
  const dataDir = resolve(text('FAIRLEAD_DATA_DIR') ?? 'data');
  const keyFile = resolve(text('FAIRLEAD_KEY_FILE') ?? join(dataDir, '..', 'keys', 'fairlead.keys'));
  const inside = relative(dataDir, keyFile);
  if (inside === '' || (!inside.startsWith(`..${sep}`) && inside !== '..'))
    wrong(
      'FAIRLEAD_KEY_FILE',
      'it lies inside the data directory.',
      'Name a file outside it, so that a copy of the data does not carry its key.',
    );

  const keyValue = text('FAIRLEAD_KEY');
  const keyCommand = text('FAIRLEAD_KEY_COMMAND');
  if (keyValue !== undefined && keyCommand !== undefined)
    wrong('FAIRLEAD_KEY', 'FAIRLEAD_KEY_COMMAND is set too.', 'Take one of them out.');
  const keySource: KeySource | undefined =
    keyValue !== undefined
      ? { variable: 'FAIRLEAD_KEY', value: keyValue }
      : keyCommand !== undefined
        ? { variable: 'FAIRLEAD_KEY_COMMAND', command: keyCommand }
        : undefined;

  const certFile = text('FAIRLEAD_TLS_CERT');
  const tlsKeyFile = text('FAIRLEAD_TLS_KEY');
  if ((certFile === undefined) !== (tlsKeyFile === undefined))
    wrong(
      certFile === undefined ? 'FAIRLEAD_TLS_CERT' : 'FAIRLEAD_TLS_KEY',
      'it is missing while its partner is set.',
      'Set both, or neither.',
    );
  for (const [name, file] of [
    ['FAIRLEAD_TLS_CERT', certFile],
    ['FAIRLEAD_TLS_KEY', tlsKeyFile],
  ] as const)
    if (file !== undefined && !existsSync(file))
      wrong(name, 'there is no such file.', 'Write the path of an existing PEM file.');
  const placesFile = text('FAIRLEAD_PLACES_FILE');
  if (placesFile !== undefined && !existsSync(placesFile))
    wrong(
      'FAIRLEAD_PLACES_FILE',
      'there is no such file.',
      'Write the path of an existing .mmdb file, or leave it out.',
    );
  const tls = certFile !== undefined && tlsKeyFile !== undefined ? { certFile, keyFile: tlsKeyFile } : undefined;

  const acme = readAcme({ text, whole, wrong });
  if (acme !== undefined && (certFile !== undefined || tlsKeyFile !== undefined))
    wrong(
      'FAIRLEAD_ACME_DOMAINS',
      'certificate files are set too.',
      'Take out FAIRLEAD_TLS_CERT and FAIRLEAD_TLS_KEY, or this.',
    );
  if (acme !== undefined && !relative(dataDir, join(keyFile, '..', 'acme')).startsWith('..'))
    wrong(
      'FAIRLEAD_KEY_FILE',
      'the folder acme beside it, which holds the keys of certificates, would lie in the data directory.',
      'Name a file in another folder.',
    );

  const databaseUrl = url('DATABASE_URL', ['postgres:', 'postgresql:']);
  const databaseMigrationUrl = url('DATABASE_MIGRATION_URL', ['postgres:', 'postgresql:']);
  if (databaseUrl !== undefined && databaseMigrationUrl === undefined && text('DATABASE_MIGRATION_URL') === undefined)
    wrong(
      'DATABASE_MIGRATION_URL',
      'it is missing while DATABASE_URL is set.',
      'Write the address of the owner role; DATABASE_URL is the app role, which owns nothing.',
    );
  const clickhouseUrl = url('CLICKHOUSE_URL', ['http:', 'https:']);
  const clickhouseCluster = text('CLICKHOUSE_CLUSTER');
  if (clickhouseCluster !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(clickhouseCluster))
    wrong(
      'CLICKHOUSE_CLUSTER',
      'it has characters other than letters, digits, _ and -.',
      'Write the name of the cluster as the server knows it.',
    );
  if (clickhouseCluster !== undefined && clickhouseUrl === undefined && text('CLICKHOUSE_URL') === undefined)
    wrong(
      'CLICKHOUSE_URL',
      'it is missing while CLICKHOUSE_CLUSTER is set.',
      'Write the address of one server of the cluster.',
    );
  const plainStores = text('FAIRLEAD_PLAIN_STORES') ?? 'off';
  if (!['on', 'off'].includes(plainStores))
    wrong('FAIRLEAD_PLAIN_STORES', `"${plainStores}" is neither on nor off.`, 'Write on or off.');
  for (const [name, address] of [
    ['DATABASE_URL', databaseUrl],
    ['DATABASE_MIGRATION_URL', databaseMigrationUrl],
    ['CLICKHOUSE_URL', clickhouseUrl],
  ] as const)
    if (address !== undefined && plainStores !== 'on' && !isGuardedStore(address))
      wrong(
        name,
        'it would talk to another machine without TLS, or without a look at its certificate.',
        `Write ${name === 'CLICKHOUSE_URL' ? 'https://…' : '…?sslmode=verify-full'}, or FAIRLEAD_PLAIN_STORES=on where nobody else is on the network between them.`,
      );
  if (['collect', 'app', 'work'].includes(role) && (clickhouseUrl === undefined || databaseUrl === undefined))
    wrong(
      'FAIRLEAD_ROLE',
      `"${role}" shares its stores with other processes, and the embedded ones belong to one.`,
      'Set DATABASE_URL and CLICKHOUSE_URL, or leave FAIRLEAD_ROLE at all.',
    );

  const posthogKey = text('FAIRLEAD_POSTHOG_KEY');
  const posthogHost = url('FAIRLEAD_POSTHOG_HOST', ['https:', 'http:']);
  if (posthogKey !== undefined && posthogHost === undefined)
    wrong(
      'FAIRLEAD_POSTHOG_HOST',
      'it is missing while FAIRLEAD_POSTHOG_KEY is set.',
      'Write the address of the PostHog server; there is no default.',
    );

  const logUrl = url('FAIRLEAD_LOG_URL', ['https:', 'http:']);
  const logKey = text('FAIRLEAD_LOG_KEY');
  // Addresses of people stand in them.
  if (logUrl !== undefined && new URL(logUrl).protocol === 'http:' && !isLoopback(new URL(logUrl).hostname))
    wrong('FAIRLEAD_LOG_URL', 'its connection can be read on the way.', 'Write an address that begins with https://.');
  if (logKey !== undefined && logUrl === undefined)
    wrong(
      'FAIRLEAD_LOG_URL',
      'it is missing while FAIRLEAD_LOG_KEY is set.',
      'Write the address of the collector, or take both out.',
    );

  const shownHost = host === '0.0.0.0' || host === '::' || host === '127.0.0.1' || host === '::1' ? 'localhost' : host;
  const publicUrl =
    url('FAIRLEAD_PUBLIC_URL', ['http:', 'https:']) ??
    (acme === undefined
      ? `${tls ? 'https' : 'http'}://${shownHost}:${port}`
      : `https://${acme.domains[0]}${port === 443 ? '' : `:${port}`}`);

  const hosts = listed(text('FAIRLEAD_HOSTS')).map((name) => domainToASCII(name.toLowerCase()) || name);
  const notAName = hosts.find((name) => !/^[a-z0-9._-]{1,253}$/.test(name));
  if (notAName !== undefined)
    wrong(
      'FAIRLEAD_HOSTS',
      `"${notAName}" is not a name.`,
      'Write names such as desk.example, without https:// or port.',
    );

  const allowed = text('FAIRLEAD_OUTBOUND_ALLOW');
  const outboundAllow = listed(allowed);
  const notAHost = outboundAllow.find((one) => !outboundHost.test(one));
  if (notAHost !== undefined || (allowed !== undefined && outboundAllow.length === 0))
    wrong(
      'FAIRLEAD_OUTBOUND_ALLOW',
      notAHost === undefined
        ? `"${allowed}" names no host.`
        : `"${notAHost}" is neither a host nor a host with a port.`,
      'Write hosts such as mail.internal or 10.0.0.5:8443 with commas between them, without https:// or path, or leave it out.',
    );

  const accessLog = text('FAIRLEAD_ACCESS_LOG') ?? 'on';
  if (!['on', 'off'].includes(accessLog))
    wrong('FAIRLEAD_ACCESS_LOG', `"${accessLog}" is neither on nor off.`, 'Write on or off.');

  const credits = text('FAIRLEAD_CREDITS') ?? 'off';
  if (!['on', 'off'].includes(credits))
    wrong('FAIRLEAD_CREDITS', `"${credits}" is neither on nor off.`, 'Write on or off.');

  const versions = readVersions({ text, wrong });
  const config: Config = {
    role,
    host,
    port,
    publicUrl,
    hosts: [...hosts, ...(acme?.domains ?? [])],
    keyRate: whole('FAIRLEAD_KEY_RATE', 1_200, 1, 10_000_000) as number,
    accessLog: accessLog === 'on',
    credits: credits === 'on',
    retentionHour: whole('FAIRLEAD_RETENTION_HOUR', 3, 0, 23) as number,
    trustedProxies: whole('FAIRLEAD_TRUSTED_PROXIES', 0, 0, 10) as number,
    dataDir,
    keyFile,
    ...(keySource === undefined ? {} : { keySource }),
    databaseUrl,
    databaseMigrationUrl,
    clickhouseUrl,
    clickhouseCluster,
    siteRate: whole('FAIRLEAD_SITE_RATE', undefined, 1, 1_000_000),
    placesFile,
    tls,
    acme,
    logs: logUrl === undefined ? undefined : { url: logUrl, key: logKey },
    sentryDsn: url('FAIRLEAD_SENTRY_DSN', ['https:', 'http:']),
    posthog: posthogKey !== undefined && posthogHost !== undefined ? { key: posthogKey, host: posthogHost } : undefined,
    outboundAllow,
    regions: readRegions(listed(text('FAIRLEAD_REGIONS')), wrong),
    smtp: readMailServer({ text, wrong }),
    inbox: text('FAIRLEAD_DEV') === '1' && isLoopback(host),
    signIn: readSignIn({ text, wrong, isLoopback }),
    relay: readRelay({ text, wrong, isLoopback }),
    versions,
    connections: readConnections({ text, wrong, isLoopback, versions }),
    backup: {
      folder: resolve(text('FAIRLEAD_BACKUP_DIR') ?? join(dataDir, '..', 'backups')),
      hour: text('FAIRLEAD_BACKUP_HOUR') === 'off' ? undefined : whole('FAIRLEAD_BACKUP_HOUR', 3, 0, 23),
      days: whole('FAIRLEAD_BACKUP_DAYS', 14, 1, 30) as number,
      store: readObjectStore({ text, wrong }),
    },
    demo: false,
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** A name or an address of either version, in brackets where a port follows a colon of its own. */
const outboundHost = /^(\[[0-9a-f:.]+\]|[\p{L}\p{N}._-]{1,253})(:\d{1,5})?$|^[0-9a-f:.]*:[0-9a-f:.]+$/iu;

function readRegions(names: readonly string[], wrong: (name: string, problem: string, fix: string) => void): Region[] {
  const found = regions.filter((region) => names.some((name) => name.toLowerCase() === region));
  if (found.length < new Set(names).size)
    wrong(
      'FAIRLEAD_REGIONS',
      'it names a region that is not known.',
      `Write some of ${regions.join(', ')}, or leave it out.`,
    );
  return found;
}

function listed(text = ''): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** Undefined unless names are set: naming them is asking for certificates, and agreeing to the authority's terms. */
function readAcme(read: {
  text: (name: string) => string | undefined;
  whole: (name: string, fallback: number, min: number, max: number) => number | undefined;
  wrong: (variable: string, problem: string, fix: string) => void;
}): AcmeSettings | undefined {
  const { text, whole, wrong } = read;
  const names = text('FAIRLEAD_ACME_DOMAINS');
  const email = text('FAIRLEAD_ACME_EMAIL');
  const directory = text('FAIRLEAD_ACME_DIRECTORY');
  const httpPort = whole('FAIRLEAD_ACME_HTTP_PORT', 80, 0, 65535) as number;
  if (names === undefined) {
    for (const name of ['FAIRLEAD_ACME_EMAIL', 'FAIRLEAD_ACME_DIRECTORY', 'FAIRLEAD_ACME_HTTP_PORT'])
      if (text(name) !== undefined)
        wrong(
          'FAIRLEAD_ACME_DOMAINS',
          `it is missing while ${name} is set.`,
          'Write the names of this desk, or take both out.',
        );
    return undefined;
  }
  const written = names
    .split(',')
    .map((name) => name.trim().replace(/\.$/, ''))
    .filter((name) => name !== '');
  const domains = [...new Set(written.map((name) => domainToASCII(name)))];
  // The reading of international names drops what cannot be in one; that is a mistake to be told of.
  const unfit = written.find((name) => !/^[\p{L}\p{N}\p{M}.-]+$/u.test(name) || !isDomain(domainToASCII(name)));
  if (unfit !== undefined || domains.length === 0 || domains.length > acmeDomainsMax)
    wrong(
      'FAIRLEAD_ACME_DOMAINS',
      unfit === undefined
        ? `it has ${domains.length} names.`
        : `"${unfit}" is not a name that a certificate of this desk can be for${unfit.startsWith('*') ? ': wildcards need a proof in DNS, which it cannot give' : ''}.`,
      `Write 1 to ${acmeDomainsMax} names such as desk.example, with commas between them.`,
    );
  if (email !== undefined && !/^[\x21-\x7e]+@[\x21-\x7e]+$/.test(email))
    wrong(
      'FAIRLEAD_ACME_EMAIL',
      'it is not an e-mail address.',
      'Write one such as admin@desk.example, or leave it out.',
    );
  const directoryUrl = directory ?? letsEncrypt;
  const address = URL.canParse(directoryUrl) ? new URL(directoryUrl) : undefined;
  // Plain HTTP would let whoever stands in between choose the certificate's terms; an authority on this machine has nobody in between.
  if (address?.protocol !== 'https:' && !(address?.protocol === 'http:' && isLoopback(address.hostname)))
    wrong(
      'FAIRLEAD_ACME_DIRECTORY',
      'it is not an https address.',
      `Write the address of an ACME directory, or leave it out for ${letsEncrypt}.`,
    );
  return { domains, email, directoryUrl, httpPort };
}

const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';
/** What Let's Encrypt puts into one certificate at most. */
const acmeDomainsMax = 100;

/** At least two labels, and no address: those get no certificate. */
function isDomain(name: string): boolean {
  return name.length <= 253 && /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(name);
}

/** Is what goes to this store seen by nobody on the way: on this machine, by a socket, or by TLS with a certificate that is looked at? */
function isGuardedStore(address: string): boolean {
  const { protocol, hostname, searchParams } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === '' || isLoopback(host) || protocol === 'https:' || searchParams.get('host')?.startsWith('/') === true)
    return true;
  return protocol !== 'http:' && /^verify-(ca|full)$/.test(searchParams.get('sslmode') ?? '');
}

/** True for the addresses that never leave the machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
