import { describe, expect, it } from 'vitest';
import { readMapping } from '../../mapping/plan.ts';
import { takeRequest } from '../capture.ts';
import type { CapturedRequest } from '../request.ts';
import { presetOf, presets } from './index.ts';

/** Whole payloads as the platforms' documents show them, with ids, names and addresses that are nobody's. */
const now = Date.UTC(2026, 10, 30, 9, 0, 0);
const came = '2026-11-30T09:00:00Z';

function take(id: string, request: Partial<CapturedRequest>) {
  const preset = presetOf(id);
  if (preset === undefined) throw new Error(id);
  return takeRequest({ method: 'POST', url: '/in/x', headers: {}, body: null, ...request }, preset, now);
}
const get = (id: string, query: string) => take(id, { method: 'GET', url: `/in/x?${query}` });
const post = (id: string, body: unknown, headers: Record<string, string> = {}, url = '/in/x') =>
  take(id, { url, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });

it.each(presets.map((preset) => [preset.id, preset] as const))(
  '%s is a mapping as anybody writes one',
  (_id, preset) => {
    expect(readMapping(JSON.parse(JSON.stringify(preset.mapping)))).toHaveProperty('mapping', preset.mapping);
  },
);

describe('postbacks', () => {
  it.each<[string, string, object]>([
    [
      'voluum',
      'cid=wAB12&payout=12.50&txid=T-9&et=deposit&currency=usd',
      { event_name: 'deposit', value: '12.50', currency: 'USD', order_id: 'T-9', click_ids: { tracker: 'wAB12' } },
    ],
    ['voluum', 'cid=wAB12', { event_name: 'conversion', click_ids: { tracker: 'wAB12' } }],
    [
      'keitaro',
      'subid=s1&status=sale&payout=10&tid=AF-77821&currency=eur',
      {
        event_name: 'sale',
        event_id: 's1-sale',
        value: '10',
        currency: 'EUR',
        order_id: 'AF-77821',
        click_ids: { tracker: 's1' },
      },
    ],
    [
      'keitaro',
      'subid=s1&payout=10',
      { event_name: 'sale', event_id: 's1-sale', value: '10', click_ids: { tracker: 's1' } },
    ],
    [
      'keitaro',
      'subid=s1&status=lead&payout=0',
      { event_name: 'lead', event_id: 's1-lead', value: '0', click_ids: { tracker: 's1' } },
    ],
    [
      'keitaro',
      'subid=s1&status=sale&payout=5&tid=2',
      { event_name: 'sale', event_id: 's1-sale', value: '5', order_id: 's1-2', click_ids: { tracker: 's1' } },
    ],
    [
      'keitaro',
      'subid=s1&status=rejected&tid=AF-77821',
      {
        event_name: 'rejected',
        event_id: 's1-AF-77821-rejected',
        refund: true,
        original: { order_id: 'AF-77821' },
        click_ids: { tracker: 's1' },
      },
    ],
    [
      'redtrack',
      'clickid=65f0a1&sum=99.90&type=Purchase&rdtk_event_id=O-1',
      { event_name: 'Purchase', event_id: 'O-1', value: '99.90', click_ids: { tracker: '65f0a1' } },
    ],
    [
      'clickflare',
      'click_id=cf-1&payout=7.1&txid=77',
      { event_name: 'conversion', value: '7.1', order_id: '77', click_ids: { tracker: 'cf-1' } },
    ],
    [
      'postback',
      'event_name=lead&order_id=L-1&value=3&currency=GBP&click_id=c1&gclid=Cj0K&email=ann%40example.com',
      {
        event_name: 'lead',
        order_id: 'L-1',
        value: '3',
        currency: 'GBP',
        click_ids: { tracker: 'c1', gclid: 'Cj0K' },
        user: { email: 'ann@example.com' },
      },
    ],
  ])('%s: %s', (id, query, conversion) => {
    expect(get(id, query)).toEqual({
      status: 202,
      conversions: [{ occurred_at: came, ...conversion }],
      reason: null,
      field: null,
      problems: [],
    });
  });
  it.each(['voluum', 'keitaro', 'redtrack', 'clickflare', 'postback'])(
    '%s: its own template, nobody having filled it in, is no value',
    (id) => {
      const { conversions, problems } = get(id, (presetOf(id)?.template ?? '').slice(1));
      expect(JSON.stringify(conversions)).not.toMatch(/[{}]\w/);
      expect(problems.map(({ reason }) => reason)).toContain('unexpanded_macro');
    },
  );
});

const shopifyOrder = {
  id: 5_940_139_491_234,
  name: '#1001',
  email: 'ann@example.com',
  phone: null,
  contact_email: 'ann@example.com',
  created_at: '2026-11-29T10:30:00-05:00',
  processed_at: '2026-11-29T10:29:58-05:00',
  currency: 'USD',
  total_price: '59.90',
  subtotal_price: '54.90',
  financial_status: 'paid',
  test: false,
  browser_ip: '203.0.113.9',
  landing_site: '/products/mug?utm_source=google&utm_medium=cpc&utm_campaign=autumn&gclid=Cj0KCQ_example',
  referring_site: 'https://www.google.com/',
  client_details: { browser_ip: '203.0.113.9', user_agent: 'Mozilla/5.0 (example)', accept_language: 'en' },
  note_attributes: [{ name: '_fbp', value: 'fb.1.1764400000000.1098115397' }],
  customer: { id: 7_001, email: 'ann@example.com', first_name: 'Ann', last_name: 'Lee', phone: '+12125550100' },
  billing_address: {
    first_name: 'Ann',
    last_name: 'Lee',
    city: 'New York',
    zip: '10001',
    province: 'New York',
    province_code: 'NY',
    country: 'United States',
    country_code: 'US',
    phone: null,
  },
  line_items: [
    { id: 1, product_id: 71, variant_id: 711, sku: 'MUG', title: 'Mug', quantity: 2, price: '24.95' },
    { id: 2, product_id: null, variant_id: null, sku: '', title: 'Gift wrap', quantity: 1, price: '5.00' },
  ],
  refunds: [],
};
const shopifyHeaders = { 'X-Shopify-Topic': 'orders/create', 'X-Shopify-Shop-Domain': 'mugs.example' };

describe('shopify', () => {
  it('an order is a purchase with its click ids, people and items', () => {
    expect(post('shopify', shopifyOrder, shopifyHeaders)).toEqual({
      status: 202,
      reason: null,
      field: null,
      problems: [],
      conversions: [
        {
          event_name: 'purchase',
          event_id: '5940139491234',
          order_id: '5940139491234',
          occurred_at: '2026-11-29T10:29:58-05:00',
          value: '59.90',
          currency: 'USD',
          action_source: 'website',
          page_url: `https://mugs.example${shopifyOrder.landing_site}`,
          domain: 'mugs.example',
          user: {
            ...{
              email: 'ann@example.com',
              phone: '+12125550100',
              phone_country: 'US',
              first_name: 'Ann',
              last_name: 'Lee',
            },
            ...{ city: 'New York', state: 'NY', zip: '10001', country: 'US', external_id: '7001' },
            ...{ ip: '203.0.113.9', user_agent: 'Mozilla/5.0 (example)' },
          },
          click_ids: { gclid: 'Cj0KCQ_example', fbp: 'fb.1.1764400000000.1098115397' },
          utm: { source: 'google', medium: 'cpc', campaign: 'autumn' },
          items: [
            { id: '711', quantity: 2, price: '24.95' },
            { id: '2', quantity: 1, price: '5.00' },
          ],
        },
      ],
    });
  });
  it('a made-up order of the shop says so', () => {
    expect(post('shopify', { ...shopifyOrder, test: true }, shopifyHeaders).conversions).toMatchObject([
      { custom: { test: true } },
    ]);
  });
  it('a refund is one for each movement of money, tied to its order', () => {
    const transaction = {
      order_id: shopifyOrder.id,
      kind: 'refund',
      status: 'success',
      currency: 'USD',
      gateway: 'example',
    };
    const refund = {
      id: 929_361_464,
      order_id: shopifyOrder.id,
      created_at: '2026-11-30T03:00:00-05:00',
      refund_line_items: [],
      transactions: [
        { ...transaction, id: 31, amount: '20.00', processed_at: '2026-11-30T03:00:01-05:00' },
        { ...transaction, id: 32, amount: '4.95', processed_at: null, created_at: '2026-11-30T03:00:02-05:00' },
        { ...transaction, id: 33, amount: '4.95', status: 'failure' },
        { ...transaction, id: 34, amount: '4.95', kind: 'void' },
      ],
    };
    const common = {
      event_name: 'refund',
      currency: 'USD',
      refund: true,
      original: { event_name: 'purchase', order_id: '5940139491234' },
    };
    expect(post('shopify', refund, { 'X-Shopify-Topic': 'refunds/create' })).toEqual({
      status: 202,
      reason: null,
      field: null,
      problems: [],
      conversions: [
        { ...common, event_id: '31', value: '20.00', occurred_at: '2026-11-30T03:00:01-05:00' },
        { ...common, event_id: '32', value: '4.95', occurred_at: '2026-11-30T03:00:02-05:00' },
      ],
      places: [
        [0, 0],
        [0, 1],
      ],
    });
  });
  it.each<[string, object, string]>([
    ['a cancelled order', shopifyOrder, 'orders/cancelled'],
    ['a deleted order', { id: 1 }, 'orders/delete'],
    ['a customer', { id: 1, email: 'ann@example.com' }, 'customers/create'],
  ])('%s is no conversion', (_what, body, topic) => {
    expect(post('shopify', body, { 'X-Shopify-Topic': topic })).toMatchObject({
      status: 202,
      conversions: [],
      reason: 'ignored',
    });
  });
});

const wooOrder = {
  id: 727,
  parent_id: 0,
  number: '2026-727',
  order_key: 'wc_order_example',
  status: 'processing',
  currency: 'EUR',
  date_created: '2026-11-29T17:28:02',
  date_created_gmt: '2026-11-29T16:28:02',
  date_modified_gmt: '2026-11-29T16:28:08',
  date_paid: '2026-11-29T17:28:08',
  date_paid_gmt: '2026-11-29T16:28:08',
  total: '29.35',
  total_tax: '4.69',
  customer_id: 0,
  customer_ip_address: '203.0.113.10',
  customer_user_agent: 'Mozilla/5.0 (example)',
  billing: {
    first_name: 'José',
    last_name: 'Lee',
    company: '',
    city: 'Köln',
    state: '',
    postcode: '50667',
    country: 'DE',
    email: 'jose@example.com',
    phone: '0221 555 0100',
  },
  meta_data: [
    { id: 1, key: '_wc_order_attribution_utm_source', value: 'newsletter' },
    {
      id: 2,
      key: '_wc_order_attribution_session_entry',
      value: 'https://laden.example/?utm_medium=email&fbclid=IwAR0example',
    },
    { id: 3, key: '_other', value: { a: 1 } },
  ],
  line_items: [
    { id: 315, name: 'Tasse', product_id: 93, variation_id: 0, quantity: 2, total: '6.00', price: 3, sku: '' },
    { id: 316, name: 'Teller', product_id: 22, variation_id: 23, quantity: 1, total: '12.00', price: 12.5, sku: 'T-1' },
  ],
  refunds: [],
};

describe('woocommerce', () => {
  it('a paid order is a purchase, at the time in GMT', () => {
    expect(post('woocommerce', wooOrder, { 'X-WC-Webhook-Topic': 'order.updated' }).conversions).toEqual([
      {
        event_name: 'purchase',
        event_id: '727',
        order_id: '2026-727',
        occurred_at: '2026-11-29T16:28:08+00:00',
        value: '29.35',
        currency: 'EUR',
        action_source: 'website',
        page_url: 'https://laden.example/?utm_medium=email&fbclid=IwAR0example',
        user: {
          ...{
            email: 'jose@example.com',
            phone: '0221 555 0100',
            phone_country: 'DE',
            first_name: 'José',
            last_name: 'Lee',
          },
          ...{ city: 'Köln', zip: '50667', country: 'DE', ip: '203.0.113.10', user_agent: 'Mozilla/5.0 (example)' },
        },
        click_ids: { fbclid: 'IwAR0example' },
        utm: { source: 'newsletter', medium: 'email' },
        items: [
          { id: '93', quantity: 2, price: 3 },
          { id: '23', quantity: 1, price: 12.5 },
        ],
      },
    ]);
  });
  it.each(['pending', 'on-hold', 'failed', 'cancelled', 'checkout-draft'])(
    'an order that is %s and was not paid is none',
    (status) => {
      const order = { ...wooOrder, status, date_paid: null, date_paid_gmt: null };
      expect(post('woocommerce', order)).toMatchObject({ status: 202, conversions: [], reason: 'ignored' });
    },
  );
  it('each refund of an order is one, with what it takes back', () => {
    const order = {
      ...wooOrder,
      refunds: [
        { id: 9, reason: '', total: '-10.00' },
        { id: 10, reason: 'x', total: '-1.35' },
      ],
    };
    const { conversions } = post('woocommerce', order);
    expect(
      conversions.map(({ event_id, value, refund, original }) => [event_id, value, refund, original?.order_id]),
    ).toEqual([
      ['9', '10.00', true, '2026-727'],
      ['10', '1.35', true, '2026-727'],
    ]);
  });
  it('its ping is unsigned, and answered with 200 alone', () => {
    const preset = presetOf('woocommerce');
    const source = {
      mapping: preset?.mapping as never,
      ping: preset?.ping,
      signing: { scheme: 'woocommerce', secrets: ['hush'] } as const,
    };
    const ping = {
      method: 'POST',
      url: '/in/x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'webhook_id=12',
    };
    expect(takeRequest(ping, source, now)).toMatchObject({ status: 200, conversions: [], reason: 'ignored' });
    expect(takeRequest({ ...ping, body: 'webhook_id=12&id=1' }, source, now)).toMatchObject({
      status: 401,
      reason: 'signature_missing',
    });
  });
});

describe('stripe', () => {
  const event = (type: string, object: object, more: object = {}) => ({
    id: 'evt_1example',
    object: 'event',
    api_version: '2026-01-28',
    created: 1_796_029_200,
    livemode: true,
    type,
    data: { object, ...more },
  });
  const session = {
    id: 'cs_1example',
    object: 'checkout.session',
    amount_total: 1_099,
    currency: 'eur',
    payment_status: 'paid',
    payment_intent: 'pi_1example',
    customer: 'cus_1example',
    client_reference_id: 'cart-7',
    customer_details: {
      email: 'ann@example.com',
      phone: '+4915155501000',
      name: 'Ann Lee',
      address: { city: 'Berlin', country: 'DE', postal_code: '10115', state: null },
    },
    metadata: { gclid: 'Cj0KCQ_example', utm_source: 'google' },
  };
  const occurred_at = new Date(1_796_029_200_000).toISOString().replace('.000Z', 'Z');
  const inTime = Date.UTC(2026, 11, 1);
  const stripe = (body: object) =>
    takeRequest(
      { method: 'POST', url: '/in/x', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      presetOf('stripe') as never,
      inTime,
    );
  it('a checkout that was paid is a purchase', () => {
    expect(stripe(event('checkout.session.completed', session)).conversions).toEqual([
      {
        event_name: 'purchase',
        event_id: 'evt_1example',
        order_id: 'pi_1example',
        occurred_at,
        value: '10.99',
        currency: 'EUR',
        action_source: 'website',
        user: {
          email: 'ann@example.com',
          phone: '+4915155501000',
          phone_country: 'DE',
          city: 'Berlin',
          zip: '10115',
          country: 'DE',
          external_id: 'cus_1example',
        },
        click_ids: { gclid: 'Cj0KCQ_example' },
        utm: { source: 'google' },
        custom: { client_reference_id: 'cart-7' },
      },
    ]);
  });
  it.each<[string, object, object]>([
    [
      'yen have no minor unit',
      { ...session, amount_total: 1_099, currency: 'jpy' },
      { value: '1099', currency: 'JPY' },
    ],
    [
      'a dinar has a thousand',
      { ...session, amount_total: 1_099, currency: 'kwd' },
      { value: '1.099', currency: 'KWD' },
    ],
    ['of a test it says so', session, {}],
  ])('%s', (_what, object, wanted) => {
    expect(stripe(event('checkout.session.completed', object)).conversions).toMatchObject([wanted]);
  });
  it('the same sale, told by payment and charge, has the same order', () => {
    const payment = {
      id: 'pi_1example',
      object: 'payment_intent',
      amount: 1_099,
      amount_received: 1_099,
      currency: 'eur',
      receipt_email: 'ann@example.com',
      customer: null,
      metadata: {},
    };
    const charge = {
      id: 'ch_1example',
      object: 'charge',
      amount: 1_099,
      captured: true,
      currency: 'eur',
      payment_intent: 'pi_1example',
      billing_details: { email: 'ann@example.com', phone: null, address: { country: 'DE' } },
    };
    for (const told of [event('payment_intent.succeeded', payment), event('charge.succeeded', charge)])
      expect(stripe(told).conversions).toMatchObject([
        { event_name: 'purchase', order_id: 'pi_1example', value: '10.99', user: { email: 'ann@example.com' } },
      ]);
  });
  it('a refund takes back its part of the payment', () => {
    const refund = {
      id: 're_1example',
      object: 'refund',
      amount: 500,
      currency: 'eur',
      charge: 'ch_1example',
      payment_intent: 'pi_1example',
      status: 'succeeded',
    };
    const wanted = [
      {
        event_name: 'refund',
        event_id: 're_1example',
        occurred_at,
        value: '5.00',
        currency: 'EUR',
        refund: true,
        original: { event_name: 'purchase', order_id: 'pi_1example' },
      },
    ];
    expect(stripe(event('refund.created', refund)).conversions).toEqual(wanted);
    const charge = {
      id: 'ch_1example',
      object: 'charge',
      amount: 1_099,
      amount_refunded: 500,
      currency: 'eur',
      payment_intent: 'pi_1example',
    };
    const listing = { ...charge, refunds: { object: 'list', data: [{ id: 're_1example', amount: 500 }] } };
    expect(stripe(event('charge.refunded', listing)).conversions).toEqual(wanted);
    expect(
      stripe(event('charge.refunded', charge, { previous_attributes: { amount_refunded: 0 } })).conversions,
    ).toMatchObject([{ value: '5.00' }]);
    expect(stripe(event('charge.refunded', charge, { previous_attributes: { amount_refunded: 200 } }))).toMatchObject({
      conversions: [],
      reason: 'no_case',
    });
  });
  it.each<[string, string, object]>([
    ['a checkout that waits for its money', 'checkout.session.completed', { ...session, payment_status: 'unpaid' }],
    ['a charge that is only held', 'charge.succeeded', { id: 'ch_1', captured: false, amount: 1, currency: 'eur' }],
    ['a customer', 'customer.created', { id: 'cus_1' }],
  ])('%s is no conversion', (_what, type, object) => {
    expect(stripe(event(type, object))).toMatchObject({ status: 202, conversions: [], reason: 'ignored' });
  });
  it('test mode says so', () => {
    expect(stripe({ ...event('checkout.session.completed', session), livemode: false }).conversions).toMatchObject([
      { custom: { test: true } },
    ]);
  });
});

describe('segment', () => {
  const order = {
    type: 'track',
    event: 'Order Completed',
    messageId: 'm-1',
    userId: 'u-1',
    anonymousId: 'a-1',
    timestamp: '2026-11-29T16:00:00.000Z',
    properties: {
      order_id: 'O-1',
      revenue: 25.5,
      total: 30,
      currency: 'usd',
      products: [{ product_id: 'P1', sku: 'S1', price: 12.75, quantity: 2 }],
    },
    context: {
      ip: '203.0.113.11',
      userAgent: 'Mozilla/5.0 (example)',
      page: { url: 'https://shop.example/thanks?ttclid=E.C.P.example', search: '?ttclid=E.C.P.example' },
      campaign: { name: 'autumn', source: 'tiktok', medium: 'cpc' },
      traits: {
        email: 'ann@example.com',
        firstName: 'Ann',
        address: { city: 'Oslo', postalCode: '0150', country: 'NO' },
      },
      consent: { categoryPreferences: { Advertising: true, Analytics: true } },
    },
  };
  it('track is the event by its own name', () => {
    expect(post('segment', order, {}, '/in/x/v1/track').conversions).toEqual([
      {
        event_name: 'Order Completed',
        event_id: 'm-1',
        occurred_at: '2026-11-29T16:00:00.000Z',
        value: 25.5,
        currency: 'USD',
        order_id: 'O-1',
        page_url: 'https://shop.example/thanks?ttclid=E.C.P.example',
        action_source: 'website',
        consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
        user: {
          email: 'ann@example.com',
          first_name: 'Ann',
          city: 'Oslo',
          zip: '0150',
          country: 'NO',
          external_id: 'u-1',
          ip: '203.0.113.11',
          user_agent: 'Mozilla/5.0 (example)',
        },
        click_ids: { ttclid: 'E.C.P.example' },
        utm: { source: 'tiktok', medium: 'cpc', campaign: 'autumn' },
        items: [{ id: 'P1', quantity: 2, price: 12.75 }],
      },
    ]);
  });
  it.each<[string, string, object, string]>([
    ['identify', '/in/x/v1/identify', { userId: 'u', traits: { email: 'a@example.com' } }, 'identify'],
    ['page', '/in/x/v1/page', { userId: 'u', name: 'Home' }, 'page_view'],
    ['screen', '/in/x/v1/screen', { userId: 'u', name: 'Home' }, 'screen_view'],
    ['a type in the message', '/in/x', { type: 'page', userId: 'u' }, 'page_view'],
  ])('%s', (_what, url, message, event_name) => {
    expect(post('segment', message, {}, url).conversions).toMatchObject([
      { event_name, occurred_at: came, user: { external_id: 'u' } },
    ]);
  });
  it('a batch has its context for all, and group and alias are none', () => {
    const { context, ...plain } = order;
    const batch = {
      batch: [plain, { type: 'group', groupId: 'g' }, { type: 'screen', userId: 'u', messageId: 'm-2' }],
      context,
      sentAt: '2026-11-29T16:05:00Z',
    };
    const taken = post('segment', batch);
    expect(taken).toMatchObject({ status: 202, reason: null });
    expect(taken.conversions).toMatchObject([
      { event_id: 'm-1', user: { ip: '203.0.113.11' } },
      { event_id: 'm-2', event_name: 'screen_view', occurred_at: '2026-11-29T16:05:00Z', action_source: 'app' },
    ]);
  });
  it('advertising denied is denied', () => {
    const context = { ...order.context, consent: { categoryPreferences: { Advertising: false } } };
    expect(post('segment', { ...order, context }).conversions).toMatchObject([
      { consent: { ad_user_data: 'denied', ad_personalization: 'denied' } },
    ]);
  });
  it('a refund is tied to its order and has none itself', () => {
    const { conversions } = post('segment', { ...order, event: 'Order Refunded', messageId: 'm-3' });
    expect(conversions).toMatchObject([{ event_name: 'Order Refunded', refund: true, original: { order_id: 'O-1' } }]);
    expect(conversions[0]).not.toHaveProperty('order_id');
  });
});
