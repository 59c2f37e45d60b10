import type { ConnectionAccount, ConnectionTarget } from '../../contract/connections.ts';
import type { ConnectionSettings } from '../platform/connection_config.ts';
import { address, codeIn, get, idIn, isSuccess, json, listOf, nameIn, object, readAnswer, tokenIn } from './answers.ts';
import { accountBlocked } from './problems.ts';
import { type OAuth, type Provider, type ProviderAnswer, type Talk, Trouble } from './provider.ts';

const pageSize = 100;
const pagesMax = 10;

/**
 * TikTok API for Business. The permissions stand with the app and not in the address; the code comes back as `auth_code`;
 * the token has no end, and goes into the header `Access-Token`. An error stands in the body of a 200.
 */
const oauth: OAuth = {
  id: 'tiktok',
  receiver: 'tiktok-connect',
  variables: ['FAIRLEAD_TIKTOK_CLIENT_ID', 'FAIRLEAD_TIKTOK_CLIENT_SECRET'],
  scopes: [
    {
      ...{ id: 'app', scope: 'app', first: true, label: 'What the app may do' },
      why: 'TikTok grants what was chosen for the app: reading accounts and pixels, and sending events.',
    },
  ],
  at: ({ tiktok: { at } }) => at,
  client: ({ tiktok: { client } }) => client,
  issuers: () => [],

  authorise: ({ client, settings, redirectUri, state }) =>
    address(`${settings.tiktok.at.api}/portal/auth`, { app_id: client.clientId, state, redirect_uri: redirectUri }),

  *exchange({ client, settings, code }) {
    const data = read(
      yield json(`${apiOf(settings)}/oauth2/access_token/`, {
        app_id: client.clientId,
        secret: client.clientSecret,
        auth_code: code,
      }),
    );
    const accessToken = tokenIn(data.access_token);
    if (accessToken === undefined) throw new Trouble('retry', 'no_token');
    return { accessToken };
  },

  *revoke({ client, settings, accessToken }) {
    read(
      yield json(`${apiOf(settings)}/oauth2/revoke_token/`, {
        app_id: client.clientId,
        secret: client.clientSecret,
        access_token: accessToken,
      }),
    );
  },
  renews: () => false,

  *accounts({ client, settings, accessToken }) {
    const url = address(`${apiOf(settings)}/oauth2/advertiser/get/`, {
      app_id: client.clientId,
      secret: client.clientSecret,
    });
    const data = read(yield get(url, { 'access-token': accessToken }));
    return listOf(data.list).flatMap((row): ConnectionAccount[] => {
      const id = idIn(row.advertiser_id);
      if (id === undefined) return [];
      return [
        {
          ...{ id, name: nameIn(row.advertiser_name) || id, currency: null, timezone: null },
          ...{ through: null, problems: [] },
        },
      ];
    });
  },

  *targets({ settings, accessToken, account }) {
    return { problems: [], targets: yield* pixels(apiOf(settings), accessToken, account) };
  },
};

export const tiktok: Provider = {
  id: 'tiktok',
  label: 'TikTok Ads',
  oauth,
  destinations: ['tiktok'],
  pasted: {
    what: 'access token of the Events API',
    where: 'Events Manager, the pixel, Settings, "Generate access token"',
  },
};

function apiOf({ tiktok: { at, version } }: ConnectionSettings): string {
  return `${at.api}/open_api/${version}`;
}

function* pixels(base: string, accessToken: string, account: string): Talk<ConnectionTarget[]> {
  const found: ConnectionTarget[] = [];
  for (let page = 1; page <= pagesMax; page++) {
    const url = address(`${base}/pixel/list/`, {
      ...{ advertiser_id: account, page: String(page), page_size: String(pageSize) },
    });
    const data = read(yield get(url, { 'access-token': accessToken }));
    const rows = listOf(data.pixels);
    for (const row of rows) {
      // Events are sent to the code of a pixel, and not to its number.
      const id = idIn(row.pixel_code);
      const isOff = codeIn(row.activity_status, 'ACTIVE') === 'INACTIVE';
      if (id !== undefined)
        found.push({ id, name: nameIn(row.pixel_name) || id, problems: isOff ? [accountBlocked('inactive')] : [] });
    }
    if (rows.length < pageSize) break;
  }
  return found;
}

/**
 * `{code, message, data}`: 0 is success; 40105 a token that is none, 40110 a code of the login that is over (it lives ten
 * minutes), 40100 too many calls, 40700 and 50000 its own failure (TikTok's SDK and others' code). Recalled: 40016.
 */
function read(answer: ProviderAnswer): Record<string, unknown> {
  const body = readAnswer(answer);
  const code = Number(body.code);
  if (isSuccess(answer) && code === 0) return object(body.data) ?? {};
  const said = codeIn(body.code, `http_${answer.status}`);
  if (code === 40_100 || code === 40_016) throw new Trouble('rate_limited', said);
  if (code === 40_700 || (code >= 50_000 && code < 60_000)) throw new Trouble('retry', said);
  const isOver = code === 40_105 || code === 40_102 || code === 40_110 || answer.status === 401;
  if (isOver) throw new Trouble('auth', said, { isOver });
  throw new Trouble('config', said);
}
