import type { Rule } from '../../../../contract/mapping.ts';
import { clickIdRules, type Preset, utmRules } from './preset.ts';

/**
 * Orders and refunds of Shopify (Admin REST `Order`, `Refund` and `Transaction`, which its webhooks send) and orders of
 * WooCommerce (REST API v3, `class-wc-webhook.php` and the `_wc_order_attribution_…` meta data of version 8.5 and later).
 *
 * A refund of Shopify is one conversion for each movement of money in it. Its id is the movement's, so that several
 * partial refunds of an order are several; the order stands in `original`. A cancelled order is no refund by itself: Shopify
 * sends one where money went back.
 */

const address = (name: string): Rule[] => [{ path: `billing_address.${name}` }, { path: `shipping_address.${name}` }];
const noted = (name: string): Rule => ({ path: `note_attributes[name="${name}"].value` });
const landing = (parameter: string): Rule => ({ path: 'landing_site', apply: [{ query_parameter: parameter }] });

export const shopify: Preset = {
  id: 'shopify',
  label: 'Shopify',
  signature: 'shopify',
  mapping: {
    cases: [
      {
        when: {
          all: [
            { path: 'transactions', exists: true },
            { path: 'total_price', exists: false },
          ],
        },
        each: 'transactions[kind="refund"]',
        only: { path: 'status', in: ['success', 'pending'] },
        fields: {
          event_name: { default: 'refund' },
          event_id: 'id',
          occurred_at: [{ path: 'processed_at' }, { path: 'created_at' }, { path: '$body.created_at' }],
          value: 'amount',
          currency: { path: 'currency', apply: ['upper'] },
          refund: { default: true },
          'original.event_name': { default: 'purchase' },
          'original.order_id': [{ path: 'order_id' }, { path: '$body.order_id' }],
        },
      },
      {
        when: {
          any: [
            { path: '$headers["x-shopify-topic"]', in: ['orders/cancelled', 'orders/delete'] },
            { path: 'total_price', exists: false },
          ],
        },
        ignore: true,
      },
      {
        fields: {
          event_name: { default: 'purchase' },
          event_id: 'id',
          order_id: 'id',
          occurred_at: [{ path: 'processed_at' }, { path: 'created_at' }],
          value: 'total_price',
          currency: { path: 'currency', apply: ['upper'] },
          action_source: { default: 'website' },
          page_url: [
            { template: 'https://{{$headers["x-shopify-shop-domain"]}}{{landing_site}}' },
            { path: 'order_status_url' },
          ],
          domain: '$headers["x-shopify-shop-domain"]',
          'user.email': [{ path: 'email' }, { path: 'contact_email' }, { path: 'customer.email' }],
          'user.phone': [{ path: 'phone' }, { path: 'customer.phone' }, ...address('phone')],
          'user.phone_country': address('country_code'),
          'user.first_name': [{ path: 'customer.first_name' }, ...address('first_name')],
          'user.last_name': [{ path: 'customer.last_name' }, ...address('last_name')],
          'user.city': address('city'),
          'user.state': [...address('province_code'), ...address('province')],
          'user.zip': address('zip'),
          'user.country': address('country_code'),
          'user.external_id': 'customer.id',
          'user.ip': [{ path: 'browser_ip' }, { path: 'client_details.browser_ip' }],
          'user.user_agent': 'client_details.user_agent',
          ...clickIdRules((name, parameter) => [noted(name), noted(parameter), landing(parameter)]),
          'click_ids.fbp': [noted('fbp'), noted('_fbp')],
          'click_ids.fbc': [noted('fbc'), noted('_fbc')],
          ...utmRules((_, parameter) => [noted(parameter), landing(parameter)]),
          items: {
            each: 'line_items[*]',
            fields: {
              id: [{ path: 'variant_id' }, { path: 'product_id' }, { path: 'sku' }, { path: 'id' }],
              quantity: 'quantity',
              price: 'price',
            },
          },
          // A shop sends made-up orders to try a webhook: a route can hold them out.
          'custom.test': { when: { path: 'test', equals: true }, default: true },
        },
      },
    ],
  },
};

const meta = (name: string): Rule => ({ path: `meta_data[key="${name}"].value` });
const attribution = (name: string): Rule => meta(`_wc_order_attribution_${name}`);
const entry = (parameter: string): Rule => ({
  path: 'meta_data[key="_wc_order_attribution_session_entry"].value',
  apply: [{ query_parameter: parameter }],
});
/** Its times in GMT say no offset. */
const gmt = (path: string): Rule => ({ path, apply: [{ date: { timezone: 'UTC' } }] });
const order: Rule[] = [{ path: 'number' }, { path: 'id' }];

export const woocommerce: Preset = {
  id: 'woocommerce',
  label: 'WooCommerce',
  signature: 'woocommerce',
  // When a webhook is made it posts `webhook_id=12`, unsigned, and is content with 200 alone.
  ping: {
    all: [
      { path: 'webhook_id', exists: true },
      { path: 'id', exists: false },
    ],
  },
  mapping: {
    cases: [
      {
        when: { path: 'refunds[0].id', exists: true },
        each: 'refunds[*]',
        fields: {
          event_name: { default: 'refund' },
          event_id: 'id',
          occurred_at: [gmt('date_created_gmt'), gmt('$body.date_modified_gmt')],
          value: { path: 'total', apply: ['absolute'] },
          currency: { path: '$body.currency', apply: ['upper'] },
          refund: { default: true },
          'original.event_name': { default: 'purchase' },
          'original.order_id': [{ path: '$body.number' }, { path: '$body.id' }],
        },
      },
      {
        when: {
          not: {
            any: [
              { path: 'status', in: ['processing', 'completed'] },
              { path: 'date_paid_gmt', exists: true },
            ],
          },
        },
        ignore: true,
      },
      {
        fields: {
          event_name: { default: 'purchase' },
          event_id: 'id',
          order_id: order,
          occurred_at: [gmt('date_paid_gmt'), gmt('date_created_gmt')],
          value: 'total',
          currency: { path: 'currency', apply: ['upper'] },
          action_source: { default: 'website' },
          page_url: attribution('session_entry'),
          'user.email': 'billing.email',
          'user.phone': 'billing.phone',
          'user.phone_country': 'billing.country',
          'user.first_name': 'billing.first_name',
          'user.last_name': 'billing.last_name',
          'user.city': 'billing.city',
          'user.state': 'billing.state',
          'user.zip': 'billing.postcode',
          'user.country': 'billing.country',
          // 0 is a guest.
          'user.external_id': { path: 'customer_id', when: { path: 'customer_id', compare: '>', to: 0 } },
          'user.ip': 'customer_ip_address',
          'user.user_agent': [{ path: 'customer_user_agent' }, attribution('user_agent')],
          ...clickIdRules((name, parameter) => [meta(name), meta(`_${name}`), entry(parameter)]),
          'click_ids.fbp': [meta('fbp'), meta('_fbp')],
          'click_ids.fbc': [meta('fbc'), meta('_fbc')],
          ...utmRules((_, parameter) => [attribution(parameter), entry(parameter)]),
          items: {
            each: 'line_items[*]',
            fields: {
              id: [
                { path: 'variation_id', when: { path: 'variation_id', compare: '>', to: 0 } },
                { path: 'product_id' },
                { path: 'sku' },
                { path: 'id' },
              ],
              quantity: 'quantity',
              price: 'price',
            },
          },
        },
      },
    ],
  },
};
