/**
 * What an event means by its name, whoever named it: Google's recommended names are the house's, and those of Meta, TikTok
 * and the shops lead to the same. A route may name a platform's own event instead, which is then sent as it stands.
 */
export const meanings = [
  ...(['purchase', 'lead', 'sign_up', 'subscribe', 'start_trial', 'contact'] as const),
  ...(['add_to_cart', 'add_to_wishlist', 'begin_checkout', 'add_payment_info'] as const),
  ...(['view_item', 'page_view', 'search'] as const),
] as const;
export type Meaning = (typeof meanings)[number];

const names: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...meanings.map((meaning) => [meaning, meaning] as const),
  ['complete_payment', 'purchase'],
  ['order_completed', 'purchase'],
  ['checkout', 'purchase'],
  ['sale', 'purchase'],
  ['generate_lead', 'lead'],
  ['submit_form', 'lead'],
  ['signup', 'sign_up'],
  ['complete_registration', 'sign_up'],
  ['initiate_checkout', 'begin_checkout'],
  ['start_checkout', 'begin_checkout'],
  ['view_content', 'view_item'],
  ['product_viewed', 'view_item'],
  ['page_visit', 'page_view'],
  ['pageview', 'page_view'],
  ['add_billing', 'add_payment_info'],
  ['add_cart', 'add_to_cart'],
]);

/** @example meaningOf('CompletePayment') // 'purchase' */
export function meaningOf(name: string): Meaning | undefined {
  return names.get(snake(name));
}

/** `Order Completed` and `orderCompleted` are `order_completed`. */
export function snake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
}

/** A platform's name for an event: its own where it is one of them, else by what it means. */
export function platformEvent(
  name: string,
  own: ReadonlySet<string>,
  byMeaning: Readonly<Partial<Record<Meaning, string>>>,
): string | undefined {
  if (own.has(name)) return name;
  const meaning = meaningOf(name);
  return meaning === undefined ? undefined : byMeaning[meaning];
}
