import type { Condition, Rule, Rules } from '../../../../contract/mapping.ts';
import { clickIdRules, type Preset, utmRules } from './preset.ts';

/**
 * Events of Stripe: a checkout that was paid, a payment, a charge, a refund (API reference: Event, Session, PaymentIntent,
 * Charge, Refund). The order of all of them is the payment, so that a sale which Stripe tells three times is one. Metadata
 * of the payment may carry click ids and UTM by their names.
 *
 * `charge.refunded` says the sum of all refunds of a charge. Where it lists them (versions before 2022-11-15) the newest is
 * taken, else the sum where it is the first; a later one comes in `refund.created`, which is the event to choose.
 */

const object = 'data.object';
const type = (...names: string[]): Condition => ({ path: 'type', in: names });
const at = (path: string): Rule => ({ path: `${object}.${path}` });

/** Amounts are in the smallest unit. Its page "Supported currencies": these have none, or a thousandth of a unit. */
const digits: Record<string, number> = {
  ...Object.fromEntries(
    'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ').map((currency) => [currency, 0]),
  ),
  ...Object.fromEntries('BHD JOD KWD OMR TND'.split(' ').map((currency) => [currency, 3])),
};
const amount = (path: string): Rule => ({
  path: `${object}.${path}`,
  apply: [{ minor_units: { currency: `${object}.currency`, digits } }],
});
const currency: Rules = { path: `${object}.currency`, apply: ['upper'] };
const occurred: Rules = { path: 'created', apply: ['unix_seconds'] };
const test = { when: { path: 'livemode', equals: false }, default: true } as const;

const people = {
  'user.email': [
    at('customer_details.email'),
    at('customer_email'),
    at('billing_details.email'),
    at('receipt_email'),
    at('charges.data[0].billing_details.email'),
  ],
  'user.phone': [at('customer_details.phone'), at('billing_details.phone')],
  'user.phone_country': [at('customer_details.address.country'), at('billing_details.address.country')],
  'user.city': [at('customer_details.address.city'), at('billing_details.address.city')],
  'user.state': [at('customer_details.address.state'), at('billing_details.address.state')],
  'user.zip': [at('customer_details.address.postal_code'), at('billing_details.address.postal_code')],
  'user.country': [at('customer_details.address.country'), at('billing_details.address.country')],
  'user.external_id': [at('customer.id'), at('customer')],
  ...clickIdRules((name) => [at(`metadata.${name}`)]),
  'click_ids.fbp': at('metadata.fbp'),
  'click_ids.fbc': at('metadata.fbc'),
  ...utmRules((_, parameter) => [at(`metadata.${parameter}`)]),
};

const sale = (value: string, order: Rule[]) => ({
  event_name: { default: 'purchase' },
  event_id: 'id',
  order_id: order,
  occurred_at: occurred,
  value: amount(value),
  currency,
  action_source: { default: 'website' },
  ...people,
  'custom.test': test,
});

const refund = (id: Rule[], value: Rule[]) => ({
  event_name: { default: 'refund' },
  event_id: id,
  occurred_at: occurred,
  value,
  currency,
  refund: { default: true },
  'original.event_name': { default: 'purchase' },
  'original.order_id': [at('payment_intent'), at('charge'), at('id')],
  'custom.test': test,
});

export const stripe: Preset = {
  id: 'stripe',
  label: 'Stripe',
  signature: 'stripe',
  mapping: {
    cases: [
      {
        when: {
          all: [
            type('checkout.session.completed', 'checkout.session.async_payment_succeeded'),
            { path: `${object}.payment_status`, in: ['paid', 'no_payment_required'] },
          ],
        },
        fields: {
          ...sale('amount_total', [at('payment_intent'), at('invoice'), at('id')]),
          'custom.client_reference_id': at('client_reference_id'),
        },
      },
      { when: type('payment_intent.succeeded'), fields: sale('amount_received', [at('id')]) },
      {
        when: { all: [type('charge.succeeded', 'charge.captured'), { path: `${object}.captured`, equals: true }] },
        fields: sale('amount', [at('payment_intent'), at('id')]),
      },
      {
        when: { all: [type('refund.created'), { not: { path: `${object}.status`, in: ['failed', 'canceled'] } }] },
        fields: refund([at('id')], [amount('amount')]),
      },
      {
        when: { all: [type('charge.refunded'), { path: `${object}.refunds.data[0].id`, exists: true }] },
        fields: refund([at('refunds.data[0].id')], [amount('refunds.data[0].amount')]),
      },
      {
        when: { all: [type('charge.refunded'), { path: 'data.previous_attributes.amount_refunded', equals: 0 }] },
        fields: refund([{ path: 'id' }], [amount('amount_refunded')]),
      },
      // What the sum was before is no amount of a refund: it is for a person to look at.
      { when: { not: type('charge.refunded') }, ignore: true },
    ],
  },
};
