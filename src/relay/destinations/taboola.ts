import { amountText } from './amount_text.ts';
import { isRefusal, isSuccess, readPlain, unknownAnswer } from './answers.ts';
import type { Answer, Asked, Destination, Item, OutgoingRequest, Refusal, Verdict } from './destination.ts';
import { dayMs, no, type Rules, refuseByRules } from './refusals.ts';
import { firstOf, getWith, piecesOf } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * Taboola's server-to-server postback: one GET for each conversion. There is no token: the click id says whose it is.
 *
 * Read, all in developers.taboola.com/pixel: address, `click-id` and `name` as required and their case as told apart,
 * `revenue`, `currency` of nineteen, `orderid`, `quantity` ("The S2S postback URL"); 204 as success, 400 for a click id that is
 * missing or cannot be read, for a missing name and for a wrong address ("S2S Error Codes"); that of one click and event a
 * double within the same minute counts once, unless order, revenue, currency or quantity differ ("Heuristic deduplication");
 * that its bulk address (`bulk-s2s-action`, 1,000, with a time for each) checks nothing it is sent ("S2S Error Codes"): for
 * that it is not used, since what is refused there nobody would learn of. `tblci` as the parameter of the landing page is
 * read in other senders' code, not in a document of Taboola's. Recalled: nothing.
 *
 * No parameter says when it happened: it counts when it arrives. No document names an age: ours is the life of a click id.
 * An attempt of a later minute whose first one had arrived counts twice.
 */
interface Settings {
  readonly event_name: string;
}

type Identifiers = Readonly<Record<string, never>>;

const rules: Rules = { ageMsMax: 90 * dayMs, apps: true };

/** Any other would be counted as the account's own. */
const currencies: ReadonlySet<string> = new Set([
  ...['AUD', 'BRL', 'CAD', 'CNY', 'EUR', 'GBP', 'HKD', 'ILS', 'INR', 'JPY'],
  ...['KRW', 'MXN', 'NZD', 'RUB', 'SGD', 'THB', 'TRY', 'USD', 'ZAR'],
]);

const fields = settingsFields({
  event_name: {
    ...{ is: /^[\p{L}\p{N}][\p{L}\p{N} _.:+-]{0,99}$/u, label: 'Event name', required: true },
    what: 'the event name of a conversion in Realize, exactly as it is there, such as make_purchase',
  },
});

export const taboola: Destination<Settings, Identifiers> = {
  id: 'taboola',
  label: 'Taboola (server to server)',
  receiver: {
    ...{ host: 'trc.taboola.com', legalName: 'Taboola, Inc.' },
    policyUrl: 'https://www.taboola.com/policies/privacy-policy',
  },
  batchMax: 1,
  // It has no flag of consent: whoever denies personalised ads cannot be sent with less.
  purposes: ['ad_user_data', 'ad_personalization'],
  matchesBy: ['tblci'],
  clickIds: ['tblci'],
  countsDoubles: true,
  fields,
  credential: { kind: 'none' },
  rate: { perMinute: 600 },
  eventSetting: 'event_name',
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'Taboola', fields);
  },
  identify: () => ({}),
  refuse(item, _settings, now) {
    return refuseByRules(item, taboola, rules, now) ?? refuseIncomplete(item);
  },
  build,
  read,
  examples: {
    settings: { event_name: 'make_purchase' },
    sent: [
      {
        says: 'an order, with the click id of its document',
        now: '2026-11-30T12:00:00Z',
        conversion: {
          ...{ event_name: 'purchase', occurred_at: '2026-11-30T09:15:00+01:00', order_id: 'ORD-10021' },
          ...{ value: '9.99', currency: 'EUR', items: [{ id: 'sku-1', quantity: 2 }, { id: 'sku-2' }] },
          click_ids: { tblci: 'GiDxLZcEVjwEqkGfKQMQndUYMIeZXFHmZ0DrHIJhGS6kKiDzkGUos9GzkpqG-YHQATCwxlQ' },
        },
        becomes: {
          request: {
            method: 'GET',
            url: 'https://trc.taboola.com/actions-handler/log/3/s2s-action?click-id=GiDxLZcEVjwEqkGfKQMQndUYMIeZXFHmZ0DrHIJhGS6kKiDzkGUos9GzkpqG-YHQATCwxlQ&name=make_purchase&revenue=9.99&currency=EUR&orderid=ORD-10021&quantity=3',
          },
        },
      },
      {
        says: 'a sale that no click brought',
        now: '2026-11-30T12:00:00Z',
        conversion: { event_name: 'purchase', occurred_at: '2026-11-30T09:15:00+01:00', order_id: 'A-1' },
        becomes: { rejected: { reason: 'no_identifier', field: 'click_ids.tblci' } },
      },
      {
        says: 'an amount in a currency that it has not',
        now: '2026-11-30T12:00:00Z',
        conversion: {
          ...{ event_name: 'purchase', occurred_at: '2026-11-30T09:15:00+01:00', order_id: 'A-1' },
          ...{ value: '9.99', currency: 'CHF', click_ids: { tblci: 'GiDx' } },
        },
        becomes: { rejected: { reason: 'not_supported', field: 'currency' } },
      },
    ],
    read: [
      { says: 'taken', answer: { status: 204, body: '' }, becomes: { class: 'accepted', reason: 'http_204' } },
      {
        says: 'a click id that cannot be read',
        answer: { status: 400, body: '' },
        becomes: { class: 'permanent', reason: 'http_400' },
      },
    ],
  },
};

function refuseIncomplete({ conversion: { click_ids, value, currency } }: Item): Refusal | undefined {
  if (click_ids?.tblci === undefined) return no('no_identifier', 'click_ids.tblci');
  const isForeign = value !== undefined && currency !== undefined && !currencies.has(currency);
  return isForeign ? no('not_supported', 'currency') : undefined;
}

function build(items: readonly Item<Identifiers>[], { event_name }: Settings): OutgoingRequest {
  if (items.length > taboola.batchMax) throw new Error('Taboola takes one conversion a request.');
  const { conversion, id } = firstOf(items, taboola);
  const { value, currency, click_ids } = conversion;
  return getWith('https://trc.taboola.com/actions-handler/log/3/s2s-action', {
    'click-id': click_ids?.tblci,
    name: event_name,
    revenue: amountText(value),
    currency: value === undefined ? undefined : currency,
    orderid: id,
    quantity: piecesOf(conversion)?.toString(),
  });
}

function read(answer: Answer, asked?: Asked): Verdict {
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return plain;
  const reason = `http_${answer.status}`;
  if (isSuccess(answer)) return { class: 'accepted', reason };
  return isRefusal(answer) ? { class: 'permanent', reason } : unknownAnswer(answer);
}
