import { describe, expect, it } from 'vitest';
import { noConnections, readConnections } from '../platform/connection_config.ts';
import { readVersions } from '../platform/relay_config.ts';
import { adwords, google } from './google.ts';
import { linkedin } from './linkedin.ts';
import { hostsOf, providers } from './list.ts';
import { meta } from './meta.ts';
import { microsoft } from './microsoft.ts';
import {
  type OAuth,
  type Provider,
  type ProviderAnswer,
  type ProviderRequest,
  type Talk,
  Trouble,
} from './provider.ts';
import { tiktok } from './tiktok.ts';

/**
 * Conversations with platforms, held without any: each answer is as the platform's documents have it (reference, "OAuth and
 * account discovery"), and what is asked is compared with the same. Google and Meta are held against emulators, too.
 */
const client = { clientId: 'app', clientSecret: 'secret' };
const settings = { ...noConnections, microsoft: { ...noConnections.microsoft, developerToken: 'dev' } };
const now = Date.parse('2026-11-30T09:00:00Z');
const oauthOf = ({ oauth }: Provider) => oauth as OAuth;
const ask = { client, settings, accessToken: 'token', scopes: [] as string[] };

type Given = Partial<ProviderAnswer> & { body: unknown };
function hold<Result>(talk: Talk<Result>, answers: Given[]): { result: Result; asked: ProviderRequest[] } {
  const asked: ProviderRequest[] = [];
  let step = talk.next();
  for (const given of answers) {
    if (step.done === true) throw new Error('It ended early.');
    asked.push(step.value);
    step = talk.next({ status: 200, headers: {}, ...given });
  }
  if (step.done !== true) throw new Error(`It asks on: ${step.value.url}`);
  return { result: step.value, asked };
}
function troubleOf(talk: Talk<unknown>, given: Given) {
  try {
    hold(talk, [given]);
  } catch (error) {
    if (error instanceof Trouble)
      return {
        ...{ class: error.class, answer: error.answer, isOver: error.isOver },
        ...(error.isExpired && { isExpired: true }),
      };
    throw error;
  }
  return undefined;
}
const exchange = (provider: Provider) =>
  oauthOf(provider).exchange({ client, settings, redirectUri: 'https://desk/x', code: 'c', verifier: 'v', nowMs: now });
const refresh = (provider: Provider) =>
  oauthOf(provider).refresh?.({ client, settings, accessToken: 'a', refreshToken: 'r', nowMs: now }) as Talk<unknown>;
const addressOf = (provider: Provider, scopes: string[]) => {
  const given = { client, settings, redirectUri: 'https://desk/x', state: 's', challenge: 'ch', scopes };
  const url = new URL(oauthOf(provider).authorise(given));
  return { at: url.origin + url.pathname, ...Object.fromEntries(url.searchParams) };
};

describe('each platform', () => {
  it('has a name of its own, something to connect by, and an address that its tokens are used at', () => {
    expect(new Set(providers.map(({ id }) => id)).size).toBe(providers.length);
    for (const one of providers) {
      expect(one.oauth ?? one.pasted, one.id).toBeDefined();
      expect(hostsOf(one, {}), one.id).toMatch(/^https:\/\//);
    }
  });

  it.each(providers.filter(({ oauth }) => oauth !== undefined).map((one) => [one.id, one] as const))(
    '%s asks for something at first, and never for all',
    (_id, one) => {
      const { scopes, client: clientOf } = oauthOf(one);
      expect(scopes.filter(({ first }) => first).length).toBeGreaterThan(0);
      expect(new Set(scopes.map(({ id }) => id)).size).toBe(scopes.length);
      expect(clientOf(noConnections), 'nobody has set it up').toBeUndefined();
      const address = addressOf(one, ['x']);
      expect(address).toMatchObject({ state: 's', redirect_uri: 'https://desk/x' });
      expect(JSON.stringify(address)).not.toContain('secret');
    },
  );
});

it('each version is the operator’s, for signing in, lists and the look before the first send alike', () => {
  const env: Record<string, string> = {
    ...{ FAIRLEAD_META_VERSION: 'v24.0', FAIRLEAD_GOOGLE_ADS_VERSION: 'v26', FAIRLEAD_LINKEDIN_VERSION: '202610' },
    ...{ FAIRLEAD_MICROSOFT_ADS_VERSION: 'v14', FAIRLEAD_TIKTOK_VERSION: 'v1.4' },
  };
  const read = { text: (name: string) => env[name], wrong: () => expect.unreachable() };
  const set = readConnections({ ...read, isLoopback: () => false, versions: readVersions(read) });
  const given = { ...ask, settings: set, scopes: [adwords], account: '7', through: undefined };
  const first = (talk: Talk<unknown> | undefined) => {
    const { url, headers = {} } = (talk as Talk<unknown>).next().value as ProviderRequest;
    return new URL(url).pathname + (headers['linkedin-version'] ?? '');
  };
  const lists = ({ oauth }: Provider) => [first(oauth?.accounts?.(given)), first(oauth?.targets?.(given))];
  const login = { client, settings: set, redirectUri: 'https://desk/x', state: 's', challenge: 'ch', scopes: [] };
  const trade = { client, settings: set, redirectUri: 'https://desk/x', code: 'c', verifier: 'v', nowMs: now };
  const old = { client, settings: set, accessToken: 'a', refreshToken: 'r', nowMs: now };
  const { authorise, exchange: swap, refresh: renew, revoke } = oauthOf(meta);
  expect(new URL(authorise(login)).pathname).toBe('/v24.0/dialog/oauth');
  expect([first(swap(trade)), first(renew?.(old)), first(revoke?.(old))]).toEqual([
    ...['/v24.0/oauth/access_token', '/v24.0/oauth/access_token', '/v24.0/me/permissions'],
  ]);
  expect(Object.fromEntries([google, meta, linkedin, microsoft, tiktok].map((one) => [one.id, lists(one)]))).toEqual({
    google: ['/v26/customers:listAccessibleCustomers', '/v26/customers/7/googleAds:searchStream'],
    meta: ['/v24.0/me/adaccounts', '/v24.0/act_7/adspixels'],
    linkedin: ['/rest/adAccounts202610', '/rest/conversions202610'],
    microsoft: ['/CustomerManagement/v14/User/Query', '/CampaignManagement/v14/UetTags/QueryByIds'],
    tiktok: ['/open_api/v1.4/oauth2/advertiser/get/', '/open_api/v1.4/pixel/list/'],
  });
  // A connection goes on: what its tokens rest on are the addresses.
  for (const one of providers) expect(hostsOf(one, { connections: set }), one.id).toBe(hostsOf(one, {}));
});

describe('LinkedIn', () => {
  it('gives sixty days, and a year where the app may renew', () => {
    expect(addressOf(linkedin, ['rw_conversions', 'r_ads'])).toEqual({
      ...{ at: 'https://www.linkedin.com/oauth/v2/authorization', response_type: 'code', client_id: 'app', state: 's' },
      ...{ redirect_uri: 'https://desk/x', scope: 'rw_conversions r_ads' },
    });
    const body = { access_token: 't', expires_in: 5_184_000, scope: 'r_ads,rw_conversions' };
    expect(hold(exchange(linkedin), [{ body }]).result).toEqual({
      ...{ accessToken: 't', scopes: ['r_ads', 'rw_conversions'], lifeMs: 5_184_000_000, authorisedMs: 5_184_000_000 },
    });
    const renewable = { ...body, refresh_token: 'r', refresh_token_expires_in: 31_536_000 };
    expect(hold(exchange(linkedin), [{ body: renewable }]).result).toMatchObject({ authorisedMs: 31_536_000_000 });
    expect([true, false].map((hasRefreshToken) => oauthOf(linkedin).renews({ hasRefreshToken }))).toEqual([
      true,
      false,
    ]);
    expect(troubleOf(refresh(linkedin), { status: 400, body: { error: 'invalid_grant' } })).toEqual({
      ...{ class: 'auth', answer: 'invalid_grant', isOver: true },
    });
  });

  it('lists accounts by pages, and rules with what is in the way', () => {
    const elements = (...ids: number[]) =>
      ids.map((id) => ({ id, name: `Account ${id}`, currency: 'EUR', status: 'ACTIVE' }));
    const { result, asked } = hold(oauthOf(linkedin).accounts?.(ask) as Talk<unknown[]>, [
      { body: { elements: elements(1), metadata: { nextPageToken: 'next' } } },
      { body: { elements: [{ ...elements(2)[0], status: 'BILLING_HOLD' }], metadata: {} } },
    ]);
    expect(result).toMatchObject([
      { id: '1', name: 'Account 1', problems: [] },
      { id: '2', problems: [{ code: 'account_blocked' }] },
    ]);
    expect(asked[0]).toMatchObject({
      url: 'https://api.linkedin.com/rest/adAccounts?q=search&pageSize=100',
      headers: { authorization: 'Bearer token', 'linkedin-version': '202603' },
    });
    expect(new URL(asked[1]?.url ?? '').searchParams.get('pageToken')).toBe('next');
    const rules = hold(
      oauthOf(linkedin).targets?.({ ...ask, account: '7', through: undefined }) as Talk<{ targets: unknown }>,
      [
        {
          body: {
            elements: [
              { id: 104, name: 'Purchase', enabled: true, conversionMethod: 'CONVERSIONS_API' },
              { id: 105, name: 'Page', enabled: false, conversionMethod: 'INSIGHT_TAG' },
            ],
          },
        },
      ],
    );
    expect(new URL(rules.asked[0]?.url ?? '').searchParams.get('account')).toBe('urn:li:sponsoredAccount:7');
    expect(rules.result).toMatchObject({
      problems: [{ code: 'permission' }],
      targets: [
        { id: '104', problems: [] },
        { id: '105', problems: [{ code: 'not_enabled' }, { code: 'wrong_type' }] },
      ],
    });
    const refused = { status: 401, body: { status: 401, serviceErrorCode: 65_601, code: 'REVOKED_ACCESS_TOKEN' } };
    expect(troubleOf(oauthOf(linkedin).accounts?.(ask) as Talk<unknown>, refused)).toEqual({
      ...{ class: 'auth', answer: 'REVOKED_ACCESS_TOKEN', isOver: true },
    });
    const over = { status: 401, body: { status: 401, serviceErrorCode: 65_602, code: 'EXPIRED_ACCESS_TOKEN' } };
    expect(troubleOf(oauthOf(linkedin).accounts?.(ask) as Talk<unknown>, over)).toEqual({
      ...{ class: 'auth', answer: 'EXPIRED_ACCESS_TOKEN', isOver: true, isExpired: true },
    });
  });
});

describe('Microsoft', () => {
  it('is asked with PKCE and for a refresh token, whose life begins anew with each renewal', () => {
    expect(addressOf(microsoft, ['https://ads.microsoft.com/msads.manage'])).toMatchObject({
      at: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
      scope: 'https://ads.microsoft.com/msads.manage offline_access',
      ...{ code_challenge: 'ch', code_challenge_method: 'S256' },
    });
    const body = {
      access_token: 't',
      refresh_token: 'r',
      expires_in: 3_600,
      scope: 'https://ads.microsoft.com/msads.manage',
    };
    const { result, asked } = hold(exchange(microsoft), [{ body }]);
    expect(result).toMatchObject({ refreshToken: 'r', lifeMs: 3_600_000, authorisedMs: 90 * 86_400_000 });
    expect(new URLSearchParams(asked[0]?.body).get('code_verifier')).toBe('v');
    const again = hold(refresh(microsoft), [{ body }]);
    for (const { body: sent } of [...asked, ...again.asked])
      expect(new URLSearchParams(sent).get('scope')).toBe('https://ads.microsoft.com/msads.manage offline_access');
    expect(troubleOf(refresh(microsoft), { status: 401, body: { error: 'invalid_client' } })).toEqual({
      ...{ class: 'config', answer: 'invalid_client', isOver: false },
    });
    expect(oauthOf(microsoft).revoke).toBeUndefined();
  });

  it('lists the accounts of the user, and the UET tags of one', () => {
    const { result, asked } = hold(oauthOf(microsoft).accounts?.(ask) as Talk<unknown[]>, [
      { body: { User: { Id: '11' } } },
      {
        body: {
          Accounts: [
            { Id: 7, Name: 'Shop', CurrencyCode: 'EUR', ParentCustomerId: 3, AccountLifeCycleStatus: 'Active' },
          ],
        },
      },
    ]);
    expect(result).toMatchObject([{ id: '7', name: 'Shop', currency: 'EUR', through: '3', problems: [] }]);
    expect(asked.map(({ url, headers }) => [new URL(url).pathname, headers?.developertoken])).toEqual([
      ['/CustomerManagement/v13/User/Query', 'dev'],
      ['/CustomerManagement/v13/Accounts/Search', 'dev'],
    ]);
    const tags = hold(oauthOf(microsoft).targets?.({ ...ask, account: '7', through: '3' }) as Talk<unknown>, [
      {
        body: {
          UetTags: [{ Id: '12', Name: 'Site', TrackingStatus: 'Active' }, null, { Id: 13, TrackingStatus: 'Inactive' }],
        },
      },
    ]);
    expect(tags.asked[0]).toMatchObject({
      url: 'https://campaign.api.bingads.microsoft.com/CampaignManagement/v13/UetTags/QueryByIds',
      headers: { customeraccountid: '7', customerid: '3' },
    });
    expect(tags.result).toMatchObject({
      targets: [
        { id: '12', name: 'Site', problems: [] },
        { id: '13', name: '13', problems: [{ code: 'not_enabled' }] },
      ],
    });
    for (const [status, list, Code, ErrorCode, expected] of [
      [400, 'Errors', 117, 'CallRateExceeded', { class: 'rate_limited' }],
      [500, 'OperationErrors', 117, 'CallRateExceeded', { class: 'rate_limited' }],
      [500, 'Errors', 105, 'InvalidCredentials', { class: 'auth' }],
      [500, 'Errors', 109, 'AuthenticationTokenExpired', { class: 'auth' }],
      [500, 'Errors', 106, 'UserIsNotAuthorized', { class: 'config' }],
      [400, 'Errors', 0, 'InternalError', { class: 'retry' }],
    ] as const) {
      const answer = { status, body: { [list]: [{ Code, ErrorCode }] } };
      expect(troubleOf(oauthOf(microsoft).accounts?.(ask) as Talk<unknown>, answer)).toMatchObject({
        ...{ ...expected, answer: ErrorCode },
      });
    }
    const busy = { status: 400, body: { Errors: [{ Code: 117, ErrorCode: 'CallRateExceeded' }] } };
    expect(() => hold(oauthOf(microsoft).accounts?.(ask) as Talk<unknown>, [busy])).toThrow(
      expect.objectContaining({ retryAfterMs: 60_000 }),
    );
    expect(troubleOf(oauthOf(microsoft).accounts?.(ask) as Talk<unknown>, { status: 500, body: {} })).toMatchObject({
      ...{ class: 'retry', answer: 'http_500' },
    });
  });
});

describe('TikTok', () => {
  it('gives a token without an end for a code that it calls otherwise, and says errors in a 200', () => {
    expect(addressOf(tiktok, ['app'])).toEqual({
      ...{
        at: 'https://business-api.tiktok.com/portal/auth',
        app_id: 'app',
        state: 's',
        redirect_uri: 'https://desk/x',
      },
    });
    const { result, asked } = hold(exchange(tiktok), [
      { body: { code: 0, message: 'OK', data: { access_token: 't' } } },
    ]);
    expect(result).toEqual({ accessToken: 't' });
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ app_id: 'app', secret: 'secret', auth_code: 'c' });
    for (const [code, expected] of [
      [40_105, { class: 'auth', answer: '40105', isOver: true }],
      [40_110, { class: 'auth', answer: '40110', isOver: true }],
      [40_100, { class: 'rate_limited', answer: '40100', isOver: false }],
      [40_700, { class: 'retry', answer: '40700', isOver: false }],
      [40_101, { class: 'config', answer: '40101', isOver: false }],
      [51_305, { class: 'retry', answer: '51305', isOver: false }],
      [40_002, { class: 'config', answer: '40002', isOver: false }],
    ] as const)
      expect(troubleOf(exchange(tiktok), { body: { code, message: 'said at length' } })).toEqual(expected);
  });

  it('lists advertisers and pixels by their codes', () => {
    const list = [{ advertiser_id: '7011', advertiser_name: 'Shop' }];
    expect(
      hold(oauthOf(tiktok).accounts?.(ask) as Talk<unknown>, [{ body: { code: 0, data: { list } } }]).result,
    ).toMatchObject([{ id: '7011', name: 'Shop' }]);
    const pixels = [{ pixel_id: '9', pixel_code: 'CABC', pixel_name: 'Site' }];
    const found = hold(oauthOf(tiktok).targets?.({ ...ask, account: '7011', through: undefined }) as Talk<unknown>, [
      { body: { code: 0, data: { pixels } } },
    ]);
    expect(found.result).toMatchObject({ targets: [{ id: 'CABC', name: 'Site', problems: [] }] });
    expect(found.asked[0]?.headers).toMatchObject({ 'access-token': 'token' });
  });
});

describe('an answer that is none', () => {
  const accounts = (provider: Provider) => oauthOf(provider).accounts?.(ask) as Talk<unknown>;
  it.each([
    ['no answer', { status: 0, body: undefined }, 'retry', 'no_answer'],
    ['a page of a proxy', { status: 502, body: '<html>' }, 'retry', 'http_502'],
    ['a page with 200', { status: 200, body: '<html>' }, 'retry', 'html'],
    ['too many', { status: 429, body: {} }, 'rate_limited', 'http_429'],
    ['null', { status: 200, body: null }, 'retry', 'html'],
  ] as const)('%s', (_title, given, troubleClass, answer) => {
    for (const provider of [meta, linkedin, microsoft, tiktok])
      expect(troubleOf(accounts(provider), given), provider.id).toMatchObject({
        ...{ class: troubleClass, answer, isOver: false },
      });
  });

  it('hostile ones are no token, no name and no code', () => {
    const long = 'x'.repeat(10_000);
    expect(troubleOf(exchange(linkedin), { body: { access_token: 'line\nbreak' } })?.answer).toBe('no_token');
    expect(troubleOf(exchange(linkedin), { body: { access_token: { toString: 'x' } } })?.answer).toBe('no_token');
    expect(troubleOf(exchange(linkedin), { status: 400, body: { error: `it was you ${long}` } })?.answer).toBe(
      'http_400',
    );
    const { result } = hold(oauthOf(tiktok).accounts?.(ask) as Talk<unknown>, [
      {
        body: {
          code: 0,
          data: { list: [{ advertiser_id: '../x' }, { advertiser_id: '1', advertiser_name: long }, 7, null] },
        },
      },
    ]);
    expect(result).toMatchObject([{ id: '1', name: 'x'.repeat(120) }]);
  });
});
