import { amountText } from './amount_text.ts';
import { isSuccess, readPlain, unknownAnswer } from './answers.ts';
import type { Answer, Asked, Destination, Item, OutgoingRequest, Refusal, Verdict } from './destination.ts';
import { dayMs, no, type Rules, refuseByRules } from './refusals.ts';
import { firstOf, getWith } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * Outbrain's server-to-server postback: one GET for each conversion. There is no token: the click id says whose it is.
 *
 * Read: that Outbrain makes an id for each click, that a server sends it back on a conversion, and that the event is one of
 * its event-based conversions, by name (Outbrain's help, "Server to server integrations", the Japanese page); address and
 * parameters `ob_click_id`, `name`, `orderId`, `orderValue`, `currency`, and 2xx as success (Stape's tag for server
 * containers, `stape-io/outbrain-tag`); that a trackers' guide calls the click id `ob_click_id`; requests of its own pixel with
 * `orderValue=49.9&currency=EUR&orderId=…`, recorded from a page. Outbrain's DSP (formerly Zemanta) has another postback.
 * Not found anywhere: what it answers to a wrong click id or name, how old a conversion may be, and whether it tells doubles
 * by `orderId`. So an answer of 2xx says that it came, and not that it counts; nothing is enforced of age beyond the life of
 * a click id; and doubles count as possible. Recalled: nothing.
 *
 * No parameter says when it happened: it counts when it arrives.
 */
interface Settings {
  readonly event_name: string;
}

type Identifiers = Readonly<Record<string, never>>;

const rules: Rules = { ageMsMax: 90 * dayMs, apps: true };

const fields = settingsFields({
  event_name: {
    ...{ is: /^[\p{L}\p{N}][\p{L}\p{N} _.:+-]{0,99}$/u, label: 'Event name', required: true },
    what: 'the name of an event-based conversion, exactly as Outbrain has it, such as Purchase',
  },
});

export const outbrain: Destination<Settings, Identifiers> = {
  id: 'outbrain',
  label: 'Outbrain (server to server)',
  receiver: { host: 'tr.outbrain.com', legalName: 'Outbrain Inc.' },
  batchMax: 1,
  // It has no flag of consent: whoever denies personalised ads cannot be sent with less.
  purposes: ['ad_user_data', 'ad_personalization'],
  matchesBy: ['ob_click_id'],
  clickIds: ['ob_click_id'],
  countsDoubles: true,
  fields,
  credential: { kind: 'none' },
  rate: { perMinute: 600 },
  eventSetting: 'event_name',
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'Outbrain', fields);
  },
  identify: () => ({}),
  refuse(item, _settings, now) {
    return refuseByRules(item, outbrain, rules, now) ?? refuseNoClick(item);
  },
  build,
  read,
  examples: {
    settings: { event_name: 'Purchase' },
    sent: [
      {
        says: 'an order, with the click it came of',
        now: '2026-11-30T12:00:00Z',
        conversion: {
          ...{ event_name: 'purchase', occurred_at: '2026-11-30T09:15:00+01:00', order_id: 'A 1&2' },
          ...{ value: '49.90', currency: 'EUR', click_ids: { ob_click_id: 'v3-4a7c' } },
        },
        becomes: {
          request: {
            method: 'GET',
            url: 'https://tr.outbrain.com/unifiedPixel?ob_click_id=v3-4a7c&name=Purchase&orderId=A%201%262&orderValue=49.90&currency=EUR',
          },
        },
      },
      {
        says: 'a sale that no click brought',
        now: '2026-11-30T12:00:00Z',
        conversion: { event_name: 'purchase', occurred_at: '2026-11-30T09:15:00+01:00', order_id: 'A-1' },
        becomes: { rejected: { reason: 'no_identifier', field: 'click_ids.ob_click_id' } },
      },
    ],
    read: [
      { says: 'a pixel', answer: { status: 200, body: 'GIF89a' }, becomes: { class: 'accepted', reason: 'http_200' } },
      { says: 'nothing', answer: { status: 204, body: '' }, becomes: { class: 'accepted', reason: 'http_204' } },
      { says: 'a refusal', answer: { status: 400, body: '' }, becomes: { class: 'retry', reason: 'http_400' } },
      { says: 'what nobody knows', answer: { status: 302, body: '' }, becomes: { class: 'retry', reason: 'http_302' } },
    ],
  },
};

function refuseNoClick({ conversion }: Item): Refusal | undefined {
  return conversion.click_ids?.ob_click_id === undefined ? no('no_identifier', 'click_ids.ob_click_id') : undefined;
}

function build(items: readonly Item<Identifiers>[], { event_name }: Settings): OutgoingRequest {
  if (items.length > outbrain.batchMax) throw new Error('Outbrain takes one conversion a request.');
  const { conversion, id } = firstOf(items, outbrain);
  const { value, currency, click_ids } = conversion;
  return getWith('https://tr.outbrain.com/unifiedPixel', {
    ob_click_id: click_ids?.ob_click_id,
    name: event_name,
    orderId: id,
    orderValue: amountText(value),
    currency: value === undefined ? undefined : currency,
  });
}

function read(answer: Answer, asked?: Asked): Verdict {
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return plain;
  const reason = `http_${answer.status}`;
  // No document says what it answers to what is wrong, so that nothing it says is the end of a conversion.
  return isSuccess(answer) ? { class: 'accepted', reason } : unknownAnswer(answer);
}
