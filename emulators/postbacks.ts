import type { Dialect } from './generic_dialects.ts';

type Event = Record<string, unknown>;

/** A conversion is one GET; whoever knows the click id may send it. */
const postback = {
  method: 'GET',
  eventsMax: 1,
  isSigned: () => true,
  eventsOf: (parameters: Event) => [parameters],
  nameOf: ({ name }: Event) => name,
  isTest: () => false,
  keeps: 'all or none',
} as const satisfies Partial<Dialect>;

/** A number as text: `10`, `9.99`. */
const isDecimal = (value: unknown) => value === undefined || /^\d+(?:\.\d+)?$/.test(String(value));
const isFilled = (value: unknown) => typeof value === 'string' && value !== '';

/**
 * Parameters as in Stape's tag, answers recalled: no document of Outbrain's says what a wrong click id gets, so every one is
 * taken with a pixel. It knows no double: `orderId` is not said to be looked at.
 */
const outbrain: Dialect = {
  ...postback,
  path: /^\/unifiedPixel$/,
  idOf: ({ orderId }) => orderId,
  sameMs: 0,
  faultOf({ ob_click_id, name, orderValue, currency }) {
    if (!isFilled(ob_click_id)) return 'ob_click_id is missing';
    if (!isFilled(name)) return 'name is missing';
    if (!isDecimal(orderValue)) return 'orderValue is no number';
    return currency === undefined || /^[A-Z]{3}$/.test(String(currency)) ? undefined : 'currency is none';
  },
  taken: () => ({ status: 200, body: 'GIF89a' }),
  refused: (what) => ({ status: what === 'path' ? 404 : what === 'quota' ? 429 : 400, body: '' }),
};

/**
 * developers.taboola.com/pixel: the postback URL, its error codes, and the heuristic that counts one of a click, event, order,
 * revenue, currency and quantity within a minute, which is one of the clock and not of the first. `{tokens}` are none.
 */
const currencies = 'AUD BRL CAD CNY EUR GBP HKD ILS INR JPY KRW MXN NZD RUB SGD THB TRY USD ZAR'.split(' ');
const taboola: Dialect = {
  ...postback,
  path: /^\/actions-handler\/log\/3\/s2s-action$/,
  idOf: ({ orderid }) => orderid,
  sameMs: 60_000,
  faultOf({ 'click-id': click, name, revenue, currency, quantity }) {
    if (!isFilled(click) || !/^[\w-]+$/.test(String(click))) return 'click-id is missing or cannot be read';
    if (!isFilled(name)) return 'name is missing';
    if (!isDecimal(revenue)) return 'revenue is no number';
    if (currency !== undefined && !currencies.includes(String(currency))) return 'currency is none of these';
    return quantity === undefined || /^\d+$/.test(String(quantity)) ? undefined : 'quantity is no whole number';
  },
  taken: () => ({ status: 204, body: '' }),
  // A wrong address is a 400 there, too.
  refused: (what) => ({ status: what === 'quota' ? 429 : 400, body: '' }),
};

export const postbacks = { outbrain, taboola };
export type Postback = keyof typeof postbacks;
export const postbackHosts = { outbrain: ['tr.outbrain.com'], taboola: ['trc.taboola.com'] } as const;
