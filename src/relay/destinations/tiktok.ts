import { jsonAmount } from '../conversions/amount.ts';
import { hashedEmails, hashedExternalIds, hashedPhones } from '../identifiers/plain.ts';
import { codeOf, isSuccess, memberOf, paused, readPlain, unknownAnswer } from './answers.ts';
import type { Answer, ApiVersion, Asked, Destination, Item, OutgoingRequest, Refusal, Verdict } from './destination.ts';
import { type Meaning, platformEvent } from './events.ts';
import { dayMs, no, occurredMs, type Rules, refuseByRules } from './refusals.ts';
import { firstOf, pageOf, postJson, present, presentOrNone, type Reached, reachedOf } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * TikTok Events API 2.0. The token goes into the header `Access-Token`, without `Bearer`, when the request is sent.
 *
 * Read: endpoint, `event_source`, `event_source_id`, `data[]`, hashed `email`, `phone` (E.164 with its plus) and
 * `external_id`, `ttclid`, `ttp`, `test_event_code`, 50 of a request, success as `code: 0` inside a 200 (the house's
 * reference); 28 days (Amperity's guide, since TikTok's names no age); 40001, 40002, 40007, 40100 and 40105 (SleekFlow's
 * table of the Business API's codes); 40101 for an app and its secret, 20001 for a part that was taken, 40700 and 50000 for
 * faults of its own (other senders' code); `limited_data_use`, `page.url`, `contents` (Segment's and RudderStack's documents);
 * names of standard events (ads.tiktok.com, Standard events and parameters); `event_id` against the pixel's within 48 hours
 * (the same, About event deduplication). Recalled: 40102, 40103, 40104, 40133.
 */
interface Settings {
  readonly pixel_id: string;
  readonly test_event_code?: string;
}

interface Identifiers extends Reached {
  readonly email: readonly string[];
  readonly phone: readonly string[];
  readonly external_id: readonly string[];
}

const version: ApiVersion = { standard: 'v1.3', is: /^v\d{1,3}\.\d$/ };
const rules: Rules = { ageMsMax: 28 * dayMs, limitedDataUse: true };

const byMeaning: Record<Meaning, string> = {
  ...{ purchase: 'Purchase', lead: 'Lead', sign_up: 'CompleteRegistration', subscribe: 'Subscribe' },
  ...{ start_trial: 'StartTrial', contact: 'Contact', add_to_cart: 'AddToCart', add_to_wishlist: 'AddToWishlist' },
  ...{ begin_checkout: 'InitiateCheckout', add_payment_info: 'AddPaymentInfo', view_item: 'ViewContent' },
  ...{ page_view: 'Pageview', search: 'Search' },
};
const own = new Set([
  ...Object.values(byMeaning),
  ...['CompletePayment', 'PlaceAnOrder', 'SubmitForm', 'Download', 'Schedule', 'FindLocation', 'ClickButton'],
  ...['CustomizeProduct', 'SubmitApplication', 'ApplicationApproval'],
]);

const fields = settingsFields({
  pixel_id: {
    ...{ is: /^[A-Za-z0-9]{1,64}$/, label: 'Pixel', required: true },
    what: 'the id of a pixel, such as C4A1B2C3D4E5F6G7H8I9',
  },
  test_event_code: {
    ...{ is: /^[\w-]{1,64}$/, label: 'Test event code', isTestCode: true },
    what: 'a code as Events Manager shows it, such as TEST12345',
  },
});

export const tiktok: Destination<Settings, Identifiers> = {
  id: 'tiktok',
  label: 'TikTok Events API',
  receiver: { host: 'business-api.tiktok.com', legalName: 'TikTok Inc.' },
  version,
  batchMax: 50,
  // Its one flag is for US state laws: whoever denies personalised ads elsewhere cannot be sent with less.
  purposes: ['ad_user_data', 'ad_personalization'],
  matchesBy: ['email', 'phone', 'external_id', 'ip_agent', 'ttclid', 'ttp'],
  sharesPageId: true,
  fields,
  examples: { settings: { pixel_id: 'C4A1' } },
  picks: { target: 'pixel_id' },
  secret: { label: 'Access token', what: 'a token that Events Manager makes for this pixel' },
  credential: { kind: 'header', name: 'access-token' },
  rate: { perMinute: 600 },
  asTest: (settings, test_event_code) => ({ ...settings, test_event_code }),
  ageMsMax: () => rules.ageMsMax,
  pixelEvent: sentEvent,
  settings(given) {
    return readFields(given, 'TikTok Events API', fields);
  },
  identify(conversion) {
    return {
      email: hashedEmails(conversion.user),
      phone: hashedPhones(conversion.user, 'e164'),
      external_id: hashedExternalIds(conversion.user),
      ...reachedOf(conversion),
    };
  },
  refuse(item, _settings, now) {
    return refuseByRules(item, tiktok, rules, now) ?? refuseNobody(item);
  },
  together: ({ conversion }) => sourceOf(conversion.action_source),
  build: (items, given, _now, at) => request(items, given, at),
  read,
};

/** One of `ttclid`, `_ttp`, a hash, or address and agent together. */
function refuseNobody({ conversion: { click_ids = {} }, identifiers }: Item<Identifiers>): Refusal | undefined {
  const { email, phone, external_id, ip, user_agent } = identifiers;
  const hashes = email.length + phone.length + external_id.length;
  const known = hashes > 0 || click_ids.ttclid !== undefined || click_ids.ttp !== undefined;
  return known || (ip !== undefined && user_agent !== undefined) ? undefined : no('no_identifier', 'click_ids.ttclid');
}

/** The source is one for a request, and decides where it counts: what a till or a call brings is not of the web. */
function sourceOf(action: Item['conversion']['action_source']): 'web' | 'offline' {
  return action === 'physical_store' || action === 'phone_call' ? 'offline' : 'web';
}

function request(
  items: readonly Item<Identifiers>[],
  { pixel_id, test_event_code }: Settings,
  at = version.standard,
): OutgoingRequest {
  return postJson(
    `https://business-api.tiktok.com/open_api/${at}/event/track/`,
    present({
      event_source: sourceOf(firstOf(items, tiktok).conversion.action_source),
      event_source_id: pixel_id,
      test_event_code,
      data: items.map(eventOf),
    }),
  );
}

function sentEvent(name: string): string {
  return platformEvent(name, own, byMeaning) ?? name;
}

function eventOf({ id, conversion, identifiers }: Item<Identifiers>) {
  const { click_ids = {}, items = [] } = conversion;
  const page = pageOf(conversion);
  return present({
    event: sentEvent(conversion.event_name),
    event_time: Math.floor(occurredMs(conversion) / 1_000),
    event_id: id,
    limited_data_use: conversion.consent?.limited_data_use === true ? true : undefined,
    user: present({
      ...{ email: identifiers.email, phone: identifiers.phone, external_id: identifiers.external_id },
      ...{ ttclid: click_ids.ttclid, ttp: click_ids.ttp, ip: identifiers.ip, user_agent: identifiers.user_agent },
    }),
    page: page === undefined ? undefined : { url: page },
    properties: presentOrNone({
      value: jsonAmount(conversion.value),
      currency: conversion.currency,
      order_id: conversion.order_id,
      content_type: items.length > 0 ? 'product' : undefined,
      contents: items.map(({ id: content_id, quantity, price }) =>
        present({ content_id, quantity, price: jsonAmount(price) }),
      ),
    }),
  });
}

const codes: Readonly<Record<string, 'rate_limited' | 'auth' | 'config' | 'permanent'>> = {
  ...{ 40100: 'rate_limited', 40133: 'rate_limited' },
  ...{ 40102: 'auth', 40103: 'auth', 40104: 'auth', 40105: 'auth' },
  ...{ 40001: 'config', 40007: 'config', 40101: 'config' },
  40002: 'permanent',
};

/**
 * A 200 says nothing: the code inside does. One event that is wrong refuses the request. Of 20001, a part that was taken,
 * nobody says which: all of it goes again, under the same ids.
 */
function read(answer: Answer, asked?: Asked): Verdict {
  // A server that failed has not judged what was sent, whatever it writes.
  const code = answer.status < 500 ? codeOf(memberOf(answer.body, 'code')) : undefined;
  const known = code !== undefined && Object.hasOwn(codes, code) ? codes[code] : undefined;
  if (code !== undefined && known === 'rate_limited') return paused(answer, known, code, asked);
  if (code !== undefined && known !== undefined) return { class: known, reason: code };
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return plain;
  if (isSuccess(answer) && code === '0') return { class: 'accepted', reason: '0' };
  return code === undefined ? unknownAnswer(answer) : { class: 'retry', reason: code };
}
