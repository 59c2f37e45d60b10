import { ofPeople } from '../../../contract/relay_reading.ts';
import { type MetaIdentifiers, metaIdentifiers } from '../identifiers/meta.ts';
import { amountText } from './amount_text.ts';
import { codeOf, isSuccess, memberOf, readPlain, unknownAnswer } from './answers.ts';
import { yearOf } from './conversion_rules.ts';
import type { Answer, ApiVersion, Asked, Destination, Item, OutgoingRequest, Refusal, Verdict } from './destination.ts';
import { type Meaning, platformEvent } from './events.ts';
import { dayMs, isOffline, no, occurredMs, type Rules, refuseByRules } from './refusals.ts';
import { pageOf, piecesOf, postJson, present, presentOrNone, type Reached, reachedOf } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * Snap Conversions API v3. The token goes into the query as `access_token` when it is sent; here the address is without it.
 *
 * Read: endpoint, 2,000 of a request, `sc_click_id` (the house's reference); members, amounts and quantities as text, what
 * is required (a page of web events, value and currency of a purchase), 37 days, the names of events, `WEB` and `OFFLINE`,
 * `data_processing_options: ["LMU"]`, `status` and `reason` (developers.snap.com, Conversions API: Introduction, Using the
 * API, Parameters, Verify set-up), `event_id` against the pixel's `client_dedup_id` (the same, Deduplication). Recalled: that LMU is measurement and nothing else.
 */
interface Settings {
  readonly pixel_id: string;
}

interface Identifiers extends Reached {
  /** Its rules are those of Meta. */
  readonly hashed: MetaIdentifiers;
}

const version: ApiVersion = { standard: 'v3', is: /^v\d{1,3}$/ };
const rules: Rules = { ageMsMax: 37 * dayMs, limitedDataUse: true };

const byMeaning: Partial<Record<Meaning, string>> = {
  ...{ purchase: 'PURCHASE', sign_up: 'SIGN_UP', subscribe: 'SUBSCRIBE', start_trial: 'START_TRIAL' },
  ...{ add_to_cart: 'ADD_CART', add_to_wishlist: 'ADD_TO_WISHLIST', begin_checkout: 'START_CHECKOUT' },
  ...{ add_payment_info: 'ADD_BILLING', view_item: 'VIEW_CONTENT', page_view: 'PAGE_VIEW', search: 'SEARCH' },
};
const own = new Set([
  ...Object.values(byMeaning),
  ...['SAVE', 'AD_CLICK', 'AD_VIEW', 'COMPLETE_TUTORIAL', 'LEVEL_COMPLETE', 'INVITE', 'LOGIN', 'SHARE', 'RESERVE'],
  ...['ACHIEVEMENT_UNLOCKED', 'SPENT_CREDITS', 'RATE', 'LIST_VIEW'],
  ...['CUSTOM_EVENT_1', 'CUSTOM_EVENT_2', 'CUSTOM_EVENT_3', 'CUSTOM_EVENT_4', 'CUSTOM_EVENT_5'],
]);

const fields = settingsFields({
  pixel_id: { is: /^[A-Za-z0-9-]{1,64}$/, label: 'Pixel', what: 'the id of a pixel', required: true },
});

export const snap: Destination<Settings, Identifiers> = {
  id: 'snap',
  label: 'Snap Conversions API',
  receiver: { host: 'tr.snapchat.com', legalName: 'Snap Inc.' },
  version,
  batchMax: 2_000,
  purposes: ['ad_user_data'],
  matchesBy: [...ofPeople, 'sc_click_id'],
  sharesPageId: true,
  fields,
  examples: { settings: { pixel_id: 'a1-b2' } },
  secret: {
    ...{ label: 'Access token', what: 'a long-lived token of the Conversions API' },
    pasted: {
      platform: 'Snapchat Ads',
      what: 'token of the Conversions API',
      where: 'Business settings, Business details, "Conversions API tokens"',
    },
  },
  credential: { kind: 'query', name: 'access_token' },
  rate: { perMinute: 600 },
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'Snap Conversions API', fields);
  },
  identify: (conversion) => ({
    hashed: metaIdentifiers(conversion.user, yearOf(conversion)),
    ...reachedOf(conversion),
  }),
  refuse(item, _settings, now) {
    return refuseByRules(item, snap, rules, now) ?? refuseIncomplete(item) ?? refuseNobody(item);
  },
  build(items, { pixel_id }, _now, at = version.standard): OutgoingRequest {
    return postJson(`https://tr.snapchat.com/${at}/${pixel_id}/events`, { data: items.map(eventOf) });
  },
  read,
};

/** What its validator refuses, and an event that it has no name for: a route may name one of its five custom events. */
function refuseIncomplete({ conversion }: Item): Refusal | undefined {
  const event = platformEvent(conversion.event_name, own, byMeaning);
  if (event === undefined) return no('not_supported', 'event_name');
  if (event === 'PURCHASE' && conversion.value === undefined) return no('missing', 'value');
  return conversion.page_url === undefined && sourceOf(conversion) === 'WEB' ? no('missing', 'page_url') : undefined;
}

function refuseNobody({ conversion, identifiers }: Item<Identifiers>): Refusal | undefined {
  const { hashed, ip, user_agent } = identifiers;
  const known = (hashed.em ?? []).length > 0 || (hashed.ph ?? []).length > 0;
  if (known || conversion.click_ids?.sc_click_id !== undefined) return undefined;
  return ip !== undefined && user_agent !== undefined ? undefined : no('no_identifier', 'click_ids.sc_click_id');
}

function sourceOf(conversion: Item['conversion']): 'WEB' | 'OFFLINE' {
  return isOffline(conversion) ? 'OFFLINE' : 'WEB';
}

function eventOf({ id, conversion, identifiers }: Item<Identifiers>) {
  const { consent = {}, items = [] } = conversion;
  const limited = consent.limited_data_use === true || consent.ad_personalization === 'denied';
  return present({
    event_name: platformEvent(conversion.event_name, own, byMeaning),
    event_time: Math.floor(occurredMs(conversion) / 1_000),
    event_id: id,
    action_source: sourceOf(conversion),
    event_source_url: pageOf(conversion),
    data_processing_options: limited ? ['LMU'] : undefined,
    user_data: present({
      ...identifiers.hashed,
      client_ip_address: identifiers.ip,
      client_user_agent: identifiers.user_agent,
      sc_click_id: conversion.click_ids?.sc_click_id,
    }),
    custom_data: presentOrNone({
      currency: conversion.currency,
      value: amountText(conversion.value),
      order_id: conversion.order_id,
      num_items: piecesOf(conversion)?.toString(),
      contents: items.map(({ id: item, quantity, price }) =>
        present({
          id: item,
          quantity: amountText(quantity),
          item_price: amountText(price),
        }),
      ),
    }),
  });
}

/** One row that is wrong refuses the request; it is not named. */
function read(answer: Answer, asked?: Asked): Verdict {
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return plain;
  const status = codeOf(memberOf(answer.body, 'status'))?.toUpperCase();
  const reason = status ?? `http_${answer.status}`;
  const isWrong = status === 'INVALID' || status === 'FAILED';
  if (answer.status === 400 || answer.status === 413)
    return { class: status === undefined || isWrong ? 'permanent' : 'retry', reason };
  if (!isSuccess(answer)) return unknownAnswer(answer);
  if (isWrong) return { class: 'permanent', reason };
  return status === undefined || accepting.has(status) ? { class: 'accepted', reason } : { class: 'retry', reason };
}

const accepting = new Set(['OK', 'VALID', 'SUCCESS']);
