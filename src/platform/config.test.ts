import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => problem.variable);
  }
}

describe('settings are checked at start, all at once, naming the variable and the fix', () => {
  const rows: [title: string, env: Record<string, string>, variables: string[]][] = [
    ['nothing set', {}, []],
    ['empty values count as not set', { PORT: '', DATABASE_URL: ' ' }, []],
    ['a port that is none', { PORT: '99999' }, ['PORT']],
    ['a port in words', { PORT: 'http' }, ['PORT']],
    ['an unknown setting of ours', { FAIRLEAD_DATADIR: '/data' }, ['FAIRLEAD_DATADIR']],
    [
      'a key inside the data',
      { FAIRLEAD_DATA_DIR: '/srv/data', FAIRLEAD_KEY_FILE: '/srv/data/keys/root' },
      ['FAIRLEAD_KEY_FILE'],
    ],
    [
      'a key beside the data whose name begins alike',
      { FAIRLEAD_DATA_DIR: '/srv/data', FAIRLEAD_KEY_FILE: '/srv/data-keys/root' },
      [],
    ],
    ['a key from two places', { FAIRLEAD_KEY: 'AAAA', FAIRLEAD_KEY_COMMAND: 'cat key' }, ['FAIRLEAD_KEY']],
    ['a key from a command', { FAIRLEAD_KEY_COMMAND: 'cat key' }, []],
    ['a database without its owner', { DATABASE_URL: 'postgres://app@[::1]/fairlead' }, ['DATABASE_MIGRATION_URL']],
    [
      'a database of another kind',
      { DATABASE_URL: 'mysql://db/x', DATABASE_MIGRATION_URL: 'postgres://o@localhost/x' },
      ['DATABASE_URL'],
    ],
    ['a cluster without a server', { CLICKHOUSE_CLUSTER: 'main' }, ['CLICKHOUSE_URL']],
    [
      'a cluster name that is SQL',
      { CLICKHOUSE_URL: 'https://ch:8443', CLICKHOUSE_CLUSTER: "x' ON" },
      ['CLICKHOUSE_CLUSTER'],
    ],
    [
      'stores that somebody on the way could read',
      {
        ...{ DATABASE_URL: 'postgres://a@db/x?sslmode=no-verify', DATABASE_MIGRATION_URL: 'postgres://o@db/x' },
        CLICKHOUSE_URL: 'http://ch:8123',
      },
      ['DATABASE_URL', 'DATABASE_MIGRATION_URL', 'CLICKHOUSE_URL'],
    ],
    [
      'stores by TLS, by a socket, and on this machine',
      {
        ...{ DATABASE_URL: 'postgres://a@db/x?sslmode=verify-full', CLICKHOUSE_URL: 'http://127.0.0.1:8123' },
        DATABASE_MIGRATION_URL: 'postgres://o@db/x?host=/run/postgresql',
      },
      [],
    ],
    ['plain stores by the operator', { CLICKHOUSE_URL: 'http://ch:8123', FAIRLEAD_PLAIN_STORES: 'on' }, []],
    ['a switch that is neither', { FAIRLEAD_PLAIN_STORES: 'maybe' }, ['FAIRLEAD_PLAIN_STORES']],
    ['a split role on embedded stores', { FAIRLEAD_ROLE: 'collect' }, ['FAIRLEAD_ROLE']],
    ['an unknown role', { FAIRLEAD_ROLE: 'web' }, ['FAIRLEAD_ROLE']],
    ['Google', { FAIRLEAD_GOOGLE_CLIENT_ID: 'desk', FAIRLEAD_GOOGLE_CLIENT_SECRET: 's' }, []],
    ['a client without its secret', { FAIRLEAD_GOOGLE_CLIENT_ID: 'desk' }, ['FAIRLEAD_GOOGLE_CLIENT_SECRET']],
    ['an address without a client', { FAIRLEAD_GITHUB_URL: 'https://git.example' }, ['FAIRLEAD_GITHUB_CLIENT_ID']],
    [
      'a provider without its issuer',
      { FAIRLEAD_OIDC_CLIENT_ID: 'desk', FAIRLEAD_OIDC_CLIENT_SECRET: 's' },
      ['FAIRLEAD_OIDC_ISSUER'],
    ],
    [
      'a provider whose secret would travel in clear',
      {
        FAIRLEAD_OIDC_CLIENT_ID: 'desk',
        FAIRLEAD_OIDC_CLIENT_SECRET: 's',
        FAIRLEAD_OIDC_ISSUER: 'http://login.example/',
      },
      ['FAIRLEAD_OIDC_ISSUER'],
    ],
    ['a platform', { FAIRLEAD_META_CLIENT_ID: 'app', FAIRLEAD_META_CLIENT_SECRET: 's' }, []],
    ['a platform without its secret', { FAIRLEAD_TIKTOK_CLIENT_ID: 'app' }, ['FAIRLEAD_TIKTOK_CLIENT_SECRET']],
    ['a configuration without an app', { FAIRLEAD_META_CONFIG_ID: '7' }, ['FAIRLEAD_META_CLIENT_ID']],
    [
      'platforms whose tokens would travel in clear, or be read by whoever is in the address',
      {
        FAIRLEAD_META_URL: 'http://graph.example',
        FAIRLEAD_LINKEDIN_URL: 'https://a:b@linkedin.example',
        FAIRLEAD_GOOGLE_OAUTH_URL: 'https://oauth.example/?to=',
        FAIRLEAD_TIKTOK_URL: 'tiktok.example',
      },
      ['FAIRLEAD_GOOGLE_OAUTH_URL', 'FAIRLEAD_META_URL', 'FAIRLEAD_LINKEDIN_URL', 'FAIRLEAD_TIKTOK_URL'],
    ],
    [
      'versions of another shape than their platforms have, which would stand in addresses',
      {
        FAIRLEAD_META_VERSION: '25',
        FAIRLEAD_GOOGLE_ADS_VERSION: 'v25/../v24',
        FAIRLEAD_LINKEDIN_VERSION: '202613',
        FAIRLEAD_MICROSOFT_ADS_VERSION: '13',
        FAIRLEAD_TIKTOK_VERSION: 'v1.4',
      },
      [
        ...['FAIRLEAD_GOOGLE_ADS_VERSION', 'FAIRLEAD_LINKEDIN_VERSION', 'FAIRLEAD_META_VERSION'],
        'FAIRLEAD_MICROSOFT_ADS_VERSION',
      ],
    ],
    ['a platform on this machine', { FAIRLEAD_GOOGLE_ADS_URL: 'http://127.0.0.1:7071' }, []],
    ['a host that is none', { HOST: '300.1.1.1' }, ['HOST']],
    ['places that are not there', { FAIRLEAD_PLACES_FILE: '/nowhere/p.mmdb' }, ['FAIRLEAD_PLACES_FILE']],
    ['half a certificate', { FAIRLEAD_TLS_CERT: '/etc/hostname' }, ['FAIRLEAD_TLS_KEY']],
    [
      'a certificate that is not there',
      { FAIRLEAD_TLS_CERT: '/nowhere/c', FAIRLEAD_TLS_KEY: '/nowhere/k' },
      ['FAIRLEAD_TLS_CERT', 'FAIRLEAD_TLS_KEY'],
    ],
    ['certificates for a name', { FAIRLEAD_ACME_DOMAINS: 'desk.example' }, []],
    [
      'certificates for several names',
      { FAIRLEAD_ACME_DOMAINS: ' Desk.example., b\u00fccher.example,desk.example' },
      [],
    ],
    ['certificates for a wildcard', { FAIRLEAD_ACME_DOMAINS: '*.desk.example' }, ['FAIRLEAD_ACME_DOMAINS']],
    ['certificates for an address', { FAIRLEAD_ACME_DOMAINS: '192.0.2.7' }, ['FAIRLEAD_ACME_DOMAINS']],
    ['certificates for one label', { FAIRLEAD_ACME_DOMAINS: 'localhost' }, ['FAIRLEAD_ACME_DOMAINS']],
    ['certificates for a path', { FAIRLEAD_ACME_DOMAINS: 'desk.example/x' }, ['FAIRLEAD_ACME_DOMAINS']],
    [
      'certificates for a name with a line break',
      { FAIRLEAD_ACME_DOMAINS: 'desk\n.example' },
      ['FAIRLEAD_ACME_DOMAINS'],
    ],
    ['certificates for nothing', { FAIRLEAD_ACME_DOMAINS: ',' }, ['FAIRLEAD_ACME_DOMAINS']],
    [
      'certificates for too many names',
      { FAIRLEAD_ACME_DOMAINS: Array.from({ length: 101 }, (_, i) => `d${i}.example`).join() },
      ['FAIRLEAD_ACME_DOMAINS'],
    ],
    ['a contact and no names', { FAIRLEAD_ACME_EMAIL: 'a@desk.example' }, ['FAIRLEAD_ACME_DOMAINS']],
    [
      'a contact that is none',
      { FAIRLEAD_ACME_DOMAINS: 'desk.example', FAIRLEAD_ACME_EMAIL: 'a desk' },
      ['FAIRLEAD_ACME_EMAIL'],
    ],
    [
      'an authority without HTTPS',
      { FAIRLEAD_ACME_DOMAINS: 'desk.example', FAIRLEAD_ACME_DIRECTORY: 'http://ca.example/directory' },
      ['FAIRLEAD_ACME_DIRECTORY'],
    ],
    [
      'an authority on this machine',
      { FAIRLEAD_ACME_DOMAINS: 'desk.example', FAIRLEAD_ACME_DIRECTORY: 'http://127.0.0.1:14000/dir' },
      [],
    ],
    [
      'an authority that is no address',
      { FAIRLEAD_ACME_DOMAINS: 'desk.example', FAIRLEAD_ACME_DIRECTORY: 'staging' },
      ['FAIRLEAD_ACME_DIRECTORY'],
    ],
    [
      'two sources of certificates',
      { FAIRLEAD_ACME_DOMAINS: 'desk.example', FAIRLEAD_TLS_CERT: '/etc/hostname', FAIRLEAD_TLS_KEY: '/etc/hostname' },
      ['FAIRLEAD_ACME_DOMAINS'],
    ],
    [
      'keys of certificates inside the data',
      { FAIRLEAD_ACME_DOMAINS: 'desk.example', FAIRLEAD_DATA_DIR: '/srv/acme', FAIRLEAD_KEY_FILE: '/srv/root.keys' },
      ['FAIRLEAD_KEY_FILE'],
    ],
    ['product events without a host', { FAIRLEAD_POSTHOG_KEY: 'k' }, ['FAIRLEAD_POSTHOG_HOST']],
    ['exceptions without a host', { FAIRLEAD_OUTBOUND_ALLOW: ',,' }, ['FAIRLEAD_OUTBOUND_ALLOW']],
    ['an exception with a path', { FAIRLEAD_OUTBOUND_ALLOW: 'http://mail.internal/x' }, ['FAIRLEAD_OUTBOUND_ALLOW']],
    ['exceptions', { FAIRLEAD_OUTBOUND_ALLOW: '10.0.0.5:8443, bücher.internal,[::1]:80,::1' }, []],
    ['two at once', { PORT: 'x', FAIRLEAD_TRUSTED_PROXIES: '-1' }, ['PORT', 'FAIRLEAD_TRUSTED_PROXIES']],
    ['a public address that is none', { FAIRLEAD_PUBLIC_URL: 'desk.example' }, ['FAIRLEAD_PUBLIC_URL']],
  ];
  it.each(rows)('%s', (_title, env, variables) => {
    expect(problemsOf(env)).toEqual(variables);
  });

  it.each([
    [{}, 'https://desk.example:7070'],
    [{ PORT: '443' }, 'https://desk.example'],
    [{ FAIRLEAD_PUBLIC_URL: 'https://stats.example' }, 'https://stats.example'],
  ])('fetches certificates for names as they are in DNS, and with %o shows %s', (env, publicUrl) => {
    const config = readConfig({ FAIRLEAD_ACME_DOMAINS: ' Desk.example., b\u00fccher.example,desk.example', ...env });
    expect(config.acme).toEqual({
      domains: ['desk.example', 'xn--bcher-kva.example'],
      email: undefined,
      directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
      httpPort: 80,
    });
    expect(config.publicUrl).toBe(publicUrl);
  });

  it('keeps to loopback, believes no header and reports to nobody unless told otherwise', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 7070,
      trustedProxies: 0,
      role: 'all',
      publicUrl: 'http://localhost:7070',
    });
    expect([config.sentryDsn, config.posthog, config.siteRate, config.outboundAllow]).toEqual([
      undefined,
      undefined,
      undefined,
      [],
    ]);
  });
});
