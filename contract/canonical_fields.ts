import { destinationClickIds } from './destinations.ts';
import { isForbiddenName } from './mapping_path.ts';

/** The fields of the canonical conversion by name, without what checks them: the dashboard reads this list, too. */

/** Where a conversion happened (Meta's words; Google's follow from them). */
export const actionSources = [
  'website',
  'app',
  'email',
  'phone_call',
  'chat',
  'physical_store',
  'system_generated',
  'business_messaging',
  'other',
] as const;
export type ActionSource = (typeof actionSources)[number];

/** Click ids by the names of the platforms; `tracker` is the click id of whoever tracked the click before us. */
export const clickIds = [
  ...(['gclid', 'gbraid', 'wbraid', 'dclid', 'fbclid', 'fbc', 'fbp', 'ttclid', 'ttp', 'msclkid'] as const),
  ...(['li_fat_id', 'twclid', 'rdt_cid', 'sc_click_id', 'epik'] as const),
  ...destinationClickIds,
  'tracker',
] as const;
export type ClickId = (typeof clickIds)[number];

/** How a field of the canonical conversion is read. `text` takes numbers too (an order id), `texts` up to five of them. */
export type FieldKind = 'text' | 'texts' | 'amount' | 'yes_no' | 'granted' | 'items';

const texts = <const Names extends readonly string[]>(group: string, names: Names) =>
  names.map((name): [string, FieldKind] => [`${group}${name}`, 'text']);

/** Every field that a mapping may fill, by its path in the canonical conversion; `custom.<name>` beside them. */
export const canonicalFields: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  ...texts('', ['event_id', 'event_name', 'occurred_at', 'clicked_at', 'currency', 'order_id', 'page_url']),
  ...texts('', ['action_source', 'domain', 'query']),
  ['value', 'amount'],
  ['cost', 'amount'],
  ['refund', 'yes_no'],
  ['consent.ad_user_data', 'granted'],
  ['consent.ad_personalization', 'granted'],
  ['consent.limited_data_use', 'yes_no'],
  ...texts('click_ids.', clickIds),
  ['user.email', 'texts'],
  ['user.phone', 'texts'],
  ['user.external_id', 'texts'],
  ...texts('user.', ['phone_country', 'first_name', 'last_name', 'city', 'state', 'zip', 'country', 'ip']),
  ...texts('user.', ['user_agent', 'date_of_birth', 'gender', 'fingerprint']),
  ['items', 'items'],
  ...texts('merchant.', ['id', 'feed_country', 'feed_language']),
  ...texts('utm.', ['source', 'medium', 'campaign', 'term', 'content']),
  ...texts('campaign.', ['source', 'medium', 'id', 'group_id', 'ad_id']),
  ...texts('original.', ['event_name', 'order_id', 'event_id']),
]);

export const customName = /^custom\.[A-Za-z0-9_][A-Za-z0-9_ .-]{0,63}$/;

export function isMappedField(field: string): boolean {
  if (canonicalFields.has(field)) return true;
  return customName.test(field) && !isForbiddenName(field.slice('custom.'.length));
}
