import type { ConnectionAccount, ConnectionTarget } from '../../contract/connections.ts';
import type { ConnectionSettings } from '../platform/connection_config.ts';
import {
  address,
  bearer,
  codeIn,
  get,
  idIn,
  isSuccess,
  lifeMsIn,
  listOf,
  nameIn,
  object,
  readAnswer,
  retryAfterMs,
  tokenIn,
} from './answers.ts';
import { accountBlocked, permissionMissing } from './problems.ts';
import { type Grant, type OAuth, type Provider, type ProviderAnswer, type Talk, Trouble } from './provider.ts';

const dayMs = 86_400_000;
const pageSize = '100';
const pagesMax = 10;
/** Renewed by the day, once it is a day old: an expired one cannot be exchanged any more. */
const renewAfterMs = dayMs;

const oauth: OAuth = {
  id: 'meta',
  receiver: 'meta-connect',
  variables: ['FAIRLEAD_META_CLIENT_ID', 'FAIRLEAD_META_CLIENT_SECRET'],
  scopes: [
    {
      ...{ id: 'ads_read', scope: 'ads_read', first: true, label: 'Read accounts and insights' },
      why: 'Lists ad accounts and pixels, and reads what campaigns cost.',
    },
    {
      ...{ id: 'ads_management', scope: 'ads_management', first: false, label: 'Send conversions' },
      why: 'Sends conversions to the pixels of the account. A token of Events Manager does so without it.',
    },
    {
      ...{ id: 'business_management', scope: 'business_management', first: false, label: 'Read businesses' },
      why: 'Reaches accounts and pixels that belong to a business and not to the person.',
    },
  ],
  at: ({ meta }) => meta.at,
  client: ({ meta }) => meta.client,
  issuers: ({ meta }) => [meta.at.dialog],

  authorise: ({ client, settings, redirectUri, state, scopes }) =>
    address(`${settings.meta.at.dialog}/${settings.meta.version}/dialog/oauth`, {
      response_type: 'code',
      client_id: client.clientId,
      redirect_uri: redirectUri,
      state,
      // A configuration of Login for Business names its permissions itself.
      ...(settings.meta.configId === undefined
        ? { scope: scopes.join(','), auth_type: 'rerequest' }
        : { config_id: settings.meta.configId }),
    }),

  *exchange({ client, settings, redirectUri, code, nowMs }) {
    const graph = graphOf(settings);
    const app = { client_id: client.clientId, client_secret: client.clientSecret };
    const short = tokenOf(
      yield get(address(`${graph}/oauth/access_token`, { ...app, redirect_uri: redirectUri, code })),
    );
    return yield* lengthen(graph, app, { token: short.accessToken, nowMs });
  },

  *refresh({ client, settings, accessToken, nowMs }) {
    const app = { client_id: client.clientId, client_secret: client.clientSecret };
    return yield* lengthen(graphOf(settings), app, { token: accessToken, nowMs });
  },

  *revoke({ settings, accessToken }) {
    read(
      yield {
        method: 'DELETE',
        url: `${graphOf(settings)}/me/permissions`,
        headers: { accept: 'application/json', ...bearer(accessToken) },
      },
    );
  },
  renews: () => true,

  *accounts({ settings, accessToken }) {
    const fields = 'account_id,name,currency,timezone_name,account_status';
    const rows = yield* pages(`${graphOf(settings)}/me/adaccounts`, fields, accessToken);
    return rows.flatMap((row): ConnectionAccount[] => {
      const id = idIn(row.account_id);
      if (id === undefined) return [];
      const status = accountStatuses[Number(row.account_status)] ?? `status_${codeIn(row.account_status, 'unknown')}`;
      return [
        {
          ...{ id, name: nameIn(row.name) || id, through: null },
          ...{ currency: nameIn(row.currency, 3) || null, timezone: nameIn(row.timezone_name, 60) || null },
          problems: status === 'active' ? [] : [accountBlocked(status)],
        },
      ];
    });
  },

  *targets({ settings, accessToken, scopes, account }) {
    const url = `${graphOf(settings)}/act_${account.replace(/^act_/, '')}/adspixels`;
    const rows = yield* pages(url, 'id,name,is_unavailable', accessToken);
    return {
      problems: scopes.includes('ads_management') ? [] : [permissionMissing('ads_management')],
      targets: rows.flatMap((row): ConnectionTarget[] => {
        const id = idIn(row.id);
        if (id === undefined) return [];
        const problems = row.is_unavailable === true ? [accountBlocked('unavailable')] : [];
        return [{ id, name: nameIn(row.name) || id, problems }];
      }),
    };
  },
};

export const meta: Provider = {
  id: 'meta',
  label: 'Meta',
  oauth,
  destinations: ['meta-capi'],
  pasted: {
    what: 'access token of the Conversions API',
    where: 'Events Manager, the dataset, Settings, "Generate access token"',
  },
};

function graphOf({ meta: { at, version } }: ConnectionSettings): string {
  return `${at.graph}/${version}`;
}

/** Of `account_status`; recalled from Meta's list. */
const accountStatuses: Readonly<Record<number, string>> = {
  1: 'active',
  2: 'disabled',
  3: 'unsettled',
  7: 'pending_risk_review',
  8: 'pending_settlement',
  9: 'in_grace_period',
  100: 'pending_closure',
  101: 'closed',
};

/**
 * A token of an hour or two for one of sixty days, and what Meta says of that: which permissions it has, and until when the
 * data behind them may be read, which is 90 days from the last time that the person was there.
 */
function* lengthen(
  graph: string,
  app: { client_id: string; client_secret: string },
  { token, nowMs }: { token: string; nowMs: number },
): Talk<Grant> {
  const query = { grant_type: 'fb_exchange_token', ...app, fb_exchange_token: token };
  const long = tokenOf(yield get(address(`${graph}/oauth/access_token`, query)));
  const said = yield get(
    address(`${graph}/debug_token`, { input_token: long.accessToken }),
    bearer(`${app.client_id}|${app.client_secret}`),
  );
  const data = whatIsSaid(said);
  if (data.is_valid === false) throw new Trouble('auth', 'not_valid', { isOver: true });
  const scopes = Array.isArray(data.scopes)
    ? data.scopes.map((one) => nameIn(one, 100)).filter((one) => one !== '')
    : [];
  // Both are moments in seconds since 1970, and 0 is "never".
  const ends = [data.expires_at, data.data_access_expires_at].flatMap((at) =>
    Number(at) > 0 ? [Math.max(Number(at) * 1000 - nowMs, 0)] : [],
  );
  const authorisedMs = Math.min(...ends, long.lifeMs ?? Number.POSITIVE_INFINITY);
  return {
    ...long,
    ...(scopes.length > 0 && { scopes }),
    ...(Number.isFinite(authorisedMs) && { authorisedMs }),
    renewAfterMs,
  };
}

/** The token is at hand already: what is not said of it is no reason to give it up. */
function whatIsSaid(answer: ProviderAnswer): Record<string, unknown> {
  try {
    return object(read(answer).data) ?? {};
  } catch (error) {
    if (error instanceof Trouble) return {};
    throw error;
  }
}

function tokenOf(answer: ProviderAnswer): Grant {
  const body = read(answer);
  const accessToken = tokenIn(body.access_token);
  if (accessToken === undefined) throw new Trouble('retry', 'no_token');
  // System users' tokens have no end.
  const lifeMs = lifeMsIn(body.expires_in);
  return { accessToken, ...(lifeMs !== undefined && { lifeMs }) };
}

/** All pages of a list, by their cursors: the address of the next page that Meta gives has the token in it. */
function* pages(url: string, fields: string, accessToken: string): Talk<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  let after: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const body = read(yield get(address(url, { fields, limit: pageSize, after }), bearer(accessToken)));
    rows.push(...listOf(body.data));
    const paging = object(body.paging);
    after = paging?.next === undefined ? undefined : nameIn(object(paging.cursors)?.after, 500) || undefined;
    if (after === undefined) return rows;
  }
  return rows;
}

const rateCodes = new Set([4, 17, 32, 613]);
const retryCodes = new Set([1, 2, 341, 368]);
const authCodes = new Set([102, 190]);
/** Of 190: its time is over. The others, an application that was removed, a password that was changed, are somebody's act. */
const expiredSubcode = 463;

/** Meta's error dialect, as its table in the reference has it. @throws Trouble */
function read(answer: ProviderAnswer): Record<string, unknown> {
  const error = object(object(answer.body)?.error);
  if (error === undefined) {
    const body = readAnswer(answer);
    if (isSuccess(answer)) return body;
    throw new Trouble('config', `http_${answer.status}`);
  }
  const code = Number(error.code);
  const subcode = Number(error.error_subcode);
  const said = codeIn(error.code, `http_${answer.status}`) + (subcode > 0 ? `.${subcode}` : '');
  const pause = { retryAfterMs: retryAfterMs(answer) };
  if (rateCodes.has(code) || (code >= 80_000 && code <= 80_014) || answer.status === 429)
    throw new Trouble('rate_limited', said, pause);
  if (error.is_transient === true || answer.status >= 500 || retryCodes.has(code))
    throw new Trouble('retry', said, pause);
  // A code that was used or is too old is of the exchange, and not of a token that was granted before.
  if (code === 100 && subcode === 36_009) throw new Trouble('auth', said);
  if (authCodes.has(code)) throw new Trouble('auth', said, { isOver: true, isExpired: subcode === expiredSubcode });
  throw new Trouble('config', said);
}
