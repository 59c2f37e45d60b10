import { createHmac } from 'node:crypto';
import { type EmulatedAnswer, type EmulatedRequest, objectOf } from './admin.ts';
import { bearerOf } from './oauth.ts';
import { equal } from './oidc.ts';
import { postbacks } from './postbacks.ts';
import { isAmount, isCurrency, isPastSecond, unhashedIn } from './tally.ts';

type Event = Record<string, unknown>;
type Fault = string | undefined;

/** How one platform asks and answers. Of a fault: which part of the request is to blame. */
export interface Dialect {
  /** Absent: `POST`. */
  method?: 'GET';
  path: RegExp;
  eventsMax: number;
  isSigned(
    request: EmulatedRequest,
    isToken: (token: string | undefined) => boolean,
    known: { now: number; tokens: readonly string[] },
  ): boolean;
  /** Of a GET its parameters are the body. */
  eventsOf(body: Record<string, unknown>): unknown;
  nameOf(event: Event): unknown;
  idOf(event: Event, request: EmulatedRequest): unknown;
  isTest(request: EmulatedRequest): boolean;
  /** For how long an id is known; absent: for good. */
  sameMs?: number;
  faultOf(event: Event, now: number): Fault;
  /** Whether what is right of a request is taken where something is wrong. */
  keeps: 'what is right' | 'all or none';
  taken(faults: readonly Fault[]): EmulatedAnswer;
  refused(
    what: 'path' | 'token' | 'account' | 'events' | 'quota',
    message: string,
    faults?: readonly Fault[],
  ): EmulatedAnswer;
}

const statuses = { path: 404, token: 401, account: 403, events: 400, quota: 429 } as const;
const hashedOfPeople = ['em', 'ph', 'fn', 'ln', 'ct', 'st', 'zp', 'country', 'db', 'ge', 'external_id'];
const dayMs = 86_400_000;
/** How far a webhook's time may be from the receiver's (Standard Webhooks). */
const signedMsMax = 5 * 60_000;

/** Beside the reference, from Pinterest's OpenAPI document: codes 2, 8 and 29, and a status for each row. */
const pinterest: Dialect = {
  path: /^\/v5\/ad_accounts\/(\d+)\/events$/,
  eventsMax: 1_000,
  isSigned: (request, isToken) => isToken(bearerOf(request)),
  eventsOf: ({ data }) => data,
  nameOf: ({ event_name }) => event_name,
  idOf: ({ event_id }) => event_id,
  isTest: ({ query }) => query.get('test') === 'true',
  faultOf({ event_name, event_time, event_id, action_source, user_data, custom_data }, now) {
    if (typeof event_name !== 'string' || event_name === '') return 'event_name is missing';
    if (typeof event_id !== 'string' || event_id === '') return 'event_id is missing';
    if (!['web', 'app_android', 'app_ios', 'offline'].includes(String(action_source)))
      return 'action_source is unknown';
    if (!isPastSecond(event_time, now)) return 'event_time is no second that has been';
    const { em, hashed_maids, client_ip_address, client_user_agent } = objectOf(user_data);
    const isReached = client_ip_address !== undefined && client_user_agent !== undefined;
    if (em === undefined && hashed_maids === undefined && !isReached) return 'user_data is of nobody';
    return faultOfPerson(user_data) ?? faultOfText(objectOf(custom_data));
  },
  keeps: 'what is right',
  taken: (faults) => ({
    status: 200,
    body: {
      num_events_received: faults.length,
      num_events_processed: faults.filter((fault) => fault === undefined).length,
      events: faults.map((fault) => ({
        status: fault === undefined ? 'processed' : 'failed',
        ...{ error_message: fault ?? null, warning_message: null },
      })),
    },
  }),
  refused: (what, message) => {
    const code = { path: 404, token: 2, account: 29, events: 1, quota: 8 }[what];
    return { status: statuses[what], body: { code, message } };
  },
};

/** The token stands in the address. */
const snap: Dialect = {
  path: /^\/v3\/([\w-]+)\/events$/,
  eventsMax: 2_000,
  isSigned: ({ query }, isToken) => isToken(query.get('access_token') ?? undefined),
  eventsOf: ({ data }) => data,
  nameOf: ({ event_name }) => event_name,
  idOf: ({ event_id }) => event_id,
  isTest: () => false,
  faultOf({ event_name, event_time, action_source, event_source_url, user_data, custom_data }, now) {
    if (typeof event_name !== 'string' || event_name === '') return 'event_name is missing';
    if (!['WEB', 'MOBILE_APP', 'OFFLINE'].includes(String(action_source))) return 'action_source is unknown';
    if (action_source === 'WEB' && typeof event_source_url !== 'string') return 'event_source_url is missing';
    if (!isPastSecond(event_time, now)) return 'event_time is no second that has been';
    if (Object.keys(objectOf(user_data)).length === 0) return 'user_data is of nobody';
    return faultOfPerson(user_data) ?? faultOfText(objectOf(custom_data));
  },
  keeps: 'all or none',
  taken: (faults) => ({ status: 200, body: { status: 'OK', reason: `${faults.length} events were taken.` } }),
  refused: (what, reason) => ({
    status: statuses[what],
    body: { status: what === 'events' ? 'INVALID' : 'FAILED', reason },
  }),
};

/** Its words are free text. From Reddit's own reference, as Segment keeps a copy: 1,000 of a request, hashes of an address. */
const reddit: Dialect = {
  path: /^\/api\/v2\.0\/conversions\/events\/(\w+)$/,
  eventsMax: 1_000,
  isSigned: (request, isToken) => isToken(bearerOf(request)),
  eventsOf: ({ events }) => events,
  nameOf: ({ event_type }) => {
    const { tracking_type, custom_event_name } = objectOf(event_type);
    return tracking_type === 'Custom' ? custom_event_name : tracking_type;
  },
  idOf: ({ event_metadata }) => objectOf(event_metadata).conversion_id,
  isTest: ({ body }) => objectOf(body).test_mode === true,
  faultOf({ event_at, event_type, event_metadata, user }, now) {
    const at = momentOf(event_at);
    if (at === undefined) return 'event_at is no time';
    if (now - at > 7 * dayMs) return 'event_at is older than 7 days';
    if (at > now + 60_000) return 'event_at is in the future';
    const { tracking_type, custom_event_name = '' } = objectOf(event_type);
    if (typeof tracking_type !== 'string') return 'event_type.tracking_type is missing';
    if (String(custom_event_name).length > 64) return 'event_type.custom_event_name is longer than 64 characters';
    const raw = unhashedIn(objectOf(user), ['email', 'external_id', 'ip_address', 'idfa', 'aaid']);
    if (raw !== undefined) return `user.${raw} is not hashed`;
    const { value_decimal, currency } = objectOf(event_metadata);
    if (!isAmount(value_decimal)) return 'value_decimal is no number';
    return isCurrency(currency) ? undefined : 'currency is none';
  },
  keeps: 'all or none',
  taken: (faults) => ({ status: 200, body: { message: `Successfully processed ${faults.length} conversion events.` } }),
  refused: (what, message) => ({ status: statuses[what], body: { message } }),
};

/**
 * Not in the reference: X's page of web conversions. Signed with OAuth 1.0a, of which the token alone is looked at, or the
 * pixel's. Recalled: codes but INVALID_PARAMETER, and `operation_errors`.
 */
const x: Dialect = {
  path: /^\/12\/measurement\/conversions\/(\w+)$/,
  eventsMax: 500,
  isSigned({ headers }, isToken) {
    const [, signed] = /^OAuth .*oauth_token="([^"]+)"/.exec(headers.authorization ?? '') ?? [];
    return isToken(signed ?? headers['x-pixel-token']?.toString());
  },
  eventsOf: ({ conversions }) => conversions,
  nameOf: ({ event_id }) => event_id,
  idOf: ({ conversion_id }) => conversion_id,
  isTest: () => false,
  faultOf({ conversion_time, event_id, identifiers, value, price_currency }, now) {
    const at = momentOf(conversion_time);
    if (at === undefined || at > now + 60_000) return 'conversion_time is none that has been';
    if (typeof event_id !== 'string' || !/^(?:tw-)?[a-z0-9]+(?:-[a-z0-9]+)?$/i.test(event_id))
      return 'event_id is none';
    const people = Array.isArray(identifiers) ? identifiers.map(objectOf) : [];
    const known = ['twclid', 'hashed_email', 'hashed_phone_number'];
    if (!people.some((person) => known.some((name) => person[name] !== undefined))) return 'identifiers are of nobody';
    for (const person of people) {
      const raw = unhashedIn(person, ['hashed_email', 'hashed_phone_number']);
      if (raw !== undefined) return `${raw} is not hashed`;
    }
    if (!isAmount(value)) return 'value is no number';
    return isCurrency(price_currency) ? undefined : 'price_currency is none';
  },
  keeps: 'all or none',
  taken: (faults) => ({ status: 200, body: { data: { conversions_processed: faults.length, debug_id: 'emulator' } } }),
  refused(what, message, faults) {
    const names = { path: 'NOT_FOUND', token: 'UNAUTHORIZED_ACCESS', account: 'FORBIDDEN', quota: 'TOO_MANY_REQUESTS' };
    const code = what === 'events' ? 'INVALID_PARAMETER' : names[what];
    const rows = faults?.map((fault) => (fault === undefined ? [] : [{ code: 'INVALID_PARAMETER', message: fault }]));
    const body = { errors: [{ code, message }], ...(rows !== undefined && { operation_errors: rows }) };
    return { status: statuses[what], body };
  },
};

/** Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp` and `webhook-signature` over both and the body, byte for byte. */
const webhook: Dialect = {
  path: /^\//,
  eventsMax: 1,
  isSigned({ headers, text }, isToken, { now, tokens }) {
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers;
    if (Number.isNaN(Number(at)) || Math.abs(Number(at) * 1_000 - now) > signedMsMax) return false;
    const given = String(signature).split(' ');
    return tokens.filter(isToken).some((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      const right = `v1,${createHmac('sha256', key).update(`${id}.${at}.${text}`).digest('base64')}`;
      return given.some((each) => equal(each, right));
    });
  },
  eventsOf: (body) => (Object.keys(body).length === 0 ? undefined : [body]),
  nameOf: ({ type }) => type,
  idOf: (_, { headers }) => headers['webhook-id'],
  isTest: () => false,
  faultOf({ type, timestamp, data }) {
    if (typeof type !== 'string' || momentOf(timestamp) === undefined) return 'type or timestamp is missing';
    const user = objectOf(objectOf(data).user);
    const named = Object.keys(user);
    const raw = unhashedIn(
      user,
      named.filter((name) => name.endsWith('_sha256')),
    );
    if (raw !== undefined) return `user.${raw} is not hashed`;
    const bare = named.find((name) => ['email', 'phone', 'external_id'].includes(name));
    return bare === undefined ? undefined : `user.${bare} is in clear`;
  },
  keeps: 'all or none',
  taken: () => ({ status: 204, body: '' }),
  refused: (what, error) => ({ status: statuses[what], body: { error } }),
};

export const dialects = { pinterest, snap, reddit, x, webhook, ...postbacks };

function faultOfPerson(user: unknown): Fault {
  const raw = unhashedIn(objectOf(user), hashedOfPeople);
  return raw === undefined ? undefined : `user_data.${raw} is not hashed`;
}

/** Amounts as text. */
function faultOfText({ value, currency }: Event): Fault {
  const isText = value === undefined || (typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value));
  if (!isText) return 'custom_data.value is no decimal as text';
  return isCurrency(currency) ? undefined : 'custom_data.currency is none';
}

/** ISO 8601 with an offset, in milliseconds since 1970. */
function momentOf(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
