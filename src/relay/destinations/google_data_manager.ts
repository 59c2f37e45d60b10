import type { AnswerClass, Conversion } from '../../../contract/conversion.ts';
import { regionOf } from '../../trust/consent/index.ts';
import { jsonAmount } from '../conversions/amount.ts';
import { rfc3339 } from '../conversions/moment.ts';
import { countryCode } from '../identifiers/countries.ts';
import { type GoogleIdentifiers, googleIdentifiers } from '../identifiers/google.ts';
import { answeredAt, codeText, mostUrgent, numberIn, object, seriesOf, withPause } from './answer_parts.ts';
import { actionSourceOf, momentOf } from './conversion_rules.ts';
import type {
  Answer,
  ApiVersion,
  Asked,
  Destination,
  Item,
  LaterResult,
  OutgoingRequest,
  RowVerdict,
  Verdict,
} from './destination.ts';
import {
  clickOf,
  type GoogleSettings,
  googleAgeMsMax,
  googleCompany,
  googleConsent,
  googleFields,
  googlePicks,
  googleSecret,
  hasCart,
  readGoogleSettings,
  refuseForGoogle,
  variablesOf,
} from './google_account.ts';
import { type GoogleError, googleError, readOutside, readStatus } from './google_errors.ts';
import { sentAddress } from './sent_parts.ts';

interface Known extends GoogleIdentifiers {
  device?: Readonly<Record<string, string>>;
}

const version: ApiVersion = { standard: 'v1', is: /^v\d{1,3}$/, variable: 'FAIRLEAD_DATA_MANAGER_VERSION' };
const host = 'https://datamanager.googleapis.com';
/** Of one event, all kinds together. */
const identifiersMax = 10;

/** It takes events before it has looked at them, and says later by counts what it did with a request. */
const later: LaterResult = {
  numberIn({ body }) {
    const number = object(body)?.requestId;
    return typeof number === 'string' && /^[\w:/.=-]{1,200}$/.test(number) ? number : undefined;
  },
  build: (number, at = version.standard) => ({
    ...{ method: 'GET', headers: {}, body: undefined },
    url: `${host}/${at}/requestStatus:retrieve?requestId=${encodeURIComponent(number)}`,
  }),
  describe({ body }) {
    const said = seriesOf(object(body)?.requestStatusPerDestination).map((each) => {
      const destination = object(each);
      const counts = seriesOf(object(destination?.errorInfo)?.errorCounts).map((one) => {
        const reason = codeText(object(one)?.reason, 'UNSPECIFIED').replace(prefix, '');
        return `${reason} ${numberIn(object(one)?.recordCount) || '?'}`;
      });
      return [codeText(destination?.requestStatus, 'REQUEST_STATUS_UNKNOWN'), ...counts].join(', ');
    });
    const isOpen = said.length === 0 || said.some((each) => /^(?:PROCESSING|REQUEST_STATUS_UNKNOWN)\b/.test(each));
    return isOpen ? undefined : said.join('; ').slice(0, 200);
  },
  refused({ body }, sent) {
    const counts = seriesOf(object(body)?.requestStatusPerDestination).map((each) => {
      const said = object(each);
      if (said?.requestStatus === 'SUCCESS') return 0;
      const rows = seriesOf(object(said?.errorInfo)?.errorCounts).reduce<number>(
        (sum, one) => sum + (Number(numberIn(object(one)?.recordCount)) || 0),
        0,
      );
      return rows === 0 && said?.requestStatus !== 'PARTIAL_SUCCESS' ? sent : rows;
    });
    return Math.min(sent, Math.max(0, ...counts));
  },
};

/** Google Data Manager API: the way to Google Ads for everybody. Needs no developer token and no header of a manager. */
export const googleDataManager: Destination<GoogleSettings, Known> = {
  id: 'google-data-manager',
  label: 'Google Ads (Data Manager)',
  receiver: { ...googleCompany, host: 'datamanager.googleapis.com', variable: 'FAIRLEAD_RELAY_DATA_MANAGER_URL' },
  version,
  // An error of Google's says 10,000; its limits say 2,000.
  batchMax: 2_000,
  purposes: ['ad_user_data'],
  matchesBy: ['email', 'phone', 'name_address', 'gclid', 'gbraid', 'wbraid'],
  fields: googleFields,
  examples: { settings: { customer_id: '1', conversion_action_id: '2' } },
  picks: googlePicks,
  secret: googleSecret,
  credential: { kind: 'bearer' },
  rate: { perMinute: 300, perProject: { perMinute: 300, perDay: 100_000 } },
  eventSetting: 'conversion_action_id',
  asksForRest: true,
  asDryRun: (request) => ({ ...request, body: { ...object(request.body), validateOnly: true } }),
  later,
  ageMsMax: () => googleAgeMsMax,

  settings: (given) => readGoogleSettings(given, 'Google Data Manager'),
  identify(conversion) {
    const known: Known = googleIdentifiers(conversion.user);
    const device = deviceOf(conversion);
    return device === undefined ? known : { ...known, device };
  },

  refuse({ conversion, identifiers }, settings, now) {
    const refusal = refuseForGoogle(conversion, settings, now);
    if (refusal !== undefined) return refusal;
    if (clickOf(conversion) !== undefined || identifiersOf(identifiers).length > 0) return undefined;
    return { reason: 'no_identifier', field: 'user' };
  },

  build(items, settings, _now, at = version.standard): OutgoingRequest {
    return {
      method: 'POST',
      url: `${host}/${at}/events:ingest`,
      headers: { 'content-type': 'application/json' },
      body: { destinations: [destinationOf(settings)], encoding: 'HEX', events: items.map(eventOf) },
    };
  },

  read,
};

function destinationOf({ customer_id, login_customer_id, conversion_action_id }: GoogleSettings) {
  const account = (accountId: string) => ({ accountType: 'GOOGLE_ADS', accountId });
  return {
    operatingAccount: account(customer_id),
    ...(login_customer_id === undefined ? {} : { loginAccount: account(login_customer_id) }),
    productDestinationId: conversion_action_id,
  };
}

const eventSources = {
  website: 'WEB',
  app: 'APP',
  physical_store: 'IN_STORE',
  phone_call: 'PHONE',
  chat: 'MESSAGE',
  business_messaging: 'MESSAGE',
  email: 'OTHER',
  system_generated: 'OTHER',
  other: 'OTHER',
} as const;

function eventOf({ conversion, identifiers, id }: Item<Known>): Record<string, unknown> {
  const { value, currency, refund } = conversion;
  const event: Record<string, unknown> = {
    // The same for each attempt. A second event under it restates the first; a new one would be a new conversion.
    transactionId: id,
    eventTimestamp: rfc3339(momentOf(conversion)),
    eventSource: eventSources[actionSourceOf(conversion) ?? 'other'],
  };
  const click = clickOf(conversion);
  if (click !== undefined) event.adIdentifiers = { [click.name]: click.id };
  const userIdentifiers = identifiersOf(identifiers);
  if (userIdentifiers.length > 0) event.userData = { userIdentifiers };
  const consent = googleConsent(conversion, 'CONSENT_');
  if (consent !== undefined) event.consent = consent;
  if (value !== undefined) event.conversionValue = jsonAmount(value);
  else if (refund === true) event.conversionValue = 0;
  if (currency !== undefined) event.currency = currency;
  if (hasCart(conversion)) event.cartData = cartOf(conversion);
  const customVariables = variablesOf(conversion).map(([variable, said]) => ({ variable, value: said }));
  if (customVariables.length > 0) event.customVariables = customVariables;
  const { device } = identifiers;
  if (device !== undefined) event.eventDeviceInfo = device;
  return event;
}

/** Each exactly one of its kinds. Where there are more than may go, the last phone stays here. */
function identifiersOf({ emails, phones, address }: GoogleIdentifiers): Record<string, unknown>[] {
  const wanted: Record<string, unknown>[] = emails.map((emailAddress) => ({ emailAddress }));
  if (address !== undefined) {
    const { given_name, family_name, region_code, postal_code } = address;
    wanted.push({
      address: { givenName: given_name, familyName: family_name, regionCode: region_code, postalCode: postal_code },
    });
  }
  return [...wanted, ...phones.map((phoneNumber) => ({ phoneNumber }))].slice(0, identifiersMax);
}

function cartOf({ items = [], merchant }: Conversion): Record<string, unknown> {
  const cart: Record<string, unknown> = {};
  if (merchant !== undefined) {
    cart.merchantId = merchant.id;
    if (merchant.feed_country !== undefined) cart.merchantFeedLabel = merchant.feed_country.toUpperCase();
    if (merchant.feed_language !== undefined) cart.merchantFeedLanguageCode = merchant.feed_language.toLowerCase();
  }
  cart.items = items.map(({ id, quantity = 1, price }) => ({
    merchantProductId: id,
    quantity,
    ...(price === undefined ? {} : { unitPrice: jsonAmount(price) }),
  }));
  return cart;
}

/** The address and the browser of somebody who is known to be outside the EEA, the UK and Switzerland, and of nobody else. */
function deviceOf({ user }: Conversion): Record<string, string> | undefined {
  const region = regionOf(countryCode(user?.country) ?? '');
  if (region === 'eea' || region === 'uk' || region === 'ch' || region === 'unknown') return undefined;
  const device: Record<string, string> = {};
  if (user?.user_agent !== undefined) device.userAgent = user.user_agent;
  const ipAddress = sentAddress(user?.ip);
  if (ipAddress !== undefined) device.ipAddress = ipAddress;
  return Object.keys(device).length === 0 ? undefined : device;
}

/** Reasons of a refused request that only somebody who sets up the account can end. */
const configReasons: ReadonlySet<string> = new Set([
  ...(['INVALID_DESTINATION', 'TOO_MANY_DESTINATIONS', 'DUPLICATE_DESTINATION_REFERENCE'] as const),
  ...(['INVALID_CONVERSION_ACTION_ID', 'INVALID_CONVERSION_ACTION_TYPE', 'TERMS_AND_CONDITIONS_NOT_SIGNED'] as const),
  ...(['DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS'] as const),
  ...(['DESTINATION_ACCOUNT_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS'] as const),
  ...(['DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED'] as const),
  ...(['DIFFERENT_LOGIN_ACCOUNTS_NOT_ALLOWED_FOR_DATA_PARTNER'] as const),
]);
/** Reasons that are about what was sent. Of many rows one is meant: the batch is halved until it is alone. */
const wrongReasons: ReadonlySet<string> = new Set([
  ...(['INVALID_ARGUMENT', 'REQUIRED_FIELD_MISSING', 'INVALID_FORMAT', 'INVALID_HEX_ENCODING'] as const),
  ...(['INVALID_BASE64_ENCODING', 'INVALID_SHA256_FORMAT', 'INVALID_POSTAL_CODE', 'INVALID_COUNTRY_CODE'] as const),
  ...([
    'INVALID_ENUM_VALUE',
    'TOO_MANY_USER_IDENTIFIERS',
    'MULTIPLE_DATA_TYPES_NOT_ALLOWED',
    'TOO_MANY_EVENTS',
  ] as const),
  ...(['INVALID_NUMBER_FORMAT', 'INVALID_CURRENCY_CODE', 'INVALID_EVENT', 'NO_IDENTIFIERS_PROVIDED'] as const),
]);

/** The answer to events, and to `requestStatus:retrieve`. */
function read(answer: Answer, asked: Asked = {}): Verdict {
  const { now } = asked;
  const outside = readOutside(answer, asked);
  if (outside !== undefined) return outside;
  const error = googleError(answer.body);
  if (error === undefined) return readSuccess(object(answer.body));
  if (answer.status === 429 || error.status === 'RESOURCE_EXHAUSTED') return readQuota(answer, error, now);
  return readStatus(answer, error, now) ?? readInvalid(error);
}

/** Without an id nobody can ask what became of it; an empty object is the answer to a request that was only to be checked. */
function readSuccess(said: Record<string, unknown> | undefined): Verdict {
  if (said !== undefined && Array.isArray(said.requestStatusPerDestination))
    return readProcessed(said.requestStatusPerDestination);
  const isTaken = typeof said?.requestId === 'string' && said.requestId !== '';
  if (isTaken || (said !== undefined && Object.keys(said).length === 0))
    return { class: 'accepted', reason: 'ingested' };
  return { class: 'retry', reason: 'no_request_id' };
}

const minuteMs = 60_000;
const quotaZone = new Intl.DateTimeFormat('en-US', {
  ...{ timeZone: 'America/Los_Angeles', hourCycle: 'h23' },
  ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
});

/** 300 requests a minute and 100,000 a day of a Cloud project, and which of them it was stands in the error. */
function readQuota(answer: Answer, error: GoogleError, now: number | undefined): Verdict {
  const limits = error.details.map((each) => codeText(object(each.metadata)?.quota_limit, ''));
  const limit = limits.find((each) => each !== '') ?? '';
  const verdict = readStatus(answer, error, now) as Verdict;
  const asked = verdict.retryAfterMs;
  if (limit.includes('PerDay'))
    return withPause('rate_limited', limit, Math.max(asked ?? 0, untilReset(answeredAt(answer) ?? now)));
  if (limit.includes('PerMinute')) return withPause('rate_limited', limit, asked ?? minuteMs);
  return verdict;
}

/** Quotas of a day begin anew at midnight in California. A day where nobody knows what time it is. */
function untilReset(now: number | undefined): number {
  const dayMs = 24 * 60 * minuteMs;
  if (now === undefined) return dayMs;
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value ?? 0);
  const parts = quotaZone.formatToParts(now);
  const passed = ((part('hour') * 60 + part('minute')) * 60 + part('second')) * 1000;
  return Math.max(minuteMs, dayMs - passed);
}

/** One wrong row refuses the request: the rows it names stay behind, the others are sent again at once. */
function readInvalid({ details, reason }: GoogleError): Verdict {
  const violations = details
    .flatMap((each) => seriesOf(each.fieldViolations))
    .map((each) => ({
      row: rowIn(object(each)?.field),
      isSetting: isOfDestination(object(each)?.field),
      reason: codeText(object(each)?.reason, reason || 'INVALID_ARGUMENT'),
    }));
  const rows = new Map<number, RowVerdict>();
  for (const { row, reason: of } of violations)
    if (row !== undefined && !rows.has(Number(row)))
      rows.set(Number(row), { index: Number(row), class: 'permanent', reason: of });
  if (rows.size > 0) return { class: 'retry', reason: 'INVALID_ARGUMENT', rows: [...rows.values()] };
  // What a violation says is more exact than the error around it, which is INVALID_ARGUMENT whatever it is about.
  const all = [...violations.map((each) => each.reason), reason];
  // A fault of what the settings say is one of each request: no conversion is to blame for it.
  const setting = violations.find(({ isSetting }) => isSetting)?.reason;
  const config = all.find((each) => configReasons.has(each)) ?? setting;
  if (config !== undefined) return { class: 'config', reason: config };
  const said = all.find((each) => each !== '') ?? 'INVALID_ARGUMENT';
  return { class: wrongReasons.has(said) ? 'permanent' : 'retry', reason: said };
}

/** `3` of `events[3].currency`. */
function rowIn(field: unknown): string | undefined {
  return typeof field === 'string' ? /\bevents\[(\d{1,6})\]/.exec(field)?.[1] : undefined;
}

/** `destinations[0].login_account.account_id`, which is made of settings alone. */
function isOfDestination(field: unknown): boolean {
  return typeof field === 'string' && /^destinations\b/.test(field);
}

const prefix = /^PROCESSING_ERROR_(?:REASON_)?/;
const laterMs = 6 * 3_600_000;
/** Of what is too recent, by the reference: what has to be a day old, and six hours for all else. */
const dayLater: ReadonlySet<string> = new Set(['TOO_RECENT_CONVERSION']);

/** The 44 of `ProcessingErrorReason`, without UNSPECIFIED, which says nothing. */
const processed: Readonly<Record<string, AnswerClass>> = {
  ...allOf('treat_as_delivered', 'DUPLICATE_TRANSACTION_ID DUPLICATE_GCLID'),
  ...allOf('retry_later', 'TOO_RECENT_CLICK'),
  ...allOf('retry', 'INTERNAL_ERROR'),
  ...allOf('config', 'NO_CONSENT CUSTOM_VARIABLE_NOT_ENABLED EXTERNAL_ATTRIBUTION_DATA_MISSING'),
  ...allOf('config', 'DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED'),
  ...allOf('config', 'DECRYPTION_ERROR DEK_DECRYPTION_ERROR INVALID_WIP INVALID_KEK WIP_AUTH_FAILED AWS_AUTH_FAILED'),
  ...allOf('config', 'KEK_PERMISSION_DENIED USER_IDENTIFIER_DECRYPTION_ERROR'),
  ...allOf('permanent', 'EVENT_TOO_OLD DENIED_CONSENT UNKNOWN_CONSENT CONVERSION_PRECEDES_CLICK'),
  ...allOf('permanent', 'CLICK_NOT_FOUND INVALID_CLICK INVALID_OPERATING_ACCOUNT_FOR_CLICK'),
  ...allOf('permanent', 'OPERATING_ACCOUNT_MISMATCH_FOR_AD_IDENTIFIER INVALID_AD_IDENTIFIERS INVALID_MOBILE_ID_FORMAT'),
  ...allOf('permanent', 'INVALID_GBRAID INVALID_GCLID INVALID_WBRAID INVALID_MERCHANT_ID INVALID_CUSTOM_VARIABLE'),
  ...allOf('permanent', 'INVALID_EVENT INVALID_FORMAT INSUFFICIENT_MATCHED_TRANSACTIONS INSUFFICIENT_TRANSACTIONS'),
  ...allOf('permanent', 'ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID ORIGINAL_CONVERSIONS_NOT_FOUND'),
  ...allOf('permanent', 'MATCH_ID_NOT_FOUND USER_ID_NOT_FOUND USER_ID_NOT_FOUND_FOR_MATCH_ID EVENT_ID_DECODE_ERROR'),
  ...allOf('permanent', 'USER_ID_NOT_FOUND_FOR_GCLID USER_ID_NOT_FOUND_FOR_DCLID USER_ID_NOT_FOUND_FOR_IMPRESSION_ID'),
};

function allOf(answerClass: AnswerClass, reasons: string): Record<string, AnswerClass> {
  return Object.fromEntries(reasons.split(' ').map((reason) => [reason, answerClass]));
}

/** What became of a request since: counts by reason, and never which row. PROCESSING: ask again, the events are there. */
function readProcessed(destinations: readonly unknown[]): Verdict {
  const all = destinations.flatMap((each): Verdict[] => {
    const said = object(each);
    const status = codeText(said?.requestStatus, '');
    if (status === 'SUCCESS') return [{ class: 'accepted', reason: 'SUCCESS' }];
    const reasons = seriesOf(object(said?.errorInfo)?.errorCounts).map((count) => codeText(object(count)?.reason, ''));
    if (!/^(?:FAILED|FAILURE|PARTIAL_SUCCESS)$/.test(status) || reasons.length === 0)
      return [{ class: 'retry', reason: status || 'REQUEST_STATUS_UNKNOWN' }];
    return reasons.map(readReason);
  });
  return mostUrgent(all) ?? { class: 'retry', reason: 'REQUEST_STATUS_UNKNOWN' };
}

function readReason(given: string): Verdict {
  const reason = given.replace(prefix, '');
  const known = Object.hasOwn(processed, reason) ? processed[reason] : undefined;
  // One that is not known yet is read by its family.
  const answerClass = known ?? (reason.startsWith('TOO_RECENT_') ? 'retry_later' : 'retry');
  const pauseMs = dayLater.has(reason) ? 4 * laterMs : laterMs;
  return withPause(answerClass, reason || 'UNSPECIFIED', answerClass === 'retry_later' ? pauseMs : undefined);
}
