import { ofPeople } from '../../../contract/relay_reading.ts';
import type { MetaIdentifiers } from '../identifiers/meta.ts';
import { pinterestIdentifiers } from '../identifiers/plain.ts';
import { amountText } from './amount_text.ts';
import { seriesOf } from './answer_parts.ts';
import { codeOf, isMiscounted, isRefusal, isSuccess, memberOf, paused, readPlain, unknownAnswer } from './answers.ts';
import { yearOf } from './conversion_rules.ts';
import type {
  Answer,
  ApiVersion,
  Asked,
  Destination,
  Item,
  OutgoingRequest,
  Refusal,
  RowVerdict,
  Verdict,
} from './destination.ts';
import { type Meaning, platformEvent } from './events.ts';
import { dayMs, isOffline, no, occurredMs, type Rules, refuseByRules } from './refusals.ts';
import { pageOf, piecesOf, postJson, present, presentOrNone, type Reached, reachedOf } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * Pinterest API v5, conversions. The conversion token goes into `Authorization: Bearer` when it is sent.
 *
 * Read: all of it in Pinterest's OpenAPI document 5.13.0: endpoint, members, 1,000 of a request, 5,000 calls a minute, one of hashed e-mail and
 * address with agent as the least, amounts as text, `opt_out`, `opt_out_type: LDP`, the answer's rows, codes 2, 8, 29,
 * 4196 and 4197, `event_id` against the tag's. Its documents name no age: ours is the life of a click id. Newer names of events were read in its guide
 * ("Track conversion events in the API"). Recalled: nothing.
 */
interface Settings {
  readonly ad_account_id: string;
  readonly test?: boolean;
}

interface Identifiers extends Reached {
  /** Its fields are those of Meta, with rules of its own for two of them. All are lists. */
  readonly hashed: Readonly<Partial<Record<keyof MetaIdentifiers, readonly string[]>>>;
}

const version: ApiVersion = { standard: 'v5', is: /^v\d{1,3}$/ };
const rules: Rules = { ageMsMax: 90 * dayMs, limitedDataUse: true };

const byMeaning: Partial<Record<Meaning, string>> = {
  ...{ purchase: 'checkout', lead: 'lead', sign_up: 'signup', add_to_cart: 'add_to_cart', contact: 'contact' },
  ...{ add_to_wishlist: 'add_to_wishlist', add_payment_info: 'add_payment_info' },
  ...{ page_view: 'page_visit', view_item: 'page_visit', search: 'search' },
};
const own = new Set([...Object.values(byMeaning), 'custom', 'view_category', 'watch_video']);

const fields = settingsFields({
  ad_account_id: { is: /^\d{1,18}$/, label: 'Ad account', what: 'the number of an ad account', required: true },
});

export const pinterest: Destination<Settings, Identifiers> = {
  id: 'pinterest',
  label: 'Pinterest API for Conversions',
  receiver: { host: 'api.pinterest.com', legalName: 'Pinterest, Inc.' },
  version,
  batchMax: 1_000,
  purposes: ['ad_user_data'],
  matchesBy: [...ofPeople, 'epik'],
  sharesPageId: true,
  fields,
  examples: { settings: { ad_account_id: '549755885175' } },
  secret: {
    ...{ label: 'Conversion token', what: 'a conversion access token of the ad account' },
    pasted: {
      platform: 'Pinterest Ads',
      what: 'conversion access token',
      where: 'Ads manager, Conversions, "Set up the API"',
    },
  },
  credential: { kind: 'bearer' },
  // Of an ad account, as its OpenAPI document has it.
  rate: { perMinute: 5_000 },
  asTest: (settings) => ({ ...settings, test: true }),
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'Pinterest API for Conversions', fields);
  },
  identify: (conversion) => ({
    hashed: Object.fromEntries(
      Object.entries(pinterestIdentifiers(conversion.user, yearOf(conversion))).map(([name, hash]) => [
        name,
        [hash].flat(),
      ]),
    ),
    ...reachedOf(conversion),
  }),
  refuse(item, _settings, now) {
    return refuseByRules(item, pinterest, rules, now) ?? refuseNobody(item);
  },
  build(items, { ad_account_id, test = false }, _now, at = version.standard): OutgoingRequest {
    const url = `https://api.pinterest.com/${at}/ad_accounts/${ad_account_id}/events`;
    return postJson(test ? `${url}?test=true` : url, { data: items.map(eventOf) });
  },
  read,
};

/** A click id alone is not enough for it. */
function refuseNobody({ identifiers: { hashed, ip, user_agent } }: Item<Identifiers>): Refusal | undefined {
  const known = (hashed.em ?? []).length > 0 || (ip !== undefined && user_agent !== undefined);
  return known ? undefined : no('no_identifier', 'user.email');
}

function eventOf({ id, conversion, identifiers }: Item<Identifiers>) {
  const { consent = {}, items = [] } = conversion;
  return present({
    // An event that is none of its own is `custom`, and keeps its name nowhere: a route names one of its own.
    event_name: platformEvent(conversion.event_name, own, byMeaning) ?? 'custom',
    action_source: isOffline(conversion) ? 'offline' : 'web',
    event_time: Math.floor(occurredMs(conversion) / 1_000),
    event_id: id,
    event_source_url: pageOf(conversion),
    opt_out: consent.ad_personalization === 'denied' ? true : undefined,
    user_data: present({
      ...identifiers.hashed,
      client_ip_address: identifiers.ip,
      client_user_agent: identifiers.user_agent,
      click_id: conversion.click_ids?.epik,
    }),
    custom_data: presentOrNone({
      currency: conversion.currency,
      value: amountText(conversion.value),
      content_ids: items.map((item) => item.id),
      contents: items.map(({ id: item, quantity, price }) =>
        present({
          id: item,
          item_price: amountText(price),
          quantity: Number.isSafeInteger(quantity) ? quantity : undefined,
        }),
      ),
      num_items: piecesOf(conversion),
      order_id: conversion.order_id,
      opt_out_type: consent.limited_data_use === true ? 'LDP' : undefined,
    }),
  });
}

const codes: Readonly<Record<string, 'rate_limited' | 'auth' | 'config' | 'permanent' | 'retry'>> = {
  ...{ 2: 'auth', 8: 'rate_limited', 29: 'config', 4196: 'permanent', 4197: 'retry' },
};

/** Its rows stand in the answer itself, or in the details of a 422. */
function read(answer: Answer, asked?: Asked): Verdict {
  const code = codeOf(memberOf(answer.body, 'code'));
  const known = code !== undefined && Object.hasOwn(codes, code) ? codes[code] : undefined;
  const isJudged = !isSuccess(answer) && (answer.status < 500 || known === 'retry');
  if (code !== undefined && known !== undefined && isJudged)
    return known === 'rate_limited' || known === 'retry'
      ? paused(answer, known, code, asked)
      : { class: known, reason: code };
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return plain;
  const rows = failedRows(answer.body) ?? failedRows(memberOf(answer.body, 'details'));
  const reason = code ?? `http_${answer.status}`;
  const processed = memberOf(answer.body, 'num_events_processed');
  if (isSuccess(answer) && rows === undefined && (typeof processed !== 'number' || isMiscounted(processed, asked)))
    return { class: 'retry', reason: 'num_events_processed' };
  // A 422 that names its rows has taken the others.
  if (isSuccess(answer) || (answer.status === 422 && rows !== undefined))
    return { class: 'accepted', reason, ...(rows !== undefined && rows.length > 0 ? { rows } : {}) };
  if (!isRefusal(answer)) return unknownAnswer(answer);
  return { class: code === undefined ? 'permanent' : 'retry', reason };
}

/** @returns undefined where the answer has no rows */
function failedRows(told: unknown): RowVerdict[] | undefined {
  const events = memberOf(told, 'events');
  if (!Array.isArray(events)) return undefined;
  return seriesOf(events).flatMap((event, index) => {
    if (memberOf(event, 'status') !== 'failed') return [];
    return [
      { index, class: passing(memberOf(event, 'error_message')) ? 'retry' : 'permanent', reason: 'failed' } as const,
    ];
  });
}

/** A row has words and no code. Those of a fault on their side are not the row's end. */
function passing(message: unknown): boolean {
  return typeof message === 'string' && /internal|time.?out|try again|temporar|unavailable/i.test(message);
}
