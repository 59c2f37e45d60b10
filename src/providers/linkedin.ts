import type { ConnectionAccount, ConnectionTarget } from '../../contract/connections.ts';
import type { ConnectionSettings } from '../platform/connection_config.ts';
import {
  address,
  bearer,
  codeIn,
  form,
  get,
  idIn,
  isSuccess,
  lifeMsIn,
  listOf,
  nameIn,
  object,
  readAnswer,
  readTokenAnswer,
  scopesIn,
  tokenIn,
} from './answers.ts';
import { accountBlocked, notEnabled, permissionMissing, wrongType } from './problems.ts';
import { type Grant, type OAuth, type Provider, type ProviderAnswer, Trouble } from './provider.ts';

const pageSize = '100';
const pagesMax = 10;

const oauth: OAuth = {
  id: 'linkedin',
  receiver: 'linkedin-connect',
  variables: ['FAIRLEAD_LINKEDIN_CLIENT_ID', 'FAIRLEAD_LINKEDIN_CLIENT_SECRET'],
  scopes: [
    {
      ...{ id: 'rw_conversions', scope: 'rw_conversions', first: true, label: 'Send conversions' },
      why: 'Sends conversions to the rules of an account.',
    },
    {
      ...{ id: 'r_ads', scope: 'r_ads', first: true, label: 'Read accounts' },
      why: 'Lists ad accounts; LinkedIn wants it for sending, too.',
    },
    {
      ...{ id: 'r_ads_reporting', scope: 'r_ads_reporting', first: false, label: 'Read campaigns' },
      why: 'Reads what campaigns cost and brought.',
    },
  ],
  at: ({ linkedin: { at } }) => at,
  client: ({ linkedin: { client } }) => client,
  issuers: ({ linkedin: { at } }) => [at.login],

  // No PKCE: LinkedIn knows it for apps without a secret alone, and the state is bound to the session.
  authorise: ({ client, settings, redirectUri, state, scopes }) =>
    address(`${settings.linkedin.at.login}/oauth/v2/authorization`, {
      response_type: 'code',
      client_id: client.clientId,
      redirect_uri: redirectUri,
      state,
      scope: scopes.join(' '),
    }),

  *exchange({ client, settings, redirectUri, code }) {
    return grantOf(
      yield form(`${settings.linkedin.at.login}/oauth/v2/accessToken`, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        client_id: client.clientId,
        client_secret: client.clientSecret,
      }),
    );
  },

  *refresh({ client, settings, refreshToken }) {
    return grantOf(
      yield form(`${settings.linkedin.at.login}/oauth/v2/accessToken`, {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: client.clientId,
        client_secret: client.clientSecret,
      }),
    );
  },

  *revoke({ client, settings, accessToken }) {
    readTokenAnswer(
      yield form(`${settings.linkedin.at.login}/oauth/v2/revoke`, {
        token: accessToken,
        client_id: client.clientId,
        client_secret: client.clientSecret,
      }),
    );
  },
  // Refresh tokens are for approved partners; anybody else authorises again every sixty days.
  renews: ({ hasRefreshToken }) => hasRefreshToken,

  *accounts({ settings, accessToken }) {
    const found: ConnectionAccount[] = [];
    let pageToken: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const url = address(`${settings.linkedin.at.api}/rest/adAccounts`, { q: 'search', pageSize, pageToken });
      const body = read(yield get(url, headersOf(settings, accessToken)));
      for (const row of listOf(body.elements)) {
        const id = idIn(row.id);
        const status = codeIn(row.status, 'UNKNOWN');
        if (id !== undefined)
          found.push({
            ...{ id, name: nameIn(row.name) || id, currency: nameIn(row.currency, 3) || null, timezone: null },
            ...{ through: null, problems: status === 'ACTIVE' ? [] : [accountBlocked(status)] },
          });
      }
      pageToken = nameIn(object(body.metadata)?.nextPageToken, 500) || undefined;
      if (pageToken === undefined) break;
    }
    return found;
  },

  *targets({ settings, accessToken, scopes, account }) {
    const found: ConnectionTarget[] = [];
    for (let page = 0; page < pagesMax; page++) {
      const url = address(`${settings.linkedin.at.api}/rest/conversions`, {
        ...{ q: 'account', account: `urn:li:sponsoredAccount:${account}` },
        ...{ count: pageSize, start: String(page * Number(pageSize)) },
      });
      const rows = listOf(read(yield get(url, headersOf(settings, accessToken))).elements);
      for (const row of rows) {
        const id = idIn(row.id);
        const method = codeIn(row.conversionMethod, 'UNKNOWN');
        if (id !== undefined)
          found.push({
            ...{ id, name: nameIn(row.name) || id },
            problems: [
              ...(row.enabled === false ? [notEnabled('conversion rule')] : []),
              ...(method === 'CONVERSIONS_API' ? [] : [wrongType('conversion rule', method)]),
            ],
          });
      }
      if (rows.length < Number(pageSize)) break;
    }
    return { problems: scopes.includes('rw_conversions') ? [] : [permissionMissing('rw_conversions')], targets: found };
  },
};

export const linkedin: Provider = { id: 'linkedin', label: 'LinkedIn Ads', oauth, destinations: ['linkedin'] };

function headersOf({ linkedin: { version } }: ConnectionSettings, accessToken: string): Record<string, string> {
  return { ...bearer(accessToken), 'linkedin-version': version, 'x-restli-protocol-version': '2.0.0' };
}

/** Sixty days; a refresh token, where there is one, a year from the day on which somebody authorised. */
function grantOf(answer: ProviderAnswer): Grant {
  const body = readTokenAnswer(answer);
  const accessToken = tokenIn(body.access_token);
  if (accessToken === undefined) throw new Trouble('retry', 'no_token');
  const refreshToken = tokenIn(body.refresh_token);
  const scopes = scopesIn(body.scope);
  const lifeMs = lifeMsIn(body.expires_in);
  const authorisedMs = refreshToken === undefined ? lifeMs : lifeMsIn(body.refresh_token_expires_in);
  return {
    accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(scopes !== undefined && { scopes }),
    ...(lifeMs !== undefined && { lifeMs }),
    ...(authorisedMs !== undefined && { authorisedMs }),
  };
}

/** LinkedIn's refusals: `{status, serviceErrorCode, code, message}`; 65600 to 65602 and 65608 are of tokens, with a 401, and 65602 of one whose time is over; 65603 and 65604 recalled. @throws Trouble */
function read(answer: ProviderAnswer): Record<string, unknown> {
  const body = readAnswer(answer);
  if (isSuccess(answer)) return body;
  const service = Number(body.serviceErrorCode);
  const said = codeIn(body.code ?? body.serviceErrorCode, `http_${answer.status}`);
  if (answer.status === 401 || service === 65_608 || (service >= 65_600 && service <= 65_604))
    throw new Trouble('auth', said, { isOver: true, isExpired: service === 65_602 });
  throw new Trouble('config', said);
}
