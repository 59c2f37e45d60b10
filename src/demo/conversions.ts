import { type Chance, chanceOf } from './chance.ts';

/** A made-up purchase, as a shop would tell of it, or as a sender that is set up wrong would. */
export interface MadeConversion {
  readonly body: Readonly<Record<string, unknown>>;
}

const countries = ['DE', 'DE', 'DE', 'FR', 'AT', 'GB', 'US', 'CH'] as const;
const sources = ['google', 'newsletter', 'facebook', 'affiliate'] as const;
const skus = ['kettle', 'teapot', 'grinder', 'filter', 'scale'] as const;
const agent = 'Mozilla/5.0 (X11; Linux x86_64)';

/** The number of the n-th purchase. */
export function madeOrder(seed: string, n: number): string {
  return `D-${seed.length}${String(n).padStart(5, '0')}`;
}

/**
 * The n-th purchase of a demo's shop. Nobody is behind it: names are numbered and addresses end in `.example`.
 * @param atMs when it happened
 */
export function madeConversion(seed: string, n: number, atMs: number): MadeConversion {
  const chance = chanceOf(`${seed} conversion ${n}`);
  const country = chance.one(countries);
  const price = 15 + chance.below(180);
  const value = `${price}.${String(chance.below(100)).padStart(2, '0')}`;
  const sku = chance.one(skus);
  return {
    body: {
      event_name: chance.is(0.85) ? 'purchase' : 'lead',
      ...{ order_id: madeOrder(seed, n), occurred_at: new Date(atMs).toISOString() },
      ...{ value, currency: chance.is(0.02) ? 'EURO' : 'EUR', cost: (price * 0.6).toFixed(2) },
      page_url: `https://shop.example/thanks?utm_source=${chance.one(sources)}&utm_medium=cpc`,
      consent: consentOf(chance),
      ...toldOf(chance, { n, atMs, country }),
      items: [{ id: sku, quantity: 1, price: value }],
    },
  };
}

/** Who it is about: nearly always an address, sometimes a click alone, and of a guest at the counter nothing. */
function toldOf(chance: Chance, { n, atMs, country }: { n: number; atMs: number; country: string }): object {
  if (chance.is(0.03)) return { user: { country } };
  const number = chance.below(4_000);
  const browser = { ip: `81.2.${chance.below(250)}.${1 + chance.below(250)}`, user_agent: agent };
  return {
    click_ids: {
      ...(chance.is(0.6) ? { gclid: `Cj0KCQ${n}demo`, fbp: `fb.1.${atMs}.${100_000 + n}` } : {}),
      ...(chance.is(0.25) ? { fbc: `fb.1.${atMs}.IwAR${n}demo` } : {}),
      ...(chance.is(0.15) ? { ttclid: `E.C.P.${n}demo` } : {}),
      ...(chance.is(0.08) ? { li_fat_id: `li-${n}-demo` } : {}),
    },
    user: {
      ...{ email: `customer${number}@mail.example`, external_id: `C-${number}`, country },
      ...(chance.is(0.5) ? { phone: `+4930${1_000_000 + chance.below(8_999_999)}` } : {}),
      ...(chance.is(0.4)
        ? { first_name: 'Customer', last_name: `Number ${number}`, city: 'Berlin', zip: '10115' }
        : {}),
      // A till that knows no browser, while its purchases are told of as a website's.
      ...(chance.is(0.04) ? {} : browser),
    },
  };
}

function consentOf(chance: Chance): object {
  if (chance.is(0.08)) return { ad_user_data: 'denied', ad_personalization: 'denied' };
  if (chance.is(0.06)) return {};
  return { ad_user_data: 'granted', ad_personalization: chance.is(0.8) ? 'granted' : 'denied' };
}

/** What a sender sends beside its conversions: nothing that the mapping of a shop's orders makes one of. */
export function madeUnmapped(n: number): object {
  return {
    type: n % 2 === 0 ? 'customer.updated' : 'basket.abandoned',
    id: `evt_demo_${n}`,
    basket: { total: `${20 + n}.00`, currency: 'EUR', items: 1 + (n % 3) },
  };
}

/** An order that is taken back. */
export function madeRefund(seed: string, n: number, atMs: number): object {
  const { body } = madeConversion(seed, n, atMs);
  return {
    ...{ ...body, order_id: `${madeOrder(seed, n)}-R`, occurred_at: new Date(atMs).toISOString(), refund: true },
    original: { event_name: body.event_name, order_id: madeOrder(seed, n) },
  };
}

/**
 * A file of offline conversions with the columns of Google's template: some rows are what people write by hand, some tell of orders
 * that came before, one stands twice.
 */
export function madeFile(seed: string, nowMs: number): Buffer {
  const chance = chanceOf(`${seed} file`);
  const head =
    'Google Click ID,Email,Conversion Name,Conversion Time,Conversion Value,Conversion Currency,Order ID,Ad User Data';
  const rows = Array.from({ length: 60 }, (_, n) => {
    const atMs = nowMs - 3_600_000 * (4 + n);
    const [day, time] = new Date(atMs).toISOString().split(/[T.]/) as [string, string];
    const [year, month, date] = day.split('-') as [string, string, string];
    const value = `${25 + chance.below(300)}.${String(chance.below(100)).padStart(2, '0')}`;
    return [
      ...[chance.is(0.4) ? `Cj0KCQ${n}till` : '', `customer${chance.below(4_000)}@mail.example`],
      ...['purchase', n === 7 ? 'last Tuesday' : `${month}/${date}/${year} ${time}`],
      ...[n === 11 || n === 23 ? value.replace('.', ',') : value, n === 31 ? 'EURO' : 'EUR'],
      ...[n % 20 === 9 ? madeOrder(seed, n) : `T-${10_000 + n}`, n === 41 ? 'Yes' : n % 9 === 0 ? 'Denied' : 'Granted'],
    ].map((cell) => (cell.includes(',') ? `"${cell}"` : cell));
  });
  const lines = [head, ...rows.map((row) => row.join(','))];
  return Buffer.from(`${[...lines, lines[5] as string].join('\r\n')}\r\n`);
}
