import { type EmulatedAnswer, type EmulatedRequest, type EmulatorParts, objectOf, openEmulator } from './admin.ts';
import type { Counted } from './counted.ts';

/**
 * Google's Data Manager API, after `reference/conversion-relay.md`: `POST /v1/events:ingest` refuses a whole request for one
 * wrong row and names the row; `GET /v1/requestStatus:retrieve` says later, by counts alone, what became of one. A second
 * event of one conversion action under the same `transactionId` restates the first, an unmatched one is a new conversion.
 *
 * `POST /__admin/platform` takes `tokens` (`{"ya29": ["…/auth/datamanager"]}`; an empty list is a token that was revoked),
 * `processingMs`, `rejects` (`{"order-7": "CLICK_NOT_FOUND"}`: what processing will say of a transaction; null: nothing any more), and `spentToday`,
 * so many requests of the day's quota, once the day's first was made.
 * `GET /__admin` tells the counts and the `conversions`, each with what it was restated to.
 */
export function openDataManagerEmulator(settings: DataManagerSettings & EmulatorParts) {
  return openEmulator(new DataManager(settings), settings);
}

interface DataManagerSettings {
  /** By token its scopes. */
  tokens: Record<string, string[]>;
  /** By account, digits, the numbers of its conversion actions. */
  accounts: Record<string, string[]>;
  processingMs?: number;
  /** Scopes of a token that somebody else gave, such as the emulator of Google's OAuth; undefined where it is not good. */
  issued?: (token: string) => readonly string[] | undefined;
}

interface Conversion {
  account: string;
  action: string;
  transactionId: string | null;
  event: Record<string, unknown>;
  /** Events that came after it under its id. */
  restated: number;
}

interface Taken {
  at: number;
  /** By destination of the request: how many events, and what was wrong with some. */
  destinations: { destination: object; count: number; reasons: Map<string, number> }[];
}

interface Violation {
  field: string;
  description: string;
  reason: string;
}

const scope = 'https://www.googleapis.com/auth/datamanager';
const eventsMax = 2_000;
const destinationsMax = 10;
const identifiersMax = 10;
const perMinute = 300;
const perDay = 100_000;
const minuteMs = 60_000;
const tooOldMs = 90 * 86_400_000;
const accountTypes = ['GOOGLE_ADS', 'DISPLAY_VIDEO_ADVERTISER', 'DATA_PARTNER', 'GOOGLE_ANALYTICS_PROPERTY'];
const eventSources = ['WEB', 'APP', 'IN_STORE', 'PHONE', 'MESSAGE', 'OTHER'];
const consents = ['CONSENT_GRANTED', 'CONSENT_DENIED'];
const typesUrl = 'type.googleapis.com/google.rpc';
const httpStatuses = {
  ...{ INVALID_ARGUMENT: 400, UNAUTHENTICATED: 401, PERMISSION_DENIED: 403, NOT_FOUND: 404, RESOURCE_EXHAUSTED: 429 },
} as const;

class GoogleRefusal extends Error {
  readonly code: keyof typeof httpStatuses;
  readonly details: object[];
  constructor(code: keyof typeof httpStatuses, message: string, details: object[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

function infoOf(reason: string, metadata: Record<string, string> = {}): object {
  const service = { service: 'datamanager.googleapis.com', ...metadata };
  return { '@type': `${typesUrl}.ErrorInfo`, reason, domain: 'googleapis.com', metadata: service };
}

class DataManager {
  readonly #settings: DataManagerSettings;
  #tokens!: Map<string, string[]>;
  #rejects!: Map<string, string>;
  #processingMs!: number;
  #conversions!: Map<string, Conversion>;
  #taken!: Map<string, Taken>;
  #counts!: { requests: number; refused: number; validated: number; events: number; adjustments: number };
  /** Reading and writing are counted apart. */
  #quotas!: Record<'Mutate' | 'Read', { minute: number; inMinute: number; day: string; inDay: number }>;

  constructor(settings: DataManagerSettings) {
    this.#settings = settings;
    this.reset();
  }

  reset(): void {
    this.#tokens = new Map(Object.entries(this.#settings.tokens));
    this.#rejects = new Map();
    this.#processingMs = this.#settings.processingMs ?? 60_000;
    this.#conversions = new Map();
    this.#taken = new Map();
    this.#counts = { requests: 0, refused: 0, validated: 0, events: 0, adjustments: 0 };
    const none = () => ({ minute: 0, inMinute: 0, day: '', inDay: 0 });
    this.#quotas = { Mutate: none(), Read: none() };
  }

  set({ tokens, rejects, processingMs, spentToday }: Record<string, unknown>): void {
    for (const [token, scopes] of Object.entries(objectOf(tokens))) this.#tokens.set(token, scopes as string[]);
    for (const [id, reason] of Object.entries(objectOf(rejects)))
      if (reason === null) this.#rejects.delete(id);
      else this.#rejects.set(id, String(reason));
    if (typeof processingMs === 'number') this.#processingMs = processingMs;
    if (typeof spentToday === 'number') this.#quotas.Mutate.inDay = spentToday;
  }

  state(): object {
    return { ...this.#counts, conversions: [...this.#conversions.values()] };
  }

  counted(): readonly Counted[] {
    return [...this.#conversions.values()].map(({ account, action, transactionId: id, restated }) => ({
      to: `${account}/${action}`,
      event: null,
      id,
      received: restated + 1,
    }));
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#counts.requests++;
    try {
      return { status: 200, body: this.#route(request, now) };
    } catch (error) {
      if (!(error instanceof GoogleRefusal)) throw error;
      this.#counts.refused++;
      return answerOf(error);
    }
  }

  quota(): EmulatedAnswer {
    return answerOf(tooMany('IngestionMutateRequestsPerMinutePerProject'));
  }

  #route({ method, path, query, headers, body }: EmulatedRequest, now: number): object {
    const isIngest = method === 'POST' && path === '/v1/events:ingest';
    if (!isIngest && !(method === 'GET' && path === '/v1/requestStatus:retrieve'))
      throw new GoogleRefusal('NOT_FOUND', 'Method not found.');
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const scopes = this.#tokens.get(token) ?? this.#settings.issued?.(token) ?? [];
    if (scopes.length === 0)
      throw new GoogleRefusal('UNAUTHENTICATED', 'Request had invalid authentication credentials.', [
        infoOf(headers.authorization === undefined ? 'CREDENTIALS_MISSING' : 'ACCESS_TOKEN_EXPIRED'),
      ]);
    if (!scopes.includes(scope))
      throw new GoogleRefusal('PERMISSION_DENIED', 'Request had insufficient authentication scopes.', [
        infoOf('ACCESS_TOKEN_SCOPE_INSUFFICIENT'),
      ]);
    this.#spend(isIngest ? 'Mutate' : 'Read', now);
    return isIngest ? this.#ingest(objectOf(body), now) : this.#status(query.get('requestId') ?? '', now);
  }

  /** A minute is one of the clock; a day begins anew at midnight in California. */
  #spend(kind: 'Mutate' | 'Read', now: number): void {
    const quota = this.#quotas[kind];
    const minute = Math.floor(now / minuteMs);
    const day = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Los_Angeles' }).format(now);
    if (quota.minute !== minute) Object.assign(quota, { minute, inMinute: 0 });
    if (quota.day !== day) Object.assign(quota, { day, inDay: 0 });
    const limit = quota.inDay >= perDay ? 'PerDay' : quota.inMinute >= perMinute ? 'PerMinute' : undefined;
    if (limit !== undefined) throw tooMany(`Ingestion${kind}Requests${limit}PerProject`);
    quota.inMinute++;
    quota.inDay++;
  }

  #ingest(said: Record<string, unknown>, now: number): object {
    const violations = checkRequest(said, this.#settings.accounts);
    if (violations.length > 0)
      throw new GoogleRefusal('INVALID_ARGUMENT', 'There was a problem with the request.', [
        infoOf('INVALID_ARGUMENT'),
        { '@type': `${typesUrl}.BadRequest`, fieldViolations: violations },
      ]);
    const destinations = (said.destinations as unknown[]).map(objectOf);
    const events = (said.events as unknown[]).map(objectOf);
    const fieldWarnings = events.flatMap(warningsOf);
    const warned = fieldWarnings.length > 0 ? { fieldWarnings } : {};
    if (said.validateOnly === true) {
      this.#counts.validated++;
      return warned;
    }
    const taken: Taken = {
      at: now,
      destinations: destinations.map((destination) => {
        const reasons = new Map<string, number>();
        for (const event of events) {
          const reason = this.#reasonAgainst(event, said.consent, now);
          if (reason === undefined) this.#keep(destination, event);
          else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        }
        return { destination, count: events.length, reasons };
      }),
    };
    this.#counts.events += events.length;
    const requestId = `request-${String(this.#taken.size + 1).padStart(8, '0')}`;
    this.#taken.set(requestId, taken);
    return { requestId, ...warned };
  }

  /** What only processing finds out, and only counts tell. */
  #reasonAgainst(event: Record<string, unknown>, consent: unknown, now: number): string | undefined {
    const scripted = this.#rejects.get(String(event.transactionId));
    if (scripted !== undefined) return scripted;
    if (now - Date.parse(String(event.eventTimestamp)) > tooOldMs) return 'EVENT_TOO_OLD';
    const { adUserData } = { ...objectOf(consent), ...objectOf(event.consent) };
    return adUserData === 'CONSENT_DENIED' ? 'DENIED_CONSENT' : undefined;
  }

  #keep(destination: Record<string, unknown>, event: Record<string, unknown>): void {
    const account = String(objectOf(destination.operatingAccount).accountId);
    const action = String(destination.productDestinationId);
    const transactionId = typeof event.transactionId === 'string' ? event.transactionId : null;
    const key = JSON.stringify([account, action, transactionId ?? this.#conversions.size]);
    const known = transactionId === null ? undefined : this.#conversions.get(key);
    if (known === undefined) {
      this.#conversions.set(key, { account, action, transactionId, event, restated: 0 });
      return;
    }
    known.event = { ...known.event, ...event };
    known.restated++;
    this.#counts.adjustments++;
  }

  #status(requestId: string, now: number): object {
    const taken = this.#taken.get(requestId);
    if (taken === undefined)
      throw new GoogleRefusal('INVALID_ARGUMENT', 'There was a problem with the request.', [
        infoOf('INVALID_ARGUMENT'),
        { '@type': `${typesUrl}.BadRequest`, fieldViolations: [violation('request_id', 'INVALID_REQUEST_ID')] },
      ]);
    const isDone = now - taken.at >= this.#processingMs;
    return {
      requestStatusPerDestination: taken.destinations.map(({ destination, count, reasons }) => {
        if (!isDone) return { destination, requestStatus: 'PROCESSING' };
        const events = { eventsIngestionStatus: { recordCount: String(count) } };
        if (reasons.size === 0) return { destination, requestStatus: 'SUCCESS', ...events };
        const failed = [...reasons.values()].reduce((sum, each) => sum + each, 0);
        const errorCounts = [...reasons].map(([reason, each]) => ({
          recordCount: String(each),
          reason: `PROCESSING_ERROR_REASON_${reason}`,
        }));
        const requestStatus = failed === count ? 'FAILED' : 'PARTIAL_SUCCESS';
        return { destination, requestStatus, errorInfo: { errorCounts }, ...events };
      }),
    };
  }
}

function answerOf({ code, message, details }: GoogleRefusal): EmulatedAnswer {
  return { status: httpStatuses[code], body: { error: { code: httpStatuses[code], message, status: code, details } } };
}

function tooMany(quota_limit: string): GoogleRefusal {
  return new GoogleRefusal('RESOURCE_EXHAUSTED', 'Quota exceeded.', [infoOf('RATE_LIMIT_EXCEEDED', { quota_limit })]);
}

function violation(field: string, reason: string, description = `${field} is refused`): Violation {
  return { field, description, reason };
}

/** Everything that refuses a request, by the field that is to blame. */
function checkRequest(said: Record<string, unknown>, accounts: Record<string, string[]>): Violation[] {
  const { destinations, events, encoding, consent } = said;
  const found: Violation[] = [];
  const say = (field: string, reason: string) => found.push(violation(field, reason));
  if (!Array.isArray(destinations) || destinations.length === 0) say('destinations', 'REQUIRED_FIELD_MISSING');
  else if (destinations.length > destinationsMax) say('destinations', 'TOO_MANY_DESTINATIONS');
  else {
    destinations.map(objectOf).forEach((each, at) => {
      checkDestination(each, `destinations[${at}]`, accounts, say);
    });
  }
  if (!Array.isArray(events) || events.length === 0) say('events', 'REQUIRED_FIELD_MISSING');
  else if (events.length > eventsMax) say('events', 'TOO_MANY_EVENTS');
  else {
    const hasPeople = events.some((each) => objectOf(each).userData !== undefined);
    if (encoding === undefined && hasPeople) say('encoding', 'REQUIRED_FIELD_MISSING');
    else if (encoding !== undefined && encoding !== 'HEX' && encoding !== 'BASE64')
      say('encoding', 'INVALID_ENUM_VALUE');
    events.map(objectOf).forEach((each, at) => {
      checkEvent(each, `events[${at}]`, encoding, say);
    });
  }
  checkConsent(consent, 'consent', say);
  return found;
}

type Say = (field: string, reason: string) => void;

function checkDestination(
  { operatingAccount, loginAccount, productDestinationId }: Record<string, unknown>,
  at: string,
  accounts: Record<string, string[]>,
  say: Say,
): void {
  for (const [account, field, isNeeded] of [
    [operatingAccount, `${at}.operating_account`, true],
    [loginAccount, `${at}.login_account`, false],
  ] as const) {
    if (account === undefined) {
      if (isNeeded) say(field, 'REQUIRED_FIELD_MISSING');
      continue;
    }
    const { accountType, accountId } = objectOf(account);
    if (!accountTypes.includes(String(accountType))) say(`${field}.account_type`, 'INVALID_ENUM_VALUE');
    if (!/^\d+$/.test(String(accountId))) say(`${field}.account_id`, 'INVALID_NUMBER_FORMAT');
  }
  const id = String(productDestinationId);
  const owner = String(objectOf(operatingAccount).accountId);
  const actions = accounts[owner];
  if (productDestinationId === undefined) say(`${at}.product_destination_id`, 'REQUIRED_FIELD_MISSING');
  else if (!/^\d+$/.test(id)) say(`${at}.product_destination_id`, 'INVALID_NUMBER_FORMAT');
  else if (actions === undefined) {
    if (/^\d+$/.test(owner)) say(at, 'INVALID_DESTINATION');
  } else if (!actions.includes(id)) say(`${at}.product_destination_id`, 'INVALID_CONVERSION_ACTION_ID');
}

/** RFC 3339. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function checkEvent(event: Record<string, unknown>, at: string, encoding: unknown, say: Say): void {
  const { transactionId, eventTimestamp, eventSource, adIdentifiers, userData, currency, conversionValue } = event;
  if (eventTimestamp === undefined) say(`${at}.event_timestamp`, 'REQUIRED_FIELD_MISSING');
  else if (!timestamp.test(String(eventTimestamp)) || Number.isNaN(Date.parse(String(eventTimestamp))))
    say(`${at}.event_timestamp`, 'INVALID_FORMAT');
  if (transactionId !== undefined && (typeof transactionId !== 'string' || transactionId === ''))
    say(`${at}.transaction_id`, 'INVALID_FORMAT');
  // Needed for what did not happen on a tagged page, which nobody can tell here.
  if (eventSource === undefined) say(`${at}.event_source`, 'REQUIRED_FIELD_MISSING');
  else if (!eventSources.includes(String(eventSource))) say(`${at}.event_source`, 'INVALID_ENUM_VALUE');
  const { gclid, gbraid, wbraid, dclid } = objectOf(adIdentifiers);
  if (gbraid !== undefined && wbraid !== undefined) say(`${at}.ad_identifiers`, 'MULTIPLE_DATA_TYPES_NOT_ALLOWED');
  const { userIdentifiers } = objectOf(userData);
  const people: unknown[] = Array.isArray(userIdentifiers) ? userIdentifiers : [];
  if (userData !== undefined && people.length === 0) say(`${at}.user_data.user_identifiers`, 'REQUIRED_FIELD_MISSING');
  if (people.length === 0 && [gclid, gbraid, wbraid, dclid].every((each) => each === undefined))
    say(at, 'NO_IDENTIFIERS_PROVIDED');
  if (people.length > identifiersMax) say(`${at}.user_data.user_identifiers`, 'TOO_MANY_USER_IDENTIFIERS');
  else {
    people.map(objectOf).forEach((each, place) => {
      checkIdentifier(each, `${at}.user_data.user_identifiers[${place}]`, encoding, say);
    });
  }
  checkConsent(event.consent, `${at}.consent`, say);
  if (currency !== undefined && !/^[A-Z]{3}$/.test(String(currency))) say(`${at}.currency`, 'INVALID_CURRENCY_CODE');
  if (conversionValue !== undefined && (typeof conversionValue !== 'number' || !Number.isFinite(conversionValue)))
    say(`${at}.conversion_value`, 'INVALID_NUMBER_FORMAT');
}

/** Each is exactly one of its kinds; hashes are 32 bytes, region and postal code clear text. */
function checkIdentifier(identifier: Record<string, unknown>, at: string, encoding: unknown, say: Say): void {
  const [kind, ...more] = Object.keys(identifier);
  const checkHash = (value: unknown, field: string) => {
    const reason = hashFault(value, encoding);
    if (reason !== undefined) say(`${at}.${field}`, reason);
  };
  if (kind === undefined || more.length > 0) say(at, 'MULTIPLE_DATA_TYPES_NOT_ALLOWED');
  else if (kind === 'emailAddress') checkHash(identifier.emailAddress, 'email_address');
  else if (kind === 'phoneNumber') checkHash(identifier.phoneNumber, 'phone_number');
  else if (kind === 'address') {
    const { givenName, familyName, regionCode, postalCode } = objectOf(identifier.address);
    checkHash(givenName, 'address.given_name');
    checkHash(familyName, 'address.family_name');
    if (!/^[A-Z]{2}$/.test(String(regionCode))) say(`${at}.address.region_code`, 'INVALID_COUNTRY_CODE');
    if (typeof postalCode !== 'string' || postalCode === '') say(`${at}.address.postal_code`, 'INVALID_POSTAL_CODE');
  } else say(`${at}.${kind}`, 'INVALID_ARGUMENT');
}

function hashFault(value: unknown, encoding: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return 'REQUIRED_FIELD_MISSING';
  if (encoding === 'BASE64') {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return 'INVALID_BASE64_ENCODING';
    return Buffer.from(value, 'base64').length === 32 ? undefined : 'INVALID_SHA256_FORMAT';
  }
  if (!/^[0-9a-fA-F]+$/.test(value)) return 'INVALID_HEX_ENCODING';
  return value.length === 64 ? undefined : 'INVALID_SHA256_FORMAT';
}

function checkConsent(consent: unknown, at: string, say: Say): void {
  const { adUserData, adPersonalization } = objectOf(consent);
  if (adUserData !== undefined && !consents.includes(String(adUserData)))
    say(`${at}.ad_user_data`, 'INVALID_ENUM_VALUE');
  if (adPersonalization !== undefined && !consents.includes(String(adPersonalization)))
    say(`${at}.ad_personalization`, 'INVALID_ENUM_VALUE');
}

/** Taken, and left out: a cart and custom variables beside a braid. The words of these reasons are our own. */
function warningsOf({ adIdentifiers, cartData, customVariables }: Record<string, unknown>, at: number): Violation[] {
  const { gbraid, wbraid } = objectOf(adIdentifiers);
  if (gbraid === undefined && wbraid === undefined) return [];
  const warnings: Violation[] = [];
  if (cartData !== undefined) warnings.push(violation(`events[${at}].cart_data`, 'CART_DATA_WITH_BRAID'));
  if (customVariables !== undefined)
    warnings.push(violation(`events[${at}].custom_variables`, 'CUSTOM_VARIABLES_WITH_BRAID'));
  return warnings;
}
