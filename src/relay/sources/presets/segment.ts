import type { Condition, MappingFields, Rule, Rules } from '../../../../contract/mapping.ts';
import { clickIdRules, type Preset, utmRules } from './preset.ts';

/**
 * Segment's HTTP API: track, identify, page and screen, one by one or in a batch (names by its Spec: common fields, Track,
 * Identify, V2 Ecommerce Events). `group` and `alias` are about accounts and ids and no conversions.
 */

/** A message says its type itself, or is sent to the address of it. */
const type = (...names: string[]): Condition => ({
  any: [
    { path: 'type', in: names },
    {
      all: [
        { path: 'type', exists: false },
        { path: '$endpoint', in: names },
      ],
    },
  ],
});
const isConversion: Condition = { not: type('group', 'alias') };
const isRefund: Condition = { path: 'event', in: ['Order Refunded', 'Order Cancelled'] };

/** In the message, or for all of a batch. */
const context = (path: string, more: Partial<Exclude<Rule, string>> = {}): Rule[] => [
  { ...more, path: `context.${path}` },
  { ...more, path: `$body.context.${path}` },
];
const trait = (name: string, ...others: string[]): Rule[] =>
  [name, ...others].flatMap((one) => [
    { path: `traits.${one}` },
    { path: `context.traits.${one}` },
    { path: `properties.${one}` },
  ]);
const granted: Rules = context('consent.categoryPreferences.Advertising');

const fields: MappingFields = {
  event_name: [
    { path: 'event' },
    { when: type('page'), default: 'page_view' },
    { when: type('screen'), default: 'screen_view' },
    { when: type('identify'), default: 'identify' },
  ],
  event_id: 'messageId',
  occurred_at: [
    { path: 'timestamp' },
    { path: 'originalTimestamp' },
    { path: 'sentAt' },
    { path: '$body.sentAt' },
    { path: '$received_at' },
  ],
  value: [{ path: 'properties.revenue' }, { path: 'properties.total' }, { path: 'properties.value' }],
  currency: [{ path: 'properties.currency', apply: ['upper'] }],
  order_id: [
    { path: 'properties.order_id', when: { not: isRefund } },
    { path: 'properties.orderId', when: { not: isRefund } },
  ],
  refund: { when: isRefund, default: true },
  'original.event_name': { when: isRefund, default: 'Order Completed' },
  'original.order_id': [
    { path: 'properties.order_id', when: isRefund },
    { path: 'properties.orderId', when: isRefund },
  ],
  page_url: [...context('page.url'), { path: 'properties.url' }],
  action_source: [
    { when: { any: [type('screen'), { path: 'context.app.name', exists: true }] }, default: 'app' },
    { when: { any: [type('page'), { path: 'context.page.url', exists: true }] }, default: 'website' },
  ],
  'consent.ad_user_data': granted,
  'consent.ad_personalization': granted,
  'user.email': trait('email'),
  'user.phone': trait('phone'),
  'user.first_name': trait('firstName', 'first_name'),
  'user.last_name': trait('lastName', 'last_name'),
  'user.city': trait('address.city'),
  'user.state': trait('address.state'),
  'user.zip': trait('address.postalCode', 'address.zip'),
  'user.country': trait('address.country'),
  'user.date_of_birth': trait('birthday'),
  'user.gender': trait('gender'),
  'user.external_id': [{ path: 'userId' }, { path: 'anonymousId' }],
  'user.ip': context('ip'),
  'user.user_agent': context('userAgent'),
  ...clickIdRules((name, parameter) => [
    { path: `properties.${name}` },
    ...context('page.url', { apply: [{ query_parameter: parameter }] }),
    ...context('page.search', { apply: [{ query_parameter: parameter }] }),
  ]),
  'click_ids.fbp': [{ path: 'properties.fbp' }, ...context('fbp')],
  'click_ids.fbc': [{ path: 'properties.fbc' }, ...context('fbc')],
  ...utmRules((name) => context(name === 'campaign' ? 'campaign.name' : `campaign.${name}`)),
  items: {
    each: 'properties.products[*]',
    fields: {
      id: [{ path: 'product_id' }, { path: 'productId' }, { path: 'sku' }, { path: 'id' }, { path: 'name' }],
      quantity: 'quantity',
      price: 'price',
    },
  },
};

export const segment: Preset = {
  id: 'segment',
  label: 'Segment HTTP API',
  mapping: {
    cases: [
      { when: { path: 'batch', exists: true }, each: 'batch[*]', only: isConversion, fields },
      { only: isConversion, fields },
    ],
  },
};
