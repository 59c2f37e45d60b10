import type { ConnectionAccount, ConnectionTarget } from '../../contract/connections.ts';
import {
  address,
  bearer,
  codeIn,
  form,
  get,
  idIn,
  isSuccess,
  json,
  lifeMsIn,
  listOf,
  nameIn,
  object,
  readAnswer,
  readTokenAnswer,
  retryAfterMs,
  scopesIn,
  tokenIn,
} from './answers.ts';
import {
  accountBlocked,
  noEnhancedLeads,
  notEnabled,
  oncePerClick,
  otherCustomer,
  termsMissing,
  wrongType,
} from './problems.ts';
import { type Grant, type OAuth, type Provider, type ProviderAnswer, type Talk, Trouble } from './provider.ts';

const scope = 'https://www.googleapis.com/auth/';
export const adwords = `${scope}adwords`;
/** Accounts that somebody reaches by themselves. Each is a request, and whoever has more chooses by number. */
const rootsMax = 50;

const oauth: OAuth = {
  id: 'google',
  receiver: 'google-connect',
  variables: ['FAIRLEAD_GOOGLE_CLIENT_ID', 'FAIRLEAD_GOOGLE_CLIENT_SECRET'],
  scopes: [
    {
      ...{ id: 'datamanager', scope: `${scope}datamanager`, first: true, label: 'Send conversions' },
      why: 'Sends conversions by the Data Manager API. It reads nothing.',
    },
    {
      ...{ id: 'adwords', scope: adwords, first: false, label: 'Read accounts and campaigns' },
      why: 'Lists accounts and conversion actions, so that they can be chosen and checked before the first send.',
    },
  ],
  at: ({ google }) => google.at,
  client: ({ google }) => google.client,
  issuers: ({ google }) => [google.at.login],

  // Offline and with consent each time: without them Google gives a refresh token the first time alone.
  authorise: ({ client, settings, redirectUri, state, challenge, scopes }) =>
    address(`${settings.google.at.login}/o/oauth2/v2/auth`, {
      response_type: 'code',
      client_id: client.clientId,
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      access_type: 'offline',
      prompt: 'consent',
      include_granted_scopes: 'true',
    }),

  *exchange({ client, settings, redirectUri, code, verifier }) {
    const grant = grantOf(
      yield form(`${settings.google.at.token}/token`, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        client_id: client.clientId,
        client_secret: client.clientSecret,
      }),
    );
    // One that cannot be renewed would stop within the hour.
    if (grant.refreshToken === undefined) throw new Trouble('config', 'no_refresh_token');
    return grant;
  },

  *refresh({ client, settings, refreshToken }) {
    return grantOf(
      yield form(`${settings.google.at.token}/token`, {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: client.clientId,
        client_secret: client.clientSecret,
      }),
    );
  },

  // With the refresh token, so that every token of the grant ends.
  *revoke({ settings, accessToken, refreshToken }) {
    readTokenAnswer(yield form(`${settings.google.at.token}/revoke`, { token: refreshToken ?? accessToken }));
  },
  renews: ({ hasRefreshToken }) => hasRefreshToken,

  *accounts({ settings, accessToken, scopes }) {
    if (!scopes.includes(adwords)) throw new Trouble('auth', 'scope_missing');
    const base = `${settings.google.at.ads}/${settings.google.version}`;
    const listed = readAds(yield get(`${base}/customers:listAccessibleCustomers`, bearer(accessToken)));
    const names = object(listed)?.resourceNames;
    const roots = (Array.isArray(names) ? names : []).flatMap((name) => idIn(String(name).split('/')[1]) ?? []);
    const found = new Map<string, ConnectionAccount>();
    for (const root of roots.slice(0, rootsMax)) {
      const rows = yield* search(base, { accessToken, customer: root, through: root }, accountsQuery, 'account');
      for (const row of rows ?? []) {
        const account = accountOf(object(row.customerClient) ?? {}, root);
        // An account that is reached by itself and through a manager is shown once, as itself.
        if (account !== undefined && (!found.has(account.id) || account.through === null))
          found.set(account.id, account);
      }
    }
    return [...found.values()];
  },

  *targets({ settings, accessToken, scopes, account, through }) {
    if (!scopes.includes(adwords)) throw new Trouble('auth', 'scope_missing');
    const base = `${settings.google.at.ads}/${settings.google.version}`;
    const customer = account.replaceAll('-', '');
    const by = { accessToken, customer, through: through?.replaceAll('-', '') ?? customer };
    const [row] = (yield* search(base, by, settingQuery)) ?? [];
    const setting = object(object(row?.customer)?.conversionTrackingSetting) ?? {};
    const owner = idIn(String(setting.googleAdsConversionCustomer ?? '').split('/')[1]);
    const problems = [
      ...(setting.acceptedCustomerDataTerms === true ? [] : [termsMissing('Google Ads, Goals, Settings')]),
      ...(owner === undefined || owner === customer ? [] : [otherCustomer(owner)]),
      ...(setting.enhancedConversionsForLeadsEnabled === true ? [] : [noEnhancedLeads()]),
    ];
    const actions = (yield* search(base, by, actionsQuery)) ?? [];
    return { problems, targets: actions.flatMap((one) => targetOf(object(one.conversionAction) ?? {}) ?? []) };
  },
};

export const google: Provider = {
  id: 'google',
  label: 'Google Ads',
  oauth,
  destinations: ['google-data-manager', 'google-ads-upload'],
};

/** Google names an end of the whole grant while the consent screen is in testing, seven days, and otherwise none. */
function grantOf(answer: ProviderAnswer): Grant {
  const body = readTokenAnswer(answer);
  const accessToken = tokenIn(body.access_token);
  if (accessToken === undefined) throw new Trouble('retry', 'no_token');
  const refreshToken = tokenIn(body.refresh_token);
  const scopes = scopesIn(body.scope);
  const lifeMs = lifeMsIn(body.expires_in);
  const authorisedMs = lifeMsIn(body.refresh_token_expires_in);
  return {
    accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(scopes !== undefined && { scopes }),
    ...(lifeMs !== undefined && { lifeMs }),
    ...(authorisedMs !== undefined && { authorisedMs }),
  };
}

const accountsQuery =
  'SELECT customer_client.client_customer, customer_client.level, customer_client.manager, customer_client.descriptive_name, customer_client.currency_code, customer_client.time_zone, customer_client.status FROM customer_client';
const settingQuery =
  'SELECT customer.conversion_tracking_setting.google_ads_conversion_customer, customer.conversion_tracking_setting.accepted_customer_data_terms, customer.conversion_tracking_setting.enhanced_conversions_for_leads_enabled FROM customer';
const actionsQuery =
  'SELECT conversion_action.id, conversion_action.name, conversion_action.type, conversion_action.status, conversion_action.counting_type, conversion_action.category FROM conversion_action';

/**
 * Every row of a query. Streamed answers are an array of pieces, each with its rows.
 * @param ofOne `account`: an account that is closed or not set up is passed over (undefined), and the others are read
 */
function* search(
  base: string,
  by: { accessToken: string; customer: string; through: string },
  query: string,
  ofOne?: 'account',
): Talk<Record<string, unknown>[] | undefined> {
  const answer = yield json(
    `${base}/customers/${by.customer}/googleAds:searchStream`,
    { query },
    { ...bearer(by.accessToken), 'login-customer-id': by.through },
  );
  try {
    const body = readAds(answer);
    const pieces = Array.isArray(body) ? listOf(body) : [object(body) ?? {}];
    return pieces.flatMap((piece) => [...listOf(piece.results)]);
  } catch (error) {
    if (ofOne === 'account' && error instanceof Trouble && error.class === 'config') return undefined;
    throw error;
  }
}

/** An answer of Google Ads. A streamed refusal stands in an array, too. @throws Trouble */
function readAds(answer: ProviderAnswer): unknown {
  const first: unknown = Array.isArray(answer.body) ? answer.body[0] : answer.body;
  const error = object(object(first)?.error);
  if (error === undefined) {
    readAnswer(answer);
    if (isSuccess(answer)) return answer.body;
    throw new Trouble(answer.status === 401 ? 'auth' : 'config', `http_${answer.status}`);
  }
  const status = codeIn(error.status, `http_${answer.status}`);
  const detail = listOf(error.details).flatMap((one) => listOf(one.errors))[0];
  const code = codeIn(Object.values(object(detail?.errorCode) ?? {})[0], status);
  if (answer.status === 429 || status === 'RESOURCE_EXHAUSTED')
    throw new Trouble('rate_limited', code, { retryAfterMs: retryAfterMs(answer) });
  if (answer.status >= 500) throw new Trouble('retry', code, { retryAfterMs: retryAfterMs(answer) });
  const reasons = listOf(error.details).map((one) => one.reason);
  if (reasons.includes('ACCESS_TOKEN_SCOPE_INSUFFICIENT')) throw new Trouble('auth', 'scope_missing');
  // An account that is not there is answered as a token would be that is none.
  const isOfToken = (answer.status === 401 || status === 'UNAUTHENTICATED') && code !== 'CUSTOMER_NOT_FOUND';
  throw new Trouble(isOfToken ? 'auth' : 'config', code, { isOver: isOfToken });
}

function accountOf(client: Record<string, unknown>, root: string): ConnectionAccount | undefined {
  const id = idIn(String(client.clientCustomer ?? '').split('/')[1]);
  // A manager has no conversions of its own to choose from unless it is the one that manages them, and that is said there.
  if (id === undefined) return undefined;
  const status = codeIn(client.status, 'UNKNOWN');
  return {
    id,
    name: nameIn(client.descriptiveName) || id,
    currency: nameIn(client.currencyCode, 3) || null,
    timezone: nameIn(client.timeZone, 60) || null,
    through: id === root ? null : root,
    problems: status === 'ENABLED' ? [] : [accountBlocked(status)],
  };
}

/** What takes conversions that are sent: those of uploads, and those of a page, which a send can complete. */
const takesSends = new Set(['UPLOAD_CLICKS', 'WEBPAGE', 'UPLOAD_CALLS', 'STORE_SALES']);

function targetOf(action: Record<string, unknown>): ConnectionTarget | undefined {
  const id = idIn(action.id);
  const status = codeIn(action.status, 'UNKNOWN');
  if (id === undefined || status === 'REMOVED') return undefined;
  const type = codeIn(action.type, 'UNKNOWN');
  return {
    id,
    name: nameIn(action.name) || id,
    problems: [
      ...(status === 'ENABLED' ? [] : [notEnabled('conversion action')]),
      ...(takesSends.has(type) ? [] : [wrongType('conversion action', type)]),
      ...(codeIn(action.countingType, '') === 'ONE_PER_CLICK' ? [oncePerClick()] : []),
    ],
  };
}
