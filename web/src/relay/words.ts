import type { CaptureReason } from '../../../contract/mapping.ts';
import type { RelayDestination, SourceKind, TriedDelivery } from '../../../contract/relay_settings.ts';
import { now } from '../edge/browser.ts';
import { zonedText } from '../edge/reader.ts';

export const sourceKindWords: Record<SourceKind, string> = {
  http: 'Webhook or postback',
  upload: 'Uploaded files',
  goals: 'Goals of the web analytics',
};

export const schemeWords = {
  shopify: 'as Shopify signs',
  woocommerce: 'as WooCommerce signs',
  stripe: 'as Stripe signs',
  hmac: 'HMAC-SHA256 of the body, in hex',
} as const;

export const destinationStateWords: Record<RelayDestination['state'], string> = {
  active: 'Active',
  paused: 'Paused',
  reconnect: 'Connect again',
  misconfigured: 'Settings refused',
};

/** What is the matter with a request or a field of it, and where it helps how to mend it. */
export const captureReasonWords: Partial<Record<CaptureReason, string>> = {
  missing: 'is not there',
  invalid: 'cannot be read as what it should be',
  too_many: 'has too many values',
  not_in_table: 'is not in the look-up table',
  unexpanded_macro: 'is a macro that the tracker did not fill in',
  no_offset: 'has no offset from UTC; say its timezone with the step “date”',
  in_the_future: 'lies in the future',
  unknown_currency: 'is no currency of ISO 4217',
  click_ids_conflict: 'has a gbraid and a wbraid, which Google refuses together',
  no_case: 'No case of the mapping fits this request',
  ignored: 'The mapping says that this is no conversion',
  mapping: 'The mapping has a mistake',
  too_much_work: 'The mapping looks at too much of it',
  empty: 'There is nothing in it',
  not_json: 'The body is no JSON',
  not_form: 'The body is no form',
  not_multipart: 'The body is no multipart form',
  not_an_object: 'A record of it is no object',
  not_utf8: 'The body is not UTF-8',
  content_type: 'The content type is none that is read',
  content_encoding: 'The body is packed in a way that is not read',
  not_unpackable: 'The packing of the body is damaged',
  too_large: 'is larger than is read',
  too_deep: 'is nested deeper than is read',
  too_many_items: 'has more items than are read',
};

/** What a field wants, by the end of its name: “cannot be read” alone helps nobody. */
const wanted: Readonly<Record<string, string>> = {
  value: 'cannot be read as a number such as 129.90',
  cost: 'cannot be read as a number such as 129.90',
  price: 'cannot be read as a number such as 129.90',
  quantity: 'cannot be read as a number such as 2',
  occurred_at: 'cannot be read as a time such as 2026-11-30T09:15:00+01:00',
  clicked_at: 'cannot be read as a time such as 2026-11-30T09:15:00+01:00',
  currency: 'cannot be read as a code such as EUR',
  ad_user_data: 'is neither granted nor denied',
  ad_personalization: 'is neither granted nor denied',
  consent: 'holds no fields, and this mapping looks for some in it: nothing is sent as though nobody had been asked',
};

/** What is the matter with a field of a request, as the end of a sentence that its name begins. */
export function fieldProblem(field: string, reason: string): string {
  const own = reason === 'invalid' ? wanted[field.slice(field.lastIndexOf('.') + 1)] : undefined;
  return own ?? captureReasonWords[reason as CaptureReason] ?? reason.replaceAll('_', ' ');
}

export const outcomeWords: Record<TriedDelivery['outcome'], string> = {
  sent: 'Would be sent',
  held: 'Waits until somebody lets it go',
  withheld: 'Withheld by consent',
  skipped: 'Does not go this way',
  refused: 'The platform would refuse it',
  misconfigured: 'The destination’s settings are wrong',
};

export const deliveryReasonWords: Partial<Record<NonNullable<TriedDelivery['reason']>, string>> = {
  condition: 'the condition of the route does not hold',
  event: 'this event is not among those of the route',
  settings: 'a setting is missing or wrong',
  consent_denied: 'consent was denied',
  consent_unknown: 'nothing was said of consent, and here that is no yes',
  missing: 'is missing',
  invalid: 'is not as the platform wants it',
  no_offset: 'has no offset',
  too_old: 'is older than the platform takes',
  in_the_future: 'lies in the future',
  no_identifier: 'There is nothing by which the platform could know the person',
  click_ids_conflict: 'Two click ids contradict each other',
  unknown_currency: 'is no known currency',
  value_without_currency: 'has a value and no currency',
  not_supported: 'The platform does not take this',
};

/** What a delivery of a trial says beside its outcome; with its field where there is one. */
export function deliveryText({ reason, field }: Pick<TriedDelivery, 'reason' | 'field'>): string {
  if (reason === undefined) return '';
  const words = deliveryReasonWords[reason] ?? reason.replaceAll('_', ' ');
  const isOfField = /^(is|has|lies)\b/.test(words);
  return field === undefined || !isOfField ? words : `${field} ${words}`;
}

const minuteMs = 60_000;

/** Relative under an hour, absolute after that (ui.md §4). */
export function whenText(iso: string, zone: string): string {
  const agoMs = now() - Date.parse(iso);
  if (agoMs >= 0 && agoMs < minuteMs) return 'just now';
  if (agoMs >= 0 && agoMs < 60 * minuteMs) return `${Math.floor(agoMs / minuteMs)} min ago`;
  return momentText(iso, zone);
}

export function momentText(iso: string, zone: string): string {
  return zonedText(iso, zone, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
}
