import { objectOf } from './admin.ts';
import { type Counted, CountedOnce } from './counted.ts';
import type { AdsAccount, AdsAction } from './google_ads_accounts.ts';
import { type AdsError, AdsRefusal, failureOf, refusal } from './google_ads_refusal.ts';

/**
 * What Google Ads takes of uploads, row by row (`partialFailure` is demanded): a wrong row is named by its index and has an
 * empty result, and the others are taken. The rules and codes are those of the reference's legacy table; which list a code
 * is of, and codes for faults that the table does not name, are those of the protos of v25.
 *
 * `POST /__admin/platform` takes `clicks` (`{"gclid": "2026-11-30T08:00:00Z"}`: when a click was; of others it is long ago)
 * `rejects` (`{"order-7": "conversionUploadError.CLICK_NOT_FOUND"}`: what a row of this order gets, each time) and `tagged`
 * (`[{"account": "1", "action": "7", "orderId": "A-1", "at": "2026-11-29T08:00:00Z"}]`: what a tag on a page has counted).
 */
export type Upload = 'conversions' | 'callConversions' | 'conversionAdjustments';

interface Context {
  now: number;
  version: string;
  requestId: string;
}

interface Conversion {
  account: string;
  action: string;
  orderId: string | null;
  conversion: Record<string, unknown>;
  /** When it happened, in milliseconds since 1970. */
  at: number;
  value: unknown;
  isRetracted: boolean;
  isEnhanced: boolean;
  restatedAt: number | null;
}

type Row = Record<string, unknown>;
type Fault = Omit<AdsError, 'at'> & { field?: string };

const rowsMax = 2_000;
const identifiersMax = 5;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const windowMs = 90 * dayMs;
const adjustmentMs = 54 * dayMs;
const jobIdMax = 2 ** 31;
const families = {
  conversions: 'conversionUploadError',
  callConversions: 'conversionUploadError',
  conversionAdjustments: 'conversionAdjustmentUploadError',
} as const;
const types = { conversions: ['UPLOAD_CLICKS'], callConversions: ['UPLOAD_CALLS'] } as const;
const known: Record<Upload, readonly string[]> = {
  conversions: [
    ...['gclid', 'gbraid', 'wbraid', 'conversionAction', 'conversionDateTime', 'conversionValue', 'currencyCode'],
    ...['orderId', 'externalAttributionData', 'customVariables', 'cartData', 'userIdentifiers', 'consent'],
    ...['conversionEnvironment', 'customerType', 'userIpAddress', 'sessionAttributesEncoded'],
    'sessionAttributesKeyValuePairs',
  ],
  callConversions: [
    ...['callerId', 'callStartDateTime', 'conversionAction', 'conversionDateTime', 'conversionValue', 'currencyCode'],
    ...['customVariables', 'consent'],
  ],
  conversionAdjustments: [
    ...['gclidDateTimePair', 'adjustmentType', 'restatementValue', 'orderId', 'conversionAction'],
    ...['adjustmentDateTime', 'userIdentifiers', 'userAgent'],
  ],
};
const allowlistedFields = ['userIpAddress', 'sessionAttributesEncoded', 'sessionAttributesKeyValuePairs'];

export class AdsUploads {
  readonly #counted = new CountedOnce();
  #conversions = new Map<string, Conversion>();
  #clicks = new Map<string, number>();
  #rejects = new Map<string, string>();

  reset(): void {
    this.#counted.clear();
    this.#conversions = new Map();
    this.#clicks = new Map();
    this.#rejects = new Map();
  }

  set({ clicks, rejects, tagged }: Row): void {
    for (const [id, at] of Object.entries(objectOf(clicks)))
      this.#clicks.set(id, typeof at === 'number' ? at : Date.parse(String(at)));
    for (const [order, code] of Object.entries(objectOf(rejects))) this.#rejects.set(order, String(code));
    for (const { account, action, orderId, at } of Array.isArray(tagged) ? tagged.map(objectOf) : []) {
      const conversionAction = `customers/${account}/conversionActions/${action}`;
      this.#conversions.set(keyOf({ id: String(account) }, { conversionAction, orderId }), {
        ...{ account: String(account), action: String(action), orderId: String(orderId), value: undefined },
        ...{ conversion: { conversionAction, orderId }, at: Date.parse(String(at)) },
        ...{ isRetracted: false, isEnhanced: false, restatedAt: null },
      });
    }
  }

  conversions(): Conversion[] {
    return [...this.#conversions.values()];
  }

  counted(): readonly Counted[] {
    return this.#counted.all();
  }

  /** @throws AdsRefusal for what refuses all of it */
  take(upload: Upload, account: AdsAccount, said: Row, context: Context): object {
    const rows = rowsOf(upload, said);
    const { jobId, validateOnly } = said;
    if (said.partialFailure !== true)
      throw refusal('INVALID_ARGUMENT', 'partialFailureError', 'PARTIAL_FAILURE_MODE_REQUIRED');
    if (jobId !== undefined && !(Number.isInteger(jobId) && Number(jobId) >= 1 && Number(jobId) < jobIdMax))
      throw refusal('INVALID_ARGUMENT', families[upload], 'INVALID_JOB_ID');
    const doubles = doublesIn(upload, rows);
    const errors: AdsError[] = [];
    const results = rows.map((row, index) => {
      const fault = doubles.get(index) ?? this.#faultOf(upload, account, row, context.now);
      if (fault === undefined) {
        if (validateOnly !== true) this.#keep(upload, account, row, context.now);
        return resultOf(row);
      }
      const { field, ...error } = fault;
      errors.push({ ...error, at: [upload, index, ...(field === undefined ? [] : field.split('.'))] });
      return {};
    });
    const message = `Multiple errors in ‘details’. First error: ${errors[0]?.message}`;
    const failure = failureOf(errors, context.version, context.requestId);
    return {
      ...(errors.length > 0 && { partialFailureError: { code: 3, message, details: [failure] } }),
      ...(validateOnly !== true || errors.length > 0 ? { results } : {}),
      jobId: String(jobId ?? 1),
    };
  }

  #faultOf(upload: Upload, account: AdsAccount, row: Row, now: number): Fault | undefined {
    const scripted = this.#rejects.get(String(row.orderId));
    if (scripted !== undefined) {
      const [family = '', code = ''] = scripted.split('.');
      return { family, code, message: `${code}, by order.` };
    }
    if (upload === 'conversionAdjustments') return this.#faultOfAdjustment(account, row, now);
    const { action, fault } = actionOf(upload, account, row, now);
    if (action === undefined) return fault;
    const outside = faultOfTime(row, 'conversionDateTime', now) ?? faultOfAmount(row) ?? faultOfVariables(account, row);
    if (outside !== undefined) return outside;
    return upload === 'conversions'
      ? this.#faultOfClick(account, action, row, now)
      : this.#faultOfCall(account, row, now);
  }

  #faultOfClick(account: AdsAccount, action: AdsAction, row: Row, now: number): Fault | undefined {
    const { gclid, gbraid, wbraid, orderId, userIdentifiers } = row;
    const people: unknown[] = Array.isArray(userIdentifiers) ? userIdentifiers : [];
    const given = Object.entries({ gclid, gbraid, wbraid }).filter(([, id]) => id !== undefined && id !== '');
    if (gbraid !== undefined && wbraid !== undefined) return say('GBRAID_WBRAID_BOTH_SET');
    if (given.length + (people.length > 0 ? 1 : 0) !== 1)
      return given.length === 0
        ? { family: 'fieldError', code: 'REQUIRED', message: 'No click id and no person.', field: 'gclid' }
        : { family: 'fieldError', code: 'VALUE_MUST_BE_UNSET', message: 'More than one of click ids and persons.' };
    const listed = allowlistedFields.find((field) => row[field] !== undefined);
    if (listed !== undefined) {
      const code = 'CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE';
      return { family: 'notAllowlistedError', code, message: `${code}.`, field: listed };
    }
    const of = faultOfPeople(account, people) ?? faultOfConsent(row) ?? faultOfBraid(action, row);
    if (of !== undefined) return of;
    const [name = '', click] = given[0] ?? [];
    if (click !== undefined && !/^[\w-]+$/.test(String(click))) return say(`UNPARSEABLE_${name.toUpperCase()}`, name);
    const at = momentOf(row.conversionDateTime);
    const clickedAt = this.#clicks.get(String(click));
    if (clickedAt !== undefined && at < clickedAt) return say('CONVERSION_PRECEDES_EVENT');
    if (clickedAt !== undefined && now - clickedAt < 6 * hourMs) return say('TOO_RECENT_EVENT');
    if (now - Math.min(clickedAt ?? at, at) > windowMs) return say('EXPIRED_EVENT');
    if (typeof orderId === 'string' && orderId.includes('@')) return say('ORDER_ID_CONTAINS_PII', 'orderId');
    if (!this.#conversions.has(keyOf(account, row))) return undefined;
    this.#countAgain(account, row, now);
    return say(hasOrder(row) ? 'ORDER_ID_ALREADY_IN_USE' : 'CLICK_CONVERSION_ALREADY_EXISTS');
  }

  #faultOfCall(account: AdsAccount, row: Row, now: number): Fault | undefined {
    if (!/^\+[1-9]\d{6,14}$/.test(String(row.callerId))) return say('UNPARSEABLE_CALLERS_PHONE_NUMBER', 'callerId');
    const outside = faultOfTime(row, 'callStartDateTime', now) ?? faultOfConsent(row);
    if (outside !== undefined) return outside;
    const calledAt = momentOf(row.callStartDateTime);
    if (momentOf(row.conversionDateTime) < calledAt) return say('CONVERSION_PRECEDES_CALL');
    if (now - calledAt < 6 * hourMs) return say('TOO_RECENT_CALL');
    if (now - calledAt > windowMs) return say('EXPIRED_CALL');
    if (!this.#conversions.has(keyOf(account, row))) return undefined;
    this.#countAgain(account, row, now);
    return say('CALL_CONVERSION_ALREADY_EXISTS');
  }

  #faultOfAdjustment(account: AdsAccount, row: Row, now: number): Fault | undefined {
    const { adjustmentType: type, gclidDateTimePair: pair, restatementValue, userIdentifiers } = row;
    const { action, fault } = actionOf('conversionAdjustments', account, row, now);
    if (action === undefined) return fault;
    if (!['RETRACTION', 'RESTATEMENT', 'ENHANCEMENT'].includes(String(type)))
      return { family: 'enumError', code: 'ENUM_VALUE_NOT_PERMITTED', message: String(type), field: 'adjustmentType' };
    if (pair !== undefined && hasOrder(row)) return tell('GCLID_DATE_TIME_PAIR_AND_ORDER_ID_BOTH_SET');
    if (pair === undefined && !hasOrder(row))
      return type === 'ENHANCEMENT'
        ? tell('MISSING_ORDER_ID_FOR_WEBPAGE')
        : { family: 'fieldError', code: 'REQUIRED', message: 'Neither an order nor a click.', field: 'orderId' };
    if ((type === 'RESTATEMENT') !== (restatementValue !== undefined))
      return {
        family: 'fieldError',
        code: type === 'RESTATEMENT' ? 'REQUIRED' : 'VALUE_MUST_BE_UNSET',
        ...{ message: 'A restatement has a value, and nothing else has.', field: 'restatementValue' },
      };
    const { adjustedValue, currencyCode } = objectOf(restatementValue);
    const wrong = faultOfAmount({ conversionValue: adjustedValue, currencyCode });
    if (wrong !== undefined) return { ...wrong, field: 'restatementValue' };
    if (type !== 'ENHANCEMENT' || row.adjustmentDateTime !== undefined) {
      const outside = faultOfTime(row, 'adjustmentDateTime', now);
      if (outside !== undefined) return outside;
    }
    if (type === 'ENHANCEMENT') {
      if (action.type !== 'WEBPAGE') return tell('CONVERSION_ACTION_NOT_ELIGIBLE_FOR_ENHANCEMENT');
      if (pair !== undefined) return tell('MISSING_ORDER_ID_FOR_WEBPAGE');
      const people: unknown[] = Array.isArray(userIdentifiers) ? userIdentifiers : [];
      const of = faultOfPeople(account, people, true);
      if (of !== undefined) return of.family === 'conversionUploadError' ? { ...of, family: adjusting } : of;
      if (people.length === 0)
        return { family: 'fieldError', code: 'REQUIRED', message: 'Nobody.', field: 'userIdentifiers' };
    }
    const found = this.#find(account, row);
    // Not with a wbraid: there is nothing that an adjustment could be matched by.
    if (found === undefined || found.conversion.wbraid !== undefined) return tell('CONVERSION_NOT_FOUND');
    const at = type === 'ENHANCEMENT' ? now : momentOf(row.adjustmentDateTime);
    if (at < found.at) return tell('ADJUSTMENT_PRECEDES_CONVERSION');
    if (now - found.at > adjustmentMs) return tell('CONVERSION_EXPIRED');
    if (type !== 'ENHANCEMENT' && now - found.at < dayMs) return tell('TOO_RECENT_CONVERSION');
    if (found.isRetracted) return tell('CONVERSION_ALREADY_RETRACTED');
    if (type === 'ENHANCEMENT') return found.isEnhanced ? tell('CONVERSION_ALREADY_ENHANCED') : undefined;
    if (found.restatedAt === at && type === 'RESTATEMENT') return tell('RESTATEMENT_ALREADY_EXISTS');
    return found.restatedAt !== null && found.restatedAt > at ? tell('MORE_RECENT_RESTATEMENT_FOUND') : undefined;
  }

  #find(account: AdsAccount, { conversionAction, orderId, gclidDateTimePair }: Row): Conversion | undefined {
    const { gclid, conversionDateTime } = objectOf(gclidDateTimePair);
    const row: Row = { conversionAction, orderId, gclid, conversionDateTime };
    if (hasOrder(row)) return this.#conversions.get(keyOf(account, row));
    return this.conversions().find(
      ({ conversion }) =>
        conversion.conversionAction === conversionAction &&
        conversion.gclid === gclid &&
        momentOf(conversion.conversionDateTime) === momentOf(conversionDateTime),
    );
  }

  #keep(upload: Upload, account: AdsAccount, row: Row, now: number): void {
    if (upload === 'conversionAdjustments') {
      const found = this.#find(account, row);
      if (found === undefined) return;
      if (row.adjustmentType === 'RETRACTION') found.isRetracted = true;
      else if (row.adjustmentType === 'ENHANCEMENT') found.isEnhanced = true;
      else {
        found.value = objectOf(row.restatementValue).adjustedValue;
        found.restatedAt = momentOf(row.adjustmentDateTime);
      }
      return;
    }
    this.#countAgain(account, row, now);
    this.#conversions.set(keyOf(account, row), {
      ...{ account: account.id, action: actionIdOf(row), orderId: hasOrder(row) ? String(row.orderId) : null },
      ...{ conversion: row, at: momentOf(row.conversionDateTime), value: row.conversionValue },
      ...{ isRetracted: false, isEnhanced: false, restatedAt: null },
    });
  }

  #countAgain(account: AdsAccount, row: Row, now: number): void {
    const id = hasOrder(row) ? String(row.orderId) : keyOf(account, row);
    this.#counted.take({ to: `${account.id}/${actionIdOf(row)}`, event: null, id }, now);
  }
}

const adjusting = 'conversionAdjustmentUploadError';

function say(code: string, field?: string): Fault {
  return { family: 'conversionUploadError', code, message: `${code}.`, ...(field !== undefined && { field }) };
}

function tell(code: string): Fault {
  return { family: adjusting, code, message: `${code}.` };
}

/** What the JSON itself is wrong in refuses everything, before Google Ads looks at it. */
function rowsOf(upload: Upload, said: Row): Row[] {
  const given = said[upload];
  if (!Array.isArray(given) || given.length === 0)
    throw new AdsRefusal('INVALID_ARGUMENT', [
      { family: 'fieldError', code: 'REQUIRED', message: 'Nothing was sent.', at: [upload] },
    ]);
  if (given.length > rowsMax)
    throw refusal(
      'INVALID_ARGUMENT',
      families[upload],
      upload === 'conversionAdjustments' ? 'TOO_MANY_ADJUSTMENTS_IN_REQUEST' : 'TOO_MANY_CONVERSIONS_IN_REQUEST',
    );
  const rows = given.map(objectOf);
  const violations = rows.flatMap((row, at) =>
    Object.entries(row).flatMap(([name, value]) => {
      if (!known[upload].includes(name))
        return [{ field: `${upload}[${at}]`, description: `Invalid JSON payload received. Unknown name "${name}"` }];
      const isAmount = name === 'conversionValue' && Number.isNaN(Number(value));
      return isAmount ? [{ field: `${upload}[${at}].${name}`, description: 'Invalid value (TYPE_DOUBLE)' }] : [];
    }),
  );
  if (violations.length > 0)
    throw new AdsRefusal('INVALID_ARGUMENT', [], 'Invalid JSON payload received.', [
      { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: violations },
    ]);
  return rows;
}

/** Of rows that are the same one neither is taken. */
function doublesIn(upload: Upload, rows: readonly Row[]): Map<number, Fault> {
  const places = new Map<string, number[]>();
  rows.forEach((row, at) => {
    const { conversionAction, orderId, gclid, gbraid, wbraid, conversionDateTime, callerId, userIdentifiers } = row;
    const isNamed = hasOrder(row);
    const { adjustmentType, gclidDateTimePair } = row;
    const key = JSON.stringify([
      ...[conversionAction, adjustmentType, isNamed ? orderId : gclidDateTimePair],
      isNamed ? null : [gclid, gbraid, wbraid, conversionDateTime, callerId, userIdentifiers],
    ]);
    places.set(key, [...(places.get(key) ?? []), at]);
  });
  const found = new Map<number, Fault>();
  for (const same of places.values()) {
    if (same.length < 2) continue;
    for (const at of same) {
      const row = rows[at] ?? {};
      const fault =
        upload === 'conversionAdjustments'
          ? tell('DUPLICATE_ADJUSTMENT_IN_REQUEST')
          : say(
              hasOrder(row)
                ? 'DUPLICATE_ORDER_ID'
                : `DUPLICATE_${upload === 'conversions' ? 'CLICK' : 'CALL'}_CONVERSION_IN_REQUEST`,
            );
      found.set(at, fault);
    }
  }
  return found;
}

function actionOf(
  upload: Upload,
  account: AdsAccount,
  row: Row,
  now: number,
): { action: AdsAction; fault?: undefined } | { action?: undefined; fault: Fault } {
  const word = upload === 'conversionAdjustments' ? tell : say;
  const fault = (code: string) => ({ fault: { ...word(code), field: 'conversionAction' } });
  const [, owner, id] = /^customers\/(\d+)\/conversionActions\/(\d+)$/.exec(String(row.conversionAction)) ?? [];
  const action = owner === account.id ? account.actions?.find((each) => each.id === id) : undefined;
  if (action === undefined) return fault('NO_CONVERSION_ACTION_FOUND');
  if ((action.status ?? 'ENABLED') !== 'ENABLED') return fault('INVALID_CONVERSION_ACTION');
  if (upload !== 'conversionAdjustments' && !(types[upload] as readonly string[]).includes(action.type))
    return fault('INVALID_CONVERSION_ACTION_TYPE');
  if (now - (action.createdAt ?? Number.NEGATIVE_INFINITY) < 6 * hourMs) return fault('TOO_RECENT_CONVERSION_ACTION');
  return { action };
}

/** With an offset, without thousandths, and no `Z`. */
const dateTime = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d$/;

function momentOf(text: unknown): number {
  return dateTime.test(String(text)) ? Date.parse(String(text).replace(' ', 'T')) : Number.NaN;
}

function faultOfTime(row: Row, field: string, now: number): Fault | undefined {
  const at = momentOf(row[field]);
  if (Number.isNaN(at)) {
    const code = 'INVALID_STRING_DATE_TIME_SECONDS_WITH_OFFSET';
    return { family: 'dateError', code, message: 'Not yyyy-mm-dd hh:mm:ss+hh:mm.', field };
  }
  if (at <= now + 60_000) return undefined;
  return { family: 'dateError', code: 'LATER_THAN_MAXIMUM_DATE', message: 'In the future.', field };
}

function faultOfAmount({ currencyCode }: Row): Fault | undefined {
  if (currencyCode === undefined || /^[A-Z]{3}$/.test(String(currencyCode))) return undefined;
  return { family: 'currencyCodeError', code: 'UNSUPPORTED', message: 'No currency.', field: 'currencyCode' };
}

function faultOfVariables(account: AdsAccount, { customVariables }: Row): Fault | undefined {
  for (const each of Array.isArray(customVariables) ? customVariables.map(objectOf) : []) {
    const name = String(each.conversionCustomVariable);
    if (!new RegExp(`^customers/${account.id}/conversionCustomVariables/\\d+$`).test(name))
      return { family: 'fieldError', code: 'INVALID_VALUE', message: 'No variable.', field: 'customVariables' };
    if (String(each.value).includes('@')) return say('CUSTOM_VARIABLE_VALUE_CONTAINS_PII', 'customVariables');
  }
  return undefined;
}

function faultOfConsent({ consent }: Row): Fault | undefined {
  const words = Object.values(objectOf(consent));
  if (words.every((word) => ['GRANTED', 'DENIED', 'UNSPECIFIED'].includes(String(word)))) return undefined;
  return { family: 'enumError', code: 'ENUM_VALUE_NOT_PERMITTED', message: 'No consent.', field: 'consent' };
}

/** A braid counts many times alone, and takes neither a cart nor variables along. */
function faultOfBraid({ counting }: AdsAction, row: Row): Fault | undefined {
  if (row.gbraid === undefined && row.wbraid === undefined) return undefined;
  if (counting === 'ONE_PER_CLICK') return say('ONE_PER_CLICK_CONVERSION_ACTION_NOT_PERMITTED_WITH_BRAID');
  const extra = ['customVariables', 'cartData'].find((field) => row[field] !== undefined);
  if (extra === undefined) return undefined;
  return { family: 'fieldError', code: 'VALUE_MUST_BE_UNSET', message: 'Not with a braid.', field: extra };
}

/** Hashes of a mail address and of a phone alone; addresses where a conversion is enhanced. */
function faultOfPeople(account: AdsAccount, people: unknown[], isEnhancement = false): Fault | undefined {
  if (people.length === 0) return undefined;
  if (account.acceptedCustomerDataTerms === false) return say('CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS');
  if (account.enhancedConversionsForLeads === false && !isEnhancement)
    return say('CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS');
  if (people.length > identifiersMax)
    return { family: 'collectionSizeError', code: 'TOO_MANY', message: 'Too many.', field: 'userIdentifiers' };
  for (const each of people.map(objectOf)) {
    const { userIdentifierSource: source, ...rest } = each;
    const [kind = '', ...more] = Object.keys(rest);
    const field = `userIdentifiers.${kind}`;
    const isHashed = (value: unknown) => /^[0-9a-fA-F]{64}$/.test(String(value));
    if (more.length > 0 || (source !== undefined && !['FIRST_PARTY', 'THIRD_PARTY'].includes(String(source))))
      return say('INVALID_USER_IDENTIFIER', 'userIdentifiers');
    if (kind === 'addressInfo' && isEnhancement) {
      const { hashedFirstName, hashedLastName } = objectOf(rest.addressInfo);
      if (!isHashed(hashedFirstName) || !isHashed(hashedLastName)) return say('INVALID_USER_IDENTIFIER', field);
    } else if (kind !== 'hashedEmail' && kind !== 'hashedPhoneNumber') return say('UNSUPPORTED_USER_IDENTIFIER', field);
    else if (!isHashed(rest[kind])) return say('INVALID_USER_IDENTIFIER', field);
  }
  return undefined;
}

function hasOrder({ orderId }: Row): boolean {
  return typeof orderId === 'string' && orderId !== '';
}

function actionIdOf({ conversionAction }: Row): string {
  return String(conversionAction).split('/').at(-1) ?? '';
}

/** An order is one for its action; without one it is the click or the call, its time and the action. */
function keyOf(account: Pick<AdsAccount, 'id'>, row: Row): string {
  const { orderId, gclid, gbraid, wbraid, conversionDateTime, callerId, callStartDateTime, userIdentifiers } = row;
  const action = [account.id, actionIdOf(row)];
  if (hasOrder(row)) return JSON.stringify([...action, orderId]);
  const what = [gclid, gbraid, wbraid, callerId, callStartDateTime, userIdentifiers];
  return JSON.stringify([...action, ...what, momentOf(conversionDateTime)]);
}

function resultOf({ gclid, gbraid, wbraid, conversionAction, ...row }: Row): Row {
  const { conversionDateTime, orderId, adjustmentType, adjustmentDateTime, gclidDateTimePair, callerId } = row;
  const said = { gclid, gbraid, wbraid, conversionAction, conversionDateTime, callerId };
  const adjusted =
    adjustmentType === undefined ? {} : { orderId, adjustmentType, adjustmentDateTime, gclidDateTimePair };
  return Object.fromEntries(Object.entries({ ...said, ...adjusted }).filter(([, value]) => value !== undefined));
}
