import type { AnswerClass, Conversion } from '../../../contract/conversion.ts';
import { jsonAmount } from '../conversions/amount.ts';
import { adsDateTime } from '../conversions/moment.ts';
import { type GoogleIdentifiers, googleIdentifiers } from '../identifiers/google.ts';
import { codeText, mostUrgent, object, retryAfterMs, seriesOf, versionRefused, withPause } from './answer_parts.ts';
import { momentOf } from './conversion_rules.ts';
import type {
  Answer,
  ApiVersion,
  Asked,
  Destination,
  Item,
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
  isCorrection,
  readGoogleSettings,
  refuseForGoogle,
  variablesOf,
} from './google_account.ts';
import { googleError, readOutside, readStatus, secondsMs } from './google_errors.ts';

const version: ApiVersion = { standard: 'v25', is: /^v\d{1,3}$/, variable: 'FAIRLEAD_GOOGLE_ADS_VERSION' };
const endpoint = 'https://googleads.googleapis.com';
const identifiersMax = 5;
const hourMs = 3_600_000;
/** An adjustment is taken for as long after its conversion; what is older itself is about one that is older still. */
const adjustmentAgeMsMax = 54 * 24 * hourMs;

/**
 * Google Ads' own upload, for developer tokens that used it before mid-2026; everybody else is refused there and goes by
 * Data Manager. Refunds and restatements are adjustments, at another address and known by the order alone.
 */
export const googleAdsUpload: Destination<GoogleSettings, GoogleIdentifiers> = {
  id: 'google-ads-upload',
  label: 'Google Ads (upload, for tokens from before mid-2026)',
  receiver: {
    ...{ ...googleCompany, label: 'Google Ads (upload)', host: 'googleads.googleapis.com' },
    variable: 'FAIRLEAD_RELAY_GOOGLE_ADS_URL',
  },
  version,
  batchMax: 2_000,
  purposes: ['ad_user_data'],
  matchesBy: ['email', 'phone', 'gclid', 'gbraid', 'wbraid'],
  fields: googleFields,
  examples: { settings: { customer_id: '1', conversion_action_id: '2' } },
  picks: googlePicks,
  secret: googleSecret,
  credential: { kind: 'bearer' },
  // Operations are counted by the day, and a request is one: with Explorer access 2,880.
  rate: { perMinute: 60 },
  eventSetting: 'conversion_action_id',
  asksForRest: true,
  asDryRun: (request) => ({ ...request, body: { ...object(request.body), validateOnly: true } }),
  ageMsMax: (conversion) => (isCorrection(conversion) ? adjustmentAgeMsMax : googleAgeMsMax),

  settings: (given) => readGoogleSettings(given, 'Google Ads upload'),
  identify: ({ user }) => googleIdentifiers(user),

  refuse({ conversion, identifiers }, settings, now) {
    const refusal = refuseForGoogle(conversion, settings, now, googleAdsUpload.ageMsMax?.(conversion));
    if (refusal !== undefined) return refusal;
    // Adjustments work with gclid and gbraid: by a wbraid Google finds no conversion, whatever its order (reference, Braids).
    if (isCorrection(conversion) && clickOf(conversion)?.name === 'wbraid')
      return { reason: 'not_supported', field: 'click_ids.wbraid' };
    if (isCorrection(conversion) || clickOf(conversion) !== undefined || identifiersOf(identifiers).length > 0)
      return undefined;
    return { reason: 'no_identifier', field: 'user' };
  },

  together: ({ conversion }) => (isCorrection(conversion) ? 'adjustments' : 'conversions'),

  build(items, settings, _now, at = version.standard): OutgoingRequest {
    const { customer_id, login_customer_id } = settings;
    const corrections = items.filter(({ conversion }) => isCorrection(conversion)).length;
    if (corrections > 0 && corrections < items.length)
      throw new RangeError('conversions and adjustments go to two addresses');
    const customer = `${endpoint}/${at}/customers/${customer_id}`;
    return {
      method: 'POST',
      url: `${customer}:${corrections > 0 ? 'uploadConversionAdjustments' : 'uploadClickConversions'}`,
      headers: {
        'content-type': 'application/json',
        ...(login_customer_id === undefined ? {} : { 'login-customer-id': login_customer_id }),
      },
      // Without it one wrong row would refuse all, and Google asks for it.
      body:
        corrections > 0
          ? { conversionAdjustments: items.map((item) => adjustmentOf(item, settings)), partialFailure: true }
          : { conversions: items.map((item) => conversionOf(item, settings)), partialFailure: true },
    };
  },

  read,
};

const environments: Readonly<Partial<Record<string, string>>> = { website: 'WEB', app: 'APP' };

function conversionOf(
  { conversion, identifiers, id }: Item<GoogleIdentifiers>,
  settings: GoogleSettings,
): Record<string, unknown> {
  const { value, currency, action_source = '' } = conversion;
  const sent: Record<string, unknown> = {
    conversionAction: actionOf(settings),
    conversionDateTime: adsDateTime(momentOf(conversion)),
    orderId: id,
  };
  const click = clickOf(conversion);
  // Exactly one of them: what a click says is not said again by its person.
  if (click !== undefined) sent[click.name] = click.id;
  else sent.userIdentifiers = identifiersOf(identifiers);
  if (value !== undefined) sent.conversionValue = jsonAmount(value);
  if (currency !== undefined) sent.currencyCode = currency;
  const consent = googleConsent(conversion);
  if (consent !== undefined) sent.consent = consent;
  if (environments[action_source] !== undefined) sent.conversionEnvironment = environments[action_source];
  if (hasCart(conversion)) sent.cartData = cartOf(conversion);
  const customVariables = customVariablesOf(conversion, settings);
  if (customVariables.length > 0) sent.customVariables = customVariables;
  return sent;
}

/** A refund of the whole takes the order out; anything else says what it is worth now. */
function adjustmentOf({ conversion, id }: Item<GoogleIdentifiers>, settings: GoogleSettings): Record<string, unknown> {
  const { value, currency, refund } = conversion;
  const sent = {
    conversionAction: actionOf(settings),
    adjustmentType: refund === true ? 'RETRACTION' : 'RESTATEMENT',
    orderId: id,
    adjustmentDateTime: adsDateTime(momentOf(conversion)),
  };
  if (refund === true || value === undefined) return sent;
  return { ...sent, restatementValue: { adjustedValue: jsonAmount(value), currencyCode: currency } };
}

function actionOf({ customer_id, conversion_action_id }: GoogleSettings): string {
  return `customers/${customer_id}/conversionActions/${conversion_action_id}`;
}

/** Mail addresses and phones alone: this interface refuses any other kind. */
function identifiersOf({ emails, phones }: GoogleIdentifiers): Record<string, unknown>[] {
  return [
    ...emails.map((hashedEmail) => ({ hashedEmail, userIdentifierSource: 'FIRST_PARTY' })),
    ...phones.map((hashedPhoneNumber) => ({ hashedPhoneNumber, userIdentifierSource: 'FIRST_PARTY' })),
  ].slice(0, identifiersMax);
}

function cartOf({ items = [], merchant }: Conversion): Record<string, unknown> {
  const cart: Record<string, unknown> = {};
  if (merchant !== undefined) {
    cart.merchantId = merchant.id;
    if (merchant.feed_country !== undefined) cart.feedCountryCode = merchant.feed_country.toUpperCase();
    if (merchant.feed_language !== undefined) cart.feedLanguageCode = merchant.feed_language.toLowerCase();
  }
  cart.items = items.map(({ id, quantity = 1, price }) => ({
    productId: id,
    quantity,
    ...(price === undefined ? {} : { unitPrice: jsonAmount(price) }),
  }));
  return cart;
}

/** This interface knows a variable by its number alone; one that is named by a word stays here. */
function customVariablesOf(conversion: Conversion, { customer_id }: GoogleSettings): Record<string, unknown>[] {
  return variablesOf(conversion)
    .filter(([name]) => /^\d{1,19}$/.test(name))
    .map(([name, value]) => ({
      conversionCustomVariable: `customers/${customer_id}/conversionCustomVariables/${name}`,
      value,
    }));
}

/**
 * Codes of errors, whichever list of Google's they are from: those of uploads, of adjustments and of requests. Read in the
 * protos of v25 (conversion_upload_error, conversion_adjustment_upload_error, authentication, authorization, quota, request),
 * but for `INVALID_CONVERSION_ACTION`, which is older.
 */
const codes: Readonly<Record<string, AnswerClass>> = {
  ...allOf('treat_as_delivered', 'ORDER_ID_ALREADY_IN_USE CLICK_CONVERSION_ALREADY_EXISTS'),
  ...allOf(
    'treat_as_delivered',
    'CONVERSION_ALREADY_RETRACTED CONVERSION_ALREADY_ENHANCED CALL_CONVERSION_ALREADY_EXISTS',
  ),
  // One of the same moment is there: ours, whose answer was lost.
  ...allOf('treat_as_delivered', 'RESTATEMENT_ALREADY_EXISTS'),
  ...allOf('retry_later', 'TOO_RECENT_EVENT TOO_RECENT_CALL TOO_RECENT_CONVERSION_ACTION TOO_RECENT_CONVERSION'),
  // Two of one request that are the same: neither was taken, and one of them alone will be.
  ...allOf('retry', 'DUPLICATE_ORDER_ID DUPLICATE_CLICK_CONVERSION_IN_REQUEST DUPLICATE_CALL_CONVERSION_IN_REQUEST'),
  ...allOf('retry', 'DUPLICATE_ADJUSTMENT_IN_REQUEST DUPLICATE_ENHANCEMENT_IN_REQUEST'),
  ...allOf('config', 'CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE PARTIAL_FAILURE_MODE_REQUIRED UNSUPPORTED_VERSION'),
  ...allOf('config', 'CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS'),
  ...allOf('config', 'CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCED_CONVERSIONS NO_CONVERSION_ACTION_FOUND'),
  ...allOf('config', 'INVALID_CONVERSION_ACTION INVALID_CONVERSION_ACTION_TYPE CUSTOM_VARIABLE_NOT_ENABLED'),
  ...allOf('config', 'EXTERNAL_ATTRIBUTION_DATA_SET_FOR_NON_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION'),
  ...allOf('config', 'EXTERNAL_ATTRIBUTION_DATA_NOT_SET_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION'),
  ...allOf('config', 'ORDER_ID_NOT_PERMITTED_FOR_EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION INVALID_JOB_ID'),
  ...allOf('config', 'EXTERNALLY_ATTRIBUTED_CONVERSION_ACTION_NOT_PERMITTED_WITH_USER_IDENTIFIER'),
  ...allOf('config', 'CUSTOMER_NOT_FOUND CUSTOMER_NOT_ENABLED USER_PERMISSION_DENIED ACCESS_PROHIBITED'),
  ...allOf('config', 'CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT CUSTOMER_DATA_POLICY_PROHIBITS_ENHANCEMENT'),
  ...allOf('config', 'CANNOT_RESTATE_CONVERSION_ACTION_THAT_ALWAYS_USES_DEFAULT_CONVERSION_VALUE'),
  ...allOf('config', 'CLIENT_CUSTOMER_ID_INVALID DEVELOPER_TOKEN_INVALID DEVELOPER_TOKEN_PARAMETER_MISSING'),
  ...allOf('config', 'ORGANIZATION_NOT_RECOGNIZED ORGANIZATION_NOT_APPROVED CLOUD_PROJECT_NOT_FOUND'),
  ...allOf('config', 'ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN LOGIN_CUSTOMER_ID_PARAMETER_MISSING'),
  ...allOf('config', 'INVALID_CUSTOMER_ID RESOURCE_NOT_FOUND RESOURCE_NAME_MALFORMED BAD_RESOURCE_ID'),
  ...allOf('config', 'CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT'),
  ...allOf('permanent', 'TOO_MANY_CONVERSIONS_IN_REQUEST UNPARSEABLE_GCLID UNPARSEABLE_GBRAID UNPARSEABLE_WBRAID'),
  ...allOf(
    'permanent',
    'CONVERSION_PRECEDES_EVENT EXPIRED_EVENT EVENT_NOT_FOUND CLICK_NOT_FOUND UNAUTHORIZED_CUSTOMER',
  ),
  ...allOf('permanent', 'CONVERSION_TRACKING_NOT_ENABLED_AT_IMPRESSION_TIME INVALID_CUSTOMER_FOR_CLICK'),
  ...allOf('permanent', 'EXPIRED_CALL CALL_NOT_FOUND CONVERSION_PRECEDES_CALL UNPARSEABLE_CALLERS_PHONE_NUMBER'),
  ...allOf('permanent', 'CONVERSION_TRACKING_NOT_ENABLED_AT_CALL_TIME INVALID_CUSTOMER_FOR_CALL'),
  ...allOf('permanent', 'CUSTOM_VARIABLE_VALUE_CONTAINS_PII ORDER_ID_CONTAINS_PII INVALID_USER_IDENTIFIER'),
  ...allOf('permanent', 'UNSUPPORTED_USER_IDENTIFIER CONVERSION_NOT_COMPLIANT_WITH_ATT_POLICY GBRAID_WBRAID_BOTH_SET'),
  ...allOf('permanent', 'ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID'),
  ...allOf('permanent', 'CONVERSION_NOT_FOUND CONVERSION_EXPIRED ADJUSTMENT_PRECEDES_CONVERSION'),
  ...allOf('permanent', 'MORE_RECENT_RESTATEMENT_FOUND TOO_MANY_ADJUSTMENTS TOO_MANY_ADJUSTMENTS_IN_REQUEST'),
  ...allOf('permanent', 'GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET MISSING_ORDER_ID_FOR_WEBPAGE'),
  ...allOf('permanent', 'REQUIRED_FIELD_MISSING INVALID_ENUM_VALUE'),
};

/** How long ago a click, a call or an action has to be. */
const laterMs: Readonly<Record<string, number>> = {
  TOO_RECENT_EVENT: 6 * hourMs,
  TOO_RECENT_CALL: 6 * hourMs,
  TOO_RECENT_CONVERSION_ACTION: 6 * hourMs,
  TOO_RECENT_CONVERSION: 24 * hourMs,
};

/** What a whole list of codes means, where the code itself is not named above. Names as in `errors.proto` of v25. */
const families: Readonly<Record<string, AnswerClass>> = {
  ...allOf('retry', 'internalError databaseError'),
  ...allOf('rate_limited', 'quotaError'),
  ...allOf('auth', 'authenticationError'),
  ...allOf('config', 'authorizationError notAllowlistedError headerError'),
  ...allOf('permanent', 'dateError fieldError fieldMaskError stringFormatError stringLengthError rangeError'),
  ...allOf('permanent', 'currencyCodeError currencyError distinctError notEmptyError sizeLimitError'),
  ...allOf('permanent', 'enumError collectionSizeError'),
};

function allOf(answerClass: AnswerClass, names: string): Record<string, AnswerClass> {
  return Object.fromEntries(names.split(' ').map((name) => [name, answerClass]));
}

function read(answer: Answer, asked: Asked = {}): Verdict {
  const { sent, now } = asked;
  const outside = readOutside(answer, asked);
  if (outside !== undefined) return outside;
  const body = object(answer.body);
  const error = googleError(answer.body);
  if (error === undefined) return readRows(body, sent);
  const whole = readStatus(answer, error, now);
  const failures = failuresOf(error.details);
  const worst = mostUrgent(failures);
  if (worst?.reason === 'UNSUPPORTED_VERSION') return versionRefused(worst.reason, asked);
  // A 401 may be about the account or the project, which no new token changes: its code says so.
  const isSetUp = whole?.class === 'auth' && failures.length > 0 && failures.every(isConfig);
  if (isSetUp && worst !== undefined) return { class: 'config', reason: worst.reason };
  if (whole !== undefined && (answer.status >= 500 || whole.class === 'auth' || whole.class === 'rate_limited'))
    return withPause(whole.class, worst?.reason ?? whole.reason, whole.retryAfterMs ?? worst?.retryAfterMs);
  const placed = failures.filter(({ index }) => index !== undefined);
  // A row that makes Google refuse all of them stays behind, and the others are sent again at once.
  if (placed.length > 0 && placed.length === failures.length)
    return { class: 'retry', reason: 'INVALID_ARGUMENT', rows: rowsOf(placed) };
  const said = worst ?? whole;
  if (said === undefined) return { class: 'permanent', reason: error.reason || 'INVALID_ARGUMENT' };
  const pauseMs = said.retryAfterMs ?? retryAfterMs(answer, now) ?? whole?.retryAfterMs;
  return withPause(said.class, said.reason, said.class === 'permanent' ? undefined : pauseMs);
}

const isConfig = ({ class: answerClass }: Failure) => answerClass === 'config';

interface Failure {
  readonly index: number | undefined;
  readonly class: AnswerClass;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** HTTP 200: what is not named among the failures is there. */
function readRows(body: Record<string, unknown> | undefined, sent: number | undefined): Verdict {
  if (body === undefined) return { class: 'retry', reason: 'http_200' };
  const partial = object(body.partialFailureError);
  if (partial === undefined) return { class: 'accepted', reason: 'uploaded' };
  const failures = failuresOf(
    seriesOf(partial.details)
      .map(object)
      .filter((each) => each !== undefined),
  );
  // A place that nothing was sent at says nothing, and results that are not one for each row say nothing of any.
  const isPlaced = ({ index }: Failure) => index !== undefined && (sent === undefined || index < sent);
  const rows = rowsOf(failures.filter(isPlaced));
  const loose = failures.filter((each) => !isPlaced(each));
  const results =
    Array.isArray(body.results) && body.results.length === (sent ?? body.results.length) ? body.results : undefined;
  if (rows.length > 0 && loose.length === 0 && results === undefined)
    return { class: 'accepted', reason: 'uploaded', rows };
  return readUnplaced(loose, rows, results, sent);
}

/**
 * Failed rows have an empty result, those too of which no failure says the place. Where as many failures without one as there are
 * such rows say the same, that is what they are. Else all of them are sent again, which is safe under an order's id; so is the whole
 * request where no result is there.
 */
function readUnplaced(
  loose: readonly Failure[],
  rows: readonly RowVerdict[],
  results: readonly unknown[] | undefined,
  sent: number | undefined,
): Verdict {
  if (results === undefined) {
    const { class: answerClass, reason, retryAfterMs: ms } = agreedOf(loose, 1);
    if (sent !== undefined && sent > 1) return { class: 'retry', reason, ...(rows.length > 0 ? { rows } : {}) };
    return withPause(answerClass, reason, ms);
  }
  const named = new Set(rows.map(({ index }) => index));
  const empty = results.flatMap((result, index) =>
    Object.keys(object(result) ?? {}).length > 0 || named.has(index) ? [] : [index],
  );
  const { class: answerClass, reason, retryAfterMs: ms } = agreedOf(loose, empty.length);
  const unnamed = empty.map(
    (index): RowVerdict => ({ index, class: answerClass, reason, ...(ms === undefined ? {} : { retryAfterMs: ms }) }),
  );
  return { class: 'accepted', reason: 'uploaded', rows: [...rows, ...unnamed] };
}

/** @param rows that they have to be about */
function agreedOf(loose: readonly Failure[], rows: number): Omit<Failure, 'index'> {
  const [first] = loose;
  const agreed = first !== undefined && loose.length >= rows && loose.every((each) => each.class === first.class);
  return agreed ? first : { class: 'retry', reason: mostUrgent(loose)?.reason ?? 'partial_failure' };
}

/** One verdict for each row, however many errors it has. */
function rowsOf(failures: readonly Failure[]): RowVerdict[] {
  const byRow = new Map<number, Failure[]>();
  for (const failure of failures) {
    const index = failure.index as number;
    byRow.set(index, [...(byRow.get(index) ?? []), failure]);
  }
  return [...byRow].map(([index, all]) => ({ ...(mostUrgent(all) as Failure), index }));
}

function failuresOf(details: readonly Record<string, unknown>[]): Failure[] {
  return details.flatMap((detail) => seriesOf(detail.errors).map(failureOf));
}

function failureOf(given: unknown): Failure {
  const error = object(given);
  const [family = '', code] = Object.entries(object(error?.errorCode) ?? {})[0] ?? [];
  const reason = codeText(code, family === '' ? 'UNKNOWN' : codeText(family, 'UNKNOWN'));
  const answerClass = own(codes, reason) ?? own(families, family) ?? 'retry';
  const quota = object(object(error?.details)?.quotaErrorDetails);
  const retryAfterMs = own(laterMs, reason) ?? secondsMs(quota?.retryDelay);
  const index = indexOf(object(error?.location)?.fieldPathElements);
  return { index, class: answerClass, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

function own<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The row that an error is about; some errors name none. */
function indexOf(path: unknown): number | undefined {
  const index = object(seriesOf(path)[0])?.index;
  return typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : undefined;
}
