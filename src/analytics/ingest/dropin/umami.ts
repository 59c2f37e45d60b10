import { readForeignId } from '../../foreign_ids.ts';
import { foreignName } from '../../sites.ts';
import type { ReadEvent } from '../ingest.ts';
import { readAmount, readCurrency } from '../revenue.ts';
import {
  asObject,
  flatProps,
  isGiven,
  type OurWords,
  pageAddress,
  readOurWords,
  referrerOf,
  refuse,
  refuseLong,
  textOf,
} from './words.ts';

/** What Umami allows, in characters. */
const charsMax = { hostname: 100, screen: 11, language: 35, name: 50, tag: 50 };
const theirNames = { props: 'data', time: 'timestamp', 'revenue.amount': 'data', 'revenue.currency': 'data' };

/**
 * `{type, payload}` of Umami's script and packages, as `/api/send` takes it. A payload without a name is a page view.
 * `id` and `vid` say who the visitor is and are left out; so is what an identify call carries. `ip`, `userAgent` and
 * `timestamp` count with an API key alone: Umami believes them from anybody.
 */
export const readUmami: ReadEvent = (raw) => {
  const sent = asObject(raw);
  const payload = asObject(sent?.payload);
  if (sent === undefined || payload === undefined)
    return refuse('payload', 'Send {"type", "payload"}, with the payload as an object.');
  if (isGiven(payload.link)) return refuse('link', 'Links are not counted here. Send the "website" of a page.');
  if (isGiven(payload.pixel)) return refuse('pixel', 'Pixels are not counted here. Send the "website" of a page.');
  const website = readForeignId('umami', payload.website);
  if (website === undefined) return refuse('website', 'The "website" is the UUID of one.');
  const domain = foreignName('umami', website);
  if (sent.type === 'identify') return { unkept: 'identity', domains: domain };
  if (sent.type === 'performance') return { unkept: 'unsupported', domains: domain };
  if (sent.type !== 'event') return refuse('type', 'The "type" is event, identify or performance.');
  const long = refuseLong(payload, charsMax);
  if (long !== undefined) return long;
  if (isGiven(payload.data) && asObject(payload.data) === undefined) return refuse('data', 'The "data" is an object.');
  const hostname = textOf(payload.hostname);
  const { props, revenue } = readData(payload.data);
  const words: OurWords = {
    name: textOf(payload.name) || 'pageview',
    url: pageAddress(hostname === '' ? '' : `https://${hostname}`, onceEncoded(textOf(payload.url))),
    domain,
    // Umami keeps the fragment in the path, unless the script was told not to send it.
    hashMode: true,
    referrer: referrerOf(payload.referrer),
    title: decoded(textOf(payload.title)),
    screen: textOf(payload.screen),
    props: isGiven(payload.tag) && !('tag' in props) ? { ...props, tag: payload.tag } : props,
    ...(revenue === undefined ? {} : { revenue }),
    ip: payload.ip,
    user_agent: payload.userAgent,
    ...(isGiven(payload.timestamp) ? { time: Number(payload.timestamp) * 1000 } : {}),
  };
  const isIdentified = isGiven(payload.id) || isGiven(payload.vid);
  return readOurWords(words, isIdentified ? ['identity_off'] : [], theirNames);
};

/** Scripts before 2.11 encode the address once more than the browser did; `%2520` is never what a page is called. */
function onceEncoded(url: string): string {
  return url.includes('%25') ? url.replace(/%25([0-9a-f]{2})/gi, '%$1') : url;
}

/** The same scripts encode the title; one that cannot be decoded was not encoded. */
function decoded(title: string): string {
  if (!title.includes('%')) return title;
  try {
    return decodeURIComponent(title);
  } catch {
    return title;
  }
}

/**
 * Revenue is two properties with Umami: one whose name contains "revenue" and one whose name contains "currency".
 * Together they are revenue and no properties; what is not both stays a property. Exactly `revenue` with a currency
 * beside it means money, so an amount that cannot be read refuses the event.
 */
export function readData(data: unknown): { props: Record<string, unknown>; revenue?: OurWords['revenue'] } {
  const props = flatProps(data);
  const keys = Object.keys(props);
  const currency = keys.find((key) => /currency/i.test(key) && readCurrency(props[key]) !== undefined);
  if (currency === undefined) return { props };
  const amount =
    keys.find((key) => key.toLowerCase() === 'revenue' && isGiven(props[key])) ??
    keys.find((key) => key !== currency && /revenue/i.test(key) && readAmount(props[key]) !== undefined);
  if (amount === undefined) return { props };
  const { [amount]: earned, [currency]: unit, ...rest } = props;
  return { props: rest, revenue: { amount: earned, currency: unit } };
}
