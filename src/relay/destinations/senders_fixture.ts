import type { Conversion } from '../../../contract/conversion.ts';
import { destinationClickIds } from '../../../contract/destinations.ts';
import { isRefused, readConversion } from '../conversions/read.ts';
import type { Answer, Destination, Item } from './destination.ts';

/** 45 minutes after the order of `order` was placed. */
export const now = Date.parse('2026-11-30T09:00:00Z');
/** 2026-11-30T09:15:00+01:00 */
export const orderSeconds = 1_796_026_500;

/** Hashes from elsewhere: the first three are vectors of the reference, the others were made with sha256sum. */
export const hashes = {
  email: '509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a',
  phoneDigits: '92cfdc5fbcd4a20fbe5d3857af6c1aba31762105bba7f21a17155e920653046c',
  phoneE164: 'fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30',
  externalId: 'b07d67e691201384ef70fd40dbdff650ea5f30cbecb37128fa6692cffca534f2',
  firstName: '24d4b96f58da6d4a8512313bbd02a28ebf0ca95dec6e4c86ef78ce7f01e788ac',
  address: 'd3c1f772b9e69331fd5d6ee187ac94be503ab0ddbd00f2f4a63dfdc54b1f5f27',
} as const;

export const order = {
  event_name: 'purchase',
  occurred_at: '2026-11-30T09:15:00+01:00',
  value: '129.90',
  currency: 'EUR',
  order_id: 'A-1001',
  page_url: 'https://shop.example/thanks',
  action_source: 'website',
  consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
  click_ids: {
    ...{ ttclid: 'E.C.P.tt', ttp: '2F7h', msclkid: 'dd4afccc-b1c9-a4ca-d954-4dd7e5006aaa', li_fat_id: 'df5gf5-gh6t7' },
    ...{ twclid: '23opevjt88', rdt_cid: 'rdt-1', sc_click_id: 'sc-1', epik: 'dj0yJ' },
    // Those that a destination brought with it.
    ...Object.fromEntries(destinationClickIds.map((name) => [name, `${name}-1`])),
  },
  user: {
    ...{ email: ' AlexZ@Example.com', phone: '+1 (800) 555-0100', external_id: 'C-77', first_name: 'Ana' },
    ...{ ip: '81.2.69.142', user_agent: 'Mozilla/5.0' },
  },
  items: [
    { id: 'sku-1', quantity: 2, price: '49.95' },
    { id: 'sku-2', price: 30 },
  ],
} as const;

/** A conversion as a source hands it over, made ready for a destination. */
export function itemOf<Identifiers>(
  { identify }: Pick<Destination<unknown, Identifiers>, 'identify'>,
  given: object,
  id = 'order-1',
): Item<Identifiers> {
  const conversion = readConversion(given, now);
  if (isRefused(conversion)) throw new Error(`${conversion.reason} ${conversion.field}`);
  const identifiers = identify(conversion);
  // Raw values need not be kept after that: nothing later may look at them.
  const { user: _user, ...kept }: Conversion = conversion;
  return { conversion: kept, identifiers, id };
}

/** What is sent, as its reader gets it. */
export function sentBody(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body));
}

export function answer(status: number, body: unknown = '', headers: Record<string, string> = {}): Answer {
  return { status, body, headers };
}
