import type { Conversion } from '../../../contract/conversion.ts';
import { ofPeople } from '../../../contract/relay_reading.ts';
import { jsonAmount } from '../conversions/amount.ts';
import { type MetaIdentifiers, metaIdentifiers } from '../identifiers/meta.ts';
import {
  codeText,
  headerOf,
  isPage,
  numberIn,
  object,
  retryAfterMs,
  seriesOf,
  versionRefused,
  withPause,
} from './answer_parts.ts';
import {
  actionSourceOf,
  isOldClick,
  momentOf,
  refuseAmounts,
  refuseConsent,
  refuseRefund,
  refuseTime,
  yearOf,
} from './conversion_rules.ts';
import type { Answer, ApiVersion, Asked, Destination, Item, OutgoingRequest, Refusal, Verdict } from './destination.ts';
import { sentAddress, sentPageUrl } from './sent_parts.ts';
import { readFields, settingsFields } from './settings_fields.ts';

interface MetaSettings {
  readonly dataset_id: string;
  readonly test_event_code?: string;
}

/** What goes along of a person; the last two as they are, since Meta wants them so. */
interface Known extends MetaIdentifiers {
  client_ip_address?: string;
  client_user_agent?: string;
}

/** The latest that is documented (reference). An operator's address for the host replaces the first part. */
const version: ApiVersion = { standard: 'v25.0', is: /^v\d{1,3}\.\d$/, variable: 'FAIRLEAD_META_VERSION' };
const endpoint = 'https://graph.facebook.com';
const dayMs = 86_400_000;
/** One older event makes Meta refuse the whole request. */
const ageMsMax = 7 * dayMs;
const storeAgeMsMax = 62 * dayMs;
/** Code 368: blocked for a while because of what looked like abuse; asking sooner makes it longer. */
const blockedMs = 3_600_000;

const fields = settingsFields({
  dataset_id: { is: /^\d{1,32}$/, label: 'Dataset or pixel', what: 'the number of a dataset or pixel', required: true },
  test_event_code: {
    ...{ is: /^[\w-]{1,64}$/, label: 'Test event code', isTestCode: true },
    what: 'a code as Events Manager shows it, such as TEST12345',
  },
});

/** Meta Conversions API. `outbound` adds the token as a Bearer header: it is never in an address and never in a body. */
export const metaCapi: Destination<MetaSettings, Known> = {
  id: 'meta-capi',
  label: 'Meta Conversions API',
  receiver: {
    ...{ host: 'graph.facebook.com', variable: 'FAIRLEAD_RELAY_META_URL', legalName: 'Meta Platforms, Inc.' },
    ...{ policyUrl: 'https://www.facebook.com/privacy/policy', termsUrl: 'https://www.facebook.com/legal/terms' },
  },
  version,
  batchMax: 1_000,
  purposes: ['ad_user_data'],
  matchesBy: [...ofPeople, 'fbc', 'fbp'],
  sharesPageId: true,
  fields,
  examples: { settings: { dataset_id: '1' } },
  picks: { target: 'dataset_id' },
  secret: { label: 'Access token', what: 'a token of the Conversions API or of a system user, with ads_management' },
  credential: { kind: 'bearer' },
  // Meta names no limit; its headers say how near one is.
  rate: { perMinute: 600 },
  asTest: (settings, test_event_code) => ({ ...settings, test_event_code }),
  ageMsMax: ({ action_source }) => (action_source === 'physical_store' ? storeAgeMsMax : ageMsMax),
  pixelEvent: (name) => name,

  settings(given) {
    return readFields(given, 'Meta Conversions API', fields);
  },

  identify(conversion) {
    const { user } = conversion;
    const known: Known = metaIdentifiers(user, yearOf(conversion));
    const address = sentAddress(user?.ip);
    if (address !== undefined) known.client_ip_address = address;
    if (user?.user_agent !== undefined) known.client_user_agent = user.user_agent;
    return known;
  },

  refuse(item, _settings, now) {
    const { conversion } = item;
    return (
      refuseConsent(conversion) ??
      refuseRefund(conversion) ??
      refuseTime(conversion, now, metaCapi.ageMsMax?.(conversion)) ??
      refuseAmounts(conversion) ??
      refuseSource(item) ??
      (isKnown(item) ? undefined : { reason: 'no_identifier', field: 'user' })
    );
  },

  build(items, { dataset_id, test_event_code }, _now, at = version.standard): OutgoingRequest {
    return {
      method: 'POST',
      url: `${endpoint}/${at}/${dataset_id}/events`,
      headers: { 'content-type': 'application/json' },
      body: { data: items.map(eventOf), ...(test_event_code === undefined ? {} : { test_event_code }) },
    };
  },

  read,
};

/** Website events are refused without the page and the browser; every event has to say where it happened. */
function refuseSource({ conversion, identifiers }: Item<Known>): Refusal | undefined {
  const source = actionSourceOf(conversion);
  if (source === undefined) return { reason: 'missing', field: 'action_source' };
  if (source !== 'website') return undefined;
  const { page_url } = conversion;
  if (page_url === undefined) return { reason: 'missing', field: 'page_url' };
  if (sentPageUrl(page_url) === undefined) return { reason: 'invalid', field: 'page_url' };
  return identifiers.client_user_agent === undefined ? { reason: 'missing', field: 'user.user_agent' } : undefined;
}

/** Something by which Meta can find a person: a name needs both its parts, an address its browser. */
function isKnown({ conversion, identifiers }: Item<Known>): boolean {
  const { em, ph, external_id, fn, ln, client_ip_address, client_user_agent } = identifiers;
  if (em !== undefined || ph !== undefined || external_id !== undefined) return true;
  if (fbcOf(conversion) !== undefined || fbpOf(conversion.click_ids) !== undefined) return true;
  if (fn !== undefined && ln !== undefined) return true;
  return client_ip_address !== undefined && client_user_agent !== undefined;
}

function eventOf({ conversion, identifiers, id }: Item<Known>): Record<string, unknown> {
  const { event_name, page_url, consent } = conversion;
  const event: Record<string, unknown> = {
    event_name,
    event_time: Math.floor(momentOf(conversion).ms / 1000),
    event_id: id,
    action_source: actionSourceOf(conversion),
  };
  if (page_url !== undefined) event.event_source_url = sentPageUrl(page_url);
  event.user_data = userDataOf(conversion, identifiers);
  const custom = customDataOf(conversion);
  if (custom !== undefined) event.custom_data = custom;
  // 0 and 0: Meta finds out itself in which country and state somebody is.
  if (consent?.limited_data_use === true) {
    event.data_processing_options = ['LDU'];
    event.data_processing_options_country = 0;
    event.data_processing_options_state = 0;
  }
  // What Meta has for "measure, and do not choose advertisements by it".
  if (consent?.ad_personalization === 'denied') event.opt_out = true;
  return event;
}

const hashedFields = [
  ...(['em', 'ph', 'fn', 'ln', 'ct', 'st', 'zp', 'country', 'db', 'ge', 'external_id'] as const),
] as const;

function userDataOf(conversion: Conversion, identifiers: Known): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (const field of hashedFields) {
    const hashes = identifiers[field];
    if (hashes !== undefined) data[field] = typeof hashes === 'string' ? [hashes] : hashes;
  }
  const { client_ip_address, client_user_agent } = identifiers;
  if (client_ip_address !== undefined) data.client_ip_address = client_ip_address;
  if (client_user_agent !== undefined) data.client_user_agent = client_user_agent;
  const fbc = fbcOf(conversion);
  if (fbc !== undefined) data.fbc = fbc;
  const fbp = fbpOf(conversion.click_ids);
  if (fbp !== undefined) data.fbp = fbp;
  return data;
}

/** Four segments, or five with an appendix of Meta's own libraries. What looks otherwise counts against the match quality. */
const fbcShape = /^fb\.\d\.\d{1,16}\.([^.\s]+)(?:\.(?:[\w-]{2}|[\w-]{8}))?$/;
const fbpShape = /^fb\.\d\.\d{1,16}\.\d{1,20}(?:\.(?:[\w-]{2}|[\w-]{8}))?$/;

/**
 * The cookie of the browser, unless another click brought somebody since: then made of that click, as Meta's library
 * makes it. The id of a click is passed as it came; its case matters. Of an old click there is none.
 */
function fbcOf(conversion: Conversion): string | undefined {
  if (isOldClick(conversion)) return undefined;
  const { fbc, fbclid } = conversion.click_ids ?? {};
  const ofCookie = fbc === undefined ? undefined : fbcShape.exec(fbc)?.[1];
  if (fbclid === undefined) return ofCookie === undefined ? undefined : fbc;
  if (ofCookie === fbclid) return fbc;
  return `fb.1.${momentOf(conversion, 'clicked_at').ms}.${fbclid}`;
}

/** Only ever the browser's own: a made-up one would join people who have nothing to do with each other. */
function fbpOf(click_ids: Conversion['click_ids']): string | undefined {
  const fbp = click_ids?.fbp;
  return fbp !== undefined && fbpShape.test(fbp) ? fbp : undefined;
}

/** Names that Meta has and the canonical conversion does not: taken from declared variables of the same name. */
const customFields = ['content_name', 'content_category', 'search_string', 'status'] as const;

function customDataOf({ value, currency, order_id, items, custom }: Conversion): Record<string, unknown> | undefined {
  const data: Record<string, unknown> = {};
  if (value !== undefined) data.value = jsonAmount(value);
  if (currency !== undefined) data.currency = currency;
  if (order_id !== undefined) data.order_id = order_id;
  if (items !== undefined && items.length > 0) {
    data.content_type = 'product';
    data.contents = items.map(({ id, quantity = 1, price }) =>
      price === undefined ? { id, quantity } : { id, quantity, item_price: jsonAmount(price) },
    );
  }
  if (custom !== undefined)
    for (const name of customFields) if (typeof custom[name] === 'string') data[name] = custom[name];
  return Object.keys(data).length === 0 ? undefined : data;
}

const rateCodes = new Set([4, 17, 32, 613]);
const retryCodes = new Set([1, 2, 341, 368, 5000]);
const authCodes = new Set([102, 190]);
/** Of 190: the time of the token is over. */
const expiredSubcode = 463;
const configCodes = new Set([10, 803]);
/** A version that is over, in Meta's own clients' issues and in others' code; the reference has no code for it. */
const goneVersionCode = 2635;
/** Of code 100: the event itself is wrong. 2804003 is one that is too old. */
const wrongEvent = new Set([2804001, 2804003, 2804007, 2804016, 2804017, 2804019, 2804048]);

/** The table of the reference. What it does not name is tried again: a code that we do not know is no end. */
function read(answer: Answer, asked: Asked = {}): Verdict {
  const { sent, now } = asked;
  const { status, body } = answer;
  if (status === 0) return { class: 'retry', reason: 'no_answer' };
  const pauseMs = retryAfterMs(answer, now);
  const said = object(body);
  const error = object(said?.error);
  if (error === undefined) return readWithoutError(answer, said, sent, pauseMs);
  const code = numberIn(error.code);
  const subcode = numberIn(error.error_subcode);
  const reason = codeText(error.code, `http_${status}`) + (subcode > 0 ? `/${subcode}` : '');
  if (isRate(code) || status === 429) return withPause('rate_limited', reason, pauseMs ?? regainMs(answer));
  if (code === 368) return withPause('retry', reason, Math.max(blockedMs, pauseMs ?? 0));
  if (error.is_transient === true || status >= 500 || retryCodes.has(code)) return withPause('retry', reason, pauseMs);
  if (code === goneVersionCode) return versionRefused(reason, asked);
  if (authCodes.has(code))
    return { class: 'auth', reason, ...(subcode === expiredSubcode && { isExpired: true as const }) };
  if (configCodes.has(code) || (code >= 200 && code <= 299)) return { class: 'config', reason };
  if (code === 100 && subcode === 33) return { class: 'config', reason };
  if (code === 100 && wrongEvent.has(subcode)) return { class: 'permanent', reason };
  return withPause('retry', reason, pauseMs);
}

function isRate(code: number): boolean {
  return rateCodes.has(code) || (code >= 80_000 && code <= 80_014);
}

/** Success says how many events were taken in; a page, an empty answer and half of the events are none. */
function readWithoutError(
  { status, body }: Answer,
  said: Record<string, unknown> | undefined,
  sent: number | undefined,
  pauseMs: number | undefined,
): Verdict {
  if (status === 429) return withPause('rate_limited', 'http_429', pauseMs);
  if (isPage(body)) return withPause('retry', 'html', pauseMs);
  if (status >= 200 && status <= 299) {
    const received = said?.events_received;
    if (typeof received === 'number' && received > 0 && (sent === undefined || received === sent))
      return { class: 'accepted', reason: 'events_received' };
    return withPause('retry', received === undefined ? `http_${status}` : 'events_received', pauseMs);
  }
  if (status === 401) return { class: 'auth', reason: 'http_401' };
  return withPause('retry', `http_${status}`, pauseMs);
}

/** `X-Business-Use-Case-Usage` says in minutes when calls are taken again. */
function regainMs(answer: Answer): number | undefined {
  const text = headerOf(answer, 'x-business-use-case-usage');
  if (text === undefined) return undefined;
  let usage: unknown;
  try {
    usage = JSON.parse(text);
  } catch {
    return undefined;
  }
  const minutes = Object.values(object(usage) ?? {})
    .flatMap(seriesOf)
    .map((each) => numberIn(object(each)?.estimated_time_to_regain_access))
    .filter((each) => Number.isFinite(each) && each > 0);
  return minutes.length === 0 ? undefined : Math.min(Math.max(...minutes) * 60_000, dayMs);
}
