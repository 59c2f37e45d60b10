import type { Conversion } from '../../../contract/conversion.ts';
import { jsonAmount } from '../conversions/amount.ts';
import { hashedExternalIds } from '../identifiers/plain.ts';
import { seriesOf } from './answer_parts.ts';
import { codeOf, isSuccess, memberOf, readPlain, unknownAnswer } from './answers.ts';
import type { Answer, Asked, Destination, Item, OutgoingRequest, Refusal, Verdict } from './destination.ts';
import { meaningOf, snake } from './events.ts';
import { googleCompany } from './google_account.ts';
import { dayMs, no, occurredMs, type Rules, refuseByRules } from './refusals.ts';
import { firstOf, pageOf, postJson, present } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * GA4 Measurement Protocol. The secret goes into the query as `api_secret` when it is sent; here the address is without it.
 *
 * Read: endpoint, 25 events of a request, 72 hours, 2xx whatever was sent, `consent` (the house's reference); `client_id`,
 * `user_id`, `consent` and events as the parts of a body, 25 parameters, names of 40 characters and values of 100
 * (developers.google.com, Send Measurement Protocol events). Recalled: `timestamp_micros` of an event, reserved names.
 *
 * A request is of one client. Its id is the custom variable `client_id` (or `ga_client_id`), which the site reads from its
 * `_ga` cookie; without one, the hash of the external id, which is the same for a person and joins no browser. None is
 * made up: each would be one more user in the reports. Custom variables that GA4 can take go along as parameters.
 *
 * It has no answer about what was taken, and it removes only doubles of a purchase with the same `transaction_id`: an
 * event of another name whose answer was lost and which is sent again may count twice.
 */
interface Settings {
  readonly measurement_id: string;
}

interface Identifiers {
  readonly client_id?: string;
  readonly user_id?: string;
}

const rules: Rules = { ageMsMax: 3 * dayMs, limitedDataUse: true, refunds: true, apps: true };
const limits = { parametersMax: 25, nameCharsMax: 40, valueCharsMax: 100, clientCharsMax: 256 } as const;

const fields = settingsFields({
  measurement_id: {
    ...{ is: /^G-[A-Z0-9]{1,20}$/i, label: 'Measurement id', required: true },
    what: 'a measurement id, such as G-ABC123DEF4',
  },
});

export const ga4: Destination<Settings, Identifiers> = {
  id: 'ga4',
  label: 'Google Analytics 4 (Measurement Protocol)',
  receiver: { ...googleCompany, label: 'Google Analytics 4', host: 'www.google-analytics.com' },
  batchMax: 25,
  purposes: ['ad_user_data'],
  matchesBy: ['external_id'],
  fields,
  examples: { settings: { measurement_id: 'G-ABC123' } },
  secret: {
    ...{ label: 'API secret', what: 'a secret of the data stream, made under Measurement Protocol' },
    pasted: {
      platform: 'Google Analytics 4',
      what: 'API secret of the Measurement Protocol',
      where: 'Admin, Data streams, the stream, "Measurement Protocol API secrets"',
    },
  },
  credential: { kind: 'query', name: 'api_secret' },
  rate: { perMinute: 6_000 },
  // The validating address collects nothing.
  asDryRun: (request) => ({ ...request, url: request.url.replace('/mp/collect', '/debug/mp/collect') }),
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'Google Analytics 4', fields);
  },
  identify(conversion) {
    const [user_id] = hashedExternalIds(conversion.user ?? {});
    return present({ client_id: clientOf(conversion) ?? user_id, user_id });
  },
  refuse(item, _settings, now) {
    return refuseByRules(item, ga4, rules, now) ?? refuseEvent(item);
  },
  together: ({ conversion, identifiers }) => JSON.stringify([identifiers, consentOf(conversion)]),
  build: request,
  read,
};

function clientOf({ custom = {} }: Conversion): string | undefined {
  const given = own(custom, 'client_id') ?? own(custom, 'ga_client_id');
  const text = given === undefined ? '' : String(given);
  return text !== '' && text.length <= limits.clientCharsMax ? text : undefined;
}

function refuseEvent({ conversion, identifiers }: Item<Identifiers>): Refusal | undefined {
  if (identifiers.client_id === undefined) return no('no_identifier', 'custom.client_id');
  const name = nameOf(conversion);
  if (!named.test(name) || reserved.has(name) || prefixed.test(name)) return no('invalid', 'event_name');
  if (conversion.refund === true && orderOf(conversion) === undefined) return no('missing', 'original.order_id');
  return undefined;
}

function request(items: readonly Item<Identifiers>[], { measurement_id }: Settings): OutgoingRequest {
  const { identifiers, conversion } = firstOf(items, ga4);
  return postJson(
    `https://www.google-analytics.com/mp/collect?measurement_id=${measurement_id}`,
    present({
      client_id: identifiers.client_id,
      user_id: identifiers.user_id,
      consent: consentOf(conversion),
      events: items.map(eventOf),
    }),
  );
}

/** What nobody said is left out. Limited data use takes personalised ads away, whatever else was said. */
function consentOf({ consent = {} }: Conversion) {
  const personal = consent.limited_data_use === true ? 'denied' : consent.ad_personalization;
  const said = present({
    ad_user_data: consent.ad_user_data?.toUpperCase(),
    ad_personalization: personal?.toUpperCase(),
  });
  return Object.keys(said).length === 0 ? undefined : said;
}

function eventOf({ id, conversion }: Item<Identifiers>) {
  const { items = [], value, currency } = conversion;
  const params = present({
    transaction_id: orderOf(conversion) ?? id,
    value: jsonAmount(value),
    currency,
    items: items.map(({ id: item_id, quantity, price }) => present({ item_id, quantity, price: jsonAmount(price) })),
    page_location: pageOf(conversion),
  });
  return {
    name: nameOf(conversion),
    params: { ...params, ...parametersOf(conversion, params) },
    timestamp_micros: occurredMs(conversion) * 1_000,
  };
}

/** Google's recommended name where the event has one, else its own in the letters that GA4 takes. */
function nameOf({ event_name, refund }: Conversion): string {
  if (refund === true) return 'refund';
  const meaning = meaningOf(event_name);
  if (meaning !== undefined) return meaning === 'lead' ? 'generate_lead' : meaning;
  return named.test(event_name) ? event_name : snake(event_name);
}

function orderOf({ refund, original, order_id }: Conversion): string | undefined {
  return refund === true ? (original?.order_id ?? order_id) : order_id;
}

/** Custom variables as parameters; names and values that GA4 would cut or refuse are left out, as is the client. */
function parametersOf({ custom = {} }: Conversion, params: object): Record<string, string | number | boolean> {
  const fitting = Object.entries(custom).filter(
    ([name, value]) =>
      named.test(name) &&
      !prefixed.test(name) &&
      !Object.hasOwn(params, name) &&
      name !== 'client_id' &&
      name !== 'ga_client_id' &&
      String(value).length <= limits.valueCharsMax,
  );
  return Object.fromEntries(fitting.slice(0, limits.parametersMax - Object.keys(params).length));
}

const named = new RegExp(`^[A-Za-z][A-Za-z0-9_]{0,${limits.nameCharsMax - 1}}$`);
const prefixed = /^(_|ga_|google_|gtag|firebase_)/i;
const reserved = new Set([
  ...['ad_activeview', 'ad_click', 'ad_exposure', 'ad_impression', 'ad_query', 'ad_reward', 'adunit_exposure'],
  ...['app_clear_data', 'app_exception', 'app_install', 'app_remove', 'app_store_refund', 'app_update', 'app_upgrade'],
  ...['dynamic_link_app_open', 'dynamic_link_app_update', 'dynamic_link_first_open', 'error', 'firebase_campaign'],
  ...['first_open', 'first_visit', 'in_app_purchase', 'notification_dismiss', 'notification_foreground'],
  ...['notification_open', 'notification_receive', 'os_update', 'screen_view', 'session_start', 'user_engagement'],
]);

function own(custom: NonNullable<Conversion['custom']>, name: string): string | number | boolean | undefined {
  return Object.hasOwn(custom, name) ? custom[name] : undefined;
}

/** The collecting address always takes it; only the validating one has messages. */
function read(answer: Answer, asked?: Asked): Verdict {
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return plain;
  const [message] = seriesOf(memberOf(answer.body, 'validationMessages'));
  if (message !== undefined)
    return { class: 'permanent', reason: codeOf(memberOf(message, 'validationCode')) ?? 'invalid' };
  const reason = `http_${answer.status}`;
  if (isSuccess(answer)) return { class: 'accepted', reason };
  // It judges nothing by a status, so that a 400 is not its word on what was sent. A body that is too large stays so.
  return answer.status === 413 ? { class: 'permanent', reason } : unknownAnswer(answer);
}
