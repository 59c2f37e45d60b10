import { type Chance, chanceOf } from './chance.ts';

/** A made-up purchase, as a shop would tell of it, or as a sender that is set up wrong would. */
export interface MadeConversion {
  readonly body: Readonly<Record<string, unknown>>;
}

const countries = ['DE', 'DE', 'DE', 'FR', 'AT', 'GB', 'US', 'CH'] as const;
const sources = ['google', 'newsletter', 'facebook', 'affiliate'] as const;
const skus = ['kettle', 'teapot', 'grinder', 'filter', 'scale'] as const;

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
      ...{ order_id: `D-${seed.length}${String(n).padStart(5, '0')}`, occurred_at: new Date(atMs).toISOString() },
      ...{ value, currency: chance.is(0.02) ? 'EURO' : 'EUR', cost: (price * 0.6).toFixed(2) },
      page_url: `https://shop.example/thanks?utm_source=${chance.one(sources)}&utm_medium=cpc`,
      consent: consentOf(chance),
      click_ids: chance.is(0.6) ? { gclid: `Cj0KCQ${n}demo`, fbp: `fb.1.${atMs}.${100_000 + n}` } : {},
      user: {
        ...{ email: `customer${chance.below(4_000)}@mail.example`, external_id: `C-${chance.below(4_000)}`, country },
        ...(chance.is(0.5) ? { phone: `+4930${1_000_000 + chance.below(8_999_999)}` } : {}),
        ...{ ip: `81.2.${chance.below(250)}.${1 + chance.below(250)}`, user_agent: 'Mozilla/5.0 (X11; Linux x86_64)' },
      },
      items: [{ id: sku, quantity: 1, price: value }],
    },
  };
}

function consentOf(chance: Chance): object {
  if (chance.is(0.08)) return { ad_user_data: 'denied', ad_personalization: 'denied' };
  if (chance.is(0.06)) return {};
  return { ad_user_data: 'granted', ad_personalization: chance.is(0.8) ? 'granted' : 'denied' };
}
