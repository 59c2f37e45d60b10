import { jsonAmount } from '../conversions/amount.ts';
import { sha256 } from '../identifiers/given.ts';
import { hashedEmails, hashedExternalIds, redditEmail } from '../identifiers/plain.ts';
import { isRefusal, isSuccess, readPlain, unknownAnswer } from './answers.ts';
import {
  type Answer,
  type ApiVersion,
  type Asked,
  type Destination,
  type Item,
  type OutgoingRequest,
  type Refusal,
  SettingsProblem,
  type Verdict,
} from './destination.ts';
import { type Meaning, platformEvent } from './events.ts';
import { dayMs, no, occurredMs, type Rules, refuseByRules } from './refusals.ts';
import { piecesOf, postJson, present, presentOrNone, reachedOf } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * Reddit Conversions API v2.0. The token goes into `Authorization: Bearer` when it is sent.
 *
 * Read: endpoint, `events[]`, `test_mode`, `click_id`, `conversion_id` against the pixel's, 7 days (the house's reference
 * and Reddit's "About the Conversions API"); `event_at` as text, `event_type.tracking_type`, `event_metadata` with
 * `value_decimal`, `user.data_processing_options` (a comparison of v2.0 with v3 made from Reddit's migration guide); 1,000
 * of a request, 10,000 events a second, 64 letters of `custom_event_name`, that signals of a person, the address too, are
 * taken hashed, `opt_out`, `products`, that v2.0 is still taken beside v3 (a copy of Reddit's reference in Segment's
 * repository). v3 is another body at another address. Recalled: nothing.
 */
interface Settings {
  readonly account_id: string;
  readonly test_mode: boolean;
}

interface Identifiers {
  readonly email?: string;
  readonly external_id?: string;
  /** Hashed: it takes it so. */
  readonly ip_address?: string;
  readonly user_agent?: string;
}

const version: ApiVersion = { standard: 'v2.0', is: /^v\d{1,3}(?:\.\d)?$/ };
const rules: Rules = { ageMsMax: 7 * dayMs, limitedDataUse: true, apps: true };
const nameCharsMax = 64;

const byMeaning: Partial<Record<Meaning, string>> = {
  ...{ purchase: 'Purchase', lead: 'Lead', sign_up: 'SignUp', add_to_cart: 'AddToCart' },
  ...{ add_to_wishlist: 'AddToWishlist', view_item: 'ViewContent', page_view: 'PageVisit', search: 'Search' },
};
const own = new Set(Object.values(byMeaning));

const fields = settingsFields({
  account_id: {
    ...{ is: /^\w{1,64}$/, label: 'Account or pixel', required: true },
    what: 'the id of an account or pixel, such as t2_abc123',
  },
});

export const reddit: Destination<Settings, Identifiers> = {
  id: 'reddit',
  label: 'Reddit Conversions API',
  receiver: { host: 'ads-api.reddit.com', legalName: 'Reddit, Inc.' },
  version,
  batchMax: 1_000,
  purposes: ['ad_user_data'],
  matchesBy: ['email', 'external_id', 'ip_agent', 'rdt_cid'],
  sharesPageId: true,
  fields,
  examples: { settings: { account_id: 't2_abc' } },
  secret: {
    ...{ label: 'Access token', what: 'a conversion access token of the account' },
    pasted: {
      platform: 'Reddit Ads',
      what: 'conversion access token',
      where: 'Events manager, the pixel, "Conversions API"',
    },
  },
  credential: { kind: 'bearer' },
  // 1,000 events each: as many as 10,000 a second.
  rate: { perMinute: 600 },
  asTest: (settings) => ({ ...settings, test_mode: true }),
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    const { account_id } = readFields(given, 'Reddit Conversions API', fields);
    const test_mode = (given as { test_mode?: unknown }).test_mode ?? false;
    if (typeof test_mode !== 'boolean')
      throw new SettingsProblem('Reddit Conversions API: test_mode is true or false.', 'test_mode');
    return { account_id, test_mode };
  },
  /** One of each: the first. */
  identify(conversion) {
    const { ip, user_agent } = reachedOf(conversion);
    return present({
      email: hashedEmails(conversion.user, redditEmail)[0],
      external_id: hashedExternalIds(conversion.user)[0],
      ip_address: ip === undefined ? undefined : sha256(ip),
      user_agent,
    });
  },
  refuse(item, _settings, now) {
    return refuseByRules(item, reddit, rules, now) ?? refuseName(item) ?? refuseNobody(item);
  },
  build(items, { account_id, test_mode }, _now, at = version.standard): OutgoingRequest {
    return postJson(`https://ads-api.reddit.com/api/${at}/conversions/events/${account_id}`, {
      ...(test_mode ? { test_mode } : {}),
      events: items.map(eventOf),
    });
  },
  read,
};

/** A name of one's own with more letters than it takes would refuse the whole request. */
function refuseName({ conversion: { event_name } }: Item): Refusal | undefined {
  const isOwn = platformEvent(event_name, own, byMeaning) === undefined;
  return isOwn && event_name.length > nameCharsMax ? no('invalid', 'event_name') : undefined;
}

/** An agent alone is millions of people. */
function refuseNobody({ conversion, identifiers }: Item<Identifiers>): Refusal | undefined {
  const { email, external_id, ip_address } = identifiers;
  const known = email ?? external_id ?? ip_address ?? conversion.click_ids?.rdt_cid;
  return known === undefined ? no('no_identifier', 'click_ids.rdt_cid') : undefined;
}

function eventOf({ id, conversion, identifiers }: Item<Identifiers>) {
  const { consent = {}, items = [] } = conversion;
  const tracking = platformEvent(conversion.event_name, own, byMeaning);
  return present({
    event_at: new Date(occurredMs(conversion)).toISOString(),
    event_type:
      tracking === undefined
        ? { tracking_type: 'Custom', custom_event_name: conversion.event_name }
        : { tracking_type: tracking },
    click_id: conversion.click_ids?.rdt_cid,
    event_metadata: present({
      conversion_id: id,
      currency: conversion.currency,
      value_decimal: jsonAmount(conversion.value),
      item_count: piecesOf(conversion),
      products: items.map((item) => ({ id: item.id })),
    }),
    user: presentOrNone({
      ...identifiers,
      opt_out: consent.ad_personalization === 'denied' ? true : undefined,
      data_processing_options: consent.limited_data_use === true ? { modes: ['LDU'] } : undefined,
    }),
  });
}

/** One event that is wrong refuses the request; its words are free text and name no row. */
function read(answer: Answer, asked?: Asked): Verdict {
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return plain;
  const reason = `http_${answer.status}`;
  if (isSuccess(answer)) return { class: 'accepted', reason };
  return isRefusal(answer) ? { class: 'permanent', reason } : unknownAnswer(answer);
}
