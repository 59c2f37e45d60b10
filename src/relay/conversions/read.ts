import {
  type ActionSource,
  actionSources,
  type Conversion,
  type ConversionRefusal,
  clickIds,
  conversionLimits,
} from '../../../contract/conversion.ts';
import { isCurrency } from '../../../contract/currency.ts';
import { type Amount, isAmount } from './amount.ts';
import { type Moment, readMoment } from './moment.ts';

export interface Refused {
  readonly reason: ConversionRefusal;
  /** The canonical name, such as `items[3].price`; `conversion` for the whole. */
  readonly field: string;
}

/** A sender's clock may be a little ahead; beyond that a time is a mistake (Meta takes a minute). */
export const aheadMsMax = 60_000;
/** Nothing that is sent to an ad platform happened before: what says so is a zero, or seconds taken for milliseconds. */
const earliestMs = Date.UTC(2000, 0, 1);
const agentCharsMax = 1_024;
const customCharsMax = 1_024;
const momentCharsMax = 64;
const amountCharsMax = 64;

/**
 * A canonical conversion out of what somebody sent, field by field: the same as the schema in `contract/conversion.ts`,
 * in less time and with the first field that is wrong. Unknown fields are dropped (REL-01). A field that is null
 * or an empty text is as if it were not there, because shops send those for what they do not know; so is a consent that
 * is "unknown". Halves of characters (lone surrogates) become U+FFFD: strict readers refuse a whole batch for one.
 *
 * @param now milliseconds since 1970
 * @returns the conversion, or why not and where
 */
export function readConversion(given: unknown, now: number): Conversion | Refused {
  try {
    return read(record(given, 'conversion') ?? wrong('missing', 'conversion'), now);
  } catch (error) {
    if (error instanceof Wrong) return { reason: error.reason, field: error.field };
    throw error;
  }
}

export function isRefused(read: Conversion | Refused): read is Refused {
  return 'reason' in read;
}

type Given = Readonly<Record<string, unknown>>;

class Wrong extends Error {
  readonly reason: ConversionRefusal;
  readonly field: string;

  constructor(reason: ConversionRefusal, field: string) {
    super(reason);
    this.reason = reason;
    this.field = field;
  }
}

function wrong(reason: ConversionRefusal, field: string): never {
  throw new Wrong(reason, field);
}

function read(given: Given, now: number): Conversion {
  const said: Conversion = {
    event_name: text(given.event_name, 'event_name') ?? wrong('missing', 'event_name'),
    occurred_at: moment(given.occurred_at, 'occurred_at', now) ?? wrong('missing', 'occurred_at'),
  };
  put(said, 'event_id', text(given.event_id, 'event_id'));
  put(said, 'clicked_at', moment(given.clicked_at, 'clicked_at', now));
  put(said, 'value', amount(given.value, 'value'));
  put(said, 'currency', currency(given.currency));
  put(said, 'cost', amount(given.cost, 'cost'));
  put(said, 'order_id', text(given.order_id, 'order_id'));
  put(said, 'page_url', text(given.page_url, 'page_url', conversionLimits.urlCharsMax));
  put(said, 'action_source', actionSource(given.action_source));
  put(said, 'consent', consent(record(given.consent, 'consent')));
  put(said, 'click_ids', texts(record(given.click_ids, 'click_ids'), 'click_ids', clickIds));
  put(said, 'user', user(record(given.user, 'user')));
  put(said, 'items', items(given.items));
  put(said, 'merchant', merchant(record(given.merchant, 'merchant')));
  put(said, 'utm', texts(record(given.utm, 'utm'), 'utm', utmFields));
  put(said, 'campaign', texts(record(given.campaign, 'campaign'), 'campaign', campaignFields));
  put(said, 'domain', text(given.domain, 'domain'));
  put(said, 'query', text(given.query, 'query', conversionLimits.urlCharsMax));
  put(said, 'refund', flag(given.refund, 'refund'));
  put(said, 'original', texts(record(given.original, 'original'), 'original', originalFields));
  put(said, 'custom', custom(record(given.custom, 'custom')));
  return said;
}

const utmFields = ['source', 'medium', 'campaign', 'term', 'content'] as const;
const campaignFields = ['source', 'medium', 'id', 'group_id', 'ad_id'] as const;
const originalFields = ['event_name', 'order_id', 'event_id'] as const;
const userFields = [
  ...(['phone_country', 'first_name', 'last_name', 'city', 'state', 'zip', 'country', 'ip'] as const),
  ...(['date_of_birth', 'gender', 'fingerprint'] as const),
] as const;
const severalFields = ['email', 'phone', 'external_id'] as const;

/** Nothing is set where nothing is known: a member that is undefined would be another conversion to whoever compares. */
function put<Whole, Name extends keyof Whole>(whole: Whole, name: Name, value: Whole[Name] | undefined): void {
  if (value !== undefined) whole[name] = value;
}

function isAbsent(given: unknown): given is undefined | null | '' {
  return given === undefined || given === null || given === '';
}

function record(given: unknown, field: string): Given | undefined {
  if (isAbsent(given)) return undefined;
  if (typeof given !== 'object' || Array.isArray(given)) wrong('invalid', field);
  return given as Given;
}

function text(given: unknown, field: string, charsMax: number = conversionLimits.textCharsMax): string | undefined {
  if (isAbsent(given)) return undefined;
  if (typeof given !== 'string' || given.length > charsMax) wrong('invalid', field);
  const said = (given as string).toWellFormed();
  // No database takes it, and no platform wants it.
  return said.includes('\0') ? said.replaceAll('\0', '\ufffd') : said;
}

/** Members by a list of names, each of them a text; undefined where none is there. */
function texts<Name extends string>(
  given: Given | undefined,
  field: string,
  names: readonly Name[],
): Partial<Record<Name, string>> | undefined {
  if (given === undefined) return undefined;
  let said: Partial<Record<Name, string>> | undefined;
  for (const name of names) {
    const value = given[name];
    if (isAbsent(value)) continue;
    said ??= {};
    said[name] = text(value, `${field}.${name}`) as string;
  }
  return said;
}

function several(given: unknown, field: string): string | string[] | undefined {
  if (!Array.isArray(given)) return text(given, field);
  if (given.length > conversionLimits.identifiersMax) wrong('invalid', field);
  const said = given.map((each) => text(each, field)).filter((each) => each !== undefined);
  return said.length === 0 ? undefined : said;
}

function moment(given: unknown, field: string, now: number): string | undefined {
  const said = text(given, field, momentCharsMax);
  if (said === undefined) return undefined;
  const read = readMoment(said);
  if (typeof read === 'string') wrong(read, field);
  const { ms } = read as Moment;
  if (ms < earliestMs) wrong('invalid', field);
  if (ms > now + aheadMsMax) wrong('in_the_future', field);
  return said;
}

function amount(given: unknown, field: string): Amount | undefined {
  if (isAbsent(given)) return undefined;
  if (typeof given === 'string') {
    const digits = given.length > amountCharsMax ? '' : given.trim();
    if (isAmount(digits)) return digits;
  } else if (typeof given === 'number' && isAmount(given)) return given;
  return wrong('invalid', field);
}

/** Lower case is taken, because shops send it. */
function currency(given: unknown): string | undefined {
  if (isAbsent(given)) return undefined;
  const code = typeof given === 'string' && given.length === 3 ? given.toUpperCase() : '';
  return isCurrency(code) ? code : wrong('unknown_currency', 'currency');
}

function actionSource(given: unknown): ActionSource | undefined {
  if (isAbsent(given)) return undefined;
  return actionSources.includes(given as ActionSource) ? (given as ActionSource) : wrong('invalid', 'action_source');
}

function flag(given: unknown, field: string): boolean | undefined {
  if (isAbsent(given)) return undefined;
  return typeof given === 'boolean' ? given : wrong('invalid', field);
}

function consent(given: Given | undefined): Conversion['consent'] {
  if (given === undefined) return undefined;
  const said: NonNullable<Conversion['consent']> = {};
  put(said, 'ad_user_data', answer(given.ad_user_data, 'consent.ad_user_data'));
  put(said, 'ad_personalization', answer(given.ad_personalization, 'consent.ad_personalization'));
  put(said, 'limited_data_use', flag(given.limited_data_use, 'consent.limited_data_use'));
  return said;
}

function answer(given: unknown, field: string): 'granted' | 'denied' | undefined {
  if (isAbsent(given) || given === 'unknown') return undefined;
  return given === 'granted' || given === 'denied' ? given : wrong('invalid', field);
}

function user(given: Given | undefined): Conversion['user'] {
  if (given === undefined) return undefined;
  const said: NonNullable<Conversion['user']> = {};
  for (const name of severalFields) {
    const value = given[name];
    if (!isAbsent(value)) put(said, name, several(value, `user.${name}`));
  }
  for (const name of userFields) {
    const value = given[name];
    if (!isAbsent(value)) said[name] = text(value, `user.${name}`) as string;
  }
  put(said, 'user_agent', text(given.user_agent, 'user.user_agent', agentCharsMax));
  return said;
}

function items(given: unknown): Conversion['items'] {
  if (isAbsent(given)) return undefined;
  if (!Array.isArray(given) || given.length > conversionLimits.itemsMax) return wrong('invalid', 'items');
  return given.map((each: unknown, at) => {
    const item = record(each, `items[${at}]`) ?? wrong('invalid', `items[${at}]`);
    const id = text(item.id, `items[${at}].id`) ?? wrong('missing', `items[${at}].id`);
    const said: NonNullable<Conversion['items']>[number] = { id };
    put(said, 'quantity', quantity(item.quantity, at));
    put(said, 'price', amount(item.price, `items[${at}].price`));
    return said;
  });
}

function quantity(given: unknown, at: number): number | undefined {
  if (isAbsent(given)) return undefined;
  if (typeof given === 'number' && given > 0 && Number.isFinite(given)) return given;
  return wrong('invalid', `items[${at}].quantity`);
}

function merchant(given: Given | undefined): Conversion['merchant'] {
  if (given === undefined) return undefined;
  const said: NonNullable<Conversion['merchant']> = {
    id: text(given.id, 'merchant.id') ?? wrong('missing', 'merchant.id'),
  };
  put(said, 'feed_country', text(given.feed_country, 'merchant.feed_country'));
  put(said, 'feed_language', text(given.feed_language, 'merchant.feed_language'));
  return said;
}

/** Declared variables of the source, by any name: `__proto__` is none, since setting it would set something else. */
function custom(given: Given | undefined): Conversion['custom'] {
  if (given === undefined) return undefined;
  const names = Object.keys(given).filter((name) => name !== '__proto__' && name !== '');
  if (names.length > conversionLimits.customMax) wrong('invalid', 'custom');
  const said: NonNullable<Conversion['custom']> = {};
  for (const name of names) {
    if (name.length > conversionLimits.textCharsMax) wrong('invalid', 'custom');
    const value = given[name];
    if (isAbsent(value)) continue;
    const isPlain = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
    said[name.toWellFormed()] = isPlain ? value : (text(value, `custom.${name}`, customCharsMax) as string);
  }
  return said;
}
