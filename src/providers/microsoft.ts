import type { ConnectionAccount, ConnectionTarget } from '../../contract/connections.ts';
import type { ConnectionSettings } from '../platform/connection_config.ts';
import {
  address,
  bearer,
  codeIn,
  form,
  idIn,
  isSuccess,
  json,
  lifeMsIn,
  listOf,
  nameIn,
  object,
  readAnswer,
  readTokenAnswer,
  scopesIn,
  tokenIn,
} from './answers.ts';
import { accountBlocked, notEnabled } from './problems.ts';
import { type Grant, type OAuth, type Provider, type ProviderAnswer, Trouble } from './provider.ts';

const tenant = 'common/oauth2/v2.0';
const manage = 'https://ads.microsoft.com/msads.manage';
/** What both kinds of request for a token have to name, too (Microsoft Advertising, Get an access token). */
const scope = `${manage} offline_access`;
/** A refresh token lives ninety days, and each use gives another one, whose life begins anew (the same page). */
const refreshDaysMs = 90 * 86_400_000;
const pageSize = 100;
const pagesMax = 10;

const oauth: OAuth = {
  id: 'microsoft',
  receiver: 'microsoft-connect',
  variables: ['FAIRLEAD_MICROSOFT_CLIENT_ID', 'FAIRLEAD_MICROSOFT_CLIENT_SECRET'],
  scopes: [
    {
      ...{ id: 'ads', scope: manage, first: true, label: 'Read accounts and campaigns' },
      why: 'Lists accounts and UET tags. Conversions are sent with the token of a tag, which is pasted.',
    },
  ],
  at: ({ microsoft: { at } }) => at,
  client: ({ microsoft: { client } }) => client,
  // Each tenant is an issuer of its own.
  issuers: () => [],

  authorise: ({ client, settings, redirectUri, state, challenge, scopes }) =>
    address(`${settings.microsoft.at.login}/${tenant}/authorize`, {
      response_type: 'code',
      client_id: client.clientId,
      redirect_uri: redirectUri,
      response_mode: 'query',
      state,
      scope: [...scopes, 'offline_access'].join(' '),
      code_challenge: challenge,
      code_challenge_method: 'S256',
      prompt: 'select_account',
    }),

  *exchange({ client, settings, redirectUri, code, verifier }) {
    return grantOf(
      yield form(`${settings.microsoft.at.login}/${tenant}/token`, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        scope,
        client_id: client.clientId,
        client_secret: client.clientSecret,
      }),
    );
  },

  *refresh({ client, settings, refreshToken }) {
    return grantOf(
      yield form(`${settings.microsoft.at.login}/${tenant}/token`, {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        scope,
        client_id: client.clientId,
        client_secret: client.clientSecret,
      }),
    );
  },
  renews: ({ hasRefreshToken }) => hasRefreshToken,

  *accounts({ settings, accessToken }) {
    const base = `${settings.microsoft.at.accounts}/CustomerManagement/${settings.microsoft.version}`;
    const headers = headersOf(settings, accessToken);
    const user = object(read(yield json(`${base}/User/Query`, { UserId: null }, headers)).User);
    const userId = idIn(user?.Id);
    if (userId === undefined) throw new Trouble('config', 'no_user');
    const found: ConnectionAccount[] = [];
    for (let page = 0; page < pagesMax; page++) {
      const body = read(
        yield json(
          `${base}/Accounts/Search`,
          {
            Predicates: [{ Field: 'UserId', Operator: 'Equals', Value: userId }],
            PageInfo: { Index: page, Size: pageSize },
          },
          headers,
        ),
      );
      const rows = listOf(body.Accounts);
      for (const row of rows) {
        const id = idIn(row.Id);
        const status = codeIn(row.AccountLifeCycleStatus, 'Unknown');
        if (id !== undefined)
          found.push({
            ...{ id, name: nameIn(row.Name) || id, currency: nameIn(row.CurrencyCode, 3) || null },
            ...{ timezone: nameIn(row.TimeZone, 60) || null, through: idIn(row.ParentCustomerId) ?? null },
            problems: status === 'Active' ? [] : [accountBlocked(status)],
          });
      }
      if (rows.length < pageSize) break;
    }
    return found;
  },

  *targets({ settings, accessToken, account, through }) {
    const answer = yield json(
      `${settings.microsoft.at.campaigns}/CampaignManagement/${settings.microsoft.version}/UetTags/QueryByIds`,
      { TagIds: null },
      {
        ...headersOf(settings, accessToken),
        customeraccountid: account,
        ...(through !== undefined && { customerid: through }),
      },
    );
    return {
      problems: [],
      targets: listOf(read(answer).UetTags).flatMap((row): ConnectionTarget[] => {
        const id = idIn(row.Id);
        if (id === undefined) return [];
        const isOff = codeIn(row.TrackingStatus, '') === 'Inactive';
        return [{ id, name: nameIn(row.Name) || id, problems: isOff ? [notEnabled('UET tag')] : [] }];
      }),
    };
  },
};

export const microsoft: Provider = {
  id: 'microsoft',
  label: 'Microsoft Advertising',
  oauth,
  destinations: ['microsoft'],
  pasted: { what: 'access token of the UET tag', where: 'Tools, UET tag, "Conversions API"' },
};

function headersOf(settings: ConnectionSettings, accessToken: string): Record<string, string> {
  const { developerToken } = settings.microsoft;
  return { ...bearer(accessToken), ...(developerToken !== undefined && { developertoken: developerToken }) };
}

function grantOf(answer: ProviderAnswer): Grant {
  const body = readTokenAnswer(answer);
  const accessToken = tokenIn(body.access_token);
  if (accessToken === undefined) throw new Trouble('retry', 'no_token');
  const refreshToken = tokenIn(body.refresh_token);
  const scopes = scopesIn(body.scope)?.filter((one) => one !== 'offline_access');
  const lifeMs = lifeMsIn(body.expires_in);
  const authorisedMs =
    refreshToken === undefined ? undefined : (lifeMsIn(body.refresh_token_expires_in) ?? refreshDaysMs);
  return {
    accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(scopes !== undefined && { scopes }),
    ...(lifeMs !== undefined && { lifeMs }),
    ...(authorisedMs !== undefined && { authorisedMs }),
  };
}

const minuteMs = 60_000;

/**
 * Microsoft's faults: `{Errors: [{Code, ErrorCode}]}`, or `OperationErrors`, under a 400 as well as a 500: so they are read
 * before the status. 105 is a token that is none, 109 one that is over, 117 too many calls in a minute, 0 a fault of theirs
 * (Microsoft Advertising, Handle service errors).
 * @throws Trouble
 */
function read(answer: ProviderAnswer): Record<string, unknown> {
  const said = isSuccess(answer) ? undefined : object(answer.body);
  const [error] = [...listOf(said?.Errors), ...listOf(said?.OperationErrors)];
  if (error === undefined) return readUnnamed(answer);
  const code = Number(error.Code);
  const name = codeIn(error.ErrorCode ?? error.Code, `http_${answer.status}`);
  if (code === 117) throw new Trouble('rate_limited', name, { retryAfterMs: minuteMs });
  if (code === 0) throw new Trouble('retry', name);
  if (answer.status === 401 || code === 105 || code === 109) throw new Trouble('auth', name);
  throw new Trouble('config', name);
}

function readUnnamed(answer: ProviderAnswer): Record<string, unknown> {
  const body = readAnswer(answer);
  if (isSuccess(answer)) return body;
  throw new Trouble(answer.status === 401 ? 'auth' : 'config', `http_${answer.status}`);
}
