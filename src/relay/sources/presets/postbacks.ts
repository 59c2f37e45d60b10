import { canonicalFields, type Rules } from '../../../../contract/mapping.ts';
import type { Preset } from './preset.ts';

/**
 * Postbacks: a GET of a tracker or a network with what it knows in the query. None says when the conversion was, so it is
 * when it came. The payout is the value. Parameters as in the reference and in the manuals: Voluum "Parameters in Postback
 * URLs", Keitaro "Postback" (which also knows `currency`, `cost`, `revenue`, `sub_id_N` and the statuses lead, sale,
 * rejected, rebill), RedTrack "Dynamic parameters" and "Duplicate postback settings", ClickFlare "Parameters in Postback URLs".
 */
const came = '$received_at';
const currency: Rules = [{ path: 'currency', apply: ['upper'] }];

export const voluum: Preset = {
  id: 'voluum',
  label: 'Voluum',
  template: '?cid={clickid}&payout={payout}&txid={transaction_id}&et={event_type}&currency={currency}',
  mapping: {
    fields: {
      event_name: { path: 'et', default: 'conversion' },
      occurred_at: came,
      'click_ids.tracker': 'cid',
      value: 'payout',
      currency,
      order_id: 'txid',
    },
  },
};

/** Its manual counts the conversions of one click by `tid` ("tid=2 means a second deposit"): a small number is no order. */
const isCount = { path: 'tid', compare: '<', to: 10_000 } as const;
const keitaroOrder: Rules = [{ when: isCount, template: '{{subid}}-{{tid}}' }, { path: 'tid' }];

export const keitaro: Preset = {
  id: 'keitaro',
  label: 'Keitaro',
  template: '?subid={subid}&status={status}&payout={payout}&tid={tid}&currency={currency}',
  mapping: {
    cases: [
      {
        when: { path: 'status', in: ['rejected', 'reject', 'trash'] },
        fields: {
          event_name: { default: 'rejected' },
          occurred_at: came,
          event_id: [{ template: '{{subid}}-{{tid}}-rejected' }, { template: '{{subid}}-rejected' }],
          'click_ids.tracker': 'subid',
          refund: { default: true },
          'original.order_id': keitaroOrder,
          'original.event_id': { template: '{{subid}}-sale', when: { path: 'tid', exists: false } },
        },
      },
      {
        fields: {
          event_name: { path: 'status', default: 'sale' },
          occurred_at: came,
          // One click is a lead first and a sale then: two events, each of them once.
          event_id: [{ template: '{{subid}}-{{status}}' }, { template: '{{subid}}-sale' }],
          'click_ids.tracker': 'subid',
          value: [{ path: 'payout' }, { path: 'revenue' }],
          cost: 'cost',
          currency,
          order_id: keitaroOrder,
        },
      },
    ],
  },
};

export const redtrack: Preset = {
  id: 'redtrack',
  label: 'RedTrack',
  template: '?clickid={clickid}&sum={sum}&type={type}&rdtk_event_id={transaction_id}',
  mapping: {
    fields: {
      event_name: { path: 'type', default: 'conversion' },
      occurred_at: came,
      event_id: 'rdtk_event_id',
      'click_ids.tracker': 'clickid',
      value: 'sum',
      currency,
    },
  },
};

export const clickflare: Preset = {
  id: 'clickflare',
  label: 'ClickFlare',
  template: '?click_id={click_id}&payout={payout}&txid={transaction_id}',
  mapping: {
    fields: {
      event_name: { default: 'conversion' },
      occurred_at: came,
      // Its older addresses and those of others that copy Voluum say cid.
      'click_ids.tracker': [{ path: 'click_id' }, { path: 'cid' }],
      value: 'payout',
      currency,
      order_id: 'txid',
    },
  },
};

/** For whatever has no preset: parameters by the names of the canonical fields, such as `order_id` and `gclid`. */
export const postback: Preset = {
  id: 'postback',
  label: 'Other tracker or network',
  template: '?event_name={event}&order_id={order_id}&value={payout}&currency={currency}&click_id={click_id}',
  mapping: {
    fields: {
      event_name: [{ path: 'event_name' }, { path: 'event', default: 'conversion' }],
      occurred_at: [
        { path: 'occurred_at' },
        { path: 'timestamp', apply: ['unix_seconds'] },
        { path: came, when: { path: 'time', exists: false } },
        { path: 'time' },
      ],
      event_id: 'event_id',
      order_id: [{ path: 'order_id' }, { path: 'txid' }, { path: 'transaction_id' }],
      value: [{ path: 'value' }, { path: 'payout' }],
      currency,
      cost: 'cost',
      'click_ids.tracker': [{ path: 'click_id' }, { path: 'clickid' }, { path: 'cid' }, { path: 'subid' }],
      ...Object.fromEntries(
        ['gclid', 'gbraid', 'wbraid', 'fbclid', 'fbc', 'fbp', 'ttclid', 'msclkid', 'li_fat_id'].map((name) => [
          `click_ids.${name}`,
          name,
        ]),
      ),
      'user.email': 'email',
      'user.phone': 'phone',
      'user.ip': 'ip',
      'user.user_agent': 'user_agent',
      ...Object.fromEntries(
        ['source', 'medium', 'campaign', 'term', 'content'].map((name) => [`utm.${name}`, `utm_${name}`]),
      ),
    },
  },
};

/** A sender of one's own that speaks the canonical conversion: each field lies where it belongs. */
export const canonical: Preset = {
  id: 'canonical',
  label: 'Own JSON by the names of the canonical conversion',
  mapping: {
    fields: {
      ...Object.fromEntries(
        [...canonicalFields].flatMap(([field, kind]) => (kind === 'items' ? [] : [[field, field]])),
      ),
      items: { each: 'items[*]', fields: { id: 'id', quantity: 'quantity', price: 'price' } },
    },
  },
};
