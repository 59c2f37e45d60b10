import { readVersion, readVersions } from './relay_config.ts';
import type { ProviderClient } from './sign_in_config.ts';

/** An ad platform as this desk is known there. Operator environment only: whoever names an address receives secrets. */
export interface ConnectionApp<Part extends string = string> {
  /** Absent: nobody can connect an account of it by signing in there. */
  client?: ProviderClient;
  /** The address of each of its parts, without a slash at its end. */
  at: Readonly<Record<Part, string>>;
}

interface Versioned {
  readonly version: string;
}

export interface ConnectionSettings {
  /** @property version of what is asked there, which is that of the destination */
  google: ConnectionApp<'login' | 'token' | 'ads'> & Versioned;
  /** @property configId of Facebook Login for Business, which decides what is asked for */
  meta: ConnectionApp<'dialog' | 'graph'> & Versioned & { configId?: string };
  linkedin: ConnectionApp<'login' | 'api'> & Versioned;
  /** @property developerToken that Microsoft's accounts are listed with, by an interface that no conversion goes to */
  microsoft: ConnectionApp<'login' | 'accounts' | 'campaigns'> & Versioned & { developerToken?: string };
  tiktok: ConnectionApp<'api'> & Versioned;
}
export type ConnectedPlatform = keyof ConnectionSettings;

/** The client of Google is that of signing in: one client at Google does both. */
const google = ['FAIRLEAD_GOOGLE_CLIENT_ID', 'FAIRLEAD_GOOGLE_CLIENT_SECRET'] as const;

export const connectionVariables = [
  'FAIRLEAD_GOOGLE_OAUTH_URL',
  'FAIRLEAD_GOOGLE_ADS_URL',
  'FAIRLEAD_META_CLIENT_ID',
  'FAIRLEAD_META_CLIENT_SECRET',
  'FAIRLEAD_META_CONFIG_ID',
  'FAIRLEAD_META_URL',
  'FAIRLEAD_LINKEDIN_CLIENT_ID',
  'FAIRLEAD_LINKEDIN_CLIENT_SECRET',
  'FAIRLEAD_LINKEDIN_URL',
  'FAIRLEAD_MICROSOFT_CLIENT_ID',
  'FAIRLEAD_MICROSOFT_CLIENT_SECRET',
  'FAIRLEAD_MICROSOFT_DEVELOPER_TOKEN',
  'FAIRLEAD_MICROSOFT_URL',
  'FAIRLEAD_MICROSOFT_ADS_VERSION',
  'FAIRLEAD_TIKTOK_CLIENT_ID',
  'FAIRLEAD_TIKTOK_CLIENT_SECRET',
  'FAIRLEAD_TIKTOK_URL',
] as const;
type Variable = (typeof connectionVariables)[number] | (typeof google)[number];

const microsoftAds = {
  label: 'the Microsoft Advertising API',
  ...{ variable: 'FAIRLEAD_MICROSOFT_ADS_VERSION', standard: 'v13', is: '^v\\d{1,3}$' },
};

/** Reads the ad platforms; one whose client is half set, or whose address would carry its secret in clear, stops the start. */
export function readConnections(read: {
  text(name: string): string | undefined;
  wrong(name: string, problem: string, fix: string): void;
  isLoopback(host: string): boolean;
  /** Of the destinations, by kind: what is listed for one is asked for by its version. */
  versions: Readonly<Record<string, string>>;
}): ConnectionSettings {
  const { wrong, isLoopback } = read;
  const text = (name: Variable) => read.text(name);
  const versionOf = (kind: string) => ({ version: read.versions[kind] ?? '' });

  function client(platform: 'META' | 'LINKEDIN' | 'MICROSOFT' | 'TIKTOK', others: Variable[]) {
    const id = `FAIRLEAD_${platform}_CLIENT_ID` as const;
    const secret = `FAIRLEAD_${platform}_CLIENT_SECRET` as const;
    const [clientId, clientSecret] = [text(id), text(secret)];
    if (clientId !== undefined && clientSecret !== undefined) return { client: { clientId, clientSecret } };
    const set = [id, secret, ...others].find((name) => text(name) !== undefined);
    if (set !== undefined)
      wrong(
        clientId === undefined ? id : secret,
        `it is missing while ${set} is set.`,
        'Set the id and the secret of the app that the platform gave you, or neither.',
      );
    return {};
  }

  function address(name: Variable): string | undefined {
    const value = text(name);
    if (value === undefined) return undefined;
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
    if (!isSafe || url?.search !== '' || url.hash !== '' || url.username !== '')
      wrong(
        name,
        'it is not a plain https address, and tokens and the secret of the app go there.',
        'Write one that begins with https://, without ? and #; http:// is for this machine alone.',
      );
    return value.replace(/\/+$/, '');
  }

  const [clientId, clientSecret] = google.map(text);
  const oauth = address('FAIRLEAD_GOOGLE_OAUTH_URL');
  const ads = address('FAIRLEAD_GOOGLE_ADS_URL');
  const meta = address('FAIRLEAD_META_URL');
  const linkedin = address('FAIRLEAD_LINKEDIN_URL');
  const microsoft = address('FAIRLEAD_MICROSOFT_URL');
  const tiktok = address('FAIRLEAD_TIKTOK_URL');
  const configId = text('FAIRLEAD_META_CONFIG_ID');
  const developerToken = text('FAIRLEAD_MICROSOFT_DEVELOPER_TOKEN');
  return {
    google: {
      // Half a client is said by the reading of the sign-in.
      ...(clientId !== undefined && clientSecret !== undefined && { client: { clientId, clientSecret } }),
      at: {
        login: oauth ?? 'https://accounts.google.com',
        token: oauth ?? 'https://oauth2.googleapis.com',
        ads: ads ?? 'https://googleads.googleapis.com',
      },
      ...versionOf('google-ads-upload'),
    },
    meta: {
      ...client('META', ['FAIRLEAD_META_CONFIG_ID']),
      ...(configId !== undefined && { configId }),
      at: { dialog: meta ?? 'https://www.facebook.com', graph: meta ?? 'https://graph.facebook.com' },
      ...versionOf('meta-capi'),
    },
    linkedin: {
      ...client('LINKEDIN', []),
      at: { login: linkedin ?? 'https://www.linkedin.com', api: linkedin ?? 'https://api.linkedin.com' },
      ...versionOf('linkedin'),
    },
    microsoft: {
      ...client('MICROSOFT', ['FAIRLEAD_MICROSOFT_DEVELOPER_TOKEN']),
      ...(developerToken !== undefined && { developerToken }),
      at: {
        login: microsoft ?? 'https://login.microsoftonline.com',
        accounts: microsoft ?? 'https://clientcenter.api.bingads.microsoft.com',
        campaigns: microsoft ?? 'https://campaign.api.bingads.microsoft.com',
      },
      version: readVersion(read, microsoftAds),
    },
    tiktok: {
      ...client('TIKTOK', []),
      at: { api: tiktok ?? 'https://business-api.tiktok.com' },
      ...versionOf('tiktok'),
    },
  };
}

/** What holds while the environment names nothing: the platforms' own addresses, and no client. */
export const noConnections: ConnectionSettings = readConnections({
  text: () => undefined,
  wrong() {},
  isLoopback: () => false,
  versions: readVersions({ text: () => undefined, wrong() {} }),
});
